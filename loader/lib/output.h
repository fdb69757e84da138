/* SPDX-License-Identifier: GPL-2.0-only */
/* Text on stdout. Aligned columns: table.h. */
#ifndef HBPF_OUTPUT_H
#define HBPF_OUTPUT_H

#include "lib/terminal.h"

/** output_text() - printf() to stdout, with what is not printable (printable.h) replaced by '?' */
void output_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** output_level() - as output_text(), emphasized if stdout is a terminal */
void output_level(enum level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* HBPF_OUTPUT_H */
