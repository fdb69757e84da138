/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables: whole in a pipe, fitted to a terminal, and coloured only where that is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/table.h"

static const struct terminal a_pipe;

/* Writes and empties the table; compares what it wrote. */
static void prints(struct table *table, const struct terminal *terminal, const char *expected)
{
	char *text;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	assert_non_null(stream);
	table_write(table, stream, terminal);
	fclose(stream);
	assert_string_equal(text, expected);
	free(text);
}

static const struct table_column columns[] = {
	{ .head = "NAME", .flags = TABLE_CUT },
	{ .head = "PACKETS", .flags = TABLE_RIGHT },
	{ .head = "WHY", .flags = TABLE_WRAP },
};

static void row(struct table *table, const char *name, int packets, const char *why)
{
	table_row(table);
	table_cell(table, 0, "%s", name);
	table_cell(table, 1, "%d", packets);
	table_cell(table, 2, "%s", why);
}

static void columns_are_aligned_and_no_line_ends_in_blanks(void **state)
{
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "br-test", 7, "");
	row(&table, "br", 12345678, "why not");
	table.indent = 2;
	prints(&table, &a_pipe,
	       "  NAME      PACKETS  WHY\n"
	       "  br-test         7\n"
	       "  br       12345678  why not\n");
	prints(&table, &a_pipe, ""); /* emptied */
}

static void columns_that_no_row_fills_are_left_out(void **state)
{
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "br-test", 7, "");
	prints(&table, &a_pipe, "NAME     PACKETS\nbr-test        7\n");
}

static void without_headings_there_is_no_line_of_them(void **state)
{
	static const struct table_column plain[] = { {}, {} };
	struct table table = TABLE(plain);

	(void)state;
	table_row(&table);
	table_cell(&table, 0, "a");
	table_cell(&table, 1, "b");
	table_row(&table);
	table_cell(&table, 1, "c");
	prints(&table, &a_pipe, "a  b\n   c\n");
}

static void in_a_pipe_every_cell_is_whole(void **state)
{
	static const struct table_column plain[] = {
		{ .flags = TABLE_CUT },
		{ .flags = TABLE_WRAP },
	};
	struct table table = TABLE(plain);
	char longest[5000], expected[2 * sizeof(longest) + 4];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	table_row(&table);
	table_cell(&table, 0, "%s", longest);
	table_cell(&table, 1, "%s", longest);
	snprintf(expected, sizeof(expected), "%s  %s\n", longest, longest);
	prints(&table, &a_pipe, expected);
}

static void a_narrow_terminal_wraps_text_between_words(void **state)
{
	const struct terminal narrow = { .width = 42 };
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "br-test", 7, "rp_filter is 1, so no client gets an answer");
	row(&table, "br-two", 8, "a-word-that-is-longer-than-the-column is kept whole");
	prints(&table, &narrow,
	       "NAME     PACKETS  WHY\n"
	       "br-test        7  rp_filter is 1, so no\n"
	       "                  client gets an answer\n"
	       "br-two         8  a-word-that-is-longer-than-the-column\n"
	       "                  is kept whole\n");
}

static void a_narrower_one_cuts_names(void **state)
{
	const struct terminal narrow = { .width = 42 }, tiny = { .width = 5 };
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "a-network-with-a-long-name", 7, "one two three four five six");
	row(&table, "br-test", 8, "");
	prints(&table, &narrow,
	       "NAME         PACKETS  WHY\n"
	       "a-network-\xe2\x80\xa6        7  one two three four\n"
	       "                      five six\n"
	       "br-test            8\n");
	row(&table, "a-network-with-a-long-name", 7, "one two three four five six");
	prints(&table, &tiny,
	       "NAME      PACKETS  WHY\n"
	       "a-netwo\xe2\x80\xa6        7  one two three four\n"
	       "                   five six\n");
}

static void what_fits_is_not_changed(void **state)
{
	const struct terminal exact = { .width = 25 };
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "br-test-1", 7, "fits");
	prints(&table, &exact, "NAME       PACKETS  WHY\nbr-test-1        7  fits\n");
}

static void the_widest_names_are_cut_first(void **state)
{
	static const struct table_column names[] = {
		{ .flags = TABLE_CUT },
		{ .flags = TABLE_CUT },
		{ .flags = TABLE_CUT },
	};
	const struct terminal narrow = { .width = 36 };
	struct table table = TABLE(names);

	(void)state;
	table_row(&table);
	table_cell(&table, 0, "0123456789");
	table_cell(&table, 1, "0123456789abcdef");
	table_cell(&table, 2, "0123456789abcdefghij");
	prints(&table, &narrow, "0123456789  0123456789\xe2\x80\xa6  0123456789\xe2\x80\xa6\n");
}

static void wide_characters_take_two_columns(void **state)
{
	const struct terminal narrow = { .width = 38 };
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "\xe6\x97\xa5\xe6\x9c\xac", 7, "two");
	row(&table, "r\xc3\xa9seau", 8, "six");
	prints(&table, &a_pipe,
	       "NAME    PACKETS  WHY\n"
	       "\xe6\x97\xa5\xe6\x9c\xac          7  two\n"
	       "r\xc3\xa9seau        8  six\n");
	row(&table, "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5", 7,
	    "one two three four five six");
	prints(&table, &narrow,
	       "NAME      PACKETS  WHY\n"
	       "\xe6\x97\xa5\xe6\x9c\xac\xe6\x97\xa5\xe2\x80\xa6        7  one two three four\n"
	       "                   five six\n");
}

static void what_is_not_printable_becomes_a_question_mark(void **state)
{
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "a\x1b[2Jb", 7, "two\nlines");
	prints(&table, &a_pipe, "NAME    PACKETS  WHY\na?[2Jb        7  two?lines\n");
}

static void levels_are_colours_around_the_text_only(void **state)
{
	const struct terminal color = { .color = true };
	struct table table = TABLE(columns);

	(void)state;
	row(&table, "br", 7, "well");
	table_level(&table, 2, LEVEL_OK);
	row(&table, "br-test", 7, "broken");
	table_level(&table, 2, LEVEL_BROKEN);
	prints(&table, &color,
	       "\x1b[1mNAME\x1b[0m     \x1b[1mPACKETS\x1b[0m  \x1b[1mWHY\x1b[0m\n"
	       "br             7  \x1b[32mwell\x1b[0m\n"
	       "br-test        7  \x1b[1;31mbroken\x1b[0m\n");
	row(&table, "br", 7, "well");
	table_level(&table, 2, LEVEL_OK);
	prints(&table, &a_pipe, "NAME  PACKETS  WHY\nbr          7  well\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_and_no_line_ends_in_blanks),
		cmocka_unit_test(columns_that_no_row_fills_are_left_out),
		cmocka_unit_test(without_headings_there_is_no_line_of_them),
		cmocka_unit_test(in_a_pipe_every_cell_is_whole),
		cmocka_unit_test(a_narrow_terminal_wraps_text_between_words),
		cmocka_unit_test(a_narrower_one_cuts_names),
		cmocka_unit_test(what_fits_is_not_changed),
		cmocka_unit_test(the_widest_names_are_cut_first),
		cmocka_unit_test(wide_characters_take_two_columns),
		cmocka_unit_test(what_is_not_printable_becomes_a_question_mark),
		cmocka_unit_test(levels_are_colours_around_the_text_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
