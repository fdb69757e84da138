/* SPDX-License-Identifier: GPL-2.0-only */
/* One watcher for each network namespace. */
#ifndef HBPF_LOCK_H
#define HBPF_LOCK_H

#include "lib/error.h"

/**
 * watch_lock() - become the watcher of this network namespace
 * @err:	Names the process that is it already
 *
 * The kernel keeps who holds the lock (fcntl(2), F_SETLK) and forgets it with the process, so a
 * killed one leaves nothing behind that would have to be told from a living one.
 * Return: fd to keep open for as long, or -errno; -EEXIST where there is one
 */
int watch_lock(struct error *err);

#endif /* HBPF_LOCK_H */
