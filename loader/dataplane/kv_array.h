/* SPDX-License-Identifier: GPL-2.0-only */
/* A copy of a map's contents: entries that can be sorted by key and compared with another copy. */
#ifndef HBPF_KV_ARRAY_H
#define HBPF_KV_ARRAY_H

#include <stddef.h>

/*
 * An entry is a struct of the caller's: the key, directly followed by the value. The table is empty
 * if the last three members are zero.
 */
struct kv_array {
	size_t key_size;
	size_t value_size;
	size_t stride; /* size of the struct: key, value and padding */
	void *v;
	size_t count;
	size_t room;
};

/** KV_ARRAY() - initializer of an empty table; @type is the entry's struct, with @key and @value */
#define KV_ARRAY(type, key, value)                                                                 \
	{                                                                                          \
		.key_size = sizeof(((type *)0)->key), .value_size = sizeof(((type *)0)->value),    \
		.stride = sizeof(type),                                                            \
	}

/** KV_ARRAY_ENTRY() - put it after the struct: checks that key and value have no gap between them
 */
#define KV_ARRAY_ENTRY(type, key, value)                                                           \
	_Static_assert(offsetof(type, key) == 0 &&                                                 \
			       offsetof(type, value) == sizeof(((type *)0)->key),                  \
		       "key first, then the value without a gap")

/** kv_array_like() - an empty table of the same type */
struct kv_array kv_array_like(const struct kv_array *table);
void kv_array_free(struct kv_array *table);

void *kv_array_entry(const struct kv_array *table, size_t i);
const void *kv_array_value(const struct kv_array *table, const void *entry);

/** kv_array_add() - append an entry, unsorted. Return: 0 or -ENOMEM */
int kv_array_add(struct kv_array *table, const void *key, const void *value);

/** kv_array_add_entries() - append an array of the struct. Return: 0 or -ENOMEM */
int kv_array_add_entries(struct kv_array *table, const void *entries, size_t count);

/**
 * kv_array_sort() - sort by key, and merge entries with the same key
 * @merge:	Adds the value of @next to that of @stays, which was added earlier; NULL: the first
 *		entry stays unchanged
 *
 * Return: 0 or -ENOMEM
 */
int kv_array_sort(struct kv_array *table, void (*merge)(void *stays, const void *next));

/** kv_array_find() - in a sorted table. Return: the entry or NULL */
void *kv_array_find(const struct kv_array *table, const void *key);

/**
 * kv_array_diff() - the changes from @have to @want; both are sorted
 * @put:	Entries of @want that are missing or have another value in @have
 * @removed:	Entries of @have whose keys are not in @want
 *
 * Return: 0 or -ENOMEM
 */
int kv_array_diff(const struct kv_array *have, const struct kv_array *want, struct kv_array *put,
		  struct kv_array *removed);

#endif /* HBPF_KV_ARRAY_H */
