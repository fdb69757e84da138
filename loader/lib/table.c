/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/printable.h"

#define GAP      2  /* between columns */
#define CUT_MIN  8  /* narrower than that a name says nothing */
#define WRAP_MIN 20 /* narrower than that text cannot be read */

#define CELL_SIZE 64 /* enough for most texts, with the NUL */

#define ELLIPSIS "\xe2\x80\xa6" /* U+2026, one column */

struct table_cell {
	size_t at; /* in the table's text; only valid with columns */
	size_t columns;
	enum level level;
};

/* A table about to be written. */
struct layout {
	const struct table *table;
	FILE *stream;
	const struct terminal *terminal;
	size_t width[TABLE_COLUMNS_MAX]; /* 0: left out */
	size_t last;                     /* the last one that is not */
	bool heads;
};

void table_row(struct table *table)
{
	for (size_t i = 0; i < table->column_count && !table->incomplete; i++)
		table->incomplete = ARRAY_ADD(&table->cells, (struct table_cell){}) != 0;
}

/* Return: the cell in the last row, or NULL */
static struct table_cell *last_cell(const struct table *table, size_t column)
{
	if (table->incomplete || !table->cells.count || column >= table->column_count)
		return NULL;
	return &table->cells.v[table->cells.count - table->column_count + column];
}

/* Return: 0 or -1 if @size more bytes cannot be had */
static int make_room(struct table *table, size_t size)
{
	size_t room = table->room ? table->room : 1024;
	char *text;

	while (room - table->used < size)
		room *= 2;
	if (room == table->room)
		return 0;
	text = realloc(table->text, room);
	if (!text)
		return -1;
	table->text = text;
	table->room = room;
	return 0;
}

/* Writes to the end of the table's text. Return: the length, even if it is @size or more; or -1 */
static int format(struct table *table, size_t size, const char *fmt, va_list args)
{
	if (!table->incomplete)
		table->incomplete = make_room(table, size) != 0;
	return table->incomplete ? -1 : vsnprintf(table->text + table->used, size, fmt, args);
}

void table_cell(struct table *table, size_t column, const char *fmt, ...)
{
	struct table_cell *cell = last_cell(table, column);
	va_list args, again;
	int len;

	if (!cell)
		return;
	va_start(args, fmt);
	va_copy(again, args);
	len = format(table, CELL_SIZE, fmt, args);
	if (len >= CELL_SIZE)
		len = format(table, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	if (len < 0)
		return;
	cell->at = table->used;
	cell->columns = utf8_columns(printable(table->text + table->used));
	table->used += strlen(table->text + table->used) + 1;
}

void table_level(struct table *table, size_t column, enum level level)
{
	struct table_cell *cell = last_cell(table, column);

	if (cell)
		cell->level = level;
}

static void natural_widths(struct layout *layout)
{
	const struct table *table = layout->table;

	for (size_t i = 0; i < table->cells.count; i++) {
		size_t *width = &layout->width[i % table->column_count];

		if (table->cells.v[i].columns > *width)
			*width = table->cells.v[i].columns;
	}
	for (size_t i = 0; i < table->column_count; i++) {
		const char *head = table->columns[i].head;

		if (!layout->width[i])
			continue;
		layout->last = i;
		if (!head)
			continue;
		layout->heads = true;
		if (utf8_columns(head) > layout->width[i])
			layout->width[i] = utf8_columns(head);
	}
}

static size_t total_width(const struct layout *layout)
{
	size_t total = layout->table->indent;

	for (size_t i = 0; i <= layout->last; i++)
		total += layout->width[i] ? layout->width[i] + (i ? GAP : 0) : 0;
	return total;
}

/* The least width that a column may be reduced to. */
static size_t least_width(const struct layout *layout, size_t column)
{
	const struct table_column *at = &layout->table->columns[column];
	size_t least = at->flags & TABLE_WRAP ? WRAP_MIN : CUT_MIN;
	size_t head = at->head ? utf8_columns(at->head) : 0;

	return head > least ? head : least;
}

/* Takes up to @excess columns from one. Return: what is left of @excess */
static size_t reduce(struct layout *layout, size_t column, size_t excess, size_t least)
{
	size_t *width = &layout->width[column];
	size_t spare = *width > least ? *width - least : 0;
	size_t taken = spare < excess ? spare : excess;

	*width -= taken;
	return excess - taken;
}

/* Return: the widest column that can still be cut, or -1; @next: the width of the next one */
static int widest_cut(const struct layout *layout, size_t *next)
{
	int widest = -1;

	*next = 0;
	for (size_t i = 0; i < layout->table->column_count; i++) {
		if (!(layout->table->columns[i].flags & TABLE_CUT) ||
		    layout->width[i] <= least_width(layout, i))
			continue;
		if (widest < 0 || layout->width[i] > layout->width[widest]) {
			*next = widest < 0 ? 0 : layout->width[widest];
			widest = (int)i;
		} else if (layout->width[i] > *next) {
			*next = layout->width[i];
		}
	}
	return widest;
}

static void fit(struct layout *layout)
{
	size_t total = total_width(layout), excess, next;
	int widest;

	if (!layout->terminal->width || total <= layout->terminal->width)
		return;
	excess = total - layout->terminal->width;
	if (layout->table->columns[layout->last].flags & TABLE_WRAP)
		excess = reduce(layout, layout->last, excess, least_width(layout, layout->last));
	while (excess && (widest = widest_cut(layout, &next)) >= 0) {
		size_t least = least_width(layout, (size_t)widest);

		/* until it is as narrow as the next one, then both in turn */
		if (next >= layout->width[widest])
			next = layout->width[widest] - 1;
		excess = reduce(layout, (size_t)widest, excess, next > least ? next : least);
	}
}

static void blanks(FILE *stream, size_t count)
{
	fprintf(stream, "%*s", (int)count, "");
}

static void emphasized(const struct layout *layout, enum level level, const char *text, size_t len)
{
	terminal_begin(layout->stream, layout->terminal, level);
	fwrite(text, 1, len, layout->stream);
	terminal_end(layout->stream, layout->terminal, level);
}

static void cut(const struct layout *layout, enum level level, const char *text, size_t width)
{
	emphasized(layout, level, text, utf8_fit(text, width - 1));
	fputs(ELLIPSIS, layout->stream);
}

/* Return: the length of the first line of @text, which ends at a blank; a long word stays whole */
static size_t line_length(const char *text, size_t width)
{
	size_t len = utf8_fit(text, width), at = len;

	if (!text[len])
		return len;
	while (at && text[at] != ' ')
		at--;
	return at ? at : len + strcspn(text + len, " ");
}

static void wrap(const struct layout *layout, enum level level, const char *text)
{
	size_t width = layout->width[layout->last];
	size_t start = total_width(layout) - width;

	for (bool first = true; *text; first = false) {
		size_t len = line_length(text, width);

		if (!first) {
			putc('\n', layout->stream);
			blanks(layout->stream, start);
		}
		emphasized(layout, level, text, len);
		text += len;
		text += strspn(text, " ");
	}
}

static void write_text(const struct layout *layout, size_t column, enum level level,
		       const char *text, size_t columns)
{
	unsigned int flags = layout->table->columns[column].flags;
	size_t width = layout->width[column];

	if (columns > width && column == layout->last && flags & TABLE_WRAP)
		wrap(layout, level, text);
	else if (columns > width)
		cut(layout, level, text, width);
	else
		emphasized(layout, level, text, strlen(text));
}

/* A cell of a row, after the blanks that earlier ones left; so no line ends in blanks. */
static void write_cell(const struct layout *layout, size_t column, enum level level,
		       const char *text, size_t columns, size_t *before)
{
	size_t width = layout->width[column];
	size_t spare = columns < width ? width - columns : 0;
	bool right = layout->table->columns[column].flags & TABLE_RIGHT;

	if (!width)
		return;
	if (columns) {
		blanks(layout->stream, *before + (right ? spare : 0));
		write_text(layout, column, level, text, columns);
		*before = GAP + (right ? 0 : spare);
	} else {
		*before += width + GAP;
	}
}

static void write_heads(const struct layout *layout)
{
	size_t before = layout->table->indent;

	for (size_t i = 0; i < layout->table->column_count; i++) {
		const char *head = layout->table->columns[i].head;

		head = head ? head : "";
		write_cell(layout, i, LEVEL_HEAD, head, utf8_columns(head), &before);
	}
	putc('\n', layout->stream);
}

static void write_row(const struct layout *layout, const struct table_cell *row)
{
	size_t before = layout->table->indent;

	for (size_t i = 0; i < layout->table->column_count; i++) {
		const char *text = row[i].columns ? layout->table->text + row[i].at : "";

		write_cell(layout, i, row[i].level, text, row[i].columns, &before);
	}
	putc('\n', layout->stream);
}

void table_write(struct table *table, FILE *stream, const struct terminal *terminal)
{
	struct layout layout = { .table = table, .stream = stream, .terminal = terminal };

	natural_widths(&layout);
	fit(&layout);
	if (layout.heads)
		write_heads(&layout);
	for (size_t i = 0; i + table->column_count <= table->cells.count; i += table->column_count)
		write_row(&layout, &table->cells.v[i]);
	if (table->incomplete)
		fputs("(out of memory: some rows are missing)\n", stream);
	free(table->cells.v);
	free(table->text);
	*table = (struct table){ .columns = table->columns,
				 .column_count = table->column_count,
				 .indent = table->indent };
}

void table_print(struct table *table)
{
	const struct terminal terminal = terminal_query(stdout);

	table_write(table, stdout, &terminal);
}
