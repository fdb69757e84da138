/* SPDX-License-Identifier: GPL-2.0-only */
/* The open ports, and what listens behind them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/conflicts.h"
#include "doctor/checks.h"
#include "doctor/unit.h"
#include "lib/array.h"
#include "lib/str_list.h"

#define MOST 5 /* findings of each kind; further ones are only counted */

/* ---- ports that the host uses itself ---- */

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
	ssize_t len;
	int fields;

	if (!file)
		return -errno;
	fields = fscanf(file, "%u %u", &range->first, &range->last);
	fclose(file);
	file = fopen(RESERVED_PORTS_FILE, "re");
	if (file) {
		len = getline(&range->reserved, &room, file);
		if (range->reserved)
			range->reserved[len > 0 ? len - 1 : 0] = '\0';
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

/* The setting is replaced as a whole: each command has the ports of those before it as well. */
static void reserve(struct port_range *range, unsigned int first, unsigned int last,
		    struct findings *findings)
{
	const char *before = range->reserved ? range->reserved : "";
	char *all;

	if (asprintf(&all, "%s%s%u-%u", before, before[0] ? "," : "", first, last) < 0)
		return;
	finding_command(findings, "sysctl -w net.ipv4.ip_local_reserved_ports=%s", all);
	free(range->reserved);
	range->reserved = all;
}

void find_local_range(const struct exports *exports, struct findings *findings)
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
		if (count++ >= MOST)
			continue;
		finding_add(findings, FINDING_LOCAL_RANGE,
			    "%s is within net.ipv4.ip_local_port_range (%u-%u): the host may use "
			    "it for an outgoing connection",
			    export_range_format(&run, text), range.first, range.last);
		reserve(&range, first, last, findings);
	}
	if (count > MOST)
		finding_add(findings, FINDING_LOCAL_RANGE,
			    "and %zu more port ranges are within net.ipv4.ip_local_port_range",
			    count - MOST);
out:
	free(range.reserved);
}

static void find_conflicts(const struct doctor_bridge *bridge, struct findings *findings)
{
	struct conflicts conflicts = {};
	char text[CONFLICTS_STRLEN];

	if (!conflicts_find(bridge->gateways, &bridge->exports, bridge->listeners.sockets,
			    &conflicts))
		return;
	finding_add(findings, FINDING_CONFLICT,
		    "%s; its clients on this bridge reach the loopback service instead",
		    conflicts_format(&conflicts, text));
	finding_command(findings, "hbpf ports del %u/%s -b %s", ntohs(conflicts.first.local.port),
			proto_name(conflicts.first.proto), bridge->name);
}

/* ---- ports that are not open ---- */

static void find_not_exported(const struct doctor_bridge *bridge, struct findings *findings)
{
	for (size_t i = 0; i < bridge->chosen->count; i++) {
		const struct port_spec *spec = &bridge->chosen->v[i];
		const char *proto = spec->protos == PORT_SPEC_UDP ? "udp" : "tcp";
		__u8 number = spec->protos == PORT_SPEC_UDP ? IPPROTO_UDP : IPPROTO_TCP;

		for (unsigned int port = spec->first; port <= spec->last; port++) {
			if (exports_find(bridge->all, number, htons((__u16)port)))
				continue;
			finding_add(
				findings, FINDING_NOT_EXPORTED,
				"port %u/%s is not open on %s, so hbpf leaves its packets alone",
				port, proto, bridge->name);
			finding_command(findings, "hbpf ports add %u/%s -b %s", port, proto,
					bridge->name);
			break; /* one for each SPEC is enough */
		}
	}
}

void check_ports(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	struct findings *findings = &report->findings;
	char list[160] = "", text[EXPORT_RANGE_STRLEN];
	struct export_range run = {};

	if (!bridge->all->count)
		finding_add(findings, FINDING_NO_PORTS,
			    "no port is open; open one with `hbpf ports add PORT -b %s`",
			    bridge->name);
	else
		find_not_exported(bridge, findings);
	find_conflicts(bridge, findings);
	find_local_range(&bridge->exports, findings);
	while (exports_next_range(&bridge->exports, &run))
		str_list_add(list, sizeof(list), export_range_format(&run, text));
	doctor_note(report, STEP_PORTS, "%s", list);
}

/* ---- services that listen, but cannot answer or need no hbpf ---- */

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

static const struct {
	const struct listener *(*find)(const struct export *export, const struct listener *both);
	enum finding_id id;
	const char *text; /* after "PORT: SERVICE" */
	const char *more; /* after "and N more ports" */
} odd_services[] = {
	{ find_on_lo, FINDING_ON_LO,
	  "binds its socket to the device lo, so its answers cannot reach clients; see " SERVICES_MD,
	  "lead to sockets bound to the device lo" },
	{ find_engine, FINDING_NO_PROXY,
	  "holds the socket, but does not answer for the container that publishes the port, so "
	  "connections hang; see " SERVICES_MD,
	  "are published by containers without a proxy" },
	{ find_wildcard, FINDING_WILDCARD,
	  "listens on all addresses of this host, so clients can reach it without hbpf, unless it "
	  "rejects them (as dnsmasq does with interface=lo) or a firewall does",
	  "lead to services that listen on all addresses" },
};

static void find_odd_kind(const struct exports *exports, const struct listeners *listeners,
			  size_t kind, struct findings *findings)
{
	char who[PROC_OWNER_STRLEN];
	size_t count = 0;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];
		const struct listener *found = odd_services[kind].find(export, listeners->v[i]);

		if (found && count++ < MOST)
			finding_add(findings, odd_services[kind].id, "%u/%s: %s %s",
				    ntohs(export->key.port), proto_name(export->key.proto),
				    proc_owner_format(&found->owner, who), odd_services[kind].text);
	}
	if (count > MOST)
		finding_add(findings, odd_services[kind].id, "and %zu more ports %s", count - MOST,
			    odd_services[kind].more);
}

void find_odd_services(const struct exports *exports, const struct listeners *listeners,
		       struct findings *findings)
{
	for (size_t kind = 0; kind < ARRAY_SIZE(odd_services); kind++)
		find_odd_kind(exports, listeners, kind, findings);
}

/* ---- services that listen elsewhere ---- */

/* The family that clients need: IPv4, if there is an IPv4 gateway. */
static int needed_family(const struct doctor_bridge *bridge)
{
	for (size_t i = 0; i < bridge->gateways->count; i++) {
		if (addr_is_v4(&bridge->gateways->v[i].addr))
			return LISTENER_V4;
	}
	return bridge->gateways->count ? LISTENER_V6 : LISTENER_V4;
}

/* The nearest to what an export needs: the same protocol before the other. */
static const struct socket *find_elsewhere(const struct sockets *sockets,
					   const struct export *export)
{
	const struct socket *found = NULL;

	for (size_t i = 0; i < sockets->count; i++) {
		const struct socket *socket = &sockets->v[i];

		if (socket->local.port != export->to.port || socket->remote.port)
			continue;
		if (socket->proto == export->key.proto)
			return socket;
		if (!found)
			found = socket;
	}
	return found;
}

/* The service listens, but for the other family only. */
static void add_other_family(const struct export *export, const struct listener *listener,
			     int family, struct findings *findings)
{
	struct hbpf_addr has = export_local(export, !family), lacks = export_local(export, family);
	char where[ENDPOINT_STRLEN], local[ADDR_STRLEN], who[PROC_OWNER_STRLEN];

	finding_add(findings, FINDING_OTHER_FAMILY,
		    "%u/%s: %s listens on %s only, so IPv%d clients are refused; let it listen on "
		    "%s",
		    ntohs(export->key.port), proto_name(export->key.proto),
		    proc_owner_format(&listener->owner, who),
		    endpoint_format(&has, export->to.port, where), family == LISTENER_V4 ? 4 : 6,
		    addr_format(&lacks, local));
}

static void add_elsewhere(const struct doctor_bridge *bridge, const struct export *export,
			  const struct socket *socket, struct findings *findings)
{
	const struct hbpf_addr *addr = &socket->local.addr;
	char where[ENDPOINT_STRLEN], local[ADDR_STRLEN], who[PROC_OWNER_STRLEN];
	unsigned int port = ntohs(export->key.port), to = ntohs(export->to.port);
	const char *proto = proto_name(export->key.proto), *other = proto_name(socket->proto);
	struct proc_owner owner = {};

	proc_owners_find(&socket->inode, &owner, 1);
	proc_owner_format(&owner, who);
	endpoint_format(addr, socket->local.port, where);
	if (socket->proto != export->key.proto) {
		finding_add(findings, FINDING_OTHER_PROTOCOL,
			    "%u/%s: %s listens on %s/%s, not over %s", port, proto, who, where,
			    other, proto);
		finding_command(findings,
				"hbpf ports del %u/%s -b %s && hbpf ports add %u:%u/%s -b %s", port,
				proto, bridge->name, port, to, other, bridge->name);
	} else if (addr_is_v4(addr) && addr_is_loopback(addr)) {
		finding_add(findings, FINDING_OTHER_LOOPBACK,
			    "%u/%s: %s listens on %s, and the port leads to another loopback "
			    "address",
			    port, proto, who, where);
		finding_command(findings,
				"hbpf ports del %u/%s -b %s && hbpf ports add %u:%s:%u/%s -b %s",
				port, proto, bridge->name, port, addr_format(addr, local), to,
				proto, bridge->name);
	} else {
		finding_add(findings, FINDING_OTHER_ADDRESS,
			    "%u/%s: %s listens on %s only, not on loopback; let clients dial that "
			    "address, or let it listen on 127.0.0.1",
			    port, proto, who, where);
	}
}

/* Adds what is known about one port that nothing serves. Return: false if nothing is */
static bool add_unserved(const struct doctor_bridge *bridge, size_t at, int family,
			 struct published *published, struct findings *findings)
{
	const struct export *export = &bridge->exports.v[at];
	const struct listener *both = bridge->listeners.v[at];
	const struct socket *socket = find_elsewhere(bridge->listeners.sockets, export);

	if (both[!family].found)
		add_other_family(export, &both[!family], family, findings);
	else if (socket)
		add_elsewhere(bridge, export, socket, findings);
	else
		return published_find(published, export, family, findings);
	return true;
}

static void find_unserved(const struct doctor_bridge *bridge, const struct export_range *run,
			  struct published *published, struct findings *findings)
{
	int family = needed_family(bridge);
	struct hbpf_addr local = export_local(run->first, family);
	size_t first = run->first - bridge->exports.v, unserved = 0, shown = 0;
	char ports[96] = "", port[16], where[ENDPOINT_STRLEN];

	for (size_t i = first; i < first + run->count; i++) {
		if (bridge->listeners.v[i][family].found)
			continue;
		if (shown < MOST && add_unserved(bridge, i, family, published, findings)) {
			shown++;
			continue;
		}
		unserved++;
		snprintf(port, sizeof(port), "%u", ntohs(bridge->exports.v[i].to.port));
		str_list_add(ports, sizeof(ports), port);
	}
	if (unserved && unserved == run->count)
		finding_add(findings, FINDING_NOT_LISTENING,
			    "nothing listens on %s%s/%s, so clients are refused; start the service",
			    endpoint_format(&local, run->first->to.port, where),
			    run->count > 1 ? " and the ports after it" : "",
			    proto_name(run->first->key.proto));
	else if (unserved)
		finding_add(findings, FINDING_PARTLY_LISTENING,
			    "nothing listens on %zu of %zu ports of %s/%s: %s", unserved,
			    run->count, addr_format(&local, where),
			    proto_name(run->first->key.proto), ports);
}

/* ---- systemd ---- */

/* The first client that the unit denies, by its network; or NULL */
static const struct prefix *find_denied(const struct doctor_bridge *bridge,
					const struct unit_access *access)
{
	for (size_t i = 0; i < bridge->clients.count; i++) {
		const struct prefix *prefix = &bridge->clients.v[i].prefix;
		struct hbpf_addr client = prefix_host(prefix);

		if (unit_denies(access, &client))
			return prefix;
	}
	return NULL;
}

static void look_at_unit(const struct doctor_bridge *bridge, const struct export *export,
			 const char *unit, struct findings *findings)
{
	struct unit_access access = {};
	const struct prefix *denied;
	char text[PREFIX_STRLEN];

	unit_access_read(unit, &access);
	denied = find_denied(bridge, &access);
	if (denied) {
		finding_add(findings, FINDING_ADDRESS_DENY,
			    "%u/%s: IPAddressDeny of %s drops packets of %s",
			    ntohs(export->key.port), proto_name(export->key.proto), unit,
			    prefix_format(denied, text));
		finding_command(findings, "systemctl set-property '%s' IPAddressAllow=%s", unit,
				text);
	}
	unit_access_free(&access);
}

/* Each unit once, by the first port that it serves. */
static void find_address_deny(const struct doctor_bridge *bridge, struct findings *findings)
{
	char last[UNIT_NAME_SIZE] = "", unit[UNIT_NAME_SIZE];
	int family = needed_family(bridge);

	for (size_t i = 0; i < bridge->exports.count; i++) {
		int pid = bridge->listeners.v[i][family].owner.pid;

		if (!pid || !unit_of_process(pid, unit) || !strcmp(unit, last))
			continue;
		memcpy(last, unit, sizeof(last));
		look_at_unit(bridge, &bridge->exports.v[i], unit, findings);
	}
}

void check_services(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	char list[200] = "", who[PROC_OWNER_STRLEN];
	int family = needed_family(bridge);
	struct published published = { .rules = bridge->ruleset };
	struct export_range run = {};

	while (exports_next_range(&bridge->exports, &run))
		find_unserved(bridge, &run, &published, &report->findings);
	find_odd_services(&bridge->exports, &bridge->listeners, &report->findings);
	find_address_deny(bridge, &report->findings);
	run = (struct export_range){};
	while (listeners_next_range(&bridge->exports, &bridge->listeners, 1U << family, &run)) {
		const struct listener *found =
			&bridge->listeners.v[run.first - bridge->exports.v][family];

		if (found->found)
			str_list_add(list, sizeof(list), proc_owner_format(&found->owner, who));
	}
	doctor_note(report, STEP_SERVICES, "%s", list);
}
