/* SPDX-License-Identifier: GPL-2.0-only */
/* The lock that allows one watcher per network namespace. */
#ifndef HBPF_LOCK_H
#define HBPF_LOCK_H

#include "lib/error.h"

/**
 * watch_lock() - take the lock
 * @err:	Names the process that holds it
 *
 * The kernel drops the lock with the process (fcntl(2), F_SETLK), so a killed watcher leaves
 * nothing behind. Return: fd to keep open; -EEXIST if another process holds it; or other -errno
 */
int watch_lock(struct error *err);

#endif /* HBPF_LOCK_H */
