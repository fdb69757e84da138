#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# tests/sandbox: isolated, and nothing of it stays.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
}

# start COMMAND - starts a sandbox in the background, with its PID in $pid, and waits until its first
# process has run COMMAND
start()
{
	marker=$BATS_TEST_TMPDIR/started
	tests/sandbox bash -c "$1; echo >'$marker'; exec sleep 1000.$$" </dev/null 3>&- &
	pid=$!
	for _ in {1..100}; do
		[ ! -e "$marker" ] || return 0
		sleep 0.05
	done
	return 1
}

# alive - whether a process of the sandbox is still left after a while
alive()
{
	for _ in {1..40}; do
		grep -zqs "1000.$$" /proc/[0-9]*/cmdline || return 1
		sleep 0.05
	done
}

@test "the exit status and standard input are the command's" {
	run tests/sandbox sh -c 'exit 7'
	[ "$status" -eq 7 ]
	[ "$(echo hello | tests/sandbox cat)" = hello ]
	tests/sandbox true <&-
}

@test "network, PIDs, /run, sysfs and bpffs are its own" {
	[ "$(tests/sandbox ls /sys/class/net)" = lo ]
	# shellcheck disable=SC2016 # for the shell inside
	tests/sandbox bash -ec '
		[ "$(cat /proc/1/comm)" = sandbox ]
		[ -z "$(ls /run/netns)" ]
		[ "$(stat -fc %T "$HBPF_BPFFS")" = bpf_fs ]
		[[ $HBPF_BPFFS == /run/* && $TMPDIR == /run/* ]]
		[ -e /sys/fs/cgroup/cgroup.procs ] || [ -n "$(ls /sys/fs/cgroup)" ]
		mkdir "$HBPF_BPFFS/mine" && touch /run/mine
		ip netns add inside && ip link add br-mine type bridge'
	[ ! -e /run/mine ]
	[ ! -e /run/netns/inside ]
	[ ! -e /sys/class/net/br-mine ]
}

@test "kill, with -9 too, ends everything that runs in it" {
	local signal
	for signal in TERM HUP KILL; do
		start 'ip netns add inside; setsid sleep 1000.'$$' & true'
		alive
		kill -"$signal" "$pid"
		! alive || return 1
		rm "$marker"
	done
}
