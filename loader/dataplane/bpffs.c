/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/bpffs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES    20
#define LOCK_PAUSE_NS 100000000

static bool is_given(void)
{
	const char *root = getenv(BPFFS_ENV);

	return root && *root;
}

const char *bpffs_root(void)
{
	return is_given() ? getenv(BPFFS_ENV) : BPFFS_DEFAULT;
}

/* Return: fd, -ENOENT if there is no bpffs at @root, other -errno */
static int open_bpffs(const char *root)
{
	struct statfs fs;
	int fd, ret;

	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstatfs(fd, &fs))
		ret = -errno;
	else
		ret = fs.f_type == BPF_FS_MAGIC ? fd : -ENOENT;
	if (ret < 0)
		close(fd);
	return ret;
}

/* Return: the ID of the first mount that a process sees, which no other mount has, or -errno */
static int first_mount(const char *mountinfo)
{
	FILE *file = fopen(mountinfo, "re");
	int id;

	if (!file)
		return -errno;
	if (fscanf(file, "%d", &id) != 1)
		id = -ENODATA;
	fclose(file);
	return id;
}

/*
 * Would a mount outlive this process? It does in the mount namespace of PID 1, unless this is PID
 * 1, as in a container. ip netns exec makes another namespace, for a /sys of its own. (Reading
 * /proc/1/ns/mnt takes CAP_SYS_PTRACE, which hbpf.service does without.)
 */
static bool is_lasting(void)
{
	int self = first_mount("/proc/self/mountinfo");

	return getpid() != 1 && self >= 0 && self == first_mount("/proc/1/mountinfo");
}

/* Other users can lock it, too, so the wait is limited. Mounting itself takes no time. */
static int lock_below(int fd, const char *root, struct error *err)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };
	int ret;

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK)
			return error_errno(err, errno, "cannot lock %s", root);
		nanosleep(&pause, NULL);
	}
	ret = error_set(err, EBUSY,
			"cannot mount bpffs on %s: another process holds a lock on that directory",
			root);
	error_hint(err, "run `mount -t bpf -o mode=0700 bpf %s`, then try again", root);
	return ret;
}

/*
 * If two commands find no bpffs, only one may mount it: a second mount would hide the first, and
 * what is pinned there. So the directory is locked meanwhile.
 *
 * Return: fd of the bpffs, or -errno
 */
static int mount_bpffs(const char *root, struct error *err)
{
	int below, fd, ret;

	below = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (below < 0)
		return error_errno(err, errno, "no directory %s to mount bpffs on", root);
	ret = lock_below(below, root, err);
	if (ret)
		goto out;
	fd = open_bpffs(root);
	if (fd >= 0) {
		ret = fd;
		goto out;
	}
	if (mount("bpf", root, "bpf", 0, "mode=0700")) {
		ret = error_errno(err, errno, "cannot mount bpffs on %s", root);
		error_hint_privileges(err, ret);
		goto out;
	}
	ret = open_bpffs(root);
	if (ret < 0)
		error_errno(err, ret, "cannot open the bpffs just mounted on %s", root);
out:
	close(below);
	return ret;
}

/* There is no bpffs at the default path: mount one, if it would outlive this command. */
static int mount_default(bool provide, struct error *err)
{
	bool lasting = is_lasting();
	int ret;

	if (lasting && provide)
		return mount_bpffs(BPFFS_DEFAULT, err);
	if (lasting) {
		ret = error_set(err, ENOENT, "no bpffs on %s, so nothing is attached",
				BPFFS_DEFAULT);
		error_hint(err, "if it is mounted elsewhere, set " BPFFS_ENV);
		return ret;
	}

	/* Also if /proc/1 cannot be read: a mount that may disappear is worse than none. */
	ret = error_set(err, EPERM,
			"no bpffs on %s in this mount namespace, and one mounted here would "
			"disappear when this command exits, and the guard with it",
			BPFFS_DEFAULT);
	error_hint(
		err,
		"use `nsenter --net=/run/netns/NAME hbpf ...`, which keeps the host's /sys "
		"(ip netns exec hides it); in a container, mount the host's %s there; or set " BPFFS_ENV
		" to a bpffs that stays mounted",
		BPFFS_DEFAULT);
	return ret;
}

/* Return: fd of the bpffs, or -errno */
static int find_bpffs(bool provide, struct error *err)
{
	const char *root = bpffs_root();
	int fd = open_bpffs(root);

	if (fd == -EACCES || fd == -EPERM) {
		error_errno(err, fd, "cannot open the bpffs %s", root);
		error_hint_privileges(err, fd);
		return fd;
	}
	if (fd == -ENOENT && is_given()) {
		fd = error_set(err, EINVAL, BPFFS_ENV "=%s is not a mounted bpffs", root);
		error_hint(err, "mount one with `mount -t bpf -o mode=0700 bpf %s`", root);
		return fd;
	}
	if (fd == -ENOENT)
		return mount_default(provide, err);
	if (fd < 0)
		return error_errno(err, fd, "cannot open the bpffs %s", root);
	return fd;
}

static bool is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* If others may write, the sticky bit still protects files that are not theirs. */
static int check_root(int fd, struct error *err)
{
	const char *root = bpffs_root();
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return error_errno(err, errno, "cannot inspect the bpffs %s", root);
	if (is_trusted(st.st_uid) &&
	    (!(st.st_mode & (S_IWGRP | S_IWOTH)) || (st.st_mode & S_ISVTX)))
		return 0;
	ret = error_set(err, EPERM,
			"the bpffs %s belongs to user %u and has mode %04o: users other than "
			"root could replace what is pinned there, including the guard",
			root, st.st_uid, st.st_mode & 07777);
	error_hint(err,
		   "run `chown root %.200s && chmod 0700 %.200s`, or mount another one with "
		   "`mount -t bpf -o mode=0700 bpf DIR`",
		   root, root);
	return ret;
}

int bpffs_open(bool provide, struct error *err)
{
	int fd = find_bpffs(provide, err);
	int ret = fd < 0 ? fd : check_root(fd, err);

	if (!ret)
		return fd;
	if (fd >= 0)
		close(fd);
	return ret;
}

int bpffs_check_dir(int fd, const char *path, struct error *err)
{
	struct stat st;
	int ret;

	if (fstat(fd, &st))
		return error_errno(err, errno, "cannot inspect %s", path);
	if (is_trusted(st.st_uid) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	ret = error_set(err, EPERM,
			"the directory %s belongs to user %u and has mode %04o: users other "
			"than root could remove what is pinned there, including the guard",
			path, st.st_uid, st.st_mode & 07777);
	error_hint(err,
		   "check its contents, remove it with `rm -r %.300s`, and try again; in a "
		   "bpffs mounted with `-o mode=0700` only root can create directories",
		   path);
	return ret;
}

int bpffs_check_path(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return error_errno(err, errno, "cannot open the directory %s", path);
	ret = bpffs_check_dir(fd, path, err);
	close(fd);
	return ret;
}
