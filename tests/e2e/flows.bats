#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf flows: what is connected, through which gateway, and to which process.
# shellcheck disable=SC2030,SC2031,SC2154 # variables of lib.bash; each test has a shell of its own
load lib
load engine

# hold PROTO ADDR:PORT [dial's options]: a connection that stays until the test ends
hold() {
	rm -f "$BED/held"
	in_ns c1 "${PY[@]}" "$E2E/tools/dial.py" "$@" --hold >"$BED/held" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -s "$BED/held"
}

# flows FILTER [ARGUMENT]...: jq's filter is true for the list of flows
flows() {
	exits 0 hb flows --json "${@:2}"
	json ".flows | $1"
}

@test "flows: client, dialled, loopback end, process, state and exact bytes of TCP, both families" {
	serve svc --tcp 127.0.0.1:8080 --tcp "[::1]:8080"
	attach --port 80:8080
	exits 0 hb flows
	prints '^no flows$'
	hold tcp "$GW:80" --source 40000 --say hello
	hold tcp "[$GW6]:80" --source 40001
	exits 0 hb flows
	prints '^INTERFACE .*CLIENT .*DIALLED .*SERVICE .*PROCESS' \
		"^br-test +$C1:40000 +$GW:80/tcp +127.0.0.1:8080 +python3 \(pid [0-9]+\) +established "
	flows "map(select(.client_port == 40000)) | length == 1 and (.[0] |
		.bridge == \"br-test\" and .protocol == \"tcp\" and .client_address == \"$C1\" and
		.gateway_address == \"$GW\" and .gateway_port == 80 and .local_address == \"127.0.0.1\" and
		.local_port == 8080 and .process == \"python3\" and .state == \"established\" and
		.pid == $(head -n 1 "$BED/pids") and
		.in_bytes == 6 and .out_bytes == $(head -n 1 "$BED/svc.log" | wc -c) and .in_packets >= 3)"
	flows "map(select(.client_port == 40001)) | length == 1 and (.[0] |
		.client_address == \"$C1_6\" and .gateway_address == \"$GW6\" and .local_address == \"::1\")"
}

@test "flows: through several gateways and gateway ports of one service, each what it dialled" {
	make_docker0
	serve svc --tcp 127.0.0.1:8080
	attach --port 80:8080 --port 81:8080
	hold tcp "$GW:80" --source 40000
	hold tcp "$GW:81" --source 40001
	hold tcp "$DOCKER0:80" --source 40002
	flows "map([.client_port, .gateway_address, .gateway_port]) ==
		[[40000, \"$GW\", 80], [40001, \"$GW\", 81], [40002, \"$DOCKER0\", 80]]"
}

@test "flows: UDP from the tables, with the process that is bound to the port" {
	serve svc --udp 127.0.0.1:53 --udp "[::1]:53"
	attach --port 5353:53/udp
	reaches svc udp "$GW:5353" --source 40000
	reaches svc udp "[$GW6]:5353" --source 40001
	flows "map(del(.process, .pid)) == [
		{bridge: \"br-test\", protocol: \"udp\", client_address: \"$C1\", client_port: 40000,
		 gateway_address: \"$GW\", gateway_port: 5353, local_address: \"127.0.0.1\", local_port: 53},
		{bridge: \"br-test\", protocol: \"udp\", client_address: \"$C1_6\", client_port: 40001,
		 gateway_address: \"$GW6\", gateway_port: 5353, local_address: \"::1\", local_port: 53}]"
	json '[.flows[].process] == ["python3", "python3"]'
}

@test "flows: half-open connections, by their record, and by elimination where it was evicted" {
	serve svc --tcp 127.0.0.1:8080
	attach --port 80:8080
	# the client does not get the SYN-ACK, so that the handshake stays half done, for longer than the usual
	# minute: emulated machines are slow
	on_host sysctl -qw net.ipv4.tcp_synack_retries=20
	in_ns c1 iptables -A INPUT -p tcp --sport 80 -j DROP
	# not in_ns: $! would be a shell
	nsenter --net=/run/netns/c1 "${PY[@]}" "$E2E/tools/dial.py" tcp "$GW:80" --source 40000 \
		--timeout 600 >"$BED/held" 3>&- &
	client=$!
	echo "$client" >>"$BED/pids"
	half_open() {
		flows "map([.client_port, .gateway_address, .gateway_port, .state, .process]) ==
			[[40000, \"$GW\", 80, \"syn-recv\", \"python3\"]]"
	}
	eventually half_open
	# no SYN that would be recorded again; the client stays up, as a SYN-ACK that cannot be sent ends it all
	kill -KILL "$client"
	for map in flows recent_tcp; do
		"${PY[@]}" "$E2E/tools/bpf.py" clear "$(shared_dir)/$map"
	done
	half_open
	# two gateway ports are possible: which one it dialled is not known, so it is not shown
	hb ports add 81:8080
	flows 'length == 0'
}

@test "flows: the host's own connections to the service are none of them" {
	serve svc --tcp 127.0.0.1:8080
	attach --port 80:8080
	hold tcp "$GW:80" --source 40000
	NS=host dial tcp 127.0.0.1:8080 --hold >"$BED/own" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -s "$BED/own"
	flows '[.[].client_port] == [40000]'
}

@test "flows: --port, --client and INTERFACE choose, --sort orders" {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	serve svc --tcp 127.0.0.1:8080 --tcp 127.0.0.1:9000 --tcp "[::1]:8080" --udp 127.0.0.1:53
	attach --port 80:8080 --port 9000 --port 53/udp
	hb attach br-two --hook "$HOOK" --port 80:8080
	hold tcp "$GW:80" --source 40000 --say "more bytes than the others"
	hold tcp "$GW:9000" --source 40001
	reaches svc udp "$GW:53" --source 40002
	hold tcp "[$GW6]:80" --source 40003
	NS=c2 dial tcp 172.31.0.1:80 --source 40004 --hold >"$BED/second" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -s "$BED/second"

	sources() {
		local want=$1
		flows "[.[].client_port] == [$want]" "${@:2}"
	}
	sources 40000,40001,40002,40004,40003
	sources 40004 br-two
	sources 40000,40004,40003 --port 80
	sources 40000,40001,40004,40003 --port 80 --port 9000
	sources 40001 -p 8999-9001/tcp
	sources 40000,40004,40003 -p 80:8080
	sources '' -p 80:8081
	sources '' -p 53/tcp
	sources 40002 -p 53/udp
	sources 40003 --client "$C1_6"
	sources 40000,40001,40002 -c 172.30.0.0/16
	sources 40004 -c 172.31.0.2 -p 80
	sources 40002,40000,40004,40003,40001 --sort port
	exits 0 hb flows --sort bytes --json
	json '.flows[0].client_port == 40000'
	exits 0 hb flows br-test --sort bytes
	only "^br-test"
	[[ ${out%%$'\n'*} == *":40000 "* ]]

	for bad in "--client nonsense" "--port 80x" "--sort size" "br-test b"; do
		# shellcheck disable=SC2086 # several words
		exits 2 hb flows $bad
		reports "${bad##* }"
	done
	exits 1 hb flows br-none
	says 'br-none'
}

@test "flows: containers and networks are named where an engine reports them" {
	cat >"$BED/containers.json" <<-EOF
		[{"Id": "1", "Names": ["/web\u001b[7m"], "NetworkSettings": {"Networks": {
			"test-net": {"NetworkID": "1b8b", "IPAddress": "$C1", "GlobalIPv6Address": "$C1_6"}}}},
		 {"Id": "2", "Names": ["/elsewhere"], "NetworkSettings": {"Networks": {
			"another": {"NetworkID": "2", "IPAddress": "$C1", "GlobalIPv6Address": ""}}}},
		 {"Id": "3", "Names": ["/none"], "NetworkSettings": {"Networks": {"host": {"IPAddress": ""}}}}]
	EOF
	serve svc --tcp 127.0.0.1:8080 --tcp "[::1]:8080"
	attach --port 80:8080
	hold tcp "$GW:80" --source 40000
	hold tcp "[$GW6]:80" --source 40001
	flows 'all(.[]; (has("container") or has("network")) | not)' # no engine
	exits 0 hb flows
	lacks CONTAINER NETWORK

	tool engine "$DOCKER" docker "$E2E/../unit/engine/docker-networks.json" "$BED/containers.json"
	flows 'length == 2 and all(.[]; .container == "web?[7m" and .network == "test-net")'
	exits 0 hb flows
	prints 'INTERFACE +NETWORK +CLIENT +CONTAINER' "^br-test +test-net +$C1:40000 +web\?\[7m +"
}

@test "flows: a bridge that cannot be read is named, and the flows of the others are shown" {
	serve svc --tcp 127.0.0.1:8080
	attach --port 80:8080
	make_bridge br-other 31
	hb attach br-other --hook "$HOOK" --port 80:8080
	hold tcp "$GW:80" --source 40000
	rm "$(pin_dir br-other)/bridge_config"
	exits 1 hb flows
	prints "^br-test +$C1:40000 "
	says 'br-other.*bridge_config'
	exits 1 hb flows --json
	json '(.flows | map(.bridge)) == ["br-test"] and (.unreadable | map(.bridge)) == ["br-other"] and
		(.unreadable[0].problem | test("bridge_config"))'
	exits 0 hb flows br-test
	unsaid 'br-other'
}
