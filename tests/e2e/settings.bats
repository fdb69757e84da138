#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The host's settings: what attach changes, and that detach restores them (docs/DESIGN.md, "Host
# settings").
load lib

@test "attach sets exactly three settings" {
	before=$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.conf\.' | sort)
	attach --port 8088
	after=$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.conf\.' | sort)
	changed=$(diff <(echo "$before") <(echo "$after") | sed -n 's/^> //p')
	same "net.ipv4.conf.br-test.route_localnet = 2
net.ipv4.conf.lo.route_localnet = 1
net.ipv4.conf.lo.rp_filter = 2" "$changed"
}

@test "detach restores everything: settings, pins, qdiscs, filters" {
	remember
	attach --port 8088 --port 53:127.0.0.53:53/udp --gateway 10.9.9.9 --from onlink
	hb ports add 9000-9100
	hb detach
	unchanged
}

@test "detach restores everything with clsact, too" {
	remember
	hb attach br-test --hook clsact --port 8088
	hb detach
	unchanged
}

@test "detach restores unusual old values, also after three attaches" {
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1 net.ipv4.conf.lo.route_localnet=1 \
		net.ipv4.conf.br-test.route_localnet=1
	remember
	attach --port 8088
	setting lo.rp_filter 2
	attach
	attach --port 9000
	hb detach
	unchanged
}

@test "detach leaves a setting alone that another program changed meanwhile" {
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=0 net.ipv4.conf.br-test.route_localnet=0
	hb detach
	setting lo.rp_filter 0
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
}

@test "attach again repairs a setting that another program changed" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.lo.route_localnet=0 net.ipv4.conf.br-test.route_localnet=0
	misses TIMEOUT tcp "$GW:8088"
	attach
	reaches svc tcp "$GW:8088"
}

@test "status shows a setting that another program changed" {
	attach --port 8088
	exits 0 hb status
	prints 'br-test\.route_localnet' 'lo\.route_localnet' 'lo\.rp_filter'
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=0
	exits 0 hb status
	prints 'lo\.rp_filter.*0.*changed since'
}

# setting_breaks SETTING=VALUE...: there are no answers, the first line of status shows why and the
# repair, and that works
setting_breaks() {
	on_host sysctl -qw "${@/#/net.ipv4.conf.}"
	misses TIMEOUT tcp "$GW:8088"
	exits 1 hb status
	out=$(head -1 <<<"$out")
	prints "^br-test: broken: net\.ipv4\.conf\.${1%=*} is ${1#*=}\b.*\`hbpf attach br-test\`"
	exits 1 hb status --json
	json ".bridges[0].problems[0] | .name == \"setting\" and .command == \"hbpf attach br-test\""
	hb attach br-test
	setting_works
}

# setting_works [SETTING=VALUE...]: the setting does no harm
setting_works() {
	[ $# = 0 ] || on_host sysctl -qw "${@/#/net.ipv4.conf.}"
	reaches svc tcp "$GW:8088"
	exits 0 hb status
	out=$(head -1 <<<"$out")
	prints '^br-test: ok'
}

@test "a reverted setting that breaks all of IPv4: status fails, and starts with it and the repair" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	setting_works
	setting_breaks lo.rp_filter=1
	setting_breaks lo.rp_filter=0 all.rp_filter=1
	setting_breaks lo.route_localnet=0
	setting_breaks br-test.route_localnet=0
}

@test "a setting changed to another value that works is not a fault" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	setting_works lo.rp_filter=0
	setting_works lo.rp_filter=1 all.rp_filter=2
	setting_works lo.route_localnet=0 br-test.route_localnet=0 all.route_localnet=1
}

@test "lo's settings stay until the last bridge is detached" {
	remember
	make_bridge br-two 31
	remember two
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 8088
	hb detach br-test
	setting lo.route_localnet 1
	setting lo.rp_filter 2
	setting br-test.route_localnet 0
	setting br-two.route_localnet 2
	hb detach br-two
	unchanged two
	on_host ip link del br-two
	unchanged
}

@test "detach --all detaches two bridges" {
	make_bridge br-two 31
	remember
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 8088
	hb detach --all
	unchanged
}

@test "a deleted bridge does not count as attached when lo's settings are restored" {
	remember
	make_bridge br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 8088
	on_host ip link del br-two
	hb detach br-test
	setting lo.route_localnet 0
	setting lo.rp_filter 0
	hb detach --all
	unchanged
}

@test "a second bridge attached later does not record hbpf's own values as the old ones" {
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	make_bridge br-two 31
	remember
	attach --port 8088
	hb attach br-two --hook "$HOOK"
	hb detach br-two
	hb detach br-test
	unchanged
}

@test "attach warns of strict connection tracking that sees bridged packets" {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0
	on_host iptables -A INPUT -m conntrack --ctstate INVALID -j ACCEPT
	on_host test -e /proc/sys/net/netfilter/nf_conntrack_tcp_loose || skip "no nf_conntrack"
	on_host sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	exits 0 attach
	[ -z "$err" ] || fail "a warning for nothing: $err"
	on_host ip link set br-test type bridge nf_call_iptables 1
	exits 0 attach
	says 'nf_conntrack_tcp_loose is 0' 'br_netfilter' 'SERVICES'
	on_host sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
	exits 0 attach
	[ -z "$err" ] || fail "a warning for nothing: $err"
}

@test "conf.all is never touched" {
	on_host sysctl -qw net.ipv4.conf.all.rp_filter=1
	all=$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.conf\.\(all\|default\)\.')
	attach --port 8088
	same "$all" "$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv[46]\.conf\.\(all\|default\)\.')"
}

@test "a bridge with a dot in its name" {
	remember
	make_bridge br.test 31
	make_client c2 2 br.test 31
	serve svc --tcp 127.0.0.1:8088
	hb attach br.test --hook "$HOOK" --port 8088
	NS=c2 reaches svc tcp 172.31.0.1:8088
	exits 0 hb status
	prints 'br\.test'
	hb detach br.test
	on_host ip link del br.test
	drop_client c2
	unchanged
}

# As netavark, Docker without userland-proxy and kube-proxy: they write 1, whatever the old value is.
@test "route_localnet set by another program later: detach leaves it, refreshed or not" {
	attach --port 8088
	setting br-test.route_localnet 2
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	hb detach
	setting br-test.route_localnet 1

	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	attach
	exits 0 hb status
	prints 'br-test\.route_localnet +1 +was 1'
	setting br-test.route_localnet 1
	hb detach
	setting br-test.route_localnet 1
}

@test "route_localnet set by another program and reset later: hbpf's own again, and 0 after detach" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	attach
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	attach
	setting br-test.route_localnet 2
	reaches svc tcp "$GW:8088"
	hb detach
	setting br-test.route_localnet 0
}
