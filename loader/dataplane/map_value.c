/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/map_value.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_loopback4(__be32 addr4)
{
	const struct hbpf_addr addr = addr_from_v4(addr4);

	return addr_is_loopback(&addr);
}

/* @list: the one for --from of whoever has the policy, and all above it */
static const char *policy_damage(const struct hbpf_policy *policy, __u32 list)
{
	if (policy->onlink > 1 || policy->inherit > 1)
		return "a switch for who may use a port is neither on nor off";
	if (!policy->inherit && policy->list != HBPF_LIST_ONLINK && policy->list < list)
		return "a list of those who may use a port is not one of them";
	return NULL;
}

static const char *export_damage(const struct hbpf_export_key *key, const struct hbpf_export *to)
{
	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP)
		return "the protocol of a port is neither TCP nor UDP";
	if (!key->port || !to->port)
		return "a port is 0";
	if (!is_loopback4(to->addr4))
		return "a port leads to an address outside 127.0.0.0/8";
	if (to->ipv6 > 1 || (to->ipv6 && to->addr4 != htonl(INADDR_LOOPBACK)))
		return "a port leads to ::1 that cannot";
	if (key->pad || to->pad)
		return "unused bytes are in use";
	return policy_damage(&to->from, HBPF_LIST_PORTS);
}

static const char *gateway_damage(const struct hbpf_addr *addr, __u32 why)
{
	const __u32 known = HBPF_GATEWAY_BRIDGE | HBPF_GATEWAY_DOCKER0 | HBPF_GATEWAY_OPTION;

	if (!why || (why & ~known))
		return "why an address is a gateway is not known";
	return addr_is_loopback(addr) ? "a loopback address is a gateway" : NULL;
}

struct hbpf_source_key source_key(__u32 list, const struct prefix *prefix)
{
	return (struct hbpf_source_key){
		.prefixlen = HBPF_LIST_BITS + prefix->len,
		.list = list,
		.ipv6 = prefix->len < 96 || !addr_is_v4(&prefix->addr),
		.addr = prefix->addr,
	};
}

static const char *source_damage(const struct hbpf_source_key *key)
{
	struct hbpf_source_key made;
	struct prefix prefix;

	if (key->prefixlen < HBPF_LIST_BITS || key->prefixlen > HBPF_LIST_BITS + 128)
		return "a prefix has an impossible length";
	prefix = prefix_of(key->addr, key->prefixlen - HBPF_LIST_BITS);
	made = source_key(key->list, &prefix);
	return memcmp(&made, key, sizeof(made)) ? "a prefix is not written as one" : NULL;
}

static const char *config_damage(const struct hbpf_config *config)
{
	if (config->hook_option > HBPF_HOOK_CLSACT || config->hook > HBPF_HOOK_CLSACT)
		return "the kind of hook is not known";
	if (config->nat_bypass_option > HBPF_OFF || config->guard_option > HBPF_OFF)
		return "a choice is neither auto, on nor off";
	if (config->guard_dst > 1 || config->guard_shared > 1 || config->nat_bypass > 1 ||
	    config->nat_bypass_built > 1)
		return "a switch is neither on nor off";
	if (config->attached_as[sizeof(config->attached_as) - 1])
		return "the name it was attached as has no end";
	if (config->from.inherit)
		return "who may use the ports is to be found elsewhere, and there is no such place";
	return policy_damage(&config->from, HBPF_LIST_BRIDGE);
}

const char *map_value_damage(enum dataplane_map map, const void *key, const void *value)
{
	switch (map) {
	case MAP_CONFIG:
		return config_damage(value);
	case MAP_EXPORTS:
		return export_damage(key, value);
	case MAP_GATEWAYS:
		return gateway_damage(key, *(const __u32 *)value);
	case MAP_SOURCES:
		return source_damage(key);
	default:
		return NULL;
	}
}
