/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf attach: check the whole command line before anything is changed, attach
 * (attach/attach.c), then print what clients can dial.
 */
#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>

#include "attach/attach.h"
#include "cli/ports_view.h"
#include "cli/warnings.h"
#include "engine/engine.h"
#include "kernel/nat_detect.h"
#include "lib/log.h"
#include "lib/output.h"
#include "model/request.h"

struct attach_options {
	struct arg_list ports;
	struct arg_list gateways;
	struct arg_list from;
	struct choice hook;
	struct choice nat_bypass;
	struct choice guard;
	bool force;
};

static int attach_parse(const struct cli_call *call, struct attach_request *request,
			struct error *err)
{
	const struct attach_options *options = call->options;
	int ret;

	*request = (struct attach_request){
		.bridge = call->args[0],
		.gateways_given = options->gateways.count > 0,
		.hook = options->hook,
		.nat_bypass = options->nat_bypass,
		.guard = options->guard,
		.force = options->force,
	};
	ret = port_specs_parse(options->ports.v, options->ports.count, &request->ports, err);
	for (size_t i = 0; !ret && i < options->gateways.count; i++)
		ret = gateways_parse(&request->gateways, options->gateways.v[i], err);
	for (size_t i = 0; !ret && i < options->from.count; i++)
		ret = from_parse(&request->from, options->from.v[i], err);
	return ret;
}

/* An interface of that name takes precedence; then no engine is queried. */
static int attach_resolve(struct attach_request *request, char bridge[IFNAMSIZ], struct error *err)
{
	const char *name = request->bridge;
	int ret = 0;

	if (rtnetlink_real_name(name, bridge) && !attachment_renamed(name, bridge))
		ret = engine_resolve_present(name, bridge, err);
	if (ret)
		return ret;
	request->bridge = bridge;
	report_name(name, bridge);
	return 0;
}

/* Without NAT bypass a port published by `docker run -p 127.0.0.1:...` hangs for clients. */
static void attach_warn_nat(const struct attach *a)
{
	char why[128];

	if (a->dp.config.nat_bypass_option == HBPF_AUTO && a->shared.nat_bypass_unavailable[0] &&
	    nat_detect_prerouting(why, sizeof(why)) == 1)
		log_warn("%s may redirect packets to exported ports, and NAT bypass, which "
			 "prevents that, is unavailable: %s",
			 why, a->shared.nat_bypass_unavailable);
}

/* Did an earlier attach already print everything that can be dialled now? */
static bool attach_is_known(const struct attach *a)
{
	const struct gateways *before = &a->before.gateways, *after = &a->after.gateways;

	if (a->fresh || a->recreated || a->request->ports.count || before->count != after->count)
		return false;
	for (size_t i = 0; i < after->count; i++) {
		if (!gateways_has(before, &after->v[i].addr))
			return false;
	}
	return true;
}

/* Without a default route containers have none to docker0. */
static bool attach_is_reachable(const struct gateway *gateway, bool no_default_route)
{
	return !no_default_route || gateway->why != HBPF_GATEWAY_DOCKER0;
}

static bool attach_has_docker0(const struct gateways *gateways)
{
	for (size_t i = 0; i < gateways->count; i++) {
		if (gateways->v[i].why == HBPF_GATEWAY_DOCKER0)
			return true;
	}
	return false;
}

static void attach_print_reachable(const struct attach *a)
{
	const struct gateways *all = &a->after.gateways;
	bool no_default_route = attach_has_docker0(all) && engine_has_no_default_route(a->bridge);
	struct gateways gateways = {};

	for (size_t i = 0; i < all->count; i++) {
		if (attach_is_reachable(&all->v[i], no_default_route))
			gateways_add(&gateways, &all->v[i].addr, all->v[i].why);
	}
	report_reachable(&gateways, &a->after.exports, &a->listeners);
	gateways_free(&gateways);
}

/* Lists only what can work. */
static void attach_print_ports(const struct attach *a, bool has_clients)
{
	const struct exports *exports = &a->after.exports;
	const struct gateways *gateways = &a->after.gateways;

	if (!exports->count)
		output_text("%s is attached; open a port with `hbpf ports add PORT -b %s`\n",
			    a->bridge, a->bridge);
	else if (!gateways->count)
		output_text("%s is attached, but has no gateway that clients can dial\n",
			    a->bridge);
	else if (!has_clients)
		output_text(
			"%s is attached, but no network may use its ports; allow one with `hbpf "
			"attach %s --from CIDR`\n",
			a->bridge, a->bridge);
	else if (attach_is_known(a))
		output_text("%s: %zu port%s on %zu gateway%s; see `hbpf status`\n", a->bridge,
			    exports->count, exports->count > 1 ? "s" : "", gateways->count,
			    gateways->count > 1 ? "s" : "");
	else
		attach_print_reachable(a);
}

static void attach_report(struct attach *a)
{
	const struct hbpf_config *config = &a->dp.config;
	bool has_clients;

	warn_bridge(&a->host, a->link, &a->requested);
	warn_advertised(&a->host, a->link, &a->after.gateways);
	warn_clients(&a->after);
	warn_conntrack(a->bridge);
	has_clients = warn_answers(&(struct reply_query){
		.host = &a->host,
		.bridge = a->link,
		.dp = &a->dp,
		.gateways = &a->after.gateways,
		.exports = &a->after.exports,
		.listeners = &a->listeners,
	});
	if (a->request->gateways_given)
		warn_gateways(&a->host, &a->requested);
	if (a->request->ports.count)
		warn_ports(&a->after.exports, &a->listeners);
	warn_managed(a->bridge, a->before.config.owner);
	attach_warn_nat(a);
	if (!config->guard_dst && config->guard_option == HBPF_AUTO)
		log_warn(
			"packets from %s to 127.0.0.0/8 pass the guard: route_localnet was already "
			"on and br_netfilter is active, so they may be replies of NAT; --guard "
			"drops them",
			a->bridge);
	log_info("%s: hook %s, NAT bypass %s%s%s", a->bridge, hook_kind_names[config->hook],
		 config->nat_bypass ? "on" : "off", a->shared.nat_bypass_unavailable[0] ? ": " : "",
		 a->shared.nat_bypass_unavailable);
	attach_print_ports(a, has_clients);
}

static int attach_do(const struct attach_request *request, struct error *err)
{
	struct attach a;
	int ret = attach_run(&a, request, err);

	/* Finding processes and printing may block, so the lock is released first. */
	pins_close(&a.pins);
	if (!ret) {
		listeners_name(&a.listeners, 1, sizeof(a.listeners));
		attach_report(&a);
	}
	attach_free(&a);
	return ret;
}

static int cmd_attach(const struct cli_call *call)
{
	struct attach_request request;
	char bridge[IFNAMSIZ];
	struct error err = {};
	int exit_code = EXIT_USAGE;

	if (!call->arg_count)
		return cli_usage(call->command, "no interface given: hbpf attach INTERFACE");
	if (!attach_parse(call, &request, &err)) {
		exit_code = EXIT_FAILED;
		if (!attach_resolve(&request, bridge, &err) && !attach_do(&request, &err))
			exit_code = EXIT_DONE;
	}
	if (exit_code != EXIT_DONE)
		log_error(&err);
	error_free(&err);
	attach_request_free(&request);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct attach_options, field)

static const struct cli_option attach_option_rows[] = {
	{ .name = "port",
	  .letter = 'p',
	  .metavar = "SPEC",
	  .help = "port to open, see above; may be repeated",
	  STORE(LIST, ports) },
	{ .name = "gateway",
	  .letter = 'g',
	  .metavar = "ADDR",
	  .help = "an additional gateway address; may be repeated",
	  STORE(LIST, gateways) },
	{ .name = "from",
	  .letter = 'f',
	  .metavar = "CIDR",
	  .help = "who may use the ports, instead of the networks on the\n"
		  "interface's link; may be repeated; \"onlink\" adds these networks",
	  STORE(LIST, from) },
	{ .name = "hook",
	  .metavar = "KIND",
	  .help = "where to attach the programs: auto, tcx (Linux 6.6 or\n"
		  "newer) or clsact",
	  STORE(CHOICE, hook),
	  .choices = hook_kind_names },
	{ .name = "nat-bypass",
	  .metavar = "WHEN",
	  .help = "keep NAT rules (docker run -p 127.0.0.1:...) from\n"
		  "redirecting the packets: auto, on or off",
	  STORE(CHOICE, nat_bypass),
	  .choices = auto_on_off_names },
	{ .name = "pin", .alias_of = "nat-bypass" },
	{ .name = "guard",
	  .help = "drop every packet to 127.0.0.0/8 from the bridge",
	  STORE(SET, guard),
	  .value = HBPF_ON },
	{ .name = "no-guard",
	  .help = "let packets to 127.0.0.0/8 in; packets from there are\n"
		  "still dropped",
	  STORE(SET, guard),
	  .value = HBPF_OFF },
	{ .name = "force",
	  .help = "open ports even if a service is bound to them on a gateway\n"
		  "address; its clients then reach loopback",
	  STORE(FLAG, force) },
	{},
};

const struct command command_attach = {
	.name = "attach",
	.synopsis = "INTERFACE [options]",
	.summary = "Let the clients behind an interface reach ports of this host's loopback",
	.text = "INTERFACE is what the containers or virtual machines are connected to: a bridge, or\n"
		"a veth or tap without one; or a network of Docker or Podman: its name, its ID or a\n"
		"prefix of the ID. An interface of that name takes precedence; `hbpf interfaces`\n"
		"lists both. Other Ethernet interfaces need --from, as their network is a LAN.\n"
		"Attaching again refreshes and repairs: --port adds ports, any other option\n"
		"replaces its earlier value; options not given keep theirs.\n\n"
		"A gateway is an address of this host that clients dial: those of INTERFACE and\n"
		"of docker0 (not link-local IPv6, nor from router advertisements; docker0's only of\n"
		"families that the bridge has clients of), and those of --gateway.\n\n"
		"SPEC is [GATEWAY-PORTS:[ADDRESS:]]PORTS[/PROTOCOL]; the default protocol is tcp:\n"
		"  8088                     gateway port 8088 to 127.0.0.1:8088 and [::1]:8088\n"
		"  80:8080                  gateway port 80 to port 8080\n"
		"  8000-8010/udp            eleven UDP ports\n"
		"  53:127.0.0.2:53/tcp+udp  to another loopback address, IPv4 only",
	.options = attach_option_rows,
	.options_size = sizeof(struct attach_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.new_bridge = true,
	.root_for = "loads BPF programs and writes net.ipv4 settings",
	.run = cmd_attach,
};
