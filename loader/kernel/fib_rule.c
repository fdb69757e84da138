/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/fib_rule.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

static bool in_range(const struct fib_range *range, __u32 value)
{
	return !range->given || (value >= range->first && value <= range->last);
}

/* As fib_rule_match(), fib4_rule_match() and fib6_rule_match() of the kernel. What this host sends
 * has the input device lo, and no output device unless the socket is bound to one. */
static bool selects(const struct fib_rule *rule, const struct fib_flow *flow)
{
	return !rule->unmatchable && (!rule->iif[0] || !strcmp(rule->iif, "lo")) && !rule->oif[0] &&
	       !((rule->mark ^ flow->mark) & rule->mask) && in_range(&rule->uid, flow->uid) &&
	       prefix_has(&rule->src, &flow->src) && prefix_has(&rule->dst, &flow->dst) &&
	       !rule->tos && (!rule->proto || rule->proto == flow->proto) &&
	       in_range(&rule->sport, flow->sport) && !rule->dport.given;
}

bool fib_rule_matches(const struct fib_rule *rule, const struct fib_flow *flow)
{
	return selects(rule, flow) != rule->invert;
}

bool fib_rule_refuses(const struct fib_rule *rule)
{
	return rule->action == FR_ACT_BLACKHOLE || rule->action == FR_ACT_UNREACHABLE ||
	       rule->action == FR_ACT_PROHIBIT;
}

static bool chose_route(const struct fib_rule *rule, const struct fib_route *route)
{
	int mapped = addr_is_v4(&route->dst.addr) ? V4_MAPPED_BITS : 0;

	return rule->action == FR_ACT_TO_TBL && rule->table == route->table &&
	       route->dst.len - mapped > rule->suppress;
}

/* A position in the rules, which are in the kernel's order. All zero: the start. */
struct walk {
	size_t next;
	__u32 from; /* pref, after a goto */
};

/* Return: the next rule that matches the flow, or NULL */
static const struct fib_rule *next_match(struct walk *walk, const struct fib_rules *rules,
					 const struct fib_flow *flow)
{
	while (walk->next < rules->count) {
		const struct fib_rule *rule = &rules->v[walk->next++];

		if (rule->pref < walk->from || !fib_rule_matches(rule, flow))
			continue;
		if (rule->action != FR_ACT_GOTO)
			return rule;
		walk->from = rule->target;
	}
	return NULL;
}

const struct fib_rule *fib_rule_of_route(const struct fib_rules *rules, const struct fib_flow *flow,
					 const struct fib_route *route)
{
	const struct fib_rule *rule;
	struct walk walk = {};

	do
		rule = next_match(&walk, rules, flow);
	while (rule && !chose_route(rule, route));
	return rule;
}

const struct fib_rule *fib_rule_suspect(const struct fib_rules *rules, const struct fib_flow *flow,
					__u32 table)
{
	const struct fib_rule *rule;
	struct walk walk = {};

	do
		rule = next_match(&walk, rules, flow);
	while (rule && !fib_rule_refuses(rule) &&
	       (rule->action != FR_ACT_TO_TBL || rule->table == RT_TABLE_LOCAL ||
		rule->table == table));
	return rule;
}

const char *fib_table_format(__u32 table, char buf[FIB_TABLE_STRLEN])
{
	switch (table) {
	case RT_TABLE_MAIN:
		return "main";
	case RT_TABLE_LOCAL:
		return "local";
	case RT_TABLE_DEFAULT:
		return "default";
	}
	snprintf(buf, FIB_TABLE_STRLEN, "%u", table);
	return buf;
}
