/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of iptables as iptables-save(8) prints them, and what they do with one packet. */
#ifndef HBPF_IPTABLES_H
#define HBPF_IPTABLES_H

#include "doctor/filter.h"

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

/** iptables_parse() - parse the output of iptables-save line by line; unknown lines are ignored.
 * @iptables: all zero, or from an earlier line; free with iptables_free(). Return: 0 or -ENOMEM */
int iptables_parse(struct iptables *iptables, const char *line, char **table);
/** iptables_read() - run a command such as "iptables-nft-save". Return: 0, or -errno if there is no
 * such command or it fails */
int iptables_read(struct iptables *iptables, const char *command);
void iptables_free(struct iptables *iptables);

/** iptables_has_table() - is it one of iptables' tables? */
bool iptables_has_table(const struct iptables *iptables, const char *table);

/**
 * iptables_judge() - what a built-in chain does with a packet
 * @rule:	Set to the rule that decided, or NULL if that was the policy or nothing
 * @unjudged:	Raised by the rules that could not be judged
 */
enum filter_verdict iptables_judge(const struct iptables *iptables, const char *table,
				   const char *chain, const struct filter_packet *packet,
				   const struct iptables_rule **rule, size_t *unjudged);

#endif /* HBPF_IPTABLES_H */
