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
#include "dataplane/shared.h"
#include "dataplane/stats.h"

void dataplane_init(struct dataplane *dp, struct shared *shared)
{
	*dp = (struct dataplane){ .shared = shared, .config.layout = HBPF_LAYOUT, .record = -1 };
}

void dataplane_close(struct dataplane *dp)
{
	if (dp->record >= 0)
		close(dp->record);
	dataplane_init(dp, dp->shared);
}

static int not_whole(const char *bridge, const char *path, struct error *err)
{
	int ret = error_set(err, ESTALE, "the state of %s is incomplete: %s is missing", bridge,
			    path);

	error_hint(err, "`hbpf attach %s` re-creates it, `hbpf detach %s` removes it", bridge,
		   bridge);
	return ret;
}

/* @path: filled */
static int open_record(struct dataplane *dp, const struct pins *pins, const char *bridge,
		       char path[PATH_MAX], struct error *err)
{
	char dir[PATH_MAX];
	int ret;

	ret = pins_path(pins, bridge, NULL, dir, err);
	if (ret)
		return ret;
	ret = pins_get(pins, bridge, map_schema_record()->name, path, err);
	if (ret == -ENOENT && access(dir, F_OK))
		return error_set(err, ret, "%s is not attached", bridge);
	if (ret == -ENOENT)
		return not_whole(bridge, path, err);
	if (ret < 0)
		return ret;
	dp->record = ret;
	return 0;
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
	       config->owner < HBPF_OWNER_MAX &&
	       !config->attached_as[sizeof(config->attached_as) - 1];
}

/* Another layout may have a config of another size, but its first member is the layout. */
static int read_config(struct dataplane *dp, const char *path, struct error *err)
{
	__u32 layout, zero = 0;
	int ret;

	if (read_layout(dp->record, &layout) && layout != HBPF_LAYOUT) {
		ret = error_set(err, EPROTO,
				"%s was attached by another version of hbpf: its state has layout "
				"%u, and hbpf " HBPF_VERSION " uses layout %u",
				dp->bridge, layout, HBPF_LAYOUT);
		map_hint_reattach(err, dp);
		return ret;
	}
	ret = map_schema_check(dp->record, map_schema_record(), path, err);
	if (ret == -EPROTO)
		map_hint_reattach(err, dp);
	if (ret)
		return ret;
	ret = bpf_map_lookup_elem(dp->record, &zero, &dp->config);
	if (ret)
		return error_errno(err, ret, "cannot read %s", path);
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

/* Return: 0, or -ESTALE and @err names what is missing */
static int check_whole(const struct dataplane *dp, const struct pins *pins, struct error *err)
{
	char path[PATH_MAX];

	for (int map = 0; map < MAP_COUNT; map++) {
		if (dp->shared->maps[map] < 0)
			return pins_path(pins, PINS_SHARED, map_schema(map)->name, path, err)
				       ?: not_whole(dp->bridge, path, err);
	}
	if (!dp->entry)
		return not_whole(dp->bridge, "its entry in the bridges map", err);
	return 0;
}

/* Return: 0, also if there is no entry; -errno if that is unknown */
static int find_entry(struct dataplane *dp, struct error *err)
{
	struct hbpf_config entry;
	int ret;

	if (dp->shared->maps[MAP_BRIDGES] < 0)
		return 0;
	ret = bpf_map_lookup_elem(dp->shared->maps[MAP_BRIDGES], &dp->config.ifindex, &entry);
	if (ret)
		return ret == -ENOENT ? 0 : map_error(err, ret, MAP_BRIDGES, "read");
	if (entry.slot == dp->config.slot)
		dp->entry = dp->config.ifindex;
	return 0;
}

int dataplane_open(struct dataplane *dp, const struct pins *pins, const char *bridge,
		   unsigned int ifindex, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	snprintf(dp->bridge, sizeof(dp->bridge), "%s", bridge);
	ret = pins_check(pins, bridge, err);
	if (!ret || ret == -ENOENT) /* open_record() reports what is missing */
		ret = open_record(dp, pins, bridge, path, err);
	if (!ret)
		ret = read_config(dp, path, err);
	if (!ret)
		ret = shared_open(dp->shared, pins, err);
	if (!ret)
		ret = find_entry(dp, err);
	if (!ret)
		ret = check_whole(dp, pins, err);
	if (ret) {
		dataplane_close(dp);
		snprintf(dp->bridge, sizeof(dp->bridge), "%s", bridge);
		return ret;
	}
	return check_bridge(dp, pins, bridge, ifindex, err);
}

int dataplane_open_dead(struct dataplane *dp, const struct pins *pins, const char *bridge,
			unsigned int ifindex, bool *dead, struct error *err)
{
	int ret = dataplane_open(dp, pins, bridge, ifindex, err);

	*dead = ret == -ENODEV;
	if (*dead)
		error_free(err);
	return *dead ? 0 : ret;
}

int dataplane_open_remains(struct dataplane *dp, const struct pins *pins, const char *bridge,
			   unsigned int ifindex, struct error *err)
{
	char path[PATH_MAX];
	int ret = dataplane_open(dp, pins, bridge, ifindex, NULL);

	if (!ret || ret == -ENODEV)
		return 0;
	ret = open_record(dp, pins, bridge, path, NULL);
	if (!ret)
		ret = read_config(dp, path, NULL);
	if (shared_open(dp->shared, pins, NULL) || (ret && dp->shared->maps[MAP_BRIDGES] < 0))
		return -ENOENT;
	if (ret)
		ret = bpf_map_lookup_elem(dp->shared->maps[MAP_BRIDGES], &ifindex, &dp->config);
	if (ret)
		return ret == -ENOENT ? ret : map_error(err, ret, MAP_BRIDGES, "read");
	ret = find_entry(dp, err);
	if (ret)
		return ret;
	/* Without the entry, the slot that is recorded may be another bridge's by now. */
	return dp->entry ? 0 : -ENOENT;
}

int dataplane_peek(const struct pins *pins, const char *bridge, struct hbpf_config *config)
{
	struct dataplane dp;
	char path[PATH_MAX];
	int ret;

	dataplane_init(&dp, NULL);
	snprintf(dp.bridge, sizeof(dp.bridge), "%s", bridge);
	ret = open_record(&dp, pins, bridge, path, NULL);
	if (!ret)
		ret = read_config(&dp, path, NULL);
	*config = dp.config;
	dataplane_close(&dp);
	return ret;
}

/* ---- writing ---- */

static int create_record(struct dataplane *dp, struct error *err)
{
	const struct map_schema *schema = map_schema_record();

	dp->record = bpf_map_create(schema->type, schema->name, schema->key_size,
				    schema->value_size, schema->max_entries, NULL);
	if (dp->record >= 0)
		return 0;
	error_errno(err, dp->record, "cannot create the map of the configuration");
	error_hint_privileges(err, dp->record);
	return dp->record;
}

/* A re-created bridge goes on with the counters of the deleted one. */
static int create_counters(const struct dataplane *dp, struct error *err)
{
	int cpus = map_values(), ret = 0;
	struct hbpf_counters *values;
	const struct counters_at at = counters_at(&dp->config);
	int fd = dp->shared->maps[at.map];

	if (cpus < 0) {
		error_errno(err, cpus, "cannot count the CPUs in /sys/devices/system/cpu");
		error_hint(err, "in a chroot, mount /sys there");
		return cpus;
	}
	values = calloc(cpus, sizeof(*values));
	if (!values)
		return error_nomem(err);
	if (at.map == MAP_COUNTERS) {
		if (dp->entry)
			ret = bpf_map_lookup_elem(fd, &dp->entry, values);
		if (!ret || ret == -ENOENT)
			ret = bpf_map_update_elem(fd, &at.key, values, BPF_NOEXIST);
	} else if (!dp->entry) {
		ret = bpf_map_update_elem(fd, &at.key, values, BPF_ANY);
	}
	free(values);
	return ret && ret != -EEXIST ? map_error(err, ret, at.map, "write to") : 0;
}

/*
 * Write to the place of a bridge in bridges_near, unless another bridge is there. The kernel copies
 * into an array byte by byte, and programs may read meanwhile: they recognise the entry by its
 * index, so that is written last.
 * @config: all zero removes the entry
 */
static int write_near(const struct dataplane *dp, __u32 ifindex, const struct hbpf_config *config)
{
	int fd = dp->shared->maps[MAP_BRIDGES_NEAR], ret;
	__u32 at = ifindex % HBPF_NEAR_BRIDGES;
	struct hbpf_config there, unseen = *config;

	ret = bpf_map_lookup_elem(fd, &at, &there);
	if (ret || (there.ifindex && there.ifindex != ifindex))
		return ret;
	unseen.ifindex = 0;
	ret = bpf_map_update_elem(fd, &at, &unseen, BPF_ANY);
	if (!ret && config->ifindex)
		ret = bpf_map_update_elem(fd, &at, config, BPF_ANY);
	return ret;
}

void dataplane_delete_entry(const struct dataplane *dp, unsigned int ifindex)
{
	const struct hbpf_config none = {};

	write_near(dp, ifindex, &none);
	bpf_map_delete_elem(dp->shared->maps[MAP_COUNTERS], &ifindex);
	bpf_map_delete_elem(dp->shared->maps[MAP_BRIDGES], &ifindex);
}

int dataplane_write_config(struct dataplane *dp, struct error *err)
{
	const __u32 zero = 0;
	int ret = dp->record < 0 ? create_record(dp, err) : 0;

	if (!ret)
		ret = create_counters(dp, err);
	if (ret)
		return ret;
	ret = bpf_map_update_elem(dp->shared->maps[MAP_BRIDGES], &dp->config.ifindex, &dp->config,
				  BPF_ANY);
	if (ret)
		return map_error(err, ret, MAP_BRIDGES, "write to");
	ret = write_near(dp, dp->config.ifindex, &dp->config);
	if (ret)
		return map_error(err, ret, MAP_BRIDGES_NEAR, "write to");
	ret = bpf_map_update_elem(dp->record, &zero, &dp->config, BPF_ANY);
	if (ret)
		return error_errno(err, ret, "cannot write the configuration of %s", dp->bridge);
	if (dp->entry && dp->entry != dp->config.ifindex)
		dataplane_delete_entry(dp, dp->entry);
	dp->entry = dp->config.ifindex;
	return 0;
}

int dataplane_pin_record(const struct dataplane *dp, const struct pins *pins, const char *bridge,
			 struct error *err)
{
	return pins_mkdir(pins, bridge, err)
		       ?: pins_pin(pins, bridge, map_schema_record()->name, dp->record, err);
}
