#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Bridges as libvirt, LXD and Incus create them, with dnsmasq on the gateway's own address; a bridge
# with a host of another network at one of its ports; and an engine in a container.
load ../e2e/lib

teardown() {
	[ ! -s "$BED/dnsmasq.pid" ] || kill "$(<"$BED/dnsmasq.pid")" || true
	bed_down
}

# resolver BRIDGE OPTION...: dnsmasq with the options of those engines, and a name to query
resolver() {
	on_host dnsmasq --conf-file=/dev/null --user=root --no-resolv --no-hosts \
		--interface="$1" --except-interface=lo --pid-file="$BED/dnsmasq.pid" \
		--dhcp-leasefile="$BED/leases" --dhcp-authoritative --dhcp-no-override \
		--host-record=known.test,192.0.2.7 --log-facility="$BED/dnsmasq.log" "${@:2}" 3>&-
}

# plug NAMESPACE BRIDGE: a machine without an address
plug() {
	make_ns "$1"
	on_host ip link add "veth-$1" type veth peer name eth0 netns "$1"
	on_host ip link set "veth-$1" master "$2" up
	in_ns "$1" ip link set eth0 up
}

lease() {
	in_ns "$1" timeout 30 busybox udhcpc -f -q -n -t 20 -T 1 -i eth0 -s "$BATS_TEST_DIRNAME/dhcp"
}

# answers ADDRESS: dnsmasq there answers both kinds of queries
answers() {
	exits 0 in_ns vm timeout 10 busybox nslookup -type=a known.test "$1"
	prints '192\.0\.2\.7'
}

@test "a bridge like libvirt's: leases, names and exported ports side by side" {
	on_host ip link add virbr0 type bridge forward_delay 0
	on_host ip address add 192.168.122.1/24 dev virbr0
	on_host ip link set virbr0 up
	resolver virbr0 --bind-dynamic --dhcp-range=192.168.122.2,192.168.122.254,255.255.255.0
	on_host iptables -t nat -A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE
	on_host iptables -A FORWARD -o virbr0 -j REJECT
	plug vm virbr0
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:5300

	hb attach virbr0 --hook "$HOOK" --port 8088 --port 5300/udp
	lease vm
	answers 192.168.122.1
	NS=vm reaches svc tcp 192.168.122.1:8088
	NS=vm reaches svc udp 192.168.122.1:5300

	# dnsmasq keeps its own port
	exits 1 hb ports add 53/udp
	says '192\.168\.122\.1:53.*dnsmasq'
	answers 192.168.122.1
	hb detach
	answers 192.168.122.1
	NS=vm misses ECONNREFUSED tcp 192.168.122.1:8088
}

@test "a bridge like LXD's and Incus's: the same, and IPv6 by router advertisements" {
	on_host ip link add lxdbr0 type bridge forward_delay 0
	on_host ip address add 10.31.7.1/24 dev lxdbr0
	on_host ip address add fd42:7::1/64 dev lxdbr0 nodad
	on_host ip link set lxdbr0 up
	on_host sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	resolver lxdbr0 --bind-interfaces --listen-address=10.31.7.1,fd42:7::1 --enable-ra \
		--dhcp-range=10.31.7.2,10.31.7.254 --dhcp-range=::,constructor:lxdbr0,ra-stateless
	plug vm lxdbr0
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"

	hb attach lxdbr0 --hook "$HOOK" --port 8088
	lease vm
	eventually has_route_of_ra vm
	answers 10.31.7.1
	NS=vm reaches svc tcp 10.31.7.1:8088
	NS=vm reaches svc tcp "[fd42:7::1]:8088"
	exits 1 hb ports add 53/tcp
	says ':53.*dnsmasq'
}

has_route_of_ra() {
	in_ns "$1" ip -6 route show proto ra | grep -q ^default
}

# outside: a host on the bridge's own link, as at a physical port, and another network behind it
outside() {
	make_client lan 77
	in_ns lan ip address add 10.50.0.2/24 dev lo
	on_host ip route add 10.50.0.0/24 via 172.30.0.77
}

# as_other ASSERTION...: runs it from an address of that other network
as_other() {
	in_ns lan ip route replace 172.30.0.0/24 dev eth0 src 10.50.0.2
	NS=lan "$@"
	in_ns lan ip route replace 172.30.0.0/24 dev eth0 src 172.30.0.77
}

@test "a host at a port of the bridge is a client by its on-link address, and by no other" {
	outside
	serve svc --tcp 127.0.0.1:8088
	serve gateway --tcp "$GW:8090"
	attach --port 8088
	reaches svc tcp "$GW:8088"
	NS=lan reaches svc tcp "$GW:8088"
	# control: it reaches the gateway
	as_other reaches gateway tcp "$GW:8090"
	as_other misses ECONNREFUSED tcp "$GW:8088"
	counted IN_SOURCE
}

@test "--from excludes a host at a port of the bridge, and lets the other network in" {
	outside
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088 --from "$C1/32"
	reaches svc tcp "$GW:8088"
	NS=lan misses ECONNREFUSED tcp "$GW:8088"
	attach --from 10.50.0.0/24
	as_other reaches svc tcp "$GW:8088"
	NS=lan misses ECONNREFUSED tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:8088"
}

# nest MTU: c1 becomes the host of an engine with a bridge of that MTU, but the MSS of c2 behind it
# announces 1500
nest() {
	make_ns c2
	in_ns c1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_ns c1 ip -batch - <<-END
		link add br-in type bridge forward_delay 0
		link add veth-c2 mtu $1 type veth peer name eth0 mtu 1500 netns c2
		link set veth-c2 master br-in up
		link set br-in mtu $1 up
		address add 172.18.0.1/24 dev br-in
		address add fd00:18::1/64 dev br-in nodad
	END
	in_ns c1 iptables -t nat -A POSTROUTING -s 172.18.0.0/24 ! -o br-in -j MASQUERADE
	in_ns c1 ip6tables -t nat -A POSTROUTING -s fd00:18::/64 ! -o br-in -j MASQUERADE
	in_ns c2 ip -batch - <<-END
		link set eth0 up
		address add 172.18.0.2/24 dev eth0
		address add fd00:18::2/64 dev eth0 nodad
		route add default via 172.18.0.1 mtu $1 advmss 1460
		route add default via fd00:18::1 mtu $1 advmss 1440
	END
	# only ICMP errors inform the service, and their rate is limited
	on_host sysctl -qw net.ipv4.tcp_mtu_probing=0
	in_ns c1 sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
}

@test "an engine in a container, with MTU 1400: large transfers work, as ICMP errors are translated" {
	nest 1400
	# control: a service on the gateway itself
	scene pmtu "$GW:8087" "$GW:8087" c2 1400
	on_host ip route flush cache
	attach --port 80:8088
	scene pmtu 127.0.0.1:8088 "$GW:80" c2 1400
	counted IN_ICMP
}

@test "an engine in a container, over IPv6 with the minimum MTU" {
	nest 1280
	scene pmtu "[$GW6]:8087" "[$GW6]:8087" c2 1280
	on_host ip -6 route flush cache
	attach --port 80:8088
	scene pmtu "[::1]:8088" "[$GW6]:80" c2 1280
	counted IN_ICMP
}
