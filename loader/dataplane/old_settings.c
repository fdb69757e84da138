/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/old_settings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/hook.h"
#include "dataplane/map_schema.h"

#define SETTINGS_PIN "settings"
#define MAP_NAME     "hbpf_settings"
#define ROW_QDISC    SETTING_MAX /* `saved`: hbpf created the clsact qdisc of the bridge `ifindex` */
#define LO_IFINDEX   1           /* in every namespace (loopback_net_init()) */

static const struct map_schema settings_schema = {
	.name = SETTINGS_PIN,
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(struct setting),
	.max_entries = SETTINGS_ROWS,
};

unsigned int old_settings_ifindex_of(const struct old_settings *old, enum setting_id id)
{
	return setting_is_of_lo(id) ? LO_IFINDEX : old->ifindex;
}

const char *old_settings_ifname_of(const struct old_settings *old, enum setting_id id,
				   char name[IFNAMSIZ])
{
	unsigned int ifindex = old_settings_ifindex_of(old, id);

	if (!ifindex || !if_indextoname(ifindex, name))
		snprintf(name, IFNAMSIZ, "%s", old->bridge);
	return name;
}

static void hint_lost(struct error *err)
{
	error_hint(err, "run `hbpf detach --all`; the old settings are lost, and "
			"net.ipv4.conf.default is used instead");
}

/*
 * Open one map.
 * @dir:	As for pins_path(): a bridge, or NULL for lo's
 * Return: fd, -ENOENT if it was never created, -EPROTO if it has another schema, other -errno
 */
static int map_open(const struct pins *pins, const char *dir, struct error *err)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = pins_path(pins, dir, SETTINGS_PIN, path, err);
	if (ret)
		return ret;
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return error_errno(err, fd, "cannot open %s", path);

	ret = map_schema_check(fd, &settings_schema, path, err);
	if (!ret)
		return fd;
	close(fd);
	if (ret == -EPROTO)
		hint_lost(err);
	return ret;
}

bool old_settings_is_map(int fd, const void *context)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	(void)context;
	return !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, MAP_NAME) &&
	       !map_schema_check(fd, &settings_schema, MAP_NAME, NULL);
}

/* Return: fd or -errno */
static int map_create(const struct pins *pins, const char *dir, struct error *err)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = pins_mkdir(pins, dir, err);
	if (ret)
		return ret;
	ret = pins_path(pins, dir, SETTINGS_PIN, path, err);
	if (ret)
		return ret;
	/* A backstop's map has lo's original values. */
	fd = dir ? -ENOENT : hook_backstop_map(old_settings_is_map);
	if (fd < 0)
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, MAP_NAME, sizeof(__u32),
				    sizeof(struct setting), SETTINGS_ROWS, NULL);
	if (fd < 0) {
		error_errno(err, fd, "cannot create the map of old settings");
		error_hint_privileges(err, fd);
		return fd;
	}
	ret = bpf_obj_pin(fd, path);
	if (!ret)
		return fd;
	close(fd);
	return error_errno(err, ret, "cannot pin %s", path);
}

/* Reset the row if it is about another interface: the values of a deleted one are useless. */
static int note_ifindex(int fd, enum setting_id id, unsigned int ifindex, struct error *err)
{
	struct setting record = {};
	__u32 key = id;
	int ret = bpf_map_lookup_elem(fd, &key, &record);

	if (!ret && record.ifindex != ifindex) {
		record = (struct setting){ .ifindex = ifindex };
		ret = bpf_map_update_elem(fd, &key, &record, BPF_ANY);
	}
	return ret ? error_errno(err, ret, "cannot write to the map of old settings") : 0;
}

static int map_ensure(const struct pins *pins, const char *dir, unsigned int ifindex,
		      struct error *err)
{
	int fd = map_open(pins, dir, err);
	int ret = 0;

	if (fd == -ENOENT)
		fd = map_create(pins, dir, err);
	if (fd < 0)
		return fd;
	for (int id = 0; !ret && id < SETTING_MAX; id++) {
		if (setting_is_of_lo(id) == !dir)
			ret = note_ifindex(fd, id, ifindex, err);
	}
	close(fd);
	return ret;
}

int old_settings_prepare(const struct pins *pins, const char *bridge, unsigned int ifindex,
			 struct error *err)
{
	/* the bridge's first: detach looks for bridges, and would miss a map of lo alone */
	int ret = map_ensure(pins, bridge, ifindex, err);

	return ret ? ret : map_ensure(pins, NULL, LO_IFINDEX, err);
}

int old_settings_bind(const struct pins *pins, int prog_fd, struct error *err)
{
	int fd = map_open(pins, NULL, err);
	int ret;

	if (fd < 0)
		return fd;
	ret = bpf_prog_bind_map(prog_fd, fd, NULL);
	close(fd);
	return ret ? error_errno(err, ret, "cannot bind the map of old settings to a program") : 0;
}

unsigned int old_settings_ifindex(const struct pins *pins, const char *bridge)
{
	struct setting record = {};
	__u32 row = SETTING_BRIDGE_ROUTE_LOCALNET;
	int fd = map_open(pins, bridge, NULL);

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &row, &record))
		record.ifindex = 0;
	close(fd);
	return record.ifindex;
}

void old_settings_close(struct old_settings *old)
{
	if (old->bridge_fd >= 0)
		close(old->bridge_fd);
	if (old->lo_fd >= 0)
		close(old->lo_fd);
}

static bool is_unusable(int fd)
{
	return fd < 0 && fd != -ENOENT && fd != -EPROTO;
}

int old_settings_open(struct old_settings *old, const struct pins *pins, const char *bridge,
		      unsigned int ifindex, struct error *err)
{
	*old = (struct old_settings){ .bridge = bridge, .ifindex = ifindex, .lo_fd = -ENOENT };
	old->bridge_fd = map_open(pins, bridge, err);
	if (is_unusable(old->bridge_fd))
		return old->bridge_fd;
	old->lo_fd = map_open(pins, NULL, old->bridge_fd == -EPROTO ? NULL : err);
	if (!is_unusable(old->lo_fd))
		return 0;
	old_settings_close(old);
	return old->lo_fd;
}

int old_settings_open_ours(struct old_settings *old, const struct pins *pins, const char *bridge,
			   unsigned int ifindex, struct error *err)
{
	int ret = old_settings_open(old, pins, bridge, ifindex, err);

	if (ret || (old->bridge_fd != -EPROTO && old->lo_fd != -EPROTO))
		return ret;
	old_settings_close(old);
	return -EPROTO;
}

int old_settings_fd(const struct old_settings *old, enum setting_id id)
{
	return setting_is_of_lo(id) ? old->lo_fd : old->bridge_fd;
}

int old_settings_read(const struct old_settings *old, enum setting_id id, struct setting *record,
		      struct error *err)
{
	char ifname[IFNAMSIZ];
	__u32 key = id;
	int fd = old_settings_fd(old, id);
	int ret;

	*record = (struct setting){};
	if (fd < 0)
		return 0;
	ret = bpf_map_lookup_elem(fd, &key, record);
	if (ret)
		return error_errno(err, ret, "cannot read the old settings of %s",
				   old_settings_ifname_of(old, id, ifname));
	if (record->ifindex != old_settings_ifindex_of(old, id))
		*record = (struct setting){};
	return 0;
}

int old_settings_write(const struct old_settings *old, enum setting_id id,
		       const struct setting *record, struct error *err)
{
	char ifname[IFNAMSIZ];
	__u32 key = id;
	int fd = old_settings_fd(old, id);
	int ret;

	if (fd < 0)
		return 0;
	ret = bpf_map_update_elem(fd, &key, record, BPF_ANY);
	if (ret)
		return error_errno(err, ret, "cannot write the old settings of %s",
				   old_settings_ifname_of(old, id, ifname));
	return 0;
}

int old_settings_record_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			      bool created, struct error *err)
{
	const struct setting record = { .saved = created, .ifindex = ifindex };
	__u32 row = ROW_QDISC;
	int fd, ret;

	fd = map_open(pins, bridge, err);
	if (fd == -ENOENT)
		return error_set(err, fd, "no map to record the clsact qdisc of %s in", bridge);
	if (fd < 0)
		return fd;
	ret = bpf_map_update_elem(fd, &row, &record, BPF_ANY);
	close(fd);
	if (ret)
		return error_errno(err, ret, "cannot record the clsact qdisc of %s", bridge);
	return 0;
}

int old_settings_created_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			       struct error *err)
{
	struct setting record = {};
	__u32 row = ROW_QDISC;
	int fd, ret;

	fd = map_open(pins, bridge, err);
	if (fd == -ENOENT || fd == -EPROTO) /* unknown, so it stays */
		return 0;
	if (fd < 0)
		return fd;
	ret = bpf_map_lookup_elem(fd, &row, &record);
	close(fd);
	if (ret)
		return error_errno(err, ret, "cannot read who created the clsact qdisc of %s",
				   bridge);
	/* The qdisc of a deleted bridge was deleted with it. */
	return record.saved == 1 && record.ifindex == ifindex;
}
