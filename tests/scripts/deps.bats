#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/deps: installs servers without starting them, and does nothing else to the host.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	fake=$BATS_TEST_TMPDIR calls=$BATS_TEST_TMPDIR/calls
	: >"$calls"

	# the Debian tools that the installation of a server calls
	# shellcheck disable=SC2016 # for the script
	script dpkg-query '[[ " ${MISSING-postgresql} " == *" ${!#} "* ]] || echo installed'
	script apt-get "
		[[ \$* == *' install '* ]] || exit 0
		words=\$*
		echo \"apt-get \${words##*--no-install-recommends }\" >>'$calls'
		for word; do [[ \$word != DPkg::Path=* ]] || PATH=\${word#*=}; done
		if [[ \$words == *docker.io* ]]; then
			deb-systemd-invoke start containerd.service
			invoke-rc.d --skip-systemd-native docker start || exit
			deb-systemd-invoke start docker.service docker.socket
		else
			deb-systemd-invoke start postgresql.service
			invoke-rc.d --skip-systemd-native postgresql start || exit
		fi
		deb-systemd-invoke restart ssh.service
		invoke-rc.d nginx restart
		\${DURING_INSTALL-}"
	for tool in /usr/bin/deb-systemd-invoke /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d; do
		script "real-${tool##*/}" "echo \"${tool##*/} \$*\" >>'$calls'"
	done
	script systemctl "echo \"systemctl \$*\" >>'$calls'"
}

# script NAME TEXT
script()
{
	printf '#!/bin/bash\n%s\n' "$2" >"$fake/$1"
	chmod +x "$fake/$1"
}

# deps [GROUP] - installs PostgreSQL, or the packages of the group in MISSING, in a mount namespace
# where Debian's tools only log their calls
deps()
{
	# shellcheck disable=SC2016 # for the shell inside
	tests/sandbox bash -ec '
		for tool in /usr/bin/deb-systemd-invoke /usr/sbin/invoke-rc.d /usr/sbin/update-rc.d; do
			mount --bind "$0/real-${tool##*/}" "$tool"
		done
		mount -t tmpfs tmpfs /etc/init.d
		mount -t tmpfs tmpfs /lib/systemd/system
		touch /etc/init.d/{docker,postgresql,redis-server}
		touch /lib/systemd/system/{{containerd,docker,postgresql,redis-server}.service,docker.socket}
		# what is MISSING has no command, even if this machine has it
		command()
		{
			[[ " ${MISSING-} " != *" ${2/#dockerd/docker.io} "* ]] && builtin command "$@"
		}
		export -f command
		PATH=$0:$PATH
		scripts/deps "$1"' "$fake" "${1:-services}" </dev/null
}

policy()
{
	stat -c '%n %i %s %a %Y' /usr/sbin/policy-rc.d 2>&1 || true
}

@test "newly installed servers are neither started nor enabled, existing ones are restarted" {
	local before
	before=$(policy)
	run deps
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(<"$calls")" = "\
apt-get postgresql
deb-systemd-invoke restart ssh.service
invoke-rc.d nginx restart
update-rc.d postgresql disable
systemctl disable postgresql.service" ]
	[ "$(policy)" = "$before" ]
}

@test "Docker installed for the tests runs neither now nor at boot, nor by socket activation" {
	MISSING="docker.io containerd" run deps engines
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(<"$calls")" = "\
apt-get docker.io containerd
deb-systemd-invoke restart ssh.service
invoke-rc.d nginx restart
update-rc.d docker disable
systemctl disable docker.service
systemctl disable docker.socket
systemctl disable containerd.service" ]
}

@test "containerd that was installed before Docker stays enabled" {
	MISSING=docker.io run deps engines
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(head -n 2 "$calls")" = "\
apt-get docker.io
deb-systemd-invoke start containerd.service" ]
	[ "$(grep -c disable "$calls")" -eq 3 ]
	[[ $(<"$calls") != *"disable containerd"* ]]
}

@test "what a failed installation brought is not enabled either" {
	DURING_INSTALL='exit 1' run deps
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"could not install: postgresql"* ]]
	[ "$(tail -n 2 "$calls")" = "\
update-rc.d postgresql disable
systemctl disable postgresql.service" ]
}

@test "killed during the installation, it leaves no policy behind" {
	local before
	before=$(policy)
	# the parent is a subshell of scripts/deps, and its parent is killed as well
	# shellcheck disable=SC2016 # for the shell inside
	DURING_INSTALL='eval kill -KILL $PPID $(ps -o ppid= $PPID)' run deps
	echo "$output"
	[ "$status" -eq 137 ]
	[ "$(tail -n 1 "$calls")" = "invoke-rc.d nginx restart" ]
	[ "$(policy)" = "$before" ]
}
