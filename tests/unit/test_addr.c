/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/addr.h"
#include "lib/array.h"

static struct hbpf_addr parsed(const char *text)
{
	struct hbpf_addr addr;

	if (addr_parse(text, &addr))
		fail_msg("addr_parse(\"%s\") failed", text);
	return addr;
}

static void an_ipv4_address_is_kept_as_v4_mapped(void **state)
{
	static const __u8 mapped[16] = { [10] = 0xff, [11] = 0xff, 172, 17, 0, 1 };
	const struct hbpf_addr addr = parsed("172.17.0.1");
	const struct hbpf_addr same = addr_from_v4(htonl(0xac110001));

	(void)state;
	assert_memory_equal(&addr, mapped, sizeof(mapped));
	assert_true(addr_is_v4(&addr));
	assert_true(addr_equal(&addr, &same));
}

static void an_ipv6_address_is_kept_as_its_16_bytes(void **state)
{
	static const __u8 bytes[16] = { 0xfd, [15] = 1 };
	const struct hbpf_addr addr = parsed("fd00::1");
	const struct hbpf_addr same = addr_from_v6(bytes);

	(void)state;
	assert_memory_equal(&addr, bytes, sizeof(bytes));
	assert_false(addr_is_v4(&addr));
	assert_true(addr_equal(&addr, &same));
}

static void what_is_read_is_written_in_its_shortest_form(void **state)
{
	static const struct {
		const char *text;
		const char *shown;
		const char *endpoint;
	} cases[] = {
		{ "172.17.0.1", "172.17.0.1", "172.17.0.1:8088" },
		{ "0.0.0.0", "0.0.0.0", "0.0.0.0:8088" },
		{ "255.255.255.255", "255.255.255.255", "255.255.255.255:8088" },
		{ "fd00::1", "fd00::1", "[fd00::1]:8088" },
		{ "[fd00::1]", "fd00::1", "[fd00::1]:8088" },
		{ "FD00:0:0:0:0:0:0:1", "fd00::1", "[fd00::1]:8088" },
		{ "::", "::", "[::]:8088" },
		{ "::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1:8088" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:8088" },
	};
	char buf[ADDR_STRLEN], endpoint[ENDPOINT_STRLEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct hbpf_addr addr = parsed(cases[i].text);

		assert_string_equal(addr_format(&addr, buf), cases[i].shown);
		assert_string_equal(endpoint_format(&addr, htons(8088), endpoint),
				    cases[i].endpoint);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"[",
		"]",
		"[]",
		"1",
		"127.1",
		"256.0.0.1",
		"1.2.3.4.5",
		"01.2.3.4",
		" 127.0.0.1",
		"127.0.0.1 ",
		"[1.2.3.4]",
		"[[::1]]",
		"[::1",
		"::1]",
		":::",
		"fd00::1::2",
		"fe80::1%eth0",
		"10.0.0.0/8",
		"localhost",
		"1:2:3:4:5:6:7:8:9",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct hbpf_addr addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (addr_parse(cases[i], &addr) != -EINVAL)
			fail_msg("addr_parse(\"%s\") did not refuse", cases[i]);
}

static void an_address_is_known_for_what_it_is(void **state)
{
	static const struct {
		const char *text;
		bool v4, loopback, unspecified, multicast, link_local6;
	} cases[] = {
		{ "126.255.255.255", .v4 = true },
		{ "127.0.0.0", .v4 = true, .loopback = true },
		{ "127.0.0.1", .v4 = true, .loopback = true },
		{ "127.255.255.255", .v4 = true, .loopback = true },
		{ "128.0.0.0", .v4 = true },
		{ "::1", .loopback = true },
		{ "::2", .v4 = false },
		{ "::127.0.0.1", .v4 = false }, /* v4-compatible, not v4-mapped */
		{ "1::1", .v4 = false },
		{ "::ffff:127.0.0.1", .v4 = true, .loopback = true },
		{ "0.0.0.0", .v4 = true, .unspecified = true },
		{ "0.0.0.1", .v4 = true },
		{ "::", .unspecified = true },
		{ "223.255.255.255", .v4 = true },
		{ "224.0.0.1", .v4 = true, .multicast = true },
		{ "239.255.255.255", .v4 = true, .multicast = true },
		{ "240.0.0.0", .v4 = true },
		{ "ff02::1", .multicast = true },
		{ "fe80::1", .link_local6 = true },
		{ "febf::1", .link_local6 = true },
		{ "fec0::1", .v4 = false },
		{ "fe7f::1", .v4 = false },
		{ "169.254.0.1", .v4 = true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct hbpf_addr addr = parsed(cases[i].text);

		if (addr_is_v4(&addr) != cases[i].v4 ||
		    addr_is_loopback(&addr) != cases[i].loopback ||
		    addr_is_unspecified(&addr) != cases[i].unspecified ||
		    addr_is_multicast(&addr) != cases[i].multicast ||
		    addr_is_link_local6(&addr) != cases[i].link_local6)
			fail_msg("%s is taken for what it is not", cases[i].text);
	}
}

static void different_addresses_are_not_equal(void **state)
{
	static const char *const others[] = { "10.0.0.2", "11.0.0.1", "::10.0.0.1",
					      "1::ffff:a00:1" };
	const struct hbpf_addr addr = parsed("10.0.0.1");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		const struct hbpf_addr other = parsed(others[i]);

		assert_false(addr_equal(&addr, &other));
	}
}

static void a_prefix_counts_128_bits_and_is_written_as_its_family_does(void **state)
{
	static const struct {
		const char *text;
		__u8 len;
		const char *shown;
	} cases[] = {
		{ "10.0.0.0/8", 104, "10.0.0.0/8" },
		{ "0.0.0.0/0", 96, "0.0.0.0/0" },
		{ "172.17.0.1", 128, "172.17.0.1/32" },
		{ "172.17.0.1/32", 128, "172.17.0.1/32" },
		{ "172.17.0.128/25", 121, "172.17.0.128/25" },
		{ "fd00::/8", 8, "fd00::/8" },
		{ "fd00::1", 128, "fd00::1/128" },
		{ "[fd00::]/64", 64, "fd00::/64" },
		{ "::/0", 0, "::/0" },
		{ "::ffff:10.0.0.0/104", 104, "10.0.0.0/8" },
		{ "2001:db8::/032", 32, "2001:db8::/32" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128,
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	};
	char buf[PREFIX_STRLEN];
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (prefix_parse(cases[i].text, &prefix))
			fail_msg("prefix_parse(\"%s\") failed", cases[i].text);
		assert_int_equal(prefix.len, cases[i].len);
		assert_string_equal(prefix_format(&prefix, buf), cases[i].shown);
	}
}

static void what_is_no_prefix_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"fd00::/129",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/ 8",
		"10.0.0.0/8 ",
		"10.0.0.0/8/8",
		"10.0.0.0/0x8",
		"10.0.0/8",
		"10.0.0.0/a",
		"fd00::/18446744073709551624",
		"10.0.0.0/255.0.0.0",
		"000000000000000000000000000000000000000000000000000000000000/8",
	};
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (prefix_parse(cases[i], &prefix) != -EINVAL)
			fail_msg("prefix_parse(\"%s\") did not refuse", cases[i]);
}

static void a_prefix_with_host_bits_has_an_error_of_its_own(void **state)
{
	static const char *const cases[] = { "10.0.0.1/8",   "172.17.0.129/25", "0.0.0.1/0",
					     "fd00::1/64",   "fd00::8000:0/96", "::1/0",
					     "172.17.0.1/31" };
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (prefix_parse(cases[i], &prefix) != -ERANGE)
			fail_msg("prefix_parse(\"%s\") did not tell", cases[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_address_is_kept_as_v4_mapped),
		cmocka_unit_test(an_ipv6_address_is_kept_as_its_16_bytes),
		cmocka_unit_test(what_is_read_is_written_in_its_shortest_form),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_address_is_known_for_what_it_is),
		cmocka_unit_test(different_addresses_are_not_equal),
		cmocka_unit_test(a_prefix_counts_128_bits_and_is_written_as_its_family_does),
		cmocka_unit_test(what_is_no_prefix_is_refused),
		cmocka_unit_test(a_prefix_with_host_bits_has_an_error_of_its_own),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
