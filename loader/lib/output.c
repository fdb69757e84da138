/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/output.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/printable.h"

/*
 * json-c escapes C0 only. What else a terminal would obey is only found within strings, where an
 * escape means the same. All of it is below U+10000.
 */
static void put_json(const char *text)
{
	size_t length, plain = 0;

	for (; text[plain]; plain += length) {
		length = text[plain] == '\n' ? 1 : printable_length(text + plain);
		if (length)
			continue;
		fwrite(text, 1, plain, stdout);
		text += plain;
		plain = 0;
		length = utf8_length(text);
		printf("\\u%04x", utf8_code(text, length));
		text += length;
		length = 0;
	}
	puts(text);
}

void output_json(struct json_object *doc)
{
	put_json(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PRETTY |
							     JSON_C_TO_STRING_SPACED |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
}

void output_text(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		fputs(printable_lines(text), stdout);
		free(text);
	}
	va_end(args);
}

struct json_object *output_string(const char *text)
{
	char *clean = strdup(text);
	struct json_object *string;
	size_t at = 0, length;

	while (clean && clean[at]) {
		length = utf8_length(clean + at);
		if (!length)
			clean[at++] = '?';
		at += length;
	}
	string = json_object_new_string(clean ? clean : "");
	free(clean);
	return string;
}

int columns_row(struct columns *columns)
{
	if (columns->count == columns->room) {
		size_t room = columns->room ? 2 * columns->room : 16;
		void *rows = reallocarray(columns->rows, room, sizeof(*columns->rows));

		if (!rows)
			return -ENOMEM;
		columns->rows = rows;
		columns->room = room;
	}
	memset(columns->rows[columns->count++], 0, sizeof(*columns->rows));
	return 0;
}

void columns_cell(struct columns *columns, unsigned int column, const char *fmt, ...)
{
	char **cell;
	va_list args;

	if (!columns->count || column >= COLUMNS_MOST)
		return;
	cell = &columns->rows[columns->count - 1][column];
	free(*cell);
	va_start(args, fmt);
	if (vasprintf(cell, fmt, args) >= 0)
		printable(*cell);
	else
		*cell = NULL;
	va_end(args);
}

static size_t cell_width(const char *cell)
{
	return cell ? utf8_columns(cell) : 0;
}

static void column_widths(const struct columns *columns, size_t width[COLUMNS_MOST])
{
	memset(width, 0, COLUMNS_MOST * sizeof(*width));
	for (size_t row = 0; row < columns->count; row++) {
		for (unsigned int column = 0; column < COLUMNS_MOST; column++) {
			size_t wide = cell_width(columns->rows[row][column]);

			if (wide > width[column])
				width[column] = wide;
		}
	}
}

static void print_row(char *const row[COLUMNS_MOST], const size_t width[COLUMNS_MOST],
		      unsigned int indent)
{
	size_t owed = indent; /* blanks due before the next text, so that no line ends in any */

	for (unsigned int column = 0; column < COLUMNS_MOST; column++) {
		size_t wide = cell_width(row[column]);

		if (!width[column])
			continue;
		if (wide) {
			printf("%*s%s", (int)owed, "", row[column]);
			owed = 0;
		}
		owed += width[column] - wide + 2;
	}
	putchar('\n');
}

void columns_print(struct columns *columns, unsigned int indent)
{
	size_t width[COLUMNS_MOST];

	column_widths(columns, width);
	for (size_t row = 0; row < columns->count; row++) {
		print_row(columns->rows[row], width, indent);
		for (unsigned int column = 0; column < COLUMNS_MOST; column++)
			free(columns->rows[row][column]);
	}
	free(columns->rows);
	memset(columns, 0, sizeof(*columns));
}

const char *size_format(__u64 bytes, char buf[SIZE_STRLEN])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, SIZE_STRLEN, "%u B", (unsigned int)bytes);
		return buf;
	}
	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, SIZE_STRLEN, "%.1f %s", value, units[unit]);
	return buf;
}
