/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/warnings.h"

#include "attach/desired.h"
#include "doctor/checks.h"
#include "lib/log.h"

/* @command: that fixes it, or empty */
static void warn(const char *text, const char *command)
{
	if (command[0])
		log_warn("%s; run `%s`", text, command);
	else
		log_warn("%s", text);
}

/* Prints and empties the list. */
static void warn_findings(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		warn(findings->v[i].text, findings->v[i].command);
	findings_free(findings);
}

void warn_ports(const struct exports *exports, const struct listeners *listeners)
{
	struct findings findings = {};

	find_odd_services(exports, listeners, &findings);
	find_published(exports, listeners, &findings);
	find_local_range(exports, &findings);
	warn_findings(&findings);
}

/* Its own, or one of --gateway. */
static bool has_address(const struct host *host, const struct link *link,
			const struct gateways *requested, bool v4)
{
	for (size_t i = 0; i < requested->count; i++) {
		if (addr_is_v4(&requested->v[i].addr) == v4)
			return true;
	}
	for (size_t i = 0; i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (address_is_gateway(own, link) && addr_is_v4(&own->addr) == v4)
			return true;
	}
	return false;
}

void warn_bridge(const struct host *host, const struct link *bridge,
		 const struct gateways *requested)
{
	bool v4 = has_address(host, bridge, requested, true);
	bool v6 = has_address(host, bridge, requested, false);
	struct findings findings = {};

	if (!v4 && !v6)
		log_warn("%s has no IPv4 and no IPv6 address; run `ip address add ADDRESS/LENGTH "
			 "dev %s`, then `hbpf attach %s`; or name the address of this host that "
			 "clients dial with --gateway",
			 bridge->name, bridge->name, bridge->name);
	else if (!v4)
		log_warn("%s has no IPv4 address: only IPv6 is served", bridge->name);
	if (!bridge->up)
		log_warn("%s is down; run `ip link set %s up`", bridge->name, bridge->name);
	find_lan(host, bridge, &findings);
	warn_findings(&findings);
}

void warn_clients(const struct bridge_state *now)
{
	struct findings findings = {};

	find_family(&now->config, &now->exports, &now->gateways, &now->lists[HBPF_LIST_ONLINK],
		    &now->lists[HBPF_LIST_BRIDGE], &findings);
	warn_findings(&findings);
}

void warn_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways)
{
	struct findings findings = {};

	find_advertised(host, bridge, gateways, &findings);
	warn_findings(&findings);
}

void warn_conntrack(const char *bridge)
{
	struct findings findings = {};

	find_strict_conntrack(bridge, if_nametoindex(bridge), &findings);
	warn_findings(&findings);
}

bool warn_answers(const struct reply_query *query)
{
	struct reply_problems replies;
	struct error err = {};

	if (reply_routes_check(query, &replies, &err))
		log_warn("%s; the route of answers was not checked", err.what);
	for (size_t i = 0; i < replies.count; i++)
		warn(replies.v[i].text, replies.v[i].command);
	error_free(&err);
	return !replies.no_clients;
}

void warn_gateways(const struct host *host, const struct gateways *gateways)
{
	struct findings findings = {};

	find_foreign_gateways(host, gateways, &findings);
	warn_findings(&findings);
}

void warn_managed(const char *bridge, int owner)
{
	if (owner == HBPF_OWNER_CNI)
		log_warn("%s is managed by the CNI plugin, which attaches it again for the next "
			 "container",
			 bridge);
	else if (owner > HBPF_OWNER_MANUAL)
		log_warn("%s is managed by `hbpf watch`, which reverts changes that are not in its "
			 "configuration",
			 bridge);
}
