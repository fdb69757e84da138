/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/cli.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/log.h"
#include "lib/str_list.h"

#define HELP_COLUMN 28

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct cli_common, field)

static const struct cli_option common_options[] = {
	{ .name = "json",
	  .help = "print one JSON document on stdout, also for an error",
	  STORE(FLAG, json) },
	{ .name = "verbose",
	  .letter = 'v',
	  .help = "verbose output, full error details",
	  STORE(FLAG, verbose) },
	{ .name = "help", .letter = 'h', .help = "show this help", STORE(FLAG, help) },
	{ .name = "version",
	  .letter = 'V',
	  .help = "show the versions of hbpf and libbpf",
	  STORE(FLAG, version) },
	{},
};

/* An option found: its row, and the struct its value goes to. */
struct match {
	const struct cli_option *row;
	void *store;
};

/* State of the parser: @at is the index of the next argument. */
struct parser {
	const struct command *command; /* NULL before the command's name */
	struct cli_call *call;         /* the same */
	struct cli_common *common;
	char *const *argv;
	size_t at;
};

int cli_usage(const struct command *command, const char *fmt, ...)
{
	struct error err = {};
	va_list args;

	va_start(args, fmt);
	vsnprintf(err.what, sizeof(err.what), fmt, args);
	va_end(args);
	error_hint(&err, "see `hbpf %s%s--help`", command ? command->name : "", command ? " " : "");
	log_error(&err);
	return EXIT_USAGE;
}

/* --version is accepted only without a command, --json only by commands that report. */
static bool is_accepted(const struct cli_option *row, const struct command *command)
{
	if (row->offset == offsetof(struct cli_common, json))
		return !command || command->reports;
	if (row->offset == offsetof(struct cli_common, version))
		return !command;
	return true;
}

const struct cli_option *cli_shown_option(const struct command *command, size_t i)
{
	for (const struct cli_option *row = command ? command->options : NULL; row && row->name;
	     row++) {
		if (!row->alias_of && !i--)
			return row;
	}
	for (const struct cli_option *row = common_options; row->name; row++) {
		if (is_accepted(row, command) && !i--)
			return row;
	}
	return NULL;
}

static const char *option_name(const void *list, size_t i)
{
	const struct cli_option *row = cli_shown_option(list, i);

	return row ? row->name : NULL;
}

static const struct cli_option *find_row(const struct cli_option *rows, const char *name,
					 size_t len, char letter)
{
	for (const struct cli_option *row = rows; row && row->name; row++) {
		if (letter ? row->letter != letter
			   : strlen(row->name) != len || strncmp(row->name, name, len))
			continue;
		return row->alias_of ? find_row(rows, row->alias_of, strlen(row->alias_of), 0)
				     : row;
	}
	return NULL;
}

/* Of the command itself, not the common ones. */
static const struct cli_option *find_own(const struct command *command, const char *name,
					 size_t len, char letter)
{
	return command ? find_row(command->options, name, len, letter) : NULL;
}

const struct command *cli_find_command(const struct command *const *commands, const char *name)
{
	for (; *commands; commands++) {
		const char *old_name = (*commands)->old_name;

		if (!strcmp((*commands)->name, name) || (old_name && !strcmp(old_name, name)))
			return *commands;
	}
	return NULL;
}

const struct cli_option *cli_find_option(const struct command *command, const char *name,
					 size_t len, char letter)
{
	const struct cli_option *row = find_own(command, name, len, letter);

	if (row)
		return row;
	row = find_row(common_options, name, len, letter);
	return row && is_accepted(row, command) ? row : NULL;
}

static bool find_option(const struct parser *p, const char *name, size_t len, char letter,
			struct match *match)
{
	match->row = cli_find_option(p->command, name, len, letter);
	match->store =
		find_own(p->command, name, len, letter) ? p->call->options : (void *)p->common;
	return match->row != NULL;
}

static int choose(const struct command *command, const struct cli_option *row, const char *arg,
		  struct choice *choice)
{
	char known[CHOICES_STRLEN];
	int value = choice_find(arg, row->choices, known);

	if (value < 0) {
		cli_usage(command, "--%s takes one of %s, not '%s'", row->name, known, arg);
		return -1;
	}
	*choice = (struct choice){ true, value };
	return 0;
}

static int store_value(const struct parser *p, const struct match *match, const char *value)
{
	void *field = (char *)match->store + match->row->offset;

	switch (match->row->store) {
	case CLI_FLAG:
		*(bool *)field = true;
		return 0;
	case CLI_SET:
		*(struct choice *)field = (struct choice){ true, match->row->value };
		return 0;
	case CLI_CHOICE:
		return value ? choose(p->command, match->row, value, field) : -1;
	case CLI_LIST:
	case CLI_NUMBER:
		if (!ARRAY_ADD((struct arg_list *)field, value))
			return 0;
		cli_usage(p->command, "out of memory");
		return -1;
	}
	return -1;
}

/* Is the next argument left for other purposes, as this value may be left out? */
static bool leaves_next(const struct cli_option *row, const char *next)
{
	return row->store == CLI_NUMBER && !(next && isdigit((unsigned char)*next));
}

/* @inside: the value if it is part of the same argument (--hook=tcx, -p8088), else NULL */
static int take_option(struct parser *p, const struct match *match, const char *inside)
{
	const char *value = inside;

	if (!match->row->metavar && inside) {
		cli_usage(p->command, "--%s takes no value", match->row->name);
		return -1;
	}
	if (match->row->metavar && !inside && !leaves_next(match->row, p->argv[p->at])) {
		value = p->argv[p->at];
		if (!value) {
			cli_usage(p->command, "--%s needs a value: --%s %s", match->row->name,
				  match->row->name, match->row->metavar);
			return -1;
		}
		p->at++;
	}
	return store_value(p, match, value);
}

static void unknown_option(const struct parser *p, const char *arg, size_t len)
{
	char name[64];
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", len < 2 ? 0 : (int)len - 2, arg + 2);
	nearest = arg[1] == '-' ? choice_nearest(name, option_name, p->command) : NULL;
	cli_usage(p->command, "%s has no option %.*s%s%s%s", p->command ? p->command->name : "hbpf",
		  (int)len, arg, nearest ? "; did you mean --" : "", nearest ? nearest : "",
		  nearest ? "?" : "");
}

static int parse_long(struct parser *p, const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	struct match match;

	if (!find_option(p, arg + 2, len - 2, 0, &match)) {
		unknown_option(p, arg, len);
		return -1;
	}
	return take_option(p, &match, equals ? equals + 1 : NULL);
}

/* -v, -vh, -p8088, -p 8088 */
static int parse_short(struct parser *p, const char *arg)
{
	struct match match;

	for (const char *letter = arg + 1; *letter; letter++) {
		if (!find_option(p, NULL, 0, *letter, &match)) {
			char option[3] = { '-', *letter, 0 };

			unknown_option(p, option, 2);
			return -1;
		}
		if (match.row->metavar)
			return take_option(p, &match, letter[1] ? letter + 1 : NULL);
		if (take_option(p, &match, NULL))
			return -1;
	}
	return 0;
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1];
}

static bool json_ahead(char *const *argv)
{
	for (; *argv && strcmp(*argv, "--"); argv++) {
		if (!strcmp(*argv, "--json"))
			return true;
	}
	return false;
}

int cli_common_parse(char *const *argv, struct cli_common *common)
{
	struct parser p = { .common = common, .argv = argv };

	log_setup(false, json_ahead(argv));
	while (argv[p.at] && is_option(argv[p.at])) {
		const char *arg = argv[p.at++];

		if (arg[1] == '-' ? parse_long(&p, arg) : parse_short(&p, arg))
			return -1;
	}
	return (int)p.at;
}

static int too_many(const struct cli_call *call, const char *arg)
{
	if (call->command->max_args)
		cli_usage(call->command, "%s takes no further argument: '%s'", call->command->name,
			  arg);
	else
		cli_usage(call->command, "%s takes no argument: '%s'", call->command->name, arg);
	return -1;
}

int cli_parse(struct cli_call *call, char *const *argv, struct cli_common *common)
{
	struct parser p = {
		.command = call->command, .call = call, .common = common, .argv = argv
	};
	bool only_args = false;
	size_t count = 0;

	while (argv[count])
		count++;
	call->args = calloc(count + 1, sizeof(*call->args));
	call->options = calloc(1, call->command->options_size + 1);
	if (!call->args || !call->options) {
		cli_usage(call->command, "out of memory");
		return -1;
	}
	while (argv[p.at]) {
		const char *arg = argv[p.at++];
		int ret = 0;

		if (!only_args && !strcmp(arg, "--"))
			only_args = true;
		else if (only_args || !is_option(arg))
			call->args[call->arg_count++] = arg;
		else
			ret = arg[1] == '-' ? parse_long(&p, arg) : parse_short(&p, arg);
		if (ret)
			return -1;
	}
	if (common->json && !call->command->reports) {
		cli_usage(call->command, "%s has no option --json", call->command->name);
		return -1;
	}
	call->json = common->json;
	if (!common->help && call->arg_count > call->command->max_args)
		return too_many(call, call->args[call->command->max_args]);
	return 0;
}

void cli_free(struct cli_call *call)
{
	const struct cli_option *row = call->command ? call->command->options : NULL;

	for (; call->options && row && row->name; row++) {
		if (row->store == CLI_LIST || row->store == CLI_NUMBER)
			free(((struct arg_list *)((char *)call->options + row->offset))->v);
	}
	free(call->options);
	free(call->args);
}

static void print_option(const struct cli_option *row)
{
	const char *help = row->help;
	int width = row->letter ? printf("  -%c, --%s", row->letter, row->name)
				: printf("      --%s", row->name);

	if (row->metavar)
		width += printf(row->store == CLI_NUMBER ? " [%s]" : " %s", row->metavar);
	if (width > HELP_COLUMN - 2) {
		putchar('\n');
		width = 0;
	}
	while (*help) {
		int len = (int)strcspn(help, "\n");

		printf("%*s%.*s\n", HELP_COLUMN - width, "", len, help);
		width = 0;
		help += len + (help[len] == '\n');
	}
}

static void print_options(const struct command *command)
{
	const struct cli_option *row;

	puts("\nOptions:");
	for (size_t i = 0; (row = cli_shown_option(command, i)); i++)
		print_option(row);
}

void cli_help(const struct command *command)
{
	printf("Usage: hbpf %s %s\n\n%s.\n", command->name, command->synopsis, command->summary);
	if (command->text)
		printf("\n%s\n", command->text);
	print_options(command);
}

void cli_help_common(void)
{
	print_options(NULL);
}
