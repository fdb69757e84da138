/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may open a new flow. This replaces the check that loose rp_filter on lo leaves out. */
#ifndef HBPF_BPF_SOURCE_H
#define HBPF_BPF_SOURCE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "addr.h"
#include "maps.h"
#include "parse.h"

static __always_inline const struct hbpf_source *source_lookup(__u16 slot, __u16 list,
							       const struct hbpf_addr *addr)
{
	struct hbpf_source_key key = {
		.prefixlen = HBPF_LIST_BITS + 128,
		.slot = slot,
		.list = addr_is_v4(addr) ? list : list | HBPF_LIST_IPV6,
		.addr = *addr,
	};

	return bpf_map_lookup_elem(&sources, &key);
}

static __noinline bool source_allowed(struct __sk_buff *skb, const struct packet *pkt,
				      const struct hbpf_export *export)
{
	const struct hbpf_policy *policy = &export->from;
	const struct hbpf_config *cfg = config_get(skb);
	const struct hbpf_addr *addr = &pkt->src.addr;

	if (!cfg || addr_is_unfit(addr) || source_lookup(HBPF_SLOT_SHARED, HBPF_LIST_HOST, addr))
		return false;
	if (policy->inherit)
		policy = &cfg->from;
	if (policy->onlink && source_lookup(pkt->slot, HBPF_LIST_ONLINK, addr))
		return true;
	return policy->list >= HBPF_LIST_BRIDGE && source_lookup(pkt->slot, policy->list, addr);
}

#endif /* HBPF_BPF_SOURCE_H */
