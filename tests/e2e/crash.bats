#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Commands killed (SIGKILL) before each system call that changes anything: the guard is on wherever
# route_localnet is, other ports keep working, and the next command repairs the rest
# (docs/DESIGN.md, "Host settings"; tools/crash.py). By default this is tried at a few instants of
# each command, evenly spread; with HBPF_INSTANTS=999, as in `make test-crash`, at all of them.
load lib

# crash MODE STORY: runs tools/crash.py and prints its summary
crash() {
	local summary
	summary=$(timeout 1200 /usr/bin/python3 "$E2E/tools/crash.py" "$@")
	echo "# $summary" >&3
}

killed() {
	remember
	crash kill "$1"
	unchanged
}

@test "attach with tcx, killed at any instant" { killed attach-tcx; }

@test "attach with clsact, killed at any instant" { killed attach-clsact; }

@test "attach with the NAT bypass, killed at any instant" {
	hb attach br-test --nat-bypass on >"$BED/log" 2>&1 || skip "this kernel has no NAT bypass"
	hb detach
	killed attach-nat-bypass
}

@test "attach again with another port, gateway and --from, killed at any instant" {
	killed attach-again
}

@test "attach again on clsact, killed at any instant" { killed attach-again-clsact; }

@test "from tcx to clsact, killed at any instant" { killed tcx-to-clsact; }

@test "from clsact to tcx, killed at any instant" { killed clsact-to-tcx; }

@test "ports add, killed at any instant" { killed ports-add; }

@test "ports del, killed at any instant" { killed ports-del; }

@test "ports set, killed at any instant" { killed ports-set; }

@test "detach from tcx, killed at any instant" { killed detach-tcx; }

@test "detach from clsact, killed at any instant" { killed detach-clsact; }

# Stopped while the bridge is renamed, deleted, re-created or replaced
changed_world() {
	HBPF_INSTANTS=${HBPF_INSTANTS:-8} crash world "$1"
}

@test "attach with tcx, while the bridge is renamed, deleted, re-created or replaced at any instant" {
	changed_world attach-tcx
}

@test "attach with clsact, while the bridge changes at any instant" { changed_world attach-clsact; }

@test "attach again, while the bridge changes at any instant" { changed_world attach-again; }

@test "detach from tcx, while the bridge changes at any instant" { changed_world detach-tcx; }

@test "detach from clsact, while the bridge changes at any instant" { changed_world detach-clsact; }

@test "commands are killed at every kind of call that could change anything" {
	local story
	for story in attach-nat-bypass attach-again clsact-to-tcx ports-del ports-set detach-clsact; do
		/usr/bin/python3 "$E2E/tools/crash.py" calls $story >"$BED/log"
	done
}
