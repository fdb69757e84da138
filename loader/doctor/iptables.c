/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/iptables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

#define DEPTH_MAX 16 /* of jumps; the kernel refuses loops */
#define WORDS_MAX 64 /* of a rule */

/* ---- reading ---- */

static char *copy_word(const char *text)
{
	return strndup(text, strcspn(text, " \n"));
}

static void chain_free(struct iptables_chain *chain)
{
	free(chain->table);
	free(chain->name);
	free(chain->policy);
}

static void rule_free(struct iptables_rule *rule)
{
	free(rule->table);
	free(rule->chain);
	free(rule->text);
}

static int add_chain(struct iptables *iptables, const char *table, const char *line)
{
	struct iptables_chain chain = { .table = strdup(table), .name = copy_word(line) };
	const char *policy = strchr(line, ' ');

	chain.policy = copy_word(policy ? policy + 1 : "-");
	if (chain.table && chain.name && chain.policy && !ARRAY_ADD(&iptables->chains, chain))
		return 0;
	chain_free(&chain);
	return -ENOMEM;
}

static int add_rule(struct iptables *iptables, const char *table, const char *line)
{
	const char *text = strchr(line, ' ');
	struct iptables_rule rule = { .table = strdup(table), .chain = copy_word(line) };

	rule.text = text ? strndup(text + 1, strcspn(text + 1, "\n")) : strdup("");
	if (rule.table && rule.chain && rule.text && !ARRAY_ADD(&iptables->rules, rule))
		return 0;
	rule_free(&rule);
	return -ENOMEM;
}

int iptables_parse(struct iptables *iptables, const char *line, char **table)
{
	if (line[0] == '*') {
		free(*table);
		*table = copy_word(line + 1);
		return *table ? 0 : -ENOMEM;
	}
	if (*table && line[0] == ':')
		return add_chain(iptables, *table, line + 1);
	if (*table && !strncmp(line, "-A ", 3))
		return add_rule(iptables, *table, line + 3);
	return 0;
}

int iptables_read(struct iptables *iptables, const char *command)
{
	char shell[64], *line = NULL, *table = NULL;
	size_t room = 0;
	FILE *pipe;
	int ret = 0;

	snprintf(shell, sizeof(shell), "%s 2>/dev/null", command);
	pipe = popen(shell, "re");
	if (!pipe)
		return -errno;
	while (!ret && getline(&line, &room, pipe) >= 0)
		ret = iptables_parse(iptables, line, &table);
	free(line);
	free(table);
	return pclose(pipe) ? -ENOENT : ret;
}

void iptables_free(struct iptables *iptables)
{
	for (size_t i = 0; i < iptables->chains.count; i++)
		chain_free(&iptables->chains.v[i]);
	for (size_t i = 0; i < iptables->rules.count; i++)
		rule_free(&iptables->rules.v[i]);
	free(iptables->chains.v);
	free(iptables->rules.v);
	memset(iptables, 0, sizeof(*iptables));
}

/* ---- matching ---- */

static enum filter_match match_interface(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '+')
		return !strncmp(pattern, name, len - 1) ? MATCH_YES : MATCH_NO;
	return !strcmp(pattern, name) ? MATCH_YES : MATCH_NO;
}

static enum filter_match match_address(const char *text, const struct hbpf_addr *addr)
{
	struct prefix prefix;

	return prefix_parse(text, &prefix) ? MATCH_UNKNOWN
	       : prefix_has(&prefix, addr) ? MATCH_YES
					   : MATCH_NO;
}

static enum filter_match match_protocol(const char *text, const struct filter_packet *packet)
{
	return !strcmp(text, proto_name(packet->proto)) || !strcmp(text, "all") ? MATCH_YES
										: MATCH_NO;
}

/* "8088", "8000:8010", or a list of them */
static enum filter_match match_ports(const char *text, __u16 port)
{
	unsigned int first, last;
	int used;

	while (sscanf(text, "%u%n", &first, &used) == 1) {
		text += used;
		last = first;
		if (*text == ':' && sscanf(text, ":%u%n", &last, &used) == 1)
			text += used;
		if (port >= first && port <= last)
			return MATCH_YES;
		if (*text != ',')
			return *text ? MATCH_UNKNOWN : MATCH_NO;
		text++;
	}
	return MATCH_UNKNOWN;
}

/* "NEW,RELATED" */
static enum filter_match match_state(const char *text, const char *state)
{
	size_t len = strlen(state);

	for (; text; text = strchr(text, ',')) {
		text += *text == ',';
		if (!strncmp(text, state, len) && (text[len] == ',' || !text[len]))
			return MATCH_YES;
	}
	return MATCH_NO;
}

/* "LOCAL"; other types are not known here */
static enum filter_match match_type(const char *text, const struct filter_packet *packet)
{
	return strcmp(text, "LOCAL") != 0 ? MATCH_UNKNOWN : filter_is(packet->to_host);
}

/* Modules whose options are all known, or that restrict nothing. */
static bool is_known_module(const char *name)
{
	static const char *const modules[] = { "tcp",   "udp",     "multiport", "conntrack",
					       "state", "comment", "addrtype" };

	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		if (!strcmp(modules[i], name))
			return true;
	}
	return false;
}

/* One option with its value. Return: MATCH_UNKNOWN also for an option that is not known */
static enum filter_match match_option(const char *option, const char *value,
				      const struct filter_packet *packet)
{
	if (!strcmp(option, "-i"))
		return match_interface(value, packet->iif);
	if (!strcmp(option, "-o"))
		return match_interface(value, packet->oif);
	if (!strcmp(option, "-s"))
		return match_address(value, &packet->src);
	if (!strcmp(option, "-d"))
		return match_address(value, &packet->dst);
	if (!strcmp(option, "-p"))
		return match_protocol(value, packet);
	if (!strcmp(option, "--dport") || !strcmp(option, "--dports"))
		return match_ports(value, packet->dport);
	if (!strcmp(option, "--sport") || !strcmp(option, "--sports"))
		return match_ports(value, packet->sport);
	if (!strcmp(option, "--ctstate") || !strcmp(option, "--state"))
		return match_state(value, packet->ctstate);
	if (!strcmp(option, "--dst-type"))
		return match_type(value, packet);
	if (!strcmp(option, "--comment"))
		return MATCH_YES;
	if (!strcmp(option, "-m"))
		return is_known_module(value) ? MATCH_YES : MATCH_UNKNOWN;
	return MATCH_UNKNOWN;
}

/* Splits at blanks outside of double quotes, in place. Return: number of words */
static size_t split(char *text, char *words[WORDS_MAX])
{
	size_t count = 0;

	while (*text && count < WORDS_MAX) {
		bool quoted = *text == '"';

		words[count++] = text += quoted;
		while (*text && *text != (quoted ? '"' : ' '))
			text += *text == '\\' && text[1] ? 2 : 1;
		if (*text)
			*text++ = '\0';
		while (*text == ' ')
			text++;
	}
	return count;
}

/* Does the rule match? Sets @target to the word after -j or -g, or NULL; it points into @text. */
static enum filter_match match_rule(char *text, const struct filter_packet *packet,
				    const char **target, bool *notrack)
{
	char *words[WORDS_MAX];
	size_t count = split(text, words);
	enum filter_match all = MATCH_YES;
	bool negated = false;

	*target = NULL;
	*notrack = false;
	for (size_t i = 0; i < count; i++) {
		enum filter_match one;

		if (!strcmp(words[i], "!")) {
			negated = true;
			continue;
		}
		if (!strcmp(words[i], "-j") || !strcmp(words[i], "-g")) {
			*target = i + 1 < count ? words[i + 1] : NULL;
			*notrack = i + 2 < count && !strcmp(words[i + 2], "--notrack");
			break;
		}
		one = i + 1 < count ? match_option(words[i], words[i + 1], packet) : MATCH_UNKNOWN;
		if (negated)
			one = filter_not(one);
		negated = false;
		if (one == MATCH_NO)
			return MATCH_NO;
		if (one == MATCH_UNKNOWN)
			all = MATCH_UNKNOWN;
		i++;
	}
	return all;
}

/* ---- walking ---- */

struct walk {
	const struct iptables *iptables;
	const char *table;
	const struct filter_packet *packet;
	const struct iptables_rule *rule; /* that decided */
	size_t unjudged;
	bool uncertain; /* one of these may have let the packet through */
	enum filter_verdict verdict;
};

static const struct iptables_chain *find_chain(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->iptables->chains.count; i++) {
		const struct iptables_chain *chain = &walk->iptables->chains.v[i];

		if (!strcmp(chain->table, walk->table) && !strcmp(chain->name, name))
			return chain;
	}
	return NULL;
}

static bool decide(struct walk *walk, const struct iptables_rule *rule, enum filter_verdict verdict)
{
	if (verdict != FILTER_ACCEPT && walk->uncertain)
		return true;
	walk->rule = rule;
	walk->verdict = verdict;
	return true;
}

/* Return: was the packet decided? */
static bool walk_chain(struct walk *walk, const char *chain, unsigned int depth);

static bool walk_rule(struct walk *walk, const struct iptables_rule *rule, bool *returned,
		      unsigned int depth)
{
	char text[1024];
	const char *target;
	enum filter_match match;
	bool notrack;

	if ((size_t)snprintf(text, sizeof(text), "%s", rule->text) >= sizeof(text))
		return false;
	match = match_rule(text, walk->packet, &target, &notrack);
	walk->unjudged += match == MATCH_UNKNOWN;
	if (match == MATCH_UNKNOWN && target && strcmp(target, "DROP") != 0 &&
	    strcmp(target, "REJECT") != 0)
		walk->uncertain = true;
	if (match != MATCH_YES || !target)
		return false;
	if (!strcmp(target, "ACCEPT"))
		return decide(walk, rule, FILTER_ACCEPT);
	if (!strcmp(target, "DROP") || !strcmp(target, "REJECT"))
		return decide(walk, rule, FILTER_DROP);
	if (!strcmp(target, "NOTRACK") || (!strcmp(target, "CT") && notrack))
		return decide(walk, rule, FILTER_NOTRACK);
	if (!strcmp(target, "DNAT") || !strcmp(target, "REDIRECT") || !strcmp(target, "NETMAP"))
		return decide(walk, rule, FILTER_NAT);
	*returned = !strcmp(target, "RETURN");
	return find_chain(walk, target) && walk_chain(walk, target, depth + 1);
}

static bool walk_chain(struct walk *walk, const char *chain, unsigned int depth)
{
	bool returned = false;

	for (size_t i = 0; i < walk->iptables->rules.count && depth < DEPTH_MAX; i++) {
		const struct iptables_rule *rule = &walk->iptables->rules.v[i];

		if (strcmp(rule->table, walk->table) != 0 || strcmp(rule->chain, chain) != 0)
			continue;
		if (walk_rule(walk, rule, &returned, depth))
			return true;
		if (returned)
			break;
	}
	return false;
}

bool iptables_has_table(const struct iptables *iptables, const char *table)
{
	for (size_t i = 0; i < iptables->chains.count; i++) {
		if (!strcmp(iptables->chains.v[i].table, table))
			return true;
	}
	return false;
}

enum filter_verdict iptables_judge(const struct iptables *iptables, const char *table,
				   const char *chain, const struct filter_packet *packet,
				   const struct iptables_rule **rule, size_t *unjudged)
{
	struct walk walk = { .iptables = iptables, .table = table, .packet = packet };
	const struct iptables_chain *found = find_chain(&walk, chain);

	walk.verdict = FILTER_ACCEPT;
	if (!walk_chain(&walk, chain, 0) && found && !walk.uncertain &&
	    !strcmp(found->policy, "DROP"))
		walk.verdict = FILTER_DROP;
	*rule = walk.rule;
	*unjudged += walk.unjudged;
	return walk.verdict;
}
