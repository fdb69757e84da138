#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Networks of container engines by name: which engine is queried, which bridge a network has, and the
# errors where there is none. The engines here are fake and answer as Docker 20.10.24 and Podman 4.3.1
# did; tests/docker has the real ones.
load lib
load engine

RECORDED=$E2E/../unit/engine

# docker, podman: start an engine with the recorded networks on its usual socket. Docker's test-net
# is br-test; Podman's ptest is podman2 and br-x is podman1.
docker() {
	tool engine "${1:-$DOCKER}" docker "$RECORDED/docker-networks.json"
}

podman() {
	mkdir -p /run/podman
	tool engine "$PODMAN" podman "$RECORDED/podman-networks.json"
}

# asked PATH...: the engines got these requests and no others
asked() {
	same "$(printf '%s\n' "$@")" "$(<"$BED/engine.log")"
}

# opens_libcurl COMMAND...: whether the command loads libcurl, even if it fails
opens_libcurl() {
	on_host strace -f -e trace=open,openat -o "$BED/strace" "$@" >"$BED/log" 2>&1 || true
	grep -q libcurl "$BED/strace"
}

# --- what a name means ------------------------------------------------------------------------

@test "attach accepts a Docker network's name, ID or ID prefix for its bridge" {
	docker
	serve svc --tcp 127.0.0.1:8088
	for name in test-net 1b8bf7c72ab72b7cffc4484784da060ec55c166b9ed3537847f4e81d33c6dbfe 1b8bf; do
		misses ECONNREFUSED tcp "$GW:8088"
		exits 0 hb attach "$name" --port 8088
		prints "^$name is br-test$" "^$GW:8088/tcp "
		reaches svc tcp "$GW:8088"
		exits 0 hb detach "$name"
		prints "^$name is br-test$" '^br-test is detached'
	done
}

@test "attach accepts a Podman network's name for its bridge" {
	podman
	make_bridge podman2 31
	serve svc --tcp 127.0.0.1:8088
	exits 0 hb attach ptest --port 8088
	prints '^ptest is podman2$'
	asked /networks /v4.0.0/libpod/networks/json
	[ -d "$(pin_dir podman2)" ]
}

@test "Docker's network bridge is docker0" {
	docker
	make_docker0
	exits 0 hb attach bridge --port 8088
	prints '^bridge is docker0$'
}

@test "the engine of DOCKER_HOST is queried, and those of the usual sockets too" {
	docker "$BED/elsewhere"
	podman
	make_bridge podman2 31
	DOCKER_HOST=unix://$BED/elsewhere exits 0 hb attach test-net
	prints '^test-net is br-test$'
	DOCKER_HOST=unix://$BED/elsewhere exits 0 hb attach ptest
	prints '^ptest is podman2$'
	# control: no other engine has it
	exits 1 hb attach test-net
}

@test "an engine with several sockets is queried once" {
	docker
	mkdir -p /run/podman
	ln -s "$DOCKER" "$PODMAN"
	ln -s "$DOCKER" "$BED/link"
	DOCKER_HOST=unix://$BED/link exits 0 hb attach test-net
	asked /networks
}

@test "an interface of that name takes precedence, and neither engine nor libcurl is used" {
	podman
	make_bridge br-x 31
	make_bridge podman1 32
	exits 0 hb attach br-x --port 8088
	lacks 'podman1'
	[ ! -e "$BED/engine.log" ]
	exits 0 hb detach
	for command in "attach br-x" "ports add 8088 -b br-x" "ports list -b br-x" "status br-x" \
		"detach br-x"; do
		# shellcheck disable=SC2086 # several words
		! opens_libcurl "$HBPF" $command || fail "hbpf $command opened libcurl"
	done
	[ ! -e "$BED/engine.log" ]
	# control: without such an interface both are used
	on_host ip link del br-x
	exits 0 hb attach br-x
	prints '^br-x is podman1$'
	opens_libcurl "$HBPF" attach br-x
	[ -s "$BED/engine.log" ]
}

@test "libcurl is not loaded where no engine listens" {
	! opens_libcurl "$HBPF" attach test-net || fail "attach opened libcurl"
	! opens_libcurl "$HBPF" bridges || fail "bridges opened libcurl"
	docker
	opens_libcurl "$HBPF" bridges
}

@test "ports, status and detach accept a network's name where no attached bridge has it" {
	docker
	make_bridge br-two 31
	attach
	hb attach br-two --hook "$HOOK"
	exits 0 hb ports add 8088 -b test-net
	prints '^test-net is br-test$' "^$GW:8088/tcp "
	exits 0 hb ports -b test-net
	prints '^test-net is br-test$' '^ *8088/tcp '
	exits 0 hb ports -b test-net --json
	json '[.bridges[].bridge] == ["br-test"]'
	exits 0 hb status test-net
	prints '^test-net is br-test$' '^br-test: warning: nothing listens for 8088/tcp'
	lacks br-two
	exits 0 hb status test-net --json
	json '[.bridges[].bridge] == ["br-test"]'
	exits 0 hb detach test-net
	prints '^test-net is br-test$' '^br-test is detached$'
	exits 1 hb detach test-net
	says '^hbpf: br-test, the bridge of network test-net, is not attached$' 'attached: br-two'
	exits 1 hb detach br-test
	says 'br-test is not attached'
}

@test "a deleted bridge is detached by its network's name" {
	docker
	attach --port 8088
	on_host ip link del br-test
	exits 0 hb status test-net
	prints '^br-test: warning: the interface was deleted'
	exits 0 hb detach test-net
	prints '^br-test is detached$'
}

# --- errors -------------------------------------------------------------------------------------

# refused TEXT REGEX...: attach test-net (or the network $word) fails with that text, changes nothing
refused() {
	remember
	exits 1 hb attach "${word:-test-net}" --port 8088
	says "$@"
	unchanged
}

@test "no engine: the error shows what was tried, and what starts one" {
	refused 'test-net: no such interface, and no container engine is running' \
		"$DOCKER" "$PODMAN" 'hbpf interfaces' 'systemctl start'
	# a socket that a killed daemon left behind
	docker
	kill -KILL "$(tail -n 1 "$BED/pids")"
	eventually no_answer
	refused 'no container engine is running'
}

no_answer() {
	! on_host curl -s --unix-socket "$DOCKER" http://localhost/networks
}

@test "no such network: the error lists the existing ones" {
	docker
	podman
	word=tset-net refused 'tset-net: no such interface, and no container network has that name' \
		'networks: none, host, bridge, test-net, inside, podman, br-x, ptest'
	attach
	exits 1 hb status tset-net
	says 'tset-net: not attached, and no container network' 'attached: br-test'
}

@test "a network of another driver: the error names the driver, and what has a bridge" {
	docker
	word=host refused "Docker's network host has no bridge" 'driver is host' 'hbpf interfaces'
	word=none refused "network none has no bridge" 'driver is null'
	for driver in macvlan ipvlan overlay; do
		echo "[{\"Name\":\"test-net\",\"Id\":\"ab\",\"Driver\":\"$driver\"}]" >"$BED/networks"
		rm "$DOCKER"
		tool engine "$DOCKER" docker "$BED/networks"
		refused "driver is $driver"
	done
}

@test "an ambiguous ID prefix: the error lists the networks" {
	docker
	podman
	word=1 refused "Docker's test-net \(1b8bf7c72ab7\)" "Podman's ptest \(1744b93939e7\)"
}

@test "one name in two engines: the error lists both, with their IDs" {
	docker
	mkdir -p /run/podman
	echo '[{"name":"test-net","id":"ffee","driver":"bridge","network_interface":"podman9"}]' \
		>"$BED/networks"
	tool engine "$PODMAN" podman "$BED/networks"
	refused "Docker's test-net" "Podman's test-net \(ffee\)"
	exits 0 hb attach 1b8b
}

@test "a bridge that does not exist yet: the error says what creates it" {
	docker
	podman
	word=ptest refused 'podman2' 'does not exist' 'first container'
	word=inside refused 'br-85e2890f589f' 'does not exist' 'rootless'
	make_bridge podman2 31
	exits 0 hb attach ptest
}

@test "a socket without permission: the error says so" {
	docker
	chown 65534 "$DOCKER"
	chmod 600 "$DOCKER"
	remember
	exits 1 on_host setpriv --bounding-set=-dac_override --inh-caps=-dac_override \
		"$HBPF" attach test-net
	says "no such interface, and cannot connect to $DOCKER: Permission denied" 'lacks a capability'
	unchanged
	exits 0 hb attach test-net
}

@test "a server that is not an engine: the error shows its answer" {
	mkdir -p /run/podman
	for kind in text status; do
		tool engine "$PODMAN" "$kind"
		refused "$PODMAN" 'no HTTP answer|HTTP status 500' 'Docker, or Podman 4.0'
		rm "$PODMAN"
	done
	echo '{"networks":[]}' >"$BED/networks"
	tool engine "$PODMAN" docker "$BED/networks"
	refused "$PODMAN" 'not a list of networks'
	# networks of the other engine are still found
	docker
	exits 0 hb attach test-net
}

@test "a query to an engine that hangs times out" {
	tool engine "$DOCKER" hang
	refused "no answer on $DOCKER within 10 seconds" 'hbpf interfaces'
}

# Each of them connects twice, first to see whether an engine listens.
three_wait() {
	[ "$(wc -l <"$BED/engine.log")" -ge 6 ]
}

@test "a command that waits for a hanging engine blocks no other command" {
	tool engine "$DOCKER" hang
	attach
	local command asking=()
	for command in 'detach test-net' 'ports add 9000 -b test-net' 'status test-net'; do
		# shellcheck disable=SC2086 # several words
		hb $command >>"$BED/asked" 2>&1 3>&- &
		asking+=($!)
	done
	eventually three_wait
	exits 0 on_host timeout 5 "$HBPF" ports add 8088
	# control: they still wait
	kill -0 "${asking[@]}" || fail "it waits for no engine" "$(<"$BED/asked")"
	for command in "${asking[@]}"; do
		! wait "$command" || fail "it found a network"
	done
	same 3 "$(grep -c 'test-net: not attached, and no answer' "$BED/asked")"
	exits 0 hb ports list
	prints 8088
	lacks 9000
}

@test "a DOCKER_HOST on another host is refused" {
	docker
	for host in tcp://127.0.0.1:2375 ssh://root@host unix:// fd:// docker.sock; do
		DOCKER_HOST=$host refused "DOCKER_HOST=$host is not a Unix socket" 'unset' 'hbpf interfaces'
	done
	DOCKER_HOST='' exits 0 hb attach test-net
	# it does not matter where the bridge is named
	DOCKER_HOST=tcp://127.0.0.1:2375 exits 0 hb attach br-test
}

@test "a DOCKER_HOST that is too long for a socket path is reported" {
	DOCKER_HOST=unix:///$(printf 'a%.0s' {1..108}) refused 'at most 107 bytes' '/aaa'
}

@test "without libcurl: the error names the package, and bridges' own names work" {
	docker
	: >"$BED/empty"
	hidden=()
	for file in $(ldconfig -p | sed -n 's/.*libcurl.*\.so\.4 .*=> //p'); do
		mount --bind "$BED/empty" "$file"
		hidden+=("$file")
	done
	[ ${#hidden[@]} -gt 0 ]
	refused 'libcurl' 'apt-get install libcurl4'
	exits 0 hb attach br-test
	exits 0 hb interfaces
	prints '^br-test'
	says 'warning: cannot load libcurl'
	umount "${hidden[@]}"
	exits 0 hb attach test-net
}

@test "attach lists docker0's address, but not for an internal network" {
	docker
	make_docker0
	make_bridge br-85e2890f589f 31
	exits 0 hb attach br-85e2890f589f --port 8088
	prints '^172.31.0.1:8088/tcp' '^\[fd00:31::1\]:8088/tcp'
	lacks "$DOCKER0"
	exits 0 hb attach br-test --port 8088
	prints "^$DOCKER0:8088/tcp" "^$GW:8088/tcp"
}

@test "attach of a bridge beside docker0 does not wait for an engine that hangs" {
	tool engine "$DOCKER" hang
	make_docker0
	local start=$SECONDS
	exits 0 hb attach br-test --port 8088
	((SECONDS - start < 8)) || fail "it took $((SECONDS - start)) s"
	prints "^$DOCKER0:8088/tcp"
}

# --- hbpf interfaces --------------------------------------------------------------------------

@test "interfaces lists every bridge with its network, gateways, clients, and whether it is attached" {
	docker
	podman
	make_docker0
	make_bridge podman2 31
	make_bridge br-plain 32
	make_client c2 2 br-plain 32
	make_client c3 3 br-plain 32
	on_host ip link add br-bare type bridge
	attach
	exits 0 hb interfaces
	[ -z "$err" ] || fail "on stderr: $err"
	prints '^INTERFACE +KIND +NETWORK +GATEWAYS +CLIENTS +ATTACHED$' \
		'^br-test +bridge +test-net \(Docker\) +172.30.0.1, fd00:30::1 +1 +yes$' \
		'^docker0 +bridge +bridge \(Docker\) +172.17.0.1 +0 +no$' \
		'^podman2 +bridge +ptest \(Podman\) +172.31.0.1, fd00:31::1 +0 +no$' \
		'^br-plain +bridge +- +172.32.0.1, fd00:32::1 +2 +no$' \
		'^br-bare +bridge +- +- +0 +no$'
	lacks '^veth' '^lo' 'podman1'
	[ "$(wc -l <"$BED/out")" -eq 6 ]
	# by its old name, too
	cp "$BED/out" "$BED/interfaces"
	exits 0 hb bridges
	cmp "$BED/interfaces" "$BED/out"

	exits 0 hb interfaces --json
	json '.bridges | length == 5'
	json '.bridges[] | select(.bridge == "br-test") | .engine == "docker" and
		.network == "test-net" and (.id | test("^1b8bf7c")) and
		.gateways == ["172.30.0.1", "fd00:30::1"] and .clients == 1 and .attached and .live'
	json '.bridges[] | select(.bridge == "podman2") | .engine == "podman" and .network == "ptest"'
	json '.bridges[] | select(.bridge == "br-plain") | (has("network") | not) and .clients == 2 and
		(.attached | not) and (.live | not)'
}

@test "interfaces shows an attached bridge whose programs were removed" {
	attach
	on_host ip link del br-test
	make_bridge br-test 30
	exits 0 hb interfaces
	prints '^br-test .* dead$'
	exits 0 hb interfaces --json
	json '.bridges[] | select(.bridge == "br-test") | .attached and (.live | not)'
}

@test "interfaces works without an engine, and does not mention it" {
	exits 0 hb interfaces
	[ -z "$err" ] || fail "on stderr: $err"
	prints '^br-test +bridge +- +172.30.0.1, fd00:30::1 +1 +no$'
	on_host ip link del br-test
	on_host ip link del veth-c1
	exits 0 hb interfaces
	prints 'this host has no bridge, and no veth or tap with clients of its own'
	exits 0 hb interfaces --json
	json '.bridges == []'
}

@test "interfaces warns of an engine whose socket exists but does not answer" {
	tool engine "$DOCKER" status
	podman
	make_bridge podman2 31
	exits 0 hb interfaces
	says "warning: .*$DOCKER"
	prints '^br-test +bridge +- ' '^podman2 +bridge +ptest'
	rm "$DOCKER"
	DOCKER_HOST=tcp://127.0.0.1:2375 exits 0 hb interfaces --json
	says 'warning: DOCKER_HOST'
	json '.bridges | length == 2'
}

# --- completion -------------------------------------------------------------------------------

# completes "CANDIDATE..." WORD...: exactly these, in any order
completes() {
	exits 0 hb __complete "${@:2}"
	same "$(tr ' ' '\n' <<<"$1" | sort)" "$(cut -f 1 "$BED/out" | sort)"
}

@test "completion has the bridges and networks, those that are attached, and the open ports" {
	docker
	make_docker0
	make_bridge br-two 31
	completes 'br-test br-two docker0 test-net bridge inside' attach ''
	completes 'br-test br-two' attach br-t
	attach -p 8088 -p 9000-9003 -p 53:5353/udp
	hb attach br-two --hook "$HOOK" -p 7000
	completes 'br-test br-two test-net' status ''
	completes 'br-test br-two test-net' ports -b ''
	completes '--bridge=test-net' ports --bridge=te
	completes '' status br-test ''
	completes '8088/tcp 9000-9003/tcp 53/udp 7000/tcp' ports del ''
	completes '7000/tcp' ports del -b br-two ''
	completes '' ports add ''
	completes '' attach -p ''
	completes '8088/tcp 9000-9003/tcp 53/udp 7000/tcp' doctor --port ''
	completes '--port=7000/tcp' flows br-two --port=7
	# without privileges: no state, but the interfaces
	install -m 755 "$HBPF" "$BED/hbpf"
	chmod 755 "$BED"
	exits 0 on_host setpriv --reuid 65534 --regid 65534 --clear-groups "$BED/hbpf" __complete status br-
	prints '^br-test' '^br-two'
	[ -z "$err" ] || fail "on stderr: $err"
}
