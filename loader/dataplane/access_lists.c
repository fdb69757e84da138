/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/access_lists.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/map_io.h"

/* ---- gateways ---- */

struct gateway_entry {
	struct hbpf_gateway_key key;
	__u32 why;
};
KV_ARRAY_ENTRY(struct gateway_entry, key, why);
#define GATEWAYS_ARRAY KV_ARRAY(struct gateway_entry, key, why)

int dataplane_gateways(const struct dataplane *dp, struct gateways *set, struct error *err)
{
	struct kv_array table = GATEWAYS_ARRAY;
	int ret;

	*set = (struct gateways){};
	ret = map_read(dp, MAP_GATEWAYS, &table, err);
	for (size_t i = 0; !ret && i < table.count; i++) {
		const struct gateway_entry *entry = kv_array_entry(&table, i);

		if (gateways_add(set, &entry->key.addr, entry->why))
			ret = error_nomem(err);
	}
	if (ret)
		gateways_free(set);
	kv_array_free(&table);
	return ret;
}

/* @table: empty; filled and sorted */
static int gateways_to_table(const struct gateways *set, struct kv_array *table)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < set->count; i++) {
		const struct hbpf_gateway_key key = { .addr = set->v[i].addr };

		ret = kv_array_add(table, &key, &set->v[i].why);
	}
	return ret ? ret : kv_array_sort(table, NULL);
}

/* The only gateway of a family, or all zero. */
static struct hbpf_addr only_gateway(const struct gateways *gateways, bool v4)
{
	struct hbpf_addr only = {};
	size_t count = 0;

	for (size_t i = 0; i < gateways->count; i++) {
		if (addr_is_v4(&gateways->v[i].addr) != v4)
			continue;
		only = gateways->v[i].addr;
		count++;
	}
	return count == 1 ? only : (struct hbpf_addr){};
}

int dataplane_set_gateways(struct dataplane *dp, const struct gateways *want, struct error *err)
{
	struct kv_array have = GATEWAYS_ARRAY, table = GATEWAYS_ARRAY;
	int ret;

	ret = map_read(dp, MAP_GATEWAYS, &have, err);
	if (ret)
		return ret;
	ret = gateways_to_table(want, &table);
	if (ret) {
		map_error(err, ret, MAP_GATEWAYS, "write to");
		goto out;
	}
	if (table.count > HBPF_GATEWAYS_OF_BRIDGE) {
		ret = error_set(err, E2BIG,
				"%zu gateways are more than the %u that a bridge can have",
				table.count, HBPF_GATEWAYS_OF_BRIDGE);
		error_hint(err, "remove addresses of the bridge, or give fewer --gateway");
		goto out;
	}
	ret = map_replace(dp, MAP_GATEWAYS, &have, &table, err);
	if (ret)
		goto out;
	dp->config.only_gateway4 = only_gateway(want, true);
	dp->config.only_gateway6 = only_gateway(want, false);
out:
	kv_array_free(&have);
	kv_array_free(&table);
	return ret;
}

/* ---- sources ---- */

struct source_entry {
	struct hbpf_source_key key;
	struct hbpf_source value;
};
KV_ARRAY_ENTRY(struct source_entry, key, value);
#define SOURCES_ARRAY KV_ARRAY(struct source_entry, key, value)

/* What a list would need no number for: nothing is ever put into this one. */
#define LIST_EMPTY HBPF_LIST_MAX
#define LISTS      (HBPF_LIST_MAX + 1)

static __u16 list_of(const struct hbpf_source_key *key)
{
	return key->list & ~HBPF_LIST_IPV6;
}

struct dataplane sources_of(const struct dataplane *dp, __u32 list)
{
	struct dataplane same = *dp;

	if (list == HBPF_LIST_HOST)
		same.config.slot = HBPF_SLOT_SHARED;
	return same;
}

struct hbpf_source_key source_key(__u32 list, const struct prefix *prefix)
{
	bool ipv6 = prefix->len < V4_MAPPED_BITS || !addr_is_v4(&prefix->addr);

	return (struct hbpf_source_key){
		.prefixlen = HBPF_LIST_BITS + prefix->len,
		.list = ipv6 ? list | HBPF_LIST_IPV6 : list,
		.addr = prefix->addr,
	};
}

static struct source_entry source_entry(__u32 list, const struct source *source)
{
	return (struct source_entry){
		.key = source_key(list, &source->prefix),
		.value.local4 = source->local4,
	};
}

/* @table: empty; filled and sorted */
static int list_to_table(__u32 list, const struct sources *set, struct kv_array *table,
			 struct error *err)
{
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < set->count; i++) {
		const struct source_entry entry = source_entry(list, &set->v[i]);

		ret = kv_array_add_entries(table, &entry, 1);
	}
	if (!ret)
		ret = kv_array_sort(table, NULL);
	if (!ret)
		return 0;
	kv_array_free(table);
	return map_error(err, ret, MAP_SOURCES, "write to");
}

struct list_walk {
	__u32 list;
	struct kv_array table;
};

static int add_of_list(const void *key, const void *value, void *context)
{
	const struct hbpf_source_key *source = key;
	struct list_walk *walk = context;

	return list_of(source) == walk->list ? kv_array_add(&walk->table, key, value) : 0;
}

/* @table: empty; filled and sorted */
static int read_list(const struct dataplane *dp, __u32 list, struct kv_array *table,
		     struct error *err)
{
	const struct dataplane of = sources_of(dp, list);
	struct list_walk walk = { list, SOURCES_ARRAY };
	int ret;

	ret = map_walk(&of, MAP_SOURCES, add_of_list, &walk, err);
	if (!ret && kv_array_sort(&walk.table, NULL))
		ret = error_nomem(err);
	if (ret)
		kv_array_free(&walk.table);
	*table = walk.table;
	return ret;
}

static struct source get_source(const struct source_entry *entry)
{
	return (struct source){
		.prefix = { entry->key.addr, entry->key.prefixlen - HBPF_LIST_BITS },
		.local4 = entry->value.local4,
	};
}

int dataplane_sources(const struct dataplane *dp, __u32 list, struct sources *set,
		      struct error *err)
{
	struct kv_array table = SOURCES_ARRAY;
	int ret = read_list(dp, list, &table, err);

	*set = (struct sources){};
	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < table.count; i++) {
		const struct source source = get_source(kv_array_entry(&table, i));

		if (sources_add(set, &source))
			ret = error_nomem(err);
	}
	if (!ret)
		sources_sort(set);
	else
		sources_free(set);
	kv_array_free(&table);
	return ret;
}

/* By list, and within it as dataplane_sources() has them. */
static int compare_in_lists(const void *a, const void *b)
{
	const struct hbpf_source_key *x = a, *y = b;

	if (list_of(x) != list_of(y))
		return list_of(x) < list_of(y) ? -1 : 1;
	return memcmp(x, y, sizeof(*x));
}

int dataplane_source_lists(const struct dataplane *dp, struct source_lists *lists,
			   struct error *err)
{
	struct kv_array table = SOURCES_ARRAY;
	int ret = map_read(dp, MAP_SOURCES, &table, err);

	*lists = (struct source_lists){};
	if (ret)
		goto out;
	lists->v = calloc(table.count + 1, sizeof(*lists->v));
	lists->of = calloc(table.count + 1, sizeof(*lists->of));
	if (!lists->v || !lists->of) {
		source_lists_free(lists);
		ret = error_nomem(err);
		goto out;
	}
	if (table.count)
		qsort(table.v, table.count, table.stride, compare_in_lists);
	for (size_t i = 0; i < table.count; i++) {
		const struct source_entry *entry = kv_array_entry(&table, i);

		lists->of[i] = list_of(&entry->key);
		lists->v[i] = get_source(entry);
	}
	lists->count = table.count;
out:
	kv_array_free(&table);
	return ret;
}

void source_lists_free(struct source_lists *lists)
{
	free(lists->v);
	free(lists->of);
	*lists = (struct source_lists){};
}

struct sources source_lists_get(const struct source_lists *lists, __u32 list)
{
	size_t low = 0, high = lists->count, end;

	if (!lists->count)
		return (struct sources){};
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lists->of[middle] < list)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < lists->count && lists->of[end] == list;)
		end++;
	return (struct sources){ .v = lists->v + low, .count = end - low };
}

int dataplane_set_sources(struct dataplane *dp, __u32 list, const struct sources *want,
			  struct error *err)
{
	struct kv_array have = SOURCES_ARRAY, table = SOURCES_ARRAY;
	const struct dataplane of = sources_of(dp, list);
	int ret;

	ret = list_to_table(list, want, &table, err);
	if (!ret)
		ret = read_list(dp, list, &have, err);
	if (!ret)
		ret = map_replace(&of, MAP_SOURCES, &have, &table, err);
	kv_array_free(&have);
	kv_array_free(&table);
	return ret;
}

/* ---- lists of ports ---- */

/* How the lists compare with a wanted one, whose keys have list number 0. */
struct comparison {
	const struct kv_array *want;
	struct {
		__u16 size;
		__u16 shared; /* how many of its prefixes @want has, too */
	} lists[LISTS];
};

static int compare_source(const void *key, const void *value, void *context)
{
	struct hbpf_source_key source = *(const struct hbpf_source_key *)key;
	struct comparison *comparison = context;
	__u32 list = list_of(&source);

	(void)value;
	source.list &= HBPF_LIST_IPV6;
	comparison->lists[list].size++;
	comparison->lists[list].shared += !!kv_array_find(comparison->want, &source);
	return 0;
}

static bool list_is_same(const struct comparison *comparison, __u32 list)
{
	return comparison->lists[list].size == comparison->want->count &&
	       comparison->lists[list].shared == comparison->want->count;
}

/* Return: the list with the very prefixes wanted, else the first empty one, else -ENOSPC */
static int choose_list(const struct comparison *comparison)
{
	int free_list = -ENOSPC;
	__u32 list;

	for (list = LIST_EMPTY - 1; list >= HBPF_LIST_PORTS; list--) {
		if (list_is_same(comparison, list))
			return list;
		if (!comparison->lists[list].size)
			free_list = list;
	}
	return free_list;
}

int dataplane_port_list(struct dataplane *dp, const struct sources *want, struct error *err)
{
	struct kv_array table = SOURCES_ARRAY;
	struct comparison *comparison;
	int list, ret;

	_Static_assert(HBPF_MAX_SOURCES <= USHRT_MAX, "sizes fit into struct comparison");
	if (!want->count)
		return LIST_EMPTY;
	ret = list_to_table(0, want, &table, err);
	if (ret)
		return ret;
	comparison = calloc(1, sizeof(*comparison));
	if (!comparison) {
		list = error_nomem(err);
		goto out;
	}
	comparison->want = &table;
	list = map_walk(dp, MAP_SOURCES, compare_source, comparison, err);
	if (list)
		goto out;
	list = choose_list(comparison);
	if (list < 0)
		map_error(err, list, MAP_SOURCES, "write to");
	else if (!comparison->lists[list].size)
		ret = dataplane_set_sources(dp, list, want, err);
out:
	free(comparison);
	kv_array_free(&table);
	return ret ? ret : list;
}

struct unused_lists {
	bool used[LISTS];
	struct kv_array sources;
};

static int add_unused(const void *key, const void *value, void *context)
{
	const struct hbpf_source_key *source = key;
	struct unused_lists *unused = context;

	if (list_of(source) < HBPF_LIST_PORTS || unused->used[list_of(source)])
		return 0;
	return kv_array_add(&unused->sources, key, value);
}

int dataplane_sweep_lists(struct dataplane *dp, const struct exports *set, struct error *err)
{
	struct unused_lists unused = { .sources = SOURCES_ARRAY };
	int ret;
	size_t i;

	for (i = 0; i < set->count; i++)
		if (!set->v[i].to.from.inherit)
			unused.used[set->v[i].to.from.list] = true;
	ret = map_walk(dp, MAP_SOURCES, add_unused, &unused, err);
	if (!ret)
		ret = map_delete(dp, MAP_SOURCES, &unused.sources, err);
	kv_array_free(&unused.sources);
	return ret;
}
