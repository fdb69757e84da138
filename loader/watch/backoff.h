/* SPDX-License-Identifier: GPL-2.0-only */
/* When to try again what failed: after one second, then twice as long each time, up to a minute. */
#ifndef HBPF_BACKOFF_H
#define HBPF_BACKOFF_H

#include <linux/types.h>
#include <stdbool.h>

/* All zero: nothing failed. */
struct backoff {
	__s64 until; /* as of monotonic_ms() */
	int delay;   /* ms */
};

/** backoff_fail() - it failed at @now; wait longer than last time */
void backoff_fail(struct backoff *backoff, __s64 now);

/** backoff_left() - Return: ms from @now until it may be tried; 0: at once */
int backoff_left(const struct backoff *backoff, __s64 now);

#endif /* HBPF_BACKOFF_H */
