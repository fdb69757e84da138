#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Removing hbpf's programs or its state opens nothing, thanks to the backstop: a second guard that
# does not depend on pins (Linux 6.6).
load lib
load exposure
load watch

setup() {
	need_tcx
	bed_up
}

on_bridge() {
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | grep -q "$1"
}

no_program() {
	! on_bridge "$1"
}

# lose_bpffs: unmounts the bpffs, as a user or another tool may
lose_bpffs() {
	umount "$HBPF_BPFFS"
	mount -t bpf -o mode=0700 bpf "$HBPF_BPFFS"
	# the kernel frees links later
	eventually no_program hbpf_ingress
}

remove_backstop() {
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" backstop-detach br-test
}

@test "control: without the backstop, an unmounted bpffs opens loopback; status says EXPOSED" {
	victim
	remember
	attach --port 8088
	remove_backstop
	closed
	exits 0 hb status
	prints 'backstop.* is missing' 'hbpf attach br-test'
	lose_bpffs
	opened
	exits 1 hb status
	prints '^br-test: broken: EXPOSED' 'hbpf detach br-test'
	exits 1 hb status br-test --json
	json '.bridges[0] | .exposed and .lost'
	exits 0 hb detach br-test
	closed
	setting br-test.route_localnet 0
	exits 0 hb status
	prints 'no interface is attached'
}

lost_and_detached() {
	local how
	for how in br-test --all ''; do
		attach --port 8088
		reaches svc tcp "$GW:8088"
		closed
		lose_bpffs
		closed
		exits 1 hb status
		prints '^br-test: broken: guard only' 'hbpf detach br-test'
		exits 1 hb status --json
		json '.bridges[0] | .lost and (.exposed | not) and (.live | not)'
		# shellcheck disable=SC2086
		exits 0 hb detach $how
		unchanged
	done
}

@test "an unmounted bpffs opens nothing, status says so, and detach restores the host" {
	victim
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	remember
	lost_and_detached
}

@test "with HBPF_BPFFS permanently unmounted status still finds the bridge, and detach restores it" {
	victim
	remember
	attach --port 8088
	umount "$HBPF_BPFFS"
	eventually no_program hbpf_ingress
	closed
	exits 1 hb status
	prints '^br-test: broken: guard only' 'hbpf detach br-test'
	says 'is not a mounted bpffs'
	exits 1 hb status br-test --json
	json '.bridges[0].lost'
	exits 1 hb status br-other
	says 'is not a mounted bpffs'
	exits 0 hb detach br-test
	# with nothing left to find, status reports no more
	exits 1 hb detach --all
	says 'is not a mounted bpffs'
	mount -t bpf -o mode=0700 bpf "$HBPF_BPFFS"
	unchanged
	closed
}

# other COMMAND...: hbpf with another bpffs
other() {
	HBPF_BPFFS=$BED/other hb "$@"
}

@test "a bridge with its state in another bpffs is shown, and detach leaves it alone and says why" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	mkdir "$BED/other"
	mount -t bpf -o mode=0700 bpf "$BED/other"
	exits 1 other status
	prints '^br-test: broken: attached, but its state is in another bpffs'
	exits 1 other detach br-test
	says 'state is in another bpffs' 'HBPF_BPFFS'
	umount "$BED/other"
	exits 1 other detach --all
	says 'is not a mounted bpffs'
	reaches svc tcp "$GW:8088"
	exits 0 hb detach br-test
}

@test "clsact: an unmounted bpffs opens nothing, and only the empty qdisc stays after detach" {
	victim
	remember
	attach --hook clsact --port 8088
	lose_bpffs
	closed
	exits 1 hb status
	prints '^br-test: broken: guard only' 'hbpf detach br-test'
	exits 0 hb detach
	on_host tc qdisc del dev br-test clsact
	unchanged
}

@test "after an unmount of the bpffs attach starts over, and detach restores the original values" {
	victim
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	make_bridge br-two 31
	remember
	attach --port 8088
	hb attach br-two
	lose_bpffs
	attach --port 8088
	reaches svc tcp "$GW:8088"
	exits 1 hb status
	prints '^br-two +broken +guard only' '^br-test +ok +1$'
	hb detach br-test
	setting br-two.route_localnet 2
	hb detach br-two
	unchanged
}

@test "removed pins open nothing" {
	victim
	remember
	attach --port 8088
	rm -r "$HBPF_BPFFS/hbpf"
	eventually no_program hbpf_ingress
	closed
	exits 1 hb status
	prints '^br-test: broken: guard only'
	hb detach
	unchanged
}

detached_without() {
	local pins

	pins=$(pin_dir br-test)
	attach --port 8088
	# shellcheck disable=SC2086 # a pattern
	rm -r "${pins:?}"/$1
	closed
	exits 0 hb detach br-test
	on_host tc qdisc del dev br-test clsact 2>/dev/null || true # its owner is not known any more
	closed
	unchanged
}

@test "removed pins of old settings: detach restores the host, and opens nothing" {
	victim
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	remember
	each_hook detached_without settings
	each_hook detached_without '*'
	each_hook detached_without ../lo
}

@test "an attach that fails after the state was lost opens nothing" {
	local gateways=() i

	for i in {1..4096}; do
		gateways+=(--gateway "10.9.$((i / 128)).$((i % 128))")
	done
	victim
	remember
	attach --port 8088
	lose_bpffs
	closed
	exits 1 attach --port 8088 "${gateways[@]}"
	says 'more than the 4096'
	closed
	hb detach --all
	unchanged
}

@test "a detached or removed link opens nothing, and attach repairs it" {
	victim
	remember
	attach --port 8088
	tool bpf link-detach "$(pin_dir br-test)/link_ingress"
	closed
	exits 1 hb status --json
	json '.bridges[0] | (.exposed | not) and .backstop and (.live | not)'
	attach
	reaches svc tcp "$GW:8088"
	rm "$(pin_dir br-test)"/link_*
	eventually no_program hbpf_ingress
	closed
	attach
	reaches svc tcp "$GW:8088"
	hb detach
	unchanged
}

@test "clsact: a deleted qdisc or filter opens nothing" {
	victim
	remember
	HOOK=clsact attach --port 8088
	on_host tc filter del dev br-test ingress
	closed
	on_host tc qdisc del dev br-test clsact
	closed
	exits 1 hb status
	prints '^br-test: broken: its programs are not attached'
	HOOK=clsact attach
	reaches svc tcp "$GW:8088"
	hb detach
	unchanged
}

@test "an attached bridge is exposed where guard and backstop are both removed" {
	victim
	attach --port 8088
	tool bpf link-detach "$(pin_dir br-test)/link_ingress"
	remove_backstop
	opened
	exits 1 hb status
	prints 'EXPOSED' 'hbpf attach br-test'
	attach
	closed
	on_bridge hbpf_backstop
}

@test "the backstop counts what it drops, with every kind of packet the guard drops" {
	attach --port 8088
	tool bpf link-detach "$(pin_dir br-test)/link_ingress"
	holds to-loopback
	holds from-loopback
	holds datagrams broadcast q q-ad-q
	counted IN_GUARD_DST
	counted IN_GUARD_SRC
	counted IN_GUARD_VLAN
}

@test "another program that returns PASS behind hbpf does not bypass the backstop" {
	victim
	attach --port 8088
	mkdir "$BED/bpf/other"
	tool bpf witness "$BED/bpf/other" 0
	on_host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$BED/bpf/other" br-test ingress
	attach
	tool bpf link-detach "$(pin_dir br-test)/link_ingress"
	closed
}

@test "watch attaches a missing backstop again" {
	victim
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	remove_backstop
	on_host ip link set br-test alias "what makes it look"
	eventually on_bridge hbpf_backstop
}

@test "the guard's cookie reaches the programs behind it, so that the backstop can skip the packet" {
	local first
	serve fence --udp "$GW:5400"
	attach --port 8088
	mkdir "$BED/bpf/other"
	tool bpf cookie "$BED/bpf/other"
	on_host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$BED/bpf/other" br-test ingress
	reaches fence udp "$GW:5400"
	first=$(tool bpf witnessed "$BED/bpf/other")
	# its lowest bit is always set; the number is too large for bash
	[[ $first =~ ^[0-9]{8,}[13579]$ ]] || fail "no cookie: $first"
	reaches fence udp "$GW:5400"
	same "$first" "$(tool bpf witnessed "$BED/bpf/other")"
	# control: without the guard there is no cookie
	tool bpf link-detach "$(pin_dir br-test)/link_ingress"
	reaches fence udp "$GW:5400"
	[ "$first" != "$(tool bpf witnessed "$BED/bpf/other")" ]
}
