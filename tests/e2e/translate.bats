#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Clients reach services that listen on loopback only (docs/DESIGN.md, "Packet path").
load lib

# bats test_tags=hook, kind
@test "TCP over IPv4: refused before attach, answered after, refused after detach" {
	serve svc --tcp 127.0.0.1:8088
	misses ECONNREFUSED tcp "$GW:8088"
	attach --port 8088
	reaches svc tcp "$GW:8088"
	counted IN_TRANSLATED 3
	counted OUT_TRANSLATED 3
	hb detach
	misses ECONNREFUSED tcp "$GW:8088"
}

# bats test_tags=hook, kind
@test "TCP over IPv6: refused before attach, answered after, refused after detach" {
	serve svc --tcp "[::1]:8088"
	misses ECONNREFUSED tcp "[$GW6]:8088"
	attach --port 8088
	reaches svc tcp "[$GW6]:8088"
	hb detach
	misses ECONNREFUSED tcp "[$GW6]:8088"
}

@test "the README's three commands: attach, ports add, detach" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	hb ports add 9000
	reaches svc tcp "$GW:9000"
	hb detach
	misses ECONNREFUSED tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
}

@test "the service sees the client's own address and port" {
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	attach --port 8088
	[[ $(dial tcp "$GW:8088" --source 5555) == *"saw $C1:5555 "* ]]
	[[ $(dial tcp "[$GW6]:8088" --source 5555) == *"saw [$C1_6]:5555 "* ]]
}

@test "80:8080 leads to another port, in both families" {
	serve svc --tcp 127.0.0.1:8080 --tcp "[::1]:8080"
	attach --port 80:8080
	reaches svc tcp "$GW:80"
	reaches svc tcp "[$GW6]:80"
	misses ECONNREFUSED tcp "$GW:8080"
}

@test "a range leads to the same ports, and no port beside it is open" {
	serve svc --tcp 127.0.0.1:8000 --tcp 127.0.0.1:8005 --tcp 127.0.0.1:8010 \
		--tcp 127.0.0.1:7999 --tcp 127.0.0.1:8011
	attach --port 8000-8010
	reaches svc tcp "$GW:8000"
	reaches svc tcp "$GW:8005"
	reaches svc tcp "$GW:8010"
	misses ECONNREFUSED tcp "$GW:7999"
	misses ECONNREFUSED tcp "$GW:8011"
}

@test "8000-8010:9000-9010 moves a range" {
	serve low --tcp 127.0.0.1:9000
	serve high --tcp 127.0.0.1:9010
	attach --port 8000-8010:9000-9010
	reaches low tcp "$GW:8000"
	reaches high tcp "$GW:8010"
}

@test "another loopback address: 81:127.0.0.53:8081" {
	serve right --tcp 127.0.0.53:8081
	serve wrong --tcp 127.0.0.1:8081 --tcp "[::1]:8081"
	attach --port 81:127.0.0.53:8081
	reaches right tcp "$GW:81"
	misses ECONNREFUSED tcp "[$GW6]:81"
}

@test "a service bound to the wildcard is reached through a remap" {
	serve svc --tcp 0.0.0.0:8080 --tcp "[::]:8080"
	attach --port 80:8080
	reaches svc tcp "$GW:80"
	reaches svc tcp "[$GW6]:80"
}

@test "only the exported protocol is open" {
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:8088
	attach --port 8088
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED udp "$GW:8088"
}

@test "many connections, one after another and at once" {
	attach --port 80:8088
	scene many 127.0.0.1:8088 "$GW:80" 100
	scene many "[::1]:8088" "[$GW6]:80" 100
	uncounted OUT_AMBIGUOUS OUT_GUARD IN_COLLISION IN_FAILED OUT_FAILED
}

@test "a half-closed connection still carries the answer" {
	attach --port 8088
	scene half-closed 127.0.0.1:8088 "$GW:8088"
	scene half-closed "[::1]:8088" "[$GW6]:8088"
}

# bats test_tags=kind
@test "bulk data, offloads on" {
	attach --port 80:8088
	scene bulk 127.0.0.1:8088 "$GW:80" 64
	scene bulk "[::1]:8088" "[$GW6]:80" 64
	uncounted IN_FAILED OUT_FAILED
}

@test "bulk data, offloads off: checksums in full and packets of MTU size" {
	on_host ethtool -K veth-c1 tx off gso off tso off gro off
	on_host ethtool -K br-test tx off gso off tso off gro off
	in_ns c1 ethtool -K eth0 tx off gso off tso off gro off
	attach --port 80:8088
	scene bulk 127.0.0.1:8088 "$GW:80" 16
	scene bulk "[::1]:8088" "[$GW6]:80" 16
	uncounted IN_FAILED OUT_FAILED
}

# bats test_tags=kind
@test "one side's offloads off: each kind of checksum meets the other" {
	in_ns c1 ethtool -K eth0 tx off gso off tso off gro off
	attach --port 80:8088
	scene bulk 127.0.0.1:8088 "$GW:80" 16
	scene bulk "[::1]:8088" "[$GW6]:80" 16
}

# bats test_tags=kind
@test "IPv4 options: no-operations, and a recorded route" {
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:8088
	attach --port 8088/tcp+udp
	reaches svc tcp "$GW:8088" --options 01010101
	reaches svc udp "$GW:8088" --options 01010101
	reaches svc udp "$GW:8088" --options 070b04000000000000000000
}

# bats test_tags=kind
@test "IPv6 extension headers" {
	serve svc --tcp "[::1]:8088" --udp "[::1]:8088"
	attach --port 8088/tcp+udp
	reaches svc tcp "[$GW6]:8088" --options 0000010400000000
	reaches svc udp "[$GW6]:8088" --options 0000010400000000
}

@test "strict rp_filter on every interface, set before attach" {
	for dev in all default lo br-test; do
		on_host sysctl -qw net.ipv4.conf.$dev.rp_filter=1
	done
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:8088
	attach --port 8088/tcp+udp
	reaches svc tcp "$GW:8088"
	reaches svc udp "$GW:8088"
}

@test "strict rp_filter for all, set after attach" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.all.rp_filter=1
	reaches svc tcp "$GW:8088"
}

@test "with and without br_netfilter's calls" {
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	attach --port 8088
	for call in 0 1; do
		on_host sysctl -qw net.bridge.bridge-nf-call-iptables="$call" \
			net.bridge.bridge-nf-call-ip6tables="$call"
		reaches svc tcp "$GW:8088"
		reaches svc tcp "[$GW6]:8088"
	done
}

@test "a default-deny INPUT policy that accepts loopback, as ufw's" {
	serve svc --tcp 127.0.0.1:8088
	on_host iptables -P INPUT DROP
	on_host iptables -A INPUT -i lo -j ACCEPT
	# control: the recipe times out here
	recipe 8088
	misses TIMEOUT tcp "$GW:8088"
	on_host iptables -t nat -F
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	attach --port 8088
	reaches svc tcp "$GW:8088"
}

# bats test_tags=kind
@test "an idle connection survives a neighbour flush while the server pushes" {
	attach --port 8088
	scene survives 127.0.0.1:8088 "$GW:8088" ip neigh flush all
	counted OUT_ARP
	scene survives "[::1]:8088" "[$GW6]:8088" ip -6 neigh flush all
}

# bats test_tags=hook
@test "an idle connection survives a second attach and changes of other ports" {
	attach --port 8088
	scene survives 127.0.0.1:8088 "$GW:8088" "$HBPF" attach br-test
	scene survives 127.0.0.1:8088 "$GW:8088" "$HBPF" ports set 8088 9000-9100
}
