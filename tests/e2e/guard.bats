#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The guard and the source check: what must never get in. Each has a control: without hbpf, or without
# the guard, the same packet does get in (docs/DESIGN.md, "In: bridge ingress", 2).
load lib

# Services that an attacker aims at, and one whose answer shows that all earlier packets were handled.
victims() {
	serve svc --udp 127.0.0.1:9999 --udp 127.9.8.7:9999 --udp "[::1]:9999"
	serve fence --udp "$GW:5400" --udp "[$GW6]:5400"
}

shoot() {
	raw send "$1" "${2:-9999}" "$1"
	reaches fence udp "$GW:5400"
	reaches fence udp "[$GW6]:5400"
}

# What the recipe and hbpf set on the host; here without the guard
route_localnet() {
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet="$1"
}

# kept_out COUNTER KIND...: these packets get in without hbpf, and not with it
kept_out() {
	local counter=$1 kind
	shift
	victims
	route_localnet 1
	for kind; do
		shoot "$kind"
		heard svc "$kind"
	done
	route_localnet 0
	: >"$BED/svc.log"

	attach --port 8088/tcp+udp
	setting br-test.route_localnet 2
	for kind; do
		shoot "$kind"
		unheard svc "$kind"
	done
	counted "$counter" $#
}

# bats test_tags=hook, kind
@test "guard: packets to 127/8" {
	kept_out IN_GUARD_DST to-loopback to-loopback-net
}

@test "guard: packets to 127/8 in frames to a broadcast or multicast MAC" {
	kept_out IN_GUARD_DST to-loopback-broadcast-mac to-loopback-multicast-mac
}

@test "guard: packets to 127/8 behind priority tags, one to three of them" {
	# which counter depends on who removed the first tag
	kept_out 'IN_GUARD_(VLAN|DST)' to-loopback-tag to-loopback-2-tags to-loopback-3-tags \
		to-loopback-ad-tag
}

@test "guard: source routes through 127/8" {
	on_host sysctl -qw net.ipv4.conf.all.accept_source_route=1 \
		net.ipv4.conf.br-test.accept_source_route=1
	kept_out IN_GUARD_ROUTE to-loopback-lsrr to-loopback-ssrr
}

@test "guard: source routes through 127/8 whose pointer is not aligned" {
	on_host sysctl -qw net.ipv4.conf.all.accept_source_route=1 \
		net.ipv4.conf.br-test.accept_source_route=1
	kept_out IN_GUARD_ROUTE to-loopback-lsrr-5 to-loopback-lsrr-6 to-loopback-lsrr-7
}

# bats test_tags=hook, kind
@test "guard: packets from 127/8" {
	victims
	route_localnet 1
	shoot from-loopback 5400
	heard fence from-loopback
	route_localnet 0
	: >"$BED/fence.log"

	attach --port 9999/udp
	shoot from-loopback 5400
	unheard fence from-loopback
	shoot from-loopback 9999
	unheard svc from-loopback
	counted IN_GUARD_SRC 2
}

# bats test_tags=hook, kind
@test "guard: packets to and from ::1, which a redirect to lo would accept" {
	victims
	on_host tc qdisc add dev br-test clsact
	on_host tc filter add dev br-test ingress protocol ipv6 prio 1 u32 \
		match ip6 dport 9999 0xffff action mirred ingress redirect dev lo
	serve outer --udp "[$GW6]:9999"
	raw send to-loopback6 9999 to-loopback6
	raw send from-loopback6 9999 from-loopback6
	raw send from-mapped 9999 from-mapped
	reaches fence udp "[$GW6]:5400"
	heard svc to-loopback6
	heard outer from-loopback6
	heard outer from-mapped
	on_host tc qdisc del dev br-test clsact
	: >"$BED/svc.log"
	: >"$BED/outer.log"

	attach --port 9999/udp --force
	raw send to-loopback6 9999 to-loopback6
	raw send from-loopback6 9999 from-loopback6
	raw send from-mapped 9999 from-mapped
	raw send to-mapped 9999 to-mapped
	# control: a valid one gets through
	raw send valid6 9999 valid6
	eventually heard svc valid6
	for log in svc outer; do
		unheard "$log" to-loopback6
		unheard "$log" from-loopback6
		unheard "$log" from-mapped
		unheard "$log" to-mapped
	done
	counted IN_GUARD_SRC 2
	counted IN_GUARD_DST 2
}

# bats test_tags=hook, kind
@test "guard: ARP for 127.0.0.1 is not answered, from 127/8 not learned" {
	route_localnet 1
	[[ $(raw arp about-loopback) == *"about 127.0.0.1"* ]]
	[[ $(raw arp from-loopback) == *"answered 127.0.0.9"* ]]
	on_host ip neigh | grep -q '^127\.0\.0\.9'
	on_host ip neigh flush all
	route_localnet 0

	attach --port 8088
	[ "$(raw arp about-loopback)" = "answered $C1 about $GW" ]
	[ "$(raw arp from-loopback)" = "answered $C1 about $GW" ]
	! on_host ip neigh | grep '^127\.' || fail "a 127/8 neighbour was learned"
	counted IN_GUARD_ARP 2
}

# bats test_tags=hook, kind
@test "guard: nothing with a loopback source leaves the bridge" {
	serve svc --udp 127.0.0.1:9999
	attach --port 8088
	# with route_localnet the host itself can send such packets
	on_host "${PY[@]}" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', 0))
s.sendto(b'x', ('$C1', 9))"
	counted OUT_GUARD
}

# bats test_tags=hook, kind
@test "--no-guard lets packets to 127/8 in, and --guard keeps them out again" {
	victims
	attach --port 8088 --no-guard
	shoot to-loopback
	heard svc to-loopback
	: >"$BED/svc.log"
	attach --guard
	shoot to-loopback
	unheard svc to-loopback
	counted IN_GUARD_DST
}

@test "the source half of the guard holds with --no-guard, too" {
	victims
	attach --port 9999/udp --no-guard
	shoot from-loopback 9999
	unheard svc from-loopback
	counted IN_GUARD_SRC
}

@test "route_localnet set by another program, with br_netfilter: the destination half is off, and reported" {
	victims
	route_localnet 1
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=1
	exits 0 attach --port 8088
	reports 'guard'
	shoot to-loopback
	heard svc to-loopback
	exits 0 hb status
	prints 'guard'
	attach --guard
	: >"$BED/svc.log"
	shoot to-loopback
	unheard svc to-loopback
}

@test "route_localnet set by another program after attach: the next attach turns the destination half off" {
	victims
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=1
	attach --port 8088
	shoot to-loopback
	unheard svc to-loopback
	route_localnet 1
	exits 0 attach
	reports 'guard'
	shoot to-loopback
	heard svc to-loopback
}

@test "route_localnet set by another program, without br_netfilter: the guard is on" {
	victims
	route_localnet 1
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0
	attach --port 8088
	shoot to-loopback
	unheard svc to-loopback
}

@test "an exported port in the padding of a fragment does not open another port" {
	# br_netfilter would trim the padding
	on_host sysctl -qw net.bridge.bridge-nf-call-ip6tables=0
	victims
	attach --port 8088/tcp+udp
	shoot hidden-ports6
	unheard svc hidden-ports6
	# nor is an exported one
	shoot hidden-ports6 8088
	counted IN_MALFORMED 2
	uncounted IN_TRANSLATED IN_FRAGMENT
}

@test "sources that are not on-link are not translated; --from lets them in" {
	victims
	attach --port 9999/udp
	raw send valid 9999 valid
	raw send valid6 9999 valid6
	for kind in from-elsewhere from-elsewhere6 from-multicast; do
		shoot "$kind" 9999
		unheard svc "$kind"
	done
	heard svc valid
	heard svc valid6
	counted IN_SOURCE 2

	attach --from 10.1.2.0/24 --from fd00:99::/64
	shoot from-elsewhere 9999
	shoot from-elsewhere6 9999
	heard svc "$C1:4444 said valid"
	heard svc from-elsewhere
	heard svc from-elsewhere6
}

@test "a client that uses the host's own address is not translated, even with --from" {
	victims
	attach --port 9999/udp --from 0.0.0.0/0 --from ::/0
	for kind in from-host from-host6; do
		shoot "$kind" 9999
		unheard svc "$kind"
	done
	raw send valid 9999 valid
	eventually heard svc valid
	counted IN_SOURCE 2
}

@test "--from ::/0 means every IPv6 address and no IPv4 one" {
	serve svc --tcp 127.0.0.1:8088 --tcp '[::1]:8088'
	attach --from ::/0 --port 8088
	misses ECONNREFUSED tcp "$GW:8088"
	reaches svc tcp "[$GW6]:8088"
}

@test "--from replaces on-link, and --from onlink adds it again" {
	make_client c2 3
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088 --from 172.30.0.3/32
	NS=c2 reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:8088"
	attach --from 10.0.0.0/8 --from onlink
	reaches svc tcp "$GW:8088"
	NS=c2 reaches svc tcp "$GW:8088"
}

@test "a UDP flow ends when its client is no longer allowed" {
	make_docker0
	serve svc --udp 127.0.0.1:8088
	attach --port 8088/udp
	reaches svc udp "$GW:8088" --source 5555
	attach --from 10.0.0.0/8
	misses ECONNREFUSED udp "$GW:8088" --source 5555
	attach --from onlink
	reaches svc udp "$GW:8088" --source 5555
	hb ports set 8088/udp --from 172.30.0.3
	misses ECONNREFUSED udp "$GW:8088" --source 5555
	hb ports add 8088/udp --from 172.30.0.2
	reaches svc udp "$GW:8088" --source 5555
	counted IN_SOURCE 2
}

@test "--from of ports add applies to those ports only" {
	make_client c2 3
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088
	hb ports add 9000 --from 172.30.0.3
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	NS=c2 reaches svc tcp "$GW:9000"
	NS=c2 reaches svc tcp "$GW:8088"
}
