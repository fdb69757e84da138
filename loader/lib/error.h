/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a library function of the loader tells what went wrong.
 *
 * They return 0 or more when they worked and -errno when not; they never print
 * and never exit. Where the errno alone would not tell the user what was tried
 * and on what, the function also takes a struct error and writes it there. The
 * command prints it (log.h) and picks the exit code.
 */
#ifndef HBPF_ERROR_H
#define HBPF_ERROR_H

struct error {
	char what[512]; /* what was tried, on what, and why it failed: "br0: no such interface" */
	char hint[512]; /* the next step, a sentence; empty where there is none */
	char *detail;   /* long text for -v such as the verifier's log; malloc'd, or NULL */
};

/**
 * error_set() - describe a failure
 * @err:	Receives the text; NULL: nothing is written
 * @code:	The errno to return, positive or negative
 * @fmt:	printf format of the text, without a newline or full stop at its end
 *
 * Return: -|code|, so that a failing path reads "return error_set(err, ENODEV, ...)"
 */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * error_errno() - as error_set(), and append ": " and the description of @code
 *
 * "return error_errno(err, errno, "cannot open %s", path)"
 */
int error_errno(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * error_hint() - add the next step to an error already set
 * @err:	Where to, or NULL
 * @fmt:	printf format: a whole sentence without the full stop, as "run it as root"
 */
void error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * error_hint_privileges() - the next step where a right was lacking (-EPERM, -EACCES)
 * @code:	-errno; with any other nothing is written
 *
 * Commands begin as root, so what is lacking is a capability.
 */
void error_hint_privileges(struct error *err, int code);

/** error_free() - release what an error holds; it may be used again after */
void error_free(struct error *err);

#endif /* HBPF_ERROR_H */
