#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A tunnel through an SSH server of the host, with all its traffic in one connection.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

# sshd_on_2222: accepts user nobody, by a key
sshd_on_2222() {
	local home
	home=$(home sshd)
	# on the host and not in the client, so that only the right host has it
	nobody ssh-keygen -q -t ed25519 -N "" -f "$home/host_key"
	ssh-keygen -q -t ed25519 -N "" -f "$BED/key"
	install -o nobody -m 600 "$BED/key.pub" "$home/authorized_keys"
	# without PAM, sshd takes an account for locked if it cannot read its password entry
	cat >"$home/conf" <<-EOF
		ListenAddress 127.0.0.1:2222
		ListenAddress [::1]:2222
		HostKey $home/host_key
		AuthorizedKeysFile $home/authorized_keys
		PidFile none
		UsePAM yes
		StrictModes no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		AllowTcpForwarding local
	EOF
	start sshd /usr/sbin/sshd -D -e -f "$home/conf"
	up tcp 2222
	printf '[%s]:2222 %s\n' "$GW" "$(<"$home/host_key.pub")" \
		"$GW6" "$(<"$home/host_key.pub")" >"$BED/known_hosts"
}

# tunnel GATEWAY: from the client's 127.0.0.1:9000 to the host's 127.0.0.1:8088, until the test ends
tunnel() {
	nsenter --net=/run/netns/c1 ssh -F none -N -p 2222 -i "$BED/key" -o BatchMode=yes \
		-o UserKnownHostsFile="$BED/known_hosts" -o StrictHostKeyChecking=yes \
		-o ExitOnForwardFailure=yes -L 127.0.0.1:9000:127.0.0.1:8088 "nobody@$1" \
		>"$BED/ssh.log" 2>&1 3>&- &
	ssh=$!
	echo "$ssh" >>"$BED/pids"
	eventually connected
}

# Not by ss, which shows the socket before ssh listens.
connected() {
	if ! kill -0 "$ssh"; then
		fail "ssh ended: $(<"$BED/ssh.log")" "$(<"$BED/sshd.log")"
	fi
	client curl -sS --noproxy '*' --max-time 5 http://127.0.0.1:9000/
}

@test "ssh -L: a port that is not exported is reached through an sshd that is" {
	local gateway served ssh asked=0
	nginx 'location = / { return 200 "from the host\n"; }' "root $BED/home/nginx;"
	head -c 50000000 /dev/urandom >"$BED/home/nginx/big"
	sshd_on_2222
	opens 2222/tcp
	for gateway in "$GW" "$GW6"; do
		exits 7 client curl -sS --noproxy '*' http://127.0.0.1:9000/
		tunnel "$gateway"
		shut 8088/tcp

		exits 0 client curl -sS --noproxy '*' http://127.0.0.1:9000/big --output "$BED/big"
		cmp "$BED/big" "$BED/home/nginx/big"
		load_with_wrk http://127.0.0.1:9000/
		load_with_wrk http://127.0.0.1:9000/ --header "Connection: close"

		kill "$ssh"
		wait "$ssh" || true
	done
	grep -q "Accepted publickey for nobody from $C1 " "$BED/sshd.log"
	grep -q "Accepted publickey for nobody from $C1_6 " "$BED/sshd.log"
	served=$(grep -c '^127.0.0.1 200 ' "$BED/home/nginx/access")
	[ "$served" -ge "$asked" ] || fail "wrk counts $asked answers, nginx $served"
	[ "$(wc -l <"$BED/home/nginx/access")" -eq "$served" ]
	closes 2222/tcp
}
