/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf watch: read the command line and the configuration, then run the watcher (watch/watch.c). */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>

#include "dataplane/pins.h"
#include "lib/log.h"
#include "lib/output.h"
#include "watch/config_files.h"
#include "watch/watch.h"

struct watch_cli_options {
	struct arg_list conf;
	bool check;
	bool detach_on_exit;
	struct arg_list metrics;
};

static int watch_check(const char *path, const struct watch_config *conf)
{
	output_text("%s: valid, %zu section%s, labels %s\n", path ? path : CONFIG_FILE, conf->count,
		    conf->count == 1 ? "" : "s", conf->labels ? "on" : "off");
	return EXIT_DONE;
}

static int watch_start(const struct watch_options *options, struct watch_config *conf)
{
	struct error err = {};
	int exit_code = EXIT_DONE;

	/* The watcher monitors the path even if no bpffs is mounted yet. */
	if (pins_check_root(&err) || watch_run(options, conf, &err)) {
		log_error(&err);
		exit_code = EXIT_FAILED;
	}
	error_free(&err);
	return exit_code;
}

static int watch_metrics(const struct cli_call *call, struct metrics_address *address)
{
	const struct watch_cli_options *options = call->options;
	struct error err = {};
	int ret;

	if (options->metrics.count > 1)
		return cli_usage(call->command, "only one --metrics can be given");
	ret = metrics_address_parse(options->metrics.v[0], address, &err);
	if (ret)
		log_error(&err);
	error_free(&err);
	return ret;
}

static int cmd_watch(const struct cli_call *call)
{
	const struct watch_cli_options *options = call->options;
	struct watch_options how = { .detach_on_exit = options->detach_on_exit };
	struct metrics_address metrics;
	struct watch_config conf;
	int exit_code = EXIT_FAILED;

	if (call->arg_count && !options->check)
		return cli_usage(call->command, "name the configuration with -c %s", call->args[0]);
	if (options->conf.count + call->arg_count > 1)
		return cli_usage(call->command, "only one FILE can be given; the default also "
						"reads the files in " CONFIG_DIR);
	how.config_file = call->arg_count ? call->args[0] : NULL;
	if (options->conf.count)
		how.config_file = options->conf.v[0];
	if (options->metrics.count && watch_metrics(call, &metrics))
		return EXIT_USAGE;
	if (options->metrics.count)
		how.metrics = &metrics;
	if (watch_config_read(&conf, how.config_file))
		watch_log_problems(&conf);
	else
		exit_code = options->check ? watch_check(how.config_file, &conf)
					   : watch_start(&how, &conf);
	watch_config_free(&conf);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct watch_cli_options, field)

static const struct cli_option watch_option_rows[] = {
	{ .name = "config",
	  .letter = 'c',
	  .metavar = "FILE",
	  .help = "read only this file, not " CONFIG_FILE "\nand " CONFIG_DIR "/*.conf",
	  STORE(LIST, conf) },
	{ .name = "check", .help = "check the configuration and exit", STORE(FLAG, check) },
	{ .name = "detach-on-exit",
	  .help = "detach its bridges when it stops",
	  STORE(FLAG, detach_on_exit) },
	{ .name = "metrics",
	  .letter = 'm',
	  .metavar = "ADDR",
	  .help = "serve metrics for Prometheus on unix:PATH, 127.0.0.1:PORT\n"
		  "or [::1]:PORT",
	  STORE(LIST, metrics) },
	{},
};

const struct command command_watch = {
	.name = "watch",
	.synopsis = "[-c FILE] [options] | --check [FILE]",
	.summary = "Keep the configured bridges attached, as a service",
	.text = "Attaches each bridge when it appears and when it is re-created, follows address\n"
		"changes, repairs what others remove, and detaches what is no longer declared.\n"
		"Bridges attached manually are left alone, unless a section declares them: then\n"
		"watch takes them over.\n\n"
		"SIGHUP reloads the configuration; an invalid one is logged, and the old one stays\n"
		"in effect. SIGTERM stops the watcher; attachments are kept.\n\n"
		"The configuration has a section for each bridge, with the options of attach:\n"
		"  [br-test]\n"
		"  ports = 8088, 80:8080, 53/udp\n"
		"See hbpf.conf(5).",
	.options = watch_option_rows,
	.options_size = sizeof(struct watch_cli_options),
	.max_args = 1,
	.arg = "FILE",
	.root_for = "reads the configuration, loads BPF programs and writes net.ipv4 settings",
	.run = cmd_watch,
};
