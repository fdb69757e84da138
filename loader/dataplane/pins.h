/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where hbpf's state lives: pinned BPF objects below
 *
 *	<bpffs>/hbpf/<inode of the network namespace>/<bridge>/
 *
 * and, shared by all bridges of the namespace, .../lo/ with lo's old settings (no bridge
 * can have that name) and .../maps:<layout>/ with maps and programs (no interface can
 * have a colon in its name: dev_valid_name()). There is no other state. <bpffs> is HBPF_BPFFS or
 * /sys/fs/bpf.
 *
 * The inode number of a deleted namespace is reused at once (proc_alloc_inum()), so
 * .../lo/netns holds the namespace's cookie, which is unique: pins_open() removes the
 * state of another one.
 */
#ifndef HBPF_PINS_H
#define HBPF_PINS_H

#include <hbpf/maps.h>
#include <limits.h>
#include <linux/types.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* The directory of the maps and programs, in place of a bridge's name. */
#define PINS_SHARED_PREFIX "maps:"
#define PINS_STRING(x)     #x
#define PINS_SHARED_OF(x)  PINS_SHARED_PREFIX PINS_STRING(x)
#define PINS_SHARED        PINS_SHARED_OF(HBPF_LAYOUT)

struct pins {
	char base[PATH_MAX]; /* <bpffs>/hbpf/<netns> */
	__u64 netns;         /* inode of this network namespace */
	int lock;            /* fd of <bpffs>/hbpf, flock'ed; -1: not open */
	int root;            /* fd of <bpffs>; only valid while the lock is held */
	bool writes;         /* opened with PINS_WRITE */
};

/* Not open: pins_close() does nothing. */
/* clang-format off */
#define PINS_INIT ((struct pins){ .lock = -1 })
/* clang-format on */

enum pins_mode {
	PINS_READ,  /* shared lock; -ENOENT without a bpffs or <bpffs>/hbpf: nothing is attached;
		     * -EPERM, as for writing, if another mount namespace may have one */
	PINS_WRITE, /* exclusive lock; a missing bpffs is mounted, but only in PID 1's mount
		     * namespace: in another one (ip netns exec) the mount and the guard would
		     * disappear when the command exits */
};

/**
 * pins_check_root() - is HBPF_BPFFS, if it is set, usable as a path for pins?
 *
 * pins_open() checks it, too; call this before using paths without pins_open().
 * Return: 0, -EINVAL if it is relative, or -ENAMETOOLONG
 */
int pins_check_root(struct error *err);

/**
 * pins_open() - find (or mount) bpffs and take the lock
 * @pins:	Filled
 * @mode:	What for; waits for another hbpf to finish
 * @err:	If there is no bpffs, the hint suggests HBPF_BPFFS or nsenter --net
 *
 * Return: 0 or -errno; -EINVAL if HBPF_BPFFS is set, but not to an absolute path of a bpffs;
 * -EPERM if users other than root may write to <bpffs>/hbpf or the directories of this namespace
 */
int pins_open(struct pins *pins, enum pins_mode mode, struct error *err);

/**
 * pins_close() - release the lock, write what was logged meanwhile (log_hold()), and remove
 * <bpffs>/hbpf where nothing is left in it
 *
 * Changes of maps and links cause no inotify event. So after PINS_WRITE the root of the bpffs is
 * touched, which wakes `hbpf watch`.
 */
void pins_close(struct pins *pins);

/**
 * pins_path() - where an object of a bridge is pinned
 * @bridge:	Interface name, or PINS_SHARED; '/', '%' and the dot, which bpffs rejects in
 *		names, are escaped as %XX. NULL for lo's shared state
 * @name:	Object, as "bridge_config" or "link_ingress"; NULL for the directory
 *
 * Return: 0 or -ENAMETOOLONG
 */
int pins_path(const struct pins *pins, const char *bridge, const char *name, char path[PATH_MAX],
	      struct error *err);

/**
 * pins_check() - is root the only user who can change what is pinned for a bridge?
 * @bridge:	Interface name, or NULL for lo's shared state
 *
 * Return: 0; -ENOENT if nothing is pinned, with @err unset; -EPERM; other -errno
 */
int pins_check(const struct pins *pins, const char *bridge, struct error *err);

/** pins_entry_name() - what an entry of the directory of the namespace stands for: a bridge, or
 * with PINS_SHARED_PREFIX the maps of a layout. @name: filled. Return: is it one of them? */
bool pins_entry_name(const char *entry, char name[IFNAMSIZ]);

/** pins_mkdir() - create the bridge's directory and those above it. Return: 0 or -errno */
int pins_mkdir(const struct pins *pins, const char *bridge, struct error *err);

/**
 * pins_remove() - unlink everything pinned for a bridge, then the directories that became empty,
 * but not <bpffs>/hbpf, which the lock is on
 * @bridge:	Interface name, or NULL for lo's shared state
 *
 * Return: 0 (also if there is nothing) or -errno
 */
int pins_remove(const struct pins *pins, const char *bridge, struct error *err);

/**
 * pins_remove_top() - remove <bpffs>/hbpf where nothing is left in it, as the last thing done under
 * the lock of PINS_WRITE; pins_close() does it, too, but ignores errors
 * Return: 0 (also if something is left) or -errno
 */
int pins_remove_top(const struct pins *pins, struct error *err);

/**
 * pins_rename() - move a bridge's state to another name, which must be unused
 * Return: 0 or -errno
 */
int pins_rename(const struct pins *pins, const char *from, const char *to, struct error *err);

/** pins_write_text() - record a short text under a name, as a symbolic link; bpffs has no files.
 * Return: 0 or -errno */
int pins_write_text(const struct pins *pins, const char *bridge, const char *name, const char *text,
		    struct error *err);
/** pins_has_text() - is exactly this text recorded under a name? */
bool pins_has_text(const struct pins *pins, const char *bridge, const char *name, const char *text);

/**
 * pins_get() - open a pinned BPF object
 * @path:	Filled with where it is pinned
 *
 * Return: fd, -ENOENT without a message if nothing is pinned there, or -errno
 */
int pins_get(const struct pins *pins, const char *bridge, const char *name, char path[PATH_MAX],
	     struct error *err);

/** pins_pin() - pin a BPF object. Return: 0 or -errno */
int pins_pin(const struct pins *pins, const char *bridge, const char *name, int fd,
	     struct error *err);

/** pins_unlink() - unlink one object. Return: 0 (also if not there) or -errno */
int pins_unlink(const struct pins *pins, const char *bridge, const char *name, struct error *err);

#endif /* HBPF_PINS_H */
