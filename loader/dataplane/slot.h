/* SPDX-License-Identifier: GPL-2.0-only */
/* The slots of bridges, which mark a bridge's entries in the shared maps, and their numbers, which
 * are the lowest possible. */
#ifndef HBPF_SLOT_H
#define HBPF_SLOT_H

#include "dataplane/dataplane.h"
#include "lib/error.h"

/**
 * slot_claim() - find a free slot and number for a bridge that is not attached yet
 * @dp:		Its maps are open, and config.ifindex is set; config.slot and
 *		config.number are set to those found
 *
 * They belong to the bridge once dataplane_write_config() has been called. Entries that a killed
 * command left in the slot are removed. Return: 0 or -errno
 */
int slot_claim(struct dataplane *dp, struct error *err);

/**
 * slot_release() - remove everything that the bridge has in the maps, last its entry in the bridges
 * map: with that slot and number are free. Maps that are not open are left out. Return: 0 or -errno
 */
int slot_release(struct dataplane *dp, struct error *err);

#endif /* HBPF_SLOT_H */
