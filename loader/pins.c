/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include "pins.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* of asm-generic/socket.h, Linux 5.14 */
#endif

#define BPFFS_ENV      "HBPF_BPFFS"
#define BPFFS_DEFAULT  "/sys/fs/bpf"
#define LO_DIR         "lo"
#define NETNS_MARK     "netns" /* in LO_DIR, a symbolic link to the cookie of the namespace */
#define COOKIE_STRLEN  21      /* 64 bits in decimal */
#define BELOW_STRLEN   (sizeof("/hbpf/") + 20) /* and the namespace's number */
/* In one component of a path: every byte of an interface name as %XX. */
#define ESCAPED_STRLEN (3 * (IFNAMSIZ - 1) + 1)

/* ---- bpffs ---- */

/* Return: fd, -ENOENT where there is no bpffs at @root, other -errno */
static int bpffs_open(const char *root)
{
	struct statfs fs;
	int fd, ret;

	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstatfs(fd, &fs))
		ret = -errno;
	else
		ret = fs.f_type == BPF_FS_MAGIC ? fd : -ENOENT;
	if (ret < 0)
		close(fd);
	return ret;
}

/*
 * Return: 1 when this process sees the mounts of PID 1, 0 when it does not (as under
 * ip netns exec, which mounts a /sys of its own), -errno
 */
static int in_init_mounts(void)
{
	struct stat self, init;

	if (stat("/proc/self/ns/mnt", &self) || stat("/proc/1/ns/mnt", &init))
		return -errno;
	return self.st_dev == init.st_dev && self.st_ino == init.st_ino;
}

static int take_lock(int fd, int operation)
{
	return flock(fd, operation) ? -errno : 0;
}

/*
 * Two commands that both find no bpffs must not both mount one: the second would hide the first
 * and what is pinned there. The directory underneath is locked meanwhile.
 *
 * Return: fd of the bpffs, or -errno
 */
static int bpffs_mount(const char *root, struct error *err)
{
	int below, fd, ret;

	below = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (below < 0)
		return error_set(err, errno, "no directory %s to mount bpffs on: %s", root,
				 strerror(errno));
	ret = take_lock(below, LOCK_EX);
	if (ret) {
		error_set(err, ret, "%s: cannot lock it: %s", root, strerror(-ret));
		goto out;
	}
	fd = bpffs_open(root);
	if (fd >= 0) {
		ret = fd;
		goto out;
	}
	if (mount("bpf", root, "bpf", 0, "mode=0700")) {
		ret = error_set(err, errno, "cannot mount bpffs on %s: %s", root, strerror(errno));
		error_hint_privileges(err, ret);
		goto out;
	}
	ret = bpffs_open(root);
	if (ret < 0)
		error_set(err, ret, "%s: cannot open the bpffs just mounted: %s", root,
			  strerror(-ret));
out:
	close(below);
	return ret;
}

/* The default place holds no bpffs: mount one, where it would last. */
static int bpffs_provide(enum pins_mode mode, struct error *err)
{
	int ret = in_init_mounts();

	if (ret == -EACCES || ret == -EPERM) {
		error_set(err, ret, "no bpffs on %s, and too few privileges to mount one",
			  BPFFS_DEFAULT);
		error_hint_privileges(err, ret);
		return ret;
	}
	if (ret == 1 && mode == PINS_WRITE)
		return bpffs_mount(BPFFS_DEFAULT, err);
	if (ret == 1) {
		ret = error_set(err, ENOENT, "no bpffs on %s, so nothing is attached",
				BPFFS_DEFAULT);
		error_hint(err, "if it is mounted elsewhere, set " BPFFS_ENV);
		return ret;
	}

	/* Also where /proc/1 cannot tell: a mount that might vanish is worse than none. */
	ret = error_set(err, EPERM,
			"no bpffs on %s in this mount namespace, and one mounted here, with the "
			"guard in it, would vanish with this command",
			BPFFS_DEFAULT);
	error_hint(err, "enter only the network namespace, as "
			"`nsenter --net=/run/netns/NAME hbpf ...` does (ip netns exec hides "
			"the host's /sys), or set " BPFFS_ENV " to a bpffs that stays mounted");
	return ret;
}

/* Return: fd of the bpffs, or -errno */
static int bpffs_get(const char *root, bool given, enum pins_mode mode, struct error *err)
{
	int fd = bpffs_open(root);

	if (fd == -EACCES || fd == -EPERM) {
		error_set(err, fd, "cannot open the bpffs %s: %s", root, strerror(-fd));
		error_hint_privileges(err, fd);
		return fd;
	}
	if (fd == -ENOENT && given) {
		fd = error_set(err, EINVAL, BPFFS_ENV "=%s is not a mounted bpffs", root);
		error_hint(err, "mount one with `mount -t bpf bpf %s`", root);
		return fd;
	}
	if (fd == -ENOENT)
		return bpffs_provide(mode, err);
	if (fd < 0)
		return error_set(err, fd, "cannot open the bpffs %s: %s", root, strerror(-fd));
	return fd;
}

/* ---- the namespace ---- */

/* Return: what no other namespace of this boot has or ever had; 0 where the kernel has no such */
static __u64 netns_cookie(void)
{
	__u64 cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	close(fd);
	return cookie;
}

/* Was the state here left by a namespace that is gone, and whose inode number this one got? */
static bool is_of_dead_netns(const struct pins *pins)
{
	char path[PATH_MAX], text[COOKIE_STRLEN], mark[COOKIE_STRLEN];
	__u64 cookie = netns_cookie();
	ssize_t len;

	if (!cookie || pins_path(pins, NULL, NETNS_MARK, path))
		return false;
	len = readlink(path, mark, sizeof(mark) - 1);
	if (len < 0)
		return false;
	mark[len] = '\0';
	snprintf(text, sizeof(text), "%llu", (unsigned long long)cookie);
	return strcmp(mark, text) != 0;
}

static int mark_netns(const struct pins *pins, struct error *err)
{
	char path[PATH_MAX], text[COOKIE_STRLEN];
	__u64 cookie = netns_cookie();

	if (!cookie || pins_path(pins, NULL, NETNS_MARK, path))
		return 0;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)cookie);
	if (!symlink(text, path) || errno == EEXIST)
		return 0;
	return error_set(err, errno, "cannot make %s: %s", path, strerror(errno));
}

/* Nothing is given back: interfaces and settings went with their namespace. */
static int forget_dead_netns(const struct pins *pins, struct error *err)
{
	struct pins_bridges bridges;
	int ret = pins_bridges(pins, &bridges, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < bridges.count; i++)
		ret = pins_remove(pins, bridges.names[i], err);
	pins_bridges_free(&bridges);
	return ret ? ret : pins_remove(pins, NULL, err); /* the mark last */
}

/* Return: where the bpffs is, as somebody said or by default */
static const char *bpffs_root(bool *given)
{
	const char *root = getenv(BPFFS_ENV);

	*given = root && *root;
	return *given ? root : BPFFS_DEFAULT;
}

int pins_check_root(struct error *err)
{
	bool given;
	const char *root = bpffs_root(&given);
	int ret;

	if (*root != '/') {
		ret = error_set(err, EINVAL, BPFFS_ENV "=%s is not an absolute path", root);
		error_hint(err, "write it from / on, as " BPFFS_ENV "=" BPFFS_DEFAULT);
		return ret;
	}
	if (strlen(root) + BELOW_STRLEN > PATH_MAX)
		return error_set(err, ENAMETOOLONG, BPFFS_ENV " is too long for a path");
	return 0;
}

int pins_open(struct pins *pins, enum pins_mode mode, struct error *err)
{
	bool given;
	const char *root = bpffs_root(&given);
	struct stat netns;
	int ret;

	pins->lock = -1;
	pins->writes = mode == PINS_WRITE;
	ret = pins_check_root(err);
	if (ret)
		return ret;
	if (stat("/proc/self/ns/net", &netns))
		return error_set(err, errno, "cannot tell the network namespace: %s: %s",
				 "/proc/self/ns/net", strerror(errno));
	pins->netns = netns.st_ino;
	snprintf(pins->base, sizeof(pins->base), "%s/hbpf/%llu", root,
		 (unsigned long long)pins->netns);
	ret = bpffs_get(root, given, mode, err);
	if (ret < 0)
		return ret;
	pins->lock = ret;
	/* The root of the bpffs is always there; a lock on hbpf/ would race with its removal. */
	ret = take_lock(pins->lock, mode == PINS_WRITE ? LOCK_EX : LOCK_SH);
	if (ret) {
		error_set(err, ret, "cannot lock the bpffs %s: %s", root, strerror(-ret));
	} else if (is_of_dead_netns(pins)) {
		ret = mode == PINS_WRITE ? forget_dead_netns(pins, err)
					 : error_set(err, ENOENT, "nothing is attached");
	}
	if (ret)
		pins_close(pins);
	return ret;
}

void pins_close(struct pins *pins)
{
	if (pins->lock >= 0) {
		if (pins->writes)
			futimens(pins->lock, NULL);
		close(pins->lock);
	}
	pins->lock = -1;
}

/* ---- names ---- */

/* bpffs keeps dots in names for itself (bpf_lookup() in kernel/bpf/inode.c: EPERM). */
static void escape(const char *name, char escaped[ESCAPED_STRLEN])
{
	char *to = escaped;

	for (size_t i = 0; i < IFNAMSIZ - 1 && name[i]; i++) {
		if (strchr("./%", name[i]))
			to += sprintf(to, "%%%02X", (unsigned char)name[i]);
		else
			*to++ = name[i];
	}
	*to = '\0';
}

static int hex_digit(char c)
{
	const char *digits = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* Return: true, or false for what escape() never made */
static bool unescape(const char *escaped, char name[IFNAMSIZ])
{
	size_t len = 0;

	while (*escaped) {
		if (len == IFNAMSIZ - 1)
			return false;
		if (*escaped == '%') {
			int high = hex_digit(escaped[1]);
			int low = high < 0 ? -1 : hex_digit(escaped[2]);

			if (low < 0)
				return false;
			name[len++] = high << 4 | low;
			escaped += 3;
		} else {
			name[len++] = *escaped++;
		}
	}
	name[len] = '\0';
	return len > 0;
}

int pins_path(const struct pins *pins, const char *bridge, const char *name, char path[PATH_MAX])
{
	char dir[ESCAPED_STRLEN] = LO_DIR;
	int len;

	if (bridge)
		escape(bridge, dir);
	len = snprintf(path, PATH_MAX, "%s/%s%s%s", pins->base, dir, name ? "/" : "",
		       name ? name : "");
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* ---- directories ---- */

/* <bpffs>/hbpf */
static void top_path(const struct pins *pins, char path[PATH_MAX])
{
	memcpy(path, pins->base, sizeof(pins->base));
	*strrchr(path, '/') = '\0';
}

static int make_dir(const char *path, struct error *err)
{
	int ret;

	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	ret = error_set(err, errno, "cannot make directory %s: %s", path, strerror(errno));
	error_hint_privileges(err, ret);
	return ret;
}

int pins_mkdir(const struct pins *pins, const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	top_path(pins, path);
	ret = make_dir(path, err);
	if (!ret)
		ret = make_dir(pins->base, err);
	if (ret)
		return ret;
	ret = pins_path(pins, bridge, NULL, path);
	if (ret)
		return error_set(err, ret, "path of %s below %s is too long", bridge, pins->base);
	ret = make_dir(path, err);
	return ret || bridge ? ret : mark_netns(pins, err);
}

/* Return: 0 (also when it is not empty or not there) or -errno */
static int remove_dir(const char *path, struct error *err)
{
	if (!rmdir(path) || errno == ENOTEMPTY || errno == ENOENT)
		return 0;
	return error_set(err, errno, "cannot remove directory %s: %s", path, strerror(errno));
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int empty_dir(const char *path, struct error *err)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "cannot read directory %s: %s", path, strerror(errno));
	while (!ret && (entry = readdir(dir))) {
		if (is_dots(entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) && errno != ENOENT)
			ret = error_set(err, errno, "cannot remove %s/%s: %s", path, entry->d_name,
					strerror(errno));
	}
	closedir(dir);
	return ret;
}

int pins_remove(const struct pins *pins, const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, NULL, path);
	if (ret)
		return error_set(err, ret, "path of %s below %s is too long", bridge, pins->base);
	ret = empty_dir(path, err);
	if (!ret)
		ret = remove_dir(path, err);
	if (!ret)
		ret = remove_dir(pins->base, err);
	if (ret)
		return ret;
	top_path(pins, path);
	return remove_dir(path, err);
}

int pins_unlink(const struct pins *pins, const char *bridge, const char *name, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, name, path);
	if (ret)
		return error_set(err, ret, "path of %s below %s is too long", name, pins->base);
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return error_set(err, errno, "cannot remove %s: %s", path, strerror(errno));
}

/* ---- the bridges of this namespace ---- */

static int append_name(struct pins_bridges *bridges, const char *name)
{
	char(*names)[IFNAMSIZ] =
		reallocarray(bridges->names, bridges->count + 1, sizeof(*bridges->names));

	if (!names)
		return -ENOMEM;
	bridges->names = names;
	memcpy(names[bridges->count++], name, IFNAMSIZ);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

int pins_bridges(const struct pins *pins, struct pins_bridges *bridges, struct error *err)
{
	struct dirent *entry;
	char name[IFNAMSIZ];
	int ret = 0;
	DIR *dir;

	*bridges = (struct pins_bridges){};
	dir = opendir(pins->base);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "cannot read directory %s: %s", pins->base,
				 strerror(errno));
	while (!ret && (entry = readdir(dir))) {
		if (is_dots(entry->d_name) || !strcmp(entry->d_name, LO_DIR) ||
		    !unescape(entry->d_name, name))
			continue;
		ret = append_name(bridges, name);
	}
	closedir(dir);
	if (ret) {
		pins_bridges_free(bridges);
		return error_set(err, ret, "cannot list the bridges: %s", strerror(-ret));
	}
	if (bridges->count)
		qsort(bridges->names, bridges->count, sizeof(*bridges->names), compare_names);
	return 0;
}

void pins_bridges_free(struct pins_bridges *bridges)
{
	free(bridges->names);
	*bridges = (struct pins_bridges){};
}

const char *pins_bridges_find(const struct pins_bridges *bridges, const char *name)
{
	for (size_t i = 0; i < bridges->count; i++) {
		if (!strcmp(bridges->names[i], name))
			return bridges->names[i];
	}
	return NULL;
}
