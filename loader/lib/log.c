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

/* Messages buffered while a lock is held. */
static struct {
	unsigned int depth;
	FILE *stream; /* NULL if out of memory: then messages are printed at once */
	char *text;
	size_t len;
} buffer;

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
	if (!buffer.depth++)
		buffer.stream = open_memstream(&buffer.text, &buffer.len);
}

void log_release(void)
{
	if (--buffer.depth || !buffer.stream)
		return;
	fclose(buffer.stream);
	buffer.stream = NULL;
	if (buffer.len) {
		fflush(stdout);
		fwrite(buffer.text, 1, buffer.len, stderr);
	}
	free(buffer.text);
}

/* Flush stdout first, to keep the order on a terminal. */
static FILE *begin(void)
{
	if (buffer.stream)
		return buffer.stream;
	fflush(stdout);
	return stderr;
}

/* "error" is one line. Further lines, which quote a SPEC, are "detail". */
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
	json_print(doc);
}

/* Everything that goes to standard error. */
static void print_args(const char *fmt, va_list args)
{
	FILE *to = begin();
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	fputs(printable_lines(text), to);
	free(text);
}

static void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_args(fmt, args);
	va_end(args);
}

void log_error(const struct error *err)
{
	if (setup.json) {
		error_json(err);
		return;
	}
	print("hbpf: %s\n", err->what);
	if (err->hint[0])
		print("      %s\n", err->hint);
	if (err->detail && setup.verbose)
		print("%s\n", err->detail);
	else if (err->detail)
		print("      (-v shows the kernel's log)\n");
}

static void print_line(const char *prefix, const char *fmt, va_list args)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, args);
	print("%s%s\n", prefix, line);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("hbpf: warning: ", fmt, args);
	va_end(args);
}

void log_notice(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("hbpf: ", fmt, args);
	va_end(args);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (!setup.verbose)
		return;
	va_start(args, fmt);
	print_line("hbpf: ", fmt, args);
	va_end(args);
}
