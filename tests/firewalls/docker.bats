#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# A real Docker and a real firewall on one host, and a container that holds a connection while their
# rules change. Each test shows that the firewall is on: it blocks a service on the gateway's own
# address.

# Variables come from lib.bash and run, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154
load ../docker/lib
load lib

bats_require_minimum_version 1.5.0

# for firewalls/lib
on_host()
{
	"$@"
}

eventually()
{
	wait_until 20 "$@"
}

setup_file()
{
	# bats 1.8 cannot skip in setup_file.
	MISSING=$(docker_missing || firewall_missing) || firewall_overlay
	export MISSING
}

# docker_up: a daemon for each test, as the firewall's changes to its rules are permanent. Docker
# looks for firewalld only at startup.
docker_up()
{
	docker_start
	docker network create --opt com.docker.network.bridge.name=br-test --subnet 172.30.0.0/24 \
		test-net
	host_service tcp 127.0.0.1 8088 "from the host"
	host_service udp 127.0.0.1 5300 "from the host"
	host_service tcp 172.30.0.1 8090 "direct"
	published test-net tcp 5432 "from the database"
	hbpf attach br-test --port 8088 --port 5300/udp --port 5432
	kept test-net 8088
	all_answer
}

teardown()
{
	[[ -z $MISSING ]] || return 0
	firewalld_down
	hbpf detach --all
	host_services_stop
	docker_stop
	nft flush ruleset
}

# from_kept COMMAND...: in the network namespace of the container that holds the connection
from_kept()
{
	nsenter --net --target "$(docker inspect --format '{{.State.Pid}}' kept)" "$@"
}

# all_answer: the kept connection, and new ones to docker0's address
all_answer()
{
	goes_on
	run -0 from_kept "${fetch[@]}" http://172.17.0.1:8088
	[ "$output" = "from the host" ]
	run -0 from_kept "${udp_ask[@]}" 172.17.0.1 5300 hello
	[ "$output" = "from the host hello" ]
	run -0 from_kept "${fetch[@]}" http://172.17.0.1:5432
	[ "$output" = "from the database" ]
}

# blocked: with curl's exit status, 28 (no answer) or 7 (rejected)
blocked()
{
	run "-$1" from_kept "${fetch[@]}" http://172.30.0.1:8090
}

reached()
{
	run -0 from_kept "${fetch[@]}" http://172.30.0.1:8090
	[ "$output" = "direct" ]
}

@test "Docker with ufw, enabled, reloaded and disabled: the connection survives, new ones work" {
	docker_up
	reached
	ufw_configure
	ufw_on
	blocked 28
	all_answer
	ufw reload
	blocked 28
	all_answer
	ufw disable
	reached
	all_answer
}

@test "Docker with firewalld, reloaded, stopped and started: the connection survives, new ones work" {
	firewalld_up
	docker_up
	# Docker puts its bridges in a zone of its own, which accepts; public does not.
	[ "$(firewall-cmd --get-zone-of-interface=br-test)" = docker ]
	reached
	firewall-cmd --zone=public --change-interface=br-test
	blocked 7
	all_answer
	firewall-cmd --reload
	all_answer
	firewalld_down
	all_answer
	firewalld_up
	all_answer
}

@test "all of Docker's rules flushed, by iptables and by nft: the connection survives, new ones work" {
	docker_up
	reached
	iptables --policy INPUT DROP
	iptables --insert INPUT --in-interface lo --jump ACCEPT
	iptables --insert INPUT --match conntrack --ctstate ESTABLISHED --jump ACCEPT
	blocked 28
	all_answer
	iptables --flush
	iptables --table nat --flush
	iptables --policy INPUT ACCEPT
	goes_on
	run -0 from_kept "${fetch[@]}" http://172.17.0.1:8088
	nft flush ruleset
	goes_on
	run -0 from_kept "${fetch[@]}" http://172.17.0.1:8088
	[ "$output" = "from the host" ]
	reached
}
