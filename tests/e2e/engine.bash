# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The usual sockets of container engines, for the made-up ones of tools/engine.py.

# shellcheck disable=SC2034
DOCKER=/var/run/docker.sock
PODMAN=/run/podman/podman.sock

teardown() {
	# of the sandbox's own /run, never the machine's
	rm -rf "$DOCKER" /run/podman
	bed_down
}
