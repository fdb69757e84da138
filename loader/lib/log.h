/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command says to its user: errors, warnings and, with -v, what it does. */
#ifndef HBPF_LOG_H
#define HBPF_LOG_H

#include <stdbool.h>

#include "lib/error.h"

/**
 * log_setup() - how to talk
 * @verbose:	Print log_info() and the details of errors
 * @json:	Print errors as a JSON document on stdout, so that it always is one
 */
void log_setup(bool verbose, bool json);

/** log_is_verbose() - was -v given? */
bool log_is_verbose(void);

/**
 * log_hold() - keep what is logged in memory until log_release()
 *
 * Whoever reads standard error may stop reading. So nothing is written there while a lock is held
 * that others wait for: pins_open() and pins_close() call this. May be nested.
 */
void log_hold(void);

/** log_release() - write what was kept back, once it was called as often as log_hold() */
void log_release(void);

/** log_error() - print an error with its hint, under -v with its detail */
void log_error(const struct error *err);

/** log_warn() - something the user should know; the command goes on */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** log_notice() - what a service did, always printed */
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** log_info() - a step taken, printed with -v only */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HBPF_LOG_H */
