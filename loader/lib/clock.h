/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HBPF_CLOCK_H
#define HBPF_CLOCK_H

#include <linux/types.h>

/** monotonic_ms() - CLOCK_MONOTONIC in milliseconds, which setting the date does not change */
__s64 monotonic_ms(void);

#endif /* HBPF_CLOCK_H */
