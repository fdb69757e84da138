#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Kinds of Docker networks, Compose, and a daemon restart. The default bridge, plain networks and IPv6
# are in tests/docker.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load ../docker/lib

bats_require_minimum_version 1.5.0

setup_file()
{
	engine_file --live-restore
}

setup()
{
	engine_test
	host_service tcp 127.0.0.1 8088 "from the host"
}

# client NETWORK: starts an idle container
client()
{
	container --detach --name client --network "$1" -- sleep 300
}

reached()
{
	run -0 docker exec client "${fetch[@]}" "http://$1:8088"
	[ "$output" = "from the host" ]
}

@test "an --internal network: attach lists the gateways that its containers reach; doctor names the others" {
	docker network create --internal --opt com.docker.network.bridge.name=br-test \
		--subnet 172.30.0.0/24 test-net
	client test-net
	run -7 docker exec client "${fetch[@]}" http://172.30.0.1:8088
	run -0 hbpf attach br-test --port 8088
	[[ $output == *172.30.0.1:8088/tcp* ]]
	listed=$output
	reached 172.30.0.1
	run -0 hbpf doctor br-test --json
	gateways=$(jq -c '.bridges[0].steps[] | select(.step == "gateways").findings' <<<"$output")
	if docker_at_least 25; then
		[[ $listed != *172.17.0.1* ]]
		run -7 docker exec client "${fetch[@]}" http://host.docker.internal:8088
		[[ $gateways == *"--add-host host.docker.internal:172.30.0.1"* ]]
		docker rm --force client
		container --detach --name client --network test-net \
			--add-host host.docker.internal:172.30.0.1 -- sleep 300
	else # its containers have a default route
		[[ $listed == *172.17.0.1:8088/tcp* && $gateways == "[]" ]]
	fi
	reached host.docker.internal
	docker network create other-net
	run -0 hbpf attach other-net --port 8088
	[[ $output == *172.17.0.1:8088/tcp* ]]
}

@test "a network of IPv6 only is served at its gateway, and attach lists no other" {
	docker_at_least 28 || skip "Docker 28 has such networks, this is $(docker_version)"
	docker network create --ipv4=false --ipv6 --subnet fd00:8088::/64 test-net
	host_service tcp ::1 8088 "from ::1"
	client test-net
	run -0 hbpf attach test-net --port 8088
	[[ ${lines[*]: -1} == "[fd00:8088::1]:8088/tcp"* && $output != *172.17.0.1* ]]
	wait_until 10 docker exec client "${fetch[@]}" "http://[fd00:8088::1]:8088"
	run -7 docker exec client "${fetch[@]}" http://host.docker.internal:8088
}

@test "a network with gateway_mode=isolated: attach says that the host has no address there" {
	docker_at_least 28 || skip "Docker 28 has such networks, this is $(docker_version)"
	docker network create --internal --opt com.docker.network.bridge.gateway_mode_ipv4=isolated test-net
	client test-net
	run -0 hbpf attach test-net --port 8088
	[[ $output == *"has no IPv4 and no IPv6 address"*"no gateway that clients can dial"* ]]
	[[ $output != *"->"* ]]
	run -1 hbpf status test-net
	[[ $output == *"it has no gateway"* ]]
}

@test "a network with icc=false: containers reach the host's service, and still not each other" {
	docker network create --opt com.docker.network.bridge.enable_icc=false \
		--opt com.docker.network.bridge.name=br-test test-net
	client test-net
	container --detach --name other --network test-net \
		-- /usr/bin/python3 /tests/answer.py tcp 0.0.0.0 8088 "from another"
	wait_until 10 listening tcp 0.0.0.0 8088 docker exec other
	sysctl --quiet --write net.bridge.bridge-nf-call-iptables=1
	hbpf attach br-test --port 8088
	reached host.docker.internal
	run -28 docker exec client "${fetch[@]}" http://other:8088
}

# Its network is removed and re-created under the same name
@test "Compose down and up: attach repairs it, and the ports are remembered" {
	command -v docker-compose >/dev/null || skip "no docker-compose here"
	mkdir "$BATS_TEST_TMPDIR/app"
	cat >"$BATS_TEST_TMPDIR/app/docker-compose.yml" <<-END
		version: "2.4"
		services:
		  app:
		    image: hbpf-test
		    container_name: client
		    command: sleep 300
		    stop_grace_period: 0s
		    volumes: ["/usr:/usr:ro"]
		    extra_hosts: ["host.docker.internal:\${GATEWAY}"]
		networks:
		  default:
		    driver_opts: {com.docker.network.bridge.name: br-app}
	END
	GATEWAY=$(ip -4 -oneline address show dev docker0 | sed 's/.* inet \([0-9.]*\).*/\1/')
	export GATEWAY
	cd "$BATS_TEST_TMPDIR/app"

	docker-compose up --detach
	hbpf attach br-app --port 8088
	reached host.docker.internal
	docker-compose down
	run -0 hbpf status
	[[ $output == "br-app: warning: the interface was deleted"* ]]
	docker-compose up --detach
	run -7 docker exec client "${fetch[@]}" http://host.docker.internal:8088
	hbpf attach br-app
	reached host.docker.internal
	docker-compose down
}

@test "dockerd restarted, its containers left running: the connection survives, new ones work" {
	docker network create --opt com.docker.network.bridge.name=br-test \
		--subnet 172.30.0.0/24 test-net
	hbpf attach br-test --port 8088
	client test-net
	kept test-net 8088
	docker_restart --live-restore
	goes_on
	reached host.docker.internal
	# By address: Docker 20.10 does not resolve host-gateway for containers created after a restart.
	run -0 in_container test-net "${fetch[@]}" http://172.30.0.1:8088
	[ "$output" = "from the host" ]
}
