/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes to stdout: aligned text and JSON documents. */
#ifndef HBPF_OUTPUT_H
#define HBPF_OUTPUT_H

#include <linux/types.h>
#include <stddef.h>

struct json_object;

/**
 * output_json() - print one document and release it
 *
 * What is not printable (printable.h) is escaped, so that the document says it and no terminal
 * obeys it.
 */
void output_json(struct json_object *doc);

/** output_text() - printf() to stdout, with what is not printable (printable.h) replaced by '?' */
void output_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * output_string() - a JSON string of any text, each byte that is not of UTF-8 replaced by '?'
 *
 * Names of interfaces and processes are bytes that somebody chose, and JSON is UTF-8. All strings
 * of the documents are made here.
 */
struct json_object *output_string(const char *text);

#define COLUMNS_MOST 8

/* Rows of text whose columns are aligned when printed. All zero is an empty one. */
struct columns {
	char *(*rows)[COLUMNS_MOST];
	size_t count;
	size_t room;
};

/**
 * columns_row() - begin a row
 * Return: 0 or -ENOMEM; cells of a row that could not be begun go nowhere
 */
int columns_row(struct columns *columns);

/**
 * columns_cell() - fill a column of the last row; columns never filled are empty
 *
 * What is not printable is replaced by '?', newlines too.
 */
void columns_cell(struct columns *columns, unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** columns_print() - print all rows, indented, and empty the table */
void columns_print(struct columns *columns, unsigned int indent);

#define SIZE_STRLEN 16
/** size_format() - bytes for people: "912 B", "1.4 KiB". Returns @buf */
const char *size_format(__u64 bytes, char buf[SIZE_STRLEN]);

#endif /* HBPF_OUTPUT_H */
