# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# For tests/bench/bed: programs that pass on connections in user space, on the gateway's addresses or
# as the container's network.

# need COMMAND PACKAGE
need()
{
	command -v "$1" >/dev/null || die "$1 is missing (package $2)"
}

up_socat()
{
	need socat socat
	service 127.0.0.1 ::1
	behind socat "TCP4-LISTEN:$port,bind=$gateway,reuseaddr,fork,nodelay,backlog=1024" \
		"TCP4:127.0.0.1:$port,nodelay"
	behind socat "TCP6-LISTEN:$port,bind=[$gateway6],reuseaddr,fork,nodelay,backlog=1024" \
		"TCP6:[::1]:$port,nodelay"
	behind socat -T 1 "UDP4-LISTEN:$port,bind=$gateway,reuseaddr,fork" "UDP4:127.0.0.1:$port"
	behind socat -T 1 "UDP6-LISTEN:$port,bind=[$gateway6],reuseaddr,fork" "UDP6:[::1]:$port"
}

up_haproxy()
{
	need haproxy haproxy
	service 127.0.0.1 ::1
	cat >"$TMPDIR/$name.cfg" <<-EOF
		global
			nbthread 1
			maxconn 4096
		defaults
			mode tcp
			timeout connect 10s
			timeout client 60s
			timeout server 60s
		listen v4
			bind $gateway:$port
			server service 127.0.0.1:$port
		listen v6
			bind $gateway6:$port
			server service [::1]:$port
	EOF
	behind haproxy -db -f "$TMPDIR/$name.cfg"
}

up_nginx()
{
	need nginx nginx
	service 127.0.0.1 ::1
	cat >"$TMPDIR/$name.conf" <<-EOF
		load_module /usr/lib/nginx/modules/ngx_stream_module.so;
		daemon off;
		worker_processes 1;
		pid $TMPDIR/$name.pid;
		error_log stderr;
		events { worker_connections 4096; }
		stream {
			proxy_half_close on;
			server { listen $gateway:$port backlog=1024; proxy_pass 127.0.0.1:$port; }
			server { listen [$gateway6]:$port backlog=1024; proxy_pass [::1]:$port; }
			server { listen $gateway:$port udp; proxy_pass 127.0.0.1:$port; proxy_timeout 1s; }
			server { listen [$gateway6]:$port udp; proxy_pass [::1]:$port; proxy_timeout 1s; }
		}
	EOF
	behind nginx -e stderr -c "$TMPDIR/$name.conf"
}

up_systemd_socket_proxyd()
{
	local proxyd=/usr/lib/systemd/systemd-socket-proxyd
	need systemd-socket-activate systemd
	service 127.0.0.1 ::1
	restarted systemd-socket-activate -l "$gateway:$port" "$proxyd" "127.0.0.1:$port"
	# it takes no brackets
	restarted systemd-socket-activate -l "[$gateway6]:$port" "$proxyd" "::1:$port"
}

# restarted COMMAND... - in the background, again if it ends, as systemd does
restarted()
{
	# shellcheck disable=SC2016 # for the shell inside
	behind bash -c 'while :; do "$@"; sleep 0.05; done' - "$@"
}

up_docker_proxy()
{
	local proto
	need docker-proxy docker.io
	service 127.0.0.1 ::1
	for proto in tcp udp; do
		docker_proxy "$proto" "$gateway" 127.0.0.1
		docker_proxy "$proto" "$gateway6" ::1
	done
}

# docker_proxy PROTO FROM TO - it reports on descriptor 3 that it listens
docker_proxy()
{
	on_host docker-proxy -proto "$1" -host-ip "$2" -host-port "$port" -container-ip "$3" \
		-container-port "$port" >>"$TMPDIR/$name.log" 2>&1 </dev/null 3>/dev/null &
}

up_slirp4netns()
{
	need slirp4netns slirp4netns
	service 127.0.0.1 ::1
	behind slirp4netns --configure --mtu=65520 --enable-ipv6 --netns-type=path \
		"/run/netns/$name-client" tap0
}

# It copies the addresses and routes of the interface with the default route, and takes the gateway's
# address for the host's loopback.
up_pasta()
{
	need pasta passt
	service 127.0.0.1 ::1
	on_host ip -batch - <<-EOF
		link add uplink type veth peer name other
		link set other up
		link set uplink up
		addr add 192.0.2.2/24 dev uplink
		route add default via 192.0.2.1
		addr add 2001:db8::2/64 dev uplink nodad
		route add default via 2001:db8::1
	EOF
	behind pasta --foreground --quiet --config-net --runas 0:0 --netns-only -t none -u none -T none \
		-U none --netns "/run/netns/$name-client"
}
