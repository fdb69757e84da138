/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user should know before or after ports are opened. */
#ifndef HBPF_WARNINGS_H
#define HBPF_WARNINGS_H

#include "attach/answer_route.h"
#include "attach/bridge_state.h"

/* What is in the way of ports; all zero: nothing. */
struct conflicts {
	struct socket first;
	size_t count; /* of all such sockets */
};

/**
 * conflicts_find() - find sockets of the host on the addresses and ports that clients would dial
 * @gateways:	Of these gateways and
 * @exports:	these ports one is to be added
 * @sockets:	All that listen
 * @bound:	What is found is counted to what was found before
 *
 * An export would take such a service (libvirt's dnsmasq, aardvark-dns on gateway:53) away from the
 * clients. Return: 0 or -EADDRINUSE
 */
int conflicts_find(const struct gateways *gateways, const struct exports *exports,
		   const struct sockets *sockets, struct conflicts *bound);

/**
 * conflicts_error() - refuse for what was found, naming port and process, and --force
 *
 * Looks for the process, which takes time (proc_owners_find()): not with a lock held. Return:
 * -EADDRINUSE
 */
int conflicts_error(const struct conflicts *bound, struct error *err);

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
