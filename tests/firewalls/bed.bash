# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Additions to the test bed of tests/e2e: services on loopback, which hbpf makes reachable, and one on
# the gateway's own address, which shows whether the firewall is on.

serve_all() {
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088" --udp 127.0.0.1:5300 --udp "[::1]:5300"
	serve direct --tcp "$GW:8090" --tcp "[$GW6]:8090"
}

# recipe_times_out: shows that the iptables recipe does not work, and undoes it
recipe_times_out() {
	recipe 8088
	misses TIMEOUT tcp "$GW:8088"
	on_host iptables -t nat -F
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
}

all_answer() {
	reaches svc tcp "$GW:8088"
	reaches svc tcp "[$GW6]:8088"
	reaches svc udp "$GW:5300"
	reaches svc udp "[$GW6]:5300"
}
