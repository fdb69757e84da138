#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Pinned maps that are not what hbpf left there. Every command refuses them and names the map,
# nothing is half done, and detach restores the host.
load lib

# foreign PIN TYPE KEY VALUE ENTRIES [FLAGS]: replaces the pinned map by one with that schema
foreign() {
	rm "$1"
	bpftool map create "$1" type "$2" key "$3" value "$4" entries "$5" name foreign \
		flags "${6:-0}"
}

# put PIN KEY VALUE: bytes in hex
put() {
	# shellcheck disable=SC2086 # several words
	bpftool map update id "$(tool bpf map-id "$1")" key hex $2 value hex $3
}

# every_command_reports REGEX...: every command that reads pinned maps prints it
every_command_reports() {
	local command
	for command in status "status --json" ports "ports list --json" "ports add 9000" \
		"ports del 8088" "ports set 9000" "attach br-test --port 9000"; do
		# shellcheck disable=SC2086 # several words
		exits 1 hb $command
		reports "$@" 'hbpf detach (br-test|--all)'
		if [[ $command == *--json ]]; then json '.bridges[0].problem != null'; fi
	done
}

detach_restores() {
	exits 0 hb detach br-test
	setting br-test.route_localnet 0
	setting lo.route_localnet 0
	setting lo.rp_filter 0
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ] || fail "something is still pinned"
}

@test "a map with another schema under any name: the error names it, and detach restores everything" {
	remember
	for map in br-test/bridge_config maps:N/{bridges,exports,reverse,gateways,sources,flows} \
		maps:N/{recent_tcp,recent_udp,connections,fragments,counters,port_stats,monitors,events} \
		maps:N/{bridges,counters}_near; do
		attach --port 8088
		map=${map/maps:N/$(basename "$(shared_dir)")}
		foreign "$(pin_dir "$map")" hash 12 4096 16
		for command in status "ports add 9000" "attach br-test --port 9000"; do
			# shellcheck disable=SC2086 # several words
			exits 1 hb $command
			reports "/$map is not the map" 'its type is 1,|its key size is 12,' \
				'hbpf detach (br-test|--all)'
		done
		detach_restores
	done
	unchanged
	attach --port 8088
	exits 0 hb status
	prints '8088/tcp'
}

@test "a map with another schema: the commands that fail change nothing" {
	attach --port 8088
	foreign "$(shared_dir)/counters" array 4 4096 4
	remember
	every_command_reports '/counters is not the map'
	unchanged
}

names_attribute() {
	exits 1 hb status
	prints "fragments is not the map.* $1"
}

@test "each attribute of a map is checked, and named in the error" {
	attach --port 8088
	pin=$(shared_dir)/fragments
	foreign "$pin" lru_hash 40 24 4096
	exits 0 hb status # control: with hbpf's own attributes it is accepted
	foreign "$pin" hash 40 24 4096
	names_attribute 'its type is 1, not 9'
	foreign "$pin" lru_hash 36 24 4096
	names_attribute 'its key size is 36, not 40'
	foreign "$pin" lru_hash 40 32 4096
	names_attribute 'its value size is 32, not 24'
	foreign "$pin" lru_hash 40 24 4097
	names_attribute 'its number of entries is 4097, not 4096'
	foreign "$pin" lru_hash 40 24 4096 2
	names_attribute 'its set of flags is 2, not 0'
	detach_restores
}

@test "a program pinned under a map's name is reported, and detach removes it" {
	attach --port 8088
	pins=$(shared_dir)
	mkdir "$BED/bpf/witness"
	tool bpf witness "$BED/bpf/witness"
	rm "$pins/counters"
	mv "$BED/bpf/witness/program" "$pins/counters"
	rm -r "$BED/bpf/witness"
	every_command_reports '/counters is not the map'
	detach_restores
}

@test "an option that hbpf never writes: reported, refused, removed by detach" {
	attach --port 8088
	at=$((4 + 4 + 8 + 16 + 16 + 4 + 4 + 2 + 3)) # of the hook in struct hbpf_config
	tool bpf write "$(pin_dir br-test)/bridge_config" $at 01
	exits 0 hb status
	tool bpf write "$(pin_dir br-test)/bridge_config" $at 4d
	every_command_reports '/br-test/bridge_config holds a value that hbpf .* never writes'
	detach_restores
}

@test "flows and counters depend on clients: no entry there stops a command" {
	local slot
	attach --port 8088
	pins=$(shared_dir)
	ff() { printf 'ff %.0s' $(seq "$1"); }
	slot=$(tool bpf dump "$(pin_dir br-test)/bridge_config") # HEX behind the index
	slot=${slot:2 + 2 * (88 - 16 - 2):4}                     # of `slot` in struct hbpf_config
	# br-test's, and those of a bridge that does not exist
	for slot in "${slot:0:2} ${slot:2:2}" 'fe ff'; do
		put "$pins/flows" "$(ff 38) $slot" "$(ff 24)"
		put "$pins/recent_tcp" "$(ff 18) $slot $(ff 4)" "$(ff 32)"
		put "$pins/recent_udp" "$(ff 18) $slot $(ff 4)" "$(ff 32)"
		put "$pins/fragments" "$(ff 38) $slot" "$(ff 24)"
		put "$pins/reverse" "$(ff 20) $slot $(ff 2)" "$(ff 24)"
	done
	exits 0 hb status
	exits 0 hb ports add 9000
	exits 0 hb ports del 8088
	prints '8088/tcp is closed'
	[ "$(tool bpf entries "$pins/reverse")" = 3 ] || fail "a reverse entry of no port is still there"
	exits 0 hb attach br-test
	exits 0 hb detach
}

@test "a foreign map of one bridge: ports and status still show the other bridge, and exit 1" {
	make_bridge br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000
	foreign "$(pin_dir br-test)/bridge_config" hash 4 4096 4
	for command in ports status; do
		exits 1 hb $command
		prints '9000/tcp'
		reports '/br-test/bridge_config is not the map'
	done
	exits 0 hb detach br-test
	exits 0 hb status
	exits 0 hb detach --all
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "a foreign map that all bridges use: reported for each, and detach --all removes it" {
	make_bridge br-two 31
	attach --port 8088
	hb attach br-two --hook "$HOOK" --port 9000
	foreign "$(shared_dir)/port_stats" array 4 4096 4
	for command in ports status; do
		exits 1 hb $command --json
		json '[.bridges[].problem | test("/port_stats is not the map")] == [true, true]'
	done
	exits 0 hb detach --all
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "old settings lost: reported, attach refuses, detach sets those of a new interface" {
	for key in all default lo; do on_host sysctl -qw net.ipv4.conf.$key.rp_filter=1; done
	on_host sysctl -qw net.ipv4.conf.br-test.rp_filter=1
	remember
	for lost in br-test lo; do
		attach --port 8088
		setting lo.rp_filter 2
		foreign "$(pin_dir $lost)/settings" array 4 4096 8
		remember attached
		exits 1 hb status
		prints "/$lost/settings is not the map" 'hbpf detach --all'
		exits 1 hb attach br-test --port 9000
		says "/$lost/settings is not the map" 'hbpf detach --all'
		unchanged attached
		exits 0 hb ports add 9000
		exits 0 hb detach
		says "old settings of br-test are lost: .*/$lost/settings is not the map"
		prints 'default of a new interface'
		unchanged
	done
}

@test "old settings lost: what another program changed since stays" {
	attach --port 8088
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=0
	on_host sysctl -qw net.ipv4.conf.default.rp_filter=1
	foreign "$(pin_dir lo)/settings" array 4 4096 8
	exits 0 hb detach
	prints 'lo.rp_filter stays 0' 'lo.route_localnet is now 0, the default of a new interface'
	setting lo.rp_filter 0
	setting lo.route_localnet 0
}

@test "old settings lost with clsact: detach removes the filters, not the qdisc, which may be another's" {
	attach --hook clsact --port 8088
	foreign "$(pin_dir br-test)/settings" array 4 4096 8
	exits 0 hb detach
	setting br-test.route_localnet 0
	[ -z "$(on_host tc filter show dev br-test ingress)$(on_host tc filter show dev br-test egress)" ]
	on_host tc qdisc show dev br-test | grep -q clsact
	[ -z "$(find "$HBPF_BPFFS" -path '*hbpf*')" ]
}

@test "leftovers with foreign maps only: attach removes them" {
	serve svc --tcp 127.0.0.1:8088
	remember
	attach --port 8088
	rm "$(pin_dir br-test)/bridge_config"
	foreign "$(pin_dir br-test)/settings" array 4 4096 8
	foreign "$(shared_dir)/exports" array 4 4096 8
	attach --port 8088
	reaches svc tcp "$GW:8088"
	hb detach
	unchanged
}

@test "an exposed bridge is reported even where its state cannot be read" {
	need_tcx
	hb attach br-test --hook tcx --port 8088
	foreign "$(shared_dir)/counters" array 4 4096 8
	exits 1 hb status
	lacks EXPOSED
	rm "$(pin_dir br-test)"/link_*
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" backstop-detach br-test
	eventually no_program_on_bridge
	exits 1 hb status
	prints EXPOSED 'counters is not the map'
	hb detach
	setting br-test.route_localnet 0
}

no_program_on_bridge() {
	[ -z "$(in_ns host "${PY[@]}" "$E2E/tools/bpf.py" tcx-list br-test)" ]
}
