# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The usual sockets of container engines, for the fake ones of tools/engine.py.

# shellcheck disable=SC2034
DOCKER=/var/run/docker.sock
PODMAN=/run/podman/podman.sock

teardown() {
	# in the sandbox's /run, not the machine's
	rm -rf "$DOCKER" /run/podman
	bed_down
}
