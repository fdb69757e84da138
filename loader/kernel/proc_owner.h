/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes hold sockets, by /proc. */
#ifndef HBPF_PROC_OWNER_H
#define HBPF_PROC_OWNER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define OWNERS_MS  500
#define OWNERS_FDS 1024

/* The process that holds a socket. */
struct proc_owner {
	int pid;       /* 0: not found (in another PID or network namespace, or the kernel's) */
	bool skipped;  /* not found, and not everywhere looked for */
	char name[64]; /* /proc/PID/comm, '?' for what is not printable */
};

/**
 * proc_owner_is_engine() - is it dockerd, or Podman's conmon?
 *
 * They bind the loopback port that a container publishes (Docker with userland-proxy off, Podman as
 * root), so that nobody else takes it, and leave the answer to a NAT rule: a connection that gets
 * as far as that socket opens and hangs. Only on its own API dockerd answers itself.
 */
bool proc_owner_is_engine(const struct proc_owner *owner);

/**
 * proc_owners_find() - find the processes of many sockets in one walk over /proc
 * @inodes:	Socket inodes
 * @owners:	Filled, one for each inode; the lowest PID where there are several, but an engine
 *		only where nobody else holds it
 *
 * Only processes of this network namespace are looked at: those of containers may be many, and
 * have as many descriptors as they like. Takes OWNERS_MS at the most, and of each process the first
 * OWNERS_FDS descriptors, whoever the others belong to. Not to be called with a lock held. Return:
 *0 or -errno
 */
int proc_owners_find(const __u32 *inodes, struct proc_owner *owners, size_t count);

#define PROC_OWNER_STRLEN 96
/** proc_owner_format() - "python3 (pid 4242)", or that it is not known. Returns @buf */
const char *proc_owner_format(const struct proc_owner *owner, char buf[PROC_OWNER_STRLEN]);

#endif /* HBPF_PROC_OWNER_H */
