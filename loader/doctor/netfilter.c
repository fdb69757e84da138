/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packet filters. A translated request passes PREROUTING and INPUT with the interface lo, the
 * client's address and a loopback destination; its answer passes OUTPUT and POSTROUTING with a
 * loopback source and the bridge. Before that, filters of family bridge see the client's packets on
 * the bridge, and so does PREROUTING with br_netfilter. Rules of all of them are judged.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/ruleset.h"
#include "kernel/nat_detect.h"
#include "kernel/sysctl.h"

#define PORTS_MAX 16 /* that are judged */

/* ---- connection tracking and NAT ---- */

/*
 * Connection tracking sees a client's packets on the bridge but never an answer (answers have
 * another source), so without loose tracking all packets after the SYN are invalid to it.
 */
void find_strict_conntrack(const char *bridge, unsigned int ifindex, struct findings *findings)
{
	int loose;

	/* Without the file, connection tracking is not loaded. */
	if (sysctl_read("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", &loose) || loose ||
	    settings_calls_iptables(ifindex, NULL) != 1)
		return;
	finding_add(findings, FINDING_STRICT_CONNTRACK,
		    "net.netfilter.nf_conntrack_tcp_loose is 0 and br_netfilter is on: where a "
		    "rule drops ctstate INVALID, connections through %s open and then hang; "
		    "see " SERVICES_MD,
		    bridge);
	finding_command(findings, "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1");
}

/* With --nat-bypass off the user wants the NAT rules to apply. */
static void find_nat(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	const struct hbpf_config *config = &bridge->config;
	char why[128];
	int nat = nat_detect_prerouting(why, sizeof(why));

	doctor_note(report, STEP_NETFILTER, "NAT bypass %s: %s", config->nat_bypass ? "on" : "off",
		    why);
	if (nat != 1 || config->nat_bypass || config->nat_bypass_option != HBPF_AUTO)
		return;
	finding_add(&report->findings, FINDING_NAT,
		    "%s may redirect packets to exported ports, and NAT bypass, which prevents "
		    "that, is off",
		    why);
	/* If the kernel has no NAT bypass, attach says so. */
	finding_command(&report->findings, "hbpf attach %s", bridge->name);
}

/* ---- rules ---- */

/* The packets between one client and one port. */
struct rules {
	const struct doctor_bridge *bridge;
	struct findings *findings;
	struct ruleset *set;
	const struct prefix *clients;
	struct hbpf_addr client;
	const struct hbpf_addr *gateway; /* or NULL */
	bool br_netfilter;               /* sees the client's packets on the bridge */
	const struct export *export;
	struct hbpf_addr local;
};

/* What clients send to the service, on lo. */
static struct filter_packet request_packet(const struct rules *rules)
{
	return (struct filter_packet){
		.iif = "lo",
		.oif = "",
		.src = rules->client,
		.dst = rules->local,
		.to_host = true,
		.proto = rules->export->key.proto,
		.dport = ntohs(rules->export->to.port),
		.ctstate = "NEW",
	};
}

static struct ruleset_pattern request_pattern(const struct rules *rules)
{
	return (struct ruleset_pattern){
		.iif = "lo",
		.src = *rules->clients,
		.dst = prefix_of(rules->local, 128),
		.proto = rules->export->key.proto,
		.dport = ntohs(rules->export->to.port),
	};
}

/* "8088/tcp over IPv4", as findings begin */
static const char *port_format(const struct rules *rules, char buf[32])
{
	snprintf(buf, 32, "%u/%s over IPv%d", ntohs(rules->export->key.port),
		 proto_name(rules->export->key.proto), addr_is_v4(&rules->client) ? 4 : 6);
	return buf;
}

/* Return: false if a finding was added */
static bool judge_request(struct rules *rules, const struct filter_packet *packet)
{
	const struct ruleset_pattern pattern = request_pattern(rules);
	struct ruleset_hit hit;
	char port[32];

	if (!ruleset_judge(rules->set, FILTER_PREROUTING, packet, FILTER_DROP, &hit) &&
	    !ruleset_judge(rules->set, FILTER_INPUT, packet, FILTER_DROP, &hit))
		return true;
	finding_add(rules->findings, FINDING_FILTER_INPUT,
		    "%s: %s drops what clients send to the service", port_format(rules, port),
		    hit.what);
	ruleset_accept_command(rules->findings, &hit, &pattern);
	return false;
}

/* The answers are INVALID because the requests were not tracked, which @untracked decided. */
static void add_notrack(struct rules *rules, const struct ruleset_hit *dropped,
			const struct ruleset_hit *untracked)
{
	const struct ruleset_pattern pattern = request_pattern(rules);
	char port[32];

	finding_add(rules->findings, FINDING_NOTRACK,
		    "%s: requests are not tracked on lo, so their answers are INVALID, and %s "
		    "drops them",
		    port_format(rules, port), dropped->what);
	ruleset_accept_command(rules->findings, untracked, &pattern);
}

/* @untracked: the rule that exempts the requests from connection tracking, or NULL */
static void judge_answer(struct rules *rules, const struct ruleset_hit *untracked)
{
	const struct ruleset_pattern pattern = {
		.oif = rules->bridge->name,
		.src = prefix_of(rules->local, 128),
		.dst = *rules->clients,
		.proto = rules->export->key.proto,
		.sport = ntohs(rules->export->to.port),
	};
	struct filter_packet packet = {
		.iif = "",
		.oif = rules->bridge->name,
		.src = rules->local,
		.dst = rules->client,
		.proto = rules->export->key.proto,
		.sport = ntohs(rules->export->to.port),
		.ctstate = "ESTABLISHED",
	};
	struct ruleset_hit hit;
	char port[32];

	if (untracked) {
		packet.ctstate = "INVALID";
		if (ruleset_judge(rules->set, FILTER_OUTPUT, &packet, FILTER_NOTRACK, &hit))
			packet.ctstate = "UNTRACKED";
	}
	if (!ruleset_judge(rules->set, FILTER_OUTPUT, &packet, FILTER_DROP, &hit) &&
	    !ruleset_judge(rules->set, FILTER_POSTROUTING, &packet, FILTER_DROP, &hit))
		return;
	if (untracked && strcasestr(hit.what, "invalid")) {
		add_notrack(rules, &hit, untracked);
		return;
	}
	finding_add(rules->findings, FINDING_FILTER_OUTPUT,
		    "%s: %s drops the answers of the service", port_format(rules, port), hit.what);
	ruleset_accept_command(rules->findings, &hit, &pattern);
}

static void judge_on_lo(struct rules *rules)
{
	struct filter_packet request = request_packet(rules);
	struct ruleset_hit untracked;
	bool tracked =
		!ruleset_judge(rules->set, FILTER_PREROUTING, &request, FILTER_NOTRACK, &untracked);

	if (!tracked)
		request.ctstate = "UNTRACKED";
	if (judge_request(rules, &request))
		judge_answer(rules, tracked ? NULL : &untracked);
}

/* ---- rules that see packets on the bridge ---- */

static void add_bridged(struct rules *rules, enum finding_id id, const struct ruleset_hit *hit,
			const struct ruleset_pattern *pattern, const char *what)
{
	char port[32];

	finding_add(rules->findings, id, "%s: %s %s", port_format(rules, port), hit->what, what);
	ruleset_accept_command(rules->findings, hit, pattern);
}

/* The bridge's own filters. Return: false if a finding was added */
static bool judge_in_bridge(struct rules *rules, struct filter_packet packet,
			    const struct ruleset_pattern *pattern)
{
	const struct ruleset_pattern back = {
		.src = pattern->dst,
		.dst = pattern->src,
		.proto = pattern->proto,
		.sport = pattern->dport,
	};
	struct filter_packet answer = {
		.src = packet.dst,
		.dst = packet.src,
		.in_bridge = true,
		.proto = packet.proto,
		.sport = packet.dport,
		.ctstate = "",
	};
	struct ruleset_hit hit;

	packet.iif = NULL;
	packet.in_bridge = true;
	if (ruleset_judge(rules->set, FILTER_PREROUTING, &packet, FILTER_DROP, &hit) ||
	    ruleset_judge(rules->set, FILTER_INPUT, &packet, FILTER_DROP, &hit))
		add_bridged(rules, FINDING_FILTER_BRIDGE, &hit, pattern,
			    "drops what clients send, before hbpf sees it");
	else if (ruleset_judge(rules->set, FILTER_OUTPUT, &answer, FILTER_DROP, &hit) ||
		 ruleset_judge(rules->set, FILTER_POSTROUTING, &answer, FILTER_DROP, &hit))
		add_bridged(rules, FINDING_FILTER_BRIDGE, &hit, &back, "drops the answers");
	else
		return true;
	return false;
}

/* With br_netfilter, PREROUTING sees the client's packets on the bridge, and connection tracking
 * takes all but the first for invalid (see find_strict_conntrack()). */
static void judge_br_netfilter(struct rules *rules, struct filter_packet *packet,
			       struct ruleset_pattern *pattern)
{
	struct ruleset_hit hit;

	pattern->iif = rules->bridge->name;
	if (ruleset_judge(rules->set, FILTER_PREROUTING, packet, FILTER_DROP, &hit)) {
		add_bridged(rules, FINDING_FILTER_BRIDGE, &hit, pattern,
			    "drops what clients send, before hbpf sees it");
		return;
	}
	if (ruleset_judge(rules->set, FILTER_PREROUTING, packet, FILTER_NAT, &hit)) {
		add_bridged(rules, FINDING_BRIDGE_NAT, &hit, pattern,
			    "redirects what clients send, before hbpf sees it");
		return;
	}
	packet->ctstate = "INVALID";
	if (ruleset_judge(rules->set, FILTER_PREROUTING, packet, FILTER_DROP, &hit))
		add_bridged(rules, FINDING_BRIDGE_INVALID, &hit, pattern,
			    "drops packets of a client's connection that connection tracking takes "
			    "for invalid on the bridge, so services do not see its end");
}

static void judge_bridged(struct rules *rules)
{
	struct ruleset_pattern pattern = request_pattern(rules);
	struct filter_packet packet = request_packet(rules);

	if (!rules->gateway)
		return;
	packet.iif = rules->bridge->name;
	packet.dst = *rules->gateway;
	packet.dport = ntohs(rules->export->key.port);
	pattern.iif = NULL;
	pattern.dst = prefix_of(packet.dst, 128);
	pattern.dport = packet.dport;
	if (judge_in_bridge(rules, packet, &pattern) && rules->br_netfilter)
		judge_br_netfilter(rules, &packet, &pattern);
}

static bool calls_netfilter(const struct doctor_bridge *bridge, int family)
{
	int value;

	if (family == LISTENER_V4)
		return bridge->link && settings_calls_iptables(bridge->link->ifindex, NULL) == 1;
	return !sysctl_read("/proc/sys/net/bridge/bridge-nf-call-ip6tables", &value) && value;
}

/* The bridge's own address that clients dial. */
static const struct hbpf_addr *own_gateway(const struct doctor_bridge *bridge, int family)
{
	for (size_t i = 0; i < bridge->gateways->count; i++) {
		const struct hbpf_addr *addr = &bridge->gateways->v[i].addr;

		if (addr_is_v4(addr) == (family == LISTENER_V4) && host_has(bridge->host, addr) &&
		    bridge->gateways->v[i].why != HBPF_GATEWAY_DOCKER0)
			return addr;
	}
	return NULL;
}

static void judge_family(struct rules *rules, int family)
{
	const struct doctor_bridge *bridge = rules->bridge;
	size_t before = rules->findings->count;

	for (size_t i = 0; !rules->clients && i < bridge->clients.count; i++) {
		if (addr_is_v4(&bridge->clients.v[i].prefix.addr) == (family == LISTENER_V4))
			rules->clients = &bridge->clients.v[i].prefix;
	}
	if (!rules->clients)
		return;
	rules->client = prefix_host(rules->clients);
	rules->gateway = own_gateway(bridge, family);
	rules->br_netfilter = calls_netfilter(bridge, family);
	/* One port is enough to show a rule about all of them. */
	for (size_t i = 0; i < bridge->exports.count && i < PORTS_MAX; i++) {
		rules->export = &bridge->exports.v[i];
		rules->local = export_local(rules->export, family);
		if (rules->findings->count != before ||
		    (family == LISTENER_V6 && !rules->export->to.ipv6))
			continue;
		judge_bridged(rules);
		judge_on_lo(rules);
	}
}

void check_netfilter(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	struct ruleset *set = bridge->ruleset;

	if (bridge->link)
		find_strict_conntrack(bridge->name, bridge->link->ifindex, &report->findings);
	find_nat(bridge, report);
	ruleset_read(set);
	set->unjudged = 0;
	for (int family = 0; family < LISTENER_FAMILIES; family++) {
		struct rules rules = {
			.bridge = bridge,
			.findings = &report->findings,
			.set = set,
		};

		judge_family(&rules, family);
	}
	if (set->unjudged)
		snprintf(report->notes[STEP_NETFILTER] + strlen(report->notes[STEP_NETFILTER]),
			 sizeof(report->notes[0]) - strlen(report->notes[STEP_NETFILTER]),
			 "; some rules have matches that cannot be judged");
}
