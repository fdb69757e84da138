/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands and their options as tables. Parser, help and completion use the same rows, so that they
 * cannot disagree.
 */
#ifndef HBPF_CLI_H
#define HBPF_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/choice.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* How the value of an option is stored, at its offset in the command's options. */
enum cli_store {
	CLI_FLAG,   /* bool: given */
	CLI_SET,    /* struct choice: `value` of the row */
	CLI_CHOICE, /* struct choice: index of the word in `choices` of the row */
	CLI_LIST,   /* struct arg_list: every value given, in order */
	CLI_NUMBER, /* struct arg_list: the same, but the value may be left out: then NULL. An
		     * argument of its own is the value only if it begins with a digit */
};

struct cli_option {
	const char *name;    /* without the dashes */
	char letter;         /* short form, or 0 */
	const char *metavar; /* name of its value; NULL: it takes none */
	const char *help;    /* may have several lines */
	enum cli_store store;
	size_t offset;
	int value;
	const char *const *choices; /* NULL-terminated */
	const char *alias_of;       /* deprecated name of that option: accepted, never shown */
};

struct cli_call;

struct command {
	const char *name;
	const char *old_name;             /* accepted, never shown; or NULL */
	const char *synopsis;             /* what follows the name */
	const char *summary;              /* one line for the list of commands, no full stop */
	const char *text;                 /* the rest of --help: paragraphs and examples */
	const struct cli_option *options; /* ends with a row without a name; or NULL */
	size_t options_size;              /* of the struct the rows' offsets point into */
	size_t max_args;                  /* arguments beside the options */
	const char *const *actions;       /* what the first may be, NULL-terminated; or NULL */
	const char *arg;                  /* metavar of the others; INTERFACE need be attached, */
	bool new_bridge;                  /* unless this is set */
	bool reports;                     /* takes --json */
	const char *root_for;             /* why it needs root */
	int (*run)(const struct cli_call *call); /* returns enum exit_code */
};

/* A parsed command line. */
struct cli_call {
	const struct command *command;
	void *options;     /* zeroed before parsing; options_size bytes */
	const char **args; /* NULL-terminated */
	size_t arg_count;
	bool json;
};

/* Options of all commands; they may also precede the command's name. */
struct cli_common {
	bool help;
	bool version;
	bool verbose;
	bool json;
};

/**
 * cli_common_parse() - parse the options before the command's name
 * @argv:	Command line without the program's name, NULL-terminated
 *
 * Also looks for --json in the whole command line, so that every error is printed as JSON.
 * Return: index of the command's name (or of the NULL), or -1 after printing an error
 */
int cli_common_parse(char *const *argv, struct cli_common *common);

/**
 * cli_parse() - parse what follows the command's name
 * @call:	Its command is set; the rest is filled. Release with cli_free(), also on failure
 * @argv:	Arguments after the command's name, NULL-terminated
 * @common:	From cli_common_parse(); updated
 *
 * Return: 0, or -1 after printing an error
 */
int cli_parse(struct cli_call *call, char *const *argv, struct cli_common *common);
void cli_free(struct cli_call *call);

/** cli_usage() - print a usage error with a hint to --help; @command may be NULL. Return:
 * EXIT_USAGE */
int cli_usage(const struct command *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** cli_find_command() - Return: the command of that name, or old name, in a NULL-terminated list,
 * or NULL */
const struct command *cli_find_command(const struct command *const *commands, const char *name);

/**
 * cli_find_option() - an option that a command line may have
 * @command:	Or NULL before the command's name
 * @name:	Of @len bytes, without the dashes; ignored if @letter is not 0
 * @letter:	Short form, or 0
 *
 * Return: its row, also for a deprecated name; or NULL
 */
const struct cli_option *cli_find_option(const struct command *command, const char *name,
					 size_t len, char letter);

/** cli_shown_option() - iterate over the options of the help: @i counts from 0; NULL at the end */
const struct cli_option *cli_shown_option(const struct command *command, size_t i);

/** cli_help() - print the help of one command to stdout */
void cli_help(const struct command *command);
/** cli_help_common() - print the options of the tool itself to stdout */
void cli_help_common(void);

#endif /* HBPF_CLI_H */
