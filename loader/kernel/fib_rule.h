/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy routing rules, as `ip rule` lists them, and which of them a flow of this host meets. */
#ifndef HBPF_FIB_RULE_H
#define HBPF_FIB_RULE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

/* What the kernel asks rules and tables about: a packet that a socket of this host sends. */
struct fib_flow {
	struct hbpf_addr src;
	struct hbpf_addr dst; /* its family is the flow's */
	__u32 uid;            /* of the socket */
	__u32 mark;           /* SO_MARK */
	__u8 proto;           /* IPPROTO_*, 0: not given */
	__u16 sport;          /* host byte order, 0: not given */
};

/* What the kernel finds for one. */
struct fib_route {
	unsigned int ifindex; /* output device */
	__u32 table;          /* where the route stands */
	struct prefix dst;    /* the route's own; not filled by fib_lookup() */
	__be32 src4;          /* of IPv4: the address of this host to use towards it, or 0 */
	__u8 protocol;        /* RTPROT_*: who made it */
	bool direct;          /* no gateway stands between: dst is on the device's link */
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
	struct prefix src, dst; /* ::/0 or 0.0.0.0/0 where there is none */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	__u32 mark, mask;
	__u8 tos;
	__u8 proto;
	struct fib_range uid, sport, dport;
	bool never;   /* asks for what no such flow has: a tunnel's ID, an l3mdev */
	int suppress; /* routes with a prefix as long as this or shorter do not count; or -1 */
};

struct fib_rules {
	struct fib_rule *v; /* of one family, in the order the kernel asks them */
	size_t count;
};

/** fib_rule_matches() - would the kernel let this flow meet the rule's action? */
bool fib_rule_matches(const struct fib_rule *rule, const struct fib_flow *flow);

/** fib_rule_refuses() - is the action blackhole, unreachable or prohibit? */
bool fib_rule_refuses(const struct fib_rule *rule);

/**
 * fib_rules_found() - the rule that gave a flow its route
 * @route:	What the kernel found, with `dst`
 *
 * Return: the rule within @rules, or NULL where none can have
 */
const struct fib_rule *fib_rules_found(const struct fib_rules *rules, const struct fib_flow *flow,
				       const struct fib_route *route);

/**
 * fib_rules_suspect() - the first rule that may be why a flow has no route
 * @table:	Has a route for it: a rule that looks there is not why
 *
 * Return: a rule that refuses, or looks into another table but local; or NULL
 */
const struct fib_rule *fib_rules_suspect(const struct fib_rules *rules, const struct fib_flow *flow,
					 __u32 table);

#define FIB_TABLE_STRLEN 16
/** fib_table_format() - "main", or its number. Returns @buf */
const char *fib_table_format(__u32 table, char buf[FIB_TABLE_STRLEN]);

#endif /* HBPF_FIB_RULE_H */
