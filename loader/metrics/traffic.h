/* SPDX-License-Identifier: GPL-2.0-only */
/* What every attached bridge counted, at one moment, and how much between two. */
#ifndef HBPF_TRAFFIC_H
#define HBPF_TRAFFIC_H

#include "attach/attachment.h"
#include "model/exports.h"

/* One bridge. The counters begin with its attach. */
struct bridge_traffic {
	char name[IFNAMSIZ];  /* present name of the interface */
	unsigned int ifindex; /* 0: it was deleted */
	bool live;            /* our programs are attached to it, on both sides */
	struct error problem; /* why its counters cannot be read; empty if they can */
	struct hbpf_counter counters[HBPF_REASON_MAX];
	struct exports exports;
	struct hbpf_port_stats *ports; /* in the order of the exports */
};

struct traffic {
	__s64 ms; /* when it was read, as of monotonic_ms() */
	struct bridge_traffic *v;
	size_t count;
};

/**
 * traffic_read() - read the counters of attached bridges
 * @pins:	Open; the caller closes them
 * @only:	One of @bridges->names, or NULL for all
 * @traffic:	Filled; free with traffic_free(), also on failure
 *
 * What cannot be read of one bridge is its `problem`. Return: 0 or -errno
 */
int traffic_read(const struct pins *pins, const struct pins_bridges *bridges,
		 const struct host *host, const char *only, struct traffic *traffic,
		 struct error *err);

/** traffic_read_all() - the same for all bridges; takes the lock for the time of it */
int traffic_read_all(struct traffic *traffic, struct error *err);

/** traffic_free() - release it; all zero is allowed */
void traffic_free(struct traffic *traffic);

/**
 * traffic_before() - find what a bridge had counted at an earlier moment
 * @before:	Earlier than @bridge
 *
 * Return: one of @before->v, or NULL if it was not attached, or not readable then
 */
const struct bridge_traffic *traffic_before(const struct traffic *before,
					    const struct bridge_traffic *bridge);

/** traffic_counted() - what a bridge counted for a reason since @before, from traffic_before() */
struct hbpf_counter traffic_counted(const struct bridge_traffic *bridge,
				    const struct bridge_traffic *before, enum hbpf_reason reason);

/** traffic_port_counted() - the same for the port at index @port of bridge->exports */
struct hbpf_port_stats traffic_port_counted(const struct bridge_traffic *bridge,
					    const struct bridge_traffic *before, size_t port);

#endif /* HBPF_TRAFFIC_H */
