#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# hbpf with a real Docker. Every test that something is closed has a control: the same packets, sent
# where nothing should stop them.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load lib

bats_require_minimum_version 1.5.0

setup()
{
	engine_test
	docker network create --opt com.docker.network.bridge.name=br-test test-net
}

# --- services of the host ---------------------------------------------------------------------

@test "a container reaches the host's 127.0.0.1:8088 as host.docker.internal:8088" {
	host_service tcp 127.0.0.1 8088 "from the host"

	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088

	hbpf attach br-test --port 8088
	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]

	hbpf detach
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
}

@test "a container reaches an exported port through its own network's gateway, too" {
	host_service tcp 127.0.0.1 8088 "from the host"
	hbpf attach br-test --port 8088

	run -0 in_container test-net "${fetch[@]}" "http://$(gateway br-test):8088"
	[ "$output" = "from the host" ]
}

@test "a port added while a container runs is reachable from it at once" {
	host_service tcp 127.0.0.1 8088 "first"
	host_service tcp 127.0.0.1 9000 "second"
	hbpf attach br-test --port 8088
	container --detach --name client --network test-net -- sleep 600

	run -7 docker exec client "${fetch[@]}" http://host.docker.internal:9000
	hbpf ports add 9000
	run -0 docker exec client "${fetch[@]}" http://host.docker.internal:9000
	[ "$output" = "second" ]
	run -0 docker exec client "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "first" ]
}

@test "a container reaches a UDP service on the host's 127.0.0.1" {
	host_service udp 127.0.0.1 5300 "from the host"

	run ! in_container test-net "${udp_ask[@]}" host.docker.internal 5300 hello

	hbpf attach br-test --port 5300/udp
	run -0 in_container test-net "${udp_ask[@]}" host.docker.internal 5300 hello
	[ "$output" = "from the host hello" ]
}

@test "a container on Docker's default bridge reaches the host's 127.0.0.1" {
	host_service tcp 127.0.0.1 8088 "from the host"

	run -7 in_container bridge "${fetch[@]}" http://host.docker.internal:8088

	hbpf attach docker0 --port 8088
	run -0 in_container bridge "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]
	run -0 in_container bridge "${fetch[@]}" "http://$(gateway docker0):8088"
	[ "$output" = "from the host" ]
}

@test "a container on an IPv6 network reaches a service on the host's ::1" {
	host_service tcp ::1 8088 "from the host"
	create_test_net6
	container --detach --name client --network test-net6 -- sleep 600
	wait_until 10 no_tentative_address br-test6

	run -7 docker exec client "${fetch[@]}" "http://[fd00:8088::1]:8088"

	hbpf attach br-test6 --port 8088
	run -0 docker exec client "${fetch[@]}" "http://[fd00:8088::1]:8088"
	[ "$output" = "from the host" ]
}

# --- networks by their names ------------------------------------------------------------------

@test "a network is attached by its name, ID or ID prefix, whatever its bridge is called" {
	host_service tcp 127.0.0.1 8088 "from the host"
	id=$(docker network create --label hbpf.ports=8088 plain-net)
	bridge=br-${id:0:12}

	for name in plain-net "$id" "${id:0:8}"; do
		run -7 in_container plain-net "${fetch[@]}" http://host.docker.internal:8088
		run -0 hbpf attach "$name" --port 8088
		[ "${lines[0]}" = "$name is $bridge" ]
		run -0 in_container plain-net "${fetch[@]}" http://host.docker.internal:8088
		[ "$output" = "from the host" ]
		run -0 hbpf detach "$name"
		[ "${lines[1]}" = "$bridge is detached" ]
	done
}

@test "Docker's network bridge is attached by that name" {
	host_service tcp 127.0.0.1 8088 "from the host"
	run -0 hbpf attach bridge --port 8088
	[ "${lines[0]}" = "bridge is docker0" ]
	run -0 in_container bridge "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]
}

@test "ports and status accept a network's name" {
	host_service tcp 127.0.0.1 9000 "from the host"
	id=$(docker network create plain-net)
	bridge=br-${id:0:12}
	hbpf attach docker0
	hbpf attach plain-net

	hbpf ports add 9000 -b plain-net
	run -0 in_container plain-net "${fetch[@]}" http://host.docker.internal:9000
	[ "$output" = "from the host" ]
	run -7 in_container bridge "${fetch[@]}" http://host.docker.internal:9000
	run -0 hbpf status plain-net
	[ "${lines[0]}" = "plain-net is $bridge" ]
	[[ ${lines[1]} == "$bridge: ok"* ]]
}

@test "a network without a bridge is refused, naming its driver" {
	run -1 hbpf attach host
	[[ $output == *"Docker's network host has no bridge"*"driver is host"* ]]
	run -1 hbpf attach none
	[[ $output == *"driver is null"* ]]
	if docker network create --driver ipvlan ipvlan-net; then # not every kernel has it
		run -1 hbpf attach ipvlan-net
		[[ $output == *"driver is ipvlan"* ]]
	fi
	run -1 hbpf attach nowhere
	[[ $output == *"no container network has that name"*"networks: "*test-net* ]]
}

@test "bridges lists Docker's networks, their containers and which are attached" {
	id=$(docker network create --internal inside)
	container --detach --network inside -- sleep 600
	container --detach --network inside -- sleep 600
	hbpf attach test-net

	run -0 hbpf interfaces
	[[ $output =~ "br-${id:0:12} "+"bridge "+"inside (Docker) "+"$(gateway "br-${id:0:12}")"\ +2\ +no ]]
	[[ $output =~ "br-test "+"bridge "+"test-net (Docker) "+"$(gateway br-test)"\ +0\ +yes ]]
	[[ $output =~ "docker0 "+"bridge "+"bridge (Docker) "+"$(gateway docker0)"\ +0\ +no ]]
	[ "${#lines[@]}" -eq 4 ]
}

@test "flows names the container and the network of a connection" {
	host_service tcp 127.0.0.1 8088 "from the host"
	hbpf attach test-net --port 8088
	kept test-net 8088

	run -0 hbpf flows
	[[ $output =~ br-test\ +test-net\ +[0-9.]+:[0-9]+\ +kept\ +[0-9.]+:8088/tcp\ +127.0.0.1:8088\ +python3 ]]
}

# --- ports that Docker publishes on 127.0.0.1 -------------------------------------------------
#
# Docker's NAT rule would redirect a translated packet to the container, whose answer then goes
# straight to a client that did not dial it. docker-proxy must answer, as for the host's own clients.
# Without the NAT bypass it does not. Then Docker 28 serves clients of other networks, whose packets
# older ones drop.

@test "a container reaches a port published on 127.0.0.1 by one of its own network" {
	published test-net tcp 5432 "from the database"
	reaches_published_with_nat_bypass 28
}

@test "a container reaches a port published on 127.0.0.1 from another network" {
	docker network create other-net
	published other-net tcp 5432 "from the database"
	reaches_published_with_nat_bypass "$(from_elsewhere 28)"
}

@test "a container reaches a port published on 127.0.0.1 from the default bridge" {
	published bridge tcp 5432 "from the database"
	reaches_published_with_nat_bypass "$(from_elsewhere 28)"
}

@test "a container reaches a port that it publishes itself" {
	published test-net tcp 5432 "from the database"
	hbpf attach br-test --port 5432

	run -0 docker exec "$(docker ps --quiet)" "${fetch[@]}" http://host.docker.internal:5432
	[ "$output" = "from the database" ]
}

@test "a container on an IPv6 network reaches a port published on ::1" {
	create_test_net6
	container --detach --network test-net6 --publish "[::1]:5432:5432/tcp" \
		-- /usr/bin/python3 /tests/answer.py tcp :: 5432 "from the database"
	# While the bridge's own address is tentative docker-proxy's connections hang.
	wait_until 10 "${fetch[@]}" "http://[::1]:5432"

	reaches_published_with_nat_bypass 28 br-test6 test-net6 "[fd00:8088::1]"
}

@test "a container reaches a UDP port published on 127.0.0.1 by one of its own network" {
	published test-net udp 5353 "from the resolver"
	reaches_published_udp_with_nat_bypass 124
}

@test "a container reaches a UDP port published on 127.0.0.1 from another network" {
	docker network create other-net
	published other-net udp 5353 "from the resolver"
	reaches_published_udp_with_nat_bypass "$(from_elsewhere 124)"
}

# --- what stays closed ------------------------------------------------------------------------

@test "a port of 127.0.0.1 that is not exported stays closed" {
	host_service tcp 127.0.0.1 8088 "exported"
	host_service tcp 127.0.0.1 8089 "private"
	hbpf attach br-test --port 8088

	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "exported" ]
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8089
	run -7 in_container test-net "${fetch[@]}" "http://$(gateway br-test):8089"
}

@test "a container on another network reaches nothing" {
	host_service tcp 127.0.0.1 8088 "from the host"
	docker network create other-net
	hbpf attach br-test --port 8088

	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	run -7 in_container other-net "${fetch[@]}" http://host.docker.internal:8088
}

@test "control: without hbpf's guard, route_localnet lets packets for 127.0.0.1 in" {
	host_service udp 127.0.0.1 5300 "private"
	sysctl --quiet --write net.ipv4.conf.br-test.route_localnet=1

	attack 5300 "into an open host"
	wait_until 5 grep --quiet "into an open host" "$SERVICE_LOG"
}

@test "a container that routes 127.0.0.1 to the host reaches no port there, exported or not" {
	host_service udp 127.0.0.1 5301 "private"
	private_log=$SERVICE_LOG
	host_service udp 127.0.0.1 5300 "exported"
	hbpf attach br-test --port 5300/udp
	[ "$(sysctl --values net.ipv4.conf.br-test.route_localnet)" = 2 ]

	attack 5301 "attack" 5300 "attack"
	# The containers' packets arrive in order: after the last there is none left.
	run -0 in_container test-net "${udp_ask[@]}" host.docker.internal 5300 "legal"
	[ "$output" = "exported legal" ]
	[ "$(<"$SERVICE_LOG")" = "legal" ]
	[ ! -s "$private_log" ]
}

# --- the host afterwards ----------------------------------------------------------------------

@test "detach leaves Docker's rules and the host's settings as they were" {
	host_service tcp 127.0.0.1 8088 "from the host"
	published test-net tcp 5432 "from the database"
	container --detach --name client --network test-net -- sleep 600
	before=$(host_state)

	hbpf attach br-test --port 8088 --port 5432
	run -0 docker exec client "${fetch[@]}" http://host.docker.internal:8088
	run -0 docker exec client "${fetch[@]}" http://host.docker.internal:5432
	[ "$(host_state)" != "$before" ]
	hbpf detach

	diff <(echo "$before") <(host_state)
}

@test "detach --all leaves nothing behind when the network was removed first" {
	docker network rm test-net
	before=$(host_state)

	docker network create --opt com.docker.network.bridge.name=br-test test-net
	hbpf attach br-test --port 8088
	docker network rm test-net
	[ "$(host_state)" != "$before" ]
	hbpf detach --all

	diff <(echo "$before") <(host_state)
}

@test "a Docker network removed and re-created while attached is repaired by attach" {
	host_service tcp 127.0.0.1 8088 "from the host"
	hbpf attach br-test --port 8088
	docker network rm test-net
	docker network create --opt com.docker.network.bridge.name=br-test test-net

	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	hbpf attach br-test --port 8088
	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]
}

# --- the test bed itself ----------------------------------------------------------------------

@test "control: the iptables recipe reaches the service, so the test bed lets packets through" {
	host_service tcp 127.0.0.1 8088 "from the host"
	sysctl --quiet --write net.ipv4.conf.br-test.route_localnet=1
	iptables --table nat --insert PREROUTING --in-interface br-test --protocol tcp \
		--dport 8088 --jump DNAT --to-destination 127.0.0.1:8088

	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	iptables --table nat --delete PREROUTING 1
	[ "$output" = "from the host" ]
}

# --- helpers ----------------------------------------------------------------------------------

# gateway BRIDGE: its IPv4 address. (20.10's network inspect does not show docker0's.)
gateway()
{
	ip -4 -oneline address show dev "$1" | sed 's/.* inet \([0-9.]*\).*/\1/'
}

no_tentative_address()
{
	[[ -z $(ip -6 address show dev "$1" tentative) ]]
}

create_test_net6()
{
	docker network create --ipv6 --subnet fd00:8088::/64 --gateway fd00:8088::1 \
		--opt com.docker.network.bridge.name=br-test6 test-net6
}

# from_elsewhere STATUS: of a client in another network without the NAT bypass
from_elsewhere()
{
	if docker_at_least 28; then
		echo 0
	else
		echo "$1"
	fi
}

# reaches_published_with_nat_bypass STATUS [BRIDGE NETWORK HOST]: STATUS is the client's without
reaches_published_with_nat_bypass()
{
	local without=$1 bridge=${2:-br-test} network=${3:-test-net} host=${4:-host.docker.internal}

	run -7 in_container "$network" "${fetch[@]}" "http://$host:5432"

	hbpf attach "$bridge" --port 5432 --nat-bypass off
	run "-$without" in_container "$network" "${fetch[@]}" "http://$host:5432"

	hbpf attach "$bridge" --nat-bypass auto
	run -0 in_container "$network" "${fetch[@]}" "http://$host:5432"
	[ "$output" = "from the database" ]
}

# reaches_published_udp_with_nat_bypass STATUS
reaches_published_udp_with_nat_bypass()
{
	hbpf attach br-test --port 5353/udp --nat-bypass off
	run "-$1" in_container test-net "${udp_ask[@]}" host.docker.internal 5353 hello

	hbpf attach br-test --nat-bypass auto
	run -0 in_container test-net "${udp_ask[@]}" host.docker.internal 5353 hello
	[ "$output" = "from the resolver hello" ]
}

# attack PORT TEXT [PORT TEXT]...: a container without a loopback address sends UDP to 127.0.0.1
# through its gateway
attack()
{
	# shellcheck disable=SC2016 # expanded by the container's shell
	container --rm --network test-net --cap-add NET_ADMIN -- bash -ec '
		gateway=$0
		ip address delete 127.0.0.1/8 dev lo
		ip route add 127.0.0.1/32 via "$gateway"
		while (($#)); do
			echo "$2" >"/dev/udp/127.0.0.1/$1"
			shift 2
		done' "$(gateway br-test)" "$@"
}
