/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/file_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/array.h"

/* A watch on a directory reports its entries and itself, so one mask is enough. */
#define EVENTS                                                                                     \
	(IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |             \
	 IN_DELETE_SELF)

int file_monitor_open(struct file_monitor *monitor, struct error *err)
{
	*monitor = (struct file_monitor){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	if (monitor->fd < 0)
		return error_errno(err, errno, "cannot watch files");
	return 0;
}

static bool has(const struct monitored_files *files, int wd)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->v[i].wd == wd)
			return true;
	}
	return false;
}

static void release(struct monitored_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		close(files->v[i].fd);
	free(files->v);
	*files = (struct monitored_files){};
}

void file_monitor_close(struct file_monitor *monitor)
{
	release(&monitor->current);
	release(&monitor->next);
	if (monitor->fd >= 0)
		close(monitor->fd);
	*monitor = (struct file_monitor){ .fd = -1 };
}

void file_monitor_add(struct file_monitor *monitor, const char *path)
{
	struct monitored_file file;
	char by_fd[64];

	/* Watched through an open file: /proc/sys may create another inode for a path that nobody
	 * has open, and the events would be about the old one. */
	file.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			monitor->error = errno;
		return;
	}
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", file.fd);
	file.wd = inotify_add_watch(monitor->fd, by_fd, EVENTS);
	if (file.wd < 0 || ARRAY_ADD(&monitor->next, file)) {
		monitor->error = errno;
		close(file.fd);
		return;
	}
	monitor->added |= !has(&monitor->current, file.wd);
}

bool file_monitor_commit(struct file_monitor *monitor)
{
	bool added = monitor->added;

	for (size_t i = 0; i < monitor->current.count; i++) {
		if (!has(&monitor->next, monitor->current.v[i].wd))
			inotify_rm_watch(monitor->fd, monitor->current.v[i].wd);
	}
	release(&monitor->current);
	monitor->current = monitor->next;
	monitor->next = (struct monitored_files){};
	monitor->added = false;
	return added;
}

bool file_monitor_drain(struct file_monitor *monitor)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t got;

	while ((got = read(monitor->fd, buf, sizeof(buf))) > 0) {
		for (char *at = buf; at < buf + got;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			/* IN_IGNORED only confirms that a watch was removed */
			any |= event->mask != IN_IGNORED;
			at += sizeof(*event) + event->len;
		}
	}
	return any;
}
