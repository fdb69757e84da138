#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Errors (ENOMEM, EPERM, ENOSPC, EBUSY) from bpf(2), from writes to /proc/sys and from everything else
# that changes anything: the command fails with the cause in its message and rolls back, or did not
# need that call (tools/crash.py). By default a few calls of each command fail, evenly spread; with
# HBPF_INSTANTS=999, as in `make test-crash`, all of them, each with every error.
load lib

failing() {
	local summary
	remember
	summary=$(timeout 3600 /usr/bin/python3 "$E2E/tools/crash.py" fail "$1")
	echo "# $summary" >&3
	unchanged
}

@test "attach with tcx" { failing attach-tcx; }

@test "attach with clsact" { failing attach-clsact; }

@test "attach again with another port, gateway and --from" { failing attach-again; }

@test "attach again on clsact" { failing attach-again-clsact; }

@test "from tcx to clsact" { failing tcx-to-clsact; }

@test "from clsact to tcx" { failing clsact-to-tcx; }

@test "ports add" { failing ports-add; }

@test "ports del" { failing ports-del; }

@test "ports set" { failing ports-set; }

@test "detach from tcx" { failing detach-tcx; }

@test "detach from clsact" { failing detach-clsact; }
