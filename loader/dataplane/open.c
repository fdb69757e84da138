/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/open.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <hbpf/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/map_io.h"
#include "dataplane/map_schema.h"

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

static int not_whole(const char *bridge, const char *path, struct error *err)
{
	int ret = error_set(err, ESTALE, "the state of %s is incomplete: %s is missing", bridge,
			    path);

	error_hint(err, "`hbpf attach %s` re-creates it, `hbpf detach %s` removes it", bridge,
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

	ret = pins_path(pins, bridge, NULL, dir, err);
	if (!ret)
		ret = pins_path(pins, bridge, map_name(map), path, err);
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
	       config->owner <= HBPF_OWNER_ENGINE &&
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
				"%u, and hbpf " HBPF_VERSION " uses layout %u",
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
		ret = error_set(err, ENODEV, "the state of %s belongs to network namespace %llu",
				bridge, config->netns);
	} else if (!ifindex) {
		ret = error_set(err, ENODEV, "%s was deleted while hbpf was attached to it",
				bridge);
		error_hint(err, "`hbpf detach %s` removes what is left", bridge);
		return ret;
	} else if (config->ifindex != ifindex) {
		ret = error_set(err, ENODEV,
				"%s was deleted and re-created since it was attached (interface "
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
	if (!ret || ret == -ENOENT) /* open_map() reports what is missing */
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

	ret = pins_path(pins, bridge, map_name(map), path, err);
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
