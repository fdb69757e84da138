/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/monitor_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/listeners.h"
#include "dataplane/exports_map.h"
#include "lib/array.h"
#include "lib/clock.h"

/* How old each may be when an event comes. */
#define STATE_MS      5000
#define ENGINES_MS    5000
#define FDB_MS        100 /* a forged address can move to another port at any time */
/* What is not found is looked up again after this time. */
#define MISSED_MS     1000
/* An engine may be slow: at most this part of the time is spent on it. */
#define ENGINES_SHARE 20

static bool is_old(__s64 at, __s64 ms)
{
	return !at || monotonic_ms() - at >= ms;
}

/* ---- bridges ---- */

static struct monitor_bridge *find_bridge(const struct monitor_names *names, unsigned int ifindex)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->v[i].ifindex == ifindex)
			return &names->v[i];
	}
	return NULL;
}

static void free_bridges(struct monitor_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		exports_free(&names->v[i].exports);
	free(names->v);
	names->v = NULL;
	names->count = 0;
}

/* Keep what was counted, of the bridges that are still attached. */
static void take_over(struct monitor_names *fresh, const struct monitor_names *old)
{
	for (size_t i = 0; i < fresh->count; i++) {
		const struct monitor_bridge *was = find_bridge(old, fresh->v[i].ifindex);

		if (!was)
			continue;
		fresh->v[i].is_counted = was->is_counted;
		memcpy(fresh->v[i].suppressed, was->suppressed, sizeof(was->suppressed));
	}
}

static int read_bridge(struct monitor_names *names, struct attached *at, size_t i,
		       struct error *err)
{
	const char *name = at->bridges.names[i];
	struct monitor_bridge bridge = {};
	struct dataplane dp;
	bool dead;
	int ret;

	dataplane_init(&dp, &at->shared);
	bridge.ifindex = attachment_target(&at->pins, &at->host, name).ifindex;
	ret = dataplane_open_dead(&dp, &at->pins, name, bridge.ifindex, &dead, err);
	if (!ret && !dead) {
		ret = dataplane_exports(&dp, &bridge.exports, err);
		snprintf(bridge.name, sizeof(bridge.name), "%s", at->bridges.current[i]);
		if (!ret)
			ret = ARRAY_ADD(names, bridge);
		if (ret)
			exports_free(&bridge.exports);
	}
	dataplane_close(&dp);
	return ret;
}

static int none_attached(const struct target *target, struct error *err)
{
	if (!target->name)
		return target_none_attached(err);
	error_set(err, ENOENT, "%s was deleted, and its programs with it", target->name);
	error_hint(err, "create it, then attach it again");
	return -ENOENT;
}

/* @at: to be closed by the caller */
static int read_state(struct monitor_names *names, struct attached *at, struct error *err)
{
	const char *only;
	int ret = attached_open_for(at, names->target, &only, err);

	for (size_t i = 0; !ret && i < at->bridges.count; i++) {
		if (!only || only == at->bridges.names[i])
			ret = read_bridge(names, at, i, err);
	}
	pins_close(&at->pins);
	if (!ret && !names->count)
		ret = none_attached(names->target, err);
	names->links = at->host.links;
	at->host.links = (struct links){};
	names->state_at = monotonic_ms();
	return ret;
}

int monitor_names_open(struct monitor_names *names, const struct target *target,
		       struct shared *shared, struct error *err)
{
	struct attached at = ATTACHED_INIT;
	int ret;

	names->target = target;
	ret = read_state(names, &at, err);
	if (!ret) {
		*shared = at.shared;
		shared_init(&at.shared);
	}
	attached_free(&at);
	return ret;
}

int monitor_names_refresh(struct monitor_names *names, struct error *err)
{
	struct monitor_names fresh = { .target = names->target };
	struct attached at = ATTACHED_INIT;
	int ret = read_state(&fresh, &at, err);

	attached_free(&at);
	if (ret) {
		free_bridges(&fresh);
		links_free(&fresh.links);
		return ret;
	}
	take_over(&fresh, names);
	free_bridges(names);
	links_free(&names->links);
	names->v = fresh.v;
	names->count = fresh.count;
	names->links = fresh.links;
	names->state_at = fresh.state_at;
	return 0;
}

void monitor_names_free(struct monitor_names *names)
{
	free_bridges(names);
	links_free(&names->links);
	containers_free(&names->containers);
	engines_free(&names->engines);
	fdb_free(&names->fdb);
}

/* ---- containers ---- */

static void query_engines(struct monitor_names *names)
{
	__s64 start = monotonic_ms();

	containers_free(&names->containers);
	engines_free(&names->engines);
	/* names only help: without an engine the events are shown as they are */
	engines_query(&names->engines, NULL);
	containers_query(&names->engines, &names->containers);
	names->engines_at = monotonic_ms();
	names->engines_ms = names->engines_at - start;
}

static bool engines_are_due(const struct monitor_names *names, __s64 ms)
{
	__s64 rest = names->engines_ms * ENGINES_SHARE;

	return is_old(names->engines_at, ms > rest ? ms : rest);
}

static const struct container *container_with(const struct monitor_names *names,
					      const struct monitor_bridge *bridge,
					      const struct hbpf_addr *addr)
{
	const struct network *network =
		networks_find_bridge(&names->engines.networks, bridge->name);

	return containers_find(&names->containers, addr, network ? network->name : NULL);
}

static void find_client(struct monitor_names *names, const struct monitor_bridge *bridge,
			struct monitor_event *event)
{
	const struct hbpf_addr *addr = monitor_event_client(event);
	const struct container *found;

	if (!addr)
		return;
	if (engines_are_due(names, ENGINES_MS))
		query_engines(names);
	found = container_with(names, bridge, addr);
	if (!found && engines_are_due(names, MISSED_MS)) {
		query_engines(names);
		found = container_with(names, bridge, addr);
	}
	event->container = found ? found->name : NULL;
}

/* ---- the sender of a packet ---- */

static unsigned int port_of(struct monitor_names *names, unsigned int bridge, const __u8 *mac)
{
	unsigned int port = 0;

	if (names->fdb_bridge == bridge && !is_old(names->fdb_at, FDB_MS))
		port = fdb_port(&names->fdb, mac);
	if (port)
		return port;
	fdb_free(&names->fdb);
	fdb_read(bridge, &names->fdb);
	names->fdb_bridge = bridge;
	names->fdb_at = monotonic_ms();
	return fdb_port(&names->fdb, mac);
}

/* The container at the port. If the bridge saw the addresses of several there, one of them may have
 * forged another's, so none is named. */
static const struct container *container_at(const struct monitor_names *names, unsigned int port)
{
	const struct container *found = NULL;

	for (size_t i = 0; port && i < names->fdb.count; i++) {
		const struct container *one;

		if (names->fdb.v[i].port != port)
			continue;
		one = containers_find_mac(&names->containers, names->fdb.v[i].mac);
		if (one && found && strcmp(one->name, found->name) != 0)
			return NULL;
		found = one ?: found;
	}
	return found;
}

static void find_sender(struct monitor_names *names, const struct monitor_bridge *bridge,
			struct monitor_event *event)
{
	unsigned int port = port_of(names, bridge->ifindex, event->frame.src_mac);
	const struct link *link = port ? links_by_index(&names->links, port) : NULL;
	const struct container *found;

	if (engines_are_due(names, ENGINES_MS))
		query_engines(names);
	found = container_at(names, port);
	event->port = link ? link->name : NULL;
	event->container = found ? found->name : NULL;
}

/* ---- */

static void find_local(const struct monitor_bridge *bridge, struct monitor_event *event)
{
	const struct frame_path *path = &event->path;
	const struct export *export;

	if (event->kind == HBPF_EVENT_GUARD || event->kind == HBPF_EVENT_DROP)
		return;
	export = exports_find(&bridge->exports, path->proto, path->dst.port);
	if (!export)
		return;
	event->local.addr =
		export_local(export, addr_is_v4(&path->dst.addr) ? LISTENER_V4 : LISTENER_V6);
	event->local.port = export->to.port;
	event->has_local = true;
}

static const struct monitor_bridge *bridge_of(struct monitor_names *names, unsigned int ifindex)
{
	const struct monitor_bridge *bridge = find_bridge(names, ifindex);

	/* an error: then the names stay as they are */
	if (is_old(names->state_at, bridge ? STATE_MS : MISSED_MS)) {
		monitor_names_refresh(names, NULL);
		bridge = find_bridge(names, ifindex);
	}
	return bridge;
}

bool monitor_names_fill(struct monitor_names *names, unsigned int ifindex,
			struct monitor_event *event)
{
	const struct monitor_bridge *bridge = bridge_of(names, ifindex);

	if (!bridge)
		return false;
	event->bridge = bridge->name;
	find_local(bridge, event);
	if (monitor_event_names_sender(event))
		find_sender(names, bridge, event);
	else
		find_client(names, bridge, event);
	return true;
}
