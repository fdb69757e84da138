/* SPDX-License-Identifier: GPL-2.0-only */
/* The settings that hbpf changed, and the guard. */
#include <stdio.h>

#include "doctor/checks.h"
#include "lib/str_list.h"

/* Broken ones are findings of status. */
void check_settings(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	char list[256] = "", item[160];

	for (int id = 0; id < SETTING_MAX; id++) {
		const struct setting_state *state = &bridge->settings[id];

		snprintf(item, sizeof(item), "%s %d", state->name + sizeof("net.ipv4.conf"),
			 state->effect);
		str_list_add(list, sizeof(list), item);
	}
	doctor_note(report, STEP_SETTINGS, "%s", list);
}

const char *guard_describe(const struct hbpf_config *config)
{
	if (config->guard_dst)
		return "drops packets to and from 127.0.0.0/8 and ::1";
	if (config->guard_option == HBPF_OFF)
		return "--no-guard lets packets to 127.0.0.0/8 in; packets from 127.0.0.0/8 and "
		       "::1 are dropped";
	return "lets packets to 127.0.0.0/8 in, as they may be replies (route_localnet was set "
	       "before hbpf, and br_netfilter is on); packets from 127.0.0.0/8 and ::1 are dropped";
}

void check_guard(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	doctor_note(report, STEP_GUARD, "%s", guard_describe(&bridge->config));
	if (bridge->config.guard_dst)
		return;
	finding_add(&report->findings, FINDING_GUARD_OFF, "%s", guard_describe(&bridge->config));
	finding_command(&report->findings, "hbpf attach %s --guard", bridge->name);
}
