/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf attach: from nothing, or from whatever an earlier attach left, to a
 * bridge that is served.
 *
 *	ask        read the command line; nothing is touched before it makes sense
 *	examine    is this a bridge that can be served?
 *	open       what is there already: nothing, debris, or an attachment to refresh
 *	plan       the whole wanted state: exports, gateways, sources, config
 *	fill       into the maps
 *	hook_up    programs, guard included, onto the bridge; host settings last
 *
 * When anything fails, what this call did is undone in reverse.
 */
#include "advice.h"
#include "args.h"
#include "attachment.h"
#include "commands.h"
#include "log.h"
#include "nat.h"
#include "refresh.h"
#include "report.h"
#include "settings.h"
#include "snapshot.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct attach_options {
	struct cli_list ports;
	struct cli_list gateways;
	struct cli_list from;
	struct cli_choice hook;
	struct cli_choice pin;
	struct cli_choice guard;
	bool force;
};

struct attach {
	const struct attach_options *options;
	const char *bridge;

	/* asked for */
	struct port_specs specs;
	struct gateways asked; /* --gateway, now or at an earlier attach */
	struct from from;

	/* found */
	struct host host;
	const struct link *link;
	struct pins pins;
	struct dataplane dp;
	bool fresh;  /* not attached before */
	bool remade; /* attached, but to a bridge that was deleted since */
	struct snapshot before;

	/* wanted */
	struct snapshot after;
	struct exports fresh_exports; /* of after.exports, what before lacks */
	struct listeners listeners;   /* of after.exports */

	/* done so far, for undo() */
	bool filled;
	bool hooked[HOOK_SIDES];
};

static const char *const pin_choices[] = {
	[HBPF_AUTO] = "auto",
	[HBPF_ON] = "on",
	[HBPF_OFF] = "off",
	NULL,
};

static int ask(struct attach *a, const struct cli_call *call, struct error *err)
{
	const struct attach_options *options = call->options;
	int rc;

	a->options = options;
	a->bridge = call->words[0];
	rc = args_ports(options->ports.v, options->ports.count, &a->specs, err);
	if (!rc)
		rc = args_gateways(&options->gateways, &a->asked, err);
	if (!rc)
		rc = args_from(&options->from, &a->from, err);
	return rc;
}

static int wrong_kind(const struct link *link, struct error *err)
{
	if (link->kind[0])
		error_set(err, EINVAL, "%s is not a bridge but a %s interface", link->name,
			  link->kind);
	else if (!strcmp(link->name, "lo"))
		error_set(err, EINVAL, "lo is not a bridge but the loopback interface");
	else
		error_set(err, EINVAL, "%s is not a bridge but a physical interface", link->name);
	error_hint(err, "`ip link show type bridge` lists the bridges");
	return -EINVAL;
}

static int examine(struct attach *a, struct error *err)
{
	const struct link *lo, *master;
	int rc;

	host_free(&a->host);
	rc = host_read(&a->host, err);
	if (rc)
		return rc;
	a->link = links_by_name(&a->host.links, a->bridge);
	if (!a->link) {
		error_set(err, ENODEV, "%s: no such interface", a->bridge);
		error_hint(err, "`ip link show type bridge` lists the bridges");
		return -ENODEV;
	}
	if (strcmp(a->link->kind, "bridge"))
		return wrong_kind(a->link, err);
	master = links_by_index(&a->host.links, a->link->master);
	if (master && !strcmp(master->kind, "vrf")) {
		error_set(err, EINVAL,
			  "%s belongs to the VRF %s, whose routing never reaches lo of the host",
			  a->bridge, master->name);
		error_hint(err, "`ip link set %s nomaster` takes it out of the VRF", a->bridge);
		return -EINVAL;
	}
	lo = links_by_name(&a->host.links, "lo");
	if (!lo || !lo->up) {
		error_set(err, ENETDOWN, "lo is down, so no packet can be redirected to it");
		error_hint(err, "`ip link set lo up` brings it up");
		return -ENETDOWN;
	}
	return 0;
}

static int clean_up(const struct attach *a, struct error *err)
{
	int last = attachment_is_last(&a->pins, &a->host, a->bridge, err);

	if (last < 0)
		return last;
	return attachment_remove(&a->pins, &a->host, a->bridge, last, err);
}

static int open_state(struct attach *a, struct error *err)
{
	int rc = dataplane_open(&a->dp, &a->pins, a->bridge, a->link->ifindex, err);

	switch (rc) {
	case -ESTALE:
		log_info("%s: clearing away what a killed command left", a->bridge);
		dataplane_close(&a->dp);
		error_free(err);
		rc = clean_up(a, err);
		if (rc)
			return rc;
		break;
	case -ENOENT:
		break;
	case -ENODEV:
		log_info("%s: it was made anew since it was attached", a->bridge);
		a->remade = true;
		break;
	default:
		if (rc)
			return rc;
	}
	error_free(err);
	a->fresh = a->dp.maps[MAP_CONFIG] < 0;
	return a->fresh ? 0 : snapshot_take(&a->dp, &a->before, err);
}

static int plan_exports(struct attach *a, struct error *err)
{
	struct exports gone = { 0 };
	int rc = exports_copy(&a->after.exports, &a->before.exports);

	if (rc)
		return error_set(err, ENOMEM, "no memory for the ports");
	for (size_t i = 0; !rc && i < a->specs.count; i++)
		rc = exports_add(&a->after.exports, &a->specs.v[i], NULL, false, err);
	if (rc)
		return rc;
	if (exports_diff(&a->before.exports, &a->after.exports, &a->fresh_exports, &gone))
		rc = error_set(err, ENOMEM, "no memory for the ports");
	exports_free(&gone);
	return rc;
}

static int plan_gateways(struct attach *a, struct error *err)
{
	/* Without --gateway those of the earlier attach stay. */
	for (size_t i = 0; !a->options->gateways.count && i < a->before.gateways.count; i++) {
		const struct gateway *old = &a->before.gateways.v[i];

		if ((old->why & HBPF_GATEWAY_OPTION) &&
		    gateways_add(&a->asked, &old->addr, HBPF_GATEWAY_OPTION))
			return error_set(err, ENOMEM, "no memory for the gateways");
	}
	if (refresh_gateways(&a->host, a->link, &a->asked, &a->after.gateways))
		return error_set(err, ENOMEM, "no memory for the gateways");
	return 0;
}

static int plan_sources(struct attach *a, struct error *err)
{
	struct sources *lists = a->after.lists;

	if (refresh_own(&a->host, &lists[HBPF_LIST_HOST]) ||
	    refresh_onlink(&a->host, a->link, &lists[HBPF_LIST_ONLINK]))
		return error_set(err, ENOMEM, "no memory for the sources");
	if (a->from.given || a->fresh) {
		a->after.config.from = from_policy(&a->from, HBPF_LIST_BRIDGE);
		lists[HBPF_LIST_BRIDGE] = a->from.sources;
		memset(&a->from.sources, 0, sizeof(a->from.sources));
		return 0;
	}
	return dataplane_sources(&a->dp, HBPF_LIST_BRIDGE, &lists[HBPF_LIST_BRIDGE], err);
}

static void plan_config(struct attach *a)
{
	const struct attach_options *options = a->options;
	struct hbpf_config *config = &a->after.config;

	*config = a->before.config;
	config->layout = HBPF_LAYOUT;
	config->ifindex = a->link->ifindex;
	config->netns = a->pins.netns;
	if (options->hook.given)
		config->hook_option = options->hook.value;
	if (options->pin.given)
		config->pin_option = options->pin.value;
	if (options->guard.given)
		config->guard_option = options->guard.value;
}

/* New ports on every gateway, and every port on new gateways. What was there before stays: it
 * was let pass or forced then. */
static int check_bound(const struct attach *a, struct error *err)
{
	const struct sockets *sockets = &a->listeners.sockets;
	struct gateways fresh = { 0 };
	int rc = advice_bound(&a->after.gateways, &a->fresh_exports, sockets, err);

	for (size_t i = 0; !rc && i < a->after.gateways.count; i++) {
		const struct gateway *gateway = &a->after.gateways.v[i];

		if (!gateways_has(&a->before.gateways, &gateway->addr) &&
		    gateways_add(&fresh, &gateway->addr, gateway->why))
			rc = error_set(err, ENOMEM, "no memory for the gateways");
	}
	if (!rc)
		rc = advice_bound(&fresh, &a->after.exports, sockets, err);
	free(fresh.v);
	return rc;
}

static int plan(struct attach *a, struct error *err)
{
	int rc;

	plan_config(a);
	rc = plan_exports(a, err);
	if (!rc)
		rc = plan_gateways(a, err);
	if (!rc)
		rc = plan_sources(a, err);
	if (!rc)
		rc = listeners_find(&a->after.exports, &a->listeners, err);
	return rc || a->options->force ? rc : check_bound(a, err);
}

/* The pinning programs call nf_nat's kfuncs, which a module has to bring where it is one. */
static void load_nf_nat(void)
{
	char *const argv[] = { "modprobe", "-q", "nf_nat", NULL };
	pid_t pid;

	if (access("/proc/modules", F_OK) || !access("/sys/module/nf_nat", F_OK))
		return;
	if (!posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		waitpid(pid, NULL, 0);
}

static int load(struct attach *a, struct error *err)
{
	struct hbpf_config *config = &a->after.config;
	int rc;

	if (config->pin_option != HBPF_OFF)
		load_nf_nat();
	rc = dataplane_load(&a->dp, config->pin_option, err);
	if (rc)
		return rc;
	config->pin_built = a->dp.config.pin_built;
	if (config->pin_option == HBPF_ON && !config->pin_built) {
		error_set(err, EOPNOTSUPP, "--pin on: this kernel cannot pin conntrack entries: %s",
			  a->dp.pin_unavailable);
		error_hint(err, "--pin auto does without");
		return -EOPNOTSUPP;
	}
	refresh_pin(config);
	return 0;
}

static int fill(struct attach *a, struct error *err)
{
	int rc = refresh_guard(&a->pins, a->bridge, &a->after.config, err);

	if (rc)
		return rc;
	a->filled = true;
	rc = snapshot_write(&a->dp, &a->before.exports, &a->after, err);
	/* Old values need a home before anything is attached: settings come last, but a kill
	 * between must find one place that tells it all. */
	if (!rc)
		rc = settings_prepare(&a->pins, a->bridge, err);
	if (!rc && a->fresh)
		rc = dataplane_pin(&a->dp, &a->pins, a->bridge, err);
	return rc;
}

static int hook_up(struct attach *a, struct error *err)
{
	struct hook_target target = attachment_target(&a->pins, &a->host, a->bridge);
	const int progs[HOOK_SIDES] = { a->dp.ingress_fd, a->dp.egress_fd };
	enum hbpf_hook_kind kind = a->after.config.hook_option;
	int rc = 0;

	for (int side = 0; side < HOOK_SIDES; side++) {
		a->hooked[side] = true;
		rc = hook_attach(&target, kind, side, progs[side], &kind, err);
		if (rc)
			return rc;
	}
	a->dp.config.hook = kind;
	if (kind == HBPF_HOOK_TCX)
		rc = hook_remove_qdisc(&target, err);
	if (!rc)
		rc = dataplane_write_config(&a->dp, err);
	if (!rc && !a->fresh && !snapshot_same_sources(&a->before, &a->after))
		rc = dataplane_forget_udp(&a->dp, err);
	if (!rc)
		rc = settings_apply(&a->pins, a->bridge, err);
	return rc;
}

/* Back to how it was; the error that led here is the one to tell, so others are not. */
static void undo(struct attach *a)
{
	struct hook_target target = attachment_target(&a->pins, &a->host, a->bridge);
	const int progs[HOOK_SIDES] = { a->dp.ingress_fd, a->dp.egress_fd };
	enum hbpf_hook_kind used;
	int last;

	if (!a->filled)
		return;
	if (a->fresh) {
		last = attachment_is_last(&a->pins, &a->host, a->bridge, NULL);
		attachment_remove(&a->pins, &a->host, a->bridge, last == 1, NULL);
		return;
	}
	snapshot_write(&a->dp, &a->after.exports, &a->before, NULL);
	for (int side = HOOK_SIDES - 1; side >= 0; side--) {
		/* The programs that took over are as good as the old ones: only their place may
		 * have changed. A bridge made anew had none. */
		if (a->hooked[side] && a->remade)
			hook_detach(&target, side, NULL);
		else if (a->hooked[side])
			hook_attach(&target, a->before.config.hook, side, progs[side], &used, NULL);
	}
	if (a->before.config.hook == HBPF_HOOK_TCX)
		hook_remove_qdisc(&target, NULL);
}

/* Without pinning a port published by `docker run -p 127.0.0.1:...` hangs for clients. */
static void warn_unpinned(const struct attach *a)
{
	char why[128];

	if (a->dp.config.pin_option == HBPF_AUTO && a->dp.pin_unavailable[0] &&
	    nat_prerouting(why, sizeof(why)) == 1)
		log_warn("%s may take packets to exported ports, and conntrack pinning, which "
			 "prevents it, is unavailable: %s",
			 why, a->dp.pin_unavailable);
}

/* Was everything that can be dialled now told by an earlier attach? */
static bool is_told(const struct attach *a)
{
	const struct gateways *before = &a->before.gateways, *after = &a->after.gateways;

	if (a->fresh || a->remade || a->options->ports.count || before->count != after->count)
		return false;
	for (size_t i = 0; i < after->count; i++) {
		if (!gateways_has(before, &after->v[i].addr))
			return false;
	}
	return true;
}

static void tell(struct attach *a)
{
	const struct hbpf_config *config = &a->dp.config;

	advice_bridge(&a->host, a->link);
	advice_conntrack(a->bridge);
	if (a->options->gateways.count)
		advice_gateways(&a->host, &a->asked);
	if (a->options->ports.count)
		advice_ports(&a->after.exports, &a->listeners);
	warn_unpinned(a);
	if (!config->guard_dst && config->guard_option == HBPF_AUTO)
		log_warn(
			"the guard lets packets towards 127.0.0.0/8 in from %s: route_localnet was "
			"set before hbpf, and br_netfilter may need them; --guard drops them",
			a->bridge);
	log_info("%s: hook %s, conntrack pinning %s%s%s", a->bridge, hook_kind_names[config->hook],
		 config->pin ? "on" : "off", a->dp.pin_unavailable[0] ? ": " : "",
		 a->dp.pin_unavailable);

	if (!a->after.exports.count)
		printf("%s is attached; `hbpf ports add PORT -b %s` opens a port\n", a->bridge,
		       a->bridge);
	else if (!a->after.gateways.count)
		printf("%s is attached, but has no address that clients could dial\n", a->bridge);
	else if (is_told(a))
		printf("%s: %zu port%s on %zu gateway%s; `hbpf status` shows them\n", a->bridge,
		       a->after.exports.count, a->after.exports.count > 1 ? "s" : "",
		       a->after.gateways.count, a->after.gateways.count > 1 ? "s" : "");
	else
		report_reachable(&a->after.gateways, &a->after.exports, &a->listeners);
}

static void release(struct attach *a)
{
	free(a->specs.v);
	free(a->asked.v);
	free(a->from.sources.v);
	host_free(&a->host);
	dataplane_close(&a->dp);
	pins_close(&a->pins);
	snapshot_free(&a->before);
	snapshot_free(&a->after);
	exports_free(&a->fresh_exports);
	listeners_free(&a->listeners);
}

static int run(const struct cli_call *call)
{
	struct attach a = { .pins.lock = -1 };
	struct error err = { 0 };
	int exit_code = EXIT_FAILED;
	int rc;

	if (!call->word_count)
		return cli_usage(call->command, "which bridge? hbpf attach BRIDGE");
	dataplane_init(&a.dp);
	rc = ask(&a, call, &err);
	if (rc) {
		exit_code = EXIT_USAGE;
		goto out;
	}
	rc = examine(&a, &err);
	if (!rc)
		rc = pins_open(&a.pins, PINS_WRITE, &err);
	/* Again: while another command held the lock the host may have changed. */
	if (!rc)
		rc = examine(&a, &err);
	if (!rc)
		rc = open_state(&a, &err);
	if (!rc)
		rc = plan(&a, &err);
	if (!rc)
		rc = load(&a, &err);
	if (!rc)
		rc = fill(&a, &err);
	if (!rc)
		rc = hook_up(&a, &err);
	if (rc) {
		undo(&a);
		goto out;
	}
	tell(&a);
	exit_code = EXIT_DONE;
out:
	if (rc)
		log_error(&err);
	error_free(&err);
	release(&a);
	return exit_code;
}

#define STORE(field) offsetof(struct attach_options, field)

static const struct cli_option options[] = {
	{ "port", 'p', "SPEC", "gateway port to lead to loopback; may be repeated, see below",
	  CLI_LIST, STORE(ports), 0, NULL },
	{ "gateway", 'g', "ADDR",
	  "another gateway, beside the bridge's addresses and\ndocker0's; may be repeated",
	  CLI_LIST, STORE(gateways), 0, NULL },
	{ "from", 'f', "CIDR",
	  "who may use the ports, in place of the networks on the\nbridge's link; may be repeated; "
	  "the word onlink adds these",
	  CLI_LIST, STORE(from), 0, NULL },
	{ "hook", 0, "KIND", "where the programs go: auto, tcx (Linux 6.6 or newer)\nor clsact",
	  CLI_CHOICE, STORE(hook), 0, hook_kind_names },
	{ "pin", 0, "WHEN",
	  "keep NAT rules (docker run -p 127.0.0.1:...) from taking\nthe packets: auto, on or off",
	  CLI_CHOICE, STORE(pin), 0, pin_choices },
	{ "guard", 0, NULL, "drop every packet towards 127.0.0.0/8 that is not hbpf's own", CLI_SET,
	  STORE(guard), HBPF_ON, NULL },
	{ "no-guard", 0, NULL, "let them in; sources in 127.0.0.0/8 are dropped even so", CLI_SET,
	  STORE(guard), HBPF_OFF, NULL },
	{ "force", 0, NULL, "take ports over from services bound to a gateway's address", CLI_FLAG,
	  STORE(force), 0, NULL },
	{ 0 },
};

const struct command command_attach = {
	.name = "attach",
	.synopsis = "BRIDGE [options]",
	.summary = "Let the clients of a bridge reach ports of this host's loopback",
	.text = "BRIDGE is the interface that the containers hang on. Attaching again refreshes and\n"
		"heals: --port adds, the other options replace what they name and leave the rest\n"
		"as it is.\n\n"
		"A gateway is an address of this host that clients dial: every address of the\n"
		"bridge, docker0's, and those of --gateway.\n\n"
		"SPEC is [GATEWAY-PORTS:[ADDRESS:]]PORTS[/PROTOCOL], tcp where no protocol is given:\n"
		"  8088                     gateway port 8088 to 127.0.0.1:8088 and [::1]:8088\n"
		"  80:8080                  gateway port 80 to port 8080\n"
		"  8000-8010/udp            eleven UDP ports\n"
		"  53:127.0.0.2:53/tcp+udp  to another loopback address, IPv4 only",
	.options = options,
	.options_size = sizeof(struct attach_options),
	.max_words = 1,
	.root_for = "loads BPF programs and writes net.ipv4 settings",
	.run = run,
};
