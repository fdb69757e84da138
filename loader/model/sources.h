/* SPDX-License-Identifier: GPL-2.0-only */
/* Prefixes that may use the ports. */
#ifndef HBPF_SOURCES_H
#define HBPF_SOURCES_H

#include <hbpf/maps.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

struct source {
	struct prefix prefix;
	__be32 local4;
};

struct sources {
	struct source *v;
	size_t count;
};

void sources_free(struct sources *set);

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

#endif /* HBPF_SOURCES_H */
