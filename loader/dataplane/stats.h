/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters. Each CPU has its own; these functions add them up. */
#ifndef HBPF_STATS_H
#define HBPF_STATS_H

#include "dataplane/dataplane.h"
#include "lib/error.h"
#include "model/exports.h"

/* An entry of a map with struct hbpf_counters. */
struct counters_at {
	enum dataplane_map map;
	__u32 key;
};

/** counters_at() - where the counters of a bridge are. Only those of the lowest numbers are in an
 * array, so that their memory does not depend on HBPF_MAX_BRIDGES */
struct counters_at counters_at(const struct hbpf_config *config);

/**
 * counters_read() - read the counters of a bridge
 * @values:	Those of each CPU; to be freed, also on failure
 *
 * Return: how many CPUs these are, or -errno
 */
int counters_read(const struct shared *shared, const struct hbpf_config *config,
		  struct hbpf_counters **values);

/** dataplane_counters() - packets and bytes by reason; @counters has HBPF_REASON_MAX entries.
 * Return: 0 or -errno */
int dataplane_counters(const struct dataplane *dp, struct hbpf_counter *counters,
		       struct error *err);

/** dataplane_port_stats() - traffic of every export of @set, in its order; @stats has set->count
 * entries. Return: 0 or -errno */
int dataplane_port_stats(const struct dataplane *dp, const struct exports *set,
			 struct hbpf_port_stats *stats, struct error *err);

#endif /* HBPF_STATS_H */
