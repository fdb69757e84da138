/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables with aligned columns:
 *
 *	static const struct table_column columns[] = {
 *		{ .head = "PORT" },
 *		{ .head = "PACKETS", .flags = TABLE_RIGHT },
 *	};
 *	struct table table = TABLE(columns);
 *
 *	table_row(&table);
 *	table_cell(&table, 0, "%u/%s", port, protocol);
 *	table_cell(&table, 1, "%llu", packets);
 *	table_print(&table);
 *
 * In a pipe every cell is whole. A terminal that is too narrow gets the text of TABLE_WRAP in
 * several lines, and then the cells of TABLE_CUT shortened, the widest first. The terminal breaks
 * what is still too long.
 */
#ifndef HBPF_TABLE_H
#define HBPF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/array.h"
#include "lib/terminal.h"

enum table_flags {
	TABLE_RIGHT = 1 << 0, /* numbers */
	TABLE_CUT = 1 << 1,   /* may be shortened, to "a-long-na…" */
	TABLE_WRAP = 1 << 2,  /* may continue in further lines, if no column after it is filled */
};

struct table_column {
	const char *head; /* of all columns or none: without them no line of headings is printed */
	unsigned int flags; /* enum table_flags */
};

#define TABLE_COLUMNS_MAX 16

struct table {
	const struct table_column *columns;
	size_t column_count; /* TABLE_COLUMNS_MAX at most */
	unsigned int indent; /* of every line */

	/* private */
	struct {
		struct table_cell *v;
		size_t count;
	} cells;    /* row by row */
	char *text; /* of all cells */
	size_t used, room;
	bool incomplete; /* out of memory */
};

/* Initialiser; the columns are an array that outlives the table. */
#define TABLE(columns_)                                                                            \
	{                                                                                          \
		.columns = (columns_), .column_count = ARRAY_SIZE(columns_)                        \
	}

/** table_row() - append an empty row */
void table_row(struct table *table);

/**
 * table_cell() - fill a cell of the last row
 * @column:	Counts from 0
 *
 * Columns that no row fills are left out. What is not printable is replaced by '?', newlines too.
 */
void table_cell(struct table *table, size_t column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** table_level() - emphasize a cell of the last row */
void table_level(struct table *table, size_t column, enum level level);

/** table_print() - print the table to stdout and empty it. Without rows it prints nothing */
void table_print(struct table *table);

/** table_write() - as table_print(), to any stream, for a terminal of these properties */
void table_write(struct table *table, FILE *stream, const struct terminal *terminal);

#endif /* HBPF_TABLE_H */
