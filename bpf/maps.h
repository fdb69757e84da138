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
HBPF_FIXED_MAPS(X)
#undef X

/* Sizes, since clang's BTF has no types in the map within. */
#define X(id, name_, type_, key_, value_, entries, flags)                                          \
	struct map_of_##name_ {                                                                    \
		__uint(type, BPF_MAP_TYPE_##type_);                                                \
		__uint(max_entries, entries);                                                      \
		__uint(map_flags, flags);                                                          \
		__uint(key_size, sizeof(key_));                                                    \
		__uint(value_size, sizeof(value_));                                                \
	};                                                                                         \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__array(values, struct map_of_##name_);                                            \
	} name_ SEC(".maps");
HBPF_GROWING_MAPS(X)
#undef X

/* The map that is in use, of one that grows. */
static __always_inline void *map_now(void *growing)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(growing, &zero);
}

/* Return: the configuration of the bridge that the packet passes, or NULL */
static __always_inline const struct hbpf_config *config_get(const struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	__u32 key = ifindex % HBPF_NEAR_BRIDGES; /* one for both: the stack is full on 5.10 */
	const struct hbpf_config *near = bpf_map_lookup_elem(&bridges_near, &key);

	if (near && near->ifindex == ifindex)
		return near;
	key = ifindex;
	return bpf_map_lookup_elem(&bridges, &key);
}

/* Without a configuration no key of the slot exists. */
static __always_inline __u16 slot_of(const struct hbpf_config *cfg)
{
	return cfg ? cfg->slot : HBPF_SLOT_SHARED;
}

/* If the family has exactly one gateway, a comparison replaces the lookup. */
static __always_inline bool is_gateway(const struct hbpf_config *cfg, const struct hbpf_addr *addr)
{
	const struct hbpf_addr *only;

	if (!cfg)
		return false;
	only = addr_is_v4(addr) ? &cfg->only_gateway4 : &cfg->only_gateway6;
	if (!addr_is_zero(only))
		return addr_equal(addr, only);

	struct hbpf_gateway_key key = { .addr = *addr, .slot = cfg->slot };

	return bpf_map_lookup_elem(&gateways, &key) != NULL;
}

#endif /* HBPF_BPF_MAPS_H */
