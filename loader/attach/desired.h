/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The desired state of a bridge, computed from the host's interfaces, addresses, routes and NAT
 * rules: gateways, networks on the link, and whether guard and NAT bypass are on.
 */
#ifndef HBPF_DESIRED_H
#define HBPF_DESIRED_H

#include "attach/attachment.h"
#include "attach/bridge_state.h"
#include "model/gateways.h"
#include "model/sources.h"

/**
 * address_is_gateway() - may clients dial this address of @link?
 *
 * Not link-local IPv6, loopback, or from a router advertisement, which a client can send.
 */
bool address_is_gateway(const struct link_addr *own, const struct link *link);

/**
 * desired_families() - the address families of a bridge's clients
 * @dp:		Of the bridge, for --from of its ports; NULL if it is not attached
 * @after:	Its desired exports, and its lists of sources
 *
 * Those of the networks on its link, and of --from. Return: 0 or -errno
 */
int desired_families(const struct dataplane *dp, const struct bridge_state *after,
		     struct families *clients, struct error *err);

/**
 * desired_gateways() - all addresses that clients may dial
 * @requested:	Those of --gateway
 * @clients:	As desired_families() found them
 * @set:	Sorted; free with gateways_free()
 *
 * The bridge's own; docker0's, since that is Docker's host-gateway on every network, but only of
 * the families in which the bridge has clients: an IPv6-only network, or one without an address of
 * the host, has no route to docker0's IPv4 address; and @requested. Return: 0 or -ENOMEM
 */
int desired_gateways(const struct host *host, const struct link *bridge,
		     const struct gateways *requested, const struct families *clients,
		     struct gateways *set);

/**
 * desired_arp_sender() - set config.arp_sender4: the bridge's first IPv4 address, else a gateway
 * that is an address of this host, else 0
 */
void desired_arp_sender(const struct host *host, const struct link *bridge,
			const struct gateways *gateways, struct hbpf_config *config);

/**
 * desired_onlink() - the prefixes on the bridge's link: the default clients
 * @set:	Empty; sorted, free with sources_free(), also on failure
 *
 * Those of its addresses, and of routes through it without a gateway (`ip route add 192.0.2.20 dev
 * br-test`), but not from router advertisements, and no default routes.
 * Return: 0 or -errno
 */
int desired_onlink(const struct host *host, const struct link *bridge, struct sources *set,
		   struct error *err);

/**
 * desired_host_addrs() - the host's own addresses, which are never clients
 * @set:	Empty; sorted, free with sources_free(), also on failure
 *
 * All addresses, and local and anycast routes of all tables, but no local default routes.
 * Return: 0 or -errno
 */
int desired_host_addrs(const struct host *host, struct sources *set, struct error *err);

/**
 * desired_guard() - set config.guard_dst and guard_shared from config.guard_option, for the bridge
 * config.ifindex
 * Return: 0 or -errno
 */
int desired_guard(const struct pins *pins, const char *bridge, struct hbpf_config *config,
		  struct error *err);

/**
 * desired_nat_bypass() - set config.nat_bypass from config.nat_bypass_option,
 * config.nat_bypass_built and the host's NAT rules
 */
void desired_nat_bypass(struct hbpf_config *config);

#endif /* HBPF_DESIRED_H */
