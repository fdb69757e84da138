/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridges whose pinned state was lost: the bpffs was unmounted, or the files in it were removed.
 * Their ports do not work, but route_localnet is still on. As long as the backstop is attached, or
 * on kernels without tcx the clsact filter, nothing else is open: status shows "guard only".
 * Without them it shows "EXPOSED".
 */
#ifndef HBPF_LOST_BRIDGES_H
#define HBPF_LOST_BRIDGES_H

#include "attach/attachment.h"

struct lost_bridge {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	bool guarded; /* a backstop or the guard is attached; otherwise loopback is open */
	bool live;    /* the programs are attached: the state is in another bpffs */
};

struct lost_bridges {
	struct lost_bridge *v;
	size_t count;
};

/**
 * lost_bridges_find() - find them among the bridges without state
 * @bridges:	Those with state, of attachment_bridges()
 * @list:	Filled; free with lost_bridges_free()
 *
 * Return: 0 or -errno
 */
int lost_bridges_find(const struct pins_bridges *bridges, const struct host *host,
		      struct lost_bridges *list, struct error *err);
void lost_bridges_free(struct lost_bridges *list);

/** lost_bridges_get() - Return: the one of that name, within @list, or NULL */
const struct lost_bridge *lost_bridges_get(const struct lost_bridges *list, const char *name);

/** lost_bridge_describe() - what was lost, and what that means */
const char *lost_bridge_describe(const struct lost_bridge *lost);

/**
 * lost_bridge_detach() - restore the settings, then remove what is left of hbpf
 * @last:	No live bridge is attached: restore lo's settings, too
 *
 * Return: 0 or -errno
 */
int lost_bridge_detach(const struct lost_bridge *lost, bool last, struct error *err);

#endif /* HBPF_LOST_BRIDGES_H */
