/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's notices of what changed in this network namespace (netlink multicast). */
#ifndef HBPF_NETLINK_MONITOR_H
#define HBPF_NETLINK_MONITOR_H

#include <stdbool.h>

#include "lib/error.h"

enum netlink_source {
	NETLINK_EVENTS_ROUTE,     /* interfaces, addresses, routes that may concern us, filters */
	NETLINK_EVENTS_NF_TABLES, /* tables and chains; legacy iptables has no notices */
	NETLINK_EVENTS_MAX,
};

struct mnl_socket;

/**
 * netlink_monitor_open() - subscribe
 * Return: the socket, to poll mnl_socket_get_fd() of; or NULL
 */
struct mnl_socket *netlink_monitor_open(enum netlink_source source, struct error *err);

/**
 * netlink_monitor_drain() - take in all notices that have come
 *
 * Notices that were lost, because they came faster than they were read (ENOBUFS), count as a
 * change. Return: did anything change?
 */
bool netlink_monitor_drain(enum netlink_source source, struct mnl_socket *nl);

#endif /* HBPF_NETLINK_MONITOR_H */
