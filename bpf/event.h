/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events for `hbpf monitor` (<hbpf/events.h>).
 *
 * Without a monitor an event costs one lookup in an array, which the kernel compiles to
 * loads. In a flood it costs two comparisons more: the clock is read at most once in a
 * tick, and only what the limit admits is copied.
 */
#ifndef HBPF_BPF_EVENT_H
#define HBPF_BPF_EVENT_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <hbpf/events.h>
#include "abi.h"
#include "count.h"
#include "maps.h"

#define NSEC_PER_SEC 1000000000ULL

/* Each monitor brings a ring buffer; this is only the type. Its size is a multiple of every page
 * size. */
struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HBPF_MONITORS);
	__type(key, __u32);
	__array(values, struct ring);
} events SEC(".maps");

static __always_inline struct hbpf_monitors *monitors_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&monitors, &zero);
}

static __always_inline bool event_is_wanted(enum hbpf_event_kind kind)
{
	const struct hbpf_monitors *all = monitors_get();
	__u32 kinds = 0;

	if (!all)
		return false;
	for (int i = 0; i < HBPF_MONITORS; i++)
		kinds |= all->place[i].kinds;
	return kinds & (1U << kind);
}

/* May one more event be reported? */
static __always_inline bool event_is_admitted(struct hbpf_event_limit *limit)
{
	if (!limit->left) {
		__u64 tick = bpf_jiffies64();

		if (tick != limit->tick) {
			__u64 now = bpf_ktime_get_ns();

			limit->tick = tick;
			if (now - limit->since_ns >= NSEC_PER_SEC) {
				limit->since_ns = now;
				limit->left = HBPF_EVENTS_PER_SECOND;
			}
		}
	}
	if (!limit->left) {
		limit->suppressed++;
		return false;
	}
	limit->left--;
	return true;
}

static __always_inline void event_put(struct hbpf_monitor *monitor, __u32 place,
				      struct hbpf_event *event)
{
	void *ring;

	if (!(monitor->kinds & (1U << event->kind)))
		return;
	if (monitor->until_ns < event->ns) {
		monitor->kinds = 0; /* it was killed, or stopped; then it sets this again */
		return;
	}
	ring = bpf_map_lookup_elem(&events, &place);
	if (ring && bpf_ringbuf_output(ring, event, sizeof(*event), 0))
		__sync_fetch_and_add(&monitor->lost, 1);
}

/* Copy the event to all monitors that listen for it. */
static __noinline int event_send(struct __sk_buff *skb, enum hbpf_event_kind kind,
				 enum hbpf_reason reason)
{
	struct hbpf_event event = {
		.ns = bpf_ktime_get_ns(),
		.ifindex = skb->ifindex,
		.frame_len = skb->len,
		.kind = kind,
		.reason = reason,
	};
	struct hbpf_monitors *all = monitors_get();
	__u64 len = skb->len;

	/* the verifier has to see both limits in the register that the helper gets */
	barrier_var(len);
	if (!all || len < ETH_HLEN)
		return 0;
	if (len > sizeof(event.frame))
		len = sizeof(event.frame);
	if (!bpf_skb_load_bytes(skb, 0, event.frame, len))
		event.len = len;
	for (__u32 i = 0; i < HBPF_MONITORS; i++)
		event_put(&all->place[i], i, &event);
	return 0;
}

/* Report an event if its bridge is attached and the rate allows. Not static: see verifier.h. */
__noinline int event_report(struct __sk_buff *skb, enum hbpf_event_kind kind,
			    enum hbpf_reason reason)
{
	struct hbpf_counters *counted = counters_of(skb);
	__u64 at = kind;

	/* the verifier has to see the limit in the register that is the index */
	barrier_var(at);
	if (counted && at < HBPF_EVENT_MAX && event_is_admitted(&counted->limit[at]))
		event_send(skb, kind, reason);
	return 0;
}

/* Report an event, if a monitor listens for it. */
static __always_inline void event(struct __sk_buff *skb, enum hbpf_event_kind kind,
				  enum hbpf_reason reason)
{
	if (event_is_wanted(kind))
		event_report(skb, kind, reason);
}

/* The event that every packet with this reason is, or HBPF_EVENT_MAX. finish() reports these. */
static __always_inline enum hbpf_event_kind reason_event(enum hbpf_reason reason)
{
	switch (reason) {
	case HBPF_IN_GUARD_SRC:
	case HBPF_IN_GUARD_DST:
	case HBPF_IN_GUARD_VLAN:
	case HBPF_IN_GUARD_ROUTE:
	case HBPF_IN_GUARD_ARP:
	case HBPF_OUT_GUARD:
		return HBPF_EVENT_GUARD;
	case HBPF_IN_FAILED:
	case HBPF_OUT_FAILED:
	case HBPF_OUT_ARP_NO_SENDER:
	case HBPF_OUT_AMBIGUOUS:
		return HBPF_EVENT_DROP;
	case HBPF_IN_SOURCE:
		return HBPF_EVENT_SOURCE;
	default:
		return HBPF_EVENT_MAX;
	}
}

#endif /* HBPF_BPF_EVENT_H */
