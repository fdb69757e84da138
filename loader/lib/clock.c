/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/clock.h"

__u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (__u64)now.tv_sec * NSEC_PER_SEC + (__u64)now.tv_nsec;
}

__s64 monotonic_ms(void)
{
	return (__s64)(clock_ns(CLOCK_MONOTONIC) / NSEC_PER_MSEC);
}
