/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/printable.h"

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

int columns_row(struct columns *columns)
{
	return ARRAY_ADD(columns, (struct columns_row){});
}

void columns_cell(struct columns *columns, unsigned int column, const char *fmt, ...)
{
	char **cell;
	va_list args;

	if (!columns->count || column >= COLUMNS_MAX)
		return;
	cell = &columns->v[columns->count - 1].cells[column];
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

static void column_widths(const struct columns *columns, size_t width[COLUMNS_MAX])
{
	memset(width, 0, COLUMNS_MAX * sizeof(*width));
	for (size_t row = 0; row < columns->count; row++) {
		for (unsigned int column = 0; column < COLUMNS_MAX; column++) {
			size_t wide = cell_width(columns->v[row].cells[column]);

			if (wide > width[column])
				width[column] = wide;
		}
	}
}

static void print_row(char *const row[COLUMNS_MAX], const size_t width[COLUMNS_MAX],
		      unsigned int indent)
{
	size_t blanks = indent; /* before the next text, so that no line ends in blanks */

	for (unsigned int column = 0; column < COLUMNS_MAX; column++) {
		size_t wide = cell_width(row[column]);

		if (!width[column])
			continue;
		if (wide) {
			printf("%*s%s", (int)blanks, "", row[column]);
			blanks = 0;
		}
		blanks += width[column] - wide + 2;
	}
	putchar('\n');
}

void columns_print(struct columns *columns, unsigned int indent)
{
	size_t width[COLUMNS_MAX];

	column_widths(columns, width);
	for (size_t row = 0; row < columns->count; row++) {
		print_row(columns->v[row].cells, width, indent);
		for (unsigned int column = 0; column < COLUMNS_MAX; column++)
			free(columns->v[row].cells[column]);
	}
	free(columns->v);
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
