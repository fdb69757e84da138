/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/ruleset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"

static const char *const commands[] = {
	[RULESET_IPTABLES_NFT] = "iptables-nft",
	[RULESET_IPTABLES_LEGACY] = "iptables-legacy",
	[RULESET_IP6TABLES_NFT] = "ip6tables-nft",
	[RULESET_IP6TABLES_LEGACY] = "ip6tables-legacy",
};
static_assert(ARRAY_SIZE(commands) == RULESET_IPTABLES, "every kind has a command");

void ruleset_read(struct ruleset *set)
{
	if (set->read)
		return;
	set->read = true;
	for (size_t i = 0; i < RULESET_IPTABLES; i++) {
		char save[32];

		snprintf(save, sizeof(save), "%s-save", commands[i]);
		if (iptables_read(&set->iptables[i], save))
			iptables_free(&set->iptables[i]);
	}
	if (nftables_read(&set->nft))
		nftables_free(&set->nft);
}

void ruleset_free(struct ruleset *set)
{
	for (size_t i = 0; i < RULESET_IPTABLES; i++)
		iptables_free(&set->iptables[i]);
	nftables_free(&set->nft);
}

/* ---- iptables ---- */

static const char *const chains[] = {
	[FILTER_PREROUTING] = "PREROUTING",
	[FILTER_INPUT] = "INPUT",
	[FILTER_OUTPUT] = "OUTPUT",
	[FILTER_POSTROUTING] = "POSTROUTING",
};
static_assert(ARRAY_SIZE(chains) == FILTER_HOOKS, "every hook has a chain");

/* Tables that can give a verdict, in the order of the hook. */
static const char *const *tables_for(enum filter_hook hook, enum filter_verdict wanted)
{
	static const char *const raw[] = { "raw", NULL };
	static const char *const nat[] = { "nat", NULL };
	static const char *const drop[FILTER_HOOKS][4] = {
		[FILTER_PREROUTING] = { "raw", "mangle", NULL },
		[FILTER_INPUT] = { "mangle", "filter", NULL },
		[FILTER_OUTPUT] = { "raw", "mangle", "filter", NULL },
		[FILTER_POSTROUTING] = { "mangle", NULL },
	};

	return wanted == FILTER_NOTRACK ? raw : wanted == FILTER_NAT ? nat : drop[hook];
}

static void set_iptables_hit(struct ruleset_hit *hit, const char *command, const char *table,
			     const char *chain, const struct iptables_rule *rule)
{
	hit->nft = false;
	if (rule)
		snprintf(hit->what, sizeof(hit->what), "rule `%.200s` of chain %s in %s's table %s",
			 rule->text, rule->chain, command, table);
	else
		snprintf(hit->what, sizeof(hit->what), "the policy of chain %s in %s's table %s",
			 chain, command, table);
	snprintf(hit->command, sizeof(hit->command), "%s -t %s -I %s", command, table, chain);
}

static bool judge_iptables(struct ruleset *set, size_t kind, enum filter_hook hook,
			   const struct filter_packet *packet, enum filter_verdict wanted,
			   struct ruleset_hit *hit)
{
	const char *const *table = tables_for(hook, wanted);
	const struct iptables_rule *rule;

	if (packet->in_bridge || addr_is_v4(&packet->src) != (kind < RULESET_IP6TABLES_NFT))
		return false;
	for (; *table; table++) {
		if (iptables_judge(&set->iptables[kind], *table, chains[hook], packet, &rule,
				   &set->unjudged) != wanted)
			continue;
		set_iptables_hit(hit, commands[kind], *table, chains[hook], rule);
		return true;
	}
	return false;
}

/* ---- nft ---- */

/* Names that another program may have chosen freely are not pasted into a shell. */
static bool is_plain(const char *name)
{
	return !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_.-/")];
}

static void set_nft_hit(struct ruleset_hit *hit, const struct nft_hit *found)
{
	const struct nft_chain *base = found->base, *chain = found->chain;
	char text[200];

	*hit = (struct ruleset_hit){ .nft = true };
	if (!found->rule)
		snprintf(hit->what, sizeof(hit->what), "the policy of nft's chain %s %s %s",
			 chain->family, chain->table, chain->name);
	else if (nft_rule_text(found, text, sizeof(text)))
		snprintf(hit->what, sizeof(hit->what), "rule `%s` of nft's chain %s %s %s", text,
			 chain->family, chain->table, chain->name);
	else
		snprintf(hit->what, sizeof(hit->what), "a rule %s of nft's chain %s %s %s", text,
			 chain->family, chain->table, chain->name);
	if (is_plain(base->table) && is_plain(base->name))
		snprintf(hit->command, sizeof(hit->command), "nft insert rule %s %s %s",
			 base->family, base->table, base->name);
}

/* ---- both ---- */

bool ruleset_judge(struct ruleset *set, enum filter_hook hook, const struct filter_packet *packet,
		   enum filter_verdict wanted, struct ruleset_hit *hit)
{
	const struct iptables *const taken[2] = {
		&set->iptables[RULESET_IPTABLES_NFT],
		&set->iptables[RULESET_IP6TABLES_NFT],
	};
	struct nft_hit found;

	for (size_t kind = 0; kind < RULESET_IPTABLES; kind++) {
		if (judge_iptables(set, kind, hook, packet, wanted, hit))
			return true;
	}
	if (!nftables_judge(&set->nft, taken, hook, packet, wanted, &found, &set->unjudged))
		return false;
	set_nft_hit(hit, &found);
	return true;
}

/* A prefix, or an address where it is only one. */
static const char *ends_format(const struct prefix *prefix, char buf[PREFIX_STRLEN])
{
	return prefix->len == 128 ? addr_format(&prefix->addr, buf) : prefix_format(prefix, buf);
}

void ruleset_accept_command(struct findings *findings, const struct ruleset_hit *hit,
			    const struct ruleset_pattern *pattern)
{
	const char *ip = addr_is_v4(&pattern->src.addr) ? "ip" : "ip6";
	const char *proto = proto_name(pattern->proto);
	const char *side = pattern->dport ? "dport" : "sport";
	unsigned int port = pattern->dport ? pattern->dport : pattern->sport;
	char src[PREFIX_STRLEN], dst[PREFIX_STRLEN], device[40] = "";

	if (!hit->command[0])
		return;
	ends_format(&pattern->src, src);
	ends_format(&pattern->dst, dst);
	if (pattern->iif)
		snprintf(device, sizeof(device), " %s %s", hit->nft ? "iifname" : "-i",
			 pattern->iif);
	else if (pattern->oif)
		snprintf(device, sizeof(device), " %s %s", hit->nft ? "oifname" : "-o",
			 pattern->oif);
	if (hit->nft)
		finding_command(findings, "%s%s %s saddr %s %s daddr %s %s %s %u accept",
				hit->command, device, ip, src, ip, dst, proto, side, port);
	else
		finding_command(findings, "%s%s -s %s -d %s -p %s --%s %u -j ACCEPT", hit->command,
				device, src, dst, proto, side, port);
}
