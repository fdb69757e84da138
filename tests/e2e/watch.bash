# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Words about hbpf watch.

# Each test is a process of its own for shellcheck.
# shellcheck disable=SC2030,SC2031

# declare_conf: the configuration, from stdin; each section gets the suite's hook
declare_conf() {
	sed "s/^\[.*\]\$/&\nhook = $HOOK/" >"$BED/hbpf.conf.new"
	chmod 644 "$BED/hbpf.conf.new"
	mv "$BED/hbpf.conf.new" "$BED/hbpf.conf"
}

# declare_br_test: what most tests start from
declare_br_test() {
	declare_conf <<-EOF
		[br-test]
		ports = 8088
	EOF
}

# watch [OPTION]...: in the background, its log in $BED/watch.log
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

# end_watch: and it says that all was well
end_watch() {
	local code=0
	kill -TERM "$WATCH"
	wait "$WATCH" || code=$?
	[ "$code" -eq 0 ] || fail "the watcher's exit code is $code" "$(<"$BED/watch.log")"
}

# status_is FILTER [BRIDGE]: jq's filter holds for what status says of the bridge
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

# reload: and wait until it was read
reload() {
	local before
	before=$(grep -c 'configuration reloaded' "$BED/watch.log") || true
	kill -HUP "$WATCH"
	eventually logged 'configuration reloaded' $((before + 1))
}

# steady ADDR:PORT: a client that never stops, and goes_on: it went well until now, and still does
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

# held: what keeps BPF objects alive beside the watcher's descriptors: pins, and programs on
# interfaces
held() {
	find "$HBPF_BPFFS" -mindepth 1 | sort
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list
	on_host tc filter show dev br-test ingress | sed "s,:\[[0-9]*\],,; s, id [0-9]*,,"
}

# few_descriptors: it has some thirty, and one left over by each of a hundred flaps would show; of
# a bridge that is gone there are none
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

# The last notices of the flapping may still be on their way: when what comes after them was seen,
# they were, too.
passes_after_flapping() {
	on_host ip addr add 172.30.0.77/24 dev br-test
	eventually logged 'br-test: addresses.*172.30.0.77'
	on_host ip addr del 172.30.0.77/24 dev br-test
	eventually status_is '[.gateways[].address] | index("172.30.0.77") == null'
}
