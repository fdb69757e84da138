#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Found by the scripts of packages that scripts/deps installs, before Debian's invoke-rc.d and
# deb-systemd-invoke: does nothing for the servers in HBPF_NO_START and hands the rest on. A
# /usr/sbin/policy-rc.d might be there already, and would stay if its maker were killed.

for word; do
	for server in $HBPF_NO_START; do
		[ "${word%.*}" != "$server" ] || exit 0
	done
done
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec "${0##*/}" "$@"
