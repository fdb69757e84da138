/* SPDX-License-Identifier: GPL-2.0-only */
/* What the user should know before or after ports are opened. */
#ifndef HBPF_WARNINGS_H
#define HBPF_WARNINGS_H

#include "attach/answer_route.h"
#include "attach/bridge_state.h"

/* What is in the way of ports; all zero: nothing. */
struct bound {
	struct socket first;
	size_t count; /* of all such sockets */
};

/**
 * advice_bound() - find sockets of the host on the addresses and ports that clients would dial
 * @gateways:	Of these gateways and
 * @exports:	these ports one is to be added
 * @sockets:	All that listen
 * @bound:	What is found is counted to what was found before
 *
 * An export would take such a service (libvirt's dnsmasq, aardvark-dns on gateway:53) away from the
 * clients. Return: 0 or -EADDRINUSE
 */
int advice_bound(const struct gateways *gateways, const struct exports *exports,
		 const struct sockets *sockets, struct bound *bound);

/**
 * advice_bound_error() - refuse for what was found, naming port and process, and --force
 *
 * Looks for the process, which takes time (owners_find()): not with a lock held. Return:
 * -EADDRINUSE
 */
int advice_bound_error(const struct bound *bound, struct error *err);

/**
 * advice_ports() - warn about ports that hbpf is not needed for, whose service cannot answer, or
 * that the host may use itself
 * @listeners:	Of @exports
 */
void advice_ports(const struct exports *exports, const struct listeners *listeners);

/** advice_bridge() - warn about what the bridge lacks, and about a NIC in it */
void advice_bridge(const struct host *host, const struct link *bridge);

/** advice_clients() - warn where one family's gateways have no client that may use the ports */
void advice_clients(const struct snapshot *now);

/** advice_advertised() - warn about addresses that are no gateways, as they have a lifetime */
void advice_advertised(const struct host *host, const struct link *bridge,
		       const struct gateways *gateways);

/** advice_conntrack() - warn where strict connection tracking sees the bridge's packets */
void advice_conntrack(const char *bridge);

/**
 * advice_answers() - warn about networks that the host routes answers past the bridge for
 * Return: false where no network at all may use the ports
 */
bool advice_answers(const struct answers_query *query);

/** advice_gateways() - warn about --gateway addresses that are not this host's */
void advice_gateways(const struct host *host, const struct gateways *asked);

/** advice_kept() - warn where `hbpf watch` keeps the bridge, and so undoes what a command did */
void advice_kept(const char *bridge, int owner);

#endif /* HBPF_WARNINGS_H */
