/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments: only the first has ports, so its verdict is recorded for the later ones.
 * A pass is recorded, too: otherwise the later fragments of a passed datagram would
 * follow the verdict on an older datagram with the same id.
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

/* Receivers give up after this time: 30 s in Linux for IPv4 (net.ipv4.ipfrag_time), 60 s for IPv6
 * (RFC 8200, 4.5). */
#define FRAGMENT_AGE_NS (60ULL * 1000 * 1000 * 1000)

static __always_inline struct hbpf_fragment_key fragment_key(const struct packet *pkt,
							     enum direction direction)
{
	struct hbpf_fragment_key key = {
		.src = pkt->src.addr,
		.dst = pkt->dst.addr,
		.id = pkt->fragment_id,
		/* part of a datagram's identity in IPv4 (RFC 791), but not in IPv6 */
		.proto = packet_is_v4(pkt) ? pkt->proto : 0,
		.egress = direction,
		.slot = pkt->slot,
	};

	return key;
}

/* @to: the new address, or NULL for a pass. If the update fails, the packet still goes on. */
static __noinline void fragment_remember(const struct packet *pkt, enum direction direction,
					 const struct hbpf_addr *to)
{
	struct hbpf_fragment_key key = fragment_key(pkt, direction);
	struct hbpf_fragment verdict = { .seen_ns = bpf_ktime_get_ns() };

	if (to)
		verdict.addr = *to;
	bpf_map_update_elem(&fragments, &key, &verdict, BPF_ANY);
}

/* Return: true with the new address in @to, or false to pass the fragment unchanged. */
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
