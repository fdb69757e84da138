/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/if_sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "kernel/sysctl.h"

/* After a rename the new file appears a moment after the new name (dev_change_name()). */
#define TRIES    100
#define PAUSE_NS 1000000

/* Return: fd of the interface's own file, -EAGAIN: its name changed meanwhile, or -errno */
static int conf_open(unsigned int ifindex, const char *key, int flags)
{
	char name[IFNAMSIZ], path[PATH_MAX];
	int fd;

	if (!ifindex || !if_indextoname(ifindex, name))
		return -ENODEV;
	/* Interface names may hold dots, so never by the dotted name of sysctl(8). */
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", name, key);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (if_nametoindex(name) == ifindex)
		return fd;
	close(fd);
	return -EAGAIN;
}

static int access_once(unsigned int ifindex, const char *key, int *value, int flags)
{
	int fd = conf_open(ifindex, key, flags);
	int ret;

	if (fd < 0)
		return fd;
	ret = flags == O_RDONLY ? sysctl_read_fd(fd, value) : sysctl_write_fd(fd, *value);
	close(fd);
	return ret == -ENOENT ? -EAGAIN : ret;
}

static int retry(unsigned int ifindex, const char *key, int *value, int flags)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int ret;

	for (int i = 0; i < TRIES; i++) {
		ret = access_once(ifindex, key, value, flags);
		if (ret != -EAGAIN)
			return ret;
		nanosleep(&pause, NULL);
	}
	return -EAGAIN;
}

int if_sysctl_read(unsigned int ifindex, const char *key, int *value)
{
	return retry(ifindex, key, value, O_RDONLY);
}

int if_sysctl_write(unsigned int ifindex, const char *key, int value)
{
	return retry(ifindex, key, &value, O_WRONLY);
}
