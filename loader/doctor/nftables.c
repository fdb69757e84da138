/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor/nftables.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

#define DEPTH_MAX 16 /* of jumps, as in the kernel (NFT_JUMP_STACK_SIZE) */

/* ---- reading ---- */

static bool is_chain(const struct nft_chain *chain, const char *family, const char *table,
		     const char *name)
{
	return !strcmp(chain->name, name) && !strcmp(chain->table, table) &&
	       !strcmp(chain->family, family);
}

static struct nft_chain *find_chain(const struct nftables *nft, const char *family,
				    const char *table, const char *name)
{
	for (size_t i = 0; i < nft->chains.count; i++) {
		if (is_chain(&nft->chains.v[i], family, table, name))
			return &nft->chains.v[i];
	}
	return NULL;
}

static int add_chain(struct nftables *nft, struct json_object *object)
{
	struct nft_chain chain = {
		.family = json_member_text(object, "family"),
		.table = json_member_text(object, "table"),
		.name = json_member_text(object, "name"),
		.type = json_member_text(object, "type"),
		.hook = json_member_text(object, "hook"),
		.policy = json_member_text(object, "policy"),
		.priority = json_object_get_int(json_object_object_get(object, "prio")),
	};

	if (!chain.family || !chain.table || !chain.name)
		return -EPROTO;
	return ARRAY_ADD(&nft->chains, chain);
}

static int add_set(struct nftables *nft, struct json_object *object)
{
	struct nft_set set = {
		.family = json_member_text(object, "family"),
		.table = json_member_text(object, "table"),
		.name = json_member_text(object, "name"),
		.elements = json_object_object_get(object, "elem"),
	};

	return set.family && set.table && set.name ? ARRAY_ADD(&nft->sets, set) : -EPROTO;
}

/* @last: the chain of the rule before, which is mostly the same */
static int add_rule(struct nftables *nft, struct json_object *object, struct nft_chain **last)
{
	const char *family = json_member_text(object, "family");
	const char *table = json_member_text(object, "table");
	const char *name = json_member_text(object, "chain");
	struct nft_rule rule = {
		.expr = json_object_object_get(object, "expr"),
		.handle = json_object_get_int(json_object_object_get(object, "handle")),
	};

	if (!family || !table || !name || !json_object_is_type(rule.expr, json_type_array))
		return -EPROTO;
	if (!*last || !is_chain(*last, family, table, name))
		*last = find_chain(nft, family, table, name);
	return *last ? ARRAY_ADD(&(*last)->rules, rule) : -EPROTO;
}

static int by_priority(const void *a, const void *b)
{
	const struct nft_chain *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

int nftables_parse(struct nftables *nft, const char *json)
{
	struct json_object *list, *object;
	struct nft_chain *last = NULL;
	int ret = 0;

	nft->doc = json_tokener_parse(json);
	list = json_object_object_get(nft->doc, "nftables");
	if (!json_object_is_type(list, json_type_array))
		return -EPROTO;
	for (size_t i = 0; !ret && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_object_get_ex(item, "chain", &object)) {
			ret = add_chain(nft, object);
			last = NULL; /* the list may be elsewhere now */
		} else if (json_object_object_get_ex(item, "set", &object) ||
			   json_object_object_get_ex(item, "map", &object)) {
			ret = add_set(nft, object);
		} else if (json_object_object_get_ex(item, "rule", &object)) {
			ret = add_rule(nft, object, &last);
		}
	}
	if (nft->chains.count)
		qsort(nft->chains.v, nft->chains.count, sizeof(*nft->chains.v), by_priority);
	return ret;
}

int nftables_read(struct nftables *nft)
{
	FILE *pipe = popen("nft -j list ruleset 2>/dev/null", "re");
	char *json = NULL;
	size_t room = 0;
	int ret = 0;

	if (!pipe)
		return -errno;
	/* one document in one line */
	if (getdelim(&json, &room, '\0', pipe) < 0)
		ret = -ENOENT;
	if (pclose(pipe))
		ret = -ENOENT;
	if (!ret)
		ret = nftables_parse(nft, json);
	free(json);
	return ret;
}

void nftables_free(struct nftables *nft)
{
	for (size_t i = 0; i < nft->chains.count; i++)
		free(nft->chains.v[i].rules.v);
	free(nft->chains.v);
	free(nft->sets.v);
	json_object_put(nft->doc);
	memset(nft, 0, sizeof(*nft));
}

bool nft_rule_text(const struct nft_hit *hit, char *buf, size_t size)
{
	FILE *pipe = popen("nft -a list ruleset 2>/dev/null", "re");
	char table[160], handle[32], *line = NULL;
	bool inside = false, found = false;
	size_t room = 0;

	snprintf(buf, size, "of handle %d", hit->rule->handle);
	if (!pipe)
		return false;
	snprintf(table, sizeof(table), "table %s %s {", hit->chain->family, hit->chain->table);
	snprintf(handle, sizeof(handle), " # handle %d\n", hit->rule->handle);
	while (!found && getline(&line, &room, pipe) >= 0) {
		size_t len = strlen(line), tail = strlen(handle);

		if (line[0] == 't')
			inside = !strncmp(line, table, strlen(table));
		if (!inside || len <= tail || strcmp(line + len - tail, handle) != 0)
			continue;
		line[len - tail] = '\0';
		snprintf(buf, size, "%s", line + strspn(line, "\t "));
		found = true;
	}
	free(line);
	/* nft ends when it cannot write */
	pclose(pipe);
	return found;
}

/* ---- walking ---- */

struct walk {
	struct nft_scope scope;
	enum filter_verdict wanted;
	const struct nft_chain *base;
	struct nft_hit *hit;
	size_t unjudged;
	bool uncertain; /* one of these may have let the packet through */
	bool found;
};

/* What follows a rule. */
enum next {
	NEXT_RULE,
	NEXT_RETURN,
	NEXT_END,
};

static enum next walk_chain(struct walk *walk, const struct nft_chain *chain, unsigned int depth);

static bool has(struct json_object *statement, const char *name)
{
	return json_object_object_get_ex(statement, name, NULL);
}

/* Return: the verdict of a statement, or -1 if it is none of these */
static int verdict_of(struct json_object *statement)
{
	static const struct {
		const char *name;
		enum filter_verdict verdict;
	} verdicts[] = {
		{ "accept", FILTER_ACCEPT },   { "drop", FILTER_DROP }, { "reject", FILTER_DROP },
		{ "notrack", FILTER_NOTRACK }, { "dnat", FILTER_NAT },  { "redirect", FILTER_NAT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (has(statement, verdicts[i].name))
			return verdicts[i].verdict;
	}
	return -1;
}

/* Statements that decide nothing. */
static bool is_harmless(struct json_object *statement)
{
	static const char *const names[] = { "counter", "log",        "mangle",     "set",
					     "map",     "ct helper",  "ct timeout", "comment",
					     "snat",    "masquerade", "flow" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (has(statement, names[i]))
			return true;
	}
	return false;
}

/* A verdict statement, or the verdict of a map. @certain: all matches before it are known */
static enum next follow(struct walk *walk, const struct nft_chain *chain,
			const struct nft_rule *rule, struct json_object *statement, bool certain,
			unsigned int depth)
{
	struct json_object *to = json_object_object_get(statement, "jump");
	bool leaves = has(statement, "goto");
	int verdict = verdict_of(statement);
	const struct nft_chain *target;
	enum next next;

	if (!certain) {
		walk->uncertain |= verdict != FILTER_DROP;
		return NEXT_RULE;
	}
	if (has(statement, "return"))
		return NEXT_RETURN;
	if (to || leaves) {
		to = leaves ? json_object_object_get(statement, "goto") : to;
		target = find_chain(walk->scope.nft, chain->family, chain->table,
				    json_member_text(to, "target") ?: "");
		next = target ? walk_chain(walk, target, depth + 1) : NEXT_RULE;
		return next == NEXT_END || !leaves ? next : NEXT_RETURN;
	}
	if (verdict == (int)walk->wanted && !walk->uncertain) {
		*walk->hit = (struct nft_hit){ walk->base, chain, rule };
		walk->found = true;
		return NEXT_END;
	}
	return verdict < 0 || verdict == FILTER_NOTRACK ? NEXT_RULE : NEXT_END;
}

/* {"key": expression, "data": map of [value, verdict]} */
static enum next follow_map(struct walk *walk, const struct nft_chain *chain,
			    const struct nft_rule *rule, struct json_object *vmap, bool *certain,
			    unsigned int depth)
{
	struct json_object *key = json_object_object_get(vmap, "key");
	struct json_object *all = nft_elements(&walk->scope, json_object_object_get(vmap, "data"));

	if (!all)
		*certain = false;
	for (size_t i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *pair = json_object_array_get_idx(all, i);
		enum filter_match match =
			nft_match_value(&walk->scope, key, json_object_array_get_idx(pair, 0));

		if (match == MATCH_UNKNOWN)
			*certain = false;
		if (match == MATCH_YES)
			return follow(walk, chain, rule, json_object_array_get_idx(pair, 1),
				      *certain, depth);
	}
	walk->uncertain |= !*certain;
	return NEXT_RULE;
}

static enum next walk_rule(struct walk *walk, const struct nft_chain *chain,
			   const struct nft_rule *rule, unsigned int depth)
{
	enum next next = NEXT_RULE;
	bool certain = true;

	for (size_t i = 0; next == NEXT_RULE && i < json_object_array_length(rule->expr); i++) {
		struct json_object *statement = json_object_array_get_idx(rule->expr, i), *inner;
		enum filter_match match = MATCH_YES;

		if (json_object_object_get_ex(statement, "match", &inner))
			match = nft_match(&walk->scope, inner);
		else if (json_object_object_get_ex(statement, "vmap", &inner))
			next = follow_map(walk, chain, rule, inner, &certain, depth);
		else if (verdict_of(statement) >= 0 || has(statement, "jump") ||
			 has(statement, "goto") || has(statement, "return"))
			next = follow(walk, chain, rule, statement, certain, depth);
		else if (!is_harmless(statement)) /* a limit, or a match of iptables */
			match = MATCH_UNKNOWN;
		if (match == MATCH_NO)
			return next;
		certain &= match == MATCH_YES;
	}
	walk->unjudged += !certain;
	return next;
}

/* Return: NEXT_RULE if the packet comes back to the chain that jumped here, or NEXT_END */
static enum next walk_chain(struct walk *walk, const struct nft_chain *chain, unsigned int depth)
{
	for (size_t i = 0; i < chain->rules.count && depth < DEPTH_MAX; i++) {
		enum next next = walk_rule(walk, chain, &chain->rules.v[i], depth);

		if (next == NEXT_END)
			return next;
		if (next == NEXT_RETURN)
			break;
	}
	return NEXT_RULE;
}

static const char *const hook_names[] = {
	[FILTER_PREROUTING] = "prerouting",
	[FILTER_INPUT] = "input",
	[FILTER_OUTPUT] = "output",
	[FILTER_POSTROUTING] = "postrouting",
};
static_assert(ARRAY_SIZE(hook_names) == FILTER_HOOKS, "every hook has a name");

/* Does the base chain see the packet? */
static bool sees(const struct nft_chain *chain, const struct iptables *const taken[2],
		 enum filter_hook hook, const struct filter_packet *packet)
{
	bool v4 = addr_is_v4(&packet->src);

	if (!chain->hook || strcmp(chain->hook, hook_names[hook]) != 0)
		return false;
	if (packet->in_bridge)
		return !strcmp(chain->family, "bridge");
	if (!strcmp(chain->family, "inet"))
		return true;
	return !strcmp(chain->family, v4 ? "ip" : "ip6") &&
	       !iptables_has_table(taken[!v4], chain->table);
}

bool nftables_judge(const struct nftables *nft, const struct iptables *const taken[2],
		    enum filter_hook hook, const struct filter_packet *packet,
		    enum filter_verdict wanted, struct nft_hit *hit, size_t *unjudged)
{
	for (size_t i = 0; i < nft->chains.count; i++) {
		const struct nft_chain *chain = &nft->chains.v[i];
		struct walk walk = {
			.scope = { nft, chain->family, chain->table, packet },
			.wanted = wanted,
			.base = chain,
			.hit = hit,
		};

		if (!sees(chain, taken, hook, packet))
			continue;
		if (walk_chain(&walk, chain, 0) != NEXT_END && wanted == FILTER_DROP &&
		    !walk.uncertain && chain->policy && !strcmp(chain->policy, "drop")) {
			*hit = (struct nft_hit){ chain, chain, NULL };
			walk.found = true;
		}
		*unjudged += walk.unjudged;
		if (walk.found)
			return true;
	}
	return false;
}
