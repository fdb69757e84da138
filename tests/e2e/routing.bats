#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Where the host's routing takes answers away from the bridge, attach and status report it, and the
# command that they print helps.
load lib

setup() {
	bed_up
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	# a VPN with a table of its own, as WireGuard's and Tailscale's
	on_host ip -batch - <<-EOF
		link add vpn0 type veth peer name vpn1
		link set vpn0 up
		link set vpn1 up
		route add default dev vpn0 table 52
	EOF
	on_host ip -6 route add default dev vpn0 table 52
	attach --port 8088
}

# well: both families are answered, without a warning
well() {
	reaches svc tcp "$GW:8088"
	reaches svc tcp "[$GW6]:8088"
	quiet
}

quiet() {
	exits 0 attach
	[ -z "$err" ] || fail "a warning for nothing: $err"
	exits 0 hb status
	lacks ', but '
}

# lost GATEWAY REGEX...: no answer comes from there, and attach and status report why
lost() {
	misses TIMEOUT tcp "$1:8088"
	exits 0 attach
	says "${@:2}"
	exits 1 hb status
	out=$(head -1 <<<"$out")
	prints "${@:2}"
	exits 1 hb status --json
	json '.bridges[0].problems | length == 1 and .[0].name == "route"'
}

# helps: runs the command that status prints
helps() {
	local command
	command=$(hb status --json | jq -r '.bridges[0].problems[0].command') || true
	[[ $command =~ ^ip\ (-6\ )?rule\ add ]] || fail "no command, but '$command'"
	# shellcheck disable=SC2086 # several words
	on_host $command
	well
}

@test "a VPN's rule captures answers: attach names rule, table and device, and its command helps" {
	well
	on_host ip rule add pref 5260 from 172.30.0.0/24 lookup main # the containers' own traffic
	on_host ip rule add pref 5270 lookup 52
	lost "$GW" 'to 172\.30\.0\.0/24 leave by vpn0, not br-test' 'rule 5270, lookup 52' \
		'.ip rule add pref 5269 to 172\.30\.0\.0/24 lookup main.'
	helps
	on_host ip -6 rule add pref 1 lookup 52
	lost "[$GW6]" 'to fd00:30::/64 leave by vpn0' '.ip -6 rule add pref 0 to fd00:30::/64 lookup main.'
	helps
}

@test "a rule that rejects, and one that matches answers only" {
	on_host ip rule add pref 100 to 172.16.0.0/12 unreachable
	lost "$GW" 'have no route to br-test \(routing rule 100, which refuses'
	helps
	on_host ip rule add pref 50 from 127.0.0.0/8 lookup 52
	lost "$GW" 'routing rule 50, lookup 52' 'pref 49'
	helps
}

@test "a route more specific than the bridge's is reported" {
	on_host ip route add 172.30.0.0/25 dev vpn0
	lost "$GW" 'leave by vpn0, not br-test: table main has a route to 172\.30\.0\.0/25'
	on_host ip route del 172.30.0.0/25 dev vpn0
	well
}

@test "rules for a user or a port: the route is looked up as for the service" {
	on_host ip rule add pref 50 uidrange 1000-1999 lookup 52
	on_host ip rule add pref 51 ipproto tcp sport 9000 lookup 52
	well
	on_host ip rule add pref 52 uidrange 0-0 lookup 52
	lost "$GW" 'routing rule 52'
	on_host ip rule del pref 52
	on_host ip rule add pref 52 ipproto tcp sport 8088 lookup 52
	lost "$GW" 'routing rule 52'
}

@test "a VPN that leaves the host's own networks alone is not a fault, nor is a wide --from" {
	on_host ip rule add pref 32764 lookup main suppress_prefixlength 0 # the two of wg-quick
	on_host ip rule add pref 32765 not fwmark 0xca6c lookup 52
	on_host ip -6 rule add pref 32764 lookup main suppress_prefixlength 0
	on_host ip -6 rule add pref 32765 not fwmark 0xca6c lookup 52
	well
	attach --from 0.0.0.0/0 --from ::/0
	well
	attach --from 10.0.0.0/8 --from 172.16.0.0/12
	quiet
	attach --from 10.0.0.0/8
	exits 0 attach
	says 'no route to 10\.0\.0\.0/8 leads to br-test'
	on_host ip route add 10.1.0.0/16 via "$C1"
	quiet
}

@test "a bridge without containers yet is not a fault" {
	on_host ip route add default dev vpn0
	on_host ip -6 route add default dev vpn0
	on_host ip link set veth-c1 down
	on_host sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1 \
		net.ipv6.conf.all.ignore_routes_with_linkdown=1
	quiet
}
