# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Helpers for tests of hbpf watch.

# Each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031

# declare_conf: writes the configuration from stdin; each section gets the suite's hook
declare_conf() {
	sed "s/^\[.*\]\$/&\nhook = $HOOK/" >"$BED/hbpf.conf.new"
	chmod 644 "$BED/hbpf.conf.new"
	mv "$BED/hbpf.conf.new" "$BED/hbpf.conf"
}

# declare_br_test: the configuration that most tests start from
declare_br_test() {
	declare_conf <<-EOF
		[br-test]
		ports = 8088
	EOF
}

# watch [OPTION]...: starts the watcher in the background, its log is $BED/watch.log
watch() {
	: >"$BED/watch.log"
	# no function, so that $! is the watcher itself
	nsenter --net=/run/netns/host env "${WATCH_ENV[@]}" "$HBPF" watch -c "$BED/hbpf.conf" "$@" \
		2>>"$BED/watch.log" >/dev/null 3>&- &
	WATCH=$!
	echo "$WATCH" >>"$BED/pids"
	eventually logged 'watching'
}

# logged REGEX [TIMES]
logged() {
	local n
	n=$(grep -Ec -- "$1" "$BED/watch.log") || true
	[ "$n" -ge "${2:-1}" ] || fail "the log has /$1/ $n times, expected ${2:-1}" \
		"$(<"$BED/watch.log")"
}

# unlogged REGEX
unlogged() {
	! grep -Eq -- "$1" "$BED/watch.log" || fail "the log has /$1/" "$(<"$BED/watch.log")"
}

# end_watch: stops the watcher, which exits 0
end_watch() {
	local code=0
	kill -TERM "$WATCH"
	wait "$WATCH" || code=$?
	[ "$code" -eq 0 ] || fail "the watcher's exit code is $code" "$(<"$BED/watch.log")"
}

# status_is FILTER [BRIDGE]: jq's filter is true for the bridge in status --json
status_is() {
	hb status --json >"$BED/status" 2>&1 || true
	jq -e --arg bridge "${2:-br-test}" ".bridges[] | select(.bridge == \$bridge) | $1" \
		"$BED/status" >/dev/null || fail "not so: $1" "$(<"$BED/status")"
}

# live [BRIDGE]
live() {
	status_is '.live' "$@"
}

not_attached() {
	[ ! -e "$(pin_dir "$1")" ] || fail "$1 is attached" "$(<"$BED/watch.log")"
}

# reload: reloads the configuration and waits until it was read
reload() {
	local before
	before=$(grep -c 'configuration reloaded' "$BED/watch.log") || true
	kill -HUP "$WATCH"
	eventually logged 'configuration reloaded' $((before + 1))
}

# steady ADDR:PORT: starts a client that never stops; goes_on: it was not interrupted and still works
steady() {
	nsenter --net=/run/netns/c1 "${PY[@]}" "$E2E/tools/steady.py" "$1" 3>&- &
	echo $! >>"$BED/pids"
	eventually test -s "$BED/steady.log"
}

goes_on() {
	rounds=$(wc -l <"$BED/steady.log")
	eventually more_rounds
}

more_rounds() {
	! grep FAILED "$BED/steady.log" >&2 || fail "the client was interrupted"
	[ "$(wc -l <"$BED/steady.log")" -gt $((rounds + 1)) ]
}

# held: what keeps BPF objects alive apart from the watcher's descriptors: pins, and programs on
# interfaces
held() {
	find "$HBPF_BPFFS" -mindepth 1 | sort
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list
	on_host tc filter show dev br-test ingress | sed "s,:\[[0-9]*\],,; s, id [0-9]*,,"
}

# few_descriptors: the watcher has about thirty descriptors, and none of a deleted bridge; one leaked
# by each of a hundred flaps would show
few_descriptors() {
	local all
	all=$(for fd in "/proc/$WATCH/fd"/*; do readlink "$fd"; done)
	if [ "$(wc -l <<<"$all")" -ge 50 ] || grep -q br-flap <<<"$all"; then
		fail "it holds" "$all"
	fi
}

many_descriptors() {
	! few_descriptors
}

# Events of the flapping may still be queued: once a later event was handled, they were, too.
passes_after_flapping() {
	on_host ip addr add 172.30.0.77/24 dev br-test
	eventually logged 'br-test: addresses.*172.30.0.77'
	on_host ip addr del 172.30.0.77/24 dev br-test
	eventually status_is '[.gateways[].address] | index("172.30.0.77") == null'
}
