/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void output_level(enum level level, const char *fmt, ...)
{
	const struct terminal terminal = terminal_query(stdout);
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) >= 0) {
		terminal_begin(stdout, &terminal, level);
		fputs(printable_lines(text), stdout);
		terminal_end(stdout, &terminal, level);
		free(text);
	}
	va_end(args);
}
