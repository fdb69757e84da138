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
#include "dataplane/pins_bridges.h"
#include "dataplane/shared.h"
#include "hbpf.skel.h"
#include "hbpf_nat_bypass.skel.h"
#include "kernel/nat_detect.h"

#define BACKSTOP "hbpf_backstop"

/* Collects libbpf's messages: why it failed, and the verifier's log, which it requests itself if
 * the kernel refuses a program (bpf_object_load_prog()). */
static FILE *libbpf_says;

static int keep_saying(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!libbpf_says || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(libbpf_says, format, args);
}

static int pinned_fd(const struct shared *shared, enum dataplane_map map)
{
	return map < MAP_GROWING ? shared->arrays[map] : shared->maps[map];
}

static struct bpf_object *object_open(const void *elf, size_t size, const struct shared *shared)
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
		else if (pinned_fd(shared, map) >= 0)
			ret = bpf_map__reuse_fd(in_object, pinned_fd(shared, map));
	}
	if (!ret)
		return object;
	bpf_object__close(object);
	errno = -ret;
	return NULL;
}

/* Give @shared its own fd of a program; -1 if it was not loaded. */
static int take_program(struct shared *shared, enum dataplane_program which,
			const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	int fd = program ? bpf_program__fd(program) : -1;

	if (shared->programs[which] >= 0)
		close(shared->programs[which]);
	shared->programs[which] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd >= 0 && shared->programs[which] < 0 ? -errno : 0;
}

static int take_programs(struct shared *shared, const struct bpf_object *object)
{
	int ret = take_program(shared, PROGRAM_INGRESS, object, "hbpf_ingress") ?:
		  take_program(shared, PROGRAM_EGRESS, object, "hbpf_egress") ?:
		  take_program(shared, PROGRAM_BACKSTOP, object, BACKSTOP);

	if (!ret && (shared->programs[PROGRAM_INGRESS] < 0 || shared->programs[PROGRAM_EGRESS] < 0))
		ret = -ENOENT;
	return ret;
}

/* The same for the maps that the object made. */
static int take_maps(struct shared *shared, const struct bpf_object *object)
{
	int map, fd;

	for (map = 0; map < MAP_COUNT; map++) {
		if (pinned_fd(shared, map) >= 0)
			continue;
		fd = bpf_object__find_map_fd_by_name(object, map_schema(map)->name);
		if (fd >= 0)
			fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
		if (map < MAP_GROWING)
			shared->arrays[map] = fd;
		else
			shared->maps[map] = fd;
	}
	return shared_fill_arrays(shared);
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

static int load_object(struct shared *shared, const void *elf, size_t size)
{
	struct bpf_object *object;
	int ret;

	object = object_open(elf, size, shared);
	if (!object)
		return -errno;
	ret = bake_cookie(object);
	/* without tcx there is no place for it */
	if (!ret && is_older(running_release(), 6, 6))
		ret = bpf_program__set_autoload(bpf_object__find_program_by_name(object, BACKSTOP),
						false);
	if (!ret)
		ret = bpf_object__load(object);
	if (!ret)
		ret = take_maps(shared, object);
	if (!ret)
		ret = take_programs(shared, object);
	bpf_object__close(object);
	return ret;
}

/*
 * load_build() - load one of the two builds
 * @said:	What libbpf said, to be freed; NULL if nothing
 */
static int load_build(struct shared *shared, const void *elf, size_t size, char **said)
{
	size_t length = 0;
	int ret;

	*said = NULL;
	libbpf_says = open_memstream(said, &length);
	libbpf_set_print(keep_saying);
	ret = load_object(shared, elf, size);
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

/* ---- the builds ---- */

struct build {
	const void *elf;
	size_t size;
};

static struct build plain_build(void)
{
	struct build build;

	build.elf = hbpf_bpf__elf_bytes(&build.size);
	return build;
}

static struct build bypass_build(void)
{
	struct build build;

	build.elf = hbpf_nat_bypass_bpf__elf_bytes(&build.size);
	return build;
}

#define BUILD_ID_STRLEN 17

/* Its contents in hexadecimal, by FNV-1a: any two versions of hbpf differ in it. Returns @id */
static const char *build_id(struct build build, char id[BUILD_ID_STRLEN])
{
	unsigned long long hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < build.size; i++)
		hash = (hash ^ ((const unsigned char *)build.elf)[i]) * 0x100000001b3;
	snprintf(id, BUILD_ID_STRLEN, "%016llx", hash);
	return id;
}

/* Return: were they loaded? Otherwise shared->nat_bypass_unavailable says why not. */
static bool load_bypass(struct shared *shared)
{
	const struct build build = bypass_build();
	char *said;
	int ret = load_build(shared, build.elf, build.size, &said);

	if (ret)
		explain_no_bypass(ret, said, shared->nat_bypass_unavailable,
				  sizeof(shared->nat_bypass_unavailable));
	free(said);
	return !ret;
}

static int load_plain(struct shared *shared, struct error *err)
{
	const struct build build = plain_build();
	char *said;
	int ret = load_build(shared, build.elf, build.size, &said);

	if (ret)
		return refused(ret, said, err);
	free(said);
	return 0;
}

/* With `auto`, it has to be worth the time of the verifier. */
static bool is_bypass_needed(enum hbpf_choice nat_bypass)
{
	char why[128];

	return nat_bypass == HBPF_ON ||
	       (nat_bypass == HBPF_AUTO && nat_detect_prerouting(why, sizeof(why)) == 1);
}

static int count_missing(const struct shared *shared, const char **first)
{
	int missing = 0;

	for (int map = MAP_COUNT - 1; map >= 0; map--) {
		if (shared->maps[map] >= 0)
			continue;
		*first = map_schema(map)->name;
		missing++;
	}
	return missing;
}

/* Maps that were made by different commands do not belong together: programs refer to the maps that
 * they were loaded with. So with one missing, all are made again, unless a bridge uses them. */
static int remove_incomplete(struct shared *shared, const struct pins *pins, struct error *err)
{
	const char *name = "";
	int missing = count_missing(shared, &name), ret;

	if (!missing)
		return 0;
	shared_close(shared);
	if (missing == MAP_COUNT)
		return pins_remove(pins, PINS_SHARED, err);
	ret = pins_remove_shared(pins, NULL, err);
	if (ret <= 0)
		return ret;
	error_set(err, ESTALE, "the maps that all bridges share are incomplete: %s is missing",
		  name);
	error_hint(err, "run `hbpf detach --all`, then attach the bridges again");
	return -ESTALE;
}

static bool are_pinned(struct shared *shared, const struct pins *pins, struct build build)
{
	int count = is_older(running_release(), 6, 6) ? PROGRAM_COUNT - 1 : PROGRAM_COUNT;
	char id[BUILD_ID_STRLEN];

	return shared_open_programs(shared, pins, build_id(build, id)) == count;
}

int shared_load(struct shared *shared, const struct pins *pins, enum hbpf_choice nat_bypass,
		struct error *err)
{
	bool *built = &shared->nat_bypass_built;
	int ret = check_kernel(err);

	if (!ret)
		ret = shared_open(shared, pins, err);
	if (!ret)
		ret = remove_incomplete(shared, pins, err);
	if (ret)
		return ret;

	shared->nat_bypass_unavailable[0] = '\0';
	*built = are_pinned(shared, pins, bypass_build());
	if (*built)
		return 0;
	if (are_pinned(shared, pins, plain_build())) {
		if (is_bypass_needed(nat_bypass) && load_bypass(shared))
			*built = shared->loaded = true;
		return 0;
	}
	shared->loaded = true;
	*built = nat_bypass != HBPF_OFF && load_bypass(shared);
	return *built ? 0 : load_plain(shared, err);
}

int shared_load_copy(struct shared *shared, struct error *err)
{
	if (shared->loaded)
		return 0;
	if (shared->nat_bypass_built && load_bypass(shared))
		return 0;
	return load_plain(shared, err);
}

int shared_pin_loaded(const struct shared *shared, const struct pins *pins, struct error *err)
{
	char id[BUILD_ID_STRLEN];

	if (!shared->loaded)
		return 0;
	build_id(shared->nat_bypass_built ? bypass_build() : plain_build(), id);
	return shared_pin_programs(shared, pins, id, err);
}
