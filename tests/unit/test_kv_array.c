/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of keys and values: sorted by the keys' bytes, each key once, compared with another. */
#include <arpa/inet.h>
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/kv_array.h"
#include "lib/array.h"

/* Two bytes of padding follow the value. */
struct entry {
	uint32_t key; /* big endian, so that numbers sort as their bytes do */
	uint16_t value;
};
KV_ARRAY_ENTRY(struct entry, key, value);
static_assert(sizeof(struct entry) > offsetof(struct entry, value) + sizeof(uint16_t), "padded");

static const struct kv_array empty = KV_ARRAY(struct entry, key, value);

static void add(struct kv_array *table, uint32_t key, uint16_t value)
{
	key = htonl(key);
	assert_int_equal(kv_array_add(table, &key, &value), 0);
}

static struct entry *find(const struct kv_array *table, uint32_t key)
{
	key = htonl(key);
	return kv_array_find(table, &key);
}

/* "3=30 1=10" */
static struct kv_array parse(const char *text)
{
	struct kv_array table = empty;
	unsigned int key, value;
	int len;

	for (; sscanf(text, "%u=%u%n", &key, &value, &len) == 2; text += len)
		add(&table, key, (uint16_t)value);
	assert_string_equal(text, "");
	return table;
}

static void assert_table(const struct kv_array *table, const char *want)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct entry *entry = kv_array_entry(table, i);

		assert_ptr_equal(kv_array_value(table, entry), &entry->value);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u=%u", i ? " " : "",
					ntohl(entry->key), entry->value);
	}
	assert_string_equal(text, want);
}

static void keep_digits(void *stays, const void *next)
{
	struct entry *entry = stays;

	entry->value = (uint16_t)(entry->value * 10 + ((const struct entry *)next)->value);
}

static void sorting_keeps_one_entry_of_each_key(void **state)
{
	static const struct {
		const char *added, *first_kept, *merged;
	} cases[] = {
		{ "", "", "" },
		{ "7=1", "7=1", "7=1" },
		{ "1=1 2=2 3=3", "1=1 2=2 3=3", "1=1 2=2 3=3" },
		{ "3=3 1=1 2=2", "1=1 2=2 3=3", "1=1 2=2 3=3" },
		{ "1=1 1=2", "1=1", "1=12" },
		{ "2=3 1=1 2=1 1=2 2=2", "1=1 2=3", "1=12 2=312" }, /* in the order they came */
		{ "256=1 1=2 65536=3", "1=2 256=1 65536=3", "1=2 256=1 65536=3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kv_array table = parse(cases[i].added);

		assert_table(&table, cases[i].added);
		assert_int_equal(kv_array_sort(&table, NULL), 0);
		assert_table(&table, cases[i].first_kept);
		kv_array_free(&table);

		table = parse(cases[i].added);
		assert_int_equal(kv_array_sort(&table, keep_digits), 0);
		assert_table(&table, cases[i].merged);
		kv_array_free(&table);
	}
}

static void only_keys_of_the_table_are_found(void **state)
{
	struct kv_array table = parse("30=3 10=1 40=4 20=2");

	(void)state;
	assert_int_equal(kv_array_sort(&table, NULL), 0);
	for (uint32_t key = 0; key < 50; key++) {
		const struct entry *entry = find(&table, key);

		if (!key || key % 10)
			assert_null(entry);
		else
			assert_int_equal(entry->value, key / 10);
	}
	kv_array_free(&table);
	assert_null(find(&table, 10));
}

static void a_table_grows_and_loses_nothing(void **state)
{
	enum { MANY = 1000 };
	static const unsigned char zeros[sizeof(struct entry)];
	struct kv_array table = empty, twice = empty;

	(void)state;
	for (uint32_t key = MANY; key; key--)
		add(&table, key, (uint16_t)key);
	assert_int_equal(kv_array_add_entries(&twice, table.v, table.count), 0);
	assert_int_equal(kv_array_add_entries(&twice, table.v, table.count), 0);
	assert_int_equal(kv_array_add_entries(&twice, NULL, 0), 0);
	assert_int_equal(twice.count, 2 * MANY);

	assert_int_equal(kv_array_sort(&twice, NULL), 0);
	assert_int_equal(twice.count, MANY);
	for (size_t i = 0; i < MANY; i++) {
		const struct entry *entry = kv_array_entry(&twice, i);

		assert_int_equal(ntohl(entry->key), i + 1);
		assert_int_equal(entry->value, i + 1);
		assert_memory_equal(&entry->value + 1, zeros, sizeof(*entry) - 6);
	}
	kv_array_free(&table);
	kv_array_free(&twice);
}

static void the_difference_is_what_to_put_and_what_to_remove(void **state)
{
	static const struct {
		const char *have, *want, *put, *removed;
	} cases[] = {
		{ "", "", "", "" },
		{ "1=1 2=2", "1=1 2=2", "", "" },
		{ "", "1=1 2=2", "1=1 2=2", "" },
		{ "1=1 2=2", "", "", "1=1 2=2" },
		{ "1=1 3=3", "2=2 4=4", "2=2 4=4", "1=1 3=3" },
		{ "1=1 2=2 3=3", "2=2 3=4 5=5", "3=4 5=5", "1=1" },
		{ "5=5", "1=1 5=0 9=9", "1=1 5=0 9=9", "" }, /* another value */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kv_array have = parse(cases[i].have), want = parse(cases[i].want);
		struct kv_array put, removed;

		assert_int_equal(kv_array_diff(&have, &want, &put, &removed), 0);
		assert_table(&put, cases[i].put);
		assert_table(&removed, cases[i].removed);
		assert_table(&have, cases[i].have);
		assert_table(&want, cases[i].want);
		kv_array_free(&have);
		kv_array_free(&want);
		kv_array_free(&put);
		kv_array_free(&removed);
	}
}

static void a_freed_table_is_empty_and_of_the_same_form(void **state)
{
	struct kv_array table = parse("1=1"), like = kv_array_like(&table);

	(void)state;
	assert_memory_equal(&like, &empty, sizeof(empty));
	kv_array_free(&table);
	assert_memory_equal(&table, &empty, sizeof(empty));
	add(&table, 2, 2);
	assert_table(&table, "2=2");
	kv_array_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorting_keeps_one_entry_of_each_key),
		cmocka_unit_test(only_keys_of_the_table_are_found),
		cmocka_unit_test(a_table_grows_and_loses_nothing),
		cmocka_unit_test(the_difference_is_what_to_put_and_what_to_remove),
		cmocka_unit_test(a_freed_table_is_empty_and_of_the_same_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
