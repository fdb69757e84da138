#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Invalid input and errors: each has its exit code and message (object, cause, next step), and leaves
# nothing half done.
load lib

# refuses CODE COMMAND...: the command fails with that code and changes nothing
refuses() {
	local before
	before=$(snapshot)
	exits "$@"
	[ -n "$err" ] || fail "no message on stderr"
	same "$before" "$(snapshot)"
}

# a copy of hbpf that users without access to the source tree can run
public_hbpf() {
	install -m 755 "$HBPF" "$BED/hbpf"
	chmod 755 "$BED"
}

@test "not root" {
	public_hbpf
	for command in "attach br-test" "detach" "ports add 8088" "status" "stats" "flows" "monitor" "bridges"; do
		# shellcheck disable=SC2086 # several words
		refuses 1 on_host setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$BED/hbpf" $command
		says 'root' 'sudo'
	done
	# help and version need no privileges
	exits 0 on_host setpriv --reuid 65534 --regid 65534 --clear-groups "$BED/hbpf" attach --help
	exits 0 on_host setpriv --reuid 65534 --regid 65534 --clear-groups "$BED/hbpf" --version
}

@test "a missing interface" {
	refuses 1 hb attach br-none --port 8088
	says 'br-none: no such interface' 'hbpf interfaces'
}

@test "an impossible interface name" {
	refuses 1 hb attach br-a-name-that-is-too-long || refuses 2 hb attach br-a-name-that-is-too-long
	says 'br-a-name-that-is-too-long'
	refuses 1 hb attach ../../etc || refuses 2 hb attach ../../etc
	says '\.\./\.\./etc'
	refuses 1 hb attach '' || refuses 2 hb attach ''
}

@test "an alternative name of the bridge works everywhere, and the bridge's name is printed" {
	local alt=a-name-longer-than-an-interface-may-have
	serve svc --tcp 127.0.0.1:8088
	make_bridge br-two 31
	on_host ip link property add dev br-test altname "$alt" altname brt
	on_host ip link property add dev br-two altname two
	refuses 1 hb detach "$alt"
	says "br-test, whose alternative name is $alt, is not attached"
	for name in "$alt" brt; do
		exits 0 hb attach "$name" --port 8088 --hook "$HOOK"
		prints "^$name is br-test"
		reaches svc tcp "$GW:8088"
		exits 0 hb ports add 9000 -b "$name"
		exits 0 hb status "$name"
		prints '^br-test: '
		exits 0 hb status "$name" --json
		json '.bridges[0].bridge == "br-test"'
		refuses 1 hb detach two
		says 'br-two, whose alternative name is two, is not attached' 'attached: br-test'
		exits 0 hb detach "$name"
	done
	refuses 1 hb status br-test
}

@test "interfaces that cannot be attached" {
	refuses 1 hb attach veth-c1 --port 8088
	says 'veth-c1 is a port of the bridge br-test' 'attach br-test$'
	refuses 1 hb attach lo
	says 'lo is a loopback interface: .*no client' 'hbpf interfaces'
	on_host ip link add vm0 link br-test type macvtap
	refuses 1 hb attach vm0
	says 'vm0 is a macvtap interface: .*does not reach this host' 'a bridge or a tap'
}

# no_ports REGEX: attach and status list no working port, and print the cause and what to do
no_ports() {
	exits 0 attach
	lacks '->'
	reports 'br-test has no IPv4 and no IPv6 address; run .ip address add .* dev br-test.' "$1"
	exits 1 hb status
	prints "^br-test: broken: $1" '^  ports +unreachable'
}

@test "a bridge without an address: attaches, says what is missing, works once it has one" {
	serve svc --tcp 127.0.0.1:8088
	on_host ip addr flush dev br-test
	exits 0 attach --port 8088
	lacks '->'
	no_ports '.*has no gateway.*'
	on_host ip addr add "$GW/24" dev br-test
	exits 1 hb status
	prints '^br-test: broken: it had no gateway when .*.hbpf attach br-test. repairs it'
	exits 0 attach
	prints "^$GW:8088/tcp +-> 127.0.0.1:8088"
	reaches svc tcp "$GW:8088"
	exits 0 hb status
	prints '^br-test: ok, 1 port open'
	lacks 'unreachable'
}

# Docker's networks with gateway_mode=isolated have no address of the host
@test "a bridge without an address beside docker0: docker0's address is a gateway once there are clients" {
	make_docker0
	on_host ip addr flush dev br-test
	exits 0 attach --port 8088
	lacks '->'
	no_ports '.*has no gateway.*'
	exits 0 hb ports add 9000
	prints 'br-test: the ports are saved, but there is no address that clients can dial'
	lacks '->'
	exits 0 hb ports add 9001 --from 10.0.0.0/8
	exits 1 hb status
	prints '^br-test: broken: it had no gateway when .*.hbpf attach br-test. repairs it'
	exits 0 attach
	prints "$DOCKER0:9001/tcp +->"
	on_host ip route add 10.0.0.0/8 dev br-test
	attach --from 10.0.0.0/8
	exits 0 hb status
	prints "gateways +$DOCKER0" '^  ports$'
}

@test "a bridge with IPv6 only beside docker0: docker0's IPv4 address is no gateway" {
	make_docker0
	on_host ip addr add fd00:17::1/64 dev docker0 nodad
	serve svc --tcp "[::1]:8088"
	exits 0 attach --port 8088
	prints "^$DOCKER0:8088/tcp" '^\[fd00:17::1\]:8088/tcp'
	on_host ip -4 addr flush dev br-test
	exits 0 attach
	exits 0 hb status --json
	json '[.bridges[0].gateways[].address] | sort == ["fd00:17::1", "'"$GW6"'"]'
	exits 0 hb status
	prints '^br-test: ok, 1 port open'
	exits 0 hb doctor br-test --no-probe
	lacks '127.0.0.1:8088'
	reaches svc tcp "[$GW6]:8088"
}

@test "a bridge that is down: status fails and says so, until it is up again" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	on_host ip link set br-test down
	exits 1 hb status
	prints '^br-test: broken: it is down; .ip link set br-test up. repairs it'
	# the kernel has removed the IPv6 address
	on_host ip link set br-test up
	eventually reaches svc tcp "$GW:8088"
	exits 0 hb status
	prints '^br-test: warning: gateway addresses changed .*.hbpf attach br-test. repairs it'
	attach
	exits 0 hb status
	prints '^br-test: ok, 1 port open'
}

@test "a bridge with IPv4 only, and one with IPv6 only" {
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	on_host ip -6 addr flush dev br-test
	attach --port 8088
	reaches svc tcp "$GW:8088"
	hb detach
	on_host ip addr flush dev br-test
	on_host ip addr add fd00:30::1/64 dev br-test nodad
	attach --port 8088
	reaches svc tcp "[$GW6]:8088"
}

@test "a missing bpffs is mounted" {
	# in the sandbox's sysfs, not the machine's
	[ "$(stat -fc %T /sys/fs/bpf)" != bpf_fs ] || skip "the sandbox has /sys/fs/bpf mounted"
	serve svc --tcp 127.0.0.1:8088
	# the capabilities of the unit are enough
	on_host env -u HBPF_BPFFS setpriv --bounding-set "$(unit_capabilities)" "$HBPF" attach br-test --port 8088
	[ "$(stat -fc %T /sys/fs/bpf)" = bpf_fs ]
	reaches svc tcp "$GW:8088"
	on_host env -u HBPF_BPFFS "$HBPF" detach
	umount /sys/fs/bpf
}

@test "no bpffs, and an unprivileged user's lock on its directory: attach does not wait, and says what to do" {
	local locker

	[ "$(stat -fc %T /sys/fs/bpf)" != bpf_fs ] || skip "the sandbox has /sys/fs/bpf mounted"
	remember
	setpriv --reuid nobody --regid nogroup --clear-groups flock -F /sys/fs/bpf sleep 60 3>&- &
	locker=$!
	echo $locker >>"$BED/pids"
	eventually grep -q "FLOCK.* $locker " /proc/locks
	exits 1 on_host env -u HBPF_BPFFS timeout 20 "$HBPF" attach br-test --port 8088
	says 'cannot mount bpffs on /sys/fs/bpf' 'lock' 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf'
	unchanged
	kill $locker
	eventually exits 0 on_host env -u HBPF_BPFFS timeout 20 "$HBPF" attach br-test --port 8088
	on_host env -u HBPF_BPFFS "$HBPF" detach
	umount /sys/fs/bpf
}

@test "no bpffs under ip netns exec: refused, and nothing opened" {
	refuses 1 env -u HBPF_BPFFS ip netns exec host "$HBPF" attach br-test --port 8088
	says 'no bpffs on /sys/fs/bpf in this mount namespace' 'nsenter --net' 'HBPF_BPFFS'
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
	# control: with a bpffs that outlives the command nothing is refused
	exits 0 ip netns exec host "$HBPF" attach br-test --port 8088
	hb detach
}

@test "no bpffs in a container, whose mounts end with hbpf, its PID 1: refused, and nothing opened" {
	# shellcheck disable=SC2016 # for the shell inside
	local container=(nsenter --net=/run/netns/host unshare --mount --pid --fork --mount-proc sh -c
		'mount -t tmpfs tmpfs /sys/fs/bpf && exec "$0" "$@"')
	refuses 1 env -u HBPF_BPFFS "${container[@]}" "$HBPF" attach br-test --port 8088
	says 'no bpffs on /sys/fs/bpf in this mount namespace' "mount the host's /sys/fs/bpf there"
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
	# control: with the host's
	exits 0 "${container[@]}" "$HBPF" attach br-test --port 8088
	hb detach
}

@test "an HBPF_BPFFS that cannot be used" {
	HBPF_BPFFS=$BED/nowhere/at/all refuses 1 hb attach br-test
	says "$BED/nowhere/at/all"
	mkdir "$BED/dir"
	HBPF_BPFFS=$BED/dir refuses 1 hb attach br-test
	says "$BED/dir" 'mount -t bpf -o mode=0700'
	touch "$BED/file"
	HBPF_BPFFS=$BED/file refuses 1 hb attach br-test
	says "$BED/file"
	# nor is a relative path
	printf '[br-test]\nports = 8088\n' >"$BED/hbpf.conf"
	for relative in . bpf ./bpf; do
		for command in 'attach br-test' status 'detach --all' "watch -c $BED/hbpf.conf"; do
			# shellcheck disable=SC2086 # several words
			HBPF_BPFFS=$relative refuses 1 on_host env -C "$BED" timeout 10 "$HBPF" $command
			says "HBPF_BPFFS=$relative is not an absolute path" 'such as /sys/fs/bpf'
		done
	done
	long=/$(printf 'a%.0s' {1..4095})
	HBPF_BPFFS=$long refuses 1 on_host timeout 10 "$HBPF" watch -c "$BED/hbpf.conf"
	says 'HBPF_BPFFS is too long for a path'
}

@test "kernel too old: the error names the version needed" {
	refuses 1 on_host setarch "$(uname -m)" --uname-2.6 "$HBPF" attach br-test --port 8088
	says 'Linux 2\.6.*5\.10'
}

# programs_at: strace's number of the first bpf(2) call that loads one of hbpf's own programs
programs_at() {
	on_host strace -f -e trace=bpf -o "$BED/strace" "$HBPF" attach br-test --hook tcx >"$BED/log"
	hb detach >"$BED/log"
	grep 'bpf(' "$BED/strace" | grep -En 'BPF_PROG_LOAD.*insn_cnt=[0-9]{3}' | head -1 | cut -d: -f1
}

@test "a program that the verifier rejects" {
	at=$(programs_at)
	[ -n "$at" ]
	refuses 1 on_host strace -f -o "$BED/strace" -e inject=bpf:error=EACCES:when="$at+" \
		"$HBPF" attach br-test --port 8088
	says 'the kernel rejected hbpf.s programs: permission denied' '\(-v shows the kernel.s log\)'
}

@test "a program that the verifier rejects: -v shows the verifier's log" {
	# CAP_BPF without CAP_PERFMON: the verifier rejects the program
	refuses 1 on_host capsh --drop=cap_perfmon,cap_sys_admin -- \
		-c "'$HBPF' -v attach br-test --port 8088"
	says 'permission denied' 'processed [0-9]+ insns'
}

@test "attach does not try the other hook where programs may not be loaded at all" {
	refuses 1 on_host strace -f -o "$BED/strace" -e inject=bpf:error=EPERM \
		"$HBPF" attach br-test --port 8088
	says 'permitted|EPERM|denied'
}

@test "ports before attach" {
	refuses 1 hb ports add 8088
	says 'attach'
	refuses 1 hb ports del 8088
	says 'attach'
	refuses 1 hb ports add 8088 -b br-test
	says 'br-test' 'attach'
	exits 0 hb ports list
	prints 'no interface is attached'
}

@test "detach of a bridge that is not attached says so; --all with nothing attached succeeds" {
	refuses 1 hb detach br-test
	says 'br-test' 'not attached'
	refuses 1 hb detach
	says 'attached'
	refuses 1 hb detach br-none
	says 'br-none.*not attached'
	exits 0 hb detach --all
	attach
	hb detach
	refuses 1 hb detach br-test
}

@test "detach of a bridge and --all together is a usage error" {
	attach
	refuses 2 hb detach br-test --all
}

# on_terminal [VARIABLE=VALUE]... COMMAND: the output of hbpf COMMAND on a terminal of 60 columns, without the carriage returns
on_terminal() {
	exits 0 on_host env -u NO_COLOR TERM=xterm "${@:1:$#-1}" script -qec "stty cols 60; $HBPF ${*: -1}" /dev/null
	out=${out//$'\r'/}
}

@test "status of several bridges has a line for each: ok, a warning, broken; with its name, everything" {
	serve svc --tcp 127.0.0.1:8088
	make_bridge br-two 31
	make_bridge br-three 32
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000-9002
	reaches svc tcp "$GW:8088" # for the counters
	exits 0 hb status
	prints '^INTERFACE +STATE +PORTS +PROBLEM$' '^br-test +ok +1$' \
		'^br-two +warning +3 +nothing listens for 9000-9002/tcp$'
	[ "$(wc -l <"$BED/out")" -eq 3 ]
	hb attach br-three --hook "$HOOK"
	on_host ip link set br-three down
	exits 1 hb status
	prints '^br-three +broken +0 +it is down; .ip link set br-three up. repairs it$'
	exits 1 hb status --json
	json '[.bridges[] | "\(.bridge) \(.state)"] | sort == ["br-test ok", "br-three broken", "br-two warning"]'
	exits 0 hb status br-test
	prints '^br-test: ok, 1 port open$' '^  hook +' '^  gateways +'
	lacks 'br-two'
	exits 1 hb status -v
	prints '^br-test: ok' '^br-two: warning: nothing' '^br-three: broken: it is down' '^  counters$'
}

@test "ports that nothing listens for are named where others of the range are served" {
	serve svc --tcp 127.0.0.1:9001
	attach --port 9000-9003 --port 80:8080
	exits 0 hb status
	prints '^br-test: warning: nothing listens for 80:8080/tcp, 9000/tcp, 9002-9003/tcp$'
	exits 0 hb status --json
	json '.bridges[0].problems == [{name: "not-listening",
		text: "nothing listens for 80:8080/tcp, 9000/tcp, 9002-9003/tcp"}]'
}

@test "a terminal gets colours and lines that fit, unless NO_COLOR or TERM says otherwise; a pipe neither" {
	make_bridge br-two 31
	attach --port 8088-8090 --port 8092 --port 8094 --port 8096
	hb attach br-two --hook "$HOOK"
	exits 0 hb status
	lacks $'\e'
	prints '^br-test .* nothing listens for 8088-8090/tcp, 8092/tcp, 8094/tcp, 8096/tcp$'
	on_terminal status
	prints $'\e\\[33mwarning\e\\[0m' $'\e\\[32mok\e\\[0m' '^ +8094/tcp, 8096/tcp$'
	on_terminal NO_COLOR=1 status
	lacks $'\e'
	[ "$(awk '{ print length }' <<<"$out" | sort -n | tail -1)" -le 60 ]
	on_terminal TERM=dumb status
	lacks $'\e'
}

@test "status with nothing attached" {
	exits 0 hb status
	exits 0 hb status --json
	json .
	exits 1 hb status br-none
	says 'br-none'
}

@test "more than 4096 gateways are refused, and the existing ones still work" {
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	many=()
	for i in $(seq 1 4100); do many+=(--gateway "10.9.$((i / 250)).$((i % 250 + 1))"); done
	refuses 1 hb attach br-test "${many[@]}"
	says 4096 gateway
	reaches svc tcp "$GW:8088"
	hb detach
	refuses 1 hb attach br-test --port 8088 "${many[@]}"
	says 4096 gateway
}

@test "unknown options and commands, missing and extra arguments: exit 2" {
	refuses 2 hb attach br-test --prot 8088
	says '--prot' 'help|--port'
	refuses 2 hb attach br-test -x
	says '-x'
	refuses 2 hb atach br-test
	says 'atach' 'attach'
	refuses 2 hb
	refuses 2 hb attach
	says 'no interface given'
	refuses 2 hb attach br-test br-two
	refuses 2 hb attach br-test --port
	says 'port'
	refuses 2 hb ports ad 8088
	says 'ad'
	refuses 2 hb detach a b
	refuses 2 hb status --hook tcx
	says '--hook'
}

# refuses_option VALUE COMMAND...: the error quotes the value, and its last line is the next step
refuses_option() {
	refuses 2 hb "${@:2}"
	says "'?$1'?"
	[[ ${err##*$'\n'} == '      '[^\ ^]* ]] || fail "no next step: hbpf ${*:2}" "$err"
}

@test "invalid option values: exit 2, quoted" {
	for bad in "--hook xdp" "--nat-bypass maybe" "--gateway 300.0.0.1" "--gateway host" \
		"--from 10.0.0.0/33" "--from fd00::/129" "--from 10.0.0.0/" "--from docker" \
		"--from 10.0.0.1/8" "--port 0"; do
		# shellcheck disable=SC2086 # several words
		refuses_option "${bad#* }" attach br-test $bad
	done
	refuses_option 0 monitor --count 0
	refuses_option 0 stats --watch 0
	refuses_option name flows --sort name
	refuses_option host flows --client host
	refuses_option 70000 doctor --port 70000
	refuses_option tcp:80 watch --metrics tcp:80
	refuses_option empty ports add ''
	refuses_option 127.0.0.1 attach br-test --gateway 127.0.0.1
	refuses_option 80/tcp attach br-test --port 80 --port 80
	refuses_option guards monitor --event guards
}

@test "--pin is a deprecated name of --nat-bypass: accepted, and never shown" {
	attach --pin off
	exits 0 hb status --json
	json '.bridges[0] | .nat_bypass == {state: "off", why: "set by --nat-bypass off"} and
		.pin == .nat_bypass'
	exits 0 hb attach --help
	prints '--nat-bypass WHEN'
	lacks '--pin'
	refuses 2 hb attach br-test --pin maybe
	says '--nat-bypass takes one of auto, on, off'
	refuses 2 hb attach br-test --pim off
	unsaid '--pin'
}

@test "gateways that no client could dial: exit 2" {
	for bad in 127.0.0.1 127.9.9.9 ::1 0.0.0.0 :: 224.0.0.1 ff02::1 fe80::1 ::ffff:127.0.0.1; do
		refuses 2 hb attach br-test --gateway $bad
		says "$bad"
	done
}

@test "help and version on stdout, exit 0" {
	for command in "" attach detach ports status stats flows monitor bridges; do
		# shellcheck disable=SC2086 # none or one word
		exits 0 hb $command --help
		prints 'usage' "${command:-attach}"
		[ -z "$err" ] || fail "on stderr: $err"
	done
	exits 0 hb --version
	prints '^hbpf [0-9]+\.[0-9]+\.[0-9]+' 'libbpf [0-9]+\.[0-9]+'
}

@test "--json: stdout is one valid document, also for errors" {
	for command in "status" "stats" "flows" "bridges" "ports list" "ports add 80" "ports add 0" "detach" \
		"attach br-none" "status --bogus" "bogus"; do
		# shellcheck disable=SC2086 # several words
		hb $command --json >"$BED/json" 2>"$BED/err" || true
		jq -es 'length == 1' "$BED/json" >"$BED/jq" ||
			fail "hbpf $command --json" "stdout: $(<"$BED/json")" "stderr: $(<"$BED/err")"
	done
	exits 1 hb ports add 8088 --json
	json .error
	exits 2 hb ports add 80x --json
	json '(.error | test("decimal number") and (test("\n") | not)) and (.detail | test("80x\n *\\^"))'
	attach --port 8088
	for command in "status" "ports list"; do
		# shellcheck disable=SC2086 # several words
		exits 0 hb $command --json
		json 'tostring | test("8088")'
	done
}

# serve_as BYTES: a process of that name, as in Python's b"BYTES", listens on 127.0.0.1:8088
serve_as() {
	on_host "${PY[@]}" - >"$BED/ready" 3>&- <<-EOF &
		import socket, time
		open("/proc/self/comm", "wb").write(b"$1")
		s = socket.create_server(("127.0.0.1", 8088))
		print("ready", flush=True)
		time.sleep(60)
	EOF
	echo $! >>"$BED/pids"
	eventually test -s "$BED/ready"
}

@test "--json is UTF-8, whatever an interface or a process is called" {
	local bridge=$'br-\xff\xc3\xa9'
	on_host ip link add "$bridge" type bridge
	on_host ip link set "$bridge" up
	on_host ip addr add 172.31.0.1/24 dev "$bridge"
	serve_as '\xfe\xff odd'
	hb attach "$bridge" --hook "$HOOK" --port 8088
	for command in status stats flows bridges ports "ports add 9000" "detach br-none"; do
		# shellcheck disable=SC2086 # several words
		hb $command --json >"$BED/json" 2>"$BED/err" || true
		iconv -f UTF-8 -t UTF-8 "$BED/json" >"$BED/utf8" || fail "$command: $(<"$BED/json")"
	done
	exits 0 hb status --json
	json '.bridges[0].bridge == "br-?é"'
	exits 1 hb status $'none\xfe' --json
	json '.error | test("none\\?")'
}

@test "names of interfaces, processes and files cannot control the terminal" {
	local c1=$'\xc2\x9b' bidi=$'\xe2\x80\xae' command
	local bridge=$'br\e[7m'"$c1$bidi"z

	on_host ip link add "$bridge" type bridge
	on_host ip link set "$bridge" up
	on_host ip addr add 172.31.0.1/24 dev "$bridge"
	serve_as 'a\n\x1b[2J\xc2\x9bz'
	printf '[br-test]\nports = \e[2J%s\n' "$c1" >"$BED/hbpf.conf"
	for command in "-v attach % --port 8088 --hook $HOOK" bridges status "status %" ports \
		stats "stats --prometheus" "-v attach %" "ports add 9000" "ports del 9000" "ports add nonsense%" "status none%" \
		"watch --check $BED/hbpf.conf" "detach %"; do
		# shellcheck disable=SC2086 # several words
		hb ${command//%/"$bridge"} >"$BED/out" 2>&1 </dev/null || true
		[ -s "$BED/out" ] || fail "$command says nothing"
		! LC_ALL=C grep -P '[\x01-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$BED/out" ||
			fail "$command"
		case $command in
		status* | stats | ports | *attach* | bridges | detach*)
			grep -q 'br?\[7m??z' "$BED/out" || fail "$command: $(cat -v "$BED/out")" ;;
		esac
	done
	hb attach "$bridge" --port 8088 --hook "$HOOK"
	exits 0 hb status --json
	json '.bridges[0].bridge == "br\u001b[7m\u009b\u202ez"' # its name
	! grep -q "$c1\|$bidi" "$BED/out" || fail "raw in JSON"
}

@test "a configuration is read only where only root can write" {
	local nobody=(setpriv --reuid nobody --regid nogroup --clear-groups) bad

	mkdir "$BED/etc"
	mkdir -m 1777 "$BED/all"
	printf '[br-test]\nports = 8088\n' >"$BED/etc/good.conf"
	echo 'root:secret' >"$BED/etc/shadow"
	cp "$BED/etc/good.conf" "$BED/all/"
	"${nobody[@]}" ln -s "$BED/etc/shadow" "$BED/all/link"
	"${nobody[@]}" ln -s "$BED/etc" "$BED/all/dir"
	ln -s "$BED/etc" "$BED/alias"
	ln -s good.conf "$BED/etc/link"
	mkfifo "$BED/etc/fifo"
	exits 0 hb watch --check "$BED/etc/good.conf"
	exits 0 hb watch --check "$BED/alias/../alias//./good.conf"
	exits 0 hb watch --check "$BED/all/good.conf"
	exits 0 on_host env -C "$BED/etc" "$HBPF" watch --check good.conf
	exits 0 on_host env -C "$BED/etc" "$HBPF" watch --check ../etc/good.conf
	for bad in "$BED/all/link" "$BED/etc/link"; do
		exits 1 hb watch --check "$bad"
		says "$bad: it is a symbolic link" '-c'
	done
	exits 1 hb watch --check "$BED/all/dir/shadow"
	says "$BED/all/dir, a symbolic link in its path, belongs to user"
	! grep -q secret "$BED/out" "$BED/err" || fail "it prints root's files"
	exits 1 hb watch --check "$BED/etc/shadow" # control: named directly it is read
	says secret
	exits 1 timeout 5 nsenter --net=/run/netns/host "$HBPF" watch --check "$BED/etc/fifo"
	says 'not a regular file'
	for bad in 'chown nobody' 'chmod g+w' 'chmod o+w'; do
		$bad "$BED/etc"
		exits 1 hb watch --check "$BED/etc/good.conf"
		says "only root may have write access to the directory $BED/etc " "chown root $BED/etc; chmod go-w"
		chown root "$BED/etc"
		chmod 755 "$BED/etc"
	done
	exits 0 hb watch --check "$BED/etc/good.conf"
}

@test "lo down" {
	on_host ip link set lo down
	refuses 1 hb attach br-test --port 8088
	says 'lo' 'down' 'ip link set lo up'
}

@test "a bridge in a VRF" {
	on_host ip link add vrf-test type vrf table 10 2>"$BED/err" ||
		skip "this kernel has no VRF: $(<"$BED/err")"
	on_host ip link set vrf-test up
	on_host ip link set br-test master vrf-test
	refuses 1 hb attach br-test --port 8088
	says 'br-test' 'vrf'
}

@test "two bridges attached: commands without a name list them" {
	make_bridge br-two 31
	attach
	hb attach br-two --hook "$HOOK"
	refuses 1 hb detach || refuses 2 hb detach
	says br-test br-two
	refuses 1 hb ports add 8088 || refuses 2 hb ports add 8088
	says br-test br-two
}

@test "one bridge attached: commands without a name use it" {
	attach
	hb ports add 8088
	exits 0 hb status
	prints br-test 8088
	hb detach
}

@test "a full or closed stdout is an error" {
	attach --port 8088
	exits 1 on_host sh -c "exec '$HBPF' status >/dev/full"
	[ -n "$err" ]
}
