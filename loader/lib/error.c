/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* @fmt may take err->what as an argument, so the text is formatted aside. */
static void set_what(struct error *err, const char *reason, const char *fmt, va_list args)
{
	char what[sizeof(err->what)];
	int len = vsnprintf(what, sizeof(what), fmt, args);

	if (reason && len >= 0 && (size_t)len < sizeof(what))
		snprintf(what + len, sizeof(what) - len, ": %s", reason);
	memcpy(err->what, what, sizeof(what));
	err->hint[0] = '\0'; /* it belonged to the previous text */
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		set_what(err, NULL, fmt, args);
		va_end(args);
	}
	return code < 0 ? code : -code;
}

int error_errno(struct error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (err) {
		va_start(args, fmt);
		set_what(err, strerror(code < 0 ? -code : code), fmt, args);
		va_end(args);
	}
	return code < 0 ? code : -code;
}

int error_nomem(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory");
}

void error_hint(struct error *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, args);
	va_end(args);
}

void error_hint_privileges(struct error *err, int code)
{
	if (code == -EPERM || code == -EACCES)
		error_hint(err,
			   "root lacks a capability for this, as in a container; run it on the "
			   "host");
}

void error_free(struct error *err)
{
	if (!err)
		return;
	free(err->detail);
	memset(err, 0, sizeof(*err));
}
