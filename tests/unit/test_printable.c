/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/printable.h"
#include "lib/array.h"

static void check(const char *text, const char *shown)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	assert_string_equal(printable(copy), shown);
	assert_int_equal(is_printable(text), !strcmp(text, shown));
}

static void what_is_printable_stays(void **state)
{
	static const char *const good[] = {
		"",
		"br-test",
		"a b~",
		"br-\xc3\xa4",
		"\xe6\xbc\xa2",
		"\xf0\x9f\x90\x9d",
		/* beside each range that does not: U+00A0, U+061B, U+200D, U+2010, U+202F, U+206A
		 */
		"\xc2\xa0",
		"\xd8\x9b",
		"\xe2\x80\x8d",
		"\xe2\x80\x90",
		"\xe2\x80\xaf",
		"\xe2\x81\xaa",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		check(good[i], good[i]);
}

static void every_control_character_becomes_one_question_mark(void **state)
{
	char text[] = "a.b", c1[] = "a\xc2.b";

	(void)state;
	for (int byte = 1; byte < 0x20; byte++) {
		text[1] = (char)byte;
		check(text, "a?b");
	}
	check("a\x7f"
	      "b",
	      "a?b");
	for (int byte = 0x80; byte < 0xa0; byte++) {
		c1[2] = (char)byte;
		check(c1, "a?b");
	}
}

static void what_turns_the_direction_or_ends_the_line_goes(void **state)
{
	static const char *const hidden[] = {
		"\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
		"\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		check(hidden[i], "?");
}

static void each_byte_that_is_not_utf8_becomes_a_question_mark(void **state)
{
	(void)state;
	check("br-\xff", "br-?");
	check("\x80", "?");
	check("\xc3", "?"); /* cut short */
	check("\xe2\x80", "??");
	check("\xc0\x9b", "??"); /* longer than it need be */
	check("\xe0\x80\x9b", "???");
	check("\xed\xa0\x80", "???");      /* a surrogate */
	check("\xf4\x90\x80\x80", "????"); /* above U+10FFFF */
	check("\xc2\x9b\x9b", "??");
}

static void newlines_stay_where_lines_are_meant(void **state)
{
	char text[] = "one\ntw\ro\n";

	(void)state;
	assert_string_equal(printable_lines(text), "one\ntw?o\n");
	assert_string_equal(printable(text), "one?tw?o?");
}

static void columns_are_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_columns("br-\xc3\xa4"), 4);
	assert_int_equal(utf8_columns(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_printable_stays),
		cmocka_unit_test(every_control_character_becomes_one_question_mark),
		cmocka_unit_test(what_turns_the_direction_or_ends_the_line_goes),
		cmocka_unit_test(each_byte_that_is_not_utf8_becomes_a_question_mark),
		cmocka_unit_test(newlines_stay_where_lines_are_meant),
		cmocka_unit_test(columns_are_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
