/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/bpffs.h"
#include "dataplane/pins_bridges.h"
#include "lib/log.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* of asm-generic/socket.h, Linux 5.14 */
#endif

#define LO_DIR         "lo"
#define NETNS_MARK     "netns" /* in LO_DIR, a symbolic link to the cookie of the namespace */
#define COOKIE_STRLEN  21      /* 64 bits in decimal */
#define BELOW_STRLEN   (sizeof("/hbpf/") + 20) /* with the namespace's inode number */
/* An interface name with every byte escaped as %XX. */
#define ESCAPED_STRLEN (3 * (IFNAMSIZ - 1) + 1)

/* ---- the namespace ---- */

/* Return: a number that is unique among all namespaces since boot; 0 if the kernel has none */
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

static bool has_mark(const struct pins *pins)
{
	char path[PATH_MAX];
	struct stat st;

	return !pins_path(pins, NULL, NETNS_MARK, path, NULL) && !lstat(path, &st);
}

/* Was the state left by a deleted namespace with the inode number of this one? */
static bool is_of_dead_netns(const struct pins *pins)
{
	char text[COOKIE_STRLEN];
	__u64 cookie = netns_cookie();

	snprintf(text, sizeof(text), "%llu", (unsigned long long)cookie);
	return cookie && has_mark(pins) && !pins_has_text(pins, NULL, NETNS_MARK, text);
}

static int mark_netns(const struct pins *pins, struct error *err)
{
	char text[COOKIE_STRLEN];
	__u64 cookie = netns_cookie();

	if (!cookie)
		return 0;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)cookie);
	return pins_write_text(pins, NULL, NETNS_MARK, text, err);
}

/* Nothing is restored: interfaces and settings were deleted with their namespace. */
static int forget_dead_netns(const struct pins *pins, struct error *err)
{
	struct pins_bridges bridges;
	int ret = pins_bridges(pins, &bridges, err);

	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < bridges.count; i++)
		ret = pins_remove(pins, bridges.names[i], err);
	pins_bridges_free(&bridges);
	if (!ret)
		ret = pins_remove_shared(pins, NULL, err);
	return ret ? ret : pins_remove(pins, NULL, err); /* the mark last */
}

int pins_check_root(struct error *err)
{
	const char *root = bpffs_root();
	int ret;

	if (*root != '/') {
		ret = error_set(err, EINVAL, BPFFS_ENV "=%s is not an absolute path", root);
		error_hint(err, "use an absolute path, such as " BPFFS_DEFAULT);
		return ret;
	}
	if (strlen(root) + BELOW_STRLEN > PATH_MAX)
		return error_set(err, ENAMETOOLONG, BPFFS_ENV " is too long for a path");
	return 0;
}

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
	ret = error_errno(err, errno, "cannot create directory %s", path);
	error_hint_privileges(err, ret);
	return ret;
}

/* Return: 0 (also if it is not empty or does not exist) or -errno */
static int remove_dir(const char *path, struct error *err)
{
	if (!rmdir(path) || errno == ENOTEMPTY || errno == ENOENT)
		return 0;
	return error_errno(err, errno, "cannot remove directory %s", path);
}

/* ---- the lock ---- */

/* A user who can open it can also lock it, and block every command. */
static int make_private(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (!fstat(fd, &st) && (!(st.st_mode & (S_IRWXG | S_IRWXO)) || !fchmod(fd, 0700)))
		return 0;
	return error_errno(err, errno, "cannot set the mode of %s", path);
}

/* Return: fd of <bpffs>/hbpf, or -errno */
static int open_top(const struct pins *pins, const char *path, struct error *err)
{
	int fd, ret;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(err, ENOENT, "nothing is attached");
	if (fd < 0) {
		ret = error_errno(err, errno, "cannot open the directory %s", path);
		error_hint(err, "inspect it, remove it, and try again");
		return ret;
	}
	ret = bpffs_check_dir(fd, path, err);
	if (!ret && pins->writes)
		ret = make_private(fd, path, err);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* Is @fd still the directory at @path? */
static bool is_at(int fd, const char *path)
{
	struct stat here, there;

	return !fstat(fd, &here) && !lstat(path, &there) && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

/*
 * The lock is on hbpf's own directory, which other users cannot open. The process that holds it
 * removes the directory when it is empty. A lock on a removed directory is void, so lock again.
 */
static int lock_top(struct pins *pins, struct error *err)
{
	char path[PATH_MAX];
	int fd, ret;

	top_path(pins, path);
	for (;;) {
		fd = open_top(pins, path, err);
		if (fd == -ENOENT && pins->writes) {
			ret = make_dir(path, err);
			if (ret)
				return ret;
			continue;
		}
		if (fd < 0)
			return fd;
		ret = flock(fd, pins->writes ? LOCK_EX : LOCK_SH) ? -errno : 0;
		if (ret)
			error_errno(err, ret, "cannot lock %s", path);
		if (ret || is_at(fd, path))
			break;
		close(fd);
	}
	if (ret) {
		close(fd);
		return ret;
	}
	pins->lock = fd;
	log_hold();
	return 0;
}

/* Check the directories that all bridges of the namespace share. */
static int check_shared(const struct pins *pins, struct error *err)
{
	int ret = bpffs_check_path(pins->base, err);

	if (!ret)
		ret = pins_check(pins, NULL, err);
	return ret == -ENOENT ? 0 : ret;
}

static int open_netns(struct pins *pins, struct error *err)
{
	int ret = check_shared(pins, err);

	if (ret || !is_of_dead_netns(pins))
		return ret;
	return pins->writes ? forget_dead_netns(pins, err)
			    : error_set(err, ENOENT, "nothing is attached");
}

int pins_open(struct pins *pins, enum pins_mode mode, struct error *err)
{
	struct stat netns;
	int ret;

	*pins = (struct pins){ .lock = -1, .writes = mode == PINS_WRITE };
	ret = pins_check_root(err);
	if (ret)
		return ret;
	if (stat("/proc/self/ns/net", &netns))
		return error_errno(err, errno, "cannot identify the network namespace: %s",
				   "/proc/self/ns/net");
	pins->netns = netns.st_ino;
	snprintf(pins->base, sizeof(pins->base), "%s/hbpf/%llu", bpffs_root(),
		 (unsigned long long)pins->netns);
	pins->root = bpffs_open(pins->writes, err);
	if (pins->root < 0)
		return pins->root;
	ret = lock_top(pins, err);
	if (ret) {
		close(pins->root);
		return ret;
	}
	ret = open_netns(pins, err);
	if (ret)
		pins_close(pins);
	return ret;
}

int pins_remove_top(const struct pins *pins, struct error *err)
{
	char path[PATH_MAX];
	struct stat st;

	/* A directory with subdirectories has more than two links. */
	if (pins->lock < 0 || fstat(pins->lock, &st) || st.st_nlink > 2)
		return 0;
	top_path(pins, path);
	return remove_dir(path, err);
}

void pins_close(struct pins *pins)
{
	if (pins->lock < 0)
		return;
	if (pins->writes) {
		pins_remove_top(pins, NULL);
		futimens(pins->root, NULL);
	}
	close(pins->lock);
	close(pins->root);
	pins->lock = -1;
	log_release();
}

/* ---- names ---- */

/* bpffs rejects names with dots (bpf_lookup() in kernel/bpf/inode.c: EPERM). */
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

/* Return: false if escape() cannot have written it */
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

int pins_path(const struct pins *pins, const char *bridge, const char *name, char path[PATH_MAX],
	      struct error *err)
{
	char dir[ESCAPED_STRLEN] = LO_DIR;
	int len;

	if (bridge)
		escape(bridge, dir);
	len = snprintf(path, PATH_MAX, "%s/%s%s%s", pins->base, dir, name ? "/" : "",
		       name ? name : "");
	if (len < PATH_MAX)
		return 0;
	return error_set(err, ENAMETOOLONG, "path of %s below %s is too long",
			 bridge ? bridge : LO_DIR, pins->base);
}

/* ---- directories ---- */

int pins_check(const struct pins *pins, const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret = pins_path(pins, bridge, NULL, path, err);

	return ret ? ret : bpffs_check_path(path, err);
}

int pins_mkdir(const struct pins *pins, const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = make_dir(pins->base, err);
	if (!ret)
		ret = pins_path(pins, bridge, NULL, path, err);
	if (!ret)
		ret = make_dir(path, err);
	return ret || bridge ? ret : mark_netns(pins, err);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

bool pins_entry_name(const char *entry, char name[IFNAMSIZ])
{
	return !is_dots(entry) && strcmp(entry, LO_DIR) != 0 && unescape(entry, name);
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
		return error_errno(err, errno, "cannot read directory %s", path);
	while (!ret && (entry = readdir(dir))) {
		if (is_dots(entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) && errno != ENOENT)
			ret = error_errno(err, errno, "cannot remove %s/%s", path, entry->d_name);
	}
	closedir(dir);
	return ret;
}

int pins_remove(const struct pins *pins, const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, NULL, path, err);
	if (!ret)
		ret = empty_dir(path, err);
	if (!ret)
		ret = remove_dir(path, err);
	return ret ? ret : remove_dir(pins->base, err);
}

int pins_rename(const struct pins *pins, const char *from, const char *to, struct error *err)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	int ret =
		pins_path(pins, from, NULL, path, err) ?: pins_path(pins, to, NULL, new_path, err);

	if (ret)
		return ret;
	if (!rename(path, new_path))
		return 0;
	return error_errno(err, errno, "cannot rename %s to %s", path, new_path);
}

int pins_get(const struct pins *pins, const char *bridge, const char *name, char path[PATH_MAX],
	     struct error *err)
{
	int ret = pins_path(pins, bridge, name, path, err);

	if (ret)
		return ret;
	ret = bpf_obj_get(path);
	if (ret >= 0 || ret == -ENOENT)
		return ret;
	error_errno(err, ret, "cannot open %s", path);
	error_hint_privileges(err, ret);
	return ret;
}

int pins_pin(const struct pins *pins, const char *bridge, const char *name, int fd,
	     struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, name, path, err);
	if (ret)
		return ret;
	ret = bpf_obj_pin(fd, path);
	return ret ? error_errno(err, ret, "cannot pin %s", path) : 0;
}

int pins_unlink(const struct pins *pins, const char *bridge, const char *name, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, name, path, err);
	if (ret)
		return ret;
	if (!unlink(path) || errno == ENOENT)
		return 0;
	return error_errno(err, errno, "cannot remove %s", path);
}

/* ---- texts ---- */

#define TEXT_STRLEN 64

int pins_write_text(const struct pins *pins, const char *bridge, const char *name, const char *text,
		    struct error *err)
{
	char path[PATH_MAX];
	int ret = pins_path(pins, bridge, name, path, err);

	if (ret)
		return ret;
	if (!symlink(text, path) || errno == EEXIST)
		return 0;
	return error_errno(err, errno, "cannot make %s", path);
}

bool pins_has_text(const struct pins *pins, const char *bridge, const char *name, const char *text)
{
	char path[PATH_MAX], found[TEXT_STRLEN];
	ssize_t len;

	if (pins_path(pins, bridge, name, path, NULL))
		return false;
	len = readlink(path, found, sizeof(found) - 1);
	if (len < 0)
		return false;
	found[len] = '\0';
	return !strcmp(found, text);
}
