/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of iptables as iptables-save(8) prints them, and what they do with one packet.
 *
 * A rule with a match that is not known here cannot be judged: it counts as one that does not
 * match. If it might have let the packet through, a DROP after it is not reported.
 */
#ifndef HBPF_IPTABLES_H
#define HBPF_IPTABLES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

struct iptables_chain {
	char *table, *name, *policy; /* policy: "-" for a user's chain */
};

struct iptables_rule {
	char *table, *chain;
	char *text; /* what follows "-A CHAIN " */
};

struct iptables {
	struct {
		struct iptables_chain *v;
		size_t count;
	} chains;
	struct {
		struct iptables_rule *v;
		size_t count;
	} rules;
};

struct iptables_packet {
	const char *iif, *oif; /* "" where there is none */
	struct hbpf_addr src, dst;
	__u8 proto;
	__u16 sport, dport;  /* host byte order; 0: any other port */
	const char *ctstate; /* "NEW", "ESTABLISHED", "INVALID" or "UNTRACKED" */
};

enum iptables_verdict {
	IPTABLES_ACCEPT,
	IPTABLES_DROP,
	IPTABLES_NOTRACK,
};

/** iptables_parse() - parse the output of iptables-save line by line; unknown lines are ignored.
 * @iptables: all zero, or from an earlier line; free with iptables_free(). Return: 0 or -ENOMEM */
int iptables_parse(struct iptables *iptables, const char *line, char **table);
/** iptables_read() - run a command such as "iptables-nft-save". Return: 0, or -errno if there is no
 * such command or it fails */
int iptables_read(struct iptables *iptables, const char *command);
void iptables_free(struct iptables *iptables);

/**
 * iptables_judge() - what a built-in chain does with a packet
 * @rule:	Set to the rule that decided, or NULL if that was the policy or nothing
 * @unjudged:	Raised by the rules that could not be judged
 */
enum iptables_verdict iptables_judge(const struct iptables *iptables, const char *table,
				     const char *chain, const struct iptables_packet *packet,
				     const struct iptables_rule **rule, size_t *unjudged);

#endif /* HBPF_IPTABLES_H */
