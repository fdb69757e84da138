#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Which addresses clients may dial, and how the answer gets the one they dialled as its source
# (docs/DESIGN.md, "Flows").
load lib

@test "every address of the bridge is a gateway" {
	on_host ip addr add 172.30.0.100/24 dev br-test
	on_host ip addr add 10.77.0.1/24 dev br-test
	on_host ip addr add fd00:30::100/64 dev br-test nodad
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	attach --port 8088
	reaches svc tcp "$GW:8088"
	reaches svc tcp 172.30.0.100:8088
	reaches svc tcp 10.77.0.1:8088
	reaches svc tcp "[fd00:30::100]:8088"
}

@test "docker0's address is a gateway: host.docker.internal's host-gateway" {
	make_docker0
	serve svc --tcp 127.0.0.1:8088
	misses ECONNREFUSED tcp "$DOCKER0:8088"
	attach --port 8088
	reaches svc tcp "$DOCKER0:8088"
}

@test "--gateway adds an address, and only that one" {
	on_host ip addr add 10.99.0.1/32 dev lo
	on_host ip addr add 10.99.0.2/32 dev lo
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088 --gateway 10.99.0.1
	reaches svc tcp 10.99.0.1:8088
	misses ECONNREFUSED tcp 10.99.0.2:8088
	reaches svc tcp "$GW:8088"
}

@test "--gateway again replaces the first one; attach without it leaves it" {
	on_host ip addr add 10.99.0.1/32 dev lo
	on_host ip addr add 10.99.0.2/32 dev lo
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088 --gateway 10.99.0.1
	attach
	reaches svc tcp 10.99.0.1:8088
	attach --gateway 10.99.0.2
	reaches svc tcp 10.99.0.2:8088
	misses ECONNREFUSED tcp 10.99.0.1:8088
}

@test "another address of the host is not a gateway" {
	on_host ip addr add 10.99.0.1/32 dev lo
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	misses ECONNREFUSED tcp 10.99.0.1:8088
	counted IN_NOT_GATEWAY
}

@test "two gateways at once by one client" {
	make_docker0
	attach --port 8088
	scene two-gateways 127.0.0.1:8088 "$GW:8088" "$DOCKER0:8088"
}

@test "two gateway ports of one service at once by one client" {
	attach --port 80:8088 --port 81:8088
	scene two-gateways 127.0.0.1:8088 "$GW:80" "$GW:81" "$GW:80"
	scene two-gateways "[::1]:8088" "[$GW6]:80" "[$GW6]:81"
}

# bats test_tags=hook
@test "two gateways from one source port: the second has to wait, the first survives" {
	make_docker0
	attach --port 8088
	scene one-source-port 127.0.0.1:8088 "$GW:8088" "$DOCKER0:8088"
	counted IN_COLLISION
}

@test "two gateway ports from one source port: the second has to wait, the first survives" {
	attach --port 80:8088 --port 81:8088
	scene one-source-port 127.0.0.1:8088 "$GW:80" "$GW:81"
	scene one-source-port "[::1]:8088" "[$GW6]:80" "[$GW6]:81"
	counted IN_COLLISION 2
}

@test "two gateways from one source port: the same for a silent connection without a record" {
	make_docker0
	attach --port 8088
	scene silent-connection 127.0.0.1:8088 "$GW:8088" "$DOCKER0:8088" "$(shared_dir)"
	counted IN_COLLISION
}

@test "a client that died without a FIN: the next one with its address and port is let in" {
	make_docker0
	attach --port 80:8088 --port 81:8088
	scene successor 127.0.0.1:8088 "$GW:80" "$DOCKER0:80"
	scene successor 127.0.0.1:8088 "$GW:80" "$GW:81"
	scene successor "[::1]:8088" "[$GW6]:80" "[$GW6]:81"
	counted IN_COLLISION 12
}

@test "a re-created container with the same address and port is let in" {
	make_docker0
	attach --port 8088
	serve svc --tcp 127.0.0.1:8088
	nsenter --net=/run/netns/c1 "${PY[@]}" "$E2E/tools/dial.py" tcp "$GW:8088" --source 5555 \
		--hold >"$BED/held" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -s "$BED/held"
	drop_client c1
	make_client c1 2
	connected 5555 # there was no FIN
	reaches svc tcp "$DOCKER0:8088" --source 5555
	counted IN_COLLISION
}

# connected PORT: the host has a connection of the client from there
connected() {
	on_host ss -Htn state established | grep -q "$C1:$1"
}

@test "spoofed SYNs to another gateway do not hurt an open connection" {
	make_docker0
	attach --port 8088
	scene living-is-not-hurt 127.0.0.1:8088 "$GW:8088" "$DOCKER0:8088"
	counted IN_COLLISION 40
}

@test "the same source port again to the same gateway is not a collision" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	for _ in 1 2 3 4; do
		reaches svc tcp "$GW:8088" --source 5555
	done
	uncounted IN_COLLISION
}

@test "a server's push through docker0's address after 200,000 other SYNs of that client" {
	make_docker0
	attach --port 8088 --port 7001-7004
	scene push-after-flood 127.0.0.1:8088 "$DOCKER0:8088" "$GW" 200000 7001 7002 7003 7004
	counted IN_TRANSLATED 150000
}

# bats test_tags=hook
@test "the kernel's reset from a closed port reaches the client through each gateway" {
	make_docker0
	attach --port 8088 --port 80:8088
	misses ECONNREFUSED tcp "$GW:8088"
	misses ECONNREFUSED tcp "$DOCKER0:8088"
	misses ECONNREFUSED tcp "$DOCKER0:80"
	misses ECONNREFUSED tcp "[$GW6]:80"
}

@test "a second client has its own flows" {
	make_client c2 3
	make_docker0
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	reaches svc tcp "$GW:8088" --source 5555
	NS=c2 reaches svc tcp "$DOCKER0:8088" --source 5555
	reaches svc tcp "$GW:8088" --source 5555
}

# bats test_tags=hook
@test "a gateway is removed by the next attach after its address was deleted" {
	on_host ip addr add 172.30.0.100/24 dev br-test
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	reaches svc tcp 172.30.0.100:8088
	on_host ip addr del 172.30.0.100/24 dev br-test
	attach
	exits 0 hb status
	lacks '172\.30\.0\.100'
}
