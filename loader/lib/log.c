/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/output.h"
#include "lib/printable.h"

static struct {
	bool verbose;
	bool json;
} setup;

/* What is kept back while something is held that others wait for. */
static struct {
	unsigned int depth;
	FILE *stream; /* NULL where there was no memory: then it is said at once */
	char *text;
	size_t len;
} held;

void log_setup(bool verbose, bool json)
{
	setup.verbose = verbose;
	setup.json = json;
}

bool log_is_verbose(void)
{
	return setup.verbose;
}

void log_hold(void)
{
	if (!held.depth++)
		held.stream = open_memstream(&held.text, &held.len);
}

void log_release(void)
{
	if (--held.depth || !held.stream)
		return;
	fclose(held.stream);
	held.stream = NULL;
	if (held.len) {
		fflush(stdout);
		fwrite(held.text, 1, held.len, stderr);
	}
	free(held.text);
}

/* stdout first: on a terminal both show up in the order they were said. */
static FILE *begin(void)
{
	if (held.stream)
		return held.stream;
	fflush(stdout);
	return stderr;
}

/* "error" is one line; the lines below it, which show where in a SPEC it is, are detail. */
static void error_json(const struct error *err)
{
	struct json_object *doc = json_object_new_object();
	size_t line = strcspn(err->what, "\n");
	char what[sizeof(err->what)];

	snprintf(what, sizeof(what), "%.*s", (int)line, err->what);
	json_add_string(doc, "error", what);
	if (err->hint[0])
		json_add_string(doc, "hint", err->hint);
	if (err->what[line])
		json_add_string(doc, "detail", err->what + line + 1);
	else if (err->detail && setup.verbose)
		json_add_string(doc, "detail", err->detail);
	output_json(doc);
}

/* Everything that goes to standard error. */
static void say_args(const char *fmt, va_list args)
{
	FILE *to = begin();
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	fputs(printable_lines(text), to);
	free(text);
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_args(fmt, args);
	va_end(args);
}

void log_error(const struct error *err)
{
	if (setup.json) {
		error_json(err);
		return;
	}
	say("hbpf: %s\n", err->what);
	if (err->hint[0])
		say("      %s\n", err->hint);
	if (err->detail && setup.verbose)
		say("%s\n", err->detail);
	else if (err->detail)
		say("      (-v shows the kernel's log)\n");
}

static void say_line(const char *prefix, const char *fmt, va_list args)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, args);
	say("%s%s\n", prefix, line);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_line("hbpf: warning: ", fmt, args);
	va_end(args);
}

void log_notice(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_line("hbpf: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (!setup.verbose)
		return;
	va_start(args, fmt);
	say_line("hbpf: ", fmt, args);
	va_end(args);
}
