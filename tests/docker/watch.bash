# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# hbpf watch with a real engine.

# watch [COMMAND...]: starts the watcher, by COMMAND, with the configuration from stdin
watch()
{
	LOG=$BATS_TEST_TMPDIR/watch.log
	CONF=$BATS_TEST_TMPDIR/hbpf.conf
	cat >"$CONF"
	chmod 644 "$CONF"
	"$@" "$HBPF" watch -c "$CONF" >/dev/null 2>"$LOG" 3>&- &
	WATCH=$!
	wait_until 10 logged 'watching'
}

# logged REGEX [TIMES]
logged()
{
	local n

	n=$(grep -Ec -- "$1" "$LOG") || true
	((n >= ${2:-1}))
}

# unlogged REGEX
unlogged()
{
	! grep -Eq -- "$1" "$LOG"
}

# is_live BRIDGE, is_detached BRIDGE
is_live()
{
	hbpf status --json | jq -e --arg bridge "$1" \
		'[.bridges[] | select(.bridge == $bridge and .live)] | length == 1'
}

is_detached()
{
	! hbpf status "$1"
}

# watch_end: fails if the watcher failed; prints its log if the test failed
watch_end()
{
	local status=0

	[[ -n ${WATCH:-} ]] || return 0
	[[ -n ${BATS_TEST_COMPLETED:-} ]] || cat "$LOG"
	kill "$WATCH" && wait "$WATCH" || status=$?
	WATCH=
	return "$status"
}

teardown()
{
	local status=0

	watch_end || status=$?
	engine_test_end
	return "$status"
}

# descriptors: the watcher's, by kind, except files, which it reopens in each pass
descriptors()
{
	local fd

	for fd in "/proc/$WATCH/fd"/*; do
		readlink "$fd" | sed -n 's/:.*//p'
	done | sort | uniq -c
}
