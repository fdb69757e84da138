/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
	/* Formatted aside, because a caller may wrap: error_set(err, ret, "%s: %s", name,
	 * err->what)
	 */
	char what[sizeof(err->what)];
	va_list args;

	if (err) {
		va_start(args, fmt);
		vsnprintf(what, sizeof(what), fmt, args);
		va_end(args);
		memcpy(err->what, what, sizeof(what));
		err->hint[0] = '\0'; /* it belonged to what was said before */
	}
	return code < 0 ? code : -code;
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
		error_hint(err, "root without all capabilities, as in a container, may not; run it "
				"on the host");
}

void error_free(struct error *err)
{
	if (!err)
		return;
	free(err->detail);
	memset(err, 0, sizeof(*err));
}
