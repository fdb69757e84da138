#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ICMP errors from the service's side and from the client's, and ICMP that does not concern hbpf.
load lib

# c1 becomes a router to c2, over a link with an MTU of 1300, but c2's MSS announces 1500
make_router() {
	make_ns c2
	in_ns c1 ip link add eth1 mtu 1300 type veth peer name eth0 netns c2
	in_ns c1 ip -batch - <<-EOF
		link set eth1 up
		addr add 10.5.0.1/24 dev eth1
		addr add fd00:5::1/64 dev eth1 nodad
	EOF
	in_ns c1 sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	in_ns c2 ip -batch - <<-EOF
		link set eth0 up
		addr add 10.5.0.2/24 dev eth0
		addr add fd00:5::2/64 dev eth0 nodad
		route add default via 10.5.0.1 mtu 1300 advmss 1460
		route add default via fd00:5::1 mtu 1300 advmss 1440
	EOF
	on_host ip -batch - <<-EOF
		route add 10.5.0.0/24 via "$C1"
		route add fd00:5::/64 via "$C1_6"
	EOF
	# only the router's ICMP errors inform the service
	on_host sysctl -qw net.ipv4.tcp_mtu_probing=0
}

# what the host's routes learned in the control
forget_pmtu() {
	on_host ip route flush cache
	on_host ip -6 route flush cache
}

# bats test_tags=hook, kind
@test "fragmentation needed reaches the service: path MTU discovery works" {
	make_router
	# control: a service on the gateway itself
	scene pmtu "$GW:8087" "$GW:8087" c2
	forget_pmtu
	attach --port 80:8088 --from 10.5.0.0/24
	scene pmtu 127.0.0.1:8088 "$GW:80" c2
	counted IN_ICMP
}

# bats test_tags=hook, kind
@test "packet too big reaches the service: path MTU discovery works" {
	make_router
	scene pmtu "[$GW6]:8087" "[$GW6]:8087" c2
	forget_pmtu
	attach --port 80:8088 --from fd00:5::/64
	scene pmtu "[::1]:8088" "[$GW6]:80" c2
	counted IN_ICMP
}

@test "port unreachable from a closed client socket reaches the service's connected socket" {
	scene icmp-to-server "$GW:5353" "$GW:5353"
	attach --port 5354/udp --port 53:5355/udp
	scene icmp-to-server 127.0.0.1:5354 "$GW:5354"
	scene icmp-to-server 127.0.0.1:5355 "$GW:53"
	scene icmp-to-server "[::1]:5354" "[$GW6]:5354"
	scene icmp-to-server "[::1]:5355" "[$GW6]:53"
	counted IN_ICMP 4
}

# bats test_tags=hook, kind
@test "echo requests to the gateway are answered as without hbpf" {
	attach --port 8088
	in_ns c1 ping -c 2 -i 0.05 -W 5 "$GW"
	in_ns c1 ping -c 2 -i 0.05 -W 5 "$GW6"
	in_ns c1 ping -c 1 -s 20000 -W 5 "$GW"
}

@test "echo requests of the host to a client are answered as without hbpf" {
	attach --port 8088
	on_host ping -c 2 -i 0.05 -W 5 "$C1"
	on_host ping -c 2 -i 0.05 -W 5 "$C1_6"
}

@test "ICMP errors about the host's own packets still reach it" {
	attach --port 8088
	NS=host misses ECONNREFUSED udp "$C1:9"
	NS=host misses ECONNREFUSED udp "[$C1_6]:9"
}
