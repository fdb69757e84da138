/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of gateways and of sources. */
#ifndef HBPF_SETS_H
#define HBPF_SETS_H

#include "dataplane/dataplane.h"

/** gateways_add() - put one in its place, or add to why it is there. Return: 0 or -ENOMEM */
int gateways_add(struct gateways *set, const struct hbpf_addr *addr, __u32 why);

/** gateways_has() - is it one of them? */
bool gateways_has(const struct gateways *set, const struct hbpf_addr *addr);

/** gateways_same() - are they the same ones, for the same reasons? Both are sorted */
bool gateways_same(const struct gateways *a, const struct gateways *b);

/** sources_have() - is this very prefix one of them? */
bool sources_have(const struct sources *set, const struct prefix *prefix);

/** sources_add() - put one at the end. Return: 0 or -ENOMEM */
int sources_add(struct sources *set, const struct source *source);

/** sources_sort() - by address and length, each prefix once: the one with a local4 if there is */
void sources_sort(struct sources *set);

/** sources_same() - are they the same ones? Both are sorted */
bool sources_same(const struct sources *a, const struct sources *b);

/**
 * sources_merge() - the fewest prefixes that cover the same addresses
 *
 * Sorts, drops what lies in another one, and joins halves: thousands of neighbouring addresses
 * become a few prefixes. What local4 says is lost.
 */
void sources_merge(struct sources *set);

/** sources_copy() - @to, which holds nothing, becomes like @from. Return: 0 or -ENOMEM */
int sources_copy(struct sources *to, const struct sources *from);

#endif /* HBPF_SETS_H */
