# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Real firewalls, which are not installed: tests/firewalls/fetch has unpacked them, and they are laid
# over /usr and /etc of the sandbox, where they also keep their state. Load the test bed first
# (../e2e/lib or ../docker/lib), which provides on_host.

FIREWALLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/firewalls/root

# firewall_missing: prints why neither ufw nor firewalld can run here; fails if they can
firewall_missing() {
	if [ ! -e "$FIREWALLS/../versions" ]; then
		echo "tests/firewalls/fetch could not get them"
	elif [ ! -L /lib ] || [ ! -L /sbin ]; then
		echo "this system keeps /lib and /sbin outside /usr"
	elif ! firewall_overlay 2>&1; then
		echo "no overlayfs here"
	else
		return 1
	fi
}

# once for a file; everything ends with the sandbox
firewall_overlay() {
	[ ! -e /run/firewalls ] || return 0
	mkdir -p /run/firewalls/{changed,work} /run/dbus
	mount -t overlay -o "lowerdir=$FIREWALLS/usr:/usr" overlay /usr &&
		mount -t overlay -o "lowerdir=$FIREWALLS/etc:/etc,upperdir=/run/firewalls/changed,workdir=/run/firewalls/work" \
			overlay /etc &&
		mount -t tmpfs tmpfs /var/log
}

setup_file() {
	MISSING=$(firewall_missing) || firewall_overlay
	export MISSING
}

# ufw_configure: as the package's postinst does
ufw_configure() {
	local file
	cp "$FIREWALLS/etc/default/ufw" /etc/default/
	for file in ufw.conf before.init after.init iptables/{before,after,user}{,6}.rules; do
		cp "/usr/share/ufw/$file" /etc/ufw/
	done
}

ufw_on() {
	on_host ufw --force enable
}

# A bus for firewalld only: the caller is root, and the bus must not start anything of this system,
# such as polkitd
bus_up() {
	cat >/run/firewalls/bus.conf <<-END
		<busconfig>
		  <type>system</type>
		  <listen>unix:path=/run/dbus/system_bus_socket</listen>
		  <auth>EXTERNAL</auth>
		  <policy context="default">
		    <allow user="*"/>
		    <allow own="*"/>
		    <allow send_destination="*"/>
		    <allow receive_sender="*"/>
		  </policy>
		</busconfig>
	END
	[ -S /run/dbus/system_bus_socket ] ||
		dbus-daemon --config-file=/run/firewalls/bus.conf --fork --nopidfile \
			>/dev/null 2>&1 3>&-
}

# [FIREWALLD_NETNS=FILE] firewalld_up: with its defaults, where every interface is in zone public
firewalld_up() {
	bus_up
	rm -rf /etc/firewalld/zones/*
	# not by on_host, so that the process that is killed later is firewalld's own
	${FIREWALLD_NETNS+nsenter "--net=$FIREWALLD_NETNS"} firewalld --nofork --nopid \
		>/var/log/firewalld.out 2>&1 3>&- &
	FIREWALLD=$!
	if ! eventually firewalld_answers; then
		cat /var/log/firewalld.out /var/log/firewalld >&2
		return 1
	fi
}

firewalld_answers() {
	on_host firewall-cmd --state
}

firewalld_down() {
	[ -n "${FIREWALLD:-}" ] || return 0
	kill "$FIREWALLD" || true
	wait "$FIREWALLD" || true
	FIREWALLD=
}
