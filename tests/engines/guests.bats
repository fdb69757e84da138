#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Guests that no bridge connects: a container of systemd-nspawn behind a veth, and a virtual machine
# of qemu behind a tap. cni.bats has CNI's ptp.
load ../e2e/lib

# busybox_root DIRECTORY: busybox with its libraries
busybox_root() {
	local lib
	mkdir -p "$1"/{bin,dev,etc,proc,run,sys,tmp,usr}
	for lib in $(ldd "$(command -v busybox)" | grep -o '/[^ ]*'); do
		mkdir -p "$1/$(dirname "$lib")"
		cp "$lib" "$1/$lib"
	done
	cp "$(command -v busybox)" "$1/bin/"
}

@test "systemd-nspawn --network-veth: the container reaches the port over ve-NAME" {
	command -v systemd-nspawn >/dev/null || skip "systemd-container is not installed"
	busybox_root "$BED/web"
	echo ID=test >"$BED/web/etc/os-release"
	serve svc --tcp 127.0.0.1:8088
	# shellcheck disable=SC2016 # for the shell in the container
	nsenter --net=/run/netns/host systemd-nspawn --register=no --keep-unit -q -D "$BED/web" -M web \
		--network-veth /bin/busybox sh -c '
		bb=/bin/busybox
		$bb ip addr add 192.168.97.50/28 dev host0
		$bb ip link set host0 up
		while :; do
			for port in 8088 8089; do
				echo "$port: $(echo hello | $bb nc -w 5 192.168.97.49 $port 2>&1)"
			done
			$bb sleep 0.1
		done' >"$BED/guest" 2>&1 3>&- &
	echo $! >>"$BED/pids"
	eventually on_host ip link show ve-web
	on_host ip addr add 192.168.97.49/28 dev ve-web
	on_host ip link set ve-web up
	eventually grep '^8088: .*refused' "$BED/guest"
	exits 0 hb attach ve-web --hook "$HOOK" --port 8088
	prints '^192.168.97.49:8088/tcp +-> 127.0.0.1:8088'
	eventually grep '^8088: svc tcp saw 192.168.97.50' "$BED/guest"
	grep -q '^8089: .*refused' "$BED/guest"
	exits 0 hb interfaces
	prints '^ve-web +veth +- +192.168.97.49 +1 +yes$'
}

MODULES="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover \
net_failover virtio_net"

# kernel_tree: one of the kernels that tests/kernels/run has downloaded
kernel_tree() {
	local tree
	for tree in "$E2E"/../../build/kernels/amd64/*/; do
		[ ! -e "$tree/version" ] || { echo "${tree%/}" && return; }
	done
}

# initramfs: the driver of the network device, and a client as /init
initramfs() {
	local root=$BED/root module
	busybox_root "$root"
	for module in $MODULES; do
		find "$(kernel_tree)/" -name "$module.ko*" -exec cp {} "$root/" ';'
	done
	find "$root" -name '*.ko.xz' -exec unxz {} ';'
	cat >"$root/init" <<-EOF
		#!/bin/busybox sh
		bb() { /bin/busybox "\$@"; }
		bb mount -t devtmpfs devtmpfs /dev
		bb mount -t proc proc /proc
		exec >/dev/ttyS1 2>&1
		for module in $MODULES; do
			[ ! -e /\$module.ko ] || bb insmod /\$module.ko
		done
		echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
		bb ip link set eth0 up
		bb ip addr add 172.40.0.2/24 dev eth0
		bb ip -6 addr add fd00:40::2/64 dev eth0
		for to in 172.40.0.1:8088 172.40.0.1:8089 fd00:40::1:8088; do
			echo "\$to: \$(echo hello | bb nc -w 10 "\${to%:*}" "\${to##*:}" 2>&1)"
		done
		bb reboot -f
	EOF
	chmod +x "$root/init"
	(cd "$root" && find . | cpio --quiet -o -H newc >"$BED/initramfs")
}

@test "a virtual machine with a tap reaches the port in both families, and no other" {
	command -v qemu-system-x86_64 >/dev/null || skip "qemu is not installed"
	[ -n "$(kernel_tree)" ] || skip "no kernel for the machine; tests/kernels/fetch 6.1 downloads one"
	initramfs
	on_host ip tuntap add tap0 mode tap
	address_host tap0 40
	serve svc --tcp 127.0.0.1:8088 --tcp "[::1]:8088"
	exits 0 hb attach tap0 --hook "$HOOK" --port 8088
	[ -z "$err" ] || fail "on stderr: $err"
	on_host timeout 200 qemu-system-x86_64 -machine pc,accel=tcg -cpu max -m 256 -nodefaults \
		-display none -no-reboot -netdev tap,id=net,ifname=tap0,script=no,downscript=no \
		-device virtio-net-pci,netdev=net,romfile= \
		-serial "file:$BED/console" -serial "file:$BED/guest" \
		-kernel "$(find "$(kernel_tree)/" -name 'vmlinuz-*' -o -name vmlinuz | head -n 1)" \
		-initrd "$BED/initramfs" -append "console=ttyS0 panic=-1 loglevel=4" </dev/null
	has "$(<"$BED/guest")" '^172.40.0.1:8088: svc ' '^172.40.0.1:8089: .*refused' \
		'^fd00:40::1:8088: svc '
}
