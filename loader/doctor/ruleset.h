/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of the host's packet filters: of iptables-nft, iptables-legacy and both for IPv6, and
 * of nft for all families. */
#ifndef HBPF_RULESET_H
#define HBPF_RULESET_H

#include "doctor/finding.h"
#include "doctor/nftables.h"

enum {
	RULESET_IPTABLES_NFT,
	RULESET_IPTABLES_LEGACY,
	RULESET_IP6TABLES_NFT,
	RULESET_IP6TABLES_LEGACY,
	RULESET_IPTABLES, /* how many these are */
};

struct ruleset {
	struct iptables iptables[RULESET_IPTABLES]; /* empty: not installed, or no rules */
	struct nftables nft;                        /* without those of iptables_nft */
	size_t unjudged;                            /* rules with matches that are not known */
	bool read;
};

/* The rule or policy that decided. */
struct ruleset_hit {
	char what[320]; /* "rule `-i lo -j DROP` of chain INPUT in iptables-nft's table filter" */
	char command[160]; /* inserts a rule before it; the rule follows. Or empty */
	bool nft;          /* it is nft's syntax */
};

/* The packets that a rule is to accept. */
struct ruleset_pattern {
	const char *iif, *oif; /* or NULL */
	struct prefix src, dst;
	__u8 proto;
	__u16 sport, dport; /* host byte order; or 0 */
};

/** ruleset_read() - run the tools that are installed, the first time only: that takes a while.
 * @set: all zero before; free with ruleset_free() */
void ruleset_read(struct ruleset *set);
void ruleset_free(struct ruleset *set);

/**
 * ruleset_judge() - does the packet get a verdict at a hook?
 * @wanted:	The verdict that is looked for, not FILTER_ACCEPT
 * @hit:	Set to the first rule or policy that gives it
 */
bool ruleset_judge(struct ruleset *set, enum filter_hook hook, const struct filter_packet *packet,
		   enum filter_verdict wanted, struct ruleset_hit *hit);

/** ruleset_accept_command() - set the command of the last finding: it accepts packets before the
 * rule that decided */
void ruleset_accept_command(struct findings *findings, const struct ruleset_hit *hit,
			    const struct ruleset_pattern *pattern);

#endif /* HBPF_RULESET_H */
