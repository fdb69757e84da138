#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A real firewalld. Each test shows that it is on: it rejects packets to the gateway's own address.
load ../e2e/lib
load bed
load lib

# shellcheck disable=SC2034 # lib takes it
FIREWALLD_NETNS=/run/netns/host

setup() {
	[ -z "$MISSING" ] || skip "no firewalld: $MISSING"
	bed_up
	serve_all
}

teardown() {
	firewalld_down
	bed_down
}

# icmp-admin-prohibited
blocked() {
	misses EHOSTUNREACH tcp "$GW:8090"
	misses EACCES tcp "[$GW6]:8090"
}

@test "firewalld with the bridge in its default zone, public: services answer" {
	reaches direct tcp "$GW:8090"
	reaches direct tcp "[$GW6]:8090"
	firewalld_up
	blocked
	attach --port 8088 --port 5300/udp
	all_answer
	blocked
}

@test "firewalld started, reloaded, reloaded completely and stopped while connected: the connection survives, new ones work" {
	attach --port 8088 --port 5300/udp --port 8089
	reaches direct tcp "$GW:8090"
	firewalld_up
	blocked
	all_answer
	scene survives 127.0.0.1:8089 "$GW:8089" firewall-cmd --reload
	scene survives "[::1]:8089" "[$GW6]:8089" firewall-cmd --complete-reload
	blocked
	all_answer
	scene survives 127.0.0.1:8089 "$GW:8089" \
		sh -c "kill $FIREWALLD && timeout 30 tail --pid=$FIREWALLD -f /dev/null"
	reaches direct tcp "$GW:8090"
	all_answer
}

@test "firewalld with the bridge in a zone like Docker's, then in one that drops: services answer" {
	firewalld_up
	attach --port 8088 --port 5300/udp --port 8089
	on_host firewall-cmd --permanent --new-zone=docker
	on_host firewall-cmd --permanent --zone=docker --set-target=ACCEPT
	on_host firewall-cmd --permanent --zone=docker --add-interface=br-test
	scene survives 127.0.0.1:8089 "$GW:8089" firewall-cmd --reload
	# the zone accepts everything
	reaches direct tcp "$GW:8090"
	all_answer
	scene survives 127.0.0.1:8089 "$GW:8089" firewall-cmd --zone=drop --change-interface=br-test
	misses TIMEOUT tcp "$GW:8090"
	all_answer
}
