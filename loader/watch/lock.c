/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_DIR "/run/hbpf"

static int lock_error(int fd, const char *path, struct flock *lock, struct error *err)
{
	int code = errno;

	if (code != EACCES && code != EAGAIN)
		return error_errno(err, code, "cannot lock %s", path);
	/* It may have ended just now; and a process of another PID namespace has no PID here. */
	if (fcntl(fd, F_GETLK, lock) || lock->l_type == F_UNLCK || lock->l_pid <= 0)
		return error_set(
			err, EEXIST,
			"hbpf watch is already running in this network namespace: it holds %s",
			path);
	error_set(err, EEXIST,
		  "hbpf watch is already running in this network namespace: process %d holds %s",
		  (int)lock->l_pid, path);
	error_hint(err, "`kill -HUP %d` makes it reload its configuration", (int)lock->l_pid);
	return -EEXIST;
}

int watch_lock(struct error *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	struct stat netns;
	int fd, ret;

	if (stat("/proc/self/ns/net", &netns))
		return error_errno(err, errno, "cannot identify the network namespace");
	if (mkdir(RUN_DIR, 0755) && errno != EEXIST)
		return error_errno(err, errno, "cannot create the directory " RUN_DIR);
	snprintf(path, sizeof(path), RUN_DIR "/watch-%llu.lock", (unsigned long long)netns.st_ino);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	if (!fcntl(fd, F_SETLK, &lock))
		return fd;
	ret = lock_error(fd, path, &lock, err);
	close(fd);
	return ret;
}
