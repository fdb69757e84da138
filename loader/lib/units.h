/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes and ages for people. --json has the exact numbers. */
#ifndef HBPF_UNITS_H
#define HBPF_UNITS_H

#include <linux/types.h>

#define SIZE_STRLEN 16
/** size_format() - a number of bytes as "912 B" or "1.4 KiB". Returns @buf */
const char *size_format(__u64 bytes, char buf[SIZE_STRLEN]);

#define AGE_STRLEN 32
/** age_format() - a number of seconds as "42s", "3m12s", "5h07m" or "12d03h". Returns @buf */
const char *age_format(__u64 seconds, char buf[AGE_STRLEN]);

#endif /* HBPF_UNITS_H */
