/* SPDX-License-Identifier: GPL-2.0-only */
/* The systemd unit of a process, and which addresses it denies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "doctor/unit.h"
#include "lib/array.h"

static void units_of_cgroups(void **state)
{
	static const struct {
		const char *line, *unit; /* NULL: none */
	} cases[] = {
		{ "0::/system.slice/nginx.service\n", "nginx.service" },
		{ "1:name=systemd:/system.slice/nginx.service\n", "nginx.service" },
		{ "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n",
		  "postgresql@15-main.service" },
		{ "0::/system.slice/a.service/worker\n", "a.service" },
		{ "0::/system.slice/dev\\x2dtool.service\n", "dev\\x2dtool.service" },
		{ "0::/system.slice/docker-0123.scope\n", "docker-0123.scope" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n", NULL },
		{ "4:memory:/system.slice/nginx.service\n", NULL },
		{ "0::/init.scope\n", NULL },
		{ "0::/\n", NULL },
		{ "0::/system.slice/\n", NULL },
		{ "0::/system.slice/.service\n", NULL },
		{ "0::/system.slice/a';reboot;'.service\n", NULL },
		{ "", NULL },
	};
	char unit[UNIT_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = unit_of_cgroup(cases[i].line, unit);

		if (found != !!cases[i].unit || (found && strcmp(unit, cases[i].unit) != 0))
			fail_msg("%s", cases[i].line);
	}
}

static bool denies(const char *deny, const char *allow, const char *address)
{
	struct unit_access access = {};
	struct hbpf_addr addr;
	bool denied;

	assert_int_equal(addr_parse(address, &addr), 0);
	unit_access_parse(&access, deny);
	unit_access_parse(&access, allow);
	unit_access_parse(&access, "Id=nginx.service\n");
	denied = unit_denies(&access, &addr);
	unit_access_free(&access);
	return denied;
}

static void addresses_that_a_unit_denies(void **state)
{
	(void)state;
	/* as systemctl 252 prints them */
	assert_false(denies("IPAddressDeny=\n", "IPAddressAllow=\n", "172.30.0.2"));
	assert_true(denies("IPAddressDeny=::/0 0.0.0.0/0\n", "IPAddressAllow=127.0.0.0/8 ::1/128\n",
			   "172.30.0.2"));
	assert_true(denies("IPAddressDeny=::/0 0.0.0.0/0\n", "IPAddressAllow=127.0.0.0/8 ::1/128\n",
			   "fd00::2"));
	assert_false(denies("IPAddressDeny=::/0 0.0.0.0/0\n",
			    "IPAddressAllow=127.0.0.0/8 172.30.0.0/16\n", "172.30.0.2"));
	assert_false(denies("IPAddressDeny=10.0.0.0/8\n", "IPAddressAllow=\n", "172.30.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_of_cgroups),
		cmocka_unit_test(addresses_that_a_unit_denies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
