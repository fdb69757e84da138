/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines, one argument a line, parsed by the tables of the commands; then all values of
 * lists as if they were those of --port, --gateway and --from. */
#include "model/request.h"
#include "cli/commands.h"
#include "word.h"
#include "lib/array.h"

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
		port_specs_parse(list->v, list->count, &specs, NULL);
		for (size_t i = 0; i < list->count; i++) {
			gateways_parse(&gateways, list->v[i], NULL);
			from_parse(&from, list->v[i], NULL);
		}
		must(specs.count <= list->count && gateways.count <= list->count &&
		     from.sources.count <= list->count);
		port_specs_free(&specs);
		gateways_free(&gateways);
		sources_free(&from.sources);
	}
}

static void word_test(char *text)
{
	static const struct command *const commands[] = { &command_attach, &command_detach,
							  &command_ports,  &command_status,
							  &command_stats,  &command_doctor,
							  &command_flows,  &command_monitor };
	char *words[MAX_WORDS + 1] = {};
	int count = 0;

	for (char *word; count < MAX_WORDS && (word = strsep(&text, "\n"));)
		words[count++] = word;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct cli_call call = { .command = commands[i] };
		struct cli_common common = {};

		if (cli_common_parse(words, &common) >= 0 && !cli_parse(&call, words, &common))
			read_lists(&call);
		cli_free(&call);
	}
}
