/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/target.h"

#include <errno.h>
#include <string.h>

#include "engine/engine.h"

/* Return: what its state is kept under, or NULL */
static const char *find_kept(const struct pins_bridges *bridges, const char *name)
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
		error_hint(err, "`hbpf attach %s` attaches %s", name ? name : "BRIDGE",
			   name ? "it" : "one");
}

void target_resolve(const char *name, struct target *meant)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	bool ask;

	memset(meant, 0, sizeof(*meant));
	meant->name = name;
	if (!name)
		return;
	if (!rtnetlink_real_name(name, meant->bridge)) {
		meant->altname = strcmp(name, meant->bridge) != 0;
		if (!meant->altname)
			meant->bridge[0] = '\0';
		return;
	}
	/* What keeps the state from being read is told by who needs it. */
	if (attachment_bridges(PINS_READ, &pins, &bridges, NULL))
		return;
	/* With nothing attached no network can be, so nobody need be asked. */
	ask = bridges.count && !find_kept(&bridges, name);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	if (ask)
		meant->ret = engine_resolve(name, "not attached", meant->bridge, &meant->problem);
}

static const char *find_network(const struct pins_bridges *bridges, const struct target *meant,
				struct error *err)
{
	const char *found = NULL;
	int ret = meant->ret;

	if (!ret)
		found = find_kept(bridges, meant->bridge);
	if (!ret && !found) {
		ret = error_set(err, ENOENT,
				meant->altname ? "%s, which is also called %s, is not attached"
					       : "%s, the bridge of network %s, is not attached",
				meant->bridge, meant->name);
	} else if (ret) {
		error_set(err, ret, "%s", meant->problem.what);
		error_hint(err, "%s", meant->problem.hint);
	}
	if (ret == -ENOENT)
		hint_attached(bridges, meant->name, err);
	return found;
}

const char *target_choose(const struct pins_bridges *bridges, const struct target *meant,
			  const char *how, struct error *err)
{
	const char *name = meant->name;
	const char *found;
	char list[256];

	if (!name && bridges->count == 1)
		return bridges->names[0];
	if (!name && bridges->count > 1) {
		error_set(err, EINVAL, "several bridges are attached: %s",
			  attachment_list(bridges, list, sizeof(list)));
		error_hint(err, "say which one is meant with %s", how);
		return NULL;
	}
	if (!name) {
		error_set(err, ENOENT, "no bridge is attached");
		hint_attached(bridges, name, err);
		return NULL;
	}
	found = find_kept(bridges, name);
	if (found)
		return found;
	if (meant->bridge[0] || meant->ret)
		return find_network(bridges, meant, err);
	error_set(err, ENOENT, "%s is not attached", name);
	hint_attached(bridges, name, err);
	return NULL;
}
