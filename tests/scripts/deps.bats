#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/deps: brings servers without starting them, and does nothing else to the host.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	fake=$BATS_TEST_TMPDIR calls=$BATS_TEST_TMPDIR/calls
	: >"$calls"

	# Debian's tools, as far as the installation of a server asks them
	script dpkg-query '[[ $* == *" postgresql" ]] || echo installed'
	script apt-get "
		[[ \$* == *' install '* ]] || exit 0
		echo \"apt-get \${*: -1}\" >>'$calls'
		for word; do [[ \$word != DPkg::Path=* ]] || PATH=\${word#*=}; done
		deb-systemd-invoke start postgresql.service
		invoke-rc.d --skip-systemd-native postgresql start || exit
		deb-systemd-invoke restart ssh.service
		invoke-rc.d nginx restart
		\${DURING_INSTALL-}"
	for tool in /usr/bin/deb-systemd-invoke /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d; do
		script "real-${tool##*/}" "echo \"${tool##*/} \$*\" >>'$calls'"
	done
}

# script NAME TEXT
script()
{
	printf '#!/bin/bash\n%s\n' "$2" >"$fake/$1"
	chmod +x "$fake/$1"
}

# deps - installs PostgreSQL, in a mount namespace where Debian's tools only take notes
deps()
{
	# shellcheck disable=SC2016 # for the shell inside
	tests/sandbox bash -ec '
		for tool in /usr/bin/deb-systemd-invoke /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d; do
			mount --bind "$0/real-${tool##*/}" "$tool"
		done
		mount -t tmpfs tmpfs /etc/init.d
		touch /etc/init.d/postgresql
		PATH=$0:$PATH
		scripts/deps services' "$fake" </dev/null
}

policy()
{
	stat -c '%n %i %s %a %Y' /usr/sbin/policy-rc.d 2>&1 || true
}

@test "servers that come are neither started nor enabled, those that are there are restarted" {
	local before
	before=$(policy)
	run deps
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(<"$calls")" = "\
apt-get postgresql
deb-systemd-invoke restart ssh.service
invoke-rc.d nginx restart
update-rc.d postgresql disable" ]
	[ "$(policy)" = "$before" ]
}

@test "what an installation brought before it failed is not enabled either" {
	DURING_INSTALL='exit 1' run deps
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"could not install: postgresql"* ]]
	[ "$(tail -n 1 "$calls")" = "update-rc.d postgresql disable" ]
}

@test "killed while it installs, it leaves no policy behind" {
	local before
	before=$(policy)
	# the parent is a subshell of scripts/deps, which dies as well
	# shellcheck disable=SC2016 # for the shell inside
	DURING_INSTALL='eval kill -KILL $PPID $(ps -o ppid= $PPID)' run deps
	echo "$output"
	[ "$status" -eq 137 ]
	[ "$(tail -n 1 "$calls")" = "invoke-rc.d nginx restart" ]
	[ "$(policy)" = "$before" ]
}
