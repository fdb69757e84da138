/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/terminal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/array.h"

/* Parameters of "select graphic rendition" (ECMA-48, 8.3.117), which every terminal has. */
static const char *const codes[] = {
	[LEVEL_NONE] = NULL,     [LEVEL_OK] = "32",  [LEVEL_WARNING] = "33",
	[LEVEL_BROKEN] = "1;31", [LEVEL_HEAD] = "1",
};
static_assert(ARRAY_SIZE(codes) == LEVEL_MAX, "every level has a code");

static bool wants_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && no[0]) && term && term[0] && strcmp(term, "dumb") != 0;
}

struct terminal terminal_query(FILE *stream)
{
	struct winsize size = {};

	/* ENOTTY for everything else */
	if (ioctl(fileno(stream), TIOCGWINSZ, &size))
		return (struct terminal){};
	return (struct terminal){ .width = size.ws_col, .color = wants_color() };
}

void terminal_begin(FILE *stream, const struct terminal *terminal, enum level level)
{
	if (terminal->color && codes[level])
		fprintf(stream, "\033[%sm", codes[level]);
}

void terminal_end(FILE *stream, const struct terminal *terminal, enum level level)
{
	if (terminal->color && codes[level])
		fputs("\033[0m", stream);
}
