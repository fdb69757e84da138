/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf flows: who is connected to which service, and through what. */
#include "cli/commands.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/flows.h"
#include "cli/flow_filter.h"
#include "cli/ports_view.h"
#include "cli/target.h"
#include "engine/containers.h"
#include "lib/addr.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/table.h"
#include "lib/units.h"

struct flows_options {
	struct arg_list ports;
	struct arg_list clients;
	struct choice sort;
};

enum flows_sort {
	SORT_CLIENT,
	SORT_PORT,
	SORT_PROCESS,
	SORT_BYTES,
	SORT_IDLE,
};

static const char *const sort_names[] = {
	[SORT_CLIENT] = "client", [SORT_PORT] = "port", [SORT_PROCESS] = "process",
	[SORT_BYTES] = "bytes",   [SORT_IDLE] = "idle", NULL,
};
static_assert(ARRAY_SIZE(sort_names) == SORT_IDLE + 2, "every order has a name");

/* As ss(8) writes them, in small letters. */
static const char *const state_names[] = {
	[TCP_ESTABLISHED] = "established",
	[TCP_SYN_SENT] = "syn-sent",
	[TCP_SYN_RECV] = "syn-recv",
	[TCP_FIN_WAIT1] = "fin-wait-1",
	[TCP_FIN_WAIT2] = "fin-wait-2",
	[TCP_TIME_WAIT] = "time-wait",
	[TCP_CLOSE] = "closed",
	[TCP_CLOSE_WAIT] = "close-wait",
	[TCP_LAST_ACK] = "last-ack",
	[TCP_LISTEN] = "listen",
	[TCP_CLOSING] = "closing",
};
static_assert(ARRAY_SIZE(state_names) == TCP_CLOSING + 1, "every state has a name");

struct flows_view {
	const struct cli_call *call;
	struct flow_filter filter;
	struct engines engines;
	struct containers containers;
	struct flows flows;
};

static void flows_select(struct flows_view *view)
{
	size_t kept = 0;

	for (size_t i = 0; i < view->flows.count; i++) {
		const struct flow *flow = &view->flows.v[i];

		if (flow_filter_passes(&view->filter, flow->proto, &flow->client.addr,
				       flow->dialled.port, flow->local.port))
			view->flows.v[kept++] = *flow;
	}
	view->flows.count = kept;
}

/* ---- order ---- */

static int flows_by_client(const struct flow *a, const struct flow *b)
{
	return addr_compare(&a->client.addr, &b->client.addr)
		       ?: ntohs(a->client.port) - ntohs(b->client.port);
}

static int flows_by_port(const struct flow *a, const struct flow *b)
{
	return ntohs(a->dialled.port) - ntohs(b->dialled.port) ?: a->proto - b->proto;
}

static int flows_by_process(const struct flow *a, const struct flow *b)
{
	return strcmp(a->owner.name, b->owner.name) ?: a->owner.pid - b->owner.pid;
}

static int flows_by_bytes(const struct flow *a, const struct flow *b)
{
	__u64 of_a = a->traffic.in_bytes + a->traffic.out_bytes;
	__u64 of_b = b->traffic.in_bytes + b->traffic.out_bytes;

	return (of_a < of_b) - (of_a > of_b); /* the most first */
}

static int flows_by_idle(const struct flow *a, const struct flow *b)
{
	if (a->traffic.known != b->traffic.known)
		return b->traffic.known - a->traffic.known;
	return (a->traffic.idle_ms > b->traffic.idle_ms) -
	       (a->traffic.idle_ms < b->traffic.idle_ms);
}

static int (*const flows_orders[])(const struct flow *a, const struct flow *b) = {
	[SORT_CLIENT] = flows_by_client,   [SORT_PORT] = flows_by_port,
	[SORT_PROCESS] = flows_by_process, [SORT_BYTES] = flows_by_bytes,
	[SORT_IDLE] = flows_by_idle,
};
static_assert(ARRAY_SIZE(flows_orders) == SORT_IDLE + 1, "every order can be compared");

static int flows_compare(const void *a, const void *b, void *sort)
{
	return flows_orders[*(const int *)sort](a, b) ?: flows_by_client(a, b);
}

/* ---- output ---- */

static const char *flows_network(const struct flows_view *view, const struct flow *flow)
{
	const struct network *network = networks_find_bridge(&view->engines.networks, flow->bridge);

	return network ? network->name : NULL;
}

static const char *flows_container(const struct flows_view *view, const struct flow *flow)
{
	const struct container *container =
		containers_find(&view->containers, &flow->client.addr, flows_network(view, flow));

	return container ? container->name : NULL;
}

/* COLUMN_NETWORK and COLUMN_CONTAINER are left out if no engine reports any. */
enum flows_column {
	COLUMN_BRIDGE,
	COLUMN_NETWORK,
	COLUMN_CLIENT,
	COLUMN_CONTAINER,
	COLUMN_DIALLED,
	COLUMN_LOCAL,
	COLUMN_PROCESS,
	COLUMN_STATE,
	COLUMN_IN,
	COLUMN_OUT,
	COLUMN_IDLE,
	COLUMN_MAX,
};

static const struct table_column flows_columns[] = {
	[COLUMN_BRIDGE] = { .head = "INTERFACE" },
	[COLUMN_NETWORK] = { .head = "NETWORK", .flags = TABLE_CUT },
	[COLUMN_CLIENT] = { .head = "CLIENT" },
	[COLUMN_CONTAINER] = { .head = "CONTAINER", .flags = TABLE_CUT },
	[COLUMN_DIALLED] = { .head = "DIALLED" },
	[COLUMN_LOCAL] = { .head = "SERVICE" },
	[COLUMN_PROCESS] = { .head = "PROCESS", .flags = TABLE_CUT },
	[COLUMN_STATE] = { .head = "STATE" },
	[COLUMN_IN] = { .head = "IN", .flags = TABLE_RIGHT },
	[COLUMN_OUT] = { .head = "OUT", .flags = TABLE_RIGHT },
	[COLUMN_IDLE] = { .head = "IDLE", .flags = TABLE_RIGHT },
};
static_assert(ARRAY_SIZE(flows_columns) == COLUMN_MAX, "every column has a heading");

static void flows_traffic_cells(struct table *table, const struct tcp_traffic *traffic)
{
	char size[SIZE_STRLEN], age[AGE_STRLEN];

	if (!traffic->known) {
		for (size_t column = COLUMN_IN; column <= COLUMN_IDLE; column++)
			table_cell(table, column, "-");
		return;
	}
	table_cell(table, COLUMN_IN, "%llu (%s)", traffic->in_packets,
		   size_format(traffic->in_bytes, size));
	table_cell(table, COLUMN_OUT, "%llu (%s)", traffic->out_packets,
		   size_format(traffic->out_bytes, size));
	table_cell(table, COLUMN_IDLE, "%s", age_format(traffic->idle_ms / 1000, age));
}

static void flows_row(struct table *table, const struct flows_view *view, const struct flow *flow)
{
	const char *network = flows_network(view, flow);
	const char *container = flows_container(view, flow);
	char end[ENDPOINT_STRLEN], who[PROC_OWNER_STRLEN];

	table_row(table);
	table_cell(table, COLUMN_BRIDGE, "%s", flow->bridge);
	if (network)
		table_cell(table, COLUMN_NETWORK, "%s", network);
	table_cell(table, COLUMN_CLIENT, "%s",
		   endpoint_format(&flow->client.addr, flow->client.port, end));
	if (container)
		table_cell(table, COLUMN_CONTAINER, "%s", container);
	table_cell(table, COLUMN_DIALLED, "%s/%s",
		   endpoint_format(&flow->dialled.addr, flow->dialled.port, end),
		   proto_name(flow->proto));
	table_cell(table, COLUMN_LOCAL, "%s",
		   endpoint_format(&flow->local.addr, flow->local.port, end));
	if (flow->owner.pid)
		table_cell(table, COLUMN_PROCESS, "%s", proc_owner_format(&flow->owner, who));
	else
		table_cell(table, COLUMN_PROCESS, "-");
	table_cell(table, COLUMN_STATE, "%s", flow->state ? state_names[flow->state] : "-");
	flows_traffic_cells(table, &flow->traffic);
}

static void flows_print(const struct flows_view *view)
{
	struct table table = TABLE(flows_columns);

	if (!view->flows.count && !view->flows.unreadable.count)
		puts("no flows");
	for (size_t i = 0; i < view->flows.count; i++)
		flows_row(&table, view, &view->flows.v[i]);
	table_print(&table);
}

static void flows_json_row(struct json_object *to, const struct flows_view *view,
			   const struct flow *flow)
{
	const char *network = flows_network(view, flow);
	const char *container = flows_container(view, flow);
	char addr[ADDR_STRLEN];

	json_add_string(to, "bridge", flow->bridge);
	if (network)
		json_add_string(to, "network", network);
	json_add_string(to, "protocol", proto_name(flow->proto));
	json_add_string(to, "client_address", addr_format(&flow->client.addr, addr));
	json_add_int(to, "client_port", ntohs(flow->client.port));
	if (container)
		json_add_string(to, "container", container);
	json_add_string(to, "gateway_address", addr_format(&flow->dialled.addr, addr));
	json_add_int(to, "gateway_port", ntohs(flow->dialled.port));
	json_add_string(to, "local_address", addr_format(&flow->local.addr, addr));
	json_add_int(to, "local_port", ntohs(flow->local.port));
	if (flow->owner.pid) {
		json_add_string(to, "process", flow->owner.name);
		json_add_int(to, "pid", flow->owner.pid);
	}
	if (flow->state)
		json_add_string(to, "state", state_names[flow->state]);
	if (!flow->traffic.known)
		return;
	json_add_u64(to, "in_packets", flow->traffic.in_packets);
	json_add_u64(to, "in_bytes", flow->traffic.in_bytes);
	json_add_u64(to, "out_packets", flow->traffic.out_packets);
	json_add_u64(to, "out_bytes", flow->traffic.out_bytes);
	json_add_u64(to, "idle_ms", flow->traffic.idle_ms);
}

static void flows_json(const struct flows_view *view)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_add_array(doc, "flows");

	for (size_t i = 0; i < view->flows.count; i++)
		flows_json_row(json_append_object(array), view, &view->flows.v[i]);
	array = json_add_array(doc, "unreadable");
	for (size_t i = 0; i < view->flows.unreadable.count; i++) {
		const struct unreadable_flows *one = &view->flows.unreadable.v[i];
		struct json_object *item = json_append_object(array);

		json_add_string(item, "bridge", one->bridge);
		report_problem_json(item, &one->problem);
	}
	json_print(doc);
}

/* ---- */

static int flows_read_all(struct flows_view *view, const struct target *target, struct error *err)
{
	struct attached at = ATTACHED_INIT;
	const char *only;
	int ret = attached_open_for(&at, target, &only, err);

	if (!ret)
		ret = flows_read(&at.pins, &at.bridges, &at.host, only, &view->flows, err);
	pins_close(&at.pins);
	attached_free(&at);
	return ret;
}

static void flows_show(struct flows_view *view)
{
	const struct flows_options *options = view->call->options;
	int sort = options->sort.given ? options->sort.value : SORT_CLIENT;

	flows_select(view);
	flows_name(&view->flows);
	if (view->flows.count) {
		qsort_r(view->flows.v, view->flows.count, sizeof(*view->flows.v), flows_compare,
			&sort);
		/* names only help: without an engine the flows are shown as they are */
		engines_query(&view->engines, NULL);
		containers_query(&view->engines, &view->containers);
	}
	if (view->call->json)
		flows_json(view);
	else
		flows_print(view);
	for (size_t i = 0; !view->call->json && i < view->flows.unreadable.count; i++)
		log_error(&view->flows.unreadable.v[i].problem);
}

static void flows_view_free(struct flows_view *view)
{
	flows_free(&view->flows);
	containers_free(&view->containers);
	engines_free(&view->engines);
	flow_filter_free(&view->filter);
}

static int cmd_flows(const struct cli_call *call)
{
	const struct flows_options *options = call->options;
	struct flows_view view = { .call = call };
	struct error err = {};
	struct target target = {};
	int exit_code = EXIT_USAGE;
	int ret = flow_filter_parse(&options->ports, &options->clients, &view.filter, &err);

	if (!ret) {
		exit_code = EXIT_FAILED;
		target_resolve(call->args[0], &target);
		ret = flows_read_all(&view, &target, &err);
	}
	if (ret) {
		log_error(&err);
	} else {
		flows_show(&view);
		exit_code = view.flows.unreadable.count ? EXIT_FAILED : EXIT_DONE;
	}
	error_free(&err);
	target_free(&target);
	flows_view_free(&view);
	return exit_code;
}

#define STORE(kind, field) .store = CLI_##kind, .offset = offsetof(struct flows_options, field)

static const struct cli_option flows_option_rows[] = {
	{ .name = "port",
	  .letter = 'p',
	  .metavar = "SPEC",
	  .help = "only flows to these gateway ports: 8088, 53/udp, 8000-8010;\n"
		  "may be repeated",
	  STORE(LIST, ports) },
	{ .name = "client",
	  .letter = 'c',
	  .metavar = "ADDR",
	  .help = "only flows of these clients: an address or a prefix; may be\n"
		  "repeated",
	  STORE(LIST, clients) },
	{ .name = "sort",
	  .letter = 's',
	  .metavar = "ORDER",
	  .help = "client (the default), port, process, bytes or idle",
	  .choices = sort_names,
	  STORE(CHOICE, sort) },
	{},
};

const struct command command_flows = {
	.name = "flows",
	.synopsis = "[INTERFACE] [options]",
	.summary = "List connections and UDP flows, and the processes that serve them",
	.text = "Shows the flows of one INTERFACE (or a network's name or ID), or of every attached\n"
		"one: the client, what it dialled, the loopback port, the process that serves it,\n"
		"and of TCP the state, packets and bytes of data, and the time since the last data.\n"
		"Containers and networks are named where an engine reports them.",
	.options = flows_option_rows,
	.options_size = sizeof(struct flows_options),
	.max_args = 1,
	.arg = "INTERFACE",
	.reports = true,
	.root_for = "reads BPF maps and the sockets of all processes",
	.run = cmd_flows,
};
