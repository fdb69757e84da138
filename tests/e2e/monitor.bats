#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf monitor: events as they happen. tests/bpf/test_events.py has which packet is one.
load lib
load engine

# monitor NAME ARGUMENT...: runs until it is killed, its output in $BED/NAME, its PID in $!
monitor() {
	nsenter --net=/run/netns/host "$HBPF" monitor -v "${@:2}" >"$BED/$1" 2>"$BED/$1.err" 3>&- &
	echo $! >>"$BED/pids"
	eventually grep -q 'listening to' "$BED/$1.err"
}

# shows NAME REGEX...: each comes in the monitor's output
shows() {
	local regex
	for regex in "${@:2}"; do
		eventually grep -Eq -- "$regex" "$BED/$1" || fail "no /$regex/ in:" "$(<"$BED/$1")"
	done
}

# ends PID CODE
ends() {
	local code=0
	wait "$1" || code=$?
	[ "$code" = "$2" ] || fail "expected exit $2, got $code"
}

@test "monitor: a readable line for each event, the sender of a forged packet by MAC, port and container" {
	local mac text json
	mac=$(in_ns c1 ip -j link show eth0 | jq -r '.[0].address')
	cat >"$BED/containers.json" <<-EOF
		[{"Id": "1", "Names": ["/web"], "NetworkSettings": {"Networks": {"test-net":
			{"NetworkID": "1b8b", "MacAddress": "$mac", "IPAddress": "$C1", "GlobalIPv6Address": ""}}}}]
	EOF
	tool engine "$DOCKER" docker "$E2E/../unit/engine/docker-networks.json" "$BED/containers.json"
	make_docker0
	serve svc --tcp 127.0.0.1:8080
	attach --port 80:8080 --port 81 --port 53/udp
	monitor text br-test
	text=$!
	monitor json --json
	json=$!

	reaches svc tcp "$GW:80" --source 40000
	misses ECONNREFUSED tcp "$GW:81" --source 40001
	misses ECONNREFUSED udp "$GW:53" --source 40002
	misses ECONNREFUSED tcp "$GW:82" --source 40003
	raw send from-loopback 80 hello
	raw send from-elsewhere 53 hello
	raw arp from-loopback
	shows text \
		"^[0-9:]{8}\.[0-9]{3} br-test flow +$C1:40000 \(web\) -> $GW:80/tcp -> 127\.0\.0\.1:8080\$" \
		"br-test not-listening +$C1:40001 \(web\) -> $GW:81/tcp -> 127\.0\.0\.1:81: nothing listens" \
		"br-test not-listening +$C1:40002 \(web\) -> $GW:53/udp -> 127\.0\.0\.1:53: nothing listens" \
		"br-test not-exported +$C1:40003 \(web\) -> $GW:82/tcp\$" \
		"br-test source +10\.1\.2\.3:[0-9]+ -> $GW:53/udp .*: the source is not allowed\$" \
		"br-test guard +127\.0\.0\.77:[0-9]+ -> $GW:80/udp: loopback source address from the bridge; sent by $mac, port veth-c1, container web\$" \
		"br-test guard +127\.0\.0\.9 -> $GW/arp: ARP about a loopback address; sent by $mac, port veth-c1, container web\$"
	shows json '"IN_GUARD_ARP"'
	kill -TERM "$text"
	kill -INT "$json"
	ends "$text" 0
	ends "$json" 0

	jq -es 'map(select(.event == "flow" and .client_port == 40000)) | length == 1 and (.[0] |
		.bridge == "br-test" and .protocol == "tcp" and .gateway_port == 80 and
		.local_address == "127.0.0.1" and .local_port == 8080 and .container == "web")' \
		"$BED/json" >"$BED/jq" || fail "$(<"$BED/json")"
	jq -es "map(select(.reason == \"IN_GUARD_SRC\")) | length == 1 and (.[0] |
		.source_address == \"127.0.0.77\" and .destination_address == \"$GW\" and
		.source_mac == \"$mac\" and .bridge_port == \"veth-c1\" and .container == \"web\")" \
		"$BED/json" >"$BED/jq" || fail "$(<"$BED/json")"
	cp "$BED/json" "$BED/out"
	keep_json monitor
}

@test "monitor: --event, --port, --client and INTERFACE select, --count ends it" {
	local pid
	make_bridge br-two 31
	make_client c2 2 br-two 31
	serve svc --tcp 127.0.0.1:8080 --tcp 127.0.0.1:9000
	attach --port 80:8080 --port 9000
	hb attach br-two --hook "$HOOK" --port 80:8080
	monitor port --port 80:8080 --count 2
	pid=$!
	monitor kind br-test -e flow,guard -e not-exported
	monitor client --client 172.31.0.0/16
	monitor bridge br-two

	reaches svc tcp "$GW:9000" --source 40000
	misses ECONNREFUSED tcp "$GW:81" --source 40001
	raw send from-elsewhere 80 hello # its source port is 4444
	reaches svc tcp "$GW:80" --source 40002
	NS=c2 reaches svc tcp 172.31.0.1:80 --source 40003
	ends "$pid" 0
	shows client :40003
	shows bridge :40003
	shows kind :40002
	of() { # the client ports of a monitor's lines
		sed -E 's/^[^ ]+ +[^ ]+ +([a-z-]+) +[0-9.]+:([0-9]+) .*/\1:\2/' "$BED/$1"
	}
	same "$(of port)" $'flow:40002\nflow:40003'
	same "$(of client)" flow:40003
	same "$(of bridge)" flow:40003
	same "$(of kind)" $'flow:40000\nnot-exported:40001\nnot-exported:4444\nflow:40002'

	for bad in "--event nonsense" "--event flow," "--count 0" "--port 80x" "--client x"; do
		# shellcheck disable=SC2086 # several words
		exits 2 hb monitor $bad
		reports "${bad##* }"
	done
	exits 1 hb monitor br-none
	says 'br-none'
}

@test "monitor: killed, the programs soon report nothing more, and others take its place" {
	local pid
	attach --port 8088
	listeners() { # the places that the programs report to
		on_host "${PY[@]}" "$E2E/tools/bpf.py" dump "$(shared_dir)/monitors" | cut -d ' ' -f 2 |
			fold -w 48 | cut -c 33-40 | grep -vc '^00000000$'
	}
	monitor killed
	pid=$!
	[ "$(listeners)" = 1 ]
	kill -KILL "$pid"
	nobody() { # the event after the lease ends it
		misses ECONNREFUSED tcp "$GW:9999"
		[ "$(listeners)" = 0 ]
	}
	eventually nobody

	for name in 1 2 3 4; do
		monitor "$name"
	done
	exits 1 hb monitor
	says '4 monitors run already, with the process IDs [0-9]+, [0-9]+, [0-9]+, [0-9]+' "$!"
	kill -TERM "$!"
	ends "$!" 0
	monitor 5
	misses ECONNREFUSED tcp "$GW:9999" --source 40000
	for name in 1 2 3 5; do
		shows "$name" not-exported.*:40000
	done
}

@test "monitor: of 2,000 packets in a burst the limit lets some through, and the rest is counted" {
	attach --port 8088
	monitor flood --event not-exported
	raw flood udp "$GW" 2000 7001 # to a closed port
	raw send valid 7002 hello
	counted IN_NOT_EXPORTED 2001
	shown() { # lines, and what they leave out
		awk '$NF == "more" { sum += $(NF - 1); next } { sum++ } END { print sum + 0 }' "$BED/flood"
	}
	all() {
		[ "$(shown)" = 2001 ]
	}
	eventually all
	[ "$(grep -c 'more$' "$BED/flood")" -ge 1 ] || fail "$(<"$BED/flood")"
}

@test "monitor: ends when nobody reads its output, and when the last bridge is detached" {
	local pid
	attach --port 8088
	nsenter --net=/run/netns/host "$HBPF" monitor 3>&- > >(true) &
	ends "$!" 0
	monitor detached
	pid=$!
	hb detach br-test
	ends "$pid" 1
	grep -q 'no interface is attached' "$BED/detached.err"
}
