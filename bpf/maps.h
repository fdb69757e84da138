/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps; what their keys and values mean stands in <hbpf/maps.h>. */
#ifndef HBPF_BPF_MAPS_H
#define HBPF_BPF_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <hbpf/maps.h>
#include <hbpf/reasons.h>
#include "addr.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hbpf_config);
} bridge_config SEC(".maps"); /* `config` is a type of the kernel's */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HBPF_MAX_GATEWAYS);
	__type(key, struct hbpf_addr);
	__type(value, __u32);
} gateways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HBPF_MAX_EXPORTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hbpf_export_key);
	__type(value, struct hbpf_export);
} exports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HBPF_MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hbpf_service_key);
	__type(value, struct hbpf_service);
} services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, HBPF_MAX_SOURCES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hbpf_source_key);
	__type(value, struct hbpf_source);
} sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HBPF_MAX_FLOWS);
	__type(key, struct hbpf_flow_key);
	__type(value, struct hbpf_endpoint);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HBPF_MAX_RECENT);
	__type(key, struct hbpf_recent_key);
	__type(value, struct hbpf_recent);
} recent_tcp SEC(".maps"), recent_udp SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hbpf_endpoint);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HBPF_MAX_FRAGMENTS);
	__type(key, struct hbpf_fragment_key);
	__type(value, struct hbpf_fragment);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HBPF_REASON_MAX);
	__type(key, __u32);
	__type(value, struct hbpf_counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, HBPF_MAX_EXPORTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hbpf_export_key);
	__type(value, struct hbpf_port_stats);
} port_stats SEC(".maps");

static __always_inline const struct hbpf_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bridge_config, &zero);
}

/* Where there is only one of the family, comparing tells without a look-up. */
static __always_inline bool is_gateway(const struct hbpf_config *cfg, const struct hbpf_addr *addr)
{
	const struct hbpf_addr *only;

	if (cfg) {
		only = addr_is_v4_mapped(addr) ? &cfg->only_gateway4 : &cfg->only_gateway6;
		if (!addr_is_zero(only))
			return addr_equal(addr, only);
	}
	return bpf_map_lookup_elem(&gateways, addr) != NULL;
}

#endif /* HBPF_BPF_MAPS_H */
