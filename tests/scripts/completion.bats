#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# dist/hbpf.bash-completion: what Tab offers, called as readline calls it.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	[[ -x build/hbpf ]] || skip "no build/hbpf; make builds it"
	# shellcheck source=../../dist/hbpf.bash-completion
	. dist/hbpf.bash-completion
	# shellcheck disable=SC2317 # the completion calls it
	_hbpf_bridges()
	{
		printf '%s\n' br-one br-two
	}
}

# offers WORD... - the completions of the last word, which may be empty, in one line; --OPTION=VALUE
# is three words, as in readline
offers()
{
	COMP_WORDS=(hbpf "$@") COMP_CWORD=$#
	_hbpf build/hbpf
	echo "offered: ${COMPREPLY[*]}"
	offered=${COMPREPLY[*]}
}

@test "the commands, including help" {
	offers ''
	[ "$offered" = "attach detach ports status stats bridges watch help" ]
	offers st
	[ "$offered" = "status stats" ]
	offers help wa
	[ "$offered" = "watch" ]
}

@test "a bridge is offered, also after an option's value" {
	offers attach ''
	[ "$offered" = "br-one br-two" ]
	offers attach -p 8088 ''
	[ "$offered" = "br-one br-two" ]
	offers attach -v --port 8088 --hook = tcx --guard br-t
	[ "$offered" = "br-two" ]
	offers attach --port = 8088 ''
	[ "$offered" = "br-one br-two" ]
	offers attach -p8088 ''
	[ "$offered" = "br-one br-two" ]
	offers attach -vp 8088 ''
	[ "$offered" = "br-one br-two" ]
	offers attach -vp8088 ''
	[ "$offered" = "br-one br-two" ]
}

@test "only one bridge is offered, wherever the options are" {
	offers attach br-one ''
	[ "$offered" = "" ]
	offers attach -p 8088 br-one ''
	[ "$offered" = "" ]
	offers attach --guard br-one ''
	[ "$offered" = "" ]
}

@test "an option's values" {
	offers attach --hook ''
	[ "$offered" = "auto tcx clsact" ]
	offers attach --hook = t
	[ "$offered" = "tcx" ]
	offers attach --hook =
	[ "$offered" = "auto tcx clsact" ]
	offers ports --bridge ''
	[ "$offered" = "br-one br-two" ]
	offers ports -b br-o
	[ "$offered" = "br-one" ]
	offers attach -p ''
	[ "$offered" = "" ]
}

@test "the actions of ports, also after an option's value" {
	offers ports ''
	[ "$offered" = "list add del set" ]
	offers ports -b br-one ''
	[ "$offered" = "list add del set" ]
	offers ports -b br-one add ''
	[ "$offered" = "" ]
}

@test "every option of every command's help is offered, and words for its value" {
	local command option metavar
	for command in attach detach ports status stats bridges watch; do
		while read -r option metavar; do
			offers "$command" "$option"
			[[ " $offered " == *" $option "* ]]
			case $metavar in '' | SPEC | ADDR | FILE) continue ;; esac
			offers "$command" "$option" ''
			[ -n "$offered" ]
		done < <(build/hbpf "$command" --help | sed '1,/^Options:/d' |
			grep -oE -- '--[a-z-]+( [A-Z]+\b)?')
	done
}

@test "a deprecated name of an option takes the same values, but is not offered" {
	offers attach --pi
	[ "$offered" = "" ]
	offers attach --pin ''
	[ "$offered" = "auto on off" ]
	offers attach --pin = o
	[ "$offered" = "on off" ]
	offers attach --pin auto ''
	[ "$offered" = "br-one br-two" ]
	offers attach --pin auto br-one ''
	[ "$offered" = "" ]
}

@test "the options of each command" {
	offers detach --
	[[ $offered == *--all* && $offered == *--verbose* && $offered != *--port* ]]
	offers attach -p 8088 --gu
	[ "$offered" = "--guard" ]
}
