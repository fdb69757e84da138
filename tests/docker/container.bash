# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# hbpf watch in a container of its own, started as docs/INSTALL.md does.

# Variables come from lib.bash and run.
# shellcheck disable=SC2154

# documented - prints that command
documented()
{
	sed -n '/^    docker run .*--name hbpf /,/[^\\]$/p' "$HERE/../../docs/INSTALL.md"
}

# system_image: an image hbpf of this system's files, in place of the one that the Containerfile makes, which
# tests/packages/container.bats builds
system_image()
{
	local root=$DOCKER_DIR/image-hbpf
	image_root "$root"
	mkdir "$root/var"
	ln -s ../run "$root/var/run"
	tar -C "$root" -c . | docker import --change 'ENTRYPOINT ["hbpf"]' \
		--change 'ENV PATH=/opt:/usr/sbin:/usr/bin' - hbpf >/dev/null

	# with what such an image needs
	# shellcheck disable=SC2317 # called
	docker()
	{
		[[ "$*" != run*" --name hbpf "* ]] ||
			set -- run --volume /usr:/usr:ro --volume "$(realpath "$HBPF"):/opt/hbpf:ro" "${@:2}"
		command docker "$@"
	}
}

# container_paths: what the command mounts, at the same paths in this sandbox
container_paths()
{
	mkdir -p /etc/hbpf.conf.d
	mount -t tmpfs -o mode=755 tmpfs /etc/hbpf.conf.d
	echo 'labels = yes' >/etc/hbpf.conf.d/labels.conf
	ln -sf "$DOCKER_DIR/docker.sock" /run/docker.sock
	mount --bind "$HBPF_BPFFS" /sys/fs/bpf
}

# container_serves: the image hbpf, run by that command, serves a network with a label and no other, names the
# process that listens, repairs settings, and restores the host when it is stopped. Something answers "from
# the host" on 127.0.0.1:8088.
container_serves()
{
	local before bridge command
	command=$(documented)
	[[ $command == *"hbpf watch --detach-on-exit" ]]
	docker network create --label hbpf.ports=8088 test-net
	docker network create plain-net
	bridge=br-$(docker network inspect --format '{{ printf "%.12s" .Id }}' test-net)
	before=$(host_state)
	eval "$command"
	wait_until 30 attached_in_container "$bridge"
	run -0 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	[ "$output" = "from the host" ]
	run -7 in_container plain-net "${fetch[@]}" http://host.docker.internal:8088
	docker exec hbpf hbpf status "$bridge" | grep -q 'python3 (pid'
	sysctl -q --write "net.ipv4.conf.$bridge.route_localnet=0"
	wait_until 30 is_setting "$bridge" 2
	docker stop hbpf
	docker logs hbpf
	[ "$(docker inspect --format '{{ .State.ExitCode }}' hbpf)" = 0 ]
	run -7 in_container test-net "${fetch[@]}" http://host.docker.internal:8088
	# the bridge is without carrier again a little later
	wait_until 10 same_state "$before" || diff <(echo "$before") <(host_state)
}

same_state()
{
	[[ $(host_state) == "$1" ]]
}

attached_in_container()
{
	docker logs hbpf 2>&1 | grep "$1: attached"
}

# is_setting BRIDGE VALUE
is_setting()
{
	[[ $(sysctl --values "net.ipv4.conf.$1.route_localnet") == "$2" ]]
}
