#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A real ufw. Each test shows that it is on: it blocks a service on the gateway's own address.
load ../e2e/lib
load bed
load lib

setup() {
	[ -z "$MISSING" ] || skip "no ufw: $MISSING"
	bed_up
	ufw_configure
	serve_all
}

blocked() {
	misses TIMEOUT tcp "$GW:8090"
	misses TIMEOUT tcp "[$GW6]:8090"
}

@test "ufw's default, deny incoming: services answer, as the recipe does not" {
	reaches direct tcp "$GW:8090"
	reaches direct tcp "[$GW6]:8090"
	ufw_on
	blocked
	recipe_times_out

	attach --port 8088 --port 5300/udp
	all_answer
	blocked
}

@test "ufw enabled, reloaded and disabled while connected: the connection survives, new ones work" {
	attach --port 8088 --port 5300/udp --port 8089
	scene survives 127.0.0.1:8089 "$GW:8089" ufw --force enable
	blocked
	all_answer
	scene survives "[::1]:8089" "[$GW6]:8089" ufw reload
	blocked
	all_answer
	scene survives 127.0.0.1:8089 "$GW:8089" ufw disable
	reaches direct tcp "$GW:8090"
	all_answer
}

@test "ufw that denies outgoing and routed packets, too" {
	on_host ufw default deny outgoing
	on_host ufw default deny routed
	ufw_on
	attach --port 8088 --port 5300/udp
	all_answer
	blocked
	# control: connections from the host are denied
	NS=c1 serve outside --tcp 172.30.0.2:8090
	NS=host misses TIMEOUT tcp 172.30.0.2:8090
}
