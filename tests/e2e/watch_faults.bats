#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf watch: stop, restart, a second instance, and faults.

# Each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034
load lib
load watch

# --- the watcher itself

# bats test_tags=hook
@test "SIGTERM keeps bridges attached, and a restart leaves no gap" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	steady "$GW:8088"
	remember
	for _ in 1 2 3; do
		end_watch
		unchanged
		goes_on
		watch
		goes_on
	done
	kill -KILL "$WATCH"
	goes_on
	watch
	eventually live
	unlogged 'br-test: (attached|repaired)'
	goes_on
}

# bats test_tags=hook
@test "--detach-on-exit restores the host, except for manually attached bridges" {
	make_bridge br-hand 32
	hb attach br-hand --hook "$HOOK" --port 9000
	remember
	declare_br_test
	watch --detach-on-exit
	eventually live
	end_watch
	unchanged
}

# bats test_tags=hook
@test "bridges of an earlier watcher are detached if no longer declared" {
	remember
	declare_br_test
	watch
	eventually live
	end_watch
	declare_conf </dev/null
	watch
	eventually logged 'br-test: detached'
	unchanged
}

@test "a second watcher names the first one, and exits 1" {
	declare_br_test
	watch
	eventually live
	exits 1 hb watch -c "$BED/hbpf.conf"
	says "process $WATCH" '/run/hbpf/'
	end_watch
	watch
	kill -KILL "$WATCH"
	wait "$WATCH" || true
	watch # what a killed one left behind does no harm
}

@test "the service manager is notified of start, reload and stop" {
	socat -u "UNIX-RECV:$BED/notify" "OPEN:$BED/notified,creat,append" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -S "$BED/notify"
	declare_br_test
	WATCH_ENV=("NOTIFY_SOCKET=$BED/notify")
	watch
	eventually grep -q 'READY=1' "$BED/notified"
	live
	eventually grep -q 'STATUS=1 of 1' "$BED/notified"
	reload
	eventually grep -q 'RELOADING=1' "$BED/notified"
	end_watch
	eventually grep -q 'STOPPING=1' "$BED/notified"
}

@test "a service manager that does not read blocks nothing" {
	"${PY[@]}" -c 'if True:
		import socket, sys, time
		there, here = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
		there.bind(sys.argv[1])
		here.setblocking(False)
		try:
			while True:
				here.sendto(b"full", sys.argv[1])
		except BlockingIOError:
			open(sys.argv[1] + ".full", "w").close()
		time.sleep(600)' "$BED/notify" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -e "$BED/notify.full"
	declare_br_test
	WATCH_ENV=("NOTIFY_SOCKET=$BED/notify")
	watch
	eventually live
	reload
	end_watch
}

# --- faults

# bats test_tags=hook
@test "a bridge that flaps 100 times is served in the end, and nothing is left over" {
	serve svc --tcp 127.0.0.1:8088
	declare_conf <<-EOF
		[br-flap]
		ports = 8088
		[br-test]
		ports = 8088
	EOF
	watch
	eventually live
	held=$(held)
	for ((i = 0; i < 100; i++)); do
		make_bridge br-flap 31
		# some exist long enough to be attached, others do not
		((i % 10)) || eventually live br-flap
		on_host ip link del br-flap
	done
	eventually not_attached br-flap
	passes_after_flapping
	eventually few_descriptors
	[ "$(held)" = "$held" ] || fail "held before: $held" "and after: $(held)"
	make_bridge br-flap 31
	make_client c2 2 br-flap 31
	eventually live br-flap
	# control: descriptors of a bridge are found, once a pass has ended
	eventually many_descriptors
	NS=c2 eventually reaches svc tcp 172.31.0.1:8088
}

@test "no change is missed when thousands of netlink events are lost" {
	declare_conf <<-EOF
		[br-test]
		ports = 8088
		[br-late]
		ports = 8088
	EOF
	watch
	eventually live
	kill -STOP "$WATCH"
	for ((i = 0; i < 200; i++)); do
		printf 'addr add 10.9.%d.1/24 dev br-test\naddr del 10.9.%d.1/24 dev br-test\n' $i $i
	done >"$BED/flood"
	for _ in 1 2 3 4 5; do on_host ip -batch "$BED/flood"; done
	make_bridge br-late 31
	# the kernel reports that it dropped some
	# shellcheck disable=SC2016 # awk expands them
	[ "$(on_host awk 'NR > 1 && $2 == 0 { drops += $9 } END { print drops + 0 }' \
		/proc/net/netlink)" -gt 0 ] || fail "no notice was lost: nothing is tested"
	kill -CONT "$WATCH"
	eventually live br-late
	live
}

@test "a port in use on the gateway is logged once, and opened when it is free" {
	serve holder --tcp "$GW:8088"
	holder=$(tail -n 1 "$BED/pids")
	make_bridge br-two 31
	declare_conf <<-EOF
		[br-test]
		ports = 8088
		[br-two]
		ports = 8088
	EOF
	watch
	eventually live br-two # a failure does not affect the others
	not_attached br-test
	for address in 31.0.7 31.0.8 31.0.9; do
		on_host ip addr add "172.$address/24" dev br-two
		eventually logged "br-two: addresses.*172.$address"
	done
	[ "$(grep -c "$GW.*8088\|8088.*$GW" "$BED/watch.log")" -eq 1 ] ||
		fail "not logged exactly once" "$(<"$BED/watch.log")"
	kill -KILL "$holder"
	eventually live br-test
}

@test "setting the system clock has no effect" {
	# Every clock except the monotonic one jumps by years at each reading.
	cat >"$BED/jump.c" <<-'EOF'
		#define _GNU_SOURCE
		#include <sys/syscall.h>
		#include <sys/time.h>
		#include <time.h>
		#include <unistd.h>

		static long jump(void)
		{
			static int n;

			return (++n & 1 ? 1 : -1) * 300000000L;
		}

		int clock_gettime(clockid_t id, struct timespec *ts)
		{
			int rc = (int)syscall(SYS_clock_gettime, id, ts);

			if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_RAW)
				ts->tv_sec += jump();
			return rc;
		}

		int gettimeofday(struct timeval *tv, void *tz)
		{
			(void)tz;
			tv->tv_usec = 0;
			tv->tv_sec = syscall(SYS_time, NULL) + jump();
			return 0;
		}

		time_t time(time_t *at)
		{
			time_t now = syscall(SYS_time, NULL) + jump();

			if (at)
				*at = now;
			return now;
		}
	EOF
	gcc -shared -fPIC -o "$BED/jump.so" "$BED/jump.c"
	[ "$(LD_PRELOAD=$BED/jump.so date +%Y)" != "$(date +%Y)" ]
	declare_br_test
	WATCH_ENV=("LD_PRELOAD=$BED/jump.so")
	watch
	eventually live
	for i in 1 2 3; do
		on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
		eventually logged 'br-test: repaired' "$i"
		setting br-test.route_localnet 2
	done
}

# bats test_tags=hook
@test "it works with only the capabilities that its unit grants" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	: >"$BED/watch.log"
	nsenter --net=/run/netns/host setpriv --no-new-privs --bounding-set "$(unit_capabilities)" "$HBPF" watch \
		-c "$BED/hbpf.conf" --detach-on-exit 2>>"$BED/watch.log" >/dev/null 3>&- &
	WATCH=$!
	echo "$WATCH" >>"$BED/pids"
	eventually reaches svc tcp "$GW:8088"
	[ "$(sed -n 's/^CapBnd:\t//p' /proc/$WATCH/status)" != \
		"$(sed -n 's/^CapBnd:\t//p' /proc/self/status)" ]
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	eventually setting br-test.route_localnet 2
	end_watch
	not_attached br-test
}
