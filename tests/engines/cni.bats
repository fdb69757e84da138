#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# hbpf as a plugin of a container network, behind the plugins of containernetworking-plugins, with a
# runtime's part played by chain() and by Podman.
load ../e2e/lib

PLUGINS=/usr/lib/cni

setup() {
	local plugin

	for plugin in bridge ptp host-local; do
		[ -x "$PLUGINS/$plugin" ] || skip "containernetworking-plugins is not installed"
	done
	bed_up
	mkdir -p "$BED/cni"
	ln -s "$(realpath "$HBPF")" "$BED/cni/hbpf"
	network '{"type": "hbpf", "ports": ["8088", "9000:8088"]}'
	serve svc --tcp 127.0.0.1:8088
	serve svc --tcp 127.0.0.1:8089
	make_ns one
	make_ns two
}

# network HBPF [LIST]: the configuration of the network, with that of our plugin
network() {
	jq -n --argjson hbpf "$1" --arg dir "$BED/leases" '{cniVersion: "1.0.0", name: "pods", plugins: [
		{type: "bridge", bridge: "cni0", isGateway: true,
		 ipam: {type: "host-local", dataDir: $dir, subnet: "10.88.0.0/16",
			routes: [{dst: "0.0.0.0/0"}]}},
		$hbpf]}' >"$BED/pods.conflist"
}

# plugin COMMAND CONTAINER: runs the plugin whose configuration is on stdin
plugin() {
	local input type
	input=$(cat)
	type=$(jq -r .type <<<"$input")
	[ -x "$BED/cni/$type" ] || ln -s "$PLUGINS/$type" "$BED/cni/$type"
	CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 \
		CNI_PATH=$BED/cni:$PLUGINS on_host "$BED/cni/$type" <<<"$input"
}

# chain COMMAND CONTAINER: runs all plugins of the network as a runtime does: DEL in reverse order
# and with the result of ADD, which it keeps
chain() {
	local i result="$BED/$2.result" order='0 1' last=null

	[ "$1" != DEL ] || order='1 0'
	[ "$1" = ADD ] || last=$(<"$result")
	for i in $order; do
		out=$(jq --argjson i "$i" --argjson last "$last" '
			{cniVersion, name} + .plugins[$i] +
			if $last then {prevResult: $last} else {} end' "$BED/pods.conflist" |
			plugin "$1" "$2") || return
		[ "$1" != ADD ] || last=$out
	done
	[ "$1" != ADD ] || echo "$out" >"$result"
}

chain_fails() {
	if chain "$@"; then fail "chain $* did not fail"; fi
}

# gets NAMESPACE PORT: the service answers there; refused NAMESPACE PORT
gets() {
	NS=$1 reaches svc tcp "10.88.0.1:$2"
}

refused() {
	NS=$1 misses ECONNREFUSED tcp "10.88.0.1:$2"
}

@test "the first container of a network opens its ports, and the last one closes them and restores the host" {
	local before
	before=$(on_host sysctl -n net.ipv4.conf.lo.rp_filter net.ipv4.conf.all.route_localnet)

	chain ADD one
	jq -e '.cniVersion == "1.0.0" and .interfaces[0].name == "cni0" and .ips != []' <<<"$out"
	gets one 8088
	gets one 9000
	refused one 8089
	chain ADD two
	chain CHECK one
	exits 0 hb status --json
	json '.bridges[0].owner == "cni"'

	chain DEL one
	gets two 8088
	chain DEL two
	exits 0 hb status
	prints 'not attached|no interface'
	[ "$before" = "$(on_host sysctl -n net.ipv4.conf.lo.rp_filter net.ipv4.conf.all.route_localnet)" ]
	# runtimes repeat it
	chain DEL two

	chain ADD one
	gets one 8088
}

@test "ptp, which makes no bridge: each container has a veth of its own, with the ports" {
	local before
	before=$(on_host sysctl -n net.ipv4.conf.lo.rp_filter net.ipv4.conf.lo.route_localnet)
	jq '.plugins[0] |= (del(.bridge, .isGateway) | .type = "ptp")' "$BED/pods.conflist" >"$BED/ptp"
	mv "$BED/ptp" "$BED/pods.conflist"

	chain ADD one
	chain ADD two
	for ns in one two; do
		gets $ns 8088
		gets $ns 9000
		refused $ns 8089
		chain CHECK $ns
	done
	exits 0 hb interfaces --json
	json '[.bridges[] | select(.kind == "veth" and .attached and .live)] | length == 2'
	# the neighbour is resolved again by the host
	on_host ip neigh flush all
	gets one 8088
	chain DEL one
	gets two 8088
	chain DEL two
	exits 0 hb status
	prints 'not attached|no interface'
	[ "$before" = "$(on_host sysctl -n net.ipv4.conf.lo.rp_filter net.ipv4.conf.lo.route_localnet)" ]
}

@test "the ports are those of the configuration: removed ones are closed with the next container" {
	chain ADD one
	gets one 9000
	network '{"type": "hbpf", "ports": 8088, "from": ["10.88.0.3/32"]}'
	chain ADD two
	refused two 9000
	gets two 8088
	refused one 8088
}

@test "CHECK fails when another program detached the bridge, and the next container attaches it again" {
	chain ADD one
	chain CHECK one
	exits 0 hb detach cni0
	says 'CNI plugin'
	chain_fails CHECK one
	jq -e '.code == 100 and (.msg | test("cni0 is not attached"))' <<<"$out"
	refused one 8088
	chain ADD two
	chain CHECK one
	gets one 8088
}

@test "a bridge that is attached manually is left alone" {
	network '{"type": "hbpf", "ports": []}'
	chain_fails ADD one # makes cni0
	jq -e '.code == 7 and (.msg | test("has no ports"))' <<<"$out"
	hb attach cni0 --port 7000:8088
	network '{"type": "hbpf", "ports": 8088}'
	chain_fails ADD two
	jq -e '.code == 100 and (.msg | test("cni0 is attached manually")) and
		(.details | test("hbpf detach cni0"))' <<<"$out"
	refused two 8088
	gets two 7000
	chain_del two
	gets one 7000
}

# chain_del CONTAINER: after a failed ADD, of which the runtime has no result
chain_del() {
	jq '{cniVersion, name} + .plugins[1]' "$BED/pods.conflist" | plugin DEL "$1"
}

# answers CODE TEXT CONFIGURATION: ADD fails with that code and message
answers() {
	local out
	if out=$(plugin ADD one <<<"$3"); then fail "it accepted $3"; fi
	jq -e --argjson code "$1" --arg text "$2" \
		'.cniVersion == "1.0.0" and .code == $code and (.msg | test($text))' <<<"$out"
}

@test "a wrong configuration is an error as the specification has it, which names the fault" {
	local result
	chain ADD one
	result='"prevResult": {"interfaces": [{"name": "cni0"}]}'
	answers 7 'network pods: port 70000|70000' \
		"{\"cniVersion\": \"1.0.0\", \"name\": \"pods\", \"type\": \"hbpf\", \"ports\": 70000, $result}"
	answers 7 "unknown key 'port'" \
		"{\"cniVersion\": \"1.0.0\", \"name\": \"pods\", \"type\": \"hbpf\", \"ports\": 80, \"port\": 81, $result}"
	answers 7 'no interface of this host' \
		'{"cniVersion": "1.0.0", "name": "pods", "type": "hbpf", "ports": 80}'
	answers 1 cniVersion '{"cniVersion": "0.1.0", "type": "hbpf", "ports": 80}'
	answers 1 cniVersion '{"type": "hbpf"}'

	out=$(CNI_COMMAND=ADD on_host "$HBPF" <<<'nonsense') && fail "it accepted nonsense"
	jq -e '.code == 6' <<<"$out"
	out=$(CNI_COMMAND=GO on_host "$HBPF" </dev/null) && fail "it accepted the command GO"
	jq -e '.code == 4' <<<"$out"
	out=$(CNI_COMMAND=VERSION on_host "$HBPF" </dev/null)
	jq -e '.supportedVersions | contains(["0.4.0", "1.0.0"])' <<<"$out"
	# the control: with arguments it is the command line as ever
	CNI_COMMAND=ADD exits 0 hb status
}

@test "on a node of Kubernetes doctor names KUBE-FIREWALL, and the rule of SERVICES.md lets pods in" {
	local hook
	# as kube-proxy and kubelet set them
	on_host sysctl -qw net.ipv4.conf.all.route_localnet=1
	on_host iptables -N KUBE-FIREWALL
	on_host iptables -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \
		"block incoming localnet connections" -m conntrack \
		! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
	for hook in INPUT OUTPUT; do
		on_host iptables -I "$hook" -j KUBE-FIREWALL
	done
	chain ADD one
	NS=one misses TIMEOUT tcp 10.88.0.1:8088
	exits 1 hb doctor cni0
	prints 'KUBE-FIREWALL'
	on_host iptables -I INPUT -i lo -s 10.88.0.0/16 -d 127.0.0.1 -p tcp --dport 8088 -j ACCEPT
	gets one 8088
	exits 0 hb doctor cni0
	chain DEL one
	[ "$(on_host sysctl -n net.ipv4.conf.all.route_localnet)" = 1 ]
}

@test "the DaemonSet is as the Kubernetes API has it" {
	local dist="$BATS_TEST_DIRNAME/../../dist/kubernetes/hbpf-cni.yaml"

	exits 0 "$BATS_TEST_DIRNAME/k8s-form" "$dist"
	sed 's/tolerations:/toleration:/' "$dist" >"$BED/wrong.yaml"
	exits 1 "$BATS_TEST_DIRNAME/k8s-form" "$BED/wrong.yaml"
	prints 'spec\.toleration'
}
