/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf status: what is attached, whether it works, and what it changed on the host. */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/lost_bridges.h"
#include "cli/ports_view.h"
#include "cli/status.h"
#include "cli/target.h"
#include "doctor/checks.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/units.h"
#include "model/reasons.h"
#include "model/request.h"

/* Each section has its own columns; a common width of the first aligns the sections. */
#define LABEL "%-10s"

#define NAME_STRLEN   (2 * IFNAMSIZ + sizeof(" (attached as )"))
#define REPAIR_STRLEN (sizeof(((struct status_problem *)0)->command) + sizeof("; `` repairs it"))

/* "br-lan (attached as br-test)" */
static const char *status_name_format(const struct status *status, char buf[NAME_STRLEN])
{
	const char *as = status->dp.config.attached_as;
	bool renamed = as[0] && strcmp(as, status->name) != 0;

	snprintf(buf, NAME_STRLEN, renamed ? "%s (attached as %s)" : "%s", status->name, as);
	return buf;
}

/* "; `hbpf attach br-test` repairs it", or empty */
static const char *status_repair_format(const struct status_problem *problem,
					char buf[REPAIR_STRLEN])
{
	buf[0] = '\0';
	if (problem->command[0])
		snprintf(buf, REPAIR_STRLEN, "; `%s` repairs it", problem->command);
	return buf;
}

/* "broken: it is down; `ip link set br-test up` repairs it" */
static void status_print_problem(const struct status_problem *problem)
{
	enum level level = status_problem_level(problem);
	char repair[REPAIR_STRLEN];

	output_level(level, "%s", level_name(level));
	output_text(": %s%s\n", problem->text, status_repair_format(problem, repair));
}

static void status_print_ok(const struct status *status)
{
	size_t count = status->ports.exports.count;

	output_level(LEVEL_OK, "%s", level_name(LEVEL_OK));
	if (count)
		output_text(", %zu port%s open\n", count, count == 1 ? "" : "s");
	else
		puts(", no port is open");
}

/* The first line has the state, and if something is wrong, how to repair it. */
static void status_print_head(const struct status *status)
{
	char name[NAME_STRLEN];

	output_text("%s: ", status_name_format(status, name));
	if (!status->problem_count)
		status_print_ok(status);
	for (size_t i = 0; i < status->problem_count; i++) {
		if (i)
			fputs("  ", stdout);
		status_print_problem(&status->problems[i]);
	}
}

static void status_label_row(struct table *table, const char *label)
{
	table_row(table);
	table_cell(table, 0, LABEL, label);
}

static void status_gateway_cells(const struct gateway *gateway, struct table *table)
{
	const struct gateway_reason *reason;
	char addr[ADDR_STRLEN], text[128] = "";
	size_t len = 0;

	for (size_t i = 0; (reason = status_gateway_why(gateway->why, i)); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "; " : "",
					reason->text);
	table_cell(table, 1, "%s", addr_format(&gateway->addr, addr));
	table_cell(table, 2, "%s", text);
}

static void status_print_gateways(const struct status *status, struct table *table)
{
	for (size_t i = 0; i < status->gateways.count; i++) {
		status_label_row(table, i ? "" : "gateways");
		status_gateway_cells(&status->gateways.v[i], table);
	}
	if (!status->gateways.count) {
		status_label_row(table, "gateways");
		table_cell(table, 1, "none");
	}
}

static void status_setting_cells(const struct setting_state *state, struct table *table)
{
	if (state->now < 0) {
		table_cell(table, 2, "missing");
		return;
	}
	table_cell(table, 2, "%d", state->now);
	if (!state->record.saved)
		table_cell(table, 3, "not set by hbpf");
	else if (state->now != state->record.set)
		table_cell(table, 3, "was %d, hbpf set %d; changed since", state->record.old,
			   state->record.set);
	else
		table_cell(table, 3, "was %d", state->record.old);
}

static void status_print_settings(const struct status *status, struct table *table)
{
	for (int id = 0; id < SETTING_MAX; id++) {
		status_label_row(table, id ? "" : "settings");
		table_cell(table, 1, "%s", status->settings[id].name);
		status_setting_cells(&status->settings[id], table);
	}
}

static void status_print_choices(const struct status *status, struct table *table)
{
	const struct hbpf_config *config = &status->dp.config;
	char policy[POLICY_STRLEN];

	status_label_row(table, "clients");
	table_cell(table, 1, "%s",
		   policy_format(&status->ports.sources, &config->from, true, policy));
	status_label_row(table, "guard");
	table_cell(table, 1, "%s: %s", config->guard_dst ? "on" : "off", guard_describe(config));
	if (status_owner(config->owner)->text) {
		status_label_row(table, "managed by");
		table_cell(table, 1, "%s", status_owner(config->owner)->text);
	}
	status_label_row(table, "NAT bypass");
	table_cell(table, 1, "%s: %s", status_nat_bypass(config), status_nat_bypass_why(status));
}

static void status_print_missing(const struct status *status, struct table *table)
{
	const struct kernel_gap *gap;

	for (size_t i = 0; (gap = status_missing(status, i)); i++) {
		status_label_row(table, i ? "" : "kernel");
		table_cell(table, 1, "lacks %s", gap->text);
	}
}

static void status_print_counters(const struct status *status)
{
	static const struct table_column columns[] = {
		{}, {}, { .flags = TABLE_RIGHT }, { .flags = TABLE_RIGHT }, { .flags = TABLE_WRAP },
	};
	struct table table = TABLE(columns);
	char size[SIZE_STRLEN];
	bool any = false;

	table.indent = 4;
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		const struct hbpf_counter *counter = &status->counters[reason];
		const struct reason_text *text = reason_text(reason);

		if (!counter->packets)
			continue;
		any = true;
		table_row(&table);
		table_cell(&table, 0, "%s", text->name);
		table_cell(&table, 1, "%s", text->verdict);
		table_cell(&table, 2, "%llu", counter->packets);
		table_cell(&table, 3, "%s", size_format(counter->bytes, size));
		table_cell(&table, 4, "%s", text->text);
	}
	if (any)
		puts("  counters");
	table_print(&table);
}

static void status_print_ports_head(const struct status *status)
{
	if (!status->ports.exports.count)
		output_text("  " LABEL "  none; open one with `hbpf ports add PORT`\n", "ports");
	else if (status->unreachable)
		output_text("  " LABEL "  unreachable, see above\n", "ports");
	else
		puts("  ports");
}

static void status_print(const struct status *status)
{
	static const struct table_column columns[] = {
		{},
		{ .flags = TABLE_WRAP },
		{ .flags = TABLE_WRAP },
		{ .flags = TABLE_WRAP },
	};
	struct table table = TABLE(columns);

	table.indent = 2;
	status_print_head(status);
	if (!status->readable)
		return;
	if (status->live) {
		status_label_row(&table, "hook");
		table_cell(&table, 1, "%s", hook_kind_names[status->hooks[HOOK_INGRESS].kind]);
		table_print(&table);
	}
	status_print_gateways(status, &table);
	table_print(&table);
	status_print_ports_head(status);
	ports_view_print(&status->ports, 4);
	status_print_choices(status, &table);
	status_print_missing(status, &table);
	table_print(&table);
	status_print_settings(status, &table);
	table_print(&table);
	if (log_is_verbose())
		status_print_counters(status);
}

/* Everything that is shown; gathered before anything is printed. */
struct status_view {
	struct attached at;
	struct status_host on;
	const char *only;                    /* one of at.bridges, or NULL */
	const struct lost_bridge *lost_only; /* one of at.lost, or NULL */
	struct status *v;
	size_t count;
};

static int status_view_gather(struct status_view *view, struct error *err)
{
	const struct pins_bridges *bridges = &view->at.bridges;

	status_host_read(&view->on, &view->at);
	view->v = calloc(bridges->count + 1, sizeof(*view->v));
	if (!view->v)
		return error_nomem(err);
	for (size_t i = 0; i < bridges->count; i++) {
		const char *bridge = bridges->names[i];

		if (!view->lost_only && (!view->only || view->only == bridge))
			status_read(&view->v[view->count++], &view->on, bridge);
	}
	return 0;
}

static void status_print_lost(const struct lost_bridge *lost)
{
	output_text("%s: ", lost->name);
	output_level(LEVEL_BROKEN, "%s", level_name(LEVEL_BROKEN));
	output_text(": %s\n", lost_bridge_describe(lost));
	if (!lost->live)
		output_text(
			"  `hbpf detach %s` restores the settings, `hbpf attach %s` attaches again\n",
			lost->name, lost->name);
}

static void status_lost_json(struct json_object *to, const struct lost_bridge *lost)
{
	json_add_string(to, "bridge", lost->name);
	json_add_string(to, "state", level_name(LEVEL_BROKEN));
	json_add_bool(to, "exists", true);
	json_add_bool(to, "live", lost->live);
	json_add_bool(to, "exposed", !lost->guarded);
	json_add_bool(to, "lost", true);
	json_add_string(to, "problem", lost_bridge_describe(lost));
}

/* Iterates over what is shown: NULL gives the first; returns NULL after the last. */
static const struct lost_bridge *status_view_next_lost(const struct status_view *view,
						       const struct lost_bridge *lost)
{
	if (view->only)
		return NULL;
	if (view->lost_only)
		return lost ? NULL : view->lost_only;
	lost = lost ? lost + 1 : view->at.lost.v;
	return lost < view->at.lost.v + view->at.lost.count ? lost : NULL;
}

static void status_view_json(const struct status_view *view)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_add_array(doc, "bridges");
	const struct lost_bridge *lost = NULL;

	for (size_t i = 0; i < view->count; i++)
		status_json(json_append_object(array), &view->v[i]);
	while ((lost = status_view_next_lost(view, lost)))
		status_lost_json(json_append_object(array), lost);
	json_print(doc);
}

static void status_state_cell(struct table *table, enum level level)
{
	table_cell(table, 1, "%s", level_name(level));
	table_level(table, 1, level);
}

static void status_summary_row(const struct status *status, struct table *table)
{
	const struct status_problem *worst = status->problems;
	char name[NAME_STRLEN], repair[REPAIR_STRLEN], more[64] = "";

	table_row(table);
	table_cell(table, 0, "%s", status_name_format(status, name));
	status_state_cell(table, status_level(status));
	if (status->readable)
		table_cell(table, 2, "%zu", status->ports.exports.count);
	if (!status->problem_count)
		return;
	if (status->problem_count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", status->problem_count - 1);
	table_cell(table, 3, "%s%s%s", worst->text, status_repair_format(worst, repair), more);
}

static void status_lost_row(const struct lost_bridge *lost, struct table *table)
{
	table_row(table);
	table_cell(table, 0, "%s", lost->name);
	status_state_cell(table, LEVEL_BROKEN);
	table_cell(table, 3, "%s%s%s%s", lost_bridge_describe(lost),
		   lost->live ? "" : "; `hbpf detach ", lost->live ? "" : lost->name,
		   lost->live ? "" : "` restores the settings");
}

/* One line for each bridge. */
static void status_view_summary(const struct status_view *view)
{
	static const struct table_column columns[] = {
		{ .head = "INTERFACE" },
		{ .head = "STATE" },
		{ .head = "PORTS", .flags = TABLE_RIGHT },
		{ .head = "PROBLEM", .flags = TABLE_WRAP },
	};
	const struct lost_bridge *lost = NULL;
	struct table table = TABLE(columns);

	for (size_t i = 0; i < view->count; i++)
		status_summary_row(&view->v[i], &table);
	while ((lost = status_view_next_lost(view, lost)))
		status_lost_row(lost, &table);
	table_print(&table);
}

static void status_view_text(const struct status_view *view)
{
	const struct lost_bridge *lost = NULL;

	for (size_t i = 0; i < view->count; i++)
		status_print(&view->v[i]);
	while ((lost = status_view_next_lost(view, lost)))
		status_print_lost(lost);
}

/* Return: exit code */
static int status_view_show(const struct cli_call *call, const struct status_view *view)
{
	size_t lost = view->only ? 0 : view->lost_only ? 1 : view->at.lost.count;
	int exit_code = lost ? EXIT_FAILED : EXIT_DONE;

	if (call->json) {
		status_view_json(view);
	} else if (!view->count && !lost) {
		puts("no interface is attached; attach one with `hbpf attach INTERFACE`");
	} else if (view->count + lost > 1 && !log_is_verbose()) {
		status_view_summary(view);
	} else {
		if (view->only)
			report_name(call->args[0],
				    attachment_current_name(&view->at.bridges, view->only));
		status_view_text(view);
	}
	for (size_t i = 0; i < view->count; i++) {
		if (status_level(&view->v[i]) == LEVEL_BROKEN)
			exit_code = EXIT_FAILED;
	}
	return exit_code;
}

static void status_view_free(struct status_view *view)
{
	for (size_t i = 0; i < view->count; i++)
		status_free(&view->v[i]);
	free(view->v);
	status_host_free(&view->on);
	attached_free(&view->at);
}

static int status_view_read(struct status_view *view, const struct target *target,
			    struct error *err)
{
	int ret = attached_open_all(&view->at, PINS_READ, err);
	int unread = view->at.unread;

	if (!ret && target->name)
		view->lost_only = lost_bridges_get(&view->at.lost, target->name);
	/* A bridge without readable state may still be found attached. */
	if (unread && (target->name ? !view->lost_only : !view->at.lost.count))
		ret = unread;
	if (!ret && unread)
		log_warn("%s", err->what);
	if (!ret && target->name && !view->lost_only) {
		view->only = target_choose(&view->at.bridges, target, NULL, err);
		ret = view->only ? 0 : -ENOENT;
	}
	return ret ? ret : status_view_gather(view, err);
}

static int cmd_status(const struct cli_call *call)
{
	struct status_view view = { .at = ATTACHED_INIT };
	struct error err = {};
	struct target target;
	int exit_code = EXIT_FAILED;
	int ret;

	target_resolve(call->args[0], &target);
	ret = status_view_read(&view, &target, &err);
	pins_close(&view.at.pins);
	if (ret) {
		log_error(&err);
	} else {
		listeners_name(&view.v->ports.listeners, view.count, sizeof(*view.v));
		for (size_t i = 0; i < view.count; i++)
			status_find_services(&view.v[i]);
		exit_code = status_view_show(call, &view);
	}
	error_free(&err);
	target_free(&target);
	status_view_free(&view);
	return exit_code;
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[INTERFACE] [options]",
	.summary = "Show whether attached bridges work, and how to repair them",
	.text = "Shows one INTERFACE (or a network's name or ID) with its ports and settings. Without a\n"
		"name it shows the only attached bridge, or a line for each of several; -v shows\n"
		"everything about all of them, and the packet counters.\n\n"
		"The state of a bridge is\n"
		"  ok       clients are served\n"
		"  warning  the same, but something needs a look: nothing listens on a port, for\n"
		"           example\n"
		"  broken   clients are not served, the state cannot be read, or the guard was removed\n"
		"           while route_localnet is on, which opens all of the host's loopback; the\n"
		"           exit status is 1",
	.max_args = 1,
	.arg = "INTERFACE",
	.reports = true,
	.root_for = "reads BPF maps",
	.run = cmd_status,
};
