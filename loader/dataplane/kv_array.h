/* SPDX-License-Identifier: GPL-2.0-only */
/* The contents of a map in memory: entries sorted by key, to be compared with others. */
#ifndef HBPF_KV_ARRAY_H
#define HBPF_KV_ARRAY_H

#include <stddef.h>

/*
 * Entries are structs of the user's own that begin with the key and have the
 * value right after it. All zero in the last three members is an empty table.
 */
struct kv_array {
	size_t key_size;
	size_t value_size;
	size_t stride; /* of the struct: key, value, padding at its end */
	void *v;
	size_t count;
	size_t room;
};

/** TABLE() - initializer of an empty table of @type, of which two members are key and value */
#define TABLE(type, key, value)                                                                    \
	{                                                                                          \
		.key_size = sizeof(((type *)0)->key), .value_size = sizeof(((type *)0)->value),    \
		.stride = sizeof(type),                                                            \
	}

/** TABLE_ENTRY() - to be put after the struct: the value follows the key without a gap */
#define TABLE_ENTRY(type, key, value)                                                              \
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
 * kv_array_sort() - sort by key, and make of all entries with one key a single one
 * @merge:	Adds the value of @next, which was added later, to the entry that stays; NULL: the
 *		first stays as it is
 *
 * Return: 0 or -ENOMEM
 */
int kv_array_sort(struct kv_array *table, void (*merge)(void *stays, const void *next));

/** kv_array_find() - in a sorted table. Return: the entry or NULL */
void *kv_array_find(const struct kv_array *table, const void *key);

/**
 * kv_array_diff() - what has to be done to make @have into @want, both sorted
 * @put:	Entries of @want that @have lacks or has with another value
 * @removed:	Entries of @have whose key @want lacks
 *
 * Return: 0 or -ENOMEM
 */
int kv_array_diff(const struct kv_array *have, const struct kv_array *want, struct kv_array *put,
		  struct kv_array *removed);

#endif /* HBPF_KV_ARRAY_H */
