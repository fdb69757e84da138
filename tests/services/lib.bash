# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Real services on the host's loopback, in the test bed of tests/e2e: helpers to start them, and to
# show that their answers came through hbpf.

# shellcheck source=../e2e/lib.bash
. "$BATS_TEST_DIRNAME/../e2e/lib.bash"

# Debian keeps PostgreSQL's programs apart by version.
PATH=$PATH:/usr/sbin:$(printf '%s:' /usr/lib/postgresql/*/bin)

# ---- services

# home NAME: makes a directory that the services can write to, and prints its path
home() {
	install -d -o nobody -g nogroup "$BED/home" "$BED/home/$1"
	echo "$BED/home/$1"
}

nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups env)

# nobody COMMAND...: on the host, without privileges
nobody() {
	on_host "${nobody[@]}" HOME="$BED/home" "$@"
}

# start NAME COMMAND...: as nobody on the host, until the test ends, with all its children; its output
# is in $BED/NAME.log
start() {
	# no function, so that $! leads the new process group; not bats' descriptor 3: bats waits until
	# all have closed it
	nsenter --net=/run/netns/host setsid "${nobody[@]}" HOME="$BED/home" "${@:2}" \
		>"$BED/$1.log" 2>&1 3>&- &
	echo "-$!" >>"$BED/pids"
}

# up PROTO PORT [ADDR]...: waits until host sockets are bound to it, on 127.0.0.1 and ::1
up() {
	local where
	(($# > 2)) || set -- "$1" "$2" 127.0.0.1 "[::1]"
	for where in "${@:3}"; do eventually bound "$1" "$where:$2"; done
}

bound() {
	[ -n "$(on_host ss --no-header --numeric --listening "--$1" "src = $2")" ] ||
		fail "nothing is bound to $2"
}

# nginx DIRECTIVE...: on 127.0.0.1:8088 and [::1]:8088, with these in its server block; logs requests
# in $BED/home/nginx/access, as lines "CLIENT STATUS BYTES"
nginx() {
	local home
	home=$(home nginx)
	cat >"$home/conf" <<-EOF
		daemon off;
		pid $home/pid;
		error_log stderr;
		events { worker_connections 4096; }
		http {
			client_body_temp_path $home;
			proxy_temp_path $home;
			fastcgi_temp_path $home;
			uwsgi_temp_path $home;
			scgi_temp_path $home;
			log_format brief "\$remote_addr \$status \$body_bytes_sent";
			access_log $home/access brief;
			server {
				listen 127.0.0.1:8088;
				listen [::1]:8088;
				keepalive_requests 100000000;
				$(printf '%s\n' "$@")
			}
		}
	EOF
	start nginx nginx -e stderr -c "$home/conf"
	up tcp 8088
}

# load_with_wrk URL [wrk's options]: for two seconds; every answer is a good one; adds their number to
# $asked
load_with_wrk() {
	exits 0 client wrk --threads 2 --connections 32 --duration 2s "${@:2}" "$1"
	prints '^ +[1-9][0-9]* requests in '
	lacks 'Socket errors' 'Non-2xx'
	figures "wrk ${*:2} $1: $(sed -nE 's/^ +([0-9]+ requests in .*)/\1/p' <<<"$out")"
	asked=$((asked + $(sed -nE 's/^ +([0-9]+) requests in .*/\1/p' <<<"$out")))
}

# ---- through hbpf

# opens PORT/PROTO...: attach opens the ports, which were closed before
opens() {
	local spec
	for spec; do shut "$spec"; done
	# shellcheck disable=SC2046 # one word for each
	attach $(printf -- '--port %s ' "$@")
}

# shut PORT/PROTO: clients are refused immediately, at every gateway
shut() {
	misses ECONNREFUSED "${1#*/}" "$GW:${1%/*}"
	misses ECONNREFUSED "${1#*/}" "[$GW6]:${1%/*}"
}

# carried PORT/PROTO PACKETS: at least so many went each way, and hbpf dropped none
carried() {
	exits 0 hb ports list --json
	json ".bridges[0].ports | map(select(\"\(.gateway_port)/\(.protocol)\" == \"$1\")) |
		length == 1 and (.[0] | .in_packets >= $2 and .out_packets >= $2)"
	uncounted IN_FAILED OUT_FAILED OUT_AMBIGUOUS OUT_GUARD IN_COLLISION
}

# closes PORT/PROTO...: detach closes the ports
closes() {
	local spec
	hb detach
	for spec; do shut "$spec"; done
}

# client COMMAND...
client() {
	in_ns c1 "$@"
}

# ---- figures

# figures TEXT: printed for the reader, not compared with anything
figures() {
	echo "# figures: $*" >&3
}
