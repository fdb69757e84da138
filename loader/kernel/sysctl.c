/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int sysctl_read_fd(int fd, int *value)
{
	char text[32], *end;
	ssize_t len;
	long number;

	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return -errno;

	text[len] = '\0';
	errno = 0;
	number = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0') || errno || number < INT_MIN ||
	    number > INT_MAX)
		return -EINVAL;
	*value = number;
	return 0;
}

int sysctl_read(const char *path, int *value)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = sysctl_read_fd(fd, value);
	close(fd);
	return ret;
}

int sysctl_write_fd(int fd, int value)
{
	char text[16];
	ssize_t done;
	int len;

	/* One write(2): the kernel parses each as a whole value. */
	len = snprintf(text, sizeof(text), "%d\n", value);
	done = write(fd, text, len);
	if (done < 0)
		return -errno;
	return done == len ? 0 : -EIO;
}
