/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes and ages for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/array.h"
#include "lib/units.h"

static void sizes_have_the_unit_that_keeps_them_short(void **state)
{
	static const struct {
		__u64 bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1434, "1.4 KiB" },
		{ 1024 * 1024 - 1, "1.0 MiB" },
		{ 1024 * 1024, "1.0 MiB" },
		{ 3ULL << 40, "3.0 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char buf[SIZE_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_string_equal(size_format(sizes[i].bytes, buf), sizes[i].text);
}

static void ages_have_two_units(void **state)
{
	static const struct {
		__u64 seconds;
		const char *text;
	} ages[] = {
		{ 0, "0s" },
		{ 59, "59s" },
		{ 60, "1m00s" },
		{ 3599, "59m59s" },
		{ 3600, "1h00m" },
		{ 86399, "23h59m" },
		{ 86400, "1d00h" },
		{ 12 * 86400 + 3 * 3600 + 1, "12d03h" },
		{ UINT64_MAX, "213503982334601d07h" },
	};
	char buf[AGE_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++)
		assert_string_equal(age_format(ages[i].seconds, buf), ages[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_the_unit_that_keeps_them_short),
		cmocka_unit_test(ages_have_two_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
