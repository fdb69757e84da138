/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"

const char *const hook_kind_names[] = {
	[HBPF_HOOK_AUTO] = "auto",
	[HBPF_HOOK_TCX] = "tcx",
	[HBPF_HOOK_CLSACT] = "clsact",
	NULL,
};
static_assert(ARRAY_SIZE(hook_kind_names) == HBPF_HOOK_CLSACT + 2, "every kind, and NULL");

const char *const auto_on_off_names[] = {
	[HBPF_AUTO] = "auto",
	[HBPF_ON] = "on",
	[HBPF_OFF] = "off",
	NULL,
};
static_assert(ARRAY_SIZE(auto_on_off_names) == HBPF_OFF + 2, "every choice, and NULL");

/* The value of --from that stands for the prefixes on the bridge's link. */
#define ONLINK "onlink"

/* In order, since exports_add() is fast at the end of a set. */
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

int port_specs_parse(const char *const *texts, size_t count, struct port_specs *specs,
		     struct error *err)
{
	struct port_spec spec;
	int ret = 0;

	for (size_t i = 0; !ret && i < count; i++) {
		ret = port_spec_parse(texts[i], &spec, err);
		if (!ret && ARRAY_ADD(specs, spec))
			ret = error_nomem(err);
	}
	if (ret)
		return ret;
	if (specs->count)
		qsort(specs->v, specs->count, sizeof(*specs->v), compare_ports);
	return refuse_duplicates(specs, err);
}

void port_specs_free(struct port_specs *specs)
{
	free(specs->v);
	*specs = (struct port_specs){};
}

static const char *no_gateway(const struct hbpf_addr *addr)
{
	if (addr_is_loopback(addr))
		return "is a loopback address; packets to it never leave the client";
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

int gateways_parse(struct gateways *set, const char *text, struct error *err)
{
	struct hbpf_addr addr;
	const char *why;

	if (addr_parse(text, &addr)) {
		error_set(err, EINVAL, "--gateway %s: not an IPv4 or IPv6 address", text);
		error_hint(err, "write it as 172.17.0.1 or fd00::1");
		return -EINVAL;
	}
	why = no_gateway(&addr);
	if (why) {
		error_set(err, EINVAL, "--gateway %s: %s", text, why);
		error_hint(err, "give an address of this host that clients dial, such as "
				"172.17.0.1");
		return -EINVAL;
	}
	if (gateways_add(set, &addr, HBPF_GATEWAY_OPTION))
		return error_nomem(err);
	return 0;
}

int from_parse(struct from *from, const char *text, struct error *err)
{
	char masked[PREFIX_STRLEN];
	struct source source = {};
	int ret;

	from->given = true;
	from->explicit = true;
	if (!strcmp(text, ONLINK)) {
		from->onlink = true;
		return 0;
	}
	ret = prefix_parse(text, &source.prefix);
	if (ret == -ERANGE) {
		error_set(err, EINVAL, "--from %s: host bits are set", text);
		error_hint(err, "did you mean %s?", prefix_format(&source.prefix, masked));
		return -EINVAL;
	}
	if (ret) {
		error_set(err, EINVAL, "--from %s: not an address or prefix", text);
		error_hint(err, "write it as 172.30.0.0/24, fd00::/64, a single address, or the "
				"word onlink");
		return -EINVAL;
	}
	if (!sources_have(&from->sources, &source.prefix) && sources_add(&from->sources, &source))
		return error_nomem(err);
	return 0;
}

struct hbpf_policy from_policy(const struct from *from, __u16 list)
{
	return (struct hbpf_policy){
		.list = from->sources.count ? list : HBPF_LIST_ONLINK,
		.onlink = from->onlink || !from->given,
	};
}

void attach_request_free(struct attach_request *request)
{
	port_specs_free(&request->ports);
	gateways_free(&request->gateways);
	sources_free(&request->from.sources);
	memset(request, 0, sizeof(*request));
}
