/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf ports: list and change the ports of attached bridges.
 *
 * A change is made on all of the named bridges or on none:
 *
 *	open     each bridge's maps
 *	plan     each bridge's new set of ports
 *	commit   write the maps; if one bridge fails, roll back those before it
 *	settle   end connections over removed ports, then clean up
 *	gather   collect what is printed; then the lock is released
 */
#include "cli/commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attachment.h"
#include "attach/conflicts.h"
#include "cli/ports_view.h"
#include "cli/target.h"
#include "cli/warnings.h"
#include "lib/log.h"
#include "lib/output.h"
#include "model/request.h"

struct ports_options {
	struct arg_list bridges;
	struct arg_list from;
	bool force;
};

enum action {
	ACTION_LIST,
	ACTION_ADD,
	ACTION_DEL,
	ACTION_SET,
	ACTION_MAX,
};

static const char *const action_names[ACTION_MAX] = {
	[ACTION_LIST] = "list",
	[ACTION_ADD] = "add",
	[ACTION_DEL] = "del",
	[ACTION_SET] = "set",
};

/* One bridge, on its way from what it has to what it is to have. */
struct change {
	const char *bridge;
	const char *said; /* by the user, or NULL */
	struct dataplane dp;
	struct error problem; /* list: why its state cannot be read */
	bool gone_bridge;     /* the interface was deleted or made anew */
	struct exports have;
	struct exports want;
	struct exports put;
	struct exports gone;
	struct conflicts bound; /* what is in the way of put */
	bool committed;
	int ended; /* connections */

	/* to be printed */
	struct ports_view report;
	struct gateways gateways;
	struct listeners listeners; /* of put */
	struct sources clients;     /* that may use put */
	bool tells_put;             /* the three before could be read */
};

struct ports {
	const struct cli_call *call;
	const struct ports_options *options;
	enum action action;
	struct port_specs specs;
	struct from from;
	struct pins pins;
	struct pins_bridges bridges;
	struct host host;
	struct target *meant; /* those of -b; without any the one without a name */
	size_t meant_count;
	struct change *changes;
	size_t count;
};

static const char *action_name(const void *list, size_t i)
{
	(void)list;
	return i < ACTION_MAX ? action_names[i] : NULL;
}

static int which_action(struct ports *p)
{
	const char *word = p->call->args[0];
	const char *nearest;

	if (!word) {
		p->action = ACTION_LIST;
		return 0;
	}
	for (int action = 0; action < ACTION_MAX; action++) {
		if (!strcmp(action_names[action], word)) {
			p->action = action;
			return 0;
		}
	}
	nearest = choice_nearest(word, action_name, NULL);
	if (nearest)
		cli_usage(p->call->command, "unknown command 'ports %s'; did you mean '%s'?", word,
			  nearest);
	else
		cli_usage(p->call->command, "unknown command 'ports %s'; use list, add, del or set",
			  word);
	return -EINVAL;
}

/* Checks for combinations that make no sense, before any SPEC is parsed. */
static int check_usage(const struct ports *p)
{
	const struct command *command = p->call->command;
	const char *name = action_names[p->action];
	size_t words = p->call->arg_count;

	if (p->action == ACTION_LIST && words > 1)
		return cli_usage(command, "ports list takes no port; -b BRIDGE chooses a bridge");
	/* also for set: a script with an empty variable must not close everything */
	if (p->action != ACTION_LIST && words < 2)
		return cli_usage(command, "no port given: hbpf ports %s SPEC...", name);
	if ((p->action == ACTION_LIST || p->action == ACTION_DEL) && p->options->from.count)
		return cli_usage(command, "ports %s takes no --from", name);
	if ((p->action == ACTION_LIST || p->action == ACTION_DEL) && p->options->force)
		return cli_usage(command, "ports %s takes no --force", name);
	return 0;
}

static int ask_bridges(struct ports *p, struct error *err)
{
	const struct arg_list *named = &p->options->bridges;
	size_t count = named->count ? named->count : 1;

	p->meant = calloc(count, sizeof(*p->meant));
	if (!p->meant)
		return error_set(err, ENOMEM, "no memory for %zu bridges", count);
	for (; p->meant_count < count; p->meant_count++)
		target_resolve(named->count ? named->v[p->meant_count] : NULL,
			       &p->meant[p->meant_count]);
	return 0;
}

static int ask(struct ports *p, struct error *err)
{
	const struct arg_list *from = &p->options->from;
	int ret = 0;

	for (size_t i = 0; !ret && i < from->count; i++)
		ret = from_parse(&p->from, from->v[i], err);
	if (ret || p->action == ACTION_LIST)
		return ret;
	return port_specs_parse(p->call->args + 1, p->call->arg_count - 1, &p->specs, err);
}

static int open_change(struct ports *p, const struct target *meant, struct error *err)
{
	struct change *change = &p->changes[p->count];
	const char *bridge = target_choose(&p->bridges, meant, "-b BRIDGE", err);
	const char *now = bridge ? attachment_current_name(&p->bridges, bridge) : NULL;
	int ret;

	if (!bridge)
		return -ENOENT;
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].bridge == now)
			return 0;
	}
	change->bridge = now;
	change->said = meant->name;
	dataplane_init(&change->dp);
	p->count++;
	ret = dataplane_open(&change->dp, &p->pins, bridge,
			     attachment_target(&p->pins, &p->host, bridge).ifindex, err);
	if (ret == -ENODEV) {
		error_free(err);
		change->gone_bridge = true;
		ret = 0;
	}
	if (!ret)
		ret = dataplane_exports(&change->dp, &change->have, err);
	if (ret && p->action == ACTION_LIST) {
		/* The other bridges are still listed. */
		change->problem = *err;
		memset(err, 0, sizeof(*err));
		ret = 0;
	}
	return ret;
}

static int open_all(struct ports *p, struct error *err)
{
	bool every = !p->options->bridges.count && p->action == ACTION_LIST;
	size_t count = every ? p->bridges.count : p->meant_count;
	int ret = 0;

	p->changes = calloc(count + 1, sizeof(*p->changes));
	if (!p->changes)
		return error_set(err, ENOMEM, "no memory for %zu bridges", count);
	for (size_t i = 0; !ret && i < count; i++) {
		const struct target this = { .name = every ? p->bridges.now[i] : NULL };

		ret = open_change(p, every ? &this : &p->meant[i], err);
	}
	return ret;
}

static int own_policy(const struct ports *p, struct change *change, struct hbpf_policy *policy,
		      struct error *err)
{
	int list = HBPF_LIST_ONLINK;

	if (p->from.sources.count)
		list = dataplane_port_list(&change->dp, &p->from.sources, err);
	if (list < 0)
		return list;
	*policy = from_policy(&p->from, (__u16)list);
	return 0;
}

/* A port that `set` keeps also keeps its --from, so that omitting it does not open it wider. */
static void keep_policies(struct change *change)
{
	for (size_t i = 0; i < change->want.count; i++) {
		struct export *export = &change->want.v[i];
		const struct export *old =
			exports_find(&change->have, export->key.proto, export->key.port);

		if (old)
			export->to.from = old->to.from;
	}
}

static int want_add(struct ports *p, struct change *change, struct error *err)
{
	struct hbpf_policy policy, *own = NULL;
	int ret = 0;

	if (p->from.given) {
		ret = own_policy(p, change, &policy, err);
		own = &policy;
	}
	for (size_t i = 0; !ret && i < p->specs.count; i++)
		ret = exports_add(&change->want, &p->specs.v[i], own, false, err);
	return ret;
}

static int want_set(struct ports *p, struct change *change, struct error *err)
{
	int ret;

	exports_free(&change->want);
	memset(&change->want, 0, sizeof(change->want));
	ret = want_add(p, change, err);
	if (!ret && !p->from.given)
		keep_policies(change);
	return ret;
}

static int want_del(const struct ports *p, struct change *change, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < p->specs.count; i++)
		ret = exports_del(&change->want, &p->specs.v[i], err);
	return ret;
}

/* Refuses ports that a service has bound on a gateway address: it would lose its clients. */
static int check_bound(struct change *change, struct error *err)
{
	struct gateways gateways = {};
	struct sockets sockets = {};
	int ret = dataplane_gateways(&change->dp, &gateways, err);

	if (!ret)
		ret = sockets_list(SOCKETS_TCP_LISTEN | SOCKETS_UDP, -1, &sockets, err);
	if (!ret)
		ret = conflicts_find(&gateways, &change->put, &sockets, &change->bound);
	sockets_free(&sockets);
	gateways_free(&gateways);
	return ret;
}

static int plan(struct ports *p, struct change *change, struct error *err)
{
	int ret = exports_copy(&change->want, &change->have);

	if (ret)
		return error_set(err, ENOMEM, "no memory for the ports");
	if (p->action == ACTION_DEL)
		ret = want_del(p, change, err);
	else if (p->action == ACTION_SET)
		ret = want_set(p, change, err);
	else
		ret = want_add(p, change, err);
	if (ret)
		return ret;
	if (exports_diff(&change->have, &change->want, &change->put, &change->gone))
		return error_set(err, ENOMEM, "no memory for the ports");
	return p->options->force ? 0 : check_bound(change, err);
}

static int commit(struct change *change, struct error *err)
{
	int ret = dataplane_set_exports(&change->dp, &change->have, &change->want, err);

	change->committed = !ret;
	return ret;
}

/* @new_from: --from was given, so clients may have lost access */
static void settle(struct change *change, bool new_from)
{
	const struct exports *now = change->committed ? &change->want : &change->have;
	struct error err = {};

	if (change->committed)
		change->ended = dataplane_end_flows(&change->dp, &change->gone, &err);
	/* The new ports are in effect; a failed clean-up only leaks map entries. */
	if (change->ended < 0 ||
	    (change->committed && new_from && dataplane_forget_refused(&change->dp, now, &err)) ||
	    dataplane_sweep(&change->dp, now, &err) ||
	    dataplane_sweep_lists(&change->dp, now, &err))
		log_warn("%s: %s", change->bridge, err.what);
	error_free(&err);
}

static void put_back(struct change *change)
{
	if (change->committed)
		dataplane_set_exports(&change->dp, &change->want, &change->have, NULL);
	change->committed = false;
}

/* With several bridges an error names the one it is about. */
static int on_bridge(const struct ports *p, const struct change *change, int ret, struct error *err)
{
	char what[sizeof(err->what)];

	if (!ret || p->count < 2)
		return ret;
	memcpy(what, err->what, sizeof(what));
	snprintf(err->what, sizeof(err->what), "%s: %.*s", change->bridge,
		 (int)(sizeof(what) - IFNAMSIZ - sizeof(": ")), what);
	return ret;
}

static int change_all(struct ports *p, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < p->count; i++)
		ret = on_bridge(p, &p->changes[i], plan(p, &p->changes[i], err), err);
	for (size_t i = 0; !ret && i < p->count; i++)
		ret = on_bridge(p, &p->changes[i], commit(&p->changes[i], err), err);
	for (size_t i = 0; ret && i < p->count; i++)
		put_back(&p->changes[i]);
	for (size_t i = 0; i < p->count; i++)
		settle(&p->changes[i], p->from.given);
	return ret;
}

/* ---- what is printed ---- */

/* With --json a change also ends in the list of open ports. */
static bool lists(const struct ports *p)
{
	return p->action == ACTION_LIST || p->call->json;
}

static void gather(struct ports *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct change *change = &p->changes[i];

		if (change->problem.what[0])
			continue;
		if (lists(p))
			ports_view_read(&change->dp, &change->report, &change->problem);
		else if (change->put.count && !change->gone_bridge)
			change->tells_put =
				!listeners_find(&change->put, &change->listeners, NULL) &&
				!dataplane_gateways(&change->dp, &change->gateways, NULL) &&
				!reply_clients(&change->dp, &change->put, &change->clients, NULL);
	}
}

static void name_listeners(struct ports *p)
{
	struct listeners **all = calloc(p->count + 1, sizeof(struct listeners *));

	for (size_t i = 0; all && i < p->count; i++)
		all[i] = lists(p) ? &p->changes[i].report.listeners : &p->changes[i].listeners;
	if (all)
		listeners_name(all, p->count);
	free(all);
}

static void tell_put(const struct change *change)
{
	warn_ports(&change->put, &change->listeners);
	if (!change->gateways.count)
		output_text("%s: the ports are saved, but there is no address that clients can "
			    "dial; add one, then run `hbpf attach %s`\n",
			    change->bridge, change->bridge);
	else if (!change->clients.count)
		output_text("%s: the ports are saved, but no network may use them; see `hbpf "
			    "status`\n",
			    change->bridge);
	else
		report_reachable(&change->gateways, &change->put, &change->listeners);
}

static void tell_gone(const struct change *change)
{
	struct export_range run = {};
	char text[EXPORT_RANGE_STRLEN];

	while (exports_next_range(&change->gone, &run))
		output_text("%s: %s is closed\n", change->bridge, export_range_format(&run, text));
	if (change->ended > 0)
		output_text("%s: %d connection%s ended\n", change->bridge, change->ended,
			    change->ended > 1 ? "s" : "");
}

static void tell_change(struct change *change)
{
	if (change->gone_bridge)
		log_warn("%s was deleted after it was attached; its ports are saved and take "
			 "effect with `hbpf attach %s`",
			 change->bridge, change->bridge);
	if (!change->put.count && !change->gone.count)
		output_text("%s: nothing to change\n", change->bridge);
	tell_gone(change);
	if (change->tells_put)
		tell_put(change);
	if (change->put.count || change->gone.count)
		warn_managed(change->bridge, change->dp.config.owner);
}

static void list_one(const struct change *change)
{
	const struct ports_view *report = &change->report;

	if (change->problem.what[0]) {
		log_error(&change->problem);
		return;
	}
	output_text("%s%s\n", change->bridge, report->exports.count ? "" : ": no ports");
	ports_view_print(report, 2);
}

static struct json_object *list_json(const struct change *change)
{
	struct json_object *item = json_object_new_object();
	const struct error *problem = &change->problem;

	json_object_object_add(item, "bridge", output_string(change->bridge));
	if (!problem->what[0]) {
		json_object_object_add(item, "ports", ports_view_json(&change->report));
		return item;
	}
	json_object_object_add(item, "problem", output_string(problem->what));
	if (problem->hint[0])
		json_object_object_add(item, "hint", output_string(problem->hint));
	return item;
}

static void list_all_json(const struct ports *p)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < p->count; i++)
		json_object_array_add(array, list_json(&p->changes[i]));
	json_object_object_add(doc, "bridges", array);
	output_json(doc);
}

/* Return: exit code */
static int list(const struct ports *p)
{
	int exit_code = EXIT_DONE;

	if (p->call->json)
		list_all_json(p);
	else if (!p->count)
		puts("no bridge is attached");
	for (size_t i = 0; i < p->count; i++) {
		if (!p->call->json)
			list_one(&p->changes[i]);
		if (p->changes[i].problem.what[0])
			exit_code = EXIT_FAILED;
	}
	return exit_code;
}

static void release(struct ports *p)
{
	for (size_t i = 0; i < p->count; i++) {
		dataplane_close(&p->changes[i].dp);
		error_free(&p->changes[i].problem);
		exports_free(&p->changes[i].have);
		exports_free(&p->changes[i].want);
		exports_free(&p->changes[i].put);
		exports_free(&p->changes[i].gone);
		ports_view_free(&p->changes[i].report);
		listeners_free(&p->changes[i].listeners);
		gateways_free(&p->changes[i].gateways);
		sources_free(&p->changes[i].clients);
	}
	for (size_t i = 0; i < p->meant_count; i++)
		error_free(&p->meant[i].problem);
	free(p->meant);
	free(p->changes);
	port_specs_free(&p->specs);
	sources_free(&p->from.sources);
	host_free(&p->host);
	pins_bridges_free(&p->bridges);
}

static int work(struct ports *p, struct error *err)
{
	int ret = attachment_bridges(p->action == ACTION_LIST ? PINS_READ : PINS_WRITE, &p->pins,
				     &p->bridges, err);

	if (!ret)
		ret = host_read(&p->host, err);
	if (!ret)
		ret = open_all(p, err);
	if (!ret && p->action != ACTION_LIST)
		ret = change_all(p, err);
	if (!ret)
		gather(p);
	return ret;
}

/* Finding the processes is slow, so it is done without the lock. */
static int name_bound(const struct ports *p, int ret, struct error *err)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->changes[i].bound.count)
			return on_bridge(p, &p->changes[i],
					 conflicts_error(&p->changes[i].bound, err), err);
	}
	return ret;
}

/* Return: exit code */
static int tell(struct ports *p)
{
	for (size_t i = 0; i < p->count && !p->call->json; i++)
		report_name(p->changes[i].said, p->changes[i].bridge);
	if (lists(p))
		return list(p);
	for (size_t i = 0; i < p->count; i++)
		tell_change(&p->changes[i]);
	return EXIT_DONE;
}

static int run(const struct cli_call *call)
{
	struct ports p = { .call = call, .options = call->options, .pins = PINS_INIT };
	struct error err = {};
	int exit_code = EXIT_USAGE;
	int ret;

	if (which_action(&p) || check_usage(&p))
		return EXIT_USAGE;
	ret = ask(&p, &err);
	if (!ret) {
		exit_code = EXIT_FAILED;
		ret = ask_bridges(&p, &err);
		if (!ret)
			ret = work(&p, &err);
		pins_close(&p.pins);
		ret = name_bound(&p, ret, &err);
	}
	if (ret) {
		log_error(&err);
	} else {
		name_listeners(&p);
		exit_code = tell(&p);
	}
	error_free(&err);
	release(&p);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct ports_options, field)

static const struct cli_option ports_option_rows[] = {
	{ .name = "bridge",
	  .letter = 'b',
	  .metavar = "BRIDGE",
	  .help = "the bridge or its network, if several are attached; may\n"
		  "be repeated",
	  STORE(LIST, bridges) },
	{ .name = "from",
	  .letter = 'f',
	  .metavar = "CIDR",
	  .help = "add, set: who may use these ports, instead of the bridge's\n"
		  "clients; may be repeated; \"onlink\" means the networks on\n"
		  "the bridge's link",
	  STORE(LIST, from) },
	{ .name = "force",
	  .help = "add, set: open ports even if a service is bound to them on\n"
		  "a gateway address",
	  STORE(FLAG, force) },
	{},
};

const struct command command_ports = {
	.name = "ports",
	.synopsis = "[list | add SPEC... | del SPEC... | set SPEC...] [options]",
	.summary = "List, add and remove ports of attached bridges",
	.text = "  list   show the open ports, their services and packet counts; the default\n"
		"  add    open ports\n"
		"  del    close ports; their connections end at once. A SPEC with a destination,\n"
		"         such as 80:8080 or 53:127.0.0.2:53/udp, must match\n"
		"  set    open exactly these ports; ports that stay are not interrupted\n\n"
		"SPEC as for attach: 8088, 80:8080, 8000-8010, 53/udp, 53:127.0.0.2:53/udp.\n"
		"With several bridges a change is made on all of them or on none.",
	.options = ports_option_rows,
	.options_size = sizeof(struct ports_options),
	.max_args = (size_t)-1,
	.reports = true,
	.root_for = "reads and writes BPF maps",
	.run = run,
};
