#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# tests/tap-run: every failure of a suite is counted.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	counts=$BATS_TEST_TMPDIR/counts
}

# counted "PASSED FAILED SKIPPED" OUTPUT [STATUS] - the counts for a suite that prints this
counted()
{
	run tests/tap-run "$counts" sh -c "printf '$2'; exit ${3:-0}"
	echo "$output"
	[ "$(tail -n 1 "$counts")" = "$1" ]
}

@test "passed, failed and skipped tests are counted" {
	counted "1 1 1" '1..3\nok 1 a\nnot ok 2 b\nok 3 c # skip no such thing\n' 1
	[ "$status" -ne 0 ]
	[[ $output == *"skip"*"c: no such thing"* ]]
	counted "2 0 0" '1..2\nok 1 - --a\nok 2 - b # 5 skips\n'
	[ "$status" -eq 0 ]
	[[ $output == *" --a"* ]]
}

@test "cmocka's skips and several plans are understood" {
	counted "2 0 1" '1..2\nok 1 - a\nnot ok 2 # SKIP b\n# ok - group\n1..1\nok 1 - c\n'
}

@test "a failed test is shown with everything printed around it" {
	counted "1 1 0" '1..2\nok 1 a\nsanitizer\nnot ok 2 b\n# why\n' 1
	[[ $output == *sanitizer* && $output == *why* ]]
}

@test "figures that a passed test printed are shown" {
	counted "2 0 0" '1..2\n# figures: 7 a second\n# noise\nok 1 a\nok 2 b\n'
	[[ $output == *"a"*$'\n'"        7 a second"$'\n'*"b"* && $output != *noise* ]]
}

@test "a planned test that did not run is a failure" {
	counted "1 2 0" '1..3\nok 1 a\n'
	counted "0 1 0" 'noise\n'
	counted "0 1 0" ''
	counted "0 1 0" '1..0\n'
	counted "2 1 0" '1..1\nok 1 a\nok 2 b\n'
}

@test "a bad exit status is a failure even if every test passed" {
	counted "1 1 0" '1..1\nok 1 a\n' 3
}

@test "a suite skipped as a whole is a skip with its reason" {
	counted "0 0 1" '1..0 # SKIP no docker here\n'
	[[ $output == *"no docker here"* ]]
}

@test "the command does not ignore Ctrl-C" {
	run tests/tap-run "$counts" sh -c 'echo 1..1; kill -INT $$; echo ok 1 ignored'
	echo "$output"
	[[ $output == *"exit status 130"* && $output != *ignored* ]]
}
