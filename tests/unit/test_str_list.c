/* SPDX-License-Identifier: GPL-2.0-only */
/* A list that is too long is cut between two items and ends in "...". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/str_list.h"

static void items_are_joined_by_commas(void **state)
{
	char buf[32] = "";

	(void)state;
	str_list_add(buf, sizeof(buf), "br-one");
	assert_string_equal(buf, "br-one");
	str_list_add(buf, sizeof(buf), "br-two");
	assert_string_equal(buf, "br-one, br-two");
}

static void what_does_not_fit_is_told_once_and_ends_the_list(void **state)
{
	char buf[24] = "";

	(void)state;
	str_list_add(buf, sizeof(buf), "br-one");
	str_list_add(buf, sizeof(buf), "a-name-that-is-long");
	assert_string_equal(buf, "br-one, ...");
	str_list_add(buf, sizeof(buf), "b");
	assert_string_equal(buf, "br-one, ...");
}

static void a_first_item_that_is_too_long_ends_it_too(void **state)
{
	char buf[16] = "";

	(void)state;
	str_list_add(buf, sizeof(buf), "a-name-that-is-long");
	str_list_add(buf, sizeof(buf), "b");
	assert_string_equal(buf, "...");
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* Items of each length in buffers of each size, which AddressSanitizer watches. */
static void nothing_is_cut_within_and_nothing_is_written_behind(void **state)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";

	(void)state;
	for (size_t size = 16; size <= 64; size++) {
		for (const char *item = letters; *item; item++) {
			char *buf = calloc(1, size);

			assert_non_null(buf);
			for (int i = 0; i < 9; i++)
				str_list_add(buf, size, item);
			assert_true(ends_with(buf, item) || ends_with(buf, "..."));
			free(buf);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_joined_by_commas),
		cmocka_unit_test(what_does_not_fit_is_told_once_and_ends_the_list),
		cmocka_unit_test(a_first_item_that_is_too_long_ends_it_too),
		cmocka_unit_test(nothing_is_cut_within_and_nothing_is_written_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
