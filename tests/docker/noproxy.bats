#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# hbpf with a Docker whose userland-proxy is off: dockerd binds the ports it publishes and does not
# answer on them. hbpf can only warn of that, and do no harm.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load lib

bats_require_minimum_version 1.5.0

setup_file()
{
	engine_file --userland-proxy=false
}

setup()
{
	engine_test
	docker network create --opt com.docker.network.bridge.name=br-test test-net
}

@test "a host's service is reached as with the proxy" {
	host_service tcp 127.0.0.1 8088 "from the host"
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	hbpf attach br-test --port 8088
	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]
}

@test "a port published on 127.0.0.1 does not answer, and attach and status say why" {
	published test-net tcp 5432 "from the database"
	published test-net udp 5353 "from the resolver"
	host_service tcp 127.0.0.1 8088 "from the host"

	run hbpf attach br-test --port 5432 --port 5353/udp --port 8088
	[ "$status" -eq 0 ]
	[[ $output == *"warning: 5432/tcp: dockerd (pid "*"does not answer"* ]]
	[[ $output == *"warning: 5353/udp: dockerd (pid "*"does not answer"* ]]
	[[ $output != *"warning: 8088"* ]]

	run hbpf status
	[[ ${lines[0]} == "br-test: warning: 5432/tcp: dockerd (pid "*"does not answer"* ]]
	[[ $output == *" 5432/tcp  ->"*"dockerd (pid "*"does not answer"* ]]
	[ "$(grep -c 'does not answer' <<<"$output")" -eq 4 ]
	run hbpf status --json
	jq --exit-status '[.bridges[0].ports[] | select(.services[0].answers == false).gateway_port] ==
		[5432, 5353]' <<<"$output"

	# The warning is right, with the NAT bypass and without, on its own network and from another. But
	# Docker 28 without the NAT bypass serves other networks.
	docker network create other-net
	published other-net tcp 5433 "from elsewhere"
	hbpf ports add 5433
	for bypass in auto off; do
		elsewhere=28
		[[ $bypass != off ]] || ! docker_at_least 28 || elsewhere=0
		hbpf attach br-test --nat-bypass "$bypass"
		run -28 in_container test-net "${fetch[@]}" http://host.docker.internal:5432
		run "-$elsewhere" in_container test-net "${fetch[@]}" http://host.docker.internal:5433
	done
	# What to do instead: the container itself can be reached without hbpf.
	id=$(docker ps --quiet --filter publish=5432)
	run -0 in_container test-net "${fetch[@]}" "http://$(docker inspect --format \
		'{{(index .NetworkSettings.Networks "test-net").IPAddress}}' "$id"):5432"
	[ "$output" = "from the database" ]
	# The host's own clients reach it as before.
	run -0 "${fetch[@]}" http://127.0.0.1:5432
	[ "$output" = "from the database" ]
}
