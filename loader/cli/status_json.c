/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a bridge as JSON: hbpf-json(5), docs/json-schema/status.json. */
#include "cli/stats_view.h"
#include "cli/status.h"
#include "doctor/checks.h"
#include "lib/json.h"
#include "model/request.h"

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
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++)
		counter_json(json_append_object(array), reason, &counters[reason]);
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

		json_add_string(item, "name", finding_name(problem->id));
		json_add_string(item, "text", problem->text);
		if (problem->command[0])
			json_add_string(item, "command", problem->command);
	}
}

static void status_state_json(struct json_object *to, const struct status *status)
{
	const struct hbpf_config *config = &status->dp.config;
	const char *nat_bypass = status_nat_bypass(config);

	json_add_string(to, "owner", status_owner(config->owner)->name);
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

void status_json(struct json_object *to, const struct status *status)
{
	struct json_object *hooks;

	json_add_string(to, "bridge", status->name);
	if (status->dp.config.attached_as[0])
		json_add_string(to, "attached_as", status->dp.config.attached_as);
	json_add_string(to, "state", level_name(status_level(status)));
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
