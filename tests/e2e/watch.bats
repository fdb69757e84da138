#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf watch keeps the host as the configuration declares it.

# Each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031
load lib
load watch

# --- bridges that are created, deleted and changed

# bats test_tags=hook
@test "an existing bridge is attached immediately" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:8080 --udp 127.0.0.1:5300
	declare_conf <<-EOF
		[br-test]
		ports = 8088, 80:8080, 5300/udp
	EOF
	misses ECONNREFUSED tcp "$GW:8088"
	watch
	eventually reaches svc tcp "$GW:8088"
	reaches svc tcp "$GW:80"
	reaches svc udp "$GW:5300"
	misses ECONNREFUSED tcp "$GW:9000"
}

# bats test_tags=hook
@test "a bridge created later is attached when it appears" {
	serve svc --tcp 127.0.0.1:8088
	declare_conf <<-EOF
		[br-late]
		ports = 8088
	EOF
	watch
	eventually logged 'br-late .*no such bridge yet'
	make_bridge br-late 31
	make_client c2 2 br-late 31
	NS=c2 eventually reaches svc tcp 172.31.0.1:8088
	misses ECONNREFUSED tcp "$GW:8088"
}

@test "a section may use an alternative name of the bridge" {
	serve svc --tcp 127.0.0.1:8088
	declare_conf <<-EOF
		[a-name-longer-than-an-interface-may-have]
		ports = 8088
	EOF
	watch
	not_attached br-test
	on_host ip link property add dev br-test altname a-name-longer-than-an-interface-may-have
	eventually live
	reaches svc tcp "$GW:8088"
	end_watch
}

# bats test_tags=hook
@test "a re-created bridge is attached again" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	on_host ip link del br-test
	eventually not_attached br-test
	setting lo.route_localnet 0
	make_bridge br-test 30
	on_host ip link set veth-c1 master br-test
	eventually reaches svc tcp "$GW:8088"
}

@test "route_localnet that an engine sets later is noticed immediately, and left alone" {
	on_host sysctl -qw net.bridge.bridge-nf-call-iptables=1
	declare_br_test
	watch
	eventually setting br-test.route_localnet 2
	eventually status_is '.guard.state == "on"'
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=1
	eventually status_is '.guard.state == "off"'
	setting br-test.route_localnet 1
	hb detach br-test
	setting br-test.route_localnet 1
}

@test "added and removed addresses of the bridge and of docker0 are followed" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	on_host ip addr add 172.30.0.9/24 dev br-test
	eventually reaches svc tcp 172.30.0.9:8088
	make_docker0
	eventually reaches svc tcp "$DOCKER0:8088"
	on_host ip addr del 172.30.0.9/24 dev br-test
	on_host ip link del docker0
	eventually status_is '[.gateways[].address] | sort == ["172.30.0.1", "fd00:30::1"]'
	reaches svc tcp "$GW:8088"
}

@test "another network on the bridge's link: its clients are served" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	on_host ip addr add 10.77.0.1/24 dev br-test
	in_ns c1 ip addr add 10.77.0.2/24 dev eth0
	eventually reaches svc tcp 10.77.0.1:8088
}

# --- repairs

# bats test_tags=hook
@test "removed programs, pins and settings are repaired" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"

	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	eventually setting br-test.route_localnet 2
	on_host sysctl -qw net.ipv4.conf.lo.route_localnet=0
	eventually setting lo.route_localnet 1
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	eventually setting lo.rp_filter 2
	eventually reaches svc tcp "$GW:8088"

	if [ "$HOOK" = tcx ]; then
		rm "$(pin_dir br-test)/link_ingress"
	else
		on_host tc qdisc del dev br-test clsact
	fi
	eventually logged 'br-test: repaired' 4
	live
	reaches svc tcp "$GW:8088"

	rm -r "$(pin_dir br-test)"
	eventually logged 'br-test: attached' 2
	live
	reaches svc tcp "$GW:8088"
}

@test "ports added manually are closed, and ports removed manually are opened again" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	exits 0 hb ports set 9000
	says 'br-test is managed by .hbpf watch'
	eventually logged 'br-test: ports changed'
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	exits 0 hb detach br-test
	says 'br-test is managed by .hbpf watch'
	eventually reaches svc tcp "$GW:8088"
	status_is '.owner == "file"'
}

@test "what is reverted repeatedly is repaired with growing pauses" {
	declare_br_test
	watch
	eventually setting br-test.route_localnet 2
	for i in 1 2 3 4 5 6; do
		on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
		eventually logged 'br-test: repaired' "$i"
		setting br-test.route_localnet 2
	done
	# but later each time
	for pause in 1 2; do
		eventually logged "reverted repeatedly; next repair in $pause s"
		on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
		eventually setting br-test.route_localnet 2
	done
	eventually logged 'next repair in 4 s'
}

# bats test_tags=hook
@test "a NAT rule added later turns the NAT bypass on" {
	need_nat_bypass
	declare_br_test
	watch
	eventually live
	status_is '.nat_bypass.state == "off"' || skip "NAT bypass is unavailable"
	on_host nft -f - <<-EOF
		table ip mine {
			chain pre { type nat hook prerouting priority -100; }
		}
	EOF
	eventually status_is '.nat_bypass.state == "on"'
	on_host nft delete table ip mine
	eventually status_is '.nat_bypass.state == "off"'
}

# --- the configuration

@test "SIGHUP: removed ports close, added ports open, and the others are not interrupted" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:8089 --tcp 127.0.0.1:9000
	declare_conf <<-EOF
		[br-test]
		ports = 8088, 8089
	EOF
	watch
	eventually reaches svc tcp "$GW:8089"
	steady "$GW:8088"
	declare_conf <<-EOF
		[br-test]
		ports = 8088, 9000
	EOF
	misses ECONNREFUSED tcp "$GW:9000"
	reload
	reaches svc tcp "$GW:9000"
	misses ECONNREFUSED tcp "$GW:8089"
	goes_on
}

# bats test_tags=hook
@test "the bridge of a removed section is detached, and a manually attached one stays" {
	make_bridge br-two 31
	make_bridge br-hand 32
	remember
	hb attach br-hand --hook "$HOOK" --port 9000
	remember hand
	declare_conf <<-EOF
		[br-test]
		ports = 8088
		[br-two]
		ports = 8088
	EOF
	watch
	eventually live br-two
	live
	declare_conf <<-EOF
		[br-two]
		ports = 8088
	EOF
	reload
	not_attached br-test
	live br-two
	declare_conf </dev/null
	reload
	not_attached br-two
	live br-hand
	unchanged hand
	end_watch
	hb detach br-hand
	unchanged
}

@test "a section for a manually attached bridge takes it over, and its removal detaches it" {
	serve svc --tcp 127.0.0.1:8088 --tcp 127.0.0.1:9000
	attach --port 9000
	declare_br_test
	watch
	eventually logged 'br-test: taken over from .hbpf attach'
	reaches svc tcp "$GW:8088"
	misses ECONNREFUSED tcp "$GW:9000"
	declare_conf </dev/null
	reload
	not_attached br-test
}

@test "an invalid configuration is logged with file and line, and the old state stays" {
	serve svc --tcp 127.0.0.1:8088
	declare_br_test
	watch
	eventually reaches svc tcp "$GW:8088"
	steady "$GW:8088"
	remember
	printf '[br-test]\nports = 9000\n[br-tw' >"$BED/hbpf.conf" # half written
	kill -HUP "$WATCH"
	eventually logged 'hbpf.conf:3: .*\[br-tw'
	eventually logged 'not reloaded.*previous one stays in effect'
	printf '[br-test]\nports =' >"$BED/hbpf.conf"
	kill -HUP "$WATCH"
	eventually logged 'hbpf.conf:2: ports has no value'
	: >"$BED/other"
	rm "$BED/hbpf.conf"
	kill -HUP "$WATCH"
	eventually logged 'hbpf.conf: cannot be opened'
	# the last valid one is still in effect
	unchanged
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	eventually setting br-test.route_localnet 2
	goes_on
	declare_conf <<-EOF
		[br-test]
		ports = 9000
	EOF
	reload
	misses ECONNREFUSED tcp "$GW:8088"
}

@test "an invalid configuration at startup: nothing is done, exit 1" {
	attach --port 8088
	remember
	printf 'ports = 1\n[br-test]\nports = http\n' >"$BED/hbpf.conf"
	chmod 644 "$BED/hbpf.conf"
	exits 1 hb watch -c "$BED/hbpf.conf"
	says 'hbpf.conf:1: .*before any section' 'hbpf.conf:3: port must be' '^ *http'
	exits 1 hb watch -c "$BED/nowhere"
	says 'nowhere: cannot be opened: No such file' 'check the name; hbpf.conf\(5\)'
	unchanged
}

@test "--check prints every error with file and line, and changes nothing" {
	remember
	declare_conf <<-EOF
		labels = yes
		[br-test]
		ports = 8088, 80:8080, 53/udp
	EOF
	exits 0 hb watch --check "$BED/hbpf.conf"
	prints 'valid' '1 section'
	exits 0 hb watch -c "$BED/hbpf.conf" --check
	cat >"$BED/hbpf.conf" <<-EOF
		colour = red
		[br-test]
		ports = 8088, 0, 8088/udq
		gateway = 127.0.0.1
		from = 10.0.0.1/8
		pin = maybe
		[br-test]
		[br two]
		[br-three]
		port = 1
		labels = yes
	EOF
	exits 1 hb watch --check "$BED/hbpf.conf"
	says 'conf:1: .*colour' 'conf:3: port 0' 'conf:3: unknown protocol' 'udq' 'conf:4: .*loopback' \
		'conf:5: .*host bits' 'did you mean 10.0.0.0/8' 'conf:6: .*maybe' 'conf:7: .*already declared' \
		'conf:8: .*br two' 'conf:9: .*no ports' 'conf:10: .*port' 'did you mean ports' \
		'conf:11: .*labels'
	unchanged
	exits 2 hb watch "$BED/hbpf.conf"
	says "-c"
	exits 2 hb watch --check "$BED/hbpf.conf" -c "$BED/hbpf.conf"
}

@test "a configuration that other users can write is refused" {
	declare_br_test
	exits 0 hb watch --check "$BED/hbpf.conf"
	chmod 646 "$BED/hbpf.conf"
	exits 1 hb watch --check "$BED/hbpf.conf"
	says 'hbpf.conf: only root may have write access' 'chmod'
	# root's group, too: in a file with an ACL these bits limit what other users may do
	chmod 664 "$BED/hbpf.conf"
	exits 1 hb watch --check "$BED/hbpf.conf"
	says 'hbpf.conf: only root may have write access' 'chmod go-w'
	chmod 644 "$BED/hbpf.conf"
	chown 1 "$BED/hbpf.conf"
	exits 1 hb watch -c "$BED/hbpf.conf"
	says 'hbpf.conf: only root may have write access'
}

@test "without -c it reads /etc/hbpf.conf and /etc/hbpf.conf.d/*.conf" {
	mkdir "$BED/etc" "$BED/up" "$BED/work"
	mount -t overlay -o "lowerdir=/etc,upperdir=$BED/up,workdir=$BED/work" overlay /etc ||
		skip "no overlay can be mounted over /etc"
	rm -rf /etc/hbpf.conf /etc/hbpf.conf.d
	exits 1 hb watch --check
	says 'hbpf.conf: no such file, and no'
	mkdir /etc/hbpf.conf.d
	printf '[br-test]\nports = 8088\n' >/etc/hbpf.conf
	printf '[br-two]\nports = 8088\n' >/etc/hbpf.conf.d/two.conf
	printf '[br-three]\nports = zero\n' >/etc/hbpf.conf.d/three.conf~
	exits 0 hb watch --check
	prints '2 sections'
	printf '[br-test]\nports = 9000\n' >/etc/hbpf.conf.d/zzz.conf
	exits 1 hb watch --check
	says 'zzz.conf:1: .*already declared at /etc/hbpf.conf:1'
	printf 'labels = no\n' >/etc/hbpf.conf
	printf '\nlabels = yes\n' >/etc/hbpf.conf.d/zzz.conf
	exits 1 hb watch --check
	says 'zzz.conf:2: labels is already set at /etc/hbpf.conf:1'
	# no other user may create files there, even if these have to be root's
	chmod 1777 /etc/hbpf.conf.d
	exits 1 hb watch --check
	says '/etc/hbpf.conf.d: only root may have write access' 'chmod go-w /etc/hbpf.conf.d'
	# an unreadable file is not an empty one
	rm -r /etc/hbpf.conf.d
	exits 0 hb watch --check
	touch /etc/hbpf.conf.d
	exits 1 hb watch --check
	says '/etc/hbpf.conf.d: cannot be opened: Not a directory' '\*\.conf'
	rm /etc/hbpf.conf
	exits 1 hb watch --check
	says '/etc/hbpf.conf.d: cannot be opened'
	umount /etc
}
