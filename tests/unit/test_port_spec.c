/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "model/port_spec.h"
#include "lib/array.h"

#define LOCALHOST 0x7f000001U
#define TCP       PORT_SPEC_TCP
#define UDP       PORT_SPEC_UDP

struct good {
	const char *text;
	unsigned int first, last, local_first, addr, protos;
	bool local_given, addr_given, proto_given;
};

static void check_good(const struct good *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct good *want = &cases[i];
		struct error err = {};
		struct port_spec spec;

		if (port_spec_parse(want->text, &spec, &err))
			fail_msg("\"%s\" is refused: %s", want->text, err.what);
		if (spec.first != want->first || spec.last != want->last ||
		    spec.local_first != want->local_first || ntohl(spec.addr4) != want->addr ||
		    spec.protos != want->protos || spec.local_given != want->local_given ||
		    spec.addr_given != want->addr_given || spec.proto_given != want->proto_given)
			fail_msg("\"%s\" is misread", want->text);
	}
}

struct bad {
	const char *text;
	const char *what;
};

static void check_bad(const struct bad *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct port_spec spec, before;
		struct error err = {};

		memset(&spec, 0x5a, sizeof(spec));
		before = spec;
		assert_int_equal(port_spec_parse(cases[i].text, &spec, &err), -EINVAL);
		assert_string_equal(err.what, cases[i].what);
		assert_true(err.hint[0]);
		assert_memory_equal(&spec, &before, sizeof(spec));
		/* and without anyone who listens */
		assert_int_equal(port_spec_parse(cases[i].text, &spec, NULL), -EINVAL);
	}
}

static void every_form_of_the_manual_is_understood(void **state)
{
	static const struct good cases[] = {
		{ "8088", 8088, 8088, 8088, LOCALHOST, TCP, false, false, false },
		{ "80:8080", 80, 80, 8080, LOCALHOST, TCP, true, false, false },
		{ "8000-8010", 8000, 8010, 8000, LOCALHOST, TCP, false, false, false },
		{ "53/udp", 53, 53, 53, LOCALHOST, UDP, false, false, true },
		{ "53/tcp", 53, 53, 53, LOCALHOST, TCP, false, false, true },
		{ "53/tcp+udp", 53, 53, 53, LOCALHOST, TCP | UDP, false, false, true },
		{ "53/udp+tcp", 53, 53, 53, LOCALHOST, TCP | UDP, false, false, true },
		{ "8000-8010:9000-9010/tcp", 8000, 8010, 9000, LOCALHOST, TCP, true, false, true },
		{ "53:127.0.0.53:53/udp", 53, 53, 53, 0x7f000035, UDP, true, true, true },
		{ "80-81:127.0.0.1:90-91", 80, 81, 90, LOCALHOST, TCP, true, true, false },
		{ "80:80", 80, 80, 80, LOCALHOST, TCP, true, false, false },
	};

	(void)state;
	check_good(cases, ARRAY_SIZE(cases));
}

static void the_ends_of_what_is_allowed_are_allowed(void **state)
{
	static const struct good cases[] = {
		{ "1", 1, 1, 1, LOCALHOST, TCP, false, false, false },
		{ "65535", 65535, 65535, 65535, LOCALHOST, TCP, false, false, false },
		{ "1-65535/tcp+udp", 1, 65535, 1, LOCALHOST, TCP | UDP, false, false, true },
		{ "1-2:65534-65535", 1, 2, 65534, LOCALHOST, TCP, true, false, false },
		{ "80-80", 80, 80, 80, LOCALHOST, TCP, false, false, false },
		{ "80-80:90", 80, 80, 90, LOCALHOST, TCP, true, false, false },
		{ "80:127.0.0.0:80", 80, 80, 80, 0x7f000000, TCP, true, true, false },
		{ "80:127.255.255.255:80", 80, 80, 80, 0x7fffffff, TCP, true, true, false },
		{ "80:::ffff:127.0.0.2:80", 80, 80, 80, 0x7f000002, TCP, true, true, false },
	};

	(void)state;
	check_good(cases, ARRAY_SIZE(cases));
}

static void leading_zeros_are_decimal_and_not_octal(void **state)
{
	static const struct good cases[] = {
		{ "080", 80, 80, 80, LOCALHOST, TCP, false, false, false },
		{ "0000000000000000000000080:00443", 80, 80, 443, LOCALHOST, TCP, true, false,
		  false },
	};

	(void)state;
	check_good(cases, ARRAY_SIZE(cases));
}

static void a_port_out_of_range_is_refused_with_a_caret_under_it(void **state)
{
	static const struct bad cases[] = {
		{ "0", "port 0 is out of range (1 to 65535)\n"
		       "  0\n"
		       "  ^" },
		{ "00", "port 00 is out of range (1 to 65535)\n"
			"  00\n"
			"  ^~" },
		{ "8000-65536", "port 65536 is out of range (1 to 65535)\n"
				"  8000-65536\n"
				"       ^~~~~" },
		{ "0-10", "port 0 is out of range (1 to 65535)\n"
			  "  0-10\n"
			  "  ^" },
		{ "80:0/udp", "port 0 is out of range (1 to 65535)\n"
			      "  80:0/udp\n"
			      "     ^" },
		{ "80:127.0.0.1:70000", "port 70000 is out of range (1 to 65535)\n"
					"  80:127.0.0.1:70000\n"
					"               ^~~~~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void a_huge_number_does_not_wrap_around_into_the_range(void **state)
{
	static const struct bad cases[] = {
		{ "65616", /* 2^16 + 80 */
		  "port 65616 is out of range (1 to 65535)\n"
		  "  65616\n"
		  "  ^~~~~" },
		{ "4294967376", /* 2^32 + 80 */
		  "port 4294967376 is out of range (1 to 65535)\n"
		  "  4294967376\n"
		  "  ^~~~~~~~~~" },
		{ "18446744073709551696", /* 2^64 + 80 */
		  "port 18446744073709551696 is out of range (1 to 65535)\n"
		  "  18446744073709551696\n"
		  "  ^~~~~~~~~~~~~~~~~~~~" },
		{ "184467440737095516960", /* one digit more than is repeated */
		  "port 18446744073709551696... is out of range (1 to 65535)\n"
		  "  184467440737095516960\n"
		  "  ^~~~~~~~~~~~~~~~~~~~~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void a_missing_part_is_refused_with_a_caret_where_it_belongs(void **state)
{
	static const struct bad cases[] = {
		{ "", "port is empty" },
		{ ":", "port is missing\n"
		       "  :\n"
		       "  ^" },
		{ "/", "port is missing\n"
		       "  /\n"
		       "  ^" },
		{ "/tcp", "port is missing\n"
			  "  /tcp\n"
			  "  ^" },
		{ "-", "port is missing\n"
		       "  -\n"
		       "  ^" },
		{ "8000-", "port is missing\n"
			   "  8000-\n"
			   "       ^" },
		{ "-8010", "port is missing\n"
			   "  -8010\n"
			   "  ^" },
		{ "80:", "port is missing\n"
			 "  80:\n"
			 "     ^" },
		{ ":80", "port is missing\n"
			 "  :80\n"
			 "  ^" },
		{ "80:127.0.0.1:", "port is missing\n"
				   "  80:127.0.0.1:\n"
				   "               ^" },
		{ "80::80", "address is missing\n"
			    "  80::80\n"
			    "     ^" },
		{ "80/", "protocol is missing (tcp, udp or tcp+udp)\n"
			 "  80/\n"
			 "     ^" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

#define NOT_DECIMAL "port must be a decimal number from 1 to 65535\n"

static void what_is_no_decimal_number_is_refused_with_a_caret_where_it_stops(void **state)
{
	static const struct bad cases[] = {
		{ "http", NOT_DECIMAL "  http\n"
				      "  ^~~~" },
		{ "+80", NOT_DECIMAL "  +80\n"
				     "  ^~~" },
		{ "80:+80", NOT_DECIMAL "  80:+80\n"
					"     ^~~" },
		{ " 80", NOT_DECIMAL "   80\n"
				     "  ^~~" },
		{ "80 ", NOT_DECIMAL "  80 \n"
				     "    ^" },
		{ "80 :90", NOT_DECIMAL "  80 :90\n"
					"    ^" },
		{ "0x50", NOT_DECIMAL "  0x50\n"
				      "   ^~~" },
		{ "8e1", NOT_DECIMAL "  8e1\n"
				     "   ^~" },
		{ "80.0", NOT_DECIMAL "  80.0\n"
				      "    ^~" },
		{ "80,443", NOT_DECIMAL "  80,443\n"
					"    ^~~~" },
		{ "80abc", NOT_DECIMAL "  80abc\n"
				       "    ^~~" },
		{ "1-2-3", NOT_DECIMAL "  1-2-3\n"
				       "     ^~" },
		{ "80:localhost", NOT_DECIMAL "  80:localhost\n"
					      "     ^~~~~~~~~" },
		{ "[::1]:80", NOT_DECIMAL "  [::1]:80\n"
					  "  ^" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void a_reversed_range_is_refused_with_a_caret_under_it(void **state)
{
	static const struct bad cases[] = {
		{ "8010-8000", "range is reversed: 8010 is above 8000\n"
			       "  8010-8000\n"
			       "  ^~~~~~~~~" },
		{ "1-2:91-90/udp", "range is reversed: 91 is above 90\n"
				   "  1-2:91-90/udp\n"
				   "      ^~~~~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void ranges_of_different_length_are_refused_with_both_lengths(void **state)
{
	static const struct bad cases[] = {
		{ "8000-8010:9000-9005", "ranges differ in length (11 and 6)\n"
					 "  8000-8010:9000-9005\n"
					 "            ^~~~~~~~~" },
		{ "8000-8010:9000/udp", "ranges differ in length (11 and 1)\n"
					"  8000-8010:9000/udp\n"
					"            ^~~~" },
		{ "80:1-65535", "ranges differ in length (1 and 65535)\n"
				"  80:1-65535\n"
				"     ^~~~~~~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

#define UNKNOWN_PROTO "unknown protocol (tcp, udp or tcp+udp)\n"

static void an_unknown_protocol_is_refused_with_a_caret_under_it(void **state)
{
	static const struct bad cases[] = {
		{ "80/sctp", UNKNOWN_PROTO "  80/sctp\n"
					   "     ^~~~" },
		{ "80/TCP", UNKNOWN_PROTO "  80/TCP\n"
					  "     ^~~" },
		{ "80/tc", UNKNOWN_PROTO "  80/tc\n"
					 "     ^~" },
		{ "80/tcpx", UNKNOWN_PROTO "  80/tcpx\n"
					   "     ^~~~" },
		{ "80/tcp ", UNKNOWN_PROTO "  80/tcp \n"
					   "     ^~~~" },
		{ "80/tcp+tcp", UNKNOWN_PROTO "  80/tcp+tcp\n"
					      "     ^~~~~~~" },
		{ "80/tcp+", UNKNOWN_PROTO "  80/tcp+\n"
					   "     ^~~~" },
		{ "80/tcp/udp", UNKNOWN_PROTO "  80/tcp/udp\n"
					      "     ^~~~~~~" },
		{ "80/tcp:8080", UNKNOWN_PROTO "  80/tcp:8080\n"
					       "     ^~~~~~~~" },
		{ "80:90/6", UNKNOWN_PROTO "  80:90/6\n"
					   "        ^" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

#define ELSEWHERE                                                                                  \
	"address must be in 127.0.0.0/8: ports lead to this host's loopback and nowhere else\n"

static void an_address_outside_of_loopback_is_refused_with_the_reason(void **state)
{
	static const struct bad cases[] = {
		{ "80:192.168.1.5:80", ELSEWHERE "  80:192.168.1.5:80\n"
						 "     ^~~~~~~~~~~" },
		{ "80:0.0.0.0:80", ELSEWHERE "  80:0.0.0.0:80\n"
					     "     ^~~~~~~" },
		{ "80:128.0.0.0:80", ELSEWHERE "  80:128.0.0.0:80\n"
					       "     ^~~~~~~~~" },
		{ "80:localhost:80", "address must be an IPv4 address in 127.0.0.0/8\n"
				     "  80:localhost:80\n"
				     "     ^~~~~~~~~" },
		{ "80:127.1:80", "address must be an IPv4 address in 127.0.0.0/8\n"
				 "  80:127.1:80\n"
				 "     ^~~~~" },
		{ "80:127.0.0.1 :80", "address must be an IPv4 address in 127.0.0.0/8\n"
				      "  80:127.0.0.1 :80\n"
				      "     ^~~~~~~~~~" },
		{ "80:90:100", "address must be an IPv4 address in 127.0.0.0/8\n"
			       "  80:90:100\n"
			       "     ^~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

#define LEAVE_V6_OUT "address must be IPv4; leave it out and IPv6 reaches [::1]\n"

static void an_ipv6_address_is_refused_with_what_to_write_instead(void **state)
{
	static const struct bad cases[] = {
		{ "80:[::1]:80", LEAVE_V6_OUT "  80:[::1]:80\n"
					      "     ^~~~~" },
		{ "80:[::1]/udp", LEAVE_V6_OUT "  80:[::1]/udp\n"
					       "     ^~~~~" },
		{ "80:::1", LEAVE_V6_OUT "  80:::1\n"
					 "     ^~~" },
		{ "80:::1:80", LEAVE_V6_OUT "  80:::1:80\n"
					    "     ^~~" },
		{ "80:[fd00::1]:80/udp", LEAVE_V6_OUT "  80:[fd00::1]:80/udp\n"
						      "     ^~~~~~~~~" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void an_address_in_dockers_place_is_refused_with_what_to_write_instead(void **state)
{
#define GATEWAY_FIRST "gateway port comes first, then the loopback address\n"
	static const struct bad cases[] = {
		{ "127.0.0.1:8080:80", GATEWAY_FIRST "  127.0.0.1:8080:80\n"
						     "  ^~~~~~~~~" },
		{ "127.0.0.1:8080", GATEWAY_FIRST "  127.0.0.1:8080\n"
						  "  ^~~~~~~~~" },
		{ "127.0.0.1", GATEWAY_FIRST "  127.0.0.1\n"
					     "  ^~~~~~~~~" },
	};
	struct error err = {};
	struct port_spec spec;

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
	assert_int_equal(port_spec_parse("127.0.0.1:80", &spec, &err), -EINVAL);
	assert_string_equal(err.hint, "write it as 80:127.0.0.1:8080");
}

static void too_many_colons_are_refused(void **state)
{
	static const struct bad cases[] = {
		{ "80:90:100:110", "too many colons\n"
				   "  80:90:100:110\n"
				   "     ^~~~~~" },
		{ "80:127.0.0.1:80:", "too many colons\n"
				      "  80:127.0.0.1:80:\n"
				      "     ^~~~~~~~~~~~" },
		{ "80:::90", "too many colons\n"
			     "  80:::90\n"
			     "     ^" },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void nothing_that_could_steer_a_terminal_is_shown(void **state)
{
	static const struct bad cases[] = {
		{ "\x1b[31m80", NOT_DECIMAL "  ?[31m80\n"
					    "  ^~~~~~~" },
		{ "80\n", NOT_DECIMAL "  80?\n"
				      "    ^" },
		{ "80\t:90", NOT_DECIMAL "  80?:90\n"
					 "    ^" },
		{ "80\x7f", NOT_DECIMAL "  80?\n"
					"    ^" },
		{ "8000\xe2\x80\x93"
		  "8010", /* an en dash, as pasted from a page */
		  NOT_DECIMAL "  8000???8010\n"
			      "      ^~~~~~~" },
		{ "80/\xff", UNKNOWN_PROTO "  80/?\n"
					   "     ^" },
	};
	struct error err;
	struct port_spec spec;

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
	for (int byte = 1; byte < 256; byte++) {
		char text[] = { '8', (char)byte, '\0' };
		unsigned int lines = 0;

		memset(&err, 0, sizeof(err));
		if (!port_spec_parse(text, &spec, &err))
			continue;
		for (const char *c = err.what; *c; c++) {
			lines += *c == '\n';
			assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
		}
		assert_int_equal(lines, 2);
	}
}

#define TEN     "0123456789"
#define FIFTY   TEN TEN TEN TEN TEN
#define ZERO5   "00000"
#define ZERO45  ZERO5 ZERO5 ZERO5 ZERO5 ZERO5 ZERO5 ZERO5 ZERO5 ZERO5
#define BLANK51 "                                                   "
#define TILDE26 "~~~~~~~~~~~~~~~~~~~~~~~~~~"

static void a_long_word_is_shown_only_around_the_offending_part(void **state)
{
	static const struct bad cases[] = {
		{ "9" FIFTY FIFTY, /* cut behind */
		  "port 90123456789012345678... is out of range (1 to 65535)\n"
		  "  9" FIFTY TEN TEN "0...\n"
		  "  ^" TILDE26 TILDE26 "~~~~~~~~~~~~~~~~~~~~~~" },
		{ ZERO45 ZERO5 "80/x", /* before */
		  UNKNOWN_PROTO "  ..." ZERO45 "80/x\n"
				"  " BLANK51 "^" },
		{ ZERO45 ZERO5 "80x" FIFTY, /* and on both sides */
		  NOT_DECIMAL "  ..." ZERO45 "080x" TEN TEN "012...\n"
			      "  " BLANK51 "^" TILDE26 },
	};

	(void)state;
	check_bad(cases, ARRAY_SIZE(cases));
}

static void the_longest_word_the_kernel_passes_on_is_no_trouble(void **state)
{
	const size_t len = 128 * 1024 - 1; /* MAX_ARG_STRLEN without its end */
	struct error err = {};
	struct port_spec spec;
	char *text = test_malloc(len + 1);

	(void)state;
	text[len] = '\0';
	memset(text, ':', len);
	assert_int_equal(port_spec_parse(text, &spec, &err), -EINVAL);
	memset(text, '0', len);
	assert_int_equal(port_spec_parse(text, &spec, &err), -EINVAL);
	text[len - 1] = '8';
	assert_int_equal(port_spec_parse(text, &spec, &err), 0);
	assert_int_equal(spec.first, 8);
	test_free(text);
}

static void a_spec_names_its_ports_and_both_protocols_unless_it_has_one(void **state)
{
	struct port_spec range, udp;

	(void)state;
	assert_int_equal(port_spec_parse("8000-8010", &range, NULL), 0);
	assert_true(port_spec_has(&range, IPPROTO_TCP, 8000));
	assert_true(port_spec_has(&range, IPPROTO_UDP, 8010));
	assert_false(port_spec_has(&range, IPPROTO_TCP, 7999));
	assert_false(port_spec_has(&range, IPPROTO_TCP, 8011));
	assert_int_equal(port_spec_parse("53/udp", &udp, NULL), 0);
	assert_true(port_spec_has(&udp, IPPROTO_UDP, 53));
	assert_false(port_spec_has(&udp, IPPROTO_TCP, 53));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_the_manual_is_understood),
		cmocka_unit_test(the_ends_of_what_is_allowed_are_allowed),
		cmocka_unit_test(leading_zeros_are_decimal_and_not_octal),
		cmocka_unit_test(a_port_out_of_range_is_refused_with_a_caret_under_it),
		cmocka_unit_test(a_huge_number_does_not_wrap_around_into_the_range),
		cmocka_unit_test(a_missing_part_is_refused_with_a_caret_where_it_belongs),
		cmocka_unit_test(what_is_no_decimal_number_is_refused_with_a_caret_where_it_stops),
		cmocka_unit_test(a_reversed_range_is_refused_with_a_caret_under_it),
		cmocka_unit_test(ranges_of_different_length_are_refused_with_both_lengths),
		cmocka_unit_test(an_unknown_protocol_is_refused_with_a_caret_under_it),
		cmocka_unit_test(an_address_outside_of_loopback_is_refused_with_the_reason),
		cmocka_unit_test(an_ipv6_address_is_refused_with_what_to_write_instead),
		cmocka_unit_test(an_address_in_dockers_place_is_refused_with_what_to_write_instead),
		cmocka_unit_test(too_many_colons_are_refused),
		cmocka_unit_test(nothing_that_could_steer_a_terminal_is_shown),
		cmocka_unit_test(a_long_word_is_shown_only_around_the_offending_part),
		cmocka_unit_test(the_longest_word_the_kernel_passes_on_is_no_trouble),
		cmocka_unit_test(a_spec_names_its_ports_and_both_protocols_unless_it_has_one),
	};

	return cmocka_run_group_tests_name("port_spec", tests, NULL, NULL);
}
