/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The schema, that is type, sizes and flags, which a map must have before it is read. The kernel
 * writes keys and values of the map's own size, and another program may have pinned any map under
 * our name.
 */
#ifndef HBPF_MAP_SCHEMA_H
#define HBPF_MAP_SCHEMA_H

#include <linux/types.h>
#include <stdbool.h>

#include "dataplane/dataplane.h"
#include "lib/error.h"

/* As bpf_map_create() takes them; max_entries is 0 for socket storage. */
struct map_schema {
	const char *name; /* in the object file, and as it is pinned */
	__u32 type;       /* enum bpf_map_type */
	__u32 key_size;
	__u32 value_size; /* of one CPU where each has its own */
	__u32 max_entries;
	__u32 flags; /* BPF_F_* */
	bool grows;  /* max_entries is what it begins with */
};

/** map_schema() - the schema of a map in <hbpf/map_list.h> */
const struct map_schema *map_schema(enum dataplane_map map);

/** map_schema_array() - that of the arrays which hold the maps that grow */
const struct map_schema *map_schema_array(void);

/** map_slot_at() - where the bridge's slot is in the map's keys: offset in bytes, 0 if it is not */
__u32 map_slot_at(enum dataplane_map map);

/** map_schema_record() - that of the map of one bridge, which holds its config */
const struct map_schema *map_schema_record(void);

/**
 * map_schema_check() - does a map have this schema?
 * @fd:		Of any BPF object
 * @path:	Where it is pinned, for @err
 * @err:	Names the first attribute that differs
 *
 * Return: 0, -EPROTO if it does not, or other -errno
 */
int map_schema_check(int fd, const struct map_schema *schema, const char *path, struct error *err);

#endif /* HBPF_MAP_SCHEMA_H */
