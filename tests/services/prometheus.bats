#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Debian's Prometheus, promtool and node_exporter with the metrics of hbpf; the alerts and the
# dashboard of dist/prometheus.

# shellcheck disable=SC2030,SC2031,SC2154 # variables of lib.bash; each test has a shell of its own
load lib
# shellcheck source=../e2e/watch.bash
. "$BATS_TEST_DIRNAME/../e2e/watch.bash"

DIST=$BATS_TEST_DIRNAME/../../dist/prometheus
ADDRESS=127.0.0.1:9435

# prometheus_up: one that scrapes hbpf every second and evaluates the alerts
prometheus_up() {
	local home
	home=$(home prometheus)
	cp "$DIST/hbpf.rules.yml" "$home"
	cat >"$home/prometheus.yml" <<-EOF
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: ["$home/hbpf.rules.yml"]
		scrape_configs:
		  - job_name: hbpf
		    static_configs: [{targets: ["$ADDRESS"]}]
	EOF
	start prometheus prometheus --config.file="$home/prometheus.yml" \
		--storage.tsdb.path="$home/data" --web.listen-address=127.0.0.1:9090
	up tcp 9090 127.0.0.1
}

# value QUERY: that of its only result, in $out
value() {
	exits 0 on_host curl -sS --noproxy '*' -G --data-urlencode "query=$1" \
		http://127.0.0.1:9090/api/v1/query
	out=$(jq -r '.data.result | if length == 1 then .[0].value[1] else "\(length) results" end' \
		<<<"$out")
}

# becomes VALUE QUERY
becomes() {
	value "$2"
	[ "$out" = "$1" ] || fail "$2 is $out, expected $1"
}

# more VALUE QUERY: the only result is more than that
more() {
	value "$2"
	awk -v got="$out" -v than="$1" 'BEGIN { exit !(got ~ /^[0-9.e+-]+$/ && got + 0 > than) }' ||
		fail "$2 is $out, expected more than $1"
}

@test "promtool finds nothing wrong with the metrics, whatever a bridge is called" {
	local bridge=$'a"b\\\e\xff{}'
	on_host ip link add "$bridge" type bridge
	on_host ip link set "$bridge" up
	on_host ip addr add 172.31.0.1/24 dev "$bridge"
	attach --port 8088 --port 53/udp
	hb attach "$bridge" --port 8088
	hb stats --prometheus >"$BED/metrics"
	exits 0 promtool check metrics <"$BED/metrics"
	[ -z "$out$err" ] || fail "$out$err"
	grep -q '^hbpf_bridge_live{bridge="a\\"b\\\\\\\\x1b\\\\xff{}"} 1$' "$BED/metrics" ||
		fail "$(grep live "$BED/metrics")"
	# control: it does find faults
	sed 's/hbpf_packets_total/hbpf_packets/' "$BED/metrics" >"$BED/misnamed"
	exits 3 promtool check metrics <"$BED/misnamed"
	says 'should have "_total" suffix'
}

@test "Prometheus scrapes watch --metrics: exact counts, a rate, and an alert when the guard drops" {
	local i
	serve svc --udp 127.0.0.1:53
	declare_conf <<-EOF
		[br-test]
		ports = 53/udp
	EOF
	watch --metrics "$ADDRESS"
	prometheus_up
	eventually becomes 1 'up{job="hbpf"}'
	eventually becomes 1 'hbpf_bridge_live{bridge="br-test"}'
	eventually becomes 0 'hbpf_port_packets_total{port="53",protocol="udp",direction="in"}'
	for ((i = 0; i < 3; i++)); do
		reaches svc udp "$GW:53"
	done
	eventually becomes 3 'hbpf_port_packets_total{port="53",protocol="udp",direction="in"}'
	eventually becomes 3 'hbpf_packets_total{reason="OUT_TRANSLATED"}'
	eventually more 0 'rate(hbpf_port_packets_total{port="53",protocol="udp",direction="out"}[1m])'
	becomes '0 results' 'ALERTS{alertname="HbpfGuardDrops"}'
	raw send from-loopback6 53 attack
	eventually becomes 1 'ALERTS{alertname="HbpfGuardDrops",reason="IN_GUARD_SRC",alertstate="firing"}'
	becomes '0 results' 'ALERTS{alertname!="HbpfGuardDrops"}' # control
	end_watch
	eventually becomes 0 'up{job="hbpf"}'
}

@test "node_exporter's textfile collector has what stats --output wrote, and never half of it" {
	local dir i
	dir=$(home textfiles)
	serve svc --udp 127.0.0.1:53
	attach --port 53/udp --port 20000-22000
	reaches svc udp "$GW:53"
	start node_exporter prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$dir" --web.listen-address=127.0.0.1:9100
	up tcp 9100 127.0.0.1
	exits 0 hb stats --prometheus --output "$dir/hbpf.prom"
	for ((i = 0; i < 30; i++)); do
		hb stats --prometheus --output "$dir/hbpf.prom" &
		exits 0 on_host curl -sS --noproxy '*' http://127.0.0.1:9100/metrics
		wait $!
		prints '^node_textfile_scrape_error 0$' \
			'^hbpf_port_packets_total\{.*direction="in",port="53",protocol="udp"\} 1$'
		[ "$(grep -c '^hbpf_port_packets_total{' <<<"$out")" = 4004 ]
	done
	prints '^node_textfile_mtime_seconds\{file=".*hbpf.prom"\}'
	[ "$(ls "$dir")" = hbpf.prom ]
	# control: half a file is an error
	head -c 5000 "$dir/hbpf.prom" >"$dir/half.prom"
	exits 0 on_host curl -sS --noproxy '*' http://127.0.0.1:9100/metrics
	prints '^node_textfile_scrape_error 1$'
}

@test "the alerts are valid, and promtool sees each fire when it has to, and not else" {
	exits 0 promtool check rules "$DIST/hbpf.rules.yml"
	prints '5 rules found'
	exits 0 promtool test rules "$DIST/hbpf.rules.test.yml"
	sed 's/hbpf_bridge_live == 0/hbpf_bridge_live == 2/' "$DIST/hbpf.rules.yml" >"$BED/hbpf.rules.yml"
	cp "$DIST/hbpf.rules.test.yml" "$BED"
	exits 1 promtool test rules "$BED/hbpf.rules.test.yml" # control
}

@test "alerts and dashboard name only metrics, labels and reasons that hbpf has" {
	local name
	attach --port 8088
	hb stats --prometheus >"$BED/metrics"
	# its queries are valid
	jq -r '"groups: [{name: dashboard, rules: [" + ([.. | .expr? // empty |
		gsub("\\$__rate_interval"; "5m") | gsub("\\$(instance|bridge)"; ".*")] | to_entries |
		map("{record: query\(.key), expr: \(.value | tojson)}") | join(", ")) + "]}]"' \
		"$DIST/hbpf.dashboard.json" >"$BED/dashboard.yml"
	exits 0 promtool check rules "$BED/dashboard.yml"
	prints "$(grep -o record: "$BED/dashboard.yml" | wc -l) rules found"
	grep -ohE 'hbpf_[a-z_]+' "$DIST"/hbpf.{rules.yml,dashboard.json} "$BATS_TEST_DIRNAME/../../docs/METRICS.md" |
		sort -u >"$BED/names"
	[ "$(wc -l <"$BED/names")" -ge 5 ]
	while read -r name; do
		grep -q "^$name{" "$BED/metrics" || fail "$name is no metric"
	done <"$BED/names"
	for name in IN_GUARD_SRC IN_FAILED OUT_FAILED OUT_AMBIGUOUS OUT_GUARD IN_SOURCE IN_NOT_EXPORTED \
		IN_NO_FLOW IN_HOST_SOCKET IN_FRAGMENT_PASS IN_VLAN IN_MALFORMED; do
		grep -q "reason=\"$name\"" "$BED/metrics" || fail "$name is no reason"
	done
}
