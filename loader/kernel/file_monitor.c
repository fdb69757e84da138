/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/file_monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A watch on a directory tells of both what is in it and itself, so one mask fits all. */
#define NOTICES                                                                                    \
	(IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |             \
	 IN_DELETE_SELF)

int file_monitor_open(struct file_monitor *events, struct error *err)
{
	*events = (struct file_monitor){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	if (events->fd < 0)
		return error_errno(err, errno, "cannot listen to changes of files");
	return 0;
}

static bool has(const struct followed *v, size_t count, int wd)
{
	for (size_t i = 0; i < count; i++) {
		if (v[i].wd == wd)
			return true;
	}
	return false;
}

static void drop(struct followed *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(v[i].fd);
	free(v);
}

void file_monitor_close(struct file_monitor *events)
{
	drop(events->v, events->count);
	drop(events->next, events->next_count);
	if (events->fd >= 0)
		close(events->fd);
	*events = (struct file_monitor){ .fd = -1 };
}

void file_monitor_follow(struct file_monitor *events, const char *path)
{
	struct followed *v, one;
	char by_fd[64];

	/* Opened first and watched through that: /proc/sys would make another inode for a name that
	 * nobody held for a while, and the notices would be about the old one. */
	one.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (one.fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			events->error = errno;
		return;
	}
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", one.fd);
	one.wd = inotify_add_watch(events->fd, by_fd, NOTICES);
	v = one.wd < 0 ? NULL : reallocarray(events->next, events->next_count + 1, sizeof(*v));
	if (!v) {
		events->error = errno;
		close(one.fd);
		return;
	}
	events->next = v;
	events->fresh |= !has(events->v, events->count, one.wd);
	v[events->next_count++] = one;
}

bool file_monitor_followed(struct file_monitor *events)
{
	bool fresh = events->fresh;

	for (size_t i = 0; i < events->count; i++) {
		if (!has(events->next, events->next_count, events->v[i].wd))
			inotify_rm_watch(events->fd, events->v[i].wd);
	}
	drop(events->v, events->count);
	events->v = events->next;
	events->count = events->next_count;
	events->next = NULL;
	events->next_count = 0;
	events->fresh = false;
	return fresh;
}

bool file_monitor_drain(struct file_monitor *events)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;
	ssize_t got;

	while ((got = read(events->fd, buf, sizeof(buf))) > 0) {
		for (char *at = buf; at < buf + got;) {
			const struct inotify_event *event = (const struct inotify_event *)at;

			/* IN_IGNORED only confirms that a watch is gone */
			any |= event->mask != IN_IGNORED;
			at += sizeof(*event) + event->len;
		}
	}
	return any;
}
