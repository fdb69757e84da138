#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# dist/container/Containerfile, built by a real Docker. Its base is the Debian in which tests/packages/build
# builds packages: what the Containerfile installs is there already, so nothing is downloaded.

# Variables come from lib.bash and run.
# shellcheck disable=SC2154
load ../docker/lib
load ../docker/container

bats_require_minimum_version 1.5.0

base=$HERE/../../build/distro/trixie/builder

setup()
{
	[[ -d $base ]] || skip "tests/packages/build trixie has not made the base"
	engine_test
	host_service tcp 127.0.0.1 8088 "from the host"
}

@test "the image builds from the Containerfile, serves labelled networks as INSTALL.md starts it, and restores the host" {
	cd "$HERE/../.."
	tar -C "$base" --exclude=./var/cache/apt --exclude=./usr/share/{doc,locale,man} -c . |
		docker import - debian >/dev/null
	docker build --tag hbpf --build-arg DEBIAN=debian --file dist/container/Containerfile .
	docker run --rm hbpf --version
	container_paths
	container_serves
}
