/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments: only the first has ports, so what became of it is kept for those
 * that follow. A pass is kept too: without, the later fragments of a passed
 * datagram would follow an older one whose id it re-uses.
 */
#ifndef HBPF_BPF_FRAGMENT_H
#define HBPF_BPF_FRAGMENT_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "addr.h"
#include "maps.h"
#include "parse.h"

enum direction {
	INGRESS,
	EGRESS,
};

/* No receiver waits longer for the rest: 30 s in Linux for IPv4 (net.ipv4.ipfrag_time),
 * 60 s for IPv6 (RFC 8200, 4.5). */
#define FRAGMENT_AGE_NS (60ULL * 1000 * 1000 * 1000)

static __always_inline struct hbpf_fragment_key fragment_key(const struct packet *pkt,
							     enum direction direction)
{
	struct hbpf_fragment_key key = {
		.src = pkt->src.addr,
		.dst = pkt->dst.addr,
		.id = pkt->fragment_id,
		/* IPv4 knows a datagram by its protocol too (RFC 791), IPv6 does not */
		.proto = packet_is_v4(pkt) ? pkt->proto : 0,
		.egress = direction,
	};

	return key;
}

/* @to: the new address, or NULL for a pass. A full table costs no packet. */
static __always_inline void fragment_remember(const struct packet *pkt, enum direction direction,
					      const struct hbpf_addr *to)
{
	struct hbpf_fragment_key key = fragment_key(pkt, direction);
	struct hbpf_fragment verdict = { .seen_ns = bpf_ktime_get_ns() };

	if (to)
		verdict.addr = *to;
	bpf_map_update_elem(&fragments, &key, &verdict, BPF_ANY);
}

/* Return: true with the new address in @to, false to leave the fragment alone. */
static __always_inline bool fragment_recall(const struct packet *pkt, enum direction direction,
					    struct hbpf_endpoint *to)
{
	struct hbpf_fragment_key key = fragment_key(pkt, direction);
	const struct hbpf_fragment *verdict = bpf_map_lookup_elem(&fragments, &key);

	if (!verdict || addr_is_zero(&verdict->addr) ||
	    bpf_ktime_get_ns() - verdict->seen_ns > FRAGMENT_AGE_NS)
		return false;
	to->addr = verdict->addr;
	return true;
}

#endif /* HBPF_BPF_FRAGMENT_H */
