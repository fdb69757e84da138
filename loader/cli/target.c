/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/target.h"

#include <errno.h>
#include <string.h>

#include "engine/engine.h"

int attached_open(struct attached *attached, enum pins_mode mode, struct error *err)
{
	int ret = attachment_bridges(mode, &attached->pins, &attached->bridges, err);

	return ret ? ret : host_read(&attached->host, err);
}

int attached_open_all(struct attached *attached, enum pins_mode mode, struct error *err)
{
	int ret;

	attached->unread = attachment_bridges(mode, &attached->pins, &attached->bridges, err);
	if (attached->unread)
		err = NULL;
	ret = host_read(&attached->host, err);
	if (ret)
		return ret;
	return lost_bridges_find(&attached->bridges, &attached->host, &attached->lost, err);
}

void attached_free(struct attached *attached)
{
	pins_close(&attached->pins);
	shared_close(&attached->shared);
	pins_bridges_free(&attached->bridges);
	host_free(&attached->host);
	lost_bridges_free(&attached->lost);
}

/* Return: name of the bridge's state directory, or NULL */
static const char *find_state(const struct pins_bridges *bridges, const char *name)
{
	int at = attachment_find(bridges, name);

	return at < 0 ? NULL : bridges->names[at];
}

static void hint_attached(const struct pins_bridges *bridges, const char *name, struct error *err)
{
	char list[256];

	if (bridges->count)
		error_hint(err, "attached: %s", attachment_list(bridges, list, sizeof(list)));
	else
		error_hint(err, "attach it with `hbpf attach %s`", name);
}

int target_none_attached(struct error *err)
{
	error_set(err, ENOENT, "no interface is attached");
	error_hint(err, "attach one with `hbpf attach INTERFACE`");
	return -ENOENT;
}

void target_resolve(const char *name, struct target *target)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	bool ask;

	memset(target, 0, sizeof(*target));
	target->name = name;
	if (!name)
		return;
	if (!rtnetlink_real_name(name, target->bridge)) {
		target->altname = strcmp(name, target->bridge) != 0;
		if (!target->altname)
			target->bridge[0] = '\0';
		return;
	}
	/* The caller opens the state again and reports the error. */
	if (attachment_bridges(PINS_READ, &pins, &bridges, NULL))
		return;
	/* If nothing is attached, no network can be, so the engines are not queried. */
	ask = bridges.count && !find_state(&bridges, name);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	if (ask)
		target->ret =
			engine_resolve(name, "not attached", target->bridge, &target->problem);
}

void target_free(struct target *target)
{
	error_free(&target->problem);
}

static const char *find_network(const struct pins_bridges *bridges, const struct target *target,
				struct error *err)
{
	const char *found = NULL;
	int ret = target->ret;

	if (!ret)
		found = find_state(bridges, target->bridge);
	if (!ret && !found) {
		ret = error_set(err, ENOENT,
				target->altname
					? "%s, whose alternative name is %s, is not attached"
					: "%s, the bridge of network %s, is not attached",
				target->bridge, target->name);
	} else if (ret) {
		error_set(err, ret, "%s", target->problem.what);
		error_hint(err, "%s", target->problem.hint);
	}
	if (ret == -ENOENT)
		hint_attached(bridges, target->name, err);
	return found;
}

const char *target_choose(const struct pins_bridges *bridges, const struct target *target,
			  const char *how, struct error *err)
{
	const char *name = target->name;
	const char *found;
	char list[256];

	if (!name && bridges->count == 1)
		return bridges->names[0];
	if (!name && bridges->count > 1) {
		error_set(err, EINVAL, "several interfaces are attached: %s",
			  attachment_list(bridges, list, sizeof(list)));
		error_hint(err, "choose one with %s", how);
		return NULL;
	}
	if (!name) {
		target_none_attached(err);
		return NULL;
	}
	found = find_state(bridges, name);
	if (found)
		return found;
	if (target->bridge[0] || target->ret)
		return find_network(bridges, target, err);
	error_set(err, ENOENT, "%s is not attached", name);
	hint_attached(bridges, name, err);
	return NULL;
}

int attached_open_for(struct attached *attached, const struct target *target, const char **only,
		      struct error *err)
{
	int ret = attached_open(attached, PINS_READ, err);

	*only = NULL;
	if (ret || !target->name)
		return ret;
	*only = target_choose(&attached->bridges, target, NULL, err);
	return *only ? 0 : -ENOENT;
}
