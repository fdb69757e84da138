#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# UDP: services bound to loopback and to the wildcard, fragments, closed services.
load lib

# bats test_tags=hook, kind
@test "UDP over IPv4 and IPv6" {
	serve svc --udp 127.0.0.1:5353 --udp "[::1]:5353"
	misses ECONNREFUSED udp "$GW:5353"
	misses ECONNREFUSED udp "[$GW6]:5353"
	attach --port 5353/udp
	reaches svc udp "$GW:5353"
	reaches svc udp "[$GW6]:5353"
	hb detach
	misses ECONNREFUSED udp "$GW:5353"
	misses ECONNREFUSED udp "[$GW6]:5353"
}

@test "a remap, in both families" {
	serve svc --udp 127.0.0.1:5353 --udp "[::1]:5353"
	attach --port 53:5353/udp
	reaches svc udp "$GW:53"
	reaches svc udp "[$GW6]:53"
}

@test "53:127.0.0.53:53/udp, the stub resolver's address" {
	serve right --udp 127.0.0.53:53
	serve wrong --udp 127.0.0.1:53
	attach --port 53:127.0.0.53:53/udp
	reaches right udp "$GW:53"
}

@test "tcp+udp opens both" {
	serve svc --tcp 127.0.0.53:53 --udp 127.0.0.53:53
	attach --port 53:127.0.0.53:53/tcp+udp
	reaches svc tcp "$GW:53"
	reaches svc udp "$GW:53"
}

@test "a service bound to 0.0.0.0 behind a remap" {
	serve svc --udp 0.0.0.0:5353 --udp "[::]:5353"
	attach --port 53:5353/udp
	reaches svc udp "$GW:53"
	reaches svc udp "[$GW6]:53"
}

# bats test_tags=hook, kind
@test "a service bound to 0.0.0.0 behind docker0's address" {
	make_docker0
	serve svc --udp 0.0.0.0:5353
	attach --port 5353/udp --port 53:5353/udp
	reaches svc udp "$DOCKER0:5353"
	reaches svc udp "$DOCKER0:53"
	reaches svc udp "$GW:5353"
	reaches svc udp "$GW:53"
}

@test "wildcard services behind any gateway, in both families, each port" {
	on_host ip addr add fd00:99::1/128 dev lo
	on_host ip addr add 10.99.0.1/32 dev lo
	serve svc --udp 0.0.0.0:5353 --udp "[::]:5353"
	attach --port 5353/udp --port 53:5353/udp --gateway 10.99.0.1 --gateway fd00:99::1
	for port in 53 5353; do
		for gateway in "$GW" "[$GW6]" 10.99.0.1 "[fd00:99::1]"; do
			reaches svc udp "$gateway:$port"
			reaches svc udp "$gateway:$port" --source 5555
		done
	done
	uncounted OUT_AMBIGUOUS OUT_FAILED
}

@test "a dual-stack socket bound to [::], queried over IPv4" {
	attach --port 53:5353/udp
	scene udp-dual 5353 "$GW:53"
}

@test "a service bound to 0.0.0.0 behind 127.0.0.53's export" {
	make_docker0
	serve svc --udp 0.0.0.0:53
	attach --port 5300:127.0.0.53:53/udp
	reaches svc udp "$GW:5300"
	reaches svc udp "$DOCKER0:5300"
}

@test "one socket queries a service bound to 0.0.0.0 through two gateways in turn" {
	make_docker0
	attach --port 53:5353/udp
	scene udp-two-gateways 0.0.0.0:5353 "$GW:53" "$DOCKER0:53"
}

@test "answers of a service bound to the gateway itself are left alone, whatever shares its port" {
	serve stub --udp 127.0.0.53:53
	serve inner --udp "[::1]:53"
	serve own --udp "$GW:53" --udp "[$GW6]:53"
	attach --port 5300:127.0.0.53:53/udp --port 5301:53/udp
	for _ in 1 2; do
		reaches own udp "$GW:53" --source 5555
		reaches stub udp "$GW:5300" --source 5555
		reaches own udp "[$GW6]:53" --source 5555
		reaches inner udp "[$GW6]:5301" --source 5555
	done
}

@test "a checksum of 0 stays one, from loopback and from the wildcard" {
	attach --port 53:5353/udp
	for service in 127.0.0.1 0.0.0.0; do
		scene udp-no-checksum "$service:5353" "$GW:53"
	done
	for service in ::1 ::; do
		scene udp-no-checksum "[$service]:5353" "[$GW6]:53"
	done
}

@test "answers of a service bound to 0.0.0.0 are counted by port" {
	serve svc --udp 0.0.0.0:5353 --udp "[::]:5353"
	attach --port 53:5353/udp
	reaches svc udp "$GW:53"
	reaches svc udp "[$GW6]:53"
	exits 0 hb status
	prints '^ *53/udp .* in 2 \(.* out 2 \('
}

@test "a closed service refuses immediately, in both families, remapped too" {
	attach --port 5353/udp --port 53:5354/udp
	misses ECONNREFUSED udp "$GW:5353"
	misses ECONNREFUSED udp "[$GW6]:5353"
	misses ECONNREFUSED udp "$GW:53"
	misses ECONNREFUSED udp "[$GW6]:53"
	counted OUT_ICMP 4
}

@test "a closed service refuses immediately behind docker0's address" {
	make_docker0
	attach --port 5353/udp
	misses ECONNREFUSED udp "$DOCKER0:5353"
}

@test "a datagram of 60,000 bytes both ways" {
	attach --port 53:5353/udp
	scene udp-big 127.0.0.1:5353 "$GW:53" 60000
	counted IN_FRAGMENT
	counted OUT_FRAGMENT
	scene udp-big "[::1]:5353" "[$GW6]:53" 60000
	uncounted IN_FAILED OUT_FAILED
}

@test "60,000 bytes both ways, offloads off" {
	on_host ethtool -K veth-c1 tx off gso off tso off gro off
	in_ns c1 ethtool -K eth0 tx off gso off tso off gro off
	attach --port 53:5353/udp
	scene udp-big 127.0.0.1:5353 "$GW:53" 60000
	scene udp-big "[::1]:5353" "[$GW6]:53" 60000
}

# bats test_tags=hook, kind
@test "60,000 bytes both ways, without br_netfilter putting fragments together" {
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
	attach --port 53:5353/udp
	scene udp-big 127.0.0.1:5353 "$GW:53" 60000
	scene udp-big "[::1]:5353" "[$GW6]:53" 60000
}

@test "60,000 bytes both ways with a service bound to 0.0.0.0 behind a remap" {
	attach --port 53:5353/udp
	scene udp-big 0.0.0.0:5353 "$GW:53" 60000
	scene udp-big "[::]:5353" "[$GW6]:53" 60000
	counted OUT_FRAGMENT
}

@test "fragments of the host's own datagram, with the id of an earlier translated answer" {
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0
	make_docker0
	attach --port 53:5353/udp
	scene udp-reused-id 0.0.0.0:5353 "$DOCKER0:53" "$GW:1234"
	counted OUT_FRAGMENT
}

@test "60,000 bytes to a service that is not exported are not touched" {
	attach --port 53:5353/udp
	scene udp-big "$GW:5400" "$GW:5400" 60000
	scene udp-big "[$GW6]:5400" "[$GW6]:5400" 60000
}

@test "datagrams of every size around the MTU" {
	attach --port 5353/udp
	for size in 0 1 1471 1472 1473 2952 2953; do
		scene udp-big 127.0.0.1:5353 "$GW:5353" "$size"
		scene udp-big "[::1]:5353" "[$GW6]:5353" "$size"
	done
}

@test "one socket queries two gateways in turn and gets each answer from the one it queried" {
	make_docker0
	attach --port 5353/udp
	scene udp-two-gateways 127.0.0.1:5353 "$GW:5353" "$DOCKER0:5353"
}

@test "one socket queries two gateway ports of one service in turn" {
	attach --port 5353/udp --port 53:5353/udp
	scene udp-two-gateways 127.0.0.1:5353 "$GW:5353" "$GW:53"
	scene udp-two-gateways "[::1]:5353" "[$GW6]:5353" "[$GW6]:53"
}
