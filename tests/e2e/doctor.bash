# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Assertions about hbpf doctor, and the bed for them: a healthy bridge with one port.

# served_bed: port 8088 of both families has a service, and br-test is not attached yet
served_bed() {
	bed_up
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
}

setup() {
	served_bed
	attach --port 8088
}

# every finding of all bridges and the host
findings() {
	jq -c '[(.host, .bridges[]).steps[].findings[]]' <<<"$out"
}

# healthy: doctor has no finding
healthy() {
	exits 0 hb doctor --json "$@"
	[ "$(findings)" = "[]" ] || fail "a finding for nothing: $(findings)"
}

# diagnosed "NAME..." [ARGUMENT]...: doctor has these findings and no other. Leaves the text of the
# first one in $text and its command in $command
diagnosed() {
	local names=$1 all
	shift
	exits_any hb doctor --json "$@"
	text=$(findings | jq -r "map(select(.finding == \"${names%% *}\"))[0].text")
	# shellcheck disable=SC2034 # for the tests
	command=$(findings | jq -r "map(select(.finding == \"${names%% *}\"))[0].command // \"\"")
	all=$(findings | jq -r 'map(.finding) | unique[]')
	[ "$all" = "$(tr ' ' '\n' <<<"$names" | sort)" ] ||
		fail "expected the findings $names" "got $(findings)"
	# broken exits 1, a warning 0
	exits "$(findings | jq 'if any(.level == "broken") then 1 else 0 end')" hb doctor "$@"
	[ -z "$command" ] || grep -Fq -- "\$ $command" <<<"$out" || fail "no '$command' in:" "$out"
}

# cured [ARGUMENT]...: the command that was printed succeeds, and the finding is gone
cured() {
	[ -n "$command" ] || fail "no command is printed"
	PATH=$(dirname "$HBPF"):$PATH exits 0 on_host sh -c "$command"
	exits_any hb doctor --json "$@"
	! findings | jq -e --arg text "$text" 'any(.text == $text)' >"$BED/jq" ||
		fail "'$command' did not help: $text"
}

# exits_any COMMAND...: leaves stdout in $out, whether it exits with 0 or 1
exits_any() {
	"$@" >"$BED/out" 2>"$BED/err" || [ $? -eq 1 ] || fail "$*: $(<"$BED/err")"
	out=$(<"$BED/out")
}
