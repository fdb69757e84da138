/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report that is shown again and again, until Ctrl-C. On a terminal each takes the place of the
 * one before, on the alternate screen (the user's is there again afterwards); in a pipe or a file
 * the reports follow each other, separated by an empty line.
 */
#ifndef HBPF_SCREEN_H
#define HBPF_SCREEN_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/error.h"

struct screen {
	bool in_place; /* on a terminal */
	bool has_shown;
	int signals; /* signalfd */
};

/**
 * screen_open() - begin, and receive the signals that end, stop or resize
 * @in_place:	false: reports follow each other on a terminal, too
 *
 * Return: 0 or -errno
 */
int screen_open(struct screen *screen, bool in_place, struct error *err);

/** screen_close() - restore the terminal; also after screen_open() failed */
void screen_close(struct screen *screen);

/**
 * screen_show() - show a report
 * @text:	Lines. A terminal with fewer rows shows the first, and how many are left out
 */
void screen_show(struct screen *screen, const char *text);

enum screen_event {
	SCREEN_DUE,     /* the time has come */
	SCREEN_RESIZED, /* show the report again, in the new size */
	SCREEN_STOP,    /* the user wants to end */
};

/** screen_wait() - wait until monotonic_ms() is @due, or something else happens */
enum screen_event screen_wait(struct screen *screen, __s64 due);

#endif /* HBPF_SCREEN_H */
