#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# An export must not hijack existing connections or packets to elsewhere (docs/DESIGN.md, "In: bridge
# ingress", 8).
load lib

@test "the host's own outgoing TCP connection whose local port gets exported" {
	attach
	scene own-tcp "$GW:9000" "$C1:7000" 9000
	counted IN_NO_FLOW
	hb ports set 8088
	scene own-tcp "[$GW6]:9000" "[$C1_6]:7001" 9000
}

@test "the host's own outgoing TCP connection from a port that is exported already" {
	attach --port 9000
	scene own-tcp-later "$GW:9000" "$C1:7000"
	scene own-tcp-later "[$GW6]:9000" "[$C1_6]:7000"
}

@test "the host's own connected UDP socket whose local port gets exported" {
	attach
	scene own-udp "$GW:9000" "$C1:7000" 9000
	counted IN_HOST_SOCKET 3
	hb ports set 8088
	scene own-udp "[$GW6]:9000" "[$C1_6]:7001" 9000
}

@test "a connection to a service on the gateway itself, opened before attach" {
	scene opened-before-attach "$GW:8088" 8088 attach br-test --hook "$HOOK" --port 8088 --force
}

# bats test_tags=hook
@test "destinations that are not gateways are never touched; the recipe hijacks them" {
	make_docker0
	make_client c2 9 docker0 40
	in_ns c2 ip addr flush dev eth0
	in_ns c2 ip -batch - <<-EOF
		addr add 172.17.0.99/16 dev eth0
		route replace default via "$DOCKER0"
	EOF
	on_host sysctl -qw net.ipv4.ip_forward=1
	serve svc --tcp 127.0.0.1:8089
	NS=c2 serve other --tcp 172.17.0.99:8089
	reaches other tcp 172.17.0.99:8089
	recipe 8089
	reaches svc tcp 172.17.0.99:8089
	on_host iptables -t nat -F
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0

	attach --port 8089
	reaches other tcp 172.17.0.99:8089
	reaches svc tcp "$GW:8089"
	counted IN_NOT_GATEWAY 3
}

# bats test_tags=hook
@test "clients still talk to each other on an exported port" {
	make_client c2 3
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:8088
	NS=c2 serve other --tcp 172.30.0.3:8088 --tcp "[fd00:30::3]:8088" --udp 172.30.0.3:8088
	attach --port 8088/tcp+udp
	reaches other tcp 172.30.0.3:8088
	reaches other tcp "[fd00:30::3]:8088"
	reaches other udp 172.30.0.3:8088
	reaches svc tcp "$GW:8088"
}

@test "clients still talk to each other while the bridge is promiscuous" {
	make_client c2 3
	serve svc --tcp 127.0.0.1:8088
	NS=c2 serve other --tcp 172.30.0.3:8088
	on_host ip link set br-test promisc on
	attach --port 8088
	reaches other tcp 172.30.0.3:8088
	reaches svc tcp "$GW:8088"
}

@test "a frame to another host, received by a promiscuous bridge, does not reach the exported port" {
	serve svc --udp 127.0.0.1:8088
	attach --port 8088/udp
	on_host ip link set br-test promisc on
	raw send to-other-mac 8088 stray
	# control: behind it on the same path
	raw send valid 8088 direct
	eventually heard svc "said direct"
	unheard svc stray
	counted IN_OTHER_HOST
}

@test "a source route through the gateway leads to another client, not to the exported port" {
	make_client c2 3
	on_host sysctl -qw net.ipv4.ip_forward=1
	for ns in host c2; do
		in_ns "$ns" sysctl -qw net.ipv4.conf.all.accept_source_route=1 \
			net.ipv4.conf.default.accept_source_route=1
	done
	on_host sysctl -qw net.ipv4.conf.br-test.accept_source_route=1
	in_ns c2 sysctl -qw net.ipv4.conf.eth0.accept_source_route=1
	serve svc --udp 127.0.0.1:8088
	NS=c2 serve neighbour --udp 172.30.0.3:8088
	raw send route-to-neighbour 8088 before
	eventually heard neighbour "said before"
	attach --port 8088/udp
	raw send route-to-neighbour 8088 after
	eventually heard neighbour "said after"
	unheard svc after
	uncounted IN_TRANSLATED
}

@test "other services of the host on the gateway answer as before" {
	serve svc --tcp 127.0.0.1:8088
	serve own --tcp "$GW:7777" --udp "$GW:7777" --tcp "[$GW6]:7777"
	attach --port 8088
	reaches own tcp "$GW:7777"
	reaches own udp "$GW:7777"
	reaches own tcp "[$GW6]:7777"
	counted IN_NOT_EXPORTED
}

@test "the host itself still reaches its loopback services and its clients" {
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:8088 --tcp "[::1]:8088"
	NS=c1 serve client --tcp "$C1:8088" --udp "$C1:8088" --tcp "[$C1_6]:8088"
	attach --port 8088/tcp+udp
	for where in 127.0.0.1 "[::1]"; do NS=host reaches svc tcp "$where:8088"; done
	NS=host reaches svc udp 127.0.0.1:8088
	for where in "$C1" "[$C1_6]"; do NS=host reaches client tcp "$where:8088"; done
	NS=host reaches client udp "$C1:8088"
}

@test "a published port like Docker's: its NAT rule does not match the translated packet" {
	need_nat_bypass
	make_client c2 3
	NS=c2 serve container --tcp 172.30.0.3:5432
	serve svc --tcp 127.0.0.1:5432
	on_host sysctl -qw net.ipv4.ip_forward=1
	on_host iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p tcp -d 127.0.0.1 \
		--dport 5432 -j DNAT --to-destination 172.30.0.3:5432
	attach --port 5432 --nat-bypass off
	# control: without the NAT bypass the connection is caught and hangs
	misses TIMEOUT tcp "$GW:5432"
	attach --nat-bypass auto
	reaches svc tcp "$GW:5432"
	reaches svc tcp "$GW:5432" --source 5555
	reaches svc tcp "$GW:5432" --source 5555
}

@test "a published UDP port like Docker's: the same, also for a flow that outlives its conntrack entry" {
	need_nat_bypass
	make_client c2 3
	serve svc --udp 127.0.0.1:5432
	on_host sysctl -qw net.ipv4.ip_forward=1
	on_host iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -p udp -d 127.0.0.1 \
		--dport 5432 -j DNAT --to-destination 172.30.0.3:5432
	attach --port 5432/udp
	reaches svc udp "$GW:5432" --source 5555
	on_host conntrack -F
	reaches svc udp "$GW:5432" --source 5555
}

@test "a user's own DNAT rules for 127.0.0.1 match no client, and still serve the host" {
	need_nat_bypass
	make_client c2 3
	NS=c2 serve elsewhere --tcp 172.30.0.3:8088 --udp 172.30.0.3:5300
	serve svc --tcp 127.0.0.1:8088 --udp 127.0.0.1:5300
	serve other --tcp 127.0.0.1:9999 --udp 127.0.0.1:9999
	on_host iptables -t nat -A OUTPUT -p tcp -d 127.0.0.1 --dport 8088 -j DNAT --to 127.0.0.1:9999
	on_host iptables -t nat -A OUTPUT -p udp -d 127.0.0.1 --dport 5300 -j DNAT --to 127.0.0.1:9999
	on_host iptables -t nat -A PREROUTING -i lo -p tcp --dport 8088 -j REDIRECT --to-ports 9999
	on_host iptables -t nat -A PREROUTING -d 127.0.0.0/8 -p udp --dport 5300 -j DNAT \
		--to 172.30.0.3:5300
	on_host iptables -t nat -A POSTROUTING -d 172.30.0.0/24 -j MASQUERADE
	NS=host reaches other tcp 127.0.0.1:8088

	attach --port 8088 --port 5300/udp --nat-bypass off
	# control: the packet does pass through these rules
	reaches other tcp "$GW:8088"
	misses TIMEOUT udp "$GW:5300"
	attach --nat-bypass auto
	reaches svc tcp "$GW:8088"
	reaches svc udp "$GW:5300"
	NS=host reaches other tcp 127.0.0.1:8088
	NS=host reaches other udp 127.0.0.1:5300
	hb detach
	NS=host reaches other tcp 127.0.0.1:8088
	NS=host reaches other udp 127.0.0.1:5300
}

@test "a client of one bridge cannot inject into a connection of another bridge's client" {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 8088
	scene another-bridge 127.0.0.1:8088 "$GW:8088" c2 br-two 172.31.0.1:8088
	counters_of br-two >"$BED/two"
	grep -q '^IN_NO_FLOW 1$' "$BED/two" || fail "br-two should have counted IN_NO_FLOW" \
		"$(<"$BED/two")"
	! grep -q '^IN_TRANSLATED ' "$BED/two" || fail "br-two translated it" "$(<"$BED/two")"
}

# bats test_tags=hook
@test "two bridges serve their own clients, each its own ports" {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	serve svc --tcp 127.0.0.1:8088
	serve two --tcp 127.0.0.1:9000
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	NS=c2 reaches two tcp 172.31.0.1:9000
	NS=c2 misses ECONNREFUSED tcp 172.31.0.1:8088
	hb detach br-test
	misses ECONNREFUSED tcp "$GW:8088"
	NS=c2 reaches two tcp 172.31.0.1:9000
}
