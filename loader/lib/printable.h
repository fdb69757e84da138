/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making untrusted text safe for terminals and logs: names of interfaces, processes and networks,
 * lines of files, replies of engines. All text output passes through here (output.c, log.c).
 *
 * Not printable are control characters (C0, DEL, C1), characters that change the direction of text
 * or end a line (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069), and bytes that are
 * not UTF-8.
 */
#ifndef HBPF_PRINTABLE_H
#define HBPF_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/** utf8_length() - length in bytes of the first character of @text, or 0 if it is invalid (RFC
 * 3629, 4) */
size_t utf8_length(const char *text);

/** utf8_code() - the code point of the first character, of which utf8_length() is @length */
unsigned int utf8_code(const char *text, size_t length);

/** utf8_columns() - the columns that valid UTF-8 takes on a terminal (wcwidth(3)) */
size_t utf8_columns(const char *text);

/** utf8_fit() - the length in bytes of what fits into @columns, of valid UTF-8 */
size_t utf8_fit(const char *text, size_t columns);

/**
 * printable_length() - as utf8_length(), but also 0 if the first character is not printable
 */
size_t printable_length(const char *text);

/** is_printable() - is all of it printable? A newline is not */
bool is_printable(const char *text);

/** printable() - replace each character that is not printable by '?', in place. Returns @text */
char *printable(char *text);

/** printable_lines() - as printable(), but keep newlines */
char *printable_lines(char *text);

#endif /* HBPF_PRINTABLE_H */
