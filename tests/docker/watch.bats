#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# hbpf watch with a real Docker: networks by name and by label, while networks are created and removed
# and the daemon restarts.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load lib
load watch
load container

bats_require_minimum_version 1.5.0

setup()
{
	engine_test
	host_service tcp 127.0.0.1 8088 "from the host"
}

# bridge_of NETWORK
bridge_of()
{
	echo "br-$(docker network inspect --format '{{ printf "%.12s" .Id }}' "$1")"
}

reached_from()
{
	run -0 in_container "$1" "${fetch[@]}" "http://host.docker.internal:${2:-8088}"
	[ "$output" = "from the host" ]
}

@test "a network's label opens its ports, and removing the network closes them" {
	before=$(pins)
	docker network create plain-net
	watch <<<"labels = yes"
	docker network create --label hbpf.ports="8088, 5300/udp" test-net
	bridge=$(bridge_of test-net)
	wait_until 30 is_live "$bridge"
	reached_from test-net
	run -7 in_container plain-net "${fetch[@]}" http://host.docker.internal:8088
	hbpf status --json | jq -e '.bridges[0].owner == "engine"'

	docker network rm test-net
	wait_until 30 logged "$bridge: detached"
	[ "$(pins)" = "$before" ]
	[ "$(sysctl --values net.ipv4.conf.lo.route_localnet)" = 0 ]
}

@test "a network that exists before the watcher starts is served, too" {
	docker network create --label hbpf.ports=8088 test-net
	watch <<<"labels = yes"
	wait_until 30 is_live "$(bridge_of test-net)"
	reached_from test-net
}

@test "labels do nothing unless the configuration enables them" {
	docker network create --label hbpf.ports=8088 test-net
	docker network create other-net
	watch <<-END
		[other-net]
		ports = 8088
	END
	wait_until 30 is_live "$(bridge_of other-net)" # a sign that labels were read
	reached_from other-net
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	is_detached "$(bridge_of test-net)"
}

@test "a section may name a network before that network exists" {
	watch <<-END
		[test-net]
		ports = 8088
	END
	wait_until 30 logged 'test-net .*no such bridge yet'
	docker network create test-net
	wait_until 30 is_live "$(bridge_of test-net)"
	reached_from test-net
	docker network rm test-net
	wait_until 30 logged 'detached'
	docker network create test-net
	wait_until 30 is_live "$(bridge_of test-net)"
	reached_from test-net
}

@test "a section takes precedence over the labels of the same network" {
	host_service tcp 127.0.0.1 9000 "from the host"
	docker network create --label hbpf.ports=9000 test-net
	watch <<-END
		labels = yes
		[test-net]
		ports = 8088
	END
	wait_until 30 is_live "$(bridge_of test-net)"
	reached_from test-net
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:9000
}

@test "a label does not affect a manually attached bridge" {
	host_service tcp 127.0.0.1 9000 "from the host"
	docker network create --opt com.docker.network.bridge.name=br-test test-net
	hbpf attach br-test --port 9000
	docker network rm test-net
	watch <<<"labels = yes"
	docker network create --opt com.docker.network.bridge.name=br-test \
		--label hbpf.ports=8088 test-net
	wait_until 30 logged 'br-test is attached manually'
	hbpf attach br-test
	reached_from test-net 9000
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
}

@test "hbpf.from sets the allowed sources" {
	docker network create --subnet 172.28.0.0/16 --label hbpf.ports=8088 \
		--label hbpf.from=172.28.0.7 test-net
	watch <<<"labels = yes"
	wait_until 30 is_live "$(bridge_of test-net)"
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	run -0 container --rm --network test-net --ip 172.28.0.7 -- \
		"${fetch[@]}" http://host.docker.internal:8088
}

@test "a malformed label is logged once, and affects no other network" {
	docker network create --label hbpf.ports=http bad-net
	docker network create --label hbpf.ports=$'8088\nhbpf: all is well' worse-net
	watch <<<"labels = yes"
	docker network create --label hbpf.ports=8088 test-net
	wait_until 30 is_live "$(bridge_of test-net)"
	docker network create --label hbpf.ports=8088 second-net
	wait_until 30 is_live "$(bridge_of second-net)"
	[ "$(grep -c 'bad-net on br-[0-9a-f]*, label hbpf.ports: port must be' "$LOG")" = 1 ]
	[ "$(grep -c 'worse-net on br-[0-9a-f]*, label hbpf.ports: .*control character' "$LOG")" = 1 ]
	unlogged '^hbpf: all is well'
	is_detached "$(bridge_of bad-net)"
}

@test "a network deleted with an open connection leaves nothing, and is served when re-created" {
	before=$(pins)
	watch <<<"labels = yes"
	docker network create --label hbpf.ports=8088 test-net
	bridge=$(bridge_of test-net)
	wait_until 30 is_live "$bridge"
	# shellcheck disable=SC2016 # expanded by the container's shell
	container --detach --name client --network test-net -- bash -c \
		'exec 3<>/dev/tcp/host.docker.internal/8088 && echo connected && sleep 600'
	wait_until 30 grep -q connected <(docker logs --follow client 2>&1)
	[ -n "$(ss --no-header --numeric state established "sport = :8088")" ]

	docker network disconnect --force test-net client
	docker network rm test-net
	wait_until 30 logged "$bridge: detached"
	[ "$(pins)" = "$before" ]
	wait_until 30 no_connection 8088 # the service's end was closed, too

	docker network create --label hbpf.ports=8088 test-net
	wait_until 30 is_live "$(bridge_of test-net)"
	reached_from test-net
}

@test "Docker restarts: attached networks are not interrupted, and later networks are noticed" {
	watch <<<"labels = yes"
	docker network create --label hbpf.ports=8088 test-net
	bridge=$(bridge_of test-net)
	wait_until 30 is_live "$bridge"
	held=$(descriptors)

	for round in 1 2; do
		docker_down
		# an event while it is down causes a pass
		sysctl --quiet --write "net.ipv4.conf.$bridge.route_localnet=0"
		wait_until 30 logged "$bridge: repaired" "$round"
		is_live "$bridge"
		docker_daemon
		docker network create --label hbpf.ports=8088 "later-net$round"
		wait_until 20 is_live "$(bridge_of "later-net$round")"
		is_live "$bridge"
		reached_from test-net
		docker network rm "later-net$round"
		wait_until 30 logged 'detached' "$round"
	done
	unlogged "$bridge: detached"
	wait_until 30 same_descriptors "$held"
}

@test "the watcher starts while Docker is down: attached networks stay attached" {
	docker network create --label hbpf.ports=8088 test-net
	bridge=$(bridge_of test-net)
	watch <<<"labels = yes"
	wait_until 30 is_live "$bridge"
	watch_end
	docker_down

	watch <<<"labels = yes"
	is_live "$bridge"
	docker_daemon
	wait_until 20 logged 'answers on'
	is_live "$bridge"
	docker network rm test-net
	wait_until 30 logged "$bridge: detached"
}

@test "access to Docker's socket is lost and regained: nothing is detached, and later networks are served" {
	# without these capabilities root needs permissions
	watch setpriv --bounding-set=-dac_override,-dac_read_search <<<"labels = yes"
	docker network create --label hbpf.ports=8088 test-net
	bridge=$(bridge_of test-net)
	wait_until 30 is_live "$bridge"

	docker_down
	chmod 000 "$DOCKER_DIR"
	docker_daemon &
	launched=$!
	wait_until 20 docker_answers
	wait "$launched"
	chmod 000 "$DOCKER_DIR/docker.sock"
	sysctl --quiet --write "net.ipv4.conf.$bridge.route_localnet=0"
	wait_until 30 logged "$bridge: repaired"
	wait_until 30 logged 'denied'
	is_live "$bridge"

	chmod 711 "$DOCKER_DIR"
	chmod 660 "$DOCKER_DIR/docker.sock"
	docker network create --label hbpf.ports=8088 later-net
	wait_until 20 is_live "$(bridge_of later-net)"
	unlogged "$bridge: detached"
}

@test "a compose file alone is enough: up, down, up again" {
	command -v docker-compose || skip "docker-compose is not installed"
	before=$(pins)
	mkdir "$BATS_TEST_TMPDIR/project"
	cd "$BATS_TEST_TMPDIR/project"
	cat >docker-compose.yml <<-END
		version: "3.5"
		services:
		  client:
		    image: hbpf-test
		    command: sleep 600
		    volumes: ["/usr:/usr:ro"]
		    extra_hosts: ["host.docker.internal:172.17.0.1"]
		networks: {default: {labels: {hbpf.ports: "8088,5432,53/udp"}}}
	END
	watch <<<"labels = yes"
	for round in 1 2 3; do
		timeout 60 docker-compose up --detach
		wait_until 30 is_live "$(bridge_of project_default)"
		client=$(docker ps --quiet --filter label=com.docker.compose.service=client)
		run -0 docker exec "$client" "${fetch[@]}" http://host.docker.internal:8088
		[ "$output" = "from the host" ]
		timeout 60 docker-compose down --timeout 1
		wait_until 30 logged ': detached' "$round"
		[ "$(pins)" = "$before" ]
	done
}

@test "in a container of its own, started as INSTALL.md says: serves labelled networks, and restores the host" {
	system_image
	container_paths
	container_serves
}

# --- helpers ----------------------------------------------------------------------------------

pins()
{
	find "$HBPF_BPFFS" -mindepth 1 | sort
}

# docker_down: stops the daemon, which leaves the same as when its service manager stops it
docker_down()
{
	kill "$(<"$DOCKER_DIR/docker.pid")"
	wait_until 30 no_docker
}

no_docker()
{
	[[ ! -e $DOCKER_DIR/docker.pid ]] && ! docker_answers
}

no_connection()
{
	[[ -z $(ss --no-header --numeric state established "sport = :$1") ]]
}

same_descriptors()
{
	[[ $(descriptors) == "$1" ]]
}
