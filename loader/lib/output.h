/* SPDX-License-Identifier: GPL-2.0-only */
/* Text on stdout: messages and aligned columns. */
#ifndef HBPF_OUTPUT_H
#define HBPF_OUTPUT_H

#include <linux/types.h>
#include <stddef.h>

/** output_text() - printf() to stdout, with what is not printable (printable.h) replaced by '?' */
void output_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define COLUMNS_MAX 8

/* A table whose columns are aligned when it is printed. All zero is an empty one. */
struct columns {
	struct columns_row {
		char *cells[COLUMNS_MAX];
	} * v;
	size_t count;
};

/**
 * columns_row() - append an empty row
 * Return: 0 or -ENOMEM
 */
int columns_row(struct columns *columns);

/**
 * columns_cell() - fill a column of the last row; columns that are never filled are left out
 *
 * What is not printable is replaced by '?', newlines too.
 */
void columns_cell(struct columns *columns, unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** columns_print() - print all rows, indented, and empty the table */
void columns_print(struct columns *columns, unsigned int indent);

#define SIZE_STRLEN 16
/** size_format() - a number of bytes as "912 B" or "1.4 KiB". Returns @buf */
const char *size_format(__u64 bytes, char buf[SIZE_STRLEN]);

#endif /* HBPF_OUTPUT_H */
