/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/warnings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/desired.h"
#include "dataplane/host_settings.h"
#include "docdir.h"
#include "kernel/sysctl.h"
#include "lib/array.h"
#include "lib/log.h"

#define MOST_WARNINGS 5 /* of each kind; further ones are only counted */

#define SERVICES_MD HBPF_DOCDIR "/docs/SERVICES.md"

#define PORT_RANGE_FILE     "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_PORTS_FILE "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* The ports that the kernel assigns to sockets without an explicit one. */
struct port_range {
	unsigned int first;
	unsigned int last;
	char *reserved; /* "8080,9000-9100": excluded from the range */
};

static int port_range_read(struct port_range *range)
{
	FILE *file = fopen(PORT_RANGE_FILE, "re");
	size_t room = 0;
	int fields;

	if (!file)
		return -errno;
	fields = fscanf(file, "%u %u", &range->first, &range->last);
	fclose(file);
	file = fopen(RESERVED_PORTS_FILE, "re");
	if (file) {
		if (getline(&range->reserved, &room, file) < 0 && range->reserved)
			range->reserved[0] = 0;
		fclose(file);
	}
	return fields == 2 ? 0 : -EINVAL;
}

static bool is_reserved(const struct port_range *range, unsigned int first, unsigned int last)
{
	const char *at = range->reserved;
	unsigned int from, to;
	int used;

	/* The kernel lists them sorted and merged, so a run is within one entry. */
	while (at && sscanf(at, "%u%n", &from, &used) == 1) {
		at += used;
		to = from;
		if (*at == '-' && sscanf(at, "-%u%n", &to, &used) == 1)
			at += used;
		if (first >= from && last <= to)
			return true;
		at += *at == ',';
	}
	return false;
}

static void warn_local_range(const struct exports *exports)
{
	struct port_range range = {};
	struct export_range run = {};
	char text[EXPORT_RANGE_STRLEN];
	size_t count = 0;

	if (port_range_read(&range))
		goto out;
	while (exports_next_range(exports, &run)) {
		unsigned int first = ntohs(run.first->key.port);
		unsigned int last = first + (unsigned int)run.count - 1;

		if (last < range.first || first > range.last || is_reserved(&range, first, last))
			continue;
		if (count++ < MOST_WARNINGS)
			log_warn("%s is within net.ipv4.ip_local_port_range (%u-%u): the host may "
				 "use it for an outgoing connection; reserve it with "
				 "net.ipv4.ip_local_reserved_ports",
				 export_range_format(&run, text), range.first, range.last);
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more port ranges are within net.ipv4.ip_local_port_range",
			 count - MOST_WARNINGS);
out:
	free(range.reserved);
}

/* If the ports differ, clients need hbpf to reach the service at the gateway port. */
static const struct listener *find_wildcard(const struct export *export,
					    const struct listener *both)
{
	return both[LISTENER_V4].wildcard && export->key.port == export->to.port
		       ? &both[LISTENER_V4]
		       : NULL;
}

/* A socket bound to a device sends through it only, and clients are behind the bridge. */
static const struct listener *find_on_lo(const struct export *export, const struct listener *both)
{
	(void)export;
	for (int family = 0; family < LISTENER_FAMILIES; family++) {
		if (both[family].on_lo)
			return &both[family];
	}
	return NULL;
}

static const struct listener *find_engine(const struct export *export, const struct listener *both)
{
	(void)export;
	for (int family = 0; family < LISTENER_FAMILIES; family++) {
		if (proc_owner_is_engine(&both[family].owner))
			return &both[family];
	}
	return NULL;
}

/* Warnings about the service behind a port. */
static const struct {
	const struct listener *(*find)(const struct export *export, const struct listener *both);
	const char *text; /* after "PORT: SERVICE" */
	const char *more; /* after "and N more ports" */
} service_warnings[] = {
	{ find_on_lo,
	  "binds its socket to the device lo, so its answers cannot reach clients; see " SERVICES_MD,
	  "lead to sockets bound to the device lo" },
	{ find_engine,
	  "holds the socket, but does not answer for the container that publishes the port, so "
	  "connections hang; see " SERVICES_MD,
	  "are published by containers without a proxy" },
	{ find_wildcard,
	  "listens on all addresses of this host, so clients can reach it without hbpf, unless it "
	  "rejects them (as dnsmasq does with interface=lo) or a firewall does",
	  "lead to services that listen on all addresses" },
};

static void warn_services(const struct exports *exports, const struct listeners *listeners,
			  size_t kind)
{
	char who[PROC_OWNER_STRLEN];
	size_t count = 0;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *found = service_warnings[kind].find(export, listeners->v[i]);

		if (found && count++ < MOST_WARNINGS)
			log_warn("%u/%s: %s %s", ntohs(export->key.port),
				 proto_name(export->key.proto),
				 proc_owner_format(&found->owner, who),
				 service_warnings[kind].text);
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more ports %s", count - MOST_WARNINGS,
			 service_warnings[kind].more);
}

void warn_ports(const struct exports *exports, const struct listeners *listeners)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(service_warnings); kind++)
		warn_services(exports, listeners, kind);
	warn_local_range(exports);
}

static bool has_address(const struct host *host, const struct link *link, bool v4)
{
	for (size_t i = 0; i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (address_is_gateway(own, link) && addr_is_v4(&own->addr) == v4)
			return true;
	}
	return false;
}

void warn_bridge(const struct host *host, const struct link *bridge)
{
	bool v4 = has_address(host, bridge, true), v6 = has_address(host, bridge, false);

	if (!v4 && !v6)
		log_warn("%s has no IPv4 and no IPv6 address; run `ip address add ADDRESS/LENGTH "
			 "dev %s`, then `hbpf attach %s`",
			 bridge->name, bridge->name, bridge->name);
	else if (!v4)
		log_warn("%s has no IPv4 address: only IPv6 is served", bridge->name);
	if (!bridge->up)
		log_warn("%s is down; run `ip link set %s up`", bridge->name, bridge->name);
	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *port = &host->links.v[i];

		if (port->master == bridge->ifindex && !port->kind[0])
			log_warn("%s, a physical interface, is a port of %s: hosts on its network "
				 "are clients too; use --from to restrict that",
				 port->name, bridge->name);
	}
}

static bool list_has_family(const struct sources *list, bool v4)
{
	for (size_t i = 0; i < list->count; i++) {
		if (addr_is_v4(&list->v[i].prefix.addr) == v4)
			return true;
	}
	return false;
}

/* docker0's address does not count: that it has IPv6 does not give this bridge's clients IPv6. */
static bool has_gateway(const struct gateways *gateways, bool v4)
{
	for (size_t i = 0; i < gateways->count; i++) {
		if (addr_is_v4(&gateways->v[i].addr) == v4 &&
		    gateways->v[i].why != HBPF_GATEWAY_DOCKER0)
			return true;
	}
	return false;
}

static bool is_inherited(const struct exports *exports)
{
	for (size_t i = 0; i < exports->count; i++) {
		if (exports->v[i].to.from.inherit)
			return true;
	}
	return !exports->count;
}

void warn_clients(const struct bridge_state *now)
{
	const struct hbpf_policy *from = &now->config.from;

	/* The report itself mentions a bridge without any clients. */
	if (!now->lists[HBPF_LIST_ONLINK].count && !now->lists[HBPF_LIST_BRIDGE].count)
		return;
	/* --from without onlink is explicit, even if it omits a family. */
	for (int v4 = 1; from->onlink && v4 >= 0 && is_inherited(&now->exports); v4--) {
		if (has_gateway(&now->gateways, v4) &&
		    !list_has_family(&now->lists[HBPF_LIST_ONLINK], v4) &&
		    !list_has_family(&now->lists[HBPF_LIST_BRIDGE], v4))
			log_warn("no IPv%d client may use the ports: there is no IPv%d network on "
				 "the bridge's link and no route to a client; allow clients with "
				 "--from",
				 v4 ? 4 : 6, v4 ? 4 : 6);
	}
}

void warn_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (own->ifindex == bridge->ifindex && own->advertised &&
		    !addr_is_link_local6(&own->addr) && !gateways_has(gateways, &own->addr))
			log_warn("%s on %s has a lifetime, so it may come from a client's router "
				 "advertisement: it is not a gateway, and its network may not use "
				 "the ports; add them with --gateway and --from",
				 addr_format(&own->addr, text), bridge->name);
	}
}

/*
 * Connection tracking sees a client's packets on the bridge but never an answer (answers have
 * another source), so without loose tracking all packets after the SYN are invalid to it.
 */
void warn_conntrack(const char *bridge)
{
	int loose;

	/* Without the file, connection tracking is not loaded. */
	if (sysctl_read("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", &loose) || loose ||
	    settings_calls_iptables(if_nametoindex(bridge), NULL) != 1)
		return;
	log_warn(
		"net.netfilter.nf_conntrack_tcp_loose is 0 and br_netfilter is on: where a rule "
		"drops ctstate INVALID, connections through %s open and then hang; see " SERVICES_MD,
		bridge);
}

bool warn_answers(const struct reply_query *query)
{
	struct reply_problems replies;
	struct error err = {};

	if (reply_routes_check(query, &replies, &err))
		log_warn("%s; the route of answers was not checked", err.what);
	for (size_t i = 0; i < replies.count; i++) {
		const struct reply_problem *reply = &replies.v[i];

		if (reply->command[0])
			log_warn("%s; to fix it, run `%s`", reply->text, reply->command);
		else
			log_warn("%s", reply->text);
	}
	error_free(&err);
	return !replies.no_clients;
}

void warn_gateways(const struct host *host, const struct gateways *requested)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < requested->count; i++) {
		if (!host_has(host, &requested->v[i].addr))
			log_warn("--gateway %s is not an address of this host: only clients that "
				 "route it through this bridge can use it",
				 addr_format(&requested->v[i].addr, text));
	}
}

void warn_managed(const char *bridge, int owner)
{
	if (owner > HBPF_OWNER_MANUAL)
		log_warn("%s is managed by `hbpf watch`, which reverts changes that are not in its "
			 "configuration",
			 bridge);
}
