#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf stats: counters once, as rates, and for Prometheus.
load lib

# packets_of REASON: what it counted, by the last --json
packets_of() {
	jq ".bridges[0].counters[] | select(.reason == \"$1\").packets" <<<"$out"
}

@test "stats has the packets of each port and reason, as ports and status have them" {
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:53
	attach --port 8088 --port 53/udp --port 9000
	exits 0 hb stats
	lacks 8088
	reaches svc tcp "$GW:8088"
	reaches svc udp "$GW:53"
	exits 0 hb stats
	prints '^ +8088/tcp +[1-9]' '^ +53/udp +1 ' '^ +IN_TRANSLATED +LOCAL +[1-9].*to loopback'
	lacks '9000/tcp' 'IN_GUARD_SRC' # what counted nothing is only in JSON

	exits 0 hb stats br-test --json
	json '.bridges[0] | .bridge == "br-test" and .live and (.ports | length) == 3 and
		(.ports[] | select(.gateway_port == 9000).in_packets) == 0'
	# the others go on: ARP, multicast
	translated='.bridges[0].counters | map(select(.reason | endswith("_TRANSLATED")))'
	jq -S "$translated" <<<"$out" >"$BED/stats.json"
	jq -S '[.bridges[0].ports[] | {gateway_port, protocol, in_packets, in_bytes, out_packets,
		out_bytes}]' <<<"$out" >"$BED/stats-ports.json"
	[ "$(packets_of IN_TRANSLATED)" -ge 7 ]
	exits 0 hb status --json
	same "$(<"$BED/stats.json")" "$(jq -S "$translated" <<<"$out")"
	same "$(<"$BED/stats-ports.json")" "$(jq -S '[.bridges[0].ports[] | {gateway_port, protocol,
		in_packets, in_bytes, out_packets, out_bytes}]' <<<"$out")"
}

@test "stats without a bridge, of one that is not attached, and of a deleted one" {
	exits 0 hb stats
	prints 'no interface is attached'
	exits 0 hb stats --json
	json '.bridges == []'
	exits 0 hb stats --prometheus
	prints '^hbpf_build_info\{'
	lacks '^hbpf_bridge_live\{'
	exits 1 hb stats br-test
	says 'br-test is not attached' 'hbpf attach br-test'

	attach --port 8088
	exits 0 hb stats --prometheus
	prints '^hbpf_bridge_live\{bridge="br-test"\} 1$'
	on_host ip link del br-test
	exits 0 hb stats
	prints '^br-test: the interface was deleted'
	exits 0 hb stats --prometheus
	prints '^hbpf_bridge_live\{bridge="br-test"\} 0$'
}

@test "a bridge whose state cannot be read is named, and exits 1; the others are shown" {
	make_bridge br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000
	exits 0 hb stats --json
	json '.bridges | length == 2'
	mv "$(pin_dir br-two)/bridge_config" "$BED/bpf/kept"
	exits 1 hb stats
	prints '^br-test' '^br-two: .'
	exits 1 hb stats --json
	json '[.bridges[] | has("problem")] == [false, true]'
	exits 1 hb stats --prometheus
	prints '^hbpf_bridge_live\{bridge="br-test"\} 1$' '^hbpf_bridge_live\{bridge="br-two"\} 0$'
}

@test "stats: options that exclude each other, or are out of range, exit 2" {
	local bad
	attach --port 8088
	for bad in "--watch=x" "--watch 0" "-w1e9" "--watch=nan" "--watch --prometheus" \
		"--prometheus --json" "--output $BED/hbpf.prom" "-o a -o b --prometheus" "br-test b"; do
		# shellcheck disable=SC2086 # several words
		exits 2 hb stats $bad
		reports "--watch takes a number of seconds.* '${bad##*[w= ]}'|exclude|needs|only one|no further"
	done
	[ ! -e "$BED/hbpf.prom" ]
	exits 0 hb stats --prometheus --output "$BED/hbpf.prom" # control
	[ -z "$out$err" ]
	grep -q '^hbpf_packets_total{bridge="br-test",reason="IN_ARP"' "$BED/hbpf.prom"
	exits 1 hb stats --prometheus --output "$BED/none/hbpf.prom"
	says 'create its directory first'
	says "cannot write $BED/none/hbpf.prom: No such file"
	exits 1 hb stats --prometheus --output /dev/null
	says '/dev/null' 'not a regular file'
	[ -c /dev/null ]
}

# reports_follow FILE COUNT REGEX: so many lines match
reports_follow() {
	[ "$(grep -Ec -- "$3" "$1")" -ge "$2" ]
}

# watching ARGUMENT...: hbpf stats with a pipe for its output, copied to $BED/watched; its PID in $!
watching() {
	local fifo=$BED/fifo
	mkfifo "$fifo"
	cat "$fifo" >"$BED/watched" 3>&- &
	nsenter --net=/run/netns/host "$HBPF" stats "$@" >"$fifo" 3>&- &
	echo $! >>"$BED/pids"
}

# interrupted PID: ends by Ctrl-C, successfully
interrupted() {
	kill -INT "$1"
	wait "$1"
}

@test "stats --watch in a pipe: reports with rates one below the other, until SIGINT: exit 0" {
	local pid
	serve svc --udp 127.0.0.1:53
	attach --port 53/udp
	watching --watch 0.3 br-test
	pid=$!
	eventually reports_follow "$BED/watched" 1 'since attach'
	reaches svc udp "$GW:53"
	eventually reports_follow "$BED/watched" 1 '^  53/udp  +[1-9]'
	eventually reports_follow "$BED/watched" 3 ' over 0\.[3-9] seconds'
	interrupted "$pid"
	! grep -q $'\e' "$BED/watched" || fail "$(cat -v "$BED/watched")"
	grep -q 'PACKETS/s IN' "$BED/watched"
	# one at a time: an empty line before each but the first
	[ "$(grep -c '^$' "$BED/watched")" = "$(($(grep -c '^br-test' "$BED/watched") - 1))" ]
}

@test "stats --watch --json: a document in each line, with exact counters and rates" {
	local pid
	serve svc --udp 127.0.0.1:53
	attach --port 53/udp
	watching --json -w0.2
	pid=$!
	eventually reports_follow "$BED/watched" 1 '^[{]'
	reaches svc udp "$GW:53"
	eventually reports_follow "$BED/watched" 4 '^[{]'
	interrupted "$pid"
	jq -es '(.[0] | has("seconds") | not) and all(.[1:][]; .seconds >= 0.2) and
		([.[].time] | . == sort) and .[-1].bridges[0].ports[0].in_packets == 1 and
		([.[1:][].bridges[0].ports[0].per_second.in_packets] | max > 0) and
		([.[1:][] | .seconds * .bridges[0].ports[0].per_second.in_packets] | add | . > 0.9 and . < 1.1)' \
		"$BED/watched" >"$BED/jq" || fail "$(<"$BED/watched")"
}

@test "stats --watch on a terminal: fits its size, also after a resize, and Ctrl-C restores it" {
	local esc=$'\e'
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	reaches svc tcp "$GW:8088"
	exits 0 on_host "${PY[@]}" "$E2E/tools/terminal.py" 30x120,6x120 "$HBPF" stats --watch 60
	out=${out//$'\r'/}
	# alternate screen without a cursor; at the end everything back
	[[ $out == "${esc}[?1049h"* ]]
	[[ $out == *"${esc}[?7h${esc}[?25h${esc}[?1049l" ]]
	prints 'OUT_TRANSLATED'
	# the second screen has six rows: four lines, and how many are left out
	out=${out##*"${esc}[H"}
	lacks OUT_TRANSLATED
	prints '^[0-9]+ more lines do not fit'
	[ "$(grep -c "$esc\[K\$" <<<"$out")" = 4 ]
}
