/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf doctor: follows the way from a client to a service, and says for every step whether it is in
 * order. The checks are in doctor/; what `hbpf status` finds is taken from there.
 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/interface.h"
#include "attach/lost_bridges.h"
#include "cli/status.h"
#include "cli/target.h"
#include "dataplane/access_lists.h"
#include "doctor/doctor.h"
#include "doctor/ruleset.h"
#include "engine/engine.h"
#include "engine/lookup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/table.h"

struct doctor_options {
	struct arg_list ports;
	bool no_probe;
};

/* One bridge: its facts, and what was found. */
struct doctor_subject {
	char name[IFNAMSIZ];
	struct status status; /* all zero if it is not attached */
	struct dataplane dp;  /* open if bridge.attached */
	struct doctor_bridge bridge;
	struct doctor_report report;
};

/* Everything that is reported. */
struct doctor_view {
	struct attached at;
	struct status_host on;
	struct engines engines;
	struct ruleset ruleset;
	struct port_specs chosen;
	bool probes;
	struct doctor_report host;
	struct doctor_subject *v;
	size_t count;
};

/* ---- gathering facts ---- */

static void doctor_take_problems(struct doctor_subject *subject)
{
	struct findings *findings = &subject->report.findings;

	for (size_t i = 0; i < subject->status.problem_count; i++) {
		const struct status_problem *problem = &subject->status.problems[i];

		finding_add(findings, problem->id, "%s", problem->text);
		if (problem->command[0])
			finding_command(findings, "%s", problem->command);
	}
}

static int doctor_read_lists(struct doctor_view *view, struct doctor_subject *subject,
			     struct error *err)
{
	struct doctor_bridge *bridge = &subject->bridge;
	int ret = doctor_choose(bridge->all, bridge->chosen, &bridge->exports);

	if (ret)
		return error_nomem(err);
	ret = listeners_find(&bridge->exports, &view->on.listening, &bridge->listeners, err);
	if (!ret)
		ret = dataplane_sources(&subject->dp, HBPF_LIST_ONLINK, &bridge->onlink, err);
	if (!ret)
		ret = dataplane_sources(&subject->dp, HBPF_LIST_BRIDGE, &bridge->own, err);
	if (!ret)
		ret = reply_clients(&subject->dp, &bridge->exports, &bridge->clients, err);
	return ret;
}

/* Return: 0 or -errno */
static int doctor_read_attached(struct doctor_view *view, struct doctor_subject *subject,
				const char *state_name, struct error *err)
{
	struct doctor_bridge *bridge = &subject->bridge;
	struct status *status = &subject->status;
	bool recreated; /* that can be read, too */
	int ret;

	status_read(status, &view->on, state_name);
	memcpy(subject->name, status->name, sizeof(subject->name));
	doctor_take_problems(subject);
	bridge->link = links_by_name(&view->at.host.links, subject->name);
	if (!status->readable || !status->exists)
		return 0;
	ret = dataplane_open_dead(&subject->dp, &view->at.pins, state_name, bridge->link->ifindex,
				  &recreated, err);
	if (ret)
		return ret;
	bridge->attached = true;
	bridge->live = status->live;
	bridge->probes = view->probes;
	bridge->dp = &subject->dp;
	bridge->config = status->dp.config;
	bridge->hooks = status->hooks;
	bridge->gateways = &status->gateways;
	bridge->settings = status->settings;
	bridge->all = &status->ports.exports;
	return doctor_read_lists(view, subject, err);
}

static struct doctor_subject *doctor_add(struct doctor_view *view, const char *name)
{
	struct doctor_subject *subject = &view->v[view->count++];

	snprintf(subject->name, sizeof(subject->name), "%s", name);
	dataplane_init(&subject->dp, &view->at.shared);
	subject->bridge = (struct doctor_bridge){
		.name = subject->name,
		.host = &view->at.host,
		.link = links_by_name(&view->at.host.links, name),
		.chosen = &view->chosen,
	};
	return subject;
}

static void doctor_add_lost(struct doctor_view *view, const struct lost_bridge *lost)
{
	struct doctor_subject *subject = doctor_add(view, lost->name);

	finding_add(&subject->report.findings, FINDING_LOST, "%s", lost_bridge_describe(lost));
	if (!lost->live)
		finding_command(&subject->report.findings, "hbpf attach %s", lost->name);
}

static void doctor_add_unattached(struct doctor_view *view, const char *name)
{
	struct doctor_subject *subject = doctor_add(view, name);

	finding_add(&subject->report.findings, FINDING_NOT_ATTACHED, "it is not attached");
	finding_command(&subject->report.findings, "hbpf attach %s", subject->name);
}

/* Return: the interface that a command line names, if it could be attached but is not; or NULL */
static const struct link *doctor_unattached(const struct doctor_view *view,
					    const struct target *target)
{
	const char *name = target->bridge[0] ? target->bridge : target->name;
	const struct link *link = name ? links_by_name(&view->at.host.links, name) : NULL;

	if (!link || interface_check(&view->at.host, link, NULL))
		return NULL;
	return attachment_find(&view->at.bridges, name) < 0 ? link : NULL;
}

static int doctor_add_all(struct doctor_view *view, const char *only, struct error *err)
{
	const struct pins_bridges *bridges = &view->at.bridges;
	int ret = 0;

	for (size_t i = 0; !ret && i < bridges->count; i++) {
		if (!only || only == bridges->names[i])
			ret = doctor_read_attached(view, doctor_add(view, bridges->names[i]),
						   bridges->names[i], err);
	}
	for (size_t i = 0; !only && i < view->at.lost.count; i++)
		doctor_add_lost(view, &view->at.lost.v[i]);
	return ret;
}

static int doctor_gather(struct doctor_view *view, const struct target *target, struct error *err)
{
	const struct lost_bridge *lost;
	const struct link *link;
	const char *only;
	int ret;

	/* Programs and maps that cannot be read are a finding, too, if a bridge has them. */
	ret = attached_open_all(&view->at, PINS_READ, err);
	if (!ret && view->at.unread && !view->at.lost.count)
		ret = view->at.unread;
	if (ret)
		return ret;
	error_free(err);
	view->v = calloc(view->at.bridges.count + view->at.lost.count + 1, sizeof(*view->v));
	if (!view->v)
		return error_nomem(err);
	status_host_read(&view->on, &view->at);
	if (!target->name)
		return doctor_add_all(view, NULL, err);
	lost = lost_bridges_get(&view->at.lost, target->name);
	link = doctor_unattached(view, target);
	if (lost) {
		doctor_add_lost(view, lost);
		return 0;
	}
	if (link) {
		doctor_add_unattached(view, link->name);
		return 0;
	}
	only = target_choose(&view->at.bridges, target, NULL, err);
	return only ? doctor_add_all(view, only, err) : -ENOENT;
}

/* ---- printing ---- */

#define COMMAND_INDENT 23

static void doctor_print_row(enum level level, enum doctor_step step, const char *text)
{
	static const struct table_column columns[] = { {}, {}, { .flags = TABLE_WRAP } };
	struct table table = TABLE(columns);

	table.indent = 2;
	table_row(&table);
	/* Every row is a table: commands between them must not be wrapped. */
	table_cell(&table, 0, "%-7s", level_name(level));
	table_level(&table, 0, level);
	table_cell(&table, 1, "%-10s", step_name(step));
	table_cell(&table, 2, "%s", text);
	table_print(&table);
}

static void doctor_print_step(const struct doctor_report *report, enum doctor_step step)
{
	bool found = false;

	for (size_t i = 0; i < report->findings.count; i++) {
		const struct finding *finding = &report->findings.v[i];

		if (finding_step(finding->id) != step)
			continue;
		found = true;
		doctor_print_row(finding_level(finding->id), step, finding->text);
		if (finding->command[0])
			output_text("%*s$ %s\n", COMMAND_INDENT, "", finding->command);
	}
	if (!found && report->notes[step][0])
		doctor_print_row(LEVEL_OK, step, report->notes[step]);
}

static void doctor_print(const char *name, const struct doctor_report *report)
{
	output_level(LEVEL_HEAD, "%s\n", name);
	for (int step = 0; step < STEP_MAX; step++)
		doctor_print_step(report, step);
}

static void doctor_count(const struct doctor_report *report, size_t counts[LEVEL_MAX])
{
	for (size_t i = 0; i < report->findings.count; i++)
		counts[finding_level(report->findings.v[i].id)]++;
}

static void doctor_print_all(const struct doctor_view *view)
{
	size_t counts[LEVEL_MAX] = {};

	doctor_print("host", &view->host);
	doctor_count(&view->host, counts);
	for (size_t i = 0; i < view->count; i++) {
		doctor_print(view->v[i].name, &view->v[i].report);
		doctor_count(&view->v[i].report, counts);
	}
	if (!view->count)
		puts("no interface is attached; attach one with `hbpf attach INTERFACE`");
	else if (!counts[LEVEL_BROKEN] && !counts[LEVEL_WARNING])
		puts("nothing is wrong");
	else
		printf("%zu broken, %zu warning%s\n", counts[LEVEL_BROKEN], counts[LEVEL_WARNING],
		       counts[LEVEL_WARNING] == 1 ? "" : "s");
}

static void doctor_finding_json(struct json_object *to, const struct finding *finding)
{
	json_add_string(to, "finding", finding_name(finding->id));
	json_add_string(to, "level", level_name(finding_level(finding->id)));
	json_add_string(to, "text", finding->text);
	if (finding->command[0])
		json_add_string(to, "command", finding->command);
}

static void doctor_steps_json(struct json_object *array, const struct doctor_report *report)
{
	for (int step = 0; step < STEP_MAX; step++) {
		struct json_object *item, *findings = json_object_new_array();

		for (size_t i = 0; i < report->findings.count; i++) {
			if (finding_step(report->findings.v[i].id) == (enum doctor_step)step)
				doctor_finding_json(json_append_object(findings),
						    &report->findings.v[i]);
		}
		if (!json_object_array_length(findings) && !report->notes[step][0]) {
			json_object_put(findings);
			continue;
		}
		item = json_append_object(array);
		json_add_string(item, "step", step_name(step));
		json_add_string(item, "level", level_name(doctor_level(report, step)));
		if (report->notes[step][0])
			json_add_string(item, "note", report->notes[step]);
		json_object_object_add(item, "findings", findings);
	}
}

static void doctor_json(const struct doctor_view *view)
{
	struct json_object *doc = json_object_new_object(), *array, *item;

	item = json_add_object(doc, "host");
	json_add_string(item, "level", level_name(doctor_level(&view->host, STEP_MAX)));
	doctor_steps_json(json_add_array(item, "steps"), &view->host);
	array = json_add_array(doc, "bridges");
	for (size_t i = 0; i < view->count; i++) {
		const struct doctor_subject *subject = &view->v[i];

		item = json_append_object(array);
		json_add_string(item, "bridge", subject->name);
		json_add_string(item, "level",
				level_name(doctor_level(&subject->report, STEP_MAX)));
		doctor_steps_json(json_add_array(item, "steps"), &subject->report);
	}
	json_print(doc);
}

/* ---- the command ---- */

static void doctor_examine(struct doctor_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		struct doctor_subject *subject = &view->v[i];

		listeners_name(&subject->bridge.listeners, 1, sizeof(subject->bridge.listeners));
		subject->bridge.network =
			networks_find_bridge(&view->engines.networks, subject->name);
		subject->bridge.ruleset = &view->ruleset;
		doctor_bridge(&subject->bridge, &subject->report);
	}
}

/* Return: exit code */
static int doctor_verdict(const struct doctor_view *view)
{
	bool broken = !view->count || doctor_level(&view->host, STEP_MAX) == LEVEL_BROKEN;
	bool failed = view->host.findings.failed;

	for (size_t i = 0; i < view->count; i++) {
		broken |= doctor_level(&view->v[i].report, STEP_MAX) == LEVEL_BROKEN;
		failed |= view->v[i].report.findings.failed;
	}
	if (failed)
		log_warn("out of memory: some findings are missing");
	return broken || failed ? EXIT_FAILED : EXIT_DONE;
}

static void doctor_free(struct doctor_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		struct doctor_subject *subject = &view->v[i];

		findings_free(&subject->report.findings);
		exports_free(&subject->bridge.exports);
		listeners_free(&subject->bridge.listeners);
		sources_free(&subject->bridge.onlink);
		sources_free(&subject->bridge.own);
		sources_free(&subject->bridge.clients);
		dataplane_close(&subject->dp);
		status_free(&subject->status);
	}
	free(view->v);
	engines_free(&view->engines);
	ruleset_free(&view->ruleset);
	status_host_free(&view->on);
	findings_free(&view->host.findings);
	port_specs_free(&view->chosen);
	attached_free(&view->at);
}

static int cmd_doctor(const struct cli_call *call)
{
	const struct doctor_options *options = call->options;
	struct doctor_view view = { .at = ATTACHED_INIT, .probes = !options->no_probe };
	struct error err = {};
	struct target target = {};
	int exit_code = EXIT_USAGE;

	if (port_specs_parse(options->ports.v, options->ports.count, &view.chosen, &err)) {
		log_error(&err);
		goto out;
	}
	exit_code = EXIT_FAILED;
	target_resolve(call->args[0], &target);
	doctor_host(&view.host);
	if (doctor_gather(&view, &target, &err)) {
		/* The host may have the reason. */
		if (!call->json && doctor_level(&view.host, STEP_MAX) > LEVEL_OK)
			doctor_print("host", &view.host);
		log_error(&err);
		goto out;
	}
	pins_close(&view.at.pins);
	view.at.shared.reads_once = false; /* the probe compares counters */
	/* Networks only help: without an engine nothing is said about them. */
	engines_query(&view.engines, NULL);
	doctor_examine(&view);
	if (call->json)
		doctor_json(&view);
	else
		doctor_print_all(&view);
	exit_code = doctor_verdict(&view);
out:
	error_free(&err);
	target_free(&target);
	doctor_free(&view);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct doctor_options, field)

static const struct cli_option doctor_option_rows[] = {
	{ .name = "port",
	  .letter = 'p',
	  .metavar = "SPEC",
	  .help = "look at this port only, such as 8088 or 53/udp; may be\n"
		  "repeated",
	  STORE(LIST, ports) },
	{ .name = "no-probe",
	  .help = "do not connect to a service through the bridge",
	  STORE(FLAG, no_probe) },
	{},
};

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[INTERFACE] [options]",
	.summary = "Find out why a port does not work, and what fixes it",
	.text = "Follows the way from a client to the service: kernel, hooks, bridge, addresses,\n"
		"clients, settings, ports, services and routes of answers. Every step is ok, a\n"
		"warning or broken; each finding has its cause, and if one command fixes it, that\n"
		"command. hbpf-doctor(8) explains every finding.\n\n"
		"The last step connects to one service as a client would, from a network namespace\n"
		"that is a port of the bridge for that moment. The service sees a connection that\n"
		"is closed at once.\n\n"
		"Without INTERFACE it looks at every attached one. The exit status is 1 if anything is\n"
		"broken.",
	.options = doctor_option_rows,
	.options_size = sizeof(struct doctor_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.reports = true,
	.root_for = "reads BPF maps",
	.run = cmd_doctor,
};
