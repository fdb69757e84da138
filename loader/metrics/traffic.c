/* SPDX-License-Identifier: GPL-2.0-only */
#include "metrics/traffic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/exports_map.h"
#include "dataplane/shared.h"
#include "dataplane/stats.h"
#include "lib/clock.h"

static int read_counters(const struct dataplane *dp, struct bridge_traffic *bridge)
{
	struct error *err = &bridge->problem;
	int ret = dataplane_counters(dp, bridge->counters, err);

	if (!ret)
		ret = dataplane_exports(dp, &bridge->exports, err);
	if (ret)
		return ret;
	bridge->ports = calloc(bridge->exports.count + 1, sizeof(*bridge->ports));
	if (!bridge->ports)
		return error_nomem(err);
	return dataplane_port_stats(dp, &bridge->exports, bridge->ports, err);
}

static void read_bridge(const struct pins *pins, const struct host *host, const char *name,
			struct shared *shared, struct bridge_traffic *bridge)
{
	struct dataplane dp;
	bool dead;
	int ret;

	dataplane_init(&dp, shared);
	bridge->ifindex = attachment_target(pins, host, name).ifindex;
	bridge->live = attachment_is_live(pins, host, name);
	ret = dataplane_open_dead(&dp, pins, name, bridge->ifindex, &dead, &bridge->problem);
	if (dead)
		bridge->live = false;
	if (!ret)
		read_counters(&dp, bridge);
	dataplane_close(&dp);
}

int traffic_read(const struct pins *pins, const struct pins_bridges *bridges,
		 const struct host *host, const char *only, struct traffic *traffic,
		 struct error *err)
{
	struct shared shared = SHARED_INIT;

	*traffic = (struct traffic){
		.ms = monotonic_ms(),
		.v = calloc(bridges->count + 1, sizeof(*traffic->v)),
	};
	if (!traffic->v)
		return error_nomem(err);
	shared.reads_once = true;
	for (size_t i = 0; i < bridges->count; i++) {
		struct bridge_traffic *bridge = &traffic->v[traffic->count];

		if (only && only != bridges->names[i])
			continue;
		memcpy(bridge->name, bridges->current[i], sizeof(bridge->name));
		read_bridge(pins, host, bridges->names[i], &shared, bridge);
		traffic->count++;
	}
	shared_close(&shared);
	return 0;
}

int traffic_read_all(struct traffic *traffic, struct error *err)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	struct host host = {};
	int ret = attachment_bridges(PINS_READ, &pins, &bridges, err);

	*traffic = (struct traffic){};
	if (ret)
		return ret;
	ret = host_read(&host, err);
	if (!ret)
		ret = traffic_read(&pins, &bridges, &host, NULL, traffic, err);
	pins_close(&pins);
	pins_bridges_free(&bridges);
	host_free(&host);
	return ret;
}

void traffic_free(struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->count; i++) {
		error_free(&traffic->v[i].problem);
		exports_free(&traffic->v[i].exports);
		free(traffic->v[i].ports);
	}
	free(traffic->v);
	*traffic = (struct traffic){};
}

const struct bridge_traffic *traffic_before(const struct traffic *before,
					    const struct bridge_traffic *bridge)
{
	for (size_t i = 0; i < before->count; i++) {
		/* by index: names change */
		if (before->v[i].ifindex == bridge->ifindex && bridge->ifindex &&
		    !before->v[i].problem.what[0])
			return &before->v[i];
	}
	return NULL;
}

/* A bridge that was detached and attached again counts from zero. */
static __u64 grown(__u64 now, __u64 before)
{
	return now < before ? now : now - before;
}

struct hbpf_counter traffic_counted(const struct bridge_traffic *bridge,
				    const struct bridge_traffic *before, enum hbpf_reason reason)
{
	const struct hbpf_counter *now = &bridge->counters[reason];
	const struct hbpf_counter *then = &before->counters[reason];

	return (struct hbpf_counter){
		.packets = grown(now->packets, then->packets),
		.bytes = grown(now->bytes, then->bytes),
	};
}

struct hbpf_port_stats traffic_port_counted(const struct bridge_traffic *bridge,
					    const struct bridge_traffic *before, size_t port)
{
	const struct hbpf_export_key *key = &bridge->exports.v[port].key;
	const struct export *export = exports_find(&before->exports, key->proto, key->port);
	const struct hbpf_port_stats none = {}, *now = &bridge->ports[port];
	const struct hbpf_port_stats *then =
		export ? &before->ports[export - before->exports.v] : &none;

	return (struct hbpf_port_stats){
		.in_packets = grown(now->in_packets, then->in_packets),
		.in_bytes = grown(now->in_bytes, then->in_bytes),
		.out_packets = grown(now->out_packets, then->out_packets),
		.out_bytes = grown(now->out_bytes, then->out_bytes),
	};
}
