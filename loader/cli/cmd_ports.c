/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf ports: list and change the ports of attached bridges. A change is made on all of the named
 * bridges or on none (attach/port_change.c). Everything that is printed, but for the
 * names of processes, is read before the lock is released.
 */
#include "cli/commands.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/port_change.h"
#include "cli/ports_view.h"
#include "cli/target.h"
#include "cli/warnings.h"
#include "dataplane/exports_map.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/output.h"
#include "model/request.h"

struct ports_options {
	struct arg_list bridges;
	struct arg_list from;
	bool force;
};

/* The first are those of enum port_action. */
enum {
	PORTS_LIST = PORT_SET + 1,
	PORTS_MAX,
};

static const char *const action_names[] = {
	[PORT_ADD] = "add",    [PORT_DEL] = "del", [PORT_SET] = "set",
	[PORTS_LIST] = "list", [PORTS_MAX] = NULL,
};
static_assert(ARRAY_SIZE(action_names) == PORTS_MAX + 1, "every action has a name");

/* One of the bridges. */
struct ports_bridge {
	const char *name;
	const char *given; /* by the user, or NULL */
	struct dataplane dp;
	struct error problem; /* list: why its state cannot be read */
	bool deleted;         /* the interface was deleted or re-created */
	struct port_change change;

	/* to be printed: the open ports, or after a change the listeners of the added ones */
	struct ports_view view;
	struct gateways gateways;
	struct sources clients;
	bool has_added; /* the three before could be read */
};

struct ports {
	const struct cli_call *call;
	const struct ports_options *options;
	unsigned int action;
	struct port_request request;
	struct attached at;
	struct target *targets; /* of -b; without any, one without a name */
	size_t target_count;
	struct listening listening;
	struct ports_bridge *v;
	size_t count;
};

static const char *ports_action_name(const void *list, size_t i)
{
	(void)list;
	return action_names[i];
}

static int ports_parse_action(struct ports *p)
{
	const char *arg = p->call->args[0];
	const char *nearest;

	p->action = PORTS_LIST;
	if (!arg)
		return 0;
	for (p->action = 0; p->action < PORTS_MAX; p->action++) {
		if (!strcmp(action_names[p->action], arg))
			return 0;
	}
	nearest = choice_nearest(arg, ports_action_name, NULL);
	if (nearest)
		cli_usage(p->call->command, "unknown command 'ports %s'; did you mean '%s'?", arg,
			  nearest);
	else
		cli_usage(p->call->command, "unknown command 'ports %s'; use list, add, del or set",
			  arg);
	return -EINVAL;
}

/* Checks for combinations that make no sense, before any SPEC is parsed. */
static int ports_check_usage(const struct ports *p)
{
	const struct command *command = p->call->command;
	const char *name = action_names[p->action];
	size_t args = p->call->arg_count;

	if (p->action == PORTS_LIST && args > 1)
		return cli_usage(command, "ports list takes no port; -b INTERFACE chooses one");
	/* also for set: a script with an empty variable must not close everything */
	if (p->action != PORTS_LIST && args < 2)
		return cli_usage(command, "no port given: hbpf ports %s SPEC...", name);
	if (p->action == PORT_ADD || p->action == PORT_SET)
		return 0;
	if (p->options->from.count)
		return cli_usage(command, "ports %s takes no --from", name);
	if (p->options->force)
		return cli_usage(command, "ports %s takes no --force", name);
	return 0;
}

static int ports_parse(struct ports *p, struct error *err)
{
	const struct arg_list *from = &p->options->from;
	struct port_request *request = &p->request;
	int ret = 0;

	for (size_t i = 0; !ret && i < from->count; i++)
		ret = from_parse(&request->from, from->v[i], err);
	if (ret || p->action == PORTS_LIST)
		return ret;
	request->action = p->action;
	request->force = p->options->force;
	return port_specs_parse(p->call->args + 1, p->call->arg_count - 1, &request->specs, err);
}

static int ports_resolve(struct ports *p, struct error *err)
{
	const struct arg_list *given = &p->options->bridges;
	size_t count = given->count ? given->count : 1;

	p->targets = calloc(count, sizeof(*p->targets));
	if (!p->targets)
		return error_nomem(err);
	for (; p->target_count < count; p->target_count++)
		target_resolve(given->count ? given->v[p->target_count] : NULL,
			       &p->targets[p->target_count]);
	return 0;
}

static int ports_open(struct ports *p, const struct target *target, struct error *err)
{
	struct ports_bridge *b = &p->v[p->count];
	const char *bridge = target_choose(&p->at.bridges, target, "-b INTERFACE", err);
	const char *now = bridge ? attachment_current_name(&p->at.bridges, bridge) : NULL;
	int ret;

	if (!bridge)
		return -ENOENT;
	for (size_t i = 0; i < p->count; i++) {
		if (p->v[i].name == now)
			return 0;
	}
	b->name = now;
	b->given = target->name;
	b->change.dp = &b->dp;
	dataplane_init(&b->dp, &p->at.shared);
	p->count++;
	ret = dataplane_open_dead(&b->dp, &p->at.pins, bridge,
				  attachment_target(&p->at.pins, &p->at.host, bridge).ifindex,
				  &b->deleted, err);
	if (!ret)
		ret = dataplane_exports(&b->dp, &b->change.have, err);
	if (ret && p->action == PORTS_LIST) {
		/* The other bridges are still listed. */
		b->problem = *err;
		memset(err, 0, sizeof(*err));
		ret = 0;
	}
	return ret;
}

static int ports_open_all(struct ports *p, struct error *err)
{
	bool every = !p->options->bridges.count && p->action == PORTS_LIST;
	size_t count = every ? p->at.bridges.count : p->target_count;
	int ret = 0;

	p->v = calloc(count + 1, sizeof(*p->v));
	if (!p->v)
		return error_nomem(err);
	for (size_t i = 0; !ret && i < count; i++) {
		const struct target this = { .name = every ? p->at.bridges.current[i] : NULL };

		ret = ports_open(p, every ? &this : &p->targets[i], err);
	}
	return ret;
}

/* With several bridges an error names the one it is about. */
static int ports_error(const struct ports *p, const struct ports_bridge *b, int ret,
		       struct error *err)
{
	char what[sizeof(err->what)];

	if (!ret || p->count < 2)
		return ret;
	memcpy(what, err->what, sizeof(what));
	snprintf(err->what, sizeof(err->what), "%s: %.*s", b->name,
		 (int)(sizeof(what) - IFNAMSIZ - sizeof(": ")), what);
	return ret;
}

static int ports_change(struct ports *p, struct error *err)
{
	struct error leak = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < p->count; i++)
		ret = ports_error(p, &p->v[i], port_change_plan(&p->v[i].change, &p->request, err),
				  err);
	for (size_t i = 0; !ret && i < p->count; i++)
		ret = ports_error(p, &p->v[i], port_change_commit(&p->v[i].change, err), err);
	for (size_t i = 0; ret && i < p->count; i++)
		port_change_roll_back(&p->v[i].change);
	for (size_t i = 0; i < p->count; i++) {
		if (port_change_finish(&p->v[i].change, p->request.from.given, &leak))
			log_warn("%s: %s", p->v[i].name, leak.what);
		error_free(&leak);
	}
	return ret;
}

/* With --json a change also ends in the list of open ports. */
static bool ports_lists(const struct ports *p)
{
	return p->action == PORTS_LIST || p->call->json;
}

static void ports_gather(struct ports *p, struct ports_bridge *b)
{
	const struct exports *added = &b->change.added;

	if (b->problem.what[0])
		return;
	if (ports_lists(p))
		ports_view_read(&b->dp, &p->listening, &b->view, &b->problem);
	else if (added->count && !b->deleted)
		b->has_added = !listeners_find(added, &p->listening, &b->view.listeners, NULL) &&
			       !dataplane_gateways(&b->dp, &b->gateways, NULL) &&
			       !reply_clients(&b->dp, added, &b->clients, NULL);
}

static void ports_print_added(const struct ports_bridge *b)
{
	const struct exports *added = &b->change.added;

	warn_ports(added, &b->view.listeners);
	if (!b->gateways.count)
		output_text("%s: the ports are saved, but there is no address that clients can "
			    "dial; add one, then run `hbpf attach %s`\n",
			    b->name, b->name);
	else if (!b->clients.count)
		output_text("%s: the ports are saved, but no network may use them; see `hbpf "
			    "status`\n",
			    b->name);
	else
		report_reachable(&b->gateways, added, &b->view.listeners);
}

static void ports_print_removed(const struct ports_bridge *b)
{
	const struct port_change *change = &b->change;
	struct export_range run = {};
	char text[EXPORT_RANGE_STRLEN];

	while (exports_next_range(&change->removed, &run))
		output_text("%s: %s is closed\n", b->name, export_range_format(&run, text));
	if (change->ended > 0)
		output_text("%s: %d connection%s ended\n", b->name, change->ended,
			    change->ended > 1 ? "s" : "");
}

static void ports_print_change(const struct ports_bridge *b)
{
	bool changed = b->change.added.count || b->change.removed.count;

	if (b->deleted)
		log_warn("%s was deleted after it was attached; its ports are saved and take "
			 "effect with `hbpf attach %s`",
			 b->name, b->name);
	if (!changed)
		output_text("%s: nothing to change\n", b->name);
	ports_print_removed(b);
	if (b->has_added)
		ports_print_added(b);
	if (changed)
		warn_managed(b->name, b->dp.config.owner);
}

static void ports_print(const struct ports_bridge *b)
{
	if (b->problem.what[0]) {
		log_error(&b->problem);
		return;
	}
	output_text("%s%s\n", b->name, b->view.exports.count ? "" : ": no ports");
	ports_view_print(&b->view, 2);
}

static void ports_json(const struct ports *p)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_add_array(doc, "bridges"), *item;

	for (size_t i = 0; i < p->count; i++) {
		item = json_append_object(array);
		json_add_string(item, "bridge", p->v[i].name);
		if (p->v[i].problem.what[0])
			report_problem_json(item, &p->v[i].problem);
		else
			ports_view_json(json_add_array(item, "ports"), &p->v[i].view);
	}
	json_print(doc);
}

/* Return: exit code */
static int ports_report(const struct ports *p)
{
	int exit_code = EXIT_DONE;

	for (size_t i = 0; i < p->count && !p->call->json; i++)
		report_name(p->v[i].given, p->v[i].name);
	if (p->call->json)
		ports_json(p);
	else if (!p->count)
		puts("no interface is attached");
	for (size_t i = 0; i < p->count; i++) {
		if (!ports_lists(p))
			ports_print_change(&p->v[i]);
		else if (!p->call->json)
			ports_print(&p->v[i]);
		if (p->v[i].problem.what[0])
			exit_code = EXIT_FAILED;
	}
	return exit_code;
}

static void ports_free(struct ports *p)
{
	for (size_t i = 0; i < p->count; i++) {
		dataplane_close(&p->v[i].dp);
		error_free(&p->v[i].problem);
		port_change_free(&p->v[i].change);
		ports_view_free(&p->v[i].view);
		gateways_free(&p->v[i].gateways);
		sources_free(&p->v[i].clients);
	}
	for (size_t i = 0; i < p->target_count; i++)
		target_free(&p->targets[i]);
	free(p->targets);
	free(p->v);
	listening_free(&p->listening);
	port_specs_free(&p->request.specs);
	sources_free(&p->request.from.sources);
	attached_free(&p->at);
}

static int ports_work(struct ports *p, struct error *err)
{
	bool lists = p->action == PORTS_LIST;
	int ret = attached_open(&p->at, lists ? PINS_READ : PINS_WRITE, err);

	p->at.shared.reads_once = lists;
	if (!ret)
		ret = ports_open_all(p, err);
	if (!ret && !lists)
		ret = ports_change(p, err);
	for (size_t i = 0; !ret && i < p->count; i++)
		ports_gather(p, &p->v[i]);
	pins_close(&p->at.pins);
	/* Finding the processes is slow, so it is done without the lock. */
	for (size_t i = 0; i < p->count; i++) {
		if (p->v[i].change.bound.count)
			return ports_error(p, &p->v[i], conflicts_error(&p->v[i].change.bound, err),
					   err);
	}
	return ret;
}

static int cmd_ports(const struct cli_call *call)
{
	struct ports p = { .call = call, .options = call->options, .at = ATTACHED_INIT };
	struct error err = {};
	int exit_code = EXIT_USAGE;
	int ret;

	if (ports_parse_action(&p) || ports_check_usage(&p))
		return EXIT_USAGE;
	ret = ports_parse(&p, &err);
	if (!ret) {
		exit_code = EXIT_FAILED;
		ret = ports_resolve(&p, &err);
		if (!ret)
			ret = ports_work(&p, &err);
	}
	if (ret) {
		log_error(&err);
	} else {
		listeners_name(&p.v->view.listeners, p.count, sizeof(*p.v));
		exit_code = ports_report(&p);
	}
	error_free(&err);
	ports_free(&p);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct ports_options, field)

static const struct cli_option ports_option_rows[] = {
	{ .name = "bridge",
	  .letter = 'b',
	  .metavar = "INTERFACE",
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
	.actions = action_names,
	.arg = "SPEC",
	.reports = true,
	.root_for = "reads and writes BPF maps",
	.run = cmd_ports,
};
