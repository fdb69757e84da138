#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf doctor names each fault, and the command that it prints, or what its text says, repairs it. Every
# finding has its fault here, in doctor_netfilter.bats or doctor_probe.bats, but for lan (tests/unit) and
# unknown; a healthy host has none. `internal` with a real Docker is in tests/engines.
# shellcheck disable=SC2154 # diagnosed sets text and command
load lib
load doctor

@test "a healthy bridge: no finding, exit 0, and the command changes nothing" {
	remember
	healthy
	exits 0 hb doctor
	prints '^  ok +services +python3' '^nothing is wrong$'
	lacks '^  (warning|broken)'
	unchanged
	exits 0 hb doctor br-test --port 8088
	exits 2 hb doctor --port 0
	says "'?0'?"
	exits 1 hb doctor br-none
	says 'br-none: not attached'
}

@test "state: not attached, deleted, unreadable, lost" {
	hb detach
	diagnosed not-attached br-test
	cured br-test
	hb ports add 8088
	healthy
	on_host ip link del br-test
	exits 0 hb doctor --json
	json '[.bridges[].steps[].findings[].finding] == ["deleted"]'
	make_bridge br-test 30
	on_host ip link set veth-c1 master br-test
	diagnosed dead
	cured
	healthy
	rm "$(pin_dir br-test)"/bridge_config
	diagnosed unreadable
	has "$text" "bridge_config is missing"
	rm -r "$(pin_dir br-test)"
	diagnosed lost br-test
	cured br-test
}

@test "hooks: programs removed, another one before them, no backstop, exposed" {
	[ "$HOOK" = tcx ] || skip "all of them are on tcx"
	local pins other="$HBPF_BPFFS/other"
	pins=$(pin_dir br-test)
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" link-detach "$pins/link_egress"
	diagnosed dead
	cured
	healthy
	on_host "${PY[@]}" "$E2E/tools/bpf.py" backstop-detach br-test
	diagnosed backstop
	cured
	healthy
	mkdir "$other"
	on_host "${PY[@]}" "$E2E/tools/bpf.py" witness "$other"
	on_host "${PY[@]}" "$E2E/tools/bpf.py" tcx-attach "$other" br-test ingress before
	diagnosed order
	has "$text" 'runs before hbpf on ingress'
	cured
	healthy
	on_host "${PY[@]}" "$E2E/tools/bpf.py" backstop-detach br-test
	in_ns host "${PY[@]}" "$E2E/tools/bpf.py" link-detach "$pins/link_ingress"
	diagnosed "exposed dead"
	cured
	healthy
}

@test "bridge: down, a port that does not forward, a physical interface" {
	on_host ip link set br-test down
	diagnosed down
	cured
	on_host ip -6 addr replace fd00:30::1/64 dev br-test nodad
	eventually healthy
	on_host bridge link set dev veth-c1 state 1
	diagnosed port-state
	has "$text" 'veth-c1 is not forwarding'
	cured
	healthy
	on_host ip link set veth-c1 down
	on_host ip link set br-test type bridge stp_state 1 forward_delay 3000
	on_host ip link set veth-c1 up
	diagnosed port-state
	[[ $command == *stp_state\ 0* ]] || fail "not '$command'"
	cured
	eventually healthy
	on_host ip tuntap add tap0 mode tap
	on_host ip link set tap0 master br-test
	healthy # a virtual one
}

@test "gateways and clients: no address, changed, advertised, foreign, and no client" {
	on_host ip addr add 172.30.9.1/24 dev br-test
	diagnosed addresses
	cured
	healthy
	on_host ip addr add 2001:db8:5::1/64 dev br-test nodad valid_lft 900 preferred_lft 900
	diagnosed advertised
	attach --gateway 2001:db8:5::1 --from onlink --from 2001:db8:5::/64
	healthy
	on_host ip addr del 2001:db8:5::1/64 dev br-test
	attach --gateway 192.0.2.77 --from onlink
	diagnosed foreign-gateway
	attach --gateway "$GW" --from 10.9.9.9
	diagnosed route
	attach --from onlink
	on_host ip addr flush dev br-test
	attach
	exits 1 hb doctor --json
	json '[.bridges[].steps[].findings[].finding] | index("clients") != null'
	address_host br-test 30
	attach
	healthy
}

@test "clients: a /32 bridge without a route has no IPv4 client" {
	on_host ip addr del 172.30.0.1/24 dev br-test
	on_host ip addr del 172.30.0.1/24 dev br-test 2>/dev/null || true
	on_host ip addr add 172.30.0.1/32 dev br-test
	attach
	diagnosed family
	on_host ip route add "$C1" dev br-test
	attach
	healthy
	on_host ip addr flush dev br-test
	attach
	hb detach
	attach --port 8088
	diagnosed gateway
	address_host br-test 30
	diagnosed gateway
	cured
	healthy
}

@test "bridge: VLAN filtering that separates a port from the gateway" {
	on_host ip link set br-test type bridge vlan_filtering 1 || skip "no VLAN filtering"
	reaches svc tcp "$GW:8088"
	healthy --no-probe
	on_host bridge vlan add dev veth-c1 vid 20 pvid untagged
	misses TIMEOUT tcp "$GW:8088"
	diagnosed vlan
	has "$text" 'veth-c1 and br-test itself'
	cured
	reaches svc tcp "$GW:8088"
	on_host bridge vlan del dev br-test vid 1 self
	misses TIMEOUT tcp "$GW:8088"
	diagnosed vlan --no-probe
	cured --no-probe
	reaches svc tcp "$GW:8088"
}

@test "clients: an address on the link that no network covers; an internal network" {
	on_host ip route add 10.9.0.0/24 via "$C1"
	in_ns c1 ip addr add 10.9.0.2/32 dev lo
	in_ns c1 ip route add "$GW" dev eth0 src 10.9.0.2
	in_ns c1 ip neigh flush dev eth0
	misses ECONNREFUSED tcp "$GW:8088"
	diagnosed uncovered
	has "$text" '10\.9\.0\.2 is on the link'
	cured
	reaches svc tcp "$GW:8088"
	healthy
	attach --from 172.30.0.0/24 # a restriction, not an omission
	healthy
	make_docker0
	attach --from onlink
	on_host ip neigh flush dev br-test
	docker_networks true
	diagnosed internal
	has "$text" "dial $GW"
	docker_networks false
	healthy
}

# docker_networks INTERNAL: a Docker whose network test-net is br-test
docker_networks() {
	printf '[{"Name": "test-net", "Id": "%064d", "Driver": "bridge", "Internal": %s, "Options":
		{"com.docker.network.bridge.name": "br-test"}}]' 1 "$1" >"$BED/networks"
	[ -S /var/run/docker.sock ] || tool engine /var/run/docker.sock docker "$BED/networks"
}

# systemd_start UNIT: boots a real systemd, of this host's /usr, with that unit alone. It shares the bed's
# network, and in_systemd COMMAND... runs there.
systemd_start() {
	local root=$BED/systemd dir group
	mkdir -p "$root"/{dev,etc/systemd/system,proc,run,sys,tmp,usr,var}
	for dir in bin sbin lib lib32 lib64 libx32; do
		[ ! -L "/$dir" ] || ln -s "$(readlink "/$dir")" "$root/$dir"
	done
	cp /usr/lib/os-release "$root/etc/"
	cat >"$root/etc/systemd/system/$1"
	group=$(mktemp -d "$(findmnt -no TARGET -t cgroup2 | tail -n 1)/hbpf-systemd.XXXXXX")
	# Its cgroups are the machine's. bats ends when descriptor 3 is closed, so not before they are removed.
	{
		# shellcheck disable=SC2016 # for the shell inside
		SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 on_host unshare --mount bash -c '
			echo $$ | tee "$0/cgroup.procs" >>"$BED/pids"
			umount --recursive --lazy /sys/fs/cgroup
			mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec systemd-nspawn "$@"' "$group" \
			--quiet --directory="$root" --bind-ro=/usr --bind-ro="$(realpath "$E2E/../..")" \
			--bind="$BED/bpf" --machine=bed --register=no --keep-unit --capability=all \
			--system-call-filter=bpf --console=pipe --boot -- "--unit=$1" 3>&- || true # killed
		echo 1 >"$group/cgroup.kill" # systemd survives nspawn
		until find "$group" -depth -type d -exec rmdir {} +; do sleep 0.1; done
	} </dev/null >"$BED/console" 2>&1 &
}

in_systemd() {
	nsenter --target "$(pgrep -x systemd)" --mount --pid --cgroup --net "$@"
}

@test "services: a systemd unit whose IPAddressDeny covers the clients" {
	command -v systemd-nspawn >/dev/null || skip "systemd-container is not installed"
	findmnt -t cgroup2 >/dev/null || skip "no cgroup v2"
	local network
	systemd_start denied.service <<-EOF
		[Unit]
		DefaultDependencies=no
		[Service]
		Type=forking
		Environment=BED=/tmp
		ExecStart=/usr/bin/python3 -S $(realpath "$E2E")/tools/serve.py denied --tcp 127.0.0.1:8089 --tcp [::1]:8089
		IPAddressDeny=any
		IPAddressAllow=localhost
	EOF
	eventually listening 8089
	hb ports set 8089
	hb() { in_systemd "$HBPF" "$@"; }
	on_host() { in_systemd "$@"; }
	for network in 172.30.0.0/24 fd00:30::/64; do
		diagnosed address-deny
		has "$text" "IPAddressDeny of denied\.service drops packets of $network"
		[ "$command" = "systemctl set-property 'denied.service' IPAddressAllow=$network" ]
		misses TIMEOUT tcp "$([[ $network == *:* ]] && echo "[$GW6]" || echo "$GW"):8089"
		cured
	done
	reaches denied tcp "$GW:8089"
	reaches denied tcp "[$GW6]:8089"
	healthy
}

@test "settings: who changed rp_filter, from its file; the guard" {
	mkdir -p /run/sysctl.d
	printf '# loose\n-net.ipv4.conf.*.rp_filter = 1\n' >/run/sysctl.d/50-strict.conf
	on_host sysctl -qw net.ipv4.conf.lo.rp_filter=1
	misses TIMEOUT tcp "$GW:8088"
	diagnosed setting
	has "$text" 'lo\.rp_filter is 1, as set by /run/sysctl\.d/50-strict\.conf:2'
	exits 1 hb status
	prints '50-strict\.conf:2'
	cured
	reaches svc tcp "$GW:8088"
	healthy
	on_host sysctl -qw net.ipv4.conf.br-test.route_localnet=0
	diagnosed setting
	has_none "$text" 'as set by'
	cured
	reaches svc tcp "$GW:8088"
	attach --no-guard
	diagnosed guard-off
	cured
	healthy
}

@test "ports: not open, taken from a service, in the ephemeral range" {
	diagnosed not-exported --port 8089
	serve other --tcp 127.0.0.1:8089
	cured --port 8089
	reaches other tcp "$GW:8089"
	serve gateway --tcp "$GW:5300"
	serve loopback --tcp 127.0.0.1:5300
	hb ports add 5300 --force
	diagnosed conflict
	reaches loopback tcp "$GW:5300"
	cured
	reaches gateway tcp "$GW:5300"
	on_host sysctl -qw net.ipv4.ip_local_port_range="8089 8090"
	diagnosed local-range
	cured
	[ "$(on_host sysctl -n net.ipv4.ip_local_reserved_ports)" = 8088-8089 ]
	healthy
	hb ports del 8088 8089
	diagnosed no-ports
	has "$text" 'hbpf ports add PORT -b br-test'
	hb ports add 8088 -b br-test
	healthy
}

@test "services: none, on other addresses, families and protocols" {
	hb ports set 8000-8002
	diagnosed not-listening
	serve one --tcp 127.0.0.1:8001
	diagnosed partly-listening
	has "$text" 'on 2 of 3 ports of 127\.0\.0\.1/tcp: 8000, 8002'
	serve others --tcp 127.0.0.1:8000 --tcp 127.0.0.1:8002
	healthy
	hb ports set 8003
	serve two --tcp 127.0.0.2:8003
	diagnosed other-loopback
	misses ECONNREFUSED tcp "$GW:8003"
	cured
	reaches two tcp "$GW:8003"
	hb ports set 8004
	serve three --udp 127.0.0.1:8004
	diagnosed other-protocol
	cured --port 8004/udp
	reaches three udp "$GW:8004"
	hb ports set 8005
	serve four --tcp "[::1]:8005"
	diagnosed other-family
	has "$text" 'listens on \[::1\]:8005 only, so IPv4 clients are refused; let it listen on 127\.0\.0\.1'
	serve four --tcp 127.0.0.1:8005
	reaches four tcp "$GW:8005"
	healthy
	on_host ip link add lan0 type veth peer name lan1
	on_host ip addr add 192.0.2.1/24 dev lan0
	on_host ip link set lan0 up
	hb ports set 8006
	serve five --tcp 192.0.2.1:8006
	diagnosed other-address
	has "$text" '192\.0\.2\.1:8006 only, not on loopback; let clients dial that address'
	reaches five tcp 192.0.2.1:8006
}

@test "services: on all addresses, on the device lo, and held by an engine" {
	hb ports set 8000
	serve one --tcp 0.0.0.0:8000
	diagnosed wildcard
	reaches one tcp "$GW:8000"
	hb ports del 8000
	reaches one tcp "$GW:8000"
	hb ports add 8001 8002
	cp "$(command -v socat)" "$BED/conmon"
	on_host socat -u tcp-listen:8001,bind=127.0.0.1,so-bindtodevice=lo,fork open:/dev/null >/dev/null 2>&1 3>&- &
	echo $! >>"$BED/pids"
	on_host "$BED/conmon" -u tcp-listen:8002,bind=127.0.0.1,fork open:/dev/null >/dev/null 2>&1 3>&- &
	echo $! >>"$BED/pids"
	eventually listening 8001 8002
	exits 1 hb doctor --json
	json '[.bridges[].steps[].findings[].finding] == ["on-lo", "no-proxy"]'
}

listening() {
	local port
	for port; do
		on_host ss -Htln "sport = $port" | grep -q .
	done
}

# redirected RULES: only NAT rules serve 8003; attach and doctor name the one that does
redirected() {
	on_host sh -ec "$1"
	on_host bash -c "exec 3<>/dev/tcp/127.0.0.1/8003"
	attach # NAT bypass
	diagnosed no-proxy
	has "$text" "nothing listens on 127.0.0.1:8003: rule .*$2.* redirects this host's own connections"
	exits 0 hb ports add 8004
	reports '8004/tcp: nothing listens on 127.0.0.1:8004: rule'
	hb ports del 8004
	misses ECONNREFUSED tcp "$GW:8003"
	reaches one tcp "$GW:9003" # the container itself
}

@test "services: a port that a container publishes by a NAT rule alone" {
	serve one --tcp "$GW:9003"
	hb ports set 8003
	redirected "iptables -t nat -N PUBLISHED
		iptables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -j PUBLISHED
		iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j PUBLISHED
		iptables -t nat -A PUBLISHED -d 127.0.0.1/32 -p tcp -m tcp --dport 8003:8004 \
			-j DNAT --to-destination $GW:9003" '-d 127.0.0.1/32 -p tcp .*--to-destination'
	on_host iptables -t nat -F
	diagnosed not-listening
	redirected "nft -f - <<-EOF
		table inet published {
			chain hostport { ip daddr 127.0.0.1 tcp dport 8003-8004 dnat ip to $GW:9003; }
			chain output {
				type nat hook output priority -100;
				fib daddr type local jump hostport;
			}
			chain prerouting {
				type nat hook prerouting priority -100;
				fib daddr type local jump hostport;
			}
		}
	EOF" 'dnat'
}

@test "routes: a VPN's rule" {
	on_host ip -batch - <<-EOF
		link add vpn0 type veth peer name vpn1
		link set vpn0 up
		link set vpn1 up
		route add default dev vpn0 table 52
		rule add pref 5270 lookup 52
	EOF
	diagnosed route
	misses TIMEOUT tcp "$GW:8088"
	cured
	reaches svc tcp "$GW:8088"
	healthy
}

@test "privileges: without capabilities the reason is named, and as root on the host it is gone" {
	exits 1 in_ns host setpriv --bounding-set=-all --inh-caps=-all "$HBPF" doctor
	prints '^  broken +privileges +this process lacks CAP_NET_ADMIN' 'run hbpf on the host' # "capabilities"
	exits 0 hb doctor
	prints '^  ok +privileges +root'
}
