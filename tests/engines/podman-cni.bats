#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# hbpf as a plugin of a container network, run by Podman.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load ../docker/lib
load ../docker/podman

bats_require_minimum_version 1.5.0

setup_file()
{
	engine_file cni
}

setup()
{
	engine_test
	[[ -x /usr/lib/cni/bridge ]] || skip "containernetworking-plugins is not installed"
	# as `podman network create` writes it, with one plugin more
	cat >"$PODMAN_DIR/networks/test-net.conflist" <<-END
		{"cniVersion": "0.4.0", "name": "test-net", "plugins": [
			{"type": "bridge", "bridge": "cni-test", "isGateway": true, "ipam": {
				"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
				"ranges": [[{"subnet": "10.89.7.0/24", "gateway": "10.89.7.1"}]]}},
			{"type": "hbpf", "ports": [8088]}]}
	END
}

@test "Podman's containers reach the ports of their network's configuration while one of them runs" {
	host_service tcp 127.0.0.1 8088 "from the host"
	host_service tcp 127.0.0.1 8089 "not exported"
	podman_container client test-net sleep 300
	run -0 podman_in client "${fetch[@]}" http://10.89.7.1:8088
	[ "$output" = "from the host" ]
	run -7 podman_in client "${fetch[@]}" http://10.89.7.1:8089
	run -0 hbpf status cni-test
	[[ $output == "cni-test: ok, 1 port open"* ]]

	podman rm --force --time 0 client
	run hbpf status cni-test
	[ "$status" -eq 1 ]
	[[ $output == *"not attached"* ]]
}
