#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A bridge is identified by its index: it may be renamed, and its name given to another bridge, while
# it is attached and while a command runs.
load lib
load watch
load exposure

@test "control: without hbpf an open bridge lets packets to 127.0.0.1 in, under any name" {
	victim
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	rename br-test br-lan
	opened
}

detached_by() {
	local name
	for name in br-test br-lan --all; do
		attach --port 8088
		rename br-test br-lan
		reaches svc tcp "$GW:8088"
		closed
		exits 0 hb detach "$name"
		setting br-lan.route_localnet 0
		closed
		rename br-lan br-test
		unchanged
	done
}

@test "a renamed bridge: its port works, and detach by either name, or --all, closes and restores" {
	victim
	remember
	each_hook detached_by
}

@test "status, bridges and ports show both names of a renamed bridge" {
	attach --port 8088
	exits 0 hb status --json
	json '.bridges[0] | .bridge == "br-test" and .attached_as == "br-test"'
	rename br-test br-lan
	exits 0 hb status
	prints '^br-lan \(attached as br-test\): warning: nothing listens for 8088/tcp'
	lacks 'dead|deleted'
	exits 0 hb status br-test
	prints '^br-test is br-lan' '^br-lan'
	exits 0 hb status br-lan --json
	json '.bridges[0] | .bridge == "br-lan" and .attached_as == "br-test" and .live'
	exits 0 hb interfaces
	prints '^br-lan .*yes \(attached as br-test\)'
	exits 0 hb interfaces --json
	json '.bridges[0] | .bridge == "br-lan" and .attached_as == "br-test" and .live'
	exits 0 hb ports list
	prints '^br-lan$' '8088'
	exits 0 hb ports add 9000 -b br-test
	exits 0 hb ports add 9001 -b br-lan
	exits 0 hb status br-lan --json
	json '.bridges[0].ports | length == 3'
}

attached_again() {
	attach --port 8088
	rename br-test br-lan
	hb attach br-lan --port 9000
	reaches svc tcp "$GW:8088"
	exits 0 hb status --json
	json '.bridges | length == 1 and .[0].attached_as == "br-lan"'
	hb detach
	setting br-lan.route_localnet 0
	closed
	rename br-lan br-test
	unchanged
}

@test "attach under the new name is a refresh, and detach restores the original value" {
	victim
	remember
	each_hook attached_again
}

@test "attach by the old name refreshes the renamed bridge" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	rename br-test br-lan
	exits 0 hb attach br-test --port 9000
	prints '^br-test is br-lan'
	reaches svc tcp "$GW:8088"
}

new_under_old_name() {
	attach --port 8088
	rename br-test br-lan
	make_bridge br-test 31
	make_client c2 2 br-test 31
	exits 0 hb status br-lan
	exits 1 hb detach br-test
	says 'br-test is not attached' 'attached: br-lan'
	NS=c2 misses ECONNREFUSED tcp 172.31.0.1:8088
	setting br-test.route_localnet 0
	hb attach br-test --hook "$HOOK" --port 8088
	NS=c2 reaches svc tcp 172.31.0.1:8088
	reaches svc tcp "$GW:8088"
	exits 0 hb status --json
	json '[.bridges[] | [.bridge, .live]] == [["br-lan", true], ["br-test", true]]'
	# found by exactly its present name
	hb detach br-test
	setting br-test.route_localnet 0
	setting br-lan.route_localnet 2
	reaches svc tcp "$GW:8088"
	hb detach
	drop_client c2
	on_host ip link del br-test
	rename br-lan br-test
	unchanged
}

@test "a new bridge under the old name is closed until it is attached, with its own state" {
	serve svc --tcp 127.0.0.1:8088
	remember
	each_hook new_under_old_name
}

@test "two bridges that swap their names keep their own ports and old values" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	make_bridge br-two 31
	make_client c2 2 br-two 31
	on_host sysctl -qw net.ipv4.conf.br-two.route_localnet=1
	hb attach br-test --port 8088
	hb attach br-two --port 9000
	rename br-test br-x
	rename br-two br-test
	rename br-x br-two
	hb ports add 80:8088 -b br-two
	reaches svc tcp "$GW:8088"
	reaches svc tcp "$GW:80"
	NS=c2 reaches svc tcp 172.31.0.1:9000
	NS=c2 misses ECONNREFUSED tcp 172.31.0.1:80
	hb detach --all
	setting br-two.route_localnet 0
	setting br-test.route_localnet 1
	[ ! -e "$HBPF_BPFFS/hbpf" ]
}

@test "a bridge renamed to a deleted one's name keeps its state, and the deleted one's is removed" {
	serve svc --tcp 127.0.0.1:8088
	make_bridge br-old 31
	hb attach br-old --port 9000
	attach --port 8088
	on_host ip link del br-old
	rename br-test br-old
	exits 0 hb ports add 80:8088 -b br-old
	reaches svc tcp "$GW:80"
	exits 0 hb status --json
	json '.bridges | length == 1 and (.[0].ports | length == 2)'
	hb detach
	setting br-old.route_localnet 0
	[ ! -e "$HBPF_BPFFS/hbpf" ]
}

watched() {
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	rename br-test br-lan
	eventually logged 'br-lan: detached, as it was renamed'
	setting br-lan.route_localnet 0
	closed
	exits 0 hb status
	prints 'no interface is attached'
	rename br-lan br-test
	eventually reaches svc tcp "$GW:8088"
	end_watch
	hb detach
}

@test "watch: a declared bridge is closed when it is renamed, and served again under its name" {
	victim
	each_hook watched
}

@test "watch: a renamed bridge that is declared under its new name is not interrupted" {
	serve svc --tcp 127.0.0.1:8088
	declare_conf <<-EOF
		[br-test]
		ports = 8088
		[br-lan]
		ports = 8088
	EOF
	watch
	eventually reaches svc tcp "$GW:8088"
	rename br-test br-lan
	eventually status_is '.attached_as == "br-lan"' br-lan
	reaches svc tcp "$GW:8088"
	unlogged 'detached'
}

# ---- during a command

# meanwhile N COMMAND...: attach, and run the command just before attach opens the bridge's
# route_localnet for the N-th time. Leaves attach's exit code in $code
meanwhile() {
	local nth=$1 log=$BED/strace
	shift
	: >"$log"
	in_ns host strace -o "$log" -P /proc/sys/net/ipv4/conf/br-test/route_localnet \
		-e inject=openat:delay_enter=3s:when="$nth" \
		"$HBPF" attach br-test --hook "$HOOK" --port 8088 >"$BED/out" 2>"$BED/err" &
	eventually at_call "$log" "$nth"
	"$@"
	code=0
	wait $! || code=$?
}

# at_call LOG N: strace logs a call's beginning before it delays it
at_call() {
	[ "$(grep -c openat "$1")" -ge "$2" ]
}

again() {
	on_host ip link del br-test
	make_bridge br-test 30
	on_host ip link set veth-c1 master br-test
}

recreated() {
	local nth
	for nth in 1 2 3; do
		meanwhile "$nth" again
		[ "$code" = 1 ] || fail "call $nth: attach exits $code" "$(<"$BED/out")"
		setting br-test.route_localnet 0
		closed
		unchanged
	done
}

@test "deleted and re-created during attach: attach fails and rolls back, and the new one is closed" {
	victim
	remember
	each_hook recreated
}

renamed() {
	local nth
	for nth in 1 2 3; do
		meanwhile "$nth" rename br-test br-lan
		[ "$code" = 0 ] || fail "call $nth: attach exits $code" "$(<"$BED/err")"
		reaches svc tcp "$GW:8088"
		closed
		setting br-lan.route_localnet 2
		hb detach br-lan
		setting br-lan.route_localnet 0
		rename br-lan br-test
		unchanged
	done
}

@test "renamed during attach: the renamed bridge is served, and detach restores" {
	victim
	remember
	each_hook renamed
}

swapped() {
	rename br-test br-lan
	rename br-other br-test
}

@test "its name given to another bridge during attach: that bridge is not touched" {
	victim
	make_bridge br-other 31
	for nth in 1 2 3; do
		meanwhile "$nth" swapped
		[ "$code" = 0 ] || fail "call $nth: attach exits $code" "$(<"$BED/err")"
		setting br-test.route_localnet 0
		setting br-lan.route_localnet 2
		reaches svc tcp "$GW:8088"
		hb detach --all
		rename br-test br-other
		rename br-lan br-test
		setting br-test.route_localnet 0
	done
}
