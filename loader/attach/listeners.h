/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes that listen on the loopback ports of exports. */
#ifndef HBPF_LISTENERS_H
#define HBPF_LISTENERS_H

#include <stdbool.h>

#include "kernel/proc_owner.h"
#include "kernel/sock_diag.h"
#include "model/exports.h"

enum {
	LISTENER_V4,
	LISTENER_V6, /* only if the export serves IPv6 */
	LISTENER_FAMILIES,
};

struct listener {
	bool found;
	bool wildcard; /* bound to all addresses, the gateway's too */
	bool on_lo;    /* bound to the device lo: its replies cannot leave by the bridge */
	__u32 inode;   /* of the socket */
	struct proc_owner owner; /* set by listeners_name() */
};

/* All sockets that listen, TCP and UDP, listed when they are first needed: once for all bridges. */
struct listening {
	struct sockets sockets;
	bool read;
};

struct listeners {
	const struct sockets *sockets;           /* those of the struct listening */
	struct listener (*v)[LISTENER_FAMILIES]; /* in the order of the exports */
	size_t count;                            /* of the exports */
};

/**
 * listeners_find() - find the sockets for all exports of a set
 * @listening:	Initially all zero; free with listening_free(), after @listeners
 *
 * Return: 0 or -errno
 */
int listeners_find(const struct exports *set, struct listening *listening,
		   struct listeners *listeners, struct error *err);
void listening_free(struct listening *listening);

/**
 * listeners_name() - find the processes of the sockets that listeners_find() found
 * @first:	A member of the first element of an array, or a single one
 * @count:	Elements
 * @stride:	of an element, in bytes
 *
 * One walk over /proc serves all of them. It takes time (proc_owners_find()): do not hold a lock.
 * Return: 0 or -errno, and then the owners stay unknown
 */
int listeners_name(struct listeners *first, size_t count, size_t stride);
void listeners_free(struct listeners *listeners);

/** export_local() - the loopback address of an export for one family (LISTENER_V4 or _V6) */
struct hbpf_addr export_local(const struct export *export, int family);

/**
 * listeners_next_range() - as exports_next_range(), but a range also ends where the listener
 * changes
 * @families:	Whose listeners count: 1 << LISTENER_V4, 1 << LISTENER_V6 or both
 */
bool listeners_next_range(const struct exports *set, const struct listeners *listeners,
			  unsigned int families, struct export_range *range);

#define LISTENERS_STRLEN 160
/** listeners_format() - the process, or that nothing listens. Returns @buf or a constant */
const char *listeners_format(const struct listener *listener, char buf[LISTENERS_STRLEN]);

#endif /* HBPF_LISTENERS_H */
