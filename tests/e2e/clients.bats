#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Who is a client: what the host's addresses and routes make of a source.
load lib

# unnumbered: the bridge has a /32 and a /128, and routes to the client that no prefix covers
unnumbered() {
	on_host ip -batch - <<-EOF
		addr flush dev br-test scope global
		addr add 198.51.100.10/32 dev br-test
		addr add 2001:db8:10::1/128 dev br-test nodad
		route add 192.0.2.20 dev br-test
		route add 2001:db8:20::20 dev br-test
	EOF
	in_ns c1 ip -batch - <<-EOF
		addr flush dev eth0 scope global
		addr add 192.0.2.20/32 dev eth0
		addr add 2001:db8:20::20/128 dev eth0 nodad
		route add 198.51.100.10 dev eth0
		route add 2001:db8:10::1 dev eth0
		route replace default via 198.51.100.10
		route replace default via 2001:db8:10::1
	EOF
}

@test "a client that no prefix covers is found again when the host has forgotten its neighbour" {
	unnumbered
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	attach --port 8088 --from 192.0.2.20 --from 2001:db8:20::20
	for _ in 1 2; do
		on_host ip neigh flush dev br-test
		reaches svc tcp 198.51.100.10:8088
		on_host ip -6 neigh flush dev br-test
		reaches svc tcp "[2001:db8:10::1]:8088"
	done
	counted OUT_ARP
	uncounted OUT_GUARD OUT_ARP_NO_SENDER
}
