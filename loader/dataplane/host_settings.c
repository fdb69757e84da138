/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each setting goes through three places in this order: the old value into the
 * pinned map, then the new one into the file; and back: the file, then the map.
 * So at every instant at which the command might be killed the map knows enough
 * to give back, and applying or restoring again finishes what was begun.
 *
 * lo's settings are applied first and restored last. They open nothing by
 * themselves: it is the bridge's route_localnet that lets packets of clients
 * reach 127/8, and the guard stands before that by then.
 */
#include "dataplane/host_settings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/hook.h"
#include "dataplane/map_schema.h"
#include "kernel/if_sysctl.h"
#include "kernel/rtnetlink.h"
#include "kernel/sysctl.h"

#define SETTINGS_PIN "settings"
#define MAP_NAME     "hbpf_settings"
#define ROW_QDISC    SETTING_MAX /* `saved`: hbpf made the clsact qdisc of the bridge `ifindex` */
#define LO_IFINDEX   1           /* in every namespace (loopback_net_init()) */

static const struct {
	const char *key;
	bool on_lo;
	int want;
} settings[SETTING_MAX] = {
	[SETTING_BRIDGE_ROUTE_LOCALNET] = { "route_localnet", false, SETTINGS_LOCALNET },
	[SETTING_LO_ROUTE_LOCALNET] = { "route_localnet", true, 1 },
	/* Loose: what counts is max(all, lo) (fib_validate_source() by way of IN_DEV_RPFILTER), so
	 * 0 would be undone by whoever sets `all` to 1 later, and 2 is not. */
	[SETTING_LO_RP_FILTER] = { "rp_filter", true, 2 },
};

static const struct map_schema keeper_form = {
	.name = SETTINGS_PIN,
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(struct setting),
	.max_entries = SETTINGS_ROWS,
};

/*
 * The maps that keep the old values of one bridge's settings: fds, -ENOENT where there is no such
 * map, -EPROTO where one that is not ours has its name.
 */
struct keeper {
	const char *bridge;
	unsigned int ifindex; /* of the bridge, 0: unknown or gone */
	int bridge_fd;
	int lo_fd;
};

static unsigned int ifindex_of(const struct keeper *keeper, enum setting_id id)
{
	return settings[id].on_lo ? LO_IFINDEX : keeper->ifindex;
}

/* Of the present, where the interface has one; for messages. */
static const char *ifname_of(const struct keeper *keeper, enum setting_id id, char name[IFNAMSIZ])
{
	unsigned int ifindex = ifindex_of(keeper, id);

	if (!ifindex || !if_indextoname(ifindex, name))
		snprintf(name, IFNAMSIZ, "%s", keeper->bridge);
	return name;
}

/* ---- the pinned maps ---- */

static void hint_lost(struct error *err)
{
	error_hint(err, "run `hbpf detach --all`; the old settings are lost, and those of a new "
			"interface take their place");
}

/*
 * Open one map.
 * @dir:	As for pins_path(): a bridge, or NULL for lo's
 * Return: fd, -ENOENT where it was never made, -EPROTO where it is another kind of map, other
 * -errno
 */
static int map_open(const struct pins *pins, const char *dir, struct error *err)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = pins_path(pins, dir, SETTINGS_PIN, path);
	if (ret)
		return error_set(err, ret, "path of %s below %s is too long", SETTINGS_PIN,
				 pins->base);
	fd = bpf_obj_get(path);
	if (fd == -ENOENT)
		return fd;
	if (fd < 0)
		return error_errno(err, fd, "cannot open %s", path);

	ret = map_schema_check(fd, &keeper_form, path, err);
	if (!ret)
		return fd;
	close(fd);
	if (ret == -EPROTO)
		hint_lost(err);
	return ret;
}

/* Has this map the form and name of those that keep old values? */
static bool is_settings_map(int fd)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, MAP_NAME) &&
	       !map_schema_check(fd, &keeper_form, MAP_NAME, NULL);
}

/* Return: fd or -errno */
static int map_create(const struct pins *pins, const char *dir, struct error *err)
{
	char path[PATH_MAX];
	int fd, ret;

	ret = pins_mkdir(pins, dir, err);
	if (ret)
		return ret;
	ret = pins_path(pins, dir, SETTINGS_PIN, path);
	if (ret)
		return error_set(err, ret, "path of %s below %s is too long", SETTINGS_PIN,
				 pins->base);
	/* What a backstop keeps of lo is older than what lo has now. */
	fd = dir ? -ENOENT : hook_backstop_map(is_settings_map);
	if (fd < 0)
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, MAP_NAME, sizeof(__u32),
				    sizeof(struct setting), SETTINGS_ROWS, NULL);
	if (fd < 0) {
		error_errno(err, fd, "cannot make the map of old settings");
		error_hint_privileges(err, fd);
		return fd;
	}
	ret = bpf_obj_pin(fd, path);
	if (!ret)
		return fd;
	close(fd);
	return error_errno(err, ret, "cannot pin %s", path);
}

/* Of @fd, where the row is about another interface, or none. What is kept of one that is gone is of
 * no use any more. */
static int note_ifindex(int fd, enum setting_id id, unsigned int ifindex, struct error *err)
{
	struct setting kept = {};
	__u32 key = id;
	int ret = bpf_map_lookup_elem(fd, &key, &kept);

	if (!ret && kept.ifindex != ifindex) {
		kept = (struct setting){ .ifindex = ifindex };
		ret = bpf_map_update_elem(fd, &key, &kept, BPF_ANY);
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
		if (settings[id].on_lo == !dir)
			ret = note_ifindex(fd, id, ifindex, err);
	}
	close(fd);
	return ret;
}

int settings_prepare(const struct pins *pins, const char *bridge, unsigned int ifindex,
		     struct error *err)
{
	/* lo's never without a bridge's beside it: detach goes by the bridges */
	int ret = map_ensure(pins, bridge, ifindex, err);

	return ret ? ret : map_ensure(pins, NULL, LO_IFINDEX, err);
}

int settings_bind(const struct pins *pins, int prog_fd, struct error *err)
{
	int fd = map_open(pins, NULL, err);
	int ret;

	if (fd < 0)
		return fd;
	ret = bpf_prog_bind_map(prog_fd, fd, NULL);
	close(fd);
	return ret ? error_errno(err, ret, "cannot bind the map of old settings to a program") : 0;
}

unsigned int settings_ifindex(const struct pins *pins, const char *bridge)
{
	struct setting kept = {};
	__u32 row = SETTING_BRIDGE_ROUTE_LOCALNET;
	int fd = map_open(pins, bridge, NULL);

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &row, &kept))
		kept.ifindex = 0;
	close(fd);
	return kept.ifindex;
}

static void keeper_close(struct keeper *keeper)
{
	if (keeper->bridge_fd >= 0)
		close(keeper->bridge_fd);
	if (keeper->lo_fd >= 0)
		close(keeper->lo_fd);
}

static bool is_unusable(int fd)
{
	return fd < 0 && fd != -ENOENT && fd != -EPROTO;
}

/* A map that was never made is no error: nothing is kept in it. Nor is one that is not ours, for
 * what it should keep there is a substitute: kept_or_guess(). */
static int keeper_open(struct keeper *keeper, const struct pins *pins, const char *bridge,
		       unsigned int ifindex, struct error *err)
{
	*keeper = (struct keeper){ .bridge = bridge, .ifindex = ifindex, .lo_fd = -ENOENT };
	keeper->bridge_fd = map_open(pins, bridge, err);
	if (is_unusable(keeper->bridge_fd))
		return keeper->bridge_fd;
	keeper->lo_fd = map_open(pins, NULL, keeper->bridge_fd == -EPROTO ? NULL : err);
	if (!is_unusable(keeper->lo_fd))
		return 0;
	keeper_close(keeper);
	return keeper->lo_fd;
}

/* The same for who cannot do with a substitute. */
static int keeper_open_ours(struct keeper *keeper, const struct pins *pins, const char *bridge,
			    unsigned int ifindex, struct error *err)
{
	int ret = keeper_open(keeper, pins, bridge, ifindex, err);

	if (ret || (keeper->bridge_fd != -EPROTO && keeper->lo_fd != -EPROTO))
		return ret;
	keeper_close(keeper);
	return -EPROTO;
}

static int keeper_fd(const struct keeper *keeper, enum setting_id id)
{
	return settings[id].on_lo ? keeper->lo_fd : keeper->bridge_fd;
}

/*
 * What is kept of a setting, where it is of this very interface: after a bridge was deleted and
 * re-created, the old one's values say nothing about this one.
 */
static int kept_read(const struct keeper *keeper, enum setting_id id, struct setting *kept,
		     struct error *err)
{
	char ifname[IFNAMSIZ];
	__u32 key = id;
	int fd = keeper_fd(keeper, id);
	int ret;

	*kept = (struct setting){};
	if (fd < 0)
		return 0;
	ret = bpf_map_lookup_elem(fd, &key, kept);
	if (ret)
		return error_errno(err, ret, "cannot read the old settings of %s",
				   ifname_of(keeper, id, ifname));
	if (kept->ifindex != ifindex_of(keeper, id))
		*kept = (struct setting){};
	return 0;
}

/* How a setting is called in a message. */
#define SETTING_STRLEN 128
static const char *setting_name(const struct keeper *keeper, enum setting_id id,
				char name[SETTING_STRLEN])
{
	char ifname[IFNAMSIZ];
	char *dot;

	/* As sysctl(8) takes it, which wants a slash for a dot of the interface's name. */
	ifname_of(keeper, id, ifname);
	while ((dot = strchr(ifname, '.')))
		*dot = '/';
	snprintf(name, SETTING_STRLEN, "net.ipv4.conf.%s.%s", ifname, settings[id].key);
	return name;
}

static int value_read(const struct keeper *keeper, enum setting_id id, int *value,
		      struct error *err)
{
	int ret = if_sysctl_read(ifindex_of(keeper, id), settings[id].key, value);
	char name[SETTING_STRLEN];

	if (ret)
		error_errno(err, ret, "cannot read %s", setting_name(keeper, id, name));
	return ret;
}

/* Of "all" and "default", which are no interfaces. */
static void conf_path(const char *set, enum setting_id id, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "/proc/sys/net/ipv4/conf/%s/%s", set, settings[id].key);
}

static int default_read(enum setting_id id, int *value, struct error *err)
{
	char path[PATH_MAX];
	int ret;

	conf_path("default", id, path);
	ret = sysctl_read(path, value);
	return ret ? error_errno(err, ret, "cannot read %s", path) : 0;
}

/*
 * The same for who has to go on. Where the old value cannot be known, the likeliest is that of an
 * interface as it is made.
 */
static int kept_or_guess(const struct keeper *keeper, enum setting_id id, struct setting *kept,
			 bool *guessed, struct error *err)
{
	int ret;

	*guessed = keeper_fd(keeper, id) == -EPROTO;
	if (!*guessed)
		return kept_read(keeper, id, kept, err);
	*kept = (struct setting){ .set = settings[id].want, .ifindex = ifindex_of(keeper, id) };
	/* a bridge's is only set where it was 0 */
	ret = settings[id].on_lo ? default_read(id, &kept->old, err) : 0;
	kept->saved = !ret;
	return ret;
}

static int kept_write(const struct keeper *keeper, enum setting_id id, const struct setting *kept,
		      struct error *err)
{
	char ifname[IFNAMSIZ];
	__u32 key = id;
	int fd = keeper_fd(keeper, id);
	int ret;

	if (fd < 0) /* nothing to note there */
		return 0;
	ret = bpf_map_update_elem(fd, &key, kept, BPF_ANY);
	if (ret)
		return error_errno(err, ret, "cannot write the old settings of %s",
				   ifname_of(keeper, id, ifname));
	return 0;
}

/* ---- the settings themselves ---- */

static int value_write(const struct keeper *keeper, enum setting_id id, int value,
		       struct error *err)
{
	int ret = if_sysctl_write(ifindex_of(keeper, id), settings[id].key, value);
	char name[SETTING_STRLEN];

	if (!ret)
		return 0;
	error_errno(err, ret, "cannot set %s to %d", setting_name(keeper, id, name), value);
	error_hint_privileges(err, ret);
	if (ret == -EROFS)
		error_hint(err, "/proc/sys is mounted read-only here, as in a container; run it "
				"on the host");
	if (ret == -ENODEV)
		error_hint(err, "the bridge is gone; `ip link show type bridge` lists those there");
	return ret;
}

/* How one setting stood before settings_apply() touched it. */
struct before {
	struct setting kept;
	int value;
	bool noted;
	bool written;
};

/*
 * What to keep of a setting that is @value now, and that is not as hbpf left it; its `set` is what
 * to write. A route_localnet that is on is left as it is: somebody else needs it. But for a 2
 * nobody wrote down: that is hbpf's own, whose state was lost, and it was 0 before.
 */
static void keep_anew(const struct keeper *keeper, enum setting_id id, int value,
		      struct setting *keep)
{
	int want = settings[id].want;

	*keep = (struct setting){
		.saved = 1, .old = value, .set = want, .ifindex = ifindex_of(keeper, id)
	};
	if (id != SETTING_BRIDGE_ROUTE_LOCALNET || !value)
		return;
	if (value == want)
		keep->old = 0;
	else
		keep->set = value;
}

static int apply_one(const struct keeper *keeper, enum setting_id id, struct before *before,
		     struct error *err)
{
	struct setting keep;
	int ret;

	ret = value_read(keeper, id, &before->value, err);
	if (!ret)
		ret = kept_read(keeper, id, &before->kept, err);
	if (ret)
		return ret;

	/* Ours already: the first old value is the one to go back to. */
	if (before->kept.saved && before->value && before->value == before->kept.set)
		return 0;

	keep_anew(keeper, id, before->value, &keep);
	before->noted = true;
	ret = kept_write(keeper, id, &keep, err);
	if (ret || before->value == keep.set)
		return ret;
	before->written = true;
	return value_write(keeper, id, keep.set, err);
}

/* Take back one apply_one(). The first error has been told already; there is no better way out. */
static void undo_one(const struct keeper *keeper, enum setting_id id, const struct before *before)
{
	if (before->written)
		value_write(keeper, id, before->value, NULL);
	if (before->noted)
		kept_write(keeper, id, &before->kept, NULL);
}

int settings_apply(const struct pins *pins, const char *bridge, unsigned int ifindex,
		   struct error *err)
{
	struct before before[SETTING_MAX] = {};
	struct keeper keeper;
	int ret;

	ret = keeper_open_ours(&keeper, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	if (keeper.bridge_fd < 0 || keeper.lo_fd < 0) {
		ret = error_set(err, ENOENT, "no map to keep the old settings of %s in", bridge);
		goto out;
	}
	for (int id = SETTING_MAX - 1; id >= 0 && !ret; id--)
		ret = apply_one(&keeper, id, &before[id], err);
	for (int id = 0; id < SETTING_MAX && ret; id++)
		undo_one(&keeper, id, &before[id]);
out:
	keeper_close(&keeper);
	return ret;
}

static int restore_one(const struct keeper *keeper, enum setting_id id, struct error *err)
{
	struct setting kept;
	int value, ret;
	bool guessed;

	ret = kept_or_guess(keeper, id, &kept, &guessed, err);
	if (ret || (!kept.saved && settings[id].on_lo))
		return ret;
	ret = value_read(keeper, id, &value, err);
	if (ret == -ENODEV)
		value = kept.old; /* the bridge went, and took its setting along */
	else if (ret)
		return ret;
	/* The guard goes next: what was kept may be lost, its value must not stay. */
	if (!kept.saved) {
		if (value != settings[id].want)
			return 0;
		keep_anew(keeper, id, value, &kept);
	}
	if (value == kept.set && value != kept.old) {
		ret = value_write(keeper, id, kept.old, err);
		if (ret && ret != -ENODEV)
			return ret;
	}
	kept.saved = 0;
	return kept_write(keeper, id, &kept, err);
}

int settings_restore(const struct pins *pins, const char *bridge, unsigned int ifindex, bool last,
		     struct error *err)
{
	struct keeper keeper;
	int ret;

	ret = keeper_open(&keeper, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	if (last && keeper.lo_fd == -ENOENT)
		keeper.lo_fd = hook_backstop_map(is_settings_map);
	for (int id = 0; id < SETTING_MAX && !ret; id++)
		if (last || !settings[id].on_lo)
			ret = restore_one(&keeper, id, err);
	keeper_close(&keeper);
	return ret;
}

/*
 * The kernel takes the larger of conf.all and the interface's own: IN_DEV_ORCONF() for
 * route_localnet, where any value but 0 is on, and IN_DEV_MAXCONF() for rp_filter, where only 1,
 * strict, drops what comes from lo with another's source (__fib_validate_source()).
 */
static void judge(enum setting_id id, struct setting_state *state)
{
	char path[PATH_MAX];
	int all;

	state->effect = state->now;
	conf_path("all", id, path);
	if (state->now >= 0 && !sysctl_read(path, &all) && all > state->now)
		state->effect = all;
	state->works = id == SETTING_LO_RP_FILTER ? state->effect != 1 : state->effect != 0;
}

int settings_restore_lost(const char *bridge, unsigned int ifindex, bool last, struct error *err)
{
	struct keeper keeper = { .bridge = bridge,
				 .ifindex = ifindex,
				 .bridge_fd = -EPROTO,
				 .lo_fd = hook_backstop_map(is_settings_map) };
	int ret;

	if (keeper.lo_fd < 0)
		keeper.lo_fd = -EPROTO;
	ret = restore_one(&keeper, SETTING_BRIDGE_ROUTE_LOCALNET, err);
	for (int id = 0; !ret && last && id < SETTING_MAX; id++) {
		if (settings[id].on_lo)
			ret = restore_one(&keeper, id, err);
	}
	keeper_close(&keeper);
	return ret;
}

int settings_read(const struct pins *pins, const char *bridge, unsigned int ifindex,
		  struct setting_state *states, struct error *err)
{
	struct keeper keeper;
	bool guessed = false;
	int ret;

	ret = keeper_open(&keeper, pins, bridge, ifindex, err);
	if (ret)
		keeper.bridge_fd = keeper.lo_fd = -ENOENT;
	for (int id = 0; id < SETTING_MAX; id++) {
		struct setting_state *state = &states[id];
		int error;

		setting_name(&keeper, id, state->name);
		error = value_read(&keeper, id, &state->now, NULL);
		if (error)
			state->now = error;
		judge(id, state);
		error = kept_or_guess(&keeper, id, &state->kept, &state->guessed,
				      ret || guessed ? NULL : err);
		if (!ret)
			ret = error;
		guessed |= state->guessed;
	}
	keeper_close(&keeper);
	return guessed && !ret ? -EPROTO : ret;
}

/* ---- the clsact qdisc ---- */

int settings_keep_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			bool made, struct error *err)
{
	const struct setting kept = { .saved = made, .ifindex = ifindex };
	__u32 row = ROW_QDISC;
	int fd, ret;

	fd = map_open(pins, bridge, err);
	if (fd == -ENOENT)
		return error_set(err, fd, "no map to keep in that %s gets a clsact qdisc", bridge);
	if (fd < 0)
		return fd;
	ret = bpf_map_update_elem(fd, &row, &kept, BPF_ANY);
	close(fd);
	if (ret)
		return error_errno(err, ret, "cannot keep that %s gets a clsact qdisc", bridge);
	return 0;
}

int settings_made_qdisc(const struct pins *pins, const char *bridge, unsigned int ifindex,
			struct error *err)
{
	struct setting kept = {};
	__u32 row = ROW_QDISC;
	int fd, ret;

	fd = map_open(pins, bridge, err);
	if (fd == -ENOENT || fd == -EPROTO) /* nobody knows, so it is not taken away */
		return 0;
	if (fd < 0)
		return fd;
	ret = bpf_map_lookup_elem(fd, &row, &kept);
	close(fd);
	if (ret)
		return error_errno(err, ret, "cannot tell whose the clsact qdisc of %s is", bridge);
	/* That of a bridge which was deleted went with it. */
	return kept.saved == 1 && kept.ifindex == ifindex;
}

/* ---- did someone else want route_localnet? ---- */

/* route_localnet of the bridge as it would be without hbpf. */
static int original_localnet(const struct pins *pins, const char *bridge, unsigned int ifindex,
			     int *value, struct error *err)
{
	enum setting_id id = SETTING_BRIDGE_ROUTE_LOCALNET;
	struct keeper keeper;
	struct setting kept;
	int ret;

	ret = keeper_open_ours(&keeper, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	ret = value_read(&keeper, id, value, err);
	if (!ret)
		ret = kept_read(&keeper, id, &kept, err);
	keeper_close(&keeper);
	if (ret)
		return ret;
	if (kept.saved && *value == kept.set)
		*value = kept.old;
	else if (*value == settings[id].want) /* hbpf's own, whose state was lost */
		*value = 0;
	return 0;
}

/*
 * Either switch makes br_netfilter call iptables (br_nf_pre_routing() in
 * net/bridge/br_netfilter_hooks.c). The bridge's own is asked for over rtnetlink: /sys may show
 * another network namespace, as it does under nsenter --net.
 */
int settings_calls_iptables(unsigned int ifindex, struct error *err)
{
	int value;

	/* Not there: the module is not loaded. */
	if (!sysctl_read("/proc/sys/net/bridge/bridge-nf-call-iptables", &value) && value)
		return 1;
	return rtnetlink_bridge_calls_iptables(ifindex, err);
}

int settings_foreign_localnet(const struct pins *pins, const char *bridge, unsigned int ifindex,
			      struct error *err)
{
	int all, own, ret;

	ret = original_localnet(pins, bridge, ifindex, &own, err);
	if (ret)
		return ret;
	ret = sysctl_read("/proc/sys/net/ipv4/conf/all/route_localnet", &all);
	if (ret)
		return error_errno(err, ret, "cannot read net.ipv4.conf.all.route_localnet");
	return all || own ? settings_calls_iptables(ifindex, err) : 0;
}
