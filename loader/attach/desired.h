/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dataplane has to know of the host, worked out from its interfaces
 * and addresses: the gateways, who is on the bridge's links, and whether guard
 * and pinning are wanted.
 */
#ifndef HBPF_DESIRED_H
#define HBPF_DESIRED_H

#include "attach/attachment.h"
#include "model/gateways.h"
#include "model/sources.h"

/**
 * address_is_gateway() - may clients dial this address of an interface?
 *
 * Not link-local IPv6, loopback, and what router advertisements brought: a client can send those.
 */
bool address_is_gateway(const struct link_addr *own, const struct link *link);

/**
 * desired_gateways() - every address clients may dial
 * @asked:	Those of --gateway
 * @set:	Sorted; free with gateways_free()
 *
 * The bridge's own, docker0's where it exists (Docker's host-gateway is that address for containers
 * of every network), and @asked.
 * Return: 0 or -ENOMEM
 */
int desired_gateways(const struct host *host, const struct link *bridge,
		     const struct gateways *asked, struct gateways *set);

/**
 * desired_arp_sender() - set config.arp_sender4: the bridge's first IPv4 address, else a gateway
 * that is an address of this host, else 0
 */
void desired_arp_sender(const struct host *host, const struct link *bridge,
			const struct gateways *gateways, struct hbpf_config *config);

/**
 * desired_onlink() - the prefixes on the bridge's link: who is a client
 * @set:	Empty; sorted, free with sources_free(), also on failure
 *
 * Those of its addresses, and of routes over it without a gateway that somebody made (`ip route add
 * 192.0.2.20 dev br-test`). What router advertisements say does not count, nor do default routes.
 * Return: 0 or -errno
 */
int desired_onlink(const struct host *host, const struct link *bridge, struct sources *set,
		   struct error *err);

/**
 * desired_own() - what is the host's own, which no client may use
 * @set:	Empty; sorted, free with sources_free(), also on failure
 *
 * All addresses, and the local and anycast routes of all tables but local default routes.
 * Return: 0 or -errno
 */
int desired_own(const struct host *host, struct sources *set, struct error *err);

/**
 * desired_guard() - set config.guard_dst and guard_shared from config.guard_option, for the bridge
 * config.ifindex
 * Return: 0 or -errno
 */
int desired_guard(const struct pins *pins, const char *bridge, struct hbpf_config *config,
		  struct error *err);

/** desired_nat_bypass() - set config.pin from config.nat_bypass_option, nat_bypass_built and the
 * host's NAT rules */
void desired_nat_bypass(struct hbpf_config *config);

#endif /* HBPF_DESIRED_H */
