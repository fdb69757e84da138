/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/map_schema.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <hbpf/version.h>

#include "lib/array.h"

static const struct map_schema schemas[MAP_COUNT] = {
#define X(id, name_, type_, key, value, entries, flags_)                                           \
	[MAP_##id] = {                                                                             \
		.name = #name_,                                                                    \
		.type = BPF_MAP_TYPE_##type_,                                                      \
		.key_size = sizeof(key),                                                           \
		.value_size = sizeof(value),                                                       \
		.max_entries = (entries),                                                          \
		.flags = (flags_),                                                                 \
		.grows = MAP_##id < MAP_GROWING,                                                   \
	},
	HBPF_MAPS(X)
#undef X
};

static const struct map_schema array = {
	.name = "array",
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u32),
	.max_entries = 1,
};

const struct map_schema *map_schema_array(void)
{
	return &array;
}

static const __u32 slots_at[MAP_COUNT] = {
	[MAP_EXPORTS] = offsetof(struct hbpf_export_key, slot),
	[MAP_REVERSE] = offsetof(struct hbpf_reverse_key, slot),
	[MAP_GATEWAYS] = offsetof(struct hbpf_gateway_key, slot),
	[MAP_SOURCES] = offsetof(struct hbpf_source_key, slot),
	[MAP_FLOWS] = offsetof(struct hbpf_flow_key, slot),
	[MAP_RECENT_TCP] = offsetof(struct hbpf_recent_key, slot),
	[MAP_RECENT_UDP] = offsetof(struct hbpf_recent_key, slot),
	[MAP_FRAGMENTS] = offsetof(struct hbpf_fragment_key, slot),
	[MAP_PORT_STATS] = offsetof(struct hbpf_export_key, slot),
};

static const struct map_schema record = {
	.name = "bridge_config",
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(struct hbpf_config),
	.max_entries = 1,
};

const struct map_schema *map_schema(enum dataplane_map map)
{
	return &schemas[map];
}

const struct map_schema *map_schema_record(void)
{
	return &record;
}

__u32 map_slot_at(enum dataplane_map map)
{
	return slots_at[map];
}

int map_schema_check(int fd, const struct map_schema *schema, const char *path, struct error *err)
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
		{ "type", info.type, schema->type },
		{ "key size", info.key_size, schema->key_size },
		{ "value size", info.value_size, schema->value_size },
		{ "number of entries", info.max_entries,
		  schema->grows ? info.max_entries : schema->max_entries },
		{ "set of flags", info.map_flags, schema->flags },
	};

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (attributes[i].is != attributes[i].wanted)
			return error_set(err, EPROTO,
					 "%s is not the map that hbpf " HBPF_VERSION
					 " uses: its %s is %u, not %u",
					 path, attributes[i].name, attributes[i].is,
					 attributes[i].wanted);
	return 0;
}
