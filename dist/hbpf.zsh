#compdef hbpf
# SPDX-License-Identifier: GPL-2.0-only
#
# Zsh completion of hbpf, installed as _hbpf. See hbpf.bash.

_hbpf()
{
	local -a lines names texts
	local -x PATH=$PATH:/usr/local/sbin:/usr/sbin
	local line

	lines=("${(@f)$(${(Q)words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ $lines[1] == @files ]]; then
		compset -P '*='
		_files
		return
	fi
	for line in $lines; do
		names+=("${line%%$'\t'*}")
		texts+=("${line//$'\t'/  }")
	done
	compadd -l -d texts -a names
}

_hbpf "$@"
