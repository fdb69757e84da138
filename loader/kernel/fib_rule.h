/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy routing rules, as in `ip rule`, and which of them apply to a flow of this host. */
#ifndef HBPF_FIB_RULE_H
#define HBPF_FIB_RULE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

/* The input of a route lookup: a packet that a socket of this host sends. */
struct fib_flow {
	struct hbpf_addr src;
	struct hbpf_addr dst; /* its family is the flow's */
	__u32 uid;            /* of the socket */
	__u32 mark;           /* SO_MARK */
	__u8 proto;           /* IPPROTO_*, 0: not given */
	__u16 sport;          /* host byte order, 0: not given */
};

/* The result of a route lookup. */
struct fib_route {
	unsigned int ifindex; /* output device */
	__u32 table;          /* that has the route */
	struct prefix dst;    /* of the route; not filled by fib_lookup() */
	__be32 src4;          /* IPv4: preferred source address, or 0 */
	__u8 protocol;        /* RTPROT_* */
	bool direct;          /* no gateway: dst is on the link */
};

struct fib_range {
	__u32 first, last;
	bool given;
};

struct fib_rule {
	__u32 pref;
	__u8 action;            /* FR_ACT_* */
	bool invert;            /* "not" */
	__u32 table;            /* of FR_ACT_TO_TBL */
	__u32 target;           /* pref, of FR_ACT_GOTO */
	struct prefix src, dst; /* ::/0 or 0.0.0.0/0 if there is none */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	__u32 mark, mask;
	__u8 tos;
	__u8 proto;
	struct fib_range uid, sport, dport;
	bool unmatchable; /* selects by what such a flow lacks: a tunnel ID, an l3mdev */
	int suppress;     /* ignore routes with a prefix of this length or shorter; -1: none */
};

struct fib_rules {
	struct fib_rule *v; /* of one family, in the kernel's order */
	size_t count;
};

/** fib_rule_matches() - does the rule apply to this flow? */
bool fib_rule_matches(const struct fib_rule *rule, const struct fib_flow *flow);

/** fib_rule_refuses() - is the action blackhole, unreachable or prohibit? */
bool fib_rule_refuses(const struct fib_rule *rule);

/**
 * fib_rule_of_route() - find the rule that led a flow to its route
 * @route:	As of fib_lookup_route()
 *
 * Return: the rule within @rules, or NULL if none can be
 */
const struct fib_rule *fib_rule_of_route(const struct fib_rules *rules, const struct fib_flow *flow,
					 const struct fib_route *route);

/**
 * fib_rule_suspect() - find the first rule that may be why a flow has no route
 * @table:	Has a route for the flow, so rules that look up this table are not why
 *
 * Return: a rule that refuses, or looks up another table but local; or NULL
 */
const struct fib_rule *fib_rule_suspect(const struct fib_rules *rules, const struct fib_flow *flow,
					__u32 table);

#define FIB_TABLE_STRLEN 16
/** fib_table_format() - "main", or its number. Returns @buf */
const char *fib_table_format(__u32 table, char buf[FIB_TABLE_STRLEN]);

#endif /* HBPF_FIB_RULE_H */
