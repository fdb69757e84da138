#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# hbpf with a real Podman, whose bridges exist from their first container to their last.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load lib
load podman
load watch

bats_require_minimum_version 1.5.0

setup()
{
	engine_test
	podman network create plain-net
	bridge=$(podman network inspect --format '{{.NetworkInterface}}' plain-net)
	id=$(podman network inspect --format '{{.ID}}' plain-net)
}

@test "a container reaches the host's 127.0.0.1 when its network is attached by name or ID" {
	host_service tcp 127.0.0.1 8088 "from the host"
	podman_container client plain-net sleep 600

	for name in plain-net "$id" "${id:0:8}"; do
		run -7 podman_in client "${fetch[@]}" http://host.containers.internal:8088
		run -0 hbpf attach "$name" --port 8088
		[ "${lines[0]}" = "$name is $bridge" ]
		run -0 podman_in client "${fetch[@]}" http://host.containers.internal:8088
		[ "$output" = "from the host" ]
		run -0 hbpf detach "$name"
		[ "${lines[1]}" = "$bridge is detached" ]
	done
}

@test "a first port published after attach is reached from the host, while attached and after" {
	podman_container client plain-net sleep 600
	# netavark 1.17 sets it with the bridge, earlier ones with the first port
	before=$(sysctl --values "net.ipv4.conf.$bridge.route_localnet")
	run -0 hbpf attach plain-net --port 8088
	[ "$(sysctl --values "net.ipv4.conf.$bridge.route_localnet")" = $((before ? 1 : 2)) ]
	timeout 60 podman run --detach --cgroup-parent "$PODMAN_CGROUP" --volume /usr:/usr:ro \
		--volume "$BATS_TEST_DIRNAME:/tests:ro" --publish 127.0.0.1:5432:5432 --network plain-net \
		--name server hbpf-test /usr/bin/python3 /tests/answer.py tcp 0.0.0.0 5432 published 3>&-
	[ "$(sysctl --values "net.ipv4.conf.$bridge.route_localnet")" = 1 ]
	hbpf attach plain-net
	wait_until 20 curl --silent --max-time 2 http://127.0.0.1:5432
	run -0 hbpf detach plain-net
	[ "$(sysctl --values "net.ipv4.conf.$bridge.route_localnet")" = 1 ]
	run -0 curl --silent --max-time 5 http://127.0.0.1:5432
	[ "$output" = published ]
}

@test "before its first container a network has no bridge, and attach says what creates it" {
	run -1 hbpf attach plain-net --port 8088
	[[ $output == *"$bridge, the bridge of Podman's network plain-net, does not exist"* ]]
	[[ $output == *"first container"* ]]
	podman_container client plain-net sleep 600
	hbpf attach plain-net --port 8088
}

@test "Podman's network podman is attached by that name" {
	host_service tcp 127.0.0.1 8088 "from the host"
	podman_container client podman sleep 600
	run -0 hbpf attach podman --port 8088
	[ "${lines[0]}" = "podman is podman0" ]
	run -0 podman_in client "${fetch[@]}" http://host.containers.internal:8088
	[ "$output" = "from the host" ]
}

@test "ports, status and bridges know a network's name, and detach does after its bridge was removed" {
	host_service tcp 127.0.0.1 9000 "from the host"
	podman_container client plain-net sleep 600
	podman_container other podman sleep 600
	hbpf attach plain-net
	hbpf attach podman

	hbpf ports add 9000 -b plain-net
	run -0 podman_in client "${fetch[@]}" http://host.containers.internal:9000
	[ "$output" = "from the host" ]
	run -7 podman_in other "${fetch[@]}" http://host.containers.internal:9000
	run -0 hbpf status plain-net
	[[ ${lines[1]} == "$bridge: ok"* ]]
	run -0 hbpf interfaces
	[[ $output =~ "$bridge "+"bridge "+"plain-net (Podman) "+[0-9.]+\ +1\ +yes ]]
	[[ $output =~ "podman0 "+"bridge "+"podman (Podman) "+[0-9.]+\ +1\ +yes ]]

	podman rm --force --time 0 client
	run -0 hbpf status plain-net
	[[ ${lines[1]} == "$bridge: warning: the interface was deleted"* ]]
	run -0 hbpf detach plain-net
	[ "${lines[1]}" = "$bridge is detached" ]
}

@test "hbpf watch serves a network by its label from its first container to its last" {
	host_service tcp 127.0.0.1 8088 "from the host"
	before=$(find "$HBPF_BPFFS" -mindepth 1 | sort)
	watch <<<"labels = yes"
	podman network create --label hbpf.ports=8088 labelled-net
	bridge=$(podman network inspect --format '{{.NetworkInterface}}' labelled-net)
	podman_container other plain-net sleep 600
	for round in 1 2; do
		podman_container client labelled-net sleep 600
		wait_until 60 is_live "$bridge"
		run -0 podman_in client "${fetch[@]}" http://host.containers.internal:8088
		[ "$output" = "from the host" ]
		run -7 podman_in other "${fetch[@]}" http://host.containers.internal:8088
		podman rm --force --time 0 client
		wait_until 60 logged "$bridge: detached" "$round"
		[ "$(find "$HBPF_BPFFS" -mindepth 1 | sort)" = "$before" ]
	done
}
