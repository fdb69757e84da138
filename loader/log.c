/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"
#include "output.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	bool verbose;
	bool json;
} setup;

void log_setup(bool verbose, bool json)
{
	setup.verbose = verbose;
	setup.json = json;
}

bool log_is_verbose(void)
{
	return setup.verbose;
}

/* "error" is one line; the lines below it, which show where in a SPEC it is, are detail. */
static void error_json(const struct error *err)
{
	struct json_object *doc = json_object_new_object();
	size_t line = strcspn(err->what, "\n");
	char what[sizeof(err->what)];

	snprintf(what, sizeof(what), "%.*s", (int)line, err->what);
	json_object_object_add(doc, "error", output_string(what));
	if (err->hint[0])
		json_object_object_add(doc, "hint", output_string(err->hint));
	if (err->what[line])
		json_object_object_add(doc, "detail", output_string(err->what + line + 1));
	else if (err->detail && setup.verbose)
		json_object_object_add(doc, "detail", output_string(err->detail));
	output_json(doc);
}

void log_error(const struct error *err)
{
	if (setup.json) {
		error_json(err);
		return;
	}
	fflush(stdout);
	fprintf(stderr, "hbpf: %s\n", err->what);
	if (err->hint[0])
		fprintf(stderr, "      %s\n", err->hint);
	if (err->detail && setup.verbose)
		fprintf(stderr, "%s\n", err->detail);
	else if (err->detail)
		fprintf(stderr, "      (-v shows the kernel's log)\n");
}

static void say(const char *prefix, const char *fmt, va_list args)
{
	/* stdout first: on a terminal both show up in the order they were said */
	fflush(stdout);
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("hbpf: warning: ", fmt, args);
	va_end(args);
}

void log_notice(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("hbpf: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (!setup.verbose)
		return;
	va_start(args, fmt);
	say("hbpf: ", fmt, args);
	va_end(args);
}
