/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To apply a setting, first the old value is written to the pinned map, then the new
 * one to the file. To restore it, first the file is written, then the map. So a command
 * may be killed at any time: the map always has what is needed to restore the setting,
 * and applying or restoring again completes the work.
 *
 * lo's settings are applied first and restored last. They open nothing by themselves:
 * only the bridge's route_localnet lets packets of clients reach 127/8, and the guard is
 * attached before that.
 */
#include "dataplane/host_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/hook.h"
#include "kernel/if_sysctl.h"
#include "kernel/rtnetlink.h"
#include "kernel/sysctl.h"

static const struct {
	const char *key;
	int want;
} settings[SETTING_MAX] = {
	[SETTING_BRIDGE_ROUTE_LOCALNET] = { "route_localnet", SETTINGS_LOCALNET },
	[SETTING_LO_ROUTE_LOCALNET] = { "route_localnet", 1 },
	/* Loose: what counts is max(all, lo) (fib_validate_source() by way of IN_DEV_RPFILTER), so
	 * 0 would have no effect once another program sets `all` to 1, but 2 does. */
	[SETTING_LO_RP_FILTER] = { "rp_filter", 2 },
};

/* The name of a setting, for messages. */
#define SETTING_STRLEN 128
static const char *setting_name(const struct old_settings *old, enum setting_id id,
				char name[SETTING_STRLEN])
{
	char ifname[IFNAMSIZ];
	char *dot;

	/* sysctl(8) syntax: a dot in an interface's name becomes a slash. */
	old_settings_ifname_of(old, id, ifname);
	while ((dot = strchr(ifname, '.')))
		*dot = '/';
	snprintf(name, SETTING_STRLEN, "net.ipv4.conf.%s.%s", ifname, settings[id].key);
	return name;
}

static int value_read(const struct old_settings *old, enum setting_id id, int *value,
		      struct error *err)
{
	int ret = if_sysctl_read(old_settings_ifindex_of(old, id), settings[id].key, value);
	char name[SETTING_STRLEN];

	if (ret)
		error_errno(err, ret, "cannot read %s", setting_name(old, id, name));
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
 * As old_settings_read(), but if the map is unusable, assume the default of a new interface.
 */
static int saved_or_default(const struct old_settings *old, enum setting_id id,
			    struct setting *record, bool *assumed, struct error *err)
{
	int ret;

	*assumed = old_settings_fd(old, id) == -EPROTO;
	if (!*assumed)
		return old_settings_read(old, id, record, err);
	*record = (struct setting){ .set = settings[id].want,
				    .ifindex = old_settings_ifindex_of(old, id) };
	/* a bridge's is only set where it was 0 */
	ret = setting_is_of_lo(id) ? default_read(id, &record->old, err) : 0;
	record->saved = !ret;
	return ret;
}

/* ---- the settings themselves ---- */

static int value_write(const struct old_settings *old, enum setting_id id, int value,
		       struct error *err)
{
	int ret = if_sysctl_write(old_settings_ifindex_of(old, id), settings[id].key, value);
	char name[SETTING_STRLEN];

	if (!ret)
		return 0;
	error_errno(err, ret, "cannot set %s to %d", setting_name(old, id, name), value);
	error_hint_privileges(err, ret);
	if (ret == -EROFS)
		error_hint(err,
			   "/proc/sys is mounted read-only here, as in a container; run it "
			   "on the host, or the container with "
			   "`--security-opt systempaths=unconfined` (Podman: unmask=/proc/sys)");
	if (ret == -ENODEV)
		error_hint(err, "the interface was deleted; `hbpf interfaces` lists the others");
	return ret;
}

/* A setting before settings_apply() wrote it, for undo. */
struct before {
	struct setting record;
	int value;
	bool recorded;
	bool written;
};

/*
 * The record of a setting that is @value now, and was not set by hbpf; its `set` is what to write.
 * A route_localnet that is on stays unchanged, because another program needs it. The exception is a
 * 2 without a record: hbpf set it and its state was lost, so it was 0 before.
 */
static void save_current(const struct old_settings *old, enum setting_id id, int value,
			 struct setting *keep)
{
	int want = settings[id].want;

	*keep = (struct setting){
		.saved = 1, .old = value, .set = want, .ifindex = old_settings_ifindex_of(old, id)
	};
	if (id != SETTING_BRIDGE_ROUTE_LOCALNET || !value)
		return;
	if (value == want)
		keep->old = 0;
	else
		keep->set = value;
}

static int apply_one(const struct old_settings *old, enum setting_id id, struct before *before,
		     struct error *err)
{
	struct setting keep;
	int ret;

	ret = value_read(old, id, &before->value, err);
	if (!ret)
		ret = old_settings_read(old, id, &before->record, err);
	if (ret)
		return ret;

	/* Ours already: the first old value is the one to go back to. */
	if (before->record.saved && before->value && before->value == before->record.set)
		return 0;

	save_current(old, id, before->value, &keep);
	before->recorded = true;
	ret = old_settings_write(old, id, &keep, err);
	if (ret || before->value == keep.set)
		return ret;
	before->written = true;
	return value_write(old, id, keep.set, err);
}

/* Undo one apply_one(). Errors are ignored: the first one has been reported. */
static void undo_one(const struct old_settings *old, enum setting_id id,
		     const struct before *before)
{
	if (before->written)
		value_write(old, id, before->value, NULL);
	if (before->recorded)
		old_settings_write(old, id, &before->record, NULL);
}

int settings_apply(const struct pins *pins, const char *bridge, unsigned int ifindex,
		   struct error *err)
{
	struct before before[SETTING_MAX] = {};
	struct old_settings old;
	int ret;

	ret = old_settings_open_ours(&old, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	if (old.bridge_fd < 0 || old.lo_fd < 0) {
		ret = error_set(err, ENOENT, "no map for the old settings of %s", bridge);
		goto out;
	}
	for (int id = SETTING_MAX - 1; id >= 0 && !ret; id--)
		ret = apply_one(&old, id, &before[id], err);
	for (int id = 0; id < SETTING_MAX && ret; id++)
		undo_one(&old, id, &before[id]);
out:
	old_settings_close(&old);
	return ret;
}

static int restore_one(const struct old_settings *old, enum setting_id id, struct error *err)
{
	struct setting record;
	int value, ret;
	bool assumed;

	ret = saved_or_default(old, id, &record, &assumed, err);
	if (ret || (!record.saved && setting_is_of_lo(id)))
		return ret;
	ret = value_read(old, id, &value, err);
	if (ret == -ENODEV)
		value = record.old; /* the bridge was deleted, and the setting with it */
	else if (ret)
		return ret;
	/* The guard is removed next: hbpf's value must not remain, even if the old one is lost. */
	if (!record.saved) {
		if (value != settings[id].want)
			return 0;
		save_current(old, id, value, &record);
	}
	if (value == record.set && value != record.old) {
		ret = value_write(old, id, record.old, err);
		if (ret && ret != -ENODEV)
			return ret;
	}
	record.saved = 0;
	return old_settings_write(old, id, &record, err);
}

int settings_restore(const struct pins *pins, const char *bridge, unsigned int ifindex, bool last,
		     struct error *err)
{
	struct old_settings old;
	int ret;

	ret = old_settings_open(&old, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	if (last && old.lo_fd == -ENOENT)
		old.lo_fd = hook_backstop_map(old_settings_is_map);
	for (int id = 0; id < SETTING_MAX && !ret; id++)
		if (last || !setting_is_of_lo(id))
			ret = restore_one(&old, id, err);
	old_settings_close(&old);
	return ret;
}

/*
 * The kernel takes the larger of conf.all and the interface's own: IN_DEV_ORCONF() for
 * route_localnet, where any value but 0 is on, and IN_DEV_MAXCONF() for rp_filter, where only 1,
 * strict, drops what comes from lo with another's source (__fib_validate_source()).
 */
static void set_effect(enum setting_id id, struct setting_state *state)
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
	struct old_settings old = { .bridge = bridge,
				    .ifindex = ifindex,
				    .bridge_fd = -EPROTO,
				    .lo_fd = hook_backstop_map(old_settings_is_map) };
	int ret;

	if (old.lo_fd < 0)
		old.lo_fd = -EPROTO;
	ret = restore_one(&old, SETTING_BRIDGE_ROUTE_LOCALNET, err);
	for (int id = 0; !ret && last && id < SETTING_MAX; id++) {
		if (setting_is_of_lo(id))
			ret = restore_one(&old, id, err);
	}
	old_settings_close(&old);
	return ret;
}

int settings_read(const struct pins *pins, const char *bridge, unsigned int ifindex,
		  const struct setting_state *other, struct setting_state *states,
		  struct error *err)
{
	struct old_settings old;
	bool assumed = false;
	int ret;

	ret = old_settings_open(&old, pins, bridge, ifindex, err);
	if (ret)
		old.bridge_fd = old.lo_fd = -ENOENT;
	for (int id = 0; id < SETTING_MAX; id++) {
		struct setting_state *state = &states[id];
		int error;

		if (other && setting_is_of_lo(id)) {
			*state = other[id];
			continue;
		}
		setting_name(&old, id, state->name);
		error = value_read(&old, id, &state->now, NULL);
		if (error)
			state->now = error;
		set_effect(id, state);
		error = saved_or_default(&old, id, &state->record, &state->assumed,
					 ret || assumed ? NULL : err);
		if (!ret)
			ret = error;
		assumed |= state->assumed;
	}
	old_settings_close(&old);
	return assumed && !ret ? -EPROTO : ret;
}

/* ---- route_localnet of other programs ---- */

/* route_localnet of the bridge as it would be without hbpf. */
static int original_localnet(const struct pins *pins, const char *bridge, unsigned int ifindex,
			     int *value, struct error *err)
{
	enum setting_id id = SETTING_BRIDGE_ROUTE_LOCALNET;
	struct old_settings old;
	struct setting record;
	int ret;

	ret = old_settings_open_ours(&old, pins, bridge, ifindex, err);
	if (ret)
		return ret;
	ret = value_read(&old, id, value, err);
	if (!ret)
		ret = old_settings_read(&old, id, &record, err);
	old_settings_close(&old);
	if (ret)
		return ret;
	if (record.saved && *value == record.set)
		*value = record.old;
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
	bool is_bridge;
	int ret = rtnetlink_bridge_calls_iptables(ifindex, &is_bridge, err), value;

	if (ret || !is_bridge)
		return ret;
	/* Not there: the module is not loaded. */
	return !sysctl_read("/proc/sys/net/bridge/bridge-nf-call-iptables", &value) && value;
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
