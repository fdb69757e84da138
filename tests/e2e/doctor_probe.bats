#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf doctor connects through the bridge and says how far the connection came.
# shellcheck disable=SC2154 # diagnosed sets text
load lib
load doctor

# filter HOOK RULE: a rule in the bridge's own filter, with a match that doctor cannot judge, so that
# only the probe sees it
filter() {
	on_host nft -f - <<-EOF
		flush ruleset
		add table bridge f
		add chain bridge f c { type filter hook $1 priority 0; }
		add rule bridge f c meta length > 0 $2
	EOF
}

@test "probe: both families are answered, the service sees an end, and nothing is left" {
	local before
	in_ns c1 ping -c 1 -W 5 "$GW" >"$BED/ping"
	in_ns c1 ping -c 1 -W 5 "$GW6" >>"$BED/ping"
	before=$(on_host ip -o link show)
	remember
	exits 0 hb doctor
	prints '^  ok +probe +172\.30\.0\.1:8088 answers 172\.30\.0\.254 in [0-9]+ ms, \[fd00:30::1\]:8088 answers fd00:30:'
	unchanged
	same "$before" "$(on_host ip -o link show)"
	[ -z "$(on_host ip neigh show to 172.30.0.254)" ] || fail "a neighbour is left"
	eventually no_connection
	exits 0 hb doctor --no-probe
	prints '^  ok +probe +not tried: --no-probe was given'
}

no_connection() {
	[ -z "$(on_host ss -Htn 'sport = 8088')" ]
}

@test "probe: a filter of the bridge drops requests, rewrites them, or drops answers" {
	filter prerouting 'tcp dport 8088 ip daddr 172.30.0.1 drop'
	diagnosed probe-unseen
	filter prerouting 'tcp dport 8088 ip daddr 172.30.0.1 tcp dport set 9'
	diagnosed probe-passed
	has "$text" 'IN_NOT_EXPORTED'
	filter output 'tcp sport 8088 ip saddr 172.30.0.1 drop'
	diagnosed probe-return
	on_host nft flush ruleset
	healthy
}

@test "probe: a firewall that distrusts lo, and one that drops answers; SERVICES.md has the rules" {
	on_host nft -f - <<-EOF
		add table inet f
		add chain inet f input { type filter hook input priority 0; }
		add rule inet f input meta length > 0 iif lo ip saddr != 127.0.0.0/8 drop
	EOF
	misses TIMEOUT tcp "$GW:8088"
	diagnosed probe-input
	on_host nft insert rule inet f input iif lo ip saddr 172.30.0.0/16 tcp dport 8088 accept
	reaches svc tcp "$GW:8088"
	healthy
	on_host nft add chain inet f output '{ type filter hook output priority 0; }'
	on_host nft add rule inet f output 'meta length > 0' oif br-test tcp sport 8088 ip saddr 127.0.0.1 drop
	misses TIMEOUT tcp "$GW:8088"
	diagnosed probe-output
	on_host nft insert rule inet f output oif br-test ip daddr 172.30.0.0/16 accept
	reaches svc tcp "$GW:8088"
	healthy
}

@test "probe: UDP where no TCP port is open: answered, silent, and not seen by hbpf" {
	serve echo --udp 127.0.0.1:5300
	hb ports set 5300/udp
	exits 0 hb doctor
	prints '^  ok +probe +172\.30\.0\.1:5300 answers 172\.30\.0\.254 in'
	on_host socat -u udp-recv:5301,bind=127.0.0.1 open:/dev/null >/dev/null 2>&1 3>&- &
	echo $! >>"$BED/pids"
	eventually receives 5301
	hb ports set 5301/udp
	exits 0 hb doctor
	prints '^  ok +probe +172\.30\.0\.1:5301/udp was sent a datagram, and did not answer'
	filter prerouting 'udp dport 5301 drop'
	diagnosed probe-unseen
}

receives() {
	on_host ss -Hunl "sport = $1" | grep -q .
}

@test "probe: its address is allowed by the port, and taken by nobody" {
	hb ports add 8087 --from 172.30.0.2
	serve narrow --tcp 127.0.0.1:8087
	exits 0 hb doctor --port 8087
	prints 'probe +no free address of a client is on the link of br-test'
	hb ports del 8087
	in_ns c1 ip addr add 172.30.0.254/24 dev eth0
	exits 0 hb doctor
	prints '172\.30\.0\.1:8088 answers 172\.30\.0\.253 in'
}

@test "probe: not on a bridge with STP or without ports" {
	on_host ip link set br-test type bridge stp_state 1 forward_delay 200
	eventually forwards
	exits 0 hb doctor
	prints 'probe +not tried: STP is on'
	on_host ip link set br-test type bridge stp_state 0
	on_host ip link set veth-c1 nomaster
	exits 0 hb doctor
	prints 'probe +not tried: no interface is connected'
}

forwards() {
	on_host bridge link show dev veth-c1 | grep -q 'state forwarding'
}

@test "probe: killed in the middle, it leaves no port behind" {
	local pid
	filter prerouting 'tcp dport 8088 drop'
	on_host "$HBPF" doctor >"$BED/doctor" 2>&1 3>&- &
	pid=$!
	echo "$pid" >>"$BED/pids"
	eventually has_port "hbpf-"
	kill -KILL "$pid"
	eventually has_no_port "hbpf-"
}

has_port() {
	on_host ip -o link show master br-test | grep -q "$1"
}

has_no_port() {
	! has_port "$1"
}
