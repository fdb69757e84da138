#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The same attacks after the host was changed: after detach, without the bridge, the firewall or the
# qdisc, with other programs on the hook, and with route_localnet set by other programs.
# crash.bats has those after a kill, docs/SECURITY.md lists which test proves what.
load lib

serve_9999() {
	hb attach br-test --hook "${1:-tcx}" --port 9999/tcp+udp >"$BED/log" 2>&1
}

# A few attacks of each kind, those most likely to get in
sealed() {
	holds to-loopback
	holds datagrams broadcast q q-ad-q
	holds from-loopback
}

wide_open() {
	breaks to-loopback
}

# Packets get in; hbpf's egress program still drops the answers
ajar() {
	breaks datagrams
	assault to-loopback
	lacks 'answered: .*127\.'
}

# The export still works
served() {
	assault fragments
	prints '^in +control: valid pieces: delivered to 127.0.0.1:9999'
}

@test "after detach, with either hook" {
	for hook in tcx clsact; do
		serve_9999 $hook
		served
		sealed
		hb detach
		sealed
	done
	# control
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	wide_open
}

@test "after the bridge was deleted and re-created, with either hook" {
	for hook in tcx clsact; do
		serve_9999 $hook
		sealed
		drop_client c1
		on_host ip link del br-test
		make_bridge br-test 30
		make_client c1 2
		sealed
		exits 1 hb status
		prints '^br-test: broken: its programs are not attached'
		serve_9999 $hook
		served
		sealed
	done
}

@test "after a firewall flush" {
	on_host iptables -t nat -A PREROUTING -p tcp --dport 1 -j DNAT --to-destination 127.0.0.1
	serve_9999
	on_host nft flush ruleset
	for table in filter nat mangle raw; do on_host iptables -t $table -F; done
	served
	sealed
}

@test "tcx: deleting the clsact qdisc changes nothing" {
	serve_9999 tcx
	on_host tc qdisc add dev br-test clsact
	on_host tc qdisc del dev br-test clsact
	served
	sealed
	exits 0 hb status
}

# Without tcx there is no backstop: everything that route_localnet opens is open.
@test "clsact: after the qdisc was deleted status fails, and loopback is open where the kernel lacks tcx" {
	serve_9999 clsact
	sealed
	on_host tc qdisc del dev br-test clsact
	exits 1 hb status
	reports 'broken: its programs are not attached.*hbpf attach br-test'
	exits 1 hb status --json
	if kernel_since 6.6; then
		json '.bridges[0].exposed == false'
		sealed
	else
		json '.bridges[0].exposed == true'
		wide_open
		exits 1 hb status
		reports 'EXPOSED.*route_localnet.*guard.*reach any port'
	fi
	hb attach br-test
	sealed
	served
	exits 0 hb status
	hb detach
	sealed
}

@test "clsact: after only hbpf's filter was deleted status fails alike" {
	serve_9999 clsact
	on_host tc filter del dev br-test ingress
	if kernel_since 6.6; then sealed; else ajar; fi
	exits 1 hb status
	reports 'broken: its programs are not attached.*hbpf attach br-test'
	hb attach br-test
	sealed
}

# another program, which returns PASS for all and keeps those behind it from running
pass_all() {
	mkdir -p "$HBPF_BPFFS/other"
	tool bpf witness "$HBPF_BPFFS/other" 0
}

tcx_pass() {
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$HBPF_BPFFS/other" br-test ingress "$1"
}

clsact_pass() {
	on_host tc qdisc add dev br-test clsact 2>/dev/null || true
	on_host tc filter add dev br-test ingress prio "$1" protocol all \
		bpf da object-pinned "$HBPF_BPFFS/other/program"
}

@test "another tcx program that returns PASS, attached before hbpf and after" {
	pass_all
	tcx_pass after
	serve_9999 tcx
	served
	sealed
	rm "$HBPF_BPFFS/other/link_ingress"
	hb detach
	serve_9999 tcx
	tcx_pass after
	served
	sealed
	exits 0 hb status
}

@test "another tcx program attached in front: open, status reports it, attach moves to the front" {
	serve_9999 tcx
	pass_all
	tcx_pass before
	ajar
	exits 0 hb status
	reports 'warning.*witness.*guard.*hbpf attach br-test'
	hb attach br-test
	served
	sealed
	exits 0 hb status
}

@test "a clsact filter that returns PASS, behind tcx" {
	serve_9999 tcx
	pass_all
	clsact_pass 1
	served
	sealed
	exits 0 hb status
}

@test "a clsact filter that returns PASS, attached before hbpf's and after" {
	pass_all
	clsact_pass 1
	exits 0 hb attach br-test --hook clsact --port 9999/tcp+udp
	served
	sealed
	on_host tc filter del dev br-test ingress prio 1 || true
	hb attach br-test
	clsact_pass 49152
	served
	sealed
}

@test "a tcx program that returns PASS in front of hbpf's clsact filter: the backstop holds; in front of both: open" {
	serve_9999 clsact
	pass_all
	tcx_pass after
	sealed
	exits 0 hb status
	reports 'warning.*witness.*guard'
	rm "$HBPF_BPFFS/other/link_ingress"
	tcx_pass before
	ajar
	exits 0 hb status
	reports 'warning.*witness.*guard'
	hb attach br-test --hook tcx
	sealed
}

@test "br_netfilter on and off, for the namespace and for the bridge alone" {
	serve_9999
	for calls in 0 1; do
		on_host sysctl -qw net.bridge.bridge-nf-call-iptables=$calls \
			net.bridge.bridge-nf-call-ip6tables=$calls
		for own in 0 1; do
			on_host ip link set br-test type bridge nf_call_iptables $own
			sealed
			served
		done
	done
}

@test "route_localnet set by another program: with --guard, --no-guard and neither" {
	on_host sysctl -qw net.ipv4.conf.all.route_localnet=1 net.bridge.bridge-nf-call-iptables=0
	wide_open
	serve_9999
	sealed
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=1
	# attach again: br_netfilter may need packets to 127/8 now, so they get in as before hbpf
	hb attach br-test
	breaks datagrams
	holds from-loopback
	served
	hb attach br-test --guard
	sealed
	served
	hb attach br-test --no-guard
	breaks datagrams
	holds from-loopback
	# after detach it is as before
	hb detach
	setting all.route_localnet 1
	wide_open
}

@test "lo goes down while attached: nothing gets in, and everything works once it is up again" {
	serve_9999
	on_host ip link set lo down
	raw send to-loopback 9999 x
	on_host ip link set lo up
	hb attach br-test
	served
	sealed
}

@test "an address added to the host after attach is covered by the next attach" {
	serve_9999
	on_host ip addr add 172.30.0.77/24 dev br-test
	on_host ip addr add fd00:30::77/64 dev br-test nodad
	assault from-host
	# docs/SECURITY.md has this: for IPv4 the kernel has its own check, for IPv6 it has none
	prints '^out +from 172.30.0.77' '^in +from fd00:30::77'
	hb attach br-test
	holds from-host
}

@test "two namespaces with bridges of the same name: each has its own guard" {
	make_ns other
	in_ns other ip link add br-test type bridge
	in_ns other ip link set br-test up
	serve_9999
	in_ns other "$HBPF" attach br-test --port 9999
	in_ns other "$HBPF" detach
	served
	sealed
}
