/* SPDX-License-Identifier: GPL-2.0-only */
/* What a stream can show: its width, and whether it takes colours. */
#ifndef HBPF_TERMINAL_H
#define HBPF_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* How text is emphasized. Colour only repeats what the text says: pipes and others do without. */
enum level {
	LEVEL_NONE,
	LEVEL_OK,
	LEVEL_WARNING,
	LEVEL_BROKEN,
	LEVEL_HEAD, /* headings */
	LEVEL_MAX,
};

/* All zero is a pipe or a file. */
struct terminal {
	unsigned int width; /* in columns; 0: unlimited */
	bool color;
};

/**
 * terminal_query() - the properties of a stream, as they are now: a window may be resized
 *
 * Colours are for terminals only, and not with TERM=dumb, without TERM, or if NO_COLOR is not empty
 * (https://no-color.org).
 */
struct terminal terminal_query(FILE *stream);

/**
 * terminal_begin() - start emphasized text; terminal_end() ends it
 *
 * Both write nothing if the terminal has no colour or @level is LEVEL_NONE.
 */
void terminal_begin(FILE *stream, const struct terminal *terminal, enum level level);
void terminal_end(FILE *stream, const struct terminal *terminal, enum level level);

#endif /* HBPF_TERMINAL_H */
