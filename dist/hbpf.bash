# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Bash completion of hbpf. `hbpf __complete` has the candidates, from hbpf's own tables and the
# bridges, networks and ports of this host (loader/cli/complete.h).

_hbpf()
{
	local line=${COMP_LINE:0:COMP_POINT} PATH=$PATH:/usr/local/sbin:/usr/sbin
	local words word lines

	# Not COMP_WORDS: there = and : are words of their own.
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	word=${words[-1]}
	mapfile -t lines < <("$1" __complete "${words[@]:1}" 2>/dev/null)
	if [[ ${lines[0]-} == @files ]]; then
		compopt -o filenames 2>/dev/null # fails only where no completion is running
		mapfile -t COMPREPLY < <(compgen -f -- "${word##*=}")
		return
	fi
	COMPREPLY=("${lines[@]%%$'\t'*}")
	# Readline replaces what follows the last = or : only.
	[[ $word != *[=:]* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*[=:]}"}"}")
}

complete -F _hbpf hbpf
