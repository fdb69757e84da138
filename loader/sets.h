/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of gateways and of sources. */
#ifndef HBPF_SETS_H
#define HBPF_SETS_H

#include "dataplane.h"

/** gateways_add() - put one in its place, or add to why it is there. Return: 0 or -ENOMEM */
int gateways_add(struct gateways *set, const struct hbpf_addr *addr, __u32 why);

/** gateways_has() - is it one of them? */
bool gateways_has(const struct gateways *set, const struct hbpf_addr *addr);

/** gateways_same() - are they the same ones, for the same reasons? Both are sorted */
bool gateways_same(const struct gateways *a, const struct gateways *b);

/** sources_have() - is this very prefix one of them? */
bool sources_have(const struct sources *set, const struct prefix *prefix);

/** sources_copy() - @to, which holds nothing, becomes like @from. Return: 0 or -ENOMEM */
int sources_copy(struct sources *to, const struct sources *from);

#endif /* HBPF_SETS_H */
