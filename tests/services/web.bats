#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Web servers: many short requests, big answers, and long connections.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

@test "nginx: wrk gets every answer, over connections that are kept and that are not" {
	local asked=0 served
	nginx 'location = / { return 200 "from the host\n"; }' "root $BED/home/nginx;"
	head -c 1000000 /dev/urandom >"$BED/home/nginx/big"
	opens 8088/tcp
	# the side that closes first keeps the port in TIME_WAIT
	in_ns c1 sysctl -qw net.ipv4.ip_local_port_range="1024 65535"

	# control: wrk reports bad answers
	exits 0 client wrk --connections 1 --threads 1 --duration 1s "http://$GW:8088/none"
	prints 'Non-2xx'
	: >"$BED/home/nginx/access"

	for gateway in "$GW" "[$GW6]"; do
		load_with_wrk "http://$gateway:8088/"
		load_with_wrk "http://$gateway:8088/" --header "Connection: close"
		load_with_wrk "http://$gateway:8088/big"
		exits 0 client curl -sS --noproxy '*' "http://$gateway:8088/big" --output "$BED/big"
		cmp "$BED/big" "$BED/home/nginx/big"
	done

	# requests that wrk aborts at its end may or may not have been served
	served=$(grep -cE "^($C1|$C1_6) 200 " "$BED/home/nginx/access")
	[ "$served" -ge "$asked" ] || fail "wrk counts $asked answers, nginx $served"
	[ "$(wc -l <"$BED/home/nginx/access")" -eq "$served" ] ||
		fail "served also: $(grep -vE "^($C1|$C1_6) 200 " "$BED/home/nginx/access" | sort | uniq -c)"
	carried 8088/tcp "$asked"
	closes 8088/tcp
}

@test "WebSocket: streams both ways at once arrive whole and in order, and end by a clean close" {
	local gateway
	start websocket /usr/bin/python3 "$BATS_TEST_DIRNAME/tools/websocket.py" serve 8765
	up tcp 8765
	opens 8765/tcp
	for gateway in "$GW" "[$GW6]"; do
		exits 0 client /usr/bin/python3 "$BATS_TEST_DIRNAME/tools/websocket.py" \
			load "ws://$gateway:8765/" --connections 40 --seconds 3
		prints '^40 connections, [1-9][0-9]* messages out, [1-9][0-9]* in, '
		figures "WebSocket $gateway: $out"
	done
	[ "$(grep -c '^closed 1000$' "$BED/websocket.log")" = 80 ]
	[ "$(wc -l <"$BED/websocket.log")" = 80 ] || fail "$(grep -v '^closed 1000$' "$BED/websocket.log")"
	closes 8765/tcp
}
