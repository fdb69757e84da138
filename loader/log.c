/* SPDX-License-Identifier: GPL-2.0-only */
#include "log.h"
#include "output.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>

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

/* An error may quote any bytes of the command line, and JSON is UTF-8. */
static struct json_object *ascii_json(const char *text)
{
	char ascii[sizeof(((struct error *)0)->what)];
	size_t len = 0;

	for (; text[len] && len < sizeof(ascii); len++)
		ascii[len] = (signed char)text[len] < 0 ? '?' : text[len];
	return json_object_new_string_len(ascii, (int)len);
}

static void error_json(const struct error *err)
{
	struct json_object *doc = json_object_new_object();

	json_object_object_add(doc, "error", ascii_json(err->what));
	if (err->hint[0])
		json_object_object_add(doc, "hint", ascii_json(err->hint));
	if (err->detail && setup.verbose)
		json_object_object_add(doc, "detail", json_object_new_string(err->detail));
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

void log_info(const char *fmt, ...)
{
	va_list args;

	if (!setup.verbose)
		return;
	va_start(args, fmt);
	say("hbpf: ", fmt, args);
	va_end(args);
}
