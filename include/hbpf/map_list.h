/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All maps, in one list. It makes the maps of the programs (bpf/maps.h) and, in
 * the loader, enum dataplane_map and the table of their schemas (map_schema.c).
 * <hbpf/maps.h> explains keys and values.
 *
 *	X(ID, name, type, key, value, max_entries, flags)
 *
 * The name is the one in the object file and of the pin. The type is BPF_MAP_TYPE_*
 * without that prefix, the flags are BPF_F_*. CONFIG stays first: the loader opens
 * it first and pins it last.
 */
#ifndef HBPF_MAP_LIST_H
#define HBPF_MAP_LIST_H

#include <hbpf/maps.h>
#include <hbpf/reasons.h>

/* clang-format off */
#define HBPF_MAPS(X)                                                                               \
	X(CONFIG, bridge_config, /* the kernel has a type named config */                          \
	  ARRAY, __u32, struct hbpf_config, 1, 0)                                                  \
	X(EXPORTS, exports,                                                                        \
	  HASH, struct hbpf_export_key, struct hbpf_export, HBPF_MAX_EXPORTS, BPF_F_NO_PREALLOC)   \
	X(REVERSE, reverse,                                                                        \
	  HASH, struct hbpf_reverse_key, struct hbpf_reverse, HBPF_MAX_REVERSE, BPF_F_NO_PREALLOC) \
	X(GATEWAYS, gateways,                                                                      \
	  HASH, struct hbpf_addr, __u32, HBPF_MAX_GATEWAYS, 0)                                     \
	X(SOURCES, sources,                                                                        \
	  LPM_TRIE, struct hbpf_source_key, struct hbpf_source, HBPF_MAX_SOURCES, BPF_F_NO_PREALLOC) \
	X(FLOWS, flows,                                                                            \
	  LRU_HASH, struct hbpf_flow_key, struct hbpf_endpoint, HBPF_MAX_FLOWS, 0)                 \
	X(RECENT_TCP, recent_tcp,                                                                  \
	  LRU_HASH, struct hbpf_recent_key, struct hbpf_recent, HBPF_MAX_RECENT, 0)                \
	X(RECENT_UDP, recent_udp,                                                                  \
	  LRU_HASH, struct hbpf_recent_key, struct hbpf_recent, HBPF_MAX_RECENT, 0)                \
	X(CONNECTIONS, connections, /* in the sockets: no number of entries */                     \
	  SK_STORAGE, int, struct hbpf_endpoint, 0, BPF_F_NO_PREALLOC)                             \
	X(FRAGMENTS, fragments,                                                                    \
	  LRU_HASH, struct hbpf_fragment_key, struct hbpf_fragment, HBPF_MAX_FRAGMENTS, 0)         \
	X(COUNTERS, counters, /* one value for each CPU, as in port_stats */                       \
	  PERCPU_ARRAY, __u32, struct hbpf_counter, HBPF_REASON_MAX, 0)                            \
	X(PORT_STATS, port_stats,                                                                  \
	  PERCPU_HASH, struct hbpf_export_key, struct hbpf_port_stats, HBPF_MAX_EXPORTS,           \
	  BPF_F_NO_PREALLOC)
/* clang-format on */

#endif /* HBPF_MAP_LIST_H */
