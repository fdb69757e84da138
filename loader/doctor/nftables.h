/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of nf_tables as `nft -j list ruleset` prints them (libnftables-json(5)). */
#ifndef HBPF_NFTABLES_H
#define HBPF_NFTABLES_H

#include "doctor/filter.h"
#include "doctor/iptables.h"
#include "lib/json.h"

struct nft_rule {
	struct json_object *expr; /* the array of its statements */
	int handle;
};

/* The strings of this and the next are within nftables.doc. */
struct nft_chain {
	const char *family, *table, *name;
	const char *type, *hook, *policy; /* NULL: not a base chain */
	int priority;
	struct {
		struct nft_rule *v;
		size_t count;
	} rules;
};

/* A set or a map. */
struct nft_set {
	const char *family, *table, *name;
	struct json_object *elements; /* an array, or NULL */
};

struct nftables {
	struct json_object *doc;
	struct {
		struct nft_chain *v; /* base chains sorted by priority */
		size_t count;
	} chains;
	struct {
		struct nft_set *v;
		size_t count;
	} sets;
};

/* What decided. */
struct nft_hit {
	const struct nft_chain *base;  /* the chain of the hook */
	const struct nft_chain *chain; /* of the rule: @base, or one that it jumps to */
	const struct nft_rule *rule;   /* NULL: the policy of @base */
};

/** nftables_parse() - @json: the output of nft. @nft: all zero; free with nftables_free(), also on
 * failure. Return: 0, -EPROTO if it is none, or -ENOMEM */
int nftables_parse(struct nftables *nft, const char *json);
/** nftables_read() - run nft. As nftables_parse(), and -errno if there is no nft or it fails */
int nftables_read(struct nftables *nft);
void nftables_free(struct nftables *nft);

/**
 * nftables_judge() - does the packet get a verdict at a hook?
 * @taken:	Tables of family ip that are iptables', and of family ip6: left out
 * @wanted:	The verdict that is looked for, not FILTER_ACCEPT
 * @unjudged:	Raised by the rules that could not be judged
 *
 * Return: true, and then @hit is set
 */
bool nftables_judge(const struct nftables *nft, const struct iptables *const taken[2],
		    enum filter_hook hook, const struct filter_packet *packet,
		    enum filter_verdict wanted, struct nft_hit *hit, size_t *unjudged);

/** nft_rule_text() - the rule as nft prints it, without its handle. Return: false if it cannot be
 * had, and then @buf has "of handle 12" */
bool nft_rule_text(const struct nft_hit *hit, char *buf, size_t size);

/* ---- nft_match.c ---- */

/* What a match may refer to. */
struct nft_scope {
	const struct nftables *nft;
	const char *family, *table;
	const struct filter_packet *packet;
};

/** nft_match() - does the packet match? @match: {"op", "left", "right"} */
enum filter_match nft_match(const struct nft_scope *scope, struct json_object *match);
/** nft_match_value() - is what an expression has of the packet that value, or in that set? */
enum filter_match nft_match_value(const struct nft_scope *scope, struct json_object *expression,
				  struct json_object *value);
/** nft_elements() - the elements of an anonymous set or map, or of the one that "@name" refers to.
 * Return: an array, or NULL if that cannot be had */
struct json_object *nft_elements(const struct nft_scope *scope, struct json_object *set);

#endif /* HBPF_NFTABLES_H */
