/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of exports in memory: what the user asks for and what the map holds. */
#ifndef HBPF_EXPORTS_H
#define HBPF_EXPORTS_H

#include <hbpf/maps.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"
#include "model/port_spec.h"

struct export
{
	struct hbpf_export_key key;
	struct hbpf_export to;
};

/* Sorted by protocol, then port; no two with the same key. All zero is an empty set. */
struct exports {
	struct export *v;
	size_t count;
	size_t room;
};

/** exports_free() - release its memory; the set is empty then, and may be used again */
void exports_free(struct exports *set);
/** exports_copy() - @to must be empty. Return: 0 or -ENOMEM */
int exports_copy(struct exports *to, const struct exports *from);

/** exports_find() - Return: the export of that gateway port, or NULL. @port in network byte order
 */
const struct export *exports_find(const struct exports *set, __u8 proto, __be16 port);

/**
 * exports_put_all() - add exports, or replace those with their keys, as a map dump yields them
 * @v:		In any order (it is sorted in place); of two with one key either stays
 * @count:	of @v
 *
 * This is n log n work, where a put for each would move half of the set every time.
 *
 * Return: 0 or -ENOMEM; @set is unchanged on failure
 */
int exports_put_all(struct exports *set, struct export *v, size_t count);

/**
 * exports_add() - add every port of a SPEC
 * @set:	Grows; unchanged on failure
 * @spec:	What to add
 * @from:	Who may use the ports; NULL: inherit (a new export) or leave as it is (an old one)
 * @fresh:	With true a port that @set already has, even to the same place, is refused
 *		(a duplicate on one command line); with false only one that leads elsewhere
 * @err:	Names both, as "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.1:9090"
 *
 * Return: 0, -EEXIST or -ENOMEM
 */
int exports_add(struct exports *set, const struct port_spec *spec, const struct hbpf_policy *from,
		bool fresh, struct error *err);

/**
 * exports_del() - take away every gateway port of a SPEC
 * @spec:	Where its loopback port or its address is given, that must match the export's;
 *		without a protocol tcp is meant, as everywhere
 * @err:	Names the first port that is not there, or leads elsewhere
 *
 * Return: 0 or -ENOENT; @set is unchanged on failure
 */
int exports_del(struct exports *set, const struct port_spec *spec, struct error *err);

/**
 * exports_diff() - what has to be done to make @have into @want
 * @put:	Exports of @want that @have lacks or has with another value
 * @gone:	Exports of @have whose key @want lacks, or whose loopback end it moves or takes
 *		IPv6 from: the connections of these end. Values are those of @have
 *
 * @put and @gone must be empty. Return: 0 or -ENOMEM
 */
int exports_diff(const struct exports *have, const struct exports *want, struct exports *put,
		 struct exports *gone);

/*
 * Runs of exports that one line, and one SPEC, can show: consecutive gateway
 * ports of one protocol that lead to consecutive loopback ports of one address
 * with one policy. 80 and 81 that both lead to 8080 are two runs.
 */
struct export_range {
	const struct export *first;
	size_t count;
};

/**
 * exports_next_range() - walk a set range by range
 * @range:	Start with all zero; filled with the next range
 * Return: true while there is one
 */
bool exports_next_range(const struct exports *set, struct export_range *range);

#define EXPORT_RANGE_STRLEN 64
/**
 * export_range_format() - as a SPEC that would make it: "8088/tcp", "8000-8010:9000-9010/tcp",
 * "53:127.0.0.2:53/udp"
 * @buf:	at least EXPORT_RANGE_STRLEN bytes; returned
 */
const char *export_range_format(const struct export_range *range, char *buf);

#endif /* HBPF_EXPORTS_H */
