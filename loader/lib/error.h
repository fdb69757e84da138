/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors of library functions. They return 0 or more on success and -errno on failure; they never
 * print or exit. Where an errno alone would not say what failed on which object, the function also
 * fills a struct error. The command prints it (log.h) and chooses the exit code.
 */
#ifndef HBPF_ERROR_H
#define HBPF_ERROR_H

struct error {
	char what[512]; /* what failed, on which object, and why: "br0: no such interface" */
	char hint[512]; /* the next step, or empty */
	char *detail;   /* text for -v, such as the verifier's log; malloc'd, or NULL */
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

/** error_nomem() - as error_set() for ENOMEM, which needs no more than "out of memory" */
int error_nomem(struct error *err);

/**
 * error_hint() - add the next step to an error already set
 * @err:	Where to, or NULL
 * @fmt:	printf format of a sentence without a full stop, as "run it as root"
 */
void error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * error_hint_privileges() - add the next step for -EPERM and -EACCES
 * @code:	-errno; others are ignored
 *
 * Commands run as root, so a capability is missing.
 */
void error_hint_privileges(struct error *err, int code);

/** error_free() - release it; it may be used again after */
void error_free(struct error *err);

#endif /* HBPF_ERROR_H */
