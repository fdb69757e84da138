/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/sources.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

bool sources_have(const struct sources *set, const struct prefix *prefix)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->v[i].prefix.len == prefix->len &&
		    addr_equal(&set->v[i].prefix.addr, &prefix->addr))
			return true;
	}
	return false;
}

bool sources_cover(const struct sources *set, const struct hbpf_addr *addr)
{
	for (size_t i = 0; i < set->count; i++) {
		if (prefix_has(&set->v[i].prefix, addr))
			return true;
	}
	return false;
}

bool families_has(const struct families *families, const struct hbpf_addr *addr)
{
	return addr_is_v4(addr) ? families->v4 : families->v6;
}

void sources_families(const struct sources *set, struct families *families)
{
	for (size_t i = 0; i < set->count; i++) {
		if (addr_is_v4(&set->v[i].prefix.addr))
			families->v4 = true;
		else
			families->v6 = true;
	}
}

int sources_copy(struct sources *to, const struct sources *from)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < from->count; i++)
		ret = sources_add(to, &from->v[i]);
	return ret;
}

void sources_free(struct sources *set)
{
	free(set->v);
	*set = (struct sources){};
}

int sources_add(struct sources *set, const struct source *source)
{
	return ARRAY_ADD(set, *source);
}

static int compare_prefixes(const struct prefix *a, const struct prefix *b)
{
	int order = addr_compare(&a->addr, &b->addr);

	return order ? order : a->len - b->len;
}

static int compare_sources(const void *a, const void *b)
{
	const struct source *x = a, *y = b;
	int order = compare_prefixes(&x->prefix, &y->prefix);

	if (order)
		return order;
	return memcmp(&y->local4, &x->local4, sizeof(x->local4)); /* 0 last */
}

void sources_sort(struct sources *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->v, set->count, sizeof(*set->v), compare_sources);
	for (size_t i = 0; i < set->count; i++) {
		if (!kept || compare_prefixes(&set->v[kept - 1].prefix, &set->v[i].prefix))
			set->v[kept++] = set->v[i];
	}
	set->count = kept;
}

bool sources_same(const struct sources *a, const struct sources *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (compare_prefixes(&a->v[i].prefix, &b->v[i].prefix) ||
		    a->v[i].local4 != b->v[i].local4)
			return false;
	}
	return true;
}

/* 0.0.0.0/0 is ::ffff:0:0/96, but must not be joined with other IPv6 prefixes. */
static bool is_half(const struct prefix *prefix)
{
	return prefix->len > (addr_is_v4(&prefix->addr) ? V4_MAPPED_BITS : 0);
}

static bool are_halves(const struct prefix *a, const struct prefix *b)
{
	struct prefix whole;

	if (a->len != b->len || !is_half(a))
		return false;
	whole = prefix_of(a->addr, a->len - 1);
	return prefix_has(&whole, &b->addr);
}

void sources_merge(struct sources *set)
{
	size_t kept = 0;

	sources_sort(set);
	for (size_t i = 0; i < set->count; i++) {
		struct prefix next = set->v[i].prefix;

		if (kept && prefix_has(&set->v[kept - 1].prefix, &next.addr))
			continue;
		while (kept && are_halves(&set->v[kept - 1].prefix, &next))
			next = prefix_of(next.addr, set->v[--kept].prefix.len - 1);
		set->v[kept++] = (struct source){ .prefix = next };
	}
	set->count = kept;
}
