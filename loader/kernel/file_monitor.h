/* SPDX-License-Identifier: GPL-2.0-only */
/* Events of files that others change (inotify), for what netlink does not report. */
#ifndef HBPF_FILE_MONITOR_H
#define HBPF_FILE_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

struct monitored_file {
	int wd; /* inotify watch */
	int fd; /* open, so that the path keeps leading to the inode that is watched */
};

struct monitored_files {
	struct monitored_file *v;
	size_t count;
};

struct file_monitor {
	int fd; /* to poll */
	struct monitored_files current;
	struct monitored_files next; /* since the last file_monitor_commit() */
	bool added;                  /* something in `next` is not in `current` */
	int error; /* errno of the last existing file that could not be watched, or 0 */
};

/** file_monitor_open() - Return: 0 or -errno */
int file_monitor_open(struct file_monitor *monitor, struct error *err);
void file_monitor_close(struct file_monitor *monitor);

/**
 * file_monitor_add() - name one file or directory to watch
 *
 * Watches are renewed as a whole: add all paths, then call file_monitor_commit(). A missing path is
 * skipped. Lack of descriptors, watches or memory sets @monitor->error.
 */
void file_monitor_add(struct file_monitor *monitor, const char *path);

/**
 * file_monitor_commit() - drop the watches of paths that were not added again
 * Return: is there a new one? Its file may have changed before
 */
bool file_monitor_commit(struct file_monitor *monitor);

/** file_monitor_drain() - read all pending events. Return: were there any? */
bool file_monitor_drain(struct file_monitor *monitor);

#endif /* HBPF_FILE_MONITOR_H */
