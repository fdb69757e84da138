/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: what the programs report to `hbpf monitor` while it runs. A monitor takes a
 * place in the map `monitors` and puts a ring buffer into the same element of `events`.
 */
#ifndef HBPF_EVENTS_H
#define HBPF_EVENTS_H

#include <hbpf/addr.h>
#include <hbpf/reasons.h>

/*
 * The kinds of events.
 *
 *	X(NAME, "name on the command line and in JSON", "what it means")
 */
/* clang-format off */
#define HBPF_EVENTS(X)                                                                             \
	X(FLOW,          "flow",          "a client opened a connection or a UDP flow")            \
	X(SOURCE,        "source",        "a source that is not allowed dialled an exported port") \
	X(GUARD,         "guard",         "the guard dropped a packet with a loopback address")    \
	X(DROP,          "drop",          "another packet was dropped")                            \
	X(COLLISION,     "collision",     "a connection from a client port that is in use")        \
	X(NOT_EXPORTED,  "not-exported",  "a gateway port was dialled that is not exported")       \
	X(NOT_LISTENING, "not-listening", "a service refused a client")                            \
	X(NO_NAT_BYPASS, "no-nat-bypass", "NAT rules may redirect a packet: no conntrack entry")
/* clang-format on */

enum hbpf_event_kind {
#define X(name, word, text) HBPF_EVENT_##name,
	HBPF_EVENTS(X)
#undef X
		HBPF_EVENT_MAX,
};

/* How many monitors can run at once. */
#define HBPF_MONITORS 4

/* How many events of a kind each CPU reports in a second, for each bridge. */
#define HBPF_EVENTS_PER_SECOND 100

/* Bytes of a frame in its event: Ethernet, IPv6 with some extension headers, an ICMPv6 error and
 * the headers that it quotes. */
#define HBPF_EVENT_FRAME 128

/* One event, in the ring buffer. */
struct hbpf_event {
	__u64 ns; /* bpf_ktime_get_ns(), which is CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 frame_len; /* of the whole frame */
	__u8 kind;       /* enum hbpf_event_kind */
	__u8 reason;     /* enum hbpf_reason */
	__u8 len;        /* bytes in @frame */
	__u8 pad[5];
	__u8 frame[HBPF_EVENT_FRAME]; /* from its Ethernet header; ingress: as it was sent, egress:
				       * as it leaves or was dropped */
};
_Static_assert(sizeof(struct hbpf_event) == 24 + HBPF_EVENT_FRAME, "shared with the programs");

/* Limits the events of one kind, bridge and CPU. Part of struct hbpf_counters. */
struct hbpf_event_limit {
	__u64 since_ns;   /* when the present second began */
	__u64 tick;       /* jiffies when that was last checked */
	__u64 left;       /* events that may still be reported in it */
	__u64 suppressed; /* events that were not reported, since attach */
};
_Static_assert(sizeof(struct hbpf_event_limit) == 32, "shared with the programs");

/* One monitor. It renews @until_ns while it runs. When it was killed, the next event after
 * that time finds it, and removes it from those that listen. */
struct hbpf_monitor {
	__u64 until_ns; /* CLOCK_MONOTONIC; 0: the place is free */
	__u64 lost;     /* events that found the ring buffer full */
	__u32 kinds;    /* what it listens for: bits 1 << enum hbpf_event_kind; 0: nothing */
	__u32 pid;
};

/* monitors: the only value. Written by `hbpf monitor`, which maps it into its memory. */
struct hbpf_monitors {
	struct hbpf_monitor place[HBPF_MONITORS];
};
_Static_assert(sizeof(struct hbpf_monitors) == 24 * HBPF_MONITORS, "shared with the programs");

#endif /* HBPF_EVENTS_H */
