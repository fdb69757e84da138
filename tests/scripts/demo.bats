#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/demo: works, can fail, and leaves nothing behind.

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
}

# as_hbpf FILE - the demo's steps with another program in place of hbpf
as_hbpf()
{
	tests/sandbox sh -c "mount --bind '$1' build/hbpf && exec scripts/demo --steps" </dev/null
}

@test "the demo works, in less than a minute" {
	run timeout 60 scripts/demo </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "The demo worked"* ]]
}

@test "the demo leaves neither interfaces nor state nor settings" {
	local what='ip -o link; ls /run/netns /sys/fs/bpf 2>/dev/null
		cat /proc/sys/net/ipv4/conf/*/{route_localnet,rp_filter}'
	local before
	before=$(eval "$what")
	scripts/demo </dev/null
	[ "$(eval "$what")" = "$before" ]
}

@test "the demo fails when hbpf does nothing" {
	run as_hbpf /bin/true
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *WRONG* && $output != *"The demo worked"* ]]
}

@test "the demo fails when hbpf fails" {
	run as_hbpf /bin/false
	[ "$status" -eq 1 ]
}
