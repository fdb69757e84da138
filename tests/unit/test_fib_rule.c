/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include "kernel/fib_rule.h"
#include "lib/array.h"

static struct prefix range(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(text, &prefix))
		fail_msg("prefix_parse(\"%s\") failed", text);
	return prefix;
}

/* "from all lookup TABLE", as a start */
static struct fib_rule lookup(__u32 pref, __u32 table)
{
	return (struct fib_rule){ .pref = pref,
				  .action = FR_ACT_TO_TBL,
				  .table = table,
				  .src = range("0.0.0.0/0"),
				  .dst = range("0.0.0.0/0"),
				  .suppress = -1 };
}

static struct fib_flow answer(void)
{
	return (struct fib_flow){ .src = range("127.0.0.1").addr, .dst = range("172.30.0.2").addr };
}

static void a_prefix_has_what_is_in_it_and_of_its_family(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool has;
	} cases[] = {
		{ "172.30.0.0/24", "172.30.0.2", true }, { "172.30.0.0/24", "172.30.1.2", false },
		{ "172.30.0.2/32", "172.30.0.2", true }, { "172.30.0.2/32", "172.30.0.3", false },
		{ "0.0.0.0/0", "172.30.0.2", true },     { "::/0", "fd00::2", true },
		{ "::/0", "172.30.0.2", false },         { "0.0.0.0/0", "fd00::2", false },
		{ "fd00::/64", "fd00::2", true },        { "fd00::/64", "fd00:0:0:1::2", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix prefix = range(cases[i].prefix);
		struct hbpf_addr addr = range(cases[i].addr).addr;

		if (prefix_has(&prefix, &addr) != cases[i].has)
			fail_msg("%s in %s", cases[i].addr, cases[i].prefix);
	}
}

/* Each changes one thing of "from all lookup 52", or of the flow. */
static void each_selector_of_a_rule_counts(void **state)
{
	struct fib_rule rule = lookup(10, 52);
	struct fib_flow flow = answer();

	(void)state;
	assert_true(fib_rule_matches(&rule, &flow));

#define SAYS(expected, change)                                                                     \
	do {                                                                                       \
		rule = lookup(10, 52);                                                             \
		flow = answer();                                                                   \
		change;                                                                            \
		if (fib_rule_matches(&rule, &flow) != (expected))                                  \
			fail_msg("%s", #change);                                                   \
	} while (0)
	SAYS(false, rule.invert = true);
	SAYS(true, rule.dst = range("172.30.0.0/24"));
	SAYS(false, rule.dst = range("172.31.0.0/24"));
	SAYS(true, rule.src = range("127.0.0.0/8"));
	SAYS(false, rule.src = range("172.30.0.0/24"));
	SAYS(true, strcpy(rule.iif, "lo"));
	SAYS(false, strcpy(rule.iif, "eth0"));
	SAYS(false, strcpy(rule.oif, "eth0"));
	SAYS(false, (rule.mark = 0xca6c, rule.mask = 0xffffffff));
	SAYS(true, (rule.mark = 0xca6c, rule.mask = 0xffffffff, rule.invert = true));
	SAYS(true, (rule.mark = 0xca6c, rule.mask = 0xffffffff, flow.mark = 0xca6c));
	SAYS(true, rule.uid = ((struct fib_range){ 0, 0, true }));
	SAYS(false, rule.uid = ((struct fib_range){ 1000, 1999, true }));
	SAYS(true, (rule.uid = (struct fib_range){ 1000, 1999, true }, flow.uid = 1999));
	SAYS(false, rule.proto = IPPROTO_TCP);
	SAYS(true, (rule.proto = IPPROTO_TCP, flow.proto = IPPROTO_TCP));
	SAYS(false, rule.sport = ((struct fib_range){ 8088, 8088, true }));
	SAYS(true, (rule.sport = (struct fib_range){ 8088, 8090, true }, flow.sport = 8090));
	SAYS(false, rule.dport = ((struct fib_range){ 1, 65535, true }));
	SAYS(false, rule.tos = 4);
	SAYS(false, rule.unmatchable = true);
#undef SAYS
}

/* The preference of the rule that is found, or -1. */
static long found(const struct fib_rule *v, size_t count, const struct fib_route *route)
{
	const struct fib_rules rules = { (struct fib_rule *)v, count };
	const struct fib_flow flow = answer();
	const struct fib_rule *rule = route ? fib_rule_of_route(&rules, &flow, route)
					    : fib_rule_suspect(&rules, &flow, RT_TABLE_MAIN);

	return rule ? (long)rule->pref : -1;
}

static void the_rule_is_the_first_that_looks_into_the_table(void **state)
{
	struct fib_rule rules[] = {
		lookup(0, RT_TABLE_LOCAL),
		lookup(100, 52),
		lookup(200, 52),
		lookup(32766, RT_TABLE_MAIN),
	};
	const struct fib_route vpn = { .table = 52, .dst = range("0.0.0.0/0") };
	const struct fib_route other = { .table = 60, .dst = range("0.0.0.0/0") };

	(void)state;
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &vpn), 100);
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &other), -1);
	rules[1].dst = range("10.0.0.0/8");
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &vpn), 200);
}

static void a_rule_that_suppresses_the_route_did_not_give_it(void **state)
{
	struct fib_rule rules[] = { lookup(100, RT_TABLE_MAIN), lookup(200, RT_TABLE_MAIN) };
	const struct fib_route all = { .table = RT_TABLE_MAIN, .dst = range("0.0.0.0/0") };
	const struct fib_route net = { .table = RT_TABLE_MAIN, .dst = range("172.30.0.0/24") };

	(void)state;
	rules[0].suppress = 0;
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &all), 200);
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &net), 100);
}

static void a_goto_jumps_over_rules(void **state)
{
	struct fib_rule rules[] = { lookup(10, 0), lookup(100, 52), lookup(200, 52) };
	const struct fib_route vpn = { .table = 52, .dst = range("0.0.0.0/0") };

	(void)state;
	rules[0].action = FR_ACT_GOTO;
	rules[0].target = 150;
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &vpn), 200);
	rules[0].dst = range("10.0.0.0/8");
	assert_int_equal(found(rules, ARRAY_SIZE(rules), &vpn), 100);
}

static void without_a_route_the_first_rule_that_may_be_why_is_suspected(void **state)
{
	struct fib_rule rules[] = {
		lookup(0, RT_TABLE_LOCAL),
		lookup(100, 52),
		lookup(200, 0),
		lookup(32766, RT_TABLE_MAIN),
	};

	(void)state;
	rules[2].action = FR_ACT_PROHIBIT;
	assert_int_equal(found(rules, ARRAY_SIZE(rules), NULL), 100);
	rules[1].dst = range("10.0.0.0/8");
	assert_int_equal(found(rules, ARRAY_SIZE(rules), NULL), 200);
	rules[2].action = FR_ACT_NOP;
	assert_int_equal(found(rules, ARRAY_SIZE(rules), NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_has_what_is_in_it_and_of_its_family),
		cmocka_unit_test(each_selector_of_a_rule_counts),
		cmocka_unit_test(the_rule_is_the_first_that_looks_into_the_table),
		cmocka_unit_test(a_rule_that_suppresses_the_route_did_not_give_it),
		cmocka_unit_test(a_goto_jumps_over_rules),
		cmocka_unit_test(without_a_route_the_first_rule_that_may_be_why_is_suspected),
	};

	return cmocka_run_group_tests_name("fib_rule", tests, NULL, NULL);
}
