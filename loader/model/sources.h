/* SPDX-License-Identifier: GPL-2.0-only */
/* Sources: prefixes whose addresses may use the ports. */
#ifndef HBPF_SOURCES_H
#define HBPF_SOURCES_H

#include <hbpf/maps.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

struct source {
	struct prefix prefix;
	__be32 local4; /* IPv4: preferred address of the host towards it, or 0 */
};

struct sources {
	struct source *v;
	size_t count;
};

void sources_free(struct sources *set);

/* The address families of clients. */
struct families {
	bool v4;
	bool v6;
};

/** families_has() - is the family of @addr one of them? */
bool families_has(const struct families *families, const struct hbpf_addr *addr);

/** sources_families() - add the families of the prefixes to @families */
void sources_families(const struct sources *set, struct families *families);

/** sources_have() - is exactly this prefix one of them? */
bool sources_have(const struct sources *set, const struct prefix *prefix);

/** sources_cover() - is the address in one of the prefixes? An IPv4 address is in no IPv6 prefix */
bool sources_cover(const struct sources *set, const struct hbpf_addr *addr);

/** sources_add() - append one. Return: 0 or -ENOMEM */
int sources_add(struct sources *set, const struct source *source);

/** sources_sort() - by address and length, without duplicates; of those the one with a local4 stays
 */
void sources_sort(struct sources *set);

/** sources_same() - are they the same? Both must be sorted */
bool sources_same(const struct sources *a, const struct sources *b);

/**
 * sources_merge() - reduce to the fewest prefixes that cover the same addresses
 *
 * Sorts, drops prefixes within others, and joins halves, so that thousands of adjacent addresses
 * become a few prefixes. Clears local4.
 */
void sources_merge(struct sources *set);

/** sources_copy() - copy to an empty list. Return: 0 or -ENOMEM */
int sources_copy(struct sources *to, const struct sources *from);

#endif /* HBPF_SOURCES_H */
