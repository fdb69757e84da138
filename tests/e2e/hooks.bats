#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# tcx and clsact, and other programs on the same hooks (docs/DESIGN.md, "State").
load lib

# witness: another program, which counts the packets it sees
witness() {
	mkdir "$HBPF_BPFFS/other"
	tool bpf witness "$HBPF_BPFFS/other"
}

witnessed() {
	tool bpf witnessed "$HBPF_BPFFS/other"
}

tcx_witness() {
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$HBPF_BPFFS/other" br-test "$1"
}

clsact_witness() {
	on_host tc qdisc add dev br-test clsact 2>/dev/null || true
	on_host tc filter add dev br-test "$1" prio 49152 protocol all \
		bpf da object-pinned "$HBPF_BPFFS/other/program"
}

programs() {
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test
	on_host tc filter show dev br-test ingress
	on_host tc filter show dev br-test egress
}

@test "auto uses tcx where the kernel has it, and leaves no qdisc" {
	need_tcx
	hb attach br-test --port 8088
	[ "$(in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | wc -l)" -eq 3 ]
	! on_host tc qdisc show dev br-test | grep clsact || fail "a clsact qdisc is there"
	exits 0 hb status
	prints tcx
}

@test "status lists what this kernel lacks, and nothing else" {
	local missing=()
	hb attach br-test --port 8088
	kernel_since 6.6 || missing+=(tcx)
	kernel_since 6.1 || missing+=(nat_bypass pinning)
	same "${missing[*]}" "$(hb status --json | jq -r '.bridges[0].missing | join(" ")')"
	exits 0 hb status
	if ((${#missing[@]})); then
		prints 'lacks tcx .Linux 6\.6.'
	else
		lacks 'kernel|lacks'
	fi
}

@test "--hook clsact creates a qdisc, and detach removes it" {
	before=$(programs)
	hb attach br-test --hook clsact --port 8088
	on_host tc qdisc show dev br-test | grep clsact
	on_host tc filter show dev br-test ingress | grep -q bpf
	on_host tc filter show dev br-test egress | grep -q bpf
	exits 0 hb status
	prints clsact
	hb detach
	! on_host tc qdisc show dev br-test | grep clsact || fail "the clsact qdisc stayed"
	same "$before" "$(programs)"
}

for_both_hooks() {
	local hook
	for hook in tcx clsact; do
		[ $hook = clsact ] || kernel_since 6.6 || continue
		export HOOK=$hook
		"$@"
	done
}

others_clsact_stay() {
	local before
	before=$(programs)
	attach --port 8088
	reaches svc tcp "$GW:8088"
	hb detach
	same "$before" "$(programs)"
	local n
	n=$(witnessed)
	misses ECONNREFUSED tcp "$GW:8088"
	[ "$(witnessed)" -gt "$n" ] || fail "the other's filter no longer runs"
}

@test "others' clsact filters survive attach and detach, with either hook" {
	serve svc --tcp 127.0.0.1:8088
	witness
	clsact_witness ingress
	clsact_witness egress
	for_both_hooks others_clsact_stay
	on_host tc qdisc show dev br-test | grep clsact
}

@test "others' tcx programs survive attach and detach, with either hook" {
	need_tcx
	serve svc --tcp 127.0.0.1:8088
	witness
	tcx_witness ingress
	tcx_witness egress
	for_both_hooks others_clsact_stay
}

@test "an empty clsact qdisc that others created survives" {
	on_host tc qdisc add dev br-test clsact
	hb attach br-test --hook clsact --port 8088
	hb detach
	on_host tc qdisc show dev br-test | grep clsact
}

@test "hbpf's qdisc stays where others added filters to it" {
	witness
	hb attach br-test --hook clsact --port 8088
	clsact_witness ingress
	hb detach
	on_host tc filter show dev br-test ingress | grep -q witness
}

@test "packets that are not hbpf's still pass through others' programs behind it" {
	need_tcx
	serve own --tcp "$GW:7777"
	witness
	for side in ingress egress; do tcx_witness "$side"; done
	hb attach br-test --hook tcx --port 8088
	n=$(witnessed)
	reaches own tcp "$GW:7777"
	[ "$(witnessed)" -ge $((n + 6)) ] || fail "saw only $n -> $(witnessed)"
}

@test "hbpf's tcx programs run before others', old and new" {
	need_tcx
	witness
	tcx_witness ingress
	hb attach br-test --hook tcx --port 8088
	first=$(in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | head -1)
	[[ "$first" != *witness* ]] || fail "$first"
}

@test "tcx: deleting every qdisc does not remove hbpf" {
	need_tcx
	serve svc --tcp 127.0.0.1:8088
	hb attach br-test --hook tcx --port 8088
	on_host tc qdisc add dev br-test clsact
	on_host tc qdisc del dev br-test clsact
	reaches svc tcp "$GW:8088"
}

@test "clsact: status reports a deleted qdisc, and attach repairs it" {
	serve svc --tcp 127.0.0.1:8088
	hb attach br-test --hook clsact --port 8088
	on_host tc qdisc del dev br-test clsact
	exits 1 hb status
	prints '^br-test: broken: its programs are not attached'
	hb attach br-test
	reaches svc tcp "$GW:8088"
	hb detach
	! on_host tc qdisc show dev br-test | grep clsact || fail "the clsact qdisc stayed"
}

@test "changing the hook does not break an open connection" {
	need_tcx
	hb attach br-test --hook tcx --port 8088
	scene survives 127.0.0.1:8088 "$GW:8088" "$HBPF" attach br-test --hook clsact
	same "" "$(in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | grep -v hbpf_backstop)"
	scene survives 127.0.0.1:8088 "$GW:8088" "$HBPF" attach br-test --hook tcx
	[ -z "$(on_host tc filter show dev br-test ingress)$(on_host tc filter show dev br-test egress)" ]
}

@test "changing the hook removes hbpf's own qdisc immediately, not only at detach" {
	need_tcx
	remember
	hb attach br-test --hook clsact --port 8088
	hb attach br-test --hook tcx
	! on_host tc qdisc show dev br-test | grep clsact || fail "the clsact qdisc stayed"
	hb detach
	unchanged
}

@test "tcx in use: no qdisc is recorded, and one that others create later survives" {
	hb attach br-test --port 8088
	on_host tc qdisc add dev br-test clsact
	hb detach
	on_host tc qdisc show dev br-test | grep clsact
}

@test "changing the hook twice, then detach: nothing is left" {
	need_tcx
	remember
	hb attach br-test --hook clsact --port 8088
	hb attach br-test --hook tcx
	hb attach br-test --hook clsact
	hb detach
	unchanged
	hb attach br-test --hook clsact --port 8088
	hb attach br-test --hook tcx
	hb detach
	unchanged
}

@test "attach without --hook keeps the one in use" {
	hb attach br-test --hook clsact --port 8088
	hb attach br-test --port 9000
	on_host tc filter show dev br-test ingress | grep -q bpf
	same "" "$(in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | grep -v hbpf_backstop)"
}

@test "a deleted bridge leaves a dead link: status reports it, attach to the new bridge repairs it" {
	need_tcx
	serve svc --tcp 127.0.0.1:8088
	hb attach br-test --hook tcx --port 8088
	drop_client c1
	on_host ip link del br-test
	exits 0 hb status
	prints 'br-test' 'deleted'
	make_bridge br-test 30
	make_client c1 2
	hb attach br-test
	reaches svc tcp "$GW:8088"
	hb detach
	setting lo.route_localnet 0
}
