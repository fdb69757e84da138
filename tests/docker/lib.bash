# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# A real dockerd for one .bats file. The file runs inside tests/sandbox, whose network namespace is
# "the host": it does not affect the machine's own Docker, bridges, rules or settings. All that the
# daemon writes is in the sandbox's private /run, except for its cgroups, which docker_stop removes.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HBPF=${HBPF:-$HERE/../../build/hbpf}

# Docker may be as old as 20.10, and the settings of other tools must not affect it.
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION DOCKER_DEFAULT_PLATFORM

hbpf()
{
	timeout 30 "$HBPF" "$@"
}

# wait_until SECONDS COMMAND...: run COMMAND until it succeeds; fails when the time is up.
wait_until()
{
	local deadline=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			echo "gave up waiting for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# is_at_least VERSION OTHER: is the other that version or a later one?
is_at_least()
{
	[[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$1" ]]
}

# --- the daemon -------------------------------------------------------------------------------

# docker_missing: prints why dockerd cannot run on this machine; fails if it can
docker_missing()
{
	local tool

	for tool in dockerd docker iptables curl socat tar /usr/bin/python3; do
		command -v "$tool" >/dev/null || { echo "$tool is not installed"; return; }
	done
	if [[ ! -e /sys/fs/cgroup/cgroup.controllers && ! -d /sys/fs/cgroup/memory ]]; then
		echo "no cgroups are mounted on /sys/fs/cgroup"
		return
	fi
	[[ -L /lib && -L /bin ]] || { echo "this system keeps /bin and /lib outside /usr"; return; }
	return 1
}

# vfs copies the whole image for every container, but works on every filesystem.
docker_storage_driver()
{
	local d=$DOCKER_DIR/overlay-probe

	mkdir -p "$d"/{lower,upper,work,merged}
	if mount -t overlay -o "lowerdir=$d/lower,upperdir=$d/upper,workdir=$d/work" overlay \
		"$d/merged" 2>/dev/null; then
		umount "$d/merged"
		echo overlay2
	else
		echo vfs
	fi
}

# docker_start [dockerd OPTION]...
docker_start()
{
	if [[ -z ${HBPF_BPFFS:-} ]]; then
		echo "not inside tests/sandbox: the host's own bridges and rules would be changed" >&2
		return 1
	fi
	DOCKER_DIR=$(mktemp -d /run/hbpf-docker.XXXXXX)
	DOCKER_CGROUP=/${DOCKER_DIR##*/}
	export DOCKER_DIR DOCKER_CGROUP
	export DOCKER_HOST=unix://$DOCKER_DIR/docker.sock DOCKER_CONFIG=$DOCKER_DIR/client

	# 20.10 writes its key to /etc/docker, and a daemon.json there may conflict with our options
	mkdir -p /etc/docker
	mount -t tmpfs tmpfs /etc/docker

	docker_daemon "$@" || return
	docker_import_image
}

# docker_daemon [dockerd OPTION]...: starts it after docker_start's preparations, until it answers
docker_daemon()
{
	# ip6tables is experimental in 20.10, and the default later
	# not bats' descriptor 3: bats waits until all have closed it
	dockerd --experimental --ip6tables --host "$DOCKER_HOST" --pidfile "$DOCKER_DIR/docker.pid" \
		--data-root "$DOCKER_DIR/data" --exec-root "$DOCKER_DIR/exec" \
		--storage-driver "$(docker_storage_driver)" \
		--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$DOCKER_CGROUP" "$@" \
		>"$DOCKER_DIR/log" 2>&1 3>&- &
	# in a file, so that other tests have it after docker_restart
	echo $! >"$DOCKER_DIR/pid"

	if ! wait_until 60 docker_answers_or_died || ! docker_answers; then
		{
			echo "dockerd does not answer on $DOCKER_HOST; the end of its log:"
			tail -n 40 "$DOCKER_DIR/log"
		} >&2
		return 1
	fi
}

# docker_restart [dockerd OPTION]...: over the same data; --live-restore keeps its containers running
docker_restart()
{
	docker_down
	docker_daemon "$@"
}

# docker_down: stops it until docker_daemon
docker_down()
{
	kill "$(<"$DOCKER_DIR/pid")"
	wait_until 30 docker_died
}

docker_version()
{
	docker version --format '{{.Server.Version}}'
}

# docker_at_least VERSION
docker_at_least()
{
	is_at_least "$1" "$(docker_version)"
}

docker_answers()
{
	timeout 5 docker version >/dev/null 2>&1
}

docker_answers_or_died()
{
	docker_answers || docker_died
}

docker_stop()
{
	[[ -e ${DOCKER_DIR:-}/pid ]] || return 0
	! docker_answers || docker_clean
	kill "$(<"$DOCKER_DIR/pid")" 2>/dev/null || true
	if ! wait_until 20 docker_died; then
		kill -KILL "$(<"$DOCKER_DIR/pid")"
	fi
	docker_remove_cgroups
}

# Cgroups are the machine's own. A killed run leaves its cgroups; after an hour no run uses them.
docker_remove_cgroups()
{
	remove_cgroups "$DOCKER_CGROUP" hbpf-docker
}

# remove_cgroups PATH KIND: those of this run, and leftovers of that kind
remove_cgroups()
{
	find /sys/fs/cgroup -depth -type d \
		\( -path "*$1*" -o -path "*/$2.*" -mmin +60 \) \
		-exec rmdir {} \; 2>/dev/null || true
}

docker_died()
{
	! kill -0 "$(<"$DOCKER_DIR/pid")" 2>/dev/null
}

# docker_clean: removes all containers and networks but Docker's own, as after docker_start
docker_clean()
{
	local ids

	ids=$(docker ps --all --quiet)
	# shellcheck disable=SC2086 # a list of ids
	[[ -z $ids ]] || timeout 30 docker rm --force $ids >/dev/null
	timeout 30 docker network prune --force >/dev/null
}

# image_root DIRECTORY: the image is an empty root, and /usr is this system's, mounted at run time:
# there is nothing to download or copy, and curl, python3 and ip have all their libraries
image_root()
{
	local root=$1 dir

	mkdir -p "$root"/{dev,etc,proc,sys,tmp,usr}
	for dir in bin sbin lib lib32 lib64 libx32; do
		[[ ! -L /$dir ]] || ln -s "$(readlink "/$dir")" "$root/$dir"
	done
	echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
	echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
}

docker_import_image()
{
	image_root "$DOCKER_DIR/image"
	tar -C "$DOCKER_DIR/image" -c . | docker import - hbpf-test >/dev/null
}

# --- containers -------------------------------------------------------------------------------

# container [docker run OPTION]... -- COMMAND...
container()
{
	local options=()

	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	[[ ${options[*]} == *"host.docker.internal:"* ]] ||
		options+=(--add-host host.docker.internal:host-gateway)
	timeout 60 docker run --volume /usr:/usr:ro --volume "$HERE:/tests:ro" "${options[@]}" \
		hbpf-test "$@"
}

# in_container NETWORK COMMAND...: runs COMMAND in a new container
in_container()
{
	local network=$1

	shift
	container --rm --network "$network" -- "$@"
}

# "${fetch[@]}" URL prints the service's answer; its exit status without one is 7 (refused) or 28 (no
# answer).
fetch=(curl --silent --show-error --noproxy '*' --max-time 2)

# "${udp_ask[@]}" HOST PORT TEXT prints the answer; 124: no answer. (With head, as bash's read takes
# one byte of the datagram and loses the rest.)
# shellcheck disable=SC2016 # expanded by the other shell
udp_ask=(bash -c 'exec 3<>"/dev/udp/$0/$1" && echo "$2" >&3 && timeout 2 head -n 1 <&3')

# kept NETWORK PORT: a container queries host.docker.internal:PORT repeatedly, over one connection
kept()
{
	container --detach --name kept --network "$1" -- /usr/bin/python3 /tests/keep.py host.docker.internal "$2"
	goes_on
}

# goes_on: that connection still works
goes_on()
{
	wait_until 30 answered_more_than "$(docker logs kept 2>/dev/null | wc -l)"
}

answered_more_than()
{
	(($(docker logs kept 2>/dev/null | wc -l) > $1))
}

# --- services ---------------------------------------------------------------------------------

# host_service PROTOCOL ADDRESS PORT TEXT: on this host; its output is in $SERVICE_LOG
host_service()
{
	SERVICE_LOG=$BATS_TEST_TMPDIR/service-$1-$3.log
	/usr/bin/python3 "$HERE/answer.py" "$@" >"$SERVICE_LOG" 2>&1 3>&- &
	HOST_SERVICES+=($!)
	wait_until 10 listening "$1" "$2" "$3"
}

host_services_stop()
{
	local pid

	for pid in "${HOST_SERVICES[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	HOST_SERVICES=()
}

# published NETWORK PROTOCOL PORT TEXT: a container on NETWORK whose service Docker publishes on the
# host's 127.0.0.1, where the host itself reaches it
published()
{
	local id

	id=$(container --detach --network "$1" --publish "127.0.0.1:$3:$3/$2" \
		-- /usr/bin/python3 /tests/answer.py "$2" 0.0.0.0 "$3" "$4")
	wait_until 10 listening "$2" 0.0.0.0 "$3" docker exec "$id"

	case $2 in
	tcp) run -0 "${fetch[@]}" "http://127.0.0.1:$3" ;;
	udp) run -0 "${udp_ask[@]}" 127.0.0.1 "$3" "" ;;
	esac
	# shellcheck disable=SC2154 # set by run
	[[ $output == "$4"* ]]
}

# listening PROTOCOL ADDRESS PORT [docker exec CONTAINER]
listening()
{
	local address=$2

	[[ $address != *:* ]] || address="[$address]"
	[[ -n $("${@:4}" ss --no-header --listening --numeric "--$1" "src = $address:$3") ]]
}

# --- the host's state -------------------------------------------------------------------------

# host_state: all that a detach has to restore, without packet counters
host_state()
{
	local tables

	for tables in iptables-save ip6tables-save; do
		"$tables" | sed -e '/^#/d' -e 's/ \[[0-9]*:[0-9]*\]$//'
	done
	# procps 4.0.7 fails if one of all settings cannot be read
	sysctl --all --pattern '^net\.(ipv[46]\.conf|bridge)\.' 2>/dev/null || :
	# IPv4 only, as IPv6 link-local addresses appear with a delay
	ip -4 address
	ip -4 route show table all
	ip rule
	tc qdisc show
	find "$HBPF_BPFFS" -mindepth 1 | sort
}

# --- a file and a test, from beginning to end --------------------------------------------------

# What a .bats file uses unless it defines its own. podman.bash changes the engine.
ENGINE=docker

setup_file()
{
	# shellcheck disable=SC2119 # no options
	engine_file
}

teardown_file()
{
	"${ENGINE}_stop"
}

setup()
{
	engine_test
}

teardown()
{
	engine_test_end
}

# engine_file [OPTION]...: starts the engine. (bats 1.8 cannot skip in setup_file.)
# shellcheck disable=SC2120
engine_file()
{
	MISSING=$("${ENGINE}_missing") || "${ENGINE}_start" "$@"
	export MISSING
}

engine_test()
{
	[[ -z $MISSING ]] || skip "cannot run here: $MISSING"
	HOST_SERVICES=()
}

# engine_test_end: detaches hbpf and cleans the engine up
engine_test_end()
{
	local status=0

	[[ -z $MISSING ]] || return 0
	hbpf detach --all || status=$?
	host_services_stop
	"${ENGINE}_clean"
	return "$status"
}
