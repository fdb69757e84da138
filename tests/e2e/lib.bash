# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The test bed of the end-to-end tests, and their helpers.
#
#	namespace host	br-test 172.30.0.1/24 fd00:30::1/64, lo; hbpf and the services run here
#	namespace c1	eth0    172.30.0.2/24 fd00:30::2/64, default routes over the bridge
#
# setup() creates both and a private bpffs, teardown() removes them. A suite
# called NAME-clsact.bats is a symbolic link to NAME.bats and runs with the
# clsact hook instead of tcx. scripts/test runs only those of its tests that
# depend on the hook, marked "# bats test_tags=hook": one for each thing that the
# programs do to a packet, and all that load the programs or look for them.
#
# In the same way NAME-veth.bats and NAME-tap.bats run the tests with the tag
# "kind", and without "bridge", on another kind of interface. It is called br-test,
# too, and has c1 alone behind it.

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export HBPF=${HBPF:-$E2E/../../build/hbpf}

# -S starts faster; root must not write .pyc files into the tree
export PYTHONDONTWRITEBYTECODE=1
PY=(/usr/bin/python3 -S)

export GW=172.30.0.1
export GW6=fd00:30::1
export C1=172.30.0.2
export C1_6=fd00:30::2
DOCKER0=172.17.0.1

# kernel_since MAJOR.MINOR: succeeds on that kernel and newer ones
kernel_since() {
	local major minor
	IFS=.- read -r major minor _ </proc/sys/kernel/osrelease
	((major > ${1%.*} || (major == ${1%.*} && minor >= ${1#*.})))
}

need_tcx() {
	kernel_since 6.6 || skip "tcx came with Linux 6.6"
}

need_nat_bypass() {
	kernel_since 6.1 || skip "conntrack functions for BPF came with Linux 6.1"
}

# unit_capabilities: those of hbpf.service and no others, for setpriv --bounding-set
unit_capabilities() {
	sed -n 's/^CapabilityBoundingSet=//p' "$E2E/../../dist/hbpf.service" |
		sed 's/CAP_/,+/g; s/ //g; s/^/-all/' | tr '[:upper:]' '[:lower:]'
}

HOOK=tcx
if [[ ${BATS_TEST_FILENAME:-} == *-clsact.bats ]] || ! kernel_since 6.6; then
	HOOK=clsact
fi

KIND=bridge
for kind in veth tap; do
	[[ ${BATS_TEST_FILENAME:-} != *-$kind.bats ]] || KIND=$kind
done

setup() {
	bed_up
}

teardown() {
	# the most useful output of a failed test
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -x "$HBPF" ]; then
		echo "--- hbpf status -v"
		hb status -v 2>&1 || true
		echo "--- counters"
		counters 2>&1 || true
	fi
	bed_down
}

# All JSON that exits() got keeps to the schemas.
teardown_file() {
	[ ! -d "$BATS_FILE_TMPDIR/json" ] || "$E2E/../json-schema" "$BATS_FILE_TMPDIR/json"
}

# ---- the test bed
bed_up() {
	if [ -z "${HBPF_BPFFS:-}" ] || [ "$HBPF_BPFFS" = /sys/fs/bpf ]; then
		echo "run this through tests/sandbox, which provides private namespaces" >&2
		return 1
	fi
	export BED=/run/bed
	mkdir -p "$BED/bpf"
	mount -t bpf bpf "$BED/bpf"
	export HBPF_BPFFS=$BED/bpf
	: >"$BED/pids"
	make_ns host
	if [ "$KIND" = bridge ]; then
		make_bridge br-test 30
		make_client c1 2
	else
		make_link "$KIND" br-test 30 c1 2
	fi
	[ -z "${HBPF_CAPTURE:-}" ] || capture
}

# With HBPF_CAPTURE=FILE a test appends to that file all frames that reach the two programs, for
# tests/fuzz/distill. It needs tcx, which runs before hbpf's clsact filters.
capture() {
	local side
	for side in ingress egress; do
		mkdir "$BED/bpf/$side"
		on_host ip link add "mirror-$side" type veth peer name "end-$side"
		on_host sysctl -qw "net.ipv6.conf.mirror-$side.disable_ipv6=1"
		on_host ip link set "end-$side" up
		on_host ip link set "mirror-$side" up
		on_host "${PY[@]}" "$E2E/tools/bpf.py" mirror "$BED/bpf/$side" "mirror-$side"
		on_host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$BED/bpf/$side" br-test "$side"
		on_host "${PY[@]}" "$E2E/tools/record.py" "mirror-$side" "$side" "$HBPF_CAPTURE" \
			>>"$BED/pids"
	done
}

bed_down() {
	local pid ns
	if [ -r "$BED/pids" ]; then
		while read -r pid; do
			kill -KILL "$pid" 2>/dev/null || true
		done <"$BED/pids"
	fi
	for ns in /run/netns/*; do
		[ -e "$ns" ] && ip netns del "${ns##*/}"
	done
	while mountpoint -q "$BED/bpf"; do umount "$BED/bpf"; done
	rm -rf "$BED"
}

# make_ns NAME: a namespace whose settings do not depend on the machine's
make_ns() {
	ip netns add "$1"
	# shellcheck disable=SC2016 # the inner shell expands them
	in_ns "$1" sh -c '
		cd /proc/sys/net
		for kind in all default lo; do
			echo 0 >ipv4/conf/$kind/rp_filter
			echo 0 >ipv4/conf/$kind/route_localnet
			echo 0 >ipv6/conf/$kind/accept_dad
		done
		echo 0 >ipv4/ip_forward
		ip link set lo up'
}

# make_bridge NAME NET: in host, with 172.NET.0.1/24 and fd00:NET::1/64
make_bridge() {
	on_host ip link add "$1" type bridge forward_delay 0
	address_host "$1" "$2"
}

# make_link KIND NAME NET NAMESPACE NUMBER: in host, as make_bridge, with 172.NET.0.NUMBER behind it
make_link() {
	make_ns "$4"
	case $1 in
	veth) on_host ip link add "$2" type veth peer name eth0 netns "$4" ;;
	tap) tool relay "$1" "host:$2" "$4:eth0" ;;
	esac
	address_host "$2" "$3"
	address_client "$4" "$5" "$3"
}

# address_host NAME NET
address_host() {
	in_ns host ip -batch - <<-EOF
		link set $1 up
		addr add 172.$2.0.1/24 dev $1
		addr add fd00:$2::1/64 dev $1 nodad
	EOF
}

# address_client NAMESPACE NUMBER NET
address_client() {
	in_ns "$1" ip -batch - <<-EOF
		link set eth0 up
		addr add 172.$3.0.$2/24 dev eth0
		addr add fd00:$3::$2/64 dev eth0 nodad
		route add default via 172.$3.0.1
		route add default via fd00:$3::1
	EOF
}

# make_client NAMESPACE NUMBER [BRIDGE NET]: 172.NET.0.NUMBER behind the bridge
make_client() {
	local ns=$1 nr=$2 bridge=${3:-br-test} net=${4:-30}

	make_ns "$ns"
	in_ns host ip -batch - <<-EOF
		link add veth-$ns type veth peer name eth0 netns $ns
		link set veth-$ns master $bridge up
	EOF
	address_client "$ns" "$nr" "$net"
}

# drop_client NAMESPACE: deletes the link, too, which deleting the namespace would do only later
drop_client() {
	on_host ip link del "veth-$1"
	ip netns del "$1"
}

# docker0 as Docker creates it: without containers it has no carrier, but
# host.docker.internal:host-gateway still resolves to its address
make_docker0() {
	in_ns host ip -batch - <<-EOF
		link add docker0 type bridge
		link set docker0 up
		addr add $DOCKER0/16 dev docker0
	EOF
}

# ---- commands

# nsenter, as "ip netns exec" has mounts of its own
in_ns() {
	nsenter --net="/run/netns/$1" "${@:2}"
}

on_host() {
	in_ns host "$@"
}

hb() {
	in_ns host "$HBPF" "$@"
}

# attach with the suite's hook
attach() {
	hb attach br-test --hook "$HOOK" "$@"
}

tool() {
	"${PY[@]}" "$E2E/tools/$1.py" "${@:2}"
}

serve() {
	in_ns "${NS:-host}" "${PY[@]}" "$E2E/tools/serve.py" "$@"
}

# [NS=c1] dial ...
dial() {
	in_ns "${NS:-c1}" "${PY[@]}" "$E2E/tools/dial.py" "$@"
}

scene() {
	timeout 120 "${PY[@]}" "$E2E/tools/scene.py" "$@"
}

# raw packets by Scapy, which is in dist-packages: no -S here
raw() {
	in_ns "${NS:-c1}" timeout 60 /usr/bin/python3 "$E2E/tools/raw.py" "$@"
}

# assault SET [WRAPPING]...: sends the attacks of a set, leaves the result of each in $out
assault() {
	exits 0 in_ns c1 timeout 100 /usr/bin/python3 "$E2E/tools/attack.py" "$@"
}

# holds SET [WRAPPING]...: no attack of the set gets in, and none is answered
holds() {
	assault "$@"
	[ -n "$out" ] || fail "no attack was made"
	lacks '^in '
}

# only REGEX, except REGEX: keep the lines of $out that match, or that do not
only() {
	out=$(grep -E -- "$1" <<<"$out")
}

except() {
	out=$(grep -Ev -- "$1" <<<"$out")
}

# breaks SET [WRAPPING]...: every attack of the set gets in, which shows that it is a real one
breaks() {
	assault "$@"
	[ -n "$out" ] || fail "no attack was made"
	lacks '^out '
}

# recipe PORT: the common iptables recipe
recipe() {
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	on_host iptables -t nat -A PREROUTING -i br-test -p tcp --dport "$1" \
		-j DNAT --to-destination "127.0.0.1:$1"
}

# ---- assertions

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# reaches NAME PROTO ADDR:PORT [dial's options]: service NAME answers
reaches() {
	local name=$1 got
	shift
	if ! got=$(dial "$@"); then
		fail "dialled $*" "expected $name" "got      $got"
	elif [[ $got != "$name "* ]]; then
		fail "dialled $*" "expected $name" "answered $got"
	fi
}

# misses ERROR PROTO ADDR:PORT [dial's options]: dialling fails with this errno or TIMEOUT
misses() {
	local error=$1 got
	shift
	[ "$error" != TIMEOUT ] || set -- "$@" --timeout 1
	if got=$(dial "$@"); then
		fail "dialled $*" "expected $error" "answered $got"
	elif [ "$got" != "$error" ]; then
		fail "dialled $*" "expected $error" "got      $got"
	fi
}

# exits CODE COMMAND...: checks the exit code, leaves stdout in $out and stderr in $err
exits() {
	local want=$1 code=0
	shift
	"$@" >"$BED/out" 2>"$BED/err" || code=$?
	out=$(<"$BED/out")
	err=$(<"$BED/err")
	case " $* " in *" --json "*) keep_json "$@" ;; esac
	[ "$code" -eq "$want" ] ||
		fail "$*" "expected exit $want, got $code" "stdout: $out" "stderr: $err"
}

# keep_json COMMAND...: keeps its output for teardown_file. The machines of tests/kernels have no
# documents, and little time.
keep_json() {
	local word dir=$BATS_FILE_TMPDIR/json
	[ -d "$E2E/../../docs/json-schema" ] || return 0
	for word in "$@" error; do
		[ ! -e "$E2E/../../docs/json-schema/$word.json" ] || break
	done
	mkdir -p "$dir"
	cp "$BED/out" "$(mktemp "$dir/$word.XXXXXX")"
}

# has TEXT REGEX...: the text matches each regex (extended, any case)
has() {
	local regex
	for regex in "${@:2}"; do
		grep -Eqi -- "$regex" <<<"$1" || fail "no /$regex/ in:" "$1"
	done
}

# has_none TEXT REGEX...: the text matches none of them
has_none() {
	local regex
	for regex in "${@:2}"; do
		! grep -Eqi -- "$regex" <<<"$1" || fail "/$regex/ in:" "$1"
	done
}

# Checks of the last command's stderr, of its stdout, and of both: each regex matches, or none does.
says() { has "$err" "$@"; }
unsaid() { has_none "$err" "$@"; }
prints() { has "$out" "$@"; }
lacks() { has_none "$out" "$@"; }
reports() { has "$out"$'\n'"$err" "$@"; }

# json FILTER: stdout is one JSON document for which jq's filter is true
json() {
	jq -es "length == 1 and (.[0] | $1)" <<<"$out" >"$BED/jq" || fail "not so: $1" "stdout: $out"
}


same() {
	[ "$1" = "$2" ] || {
		diff -u --label before <(printf '%s\n' "$1") --label after <(printf '%s\n' "$2") >&2
		return 1
	}
}

# everything hbpf may change, as text: settings, pins, qdiscs, filters, tcx programs
snapshot() {
	on_host sysctl -a 2>/dev/null |
		grep -E '^net\.(ipv4|ipv6|bridge)\.' | sort
	echo "pins:"
	find "$HBPF_BPFFS" -mindepth 1 | sort
	echo "hooks:"
	local dev
	for dev in $(on_host ls /proc/sys/net/ipv4/conf); do
		case $dev in all | default) continue ;; esac
		on_host tc qdisc show dev "$dev" | sed 's/ refcnt [0-9]*//'
		on_host tc filter show dev "$dev" ingress
		on_host tc filter show dev "$dev" egress
		in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list "$dev"
	done
	echo "neighbour and address tables of lo:"
	on_host ip addr show dev lo | grep -v valid_lft
}

# remember [NAME]: take a snapshot; unchanged [NAME]: the present one is the same
remember() {
	snapshot >"$BED/snapshot-${1:-before}"
}

unchanged() {
	same "$(<"$BED/snapshot-${1:-before}")" "$(snapshot)"
}

# sysctl_of KEY
sysctl_of() {
	on_host sysctl -n "net.ipv4.conf.$1"
}

# setting KEY VALUE: the setting has that value
setting() {
	local now
	now=$(sysctl_of "$1")
	[ "$now" = "$2" ] || fail "net.ipv4.conf.$1 is $now, expected $2"
}

# pin_dir BRIDGE
pin_dir() {
	echo "$HBPF_BPFFS/hbpf/$(on_host stat -Lc %i /proc/self/ns/net)/$1"
}

# shared_dir: that of the maps and programs of all bridges
shared_dir() {
	echo "$(pin_dir maps):"*
}

# counters_of BRIDGE: NAME PACKETS of all that are not zero
counters_of() {
	on_host "${PY[@]}" "$E2E/tools/bpf.py" counters "$(shared_dir)" "$1"
}

counters() {
	counters_of br-test
}

# counted REGEX [AT-LEAST]: the sum of the counters with matching names is 1, or AT-LEAST
counted() {
	local n
	n=$(counters | awk -v names="^($1)\$" '$1 ~ names { n += $2 } END { print n + 0 }')
	[ "$n" -ge "${2:-1}" ] || fail "counter $1 is $n, expected at least ${2:-1}" \
		"$(counters)"
}

# uncounted NAME...: these counters are zero
uncounted() {
	local name
	for name; do
		! counters | grep -q "^$name " || fail "counter $name should be 0" "$(counters)"
	done
}

# heard NAME TEXT: service NAME received TEXT; unheard NAME TEXT: it did not
heard() {
	grep -q -- "$2" "$BED/$1.log" || fail "$1 did not get '$2', only:" "$(<"$BED/$1.log")"
}

unheard() {
	! grep -q -- "$2" "$BED/$1.log" || fail "$1 got '$2':" "$(<"$BED/$1.log")"
}

# eventually COMMAND...: it succeeds within half a minute, which is long enough for a busy machine
eventually() {
	local end=$((SECONDS + 30))
	until "$@" 2>"$BED/eventually"; do
		[ $SECONDS -lt $end ] || fail "never came true: $*" "$(<"$BED/eventually")"
		sleep 0.02 # leaves the processor to what is tested
	done
}
