/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/clock.h"

#include <time.h>

__s64 monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
