/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/load.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dataplane/map_schema.h"
#include "hbpf.skel.h"
#include "hbpf_nat_bypass.skel.h"

/* Collects libbpf's messages: why it failed, and the verifier's log, which it requests itself if
 * the kernel refuses a program (bpf_object_load_prog()). */
static FILE *libbpf_says;

static int keep_saying(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!libbpf_says || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(libbpf_says, format, args);
}

static struct bpf_object *object_open(const void *elf, size_t size, const struct dataplane *dp)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "hbpf");
	struct bpf_object *object;
	int map, ret = 0;

	object = bpf_object__open_mem(elf, size, &opts);
	if (!object)
		return NULL;
	for (map = 0; !ret && map < MAP_COUNT; map++) {
		struct bpf_map *in_object =
			bpf_object__find_map_by_name(object, map_schema(map)->name);

		if (!in_object)
			ret = -ENOENT;
		else if (dp->maps[map] >= 0)
			ret = bpf_map__reuse_fd(in_object, dp->maps[map]);
	}
	if (!ret)
		return object;
	bpf_object__close(object);
	errno = -ret;
	return NULL;
}

static int program_fd(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

/* Give @dp its own fds of the maps that the object made. */
static int take_maps(struct dataplane *dp, const struct bpf_object *object)
{
	int map, fd;

	for (map = 0; map < MAP_COUNT; map++) {
		if (dp->maps[map] >= 0)
			continue;
		fd = bpf_object__find_map_fd_by_name(object, map_schema(map)->name);
		if (fd >= 0)
			fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
		dp->maps[map] = fd;
	}
	return 0;
}

struct release {
	unsigned int major;
	unsigned int minor;
};

static struct release running_release(void)
{
	struct release release = {};
	struct utsname uts;

	if (!uname(&uts))
		sscanf(uts.release, "%u.%u", &release.major, &release.minor);
	return release;
}

static bool is_older(struct release release, unsigned int major, unsigned int minor)
{
	return release.major < major || (release.major == major && release.minor < minor);
}

#define BACKSTOP "hbpf_backstop"

/* bpf/cookie.h: any 64 bits whose lower half is not 0. */
static int bake_cookie(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.cookie");
	__u32 cookie[2];

	if (!map)
		return -ENOENT;
	if (getrandom(cookie, sizeof(cookie), 0) != sizeof(cookie))
		return -errno;
	cookie[0] |= 1;
	return bpf_map__set_initial_value(map, cookie, sizeof(cookie));
}

static int load_object(struct dataplane *dp, const void *elf, size_t size)
{
	struct bpf_object *object;
	int ret;

	object = object_open(elf, size, dp);
	if (!object)
		return -errno;
	ret = bake_cookie(object);
	/* without tcx there is no place for it */
	if (!ret && is_older(running_release(), 6, 6))
		ret = bpf_program__set_autoload(bpf_object__find_program_by_name(object, BACKSTOP),
						false);
	if (!ret)
		ret = bpf_object__load(object);
	if (!ret) {
		dp->ingress_fd = program_fd(object, "hbpf_ingress");
		dp->egress_fd = program_fd(object, "hbpf_egress");
		dp->backstop_fd = program_fd(object, BACKSTOP);
		if (dp->ingress_fd < 0 || dp->egress_fd < 0)
			ret = -ENOENT;
	}
	if (!ret)
		ret = take_maps(dp, object);
	if (ret) {
		bpf_object__close(object);
		return ret;
	}
	dp->object = object;
	return 0;
}

/*
 * load_build() - load one of the two builds
 * @said:	What libbpf said, to be freed; NULL if nothing
 */
static int load_build(struct dataplane *dp, const void *elf, size_t size, char **said)
{
	size_t length = 0;
	int ret;

	*said = NULL;
	libbpf_says = open_memstream(said, &length);
	libbpf_set_print(keep_saying);
	ret = load_object(dp, elf, size);
	if (libbpf_says)
		fclose(libbpf_says);
	libbpf_says = NULL;
	if (!length) {
		free(*said);
		*said = NULL;
	}
	return ret;
}

static int check_kernel(struct error *err)
{
	struct release release = running_release();
	int ret;

	if (!is_older(release, 5, 10))
		return 0;
	ret = error_set(err, EOPNOTSUPP,
			"Linux %u.%u is too old: hbpf needs 5.10 or newer, as it reads socket "
			"storage through sock_diag",
			release.major, release.minor);
	error_hint(err, "boot a newer kernel");
	return ret;
}

/* Explain briefly why the build with NAT bypass did not load. */
static void explain_no_bypass(int code, const char *said, char *why, size_t size)
{
	struct release release = running_release();
	const char *no_kfunc = "not found in kernel or module BTFs"; /* libbpf's words */

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(why, size, "no kernel BTF (CONFIG_DEBUG_INFO_BTF)");
	else if (!said || !strstr(said, no_kfunc))
		snprintf(why, size, "the kernel rejected the programs: %s", strerror(-code));
	else if (is_older(release, 6, 1))
		snprintf(why, size, "Linux %u.%u has no conntrack kfuncs (6.1 has)", release.major,
			 release.minor);
	else if (strstr(said, "'bpf_ct_set_nat_info'"))
		snprintf(why, size, "the module nf_nat is not loaded");
	else
		snprintf(why, size, "the module nf_conntrack is not loaded");
}

static int refused(int code, char *said, struct error *err)
{
	if (code == -EPERM) {
		error_set(err, code, "not permitted to load BPF programs");
		error_hint(err,
			   "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed, which root in a "
			   "container may lack; run it on the host");
	} else {
		error_errno(err, code, "the kernel rejected hbpf's programs");
	}
	if (err) {
		free(err->detail);
		err->detail = said;
	} else {
		free(said);
	}
	return code;
}

int dataplane_load(struct dataplane *dp, enum hbpf_choice nat_bypass, struct error *err)
{
	const void *elf;
	size_t size;
	char *said;
	int ret;

	ret = check_kernel(err);
	if (ret)
		return ret;

	dp->nat_bypass_unavailable[0] = '\0';
	dp->config.nat_bypass_built = 0;
	if (nat_bypass != HBPF_OFF) {
		elf = hbpf_nat_bypass_bpf__elf_bytes(&size);
		ret = load_build(dp, elf, size, &said);
		if (ret)
			explain_no_bypass(ret, said, dp->nat_bypass_unavailable,
					  sizeof(dp->nat_bypass_unavailable));
		free(said);
		if (!ret) {
			dp->config.nat_bypass_built = 1;
			return 0;
		}
	}

	elf = hbpf_bpf__elf_bytes(&size);
	ret = load_build(dp, elf, size, &said);
	if (ret)
		return refused(ret, said, err);
	free(said);
	return 0;
}
