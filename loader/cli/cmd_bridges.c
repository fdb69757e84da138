/* SPDX-License-Identifier: GPL-2.0-only */
/* hbpf bridges: every bridge of the host, and which engine's network it is. */
#include "cli/commands.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attachment.h"
#include "attach/desired.h"
#include "engine/engine.h"
#include "lib/log.h"
#include "lib/output.h"
#include "lib/str_list.h"

/* Everything the rows are built from. */
struct view {
	struct host host;
	struct pins pins;
	struct pins_bridges attached;
	struct engines engines;
	struct row *rows;
	size_t count;
};

/* One bridge. */
struct row {
	const struct link *link;
	const struct network *network; /* or NULL */
	size_t clients;
	const char *attached_as; /* its name when it was attached; NULL: not attached */
	bool live;
};

static void row_read(const struct view *view, const struct link *link, struct row *row)
{
	*row = (struct row){
		.link = link,
		.network = engine_find_bridge(&view->engines.networks, link->name),
	};
	for (size_t i = 0; i < view->host.links.count; i++)
		row->clients += view->host.links.v[i].master == link->ifindex;
	for (size_t i = 0; i < view->attached.count; i++) {
		if (strcmp(view->attached.now[i], link->name) != 0)
			continue;
		row->attached_as = view->attached.as[i];
		row->live = attachment_is_alive(&view->pins, &view->host, view->attached.names[i]);
	}
}

/* Return: the bridge's next own address that clients can dial, or NULL; @at counts from 0 */
static const struct hbpf_addr *next_gateway(const struct view *view, const struct link *link,
					    size_t *at)
{
	const struct link_addrs *addrs = &view->host.addrs;

	while (*at < addrs->count) {
		const struct link_addr *own = &addrs->v[(*at)++];

		if (address_is_gateway(own, link))
			return &own->addr;
	}
	return NULL;
}

static void gateways_cell(const struct view *view, const struct row *row, struct columns *columns)
{
	char text[256] = "", addr[ADDR_STRLEN];
	const struct hbpf_addr *gateway;
	size_t at = 0;

	while ((gateway = next_gateway(view, row->link, &at)))
		str_list_add(text, sizeof(text), addr_format(gateway, addr));
	columns_cell(columns, 2, "%s", text[0] ? text : "-");
}

static void attached_cell(const struct row *row, struct columns *columns)
{
	const char *word = row->live ? "yes" : "dead";

	if (!row->attached_as)
		columns_cell(columns, 4, "no");
	else if (strcmp(row->attached_as, row->link->name) != 0)
		columns_cell(columns, 4, "%s (attached as %s)", word, row->attached_as);
	else
		columns_cell(columns, 4, "%s", word);
}

static void print_row(const struct view *view, const struct row *row, struct columns *columns)
{
	if (columns_row(columns))
		return;
	columns_cell(columns, 0, "%s", row->link->name);
	if (row->network)
		columns_cell(columns, 1, "%s (%s)", row->network->name,
			     engine_name(row->network->engine));
	else
		columns_cell(columns, 1, "-");
	gateways_cell(view, row, columns);
	columns_cell(columns, 3, "%zu", row->clients);
	attached_cell(row, columns);
}

static void print_head(struct columns *columns)
{
	static const char *const head[] = { "BRIDGE", "NETWORK", "GATEWAYS", "CLIENTS",
					    "ATTACHED" };

	if (columns_row(columns))
		return;
	for (unsigned int i = 0; i < sizeof(head) / sizeof(*head); i++)
		columns_cell(columns, i, "%s", head[i]);
}

static const char *const engine_words[] = {
	[ENGINE_DOCKER] = "docker",
	[ENGINE_PODMAN] = "podman",
};

static struct json_object *row_json(const struct view *view, const struct row *row)
{
	struct json_object *item = json_object_new_object();
	struct json_object *gateways = json_object_new_array();
	const struct network *network = row->network;
	const struct hbpf_addr *gateway;
	char addr[ADDR_STRLEN];
	size_t at = 0;

	json_object_object_add(item, "bridge", output_string(row->link->name));
	if (network) {
		json_object_object_add(item, "engine",
				       output_string(engine_words[network->engine]));
		json_object_object_add(item, "network", output_string(network->name));
		json_object_object_add(item, "id", output_string(network->id));
	}
	while ((gateway = next_gateway(view, row->link, &at)))
		json_object_array_add(gateways, output_string(addr_format(gateway, addr)));
	json_object_object_add(item, "gateways", gateways);
	json_object_object_add(item, "clients", json_object_new_int64((int64_t)row->clients));
	json_object_object_add(item, "attached", json_object_new_boolean(row->attached_as != NULL));
	if (row->attached_as)
		json_object_object_add(item, "attached_as", output_string(row->attached_as));
	json_object_object_add(item, "live", json_object_new_boolean(row->live));
	return item;
}

static int read_rows(struct view *view, struct error *err)
{
	const struct links *links = &view->host.links;

	view->rows = calloc(links->count + 1, sizeof(*view->rows));
	if (!view->rows)
		return error_set(err, ENOMEM, "no memory for %zu bridges", links->count);
	for (size_t i = 0; i < links->count; i++) {
		if (!strcmp(links->v[i].kind, "bridge"))
			row_read(view, &links->v[i], &view->rows[view->count++]);
	}
	return 0;
}

static void show_json(const struct view *view)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < view->count; i++)
		json_object_array_add(array, row_json(view, &view->rows[i]));
	json_object_object_add(doc, "bridges", array);
	output_json(doc);
}

static void show(const struct view *view)
{
	struct columns columns = {};

	if (!view->count) {
		puts("this host has no bridge");
		return;
	}
	print_head(&columns);
	for (size_t i = 0; i < view->count; i++)
		print_row(view, &view->rows[i], &columns);
	columns_print(&columns, 0);
}

/* Without an engine the bridges are still listed, so this only warns. */
static void ask_engines(struct engines *engines)
{
	struct error err = {};

	if (engines_ask(engines, &err))
		log_warn("%s", err.what);
	for (size_t i = 0; i < engines->count; i++) {
		const struct engine *engine = &engines->v[i];

		if (engine->ret && engine->ret != -ENOENT)
			log_warn("%s", engine->problem.what);
	}
	error_free(&err);
}

static int run(const struct cli_call *call)
{
	struct view view = { .pins = PINS_INIT };
	struct error err = {};
	int ret;

	/* Before taking the lock, as an engine may be slow. */
	ask_engines(&view.engines);
	ret = attachment_bridges(PINS_READ, &view.pins, &view.attached, &err);
	if (!ret)
		ret = host_read(&view.host, &err);
	if (!ret)
		ret = read_rows(&view, &err);
	pins_close(&view.pins);
	if (ret)
		log_error(&err);
	else if (call->json)
		show_json(&view);
	else
		show(&view);
	error_free(&err);
	host_free(&view.host);
	pins_bridges_free(&view.attached);
	free(view.rows);
	engines_free(&view.engines);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_bridges = {
	.name = "bridges",
	.synopsis = "[options]",
	.summary = "List the bridges of this host and their Docker or Podman networks",
	.text = "Shows each bridge's own addresses that containers can dial, its number of ports\n"
		"(interfaces), and whether it is attached. `hbpf status` has the other gateways:\n"
		"docker0's addresses and those of --gateway.",
	.reports = true,
	.root_for = "queries container engines and reads BPF maps",
	.run = run,
};
