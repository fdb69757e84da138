#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/bench: what it prints and records of given figures, and one row measured.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	figures=$BATS_TEST_TMPDIR/figures.json
	conditions='"kernel": "6.1", "model": "A", "cpu": 1, "cpus": 2, "hbpf": "hbpf", "iptables": "i",
		"nftables": "n", "commit": "abc", "date": "2026-01-01", "rounds": 20, "slice": 0.1,
		"seconds": {}, "measured": {}'
	cat >"$figures" <<-EOF2
		{"conditions": {$conditions},
		 "missing": {"plain/haproxy/udp": "it passes on no UDP"},
		 "rates": {
		  "plain/direct/rr": {"rate": 1000, "ratio": [1, 1, 1], "cpu": 0.001, "p50": 1, "p99": 2,
		   "p999": 3, "typical": [1, 1, 1]},
		  "plain/tcx/rr": {"rate": 900, "ratio": [0.89, 0.9, 0.91], "cpu": 0.001, "p50": 1, "p99": 2,
		   "p999": 3, "typical": [0.89, 0.9, 0.91]}},
		 "commands": {"--version": [4, 5, 6]},
		 "memory": {"at rest": {"flows": 100}}}
	EOF2
}

# python LINE... - runs them with the modules of the bench; "figures" is the file's content
python()
{
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/bench /usr/bin/python3 - "$figures" <<-EOF
		import copy, json, sys
		figures = json.load(open(sys.argv[1]))
		$(printf '%s\n' "$@")
	EOF
}

@test "bench lists what can be chosen, and refuses what there is not" {
	run -0 scripts/bench --list
	[[ $output == *"--variants"*"  tcx "*"--columns"*"  rr6-64 "* ]]
	run -1 scripts/bench --from "$figures" --columns rr,nonsense
	[[ $output == *"nonsense: no such column; there are: rr crr "* ]]
}

@test "bench prints given figures as text, Markdown and JSON" {
	run -0 scripts/bench --from "$figures"
	[[ $output == *"hbpf, tcx "*" 0.900 (0.890-0.910)"* ]]
	[[ $output == *"haproxy (udp): it passes on no UDP"* ]]
	run -0 scripts/bench --from "$figures" --markdown
	[[ $output == *"| hbpf, tcx | 0.900 (0.890-0.910) |"* ]]
	run -0 --separate-stderr scripts/bench --from "$figures" --json
	jq -e '.rates["plain/tcx/rr"].rate == 900' <<<"$output"
}

@test "bench says what moved: by more than the quartiles, and more than a little" {
	run -0 python 'import compare' 'new = copy.deepcopy(figures)' \
		'new["rates"]["plain/tcx/rr"]["typical"] = [0.94, 0.95, 0.96]' \
		'new["commands"]["--version"] = [5, 6, 7]' \
		'new["memory"]["at rest"]["flows"] = 200' \
		'print(compare.report(figures, new))'
	[[ $output == *"better: plain/tcx/rr: 0.900 -> 0.950 (+5.6 %)"* ]]
	[[ $output == *"worse: memory, at rest, KiB: 100 -> 200 (+100.0 %)"* ]]
	[[ $output != *"--version"* ]]
	run -0 python 'import compare' 'print(compare.report(figures, figures))'
	[[ $output == *"nothing moved"* ]]
}

@test "bench does not compare times of different machines" {
	run -0 python 'import compare' 'new = copy.deepcopy(figures)' \
		'new["commands"]["--version"] = [50, 60, 70]' \
		'print(compare.report(figures, new))' 'new["conditions"]["kernel"] = "6.6"' \
		'print(compare.report(figures, new))'
	[[ $output == *"worse: hbpf --version, ms: 5.0 -> 60.0"*"another machine or kernel"*"nothing moved" ]]
}

@test "bench keeps the recorded figures of what was not measured, and plots all" {
	run -0 python 'import main, plot' 'new = copy.deepcopy(figures)' 'del new["commands"]' \
		'new["rates"] = {"docker/tcx/crr": figures["rates"]["plain/tcx/rr"]}' \
		'both = main.merge(figures, new)' 'print(sorted(both["rates"]), both["commands"])' \
		'print(plot.svg(both))'
	[[ $output == *"['docker/tcx/crr', 'plain/direct/rr', 'plain/tcx/rr'] {'--version'"* ]]
	[[ $output == *"<svg"*"connections"*"</svg>"* ]]
	sed -n '/<svg/,$p' <<<"$output" | /usr/bin/python3 -c \
		'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin)'
}

@test "bench measures one row" {
	((EUID == 0)) || skip "needs root"
	make -s -f tests/bench/Makefile
	# without scripts/bench, which would install all that it compares
	run -0 --separate-stderr env PYTHONDONTWRITEBYTECODE=1 tests/sandbox /usr/bin/python3 \
		tests/bench/main.py --parts rates --hosts docker --variants tcx,iptables --columns rr,udp6-64 \
		--rounds 2 --slice 0.02 --json
	jq -e '.rates | keys == ["docker/direct/rr", "docker/direct/udp6-64", "docker/iptables/rr",
		"docker/tcx/rr", "docker/tcx/udp6-64"]' <<<"$output"
	jq -e '.rates["docker/tcx/rr"] | .rate > 0 and .ratio[1] > 0.1 and .of_recipe[1] > 0.1 and
		.p99 > .p50' <<<"$output"
}
