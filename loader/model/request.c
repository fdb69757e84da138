/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const hook_kind_names[] = {
	[HBPF_HOOK_AUTO] = "auto",
	[HBPF_HOOK_TCX] = "tcx",
	[HBPF_HOOK_CLSACT] = "clsact",
	NULL,
};

const char *const when_names[] = {
	[HBPF_AUTO] = "auto",
	[HBPF_ON] = "on",
	[HBPF_OFF] = "off",
	NULL,
};

/* A word that stands for the prefixes on the bridge's link. */
#define ONLINK "onlink"

/* Ports in their order are put into a set at its end, and not each in front of all others. */
static int compare_ports(const void *a, const void *b)
{
	return ((const struct port_spec *)a)->first - ((const struct port_spec *)b)->first;
}

static int refuse_duplicates(const struct port_specs *specs, struct error *err)
{
	struct exports all = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < specs->count; i++)
		ret = exports_add(&all, &specs->v[i], NULL, true, err);
	exports_free(&all);
	return ret;
}

int args_ports(const char *const *words, size_t count, struct port_specs *specs, struct error *err)
{
	int ret = 0;

	specs->count = 0;
	specs->v = calloc(count + 1, sizeof(*specs->v));
	if (!specs->v)
		return error_set(err, ENOMEM, "no memory for %zu ports", count);
	for (size_t i = 0; !ret && i < count; i++)
		ret = port_spec_parse(words[i], &specs->v[specs->count++], err);
	if (ret)
		return ret;
	qsort(specs->v, specs->count, sizeof(*specs->v), compare_ports);
	return refuse_duplicates(specs, err);
}

static const char *no_gateway(const struct hbpf_addr *addr)
{
	if (addr_is_loopback(addr))
		return "is a loopback address, which clients keep to themselves";
	if (addr_is_unspecified(addr))
		return "is the unspecified address";
	if (addr_is_multicast(addr))
		return "is a multicast address";
	if (addr_is_v4(addr) && addr->word[3] == (__be32)~0U)
		return "is the broadcast address";
	if (addr_is_link_local6(addr))
		return "is a link-local address, which hbpf does not serve";
	return NULL;
}

int args_gateways(const struct arg_list *words, struct gateways *set, struct error *err)
{
	struct hbpf_addr addr;
	const char *why;

	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < words->count; i++) {
		if (addr_parse(words->v[i], &addr)) {
			error_set(err, EINVAL, "--gateway %s: not an IPv4 or IPv6 address",
				  words->v[i]);
			error_hint(err, "write it as 172.17.0.1 or fd00::1");
			return -EINVAL;
		}
		why = no_gateway(&addr);
		if (why)
			return error_set(err, EINVAL, "--gateway %s: %s", words->v[i], why);
		if (gateways_add(set, &addr, HBPF_GATEWAY_OPTION))
			return error_set(err, ENOMEM, "no memory for --gateway");
	}
	return 0;
}

static int add_source(struct sources *set, const char *word, struct error *err)
{
	struct prefix *prefix = &set->v[set->count].prefix;
	int ret = prefix_parse(word, prefix);
	char meant[PREFIX_STRLEN];

	if (ret == -ERANGE)
		return error_set(err, EINVAL,
				 "--from %s: bits are set behind the prefix length; do you mean "
				 "%s?",
				 word, prefix_format(prefix, meant));
	if (ret) {
		error_set(err, EINVAL, "--from %s: not an address range", word);
		error_hint(err, "write it as 172.30.0.0/24, fd00::/64, a single address, or the "
				"word onlink");
		return -EINVAL;
	}
	if (!sources_have(set, prefix)) /* it stands behind the last one yet */
		set->count++;
	return 0;
}

int args_from(const struct arg_list *words, struct from *from, struct error *err)
{
	int ret = 0;

	memset(from, 0, sizeof(*from));
	from->given = words->count > 0;
	from->onlink = !from->given;
	from->sources.v = calloc(words->count + 1, sizeof(*from->sources.v));
	if (!from->sources.v)
		return error_set(err, ENOMEM, "no memory for --from");
	for (size_t i = 0; !ret && i < words->count; i++) {
		if (!strcmp(words->v[i], ONLINK))
			from->onlink = true;
		else
			ret = add_source(&from->sources, words->v[i], err);
	}
	return ret;
}

struct hbpf_policy from_policy(const struct from *from, __u16 list)
{
	return (struct hbpf_policy){
		.list = from->sources.count ? list : HBPF_LIST_ONLINK,
		.onlink = from->onlink,
	};
}

void attach_request_free(struct attach_request *request)
{
	free(request->ports.v);
	free(request->gateways.v);
	free(request->from.sources.v);
	memset(request, 0, sizeof(*request));
}
