#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Services that look at the client's address: they refuse containers until the line of
# docs/SERVICES.md is set, and serve them with it.

# Variables come from lib.bash, and each test runs in a shell of its own.
# shellcheck disable=SC2030,SC2031,SC2154
load lib

# may URL: the HTTP status that the client gets
may() {
	client curl --silent --globoff --noproxy '*' --max-time 10 --output /dev/null \
		--write-out '%{http_code}' "$1"
}

# closed_and_open: both gateways serve /open and refuse /closed
closed_and_open() {
	local gateway
	for gateway in "$GW" "[$GW6]"; do
		[ "$(may "http://$gateway:8088/closed")" = 403 ]
		[ "$(may "http://$gateway:8088/open")" = 200 ]
	done
}

@test "nginx: a list of addresses keeps clients out, and the line of SERVICES.md lets them in" {
	nginx "root $BED/home/nginx;" "location /closed { allow 127.0.0.1; allow ::1; deny all; }" \
		"location /open { allow 127.0.0.1; allow 172.30.0.0/16; allow fd00:30::/64; deny all; }"
	echo open | tee "$BED/home/nginx/open" >"$BED/home/nginx/closed"
	opens 8088/tcp
	closed_and_open
}

@test "Apache: Require local keeps clients out, and Require ip lets them in" {
	local home
	home=$(home apache)
	cat >"$home/conf" <<-EOF
		LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
		LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
		LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so
		ServerRoot $home
		ServerName localhost
		PidFile pid
		ErrorLog error
		Listen 127.0.0.1:8088
		Listen [::1]:8088
		DocumentRoot $home
		<Location /closed>
			Require local
		</Location>
		<Location /open>
			Require local
			Require ip 172.30.0.0/16 fd00:30::/64
		</Location>
	EOF
	echo open | tee "$home/open" >"$home/closed"
	start apache apache2 -D FOREGROUND -f "$home/conf"
	up tcp 8088
	opens 8088/tcp
	closed_and_open
}

# unbound LINE...: on port 53, with these in its server clause; small.test has an address
unbound() {
	local home
	home=$(home unbound)
	cat >"$home/conf" <<-EOF
		server:
			interface: 127.0.0.1
			interface: ::1
			username: ""
			chroot: ""
			directory: $home
			pidfile: $home/pid
			use-syslog: no
			local-zone: "test." static
			local-data: "small.test. A 192.0.2.7"
			$(printf '%s\n' "$@")
	EOF
	on_host sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	start unbound unbound -d -c "$home/conf"
	up udp 53
	up tcp 53
}

# answers TEXT: what dig prints about the status of a query, at each gateway, over UDP and TCP
answers() {
	local gateway how
	for gateway in "$GW" "$GW6"; do
		for how in +notcp +tcp; do
			exits 0 client dig +tries=1 +time=10 "$how" "@$gateway" small.test A
			prints "$1"
		done
	done
}

@test "unbound refuses containers by default" {
	unbound
	opens 53/udp 53/tcp
	exits 0 on_host dig +short @127.0.0.1 small.test A
	prints '^192\.0\.2\.7$'
	answers 'status: REFUSED'
}

@test "unbound answers containers with access-control" {
	unbound "access-control: 172.30.0.0/16 allow" "access-control: fd00:30::/64 allow"
	opens 53/udp 53/tcp
	answers 'status: NOERROR'
	answers '^small\.test\..*192\.0\.2\.7$'
}

# postfix NETWORKS: on port 2525, as root, since its master starts every process as its owner
postfix() {
	local home=$BED/postfix
	mkdir -p "$home"/{queue,data}
	chown postfix "$home/data"
	cat >"$home/main.cf" <<-EOF
		compatibility_level = 3.6
		queue_directory = $home/queue
		data_directory = $home/data
		maillog_file = /dev/stdout
		myhostname = host.test
		mydestination =
		local_recipient_maps =
		alias_maps =
		inet_interfaces = loopback-only
		mynetworks = $1
		smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
		default_transport = discard
	EOF
	cat >"$home/master.cf" <<-EOF
		127.0.0.1:2525 inet n - n - - smtpd
		[::1]:2525 inet n - n - - smtpd
		postlog unix-dgram n - n - 1 postlogd
		cleanup unix n - n - 0 cleanup
		rewrite unix - - n - - trivial-rewrite
		qmgr unix n - n 300 1 qmgr
		discard unix - - n - - discard
		defer unix - - n - 0 bounce
		bounce unix - - n - 0 bounce
		error unix - - n - - error
	EOF
	nsenter --net=/run/netns/host setsid /usr/sbin/postfix -c "$home" start-fg \
		>"$BED/postfix.log" 2>&1 3>&- &
	echo "-$!" >>"$BED/pids"
	up tcp 2525
}

# mail GATEWAY: the server's answer to a recipient elsewhere
mail() {
	client curl --silent --show-error --noproxy '*' --max-time 20 --globoff \
		--mail-from me@client.test --mail-rcpt you@elsewhere.test \
		--upload-file - "smtp://$1:2525" --verbose <<<"Subject: test" 2>&1 | grep -E '^< [245]5'
}

@test "Postfix relays for containers that mynetworks names, and for no others" {
	# scripts/deps does not replace another mail server
	[ -x /usr/sbin/postfix ] || skip "another mail server than Postfix is installed"
	postfix "127.0.0.0/8 [::1]/128 172.30.0.0/16"
	opens 2525/tcp
	[[ $(mail "$GW") == *"250 2.0.0 Ok: queued"* ]]
	# control: the same, from the network that is not in the list
	[[ $(mail "[$GW6]") == *"454 4.7.1 "*"Relay access denied"* ]]
}

@test "vsftpd: EPSV works as it is, and PASV with pasv_address" {
	local home
	home=$(home ftp)
	cat >"$home/conf" <<-EOF
		listen=YES
		listen_address=127.0.0.1
		listen_port=2121
		background=NO
		run_as_launching_user=YES
		anonymous_enable=YES
		anon_root=$home/root
		secure_chroot_dir=$home
		seccomp_sandbox=NO
		no_anon_password=YES
		pasv_min_port=30000
		pasv_max_port=30003
	EOF
	mkdir "$home/root"
	echo "from the host" >"$home/root/file"
	chown nobody "$home/conf"
	start vsftpd vsftpd "$home/conf"
	up tcp 2121 127.0.0.1
	attach --port 2121 --port 30000-30003
	exits 0 client curl -sS --noproxy '*' --max-time 10 "ftp://$GW:2121/file"
	prints '^from the host$'
	# PASV names the address of the server's socket, which is the client's own loopback
	exits 7 client curl -sS --noproxy '*' --max-time 10 --disable-epsv --no-ftp-skip-pasv-ip \
		"ftp://$GW:2121/file"

	# it reads its configuration again
	echo "pasv_address=$GW" >>"$home/conf"
	kill -HUP -- "$(tail -n 1 "$BED/pids")"
	eventually client curl -sS --noproxy '*' --max-time 10 --disable-epsv \
		--no-ftp-skip-pasv-ip "ftp://$GW:2121/file"
}

@test "TCP MD5 does not work through hbpf, and does at the gateway's own address" {
	local md5=$BATS_TEST_DIRNAME/tools/tcp_md5.py
	start md5 "${PY[@]}" "$md5" serve 127.0.0.1 1790 "$C1"
	start md5_gateway "${PY[@]}" "$md5" serve "$GW" 1791 "$C1"
	up tcp 1790 127.0.0.1
	up tcp 1791 "$GW"
	attach --port 1790
	# control: the client signs correctly
	exits 0 client "${PY[@]}" "$md5" dial "$GW" 1791
	prints '^signed$'
	exits 1 client "${PY[@]}" "$md5" dial "$GW" 1790
	says 'timed out'
}
