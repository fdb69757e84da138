/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netfilter. A translated request passes PREROUTING and INPUT with the interface lo, the client's
 * address and a loopback destination; its answer passes OUTPUT and POSTROUTING with a loopback
 * source and the bridge. Rules of iptables, of nf_tables or legacy, are judged for both. With
 * br_netfilter the client's packets pass PREROUTING before that, on the bridge.
 *
 * Rules that nft made itself are not judged: the probe sees what they do.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/iptables.h"
#include "kernel/nat_detect.h"
#include "kernel/sysctl.h"
#include "lib/array.h"

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

/* ---- rules of iptables ---- */

/* A kind of iptables, and the packets of one client to one port. */
struct rules {
	const struct doctor_bridge *bridge;
	struct findings *findings;
	const char *command; /* "iptables-nft" */
	struct iptables iptables;
	const struct prefix *clients;
	struct hbpf_addr client;
	const struct export *export;
	struct hbpf_addr local;
	size_t unjudged;
};

/* The command that accepts the packets before all other rules of a chain. */
static void accept_command(struct rules *rules, const char *table, const char *chain,
			   const char *match)
{
	finding_command(rules->findings, "%s -t %s -I %s %s -j ACCEPT", rules->command, table,
			chain, match);
}

static void request_format(const struct rules *rules, char *buf, size_t size)
{
	char clients[PREFIX_STRLEN], local[ADDR_STRLEN];

	snprintf(buf, size, "-i lo -s %s -d %s -p %s --dport %u",
		 prefix_format(rules->clients, clients), addr_format(&rules->local, local),
		 proto_name(rules->export->key.proto), ntohs(rules->export->to.port));
}

static void answer_format(const struct rules *rules, char *buf, size_t size)
{
	char clients[PREFIX_STRLEN], local[ADDR_STRLEN];

	snprintf(buf, size, "-o %s -s %s -d %s -p %s --sport %u", rules->bridge->name,
		 addr_format(&rules->local, local), prefix_format(rules->clients, clients),
		 proto_name(rules->export->key.proto), ntohs(rules->export->to.port));
}

/* "rule `-s 10.0.0.0/8 -j DROP' of chain INPUT" or "the policy of chain INPUT" */
static void rule_describe(const struct iptables_rule *rule, const char *chain, char *buf,
			  size_t size)
{
	if (rule)
		snprintf(buf, size, "rule `%s` of chain %s", rule->text, rule->chain);
	else
		snprintf(buf, size, "the policy of chain %s", chain);
}

/* Return: true if the packet gets through the chain of all @tables; else @rule and @table are set
 */
static bool passes(struct rules *rules, const char *const *tables, const char *chain,
		   const struct iptables_packet *packet, const struct iptables_rule **rule,
		   const char **table)
{
	for (; *tables; tables++) {
		if (iptables_judge(&rules->iptables, *tables, chain, packet, rule,
				   &rules->unjudged) == IPTABLES_DROP) {
			*table = *tables;
			return false;
		}
	}
	return true;
}

static bool is_untracked(struct rules *rules, const char *chain,
			 const struct iptables_packet *packet)
{
	const struct iptables_rule *rule;

	return iptables_judge(&rules->iptables, "raw", chain, packet, &rule, &rules->unjudged) ==
	       IPTABLES_NOTRACK;
}

/* Return: false if a finding was added */
static bool judge_request(struct rules *rules, struct iptables_packet *packet)
{
	static const char *const prerouting[] = { "raw", "mangle", NULL };
	static const char *const input[] = { "mangle", "filter", NULL };
	const struct iptables_rule *rule;
	const char *table, *chain = "PREROUTING";
	char match[160], what[300];

	if (passes(rules, prerouting, chain, packet, &rule, &table)) {
		chain = "INPUT";
		if (passes(rules, input, chain, packet, &rule, &table))
			return true;
	}
	rule_describe(rule, chain, what, sizeof(what));
	finding_add(rules->findings, FINDING_FILTER_INPUT,
		    "%u/%s: %s in %s's table %s drops what clients send to the service",
		    ntohs(rules->export->key.port), proto_name(rules->export->key.proto), what,
		    rules->command, table);
	request_format(rules, match, sizeof(match));
	accept_command(rules, table, chain, match);
	return false;
}

static void judge_answer(struct rules *rules, struct iptables_packet *packet, bool half_tracked)
{
	static const char *const output[] = { "raw", "mangle", "filter", NULL };
	const struct iptables_rule *rule;
	const char *table;
	char match[160], what[300];

	if (passes(rules, output, "OUTPUT", packet, &rule, &table))
		return;
	rule_describe(rule, "OUTPUT", what, sizeof(what));
	if (half_tracked && rule && strstr(rule->text, "INVALID")) {
		finding_add(rules->findings, FINDING_NOTRACK,
			    "%u/%s: requests are not tracked on lo, so their answers are INVALID, "
			    "and %s in %s's table %s drops them",
			    ntohs(rules->export->key.port), proto_name(rules->export->key.proto),
			    what, rules->command, table);
		request_format(rules, match, sizeof(match));
		accept_command(rules, "raw", "PREROUTING", match);
		return;
	}
	finding_add(rules->findings, FINDING_FILTER_OUTPUT,
		    "%u/%s: %s in %s's table %s drops the answers of the service",
		    ntohs(rules->export->key.port), proto_name(rules->export->key.proto), what,
		    rules->command, table);
	answer_format(rules, match, sizeof(match));
	accept_command(rules, table, "OUTPUT", match);
}

static void judge_export(struct rules *rules)
{
	const struct export *export = rules->export;
	struct iptables_packet request = {
		.iif = "lo",
		.oif = "",
		.src = rules->client,
		.dst = rules->local,
		.proto = export->key.proto,
		.dport = ntohs(export->to.port),
		.ctstate = "NEW",
	};
	struct iptables_packet answer = {
		.iif = "",
		.oif = rules->bridge->name,
		.src = rules->local,
		.dst = rules->client,
		.proto = export->key.proto,
		.sport = ntohs(export->to.port),
		.ctstate = "ESTABLISHED",
	};
	bool untracked = is_untracked(rules, "PREROUTING", &request);

	if (untracked) {
		request.ctstate = "UNTRACKED";
		answer.ctstate = is_untracked(rules, "OUTPUT", &answer) ? "UNTRACKED" : "INVALID";
	}
	if (judge_request(rules, &request))
		judge_answer(rules, &answer, untracked);
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
	rules->client = rules->clients->addr;
	if (rules->clients->len < 127)
		rules->client.byte[15] |= 2;
	/* One port is enough to show a rule about all of them. */
	for (size_t i = 0; i < bridge->exports.count && i < PORTS_MAX; i++) {
		rules->export = &bridge->exports.v[i];
		rules->local = export_local(rules->export, family);
		if (rules->findings->count == before &&
		    (family == LISTENER_V4 || rules->export->to.ipv6))
			judge_export(rules);
	}
}

void check_netfilter(const struct doctor_bridge *bridge, struct doctor_report *report)
{
	static const struct {
		const char *command;
		int family;
	} kinds[] = {
		{ "iptables-nft", LISTENER_V4 },
		{ "iptables-legacy", LISTENER_V4 },
		{ "ip6tables-nft", LISTENER_V6 },
		{ "ip6tables-legacy", LISTENER_V6 },
	};
	size_t unjudged = 0;

	if (bridge->link)
		find_strict_conntrack(bridge->name, bridge->link->ifindex, &report->findings);
	find_nat(bridge, report);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct rules rules = {
			.bridge = bridge,
			.findings = &report->findings,
			.command = kinds[i].command,
		};
		char save[32];

		snprintf(save, sizeof(save), "%s-save", kinds[i].command);
		if (!iptables_read(&rules.iptables, save) && rules.iptables.rules.count)
			judge_family(&rules, kinds[i].family);
		unjudged += rules.unjudged;
		iptables_free(&rules.iptables);
	}
	if (unjudged)
		snprintf(report->notes[STEP_NETFILTER] + strlen(report->notes[STEP_NETFILTER]),
			 sizeof(report->notes[0]) - strlen(report->notes[STEP_NETFILTER]),
			 "; some rules of iptables have matches that cannot be judged");
}
