/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is configured, in plain words: the bed writes it into the maps, the
 * model reads it as it stands, and packets are made of its addresses.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "wire.h"

struct world_export {
	int proto;
	uint16_t port; /* gateway's */
	const char *local4;
	uint16_t local_port;
	bool v6;           /* served at ::1, too */
	unsigned int list; /* its own list of sources; 0: none */
	bool inherit;      /* the bridge's policy, which is on-link */
	bool onlink;
};

struct world_source {
	unsigned int list; /* HBPF_LIST_* */
	const char *prefix;
	int bits;
	const char *local4; /* on-link: the bridge's address there */
};

/* The ways a bridge may be configured; one for a history of packets. */
struct setting {
	const char *name;
	bool docker0; /* two gateways of each family instead of one */
	bool guard_dst;
	const char *arp_sender; /* for neighbours that no on-link prefix covers; NULL: none */
};

struct world {
	const struct setting *setting;
	/* Does a test run's socket look bound to the wildcard? (It is the kernel's own one, and
	 * since 5.19 or so bound to the frame's source.) */
	bool wildcard[2]; /* by IPv6 or not */
};

#define BRIDGE      "br-test"
#define LIST_HOST   0
#define LIST_ONLINK 1
#define LIST_OWN    3 /* of one export */

extern const struct setting world_settings[];
extern const unsigned int world_setting_count;
extern const struct world_export world_exports[];
extern const unsigned int world_export_count;
extern const struct world_source world_sources[];
extern const unsigned int world_source_count;
extern const char *const world_gateways[2][2]; /* [IPv6 or not][the bridge's, docker0's] */
extern const uint8_t bridge_mac[6];
extern const uint8_t client_mac[6];

/** world_export_of() - what a gateway port leads to, or NULL */
const struct world_export *world_export_of(int proto, uint16_t port, bool v6);
/** world_local() - the loopback end of an export */
struct end world_local(const struct world_export *export, bool v6);
/**
 * world_service() - the exports that lead to a loopback end
 * @only:	The only one of them, or NULL
 * Return: how many
 */
unsigned int world_service(int proto, const struct end *local, bool v6,
			   const struct world_export **only);
/** world_gateway_count() - of one family */
unsigned int world_gateway_count(const struct world *world, bool v6);
bool world_is_gateway(const struct world *world, const struct ip *ip, bool v6);
/** world_allows() - may a source open flows to an export? */
bool world_allows(const struct world_export *export, const struct ip *ip, bool v6);
/** world_arp_sender() - the host's address to ask for an IPv4 neighbour with, or NULL */
const char *world_arp_sender(const struct world *world, const struct ip *ip);

#endif /* FUZZ_WORLD_H */
