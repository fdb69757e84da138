#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Common rules of nftables and iptables. Each test shows that they are in effect: a service on the
# gateway's own address is out of reach.
load ../e2e/lib
load bed

setup() {
	bed_up
	serve_all
	reaches direct tcp "$GW:8090"
	reaches direct tcp "[$GW6]:8090"
}

blocked() {
	misses TIMEOUT tcp "$GW:8090"
	misses TIMEOUT tcp "[$GW6]:8090"
}

# default_deny: a host that accepts only established connections and its own packets
default_deny() {
	on_host nft -f - <<-'END'
		flush ruleset
		table inet filter {
			chain input {
				type filter hook input priority filter; policy drop;
				ct state invalid drop
				ct state established,related accept
				iif lo accept
				icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
			}
			chain forward {
				type filter hook forward priority filter; policy drop;
			}
		}
	END
}

# Not while connected: data on an untracked connection looks like a new connection of the host
deny_output() {
	on_host nft -f - <<-'END'
		table inet filter {
			chain output {
				type filter hook output priority filter; policy drop;
				ct state established,related accept
				oif lo accept
				icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
			}
		}
	END
}

@test "nftables that denies input and forward, loaded while connected: everything answers" {
	attach --port 8088 --port 5300/udp --port 8089
	cat >"$BED/load" <<-END
		$(declare -f on_host in_ns default_deny)
		default_deny
	END
	scene survives 127.0.0.1:8089 "$GW:8089" bash "$BED/load"
	blocked
	all_answer
	scene survives "[::1]:8089" "[$GW6]:8089" bash "$BED/load"
	all_answer
}

@test "nftables that denies output, too, with and without br_netfilter" {
	attach --port 8088 --port 5300/udp
	default_deny
	deny_output
	for call in 0 1; do
		on_host sysctl -qw net.bridge.bridge-nf-call-iptables="$call" \
			net.bridge.bridge-nf-call-ip6tables="$call"
		blocked
		all_answer
	done
}

@test "nftables that denies input: the recipe times out where hbpf answers" {
	default_deny
	recipe_times_out
	attach --port 8088 --port 5300/udp
	all_answer
}

# The reverse path filters of nft and iptables, and a rule that drops spoofed loopback sources
@test "reverse path filters and rules against spoofed loopback addresses: everything answers" {
	on_host nft -f - <<-'END'
		table inet raw {
			chain prerouting {
				type filter hook prerouting priority raw; policy accept;
				fib saddr . iif oif missing counter drop
				iif != lo ip daddr 127.0.0.0/8 drop
				iif != lo ip6 daddr ::1 drop
				iif != lo ip saddr 127.0.0.0/8 drop
			}
		}
	END
	for iptables in iptables ip6tables; do
		on_host $iptables -t mangle -A PREROUTING -m rpfilter --invert -j DROP
	done
	attach --port 8088 --port 5300/udp
	all_answer
	# control: a source from elsewhere, first dropped by the one and then by the other
	in_ns c1 ip address add 10.9.9.9/32 dev eth0
	exits 1 in_ns c1 ping -c 1 -W 1 -I 10.9.9.9 "$GW"
	exits 0 on_host nft list chain inet raw prerouting
	prints 'fib.* counter packets 1 '
	on_host nft delete table inet raw
	exits 1 in_ns c1 ping -c 1 -W 1 -I 10.9.9.9 "$GW"
	exits 0 on_host iptables -t mangle -v -S PREROUTING
	prints 'rpfilter .*-c 1 '
}

@test "rules flushed while connected, with the NAT bypass and without: the connection survives, new ones work" {
	local pins=off
	! kernel_since 6.1 || pins="on off"
	for pin in $pins; do
		on_host iptables -P INPUT DROP
		on_host ip6tables -P INPUT DROP
		for iptables in iptables ip6tables; do
			on_host $iptables -A INPUT -i lo -j ACCEPT
		done
		# or the client loses the gateway's MAC once its neighbour entry is stale
		on_host ip6tables -A INPUT -p icmpv6 -j ACCEPT
		on_host iptables -t nat -A PREROUTING -p tcp --dport 7777 -j REDIRECT --to 7778
		attach --port 8088 --port 5300/udp --port 8089 --nat-bypass "$pin"
		misses TIMEOUT tcp "$GW:8090"
		scene survives 127.0.0.1:8089 "$GW:8089" sh -c \
			'iptables -P INPUT ACCEPT; iptables -F; iptables -t nat -F; iptables -X'
		all_answer
		scene survives "[::1]:8089" "[$GW6]:8089" nft flush ruleset
		reaches direct tcp "$GW:8090"
		all_answer
	done
}

@test "conntrack's table flushed while connected: the connection survives, new ones work" {
	default_deny
	attach --port 8088 --port 5300/udp --port 8089
	scene survives 127.0.0.1:8089 "$GW:8089" conntrack -F
	all_answer
}

# A limit that docs/LIMITS.md lists
@test "rules that trust lo only with loopback's own addresses let nothing in" {
	on_host iptables -P INPUT DROP
	on_host iptables -A INPUT -i lo -s 127.0.0.0/8 -j ACCEPT
	attach --port 8088
	misses TIMEOUT tcp "$GW:8088"
	on_host iptables -A INPUT -i lo -d 127.0.0.1 -s 172.30.0.0/24 -p tcp --dport 8088 -j ACCEPT
	reaches svc tcp "$GW:8088"
}

@test "untracked loopback, and INVALID dropped on output: needs the rule of docs/SERVICES.md" {
	local tables
	for tables in iptables ip6tables; do
		on_host $tables -t raw -A PREROUTING -i lo -j NOTRACK
		on_host $tables -t raw -A OUTPUT -o lo -j NOTRACK
		on_host $tables -A OUTPUT -m conntrack --ctstate INVALID -j DROP
	done
	attach --port 8088
	misses TIMEOUT tcp "$GW:8088"
	misses TIMEOUT tcp "[$GW6]:8088"
	on_host iptables -t raw -I PREROUTING -i lo -s 172.30.0.0/16 -j ACCEPT
	on_host ip6tables -t raw -I PREROUTING -i lo -s fd00:30::/64 -j ACCEPT
	reaches svc tcp "$GW:8088"
	reaches svc tcp "[$GW6]:8088"
}
