#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/test: runs files in parallel, keeps their output apart, and leaves nothing running.

# Each test runs in a shell of its own, and the code in '' is for another shell.
# shellcheck disable=SC2016,SC2030,SC2031

# A checkout with only the runner, and nothing to install or to build
setup()
{
	local from=$BATS_TEST_DIRNAME/../..
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p scripts tests/{scripts,e2e,unit} build
	cp -r "$from"/.ci .
	cp "$from"/scripts/{test,lib} scripts/
	cp "$from"/tests/{tap-run,sandbox} tests/
	printf '#!/bin/sh\n' >scripts/deps
	chmod +x scripts/deps
	printf 'all unit fuzzers:\n\t@:\n' >Makefile
	unset HBPF_COLOR
}

# suite FILE [TEST COMMAND]... - writes a bats file with these tests
suite()
{
	local file=$1
	shift
	{
		echo '#!/usr/bin/env bats'
		while (($#)); do
			printf '%s\n@test "%s" { %s; }\n' "${TAGS-}" "$1" "$2"
			shift 2
		done
	} >"$file"
}

# meets MINE OTHERS - a command that succeeds once both files exist
meets()
{
	echo "touch $BATS_TEST_TMPDIR/$1; timeout 20 sh -c 'until [ -e $BATS_TEST_TMPDIR/$2 ]; do sleep 0.05; done'"
}

# runs STATUS ARGUMENT... - runs the runner
runs()
{
	local want=$1
	shift
	run scripts/test "$@"
	echo "$output"
	[ "$status" -eq "$want" ]
}

@test "two files run at a time, and the lines of each stay together" {
	suite tests/scripts/a.bats "a one" "$(meets a b)" "a two" "$(meets a2 b2)"
	suite tests/scripts/b.bats "b one" "$(meets b a)" "b two" "$(meets b2 a2)"
	runs 0 scripts
	[[ $output == *"ok    a one"$'\n'"  ok    a two"$'\n'"tests/scripts/a.bats: 2 passed"* ]]
	[[ $output == *"ok    b one"$'\n'"  ok    b two"$'\n'"tests/scripts/b.bats: 2 passed"* ]]
	[ "${lines[-1]}" = "4 passed, 0 failed, 0 skipped" ]
}

@test "-j 1 runs one after the other, in order, and prints lines as they come" {
	suite tests/scripts/a.bats "a" "[ ! -e $PWD/b ] && touch $PWD/a"
	suite tests/scripts/b.bats "b" "[ -e $PWD/a ] && touch $PWD/b"
	runs 0 -j 1 scripts
}

@test "the summary has the seconds of each file and suite, the slowest, and the failed by name" {
	suite tests/scripts/a.bats "a quick one" true "a skipped one" "skip 'no reason'"
	suite tests/scripts/b.bats "a slow one" "sleep 1.5; false"
	runs 1 scripts
	[[ $output == *$'\n'"tests/scripts/b.bats: 0 passed, 1 failed, 0 skipped, "[1-9].[0-9]" s"* ]]
	[[ $output == *"seconds by suite"*[1-9].[0-9]"  scripts"*"slowest files"*[1-9].[0-9]"  tests/scripts/b.bats"*"tests/scripts/a.bats"* ]]
	[[ $output == *"failed"$'\n'"  tests/scripts/b.bats: a slow one"* ]]
	[ "${lines[-1]}" = "1 passed, 1 failed, 1 skipped" ]
}

@test "a file that is killed is a failure" {
	suite tests/scripts/a.bats "a" true
	# with its whole process group
	suite tests/scripts/b.bats "b" 'kill -KILL -- -$(ps -o pgid= $$ | tr -d " ")'
	runs 1 scripts
	[[ $output == *"failed"$'\n'"  tests/scripts/b.bats: was killed"* ]]
	[ "${lines[-1]}" = "1 passed, 1 failed, 0 skipped" ]
}

@test "a file that exceeds its time limit is killed with all it started" {
	suite tests/scripts/a.bats "a" "sleep 1000.$$ 3>&- & touch $PWD/a; wait"
	export HBPF_TEST_TIMEOUT=4
	runs 1 scripts
	[ -e a ]
	[[ $output == *"timed out"* ]]
	[ -z "$(pgrep -af "sleep 1000.$$")" ]
}

@test "without arguments it runs what tests/quick lists" {
	suite tests/scripts/a.bats "a (one)" true "a (one) more" false
	suite tests/e2e/b.bats "b" true
	printf '%s\n' "# core" tests/scripts/a.bats $'\ta (one)' e2e >tests/quick
	runs 0
	[ "${lines[-1]}" = "2 passed, 0 failed, 0 skipped" ]
}

@test "-r runs the rest" {
	suite tests/scripts/a.bats "a (one)" false "a (one) more" true "a .one." true
	suite tests/e2e/b.bats "b" false
	suite tests/e2e/c.bats "c" true
	printf '%s\n' "# core" tests/scripts/a.bats $'\ta (one)' tests/e2e/b.bats >tests/quick
	runs 0 -r scripts e2e
	[ "${lines[-1]}" = "3 passed, 0 failed, 0 skipped" ]
}

@test "a suite over the other hook runs only the tests tagged for it" {
	suite tests/e2e/a.bats "a" true
	TAGS="# bats test_tags=hook" suite tests/e2e/b.bats "b" true
	cat tests/e2e/b.bats >>tests/e2e/a.bats
	ln -s a.bats tests/e2e/a-clsact.bats
	rm tests/e2e/b.bats
	runs 0 e2e
	[ "${lines[-1]}" = "3 passed, 0 failed, 0 skipped" ]
}

# ended SIGNAL STATUS - two files that hang end with the runner, and so does everything they started
ended()
{
	local pid code=0 try
	for name in a b; do
		suite tests/e2e/$name.bats hangs "setsid sleep 1000.$$ 3>&- & touch $PWD/$name; sleep 1000.$$"
	done
	bash scripts/test e2e >out 2>&1 3>&- &
	pid=$!
	for ((try = 0; try < 200; try++)); do
		[[ ! -e a || ! -e b ]] || break
		sleep 0.05
	done
	[[ -e a && -e b ]]
	pgrep -f "sleep 1000.$$" >/dev/null
	kill "-$1" $pid
	wait $pid || code=$?
	cat out
	[ "$code" -eq "$2" ]
	for ((try = 0; try < 100; try++)); do
		pgrep -f "sleep 1000.$$" >/dev/null || return 0
		sleep 0.05
	done
	pgrep -af "sleep 1000.$$"
	return 1
}

@test "SIGTERM ends everything that runs" {
	ended TERM 143
	[ ! -s out ]
}

@test "Ctrl-C ends everything that runs" {
	set -m # or background jobs would ignore it
	ended INT 130
}

@test "SIGKILL ends everything that runs" {
	ended KILL 137
}

@test "unknown arguments are refused before anything runs" {
	for bad in "-j 0" "-j x" "-x" nothing tests/e2e/nothing.bats; do
		# shellcheck disable=SC2086 # several words
		run scripts/test $bad
		echo "$output"
		[ "$status" -ne 0 ]
		[[ $output != *"0 passed, "* ]]
	done
}

# ci STATUS SCRIPT - runs .ci/run with this in place of the runner
ci()
{
	printf '#!/bin/bash\n%s\n' "$2" >scripts/test
	run .ci/run
	echo "$output"
	[ "$status" -eq "$1" ]
}

@test "CI adds up the results of its runs, and fails with any of them" {
	ci 0 'echo "ran $*"; echo; echo "2 passed, 0 failed, 1 skipped"'
	local runs
	runs=$(grep -c ^ran <<<"$output")
	[ "$runs" -gt 3 ]
	[ "${lines[1]}" = "ran " ] # the README's command comes first
	[ "${lines[-1]}" = "$((2 * runs)) passed, 0 failed, $runs skipped" ]

	ci 1 'echo "1 passed, $(($# == 1)) failed, 0 skipped"'
	[[ ${lines[-1]} == *" passed, "[1-9]*" failed, 0 skipped" ]]

	ci 1 '(($#)) && exit 1; echo "1 passed, 0 failed, 0 skipped"'
	[ "${lines[-1]}" = "1 passed, $((runs - 1)) failed, 0 skipped" ]
}

@test "ending CI ends its run" {
	cat >scripts/test <<-END
		#!/bin/bash
		trap 'kill \$!; touch ended; exit 143' TERM
		touch began
		sleep 1000.$$ &
		wait
	END
	.ci/run >out 2>&1 3>&- &
	local pid=$! code=0 try
	for ((try = 0; try < 200; try++)); do
		[[ ! -e began ]] || break
		sleep 0.05
	done
	kill -TERM $pid
	wait $pid || code=$?
	cat out
	[ "$code" -eq 143 ]
	[ -e ended ]
}
