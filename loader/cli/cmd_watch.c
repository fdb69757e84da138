/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf watch: read the command line and the configuration, then watch (watch.c tells how). */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>

#include "dataplane/pins.h"
#include "lib/log.h"
#include "lib/output.h"
#include "watch/config.h"
#include "watch/watch.h"

struct options {
	struct arg_list conf;
	bool check;
	bool detach_on_exit;
};

static int check(const char *path, const struct conf *conf)
{
	output_text("%s: good, %zu section%s, labels %s\n", path ? path : CONF_FILE, conf->count,
		    conf->count == 1 ? "" : "s", conf->labels ? "on" : "off");
	return EXIT_DONE;
}

static int watch(const struct watch_options *options, struct conf *conf)
{
	struct error err = {};
	int exit_code = EXIT_DONE;

	/* The watcher follows the pins' paths also where there is no bpffs yet. */
	if (pins_check_root(&err) || watch_run(options, conf, &err)) {
		log_error(&err);
		exit_code = EXIT_FAILED;
	}
	error_free(&err);
	return exit_code;
}

static int run(const struct cli_call *call)
{
	const struct options *options = call->options;
	struct watch_options how = { .detach_on_exit = options->detach_on_exit };
	struct conf conf;
	int exit_code = EXIT_FAILED;

	if (call->word_count && !options->check)
		return cli_usage(call->command, "-c %s names the configuration", call->words[0]);
	if (options->conf.count + call->word_count > 1)
		return cli_usage(call->command, "one configuration, please; what is in " CONF_DIR
						" is read without being named");
	how.conf = call->word_count ? call->words[0] : NULL;
	if (options->conf.count)
		how.conf = options->conf.v[0];
	if (conf_read(&conf, how.conf))
		watch_log_problems(&conf);
	else
		exit_code = options->check ? check(how.conf, &conf) : watch(&how, &conf);
	conf_free(&conf);
	return exit_code;
}

#define STORE(field) offsetof(struct options, field)

static const struct cli_option options[] = {
	{ "config", 'c', "FILE",
	  "the configuration, in place of " CONF_FILE "\nand " CONF_DIR "/*.conf", CLI_LIST,
	  STORE(conf), 0, NULL },
	{ "check", 0, NULL, "only tell whether the configuration is good", CLI_FLAG, STORE(check),
	  0, NULL },
	{ "detach-on-exit", 0, NULL, "detach what it attached when it ends", CLI_FLAG,
	  STORE(detach_on_exit), 0, NULL },
	{},
};

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[-c FILE] [--detach-on-exit] | --check [FILE]",
	.summary = "Keep bridges attached as a configuration declares it, until stopped",
	.text = "Attaches each bridge when it appears, again when it is made anew, follows addresses,\n"
		"heals what others remove, and detaches what is no longer declared. What was\n"
		"attached by hand stays, unless a section is about it: that takes it over.\n\n"
		"SIGHUP reads the configuration again; one with errors is told and changes nothing.\n"
		"SIGTERM ends it, and what is attached goes on working.\n\n"
		"The configuration has a section for each bridge, with the options of attach:\n"
		"  [br-test]\n"
		"  ports = 8088, 80:8080, 53/udp\n"
		"hbpf.conf(5) tells the rest.",
	.options = options,
	.options_size = sizeof(struct options),
	.max_words = 1,
	.root_for = "reads what opens ports, loads BPF programs and writes net.ipv4 settings",
	.run = run,
};
