/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Text that others chose, made fit for terminals and logs: names of interfaces, processes and
 * networks, lines of files, answers of engines. Everything that is printed as text passes here
 * (output.c, log.c).
 *
 * Not printable are control characters (C0, DEL, C1), those that turn the direction of writing or
 * end a line (U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069), and bytes that are not
 * UTF-8.
 */
#ifndef HBPF_PRINTABLE_H
#define HBPF_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/** utf8_length() - bytes of the character @text begins with, or 0 where it is none (RFC 3629, 4) */
size_t utf8_length(const char *text);

/** utf8_code() - the code point of a character that is @length bytes long, as of utf8_length() */
unsigned int utf8_code(const char *text, size_t length);

/** utf8_columns() - how many characters a text of UTF-8 has */
size_t utf8_columns(const char *text);

/**
 * printable_length() - bytes of the printable character @text begins with
 * Return: 0 where it is not printable: then utf8_length() tells whether it is a character
 */
size_t printable_length(const char *text);

/** is_printable() - is there nothing to replace, newlines included? */
bool is_printable(const char *text);

/** printable() - replace, in place, each character that is not printable by '?'. Returns @text */
char *printable(char *text);

/** printable_lines() - the same, but newlines stay */
char *printable_lines(char *text);

#endif /* HBPF_PRINTABLE_H */
