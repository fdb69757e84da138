/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/backoff.h"

#define FIRST_MS 1000
#define LAST_MS  60000

void backoff_fail(struct backoff *backoff, __s64 now)
{
	backoff->delay = backoff->delay ? 2 * backoff->delay : FIRST_MS;
	if (backoff->delay > LAST_MS)
		backoff->delay = LAST_MS;
	backoff->until = now + backoff->delay;
}

int backoff_left(const struct backoff *backoff, __s64 now)
{
	__s64 left = backoff->until - now;

	return left > 0 ? (int)left : 0;
}
