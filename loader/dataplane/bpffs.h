/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF file system that state is pinned in: HBPF_BPFFS or /sys/fs/bpf.
 *
 * By default the kernel makes its root writable for everybody, with the sticky bit. Whoever owns
 * a directory in there may unlink the programs pinned in it, the guard among them, so every
 * directory that is used is checked.
 */
#ifndef HBPF_BPFFS_H
#define HBPF_BPFFS_H

#include <stdbool.h>

#include "lib/error.h"

#define BPFFS_ENV     "HBPF_BPFFS"
#define BPFFS_DEFAULT "/sys/fs/bpf"

/** bpffs_root() - Return: where the bpffs is to be, as the environment says or by default */
const char *bpffs_root(void);

/**
 * bpffs_open() - open the root of the bpffs
 * @provide:	Mount one at the default place where there is none, but only in PID 1's mount
 *		namespace: elsewhere (ip netns exec) the mount would go with the command
 * @err:	Names HBPF_BPFFS and nsenter --net where no bpffs can be had
 *
 * Return: fd, -ENOENT where there is none (then nothing can be attached), -EINVAL where
 * HBPF_BPFFS is no bpffs, -EPERM where others may replace what is in it, or other -errno
 */
int bpffs_open(bool provide, struct error *err);

/**
 * bpffs_check_dir() - may nobody else change what is in a directory?
 * @fd:		Of the directory, so that it is the one that is used
 * @path:	What to call it in the error
 *
 * Return: 0; -EPERM where its owner is neither root nor this user, or where group or others may
 * write; other -errno
 */
int bpffs_check_dir(int fd, const char *path, struct error *err);

/** bpffs_check_path() - the same by path, no symbolic link. Return: also -ENOENT, with @err unset
 */
int bpffs_check_path(const char *path, struct error *err);

#endif /* HBPF_BPFFS_H */
