/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf interfaces: what containers and virtual machines of the host are behind, what else is
 * attached, and which engine's network it is. */
#include "cli/commands.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/desired.h"
#include "attach/interface.h"
#include "cli/target.h"
#include "engine/engine.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/str_list.h"
#include "lib/table.h"

/* Everything the rows are built from. */
struct interfaces_view {
	struct attached at;
	struct engines engines;
	struct interfaces_row *rows;
	size_t count;
};

enum interfaces_column {
	COLUMN_INTERFACE,
	COLUMN_KIND,
	COLUMN_NETWORK,
	COLUMN_GATEWAYS,
	COLUMN_CLIENTS,
	COLUMN_ATTACHED,
};

/* One interface. */
struct interfaces_row {
	const struct link *link;
	const struct network *network; /* or NULL */
	size_t clients;
	const char *attached_as; /* its name when it was attached; NULL: not attached */
	bool live;
};

static void interfaces_row_read(const struct interfaces_view *view, const struct link *link,
				struct interfaces_row *row)
{
	*row = (struct interfaces_row){
		.link = link,
		.network = networks_find_bridge(&view->engines.networks, link->name),
	};
	/* behind a veth or a tap is one, if its peer is up or a process has it open */
	row->clients = !interface_is_bridge(link) && link->carrier;
	for (size_t i = 0; i < view->at.host.links.count; i++)
		row->clients += view->at.host.links.v[i].master == link->ifindex;
	for (size_t i = 0; i < view->at.bridges.count; i++) {
		if (strcmp(view->at.bridges.current[i], link->name) != 0)
			continue;
		row->attached_as = view->at.bridges.attached_as[i];
		row->live = attachment_is_live(&view->at.pins, &view->at.host,
					       view->at.bridges.names[i]);
	}
}

/* Return: the interface's next own address that clients can dial, or NULL; @at counts from 0 */
static const struct hbpf_addr *interfaces_row_next_gateway(const struct interfaces_view *view,
							   const struct link *link, size_t *at)
{
	const struct link_addrs *addrs = &view->at.host.addrs;

	while (*at < addrs->count) {
		const struct link_addr *own = &addrs->v[(*at)++];

		if (address_is_gateway(own, link))
			return &own->addr;
	}
	return NULL;
}

static void interfaces_row_gateways(const struct interfaces_view *view,
				    const struct interfaces_row *row, struct table *table)
{
	char text[256] = "", addr[ADDR_STRLEN];
	const struct hbpf_addr *gateway;
	size_t at = 0;

	while ((gateway = interfaces_row_next_gateway(view, row->link, &at)))
		str_list_add(text, sizeof(text), addr_format(gateway, addr));
	table_cell(table, COLUMN_GATEWAYS, "%s", text[0] ? text : "-");
}

static void interfaces_row_attached(const struct interfaces_row *row, struct table *table)
{
	const char *word = row->live ? "yes" : "dead";

	if (!row->attached_as)
		table_cell(table, COLUMN_ATTACHED, "no");
	else if (strcmp(row->attached_as, row->link->name) != 0)
		table_cell(table, COLUMN_ATTACHED, "%s (attached as %s)", word, row->attached_as);
	else
		table_cell(table, COLUMN_ATTACHED, "%s", word);
	if (row->attached_as)
		table_level(table, COLUMN_ATTACHED, row->live ? LEVEL_OK : LEVEL_BROKEN);
}

static void interfaces_row_print(const struct interfaces_view *view,
				 const struct interfaces_row *row, struct table *table)
{
	table_row(table);
	table_cell(table, COLUMN_INTERFACE, "%s", row->link->name);
	table_cell(table, COLUMN_KIND, "%s", interface_kind(row->link));
	if (row->network)
		table_cell(table, COLUMN_NETWORK, "%s (%s)", row->network->name,
			   engine_name(row->network->engine));
	else
		table_cell(table, COLUMN_NETWORK, "-");
	interfaces_row_gateways(view, row, table);
	table_cell(table, COLUMN_CLIENTS, "%zu", row->clients);
	interfaces_row_attached(row, table);
}

static const char *const engine_words[] = {
	[ENGINE_DOCKER] = "docker",
	[ENGINE_PODMAN] = "podman",
};
static_assert(ARRAY_SIZE(engine_words) == ENGINE_PODMAN + 1, "every engine has a name");

static void interfaces_row_json(struct json_object *to, const struct interfaces_view *view,
				const struct interfaces_row *row)
{
	const struct network *network = row->network;
	const struct hbpf_addr *gateway;
	struct json_object *gateways;
	char addr[ADDR_STRLEN];
	size_t at = 0;

	json_add_string(to, "bridge", row->link->name);
	json_add_string(to, "kind", interface_kind(row->link));
	if (network) {
		json_add_string(to, "engine", engine_words[network->engine]);
		json_add_string(to, "network", network->name);
		json_add_string(to, "id", network->id);
	}
	gateways = json_add_array(to, "gateways");
	while ((gateway = interfaces_row_next_gateway(view, row->link, &at)))
		json_append_string(gateways, addr_format(gateway, addr));
	json_add_u64(to, "clients", row->clients);
	json_add_bool(to, "attached", row->attached_as != NULL);
	if (row->attached_as)
		json_add_string(to, "attached_as", row->attached_as);
	json_add_bool(to, "live", row->live);
}

static int interfaces_read(struct interfaces_view *view, struct error *err)
{
	const struct links *links = &view->at.host.links;

	view->rows = calloc(links->count + 1, sizeof(*view->rows));
	if (!view->rows)
		return error_nomem(err);
	for (size_t i = 0; i < links->count; i++) {
		struct interfaces_row *row = &view->rows[view->count];

		interfaces_row_read(view, &links->v[i], row);
		view->count += interface_has_own_clients(row->link) || row->attached_as;
	}
	return 0;
}

static void interfaces_json(const struct interfaces_view *view)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_add_array(doc, "bridges");

	for (size_t i = 0; i < view->count; i++)
		interfaces_row_json(json_append_object(array), view, &view->rows[i]);
	json_print(doc);
}

static void interfaces_print(const struct interfaces_view *view)
{
	static const struct table_column columns[] = {
		[COLUMN_INTERFACE] = { .head = "INTERFACE" },
		[COLUMN_KIND] = { .head = "KIND" },
		[COLUMN_NETWORK] = { .head = "NETWORK", .flags = TABLE_CUT },
		[COLUMN_GATEWAYS] = { .head = "GATEWAYS", .flags = TABLE_CUT },
		[COLUMN_CLIENTS] = { .head = "CLIENTS", .flags = TABLE_RIGHT },
		[COLUMN_ATTACHED] = { .head = "ATTACHED", .flags = TABLE_WRAP },
	};
	struct table table = TABLE(columns);

	if (!view->count) {
		puts("this host has no bridge, and no veth or tap with clients of its own");
		return;
	}
	for (size_t i = 0; i < view->count; i++)
		interfaces_row_print(view, &view->rows[i], &table);
	table_print(&table);
}

/* Without an engine the interfaces are still listed, so this only warns. */
static void interfaces_query_engines(struct engines *engines)
{
	struct error err = {};

	if (engines_query(engines, &err))
		log_warn("%s", err.what);
	for (size_t i = 0; i < engines->count; i++) {
		const struct engine *engine = &engines->v[i];

		if (engine->ret && engine->ret != -ENOENT)
			log_warn("%s", engine->problem.what);
	}
	error_free(&err);
}

static int cmd_interfaces(const struct cli_call *call)
{
	struct interfaces_view view = { .at = ATTACHED_INIT };
	struct error err = {};
	int ret;

	/* Before taking the lock, as an engine may be slow. */
	interfaces_query_engines(&view.engines);
	ret = attached_open(&view.at, PINS_READ, &err);
	if (!ret)
		ret = interfaces_read(&view, &err);
	pins_close(&view.at.pins);
	if (ret)
		log_error(&err);
	else if (call->json)
		interfaces_json(&view);
	else
		interfaces_print(&view);
	error_free(&err);
	free(view.rows);
	engines_free(&view.engines);
	attached_free(&view.at);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_interfaces = {
	.name = "interfaces",
	.old_name = "bridges",
	.synopsis = "[options]",
	.summary =
		"List what can be attached: bridges, their Docker or Podman networks, veths, taps",
	.text = "Lists bridges, the veths and taps of this host that are not connected to one, and\n"
		"what else is attached: its own addresses that clients can dial, the number of\n"
		"interfaces connected to it (CLIENTS), and whether it is attached. `hbpf status`\n"
		"has the other gateways: docker0's addresses and those of --gateway.",
	.reports = true,
	.root_for = "queries container engines and reads BPF maps",
	.run = cmd_interfaces,
};
