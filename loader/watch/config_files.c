/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/config_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MOST 40 /* as the kernel has it (MAXSYMLINKS) */

/* On the way along a path. */
struct walk {
	int dir;             /* where it has come to */
	char done[PATH_MAX]; /* what that is called; empty: / */
	char rest[PATH_MAX]; /* what is left, without a slash at the beginning */
	unsigned int links;
};

static int refuse(const struct stat *st, const char *what, const char *path, struct error *err)
{
	error_set(err, EPERM, "only root may have write access to %s%s (owner %u, mode %04o)", what,
		  *path ? path : "/", st->st_uid, st->st_mode & 07777);
	error_hint(err, "run `chown root %.180s; chmod go-w %.180s`", *path ? path : "/",
		   *path ? path : "/");
	return -EPERM;
}

static int cannot(const char *what, int code, struct error *err)
{
	return error_errno(err, code, "cannot be %s", what);
}

/* The group's bits are the mask of an ACL (acl(5)): also where it is root's they may let another
 * user write. */
static bool may_others_write(const struct stat *st)
{
	return st->st_uid || (st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Where all may make files, the sticky bit keeps root's from being replaced. */
static int check_dir(const struct walk *walk, struct error *err)
{
	struct stat st;

	if (fstat(walk->dir, &st))
		return cannot("inspected", errno, err);
	if (!may_others_write(&st) || (!st.st_uid && (st.st_mode & S_ISVTX)))
		return 0;
	return refuse(&st, "the directory ", walk->done, err);
}

static int set_rest(struct walk *walk, const char *first, const char *then)
{
	char rest[PATH_MAX];
	const char *from = rest;
	int len = snprintf(rest, sizeof(rest), "%s%s%s", first, *then ? "/" : "", then);

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	from += strspn(from, "/");
	memmove(walk->rest, from, strlen(from) + 1);
	return 0;
}

static int to_root(struct walk *walk, struct error *err)
{
	if (walk->dir >= 0)
		close(walk->dir);
	walk->done[0] = '\0';
	walk->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return walk->dir < 0 ? cannot("opened", errno, err) : check_dir(walk, err);
}

static int follow_link(struct walk *walk, int fd, const struct stat *st, const char *name,
		       const char *then, struct error *err)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
	int ret;

	if (len < 0)
		return cannot("opened", errno, err);
	target[len] = '\0';
	if (st->st_uid) {
		error_set(err, EPERM, "%s/%s, a symbolic link in its path, belongs to user %u",
			  walk->done, name, st->st_uid);
		error_hint(err, "name the file itself");
		return -EPERM;
	}
	if (++walk->links > LINKS_MOST)
		return cannot("opened", ELOOP, err);
	ret = set_rest(walk, target, then);
	if (ret)
		return cannot("opened", ret, err);
	return target[0] == '/' ? to_root(walk, err) : 0;
}

static int enter(struct walk *walk, int fd, const char *name, struct error *err)
{
	size_t len = strlen(walk->done);

	close(walk->dir);
	walk->dir = fd;
	snprintf(walk->done + len, sizeof(walk->done) - len, "/%s", name);
	return check_dir(walk, err);
}

/* One component, and not the last. */
static int step(struct walk *walk, const char *name, const char *then, struct error *err)
{
	int fd = openat(walk->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0)
		return cannot("opened", errno, err);
	if (fstat(fd, &st)) {
		ret = cannot("inspected", errno, err);
	} else if (S_ISLNK(st.st_mode)) {
		ret = follow_link(walk, fd, &st, name, then, err);
	} else if (!S_ISDIR(st.st_mode)) {
		ret = cannot("opened", ENOTDIR, err);
	} else {
		set_rest(walk, then, "");
		return enter(walk, fd, name, err);
	}
	close(fd);
	return ret;
}

/* To the directory of the last component, which is left in @walk->rest. Return: 0 or -errno */
static int walk_to(struct walk *walk, const char *path, struct error *err)
{
	char cwd[PATH_MAX] = "", name[NAME_MAX + 1], *slash;
	int ret;

	*walk = (struct walk){ .dir = -1 };
	if (*path != '/' && !getcwd(cwd, sizeof(cwd)))
		return cannot("opened", errno, err);
	ret = set_rest(walk, cwd, path);
	if (ret)
		return cannot("opened", ret, err);
	ret = to_root(walk, err);
	while (!ret && (slash = strchr(walk->rest, '/')) && slash[strspn(slash, "/")]) {
		char then[PATH_MAX];

		if (slash - walk->rest > NAME_MAX)
			return cannot("opened", ENAMETOOLONG, err);
		snprintf(name, sizeof(name), "%.*s", (int)(slash - walk->rest), walk->rest);
		snprintf(then, sizeof(then), "%s", slash + strspn(slash, "/"));
		ret = step(walk, name, then, err);
	}
	return ret;
}

static int open_last(const struct walk *walk, const char *path, struct error *err)
{
	/* not to wait for the other end of a FIFO */
	int fd = openat(walk->dir, walk->rest,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0 && errno == ELOOP) {
		error_set(err, ELOOP, "it is a symbolic link");
		error_hint(err, "put the file itself there, or name it with -c");
		return -ELOOP;
	}
	if (fd < 0)
		return cannot("opened", errno, err);
	if (fstat(fd, &st))
		ret = cannot("inspected", errno, err);
	else if (!S_ISREG(st.st_mode))
		ret = error_set(err, EINVAL, "it is not a regular file");
	else if (may_others_write(&st))
		ret = refuse(&st, "", path, err);
	else
		return fd;
	close(fd);
	return ret;
}

int conf_open_file(const char *path, struct error *err)
{
	struct walk walk;
	int ret = walk_to(&walk, path, err);

	if (!ret)
		ret = open_last(&walk, path, err);
	if (walk.dir >= 0)
		close(walk.dir);
	return ret;
}

int conf_open_dir(const char *path, struct error *err)
{
	char inside[PATH_MAX];
	struct walk walk;
	struct stat st;
	int ret = snprintf(inside, sizeof(inside), "%s/.", path) < PATH_MAX ? 0 : -ENAMETOOLONG;

	walk.dir = -1;
	ret = ret ? cannot("read", ret, err) : walk_to(&walk, inside, err);
	if (!ret && fstat(walk.dir, &st))
		ret = cannot("inspected", errno, err);
	else if (!ret && may_others_write(&st))
		ret = refuse(&st, "", path, err);
	if (!ret) {
		ret = openat(walk.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (ret < 0)
			ret = cannot("read", errno, err);
	}
	if (walk.dir >= 0)
		close(walk.dir);
	return ret;
}
