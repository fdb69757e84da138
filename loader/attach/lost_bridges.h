/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridges that hbpf is attached to, but whose pinned state is missing: the bpffs was unmounted, or
 * its files were removed. Their ports do not work, and route_localnet is still on. The backstop
 * guards them, or on kernels without tcx the clsact filter.
 */
#ifndef HBPF_ORPHANS_H
#define HBPF_ORPHANS_H

#include "attach/attachment.h"

struct orphan {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	bool guarded; /* a backstop or the guard is attached; otherwise loopback is open */
	bool live;    /* the programs are attached: the state is in another bpffs */
};

struct orphans {
	struct orphan *v;
	size_t count;
};

/**
 * orphans_find() - find such bridges among those without state
 * @pins:	Unused where @bridges is empty
 * @list:	Filled; free with orphans_free()
 *
 * Return: 0 or -errno
 */
int orphans_find(const struct pins *pins, const struct pins_bridges *bridges,
		 const struct host *host, struct orphans *list, struct error *err);
void orphans_free(struct orphans *list);

/** orphans_get() - Return: the one of that name, within @list, or NULL */
const struct orphan *orphans_get(const struct orphans *list, const char *name);

/**
 * orphan_close() - restore the settings, then remove what is left of hbpf
 * @last:	No live bridge is attached: restore lo's settings, too
 *
 * Return: 0 or -errno
 */
int orphan_close(const struct orphan *orphan, bool last, struct error *err);

#endif /* HBPF_ORPHANS_H */
