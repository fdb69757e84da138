#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Bulk data: HBPF_TRANSFER GiB (10) to the client, a tenth of it back at the same time and over IPv6.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

# transfers GATEWAY ADDR BYTES BYTES: to and from the client
transfers() {
	local began sum
	start "bulk$2" "${PY[@]}" "$BATS_TEST_DIRNAME/tools/transfer.py" serve "$2:7000" "$3"
	up tcp 7000 "$2"
	began=$SECONDS
	exits 0 client "${PY[@]}" "$BATS_TEST_DIRNAME/tools/transfer.py" dial "$1:7000" "$4"
	figures "transfer $1: $3 bytes to the client, $4 from it, in $((SECONDS - began)) s"
	# its last line may come after the client's end
	eventually grep -q '^received' "$BED/bulk$2.log"
	sum='[0-9a-f]{64}'
	[[ $out =~ (^|$'\n')received\ ($3\ $sum)($|$'\n') ]]
	grep -qx "sent ${BASH_REMATCH[2]}" "$BED/bulk$2.log"
	[[ $out =~ (^|$'\n')sent\ ($4\ $sum)($|$'\n') ]]
	grep -qx "received ${BASH_REMATCH[2]}" "$BED/bulk$2.log"
}

@test "bulk data arrives intact, both ways at once" {
	local all=$((${HBPF_TRANSFER:-10} << 30))
	opens 7000/tcp
	transfers "$GW" 127.0.0.1 "$all" $((all / 10))
	transfers "[$GW6]" "[::1]" $((all / 10)) $((all / 100))
	carried 7000/tcp 1000
	closes 7000/tcp
}
