/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "lib/array.h"

static void (*const host_checks[])(struct doctor_report *report) = {
	check_privileges,
	check_kernel,
};

/* If nothing is attached, only the bridge itself can be looked at. */
static const struct {
	void (*run)(const struct doctor_bridge *bridge, struct doctor_report *report);
	bool needs_attached;
} bridge_checks[] = {
	{ check_hooks, true },   { check_bridge, false },  { check_gateways, true },
	{ check_clients, true }, { check_settings, true }, { check_guard, true },
	{ check_ports, true },   { check_services, true }, { check_netfilter, true },
	{ check_probe, true }, /* last: what the others found explains its result */

};

void doctor_note(struct doctor_report *report, enum doctor_step step, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(report->notes[step], sizeof(report->notes[step]), fmt, args);
	va_end(args);
}

void doctor_host(struct doctor_report *report)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_checks); i++)
		host_checks[i](report);
}

void doctor_bridge(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	for (size_t i = 0; i < ARRAY_SIZE(bridge_checks); i++) {
		if (bridge->attached || !bridge_checks[i].needs_attached)
			bridge_checks[i].run(bridge, report);
	}
}

enum level doctor_level(const struct doctor_report *report, enum doctor_step step)
{
	enum level worst = LEVEL_OK;

	for (size_t i = 0; i < report->findings.count; i++) {
		enum finding_id id = report->findings.v[i].id;

		if ((step == STEP_MAX || finding_step(id) == step) && finding_level(id) > worst)
			worst = finding_level(id);
	}
	return worst;
}

static bool is_chosen(const struct port_specs *chosen, const struct hbpf_export_key *key)
{
	for (size_t i = 0; i < chosen->count; i++) {
		if (port_spec_has(&chosen->v[i], key->proto, ntohs(key->port)))
			return true;
	}
	return !chosen->count;
}

int doctor_choose(const struct exports *all, const struct port_specs *chosen,
		  struct exports *exports)
{
	int ret = exports_copy(exports, all);
	size_t kept = 0;

	for (size_t i = 0; !ret && i < exports->count; i++) {
		if (is_chosen(chosen, &exports->v[i].key))
			exports->v[kept++] = exports->v[i];
	}
	if (!ret)
		exports->count = kept;
	return ret;
}
