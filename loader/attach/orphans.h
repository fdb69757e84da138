/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bridges that hbpf attached to and of which nothing is pinned any more: somebody
 * unmounted the bpffs, or removed what was in it. Their ports are dead, and
 * route_localnet is on still. The backstop, or on kernels without tcx the clsact
 * filter, is what closes them.
 */
#ifndef HBPF_ORPHANS_H
#define HBPF_ORPHANS_H

#include "attach/attachment.h"

struct orphan {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	bool guarded;   /* a backstop or the guard is there; else all of loopback is open */
	bool elsewhere; /* attached, and its state is in another bpffs, or was not pinned */
};

struct orphans {
	struct orphan *v;
	size_t count;
};

/**
 * orphans_find() - look at every bridge of the host that has no state
 * @pins:	Not used where @bridges is empty
 * Return: 0 or -errno. Free with orphans_free()
 */
int orphans_find(const struct pins *pins, const struct pins_bridges *bridges,
		 const struct host *host, struct orphans *list, struct error *err);
void orphans_free(struct orphans *list);

/** orphans_get() - Return: the one of that name within @list, or NULL */
const struct orphan *orphans_get(const struct orphans *list, const char *name);

/**
 * orphan_close() - restore the settings, then remove what is left of hbpf
 * @last:	No living bridge is attached: lo's settings are restored, too
 * Return: 0 or -errno
 */
int orphan_close(const struct orphan *lost, bool last, struct error *err);

#endif /* HBPF_ORPHANS_H */
