/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF file system that state is pinned in: HBPF_BPFFS or /sys/fs/bpf.
 *
 * By default its root directory is writable for all users, with the sticky bit. The owner of a
 * directory in it can unlink the programs pinned there, including the guard, so every directory
 * that is used is checked.
 */
#ifndef HBPF_BPFFS_H
#define HBPF_BPFFS_H

#include <stdbool.h>

#include "lib/error.h"

#define BPFFS_ENV     "HBPF_BPFFS"
#define BPFFS_DEFAULT "/sys/fs/bpf"

/** bpffs_root() - Return: the mount point, from the environment or the default */
const char *bpffs_root(void);

/**
 * bpffs_open() - open the root of the bpffs
 * @provide:	If there is none, mount one at the default path, but only in PID 1's mount
 *		namespace: in another one (ip netns exec) it would disappear when the command exits
 * @err:	If there is no bpffs, the hint suggests HBPF_BPFFS or nsenter --net
 *
 * Return: fd, -ENOENT if there is none (then nothing can be attached), -EINVAL if
 * HBPF_BPFFS is no bpffs, -EPERM if others may replace what is in it, or other -errno
 */
int bpffs_open(bool provide, struct error *err);

/**
 * bpffs_check_dir() - is root, or this user, the only one who can change a directory?
 * @fd:		Of the directory, so that the checked one is used
 * @path:	Its name for the error
 *
 * Return: 0; -EPERM if its owner is neither root nor this user, or if group or others may
 * write; other -errno
 */
int bpffs_check_dir(int fd, const char *path, struct error *err);

/** bpffs_check_path() - the same for a path. Return: also -ENOENT, with @err unset */
int bpffs_check_path(const char *path, struct error *err);

#endif /* HBPF_BPFFS_H */
