/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/ports_view.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/exports_map.h"
#include "dataplane/stats.h"
#include "lib/json.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/units.h"

static int read_families(struct dataplane *dp, struct ports_view *ports, struct error *err)
{
	struct gateways gateways = {};
	int ret = dataplane_gateways(dp, &gateways, err);

	for (size_t i = 0; !ret && i < gateways.count; i++) {
		if (addr_is_v4(&gateways.v[i].addr))
			ports->has_v4 = true;
		else
			ports->has_v6 = true;
	}
	gateways_free(&gateways);
	return ret;
}

int ports_view_read(struct dataplane *dp, struct listening *listening, struct ports_view *ports,
		    struct error *err)
{
	int ret;

	memset(ports, 0, sizeof(*ports));
	ret = dataplane_exports(dp, &ports->exports, err);
	if (!ret)
		ret = read_families(dp, ports, err);
	if (!ret)
		ret = dataplane_source_lists(dp, &ports->sources, err);
	if (!ret)
		ret = listeners_find(&ports->exports, listening, &ports->listeners, err);
	if (ret)
		goto out;
	ports->stats = calloc(ports->exports.count + 1, sizeof(*ports->stats));
	if (ports->stats)
		ret = dataplane_port_stats(dp, &ports->exports, ports->stats, err);
	else
		ret = error_nomem(err);
out:
	if (ret)
		ports_view_free(ports);
	return ret;
}

void ports_view_free(struct ports_view *ports)
{
	exports_free(&ports->exports);
	listeners_free(&ports->listeners);
	source_lists_free(&ports->sources);
	free(ports->stats);
	memset(ports, 0, sizeof(*ports));
}

/* "127.0.0.1:9000-9010"; @port: the first of the run, on the loopback or the gateway side */
static const char *run_format(const struct export_range *run, const struct hbpf_addr *addr,
			      __be16 port, char buf[ENDPOINT_STRLEN + 8])
{
	endpoint_format(addr, port, buf);
	if (run->count > 1)
		snprintf(buf + strlen(buf), 8, "-%zu", ntohs(port) + run->count - 1);
	return buf;
}

void report_reachable(const struct gateways *gateways, const struct exports *exports,
		      const struct listeners *listeners)
{
	char from[ENDPOINT_STRLEN + 8], to[ENDPOINT_STRLEN + 8], who[LISTENERS_STRLEN];
	static const struct table_column columns[] = { {}, {}, { .flags = TABLE_WRAP } };
	struct table table = TABLE(columns);

	for (size_t i = 0; i < gateways->count; i++) {
		const struct hbpf_addr *gateway = &gateways->v[i].addr;
		int family = addr_is_v4(gateway) ? LISTENER_V4 : LISTENER_V6;
		struct export_range run = {};

		while (listeners_next_range(exports, listeners, 1U << family, &run)) {
			struct hbpf_addr local = export_local(run.first, family);

			if (family == LISTENER_V6 && !run.first->to.ipv6)
				continue;
			table_row(&table);
			table_cell(&table, 0, "%s/%s",
				   run_format(&run, gateway, run.first->key.port, from),
				   proto_name(run.first->key.proto));
			table_cell(&table, 1, "-> %s",
				   run_format(&run, &local, run.first->to.port, to));
			table_cell(&table, 2, "%s",
				   listeners_format(&listeners->v[run.first - exports->v][family],
						    who));
		}
	}
	table_print(&table);
}

static struct hbpf_port_stats run_stats(const struct ports_view *ports,
					const struct export_range *run)
{
	const struct hbpf_port_stats *stats = &ports->stats[run->first - ports->exports.v];
	struct hbpf_port_stats sum = {};

	for (size_t i = 0; i < run->count; i++) {
		sum.in_packets += stats[i].in_packets;
		sum.in_bytes += stats[i].in_bytes;
		sum.out_packets += stats[i].out_packets;
		sum.out_bytes += stats[i].out_bytes;
	}
	return sum;
}

static void print_run(struct table *table, const struct ports_view *ports,
		      const struct export_range *run)
{
	const struct listener *who = ports->listeners.v[run->first - ports->exports.v];
	struct hbpf_port_stats stats = run_stats(ports, run);
	bool v6 = run->first->to.ipv6 && ports->has_v6;
	bool v4 = ports->has_v4 || !v6;
	struct hbpf_addr local = export_local(run->first, v4 ? LISTENER_V4 : LISTENER_V6);
	unsigned int port = ntohs(run->first->key.port);
	char to[ENDPOINT_STRLEN + 8], who4[LISTENERS_STRLEN], who6[LISTENERS_STRLEN],
		in[SIZE_STRLEN], out[SIZE_STRLEN], policy[POLICY_STRLEN];
	const char *on4 = listeners_format(&who[LISTENER_V4], who4);
	const char *on6 = listeners_format(&who[LISTENER_V6], who6);

	table_row(table);
	if (run->count > 1)
		table_cell(table, 0, "%u-%zu/%s", port, port + run->count - 1,
			   proto_name(run->first->key.proto));
	else
		table_cell(table, 0, "%u/%s", port, proto_name(run->first->key.proto));
	table_cell(table, 1, "-> %s", run_format(run, &local, run->first->to.port, to));
	table_cell(table, 2, "in %llu (%s)", stats.in_packets, size_format(stats.in_bytes, in));
	table_cell(table, 3, "out %llu (%s)", stats.out_packets, size_format(stats.out_bytes, out));
	if (!v4 || !v6 || !strcmp(on4, on6))
		table_cell(table, 4, "%s", v4 ? on4 : on6);
	else
		table_cell(table, 4, "%s; on [::1]: %s", on4, on6);
	if (!run->first->to.from.inherit)
		table_cell(table, 5, "from %s",
			   policy_format(&ports->sources, &run->first->to.from, false, policy));
}

/* Without any gateway, IPv4 is shown, as in print_run(). */
unsigned int ports_view_families(const struct ports_view *ports)
{
	return (ports->has_v4 || !ports->has_v6) << LISTENER_V4 | ports->has_v6 << LISTENER_V6;
}

void ports_view_print(const struct ports_view *ports, unsigned int indent)
{
	static const struct table_column columns[] = {
		{}, {}, {}, {}, { .flags = TABLE_WRAP }, { .flags = TABLE_WRAP },
	};
	struct table table = TABLE(columns);
	struct export_range run = {};

	table.indent = indent;
	while (listeners_next_range(&ports->exports, &ports->listeners, ports_view_families(ports),
				    &run))
		print_run(&table, ports, &run);
	table_print(&table);
}

void port_stats_json(struct json_object *to, const struct hbpf_port_stats *stats)
{
	json_add_u64(to, "in_packets", stats->in_packets);
	json_add_u64(to, "in_bytes", stats->in_bytes);
	json_add_u64(to, "out_packets", stats->out_packets);
	json_add_u64(to, "out_bytes", stats->out_bytes);
}

static void listener_json(struct json_object *to, const struct export *export,
			  const struct listener *listener, int family)
{
	struct hbpf_addr addr = export_local(export, family);
	char text[ADDR_STRLEN];

	json_add_string(to, "address", addr_format(&addr, text));
	json_add_bool(to, "listening", listener->found);
	if (listener->owner.pid) {
		json_add_string(to, "process", listener->owner.name);
		json_add_int(to, "pid", listener->owner.pid);
	}
	if (listener->owner.skipped)
		json_add_bool(to, "searched", false);
	if (proc_owner_is_engine(&listener->owner))
		json_add_bool(to, "answers", false);
}

static void port_json(struct json_object *to, const struct ports_view *ports, size_t i)
{
	const struct export *export = &ports->exports.v[i];
	struct json_object *services;

	json_add_int(to, "gateway_port", ntohs(export->key.port));
	json_add_string(to, "protocol", proto_name(export->key.proto));
	json_add_int(to, "local_port", ntohs(export->to.port));
	services = json_add_array(to, "services");
	for (int family = LISTENER_V4; family <= (export->to.ipv6 ? LISTENER_V6 : LISTENER_V4);
	     family++)
		listener_json(json_append_object(services), export, &ports->listeners.v[i][family],
			      family);
	if (!export->to.from.inherit)
		policy_json(json_add_array(to, "from"), &ports->sources, &export->to.from);
	port_stats_json(to, &ports->stats[i]);
}

void ports_view_json(struct json_object *array, const struct ports_view *ports)
{
	for (size_t i = 0; i < ports->exports.count; i++)
		port_json(json_append_object(array), ports, i);
}

/* Appends the prefixes of a list to the text in @buf. */
static void list_format(const struct source_lists *lists, __u32 list, char buf[POLICY_STRLEN])
{
	const struct sources sources = source_lists_get(lists, list);
	char text[PREFIX_STRLEN];
	size_t len = strlen(buf);

	for (size_t i = 0; i < sources.count; i++) {
		if (len + PREFIX_STRLEN + sizeof(", ...") > POLICY_STRLEN) {
			snprintf(buf + len, POLICY_STRLEN - len, ", ...");
			break;
		}
		len += (size_t)snprintf(buf + len, POLICY_STRLEN - len, "%s%s", len ? ", " : "",
					prefix_format(&sources.v[i].prefix, text));
	}
}

const char *policy_format(const struct source_lists *lists, const struct hbpf_policy *policy,
			  bool spelt, char buf[POLICY_STRLEN])
{
	char onlink[POLICY_STRLEN] = "";
	size_t len;

	buf[0] = 0;
	if (policy->list != HBPF_LIST_ONLINK)
		list_format(lists, policy->list, buf);
	if (!policy->onlink)
		return buf;
	/* A list that is too long is cut at its end. */
	len = strlen(buf);
	len += (size_t)snprintf(buf + len, POLICY_STRLEN - len, "%sonlink", len ? ", " : "");
	if (!spelt || len + sizeof(" ()") >= POLICY_STRLEN)
		return buf;
	list_format(lists, HBPF_LIST_ONLINK, onlink);
	snprintf(buf + len, POLICY_STRLEN - len, " (%.*s)",
		 (int)(POLICY_STRLEN - len - sizeof(" ()")), onlink[0] ? onlink : "none");
	return buf;
}

void policy_json(struct json_object *array, const struct source_lists *lists,
		 const struct hbpf_policy *policy)
{
	const struct sources sources = source_lists_get(lists, policy->list);
	char text[PREFIX_STRLEN];

	for (size_t i = 0; policy->list != HBPF_LIST_ONLINK && i < sources.count; i++)
		json_append_string(array, prefix_format(&sources.v[i].prefix, text));
	if (policy->onlink)
		json_append_string(array, "onlink");
}

void report_problem_json(struct json_object *to, const struct error *problem)
{
	json_add_string(to, "problem", problem->what);
	if (problem->hint[0])
		json_add_string(to, "hint", problem->hint);
}

void report_name(const char *name, const char *bridge)
{
	if (name && strcmp(name, bridge))
		output_text("%s is %s\n", name, bridge);
}
