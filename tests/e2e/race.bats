#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Concurrent commands: the result is the same as of some serial order of them.
load lib

@test "twenty concurrent changes of ports: some serial order gives the same result" {
	attach --port 8088
	remember
	scene race-ports 8088
	hb ports set 8088
	unchanged
}

@test "twenty concurrent commands of all kinds, five times: some serial order gives each result" {
	remember
	scene race-all br-test
	hb detach --all
	unchanged
}

@test "concurrent attach and detach of two bridges: lo's settings are restored at the end" {
	make_bridge br-two 31
	remember
	scene race-bridges br-test br-two
	hb detach --all
	unchanged
}

@test "the guard holds and the port works while twenty commands run" {
	attach --port 8088
	scene race-while-served 127.0.0.1:8088 "$GW:8088"
	counted IN_GUARD_DST 24
}
