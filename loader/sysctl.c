/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sysctl.h"

int sysctl_read(const char *path, int *value)
{
	char text[32], *end;
	ssize_t len;
	long number;
	int fd, ret = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		ret = -errno;
	close(fd);
	if (ret)
		return ret;

	text[len] = '\0';
	errno = 0;
	number = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0') || errno || number < INT_MIN ||
	    number > INT_MAX)
		return -EINVAL;
	*value = number;
	return 0;
}

int sysctl_write(const char *path, int value)
{
	char text[16];
	int fd, len, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* One write(2): the kernel parses each as a whole value. */
	len = snprintf(text, sizeof(text), "%d\n", value);
	if (write(fd, text, len) != len)
		ret = errno ? -errno : -EIO;
	close(fd);
	return ret;
}
