/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/status.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/reply_route.h"
#include "attach/desired.h"
#include "dataplane/access_lists.h"
#include "dataplane/stats.h"
#include "doctor/checks.h"
#include "kernel/nat_detect.h"
#include "kernel/sysctl_conf.h"
#include "lib/array.h"
#include "lib/str_list.h"
#include "model/gateways.h"

/* Takes the bridge's name twice. */
#define NO_ADDRESS                                                                                 \
	"it has no address; run `ip address add ADDRESS/LENGTH dev %s`, then `hbpf attach %s`"

static const struct owner_text owners[] = {
	[HBPF_OWNER_MANUAL] = { "hand", NULL },
	[HBPF_OWNER_CONFIG] = { "file", "hbpf watch (section of its configuration)" },
	[HBPF_OWNER_ENGINE] = { "engine", "hbpf watch (network of a container engine)" },
	[HBPF_OWNER_CNI] = { "cni", "the CNI plugin, while the network has containers" },
	[HBPF_OWNER_MAX] = { "unknown", NULL },
};
static_assert(ARRAY_SIZE(owners) == HBPF_OWNER_MAX + 1, "every owner has a name");

const struct owner_text *status_owner(__u8 owner)
{
	return &owners[owner < HBPF_OWNER_MAX ? owner : HBPF_OWNER_MAX];
}

static const struct gateway_reason gateway_reasons[] = {
	{ HBPF_GATEWAY_BRIDGE, "bridge", "address of the interface" },
	{ HBPF_GATEWAY_DOCKER0, "docker0", "address of docker0 (Docker's host-gateway)" },
	{ HBPF_GATEWAY_OPTION, "option", "--gateway" },
};

const struct gateway_reason *status_gateway_why(__u32 why, size_t i)
{
	for (size_t row = 0; row < ARRAY_SIZE(gateway_reasons); row++) {
		if ((why & gateway_reasons[row].bit) && !i--)
			return &gateway_reasons[row];
	}
	return NULL;
}

const char *status_nat_bypass(const struct hbpf_config *config)
{
	if (config->nat_bypass)
		return "on";
	return config->nat_bypass_option != HBPF_OFF && !config->nat_bypass_built ? "unavailable"
										  : "off";
}

const char *status_nat_bypass_why(const struct status *status)
{
	const struct hbpf_config *config = &status->dp.config;

	if (config->nat_bypass_option == HBPF_ON)
		return "set by --nat-bypass on";
	if (config->nat_bypass_option == HBPF_OFF)
		return "set by --nat-bypass off";
	if (!config->nat_bypass_built)
		return "the kernel rejected the programs for it, which need Linux 6.1 with BTF and "
		       "nf_nat";
	if (status->on->nat >= 0 && (status->on->nat == 1) != config->nat_bypass)
		return "NAT rules were added or removed since it was attached; attach again";
	return status->on->nat_why;
}

const struct kernel_gap *status_missing(const struct status *status, size_t i)
{
	static const struct kernel_gap gaps[] = {
		{ "tcx", NULL, "tcx (Linux 6.6): deleting the clsact qdisc removes the guard" },
		{ "nat_bypass", "pinning",
		  "NAT bypass (Linux 6.1 with BTF and nf_nat): connections to ports "
		  "that NAT rules redirect hang" },
	};
	const struct hbpf_config *config = &status->dp.config;
	const bool missing[] = {
		!status->has_tcx,
		config->nat_bypass_option == HBPF_AUTO && !config->nat_bypass_built,
	};

	for (size_t gap = 0; gap < ARRAY_SIZE(gaps); gap++)
		if (missing[gap] && !i--)
			return &gaps[gap];
	return NULL;
}

static int read_hooks(struct status *status, const struct hook_target *target)
{
	int ret = 0;

	status->live = target->ifindex != 0;
	for (int side = 0; target->ifindex && side < HOOK_SIDES; side++) {
		ret = hook_query(target, side, &status->hooks[side], &status->problem);
		status->live = status->live && !ret && status->hooks[side].live;
		if (ret)
			break;
	}
	return ret;
}

static int read_state(struct status *status, struct status_host *on,
		      const struct hook_target *target)
{
	struct error *problem = &status->problem;
	bool dead;
	int ret = dataplane_open_dead(&status->dp, on->pins, status->bridge, target->ifindex, &dead,
				      problem);

	if (dead)
		status->live = false;
	if (!ret)
		ret = dataplane_gateways(&status->dp, &status->gateways, problem);
	if (!ret)
		ret = ports_view_read(&status->dp, &on->listening, &status->ports, problem);
	if (!ret)
		ret = dataplane_counters(&status->dp, status->counters, problem);
	return ret;
}

enum level status_problem_level(const struct status_problem *problem)
{
	return finding_step(problem->id) == STEP_SERVICES ? LEVEL_WARNING
							  : finding_level(problem->id);
}

enum repair {
	NO_COMMAND,
	ATTACH_REPAIRS, /* `hbpf attach INTERFACE` does */
};

static struct status_problem *add_problem(struct status *status, enum finding_id id,
					  enum repair repair, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The broken ones come first, in the order they are found. Beyond the limit the last one is
 * overwritten. Return: the problem, to set another command
 */
static struct status_problem *add_problem(struct status *status, enum finding_id id,
					  enum repair repair, const char *fmt, ...)
{
	const struct status_problem new = { .id = id };
	struct status_problem *problem = status->problems;
	struct status_problem *end;
	va_list args;

	if (status->problem_count == STATUS_PROBLEMS_MAX)
		status->problem_count--;
	end = problem + status->problem_count++;
	while (problem < end && status_problem_level(problem) >= status_problem_level(&new))
		problem++;
	memmove(problem + 1, problem, (size_t)(end - problem) * sizeof(*problem));
	*problem = new;
	va_start(args, fmt);
	vsnprintf(problem->text, sizeof(problem->text), fmt, args);
	va_end(args);
	if (repair == ATTACH_REPAIRS)
		snprintf(problem->command, sizeof(problem->command), "hbpf attach %s",
			 status->name);
	return problem;
}

static void find_dead(struct status *status)
{
	const char *bridge = status->name;

	if (!status->exists)
		add_problem(
			status, FINDING_DELETED, NO_COMMAND,
			"the interface was deleted; `hbpf detach %s` removes its state, or `hbpf "
			"attach %s` attaches it once it is re-created",
			bridge, bridge);
	else if (!status->live)
		add_problem(status, FINDING_DEAD, ATTACH_REPAIRS,
			    "its programs are not attached to the bridge");
	if (status->live && status->has_tcx && !status->backstop)
		add_problem(status, FINDING_BACKSTOP, ATTACH_REPAIRS,
			    "the backstop, which keeps the guard if the programs are removed, is "
			    "missing");
	if (status->exposed)
		add_problem(status, FINDING_EXPOSED, ATTACH_REPAIRS,
			    "EXPOSED: net.ipv4.conf.%s.route_localnet is on and the guard was "
			    "removed, so clients on %s can reach any port of 127.0.0.0/8",
			    bridge, bridge);
}

static void find_others_before(struct status *status)
{
	struct findings findings = {};

	find_order(status->hooks, status->name, &findings);
	for (size_t i = 0; i < findings.count; i++)
		add_problem(status, findings.v[i].id, ATTACH_REPAIRS, "%s", findings.v[i].text);
	findings_free(&findings);
}

/* What raised or set a setting: ", raised to 1 by ..., which FILE:LINE sets" */
static const char *setting_cause(const struct setting_state *state, char *buf, size_t size)
{
	static const char all[] = "net.ipv4.conf.all.rp_filter";
	bool raised = state->effect != state->now;
	char where[SYSCTL_CONF_STRLEN];
	bool found = sysctl_conf_find(raised ? all : state->name, state->effect, where);

	snprintf(buf, size, "%s%s%s%s,", raised ? ", raised to 1 by " : "", raised ? all : "",
		 found ? ", as set by " : "", found ? where : "");
	return buf;
}

/* Return: true if all settings work */
static bool find_settings(struct status *status)
{
	char cause[SYSCTL_CONF_STRLEN + 64];
	size_t before = status->problem_count;

	for (int id = 0; status->ports.has_v4 && id < SETTING_MAX; id++) {
		const struct setting_state *state = &status->settings[id];

		if (!state->works)
			add_problem(status, FINDING_SETTING, ATTACH_REPAIRS,
				    "%s is %d%s so no IPv4 client gets an answer", state->name,
				    state->now, setting_cause(state, cause, sizeof(cause)));
	}
	return status->problem_count == before;
}

/* Does the bridge have addresses that clients can dial, and are they still the gateways? */
static void look_at_addresses(const struct status *status, const struct host *host,
			      const struct link *bridge, bool *has, bool *changed)
{
	const struct gateways none = {}, *before = &status->gateways;
	const struct source_lists *lists = &status->ports.sources;
	struct families clients = {};
	struct gateways now;

	*has = *changed = false;
	sources_families(&(struct sources){ lists->v, lists->count }, &clients);
	if (desired_gateways(host, bridge, &none, &clients, &now))
		return;
	*has = now.count;
	for (size_t i = 0; i < now.count; i++)
		*changed |= !gateways_has(before, &now.v[i].addr);
	for (size_t i = 0; i < before->count; i++)
		*changed |= before->v[i].why != HBPF_GATEWAY_OPTION &&
			    !gateways_has(&now, &before->v[i].addr);
	gateways_free(&now);
}

static void find_no_gateway(struct status *status, bool has_address)
{
	if (has_address)
		add_problem(status, FINDING_GATEWAY, ATTACH_REPAIRS,
			    "it had no gateway when it was attached");
	else
		add_problem(status, FINDING_GATEWAY, NO_COMMAND, "it has no gateway: " NO_ADDRESS,
			    status->name, status->bridge);
}

static void find_no_clients(struct status *status, bool has_address)
{
	if (has_address)
		add_problem(status, FINDING_NO_CLIENTS, NO_COMMAND,
			    "no network may use its ports, as none is on its link; allow one with "
			    "`hbpf attach %s --from CIDR`",
			    status->name);
	else
		add_problem(status, FINDING_NO_CLIENTS, NO_COMMAND,
			    "no network may use its ports: " NO_ADDRESS, status->name,
			    status->bridge);
}

/* Reasons other than the settings why clients cannot reach the ports. */
static void find_unreachable(struct status *status, const struct host *host,
			     const struct link *bridge)
{
	bool has_address, changed;

	look_at_addresses(status, host, bridge, &has_address, &changed);
	if (!bridge->up) {
		struct status_problem *problem =
			add_problem(status, FINDING_DOWN, NO_COMMAND, "it is down");

		snprintf(problem->command, sizeof(problem->command), "ip link set %s up",
			 bridge->name);
	}
	status->unreachable = true;
	if (!status->gateways.count)
		find_no_gateway(status, has_address);
	else if (status->replies.no_clients)
		find_no_clients(status, has_address);
	else
		status->unreachable = !bridge->up;
	if (!status->unreachable && changed)
		add_problem(status, FINDING_ADDRESSES, ATTACH_REPAIRS,
			    "gateway addresses changed since it was attached");
}

static void find_lost_answers(struct status *status)
{
	for (size_t i = 0; i < status->replies.count; i++) {
		const struct reply_problem *reply = &status->replies.v[i];
		struct status_problem *problem =
			add_problem(status, FINDING_ROUTE, NO_COMMAND, "%s", reply->text);

		snprintf(problem->command, sizeof(problem->command), "%s", reply->command);
	}
}

static void check_answers(struct status *status, const struct host *host, const struct link *bridge)
{
	const struct reply_query query = {
		.host = host,
		.bridge = bridge,
		.dp = &status->dp,
		.gateways = &status->gateways,
		.exports = &status->ports.exports,
		.listeners = &status->ports.listeners,
	};
	struct error err = {};

	if (reply_routes_check(&query, &status->replies, &err))
		add_problem(status, FINDING_UNKNOWN, NO_COMMAND,
			    "%s; the route of answers was not checked", err.what);
	error_free(&err);
}

static void find_problems(struct status *status, const struct host *host)
{
	const struct link *bridge = links_by_name(&host->links, status->name);

	if (!status->readable)
		add_problem(status, FINDING_UNREADABLE, NO_COMMAND, "%s%s%s", status->problem.what,
			    status->problem.hint[0] ? "; " : "", status->problem.hint);
	find_dead(status);
	find_others_before(status);
	if (!status->readable || !status->live || !bridge)
		return;
	check_answers(status, host, bridge);
	/* Without route_localnet the kernel has no route for any answer. */
	if (find_settings(status))
		find_lost_answers(status);
	find_unreachable(status, host, bridge);
}

/* Could any client reach a listener? Families without a gateway do not count. */
static bool is_served(const struct ports_view *ports, size_t i)
{
	const struct listener *both = ports->listeners.v[i];

	return (both[LISTENER_V4].found && (ports->has_v4 || !ports->has_v6)) ||
	       (both[LISTENER_V6].found && ports->has_v6);
}

static void find_silent_ports(struct status *status)
{
	const struct ports_view *ports = &status->ports;
	char list[256] = "", text[EXPORT_RANGE_STRLEN];
	struct export_range run = {};

	while (listeners_next_range(&ports->exports, &ports->listeners, ports_view_families(ports),
				    &run)) {
		if (!is_served(ports, (size_t)(run.first - ports->exports.v)))
			str_list_add(list, sizeof(list), export_range_format(&run, text));
	}
	if (list[0])
		add_problem(status, FINDING_NOT_LISTENING, NO_COMMAND, "nothing listens for %s",
			    list);
}

/* Services that listen, and cannot answer. */
static void find_mute_services(struct status *status)
{
	struct findings findings = {};

	find_odd_services(&status->ports.exports, &status->ports.listeners, &findings);
	for (size_t i = 0; i < findings.count; i++) {
		const struct finding *finding = &findings.v[i];

		if (finding->id == FINDING_ON_LO || finding->id == FINDING_NO_PROXY)
			add_problem(status, finding->id, NO_COMMAND, "%s", finding->text);
	}
	findings_free(&findings);
}

void status_find_services(struct status *status)
{
	if (!status->readable || !status->live || status->unreachable)
		return;
	find_silent_ports(status);
	find_mute_services(status);
}

enum level status_level(const struct status *status)
{
	/* the broken ones come first */
	if (!status->problem_count)
		return LEVEL_OK;
	return status_problem_level(&status->problems[0]);
}

void status_host_read(struct status_host *on, struct attached *at)
{
	at->shared.reads_once = true;
	*on = (struct status_host){ .pins = &at->pins, .host = &at->host, .shared = &at->shared };
	on->nat = nat_detect_prerouting(on->nat_why, sizeof(on->nat_why));
}

void status_host_free(struct status_host *on)
{
	listening_free(&on->listening);
}

void status_read(struct status *status, struct status_host *on, const char *bridge)
{
	struct hook_target target = attachment_target(on->pins, on->host, bridge);
	const struct link *link;
	struct hbpf_config config;
	int ret, settings_rc;

	memset(status, 0, sizeof(*status));
	dataplane_init(&status->dp, on->shared);
	status->on = on;
	status->bridge = bridge;
	link = links_by_index(&on->host->links, target.ifindex);
	snprintf(status->name, sizeof(status->name), "%s", link ? link->name : bridge);
	status->exists = target.ifindex != 0;
	status->has_tcx = !status->exists || hook_has_tcx(target.ifindex);
	ret = read_hooks(status, &target);
	if (!ret)
		ret = read_state(status, on, &target);
	/* even after an error: they show whether the bridge is exposed */
	settings_rc = settings_read(on->pins, bridge, target.ifindex, on->settings,
				    status->settings, ret ? NULL : &status->problem);
	if (!settings_rc)
		on->settings = status->settings;
	status->backstop = hook_backstop_query(target.ifindex, &(__u32){ 0 }) == 1;
	status->exposed = status->exists && !status->hooks[HOOK_INGRESS].live &&
			  !status->backstop &&
			  status->settings[SETTING_BRIDGE_ROUTE_LOCALNET].now > 0;
	status->readable = !ret && !settings_rc;
	find_problems(status, on->host);
	/* The maps are not read any more, and many bridges would need many descriptors. */
	config = status->dp.config;
	dataplane_close(&status->dp);
	status->dp.config = config;
}

void status_free(struct status *status)
{
	gateways_free(&status->gateways);
	ports_view_free(&status->ports);
	error_free(&status->problem);
}
