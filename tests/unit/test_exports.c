/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "model/exports.h"
#include "lib/array.h"

#define ALL_PORTS 65535

static const struct hbpf_policy list3 = { .list = HBPF_LIST_PORTS };
static const struct hbpf_policy list4 = { .list = HBPF_LIST_PORTS + 1, .onlink = 1 };

static struct port_spec spec_of(const char *text)
{
	struct error err = {};
	struct port_spec spec;

	if (port_spec_parse(text, &spec, &err))
		fail_msg("%s", err.what);
	return spec;
}

static int add(struct exports *set, const char *text, const struct hbpf_policy *from,
	       struct error *err)
{
	const struct port_spec spec = spec_of(text);

	return exports_add(set, &spec, from, false, err);
}

static int add_fresh(struct exports *set, const char *text, struct error *err)
{
	const struct port_spec spec = spec_of(text);

	return exports_add(set, &spec, NULL, true, err);
}

static int del(struct exports *set, const char *text, struct error *err)
{
	const struct port_spec spec = spec_of(text);

	return exports_del(set, &spec, err);
}

/* A set of the words of a line. */
static struct exports set_of(const char *words)
{
	char *line = strdup(words), *rest = line, *word;
	struct exports set = {};

	assert_non_null(line);
	while ((word = strtok_r(rest, " ", &rest)))
		assert_int_equal(add(&set, word, NULL, NULL), 0);
	free(line);
	return set;
}

/* The set as the words that would make it, and that its order is kept. */
static void check_set(const struct exports *set, const char *want)
{
	struct export_range range = {};
	char got[1024] = "", word[EXPORT_RANGE_STRLEN];
	size_t count = 0;

	while (exports_next_range(set, &range)) {
		if (count)
			strcat(got, " ");
		strcat(got, export_range_format(&range, word));
		count += range.count;
	}
	assert_string_equal(got, want);
	assert_int_equal(count, set->count);
	for (size_t i = 1; i < set->count; i++) {
		const struct hbpf_export_key *a = &set->v[i - 1].key, *b = &set->v[i].key;

		assert_true(memcmp(a, b, sizeof(*a)) < 0);
	}
}

/* Takes the set, too. */
static void check_and_free(struct exports *set, const char *want)
{
	check_set(set, want);
	exports_free(set);
	assert_null(set->v);
	assert_int_equal(set->count, 0);
}

static void a_set_is_sorted_whatever_the_order_it_grew_in(void **state)
{
	static const struct {
		const char *words;
		const char *want;
	} cases[] = {
		{ "", "" },
		{ "80", "80/tcp" },
		{ "443 80 53/udp 8080", "80/tcp 443/tcp 8080/tcp 53/udp" },
		{ "53/udp+tcp 52/tcp+udp", "52-53/tcp 52-53/udp" },
		{ "3 2 1", "1-3/tcp" },
		{ "5-9 1-3", "1-3/tcp 5-9/tcp" },
		{ "5 3 9 1-10", "1-10/tcp" }, /* a range around what is there */
		{ "1-5 4-8 2", "1-8/tcp" },   /* overlapping */
		{ "65535/tcp 1/udp", "65535/tcp 1/udp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exports set = set_of(cases[i].words);

		check_and_free(&set, cases[i].want);
	}
}

static void an_export_holds_what_its_spec_says(void **state)
{
	struct exports set = set_of("80:8080 53:127.0.0.53:5353/udp");
	const struct export *tcp = exports_find(&set, IPPROTO_TCP, htons(80));
	const struct export *udp = exports_find(&set, IPPROTO_UDP, htons(53));

	(void)state;
	assert_non_null(tcp);
	assert_int_equal(tcp->to.addr4, htonl(0x7f000001));
	assert_int_equal(tcp->to.port, htons(8080));
	assert_int_equal(tcp->to.ipv6, 1);
	assert_non_null(udp);
	assert_int_equal(udp->to.addr4, htonl(0x7f000035));
	assert_int_equal(udp->to.port, htons(5353));
	assert_int_equal(udp->to.ipv6, 0); /* an address given is IPv4 only */
	exports_free(&set);
}

static void only_the_very_key_is_found(void **state)
{
	struct exports set = {};

	(void)state;
	assert_null(exports_find(&set, IPPROTO_TCP, htons(80)));
	set = set_of("80 8000-8002 53/udp");
	assert_non_null(exports_find(&set, IPPROTO_TCP, htons(80)));
	assert_non_null(exports_find(&set, IPPROTO_TCP, htons(8000)));
	assert_non_null(exports_find(&set, IPPROTO_TCP, htons(8002)));
	assert_null(exports_find(&set, IPPROTO_UDP, htons(80)));
	assert_null(exports_find(&set, IPPROTO_TCP, htons(53)));
	assert_null(exports_find(&set, IPPROTO_TCP, htons(7999)));
	assert_null(exports_find(&set, IPPROTO_TCP, htons(8003)));
	assert_null(exports_find(&set, IPPROTO_UDP, htons(ALL_PORTS)));
	exports_free(&set);
}

static void a_new_export_inherits_and_an_old_one_keeps_its_policy(void **state)
{
	struct exports set = {};
	const struct export *export;

	(void)state;
	assert_int_equal(add(&set, "80", NULL, NULL), 0);
	export = exports_find(&set, IPPROTO_TCP, htons(80));
	assert_int_equal(export->to.from.inherit, 1);
	assert_int_equal(export->to.from.list, 0);
	assert_int_equal(export->to.from.onlink, 0);

	assert_int_equal(add(&set, "80", &list4, NULL), 0);
	export = exports_find(&set, IPPROTO_TCP, htons(80));
	assert_memory_equal(&export->to.from, &list4, sizeof(list4));

	assert_int_equal(add(&set, "79-81", NULL, NULL), 0);
	export = exports_find(&set, IPPROTO_TCP, htons(80));
	assert_memory_equal(&export->to.from, &list4, sizeof(list4));
	assert_int_equal(exports_find(&set, IPPROTO_TCP, htons(79))->to.from.inherit, 1);
	assert_int_equal(exports_find(&set, IPPROTO_TCP, htons(81))->to.from.inherit, 1);
	assert_int_equal(set.count, 3);
	exports_free(&set);
}

static void a_port_that_leads_elsewhere_is_not_added_and_both_ends_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *what;
	} cases[] = {
		{ "80:9090", "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.1:9090" },
		{ "80", "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.1:80" },
		{ "80:127.0.0.2:8080",
		  "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.2:8080" },
		{ "80:127.0.0.1:8080",
		  "80/tcp already leads to 127.0.0.1:8080 and [::1]:8080, not 127.0.0.1:8080" },
		{ "53:53/udp", "53/udp already leads to 127.0.0.53:53, not 127.0.0.1:53" },
		{ "53:127.0.0.53:54/udp",
		  "53/udp already leads to 127.0.0.53:53, not 127.0.0.53:54" },
		{ "70-90", "80/tcp already leads to 127.0.0.1:8080, not 127.0.0.1:80" },
		{ "53/tcp+udp", "53/udp already leads to 127.0.0.53:53, not 127.0.0.1:53" },
	};
	struct exports set = set_of("80:8080 53:127.0.0.53:53/udp");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {};

		assert_int_equal(add(&set, cases[i].text, NULL, &err), -EEXIST);
		assert_string_equal(err.what, cases[i].what);
		assert_true(!strncmp(err.hint, "remove it first: `hbpf ports del ", 33));
		check_set(&set, "80:8080/tcp 53:127.0.0.53:53/udp");
	}
	exports_free(&set);
}

static void a_port_already_there_is_added_again_without_complaint(void **state)
{
	struct exports set = set_of("80:8080 53/tcp+udp");

	(void)state;
	assert_int_equal(add(&set, "80:8080", NULL, NULL), 0);
	assert_int_equal(add(&set, "52-54/tcp+udp", NULL, NULL), 0);
	check_and_free(&set, "52-54/tcp 80:8080/tcp 52-54/udp");
}

static void a_duplicate_on_one_command_line_is_refused_by_name(void **state)
{
	static const struct {
		const char *first;
		const char *second;
		const char *what;
	} cases[] = {
		{ "80", "80", "80/tcp is given twice" },
		{ "80", "80/tcp", "80/tcp is given twice" },
		{ "80", "080", "80/tcp is given twice" },
		{ "8000-8010", "8010-8020", "8010/tcp is given twice" },
		{ "53/udp", "53/tcp+udp", "53/udp is given twice" },
		{ "80:8080", "80:9090",
		  "80/tcp is given twice, leading to 127.0.0.1:8080 and to 127.0.0.1:9090" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exports set = {};
		struct error err = {};
		size_t count;

		assert_int_equal(add_fresh(&set, cases[i].first, &err), 0);
		count = set.count;
		assert_int_equal(add_fresh(&set, cases[i].second, &err), -EEXIST);
		assert_string_equal(err.what, cases[i].what);
		assert_int_equal(set.count, count);
		exports_free(&set);
	}
}

static void different_ports_on_one_command_line_are_no_duplicates(void **state)
{
	struct exports set = {};

	(void)state;
	assert_int_equal(add_fresh(&set, "80:8080", NULL), 0);
	assert_int_equal(add_fresh(&set, "81:8080", NULL), 0);
	assert_int_equal(add_fresh(&set, "80:8080/udp", NULL), 0);
	assert_int_equal(add_fresh(&set, "8080", NULL), 0);
	check_and_free(&set, "80:8080/tcp 81:8080/tcp 8080/tcp 80:8080/udp");
}

static void a_copy_stands_alone(void **state)
{
	struct exports set = set_of("80:8080 53/udp"), copy = {}, empty = {}, none = {};

	(void)state;
	assert_int_equal(exports_copy(&copy, &set), 0);
	assert_int_equal(del(&set, "80", NULL), 0);
	exports_free(&set);
	check_and_free(&copy, "80:8080/tcp 53/udp");
	assert_int_equal(exports_copy(&none, &empty), 0);
	check_and_free(&none, "");
}

static void del_takes_a_gateway_port_wherever_it_leads(void **state)
{
	static const struct {
		const char *text;
		const char *left;
	} cases[] = {
		{ "80", "8000-8010/tcp 53:127.0.0.53:53/udp" },
		{ "80:8080", "8000-8010/tcp 53:127.0.0.53:53/udp" },
		{ "80:127.0.0.1:8080", "8000-8010/tcp 53:127.0.0.53:53/udp" },
		{ "53/udp", "80:8080/tcp 8000-8010/tcp" },
		{ "53:53/udp", "80:8080/tcp 8000-8010/tcp" },
		{ "53:127.0.0.53:53/udp", "80:8080/tcp 8000-8010/tcp" },
		{ "8000-8010", "80:8080/tcp 53:127.0.0.53:53/udp" },
		{ "8003-8005", "80:8080/tcp 8000-8002/tcp 8006-8010/tcp 53:127.0.0.53:53/udp" },
		{ "8000", "80:8080/tcp 8001-8010/tcp 53:127.0.0.53:53/udp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exports set = set_of("80:8080 8000-8010 53:127.0.0.53:53/udp");
		struct error err = {};

		if (del(&set, cases[i].text, &err))
			fail_msg("del %s: %s", cases[i].text, err.what);
		check_and_free(&set, cases[i].left);
	}
}

static void del_of_both_protocols_takes_both(void **state)
{
	struct exports set = set_of("52-54/tcp+udp");

	(void)state;
	assert_int_equal(del(&set, "53/tcp+udp", NULL), 0);
	check_set(&set, "52/tcp 54/tcp 52/udp 54/udp");
	assert_int_equal(del(&set, "52/udp+tcp", NULL), 0);
	assert_int_equal(del(&set, "54/udp+tcp", NULL), 0);
	check_and_free(&set, "");
}

static void del_of_what_is_not_there_changes_nothing_and_names_it(void **state)
{
	static const struct {
		const char *text;
		const char *what;
		const char *hint;
	} cases[] = {
		{ "81", "81/tcp is not exported", "`hbpf ports list` shows the exported ports" },
		{ "53", "53/tcp is not exported", "53/udp is exported; specify the protocol" },
		{ "53/tcp", "53/tcp is not exported",
		  "`hbpf ports list` shows the exported ports" },
		{ "80/tcp+udp", "80/udp is not exported",
		  "`hbpf ports list` shows the exported ports" },
		{ "8009-8011", "8011/tcp is not exported",
		  "`hbpf ports list` shows the exported ports" },
		{ "80:9090", "80/tcp leads to 127.0.0.1:8080, not 127.0.0.1:9090",
		  "close it with `hbpf ports del 80/tcp`" },
		{ "80:127.0.0.2:8080", "80/tcp leads to 127.0.0.1:8080, not 127.0.0.2:8080",
		  "close it with `hbpf ports del 80/tcp`" },
		{ "8000-8001:9000-9001", "8000/tcp leads to 127.0.0.1:8000, not 127.0.0.1:9000",
		  "close it with `hbpf ports del 8000/tcp`" },
	};
	struct exports set = set_of("80:8080 8000-8010 53:127.0.0.53:53/udp"), empty = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = {};

		assert_int_equal(del(&set, cases[i].text, &err), -ENOENT);
		assert_string_equal(err.what, cases[i].what);
		assert_string_equal(err.hint, cases[i].hint);
		check_set(&set, "80:8080/tcp 8000-8010/tcp 53:127.0.0.53:53/udp");
	}
	assert_int_equal(del(&empty, "80", NULL), -ENOENT);
	exports_free(&set);
}

static void a_difference_is_what_to_put_and_what_is_gone(void **state)
{
	static const struct {
		const char *have;
		const char *want;
		const char *changed;
		const char *closed;
	} cases[] = {
		{ "", "", "", "" },
		{ "", "80 53/udp", "80/tcp 53/udp", "" },
		{ "80 53/udp", "", "", "80/tcp 53/udp" },
		{ "80 53/udp", "80 53/udp", "", "" },
		{ "80 90", "85 90 95", "85/tcp 95/tcp", "80/tcp" },
		{ "80", "80/udp", "80/udp", "80/tcp" },
		{ "80:8080", "80:9090", "80:9090/tcp",
		  "80:8080/tcp" }, /* moved: with the old end */
		{ "80:127.0.0.2:80", "80:127.0.0.3:80", "80:127.0.0.3:80/tcp",
		  "80:127.0.0.2:80/tcp" },
		{ "80", "80:127.0.0.1:80", "80:127.0.0.1:80/tcp", "80/tcp" }, /* IPv6 taken */
		{ "80:127.0.0.1:80", "80", "80/tcp", "" },                    /* and given */
		{ "1-5", "3-7", "6-7/tcp", "1-2/tcp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exports have = set_of(cases[i].have), want = set_of(cases[i].want);
		struct exports changed = {}, closed = {};

		assert_int_equal(exports_diff(&have, &want, &changed, &closed), 0);
		check_and_free(&changed, cases[i].changed);
		check_and_free(&closed, cases[i].closed);
		exports_free(&have);
		exports_free(&want);
	}
}

static void a_new_policy_is_put_but_ends_no_connection(void **state)
{
	struct exports have = set_of("80-82"), want = {}, changed = {}, closed = {};

	(void)state;
	assert_int_equal(exports_copy(&want, &have), 0);
	assert_int_equal(add(&want, "81", &list3, NULL), 0);
	assert_int_equal(exports_diff(&have, &want, &changed, &closed), 0);
	check_set(&changed, "81/tcp");
	assert_int_equal(changed.v[0].to.from.list, list3.list);
	check_set(&closed, "");
	exports_free(&have);
	exports_free(&want);
	exports_free(&changed);
	exports_free(&closed);
}

static void only_ports_that_one_spec_would_make_are_one_range(void **state)
{
	static const struct {
		const char *words;
		const char *want;
	} cases[] = {
		{ "8000-8010", "8000-8010/tcp" },
		{ "8000 8001", "8000-8001/tcp" },
		{ "8000 8002", "8000/tcp 8002/tcp" },
		{ "8000-8010:9000-9010", "8000-8010:9000-9010/tcp" },
		{ "80:8080 81:8081", "80-81:8080-8081/tcp" },
		{ "80:8080 81:8080", "80:8080/tcp 81:8080/tcp" }, /* both to one */
		{ "80:8080 81:8079", "80:8080/tcp 81:8079/tcp" },
		{ "80:8080 81", "80:8080/tcp 81/tcp" },
		{ "80 82:81", "80/tcp 82:81/tcp" },
		{ "80 81:127.0.0.1:81", "80/tcp 81:127.0.0.1:81/tcp" },
		{ "80:127.0.0.1:80 81:127.0.0.2:81", "80:127.0.0.1:80/tcp 81:127.0.0.2:81/tcp" },
		{ "80-81:127.0.0.2:90-91/udp", "80-81:127.0.0.2:90-91/udp" },
		{ "80-81/tcp+udp", "80-81/tcp 80-81/udp" },
		{ "65535/tcp 1/udp", "65535/tcp 1/udp" },
		{ "65535:127.255.255.255:65535/udp", "65535:127.255.255.255:65535/udp" },
	};
	struct exports policies = set_of("80-83");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exports set = set_of(cases[i].words);

		check_and_free(&set, cases[i].want);
	}
	assert_int_equal(add(&policies, "81", &list3, NULL), 0);
	assert_int_equal(add(&policies, "82", &list4, NULL), 0);
	check_and_free(&policies, "80/tcp 81/tcp 82/tcp 83/tcp");
}

static void a_walk_that_is_over_stays_over(void **state)
{
	struct exports set = set_of("80 90");
	struct export_range range = {};

	(void)state;
	assert_true(exports_next_range(&set, &range));
	assert_true(exports_next_range(&set, &range));
	assert_false(exports_next_range(&set, &range));
	assert_false(exports_next_range(&set, &range));
	exports_free(&set);
}

static void a_formatted_range_reads_back_as_the_same_exports(void **state)
{
	static const char *const words =
		"1 79-81 82:90 100-65535:1-65436 53/udp 54:127.0.0.53:53/udp "
		"100-200:127.255.255.254:1100-1200/udp";
	struct exports set = set_of(words), again = {}, changed = {}, closed = {};
	struct export_range range = {};
	char word[EXPORT_RANGE_STRLEN];

	(void)state;
	while (exports_next_range(&set, &range))
		assert_int_equal(add_fresh(&again, export_range_format(&range, word), NULL), 0);
	assert_int_equal(exports_diff(&set, &again, &changed, &closed), 0);
	assert_int_equal(changed.count, 0);
	assert_int_equal(closed.count, 0);
	exports_free(&set);
	exports_free(&again);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (now.tv_sec - start->tv_sec) + (now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Far above what it takes, even under a sanitizer; far below what squared work would. */
static void check_quick(const struct timespec *start, const char *what, double limit)
{
	double took = seconds_since(start);

	print_message("           %s: %.1f ms of CPU\n", what, took * 1e3);
	if (took > limit)
		fail_msg("%s took %.3f s", what, took);
}

static void every_port_of_both_protocols_fits_and_is_quick(void **state)
{
	struct exports set = {}, empty = {}, changed = {}, closed = {};
	struct timespec start;

	(void)state;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	assert_int_equal(add_fresh(&set, "1-65535/tcp+udp", NULL), 0);
	assert_int_equal(set.count, 2 * ALL_PORTS);
	check_set(&set, "1-65535/tcp 1-65535/udp");
	assert_int_equal(exports_diff(&set, &empty, &changed, &closed), 0);
	assert_int_equal(closed.count, 2 * ALL_PORTS);
	assert_int_equal(add(&set, "1-65535/tcp+udp", &list3, NULL), 0);
	assert_int_equal(set.count, 2 * ALL_PORTS);
	assert_int_equal(del(&set, "1-65535/tcp+udp", NULL), 0);
	assert_int_equal(set.count, 0);
	check_quick(&start, "131,070 ports added, compared, added again and deleted", 2);
	exports_free(&set);
	exports_free(&changed);
	exports_free(&closed);
}

/* Only another program writes such a key: it must not lead outside of the array. */
static void keys_with_padding_keep_the_set_sorted(void **state)
{
	const struct hbpf_export_key keys[] = {
		{ .proto = IPPROTO_TCP, .port = htons(83) },
		{ .proto = IPPROTO_TCP, .port = htons(84) },
		{ .proto = IPPROTO_TCP, .port = htons(85) },
		{ .proto = IPPROTO_TCP, .pad = 1, .port = htons(81) },
	};
	struct exports set = {};

	(void)state;
	set.v = calloc(4, sizeof(*set.v));
	assert_non_null(set.v);
	set.room = 4;
	for (; set.count < 4; set.count++)
		set.v[set.count] = (struct export){ .key = keys[set.count] };
	assert_int_equal(add_fresh(&set, "80-89", NULL), -EEXIST);
	assert_int_equal(add(&set, "86-89", NULL, NULL), 0);
	assert_int_equal(set.count, 8);
	for (size_t i = 1; i < set.count; i++)
		assert_true(memcmp(&set.v[i - 1].key, &set.v[i].key, sizeof(set.v[i].key)) < 0);
	exports_free(&set);
}

static void ten_thousand_words_are_quick_in_any_order(void **state)
{
	static const struct {
		const char *name;
		unsigned int step; /* coprime to `words`, so that every port comes once */
		const char *proto;
	} orders[] = {
		{ "ascending", 1, "/tcp" },
		{ "descending", 9999, "/tcp" },
		{ "shuffled", 7919, "/tcp" },
		{ "ascending, both protocols", 1, "/tcp+udp" },
	};
	const unsigned int words = 10000;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct exports set = {};
		struct timespec start;
		unsigned int at = 0;
		char word[32];

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		for (unsigned int n = 0; n < words; n++, at = (at + orders[i].step) % words) {
			snprintf(word, sizeof(word), "%u%s", 20000 + at, orders[i].proto);
			assert_int_equal(add_fresh(&set, word, NULL), 0);
		}
		check_quick(&start, orders[i].name, 8);
		assert_int_equal(set.v[0].key.port, htons(20000));
		assert_int_equal(set.v[words - 1].key.port, htons(20000 + words - 1));
		exports_free(&set);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_sorted_whatever_the_order_it_grew_in),
		cmocka_unit_test(an_export_holds_what_its_spec_says),
		cmocka_unit_test(only_the_very_key_is_found),
		cmocka_unit_test(a_new_export_inherits_and_an_old_one_keeps_its_policy),
		cmocka_unit_test(a_port_that_leads_elsewhere_is_not_added_and_both_ends_are_named),
		cmocka_unit_test(a_port_already_there_is_added_again_without_complaint),
		cmocka_unit_test(a_duplicate_on_one_command_line_is_refused_by_name),
		cmocka_unit_test(different_ports_on_one_command_line_are_no_duplicates),
		cmocka_unit_test(a_copy_stands_alone),
		cmocka_unit_test(del_takes_a_gateway_port_wherever_it_leads),
		cmocka_unit_test(del_of_both_protocols_takes_both),
		cmocka_unit_test(del_of_what_is_not_there_changes_nothing_and_names_it),
		cmocka_unit_test(a_difference_is_what_to_put_and_what_is_gone),
		cmocka_unit_test(a_new_policy_is_put_but_ends_no_connection),
		cmocka_unit_test(only_ports_that_one_spec_would_make_are_one_range),
		cmocka_unit_test(a_walk_that_is_over_stays_over),
		cmocka_unit_test(a_formatted_range_reads_back_as_the_same_exports),
		cmocka_unit_test(every_port_of_both_protocols_fits_and_is_quick),
		cmocka_unit_test(keys_with_padding_keep_the_set_sorted),
		cmocka_unit_test(ten_thousand_words_are_quick_in_any_order),
	};

	return cmocka_run_group_tests_name("exports", tests, NULL, NULL);
}
