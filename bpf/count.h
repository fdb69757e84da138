/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters: each packet by its reason, translated packets also by their gateway port. */
#ifndef HBPF_BPF_COUNT_H
#define HBPF_BPF_COUNT_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "fragment.h"
#include "maps.h"

static __always_inline void count_reason(struct __sk_buff *skb, enum hbpf_reason reason)
{
	__u32 index = reason;
	struct hbpf_counter *counter = bpf_map_lookup_elem(&counters, &index);

	if (counter) {
		counter->packets++;
		counter->bytes += skb->len;
	}
}

/* @gateway_port: network byte order */
static __always_inline void count_port(struct __sk_buff *skb, __u8 proto, __be16 gateway_port,
				       enum direction direction)
{
	struct hbpf_export_key key = { .port = gateway_port, .proto = proto };
	const struct hbpf_port_stats none = {};
	struct hbpf_port_stats *stats;

	stats = bpf_map_lookup_elem(&port_stats, &key);
	if (!stats) {
		/* another CPU may add it first, so the result does not matter */
		bpf_map_update_elem(&port_stats, &key, &none, BPF_NOEXIST);
		stats = bpf_map_lookup_elem(&port_stats, &key);
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
