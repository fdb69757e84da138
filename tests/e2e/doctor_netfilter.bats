#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf doctor names the rule of iptables or nft that drops a request or an answer, and the command that
# it prints lets them through.
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

# nft_rules TEXT: the host's only rules
nft_rules() {
	on_host nft flush ruleset
	on_host nft -f - <<<"$1"
}

@test "nft: rules and policies of input and output, and NOTRACK on lo" {
	nft_rules 'table inet f {
		chain input {
			type filter hook input priority 0
			iif lo ip saddr != 127.0.0.0/8 counter drop
		}
	}'
	eats "$GW" filter-input 'rule .iif "lo" ip saddr != 127\.0\.0\.0/8 .*drop` of nft.s chain inet f input'
	nft_rules 'table inet f {
		set local { type ipv4_addr; flags interval; elements = { 127.0.0.0/8 } }
		chain local { ip saddr @local accept; }
		chain input {
			type filter hook input priority 0; policy drop
			meta nfproto ipv6 accept
			ct state vmap { established : accept, related : accept, invalid : drop }
			iifname vmap { lo : jump local }
			icmp type echo-request accept
			tcp dport { 22, 80-90 } accept
		}
	}'
	eats "$GW" filter-input 'policy of nft.s chain inet f input'
	nft_rules 'table ip f {
		chain output {
			type filter hook output priority 0
			oifname "br-*" ip saddr 127.0.0.0/8 reject
		}
	}'
	diagnosed filter-output
	cured
	reaches svc tcp "$GW:8088"
	nft_rules 'table ip f {
		chain pre { type filter hook prerouting priority raw; iif lo notrack; }
		chain out { type filter hook output priority raw; oif lo notrack; }
		chain output { type filter hook output priority 0; ct state invalid drop; }
	}'
	eats "$GW" notrack 'not tracked on lo'
	nft_rules 'table ip6 f {
		chain input { type filter hook input priority 0; ip6 saddr fd00::/8 tcp dport 8088 drop; }
	}'
	eats "[$GW6]" filter-input 'nft.s chain ip6 f input'
}

@test "nft: rules that do no harm, and some that cannot be judged, are no findings" {
	nft_rules 'table inet f {
		chain input {
			type filter hook input priority 0; policy drop
			ct state established,related accept
			ct state invalid drop
			iif lo accept
			icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
		}
		chain forward { type filter hook forward priority 0; policy drop; }
		chain output { type filter hook output priority 0; oifname "wg*" drop; meta mark 1 drop; }
	}'
	healthy
	reaches svc tcp "$GW:8088"
	exits 0 hb doctor
	prints 'netfilter .*cannot be judged'
	# one that may accept what the policy drops
	nft_rules 'table inet f {
		chain input { type filter hook input priority 0; policy drop; meta length > 0 accept; }
	}'
	reaches svc tcp "$GW:8088"
	healthy
}

@test "nft: the bridge's own filter drops requests, or answers" {
	nft_rules 'table bridge f {
		chain c { type filter hook prerouting priority 0; tcp dport 8088 ip daddr 172.30.0.1 drop; }
	}'
	eats "$GW" filter-bridge 'before hbpf sees it'
	nft_rules 'table bridge f {
		chain c { type filter hook output priority 0; tcp sport 8088 ip saddr 172.30.0.1 drop; }
	}'
	eats "$GW" filter-bridge 'drops the answers'
}

@test "br_netfilter: rules of PREROUTING that drop or redirect bridged packets" {
	[ -e /proc/sys/net/bridge ] || skip "no br_netfilter"
	on_host iptables -t mangle -A PREROUTING -i br-test -p tcp --dport 8088 -j DROP
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=0
	reaches svc tcp "$GW:8088"
	healthy
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=1
	eats "$GW" filter-bridge 'mangle drops what clients send, before hbpf sees it'
	on_host iptables -t mangle -F
	on_host iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL ! -i lo -p tcp --dport 8088 \
		-j DNAT --to-destination "$C1:9"
	diagnosed bridge-nat
	cured
	reaches svc tcp "$GW:8088"
	healthy
	on_host iptables -t nat -F
	nft_rules 'table ip f {
		chain c { type filter hook prerouting priority mangle; ct state invalid drop; }
	}'
	diagnosed bridge-invalid
	cured
	healthy
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
