#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Interfaces that are not bridges: veths of containers, taps of virtual machines, interfaces to a LAN.
# What the programs do there is tested by the files NAME-veth.bats and NAME-tap.bats.
load lib
load watch

# make_ptp: as CNI's ptp plugin connects a container c2: both ends have a /32, and routes lead there
make_ptp() {
	make_ns c2
	in_ns host ip -batch - <<-EOF
		link add ptp0 type veth peer name eth0 netns c2
		link set ptp0 up
		addr add 10.9.0.1/32 dev ptp0
		route add 10.9.0.2/32 dev ptp0 scope host
		addr add fd00:9::1/128 dev ptp0 nodad
		route add fd00:9::2/128 dev ptp0
	EOF
	in_ns c2 ip -batch - <<-EOF
		link set eth0 up
		addr add 10.9.0.2/32 dev eth0
		route add 10.9.0.1/32 dev eth0
		route add default via 10.9.0.1
		addr add fd00:9::2/128 dev eth0 nodad
		route add fd00:9::1/128 dev eth0
		route add default via fd00:9::1
	EOF
}

# make_shim: a macvlan interface of the host on the LAN of c3, which is 172.31.0.2
make_shim() {
	make_link veth lan 31 c3 2
	on_host ip addr flush dev lan
	# it would answer ARP for the address of shim
	on_host sysctl -qw net.ipv4.conf.lan.arp_ignore=1
	on_host ip link add shim link lan type macvlan mode bridge
	address_host shim 31
}

@test "interfaces lists veths and taps with their kind, but no port of a bridge, and no LAN" {
	make_ptp
	make_link tap tap0 32 c4 2
	make_shim
	exits 0 hb interfaces
	prints '^br-test +bridge +- .* no$' '^ptp0 +veth +- +10.9.0.1, fd00:9::1 +1 +no$' \
		'^tap0 +tap +- +172.32.0.1, fd00:32::1 +1 +no$'
	lacks '^veth-c1' '^lo' '^shim'
	attach
	exits 0 hb attach shim --from onlink
	exits 0 hb interfaces --json
	json '[.bridges[] | {bridge, kind, attached}] | sort_by(.bridge) | map(select(.attached)) ==
		[{"bridge": "br-test", "kind": "bridge", "attached": true},
		 {"bridge": "shim", "kind": "macvlan", "attached": true}]'
	json '.bridges[] | select(.bridge == "tap0") | .kind == "tap" and (.attached | not)'
	exits 0 hb __complete attach ''
	prints '^ptp0	veth$' '^tap0	tap$' '^br-test	attached$'
	lacks '^veth-c1'
}

@test "a veth with /32 addresses and routes, as CNI's ptp makes it: its container alone is a client" {
	make_ptp
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088" --udp 127.0.0.1:8088
	remember
	exits 0 hb attach ptp0 --port 8088/tcp+udp --hook "$HOOK"
	prints '^10.9.0.1:8088/tcp +-> 127.0.0.1:8088' '^\[fd00:9::1\]:8088/tcp'
	[ -z "$err" ] || fail "on stderr: $err"
	NS=c2 reaches svc tcp 10.9.0.1:8088
	NS=c2 reaches svc udp 10.9.0.1:8088
	NS=c2 reaches svc tcp "[fd00:9::1]:8088"
	exits 0 hb status ptp0
	prints '^ptp0: ok' 'clients +.*10.9.0.2'
	# the host's ARP request has an address that the container answers
	on_host ip neigh flush all
	NS=c2 reaches svc udp 10.9.0.1:8088
	# another address behind the same veth is no client
	in_ns c2 ip addr add 10.9.0.3/32 dev eth0
	in_ns c2 ip route change 10.9.0.1/32 dev eth0 src 10.9.0.3
	on_host ip route add 10.9.0.3/32 via 10.9.0.2 dev ptp0 onlink
	NS=c2 misses ECONNREFUSED tcp 10.9.0.1:8088
	in_ns c2 ip route change 10.9.0.1/32 dev eth0 src 10.9.0.2
	NS=c2 reaches svc tcp 10.9.0.1:8088
	exits 0 hb detach ptp0
	on_host ip route del 10.9.0.3/32 via 10.9.0.2 dev ptp0
	unchanged
}

@test "a veth without an address, as Calico's with proxy_arp: --gateway names an address of the host" {
	make_ns c2
	in_ns host ip -batch - <<-EOF
		link add cali0 type veth peer name eth0 netns c2
		link set cali0 up
		route add 10.9.0.2/32 dev cali0
	EOF
	on_host sysctl -qw net.ipv4.conf.cali0.proxy_arp=1 net.ipv4.conf.cali0.forwarding=1
	on_host ip route add default dev br-test
	in_ns c2 ip -batch - <<-EOF
		link set eth0 up
		addr add 10.9.0.2/32 dev eth0
		route add 169.254.1.1/32 dev eth0
		route add default via 169.254.1.1
	EOF
	serve svc --tcp 127.0.0.1:8088
	exits 0 hb attach cali0 --port 8088
	says 'cali0 has no IPv4 and no IPv6 address' '--gateway'
	exits 0 hb attach cali0 --gateway "$GW"
	unsaid 'cali0 has no IPv4'
	prints "^$GW:8088/tcp +-> 127.0.0.1:8088"
	NS=c2 reaches svc tcp "$GW:8088"
	# the neighbour is resolved again with the gateway as the sender
	on_host ip neigh flush all
	NS=c2 reaches svc tcp "$GW:8088"
}

@test "an interface to a LAN needs --from, which names the hosts that are clients" {
	make_shim
	serve svc --tcp 127.0.0.1:8088
	remember
	exits 1 hb attach shim --port 8088
	says 'shim is a macvlan interface, so hosts of its network would be clients' '--from CIDR'
	unchanged
	exits 0 hb attach shim --port 8088 --from 172.31.0.3
	NS=c3 misses ECONNREFUSED tcp 172.31.0.1:8088
	exits 0 hb attach shim --from 172.31.0.2
	NS=c3 reaches svc tcp 172.31.0.1:8088
	# again, without saying it again
	exits 0 hb attach shim
	NS=c3 reaches svc tcp 172.31.0.1:8088
	exits 0 hb attach shim --from onlink
	NS=c3 reaches svc tcp 172.31.0.1:8088
	# nor does that hold for what is created under its name
	on_host ip link del shim
	on_host ip link add shim link lan type macvlan mode bridge
	address_host shim 31
	in_ns c3 ip neigh flush all
	exits 1 hb attach shim
	says '--from onlink for all'
	NS=c3 misses ECONNREFUSED tcp 172.31.0.1:8088
	exits 0 hb detach shim
}

@test "watch serves a veth, and an interface to a LAN only with from" {
	make_ptp
	make_shim
	serve svc --tcp 127.0.0.1:8088
	declare_conf <<-EOF
		[ptp0]
		ports = 8088
		[shim]
		ports = 8088
	EOF
	watch
	eventually logged 'ptp0: attached'
	eventually logged 'shim is a macvlan interface, so hosts of its network would be clients'
	exits 0 hb status ptp0
	exits 1 hb status shim
	declare_conf <<-EOF
		[shim]
		ports = 8088
		from = 172.31.0.2
	EOF
	kill -HUP "$WATCH"
	eventually logged 'shim: attached'
	NS=c3 reaches svc tcp 172.31.0.1:8088
	end_watch
}

@test "doctor and status of a veth and a tap have no step of bridges" {
	make_ptp
	make_link tap tap0 32 c4 2
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	for name in ptp0 tap0; do
		exits 0 hb attach "$name" --port 8088 --hook "$HOOK"
		exits 0 hb doctor "$name"
		prints 'nothing is wrong' "a .* interface, up, connected" 'not tried: only a bridge'
		lacks 'STP' 'br_netfilter' 'VLAN'
	done
	hb detach tap0
	exits 1 hb doctor tap0
	prints 'it is not attached' 'hbpf attach tap0$'
}

@test "a deleted veth: its state is dead, the next one of that name is closed until it is attached" {
	make_ptp
	serve svc --tcp 127.0.0.1:8088
	hb attach ptp0 --port 8088 --hook "$HOOK"
	on_host ip link del ptp0
	ip netns del c2
	exits 0 hb status ptp0
	prints 'the interface was deleted'
	make_ptp
	setting ptp0.route_localnet 0
	NS=c2 misses ECONNREFUSED tcp 10.9.0.1:8088
	exits 0 hb attach ptp0
	NS=c2 reaches svc tcp 10.9.0.1:8088
}

@test "a veth whose state was lost: status reports it, and detach restores the host" {
	need_tcx
	make_ptp
	remember
	hb attach ptp0 --port 8088
	rm -r "$(pin_dir ptp0)"
	exits 1 hb status
	prints 'ptp0.*guard only'
	exits 0 hb detach ptp0
	setting ptp0.route_localnet 0
}
