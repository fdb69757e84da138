/* SPDX-License-Identifier: GPL-2.0-only */
/* Notices of files that others changed (inotify), where the kernel gives no better ones. */
#ifndef HBPF_FILE_MONITOR_H
#define HBPF_FILE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct followed {
	int wd;
	int fd; /* keeps the inode that the notices are about the one that the path leads to */
};

struct file_monitor {
	int fd; /* to poll */
	struct followed *v;
	size_t count;
	struct followed *next; /* the list that file_monitor_follow() makes */
	size_t next_count;
	bool fresh;
	int error; /* errno of what could not be followed though it is there, or 0 */
};

/** file_monitor_open() - Return: 0 or -errno */
int file_monitor_open(struct file_monitor *events, struct error *err);
void file_monitor_close(struct file_monitor *events);

/**
 * file_monitor_follow() - name one file or directory that is of interest from now on
 *
 * A directory's notices tell what comes, goes and is touched in it, a file's that it was written.
 * What is not there is left out; what cannot be followed for want of descriptors, watches or memory
 * leaves its errno in @events->error. Call it for everything, then file_monitor_followed().
 */
void file_monitor_follow(struct file_monitor *events, const char *path);

/**
 * file_monitor_followed() - forget what was not named again
 * Return: is anything new among what was named? It may have changed before.
 */
bool file_monitor_followed(struct file_monitor *events);

/** file_monitor_drain() - take in all notices. Return: were there any? */
bool file_monitor_drain(struct file_monitor *events);

#endif /* HBPF_FILE_MONITOR_H */
