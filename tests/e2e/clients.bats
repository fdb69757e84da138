#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Which sources are clients, by the host's addresses and routes.
load lib
load watch

# unnumbered: the bridge has a /32 and a /128, and routes to the client that no prefix covers
unnumbered() {
	on_host ip -batch - <<-EOF
		addr flush dev br-test scope global
		addr add 198.51.100.10/32 dev br-test
		addr add 2001:db8:10::1/128 dev br-test nodad
		route add 192.0.2.20 dev br-test
		route add 2001:db8:20::20 dev br-test
	EOF
	in_ns c1 ip -batch - <<-EOF
		addr flush dev eth0 scope global
		addr add 192.0.2.20/32 dev eth0
		addr add 2001:db8:20::20/128 dev eth0 nodad
		route add 198.51.100.10 dev eth0
		route add 2001:db8:10::1 dev eth0
		route replace default via 198.51.100.10
		route replace default via 2001:db8:10::1
	EOF
}

@test "a client that no prefix covers is resolved again after its neighbour entry was flushed" {
	unnumbered
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	attach --port 8088 --from 192.0.2.20 --from 2001:db8:20::20
	for _ in 1 2; do
		on_host ip neigh flush dev br-test
		reaches svc tcp 198.51.100.10:8088
		on_host ip -6 neigh flush dev br-test
		reaches svc tcp "[2001:db8:10::1]:8088"
	done
	counted OUT_ARP
	uncounted OUT_GUARD OUT_ARP_NO_SENDER
}

@test "the bridge's routes make their destinations clients; a default route does not" {
	unnumbered
	on_host ip -batch - <<-EOF
		route add 203.0.113.0/24 via 192.0.2.20
		route add 2001:db8:30::/64 via 2001:db8:20::20
		route add default dev br-test
		route add 0.0.0.0/1 dev br-test
		route add default dev br-test metric 1
		route add 2000::/3 dev br-test
	EOF
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	exits 0 attach --port 8088
	unsaid 'client may use'
	exits 0 hb status
	prints 'clients +onlink \(192\.0\.2\.20/32, 2001:db8:20::20/128\)'
	reaches svc tcp 198.51.100.10:8088
	reaches svc tcp "[2001:db8:10::1]:8088"
	in_ns c1 ip addr add 203.0.113.9/32 dev eth0
	in_ns c1 ip addr add 2001:db8:30::9/128 dev eth0 nodad
	in_ns c1 ip route replace 198.51.100.10 dev eth0 src 203.0.113.9
	in_ns c1 ip route replace 2001:db8:10::1 dev eth0 src 2001:db8:30::9
	misses ECONNREFUSED tcp 198.51.100.10:8088
	misses ECONNREFUSED tcp "[2001:db8:10::1]:8088"
	attach --from onlink --from 203.0.113.0/24 --from 2001:db8:30::/64
	reaches svc tcp 198.51.100.10:8088
	reaches svc tcp "[2001:db8:10::1]:8088"
}

@test "attach warns if no source is allowed to use the ports" {
	unnumbered
	on_host ip route del 192.0.2.20 dev br-test
	exits 0 attach --port 8088
	says 'no IPv4 client may use the ports: .*--from'
	unsaid 'no IPv6 client'
	exits 0 attach --from onlink --from 192.0.2.20
	unsaid 'client may use'
	on_host ip route del 2001:db8:20::20 dev br-test
	exits 0 attach --from onlink
	prints 'no network may use its ports'
	unsaid 'client may use'
}

@test "a router advertisement makes no gateway and no client, but its addresses are the host's own" {
	serve svc --udp "[::1]:9999"
	raw advertise 2001:db8:5::
	eventually advertised
	exits 0 attach --port 9999/udp
	says '2001:db8:5:[^ ]* on br-test has a lifetime'
	exits 0 hb status --json
	json '[.bridges[0].gateways[].address] | sort == ["172.30.0.1", "fd00:30::1"]'
	raw send from:2001:db8:5::7 9999 from-advertised
	raw send valid6 9999 valid
	eventually heard svc valid
	unheard svc from-advertised
	counted IN_SOURCE 1
	# as a source not even with a --from that allows everybody
	attach --from ::/0
	own=$(on_host ip -6 -o addr show dev br-test dynamic | awk '{ sub("/.*", "", $4); print $4 }')
	raw send "from:$own" 9999 from-own
	raw send valid6 9999 valid-again
	eventually heard svc valid-again
	unheard svc from-own
	# control: an administrator's address
	on_host ip addr add 2001:db8:5::1/64 dev br-test nodad
	attach --from onlink
	exits 0 hb status --json
	json '[.bridges[0].gateways[].address] | any(. == "2001:db8:5::1")'
	raw send from:2001:db8:5::7 9999 from-administered
	eventually heard svc from-administered
}

advertised() {
	on_host ip -6 -o addr show dev br-test dynamic | grep -q 2001:db8:5: || fail "no address yet"
}

@test "a pending answer survives a change of the host's addresses" {
	make_docker0
	make_bridge br-two 31
	attach --port 9999/udp
	scene udp-pending 127.0.0.1:9999 "$DOCKER0:9999" sh -c \
		"ip addr add 10.88.0.1/24 dev br-two && $HBPF attach br-test"
	scene udp-pending "[::1]:9999" "[$GW6]:9999" sh -c \
		"ip addr del 10.88.0.1/24 dev br-two && $HBPF attach br-test"
}

@test "watch follows routes that make host addresses and clients, and other routes do not wake it" {
	serve svc --udp "[::1]:9999"
	declare_conf <<-EOF
		[br-test]
		ports = 9999/udp
		from = onlink, 2001:db8::/32
	EOF
	watch
	eventually logged 'br-test: attached'
	raw send from:2001:db8:97::7 9999 first
	eventually heard svc first
	on_host ip route add local 2001:db8:97::/64 dev lo
	eventually logged 'br-test: addresses changed'
	raw send from:2001:db8:97::7 9999 second
	raw send valid6 9999 valid
	eventually heard svc valid
	unheard svc second

	on_host ip route add 192.0.2.20 dev br-test
	eventually served 192.0.2.20
	eventually asleep
	before=$(wakings)
	for i in {1..200}; do
		echo "route add 10.9.$i.0/24 via $C1"
		echo "route add 2001:db8:9:$i::/64 via $C1_6"
		echo "route add 10.8.$i.0/24 nexthop via $C1 dev br-test nexthop via 172.30.0.9 dev br-test"
	done | on_host ip -batch -
	eventually asleep
	same "$before" "$(wakings)"
	# control
	on_host ip route del local 2001:db8:97::/64 dev lo
	eventually logged 'br-test: addresses changed' 3
}

# served ADDRESS: status lists it as a client
served() {
	hb status | grep -q "^  clients .*\b$1\b"
}

# wakings: how often the watcher woke up; asleep: it waits for events
wakings() {
	awk '/^voluntary/ { print $2 }' "/proc/$WATCH/status"
}

asleep() {
	local before
	before=$(wakings)
	sleep 0.3
	[ "$before" = "$(wakings)" ]
}
