#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf watch --metrics: HTTP in the watcher's event loop. tests/services has a real Prometheus.

# shellcheck disable=SC2030,SC2031,SC2154 # variables of lib.bash; each test has a shell of its own
load lib
load watch

SOCKET=/run/bed/metrics.sock
ADDRESS=127.0.0.1:9435

# get [curl's options] PATH: over TCP; the body is in $out
get() {
	exits 0 on_host curl -sS --noproxy '*' --max-time 20 "${@:1:$#-1}" "http://$ADDRESS${*: -1}"
}

# say TEXT: sends it to the TCP port, leaves the answer in $out
say() {
	# shellcheck disable=SC2059 # escapes in the text
	out=$(printf "$1" | on_host timeout 20 ncat --no-shutdown 127.0.0.1 9435)
}

@test "watch --metrics: over TCP and over a Unix socket the metrics that stats prints" {
	declare_br_test
	serve svc --tcp 127.0.0.1:8088
	watch --metrics "$ADDRESS"
	eventually status_is .live
	reaches svc tcp "$GW:8088"
	get /metrics
	prints '^hbpf_bridge_live\{bridge="br-test"\} 1$'
	same "$(grep hbpf_port_ <<<"$out")" "$(hb stats --prometheus | grep hbpf_port_)"
	get --dump-header - '/metrics?x=1'
	prints '^HTTP/1.0 200 OK' '^Content-Type: text/plain; version=0.0.4' '^hbpf_build_info'
	get --head /metrics
	prints '^HTTP/1.0 200 OK' '^Content-Length: [1-9]'
	lacks hbpf_build_info
	end_watch

	watch --metrics "unix:$SOCKET"
	eventually status_is .live
	exits 0 on_host curl -sS --unix-socket "$SOCKET" http://hbpf/metrics
	prints '^hbpf_bridge_live\{bridge="br-test"\} 1$'
	end_watch
	[ ! -e "$SOCKET" ]
}

@test "watch --metrics: only loopback, and an address that is taken is named" {
	local bad
	declare_br_test
	for bad in 0.0.0.0:9435 "$GW:9435" '[::]:9435' ::1:9435 localhost:9435 127.0.0.1 127.0.0.1:0 \
		127.0.0.1:65536 127.0.0.1:x 127.0.0.1:80x unix: unix:relative 9435 ''; do
		exits 2 hb watch -c "$BED/hbpf.conf" --metrics "$bad"
		says "metrics cannot be served on '${bad//[/\\[}'" 'unix:PATH'
	done
	serve other --tcp "$ADDRESS"
	exits 1 hb watch -c "$BED/hbpf.conf" --metrics "$ADDRESS"
	says "cannot serve metrics on $ADDRESS: Address already in use"
	# a file that is no socket stays
	echo mine >"$SOCKET"
	exits 1 hb watch -c "$BED/hbpf.conf" --metrics "unix:$SOCKET"
	says "cannot serve metrics on unix:$SOCKET: Address already in use"
	[ "$(<"$SOCKET")" = mine ]
	not_attached br-test
	rm "$SOCKET"
	watch --metrics "unix:$SOCKET" # control
	end_watch
}

@test "watch --metrics: the socket of a killed watcher is replaced, that of a living process is not" {
	declare_br_test
	watch --metrics "unix:$SOCKET"
	kill -KILL "$WATCH"
	wait "$WATCH" || true
	[ -S "$SOCKET" ]
	watch --metrics "unix:$SOCKET"
	exits 0 on_host curl -sS --unix-socket "$SOCKET" http://hbpf/metrics
	end_watch

	on_host ncat -l -k -U "$SOCKET" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -S "$SOCKET"
	exits 1 hb watch -c "$BED/hbpf.conf" --metrics "unix:$SOCKET"
	says 'Address already in use'
	[ -S "$SOCKET" ]
}

@test "watch --metrics: other requests are refused, and do no harm" {
	declare_br_test
	watch --metrics "$ADDRESS"
	say 'GET / HTTP/1.1\r\n\r\n'
	prints '^HTTP/1.0 404'
	say 'GET /metricsx HTTP/1.1\r\n\r\n'
	prints '^HTTP/1.0 404'
	say 'POST /metrics HTTP/1.1\r\n\r\n'
	prints '^HTTP/1.0 405'
	say '\1\2\3\n\n'
	prints '^HTTP/1.0 400'
	# exactly what there is room for: with more, the kernel may drop the answer (RST)
	say "GET /metrics HTTP/1.1\r\nX: $(head -c 4069 /dev/zero | tr '\0' x)"
	prints '^HTTP/1.0 431'
	head -c 300000 /dev/urandom | on_host timeout 20 ncat 127.0.0.1 9435 >"$BED/noise" || true
	get /metrics
	prints hbpf_build_info
	end_watch
}

@test "watch --metrics: silent clients keep neither others nor the reconciliation waiting for long" {
	local i
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch --metrics "$ADDRESS"
	eventually reaches svc tcp "$GW:8088"
	for ((i = 0; i < 12; i++)); do
		on_host ncat --no-shutdown 127.0.0.1 9435 </dev/zero >"$BED/silent" 3>&- &
		echo $! >>"$BED/pids"
	done
	for ((i = 0; i < 12; i++)); do
		on_host sleep 60 3>&- | on_host ncat 127.0.0.1 9435 3>&- &
		echo $! >>"$BED/pids"
	done
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	eventually setting br-test.route_localnet 2
	eventually get /metrics
	prints hbpf_build_info
	kill -0 "$WATCH"
}
