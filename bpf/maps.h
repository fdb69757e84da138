/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of <hbpf/map_list.h>. */
#ifndef HBPF_BPF_MAPS_H
#define HBPF_BPF_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <hbpf/map_list.h>
#include "addr.h"

#define X(id, name_, type_, key_, value_, entries, flags)                                          \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##type_);                                                \
		__uint(max_entries, entries);                                                      \
		__uint(map_flags, flags);                                                          \
		__type(key, key_);                                                                 \
		__type(value, value_);                                                             \
	} name_ SEC(".maps");
HBPF_MAPS(X)
#undef X

static __always_inline const struct hbpf_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bridge_config, &zero);
}

/* If the family has exactly one gateway, a comparison replaces the lookup. */
static __always_inline bool is_gateway(const struct hbpf_config *cfg, const struct hbpf_addr *addr)
{
	const struct hbpf_addr *only;

	if (cfg) {
		only = addr_is_v4(addr) ? &cfg->only_gateway4 : &cfg->only_gateway6;
		if (!addr_is_zero(only))
			return addr_equal(addr, only);
	}
	return bpf_map_lookup_elem(&gateways, addr) != NULL;
}

#endif /* HBPF_BPF_MAPS_H */
