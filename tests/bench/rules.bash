# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# For tests/bench/bed: firewall rules, those of Docker and those that do what hbpf does.

# docker_rules - what dockerd 20.10 creates for one network that publishes nothing, for IPv6 as well
# as with its option ip6tables
docker_rules()
{
	docker_rules_of iptables-restore 127.0.0.0/8 172.30.0.0/24
	docker_rules_of ip6tables-restore ::1/128 fd00:30::/64
}

# docker_rules_of COMMAND LOOPBACK NETWORK
docker_rules_of()
{
	on_host "$1" <<-EOF
		*nat
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A OUTPUT ! -d $2 -m addrtype --dst-type LOCAL -j DOCKER
		-A POSTROUTING -s $3 ! -o $bridge -j MASQUERADE
		-A DOCKER -i $bridge -j RETURN
		COMMIT
		*filter
		:FORWARD DROP [0:0]
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-ISOLATION-STAGE-2 - [0:0]
		:DOCKER-USER - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o $bridge -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o $bridge -j DOCKER
		-A FORWARD -i $bridge ! -o $bridge -j ACCEPT
		-A FORWARD -i $bridge -o $bridge -j ACCEPT
		-A DOCKER-ISOLATION-STAGE-1 -i $bridge ! -o $bridge -j DOCKER-ISOLATION-STAGE-2
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-ISOLATION-STAGE-2 -o $bridge -j DROP
		-A DOCKER-ISOLATION-STAGE-2 -j RETURN
		-A DOCKER-USER -j RETURN
		COMMIT
	EOF
}

routed()
{
	on_host sysctl -qw "net.ipv4.conf.$bridge.route_localnet=1"
	service 127.0.0.1 ::1
}

# iptables_rules COUNT - a rule for each of so many ports, of which the last is the one in use
iptables_rules()
{
	local proto p
	{
		echo "*nat"
		for ((p = port - $1 + 1; p <= port; p++)); do
			for proto in tcp udp; do
				echo "-A PREROUTING -i $bridge -p $proto --dport $p" \
					"-j DNAT --to-destination 127.0.0.1:$p"
			done
		done
		echo COMMIT
	} | on_host iptables-restore --noflush && routed
}

# nft_prerouting - loads a chain with the rules from stdin
nft_prerouting()
{
	{
		echo "table ip bench {"
		echo "chain prerouting {"
		echo "type nat hook prerouting priority dstnat;"
		cat
		echo "}"
		echo "}"
	} | on_host nft -f - && routed
}

# nft_rules COUNT
nft_rules()
{
	local p
	for ((p = port - $1 + 1; p <= port; p++)); do
		echo "iifname $bridge tcp dport $p dnat to 127.0.0.1:$p"
		echo "iifname $bridge udp dport $p dnat to 127.0.0.1:$p"
	done | nft_prerouting
}

# nft_map COUNT
nft_map()
{
	local proto p
	for proto in tcp udp; do
		echo "iifname $bridge dnat to $proto dport map {"
		for ((p = port - $1 + 1; p <= port; p++)); do
			echo "$p : 127.0.0.1 . $p,"
		done
		echo "}"
	done | nft_prerouting
}

up_iptables() { iptables_rules 1; }
up_iptables_rules() { iptables_rules 5000; }
up_nftables() { nft_rules 1; }
up_nftables_map() { nft_map 5000; }
up_nftables_rules() { nft_rules 5000; }
