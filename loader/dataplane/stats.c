/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/stats.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/map_io.h"

struct counters_at counters_at(const struct hbpf_config *config)
{
	if (config->number < HBPF_NEAR_COUNTERS)
		return (struct counters_at){ MAP_COUNTERS_NEAR, config->number };
	return (struct counters_at){ MAP_COUNTERS, config->ifindex };
}

int counters_read(const struct shared *shared, const struct hbpf_config *config,
		  struct hbpf_counters **values)
{
	const struct counters_at at = counters_at(config);
	int cpus = map_values(), ret;

	*values = NULL;
	if (cpus < 0)
		return cpus;
	*values = calloc((size_t)cpus, sizeof(**values));
	if (!*values)
		return -ENOMEM;
	ret = bpf_map_lookup_elem(shared->maps[at.map], &at.key, *values);
	return ret ?: cpus;
}

int dataplane_counters(const struct dataplane *dp, struct hbpf_counter *counters, struct error *err)
{
	struct hbpf_counters *values;
	int cpus = counters_read(dp->shared, &dp->config, &values);

	memset(counters, 0, HBPF_REASON_MAX * sizeof(*counters));
	if (cpus < 0)
		map_error(err, cpus, counters_at(&dp->config).map, "read");
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
			counters[reason].packets += values[cpu].reason[reason].packets;
			counters[reason].bytes += values[cpu].reason[reason].bytes;
		}
	}
	free(values);
	return cpus < 0 ? cpus : 0;
}

struct port_sums {
	const struct exports *set;
	struct hbpf_port_stats *stats;
	int cpus;
};

static int add_up(const void *key, const void *value, void *context)
{
	const struct hbpf_export_key *port = key;
	const struct hbpf_port_stats *values = value;
	const struct port_sums *sums = context;
	const struct export *export = exports_find(sums->set, port->proto, port->port);
	struct hbpf_port_stats *sum;
	int cpu;

	if (!export)
		return 0;
	sum = &sums->stats[export - sums->set->v];
	/* the same port may come twice while the programs add others, so never onto a sum */
	*sum = (struct hbpf_port_stats){};
	for (cpu = 0; cpu < sums->cpus; cpu++) {
		sum->in_packets += values[cpu].in_packets;
		sum->in_bytes += values[cpu].in_bytes;
		sum->out_packets += values[cpu].out_packets;
		sum->out_bytes += values[cpu].out_bytes;
	}
	return 0;
}

int dataplane_port_stats(const struct dataplane *dp, const struct exports *set,
			 struct hbpf_port_stats *stats, struct error *err)
{
	struct port_sums sums = { set, stats, map_values() };

	_Static_assert(sizeof(*stats) % 8 == 0, "a CPU's value follows the other without padding");
	if (sums.cpus < 0)
		return map_error(err, sums.cpus, MAP_PORT_STATS, "read");
	if (!set->count)
		return 0;
	memset(stats, 0, set->count * sizeof(*stats));
	return map_walk(dp, MAP_PORT_STATS, add_up, &sums, err);
}
