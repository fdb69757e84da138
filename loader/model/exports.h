/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of exports: those that are requested, and those in the map. */
#ifndef HBPF_EXPORTS_H
#define HBPF_EXPORTS_H

#include <hbpf/maps.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "model/port_spec.h"

/* Aligned, so that large sets are moved in whole words. */
struct export
{
	struct hbpf_export_key key;
	struct hbpf_export to;
}
__attribute__((aligned(8)));

/* Sorted by key, as memcmp() orders it: by protocol, then port. No two have the same key. All zero
 * is an empty set. */
struct exports {
	struct export *v;
	size_t count;
	size_t room;
};

/** exports_free() - release the memory; the set is empty after, and may be used again */
void exports_free(struct exports *set);
/** exports_copy() - @to must be empty. Return: 0 or -ENOMEM */
int exports_copy(struct exports *to, const struct exports *from);

/** exports_find() - Return: the export of a gateway port, or NULL. @port in network byte order
 */
const struct export *exports_find(const struct exports *set, __u8 proto, __be16 port);

/**
 * export_leads_to() - is this a loopback end of the export: its address for IPv4, or ::1?
 * @port:	Network byte order
 */
bool export_leads_to(const struct export *export, const struct hbpf_addr *addr, __be16 port);

/**
 * exports_add() - add every port of a SPEC
 * @set:	Grows; unchanged on failure
 * @spec:	What to add
 * @from:	Who may use the ports; NULL: inherit (new exports) or unchanged (existing ones)
 * @fresh:	true: refuse a port that @set already has, even with the same destination (for
 *		duplicates on one command line); false: refuse it only with another destination
 * @err:	Names both, as "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.1:9090"
 *
 * Return: 0, -EEXIST or -ENOMEM
 */
int exports_add(struct exports *set, const struct port_spec *spec, const struct hbpf_policy *from,
		bool fresh, struct error *err);

/**
 * exports_del() - remove every gateway port of a SPEC
 * @spec:	If it has a loopback port or address, that must match; without a protocol it is tcp
 * @err:	Names the first port that is not in the set, or has another destination
 *
 * Return: 0 or -ENOENT; @set is unchanged on failure
 */
int exports_del(struct exports *set, const struct port_spec *spec, struct error *err);

/**
 * exports_diff() - compare two sets
 * @changed:	Exports of @want that are not in @have with the same value
 * @closed:	Exports of @have whose connections end: not in @want, or there with another
 *		destination or without IPv6. Values are those of @have
 *
 * @changed and @closed must be empty. Return: 0 or -ENOMEM
 */
int exports_diff(const struct exports *have, const struct exports *want, struct exports *changed,
		 struct exports *closed);

/*
 * Exports that one SPEC can express: consecutive gateway ports of one protocol, with consecutive
 * loopback ports of one address and one policy. 80 and 81 that both lead to 8080 are two ranges.
 */
struct export_range {
	const struct export *first;
	size_t count;
};

/**
 * exports_next_range() - iterate over the ranges of a set
 * @range:	Start with all zero; filled with the next range
 * Return: was there one?
 */
bool exports_next_range(const struct exports *set, struct export_range *range);

#define EXPORT_RANGE_STRLEN 64
/**
 * export_range_format() - the SPEC of a range: "8088/tcp", "8000-8010:9000-9010/tcp",
 * "53:127.0.0.2:53/udp"
 * @buf:	at least EXPORT_RANGE_STRLEN bytes; returned
 */
const char *export_range_format(const struct export_range *range, char *buf);

#endif /* HBPF_EXPORTS_H */
