/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf monitor: events, as they happen. */
#include "cli/commands.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/flow_filter.h"
#include "cli/monitor_names.h"
#include "dataplane/events.h"
#include "lib/array.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/signals.h"

#define ALL_KINDS ((1U << HBPF_EVENT_MAX) - 1)

struct monitor_options {
	struct arg_list events;
	struct arg_list ports;
	struct arg_list clients;
	struct arg_list count;
};

struct monitor {
	const struct cli_call *call;
	struct flow_filter filter;
	__u32 kinds;
	unsigned long left; /* how many events are still to be shown */
	struct monitor_names names;
	struct shared shared;
	struct events events;
	int signals; /* signalfd, or -1 */
};

/* ---- command line ---- */

/* "guard,source" */
static int monitor_parse_kinds(const char *list, __u32 *kinds, struct error *err)
{
	char known[CHOICES_STRLEN], word[32];
	const char *text = list;

	for (;;) {
		size_t len = strcspn(text, ",");
		int kind;

		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		kind = len < sizeof(word) ? choice_find(word, monitor_kind_names, known) : -1;
		if (kind < 0) {
			error_set(err, EINVAL, "--event %s: '%.*s' is not a kind of event", list,
				  (int)len, text);
			error_hint(err, "`hbpf monitor --help` lists them");
			return -EINVAL;
		}
		*kinds |= 1U << kind;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

static int monitor_parse_count(const char *text, unsigned long *count, struct error *err)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *count)
		return 0;
	error_set(err, EINVAL, "--count takes a number from 1, not '%s'", text);
	error_hint(err, "see `hbpf monitor --help`");
	return -EINVAL;
}

static int monitor_parse(struct monitor *monitor, struct error *err)
{
	const struct monitor_options *options = monitor->call->options;
	int ret = flow_filter_parse(&options->ports, &options->clients, &monitor->filter, err);

	for (size_t i = 0; !ret && i < options->events.count; i++)
		ret = monitor_parse_kinds(options->events.v[i], &monitor->kinds, err);
	for (size_t i = 0; !ret && i < options->count.count; i++)
		ret = monitor_parse_count(options->count.v[i], &monitor->left, err);
	if (!monitor->kinds)
		monitor->kinds = ALL_KINDS;
	return ret;
}

static bool monitor_wants(const struct monitor *monitor, const struct monitor_event *event)
{
	const struct hbpf_addr *client = monitor_event_client(event);

	if (!client)
		return !monitor->filter.ports.count && !monitor->filter.client_count;
	return flow_filter_passes(&monitor->filter, event->path.proto, client,
				  monitor_event_dialled(event),
				  event->has_local ? event->local.port : 0);
}

/* ---- output ---- */

/* @ns: CLOCK_MONOTONIC */
static struct timespec monitor_time(__u64 ns)
{
	__u64 real = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) + ns;

	return (struct timespec){
		.tv_sec = (time_t)(real / NSEC_PER_SEC),
		.tv_nsec = (long)(real % NSEC_PER_SEC),
	};
}

static struct json_object *monitor_json(const struct timespec *time, const char *kind,
					const char *bridge)
{
	struct json_object *doc = json_object_new_object();

	json_add_decimal(doc, "time", (double)time->tv_sec + (double)time->tv_nsec / 1e9);
	json_add_string(doc, "event", kind);
	if (bridge)
		json_add_string(doc, "bridge", bridge);
	return doc;
}

/* The beginning of a line. */
static void monitor_head(const struct monitor *monitor, const struct timespec *time,
			 const char *bridge, const char *kind)
{
	char at[MONITOR_TIME_STRLEN];
	size_t width = 0;

	for (size_t i = 0; i < monitor->names.count; i++) {
		size_t len = strlen(monitor->names.v[i].name);

		width = len > width ? len : width;
	}
	output_text("%s %-*s %-13s ", monitor_time_format(time, at), (int)width, bridge, kind);
}

static void monitor_show(const struct monitor *monitor, const struct monitor_event *event)
{
	const char *kind = monitor_kind_names[event->kind];
	struct json_object *doc;
	char *text;

	if (monitor->call->json) {
		doc = monitor_json(&event->time, kind, event->bridge);
		monitor_event_json(event, doc);
		json_print_line(doc);
		return;
	}
	text = monitor_event_text(event);
	monitor_head(monitor, &event->time, event->bridge, kind);
	puts(text ?: "");
	free(text);
}

static void monitor_show_suppressed(const struct monitor *monitor,
				    const struct monitor_bridge *bridge, enum hbpf_event_kind kind,
				    __u64 count)
{
	const struct timespec now = monitor_time(clock_ns(CLOCK_MONOTONIC));
	struct json_object *doc;

	if (monitor->call->json) {
		doc = monitor_json(&now, "suppressed", bridge->name);
		json_add_string(doc, "kind", monitor_kind_names[kind]);
		json_add_u64(doc, "count", count);
		json_print_line(doc);
		return;
	}
	monitor_head(monitor, &now, bridge->name, monitor_kind_names[kind]);
	printf("%llu more\n", count);
}

static void monitor_show_gap(const struct monitor *monitor, const struct events_gap *gap)
{
	const struct timespec now = monitor_time(clock_ns(CLOCK_MONOTONIC));
	struct json_object *doc;

	if (monitor->call->json) {
		doc = monitor_json(&now, "missed", NULL);
		json_add_u64(doc, "count", gap->lost);
		json_add_u64(doc, "milliseconds", gap->ms);
		json_print_line(doc);
		return;
	}
	monitor_head(monitor, &now, "", "missed");
	if (gap->lost)
		printf("%llu events%s", gap->lost, gap->ms ? ", and " : "");
	if (gap->ms)
		printf("all events of %.1f seconds", (double)gap->ms / 1000);
	puts(": the output was not read in time, or the monitor was stopped");
}

/* ---- events ---- */

static void monitor_on_event(const struct hbpf_event *from, void *context)
{
	struct monitor *monitor = context;
	struct monitor_event event;

	/* anything may have been put into the ring buffer */
	if (!monitor->left || from->kind >= HBPF_EVENT_MAX || from->reason >= HBPF_REASON_MAX ||
	    from->len > sizeof(from->frame))
		return;
	event = monitor_event_read(from);
	event.time = monitor_time(from->ns);
	if (!monitor_names_fill(&monitor->names, from->ifindex, &event) ||
	    !monitor_wants(monitor, &event))
		return;
	monitor_show(monitor, &event);
	monitor->left--;
}

/* Return: is the bridge still attached? */
static bool monitor_count_suppressed(const struct monitor *monitor, struct monitor_bridge *bridge)
{
	__u64 sums[HBPF_EVENT_MAX];
	int ret = events_suppressed(&monitor->events, bridge->ifindex, sums);

	if (ret)
		return ret != -ENOENT;
	for (int kind = 0; kind < HBPF_EVENT_MAX; kind++) {
		__u64 more = sums[kind] - bridge->suppressed[kind];

		if (bridge->is_counted && more && monitor->kinds & (1U << kind))
			monitor_show_suppressed(monitor, bridge, kind, more);
		bridge->suppressed[kind] = sums[kind];
	}
	bridge->is_counted = true;
	return true;
}

/* Return: 0, or -errno: no bridge is left, or our place is lost */
static int monitor_tick(struct monitor *monitor, struct error *err)
{
	struct events_gap gap;
	bool attached = false;
	int ret = events_renew(&monitor->events, &gap, err);

	if (ret)
		return ret;
	if (gap.lost || gap.ms)
		monitor_show_gap(monitor, &gap);
	for (size_t i = 0; i < monitor->names.count; i++)
		attached |= monitor_count_suppressed(monitor, &monitor->names.v[i]);
	return attached ? 0 : monitor_names_refresh(&monitor->names, err);
}

static int monitor_open_signals(struct monitor *monitor, struct error *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	signal(SIGPIPE, SIG_IGN); /* our place has to be left first */
	monitor->signals = signals_open(signals, ARRAY_SIZE(signals), err);
	return monitor->signals < 0 ? monitor->signals : 0;
}

static int monitor_loop(struct monitor *monitor, struct error *err)
{
	struct pollfd fds[] = {
		{ .fd = events_fd(&monitor->events), .events = POLLIN },
		{ .fd = monitor->signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* POLLERR: nobody reads a pipe any more */
	};
	__s64 due = monotonic_ms();
	int ret = 0;

	while (!ret && monitor->left && !ferror(stdout) && !fds[1].revents && !fds[2].revents) {
		__s64 now = monotonic_ms();

		if (now >= due) {
			ret = monitor_tick(monitor, err);
			due = now + EVENTS_RENEW_MS;
		}
		fflush(stdout);
		if (!ret && poll(fds, ARRAY_SIZE(fds), (int)(due > now ? due - now : 0)) > 0 &&
		    fds[0].revents)
			ret = events_read(&monitor->events);
	}
	return ret;
}

/* ---- */

static int monitor_run(struct monitor *monitor, const struct target *target, struct error *err)
{
	int ret = monitor_names_open(&monitor->names, target, &monitor->shared, err);

	if (!ret)
		ret = monitor_open_signals(monitor, err);
	if (!ret)
		ret = events_open(&monitor->events, &monitor->shared, monitor->kinds,
				  monitor_on_event, monitor, err);
	if (!ret) {
		log_info("listening to %zu bridge%s", monitor->names.count,
			 monitor->names.count == 1 ? "" : "s");
		ret = monitor_loop(monitor, err);
	}
	events_close(&monitor->events);
	/* a reader that has seen enough is no error */
	if (!ret && ferror(stdout) && errno == EPIPE && !freopen("/dev/null", "w", stdout))
		ret = -errno;
	return ret;
}

static void monitor_free(struct monitor *monitor)
{
	if (monitor->signals >= 0)
		close(monitor->signals);
	shared_close(&monitor->shared);
	monitor_names_free(&monitor->names);
	flow_filter_free(&monitor->filter);
}

static int cmd_monitor(const struct cli_call *call)
{
	struct monitor monitor = {
		.call = call, .left = -1UL, .shared = SHARED_INIT, .signals = -1
	};
	struct error err = {};
	struct target target = {};
	int exit_code = EXIT_USAGE;
	int ret = monitor_parse(&monitor, &err);

	if (!ret) {
		target_resolve(call->args[0], &target);
		ret = monitor_run(&monitor, &target, &err);
		exit_code = ret ? EXIT_FAILED : EXIT_DONE;
	}
	if (ret)
		log_error(&err);
	error_free(&err);
	target_free(&target);
	monitor_free(&monitor);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct monitor_options, field)

static const struct cli_option monitor_option_rows[] = {
	{ .name = "event",
	  .letter = 'e',
	  .metavar = "KIND",
	  .help = "only events of these kinds, separated by commas; may be\n"
		  "repeated",
	  .choices = monitor_kind_names,
	  STORE(LIST, events) },
	{ .name = "port",
	  .letter = 'p',
	  .metavar = "SPEC",
	  .help = "only events about these gateway ports: 8088, 53/udp,\n"
		  "8000-8010; may be repeated",
	  STORE(LIST, ports) },
	{ .name = "client",
	  .letter = 'c',
	  .metavar = "ADDR",
	  .help = "only events about these clients: an address or a prefix; may\n"
		  "be repeated",
	  STORE(LIST, clients) },
	{ .name = "count",
	  .letter = 'n',
	  .metavar = "N",
	  .help = "end after so many events",
	  STORE(LIST, count) },
	{},
};

const struct command command_monitor = {
	.name = "monitor",
	.synopsis = "[INTERFACE] [options]",
	.summary = "Show events as they happen: new flows, drops, refused clients",
	.text = "Shows events of one INTERFACE (or a network's name or ID), or of every attached one,\n"
		"each in a line, until Ctrl-C. The kinds are:\n\n"
#define X(name, word, text) "  " word ": " text "\n"
	HBPF_EVENTS(X)
#undef X
		"\nWhere more happens than can be read, a line says how many events are left out.\n"
		"With --json each event is one line.",
	.options = monitor_option_rows,
	.options_size = sizeof(struct monitor_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.reports = true,
	.root_for = "reads BPF maps",
	.run = cmd_monitor,
};
