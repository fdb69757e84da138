/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bridge has in a map, into memory and back, for the other files here: in batches
 * where the kernel has them for that kind of map, else entry by entry. Only here are the
 * slots in the keys: in memory they are 0.
 */
#ifndef HBPF_MAP_IO_H
#define HBPF_MAP_IO_H

#include "dataplane/dataplane.h"
#include "dataplane/kv_array.h"
#include "lib/error.h"

/** map_error() - error_set() with "cannot @verb the ... map" or, when writing, that it is full */
int map_error(struct error *err, int code, enum dataplane_map map, const char *verb);

/** map_hint_reattach() - error_hint() for state that only detaching and attaching again repairs */
void map_hint_reattach(struct error *err, const struct dataplane *dp);

/**
 * map_walk() - visit every entry that the bridge has in a hash or LPM map
 * @visit:	Gets each key and value (of a per-CPU map: one for each possible CPU); anything
 *		but 0 ends the walk
 *
 * Entries that the programs change meanwhile may be visited or not. Return: 0 or -errno
 */
int map_walk(const struct dataplane *dp, enum dataplane_map map,
	     int (*visit)(const void *key, const void *value, void *context), void *context,
	     struct error *err);

/** map_read() - all entries into an empty table with the map's sizes, sorted; fails as map_walk()
 */
int map_read(const struct dataplane *dp, enum dataplane_map map, struct kv_array *table,
	     struct error *err);

/** map_delete() - delete the keys of a table; what is not there is no error. Return: 0 or -errno */
int map_delete(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *table,
	       struct error *err);

/**
 * map_replace() - make a map that holds @have hold @want, both sorted
 *
 * What stays is never absent, and the new is there before the old goes, unless it has no room
 * beside it. On failure the map holds @have again. Return: 0 or -errno
 */
int map_replace(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *have,
		const struct kv_array *want, struct error *err);

/** map_extend() - the same, but what only @have has stays as well, as long as there is room */
int map_extend(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *have,
	       const struct kv_array *want, struct error *err);

/** map_values() - how many values a lookup in a per-CPU map gives. Return: that or -errno */
int map_values(void);

#endif /* HBPF_MAP_IO_H */
