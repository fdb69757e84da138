/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/complete.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach/interface.h"
#include "cli/target.h"
#include "dataplane/exports_map.h"
#include "engine/engine.h"
#include "model/exports.h"

#define PORTS_LISTED 100

/* The command line up to the argument to complete. */
struct line {
	const struct command *const *commands;
	const struct command *command;   /* NULL: before its name */
	bool help;                       /* after `hbpf help` */
	const struct cli_option *option; /* whose value follows, or NULL */
	const char *action;              /* the first argument, if the command has actions */
	size_t arg_count;
	bool only_args;     /* after "--" */
	const char *bridge; /* the last one that was named, or NULL */

	const char *prefix; /* "--hook=", of each candidate, prefix_len bytes */
	size_t prefix_len;
	const char *word; /* what was typed after it */
};

/* Names with other characters would have to be quoted, by each shell in its own way. */
static bool is_plain(const char *name)
{
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("_.-/@+", *name))
			return false;
	}
	return true;
}

/* @text: its description up to a semicolon, in any number of lines; or NULL */
static void offer(const struct line *line, const char *name, const char *text)
{
	if (strncmp(name, line->word, strlen(line->word)) != 0 || !is_plain(name))
		return;
	printf("%.*s%s", (int)line->prefix_len, line->prefix, name);
	if (text)
		putchar('\t');
	for (; text && *text && *text != ';'; text++)
		putchar(*text == '\n' ? ' ' : *text);
	putchar('\n');
}

static void offer_commands(const struct line *line)
{
	for (const struct command *const *command = line->commands; *command; command++)
		offer(line, (*command)->name, (*command)->summary);
	if (!line->help)
		offer(line, "help", "Show help for a command");
}

static void offer_options(const struct line *line)
{
	const struct cli_option *row;
	char name[64];

	for (size_t i = 0; (row = cli_shown_option(line->command, i)); i++) {
		snprintf(name, sizeof(name), "--%s", row->name);
		offer(line, name, row->help);
	}
}

static void offer_words(const struct line *line, const char *const *words)
{
	for (; words && *words; words++)
		offer(line, *words, NULL);
}

static bool takes_new_bridge(const struct line *line)
{
	return line->command && line->command->new_bridge;
}

static void offer_bridges(const struct line *line, const struct attached *attached, bool all)
{
	for (size_t i = 0; i < attached->bridges.count; i++)
		offer(line, attached->bridges.current[i], "attached");
	for (size_t i = 0; all && i < attached->host.links.count; i++) {
		const struct link *link = &attached->host.links.v[i];

		if (interface_has_own_clients(link) &&
		    attachment_find(&attached->bridges, link->name) < 0)
			offer(line, link->name, interface_kind(link));
	}
}

static void offer_networks(const struct line *line, const struct attached *attached, bool all)
{
	struct engines engines = {};

	engines_query(&engines, NULL);
	for (size_t i = 0; i < engines.networks.count; i++) {
		const struct network *network = &engines.networks.v[i];
		char text[IFNAMSIZ + 32];

		if (!network->bridge[0] ||
		    (!all && attachment_find(&attached->bridges, network->bridge) < 0))
			continue;
		snprintf(text, sizeof(text), "%s network, %s", engine_name(network->engine),
			 network->bridge);
		offer(line, network->name, text);
	}
	engines_free(&engines);
}

static void offer_targets(const struct line *line)
{
	struct attached attached = ATTACHED_INIT;
	/* who may not read the state gets all interfaces */
	bool all = attached_open(&attached, PINS_READ, NULL) || takes_new_bridge(line);

	if (!attached.host.links.count)
		host_read(&attached.host, NULL);
	pins_close(&attached.pins);
	offer_bridges(line, &attached, all);
	/* An engine may be slow. */
	fflush(stdout);
	offer_networks(line, &attached, all);
	attached_free(&attached);
}

/* The gateway side: `hbpf ports del 80/tcp` closes it wherever it leads. */
static void offer_range(const struct line *line, const struct export_range *range)
{
	unsigned int first = ntohs(range->first->key.port);
	char text[EXPORT_RANGE_STRLEN], name[32];
	int len = snprintf(name, sizeof(name), "%u", first);

	if (range->count > 1)
		len += snprintf(name + len, sizeof(name) - (size_t)len, "-%zu",
				first + range->count - 1);
	snprintf(name + len, sizeof(name) - (size_t)len, "/%s",
		 proto_name(range->first->key.proto));
	offer(line, name, export_range_format(range, text));
}

static void offer_ports_of(const struct line *line, struct attached *attached, const char *bridge)
{
	struct export_range range = {};
	struct exports exports = {};
	struct dataplane dp;
	size_t count = 0;

	dataplane_init(&dp, &attached->shared);
	if (!dataplane_open(&dp, &attached->pins, bridge,
			    attachment_target(&attached->pins, &attached->host, bridge).ifindex,
			    NULL) &&
	    !dataplane_exports(&dp, &exports, NULL)) {
		while (exports_next_range(&exports, &range) && count++ < PORTS_LISTED)
			offer_range(line, &range);
	}
	exports_free(&exports);
	dataplane_close(&dp);
}

static void offer_ports(const struct line *line)
{
	struct attached attached = ATTACHED_INIT;

	if (!attached_open(&attached, PINS_READ, NULL)) {
		for (size_t i = 0; i < attached.bridges.count; i++) {
			if (!line->bridge || !strcmp(line->bridge, attached.bridges.current[i]))
				offer_ports_of(line, &attached, attached.bridges.names[i]);
		}
	}
	attached_free(&attached);
}

/* Does a SPEC name ports that are open, and not ports to open? */
static bool names_open_ports(const struct line *line)
{
	return !takes_new_bridge(line) && !(line->action && !strcmp(line->action, "add"));
}

/* @metavar: as the help names the value */
static void offer_values(const struct line *line, const char *metavar)
{
	if (!strcmp(metavar, "INTERFACE"))
		offer_targets(line);
	else if (!strcmp(metavar, "SPEC") && names_open_ports(line))
		offer_ports(line);
	else if (!strcmp(metavar, "CIDR"))
		offer(line, "onlink", "the networks on the bridge's link");
	else if (!strcmp(metavar, "FILE"))
		puts(COMPLETE_FILES);
}

static void offer_option_values(const struct line *line)
{
	if (line->option->choices)
		offer_words(line, line->option->choices);
	else
		offer_values(line, line->option->metavar);
}

static void offer_args(const struct line *line)
{
	const struct command *command = line->command;

	if (command->actions && !line->arg_count)
		offer_words(line, command->actions);
	else if (command->arg && line->arg_count < command->max_args &&
		 !(line->action && !strcmp(line->action, "list")))
		offer_values(line, command->arg);
}

/* Return: the option of "--name", "-n" or "-xyn" that still needs a value, or NULL */
static const struct cli_option *open_option(const struct command *command, const char *arg)
{
	const struct cli_option *row = NULL;

	if (arg[1] == '-')
		row = strchr(arg, '=') ? NULL
				       : cli_find_option(command, arg + 2, strlen(arg) - 2, 0);
	else
		for (const char *letter = arg + 1; *letter; letter++) {
			row = cli_find_option(command, NULL, 0, *letter);
			if (row && row->metavar && letter[1])
				return NULL; /* -p8088 */
		}
	return row && row->metavar ? row : NULL;
}

/* Return: false where nothing can be completed after @arg */
static bool read_name(struct line *line, const char *arg)
{
	if (!line->help && !strcmp(arg, "help")) {
		line->help = true;
		return true;
	}
	line->command = cli_find_command(line->commands, arg);
	return line->command && !line->help;
}

/* The number of an option may be left out: then @word is something else. */
static void skip_number(struct line *line, const char *word)
{
	if (line->option && line->option->store == CLI_NUMBER && !isdigit((unsigned char)word[0]))
		line->option = NULL;
}

static bool read_arg(struct line *line, const char *arg)
{
	skip_number(line, arg);
	if (line->option) {
		if (!strcmp(line->option->name, "bridge"))
			line->bridge = arg;
		line->option = NULL;
	} else if (!line->only_args && !strcmp(arg, "--")) {
		line->only_args = true;
	} else if (!line->only_args && arg[0] == '-' && arg[1]) {
		line->option = open_option(line->command, arg);
	} else if (!line->command) {
		return read_name(line, arg);
	} else {
		if (line->command->actions && !line->arg_count)
			line->action = arg;
		else if (line->command->arg && !strcmp(line->command->arg, "INTERFACE"))
			line->bridge = arg;
		line->arg_count++;
	}
	return true;
}

/* "--hook=t": the candidates are values, after "--hook=" */
static void split_value(struct line *line)
{
	const char *equals = strchr(line->word, '=');
	bool is_long = line->word[0] == '-' && line->word[1] == '-';

	if (line->option || line->only_args || !is_long || !equals)
		return;
	line->option = cli_find_option(line->command, line->word + 2,
				       (size_t)(equals - line->word) - 2, 0);
	if (!line->option || !line->option->metavar)
		return;
	line->prefix = line->word;
	line->prefix_len = (size_t)(equals + 1 - line->word);
	line->word = equals + 1;
}

static void offer_all(struct line *line)
{
	skip_number(line, line->word);
	split_value(line);
	if (line->option)
		offer_option_values(line);
	else if (line->word[0] == '-' && !line->only_args && !line->help)
		offer_options(line);
	else if (line->command)
		offer_args(line);
	else
		offer_commands(line);
}

/* What was printed and flushed is enough. */
static void on_alarm(int number)
{
	(void)number;
	_exit(EXIT_DONE);
}

int complete(const struct command *const *commands, char *const *args)
{
	struct line line = { .commands = commands, .prefix = "", .word = "" };

	if (!freopen("/dev/null", "w", stderr))
		return EXIT_DONE;
	signal(SIGALRM, on_alarm);
	alarm(1);
	for (; *args && args[1]; args++) {
		if (!read_arg(&line, *args))
			return EXIT_DONE;
	}
	if (*args)
		line.word = *args;
	offer_all(&line);
	return EXIT_DONE;
}
