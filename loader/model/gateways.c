/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/gateways.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

bool gateways_has(const struct gateways *set, const struct hbpf_addr *addr)
{
	for (size_t i = 0; i < set->count; i++) {
		if (addr_equal(&set->v[i].addr, addr))
			return true;
	}
	return false;
}

int gateways_add(struct gateways *set, const struct hbpf_addr *addr, __u32 why)
{
	const struct gateway gateway = { .addr = *addr, .why = why };
	size_t at = 0;

	while (at < set->count && addr_compare(&set->v[at].addr, addr) < 0)
		at++;
	if (at < set->count && addr_equal(&set->v[at].addr, addr)) {
		set->v[at].why |= why;
		return 0;
	}
	if (ARRAY_ADD(set, gateway))
		return -ENOMEM;
	memmove(&set->v[at + 1], &set->v[at], (set->count - 1 - at) * sizeof(gateway));
	set->v[at] = gateway;
	return 0;
}

void gateways_free(struct gateways *set)
{
	free(set->v);
	*set = (struct gateways){};
}

bool gateways_same(const struct gateways *a, const struct gateways *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!addr_equal(&a->v[i].addr, &b->v[i].addr) || a->v[i].why != b->v[i].why)
			return false;
	}
	return true;
}
