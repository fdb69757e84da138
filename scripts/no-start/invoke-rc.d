#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Replaces Debian's invoke-rc.d and deb-systemd-invoke for the packages that scripts/deps installs:
# does nothing for the servers in HBPF_NO_START and calls Debian's for others. A
# /usr/sbin/policy-rc.d may exist already, and would stay if scripts/deps were killed.

for word; do
	for server in $HBPF_NO_START; do
		[ "${word%.*}" != "$server" ] || exit 0
	done
done
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec "${0##*/}" "$@"
