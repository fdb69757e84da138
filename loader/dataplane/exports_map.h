/* SPDX-License-Identifier: GPL-2.0-only */
/* The exports map, and the reverse map that follows from it. */
#ifndef HBPF_EXPORTS_MAP_H
#define HBPF_EXPORTS_MAP_H

#include "dataplane/dataplane.h"
#include "lib/error.h"
#include "model/exports.h"

/** dataplane_exports() - read the exports into an empty set. Return: 0 or -errno */
int dataplane_exports(const struct dataplane *dp, struct exports *set, struct error *err);

/**
 * dataplane_set_exports() - make the exports and reverse maps hold @want
 * @have:	The exports that are in the map now
 *
 * New and changed entries are written before others are deleted, so an export that stays is never
 * absent. From the reverse map nothing is deleted: the RST of a closed connection still needs it,
 * until dataplane_sweep(). On failure the maps hold @have again. Return: 0 or -errno (-E2BIG,
 * -ENOSPC: the map is full)
 */
int dataplane_set_exports(struct dataplane *dp, const struct exports *have,
			  const struct exports *want, struct error *err);

#endif /* HBPF_EXPORTS_MAP_H */
