#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Pinned state: other versions, leftovers, kills at any instant, concurrent commands (docs/DESIGN.md,
# "Host settings" and "State").
load lib

@test "attach is idempotent: a second one changes nothing" {
	attach --port 8088 --port 80:8080 --from onlink
	remember
	attach
	unchanged
	exits 0 hb ports list
	prints 8088 8080
}

@test "attach again: --port opens more ports and keeps the open ones" {
	make_client c2 3
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088 --from 172.30.0.2/32
	attach --port 9000
	reaches svc tcp "$GW:8088"
	reaches svc tcp "$GW:9000"
	NS=c2 misses ECONNREFUSED tcp "$GW:9000"
}

@test "state of another layout version: every command reports it and changes nothing" {
	attach --port 8088
	remember
	tool bpf write "$(pin_dir br-test)/bridge_config" 0 63000000
	for command in "attach br-test" "ports add 9000" "ports list" "ports del 8088"; do
		# shellcheck disable=SC2086 # several words
		exits 1 hb $command
		says 'layout 99' 'hbpf detach br-test'
		unchanged
	done
	exits 0 hb detach br-test || exits 0 hb detach --all
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
	attach --port 8088
}

@test "another layout: detach removes the clsact qdisc that hbpf created, and no other" {
	remember
	hb attach br-test --hook clsact --port 8088
	tool bpf write "$(pin_dir br-test)/bridge_config" 0 63000000
	hb detach
	unchanged
	on_host tc qdisc add dev br-test clsact
	remember
	hb attach br-test --hook clsact --port 8088
	tool bpf write "$(pin_dir br-test)/bridge_config" 0 63000000
	hb detach
	unchanged
}

@test "another layout on one bridge: ports and status still show the other bridge, and exit 1" {
	make_bridge br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000
	tool bpf write "$(pin_dir br-test)/bridge_config" 0 63000000
	for command in ports "ports list" status; do
		# shellcheck disable=SC2086 # several words
		exits 1 hb $command
		prints '9000/tcp'
		reports 'br-test.*layout 99' 'hbpf detach br-test'
		# shellcheck disable=SC2086 # several words
		exits 1 hb $command --json
		json '[.bridges[] | [.bridge, (.problem // "" | test("layout 99")),
			([.ports[]?.gateway_port] == [9000])]]
			== [["br-test", true, false], ["br-two", false, true]]'
	done
	exits 0 hb ports list -b br-two
}

# netns_inode NAME
netns_inode() {
	stat -Lc %i "/run/netns/$1"
}

@test "a new namespace with the inode number of a deleted one does not use its state" {
	make_ns other
	in_ns other ip link add br-test type bridge
	in_ns other "$HBPF" attach br-test --hook "$HOOK" --port 9000
	inode=$(netns_inode other)
	left=$HBPF_BPFFS/hbpf/$inode/br-test
	[ -e "$left/bridge_config" ]
	in_ns other ip link del br-test # and with it the programs
	ip netns del other
	# The lowest free number is used, and the deleted one's becomes free with some delay: keep the
	# namespaces that did not get it.
	for ((i = 0; i < 50; i++)); do
		ip netns add "next$i"
		[ "$(netns_inode "next$i")" != "$inode" ] || break
		sleep 0.1
	done
	[ "$i" -lt 50 ] || skip "no new namespace got the inode number of the dead one"
	[ -e "$left/bridge_config" ] || fail "the state was removed already: nothing is tested"

	in_ns "next$i" ip link set lo up
	in_ns "next$i" ip link add br-test type bridge
	exits 0 in_ns "next$i" "$HBPF" status
	prints 'no interface is attached'
	exits 0 in_ns "next$i" "$HBPF" ports
	prints 'no interface is attached'
	exits 1 in_ns "next$i" "$HBPF" ports add 8088
	says 'no interface is attached'
	in_ns "next$i" "$HBPF" attach br-test --hook "$HOOK" --port 8088
	exits 0 in_ns "next$i" "$HBPF" ports
	prints 8088
	lacks 9000
	in_ns "next$i" "$HBPF" detach
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "a bridge re-created under the same name: nothing works until attach, then everything" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088
	drop_client c1
	on_host ip link del br-test
	make_bridge br-test 30
	make_client c1 2
	setting br-test.route_localnet 0
	misses ECONNREFUSED tcp "$GW:8088"
	exits 0 hb ports add 9000
	says 'br-test' 'hbpf attach br-test'
	attach
	reaches svc tcp "$GW:8088"
	reaches svc tcp "$GW:9000"
	hb detach
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
}

@test "detach cleans up after a bridge that was deleted while attached" {
	before_lo=$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv4\.conf\.lo\.')
	attach --port 8088
	on_host ip link del br-test
	exits 0 hb detach br-test
	same "$before_lo" "$(on_host sysctl -a 2>/dev/null | grep '^net\.ipv4\.conf\.lo\.')"
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "two namespaces with bridges of the same name share a bpffs and nothing else" {
	make_ns other
	in_ns other ip link add br-test type bridge
	in_ns other ip link set br-test up
	in_ns other ip addr add 172.30.0.1/24 dev br-test
	attach --port 8088
	in_ns other "$HBPF" attach br-test --port 9000
	exits 0 hb ports list
	prints 8088
	lacks 9000
	in_ns other "$HBPF" detach
	exits 0 hb ports list
	prints 8088
	hb detach
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "twenty concurrent ports add give the same result as twenty in a row" {
	attach
	scene twenty-at-once 9001
	exits 0 hb ports list
	prints '9001-9020'
}

@test "concurrent attach, ports, detach and status: serial results, nothing half done" {
	remember
	scene twenty-mixed br-test
	hb detach --all
	unchanged
}

@test "a command waits for the lock that another one holds" {
	attach
	exits 124 flock "$HBPF_BPFFS/hbpf" timeout 1 nsenter --net=/run/netns/host "$HBPF" ports add 8088
	hb ports add 8088
}

nobody() {
	setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

@test "a lock that an unprivileged user holds on the bpffs blocks no command" {
	[ "$(stat -c %a "$HBPF_BPFFS")" = 1777 ] # every user can open it
	attach --port 8088
	# not by nobody(), a shell function, whose PID would be another
	setpriv --reuid nobody --regid nogroup --clear-groups flock -F "$HBPF_BPFFS" sleep 60 3>&- &
	echo $! >>"$BED/pids"
	eventually grep -q FLOCK /proc/locks
	! nobody flock -n "$HBPF_BPFFS/hbpf" true 2>/dev/null || fail "nobody can lock hbpf's own"
	exits 0 on_host timeout 5 "$HBPF" ports add 9000
	exits 0 on_host timeout 5 "$HBPF" status
	exits 0 on_host timeout 5 "$HBPF" detach
	[ ! -e "$HBPF_BPFFS/hbpf" ]
}

@test "directories that other users own or can write are refused, and nothing is attached" {
	local mine bad command whose
	mine=$(dirname "$(pin_dir br-test)")

	remember
	for bad in "$HBPF_BPFFS/hbpf" "$mine" "$mine/lo" "$mine/maps:1" "$mine/br-test"; do
		nobody mkdir -p -m 0755 "$mine/br-test" "$mine/lo" "$mine/maps:1"
		chown root "$HBPF_BPFFS/hbpf" "$mine" "$mine"/*
		chmod 0700 "$HBPF_BPFFS/hbpf" "$mine" "$mine"/*
		for whose in 'chown nobody' 'chmod 0770'; do
			$whose "$bad"
			for command in 'attach br-test --port 8088' 'ports add 9000' 'detach --all' status; do
				# shellcheck disable=SC2086 # several words
				exits 1 hb $command
				says "directory $bad belongs to user $(stat -c %u "$bad")" \
					"mode $(stat -c %04a "$bad")" 'rm -r' 'mode=0700'
			done
			chown root "$bad"
			chmod 0700 "$bad"
		done
		setting br-test.route_localnet 0
		rm -r "$HBPF_BPFFS/hbpf"
		unchanged
	done
	# the same with root as owner, and a mode that lets others read
	mkdir -m 0755 "$HBPF_BPFFS/hbpf"
	attach --port 8088
	[ "$(stat -c %a "$HBPF_BPFFS/hbpf")" = 700 ]
	hb detach
	unchanged
}

@test "a bpffs whose root directory lets other users replace entries is refused" {
	local bad

	for bad in 'chmod 0777' 'chmod 0770' 'chown nobody'; do
		$bad "$HBPF_BPFFS"
		exits 1 attach --port 8088
		says "bpffs $HBPF_BPFFS belongs to user .* has mode" 'mode=0700'
		chmod 1777 "$HBPF_BPFFS"
		chown root "$HBPF_BPFFS"
	done
	setting br-test.route_localnet 0
	attach --port 8088
}

# writes_to_pipe PID: the process waits for the reader of a pipe
writes_to_pipe() {
	grep -q pipe "/proc/$1/wchan"
}

# stalled_pager: opens fd 8 to a pipe whose reader does not read
stalled_pager() {
	mkfifo "$BED/pager"
	exec 7<>"$BED/pager"
	# fill it
	dd if=/dev/zero of=/dev/fd/7 oflag=nonblock bs=4096 count=1000 2>/dev/null || true
	exec 8>"$BED/pager" # blocking
}

@test "a report whose reader stalls blocks no other command" {
	local command

	attach --port 8088
	stalled_pager
	for command in status 'status --json' bridges 'ports list' 'ports add 9000' \
		'ports add 9000 --json' 'attach br-test --port 9002' 'detach br-two'; do
		[ "$command" != 'detach br-two' ] || attach_two
		# shellcheck disable=SC2086 # several words
		nsenter --net=/run/netns/host "$HBPF" $command >&8 3>&- &
		echo $! >>"$BED/pids"
		eventually writes_to_pipe $!
	done
	exits 0 on_host timeout 5 "$HBPF" ports add 9001
	exits 0 hb ports list
	prints 8088 9000-9002
	exec 7>&- 8>&-
}

attach_two() {
	make_bridge br-two 31
	hb attach br-two --hook "$HOOK"
}

@test "a long report whose reader stalls blocks no other command" {
	local command

	attach --port 10000-19999
	exits 0 hb ports list --json
	[ "$(stat -c %s "$BED/out")" -gt $((1 << 20)) ]
	stalled_pager
	for command in 'ports list --json' 'status --json' 'ports add 9000 --json'; do
		# shellcheck disable=SC2086 # several words
		nsenter --net=/run/netns/host "$HBPF" $command >&8 3>&- &
		echo $! >>"$BED/pids"
		eventually writes_to_pipe $!
	done
	exits 0 on_host timeout 10 "$HBPF" ports add 9001
	# nor one that does not read stderr, where -v prints what was found under the lock
	on_host ip link del br-test
	make_bridge br-test 30
	nsenter --net=/run/netns/host "$HBPF" -v attach br-test 2>&8 >/dev/null 3>&- &
	echo $! >>"$BED/pids"
	eventually writes_to_pipe $!
	exits 0 on_host timeout 10 "$HBPF" detach
	exec 7>&- 8>&-
}

# The invariant: where route_localnet is on, the guard is on the bridge.
guarded() {
	[ "$(sysctl_of br-test.route_localnet)" = 0 ] ||
		in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test | grep -q ingress ||
		on_host tc filter show dev br-test ingress | grep -q bpf ||
		fail "route_localnet is on without the guard"
}

# The system calls that change anything
CHANGES=bpf,write,pwrite64,openat,mkdir,mkdirat,unlink,unlinkat,rmdir,mount,sendto,sendmsg

# killed_at_each COMMAND...: runs it and kills it at some instants, evenly spread; runs $prepare
# before each and $judge after. HBPF_INSTANTS=999 tries every one, which takes minutes.
killed_at_each() {
	local total step n instants=${HBPF_INSTANTS:-20}

	"$prepare"
	on_host strace -f -o "$BED/strace" -e trace="$CHANGES" "$HBPF" "$@" >"$BED/log"
	total=$(grep -c '(' "$BED/strace")
	hb detach --all >"$BED/log"
	step=$(((total + instants - 1) / instants))
	for ((n = 1; n <= total; n += step)); do
		"$prepare"
		on_host strace -f -o "$BED/strace" -e trace="$CHANGES" \
			-e inject=$CHANGES:signal=KILL:when="$n" "$HBPF" "$@" >"$BED/log" 2>&1 || true
		guarded
		"$judge" || fail "killed at call $n of $total, $(tail -3 "$BED/strace")"
	done
}

nothing_attached() {
	:
}

is_attached() {
	attach --port 8088 >"$BED/log"
}

second_attach_repairs() {
	attach --port 8088 >"$BED/log" && reaches svc tcp "$GW:8088" &&
		hb detach >"$BED/log" && unchanged
}

detach_cleans() {
	hb detach --all >"$BED/log" && unchanged
}

@test "attach killed at any instant: guarded, and a second attach repairs it" {
	serve svc --tcp 127.0.0.1:8088
	remember
	prepare=nothing_attached judge=second_attach_repairs
	killed_at_each attach br-test --hook tcx --port 8088
}

@test "attach killed at any instant: guarded, and detach cleans up" {
	remember
	prepare=nothing_attached judge=detach_cleans
	killed_at_each attach br-test --hook clsact --port 8088
}

@test "detach killed at any instant: guarded, and a second detach cleans up" {
	remember
	prepare=is_attached judge=detach_cleans
	killed_at_each detach br-test
}

@test "detach killed at any instant: an attach repairs it" {
	serve svc --tcp 127.0.0.1:8088
	remember
	prepare=is_attached judge=second_attach_repairs
	killed_at_each detach br-test
}

@test "ports set killed at any instant: the port that stays works, and the next set succeeds" {
	serve svc --tcp 127.0.0.1:8088
	remember
	prepare=is_attached judge=set_is_right
	killed_at_each ports set 8088 9000-9010
}

set_is_right() {
	reaches svc tcp "$GW:8088" && hb ports set 8088 >"$BED/log" &&
		hb ports list >"$BED/log" && ! grep -q 90 "$BED/log" && hb detach >"$BED/log"
}

@test "leftovers: a state directory without its config" {
	serve svc --tcp 127.0.0.1:8088
	remember
	attach --port 8088
	rm "$(pin_dir br-test)/bridge_config"
	attach --port 8088
	reaches svc tcp "$GW:8088"
	hb detach
	unchanged
}
