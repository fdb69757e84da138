/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/warnings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/desired.h"
#include "dataplane/host_settings.h"
#include "kernel/sysctl.h"
#include "lib/log.h"

#define MOST_WARNINGS 5 /* of each kind; the others are only counted */

#define PORT_RANGE_FILE     "/proc/sys/net/ipv4/ip_local_port_range"
#define RESERVED_PORTS_FILE "/proc/sys/net/ipv4/ip_local_reserved_ports"

/* Ports the kernel hands out to sockets that ask for none. */
struct port_range {
	unsigned int first;
	unsigned int last;
	char *reserved; /* "8080,9000-9100": left out of the range */
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

	/* The kernel writes them sorted and joined, so a run lies within one entry. */
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
				 "pick it for a connection of its own; "
				 "net.ipv4.ip_local_reserved_ports keeps it free",
				 export_range_format(&run, text), range.first, range.last);
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more port ranges are within net.ipv4.ip_local_port_range",
			 count - MOST_WARNINGS);
out:
	free(range.reserved);
}

static void warn_wildcard(const struct exports *exports, const struct listeners *listeners)
{
	char who[PROC_OWNER_STRLEN];
	size_t count = 0;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *listener = &listeners->v[i][LISTENER_V4];

		/* Where the ports differ clients need hbpf to reach it at this one. */
		if (!listener->wildcard || export->key.port != export->to.port)
			continue;
		if (count++ < MOST_WARNINGS)
			log_warn("%u/%s: %s listens on all addresses of this host, so clients "
				 "need no hbpf for it, unless it turns them away at the gateway, "
				 "as dnsmasq does with interface=lo, or a firewall does",
				 ntohs(export->key.port), proto_name(export->key.proto),
				 proc_owner_format(&listener->owner, who));
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more ports lead to services on all addresses",
			 count - MOST_WARNINGS);
}

/* The route of an answer must be by the socket's device, and the client's is by the bridge. */
static void warn_device(const struct exports *exports, const struct listeners *listeners)
{
	char who[PROC_OWNER_STRLEN];
	size_t count = 0;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *both = listeners->v[i];
		const struct listener *bound =
			both[LISTENER_V4].on_lo ? &both[LISTENER_V4] : &both[LISTENER_V6];

		if (!bound->on_lo)
			continue;
		if (count++ < MOST_WARNINGS)
			log_warn("%u/%s: %s binds its socket to the device lo, so its answers "
				 "cannot leave; docs/SERVICES.md tells what to do",
				 ntohs(export->key.port), proto_name(export->key.proto),
				 proc_owner_format(&bound->owner, who));
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more ports lead to sockets bound to the device lo",
			 count - MOST_WARNINGS);
}

static void warn_engine(const struct exports *exports, const struct listeners *listeners)
{
	char who[PROC_OWNER_STRLEN];
	size_t count = 0;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *both = listeners->v[i];
		const struct listener *held = proc_owner_is_engine(&both[LISTENER_V4].owner)
						      ? &both[LISTENER_V4]
						      : &both[LISTENER_V6];

		if (!proc_owner_is_engine(&held->owner))
			continue;
		if (count++ < MOST_WARNINGS)
			log_warn("%u/%s: %s holds the socket, but does not answer there for the "
				 "container that publishes the port: clients would wait for good; "
				 "docs/SERVICES.md tells what to do",
				 ntohs(export->key.port), proto_name(export->key.proto),
				 proc_owner_format(&held->owner, who));
	}
	if (count > MOST_WARNINGS)
		log_warn("and %zu more ports are published by containers without a proxy",
			 count - MOST_WARNINGS);
}

void warn_ports(const struct exports *exports, const struct listeners *listeners)
{
	warn_device(exports, listeners);
	warn_engine(exports, listeners);
	warn_local_range(exports);
	warn_wildcard(exports, listeners);
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
		log_warn("%s has no IPv4 and no IPv6 address; `ip address add ADDRESS/LENGTH dev "
			 "%s`, then `hbpf attach %s`",
			 bridge->name, bridge->name, bridge->name);
	else if (!v4)
		log_warn("%s has no IPv4 address: only IPv6 is served", bridge->name);
	if (!bridge->up)
		log_warn("%s is down; `ip link set %s up`", bridge->name, bridge->name);
	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *port = &host->links.v[i];

		if (port->master == bridge->ifindex && !port->kind[0])
			log_warn("%s, a physical interface, is a port of %s: hosts on its network "
				 "are clients too; --from narrows that down",
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

/* docker0's address does not count: Docker's clients have no IPv6 because docker0 has. */
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

	/* Of a bridge without any the report itself says so. */
	if (!now->lists[HBPF_LIST_ONLINK].count && !now->lists[HBPF_LIST_BRIDGE].count)
		return;
	/* --from alone is the administrator's word, also where it leaves a family out. */
	for (int v4 = 1; from->onlink && v4 >= 0 && is_inherited(&now->exports); v4--) {
		if (has_gateway(&now->gateways, v4) &&
		    !list_has_family(&now->lists[HBPF_LIST_ONLINK], v4) &&
		    !list_has_family(&now->lists[HBPF_LIST_BRIDGE], v4))
			log_warn("no IPv%d client may use the ports: there is no network on the "
				 "bridge's link, and no route to a client; --from names who may",
				 v4 ? 4 : 6);
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
			log_warn("%s of %s has a lifetime, as from a router advertisement, which a "
				 "client may have sent: it is no gateway, and its network no "
				 "client; --gateway and --from take them in",
				 addr_format(&own->addr, text), bridge->name);
	}
}

/*
 * Connection tracking sees a client's packets on the bridge and never an answer (they leave from
 * another address), so with loose tracking off it takes all that follow the SYN for invalid.
 */
void warn_conntrack(const char *bridge)
{
	int loose;

	/* Not there: connection tracking is not loaded. */
	if (sysctl_read("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", &loose) || loose ||
	    settings_calls_iptables(if_nametoindex(bridge), NULL) != 1)
		return;
	log_warn("net.netfilter.nf_conntrack_tcp_loose is 0 and br_netfilter is on: where a rule "
		 "drops ctstate INVALID, connections through %s open and then hang; "
		 "docs/SERVICES.md tells what to do",
		 bridge);
}

bool warn_answers(const struct answers_query *query)
{
	struct answers answers;
	struct error err = {};

	if (answers_check(query, &answers, &err))
		log_warn("%s; where answers go is not checked", err.what);
	for (size_t i = 0; i < answers.count; i++) {
		const struct answers_lost *lost = &answers.lost[i];

		if (lost->command[0])
			log_warn("%s; `%s` leads them back", lost->text, lost->command);
		else
			log_warn("%s", lost->text);
	}
	error_free(&err);
	return !answers.no_clients;
}

void warn_gateways(const struct host *host, const struct gateways *asked)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < asked->count; i++) {
		if (!host_has(host, &asked->v[i].addr))
			log_warn("--gateway %s is not an address of this host: it works only for "
				 "clients that route it through this bridge",
				 addr_format(&asked->v[i].addr, text));
	}
}

void warn_kept(const char *bridge, int owner)
{
	if (owner > HBPF_BY_HAND)
		log_warn("%s is kept by `hbpf watch`, which undoes what its configuration does not "
			 "say",
			 bridge);
}
