#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Attacks of a hostile client (tools/attack.py has the frames). Each set has a control: it gets in
# without hbpf, or without its guard. docs/SECURITY.md lists which test proves what. Nothing may get
# in and nothing may be answered: even an RST would prove a hole.
# bats file_tags=kind
load lib

TAGS=(q q-q q-q-q ad ad-ad ad-ad-ad ad-q q-ad-q)
MACS=(broadcast multicast)

# What the recipe and hbpf both set; here without a guard
open_loopback() {
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
}

close_loopback() {
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
}

# A translation without guard and source check: everything for the exported port goes to lo, where
# the gateway's own port 9999 stands in for the service. accept_local turns off the kernel's own check
# for sources that are the host's.
naive() {
	on_host sysctl -qw net.ipv4.conf.all.accept_local=1 net.ipv4.conf.lo.route_localnet=1
	on_host tc qdisc add dev br-test clsact
	on_host tc filter add dev br-test ingress protocol ipv6 prio 1 u32 \
		match u32 0 0 action mirred ingress redirect dev lo
	on_host tc filter add dev br-test ingress protocol ip prio 2 u32 \
		match ip protocol 17 0xff match ip dport 9999 0xffff \
		action mirred ingress redirect dev lo
	export OUTER=1
}

# and no more of it, but for accept_local
not_naive() {
	on_host tc qdisc del dev br-test clsact
	on_host sysctl -qw net.ipv4.conf.lo.route_localnet=0
	unset OUTER
}

# undelivered SET [WRAPPING]...: no service got any of it, whatever the gateway itself answers
undelivered() {
	assault "$@"
	[ -n "$out" ] || fail "no attack was made"
	lacks delivered
}

# Exports that an attacker may use; the service on 9998 is not exported
serve_9999() {
	attach --port 9999/tcp+udp --port 9996/udp "$@"
}

# The host has a route to all of them, so that it is not rp_filter that keeps them out
routes_everywhere() {
	on_host ip route add default via "$C1"
	on_host ip route add default via "$C1_6"
}

# bats test_tags=hook
@test "raw TCP, UDP and ICMP to 127.0.0.1, 127.0.0.53 and 127.1.2.3, exported ports and others" {
	open_loopback
	breaks to-loopback
	close_loopback
	serve_9999
	setting br-test.route_localnet 2
	holds to-loopback
	counted IN_GUARD_DST 24
}

@test "raw packets to 127/8 in frames to a broadcast or multicast MAC" {
	open_loopback
	breaks datagrams "${MACS[@]}"
	close_loopback
	serve_9999
	holds to-loopback "${MACS[@]}"
	counted IN_GUARD_DST 48
}

@test "raw packets to 127/8 behind one, two and three priority tags of both kinds" {
	open_loopback
	breaks to-loopback "${TAGS[@]}"
	close_loopback
	serve_9999
	holds to-loopback "${TAGS[@]}"
	counted 'IN_GUARD_(VLAN|DST)' 192
}

@test "UDP-Lite, SCTP, DCCP and tunnels to 127/8" {
	open_loopback
	breaks other-protocols
	close_loopback
	serve_9999
	holds other-protocols plain "${MACS[@]}" "${TAGS[@]}"
	counted IN_GUARD_DST 15
}

@test "other protocols and tunnels to the gateway, jumbograms: hbpf makes no difference" {
	assault tunnelled
	before=$out
	serve_9999
	assault tunnelled
	same "$before" "$out"
	lacks delivered
	uncounted IN_TRANSLATED IN_FRAGMENT
	# control: real UDP to that port
	assault fragments
	prints '^in +control: valid pieces: delivered to 127.0.0.1:9999'
}

@test "raw packets to 127/8 in fragments, tiny ones and last one first" {
	open_loopback
	breaks fragments-to-loopback
	close_loopback
	serve_9999
	holds fragments-to-loopback
	holds fragments-to-loopback q q-q broadcast
}

@test "source routes through 127/8, with accept_source_route" {
	on_host sysctl -qw net.ipv4.conf.all.accept_source_route=1 \
		net.ipv4.conf.br-test.accept_source_route=1
	open_loopback
	breaks source-routes plain "${TAGS[@]}"
	close_loopback
	serve_9999
	holds source-routes plain "${TAGS[@]}" "${MACS[@]}"
	counted IN_GUARD_ROUTE 6
}

@test "a client that routes 127.0.0.2 through the gateway" {
	in_ns c1 sysctl -qw net.ipv4.conf.eth0.route_localnet=1
	in_ns c1 ip route add 127.0.0.2/32 via "$GW" src "$C1" table local
	serve svc --tcp 127.0.0.2:9998 --udp 127.0.0.2:9998 --tcp 127.0.0.2:9999
	open_loopback
	reaches svc tcp 127.0.0.2:9998
	reaches svc udp 127.0.0.2:9998
	misses ECONNREFUSED tcp 127.0.0.2:9997
	close_loopback
	serve_9999
	for port in 9997 9998 9999; do
		misses TIMEOUT tcp "127.0.0.2:$port"
		misses TIMEOUT udp "127.0.0.2:$port"
	done
	counted IN_GUARD_DST 6
}

# bats test_tags=hook
@test "one-way UDP from 127/8, ::1 and ::ffff:127.0.0.1 to an exported port" {
	naive
	breaks from-loopback
	not_naive
	serve_9999
	holds from-loopback plain "${MACS[@]}" "${TAGS[@]}"
	counted IN_GUARD_SRC 5
}

@test "one-way UDP from each of the host's own addresses to an exported port" {
	make_bridge br-two 31
	make_docker0
	on_host ip addr add 10.99.0.1/32 dev lo
	on_host ip addr add 172.30.0.100/24 dev br-test
	# addresses of the host that no interface has: the subnet-router anycast addresses, which
	# forwarding enables, and AnyIP
	on_host sysctl -qw net.ipv6.conf.all.forwarding=1
	on_host ip route add local 198.18.0.0/24 dev lo
	on_host ip route add local 2001:db8:97::/64 dev lo
	on_host ip route add local 2001:db8:98::/64 dev lo table 77
	on_host ip -6 route add anycast 2001:db8:99::1 dev br-test table 77
	on_host ip -6 rule add lookup 77
	naive
	breaks from-host plain
	prints '^in +from fd00:30::[: ]' '^in +from 198.18.0.7' '^in +from 2001:db8:98::7'
	not_naive
	# not even with a --from that allows everybody
	serve_9999 --from 0.0.0.0/0 --from ::/0 --from onlink
	holds from-host plain "${MACS[@]}" "${TAGS[@]}"
	prints 'from fd00:30::$' 'from 2001:db8:99::1$'
	counted IN_SOURCE 11
}

@test "one-way UDP from another bridge's, public, link-local, unspecified and v4-mapped sources" {
	make_bridge br-two 31
	routes_everywhere
	naive
	breaks from-elsewhere
	not_naive
	serve_9999
	undelivered from-elsewhere plain "${MACS[@]}" "${TAGS[@]}"
	counted IN_SOURCE 9
}

@test "one-way UDP from multicast, broadcast and no address at all" {
	routes_everywhere
	serve_9999 --from 0.0.0.0/0 --from ::/0
	holds from-nobody plain "${MACS[@]}" "${TAGS[@]}"
	counted IN_SOURCE 4
	# control: a valid source in the same way, and those that are not refused
	assault from-elsewhere
	prints '^in +from 192.0.2.7: delivered to 127.0.0.1:9999'
}

@test "::1 and v4-mapped loopback as destination, behind headers that hide the transport" {
	resolve_neighbour
	naive
	breaks to-loopback6
	not_naive
	serve_9999
	holds to-loopback6 plain "${MACS[@]}" "${TAGS[@]}"
	counted IN_GUARD_DST 14
}

# Resolves neighbours first, as the host cannot answer a client that it cannot resolve
resolve_neighbour() {
	on_host ip neigh replace "$C1_6" dev br-test nud permanent \
		lladdr "$(in_ns c1 ip -j link show eth0 | jq -r '.[0].address')"
}

@test "extension headers hiding a port that is not exported: hbpf makes no difference" {
	assault hidden-transport
	before=$out
	serve_9999
	assault hidden-transport
	same "$before" "$out"
	lacks delivered
}

@test "IPv6 routing headers through ::1" {
	serve_9999
	holds routing6
	counted IN_GUARD_ROUTE 3
}

@test "fragments: overlapping, tiny, without a first one" {
	serve_9999
	assault fragments
	prints '^in +control: valid pieces: delivered to 127.0.0.1:9999' \
		'^in +control: valid v6: delivered to ::1:9999'
	except control
	lacks delivered
}

@test "forged ICMP of every type that quotes flows that never existed" {
	export WAITING=1
	open_loopback
	assault forged-errors
	close_loopback
	before=$out
	serve_9999
	assault forged-errors
	same "$before" "$out"
	# nothing that quotes the gateway is translated, as there is no such flow
	only "$GW:"
	lacks '^in '
	counted IN_ICMP_OTHER 7
	uncounted IN_ICMP
	# control: with a flow it is (icmp.bats has all of them)
	scene icmp-to-server 127.0.0.1:9995 "$GW:9995" || hb ports add 9995/udp
	scene icmp-to-server 127.0.0.1:9995 "$GW:9995"
	counted IN_ICMP
}

# bats test_tags=hook
@test "ARP for 127.0.0.1, and from sixteen different senders in 127/8" {
	open_loopback
	breaks arp
	[ "$(on_host ip neigh | grep -c '^127\.')" -ge 16 ] || fail "$(on_host ip neigh)"
	on_host ip neigh flush all
	close_loopback
	serve_9999
	holds arp
	! on_host ip neigh | grep '^127\.' || fail "a 127/8 neighbour was learned"
	counted IN_GUARD_ARP 18
	holds arp "${TAGS[@]}"
	! on_host ip neigh | grep '^127\.' || fail "a 127/8 neighbour was learned"
}

@test "a client that is no longer allowed: its open TCP connection survives, a new one is refused" {
	serve_9999
	scene excluded-later 127.0.0.1:9995 "$GW:9995" 9999/tcp+udp
}

# bats test_tags=bridge
@test "a client that spoofs a neighbour's address: one way only, as on any bridge" {
	make_client c2 3
	serve svc --udp 127.0.0.1:9999
	serve_9999
	in_ns c2 /usr/bin/python3 "$E2E/tools/raw.py" send valid 9999 spoofed
	eventually heard svc "$C1:4444 said spoofed"
	# the answer goes to the owner of the address; the control uses its own
	NS=c2 reaches svc udp "$GW:9999"
}
