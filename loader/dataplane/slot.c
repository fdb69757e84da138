/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/slot.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#include "dataplane/map_io.h"
#include "dataplane/map_schema.h"
#include "dataplane/open.h"

struct slots {
	const struct dataplane *dp;
	bool used[HBPF_SLOT_MAX + 1];
	bool number_used[HBPF_SLOT_MAX + 1];
	struct hbpf_config own; /* an entry that this bridge has already, from a killed command */
};

_Static_assert(HBPF_MAX_BRIDGES < HBPF_SLOT_MAX, "a slot and a number are always free");

static int see_slot(const void *key, const void *value, void *context)
{
	const struct hbpf_config *config = value;
	struct slots *slots = context;

	slots->used[config->slot] = true;
	slots->number_used[config->number] = true;
	if (*(const __u32 *)key == slots->dp->config.ifindex)
		slots->own = *config;
	return 0;
}

static int add_key(const void *key, const void *value, void *keys)
{
	return kv_array_add(keys, key, value);
}

/* Delete what the slot has in a map. */
static int clear_map(const struct dataplane *dp, enum dataplane_map map, struct error *err)
{
	const size_t key_size = map_schema(map)->key_size;
	struct kv_array keys = { .key_size = key_size, .stride = key_size };
	int ret;

	if (dp->shared->maps[map] < 0)
		return 0;
	ret = map_walk(dp, map, add_key, &keys, err);
	if (!ret)
		ret = map_delete(dp, map, &keys, err);
	kv_array_free(&keys);
	return ret;
}

/* Are the entries of a map written by the loader? Those of the others come with traffic. */
static bool is_of_loader(enum dataplane_map map)
{
	return map == MAP_EXPORTS || map == MAP_REVERSE || map == MAP_GATEWAYS ||
	       map == MAP_SOURCES;
}

int slot_claim(struct dataplane *dp, struct error *err)
{
	struct slots *slots = calloc(1, sizeof(*slots));
	/* The socket of a connection that survived a detach keeps its slot. Another bridge gets the
	 * same one only after as many interfaces; the same bridge mostly gets it again. */
	__u32 slot = dp->config.ifindex % HBPF_SLOT_MAX + 1, number = 0;
	int ret;

	if (!slots)
		return error_nomem(err);
	slots->dp = dp;
	ret = map_walk(dp, MAP_BRIDGES, see_slot, slots, err);
	while (slots->used[slot])
		slot = slot % HBPF_SLOT_MAX + 1;
	while (slots->number_used[number])
		number++;
	dp->config.slot = slots->own.slot ? slots->own.slot : slot;
	dp->config.number = slots->own.slot ? slots->own.number : number;
	free(slots);
	/* what a killed attach may have left there */
	for (int map = 0; !ret && map < MAP_COUNT; map++) {
		if (is_of_loader(map))
			ret = clear_map(dp, map, err);
	}
	return ret;
}

struct entries {
	__u16 slot;
	struct kv_array ifindexes;
};

static int add_entry(const void *key, const void *value, void *context)
{
	struct entries *entries = context;

	return ((const struct hbpf_config *)value)->slot == entries->slot
		       ? kv_array_add(&entries->ifindexes, key, value)
		       : 0;
}

int slot_release(struct dataplane *dp, struct error *err)
{
	struct entries entries = {
		.slot = dp->config.slot,
		.ifindexes = { .key_size = sizeof(__u32), .stride = sizeof(__u32) },
	};
	int ret = 0;

	if (!dp->config.slot)
		return 0;
	for (int map = 0; !ret && map < MAP_COUNT; map++) {
		if (map_slot_at(map))
			ret = clear_map(dp, map, err);
	}
	if (ret || dp->shared->maps[MAP_BRIDGES] < 0)
		return ret;
	/* with the entry, the slot becomes free; a killed command may have left a second one */
	ret = map_walk(dp, MAP_BRIDGES, add_entry, &entries, err);
	for (size_t i = 0; !ret && i < entries.ifindexes.count; i++)
		dataplane_delete_entry(dp, *(__u32 *)kv_array_entry(&entries.ifindexes, i));
	kv_array_free(&entries.ifindexes);
	return ret;
}
