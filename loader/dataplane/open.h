/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a bridge: opened, checked, written, pinned. */
#ifndef HBPF_OPEN_H
#define HBPF_OPEN_H

#include "dataplane/dataplane.h"
#include "dataplane/pins.h"
#include "lib/error.h"

/** dataplane_init() - make it empty, so that dataplane_close() may be called; of the config only
 * the layout is set. @shared must outlive it */
void dataplane_init(struct dataplane *dp, struct shared *shared);
/** dataplane_close() - close what is the bridge's own; it is empty afterwards */
void dataplane_close(struct dataplane *dp);

/**
 * dataplane_open() - open what is pinned for a bridge
 * @ifindex:	of the bridge, 0 if it does not exist
 *
 * Return: 0, or
 *	-ENOENT: not attached
 *	-EPROTO: state of another layout, a map with another schema, or an option that is out of
 *		range; @err names it and the next step
 *	-ESTALE: a map is missing, as after a killed command
 *	-ENODEV: state of another namespace or interface index: the bridge was deleted or
 *		re-created. The maps are open and can be used
 *	or another -errno
 */
int dataplane_open(struct dataplane *dp, const struct pins *pins, const char *bridge,
		   unsigned int ifindex, struct error *err);

/**
 * dataplane_open_dead() - as dataplane_open(), but also if the bridge was deleted or re-created
 * @dead:	Set to whether it was
 *
 * Return: 0 or -errno, never -ENODEV
 */
int dataplane_open_dead(struct dataplane *dp, const struct pins *pins, const char *bridge,
			unsigned int ifindex, bool *dead, struct error *err);

/** dataplane_peek() - read only the config. Return: 0, or -errno as of dataplane_open() */
int dataplane_peek(const struct pins *pins, const char *bridge, struct hbpf_config *config);

/**
 * dataplane_open_remains() - as dataplane_open(), but opens what there is of an incomplete state
 * @ifindex:	To find the bridge's slot by, if its own map is missing
 *
 * Return: 0 if the slot is known, -ENOENT if nothing names it, or other -errno
 */
int dataplane_open_remains(struct dataplane *dp, const struct pins *pins, const char *bridge,
			   unsigned int ifindex, struct error *err);

/** dataplane_pin_record() - pin the map with the config: with it the state is complete. Return: 0
 * or -errno */
int dataplane_pin_record(const struct dataplane *dp, const struct pins *pins, const char *bridge,
			 struct error *err);

/** dataplane_write_config() - write dp->config, for the programs and for dataplane_open(); removes
 * the entry of a deleted bridge that this one replaces. Return: 0 or -errno */
int dataplane_write_config(struct dataplane *dp, struct error *err);

/** dataplane_delete_entry() - remove what the programs need to recognise the bridge with this index
 */
void dataplane_delete_entry(const struct dataplane *dp, unsigned int ifindex);

#endif /* HBPF_OPEN_H */
