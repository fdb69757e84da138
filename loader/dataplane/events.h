/* SPDX-License-Identifier: GPL-2.0-only */
/* Events of the programs (<hbpf/events.h>), for one of the monitors that can run at once. */
#ifndef HBPF_DATAPLANE_EVENTS_H
#define HBPF_DATAPLANE_EVENTS_H

#include <hbpf/events.h>
#include <stdbool.h>

#include "dataplane/shared.h"

/* The programs stop reporting so long after the last events_renew(). */
#define EVENTS_LEASE_MS 3000
/* How often to call it. */
#define EVENTS_RENEW_MS 1000

struct ring_buffer;

struct events {
	struct hbpf_monitors *all;  /* the map `monitors`, in our memory; NULL: not open */
	struct hbpf_monitor *place; /* ours in it, or NULL */
	struct ring_buffer *ring;   /* libbpf's */
	const struct shared *shared;
	__u32 kinds;
	__u64 until_ns; /* as last written to the place */
	__u64 lost;     /* as last read from it */
	void (*on_event)(const struct hbpf_event *event, void *context);
	void *context;
};

/**
 * events_open() - begin to listen
 * @shared:	Opened; must outlive @events
 * @kinds:	Bits 1 << enum hbpf_event_kind
 * @on_event:	Called by events_read()
 * @events:	Filled; close with events_close(), also after an error
 *
 * Return: 0, -EBUSY if HBPF_MONITORS monitors run, with their process IDs in @err, or -errno
 */
int events_open(struct events *events, const struct shared *shared, __u32 kinds,
		void (*on_event)(const struct hbpf_event *event, void *context), void *context,
		struct error *err);
void events_close(struct events *events);

/** events_fd() - for poll(): readable when there are events */
int events_fd(const struct events *events);
/** events_read() - pass on all that there are, oldest first. Return: 0 or -errno */
int events_read(struct events *events);

/* What a monitor missed. */
struct events_gap {
	__u64 lost; /* events since the last call: they found the ring buffer full */
	__u64 ms;   /* how long the programs did not report, as the last call was too long ago */
};

/**
 * events_renew() - go on listening for EVENTS_LEASE_MS
 * @gap:	Filled
 *
 * Return: 0, or -EBUSY if another monitor took the place, because the last call was too long ago
 */
int events_renew(struct events *events, struct events_gap *gap, struct error *err);

/**
 * events_suppressed() - how many events the limit suppressed
 * @ifindex:	of the bridge
 * @sums:	Since attach, by kind
 *
 * Return: 0, -ENOENT if the bridge is not attached, or other -errno
 */
int events_suppressed(const struct events *events, unsigned int ifindex,
		      __u64 sums[HBPF_EVENT_MAX]);

#endif /* HBPF_DATAPLANE_EVENTS_H */
