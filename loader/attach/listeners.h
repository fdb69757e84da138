/* SPDX-License-Identifier: GPL-2.0-only */
/* Who listens at the loopback end of each export. */
#ifndef HBPF_LISTENERS_H
#define HBPF_LISTENERS_H

#include <stdbool.h>

#include "kernel/proc_owner.h"
#include "kernel/sock_diag.h"
#include "model/exports.h"

enum {
	LISTENER_V4,
	LISTENER_V6, /* only where the export serves IPv6 */
	LISTENER_FAMILIES,
};

struct listener {
	bool there;
	bool wildcard; /* bound to all addresses, the gateway's too */
	bool on_lo;    /* bound to the device lo: its answers cannot leave by the bridge */
	__u32 inode;   /* of the socket */
	struct proc_owner owner; /* as of listeners_name() */
};

struct listeners {
	struct sockets sockets;                  /* all that listen, TCP and UDP */
	struct listener (*v)[LISTENER_FAMILIES]; /* in the order of the exports */
	size_t count;                            /* of the exports */
};

/** listeners_find() - look for all exports of a set at once. Return: 0 or -errno */
int listeners_find(const struct exports *set, struct listeners *listeners, struct error *err);

/**
 * listeners_name() - find the processes behind what listeners_find() found
 * @all:	Of one or more sets, in one walk over /proc, which takes time (proc_owners_find()):
 *not with a lock held
 *
 * Return: 0 or -errno; then the owners are unknown, which is no more than is said of some anyway
 */
int listeners_name(struct listeners *const *all, size_t count);
void listeners_free(struct listeners *listeners);

/** export_local() - the loopback address of an export for one family (LISTENER_V4 or _V6) */
struct hbpf_addr export_local(const struct export *export, int family);

/**
 * listeners_next_range() - as exports_next_range(), but a range also ends where the next port is
 * served by another listener, or by none
 * @families:	Bit set of 1 << LISTENER_V4 and 1 << LISTENER_V6: whose listeners count
 */
bool listeners_next_range(const struct exports *set, const struct listeners *listeners,
			  unsigned int families, struct export_range *range);

#define LISTENERS_STRLEN 160
/** listeners_format() - who listens and whether that is of use, or that nobody does. Returns @buf
 */
const char *listeners_format(const struct listener *listener, char buf[LISTENERS_STRLEN]);

#endif /* HBPF_LISTENERS_H */
