/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `hbpf monitor` knows beside the events: names of bridges, their ports and containers, and
 * where gateway ports lead. It changes while the monitor runs, so it is read again when an event
 * comes and it is old.
 */
#ifndef HBPF_MONITOR_NAMES_H
#define HBPF_MONITOR_NAMES_H

#include "cli/monitor_event.h"
#include "cli/target.h"
#include "engine/containers.h"
#include "kernel/fdb.h"
#include "model/exports.h"

struct monitor_bridge {
	unsigned int ifindex;
	char name[IFNAMSIZ];
	struct exports exports;
	bool is_counted;                  /* @suppressed was read */
	__u64 suppressed[HBPF_EVENT_MAX]; /* events, as last read */
};

struct monitor_names {
	const struct target *target;
	struct monitor_bridge *v; /* the target, or all attached bridges */
	size_t count;
	struct links links;
	__s64 state_at; /* when the above was read, as of monotonic_ms() */
	struct engines engines;
	struct containers containers;
	__s64 engines_at; /* when they answered; 0: never */
	__s64 engines_ms; /* how long that took */
	struct fdb fdb;
	unsigned int fdb_bridge;
	__s64 fdb_at;
};

/**
 * monitor_names_open() - read the bridges
 * @names:	All zero; filled. Free with monitor_names_free(), also after an error
 * @target:	From target_resolve(); must outlive @names
 * @shared:	SHARED_INIT; opened, for the caller to close
 *
 * Return: 0; -ENOENT if no bridge is attached, or not that one; or another -errno
 */
int monitor_names_open(struct monitor_names *names, const struct target *target,
		       struct shared *shared, struct error *err);
void monitor_names_free(struct monitor_names *names);

/** monitor_names_refresh() - read the bridges again. Return: as of monitor_names_open() */
int monitor_names_refresh(struct monitor_names *names, struct error *err);

/**
 * monitor_names_fill() - add to an event what is known about it
 * @ifindex:	of its bridge
 *
 * The strings are valid until the next call. Return: false if it is none of the bridges
 */
bool monitor_names_fill(struct monitor_names *names, unsigned int ifindex,
			struct monitor_event *event);

#endif /* HBPF_MONITOR_NAMES_H */
