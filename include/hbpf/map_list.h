/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All maps, in two lists. They make the maps of the programs (bpf/maps.h) and, in
 * the loader, enum dataplane_map and the table of their schemas (map_schema.c).
 * <hbpf/maps.h> explains keys and values.
 *
 *	X(ID, name, type, key, value, max_entries, flags)
 *
 * The name is the one in the object file and of the pin. The type is BPF_MAP_TYPE_*
 * without that prefix, the flags are BPF_F_*.
 *
 * What holds the ports has the size that they need: a hash has 16 bytes for each entry
 * that it may ever hold. Each of these maps is the only element of an array of maps,
 * which is pinned under the name, and a larger one takes its place there.
 */
#ifndef HBPF_MAP_LIST_H
#define HBPF_MAP_LIST_H

#include <hbpf/maps.h>
#include <hbpf/reasons.h>

/* clang-format off */
#define HBPF_GROWING_MAPS(X)                                                                       \
	X(EXPORTS, exports,                                                                        \
	  HASH, struct hbpf_export_key, struct hbpf_export, HBPF_FIRST_EXPORTS, BPF_F_NO_PREALLOC) \
	X(REVERSE, reverse,                                                                        \
	  HASH, struct hbpf_reverse_key, struct hbpf_reverse, HBPF_FIRST_REVERSE,                  \
	  BPF_F_NO_PREALLOC)                                                                       \
	X(PORT_STATS, port_stats, /* one value for each CPU, as in counters */                     \
	  PERCPU_HASH, struct hbpf_export_key, struct hbpf_port_stats, HBPF_FIRST_EXPORTS,         \
	  BPF_F_NO_PREALLOC)

#define HBPF_FIXED_MAPS(X)                                                                         \
	X(BRIDGES, bridges,                                                                        \
	  HASH, __u32, struct hbpf_config, HBPF_MAX_BRIDGES, BPF_F_NO_PREALLOC)                    \
	X(BRIDGES_NEAR, bridges_near,                                                              \
	  ARRAY, __u32, struct hbpf_config, HBPF_NEAR_BRIDGES, 0)                                  \
	X(GATEWAYS, gateways,                                                                      \
	  HASH, struct hbpf_gateway_key, __u32, HBPF_MAX_GATEWAYS, BPF_F_NO_PREALLOC)              \
	X(SOURCES, sources,                                                                        \
	  LPM_TRIE, struct hbpf_source_key, struct hbpf_source, HBPF_MAX_SOURCES, BPF_F_NO_PREALLOC) \
	X(FLOWS, flows,                                                                            \
	  LRU_HASH, struct hbpf_flow_key, struct hbpf_endpoint, HBPF_MAX_FLOWS, 0)                 \
	X(RECENT_TCP, recent_tcp,                                                                  \
	  LRU_HASH, struct hbpf_recent_key, struct hbpf_recent, HBPF_MAX_RECENT, 0)                \
	X(RECENT_UDP, recent_udp,                                                                  \
	  LRU_HASH, struct hbpf_recent_key, struct hbpf_recent, HBPF_MAX_RECENT, 0)                \
	X(CONNECTIONS, connections, /* in the sockets: no number of entries */                     \
	  SK_STORAGE, int, struct hbpf_connection, 0, BPF_F_NO_PREALLOC)                           \
	X(FRAGMENTS, fragments,                                                                    \
	  LRU_HASH, struct hbpf_fragment_key, struct hbpf_fragment, HBPF_MAX_FRAGMENTS, 0)         \
	X(COUNTERS, counters,                                                                      \
	  PERCPU_HASH, __u32, struct hbpf_counters, HBPF_MAX_BRIDGES, BPF_F_NO_PREALLOC)           \
	X(COUNTERS_NEAR, counters_near,                                                            \
	  PERCPU_ARRAY, __u32, struct hbpf_counters, HBPF_NEAR_COUNTERS, 0)                      \
	X(MONITORS, monitors,                                                                      \
	  ARRAY, __u32, struct hbpf_monitors, 1, BPF_F_MMAPABLE)

/* The ring buffers of the monitors: bpf/event.h defines it. */
#define HBPF_EVENT_MAPS(X)                                                                         \
	X(EVENTS, events, ARRAY_OF_MAPS, __u32, __u32, HBPF_MONITORS, 0)

#define HBPF_MAPS(X) HBPF_GROWING_MAPS(X) HBPF_FIXED_MAPS(X) HBPF_EVENT_MAPS(X)
/* clang-format on */

#endif /* HBPF_MAP_LIST_H */
