/* SPDX-License-Identifier: GPL-2.0-only */
/* The checks by their field. Those with a list of findings also give attach its warnings. */
#ifndef HBPF_CHECKS_H
#define HBPF_CHECKS_H

#include "attach/bridge_state.h"
#include "dataplane/hook.h"
#include "docdir.h"
#include "doctor/doctor.h"

/* Where findings send the reader. */
#define SERVICES_MD HBPF_DOCDIR "/docs/SERVICES.md"

/* ---- host.c ---- */

void check_privileges(struct doctor_report *report);
void check_kernel(struct doctor_report *report);

/* ---- bridge.c ---- */

void check_hooks(const struct doctor_bridge *bridge, struct doctor_report *report);
void check_bridge(const struct doctor_bridge *bridge, struct doctor_report *report);
void check_gateways(const struct doctor_bridge *bridge, struct doctor_report *report);
void check_clients(const struct doctor_bridge *bridge, struct doctor_report *report);

/** hook_side_name() - "ingress" or "egress" */
const char *hook_side_name(enum hook_side side);
/** find_order() - find programs of others that run before hbpf's. @hooks: HOOK_SIDES of them */
void find_order(const struct hook_state *hooks, const char *bridge, struct findings *findings);
/** find_lan() - find physical interfaces in the bridge */
void find_lan(const struct host *host, const struct link *bridge, struct findings *findings);
/** find_advertised() - find addresses that are no gateways because they have a lifetime */
void find_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways, struct findings *findings);
/** find_foreign_gateways() - find addresses of --gateway that this host does not have */
void find_foreign_gateways(const struct host *host, const struct gateways *gateways,
			   struct findings *findings);
/**
 * find_family() - find an address family that has gateways, but no client
 * @config:	With the bridge's policy
 * @onlink:	The networks on its link
 * @own:	Those of --from of attach
 */
void find_family(const struct hbpf_config *config, const struct exports *exports,
		 const struct gateways *gateways, const struct sources *onlink,
		 const struct sources *own, struct findings *findings);

/* ---- settings.c ---- */

void check_settings(const struct doctor_bridge *bridge, struct doctor_report *report);
void check_guard(const struct doctor_bridge *bridge, struct doctor_report *report);

/** guard_describe() - what the guard drops, and if it is off, why */
const char *guard_describe(const struct hbpf_config *config);

/* ---- services.c ---- */

void check_ports(const struct doctor_bridge *bridge, struct doctor_report *report);
void check_services(const struct doctor_bridge *bridge, struct doctor_report *report);

/** find_local_range() - find ports that the host may use for its outgoing connections */
void find_local_range(const struct exports *exports, struct findings *findings);
/**
 * find_odd_services() - find services that cannot answer through hbpf, or need no hbpf
 * @listeners:	Of @exports, with their processes
 */
void find_odd_services(const struct exports *exports, const struct listeners *listeners,
		       struct findings *findings);

/* ---- published.c ---- */

/* Whether NAT rules serve a port that nothing listens on. All zero but for the rules. */
struct published {
	struct ruleset *rules; /* of the host, read when they are first needed */
	bool asked;            /* whether the host has NAT rules: */
	bool nat;
	size_t judged; /* ports so far */
};

/**
 * published_find() - find the NAT rule that takes the host's own connections to a port
 * @export:	Nothing listens on its port
 * @family:	LISTENER_V4 or LISTENER_V6
 *
 * Return: true if a finding was added; false also if the rules cannot be read or judged, and after
 * a limit of ports
 */
bool published_find(struct published *published, const struct export *export, int family,
		    struct findings *findings);
/** find_published() - the same for all ports of a set that nothing listens on */
void find_published(const struct exports *exports, const struct listeners *listeners,
		    struct findings *findings);

/* ---- netfilter.c ---- */

void check_netfilter(const struct doctor_bridge *bridge, struct doctor_report *report);

/** find_strict_conntrack() - find strict connection tracking that sees the bridge's packets */
void find_strict_conntrack(const char *bridge, unsigned int ifindex, struct findings *findings);

/* ---- probe.c ---- */

/** check_probe() - connect to a port from a network namespace that is joined to the bridge */
void check_probe(const struct doctor_bridge *bridge, struct doctor_report *report);

#endif /* HBPF_CHECKS_H */
