#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What Tab offers: the candidates of `hbpf __complete`, and each real shell with its script in dist/.
# Bridges, networks and ports that are in force: tests/e2e/engine.bats.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	[[ -x build/hbpf ]] || skip "no build/hbpf; make builds it"
	PATH=$PWD/build:$PATH
	export TERM=xterm
}

# offers WORD... - the candidates for the last word, which may be empty, in one line
offers()
{
	offered=$(hbpf __complete "$@" | cut -f 1 | tr '\n' ' ')
	offered=${offered% }
	echo "offered: $offered"
}

@test "the commands, including help" {
	offers ''
	[[ $offered == "attach detach ports status "*" interfaces "*" help" ]]
	offers st
	[[ " $offered " == *" status "* && $offered != *attach* ]]
	offers help wa
	[ "$offered" = "watch" ]
	offers help help ''
	[ "$offered" = "" ]
	offers bogus ''
	[ "$offered" = "" ]
}

@test "an option's values" {
	offers attach --hook ''
	[ "$offered" = "auto tcx clsact" ]
	offers attach --hook=t
	[ "$offered" = "--hook=tcx" ]
	offers attach --from ''
	[ "$offered" = "onlink" ]
	offers attach -vf ''
	[ "$offered" = "onlink" ]
	offers attach -p ''
	[ "$offered" = "" ]
	offers watch -c ''
	[ "$offered" = "@files" ]
}

@test "arguments are counted without options and their values" {
	offers watch ''
	[ "$offered" = "@files" ]
	offers watch -v --config x --check ''
	[ "$offered" = "@files" ]
	offers watch -vcx ''
	[ "$offered" = "@files" ]
	offers watch file ''
	[ "$offered" = "" ]
	offers watch --config=x file ''
	[ "$offered" = "" ]
	offers watch -- --check ''
	[ "$offered" = "" ]
}

@test "the number of an option may be left out" {
	offers watch --config x --check '' # control: FILE is no number
	[ "$offered" = "@files" ]
	offers stats --watch -o ''
	[ "$offered" = "@files" ]
	offers stats --watch 5 -o ''
	[ "$offered" = "@files" ]
	offers stats --watch --prom
	[ "$offered" = "--prometheus" ]
}

@test "the actions of ports, also after an option's value" {
	offers ports ''
	[ "$offered" = "add del set list" ]
	offers ports -b br-one ''
	[ "$offered" = "add del set list" ]
	offers ports -b br-one add ''
	[ "$offered" = "" ]
}

@test "the options of each command are those of its help, with their descriptions" {
	local command
	for command in $(hbpf --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -vx help); do
		offers "$command" -
		[ "$offered" = "$(hbpf "$command" --help | sed '1,/^Options:/d' |
			grep -oE -- '^  (-., |    )--[a-z-]+' | grep -oE -- '--[a-z-]+' | tr '\n' ' ' |
			sed 's/ $//')" ]
	done
	hbpf __complete attach --fo | grep -Px -- '--force\topen ports even if a service is bound to them on a gateway address'
}

@test "a deprecated name of an option takes the same values, but is not offered" {
	offers attach --pi
	[ "$offered" = "" ]
	offers attach --pin ''
	[ "$offered" = "auto on off" ]
	offers attach --pin=o
	[ "$offered" = "--pin=on --pin=off" ]
}

# tab SHELL SCRIPT LINE EXPECTED - types LINE and Tab
tab()
{
	python3 tests/scripts/tab.py "$@"
}

@test "bash and zsh complete commands, options, values and files" {
	local shell script
	for shell in bash zsh; do
		script=dist/hbpf.$shell
		tab $shell "$script" "hbpf statu" "hbpf status"
		tab $shell "$script" "hbpf attach --forc" "hbpf attach --force"
		tab $shell "$script" "hbpf attach --hook=t" "hbpf attach --hook=tcx"
		tab $shell "$script" "hbpf attach --hook " clsact
		tab $shell "$script" "hbpf watch -c dist/hbpf.con" "hbpf watch -c dist/hbpf.conf"
		run tab $shell none "hbpf statu" "hbpf status" # control
		[ "$status" -eq 1 ]
	done
}

# fish_offers LINE
fish_offers()
{
	# shellcheck disable=SC2016 # fish expands it
	fish --no-config -c 'source dist/hbpf.fish; complete -C $argv[1]' -- "$1"
}

@test "fish completes commands, options, values and files" {
	[[ $(fish_offers "hbpf statu") == status$'\t'* ]]
	[[ $(fish_offers "hbpf attach --forc") == --force$'\t'* ]]
	[ "$(fish_offers "hbpf attach --hook=t")" = "--hook=tcx" ]
	[ "$(fish_offers "hbpf attach --hook " | sort | tr '\n' ' ')" = "auto clsact tcx " ]
	[ "$(fish_offers "hbpf watch -c dist/hbpf.con")" = "dist/hbpf.conf" ]
}
