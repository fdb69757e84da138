/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: each packet by its reason, translated packets also by their gateway port. */
#ifndef HBPF_BPF_COUNT_H
#define HBPF_BPF_COUNT_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "fragment.h"
#include "maps.h"

/* Return: this CPU's counters of the bridge that the packet passes, or NULL */
static __always_inline struct hbpf_counters *counters_of(const struct __sk_buff *skb)
{
	const struct hbpf_config *cfg = config_get(skb);
	struct hbpf_counters *near;
	__u32 key;

	if (!cfg)
		return NULL;
	key = cfg->number;
	near = bpf_map_lookup_elem(&counters_near, &key);
	if (near)
		return near;
	key = cfg->ifindex;
	return bpf_map_lookup_elem(&counters, &key);
}

static __always_inline void count_reason(struct __sk_buff *skb, enum hbpf_reason reason)
{
	struct hbpf_counters *counted = counters_of(skb);
	__u64 at = reason;

	/* the verifier has to see the limit in the register that is the index */
	barrier_var(at);
	if (counted && at < HBPF_REASON_MAX) {
		counted->reason[at].packets++;
		counted->reason[at].bytes += skb->len;
	}
}

/* @gateway_port: network byte order */
static __always_inline void count_port(struct __sk_buff *skb, const struct packet *pkt,
				       __be16 gateway_port, enum direction direction)
{
	struct hbpf_export_key key = { .port = gateway_port,
				       .proto = pkt->proto,
				       .slot = pkt->slot };
	const struct hbpf_port_stats none = {};
	void *map = map_now(&port_stats);
	struct hbpf_port_stats *stats;

	if (!map)
		return;
	stats = bpf_map_lookup_elem(map, &key);
	if (!stats) {
		/* another CPU may add it first, so the result does not matter */
		bpf_map_update_elem(map, &key, &none, BPF_NOEXIST);
		stats = bpf_map_lookup_elem(map, &key);
		if (!stats)
			return;
	}
	if (direction == INGRESS) {
		stats->in_packets++;
		stats->in_bytes += skb->len;
	} else {
		stats->out_packets++;
		stats->out_bytes += skb->len;
	}
}

#endif /* HBPF_BPF_COUNT_H */
