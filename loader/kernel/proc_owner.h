/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding the processes that hold sockets, in /proc. */
#ifndef HBPF_PROC_OWNER_H
#define HBPF_PROC_OWNER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define PROC_OWNERS_MS  500
#define PROC_OWNERS_FDS 1024

/* The process that holds a socket. */
struct proc_owner {
	int pid;       /* 0: not found (in another PID or network namespace, or the kernel's) */
	bool skipped;  /* not found because of a limit on the search */
	char name[64]; /* /proc/PID/comm, '?' for what is not printable */
};

/**
 * proc_owner_is_engine() - is it dockerd, or Podman's conmon?
 *
 * They bind the loopback port that a container publishes (Docker without userland-proxy, Podman as
 * root) only to reserve it; a NAT rule does the work. A connection that reaches the socket itself
 * opens and hangs. dockerd answers only on its own API.
 */
bool proc_owner_is_engine(const struct proc_owner *owner);

/**
 * proc_owners_find() - find the processes of many sockets in one walk over /proc
 * @inodes:	Socket inodes
 * @owners:	Filled, one for each inode: the process with the lowest PID, and an engine only
 *		where no other process holds the socket
 *
 * Searches the processes of this network namespace only, since containers may have any number of
 * processes and descriptors. Takes at most PROC_OWNERS_MS, and reads the first PROC_OWNERS_FDS
 * descriptors of each process: do not hold a lock. Return: 0 or -errno
 */
int proc_owners_find(const __u32 *inodes, struct proc_owner *owners, size_t count);

#define PROC_OWNER_STRLEN 96
/** proc_owner_format() - "python3 (pid 4242)", or why it is unknown. Returns @buf */
const char *proc_owner_format(const struct proc_owner *owner, char buf[PROC_OWNER_STRLEN]);

#endif /* HBPF_PROC_OWNER_H */
