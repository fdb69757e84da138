/* SPDX-License-Identifier: GPL-2.0-only */
/* The contents of a bridge's maps: as read from them, or as they should be. */
#ifndef HBPF_BRIDGE_STATE_H
#define HBPF_BRIDGE_STATE_H

#include <stdbool.h>

#include "dataplane/open.h"
#include "lib/error.h"
#include "model/exports.h"
#include "model/gateways.h"
#include "model/sources.h"

/* The lists of sources that attach fills: HBPF_LIST_HOST, _ONLINK and _BRIDGE. */
#define BRIDGE_STATE_LISTS HBPF_LIST_PORTS

struct bridge_state {
	struct hbpf_config config;
	struct exports exports;
	struct gateways gateways;
	struct sources lists[BRIDGE_STATE_LISTS];
};

/** bridge_state_read() - read all maps. Free with bridge_state_free(), also on failure */
int bridge_state_read(const struct dataplane *dp, struct bridge_state *state, struct error *err);
void bridge_state_free(struct bridge_state *state);

/** bridge_state_same_sources() - do both allow the same sources for ports without a --from? */
bool bridge_state_same_sources(const struct bridge_state *a, const struct bridge_state *b);

/** bridge_state_same_addresses() - the same sources, and the same gateways? */
bool bridge_state_same_addresses(const struct bridge_state *a, const struct bridge_state *b);

/**
 * bridge_state_write() - write a state into the maps, config last
 * @have:	Exports that are in the maps now
 *
 * Return: 0 or -errno, and then the maps may hold parts of both
 */
int bridge_state_write(struct dataplane *dp, const struct exports *have,
		       const struct bridge_state *state, struct error *err);

#endif /* HBPF_BRIDGE_STATE_H */
