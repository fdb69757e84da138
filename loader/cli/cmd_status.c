/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf status: what is attached, whether it works, and what it changed on the host. */
#include "cli/commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/orphans.h"
#include "cli/ports_view.h"
#include "cli/status.h"
#include "cli/target.h"
#include "lib/log.h"
#include "lib/output.h"
#include "model/request.h"

/* Each section has its own columns; a common width of the first aligns the sections. */
#define LABEL "%-10s"

static const char *const side_names[HOOK_SIDES] = {
	[HOOK_INGRESS] = "ingress",
	[HOOK_EGRESS] = "egress",
};

static void print_problem(const struct status_problem *problem)
{
	if (problem->command[0])
		output_text("%s; `%s` repairs it\n", problem->text, problem->command);
	else
		output_text("%s\n", problem->text);
}

/* "br-lan (attached as br-test): " */
static void print_name(const struct status *status)
{
	const char *as = status->dp.config.attached_as;

	if (as[0] && strcmp(as, status->name) != 0)
		output_text("%s (attached as %s): ", status->name, as);
	else
		output_text("%s: ", status->name);
}

/* The first line has the state, and if something is wrong, how to repair it. */
static void print_head(const struct status *status)
{
	print_name(status);
	if (status->alive)
		output_text("attached, live (%s)%s",
			    hook_kind_names[status->hooks[HOOK_INGRESS].kind],
			    status->problem_count ? ", but " : "\n");
	else
		fputs("dead, ", stdout);
	for (size_t i = 0; i < status->problem_count; i++) {
		if (i)
			fputs("  ", stdout);
		print_problem(&status->problems[i]);
	}
	for (int side = 0; side < HOOK_SIDES; side++) {
		const struct hook_state *hook = &status->hooks[side];

		if (hook->live && !hook->first)
			output_text(
				"  warning: %s runs before hbpf on %s and may let packets past the "
				"guard; `hbpf attach %s` moves hbpf to the front if possible\n",
				hook->before, side_names[side], status->name);
	}
}

static void gateway_cells(const struct gateway *gateway, struct columns *columns)
{
	const struct gateway_reason *reason;
	char addr[ADDR_STRLEN], text[128] = "";
	size_t len = 0;

	for (size_t i = 0; (reason = status_gateway_why(gateway->why, i)); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "; " : "",
					reason->text);
	columns_cell(columns, 1, "%s", addr_format(&gateway->addr, addr));
	columns_cell(columns, 2, "%s", text);
}

static void print_gateways(const struct status *status, struct columns *columns)
{
	for (size_t i = 0; i < status->gateways.count; i++) {
		if (columns_row(columns))
			return;
		columns_cell(columns, 0, LABEL, i ? "" : "gateways");
		gateway_cells(&status->gateways.v[i], columns);
	}
	if (!status->gateways.count && !columns_row(columns)) {
		columns_cell(columns, 0, LABEL, "gateways");
		columns_cell(columns, 1, "none");
	}
}

static void setting_cells(const struct setting_state *state, struct columns *columns)
{
	if (state->now < 0) {
		columns_cell(columns, 2, "missing");
		return;
	}
	columns_cell(columns, 2, "%d", state->now);
	if (!state->kept.saved)
		columns_cell(columns, 3, "not set by hbpf");
	else if (state->now != state->kept.set)
		columns_cell(columns, 3, "was %d, hbpf set %d; changed since", state->kept.old,
			     state->kept.set);
	else
		columns_cell(columns, 3, "was %d", state->kept.old);
}

static void print_settings(const struct status *status, struct columns *columns)
{
	for (int id = 0; id < SETTING_MAX; id++) {
		if (columns_row(columns))
			return;
		columns_cell(columns, 0, LABEL, id ? "" : "settings");
		columns_cell(columns, 1, "%s", status->settings[id].name);
		setting_cells(&status->settings[id], columns);
	}
}

/* Of enum hbpf_owner, in JSON and as text. */
static const char *const owner_names[] = {
	[HBPF_BY_HAND] = "hand",
	[HBPF_BY_FILE] = "file",
	[HBPF_BY_ENGINE] = "engine",
};
static const char *const owner_texts[] = {
	[HBPF_BY_HAND] = NULL,
	[HBPF_BY_FILE] = "hbpf watch (section of its configuration)",
	[HBPF_BY_ENGINE] = "hbpf watch (network of a container engine)",
};

static const char *owner_name(__u8 owner)
{
	return owner <= HBPF_BY_ENGINE ? owner_names[owner] : "unknown";
}

static void print_choices(struct status *status, struct columns *columns)
{
	const struct hbpf_config *config = &status->dp.config;
	char policy[POLICY_STRLEN];

	if (!columns_row(columns)) {
		columns_cell(columns, 0, LABEL, "clients");
		columns_cell(columns, 1, "%s",
			     policy_format(&status->ports.sources, &config->from, true, policy));
	}
	if (!columns_row(columns)) {
		columns_cell(columns, 0, LABEL, "guard");
		columns_cell(columns, 1, "%s: %s", config->guard_dst ? "on" : "off",
			     status_guard_why(config));
	}
	if (config->owner <= HBPF_BY_ENGINE && owner_texts[config->owner] &&
	    !columns_row(columns)) {
		columns_cell(columns, 0, LABEL, "managed by");
		columns_cell(columns, 1, "%s", owner_texts[config->owner]);
	}
	if (!columns_row(columns)) {
		columns_cell(columns, 0, LABEL, "NAT bypass");
		columns_cell(columns, 1, "%s: %s", status_nat_bypass(config),
			     status_nat_bypass_why(status));
	}
}

static void print_missing(const struct status *status, struct columns *columns)
{
	const struct kernel_gap *gap;

	for (size_t i = 0; (gap = status_missing(status, i)); i++) {
		if (columns_row(columns))
			return;
		columns_cell(columns, 0, LABEL, i ? "" : "kernel");
		columns_cell(columns, 1, "lacks %s", gap->text);
	}
}

static void print_counters(const struct status *status)
{
	struct columns columns = {};
	char size[SIZE_STRLEN];

	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		const struct hbpf_counter *counter = &status->counters[reason];
		const struct reason_text *text = status_reason(reason);

		if (!counter->packets || columns_row(&columns))
			continue;
		columns_cell(&columns, 0, "%s", text->name);
		columns_cell(&columns, 1, "%s", text->verdict);
		columns_cell(&columns, 2, "%llu", counter->packets);
		columns_cell(&columns, 3, "%s", size_format(counter->bytes, size));
		columns_cell(&columns, 4, "%s", text->text);
	}
	if (columns.count)
		puts("  counters");
	columns_print(&columns, 4);
}

static void print_ports_head(const struct status *status)
{
	if (!status->ports.exports.count)
		output_text("  " LABEL "  none; open one with `hbpf ports add PORT`\n", "ports");
	else if (status->unreachable)
		output_text("  " LABEL "  unreachable, see above\n", "ports");
	else
		puts("  ports");
}

static void print_status(struct status *status)
{
	struct columns columns = {};

	print_head(status);
	if (!status->readable) {
		output_text("  %s\n", status->problem.what);
		if (status->problem.hint[0])
			output_text("  %s\n", status->problem.hint);
		return;
	}
	print_gateways(status, &columns);
	columns_print(&columns, 2);
	print_ports_head(status);
	ports_view_print(&status->ports, 4);
	print_choices(status, &columns);
	print_missing(status, &columns);
	columns_print(&columns, 2);
	print_settings(status, &columns);
	columns_print(&columns, 2);
	if (log_is_verbose())
		print_counters(status);
}

static void add_string(struct json_object *to, const char *name, const char *text)
{
	json_object_object_add(to, name, output_string(text));
}

static void add_bool(struct json_object *to, const char *name, bool value)
{
	json_object_object_add(to, name, json_object_new_boolean(value));
}

static struct json_object *hook_json(const struct hook_state *hook)
{
	struct json_object *item = json_object_new_object();

	add_bool(item, "live", hook->live);
	if (!hook->live)
		return item;
	add_string(item, "kind", hook_kind_names[hook->kind]);
	json_object_object_add(item, "prog_id", json_object_new_int64(hook->prog_id));
	add_bool(item, "first", hook->first);
	if (!hook->first)
		add_string(item, "before", hook->before);
	return item;
}

static struct json_object *gateways_json(const struct gateways *gateways)
{
	struct json_object *array = json_object_new_array();
	char addr[ADDR_STRLEN];
	const struct gateway_reason *reason;

	for (size_t i = 0; i < gateways->count; i++) {
		struct json_object *item = json_object_new_object();
		struct json_object *why = json_object_new_array();

		add_string(item, "address", addr_format(&gateways->v[i].addr, addr));
		for (size_t n = 0; (reason = status_gateway_why(gateways->v[i].why, n)); n++)
			json_object_array_add(why, output_string(reason->name));
		json_object_object_add(item, "why", why);
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *settings_json(const struct setting_state *states)
{
	struct json_object *array = json_object_new_array();

	for (int id = 0; id < SETTING_MAX; id++) {
		struct json_object *item = json_object_new_object();
		const struct setting_state *state = &states[id];

		add_string(item, "name", state->name);
		if (state->kept.saved) {
			json_object_object_add(item, "old", json_object_new_int(state->kept.old));
			json_object_object_add(item, "set", json_object_new_int(state->kept.set));
		}
		json_object_object_add(item, "now",
				       state->now < 0 ? NULL : json_object_new_int(state->now));
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *counters_json(const struct hbpf_counter *counters)
{
	struct json_object *array = json_object_new_array();

	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		struct json_object *item = json_object_new_object();

		add_string(item, "reason", status_reason(reason)->name);
		add_string(item, "verdict", status_reason(reason)->verdict);
		json_object_object_add(item, "packets",
				       json_object_new_uint64(counters[reason].packets));
		json_object_object_add(item, "bytes",
				       json_object_new_uint64(counters[reason].bytes));
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *choice_json(const char *state, const char *why)
{
	struct json_object *item = json_object_new_object();

	add_string(item, "state", state);
	add_string(item, "why", why);
	return item;
}

static struct json_object *missing_json(const struct status *status)
{
	struct json_object *array = json_object_new_array();
	const struct kernel_gap *gap;

	for (size_t i = 0; (gap = status_missing(status, i)); i++)
		json_object_array_add(array, output_string(gap->name));
	return array;
}

static struct json_object *problems_json(const struct status *status)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < status->problem_count; i++) {
		const struct status_problem *problem = &status->problems[i];
		struct json_object *item = json_object_new_object();

		add_string(item, "name", problem->name);
		add_string(item, "text", problem->text);
		if (problem->command[0])
			add_string(item, "command", problem->command);
		json_object_array_add(array, item);
	}
	return array;
}

static struct json_object *status_json(struct status *status)
{
	const struct hbpf_config *config = &status->dp.config;
	struct json_object *item = json_object_new_object();
	struct json_object *hooks = json_object_new_object();

	add_string(item, "bridge", status->name);
	if (status->dp.config.attached_as[0])
		add_string(item, "attached_as", status->dp.config.attached_as);
	add_bool(item, "exists", status->exists);
	add_bool(item, "live", status->alive);
	add_bool(item, "exposed", status->exposed);
	add_bool(item, "backstop", status->backstop);
	json_object_object_add(item, "problems", problems_json(status));
	for (int side = 0; side < HOOK_SIDES; side++)
		json_object_object_add(hooks, side_names[side], hook_json(&status->hooks[side]));
	json_object_object_add(item, "hooks", hooks);
	if (!status->readable) {
		add_string(item, "problem", status->problem.what);
		if (status->problem.hint[0])
			add_string(item, "hint", status->problem.hint);
		return item;
	}
	add_string(item, "owner", owner_name(config->owner));
	json_object_object_add(item, "gateways", gateways_json(&status->gateways));
	json_object_object_add(item, "ports", ports_view_json(&status->ports));
	json_object_object_add(item, "from", policy_json(&status->ports.sources, &config->from));
	json_object_object_add(
		item, "guard",
		choice_json(config->guard_dst ? "on" : "off", status_guard_why(config)));
	/* "pin" is the deprecated name */
	for (int i = 0; i < 2; i++)
		json_object_object_add(
			item, i ? "pin" : "nat_bypass",
			choice_json(status_nat_bypass(config), status_nat_bypass_why(status)));
	json_object_object_add(item, "missing", missing_json(status));
	json_object_object_add(item, "settings", settings_json(status->settings));
	json_object_object_add(item, "counters", counters_json(status->counters));
	return item;
}

/* Everything that is shown; gathered before anything is printed. */
struct view {
	struct pins_bridges bridges;
	const char *only; /* of these, or NULL */
	struct status *v;
	size_t count;
	struct orphans lost;
	const struct orphan *lost_only; /* of these, or NULL */
};

static int gather(struct view *view, const struct pins *pins, const struct host *host,
		  struct error *err)
{
	view->v = calloc(view->bridges.count + 1, sizeof(*view->v));
	if (!view->v)
		return error_set(err, ENOMEM, "no memory for %zu bridges", view->bridges.count);
	for (size_t i = 0; i < view->bridges.count; i++) {
		const char *bridge = view->bridges.names[i];

		if (!view->lost_only && (!view->only || view->only == bridge))
			status_read(&view->v[view->count++], pins, host, bridge);
	}
	return 0;
}

static void name_listeners(struct view *view)
{
	struct listeners **all = calloc(view->count + 1, sizeof(struct listeners *));

	for (size_t i = 0; all && i < view->count; i++)
		all[i] = &view->v[i].ports.listeners;
	if (all)
		listeners_name(all, view->count);
	free(all);
}

static const char *lost_text(const struct orphan *lost)
{
	if (lost->live)
		return "attached, but its state is in another bpffs; set HBPF_BPFFS to that one";
	if (lost->guarded)
		return "guard only: the state in the bpffs was lost, so no port works, and "
		       "route_localnet is still on";
	return "EXPOSED: the state in the bpffs was lost and the guard was removed, but "
	       "route_localnet is still on, so its clients can reach any port of 127.0.0.0/8";
}

static void print_lost(const struct orphan *lost)
{
	output_text("%s: %s\n", lost->name, lost_text(lost));
	if (!lost->live)
		output_text(
			"  `hbpf detach %s` restores the settings, `hbpf attach %s` attaches again\n",
			lost->name, lost->name);
}

static struct json_object *lost_json(const struct orphan *lost)
{
	struct json_object *item = json_object_new_object();

	add_string(item, "bridge", lost->name);
	add_bool(item, "exists", true);
	add_bool(item, "live", lost->live);
	add_bool(item, "exposed", !lost->guarded);
	add_bool(item, "lost", true);
	add_string(item, "problem", lost_text(lost));
	return item;
}

/* Iterates over what is shown: NULL gives the first; returns NULL after the last. */
static const struct orphan *next_lost(const struct view *view, const struct orphan *lost)
{
	if (view->only)
		return NULL;
	if (view->lost_only)
		return lost ? NULL : view->lost_only;
	lost = lost ? lost + 1 : view->lost.v;
	return lost < view->lost.v + view->lost.count ? lost : NULL;
}

static void show_json(struct view *view)
{
	const struct orphan *lost = NULL;
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < view->count; i++)
		json_object_array_add(array, status_json(&view->v[i]));
	while ((lost = next_lost(view, lost)))
		json_object_array_add(array, lost_json(lost));
	json_object_object_add(doc, "bridges", array);
	output_json(doc);
}

/* Return: exit code */
static int show(const struct cli_call *call, struct view *view)
{
	const struct orphan *lost = NULL;
	int exit_code = EXIT_DONE;

	if (view->only && !call->json)
		report_name(call->args[0], attachment_current_name(&view->bridges, view->only));
	if (call->json)
		show_json(view);
	else if (!view->count && !view->lost.count)
		puts("no bridge is attached; attach one with `hbpf attach BRIDGE`");
	for (size_t i = 0; i < view->count; i++) {
		if (!call->json)
			print_status(&view->v[i]);
		if (!status_is_good(&view->v[i]))
			exit_code = EXIT_FAILED;
	}
	while ((lost = next_lost(view, lost))) {
		if (!call->json)
			print_lost(lost);
		exit_code = EXIT_FAILED;
	}
	return exit_code;
}

static void view_free(struct view *view)
{
	for (size_t i = 0; i < view->count; i++)
		status_free(&view->v[i]);
	free(view->v);
	orphans_free(&view->lost);
	pins_bridges_free(&view->bridges);
}

static int run(const struct cli_call *call)
{
	struct pins pins = PINS_INIT;
	struct view view = {};
	struct host host = {};
	struct error err = {};
	struct target target;
	int exit_code = EXIT_FAILED;
	int unread, ret;

	target_resolve(call->args[0], &target);
	unread = attachment_bridges(PINS_READ, &pins, &view.bridges, &err);
	ret = host_read(&host, unread ? NULL : &err);
	if (!ret)
		ret = orphans_find(&pins, &view.bridges, &host, &view.lost, unread ? NULL : &err);
	if (!ret && call->arg_count)
		view.lost_only = orphans_get(&view.lost, call->args[0]);
	/* A bridge without readable state may still be found attached. */
	if (unread && (call->arg_count ? !view.lost_only : !view.lost.count))
		ret = unread;
	if (!ret && call->arg_count && !view.lost_only) {
		view.only = target_choose(&view.bridges, &target, "`hbpf status BRIDGE`", &err);
		ret = view.only ? 0 : -ENOENT;
	}
	if (!ret)
		ret = gather(&view, &pins, &host, &err);
	pins_close(&pins);
	if (ret) {
		log_error(&err);
	} else {
		if (unread)
			log_warn("%s", err.what);
		name_listeners(&view);
		exit_code = show(call, &view);
	}
	error_free(&err);
	error_free(&target.problem);
	host_free(&host);
	view_free(&view);
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
	.run = run,
};
