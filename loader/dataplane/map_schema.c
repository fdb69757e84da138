/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/map_schema.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <hbpf/version.h>

/* tests/unit/test_map_schema.c compares this table with the object file. */
static const struct map_schema forms[MAP_COUNT] = {
	[MAP_CONFIG] = {
		.name = "bridge_config",
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(struct hbpf_config),
		.max_entries = 1,
	},
	[MAP_EXPORTS] = {
		.name = "exports",
		.type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(struct hbpf_export_key),
		.value_size = sizeof(struct hbpf_export),
		.max_entries = HBPF_MAX_EXPORTS,
		.flags = BPF_F_NO_PREALLOC,
	},
	[MAP_SERVICES] = {
		.name = "services",
		.type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(struct hbpf_service_key),
		.value_size = sizeof(struct hbpf_service),
		.max_entries = HBPF_MAX_SERVICES,
		.flags = BPF_F_NO_PREALLOC,
	},
	[MAP_GATEWAYS] = {
		.name = "gateways",
		.type = BPF_MAP_TYPE_HASH,
		.key_size = sizeof(struct hbpf_addr),
		.value_size = sizeof(__u32),
		.max_entries = HBPF_MAX_GATEWAYS,
	},
	[MAP_SOURCES] = {
		.name = "sources",
		.type = BPF_MAP_TYPE_LPM_TRIE,
		.key_size = sizeof(struct hbpf_source_key),
		.value_size = sizeof(struct hbpf_source),
		.max_entries = HBPF_MAX_SOURCES,
		.flags = BPF_F_NO_PREALLOC,
	},
	[MAP_FLOWS] = {
		.name = "flows",
		.type = BPF_MAP_TYPE_LRU_HASH,
		.key_size = sizeof(struct hbpf_flow_key),
		.value_size = sizeof(struct hbpf_endpoint),
		.max_entries = HBPF_MAX_FLOWS,
	},
	[MAP_RECENT_TCP] = {
		.name = "recent_tcp",
		.type = BPF_MAP_TYPE_LRU_HASH,
		.key_size = sizeof(struct hbpf_recent_key),
		.value_size = sizeof(struct hbpf_recent),
		.max_entries = HBPF_MAX_RECENT,
	},
	[MAP_RECENT_UDP] = {
		.name = "recent_udp",
		.type = BPF_MAP_TYPE_LRU_HASH,
		.key_size = sizeof(struct hbpf_recent_key),
		.value_size = sizeof(struct hbpf_recent),
		.max_entries = HBPF_MAX_RECENT,
	},
	[MAP_CONNECTIONS] = {
		.name = "connections",
		.type = BPF_MAP_TYPE_SK_STORAGE,
		.key_size = sizeof(int),
		.value_size = sizeof(struct hbpf_endpoint),
		.flags = BPF_F_NO_PREALLOC,
	},
	[MAP_FRAGMENTS] = {
		.name = "fragments",
		.type = BPF_MAP_TYPE_LRU_HASH,
		.key_size = sizeof(struct hbpf_fragment_key),
		.value_size = sizeof(struct hbpf_fragment),
		.max_entries = HBPF_MAX_FRAGMENTS,
	},
	[MAP_COUNTERS] = {
		.name = "counters",
		.type = BPF_MAP_TYPE_PERCPU_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(struct hbpf_counter),
		.max_entries = HBPF_REASON_MAX,
	},
	[MAP_PORT_STATS] = {
		.name = "port_stats",
		.type = BPF_MAP_TYPE_PERCPU_HASH,
		.key_size = sizeof(struct hbpf_export_key),
		.value_size = sizeof(struct hbpf_port_stats),
		.max_entries = HBPF_MAX_EXPORTS,
		.flags = BPF_F_NO_PREALLOC,
	},
};

const struct map_schema *map_schema(enum dataplane_map map)
{
	return &forms[map];
}

int map_schema_check(int fd, const struct map_schema *form, const char *path, struct error *err)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int ret;

	ret = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (ret)
		return error_errno(err, ret, "cannot inspect %s", path);

	const struct {
		const char *name;
		__u32 is;
		__u32 wanted;
	} attributes[] = {
		{ "type", info.type, form->type },
		{ "key size", info.key_size, form->key_size },
		{ "value size", info.value_size, form->value_size },
		{ "number of entries", info.max_entries, form->max_entries },
		{ "set of flags", info.map_flags, form->flags },
	};

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		if (attributes[i].is != attributes[i].wanted)
			return error_set(err, EPROTO,
					 "%s is not the map that hbpf " HBPF_VERSION
					 " keeps there: its %s is %u, not %u",
					 path, attributes[i].name, attributes[i].is,
					 attributes[i].wanted);
	return 0;
}
