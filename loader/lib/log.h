/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages for the user: errors, warnings and, with -v, each step. */
#ifndef HBPF_LOG_H
#define HBPF_LOG_H

#include <stdbool.h>

#include "lib/error.h"

/**
 * log_setup() - set how messages are printed
 * @verbose:	Print log_info() and the details of errors
 * @json:	Print errors on stdout as JSON, so that the output is always a JSON document
 */
void log_setup(bool verbose, bool json);

/** log_is_verbose() - was -v given? */
bool log_is_verbose(void);

/**
 * log_hold() - buffer messages until log_release()
 *
 * A reader of standard error may stop reading, and would then block every command that waits for
 * our lock. So pins_open() and pins_close() call this while they hold it. Calls may be nested.
 */
void log_hold(void);

/** log_release() - write what was buffered, at the last of nested calls */
void log_release(void);

/** log_error() - print an error with its hint, under -v with its detail */
void log_error(const struct error *err);

/** log_warn() - print a warning; the command continues */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** log_notice() - print what a service did */
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** log_info() - print a step, with -v only */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* HBPF_LOG_H */
