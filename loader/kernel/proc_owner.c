/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/proc_owner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/printable.h"

#define PROC_PATHLEN (NAME_MAX + sizeof("/ns/net"))

/* An inode to find, and where to store its owner. */
struct wanted {
	__u32 inode;
	struct proc_owner *owner;
};

struct search {
	struct wanted *v; /* sorted by inode; may contain duplicates */
	size_t count;
	size_t remaining;  /* of them, those whose owner may still change */
	struct stat netns; /* of the processes to search */
	__s64 end;         /* as of monotonic_ms() */
	bool truncated;    /* a limit was reached */
};

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Return: the first entry for @inode, or NULL */
static struct wanted *find_wanted(const struct search *search, __u32 inode)
{
	const struct wanted key = { .inode = inode };
	struct wanted *found;

	found = bsearch(&key, search->v, search->count, sizeof(*search->v), compare_wanted);
	while (found && found > search->v && found[-1].inode == inode)
		found--;
	return found;
}

/* A process chooses its own name, which may contain control characters. */
static void read_name(int proc, const char *pid, struct proc_owner *owner)
{
	char path[PROC_PATHLEN];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, owner->name, sizeof(owner->name) - 1);
	close(fd);
	if (len > 0 && owner->name[len - 1] == '\n')
		len--;
	owner->name[len > 0 ? len : 0] = '\0';
	printable(owner->name);
}

/* The socket behind an entry of /proc/PID/fd, or 0. */
static __u32 read_inode(int fds, const char *fd)
{
	char target[64];
	__u32 inode;
	ssize_t len;

	len = readlinkat(fds, fd, target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = '\0';
	return sscanf(target, "socket:[%u]", &inode) == 1 ? inode : 0;
}

bool proc_owner_is_engine(const struct proc_owner *owner)
{
	return !strcmp(owner->name, "dockerd") || !strcmp(owner->name, "conmon");
}

/* May another process that holds the socket be the better answer? */
static bool may_improve(const struct proc_owner *owner)
{
	return !owner->pid || proc_owner_is_engine(owner);
}

/* /proc lists processes by PID, so the first one found is the lowest. */
static void set_owner(struct search *search, struct wanted *wanted, const struct proc_owner *owner)
{
	for (__u32 inode = wanted->inode;
	     wanted < search->v + search->count && wanted->inode == inode; wanted++) {
		if (!may_improve(wanted->owner) ||
		    (wanted->owner->pid && proc_owner_is_engine(owner)))
			continue;
		*wanted->owner = *owner;
		search->remaining -= !may_improve(owner);
	}
}

static void search_fds(struct search *search, int proc, const char *pid, DIR *fds)
{
	struct proc_owner owner = { .pid = atoi(pid) };
	struct dirent *entry;
	size_t count = 0;

	while (search->remaining && (entry = readdir(fds))) {
		__u32 inode = read_inode(dirfd(fds), entry->d_name);
		struct wanted *wanted = inode ? find_wanted(search, inode) : NULL;

		if (wanted && !owner.name[0])
			read_name(proc, pid, &owner);
		if (wanted)
			set_owner(search, wanted, &owner);
		if (++count == PROC_OWNERS_FDS ||
		    (count % 64 == 0 && monotonic_ms() >= search->end)) {
			search->truncated = true;
			return;
		}
	}
}

static bool is_in_netns(const struct search *search, int proc, const char *pid)
{
	char path[PROC_PATHLEN];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ns/net", pid);
	return !fstatat(proc, path, &st, 0) && st.st_ino == search->netns.st_ino &&
	       st.st_dev == search->netns.st_dev;
}

/* A process that ends meanwhile, or that we may not read, is skipped. */
static void search_process(struct search *search, int proc, const char *pid)
{
	char path[PROC_PATHLEN];
	DIR *fds;
	int fd;

	if (!is_in_netns(search, proc, pid))
		return;
	snprintf(path, sizeof(path), "%s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fds = fdopendir(fd);
	if (!fds) {
		close(fd);
		return;
	}
	search_fds(search, proc, pid, fds);
	closedir(fds);
}

static int search_all(struct search *search)
{
	struct dirent *entry;
	DIR *proc;

	if (stat("/proc/self/ns/net", &search->netns))
		return -errno;
	proc = opendir("/proc");
	if (!proc)
		return -errno;
	search->end = monotonic_ms() + PROC_OWNERS_MS;
	while (search->remaining && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (monotonic_ms() >= search->end) {
			search->truncated = true;
			break;
		}
		search_process(search, dirfd(proc), entry->d_name);
	}
	closedir(proc);
	return 0;
}

int proc_owners_find(const __u32 *inodes, struct proc_owner *owners, size_t count)
{
	struct search search = { .v = calloc(count + 1, sizeof(*search.v)) };
	int ret;

	memset(owners, 0, count * sizeof(*owners));
	if (!search.v)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (inodes[i]) /* request sockets and the kernel's own have none */
			search.v[search.count++] = (struct wanted){ inodes[i], &owners[i] };
	}
	qsort(search.v, search.count, sizeof(*search.v), compare_wanted);
	search.remaining = search.count;
	ret = search_all(&search);
	for (size_t i = 0; search.truncated && i < search.count; i++)
		search.v[i].owner->skipped = !search.v[i].owner->pid;
	free(search.v);
	return ret;
}

const char *proc_owner_format(const struct proc_owner *owner, char buf[PROC_OWNER_STRLEN])
{
	if (owner->pid)
		snprintf(buf, PROC_OWNER_STRLEN, "%s (pid %d)", owner->name, owner->pid);
	else if (owner->skipped)
		snprintf(buf, PROC_OWNER_STRLEN,
			 "an unknown process (too many descriptors to search)");
	else
		snprintf(buf, PROC_OWNER_STRLEN, "a process not visible from here");
	return buf;
}
