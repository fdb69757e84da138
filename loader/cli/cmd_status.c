/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf status: what is attached, whether it works, and what it changed on the host. */
#include "cli/commands.h"

#include <assert.h>
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

static void status_print_problem(const struct status_problem *problem)
{
	if (problem->command[0])
		output_text("%s; `%s` repairs it\n", problem->text, problem->command);
	else
		output_text("%s\n", problem->text);
}

/* "br-lan (attached as br-test): " */
static void status_print_name(const struct status *status)
{
	const char *as = status->dp.config.attached_as;

	if (as[0] && strcmp(as, status->name) != 0)
		output_text("%s (attached as %s): ", status->name, as);
	else
		output_text("%s: ", status->name);
}

/* The first line has the state, and if something is wrong, how to repair it. */
static void status_print_head(const struct status *status)
{
	struct findings findings = {};

	status_print_name(status);
	if (status->live)
		output_text("attached, live (%s)%s",
			    hook_kind_names[status->hooks[HOOK_INGRESS].kind],
			    status->problem_count ? ", but " : "\n");
	else
		fputs("dead, ", stdout);
	for (size_t i = 0; i < status->problem_count; i++) {
		if (i)
			fputs("  ", stdout);
		status_print_problem(&status->problems[i]);
	}
	find_order(status->hooks, status->name, &findings);
	for (size_t i = 0; i < findings.count; i++)
		output_text("  warning: %s; `%s` moves hbpf to the front if possible\n",
			    findings.v[i].text, findings.v[i].command);
	findings_free(&findings);
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

/* enum hbpf_owner, as in JSON and as text */
static const struct {
	const char *name;
	const char *text;
} owners[] = {
	[HBPF_OWNER_MANUAL] = { "hand", NULL },
	[HBPF_OWNER_CONFIG] = { "file", "hbpf watch (section of its configuration)" },
	[HBPF_OWNER_ENGINE] = { "engine", "hbpf watch (network of a container engine)" },
};
static_assert(ARRAY_SIZE(owners) == HBPF_OWNER_ENGINE + 1, "every owner has a name");

static const char *status_owner_name(__u8 owner)
{
	return owner < ARRAY_SIZE(owners) ? owners[owner].name : "unknown";
}

static void status_print_choices(struct status *status, struct table *table)
{
	const struct hbpf_config *config = &status->dp.config;
	char policy[POLICY_STRLEN];

	status_label_row(table, "clients");
	table_cell(table, 1, "%s",
		   policy_format(&status->ports.sources, &config->from, true, policy));
	status_label_row(table, "guard");
	table_cell(table, 1, "%s: %s", config->guard_dst ? "on" : "off", guard_describe(config));
	if (config->owner < ARRAY_SIZE(owners) && owners[config->owner].text) {
		status_label_row(table, "managed by");
		table_cell(table, 1, "%s", owners[config->owner].text);
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

static void status_print(struct status *status)
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
	if (!status->readable) {
		output_text("  %s\n", status->problem.what);
		if (status->problem.hint[0])
			output_text("  %s\n", status->problem.hint);
		return;
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

static void status_hook_json(struct json_object *to, const struct hook_state *hook)
{
	json_add_bool(to, "live", hook->live);
	if (!hook->live)
		return;
	json_add_string(to, "kind", hook_kind_names[hook->kind]);
	json_add_u64(to, "prog_id", hook->prog_id);
	json_add_bool(to, "first", hook->first);
	if (!hook->first)
		json_add_string(to, "before", hook->before);
}

static void status_gateways_json(struct json_object *array, const struct gateways *gateways)
{
	char addr[ADDR_STRLEN];
	const struct gateway_reason *reason;

	for (size_t i = 0; i < gateways->count; i++) {
		struct json_object *item = json_append_object(array), *why;

		json_add_string(item, "address", addr_format(&gateways->v[i].addr, addr));
		why = json_add_array(item, "why");
		for (size_t n = 0; (reason = status_gateway_why(gateways->v[i].why, n)); n++)
			json_append_string(why, reason->name);
	}
}

static void status_settings_json(struct json_object *array, const struct setting_state *states)
{
	for (int id = 0; id < SETTING_MAX; id++) {
		struct json_object *item = json_append_object(array);
		const struct setting_state *state = &states[id];

		json_add_string(item, "name", state->name);
		if (state->record.saved) {
			json_add_int(item, "old", state->record.old);
			json_add_int(item, "set", state->record.set);
		}
		if (state->now < 0)
			json_object_object_add(item, "now", NULL);
		else
			json_add_int(item, "now", state->now);
	}
}

static void status_counters_json(struct json_object *array, const struct hbpf_counter *counters)
{
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		struct json_object *item = json_append_object(array);

		json_add_string(item, "reason", reason_text(reason)->name);
		json_add_string(item, "verdict", reason_text(reason)->verdict);
		json_add_u64(item, "packets", counters[reason].packets);
		json_add_u64(item, "bytes", counters[reason].bytes);
	}
}

static void status_choice_json(struct json_object *to, const char *state, const char *why)
{
	json_add_string(to, "state", state);
	json_add_string(to, "why", why);
}

static void status_missing_json(struct json_object *array, const struct status *status)
{
	const struct kernel_gap *gap;

	for (size_t i = 0; (gap = status_missing(status, i)); i++) {
		json_append_string(array, gap->name);
		if (gap->deprecated)
			json_append_string(array, gap->deprecated);
	}
}

static void status_problems_json(struct json_object *array, const struct status *status)
{
	for (size_t i = 0; i < status->problem_count; i++) {
		const struct status_problem *problem = &status->problems[i];
		struct json_object *item = json_append_object(array);

		json_add_string(item, "name", problem->name);
		json_add_string(item, "text", problem->text);
		if (problem->command[0])
			json_add_string(item, "command", problem->command);
	}
}

static void status_state_json(struct json_object *to, const struct status *status)
{
	const struct hbpf_config *config = &status->dp.config;
	const char *nat_bypass = status_nat_bypass(config);

	json_add_string(to, "owner", status_owner_name(config->owner));
	status_gateways_json(json_add_array(to, "gateways"), &status->gateways);
	ports_view_json(json_add_array(to, "ports"), &status->ports);
	policy_json(json_add_array(to, "from"), &status->ports.sources, &config->from);
	status_choice_json(json_add_object(to, "guard"), config->guard_dst ? "on" : "off",
			   guard_describe(config));
	status_choice_json(json_add_object(to, "nat_bypass"), nat_bypass,
			   status_nat_bypass_why(status));
	/* deprecated */
	status_choice_json(json_add_object(to, "pin"), nat_bypass, status_nat_bypass_why(status));
	status_missing_json(json_add_array(to, "missing"), status);
	status_settings_json(json_add_array(to, "settings"), status->settings);
	status_counters_json(json_add_array(to, "counters"), status->counters);
}

static void status_json(struct json_object *to, const struct status *status)
{
	struct json_object *hooks;

	json_add_string(to, "bridge", status->name);
	if (status->dp.config.attached_as[0])
		json_add_string(to, "attached_as", status->dp.config.attached_as);
	json_add_bool(to, "exists", status->exists);
	json_add_bool(to, "live", status->live);
	json_add_bool(to, "exposed", status->exposed);
	json_add_bool(to, "backstop", status->backstop);
	status_problems_json(json_add_array(to, "problems"), status);
	hooks = json_add_object(to, "hooks");
	for (int side = 0; side < HOOK_SIDES; side++)
		status_hook_json(json_add_object(hooks, hook_side_name(side)),
				 &status->hooks[side]);
	if (status->readable)
		status_state_json(to, status);
	else
		report_problem_json(to, &status->problem);
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

	view->at.shared.reads_once = true;
	view->on = (struct status_host){
		.pins = &view->at.pins,
		.host = &view->at.host,
		.shared = &view->at.shared,
	};
	status_host_read(&view->on);
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
	output_text("%s: %s\n", lost->name, lost_bridge_describe(lost));
	if (!lost->live)
		output_text(
			"  `hbpf detach %s` restores the settings, `hbpf attach %s` attaches again\n",
			lost->name, lost->name);
}

static void status_lost_json(struct json_object *to, const struct lost_bridge *lost)
{
	json_add_string(to, "bridge", lost->name);
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

/* Return: exit code */
static int status_view_show(const struct cli_call *call, struct status_view *view)
{
	const struct lost_bridge *lost = NULL;
	int exit_code = EXIT_DONE;

	if (view->only && !call->json)
		report_name(call->args[0], attachment_current_name(&view->at.bridges, view->only));
	if (call->json)
		status_view_json(view);
	else if (!view->count && !view->at.lost.count)
		puts("no bridge is attached; attach one with `hbpf attach BRIDGE`");
	for (size_t i = 0; i < view->count; i++) {
		if (!call->json)
			status_print(&view->v[i]);
		if (!status_is_good(&view->v[i]))
			exit_code = EXIT_FAILED;
	}
	while ((lost = status_view_next_lost(view, lost))) {
		if (!call->json)
			status_print_lost(lost);
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
		view->only = target_choose(&view->at.bridges, target, "`hbpf status BRIDGE`", err);
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
		exit_code = status_view_show(call, &view);
	}
	error_free(&err);
	target_free(&target);
	status_view_free(&view);
	return exit_code;
}

const struct command command_status = {
	.name = "status",
	.synopsis = "[BRIDGE] [options]",
	.summary = "Show attached bridges, their problems and the changed settings",
	.text = "Shows one BRIDGE (or a network's name or ID), or every attached one. With -v it\n"
		"also shows the packet counters.\n\n"
		"The exit status is 1 if the state of a bridge cannot be read, if its clients cannot\n"
		"be served, or if the guard was removed while route_localnet is on, which opens all\n"
		"of the host's loopback. hbpf(8) has the full list.",
	.max_args = 1,
	.reports = true,
	.root_for = "reads BPF maps",
	.run = cmd_status,
};
