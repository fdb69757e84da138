/* SPDX-License-Identifier: GPL-2.0-only */
/* Warnings of attach, detach and ports. All log to stderr and change nothing. */
#ifndef HBPF_WARNINGS_H
#define HBPF_WARNINGS_H

#include "attach/reply_route.h"
#include "attach/bridge_state.h"

/**
 * warn_ports() - warn about ports whose service cannot answer or is reachable without hbpf, and
 * ports in the host's ephemeral range
 * @listeners:	Of @exports
 */
void warn_ports(const struct exports *exports, const struct listeners *listeners);

/**
 * warn_bridge() - warn if the bridge is down, has no address, or has a physical interface
 * @requested:	Gateways of --gateway, now or at an earlier attach
 */
void warn_bridge(const struct host *host, const struct link *bridge,
		 const struct gateways *requested);

/** warn_clients() - warn if an address family has gateways but no client that may use the ports */
void warn_clients(const struct bridge_state *now);

/** warn_advertised() - warn about addresses not used as gateways because they have a lifetime */
void warn_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways);

/** warn_conntrack() - warn if strict connection tracking sees the bridge's packets */
void warn_conntrack(const char *bridge);

/**
 * warn_answers() - warn about client networks whose answers are not routed to the bridge
 * Return: false if no network at all may use the ports
 */
bool warn_answers(const struct reply_query *query);

/** warn_gateways() - warn about --gateway addresses that this host does not have */
void warn_gateways(const struct host *host, const struct gateways *requested);

/** warn_managed() - warn if `hbpf watch` manages the bridge and will revert the change */
void warn_managed(const char *bridge, int owner);

#endif /* HBPF_WARNINGS_H */
