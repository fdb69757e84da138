/* SPDX-License-Identifier: GPL-2.0-only */
/* The bridges that have state in this network namespace. */
#ifndef HBPF_PINS_BRIDGES_H
#define HBPF_PINS_BRIDGES_H

#include "dataplane/pins.h"

struct pins_bridges {
	char (*names)[IFNAMSIZ]; /* of the state; sorted */
	/* pins_bridges() copies the names to these two; attachment_bridges() corrects them */
	char (*current)[IFNAMSIZ];     /* the bridge's present name */
	char (*attached_as)[IFNAMSIZ]; /* its name when it was attached */
	unsigned int *ifindexes; /* 0; attachment_bridges() fills them: see attachment_ifindex() */
	size_t count;
};

/** pins_bridges() - bridges with state in this namespace, also deleted ones. Return: 0 or -errno */
int pins_bridges(const struct pins *pins, struct pins_bridges *bridges, struct error *err);
void pins_bridges_free(struct pins_bridges *bridges);

/**
 * pins_remove_shared() - remove the shared maps and programs, of every layout, unless a bridge
 * other than @bridge still has state. Return: 1: one has; 0: removed; or -errno
 */
int pins_remove_shared(const struct pins *pins, const char *bridge, struct error *err);

#endif /* HBPF_PINS_BRIDGES_H */
