#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf doctor names the rule of iptables that drops a request or an answer, and the command that it
# prints lets them through.
# shellcheck disable=SC2154 # diagnosed sets text
load lib
load doctor

setup() {
	served_bed
	attach --port 8088 --nat-bypass off
}

# eats GATEWAY NAME REGEX...: the port cannot be reached there until the command is run
eats() {
	misses TIMEOUT tcp "$1:8088"
	diagnosed "$2"
	has "$text" "${@:3}"
	cured
	reaches svc tcp "$1:8088"
	healthy
}

@test "iptables: rules and policies of INPUT that drop what arrives on lo" {
	on_host iptables -A INPUT -i lo ! -s 127.0.0.0/8 -j DROP
	eats "$GW" filter-input '! -s 127\.0\.0\.0/8 -i lo -j DROP.* of chain INPUT'
	on_host iptables -F
	on_host iptables -N KUBE-FIREWALL
	on_host iptables -A INPUT -j KUBE-FIREWALL
	on_host iptables -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \
		"block incoming localnet connections" -m conntrack \
		! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
	eats "$GW" filter-input 'of chain KUBE-FIREWALL'
	on_host iptables -F
	on_host iptables -A INPUT -i lo -s 127.0.0.0/8 -j ACCEPT
	on_host iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
	on_host iptables -P INPUT DROP
	eats "$GW" filter-input 'policy of chain INPUT'
	on_host iptables -P INPUT ACCEPT
	on_host iptables -F
	on_host ip6tables -A INPUT -p tcp -m multiport --dports 22,8000:9000 -m conntrack \
		--ctstate NEW ! -i br-test -j REJECT --reject-with icmp6-adm-prohibited
	diagnosed filter-input
	cured
	reaches svc tcp "[$GW6]:8088"
	healthy
}

@test "iptables: rules that drop answers, also since lo is not tracked" {
	on_host iptables -A OUTPUT -o br-test -p tcp --sport 8088 -j DROP
	eats "$GW" filter-output 'sport 8088 -j DROP'
	on_host iptables -F
	on_host iptables -t raw -A PREROUTING -i lo -j NOTRACK
	on_host iptables -t raw -A OUTPUT -o lo -j NOTRACK
	on_host iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP
	eats "$GW" notrack 'not tracked on lo'
}

@test "iptables: rules that do no harm, and some that cannot be judged, are no findings" {
	on_host iptables -A INPUT -i lo -j ACCEPT
	on_host iptables -A INPUT -p tcp --dport 22 -j ACCEPT
	on_host iptables -P INPUT DROP
	on_host iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP
	on_host iptables -A OUTPUT -o other+ -j DROP
	on_host iptables -A INPUT -m mark --mark 1 -j DROP
	healthy
	reaches svc tcp "$GW:8088"
	# one that may accept what the next one drops
	on_host iptables -F INPUT
	on_host iptables -A INPUT -m mark ! --mark 1 -j ACCEPT
	on_host iptables -A INPUT -i lo -j DROP
	reaches svc tcp "$GW:8088"
	healthy
	exits 0 hb doctor
	prints 'netfilter .*cannot be judged'
}

@test "iptables-legacy: its rules are judged, too" {
	on_host iptables-legacy -A INPUT -i lo ! -s 127.0.0.0/8 -j DROP || skip "no legacy tables"
	eats "$GW" filter-input "in iptables-legacy's table filter"
}

@test "strict connection tracking that sees bridged packets" {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0
	on_host iptables -A INPUT -m conntrack --ctstate INVALID -j ACCEPT
	on_host test -e /proc/sys/net/netfilter/nf_conntrack_tcp_loose || skip "no nf_conntrack"
	on_host sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	healthy
	on_host ip link set br-test type bridge nf_call_iptables 1
	diagnosed strict-conntrack
	cured
	healthy
}

@test "NAT rules that came after attach" {
	need_nat_bypass
	on_host iptables -t nat -A PREROUTING -p tcp --dport 9 -j DNAT --to-destination "$C1:9"
	healthy # NAT bypass is off on request
	on_host iptables -t nat -F
	on_host nft flush ruleset
	hb detach
	attach --port 8088
	healthy
	on_host iptables -t nat -A PREROUTING -d 127.0.0.1 -p tcp --dport 8088 -j DNAT \
		--to-destination "$C1:9"
	diagnosed "nat probe-input"
	cured
	reaches svc tcp "$GW:8088"
	healthy
}
