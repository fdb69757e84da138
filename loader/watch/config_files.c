/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* the kernel's MAXSYMLINKS */

/* ---- opening ---- */

/* Progress along a path. */
struct walk {
	int dir;             /* directory reached */
	char done[PATH_MAX]; /* its path; empty: / */
	char rest[PATH_MAX]; /* what is left, without a leading slash */
	unsigned int links;  /* symbolic links followed */
};

static int refuse_writable(const struct stat *st, const char *what, const char *path,
			   struct error *err)
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

/* The group's bits are the mask of an ACL (acl(5)): even with root's group another user may have
 * write access. */
static bool may_others_write(const struct stat *st)
{
	return st->st_uid || (st->st_mode & (S_IWGRP | S_IWOTH));
}

/* With the sticky bit nobody else can replace root's files. */
static int check_dir(const struct walk *walk, struct error *err)
{
	struct stat st;

	if (fstat(walk->dir, &st))
		return cannot("inspected", errno, err);
	if (!may_others_write(&st) || (!st.st_uid && (st.st_mode & S_ISVTX)))
		return 0;
	return refuse_writable(&st, "the directory ", walk->done, err);
}

static int set_rest(struct walk *walk, const char *first, const char *next)
{
	char rest[PATH_MAX];
	const char *from = rest;
	int len = snprintf(rest, sizeof(rest), "%s%s%s", first, *next ? "/" : "", next);

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
		       const char *next, struct error *err)
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
	if (++walk->links > LINKS_MAX)
		return cannot("opened", ELOOP, err);
	ret = set_rest(walk, target, next);
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

/* Follow one component, not the last. */
static int step(struct walk *walk, const char *name, const char *next, struct error *err)
{
	int fd = openat(walk->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int ret;

	if (fd < 0)
		return cannot("opened", errno, err);
	if (fstat(fd, &st)) {
		ret = cannot("inspected", errno, err);
	} else if (S_ISLNK(st.st_mode)) {
		ret = follow_link(walk, fd, &st, name, next, err);
	} else if (!S_ISDIR(st.st_mode)) {
		ret = cannot("opened", ENOTDIR, err);
	} else {
		set_rest(walk, next, "");
		return enter(walk, fd, name, err);
	}
	close(fd);
	return ret;
}

/* Walk to the directory of the last component, which stays in @walk->rest. */
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
		char next[PATH_MAX];

		if (slash - walk->rest > NAME_MAX)
			return cannot("opened", ENAMETOOLONG, err);
		snprintf(name, sizeof(name), "%.*s", (int)(slash - walk->rest), walk->rest);
		snprintf(next, sizeof(next), "%s", slash + strspn(slash, "/"));
		ret = step(walk, name, next, err);
	}
	return ret;
}

static int open_last(const struct walk *walk, const char *path, struct error *err)
{
	/* O_NONBLOCK: do not wait for the other end of a FIFO */
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
		ret = refuse_writable(&st, "", path, err);
	else
		return fd;
	close(fd);
	return ret;
}

/*
 * Open a regular file, no symbolic link, for reading. Return: fd; -ENOENT if it does not exist;
 * -EPERM if others than root may write it or a directory in its path; -ELOOP if it is a symbolic
 * link; or other -errno
 */
static int open_file(const char *path, struct error *err)
{
	struct walk walk;
	int ret = walk_to(&walk, path, err);

	if (!ret)
		ret = open_last(&walk, path, err);
	if (walk.dir >= 0)
		close(walk.dir);
	return ret;
}

/* Open CONFIG_DIR, in which nobody but root may create files. Return: as open_file() */
static int open_config_dir(struct error *err)
{
	struct walk walk;
	struct stat st;
	int ret = walk_to(&walk, CONFIG_DIR "/.", err);

	if (!ret && fstat(walk.dir, &st))
		ret = cannot("inspected", errno, err);
	else if (!ret && may_others_write(&st))
		ret = refuse_writable(&st, "", CONFIG_DIR, err);
	if (!ret) {
		ret = openat(walk.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (ret < 0)
			ret = cannot("read", errno, err);
	}
	if (walk.dir >= 0)
		close(walk.dir);
	return ret;
}

/* ---- reading ---- */

/* Return: does it exist? */
static bool read_file(struct watch_config *conf, const char *path, bool required)
{
	struct error err = {};
	int fd = open_file(path, &err);
	FILE *stream;

	if (fd == -ENOENT && !required)
		return false;
	if (fd == -ENOENT)
		error_hint(&err, "check the name; hbpf.conf(5) describes the file");
	if (fd < 0) {
		watch_config_add_problem(conf, path, err.what, err.hint);
		return true;
	}
	stream = fdopen(fd, "r");
	if (stream) {
		watch_config_parse_stream(conf, path, stream);
		fclose(stream);
	} else {
		conf->out_of_memory = true;
		close(fd);
	}
	return true;
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

/* As scandirat(3), which musl does not have. */
static int scan(int dir, struct dirent ***names)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	return scandir(path, names, is_conf, alphasort);
}

/* Return: is there any file, as far as can be determined? */
static bool read_dir(struct watch_config *conf)
{
	bool any = false;
	char path[PATH_MAX];
	struct error err = {};
	struct dirent **names;
	int fd = open_config_dir(&err);
	int count = fd < 0 ? fd : scan(fd, &names);

	if (fd == -ENOENT)
		return false;
	if (fd >= 0 && count < 0)
		cannot("read", errno, &err);
	if (fd >= 0)
		close(fd);
	if (count < 0) {
		/* Treated as empty, a reload would detach what is declared there. */
		watch_config_add_problem(
			conf, CONFIG_DIR, err.what,
			err.hint[0] ? err.hint
				    : "it must be a directory of *.conf files, or not exist");
		return true;
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", CONFIG_DIR, names[i]->d_name);
		any |= read_file(conf, path, true);
		free(names[i]);
	}
	free(names);
	return any;
}

int watch_config_read(struct watch_config *conf, const char *path)
{
	bool any;

	*conf = (struct watch_config){};
	any = read_file(conf, path ? path : CONFIG_FILE, path);
	if (!path)
		any |= read_dir(conf);
	if (!any)
		watch_config_add_problem(conf, CONFIG_FILE,
					 "no such file, and no *.conf in " CONFIG_DIR,
					 "create it; an empty file is valid, and attaches nothing");
	return watch_config_result(conf);
}
