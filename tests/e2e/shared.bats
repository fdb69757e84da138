#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the bridges of a network namespace share, programs and maps, and what each has to itself
# (docs/DESIGN.md, "State").
load lib

# two_bridges: br-two and its client c2 beside br-test and c1
two_bridges() {
	make_bridge br-two 31
	make_client c2 2 br-two 31
	GW_TWO=172.31.0.1
}

# attach_two [OPTION]...
attach_two() {
	hb attach br-two --hook "$HOOK" "$@"
}

# ids BRIDGE: of its programs
ids() {
	on_host "${PY[@]}" "$E2E/tools/bpf.py" tcx-ids "$1"
}

entries() {
	tool bpf entries "$(shared_dir)/$1"
}

@test "the same port on two bridges: each its own service, and detaching one does not touch the other" {
	two_bridges
	serve one --tcp 127.0.0.1:8088 --udp 127.0.0.1:5300
	serve two --tcp 127.0.0.1:9000 --udp 127.0.0.1:5301
	attach --port 80:8088 --port 53:5300/udp --port 81:8089
	attach_two --port 80:9000 --port 53:5301/udp
	reaches one tcp "$GW:80"
	reaches one udp "$GW:53"
	NS=c2 reaches two tcp "$GW_TWO:80"
	NS=c2 reaches two udp "$GW_TWO:53"
	NS=c2 misses ECONNREFUSED tcp "$GW_TWO:81"

	counters >"$BED/before"
	hb ports list -b br-test --json >"$BED/ports"
	both=$(entries recent_udp)
	[ "$both" = 2 ] || fail "$both UDP flows"
	scene survives 127.0.0.1:8089 "$GW:81" "$HBPF" detach br-two
	same 1 "$(entries recent_udp)"
	counted IN_TRANSLATED "$(awk '$1 == "IN_TRANSLATED" { print $2 }' "$BED/before")"
	reaches one tcp "$GW:80"
	reaches one udp "$GW:53"
	NS=c2 misses ECONNREFUSED tcp "$GW_TWO:80"
	hb detach
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ] || fail "the last detach left a pin"
}

@test "a re-created bridge goes on with its ports and counters, another one gets none of them" {
	local before
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	reaches svc tcp "$GW:8088"
	before=$(counters | awk '$1 == "IN_TRANSLATED" { print $2 }')
	drop_client c1
	on_host ip link del br-test
	two_bridges
	attach_two --port 9000
	NS=c2 misses ECONNREFUSED tcp "$GW_TWO:8088"
	has_none "$(counters_of br-two)" IN_TRANSLATED
	make_bridge br-test 30
	make_client c1 2
	attach
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	counted IN_TRANSLATED $((before + 1))
	same 2 "$(entries bridges)"
}

# index BRIDGE
index() {
	in_ns host ip -json link show "$1" | jq '.[0].ifindex'
}

# near INDEX: which bridge is in the place that it has in bridges_near, 0 if none
near() {
	tool bpf dump "$(shared_dir)/bridges_near" |
		"${PY[@]}" -c 'import struct, sys
line = sys.stdin.read().splitlines()[int(sys.argv[1]) % 1024]
print(*struct.unpack_from("I", bytes.fromhex(line.split()[1]), 4))' "$1"
}

@test "a bridge whose place in bridges_near is another's: both are served, and the second gets it after the first" {
	local one two
	one=$(index br-test)
	two=$((one + 1024)) # HBPF_NEAR_BRIDGES
	on_host ip link add br-two index $two type bridge forward_delay 0
	on_host ip link set br-two up
	on_host ip addr add 172.31.0.1/24 dev br-two
	make_client c2 2 br-two 31
	serve one --tcp 127.0.0.1:8088
	serve two --tcp 127.0.0.1:9000
	attach --port 80:8088
	hb attach br-two --hook "$HOOK" --port 80:9000
	same "$one" "$(near "$one")"
	reaches one tcp "$GW:80"
	NS=c2 reaches two tcp 172.31.0.1:80
	hb detach br-test
	same 0 "$(near "$one")"
	NS=c2 reaches two tcp 172.31.0.1:80
	hb attach br-two
	same "$two" "$(near "$one")"
	NS=c2 reaches two tcp 172.31.0.1:80
}

@test "a bridge with a number beyond counters_near: it is counted, and goes on with that re-created" {
	local before
	serve svc --tcp 127.0.0.1:8088
	attach --port 8088
	# 64, of `number` in struct hbpf_config
	tool bpf write "$(pin_dir br-test)/bridge_config" 68 4000
	hb attach br-test
	same 1 "$(entries counters)"
	reaches svc tcp "$GW:8088"
	counted IN_TRANSLATED 3
	before=$(counters | awk '$1 == "IN_TRANSLATED" { print $2 }')
	exits 0 hb stats --json
	json ".bridges[0].counters | map(select(.reason == \"IN_TRANSLATED\").packets) >= [$before]"
	drop_client c1
	on_host ip link del br-test
	make_bridge br-test 30
	make_client c1 2
	attach
	reaches svc tcp "$GW:8088"
	counted IN_TRANSLATED $((before + 1))
	same 1 "$(entries counters)"
	hb detach
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ] || fail "the last detach left a pin"
}

@test "an attach killed before its state was complete: the next bridge inherits nothing" {
	local n
	two_bridges
	remember
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	on_host strace -f -o "$BED/strace" -e trace=bpf "$HBPF" attach br-test --hook "$HOOK" \
		--port 8088
	hb detach
	n=$(grep -n 'BPF_OBJ_PIN.*br-test/bridge_config' "$BED/strace" | cut -d: -f1)
	on_host strace -f -o "$BED/strace" -e trace=bpf -e inject=bpf:signal=KILL:when="$n" \
		"$HBPF" attach br-test --hook "$HOOK" --port 8088 || true
	[ -e "$(shared_dir)/exports" ] || fail "it was killed too early"
	[ ! -e "$(pin_dir br-test)/bridge_config" ] || fail "it was killed too late"
	attach_two --port 9000
	NS=c2 reaches svc tcp "$GW_TWO:9000"
	NS=c2 misses ECONNREFUSED tcp "$GW_TWO:8088"
	exits 1 hb status br-test
	reports 'br-test is incomplete'
	attach --port 8088
	reaches svc tcp "$GW:8088"
	NS=c2 reaches svc tcp "$GW_TWO:9000"
	hb detach --all
	unchanged
}

@test "programs of another build: attaching one bridge exchanges them on all, connections go on" {
	local old new
	need_tcx
	two_bridges
	hb attach br-test --port 8088
	hb attach br-two --port 9000
	old=$(ids br-test)
	same "$old" "$(ids br-two)"
	hb attach br-two
	same "$old" "$(ids br-two)"
	rm "$(shared_dir)/build"
	ln -s 0123456789abcdef "$(shared_dir)/build"
	scene survives 127.0.0.1:8088 "$GW:8088" "$HBPF" attach br-two
	new=$(ids br-test)
	same "$new" "$(ids br-two)"
	! grep -Fxf <(echo "$old") <<<"$new" || fail "br-test still has old programs"
	exits 0 hb status
	hb attach br-test
	same "$new" "$(ids br-test)"
}

# attach_two_traced [STRACE OPTION]...: as another build would
attach_two_traced() {
	rm -f "$(shared_dir)/build"
	on_host strace -f -o "$BED/strace" -e trace=bpf "$@" "$HBPF" attach br-two || true
}

@test "an attach killed while it exchanged the programs of all: the next one completes it" {
	local n
	need_tcx
	two_bridges
	hb attach br-test --port 8088
	hb attach br-two --port 9000
	attach_two_traced
	# two of br-two, then br-test's
	n=$(grep -n BPF_LINK_UPDATE "$BED/strace" | sed -n '3s/:.*//p')
	attach_two_traced -e inject=bpf:signal=KILL:when="$n"
	[ "$(ids br-two)" != "$(ids br-test)" ] || fail "it was not killed in between"
	hb attach br-two
	same "$(ids br-two)" "$(ids br-test)"
}

@test "NAT bypass that only a later bridge needs: the programs of both get it, as far as each wants it" {
	need_tcx
	need_nat_bypass
	two_bridges
	serve svc --tcp 127.0.0.1:8088
	serve other --tcp 127.0.0.1:9999
	on_host iptables -t nat -A PREROUTING -i lo -p tcp --dport 8088 -j REDIRECT --to-ports 9999
	hb attach br-test --port 8088 --nat-bypass off
	reaches other tcp "$GW:8088"
	hb attach br-two --port 8088
	NS=c2 reaches svc tcp "$GW_TWO:8088"
	same "$(ids br-two)" "$(ids br-test)"
	reaches other tcp "$GW:8088"
	hb attach br-test --nat-bypass auto
	reaches svc tcp "$GW:8088"
	same "$(ids br-two)" "$(ids br-test)"
}

@test "a map whose pin was removed: commands use the one of the programs, attach pins it again" {
	two_bridges
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 8088
	attach_two --port 9000
	rm "$(shared_dir)/exports" "$(shared_dir)/flows"
	exits 0 hb status
	hb ports add 9000 -b br-test
	reaches svc tcp "$GW:9000"
	attach_two
	[ -e "$(shared_dir)/exports" ] && [ -e "$(shared_dir)/flows" ]
	NS=c2 reaches svc tcp "$GW_TWO:9000"
}

@test "a map that is missing, and no program to take it from: another bridge is refused, detach removes all" {
	two_bridges
	serve svc --tcp 127.0.0.1:8088
	remember
	attach --port 8088
	rm "$(shared_dir)/exports" "$(shared_dir)/ingress"
	exits 1 hb attach br-two --hook "$HOOK" --port 9000
	says 'incomplete: exports is missing' 'hbpf detach --all'
	exits 1 hb status
	reports 'br-test is incomplete: .*/exports'
	reaches svc tcp "$GW:8088"
	hb detach --all
	unchanged
	attach_two --port 9000
	hb detach --all
}

@test "detach killed before the bridge's own state goes: who has its slot by now is left alone" {
	local index
	attach --port 8088
	index=$(on_host ip -o link show br-test | cut -d : -f 1)
	on_host strace -f -o "$BED/strace" -e trace=unlinkat -e inject=unlinkat:signal=KILL:when=1 \
		"$HBPF" detach br-test || true
	[ -e "$(pin_dir br-test)/bridge_config" ] || fail "it was killed too late"
	# the search for a free slot begins with the index
	on_host ip link add br-two index $((index + 65535)) type bridge
	on_host ip addr add 172.31.0.1/24 dev br-two
	on_host ip link set br-two up
	attach_two --port 9000
	hb detach br-test
	exits 0 hb ports list -b br-two
	prints '9000/tcp'
	exits 0 hb status br-two
}

@test "a re-created bridge: an error after its settings are applied does not leave it without guard" {
	local nth
	recreate() {
		on_host ip link del br-test
		on_host ip link add br-test type bridge
		on_host ip addr add "172.$1.0.1/24" dev br-test
		on_host ip link set br-test up
	}
	attach --port 8088
	recreate 31
	on_host strace -f -o "$BED/strace" -e trace=bpf,openat,write "$HBPF" attach br-test
	# the first call of bpf(2) after route_localnet of the bridge was written
	nth=$(awk '/^[0-9]+ +bpf\(/ { n++ } /br-test\/route_localnet.*O_(WRONLY|RDWR)/ { at = n }
		END { print at + 1 }' "$BED/strace")
	recreate 41
	on_host strace -f -o "$BED/strace" -e trace=bpf -e inject=bpf:error=ENOMEM:when="$nth" \
		"$HBPF" attach br-test 2>"$BED/errors" || true
	grep -q INJECTED "$BED/strace" || fail "no error was injected"
	same 2 "$(on_host sysctl -n net.ipv4.conf.br-test.route_localnet)"
	hb status br-test >"$BED/status" || true
	! grep -q EXPOSED "$BED/status" || fail "$(cat "$BED/status")"
	grep -q 'go on' "$BED/errors"
}

@test "a bridge that was deleted keeps lo's old values: they are found after an unmount, too" {
	need_tcx
	two_bridges
	remember
	attach_two --port 9000
	on_host ip link del br-two
	attach --port 8088
	hb detach br-test
	attach --port 8088
	rm -r "$HBPF_BPFFS/hbpf"
	hb detach br-test
	for setting in lo.route_localnet lo.rp_filter br-test.route_localnet; do
		same 0 "$(on_host sysctl -n "net.ipv4.conf.$setting")"
	done
}

@test "a pinned program that is missing, or something else under its name: attach loads it again" {
	local pin
	need_tcx
	two_bridges
	serve svc --tcp 127.0.0.1:8088
	hb attach br-test --port 8088
	for pin in ingress egress backstop; do
		rm "$(shared_dir)/$pin"
		[ $pin != egress ] || ln "$(shared_dir)/exports" "$(shared_dir)/egress"
		hb attach br-two --port 8088
		NS=c2 reaches svc tcp "$GW_TWO:8088"
		same "$(ids br-test)" "$(ids br-two)"
		same 3 "$(ids br-two | wc -l)"
		hb detach br-two
	done
	reaches svc tcp "$GW:8088"
}
