/* SPDX-License-Identifier: GPL-2.0-only */
/* The contents of a map in memory: entries sorted by key, to be compared with others. */
#ifndef HBPF_KV_ARRAY_H
#define HBPF_KV_ARRAY_H

#include <stddef.h>

/*
 * Entries are structs of the user's own that begin with the key and have the
 * value right behind it. All zero in the last three members is an empty table.
 */
struct table {
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

/** TABLE_ENTRY() - to stand beside the struct: value behind key, without a gap */
#define TABLE_ENTRY(type, key, value)                                                              \
	_Static_assert(offsetof(type, key) == 0 &&                                                 \
			       offsetof(type, value) == sizeof(((type *)0)->key),                  \
		       "key first, value right behind it")

/** table_like() - an empty table of the same form */
struct table table_like(const struct table *table);
void table_free(struct table *table);

void *table_entry(const struct table *table, size_t i);
const void *table_value(const struct table *table, const void *entry);

/** table_add() - append an entry, unsorted. Return: 0 or -ENOMEM */
int table_add(struct table *table, const void *key, const void *value);

/** table_add_entries() - append an array of the struct. Return: 0 or -ENOMEM */
int table_add_entries(struct table *table, const void *entries, size_t count);

/**
 * table_sort() - sort by key, and make of all entries with one key a single one
 * @merge:	Adds the value of @next, which was added later, to the entry that stays; NULL: the
 *		first stays as it is
 *
 * Return: 0 or -ENOMEM
 */
int table_sort(struct table *table, void (*merge)(void *stays, const void *next));

/** table_find() - in a sorted table. Return: the entry or NULL */
void *table_find(const struct table *table, const void *key);

/**
 * table_diff() - what has to be done to make @have into @want, both sorted
 * @put:	Entries of @want that @have lacks or has with another value
 * @gone:	Entries of @have whose key @want lacks
 *
 * Return: 0 or -ENOMEM
 */
int table_diff(const struct table *have, const struct table *want, struct table *put,
	       struct table *gone);

#endif /* HBPF_KV_ARRAY_H */
