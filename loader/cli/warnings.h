/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user should know before or after ports are opened. */
#ifndef HBPF_WARNINGS_H
#define HBPF_WARNINGS_H

#include "attach/answer_route.h"
#include "attach/bridge_state.h"

/**
 * warn_ports() - warn about ports that hbpf is not needed for, whose service cannot answer, or
 * that the host may use itself
 * @listeners:	Of @exports
 */
void warn_ports(const struct exports *exports, const struct listeners *listeners);

/** warn_bridge() - warn about what the bridge lacks, and about a NIC in it */
void warn_bridge(const struct host *host, const struct link *bridge);

/** warn_clients() - warn where one family's gateways have no client that may use the ports */
void warn_clients(const struct bridge_state *now);

/** warn_advertised() - warn about addresses that are no gateways, as they have a lifetime */
void warn_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways);

/** warn_conntrack() - warn where strict connection tracking sees the bridge's packets */
void warn_conntrack(const char *bridge);

/**
 * warn_answers() - warn about networks that the host routes answers past the bridge for
 * Return: false where no network at all may use the ports
 */
bool warn_answers(const struct answers_query *query);

/** warn_gateways() - warn about --gateway addresses that are not this host's */
void warn_gateways(const struct host *host, const struct gateways *asked);

/** warn_kept() - warn where `hbpf watch` keeps the bridge, and so undoes what a command did */
void warn_kept(const char *bridge, int owner);

#endif /* HBPF_WARNINGS_H */
