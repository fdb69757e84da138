/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a bridge uses: the programs and maps that it shares with all bridges of its network
 * namespace, and its own configuration. open.h and load.h make it, the other headers read
 * and write. What belongs to the bridge has its slot in the maps' keys (map_io.h).
 */
#ifndef HBPF_DATAPLANE_H
#define HBPF_DATAPLANE_H

#include <hbpf/map_list.h>
#include <net/if.h>
#include <stdbool.h>

#include "dataplane/kv_array.h"

enum dataplane_map {
#define X(id, name, type, key, value, entries, flags) MAP_##id,
	HBPF_MAPS(X)
#undef X
		MAP_COUNT,
	MAP_GROWING = MAP_PORT_STATS + 1, /* how many of them grow: the first ones */
};

enum dataplane_program {
	PROGRAM_INGRESS,
	PROGRAM_EGRESS,
	PROGRAM_BACKSTOP,
	PROGRAM_COUNT,
};

/* All entries of a map, as they were when it was read. */
struct map_copy {
	bool taken;
	struct kv_array entries; /* a value for each CPU in per-CPU maps */
};

/* What all bridges of the namespace share. */
struct shared {
	bool opened;                      /* what is pinned was opened */
	int maps[MAP_COUNT];              /* fds, -1 where there is none */
	int arrays[MAP_GROWING];          /* fds of the arrays that hold the first of them; or -1 */
	int programs[PROGRAM_COUNT];      /* fds; the backstop's is -1 if the kernel has no tcx */
	bool loaded;                      /* the programs are not pinned yet */
	bool nat_bypass_built;            /* the programs can bypass NAT */
	char nat_bypass_unavailable[256]; /* why the build with NAT bypass did not load; or empty */
	bool reads_once;                  /* set it to read each map once for all bridges */
	struct map_copy copies[MAP_COUNT];
};

/* What one bridge uses. */
struct dataplane {
	struct shared *shared;
	char bridge[IFNAMSIZ];     /* the name given to dataplane_open() */
	int record;                /* fd of the bridge's own map, which holds the config; or -1 */
	unsigned int entry;        /* index of the bridge's entry in the bridges map, 0: none */
	struct hbpf_config config; /* as read; write it back with dataplane_write_config() */
};

#endif /* HBPF_DATAPLANE_H */
