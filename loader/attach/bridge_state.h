/* SPDX-License-Identifier: GPL-2.0-only */
/* The contents of a dataplane's maps at one moment, to go back to when a command fails halfway. */
#ifndef HBPF_BRIDGE_STATE_H
#define HBPF_BRIDGE_STATE_H

#include <stdbool.h>

#include "dataplane/dataplane.h"

/* The lists of sources that attach fills: HBPF_LIST_HOST, _ONLINK and _BRIDGE. */
#define SNAPSHOT_LISTS HBPF_LIST_PORTS

struct bridge_state {
	struct hbpf_config config;
	struct exports exports;
	struct gateways gateways;
	struct sources lists[SNAPSHOT_LISTS];
};

/** bridge_state_take() - read everything. Free with bridge_state_free(), also on failure */
int bridge_state_take(const struct dataplane *dp, struct bridge_state *snapshot, struct error *err);
void bridge_state_free(struct bridge_state *snapshot);

/** bridge_state_same_sources() - do both let the same sources in, where ports have no --from? */
bool bridge_state_same_sources(const struct bridge_state *a, const struct bridge_state *b);

/** bridge_state_same_addresses() - the same, and have both the same gateways? */
bool bridge_state_same_addresses(const struct bridge_state *a, const struct bridge_state *b);

/**
 * bridge_state_write() - make the maps hold a snapshot, config last
 * @have:	Exports that the maps hold now
 *
 * Return: 0 or -errno, and then the maps may hold some of both
 */
int bridge_state_write(struct dataplane *dp, const struct exports *have,
		       const struct bridge_state *snapshot, struct error *err);

#endif /* HBPF_BRIDGE_STATE_H */
