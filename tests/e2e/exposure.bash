# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Helpers to test whether a packet to 127.0.0.1 gets in, for tests that remove what hbpf relies on.

# Each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031

# a service that is not exported, on port 9998, for shot
victim() {
	serve hidden --udp 127.0.0.1:9998
	serve svc --tcp 127.0.0.1:8088
	serve fence --udp "$GW:5400"
}

# shot: the client sends to the service on 127.0.0.1; when this returns the packet was handled
shot() {
	export RAW_BRIDGE=br-test
	! on_host test -e /proc/sys/net/ipv4/conf/br-lan || RAW_BRIDGE=br-lan
	: >"$BED/hidden.log"
	raw send to-loopback 9998 to-loopback
	reaches fence udp "$GW:5400"
}

closed() {
	shot
	unheard hidden to-loopback
}

opened() {
	shot
	heard hidden to-loopback
}

rename() {
	on_host ip link set "$1" name "$2"
}

# each_hook COMMAND...: runs it with tcx and with clsact
each_hook() {
	for HOOK in tcx clsact; do
		[ "$HOOK" = clsact ] || kernel_since 6.6 || continue
		"$@"
	done
}
