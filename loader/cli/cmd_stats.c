/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf stats: what the programs counted, once, as rates every few seconds, or for Prometheus. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/stats_view.h"
#include "cli/target.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/screen.h"
#include "metrics/prometheus.h"

#define SECONDS_DEFAULT 2
#define SECONDS_MIN     0.1
#define SECONDS_MAX     86400

struct stats_options {
	struct arg_list watch;
	bool prometheus;
	struct arg_list output;
};

static int stats_seconds(const struct cli_call *call, const char *text, double *seconds)
{
	char *end;

	*seconds = SECONDS_DEFAULT;
	if (!text)
		return EXIT_DONE;
	*seconds = strtod(text, &end);
	if (*text && !*end && *seconds >= SECONDS_MIN && *seconds <= SECONDS_MAX)
		return EXIT_DONE;
	return cli_usage(call->command,
			 "--watch takes a number of seconds from %.1f to %d, not '%s'", SECONDS_MIN,
			 SECONDS_MAX, text);
}

/* Checks for combinations that make no sense. */
static int stats_check_usage(const struct cli_call *call)
{
	const struct stats_options *options = call->options;

	if (options->prometheus && options->watch.count)
		return cli_usage(call->command,
				 "--prometheus and --watch exclude each other; `hbpf watch "
				 "--metrics` serves what Prometheus reads");
	if (options->prometheus && call->json)
		return cli_usage(call->command, "--prometheus and --json exclude each other");
	if (options->output.count && !options->prometheus)
		return cli_usage(call->command, "--output needs --prometheus");
	if (options->output.count > 1)
		return cli_usage(call->command, "only one FILE can be given");
	return EXIT_DONE;
}

/* One reading, with the lock for the time of it. */
static int stats_read(const struct target *target, struct traffic *traffic, struct error *err)
{
	struct attached at = ATTACHED_INIT;
	const char *only;
	int ret = attached_open_for(&at, target, &only, err);

	*traffic = (struct traffic){};
	if (!ret)
		ret = traffic_read(&at.pins, &at.bridges, &at.host, only, traffic, err);
	pins_close(&at.pins);
	attached_free(&at);
	return ret;
}

/* ---- once ---- */

static int stats_exit_code(const struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->count; i++) {
		if (traffic->v[i].problem.what[0])
			return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int stats_print(const struct cli_call *call, const struct traffic *traffic,
		       struct error *err)
{
	const struct stats_options *options = call->options;
	struct terminal terminal = terminal_query(stdout);
	struct json_object *doc;

	if (options->output.count)
		return prometheus_write_file(options->output.v[0], traffic, err);
	if (options->prometheus) {
		prometheus_write(stdout, traffic);
	} else if (call->json) {
		doc = json_object_new_object();
		stats_view_json(doc, traffic, NULL);
		json_print(doc);
	} else {
		stats_view_write(stdout, &terminal, traffic, NULL);
	}
	return 0;
}

static int stats_once(const struct cli_call *call, const struct target *target, struct error *err)
{
	struct traffic traffic;
	int exit_code = EXIT_FAILED;
	int ret = stats_read(target, &traffic, err);

	if (!ret)
		ret = stats_print(call, &traffic, err);
	if (ret)
		log_error(err);
	else
		exit_code = stats_exit_code(&traffic);
	traffic_free(&traffic);
	return exit_code;
}

/* ---- again and again ---- */

struct stats_watch {
	const struct cli_call *call;
	const struct target *target;
	__s64 interval_ms;
	struct screen screen;
	struct traffic before;
	struct traffic now;
};

/* NULL: nothing was read before */
static const struct traffic *stats_watch_before(const struct stats_watch *watch)
{
	return watch->before.ms ? &watch->before : NULL;
}

static void stats_watch_json(const struct stats_watch *watch)
{
	const struct traffic *before = stats_watch_before(watch);
	struct json_object *doc = json_object_new_object();

	json_add_decimal(doc, "time", (double)clock_ns(CLOCK_REALTIME) / NSEC_PER_SEC);
	if (before)
		json_add_decimal(doc, "seconds", (double)(watch->now.ms - before->ms) / 1000);
	stats_view_json(doc, &watch->now, before);
	json_print_line(doc);
}

static void stats_watch_text(struct stats_watch *watch)
{
	const struct traffic *before = stats_watch_before(watch);
	struct terminal terminal = terminal_query(stdout);
	time_t now = time(NULL);
	struct tm local;
	char at[16] = "";
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return;
	if (localtime_r(&now, &local))
		strftime(at, sizeof(at), "%H:%M:%S", &local);
	if (before)
		fprintf(to, "%s, over %.1f seconds\n", at,
			(double)(watch->now.ms - before->ms) / 1000);
	else
		fprintf(to, "%s, since attach; rates follow\n", at);
	stats_view_write(to, &terminal, &watch->now, before);
	fclose(to);
	screen_show(&watch->screen, text);
	free(text);
}

static void stats_watch_show(struct stats_watch *watch)
{
	if (watch->call->json)
		stats_watch_json(watch);
	else
		stats_watch_text(watch);
}

static int stats_watch_read(struct stats_watch *watch, struct error *err)
{
	traffic_free(&watch->before);
	watch->before = watch->now;
	return stats_read(watch->target, &watch->now, err);
}

/* Return: 0 after Ctrl-C, or -errno */
static int stats_watch_loop(struct stats_watch *watch, struct error *err)
{
	enum screen_event event = SCREEN_DUE;

	while (event != SCREEN_STOP) {
		int ret = event == SCREEN_DUE ? stats_watch_read(watch, err) : 0;

		if (ret)
			return ret;
		stats_watch_show(watch);
		event = screen_wait(&watch->screen, watch->now.ms + watch->interval_ms);
	}
	return 0;
}

static int stats_watch(const struct cli_call *call, const struct target *target, double seconds,
		       struct error *err)
{
	struct stats_watch watch = {
		.call = call,
		.target = target,
		.interval_ms = (__s64)(seconds * 1000),
	};
	int ret = screen_open(&watch.screen, !call->json, err);

	if (!ret)
		ret = stats_watch_loop(&watch, err);
	screen_close(&watch.screen);
	if (ret)
		log_error(err);
	traffic_free(&watch.before);
	traffic_free(&watch.now);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

static int cmd_stats(const struct cli_call *call)
{
	const struct stats_options *options = call->options;
	struct error err = {};
	struct target target;
	double seconds = 0;
	int exit_code = stats_check_usage(call);

	for (size_t i = 0; !exit_code && i < options->watch.count; i++)
		exit_code = stats_seconds(call, options->watch.v[i], &seconds);
	if (exit_code)
		return exit_code;
	target_resolve(call->args[0], &target);
	if (options->watch.count)
		exit_code = stats_watch(call, &target, seconds, &err);
	else
		exit_code = stats_once(call, &target, &err);
	error_free(&err);
	target_free(&target);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct stats_options, field)

static const struct cli_option stats_option_rows[] = {
	{ .name = "watch",
	  .letter = 'w',
	  .metavar = "SECONDS",
	  .help = "show rates, again every so many seconds (2), until Ctrl-C",
	  STORE(NUMBER, watch) },
	{ .name = "prometheus",
	  .help = "print all counters in Prometheus' text format",
	  STORE(FLAG, prometheus) },
	{ .name = "output",
	  .letter = 'o',
	  .metavar = "FILE",
	  .help = "with --prometheus: replace FILE at once, as the textfile\n"
		  "collector of node_exporter needs it",
	  STORE(LIST, output) },
	{},
};

const struct command command_stats = {
	.name = "stats",
	.synopsis = "[INTERFACE] [options]",
	.summary = "Show packets and bytes by port and by reason, and their rates",
	.text = "Shows one INTERFACE (or a network's name or ID), or every attached one: the ports and\n"
		"the reasons that counted anything since attach. docs/REASONS.md explains the\n"
		"reasons.\n\n"
		"With --watch and --json each report is one line.",
	.options = stats_option_rows,
	.options_size = sizeof(struct stats_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.reports = true,
	.root_for = "reads BPF maps",
	.run = cmd_stats,
};
