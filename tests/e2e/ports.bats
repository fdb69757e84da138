#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ports list, add, del, set; the SPEC grammar; what attach and ports add print.
load lib

@test "ports list shows the open ports, and nothing when none is open" {
	attach
	exits 0 hb ports list
	lacks '[0-9]+/tcp'
	hb ports add 8088 80:8080 53:127.0.0.53:53/udp
	exits 0 hb ports list
	prints '8088' '80.*8080' '53.*127\.0\.0\.53'
	exits 0 hb ports
	prints '8088'
}

@test "ports del closes a port, and the others stay open" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088 --port 9000
	hb ports del 9000
	misses ECONNREFUSED tcp "$GW:9000"
	reaches svc tcp "$GW:8088"
}

@test "ports del removes one port from a range, by its gateway side" {
	serve svc --tcp 127.0.0.1:9000 --tcp 127.0.0.1:9001 --tcp 127.0.0.1:9002
	attach --port 8000-8002:9000-9002
	hb ports del 8001
	reaches svc tcp "$GW:8000"
	misses ECONNREFUSED tcp "$GW:8001"
	reaches svc tcp "$GW:8002"
}

@test "ports del with a full SPEC removes an exact match only" {
	attach --port 80:8080
	exits 1 hb ports del 80:8081
	says '80' '8080' '8081'
	exits 0 hb ports del 80:8080
}

@test "ports del of a closed port fails and changes nothing" {
	attach --port 8088
	exits 1 hb ports del 8088 9999
	says '9999'
	exits 0 hb ports list
	prints 8088
}

@test "ports del ends connections on both sides immediately; others survive" {
	attach --port 8088 --port 9000
	scene outlives-nothing 127.0.0.1:8088 "$GW:8088" ports del 8088
	hb ports add 80:8080
	scene outlives-nothing 127.0.0.1:8080 "$GW:80" ports del 80
	hb ports add 8088
	scene outlives-nothing "[::1]:8088" "[$GW6]:8088" ports del 8088
}

@test "ports del ends flows evicted from the shared table: a silent connection, a UDP socket" {
	attach --port 8088/tcp+udp
	scene pushed-out-ends 127.0.0.1:8088 "$GW:8088" "$(shared_dir)" ports del 8088/tcp+udp
	for table in recent_tcp recent_udp; do
		[ "$(tool bpf entries "$(shared_dir)/$table")" = 0 ] || fail "$table has an entry"
	done
}

@test "ports set and a moved port end connections on both sides immediately" {
	attach --port 8088 --port 9000
	scene outlives-nothing 127.0.0.1:8088 "$GW:8088" ports set 9000
	hb ports set 8088 9000
	scene outlives-nothing 127.0.0.1:8088 "$GW:8088" ports set 9000 8088:8089
}

@test "ports del does not end a connection inside the host to the same service" {
	attach --port 8088
	scene direct-survives 127.0.0.1:8088 "$GW:8088" ports del 8088
}

@test "detach ends connections through the ports; one inside the host survives" {
	attach --port 8088
	scene direct-survives 127.0.0.1:8088 "$GW:8088" detach
}

@test "ports del of one gateway port leaves the connections of the other" {
	make_docker0
	attach --port 80:8088 --port 81:8088
	scene survives 127.0.0.1:8088 "$GW:81" "$HBPF" ports del 80
}

@test "1 GiB through an open connection while ports add, set and del run" {
	attach --port 8088
	scene stream-under-change 127.0.0.1:8088 "$GW:8088" 1024
}

@test "ports set does not interrupt the ports that stay" {
	attach --port 8088
	scene set-has-no-gap 127.0.0.1:8088 "$GW:8088"
}

@test "ports set of the open ports changes nothing" {
	attach --port 8088
	before=$(hb ports list)
	hb ports set 8088
	same "$before" "$(hb ports list)"
	exits 2 hb ports add
	exits 2 hb ports del
}

@test "ports set without ports is refused, so that an empty shell variable closes nothing" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	exits 2 hb ports set
	says 'no port given' 'ports set'
	reaches svc tcp "$GW:8088"
}

@test "ports add of an open port succeeds; one that leads elsewhere is refused, naming both" {
	attach --port 80:8080
	exits 0 hb ports add 80:8080
	exits 1 hb ports add 9000 80:9090
	says '80' '8080' '9090'
	exits 0 hb ports list
	lacks 9000
}

@test "10,000 ports in one add, and all of them work" {
	serve svc --tcp 127.0.0.1:10000 --tcp 127.0.0.1:14999 --tcp 127.0.0.1:19999
	attach
	hb ports add 10000-19999
	for port in 10000 14999 19999; do reaches svc tcp "$GW:$port"; done
	hb ports del 10000-19999
	misses ECONNREFUSED tcp "$GW:14999"
}

@test "every port of both protocols" {
	serve svc --tcp 127.0.0.1:65535 --udp 127.0.0.1:1
	attach --force
	exits 0 hb ports add --force 1-65535/tcp+udp
	reaches svc tcp "$GW:65535"
	reaches svc udp "$GW:1"
	hb ports set --force 8088
}

@test "malformed SPECs exit 2 and are quoted, and nothing is opened" {
	attach --port 8088
	before=$(hb ports list)
	for spec in 0 65536 99999999999999999999 -1 +80 '' ' 80' '80 ' 80x x 80: :80 80:0 80:65536 \
		9-8 9- -9 1-2-3 80-82:90-91 80:90-91 80-81:90 80/sctp 80/ 80/tcp+sctp 80/tcp/udp \
		80/tcp+tcp 80:10.0.0.1:80 80:127.0.0.1 80:127.0.0.1: 80:127.0.0.256:80 \
		80:localhost:80 "80:[::1]:80" 127.0.0.1:80:80 80:80:80 80:127.0.0.1:80:80 0x50 8_0 80,81; do
		exits 2 hb ports add -- "$spec"
		[ -z "$spec" ] || grep -Fq -- "$spec" <<<"$err" ||
			fail "'$spec' is not quoted" "stderr: $err"
		exits 2 hb ports set -- 8088 "$spec"
		same "$before" "$(hb ports list)"
	done
}

@test "the same gateway port twice on one command line is refused" {
	attach
	for twice in "8088 8088" "8080-8090 8085" "80:8080 80:8081" "53/udp 53/tcp+udp"; do
		# shellcheck disable=SC2086 # several words are meant
		! hb ports add $twice || fail "'$twice' went through"
	done
	exits 0 hb ports list
	lacks '80'
}

@test "ports with two bridges attached: the error lists them, -b selects one, -b twice both" {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach
	hb attach br-two --hook "$HOOK"
	exits 2 hb ports add 8088 || exits 1 hb ports add 8088
	says br-test br-two
	hb ports add 8088 -b br-two
	misses ECONNREFUSED tcp "$GW:8088"
	NS=c2 reaches svc tcp 172.31.0.1:8088
	hb ports add 9000 -b br-two -b br-test
	reaches svc tcp "$GW:9000"
	NS=c2 reaches svc tcp 172.31.0.1:9000
}

@test "a port that a socket is bound to on the gateway address is refused without --force" {
	serve own --tcp "$GW:53" --udp "$GW:5353"
	serve svc --tcp 127.0.0.1:53
	attach
	exits 1 hb ports add 53
	says '53' "$GW" 'force'
	exits 1 hb ports add 5353/udp
	says '5353' 'force'
	reaches own tcp "$GW:53"
	exits 1 attach --port 53
	says '53' 'force'
	hb ports add 53 --force
	reaches svc tcp "$GW:53"
}

# flows: the number of br-test's flows
flows() {
	local map sum=0

	for map in "$(shared_dir)"/*flows*; do
		sum=$((sum + $(tool bpf entries "$map")))
	done
	echo $sum
}

@test "a command that is refused or fails removes no flow" {
	serve own --tcp "$GW:53"
	serve svc --udp 127.0.0.1:5000
	attach --port 5000/udp
	reaches svc udp "$GW:5000"
	[ "$(flows)" = 1 ]
	exits 1 hb ports add 53 --from 10.0.0.0/8
	says '53' 'force'
	exits 1 hb ports set 53 5000/udp --from 10.0.0.0/8
	exits 1 attach --port 53 --from 10.0.0.0/8
	[ "$(flows)" = 1 ] || fail "a refused command forgot the flow"
	# one that fails in its last step
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=0
	exits 1 on_host strace -qqo "$BED/strace" -P /proc/sys/net/ipv4/conf/lo/rp_filter \
		-e inject=write:error=EIO "$HBPF" attach br-test --from 10.0.0.0/8
	says 'rp_filter'
	[ "$(flows)" = 1 ] || fail "a failed attach forgot the flow"
	# control: one that succeeds removes it, as the client is no longer allowed
	hb ports add 5000/udp --from 10.0.0.0/8
	[ "$(flows)" = 0 ]
}

@test "warnings: no listener; a wildcard service that may not need hbpf; a port of the ephemeral range" {
	serve wild --tcp 0.0.0.0:8080
	serve svc --tcp 127.0.0.1:40000 --tcp 127.0.0.1:9000
	attach
	exits 0 hb ports add 8088
	reports '8088.*nothing listens'
	exits 0 hb ports add 8080
	reports '8080/tcp: python3.*all addresses.*can reach it without hbpf, unless it rejects them'
	exits 0 hb ports add 40000
	reports '40000.*ip_local_port_range'
	exits 0 hb ports add 9000
	[ -z "$err" ] || fail "a warning for nothing: $err"
}

@test "a range is shown with one line for each service that listens on a part of it, or none" {
	serve one --tcp 127.0.0.1:9000 --tcp 127.0.0.1:9001 --tcp "[::1]:9000"
	serve two --tcp 127.0.0.1:9003
	exits 0 attach --port 9000-9004
	prints "^$GW:9000-9001/tcp +-> 127.0.0.1:9000-9001 +python3" \
		"^$GW:9002/tcp .*nothing listens" "^$GW:9003/tcp .*python3" \
		"^$GW:9004/tcp .*nothing listens" \
		"^.$GW6.:9000/tcp +-> .::1.:9000 +python3" "^.$GW6.:9001-9004/tcp .*nothing listens"
	exits 0 hb status
	prints '^ +9000/tcp .* python3 \(pid [0-9]+\)$' '^ +9001/tcp .*python3.*; on .::1.: nothing' \
		'^ +9002/tcp .*nothing' '^ +9003/tcp .*python3' '^ +9004/tcp .*nothing'
	on_host ip -6 addr flush dev br-test
	exits 0 attach
	exits 0 hb ports
	prints '^ *9000-9001/tcp .*python3' '^ *9002/tcp .*nothing'
}

@test "warning: a service bound to the device lo cannot answer" {
	on_host socat TCP-LISTEN:8088,bind=127.0.0.1,so-bindtodevice=lo,fork PIPE 3>&- &
	echo $! >>"$BED/pids"
	eventually listens_on_lo
	exits 0 attach --port 8088
	says '8088/tcp.*socat \(pid [0-9]+\).*device lo' 'SERVICES'
	exits 0 hb ports set 9000
	exits 0 hb ports add 8088
	says '8088/tcp.*device lo'
}

listens_on_lo() {
	on_host ss -tln | grep -q '127.0.0.1%lo:8088'
}

@test "an address family without a gateway is not shown" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	exits 0 hb ports
	prints 'on \[::1\]: nothing listens'
	on_host ip -6 addr flush dev br-test
	attach
	for command in ports status; do
		exits 0 hb $command
		prints '8088/tcp.*-> 127\.0\.0\.1:8088.*pid'
		lacks '\[::1\]'
	done
	on_host ip addr flush dev br-test
	on_host ip addr add "$GW6/64" dev br-test nodad
	attach
	exits 0 hb ports
	prints '8088/tcp.*-> \[::1\]:8088.*nothing listens'
	lacks '127\.0\.0\.1'
}

# hoard NS PROCESSES DESCRIPTORS PORT: processes with shared descriptors, the last of which listens
hoard() {
	in_ns "$1" "${PY[@]}" - "$2" "$3" "$4" 3>&- <<-'EOF'
		import os, signal, socket, sys
		processes, descriptors, port = map(int, sys.argv[1:])
		for _ in range(descriptors):
		    os.dup(0)
		listener = socket.create_server(("127.0.0.1", port))
		with open(os.environ["BED"] + "/pids", "a") as pids:
		    for _ in range(processes):
		        pid = os.fork()
		        if not pid:
		            signal.pause()
		        pids.write(f"{pid}\n")
	EOF
}

@test "listeners are looked up in this namespace only, and not among endless descriptors" {
	attach --port 8088-8090
	serve svc --tcp 127.0.0.1:8088
	hoard c1 20 900 8089
	# the first search has to give up
	hoard host 1 1500 8090
	exits 0 on_host strace -qqo "$BED/strace" -e trace=readlinkat "$HBPF" status
	looked=$(wc -l <"$BED/strace")
	[ "$looked" -lt 5000 ] || fail "$looked descriptors were looked at"
	exits 0 hb ports list
	prints '8088/tcp .*python3 \(pid' '8089/tcp .*nothing listens' '8090/tcp .*too many descriptors'
	exits 0 hb ports list --json
	json '[.bridges[0].ports[].services[0] | [.listening, has("pid"), .searched]] ==
		[[true, true, null], [false, false, null], [true, false, false]]'
	hb ports set 8090
	exits 0 hb status
	prints 'an unknown process .too many descriptors'
	# control: a process with few descriptors is named
	hb ports set 8088
	exits 0 hb status
	prints 'python3 \(pid'
}

@test "attach again prints one line, or everything where something changed" {
	attach --port 8088 --port 9000
	exits 0 attach
	prints '^br-test: 2 ports on 2 gateways; see .hbpf status.$'
	[ "$(wc -l <"$BED/out")" -eq 1 ]
	exits 0 attach --gateway 10.9.9.9
	prints '10\.9\.9\.9:8088/tcp' "$GW:9000/tcp"
	exits 0 attach --port 8089
	prints "$GW:8088-8089/tcp" "$GW:9000/tcp"
}

@test "attach prints what works now: a line for every gateway -> loopback" {
	make_docker0
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.53:53
	exits 0 attach --port 8088 --port 53:127.0.0.53:53/udp
	prints "$GW:8088.*->.*127\.0\.0\.1:8088" "$DOCKER0:8088.*->.*127\.0\.0\.1:8088" \
		"\[$GW6\]:8088.*->.*\[::1\]:8088" "$GW:53.*->.*127\.0\.0\.53:53"
}

@test "ports list and status show listeners and traffic" {
	local pid
	serve svc --tcp 127.0.0.1:8088
	pid=$(tail -n 1 "$BED/pids")
	attach --port 8088 --port 9000
	reaches svc tcp "$GW:8088"
	for command in "ports list" status; do
		# shellcheck disable=SC2086 # words
		exits 0 hb $command
		prints "8088/tcp .*in [1-9].*out [1-9].*python3 \\(pid $pid\\)" \
			'9000/tcp .*in 0 .*out 0 .*nothing listens'
		# shellcheck disable=SC2086
		exits 0 hb $command --json
		json "[.. | objects | select(.gateway_port? == 8088)] | length == 1 and (.[0] |
			.in_packets >= 3 and .out_packets >= 3 and .in_bytes > 0 and .out_bytes > 0 and
			(.services[0] | .listening and .process == \"python3\" and .pid == $pid))"
		json '[.. | objects | select(.gateway_port? == 9000)] | length == 1 and (.[0] |
			.in_packets == 0 and .out_packets == 0 and (.services | any(.listening) | not))'
	done
}
