/* SPDX-License-Identifier: GPL-2.0-only */
/* Gateways: the addresses that clients dial. */
#ifndef HBPF_GATEWAYS_H
#define HBPF_GATEWAYS_H

#include <hbpf/maps.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

struct gateway {
	struct hbpf_addr addr;
	__u32 why; /* HBPF_GATEWAY_* set */
};

struct gateways {
	struct gateway *v; /* sorted by address, IPv4 first */
	size_t count;
};

void gateways_free(struct gateways *set);

/** gateways_add() - insert one, or add to the reasons of an existing one. Return: 0 or -ENOMEM */
int gateways_add(struct gateways *set, const struct hbpf_addr *addr, __u32 why);

/** gateways_has() - is it one of them? */
bool gateways_has(const struct gateways *set, const struct hbpf_addr *addr);

/** gateways_same() - are they the same, for the same reasons? */
bool gateways_same(const struct gateways *a, const struct gateways *b);

#endif /* HBPF_GATEWAYS_H */
