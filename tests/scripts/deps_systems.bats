#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# scripts/deps on other systems than Debian, each with a fake package manager that logs what it installs.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_DIRNAME/../.." || return
	fake=$BATS_TEST_TMPDIR/bin calls=$BATS_TEST_TMPDIR/calls
	mkdir "$fake"
	: >"$calls"
	# what scripts/deps itself uses, and nothing else of this system
	local tool
	for tool in bash awk sed cat dirname; do
		ln -s "$(command -v "$tool")" "$fake/$tool"
	done
}

# script NAME TEXT
script()
{
	printf '#!/bin/bash\n%s\n' "$2" >"$fake/$1"
	chmod +x "$fake/$1"
}

# system MANAGER QUERY - a system of that manager. QUERY, which says whether a package is installed,
# succeeds for those in $INSTALLED
system()
{
	script "$1" "[[ \$1 != -T && \$* != info* ]] || exec $fake/query \"\$@\"; echo \"$1 \$*\" >>'$calls'"
	# shellcheck disable=SC2016 # for the script
	script query '[[ " ${INSTALLED-} " == *" ${!#} "* ]]'
	[[ $2 != rpm ]] || ln -s query "$fake/rpm"
}

# deps GROUP... - with nothing of this system on the PATH
# shellcheck disable=SC2016 # for the shell inside
deps()
{
	tests/sandbox bash -c 'mount -t tmpfs tmpfs /usr/local/sbin && mount -t tmpfs tmpfs /usr/sbin &&
		PATH=$0 exec bash scripts/deps "$@"' "$fake" "$@" </dev/null
}

@test "dnf installs what is missing, under Fedora's names" {
	system dnf rpm
	INSTALLED="make gcc curl" run -0 deps build demo
	[ "$(<"$calls")" = "dnf -y install glibc-devel kernel-headers clang llvm bpftool pkgconf-pkg-config libbpf-devel \
elfutils-libelf-devel zlib-devel libmnl-devel json-c-devel libcurl-devel iproute procps-ng python3" ]
}

@test "pacman installs what is missing, under Arch's names" {
	system pacman pacman
	INSTALLED="clang libelf" run -0 deps build
	[ "$(<"$calls")" = "pacman -S --needed --noconfirm make gcc glibc linux-api-headers llvm bpf pkgconf libbpf \
zlib libmnl json-c curl" ]
}

@test "apk installs what is missing, under Alpine's names" {
	system apk apk
	INSTALLED="make" run -0 deps build
	[ "$(<"$calls")" = "apk add gcc musl-dev linux-headers clang llvm bpftool pkgconf libbpf-dev elfutils-dev zlib-dev \
libmnl-dev json-c-dev curl-dev" ]
}

@test "zypper installs what is missing, under openSUSE's names" {
	system zypper rpm
	run -0 deps demo
	[ "$(<"$calls")" = "zypper --non-interactive install iproute2 procps curl python3" ]
}

@test "what make rpm needs is installed where there are RPMs, and nothing elsewhere" {
	system dnf rpm
	run -0 deps rpm
	[ "$(<"$calls")" = "dnf -y install rpm-build systemd-rpm-macros" ]
	: >"$calls"
	rm "$fake/dnf"
	system apk apk
	run -0 deps rpm
	[ -z "$output" ]
	[ ! -s "$calls" ]
}

@test "where nothing is missing, nothing is installed" {
	system dnf rpm
	INSTALLED="iproute procps-ng curl python3" run -0 deps demo
	[ ! -s "$calls" ]
}

@test "packages that only Debian's names are known of are printed" {
	system apk apk
	run -0 deps test
	[[ $output == *"Debian's names only"*"libcmocka-dev bats"* ]]
	[[ $(<"$calls") != *bats* ]]
}

@test "without any known package manager it names what to install, and fails" {
	run -1 deps demo
	[[ $output == *"none of apt-get, dnf, pacman, apk and zypper"*"iproute2 procps curl python3"* ]]
}

# ubuntu LIBBPF BPFTOOL - an apt whose lists have these versions; "(none)": no such package
ubuntu()
{
	system apt-get apt-get
	script dpkg-query 'exit 1'
	script apt-cache "
		case \$2 in
		libbpf-dev) version='$1' ;;
		bpftool) version='$2' ;;
		linux-tools-generic) version=6.8.0-31.31 ;;
		esac
		printf '%s:\n  Installed: (none)\n  Candidate: %s\n' \"\$2\" \"\$version\""
}

@test "Ubuntu 24.04's bpftool is in linux-tools-generic" {
	ubuntu 1:1.3.0-2build2 '(none)'
	run -0 deps build
	[[ $(<"$calls") == *" linux-tools-generic "* ]]
	[[ $(<"$calls") != *" bpftool "* ]]
}

@test "where bpftool is a package, as in Debian, that one is installed" {
	ubuntu 1:1.3.0-2build2 7.7.0
	run -0 deps build
	[[ $(<"$calls") == *" bpftool "* ]]
	[[ $(<"$calls") != *linux-tools* ]]
}

@test "an apt with libbpf 0.5 is refused before anything is installed" {
	ubuntu 1:0.5.0-1ubuntu22.04.1 '(none)'
	run -1 deps build
	[[ $output == *"libbpf 0.5.0"*"is too old: hbpf needs libbpf 1.0 or newer"* ]]
	[[ $(<"$calls") != *install* ]]
}

@test "an installed libbpf 0.3 is refused, by deps and by make" {
	system dnf rpm
	# shellcheck disable=SC2016 # for the script
	script pkg-config 'case $1 in --modversion) echo 0.3.0 ;; --exists) ;; *) exit 1 ;; esac'
	INSTALLED="make gcc glibc-devel kernel-headers clang llvm bpftool pkgconf-pkg-config libbpf-devel elfutils-libelf-devel
		zlib-devel libmnl-devel json-c-devel libcurl-devel"
	INSTALLED=${INSTALLED//[$'\n\t']/ } run -1 deps build
	[[ $output == *"libbpf 0.3.0 is too old"* ]]
	run -2 env -u MAKEFLAGS -u MAKELEVEL make BUILD="$BATS_TEST_TMPDIR/build" PKG_CONFIG="$fake/pkg-config" \
		"$BATS_TEST_TMPDIR/build/obj/loader/main.o"
	[[ $output == *"libbpf 0.3.0 is too old"* ]]
	[[ $output != *error:* ]]
}
