/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HBPF_CLOCK_H
#define HBPF_CLOCK_H

#include <linux/types.h>
#include <time.h>

#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  1000000000ULL

/** clock_ns() - the time of a clock in nanoseconds */
__u64 clock_ns(clockid_t clock);

/** monotonic_ms() - CLOCK_MONOTONIC in milliseconds, which setting the date does not change */
__s64 monotonic_ms(void);

#endif /* HBPF_CLOCK_H */
