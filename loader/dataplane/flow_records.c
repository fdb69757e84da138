/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/flow_records.h"

#include <netinet/in.h>

#include "dataplane/map_io.h"
#include "lib/addr.h"

static struct flow_record of_recent(__u8 proto, const struct hbpf_recent_key *key,
				    const struct hbpf_recent *recent)
{
	struct flow_record flow = {
		.key = {
			.client = key->client,
			.local = addr_from_v6(&in6addr_loopback),
			.client_port = recent->client_port,
			.local_port = recent->local_port,
			.proto = proto,
		},
		.dialled = recent->dialled,
	};

	if (addr_is_v4(&key->client))
		flow.key.local = addr_from_v4(recent->local_low);
	return flow;
}

struct flow_record flow_record_of(enum dataplane_map map, const void *key, const void *value)
{
	if (map == MAP_FLOWS)
		return (struct flow_record){ .key = *(const struct hbpf_flow_key *)key,
					     .dialled = *(const struct hbpf_endpoint *)value };
	return of_recent(map == MAP_RECENT_TCP ? IPPROTO_TCP : IPPROTO_UDP, key, value);
}

struct reading {
	enum dataplane_map map;
	struct kv_array *records;
};

static int add_record(const void *key, const void *value, void *context)
{
	const struct reading *reading = context;
	const struct flow_record flow = flow_record_of(reading->map, key, value);

	return kv_array_add_entries(reading->records, &flow, 1);
}

int dataplane_flow_records(const struct dataplane *dp, struct kv_array *records, struct error *err)
{
	struct reading reading = { .records = records };
	int ret = 0;

	for (size_t i = 0; !ret && i < FLOW_MAPS; i++) {
		reading.map = flow_maps[i];
		ret = map_walk(dp, reading.map, add_record, &reading, err);
	}
	if (!ret && kv_array_sort(records, NULL))
		ret = error_nomem(err);
	return ret;
}
