/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a map has to look like before anything in it is read. The kernel writes as
 * many bytes for a key or a value as the map says, and whoever is root may have
 * pinned any map under a name of ours.
 */
#ifndef HBPF_MAP_SCHEMA_H
#define HBPF_MAP_SCHEMA_H

#include <linux/types.h>

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
};

/** map_schema() - how bpf/maps.h has that map */
const struct map_schema *map_schema(enum dataplane_map map);

/**
 * map_schema_check() - is it a map of this form?
 * @fd:		Of any BPF object
 * @path:	Where it is pinned, for @err
 * @err:	Names the first attribute that is another
 *
 * Return: 0, -EPROTO where it is not, or -errno where the kernel does not tell
 */
int map_schema_check(int fd, const struct map_schema *form, const char *path, struct error *err);

#endif /* HBPF_MAP_SCHEMA_H */
