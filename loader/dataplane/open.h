/* SPDX-License-Identifier: GPL-2.0-only */
/* The pinned maps of a bridge: opened, checked, pinned. */
#ifndef HBPF_OPEN_H
#define HBPF_OPEN_H

#include "dataplane/dataplane.h"
#include "dataplane/pins.h"
#include "lib/error.h"

/** dataplane_init() - make it empty, so that dataplane_close() may be called; of the config only
 * the layout is set */
void dataplane_init(struct dataplane *dp);
/** dataplane_close() - close the maps, and unload the programs that are not attached or pinned; it
 * is empty afterwards */
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

/** dataplane_peek() - read only the config. Return: 0, or -errno as of dataplane_open() */
int dataplane_peek(const struct pins *pins, const char *bridge, struct hbpf_config *config);

/** dataplane_pin() - pin the maps, the config last: with it the state is complete. Return: 0 or
 * -errno, and then nothing is pinned */
int dataplane_pin(const struct dataplane *dp, const struct pins *pins, const char *bridge,
		  struct error *err);

/** dataplane_write_config() - write dp->config into its map. Return: 0 or -errno */
int dataplane_write_config(struct dataplane *dp, struct error *err);

#endif /* HBPF_OPEN_H */
