/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients dialled, as the tables of flows have it: of UDP and half-open TCP. */
#ifndef HBPF_FLOW_RECORDS_H
#define HBPF_FLOW_RECORDS_H

#include "dataplane/dataplane.h"
#include "lib/array.h"
#include "lib/error.h"

struct flow_record {
	struct hbpf_flow_key key; /* its slot is 0 */
	struct hbpf_endpoint dialled;
};
KV_ARRAY_ENTRY(struct flow_record, key, dialled);
#define FLOW_RECORDS_ARRAY KV_ARRAY(struct flow_record, key, dialled)

/* The maps that have flows; a flow may be in either kind, or in both. */
static const enum dataplane_map flow_maps[] = { MAP_FLOWS, MAP_RECENT_TCP, MAP_RECENT_UDP };
#define FLOW_MAPS ARRAY_SIZE(flow_maps)

/** flow_record_of() - the flow of an entry of one of flow_maps[] */
struct flow_record flow_record_of(enum dataplane_map map, const void *key, const void *value);

/**
 * dataplane_flow_records() - read all flows of the bridge
 * @records:	FLOW_RECORDS_ARRAY; sorted by key, each flow once. Release with kv_array_free()
 *
 * Return: 0 or -errno
 */
int dataplane_flow_records(const struct dataplane *dp, struct kv_array *records, struct error *err);

#endif /* HBPF_FLOW_RECORDS_H */
