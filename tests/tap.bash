# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Checks that print TAP, for tests/check and tests/tidy.

number=0

# check NAME COMMAND...
check()
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok $((++number)) $name"
	else
		echo "not ok $((++number)) $name"
		# shellcheck disable=SC2001 # every line gets its '#'
		sed 's/^/# /' <<<"$output"
	fi
}

skip()
{
	echo "ok $((++number)) $1 # SKIP $2"
}

# check_by TOOL VERSIONS NAME COMMAND... - only with a version of TOOL that the sources are written for, as
# others format in their own way and have other checks. VERSIONS: major and minor, separated by blanks
check_by()
{
	local tool=$1 versions=$2 path version
	shift 2
	path=$(command -v "$tool-14" || command -v "$tool") || { skip "$1" "there is no $tool here" && return; }
	version=$("$path" --version | sed -n 's/.*version:\{0,1\} \([0-9.]*\).*/\1/p' | head -n 1)
	if [[ " $versions " == *" ${version%.*} "* ]]; then
		check "$@"
	else
		skip "$1" "$tool is version $version, the sources are written for ${versions// / and }"
	fi
}
