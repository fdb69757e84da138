#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Alpine's C library is musl. There is no Alpine here, but Debian has musl's headers.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
}

@test "the program compiles with musl, without warnings" {
	local objects machine
	command -v musl-gcc || skip "no musl-gcc; its package is musl-tools"
	machine=$(gcc -print-multiarch)
	objects=$(find loader -name '*.c' | sed 's|.*|build/musl/obj/&|; s|c$|o|')
	# the headers of the kernel and of the libraries, after musl's
	# shellcheck disable=SC2086 # a list
	env -u MAKEFLAGS -u MAKELEVEL make -j2 WERROR=1 BUILD=build/musl \
		CC="musl-gcc -idirafter /usr/include -idirafter /usr/include/$machine" $objects
}
