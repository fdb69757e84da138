#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A client that opens flows as fast as it can, and the effect on its neighbours.
load lib

# Three times the size of the shared table (HBPF_MAX_FLOWS)
FLOOD=98304

# survives_flood PROTO: c2's flows survive c1's flood (scene.py has the details)
survives_flood() {
	make_client c2 3
	make_docker0
	attach --port 9999/tcp+udp --port 7001/tcp+udp --port 7002/tcp+udp
	scene neighbour-survives "$1" 127.0.0.1:9999 "$DOCKER0:9999" c2 "$GW" "$FLOOD" \
		"$(shared_dir)" 7001 7002
	counted IN_TRANSLATED "$FLOOD"
}

@test "98,304 UDP flows of one client, more than all tables hold: a neighbour's pending answer arrives" {
	survives_flood udp
}

@test "98,304 SYNs of one client, more than all tables hold: a neighbour's connections live" {
	survives_flood tcp
	# hbpf itself does not enable tracking; the next test has a firewall that does
	[ "$(tracked)" -lt 100 ] || fail "$(tracked) conntrack entries"
}

@test "a flood on one bridge: pending answers and connections on another bridge live" {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	make_docker0 # with only one gateway, answers need no record
	attach --port 9999/tcp+udp --port 7001/tcp+udp --port 7002/tcp+udp
	hb attach br-two --hook "$HOOK" --port 9999/tcp+udp
	scene neighbour-survives udp 127.0.0.1:9999 172.31.0.1:9999 c2 "$GW" "$((FLOOD / 2))" \
		"$(shared_dir)" 7001 7002
	counted IN_TRANSLATED "$((FLOOD / 2))"
}

# flood ADDRESS [PORT]: half of the SYNs go to the port, half to one that is never exported
flood() {
	scene neighbour-of-flood "$1:9999" "$GW:9999" c2 "$GW" 60000 "${2:-7001}" 7002
}

tracked() {
	on_host sysctl -n net.netfilter.nf_conntrack_count 2>/dev/null || echo 0
}

@test "60,000 SYNs where a firewall tracks connections: an entry for each that a service answers, as without hbpf" {
	make_client c2 3
	on_host nft -f - <<-END
		table inet tracking {
			chain input { type filter hook input priority 0; ct state invalid counter accept; }
		}
	END
	# entries of connections that the client resets must not expire before they are counted; a closed
	# port's reset leaves none
	on_host sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_close=600
	serve direct --tcp "$GW:7003"
	flood "$GW" 7003
	direct=$(tracked)
	[ "$direct" -ge 30000 ] || fail "only $direct conntrack entries without hbpf: nothing is tracked"
	on_host conntrack -F
	serve svc --tcp 127.0.0.1:7001
	attach --port 9999 --port 7001
	flood 127.0.0.1
	[ "$(tracked)" -ge 30000 ] || fail "only $(tracked) conntrack entries, without hbpf $direct"
	[ "$(tracked)" -le $((direct + 100)) ] || fail "$(tracked) conntrack entries, without hbpf $direct"
	echo "# 60,000 SYNs: $(tracked) conntrack entries, without hbpf $direct" >&3
}

@test "60,000 SYNs with the NAT bypass: a conntrack entry for each to the exported port, no more" {
	make_client c2 3
	attach --port 9999 --port 7001 --nat-bypass auto
	hb attach br-test --nat-bypass on >"$BED/log" 2>&1 || skip "this kernel has no NAT bypass"
	flood 127.0.0.1
	[ "$(tracked)" -ge 30000 ] || fail "only $(tracked) conntrack entries: none by the NAT bypass"
	[ "$(tracked)" -le 30100 ] || fail "$(tracked) conntrack entries"
	echo "# 60,000 SYNs: $(tracked) conntrack entries of" \
		"$(on_host sysctl -n net.netfilter.nf_conntrack_max) at most" >&3
}
