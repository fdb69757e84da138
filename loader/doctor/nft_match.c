/* SPDX-License-Identifier: GPL-2.0-only */
/* Matches of nft: an expression (a field of the packet) compared with a value. */
#include <stdlib.h>
#include <string.h>

#include "doctor/nftables.h"
#include "lib/array.h"

/* ---- fields of the packet ---- */

/* What an expression has of the packet. All NULL: not known. */
struct field {
	bool absent; /* the packet has no such field, so nothing matches */
	const char *text;
	const struct hbpf_addr *addr;
	const __u16 *port;
	bool folds; /* @text is compared without regard to case */
	bool wildcards;
};

static const char *member(struct json_object *object, const char *name)
{
	const char *text = json_member_text(object, name);

	return text ? text : "";
}

static struct field meta_field(const struct filter_packet *packet, const char *key)
{
	bool v4 = addr_is_v4(&packet->src);

	if (!strcmp(key, "iif") || !strcmp(key, "iifname"))
		return (struct field){ .text = packet->iif, .wildcards = true };
	if (!strcmp(key, "oif") || !strcmp(key, "oifname"))
		return (struct field){ .text = packet->oif, .wildcards = true };
	if (!strcmp(key, "l4proto"))
		return (struct field){ .text = proto_name(packet->proto) };
	if (!strcmp(key, "nfproto") && !packet->in_bridge)
		return (struct field){ .text = v4 ? "ipv4" : "ipv6" };
	if (!strcmp(key, "protocol"))
		return (struct field){ .text = v4 ? "ip" : "ip6" };
	return (struct field){};
}

static struct field network_field(const struct filter_packet *packet, const char *key, bool v4)
{
	if (addr_is_v4(&packet->src) != v4)
		return (struct field){ .absent = true };
	if (!strcmp(key, "saddr"))
		return (struct field){ .addr = &packet->src };
	if (!strcmp(key, "daddr"))
		return (struct field){ .addr = &packet->dst };
	if (!strcmp(key, v4 ? "protocol" : "nexthdr"))
		return (struct field){ .text = proto_name(packet->proto) };
	return (struct field){};
}

static struct field payload_field(const struct filter_packet *packet, const char *protocol,
				  const char *key)
{
	static const char *const others[] = { "icmp", "icmpv6", "igmp", "arp",     "esp", "ah",
					      "sctp", "dccp",   "comp", "udplite", "vlan" };

	if (!strcmp(protocol, "ip") || !strcmp(protocol, "ip6"))
		return network_field(packet, key, !strcmp(protocol, "ip"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!strcmp(protocol, others[i]))
			return (struct field){ .absent = true };
	}
	if ((!strcmp(protocol, "tcp") || !strcmp(protocol, "udp")) &&
	    strcmp(protocol, proto_name(packet->proto)) != 0)
		return (struct field){ .absent = true };
	if (!strcmp(key, "dport"))
		return (struct field){ .port = &packet->dport };
	if (!strcmp(key, "sport"))
		return (struct field){ .port = &packet->sport };
	return (struct field){};
}

/* {"fib": {"result": "type", "flags": ["daddr"]}}: only whether it is an address of the host. */
static struct field fib_field(const struct filter_packet *packet, struct json_object *fib)
{
	struct json_object *flags = json_object_object_get(fib, "flags");
	struct json_object *flag = json_object_is_type(flags, json_type_array)
					   ? json_object_array_get_idx(flags, 0)
					   : flags;

	if (strcmp(member(fib, "result"), "type") != 0 || !flag ||
	    strcmp(json_object_get_string(flag), "daddr") != 0)
		return (struct field){};
	return (struct field){ .text = packet->to_host ? "local" : "unicast" };
}

static struct field find_field(const struct filter_packet *packet, struct json_object *expression)
{
	struct json_object *inner;

	if (json_object_object_get_ex(expression, "meta", &inner))
		return meta_field(packet, member(inner, "key"));
	if (json_object_object_get_ex(expression, "payload", &inner))
		return payload_field(packet, member(inner, "protocol"), member(inner, "field"));
	if (json_object_object_get_ex(expression, "ct", &inner) && !packet->in_bridge &&
	    !strcmp(member(inner, "key"), "state"))
		return (struct field){ .text = packet->ctstate, .folds = true };
	if (json_object_object_get_ex(expression, "fib", &inner))
		return fib_field(packet, inner);
	return (struct field){};
}

/* ---- values ---- */

static enum filter_match match_text(const struct field *field, const char *value)
{
	size_t len = strlen(value);

	if (field->wildcards && len && value[len - 1] == '*')
		return filter_is(!strncmp(field->text, value, len - 1));
	return filter_is(field->folds ? !strcasecmp(field->text, value)
				      : !strcmp(field->text, value));
}

static enum filter_match match_literal(const struct field *field, struct json_object *value)
{
	struct hbpf_addr addr;

	if (field->port && json_object_is_type(value, json_type_int))
		return filter_is(json_object_get_int(value) == *field->port);
	if (!json_object_is_type(value, json_type_string))
		return MATCH_UNKNOWN;
	if (field->text)
		return match_text(field, json_object_get_string(value));
	if (!field->addr || addr_parse(json_object_get_string(value), &addr))
		return MATCH_UNKNOWN;
	return filter_is(addr_equal(field->addr, &addr));
}

static enum filter_match match_prefix(const struct field *field, struct json_object *value)
{
	struct prefix prefix;
	int len = json_object_get_int(json_object_object_get(value, "len"));

	if (!field->addr || addr_parse(member(value, "addr"), &prefix.addr))
		return MATCH_UNKNOWN;
	prefix.len = (__u8)(len + (addr_is_v4(&prefix.addr) ? V4_MAPPED_BITS : 0));
	return filter_is(prefix_has(&prefix, field->addr));
}

/* [first, last] */
static enum filter_match match_range(const struct field *field, struct json_object *value)
{
	struct json_object *first = json_object_array_get_idx(value, 0);
	struct json_object *last = json_object_array_get_idx(value, 1);
	struct hbpf_addr from, to;

	if (field->port)
		return filter_is(*field->port >= json_object_get_int(first) &&
				 *field->port <= json_object_get_int(last));
	if (!field->addr || !first || !last || addr_parse(json_object_get_string(first), &from) ||
	    addr_parse(json_object_get_string(last), &to))
		return MATCH_UNKNOWN;
	return filter_is(addr_is_v4(&from) == addr_is_v4(field->addr) &&
			 addr_compare(&from, field->addr) <= 0 &&
			 addr_compare(field->addr, &to) <= 0);
}

/* Does any of the elements match? */
static enum filter_match match_elements(const struct nft_scope *scope,
					struct json_object *expression,
					struct json_object *elements)
{
	enum filter_match found = MATCH_NO;

	if (!json_object_is_type(elements, json_type_array))
		return nft_match_value(scope, expression, elements);
	for (size_t i = 0; i < json_object_array_length(elements); i++) {
		enum filter_match one =
			nft_match_value(scope, expression, json_object_array_get_idx(elements, i));

		if (one == MATCH_YES)
			return one;
		if (one == MATCH_UNKNOWN)
			found = one;
	}
	return found;
}

/* Does each part match? */
static enum filter_match match_concat(const struct nft_scope *scope, struct json_object *parts,
				      struct json_object *values)
{
	enum filter_match all = MATCH_YES;

	if (!json_object_is_type(values, json_type_array) ||
	    json_object_array_length(values) != json_object_array_length(parts))
		return MATCH_UNKNOWN;
	for (size_t i = 0; i < json_object_array_length(parts); i++) {
		enum filter_match one = nft_match_value(scope, json_object_array_get_idx(parts, i),
							json_object_array_get_idx(values, i));

		if (one == MATCH_NO)
			return one;
		if (one == MATCH_UNKNOWN)
			all = one;
	}
	return all;
}

struct json_object *nft_elements(const struct nft_scope *scope, struct json_object *set)
{
	struct json_object *elements = json_object_object_get(set, "set");
	const char *name;

	if (elements || !json_object_is_type(set, json_type_string))
		return elements;
	name = json_object_get_string(set) + 1;
	for (size_t i = 0; i < scope->nft->sets.count; i++) {
		const struct nft_set *one = &scope->nft->sets.v[i];

		if (!strcmp(one->name, name) && !strcmp(one->table, scope->table) &&
		    !strcmp(one->family, scope->family))
			return one->elements;
	}
	return NULL;
}

static bool refers_to_set(struct json_object *value)
{
	return json_object_object_get(value, "set") ||
	       (json_object_is_type(value, json_type_string) &&
		json_object_get_string(value)[0] == '@');
}

enum filter_match nft_match_value(const struct nft_scope *scope, struct json_object *expression,
				  struct json_object *value)
{
	struct json_object *inner, *parts;
	struct field field;

	if (refers_to_set(value)) {
		inner = nft_elements(scope, value);
		return inner ? match_elements(scope, expression, inner) : MATCH_UNKNOWN;
	}
	if (json_object_is_type(value, json_type_array))
		return match_elements(scope, expression, value);
	/* an element with a timeout, a comment or a counter */
	if (json_object_object_get_ex(value, "elem", &inner))
		return nft_match_value(scope, expression, json_object_object_get(inner, "val"));
	if (json_object_object_get_ex(expression, "concat", &parts))
		return match_concat(scope, parts, json_object_object_get(value, "concat"));
	field = find_field(scope->packet, expression);
	if (field.absent)
		return MATCH_NO;
	if (!field.text && !field.addr && !field.port)
		return MATCH_UNKNOWN;
	if (json_object_object_get_ex(value, "prefix", &inner))
		return match_prefix(&field, inner);
	if (json_object_object_get_ex(value, "range", &inner))
		return match_range(&field, inner);
	return match_literal(&field, value);
}

enum filter_match nft_match(const struct nft_scope *scope, struct json_object *match)
{
	struct json_object *left = json_object_object_get(match, "left");
	enum filter_match found =
		nft_match_value(scope, left, json_object_object_get(match, "right"));
	const char *op = member(match, "op");

	if (!strcmp(op, "==") || !strcmp(op, "in"))
		return found;
	/* A field that the packet lacks matches nothing, whatever the operator. */
	if (find_field(scope->packet, left).absent)
		return MATCH_NO;
	return !strcmp(op, "!=") ? filter_not(found) : MATCH_UNKNOWN;
}
