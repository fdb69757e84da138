/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs and maps as objects: opened, loaded, pinned. What is in the maps
 * is the business of
 *
 *	dataplane/exports_map.c	exports and services
 *	dataplane/access_lists.c	gateways and sources: what may be dialled, and by whom
 *	dataplane/flow_teardown.c	what ends together with an export
 *	dataplane/stats.c	counters
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <hbpf/version.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "dataplane/map_io.h"
#include "dataplane/map_schema.h"
#include "hbpf.skel.h"
#include "hbpf_nat_bypass.skel.h"

void dataplane_init(struct dataplane *dp)
{
	int map;

	*dp = (struct dataplane){
		.config.layout = HBPF_LAYOUT,
		.ingress_fd = -1,
		.egress_fd = -1,
		.backstop_fd = -1,
	};
	for (map = 0; map < MAP_COUNT; map++)
		dp->maps[map] = -1;
}

static void close_maps(struct dataplane *dp)
{
	int map;

	for (map = 0; map < MAP_COUNT; map++) {
		if (dp->maps[map] >= 0)
			close(dp->maps[map]);
		dp->maps[map] = -1;
	}
}

void dataplane_close(struct dataplane *dp)
{
	close_maps(dp);
	bpf_object__close(dp->object);
	dataplane_init(dp);
}

/* ---- what is pinned ---- */

static int pin_path(const struct pins *pins, const char *bridge, const char *name,
		    char path[PATH_MAX], struct error *err)
{
	int ret = pins_path(pins, bridge, name, path);

	return ret ? error_set(err, ret, "path of %s below %s is too long", bridge, pins->base) : 0;
}

static int not_whole(const char *bridge, const char *path, struct error *err)
{
	int ret = error_set(err, ESTALE, "what is kept for %s is incomplete: %s is missing", bridge,
			    path);

	error_hint(err, "`hbpf attach %s` makes it anew, `hbpf detach %s` takes it away", bridge,
		   bridge);
	return ret;
}

static const char *map_name(enum dataplane_map map)
{
	return map_schema(map)->name;
}

/* Return: fd, -ENOENT without a message, or -errno */
static int open_pin(const char *path, struct error *err)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0 || fd == -ENOENT)
		return fd;
	error_errno(err, fd, "cannot open %s", path);
	error_hint_privileges(err, fd);
	return fd;
}

/* @path: filled */
static int open_map(struct dataplane *dp, enum dataplane_map map, const struct pins *pins,
		    const char *bridge, char path[PATH_MAX], struct error *err)
{
	char dir[PATH_MAX];
	int ret;

	ret = pin_path(pins, bridge, NULL, dir, err);
	if (!ret)
		ret = pin_path(pins, bridge, map_name(map), path, err);
	if (ret)
		return ret;
	ret = open_pin(path, err);
	if (ret == -ENOENT && access(dir, F_OK))
		return error_set(err, ret, "%s is not attached", bridge);
	if (ret == -ENOENT)
		return not_whole(bridge, path, err);
	if (ret < 0)
		return ret;
	dp->maps[map] = ret;
	return 0;
}

static int check_form(const struct dataplane *dp, enum dataplane_map map, const char *path,
		      struct error *err)
{
	int ret = map_schema_check(dp->maps[map], map_schema(map), path, err);

	if (ret == -EPROTO)
		map_hint_reattach(err, dp);
	return ret;
}

/* Return: could it be read? */
static bool read_layout(int fd, __u32 *layout)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), zero = 0;
	void *value;
	bool done;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.key_size != sizeof(zero) || info.value_size < sizeof(*layout))
		return false;
	value = malloc(info.value_size);
	done = value && !bpf_map_lookup_elem(fd, &zero, value);
	if (done)
		memcpy(layout, value, sizeof(*layout));
	free(value);
	return done;
}

/* Enumerators of a config index tables, and its name is read as a string: neither may run out of
 * bounds, whatever is in the map. All other values are trusted, as root is. */
static bool is_in_range(const struct hbpf_config *config)
{
	return config->hook <= HBPF_HOOK_CLSACT && config->hook_option <= HBPF_HOOK_CLSACT &&
	       config->nat_bypass_option <= HBPF_OFF && config->guard_option <= HBPF_OFF &&
	       config->owner <= HBPF_BY_ENGINE &&
	       !config->attached_as[sizeof(config->attached_as) - 1];
}

/* Another layout may have a config of another size, but its first member is the layout. */
static int read_config(struct dataplane *dp, const char *path, struct error *err)
{
	int fd = dp->maps[MAP_CONFIG];
	__u32 layout, zero = 0;
	int ret;

	if (read_layout(fd, &layout) && layout != HBPF_LAYOUT) {
		ret = error_set(err, EPROTO,
				"%s was attached by another version of hbpf: its state has layout "
				"%u, and hbpf " HBPF_VERSION " knows layout %u",
				dp->bridge, layout, HBPF_LAYOUT);
		map_hint_reattach(err, dp);
		return ret;
	}
	ret = check_form(dp, MAP_CONFIG, path, err);
	if (ret)
		return ret;
	ret = bpf_map_lookup_elem(fd, &zero, &dp->config);
	if (ret)
		return map_error(err, ret, MAP_CONFIG, "read");
	if (is_in_range(&dp->config))
		return 0;
	ret = error_set(err, EPROTO, "%s holds a value that hbpf " HBPF_VERSION " never writes",
			path);
	map_hint_reattach(err, dp);
	return ret;
}

static int check_bridge(const struct dataplane *dp, const struct pins *pins, const char *bridge,
			unsigned int ifindex, struct error *err)
{
	const struct hbpf_config *config = &dp->config;
	int ret;

	if (config->netns != pins->netns) {
		ret = error_set(err, ENODEV,
				"what is kept for %s belongs to network namespace %llu", bridge,
				config->netns);
	} else if (!ifindex) {
		ret = error_set(err, ENODEV, "%s was deleted while hbpf was attached to it",
				bridge);
		error_hint(err, "`hbpf detach %s` takes away what is left", bridge);
		return ret;
	} else if (config->ifindex != ifindex) {
		ret = error_set(err, ENODEV,
				"%s was deleted and made again since it was attached (interface "
				"index %u then, %u now)",
				bridge, config->ifindex, ifindex);
	} else {
		return 0;
	}
	error_hint(err, "`hbpf attach %s` attaches to it again", bridge);
	return ret;
}

int dataplane_open(struct dataplane *dp, const struct pins *pins, const char *bridge,
		   unsigned int ifindex, struct error *err)
{
	char path[PATH_MAX];
	int map, ret;

	snprintf(dp->bridge, sizeof(dp->bridge), "%s", bridge);
	ret = pins_check(pins, bridge, err);
	if (!ret || ret == -ENOENT) /* open_map() says what is missing */
		ret = open_map(dp, MAP_CONFIG, pins, bridge, path, err);
	if (!ret)
		ret = read_config(dp, path, err);
	for (map = MAP_CONFIG + 1; !ret && map < MAP_COUNT; map++) {
		ret = open_map(dp, map, pins, bridge, path, err);
		if (!ret)
			ret = check_form(dp, map, path, err);
	}
	if (ret) {
		close_maps(dp);
		return ret;
	}
	return check_bridge(dp, pins, bridge, ifindex, err);
}

int dataplane_peek(const struct pins *pins, const char *bridge, struct hbpf_config *config)
{
	struct dataplane dp;
	char path[PATH_MAX];
	int ret;

	dataplane_init(&dp);
	snprintf(dp.bridge, sizeof(dp.bridge), "%s", bridge);
	ret = open_map(&dp, MAP_CONFIG, pins, bridge, path, NULL);
	if (!ret)
		ret = read_config(&dp, path, NULL);
	*config = dp.config;
	dataplane_close(&dp);
	return ret;
}

static int pin_map(const struct dataplane *dp, enum dataplane_map map, const struct pins *pins,
		   const char *bridge, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = pin_path(pins, bridge, map_name(map), path, err);
	if (ret)
		return ret;
	ret = bpf_obj_pin(dp->maps[map], path);
	return ret ? error_errno(err, ret, "cannot pin %s", path) : 0;
}

int dataplane_pin(const struct dataplane *dp, const struct pins *pins, const char *bridge,
		  struct error *err)
{
	int map, ret;

	_Static_assert(MAP_CONFIG == 0, "config is opened first and, counting down, pinned last");
	ret = pins_mkdir(pins, bridge, err);
	if (ret)
		return ret;
	for (map = MAP_COUNT - 1; map >= 0; map--) {
		ret = pin_map(dp, map, pins, bridge, err);
		if (ret)
			break;
	}
	if (ret)
		while (++map < MAP_COUNT)
			pins_unlink(pins, bridge, map_name(map), NULL);
	return ret;
}

int dataplane_write_config(struct dataplane *dp, struct error *err)
{
	__u32 zero = 0;
	int ret;

	ret = bpf_map_update_elem(dp->maps[MAP_CONFIG], &zero, &dp->config, BPF_ANY);
	return ret ? map_error(err, ret, MAP_CONFIG, "write to") : 0;
}

/* ---- loading ---- */

/* What libbpf says meanwhile: why it failed, and the verifier's log, which it asks for by itself
 * where the kernel refuses a program (bpf_object_load_prog()). */
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
		struct bpf_map *in_object = bpf_object__find_map_by_name(object, map_name(map));

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
		fd = bpf_object__find_map_fd_by_name(object, map_name(map));
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
			"Linux %u.%u is too old: hbpf needs 5.10 or newer, for connections that "
			"remember what was dialled (socket storage that sock_diag shows)",
			release.major, release.minor);
	error_hint(err, "boot a newer kernel");
	return ret;
}

/* Why the pinning build would not load, in a few words. */
static void explain_no_bypass(int code, const char *said, char *why, size_t size)
{
	struct release release = running_release();
	const char *no_kfunc = "not found in kernel or module BTFs"; /* libbpf's words */

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		snprintf(why, size, "no kernel BTF (CONFIG_DEBUG_INFO_BTF)");
	else if (!said || !strstr(said, no_kfunc))
		snprintf(why, size, "the kernel refused the programs: %s", strerror(-code));
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
		error_set(err, code, "too few privileges to load BPF programs");
		error_hint(err, "it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, which root of a "
				"container may lack; run it on the host");
	} else {
		error_errno(err, code, "the kernel would not load hbpf's programs");
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
