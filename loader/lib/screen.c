/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/screen.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/clock.h"
#include "lib/signals.h"

/* Of xterm and those that follow it: terminfo has the same for all of them. */
#define ALTERNATE_SCREEN "\033[?1049h\033[?25l\033[?7l" /* no cursor, no wrapping of lines */
#define ORIGINAL_SCREEN  "\033[?7h\033[?25h\033[?1049l"
#define TOP              "\033[H"
#define END_OF_LINE      "\033[K" /* erase what the report before had there */
#define END_OF_SCREEN    "\033[J"

static void put_now(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

int screen_open(struct screen *screen, bool in_place, struct error *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };

	*screen = (struct screen){ .in_place = in_place && isatty(STDOUT_FILENO), .signals = -1 };
	screen->signals = signals_open(signals, ARRAY_SIZE(signals), err);
	if (screen->signals < 0)
		return screen->signals;
	if (screen->in_place)
		put_now(ALTERNATE_SCREEN);
	return 0;
}

void screen_close(struct screen *screen)
{
	if (screen->signals < 0)
		return;
	if (screen->in_place)
		put_now(ORIGINAL_SCREEN);
	close(screen->signals);
	screen->signals = -1;
}

/* Ctrl-Z: the shell gets the terminal as it was. */
static void pause_here(const struct screen *screen)
{
	if (screen->in_place)
		put_now(ORIGINAL_SCREEN);
	raise(SIGSTOP);
	if (screen->in_place)
		put_now(ALTERNATE_SCREEN);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* Return: what follows the line at @text */
static const char *put_line(const char *text)
{
	size_t len = strcspn(text, "\n");

	fwrite(text, 1, len, stdout);
	return text + len + (text[len] == '\n');
}

static void fill_terminal(const char *text)
{
	struct winsize size = {};
	size_t lines = count_lines(text), rows;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	/* The last row is left empty: a newline there would scroll. */
	rows = size.ws_row > 2 ? size.ws_row - 2U : SIZE_MAX;
	fputs(TOP, stdout);
	for (size_t row = 0; *text && row < rows; row++) {
		text = put_line(text);
		fputs(END_OF_LINE "\n", stdout);
	}
	if (*text)
		printf("%zu more lines do not fit" END_OF_LINE, lines - rows);
	fputs(END_OF_SCREEN, stdout);
}

void screen_show(struct screen *screen, const char *text)
{
	if (screen->in_place) {
		fill_terminal(text);
	} else {
		if (screen->has_shown)
			putchar('\n');
		fputs(text, stdout);
	}
	screen->has_shown = true;
	fflush(stdout);
}

enum screen_event screen_wait(struct screen *screen, __s64 due)
{
	struct pollfd fd = { .fd = screen->signals, .events = POLLIN };
	struct signalfd_siginfo info;

	for (;;) {
		__s64 left = due - monotonic_ms();

		if (left <= 0)
			return SCREEN_DUE;
		if (poll(&fd, 1, (int)(left < INT_MAX ? left : INT_MAX)) <= 0)
			continue;
		if (read(screen->signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGTSTP)
			pause_here(screen);
		else if (info.ssi_signo != SIGWINCH)
			return SCREEN_STOP;
		if (screen->in_place)
			return SCREEN_RESIZED;
	}
}
