# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A real Podman, with its API on the usual socket, for one .bats file inside tests/sandbox. All that
# it writes is in the sandbox's private /run, or in file systems mounted over its fixed paths, except
# for its cgroups, which podman_stop removes.

# shellcheck disable=SC2034 # for lib.bash
ENGINE=podman
# Podman 5 prints it to every command's output.
export PODMAN_IGNORE_CGROUPSV1_WARNING=1
unset CONTAINER_HOST CONTAINER_CONNECTION CONTAINERS_REGISTRIES_CONF

# podman_missing: prints why Podman cannot run on this machine; fails if it can
podman_missing()
{
	local tool

	for tool in podman conmon iptables curl tar /usr/bin/python3; do
		command -v "$tool" >/dev/null || { echo "$tool is not installed"; return; }
	done
	if ! command -v runc crun >/dev/null; then
		echo "neither runc nor crun is installed"
	elif [[ ! -x /usr/lib/podman/netavark && ! -x /usr/libexec/podman/netavark ]]; then
		echo "netavark is not installed"
	elif [[ ! -e /sys/fs/cgroup/cgroup.controllers && ! -d /sys/fs/cgroup/memory ]]; then
		echo "no cgroups are mounted on /sys/fs/cgroup"
	elif [[ ! -L /lib || ! -L /bin ]]; then
		echo "this system keeps /bin and /lib outside /usr"
	else
		return 1
	fi
}

# podman_start [cni]: with netavark, or with the plugins of a container network, of which hbpf is one
podman_start()
{
	local dir backend=${1:-netavark}

	if [[ -z ${HBPF_BPFFS:-} ]]; then
		echo "not inside tests/sandbox: the host's own bridges and rules would be changed" >&2
		return 1
	fi
	PODMAN_DIR=$(mktemp -d /run/hbpf-podman.XXXXXX)
	PODMAN_CGROUP=/${PODMAN_DIR##*/}
	export PODMAN_DIR PODMAN_CGROUP

	# its locks, its caches, and earlier networks, whose paths cannot be configured
	for dir in /dev/shm /var/lib/containers /var/lib/cni /etc/cni /etc/containers/networks; do
		[[ ! -d $dir ]] || mount -t tmpfs tmpfs "$dir"
	done
	export CONTAINERS_CONF=$PODMAN_DIR/containers.conf
	export CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf
	# without a limit of processes no controller of cgroups is needed, which v2 lacks where v1 has it
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		pids_limit = 0
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "$(command -v runc >/dev/null && echo runc || echo crun)"
		[network]
		network_backend = "$backend"
		network_config_dir = "$PODMAN_DIR/networks"
		cni_plugin_dirs = ["/usr/lib/cni", "$PODMAN_DIR/cni"]
	END
	mkdir "$PODMAN_DIR/cni"
	ln -s "$(realpath "$HBPF")" "$PODMAN_DIR/cni/hbpf"
	# DEL comes from `podman rm` or from conmon's cleanup, whichever is first, and conmon starts that
	# without HBPF_BPFFS
	mount --bind "$HBPF_BPFFS" /sys/fs/bpf
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "vfs"
		graphroot = "$PODMAN_DIR/storage"
		runroot = "$PODMAN_DIR/run"
	END

	# not bats' descriptor 3: bats waits until all have closed it
	mkdir -p /run/podman
	podman system service --time 0 unix:///run/podman/podman.sock \
		>"$PODMAN_DIR/log" 2>&1 3>&- &
	PODMAN_PID=$!
	export PODMAN_PID
	if ! wait_until 30 podman_answers; then
		{
			echo "podman does not answer on /run/podman/podman.sock; the end of its log:"
			tail -n 40 "$PODMAN_DIR/log"
		} >&2
		return 1
	fi
	image_root "$PODMAN_DIR/image"
	# /etc/hosts has all names that are used; there is no DNS server, and newer curls wait for one
	echo 'hosts: files' >"$PODMAN_DIR/image/etc/nsswitch.conf"
	tar -C "$PODMAN_DIR/image" -c . | podman import - hbpf-test >/dev/null
}

podman_answers()
{
	curl --silent --unix-socket /run/podman/podman.sock http://localhost/_ping
}

podman_stop()
{
	[[ -n ${PODMAN_PID:-} ]] || return 0
	podman_clean || true
	kill "$PODMAN_PID" 2>/dev/null || true
	remove_cgroups "$PODMAN_CGROUP" hbpf-podman
}

# podman_clean: removes all containers and networks but Podman's own, as after podman_start
podman_clean()
{
	timeout 60 podman rm --all --force --time 0 >/dev/null
	timeout 60 podman network prune --force >/dev/null
}

# podman_container NAME NETWORK COMMAND...: in the background
podman_container()
{
	timeout 60 podman run --detach --cgroup-parent "$PODMAN_CGROUP" --volume /usr:/usr:ro \
		--name "$1" --network "$2" hbpf-test "${@:3}" 3>&-
}

# podman_in NAME COMMAND...
podman_in()
{
	timeout 30 podman exec "$@"
}
