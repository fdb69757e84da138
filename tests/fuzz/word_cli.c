/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines, their words on lines, by the tables of the commands; then what the words of
 * --port, --gateway and --from say. */
#include "model/request.h"
#include "cli/commands.h"
#include "word.h"

#define MAX_WORDS 32

static void read_lists(const struct cli_call *call)
{
	const struct cli_option *row = call->command->options;

	for (; row && row->name; row++) {
		const struct arg_list *list = (void *)((char *)call->options + row->offset);
		struct gateways gateways = {};
		struct port_specs specs = {};
		struct from from = {};

		if (row->store != CLI_LIST)
			continue;
		args_ports(list->v, list->count, &specs, NULL);
		args_gateways(list, &gateways, NULL);
		args_from(list, &from, NULL);
		must(specs.count <= list->count && gateways.count <= list->count);
		free(specs.v);
		free(gateways.v);
		free(from.sources.v);
	}
}

static void word_test(char *text)
{
	static const struct command *const commands[] = { &command_attach, &command_detach,
							  &command_ports, &command_status };
	char *words[MAX_WORDS + 1] = {};
	int count = 0;

	for (char *word; count < MAX_WORDS && (word = strsep(&text, "\n"));)
		words[count++] = word;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct cli_call call = { .command = commands[i] };
		struct cli_common common = {};

		if (cli_common_parse(words, &common) >= 0 && !cli_parse(&call, words, &common))
			read_lists(&call);
		cli_free(&call);
	}
}
