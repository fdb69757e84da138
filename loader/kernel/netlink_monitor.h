/* SPDX-License-Identifier: GPL-2.0-only */
/* Events of changes in this network namespace (netlink multicast). */
#ifndef HBPF_NETLINK_MONITOR_H
#define HBPF_NETLINK_MONITOR_H

#include <stdbool.h>

#include "lib/error.h"

enum netlink_source {
	NETLINK_EVENTS_ROUTE,     /* interfaces, addresses, routes that may concern us, filters */
	NETLINK_EVENTS_NF_TABLES, /* tables and chains; legacy iptables has no events */
	NETLINK_EVENTS_MAX,
};

struct mnl_socket;

/**
 * netlink_monitor_open() - subscribe
 * Return: the socket, whose mnl_socket_get_fd() to poll; or NULL
 */
struct mnl_socket *netlink_monitor_open(enum netlink_source source, struct error *err);

/**
 * netlink_monitor_drain() - read all pending events
 *
 * Lost events (ENOBUFS) count as a change. Return: did anything change?
 */
bool netlink_monitor_drain(enum netlink_source source, struct mnl_socket *nl);

#endif /* HBPF_NETLINK_MONITOR_H */
