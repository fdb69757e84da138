#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A name server: many datagrams, answers in fragments, and TCP as well as UDP.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

# dnsmasq_on_53: small.test has an address, big.test a text of 14 strings of 250 bytes
dnsmasq_on_53() {
	local text
	text=$(printf '%0250d' {1..14} | sed -E 's/.{250}/,&/g')
	on_host sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --user= --pid-file= \
		--log-facility=- --no-resolv --no-hosts --local=/test/ --edns-packet-max=4096 \
		--address=/small.test/192.0.2.7 --txt-record="big.test$text" \
		--listen-address=127.0.0.1,::1 --bind-interfaces
	up tcp 53
	up udp 53
}

# ask [dig's options] [NAME TYPE]
ask() {
	client dig +tries=1 +time=10 +short "@$gateway" "$@"
}

# load_with_dnsperf NAME TYPE: over UDP for two seconds; every query is answered
load_with_dnsperf() {
	echo "$1 $2" >"$BED/questions"
	exits 0 client dnsperf -s "$gateway" -d "$BED/questions" -e -c 8 -q 16 -l 2 -t 20
	prints '^ +Queries sent: +[1-9]' '^ +Queries lost: +0 ' \
		'^ +Response codes: +NOERROR [0-9]+ \(100.00%\)$'
	size=$(sed -nE 's/^ +Average packet size: .* response ([0-9]+)$/\1/p' <<<"$out")
	figures "dnsperf $gateway $1 ($size bytes): $(sed -nE \
		's/^ +Queries completed: +([0-9]+) .*/\1 answers/p' <<<"$out"), $(
		sed -nE 's/^ +Queries per second: +([0-9]+).*/\1 a second/p' <<<"$out")"
}

# load_with_dig NAME TYPE ANSWER: over TCP with a connection for each query, then with one for 90 of
# them, as dnsmasq closes it after 100 and loses queries that dnsperf has sent meanwhile
load_with_dig() {
	yes "$1 $2" | head -n 300 >"$BED/questions"
	[ "$(ask -f "$BED/questions" +tcp | sort | uniq -c)" = "    300 $3" ]
	yes "$1 $2" | head -n 90 >"$BED/questions"
	[ "$(ask -f "$BED/questions" +tcp +keepopen | sort | uniq -c)" = "     90 $3" ]
	figures "dig +tcp $gateway $1: 390 answers"
}

@test "dnsmasq answers over UDP, in fragments where the answer is large, and over TCP" {
	local gateway size text
	dnsmasq_on_53
	opens 53/udp 53/tcp
	text=$(printf '"%0250d" ' {1..14})
	for gateway in "$GW" "$GW6"; do
		fragmented=$(fragments)
		[ "$(ask +bufsize=4096 +ignore big.test TXT)" = "${text% }" ]
		[ "$(fragments)" -gt "$fragmented" ] || fail "the answer was not sent in fragments"
		# too large for the client: truncated over UDP, so dig tries again over TCP
		[ -z "$(ask +bufsize=1232 +ignore big.test TXT)" ]
		[ "$(ask +bufsize=1232 big.test TXT)" = "${text% }" ]

		load_with_dnsperf small.test A
		load_with_dnsperf big.test TXT
		[ "$size" -gt 3500 ]
		load_with_dig small.test A 192.0.2.7
		load_with_dig big.test TXT "${text% }"
	done
	carried 53/udp 1000
	carried 53/tcp 5000
	closes 53/udp 53/tcp
}

# fragments: how many fragments the host has sent
fragments() {
	on_host nstat --zeros --ignore --noupdate IpFragCreates Ip6FragCreates |
		awk '{ sum += $2 } END { print sum }'
}

@test "dnsmasq with interface=lo listens on all addresses, but only hbpf makes it answer" {
	local gateway how
	on_host sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	start dnsmasq dnsmasq --keep-in-foreground --conf-file=/dev/null --user= --pid-file= \
		--log-facility=- --no-resolv --no-hosts --address=/small.test/192.0.2.7 --interface=lo
	up udp 53 0.0.0.0 "[::]"
	for gateway in "$GW" "$GW6"; do
		[[ $(ask +time=1 small.test A) != 192.* ]] || fail "$gateway answered without hbpf"
	done
	attach --port 53/tcp+udp
	for gateway in "$GW" "$GW6"; do
		for how in +notcp +tcp; do [ "$(ask $how small.test A)" = 192.0.2.7 ]; done
	done
}
