/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/kv_array.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct kv_array kv_array_like(const struct kv_array *table)
{
	return (struct kv_array){
		.key_size = table->key_size,
		.value_size = table->value_size,
		.stride = table->stride,
	};
}

void kv_array_free(struct kv_array *table)
{
	free(table->v);
	*table = kv_array_like(table);
}

void *kv_array_entry(const struct kv_array *table, size_t i)
{
	return (char *)table->v + i * table->stride;
}

const void *kv_array_value(const struct kv_array *table, const void *entry)
{
	return (const char *)entry + table->key_size;
}

static int make_room(struct kv_array *table, size_t count)
{
	size_t room = table->room ? table->room : 64;
	void *v;

	while (room < count)
		room *= 2;
	if (room == table->room)
		return 0;
	v = reallocarray(table->v, room, table->stride);
	if (!v)
		return -ENOMEM;
	table->v = v;
	table->room = room;
	return 0;
}

int kv_array_add(struct kv_array *table, const void *key, const void *value)
{
	char *entry;

	if (make_room(table, table->count + 1))
		return -ENOMEM;
	entry = kv_array_entry(table, table->count++);
	memset(entry, 0, table->stride);
	memcpy(entry, key, table->key_size);
	memcpy(entry + table->key_size, value, table->value_size);
	return 0;
}

int kv_array_add_entries(struct kv_array *table, const void *entries, size_t count)
{
	if (!count)
		return 0;
	if (make_room(table, table->count + count))
		return -ENOMEM;
	memcpy(kv_array_entry(table, table->count), entries, count * table->stride);
	table->count += count;
	return 0;
}

static int compare_keys(const struct kv_array *table, const void *a, const void *b)
{
	return memcmp(a, b, table->key_size);
}

/* Compares pointers into the unsorted array; of equal keys the first in the array comes first. */
static int compare_places(const void *a, const void *b, void *table)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;
	int order = compare_keys(table, x, y);

	return order ? order : (x > y) - (x < y);
}

static bool is_sorted(const struct kv_array *table)
{
	size_t i;

	for (i = 1; i < table->count; i++)
		if (compare_keys(table, kv_array_entry(table, i - 1), kv_array_entry(table, i)) >=
		    0)
			return false;
	return true;
}

int kv_array_sort(struct kv_array *table, void (*merge)(void *stays, const void *next))
{
	struct kv_array sorted = kv_array_like(table);
	const void **places = NULL;
	void *last = NULL;
	size_t i;
	int ret;

	if (is_sorted(table))
		return 0;
	places = reallocarray(NULL, table->count, sizeof(*places));
	ret = places ? make_room(&sorted, table->count) : -ENOMEM;
	if (ret)
		goto out;
	for (i = 0; i < table->count; i++)
		places[i] = kv_array_entry(table, i);
	qsort_r(places, table->count, sizeof(*places), compare_places, table);

	for (i = 0; i < table->count; i++) {
		if (!last || compare_keys(table, last, places[i])) {
			last = kv_array_entry(&sorted, sorted.count++);
			memcpy(last, places[i], table->stride);
		} else if (merge) {
			merge(last, places[i]);
		}
	}
	kv_array_free(table);
	*table = sorted;
out:
	free(places);
	return ret;
}

void *kv_array_find(const struct kv_array *table, const void *key)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		void *entry = kv_array_entry(table, middle);
		int order = compare_keys(table, key, entry);

		if (!order)
			return entry;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Of two sorted tables, which goes on with the lower key: below 0 the first, 0 both. */
static int compare_next(const struct kv_array *a, size_t i, const struct kv_array *b, size_t j)
{
	if (i == a->count)
		return 1;
	if (j == b->count)
		return -1;
	return compare_keys(a, kv_array_entry(a, i), kv_array_entry(b, j));
}

static bool same_value(const struct kv_array *a, size_t i, const struct kv_array *b, size_t j)
{
	return !memcmp(kv_array_value(a, kv_array_entry(a, i)),
		       kv_array_value(b, kv_array_entry(b, j)), a->value_size);
}

int kv_array_diff(const struct kv_array *have, const struct kv_array *want, struct kv_array *put,
		  struct kv_array *removed)
{
	size_t h = 0, w = 0;
	int ret = 0;

	*put = kv_array_like(want);
	*removed = kv_array_like(have);
	while (!ret && (h < have->count || w < want->count)) {
		int order = compare_next(have, h, want, w);

		if (order < 0)
			ret = kv_array_add_entries(removed, kv_array_entry(have, h), 1);
		else if (order > 0 || !same_value(have, h, want, w))
			ret = kv_array_add_entries(put, kv_array_entry(want, w), 1);
		h += order <= 0;
		w += order >= 0;
	}
	if (ret) {
		kv_array_free(put);
		kv_array_free(removed);
	}
	return ret;
}
