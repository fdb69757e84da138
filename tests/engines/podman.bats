#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Podman as root: the host's services by host.containers.internal, and ports that it publishes on
# 127.0.0.1, which do not answer.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load ../docker/lib
load ../docker/podman

bats_require_minimum_version 1.5.0

setup()
{
	engine_test
	podman network create test-net
	bridge=$(podman network inspect --format '{{.NetworkInterface}}' test-net)
}

@test "host.containers.internal is served; after its bridge was removed and re-created attach repairs it" {
	host_service tcp 127.0.0.1 8088 "from the host"
	podman_container client test-net sleep 300
	run -7 podman_in client "${fetch[@]}" http://host.containers.internal:8088
	hbpf attach "$bridge" --port 8088
	run -0 podman_in client "${fetch[@]}" http://host.containers.internal:8088
	[ "$output" = "from the host" ]

	podman rm --force --time 0 client
	run -0 hbpf status
	[[ $output == "$bridge: warning: the interface was deleted"* ]]
	podman_container client test-net sleep 300
	run -7 podman_in client "${fetch[@]}" http://host.containers.internal:8088
	hbpf attach "$bridge"
	run -0 podman_in client "${fetch[@]}" http://host.containers.internal:8088
	[ "$output" = "from the host" ]
}

@test "flows names the container and the network of a connection" {
	host_service tcp 127.0.0.1 8088 "from the host"
	podman_container client test-net bash -c \
		'until exec 3<>/dev/tcp/host.containers.internal/8088; do :; done 2>/dev/null; sleep 60'
	hbpf attach test-net --port 8088
	wait_until 20 flows_has "$bridge +test-net +[0-9.]+:[0-9]+ +client +[0-9.]+:8088/tcp +127.0.0.1:8088 +python3"
}

flows_has()
{
	hbpf flows | grep -E "$1"
}

# podman_at_least VERSION
podman_at_least()
{
	is_at_least "$1" "$(podman version --format '{{.Client.Version}}')"
}

# Before 6 conmon holds a socket, and connections hang; now there is none, and they are refused.
@test "a port published on 127.0.0.1 does not answer, attach says why, and --nat-bypass off lets other networks in" {
	cause="conmon (pid *does not answer" refusal=28
	! podman_at_least 6 || cause="nothing listens on 127.0.0.1:5432: rule*redirects" refusal=7
	timeout 60 podman run --detach --cgroup-parent "$PODMAN_CGROUP" --volume /usr:/usr:ro \
		--volume "$HERE:/tests:ro" --name database --network test-net \
		--publish 127.0.0.1:5432:5432 hbpf-test \
		/usr/bin/python3 /tests/answer.py tcp 0.0.0.0 5432 "from the database" 3>&-
	wait_until 20 podman_in database "${fetch[@]}" http://127.0.0.1:5432
	run -0 "${fetch[@]}" http://127.0.0.1:5432
	podman_container client podman sleep 300
	podman_container neighbour test-net sleep 300

	run hbpf attach podman0 --port 5432
	[ "$status" -eq 0 ]
	# shellcheck disable=SC2053 # a pattern
	[[ $output == *"warning: 5432/tcp: "$cause* ]]
	run "-$refusal" podman_in client "${fetch[@]}" http://host.containers.internal:5432
	run hbpf doctor --no-probe
	# shellcheck disable=SC2053
	[[ $output == *"5432/tcp: "$cause* ]]

	hbpf attach "$bridge" --port 5432
	run "-$refusal" podman_in neighbour "${fetch[@]}" http://host.containers.internal:5432
	# what to do instead
	run -0 podman_in neighbour "${fetch[@]}" "http://$(podman inspect --format \
		'{{(index .NetworkSettings.Networks "test-net").IPAddress}}' database):5432"
	[ "$output" = "from the database" ]

	hbpf attach podman0 --nat-bypass off
	# it isolates networks from each other
	! podman_at_least 6 || { run -28 podman_in client "${fetch[@]}" http://host.containers.internal:5432 && return; }
	run -0 podman_in client "${fetch[@]}" http://host.containers.internal:5432
	[ "$output" = "from the database" ]
}
