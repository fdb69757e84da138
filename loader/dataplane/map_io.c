/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/map_io.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/map_schema.h"
#include "dataplane/shared.h"

#ifndef ENOTSUPP
#define ENOTSUPP 524 /* of the kernel's own include/linux/errno.h; it does reach user space */
#endif

#define KEY_SIZE_MOST 64 /* bytes, of all maps here */

/* Hashes answer E2BIG where they are full, the LPM trie ENOSPC. */
static bool is_full(int code)
{
	return code == -E2BIG || code == -ENOSPC;
}

int map_error(struct error *err, int code, enum dataplane_map map, const char *verb)
{
	const char *name = map_schema(map)->name;

	if (is_full(code) && !strcmp(verb, "write to"))
		return error_set(err, code, "the %s map is full", name);
	error_errno(err, code, "cannot %s the %s map", verb, name);
	error_hint_privileges(err, code);
	return code;
}

void map_hint_reattach(struct error *err, const struct dataplane *dp)
{
	error_hint(err, "run `hbpf detach %s`, then attach it again", dp->bridge);
}

int map_values(void)
{
	return libbpf_num_possible_cpus();
}

/* bpf_map_do_batch() answers ENOTSUPP for a kind of map that has no such batch. */
static bool lacks_batches(int ret)
{
	return ret == -ENOTSUPP || ret == -EOPNOTSUPP || ret == -EINVAL;
}

/* -- reading ------------------------------------------------------------- */

struct walk {
	int fd;
	enum dataplane_map map;
	size_t key_size;
	size_t value_size; /* as a lookup writes it */
	size_t max_entries;
	int (*visit)(const void *key, const void *value, void *context);
	void *context;
	char *keys; /* room for `room` of them */
	char *values;
	__u32 room;
};

static bool is_per_cpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Return: 0 if they cannot be read */
static __u32 max_entries(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.max_entries;
}

static int walk_init(struct walk *walk)
{
	const struct map_schema *schema = map_schema(walk->map);
	int values;

	walk->key_size = schema->key_size;
	walk->value_size = schema->value_size;
	walk->max_entries = schema->grows ? max_entries(walk->fd) : schema->max_entries;
	if (is_per_cpu(schema->type)) {
		values = map_values();
		if (values < 0)
			return values;
		/* bpf_percpu_hash_copy(): each CPU's value is rounded up to 8 bytes */
		walk->value_size = (schema->value_size + 7UL) / 8 * 8 * values;
	}
	return 0;
}

static int walk_set_room(struct walk *walk, __u32 room)
{
	free(walk->keys);
	free(walk->values);
	walk->keys = reallocarray(NULL, room, walk->key_size);
	walk->values = reallocarray(NULL, room, walk->value_size);
	walk->room = room;
	return walk->keys && walk->values ? 0 : -ENOMEM;
}

static int walk_visit(struct walk *walk, __u32 count)
{
	int ret = 0;

	for (__u32 i = 0; !ret && i < count; i++)
		ret = walk->visit(walk->keys + i * walk->key_size,
				  walk->values + i * walk->value_size, walk->context);
	return ret;
}

static int walk_batches(struct walk *walk)
{
	char place[KEY_SIZE_MOST]; /* where the next batch begins: a bucket's number, or a key */
	void *from = NULL;
	int ret, stop;
	__u32 count;

	if (walk->key_size > sizeof(place))
		return -EINVAL;
	for (;;) {
		count = walk->room;
		ret = bpf_map_lookup_batch(walk->fd, from, place, walk->keys, walk->values, &count,
					   NULL);
		if (ret == -ENOSPC && walk->room < walk->max_entries) {
			/* a hash bucket has more than we have room for, and is not split */
			ret = walk_set_room(walk, 2 * walk->room);
			if (ret)
				return ret;
			continue;
		}
		if (ret && ret != -ENOENT)
			return ret;
		stop = walk_visit(walk, count);
		if (stop || ret == -ENOENT)
			return stop;
		from = place;
	}
}

static int walk_keys(struct walk *walk)
{
	const void *from = NULL;
	char last[KEY_SIZE_MOST];
	size_t i;
	int ret;

	if (walk->key_size > sizeof(last))
		return -EINVAL;
	/* bounded: a hash starts again if the last key was deleted meanwhile */
	for (i = 0; i < walk->max_entries; i++) {
		ret = bpf_map_get_next_key(walk->fd, from, walk->keys);
		if (ret)
			return ret == -ENOENT ? 0 : ret;
		from = memcpy(last, walk->keys, walk->key_size);
		ret = bpf_map_lookup_elem(walk->fd, walk->keys, walk->values);
		if (!ret)
			ret = walk_visit(walk, 1);
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

static int walk(const struct dataplane *dp, enum dataplane_map map,
		int (*visit)(const void *key, const void *value, void *context), void *context)
{
	struct walk walk = {
		.fd = dp->shared->maps[map],
		.map = map,
		.visit = visit,
		.context = context,
	};
	int ret;

	ret = walk_init(&walk);
	if (!ret)
		ret = walk_set_room(&walk, 1024);
	if (ret)
		goto out;
	ret = walk_batches(&walk);
	if (lacks_batches(ret))
		ret = walk_keys(&walk);
out:
	free(walk.keys);
	free(walk.values);
	return ret;
}

/* The entries of one bridge, among those of all. */
struct filter {
	__u32 slot_at;
	__u16 slot;
	size_t key_size;
	int (*visit)(const void *key, const void *value, void *context);
	void *context;
};

static int visit_own(const void *key, const void *value, void *context)
{
	const struct filter *filter = context;
	char own[KEY_SIZE_MOST];

	if (!filter->slot_at)
		return filter->visit(key, value, filter->context);
	if (memcmp((const char *)key + filter->slot_at, &filter->slot, sizeof(filter->slot)) != 0)
		return 0;
	memcpy(own, key, filter->key_size);
	memset(own + filter->slot_at, 0, sizeof(filter->slot));
	return filter->visit(own, value, filter->context);
}

static int add_to_table(const void *key, const void *value, void *table)
{
	return kv_array_add(table, key, value);
}

/* Return: 0, with all entries of the map in @copy, or -errno */
static int take_copy(const struct dataplane *dp, enum dataplane_map map, struct map_copy *copy)
{
	struct walk sizes = { .fd = dp->shared->maps[map], .map = map };
	int ret = walk_init(&sizes);

	if (ret || copy->taken)
		return ret;
	copy->entries = (struct kv_array){
		.key_size = sizes.key_size,
		.value_size = sizes.value_size,
		.stride = sizes.key_size + sizes.value_size,
	};
	ret = walk(dp, map, add_to_table, &copy->entries);
	copy->taken = !ret;
	return ret;
}

static int walk_copy(const struct kv_array *entries, struct filter *filter)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < entries->count; i++) {
		const void *entry = kv_array_entry(entries, i);

		ret = visit_own(entry, kv_array_value(entries, entry), filter);
	}
	return ret;
}

int map_walk(const struct dataplane *dp, enum dataplane_map map,
	     int (*visit)(const void *key, const void *value, void *context), void *context,
	     struct error *err)
{
	struct filter filter = {
		.slot_at = map_slot_at(map),
		.slot = dp->config.slot,
		.key_size = map_schema(map)->key_size,
		.visit = visit,
		.context = context,
	};
	struct map_copy *copy = &dp->shared->copies[map];
	int ret;

	if (dp->shared->reads_once)
		ret = take_copy(dp, map, copy) ?: walk_copy(&copy->entries, &filter);
	else
		ret = walk(dp, map, visit_own, &filter);
	return ret ? map_error(err, ret, map, "read") : 0;
}

int map_read(const struct dataplane *dp, enum dataplane_map map, struct kv_array *table,
	     struct error *err)
{
	int ret;

	ret = map_walk(dp, map, add_to_table, table, err);
	if (!ret && kv_array_sort(table, NULL))
		ret = error_nomem(err);
	if (ret)
		kv_array_free(table);
	return ret;
}

/* -- writing ------------------------------------------------------------- */

/* A map to write to, and the slot that the keys get. */
struct target {
	int fd;
	__u32 slot_at;
	__u16 slot;
};

static struct target target_of(const struct dataplane *dp, enum dataplane_map map)
{
	return (struct target){ dp->shared->maps[map], map_slot_at(map), dp->config.slot };
}

static void put_slot(const struct target *target, char *key)
{
	if (target->slot_at)
		memcpy(key + target->slot_at, &target->slot, sizeof(target->slot));
}

/* The batch operations take keys and values as two arrays. */
static void *column(const struct kv_array *table, size_t offset, size_t size)
{
	char *array = reallocarray(NULL, table->count, size);
	size_t i;

	for (i = 0; array && i < table->count; i++)
		memcpy(array + i * size, (char *)kv_array_entry(table, i) + offset, size);
	return array;
}

static void *key_column(const struct target *target, const struct kv_array *table)
{
	char *keys = column(table, 0, table->key_size);

	for (size_t i = 0; keys && i < table->count; i++)
		put_slot(target, keys + i * table->key_size);
	return keys;
}

static int put_each(const struct target *target, const struct kv_array *table)
{
	char key[KEY_SIZE_MOST];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < table->count; i++) {
		const void *entry = kv_array_entry(table, i);

		memcpy(key, entry, table->key_size);
		put_slot(target, key);
		ret = bpf_map_update_elem(target->fd, key, kv_array_value(table, entry), BPF_ANY);
	}
	return ret;
}

static int put_all(const struct target *target, const struct kv_array *table)
{
	__u32 count = table->count;
	void *keys, *values;
	int ret;

	if (!count)
		return 0;
	keys = key_column(target, table);
	values = column(table, table->key_size, table->value_size);
	/* without memory it goes one by one as well, so that what was begun can be undone */
	ret = -ENOTSUPP;
	if (keys && values)
		ret = bpf_map_update_batch(target->fd, keys, values, &count, NULL);
	if (lacks_batches(ret))
		ret = put_each(target, table);
	free(keys);
	free(values);
	return ret;
}

static int delete_each(const struct target *target, const struct kv_array *table)
{
	char key[KEY_SIZE_MOST];
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < table->count; i++) {
		memcpy(key, kv_array_entry(table, i), table->key_size);
		put_slot(target, key);
		ret = bpf_map_delete_elem(target->fd, key);
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

static int delete_all(const struct target *target, const struct kv_array *table)
{
	size_t done = 0;
	char *keys;
	int ret = 0;

	if (!table->count)
		return 0;
	keys = key_column(target, table);
	if (!keys)
		return delete_each(target, table);
	while (!ret && done < table->count) {
		__u32 count = table->count - done;

		ret = bpf_map_delete_batch(target->fd, keys + done * table->key_size, &count, NULL);
		if (lacks_batches(ret)) {
			ret = delete_each(target, table);
			break;
		}
		done += count;
		if (ret == -ENOENT) { /* a batch stops at a key that is not there: step over it */
			ret = 0;
			done++;
		}
	}
	free(keys);
	return ret;
}

int map_delete(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *table,
	       struct error *err)
{
	const struct target target = target_of(dp, map);
	int ret = delete_all(&target, table);

	return ret ? map_error(err, ret, map, "delete from") : 0;
}

/* ---- growing ---- */

/* Return: fd of a larger map with the same entries, or -errno */
static int larger_copy(const struct dataplane *dp, enum dataplane_map map, __u32 entries)
{
	struct map_copy all = {};
	struct target target = {};
	int ret = take_copy(dp, map, &all);

	if (!ret)
		ret = target.fd = shared_create_map(map, entries);
	if (ret >= 0)
		ret = put_all(&target, &all.entries);
	kv_array_free(&all.entries);
	if (ret && target.fd > 0)
		close(target.fd);
	return ret ? ret : target.fd;
}

/* Make room for @more entries. The programs see all of the old map's or all of the new one's: only
 * the loader writes to them, and statistics that come in between are lost. */
static int grow(const struct dataplane *dp, enum dataplane_map map, size_t more)
{
	__u32 before = max_entries(dp->shared->maps[map]), entries = before;
	int fd, ret;

	while (entries < before + more && entries <= HBPF_MAX_PORTS)
		entries *= 2;
	if (entries > HBPF_MAX_PORTS)
		return -E2BIG;
	fd = larger_copy(dp, map, entries);
	if (fd < 0)
		return fd;
	ret = shared_put_map(dp->shared, map, fd);
	if (ret)
		close(fd);
	return ret;
}

/* Where the map cannot hold both, it grows, or what goes has to make room first. */
static int put_with_room(const struct dataplane *dp, enum dataplane_map map,
			 const struct kv_array *put, const struct kv_array *removed)
{
	struct target target = target_of(dp, map);
	int ret = put_all(&target, put);

	if (is_full(ret) && map_schema(map)->grows) {
		/* without room there, ports are only not counted */
		if (map == MAP_EXPORTS)
			grow(dp, MAP_PORT_STATS, put->count);
		ret = grow(dp, map, put->count);
		target = target_of(dp, map);
		if (!ret)
			ret = put_all(&target, put);
	}
	if (!is_full(ret))
		return ret;
	ret = delete_all(&target, removed);
	return ret ? ret : put_all(&target, put);
}

static int exchange(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *have,
		    const struct kv_array *want, bool delete_gone, struct error *err)
{
	struct kv_array put, removed, put_back, added;
	struct target target;
	int ret;

	ret = kv_array_diff(have, want, &put, &removed);
	if (ret)
		return map_error(err, ret, map, "write to");
	/* made beforehand: undoing must not fail for want of memory */
	ret = kv_array_diff(want, have, &put_back, &added);
	if (ret) {
		map_error(err, ret, map, "write to");
		goto out;
	}
	ret = put_with_room(dp, map, &put, &removed);
	target = target_of(dp, map); /* it may have grown */
	if (!ret && delete_gone)
		ret = delete_all(&target, &removed);
	if (ret) {
		map_error(err, ret, map, "write to");
		delete_all(&target, &added);
		put_all(&target, &put_back);
	}
	kv_array_free(&put_back);
	kv_array_free(&added);
out:
	kv_array_free(&put);
	kv_array_free(&removed);
	return ret;
}

int map_replace(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *have,
		const struct kv_array *want, struct error *err)
{
	return exchange(dp, map, have, want, true, err);
}

int map_extend(const struct dataplane *dp, enum dataplane_map map, const struct kv_array *have,
	       const struct kv_array *want, struct error *err)
{
	return exchange(dp, map, have, want, false, err);
}
