/* SPDX-License-Identifier: GPL-2.0-only */
/* Findings that no test bed can provoke, and the list of findings itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "doctor/checks.h"
#include "lib/array.h"

static void physical_interface_is_found(void **state)
{
	struct link links[] = {
		{ .ifindex = 1, .name = "lo" },
		{ .ifindex = 2, .name = "br0", .kind = "bridge" },
		{ .ifindex = 3, .name = "veth0", .kind = "veth", .master = 2 },
		{ .ifindex = 4, .name = "eth0", .master = 2 },
		{ .ifindex = 5, .name = "eth1", .master = 9 },
	};
	const struct host host = { .links = { links, ARRAY_SIZE(links) } };
	struct findings findings = {};

	(void)state;
	find_lan(&host, &links[1], &findings);
	assert_int_equal(findings.count, 1);
	assert_string_equal(finding_name(findings.v[0].id), "lan");
	assert_non_null(strstr(findings.v[0].text, "eth0, a physical interface, is a port of br0"));
	findings_free(&findings);
}

static enum finding_id finding_by_name(const char *name)
{
	enum finding_id id = 0;

	while (id < FINDING_MAX && strcmp(finding_name(id), name) != 0)
		id++;
	return id;
}

static void every_problem_of_status_has_a_finding(void **state)
{
	/* in the JSON of `hbpf status` */
	static const char *const names[] = { "deleted",   "dead",    "backstop", "exposed",
					     "setting",   "gateway", "clients",  "down",
					     "addresses", "route",   "unknown" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(finding_name(finding_by_name(names[i])), names[i]);
	assert_int_equal(finding_by_name("none"), FINDING_MAX);
}

static void a_command_that_does_not_fit_is_left_out(void **state)
{
	struct findings findings = {};
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	finding_add(&findings, FINDING_DOWN, "it is down");
	finding_command(&findings, "ip link set %s up", "br0");
	assert_string_equal(findings.v[0].command, "ip link set br0 up");
	finding_command(&findings, "ip link set %s up", name);
	assert_string_equal(findings.v[0].command, "");
	findings_free(&findings);
}

static void the_worst_finding_makes_the_level(void **state)
{
	struct doctor_report report = {};

	(void)state;
	assert_int_equal(doctor_level(&report, STEP_MAX), LEVEL_OK);
	finding_add(&report.findings, FINDING_LAN, "warning");
	assert_int_equal(doctor_level(&report, STEP_MAX), LEVEL_WARNING);
	finding_add(&report.findings, FINDING_DEAD, "broken");
	assert_int_equal(doctor_level(&report, STEP_MAX), LEVEL_BROKEN);
	assert_int_equal(doctor_level(&report, STEP_BRIDGE), LEVEL_WARNING);
	assert_int_equal(doctor_level(&report, STEP_SERVICES), LEVEL_OK);
	findings_free(&report.findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(physical_interface_is_found),
		cmocka_unit_test(every_problem_of_status_has_a_finding),
		cmocka_unit_test(a_command_that_does_not_fit_is_left_out),
		cmocka_unit_test(the_worst_finding_makes_the_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
