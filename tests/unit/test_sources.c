/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of sources: each prefix once, and as few as cover the same addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "model/sources.h"
#include "lib/array.h"

/* "10.0.0.1 10.0.0.0/24" */
static struct sources parse(const char *text)
{
	struct sources set = {};
	char *copy = strdup(text), *at, *rest = copy;

	while ((at = strsep(&rest, " "))) {
		struct source source = {};

		assert_int_equal(prefix_parse(at, &source.prefix), 0);
		assert_int_equal(sources_add(&set, &source), 0);
	}
	free(copy);
	return set;
}

static const char *format(const struct sources *set, char *buf, size_t size)
{
	char text[PREFIX_STRLEN];
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; i < set->count; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? " " : "",
					prefix_format(&set->v[i].prefix, text));
	return buf;
}

static void a_set_has_the_families_of_its_prefixes(void **state)
{
	static const struct {
		const char *given;
		bool v4, v6;
	} cases[] = {
		{ "10.0.0.1", true, false },
		{ "2001:db8::/64 ::/0", false, true },
		{ "0.0.0.0/0 2001:db8::1", true, true },
	};
	struct families families = {};

	(void)state;
	sources_families(&(struct sources){}, &families);
	assert_false(families.v4 || families.v6);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sources set = parse(cases[i].given);

		families = (struct families){};
		sources_families(&set, &families);
		assert_int_equal(families.v4, cases[i].v4);
		assert_int_equal(families.v6, cases[i].v6);
		sources_free(&set);
	}
}

static void few_prefixes_cover_the_same_addresses(void **state)
{
	static const struct {
		const char *given, *merged;
	} cases[] = {
		{ "10.0.0.1", "10.0.0.1/32" },
		{ "10.0.0.2 10.0.0.1", "10.0.0.1/32 10.0.0.2/32" }, /* no halves of one */
		{ "10.0.0.3 10.0.0.2 10.0.0.3", "10.0.0.2/31" },
		{ "10.0.0.0 10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.0/30" },
		{ "10.0.0.2/31 10.0.0.1 10.0.0.0", "10.0.0.0/30" },
		{ "10.0.0.7 10.0.0.0/24 10.0.0.0 10.0.0.255", "10.0.0.0/24" },
		{ "10.0.0.255 10.0.1.0", "10.0.0.255/32 10.0.1.0/32" },
		{ "10.0.1.0/24 10.0.0.0/25 10.0.0.129 10.0.0.128/25", "10.0.0.0/23" },
		{ "0.0.0.0/1 128.0.0.0/1 10.0.0.1", "0.0.0.0/0" },
		{ "2001:db8::1 2001:db8:: 10.0.0.1 2001:db8::2/127", "10.0.0.1/32 2001:db8::/126" },
		{ "2001:db8::/64 2001:db8::5 2001:db8:0:1::/64", "2001:db8::/63" },
		{ "::/1 8000::/1 0.0.0.0/0", "0.0.0.0/0 ::/0" }, /* families stay apart */
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sources set = parse(cases[i].given);

		sources_merge(&set);
		assert_string_equal(format(&set, text, sizeof(text)), cases[i].merged);
		sources_free(&set);
	}
}

static void ten_thousand_neighbouring_addresses_become_a_few_prefixes(void **state)
{
	struct sources set = {};

	(void)state;
	for (unsigned int i = 10000; i; i--) {
		struct source source = { { addr_from_v4(htonl(0x0a600000 + i)), 128 }, 0 };

		assert_int_equal(sources_add(&set, &source), 0);
	}
	sources_merge(&set);
	assert_true(set.count >= 1 && set.count <= 26);
	sources_free(&set);
}

static void sorted_sets_have_each_prefix_once_and_the_address_towards_it(void **state)
{
	struct sources set = parse("10.0.0.0/8 10.0.0.0/24 10.0.0.0/8 2001:db8::/64 10.0.0.0/8");
	struct sources other = parse("2001:db8::/64 10.0.0.0/24 10.0.0.0/8");
	char text[1024];

	(void)state;
	set.v[2].local4 = htonl(0x0a000001);
	sources_sort(&set);
	sources_sort(&other);
	assert_string_equal(format(&set, text, sizeof(text)),
			    "10.0.0.0/8 10.0.0.0/24 2001:db8::/64");
	assert_int_equal(set.v[0].local4, htonl(0x0a000001));
	assert_false(sources_same(&set, &other));
	other.v[0].local4 = htonl(0x0a000001);
	assert_true(sources_same(&set, &other));
	other.count--;
	assert_false(sources_same(&set, &other));
	sources_free(&set);
	sources_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_has_the_families_of_its_prefixes),
		cmocka_unit_test(few_prefixes_cover_the_same_addresses),
		cmocka_unit_test(ten_thousand_neighbouring_addresses_become_a_few_prefixes),
		cmocka_unit_test(sorted_sets_have_each_prefix_once_and_the_address_towards_it),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
