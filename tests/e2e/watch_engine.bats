#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf watch and container engines that start, stop and misbehave. The engines here are fake, so that
# each does it at the right moment; tests/docker has the real ones.

# Each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2034
load lib
load watch
load engine

# tell ENGINE FORM NETWORK...: sets the engine's networks, each in the form that jq makes of $name,
# $bridge and $labels
tell() {
	printf '%s\n' "${@:3}" | jq -R 'split(",") | . as [$name, $bridge, $ports] |
		(if $ports then {"hbpf.ports": $ports} else {} end) as $labels | '"$2" |
		jq -s . >"$BED/$1.new"
	mv "$BED/$1.new" "$BED/$1"
}

# networks NAME,BRIDGE[,PORTS]...: sets Docker's networks; podman_networks: Podman's
networks() {
	# shellcheck disable=SC2016 # jq's
	tell docker '{Name: $name, Id: ($name + "0" + $bridge), Driver: "bridge", Labels: $labels,
		Options: {"com.docker.network.bridge.name": $bridge}}' "$@"
}

podman_networks() {
	# shellcheck disable=SC2016 # jq's
	tell podman '{name: $name, id: ($name + "1" + $bridge), driver: "bridge", labels: $labels,
		network_interface: $bridge}' "$@"
}

# docker [KIND], podman: start the engine, whose networks are set before
docker() {
	tool engine "$DOCKER" "${1:-docker}" "$BED/docker"
	engine=$(tail -n 1 "$BED/pids")
}

podman() {
	mkdir -p /run/podman
	tool engine "$PODMAN" podman "$BED/podman"
	engine=$(tail -n 1 "$BED/pids")
}

# end_engine SOCKET: stops the one that was started last
end_engine() {
	kill "$engine"
	rm "$1"
}

declare_labels() {
	declare_conf <<<"labels = yes"
}

@test "an engine that started while nothing depended on one is queried once something does" {
	networks net,br-test
	declare_conf <<-EOF
		[net]
		ports = 8088
	EOF
	watch
	eventually logged 'net .*: no such bridge yet'
	declare_conf </dev/null
	reload
	docker
	declare_conf <<-EOF
		[net]
		ports = 8088
	EOF
	reload
	eventually logged 'br-test: attached'
	live
}

@test "an engine whose socket's directory is created after the watcher started is found" {
	podman_networks net,br-test,8088
	declare_labels
	watch
	for i in 1 2 3; do
		podman
		eventually logged 'Podman answers' "$i"
		end_engine "$PODMAN"
		rm -r /run/podman
		eventually logged 'podman.sock.*No such file' "$i"
	done
	live
}

@test "an engine that closes its event stream immediately is queried after growing pauses" {
	networks net,br-test,8088
	docker brief
	declare_labels
	watch
	eventually logged 'br-test: attached'
	for pause in 1 2 4; do
		eventually logged "closed its event stream immediately; retrying in $pause s"
	done
	live
}

@test "a second network of the same name does not affect the one that is served" {
	make_bridge br-other 31
	networks net,br-test
	docker
	declare_conf <<-EOF
		labels = yes
		[net]
		ports = 8088
	EOF
	watch
	eventually logged 'br-test: attached'
	# another one of that name is created, and both are labelled
	networks net,br-test,9000 net,br-other,9001
	kill -USR1 "$engine"
	eventually logged "several networks match 'net'"
	eventually logged "a section's name matches this network and another" 2
	status_is '.ports[0].gateway_port == 8088 and (.ports | length) == 1'
	not_attached br-other
	unlogged 'no longer declared'
	networks net,br-test other,br-other,9001
	kill -USR1 "$engine"
	# control: labels of a network with a unique name count
	eventually logged 'br-other: attached'
	status_is '.ports[0].gateway_port == 8088 and (.ports | length) == 1'
}

@test "an interface re-created while its engine is down is not taken for the same network" {
	make_bridge podman1 31
	podman_networks net,podman1,8088
	podman
	declare_labels
	watch
	eventually logged 'podman1: attached'
	end_engine "$PODMAN"
	eventually logged 'podman.sock.*No such file'
	# while the engine is down a bridge stays attached, as long as its interface is the same
	live podman1
	on_host ip link del podman1
	eventually logged 'podman1: detached, as it was deleted'
	make_bridge podman1 32
	networks other,br-nowhere
	docker # an event that comes after it
	eventually logged 'Docker answers'
	not_attached podman1
	# control: when its engine reports it, it is
	podman
	eventually logged 'podman1: attached' 2
}

@test "a watcher that starts while an engine's socket is missing detaches none of its networks" {
	make_bridge podman1 31
	networks net,br-test,8088
	podman_networks pnet,podman1,8088
	docker
	podman
	declare_labels
	watch
	eventually logged 'podman1: attached'
	eventually logged 'br-test: attached'
	end_watch
	end_engine "$PODMAN"
	# control: a network of a running engine is detached when it loses its label
	networks net,br-test
	watch
	eventually logged 'br-test: detached, as it is no longer declared'
	live podman1
	unlogged podman1
}

@test "of endless networks with labels 1024 are served, those with an existing bridge first" {
	local many

	mapfile -t many < <(seq 1500 | sed 's/.*/net&,gone&,80/')
	networks "${many[@]}" test,br-test,8088
	docker
	declare_labels
	watch
	eventually logged 'br-test: attached'
	eventually logged "^hbpf: 1501 networks have the label hbpf.ports; only 1024 are served"
	eventually logged 'no such bridge yet' 1023
	[ "$(grep -c 'no such bridge yet' "$BED/watch.log")" = 1023 ]
	# the others are served once there is room
	networks other,gone1,80 test,br-test,8088
	kill -USR1 "$engine"
	eventually logged '^hbpf: other .*no such bridge yet'
	status_is '.live'
}

@test "a failed detach is retried after a pause, and --detach-on-exit reports what is left" {
	declare_br_test
	watch --detach-on-exit
	eventually logged 'br-test: attached'
	# a foreign directory keeps hbpf's own from being removed
	mkdir "$(pin_dir br-test)/foreign"
	declare_conf </dev/null
	reload
	eventually logged 'br-test.*foreign'
	rests() {
		local before
		before=$(stat -c %z "$HBPF_BPFFS")
		# longer than the time between two passes, shorter than the pause
		sleep 0.5
		[ "$before" = "$(stat -c %z "$HBPF_BPFFS")" ] || fail "$before: a command ran since"
	}
	eventually rests
	code=0
	kill -TERM "$WATCH"
	wait "$WATCH" || code=$?
	same 1 "$code"
	logged 'not all of its bridges could be detached'
}
