/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/attachment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach/renames.h"
#include "dataplane/host_settings.h"
#include "dataplane/shared.h"
#include "dataplane/slot.h"
#include "lib/str_list.h"

unsigned int attachment_ifindex(const struct pins *pins, const char *bridge)
{
	unsigned int ifindex = old_settings_ifindex(pins, bridge);
	struct hbpf_config config;

	if (ifindex)
		return ifindex;
	return dataplane_peek(pins, bridge, &config) ? 0 : config.ifindex;
}

static void read_names(const struct pins *pins, struct pins_bridges *bridges)
{
	struct hbpf_config config;

	for (size_t i = 0; i < bridges->count; i++) {
		bridges->ifindexes[i] = attachment_ifindex(pins, bridges->names[i]);
		if_indextoname(bridges->ifindexes[i], bridges->current[i]);
		if (!dataplane_peek(pins, bridges->names[i], &config) && config.attached_as[0])
			memcpy(bridges->attached_as[i], config.attached_as,
			       sizeof(bridges->attached_as[i]));
	}
}

int attachment_bridges(enum pins_mode mode, struct pins *pins, struct pins_bridges *bridges,
		       struct error *err)
{
	int ret;

	memset(bridges, 0, sizeof(*bridges));
	/* With PINS_READ first, since PINS_WRITE would mount a missing bpffs. */
	ret = pins_open(pins, PINS_READ, err);
	if (ret == -ENOENT) {
		error_free(err);
		return 0;
	}
	if (!ret && mode == PINS_WRITE) {
		pins_close(pins);
		ret = pins_open(pins, PINS_WRITE, err);
	}
	if (ret)
		return ret;
	if (mode == PINS_WRITE)
		ret = renames_follow(pins, err);
	if (!ret)
		ret = pins_bridges(pins, bridges, err);
	if (ret)
		pins_close(pins);
	else
		read_names(pins, bridges);
	return ret;
}

int attachment_find(const struct pins_bridges *bridges, const char *name)
{
	for (size_t i = 0; i < bridges->count; i++) {
		if (!strcmp(bridges->current[i], name))
			return (int)i;
	}
	for (size_t i = 0; !if_nametoindex(name) && i < bridges->count; i++) {
		if (!strcmp(bridges->attached_as[i], name))
			return (int)i;
	}
	return -1;
}

const char *attachment_current_name(const struct pins_bridges *bridges, const char *state_name)
{
	for (size_t i = 0; i < bridges->count; i++) {
		if (bridges->names[i] == state_name)
			return bridges->current[i];
	}
	return state_name;
}

bool attachment_renamed(const char *name, char now[IFNAMSIZ])
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	int at;

	if (attachment_bridges(PINS_READ, &pins, &bridges, NULL))
		return false;
	at = bridges.count ? attachment_find(&bridges, name) : -1;
	if (at >= 0 && bridges.current)
		memcpy(now, bridges.current[at], IFNAMSIZ);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	return at >= 0 && strcmp(now, name) != 0;
}

const char *attachment_list(const struct pins_bridges *bridges, char *buf, size_t size)
{
	buf[0] = 0;
	for (size_t i = 0; i < bridges->count; i++)
		str_list_add(buf, size, bridges->current[i]);
	return buf;
}

struct hook_target attachment_target(const struct pins *pins, const struct host *host,
				     const char *bridge)
{
	const struct link *link = links_by_index(&host->links, attachment_ifindex(pins, bridge));

	if (!link)
		link = links_by_name(&host->links, bridge);
	return (struct hook_target){
		.pins = pins,
		.bridge = bridge,
		.ifindex = link ? link->ifindex : 0,
	};
}

bool attachment_is_live(const struct pins *pins, const struct host *host, const char *bridge)
{
	struct hook_target target = attachment_target(pins, host, bridge);
	struct hook_state state;

	if (!target.ifindex)
		return false;
	for (int side = 0; side < HOOK_SIDES; side++) {
		if (hook_query(&target, side, &state, NULL) || !state.live)
			return false;
	}
	return true;
}

int attachment_owner(const struct pins *pins, const char *bridge)
{
	struct hbpf_config config;
	int ret = dataplane_peek(pins, bridge, &config);

	return ret ? ret : config.owner;
}

int attachment_is_last(const struct pins *pins, const struct host *host, const char *bridge,
		       struct error *err)
{
	struct pins_bridges bridges = {};
	int last = 1;
	int ret = pins_bridges(pins, &bridges, err);

	if (ret)
		return ret;
	for (size_t i = 0; last && i < bridges.count; i++) {
		if (strcmp(bridges.names[i], bridge) &&
		    attachment_is_live(pins, host, bridges.names[i]))
			last = 0;
	}
	pins_bridges_free(&bridges);
	return last;
}

int attachment_forget(const struct pins *pins, const char *bridge, unsigned int ifindex,
		      struct error *err)
{
	struct dataplane dp;
	struct shared shared;
	int ret;

	shared_init(&shared);
	dataplane_init(&dp, &shared);
	ret = dataplane_open_remains(&dp, pins, bridge, ifindex, err);
	if (!ret)
		ret = slot_release(&dp, err);
	else if (ret == -ENOENT)
		ret = 0;
	dataplane_close(&dp);
	shared_close(&shared);
	return ret ? ret : pins_remove_shared(pins, bridge, err);
}

int attachment_remove(const struct pins *pins, const struct host *host, const char *bridge,
		      bool last, struct error *err)
{
	struct hook_target target = attachment_target(pins, host, bridge);
	int ret;

	ret = settings_restore(pins, bridge, target.ifindex, last, err);
	if (ret)
		return ret; /* the bridge may be open still: the guard stays */
	/* Ingress has the guard: attached first, detached last. */
	ret = hook_detach(&target, HOOK_EGRESS, err);
	if (!ret)
		ret = hook_detach(&target, HOOK_INGRESS, err);
	if (!ret)
		ret = hook_backstop_detach(&target, err);
	if (!ret)
		ret = attachment_forget(pins, bridge, target.ifindex, err);
	/* The programs refer to the map of lo's settings, so that goes with them. The bridge's
	 * directory goes last: as long as it exists, detach finds the rest. */
	if (!ret)
		ret = pins_remove(pins, NULL, err);
	return ret < 0 ? ret : pins_remove(pins, bridge, err);
}
