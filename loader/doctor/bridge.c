/* SPDX-License-Identifier: GPL-2.0-only */
/* The bridge: its ports, its addresses, and who its clients are. */
#include <assert.h>
#include <stdio.h>

#include "attach/desired.h"
#include "attach/interface.h"
#include "doctor/checks.h"
#include "kernel/bridge_vlans.h"
#include "kernel/neighbours.h"
#include "lib/array.h"
#include "lib/str_list.h"

#define MOST 5 /* addresses that are named; further ones are only counted */

static const char *const side_names[] = {
	[HOOK_INGRESS] = "ingress",
	[HOOK_EGRESS] = "egress",
};
static_assert(ARRAY_SIZE(side_names) == HOOK_SIDES, "every side has a name");

const char *hook_side_name(enum hook_side side)
{
	return side_names[side];
}

void find_order(const struct hook_state *hooks, const char *bridge, struct findings *findings)
{
	for (int side = 0; side < HOOK_SIDES; side++) {
		if (!hooks[side].live || hooks[side].first)
			continue;
		finding_add(findings, FINDING_ORDER,
			    "%s runs before hbpf on %s and may let packets past the guard",
			    hooks[side].before, side_names[side]);
		finding_command(findings, "hbpf attach %s", bridge);
	}
}

/* What is missing is a finding of status. */
void check_hooks(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	doctor_note(report, STEP_STATE, "attached as %s, slot %u", bridge->config.attached_as,
		    bridge->config.slot);
	if (bridge->live)
		doctor_note(report, STEP_HOOKS, "%s, before all other programs",
			    hook_kind_names[bridge->hooks[HOOK_INGRESS].kind]);
}

void find_lan(const struct host *host, const struct link *bridge, struct findings *findings)
{
	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *port = &host->links.v[i];

		if (port->master == bridge->ifindex && !port->kind[0])
			finding_add(findings, FINDING_LAN,
				    "%s, a physical interface, is a port of %s: hosts on its "
				    "network are clients too; use --from to restrict that",
				    port->name, bridge->name);
	}
}

/* A port that is not forwarding drops what its client sends. */
static size_t look_at_ports(const struct doctor_bridge *bridge, struct findings *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < bridge->host->links.count; i++) {
		const struct link *port = &bridge->host->links.v[i];

		if (port->master != bridge->link->ifindex)
			continue;
		count++;
		if (!bridge->link->up || !port->up || !port->carrier || port->forwarding)
			continue;
		finding_add(findings, FINDING_PORT_STATE,
			    "its port %s is not forwarding, so packets of the client behind it "
			    "are dropped; with STP a port forwards only after twice the "
			    "forward_delay",
			    port->name);
		if (bridge->link->stp)
			finding_command(findings,
					"ip link set %s type bridge stp_state 0 && bridge link set "
					"dev %s state 3",
					bridge->name, port->name);
		else
			finding_command(findings, "bridge link set dev %s state 3", port->name);
	}
	return count;
}

/* Untagged frames of a port reach the bridge's own interface, and answers the port, only within one
 * VLAN that is untagged on both (br_handle_vlan()). */
static void find_vlans(const struct doctor_bridge *bridge, struct findings *findings)
{
	struct bridge_vlans vlans;
	__u16 own;

	if (!bridge->link->vlan_filtering || bridge_vlans_read(&vlans))
		return;
	own = bridge_vlans_pvid(&vlans, bridge->link->ifindex);
	for (size_t i = 0; i < bridge->host->links.count; i++) {
		const struct link *port = &bridge->host->links.v[i];
		__u16 vid = bridge_vlans_pvid(&vlans, port->ifindex);

		if (port->master != bridge->link->ifindex || (vid == own && own))
			continue;
		finding_add(findings, FINDING_VLAN,
			    "VLAN filtering is on, and its port %s and %s itself have no common "
			    "VLAN without tags: the client behind it cannot reach the gateway",
			    port->name, bridge->name);
		if (own)
			finding_command(findings, "bridge vlan add dev %s vid %u pvid untagged",
					port->name, own);
		else if (vid)
			finding_command(findings,
					"bridge vlan add dev %s vid %u pvid untagged self",
					bridge->name, vid);
	}
	bridge_vlans_free(&vlans);
}

void check_bridge(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	size_t ports;

	if (!bridge->link)
		return;
	if (!bridge->attached && !bridge->link->up) {
		finding_add(&report->findings, FINDING_DOWN, "it is down");
		finding_command(&report->findings, "ip link set %s up", bridge->name);
	}
	ports = look_at_ports(bridge, &report->findings);
	find_vlans(bridge, &report->findings);
	/* --from without onlink is explicit. */
	if (!bridge->attached || bridge->config.from.onlink)
		find_lan(bridge->host, bridge->link, &report->findings);
	if (interface_is_bridge(bridge->link))
		doctor_note(report, STEP_BRIDGE, "up, %zu interface%s connected", ports,
			    ports == 1 ? "" : "s");
	else
		doctor_note(report, STEP_BRIDGE, "a %s interface, up, %s",
			    interface_kind(bridge->link),
			    bridge->link->carrier ? "connected" : "not connected");
}

void find_advertised(const struct host *host, const struct link *bridge,
		     const struct gateways *gateways, struct findings *findings)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < host->addrs.count; i++) {
		const typeof(*host->addrs.v) *own = &host->addrs.v[i];

		if (own->ifindex == bridge->ifindex && own->advertised &&
		    !addr_is_link_local6(&own->addr) && !gateways_has(gateways, &own->addr))
			finding_add(findings, FINDING_ADVERTISED,
				    "%s on %s has a lifetime, so it may come from a client's "
				    "router advertisement: it is not a gateway, and its network "
				    "may not use the ports; add them with --gateway and --from",
				    addr_format(&own->addr, text), bridge->name);
	}
}

void find_foreign_gateways(const struct host *host, const struct gateways *gateways,
			   struct findings *findings)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < gateways->count; i++) {
		if (gateways->v[i].why & HBPF_GATEWAY_OPTION &&
		    !host_has(host, &gateways->v[i].addr))
			finding_add(findings, FINDING_FOREIGN_GATEWAY,
				    "--gateway %s is not an address of this host: only clients "
				    "that route it through this bridge can use it",
				    addr_format(&gateways->v[i].addr, text));
	}
}

/* host.docker.internal is docker0's address, which its containers have no route to. Podman's
 * host.containers.internal is the bridge's own (4.3.1). */
static void find_internal(const struct doctor_bridge *bridge, struct findings *findings)
{
	const struct network *network = bridge->network;
	const struct gateways *gateways = bridge->gateways;
	const struct hbpf_addr *own = NULL;
	char text[ADDR_STRLEN];

	if (!network || network->engine != ENGINE_DOCKER || !network->no_default_route)
		return;
	for (size_t i = 0; i < gateways->count && !own; i++) {
		if (gateways->v[i].why != HBPF_GATEWAY_DOCKER0)
			own = &gateways->v[i].addr;
	}
	if (own)
		finding_add(findings, FINDING_INTERNAL,
			    "network %s is internal: its containers have no default route, and do "
			    "not reach host.docker.internal; dial %s, or start them with "
			    "--add-host host.docker.internal:%s",
			    network->name, addr_format(own, text), text);
}

void check_gateways(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	char list[128] = "", text[ADDR_STRLEN];

	if (bridge->link)
		find_advertised(bridge->host, bridge->link, bridge->gateways, &report->findings);
	find_foreign_gateways(bridge->host, bridge->gateways, &report->findings);
	find_internal(bridge, &report->findings);
	for (size_t i = 0; i < bridge->gateways->count; i++)
		str_list_add(list, sizeof(list), addr_format(&bridge->gateways->v[i].addr, text));
	doctor_note(report, STEP_GATEWAYS, "%s", list);
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

void find_family(const struct hbpf_config *config, const struct exports *exports,
		 const struct gateways *gateways, const struct sources *onlink,
		 const struct sources *own, struct findings *findings)
{
	struct families clients = {};

	sources_families(onlink, &clients);
	sources_families(own, &clients);
	/* A bridge without any client is reported elsewhere. */
	if (!clients.v4 && !clients.v6)
		return;
	/* --from without onlink is explicit, even if it omits a family. */
	for (int v4 = 1; config->from.onlink && v4 >= 0 && is_inherited(exports); v4--) {
		if (has_gateway(gateways, v4) && !(v4 ? clients.v4 : clients.v6))
			finding_add(findings, FINDING_FAMILY,
				    "no IPv%d client may use the ports: there is no IPv%d network "
				    "on the bridge's link and no route to a client; allow clients "
				    "with --from",
				    v4 ? 4 : 6, v4 ? 4 : 6);
	}
}

/* Is it a client that no prefix allows, though nobody restricted them? */
static bool is_uncovered(const struct doctor_bridge *bridge, const struct hbpf_addr *addr)
{
	return !addr_is_link_local6(addr) && !addr_is_multicast(addr) &&
	       !host_has(bridge->host, addr) && !sources_cover(&bridge->onlink, addr) &&
	       !sources_cover(&bridge->own, addr) && !sources_cover(&bridge->clients, addr);
}

/* Addresses on the link that are routed elsewhere, such as a client's second one. */
static void find_uncovered(const struct doctor_bridge *bridge, struct findings *findings)
{
	struct neighbours seen;
	char text[ADDR_STRLEN];
	size_t count = 0;

	if (!bridge->link || !bridge->config.from.onlink ||
	    neighbours_read(bridge->link->ifindex, &seen))
		return;
	for (size_t i = 0; i < seen.count; i++) {
		if (!is_uncovered(bridge, &seen.v[i]) || count++ >= MOST)
			continue;
		finding_add(findings, FINDING_UNCOVERED,
			    "%s is on the link of %s, but in no network that may use the ports; "
			    "to allow it, attach again with --from onlink --from %s",
			    addr_format(&seen.v[i], text), bridge->name, text);
		/* --from replaces what was given before. */
		if (!bridge->own.count)
			finding_command(findings, "hbpf attach %s --from onlink --from %s",
					bridge->name, text);
	}
	if (count > MOST)
		finding_add(findings, FINDING_UNCOVERED, "and %zu more addresses on the link of %s",
			    count - MOST, bridge->name);
	neighbours_free(&seen);
}

void check_clients(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	char list[160] = "", text[PREFIX_STRLEN];

	find_family(&bridge->config, &bridge->exports, bridge->gateways, &bridge->onlink,
		    &bridge->own, &report->findings);
	find_uncovered(bridge, &report->findings);
	for (size_t i = 0; i < bridge->clients.count; i++)
		str_list_add(list, sizeof(list), prefix_format(&bridge->clients.v[i].prefix, text));
	doctor_note(report, STEP_CLIENTS, "%s", list);
	if (bridge->clients.count)
		doctor_note(report, STEP_ROUTES, "answers to the clients leave by %s",
			    bridge->name);
}
