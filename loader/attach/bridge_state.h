/* SPDX-License-Identifier: GPL-2.0-only */
/* The contents of a dataplane's maps at one moment, to go back to when a command fails halfway. */
#ifndef HBPF_BRIDGE_STATE_H
#define HBPF_BRIDGE_STATE_H

#include <stdbool.h>
#include "dataplane/dataplane.h"

/* The lists of sources that attach fills: HBPF_LIST_HOST, _ONLINK and _BRIDGE. */
#define SNAPSHOT_LISTS HBPF_LIST_PORTS

struct snapshot {
	struct hbpf_config config;
	struct exports exports;
	struct gateways gateways;
	struct sources lists[SNAPSHOT_LISTS];
};

/** snapshot_take() - read everything. Free with snapshot_free(), also on failure */
int snapshot_take(const struct dataplane *dp, struct snapshot *snapshot, struct error *err);
void snapshot_free(struct snapshot *snapshot);

/** snapshot_same_sources() - do both let the same sources in, where ports have no --from? */
bool snapshot_same_sources(const struct snapshot *a, const struct snapshot *b);

/** snapshot_same_addresses() - the same, and have both the same gateways? */
bool snapshot_same_addresses(const struct snapshot *a, const struct snapshot *b);

/**
 * snapshot_write() - make the maps hold a snapshot, config last
 * @have:	Exports that the maps hold now
 *
 * Return: 0 or -errno, and then the maps may hold some of both
 */
int snapshot_write(struct dataplane *dp, const struct exports *have,
		   const struct snapshot *snapshot, struct error *err);

#endif /* HBPF_BRIDGE_STATE_H */
