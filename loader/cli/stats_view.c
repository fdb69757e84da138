/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/stats_view.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ports_view.h"
#include "lib/addr.h"
#include "lib/json.h"
#include "lib/printable.h"
#include "lib/table.h"
#include "lib/units.h"
#include "model/reasons.h"

/* One bridge, and what its counters are compared with. */
struct view {
	const struct bridge_traffic *bridge;
	const struct bridge_traffic *before; /* NULL: not read before */
	double seconds;                      /* between the two; 0: no rates are shown */
};

static struct view view_of(const struct traffic *traffic, const struct traffic *before, size_t i)
{
	struct view view = { .bridge = &traffic->v[i] };

	if (!before)
		return view;
	view.before = traffic_before(before, view.bridge);
	view.seconds = (double)(traffic->ms - before->ms) / 1000;
	return view;
}

/* ---- text ---- */

static void packets_cell(struct table *table, size_t column, const struct view *view, __u64 total,
			 __u64 grown)
{
	double rate = view->before ? (double)grown / view->seconds : 0;

	if (!view->seconds)
		table_cell(table, column, "%llu", total);
	else if (!view->before)
		table_cell(table, column, "-");
	else
		table_cell(table, column, rate > 0 && rate < 10 ? "%.1f" : "%.0f", rate);
}

static void bytes_cell(struct table *table, size_t column, const struct view *view, __u64 total,
		       __u64 grown)
{
	char size[SIZE_STRLEN];

	if (!view->seconds)
		table_cell(table, column, "%s", size_format(total, size));
	else if (!view->before)
		table_cell(table, column, "-");
	else
		table_cell(table, column, "%s",
			   size_format((__u64)((double)grown / view->seconds), size));
}

static void port_row(struct table *table, const struct view *view, size_t i)
{
	const struct hbpf_export_key *key = &view->bridge->exports.v[i].key;
	const struct hbpf_port_stats *total = &view->bridge->ports[i];
	struct hbpf_port_stats grown = {};

	if (view->before)
		grown = traffic_port_counted(view->bridge, view->before, i);
	table_row(table);
	table_cell(table, 0, "%u/%s", ntohs(key->port), proto_name(key->proto));
	packets_cell(table, 1, view, total->in_packets, grown.in_packets);
	bytes_cell(table, 2, view, total->in_bytes, grown.in_bytes);
	packets_cell(table, 3, view, total->out_packets, grown.out_packets);
	bytes_cell(table, 4, view, total->out_bytes, grown.out_bytes);
}

static void write_ports(FILE *to, const struct terminal *terminal, const struct view *view)
{
	static const struct table_column totals[] = {
		{ .head = "PORT" },
		{ .head = "PACKETS IN", .flags = TABLE_RIGHT },
		{ .head = "BYTES IN", .flags = TABLE_RIGHT },
		{ .head = "PACKETS OUT", .flags = TABLE_RIGHT },
		{ .head = "BYTES OUT", .flags = TABLE_RIGHT },
	};
	static const struct table_column rates[] = {
		{ .head = "PORT" },
		{ .head = "PACKETS/s IN", .flags = TABLE_RIGHT },
		{ .head = "BYTES/s IN", .flags = TABLE_RIGHT },
		{ .head = "PACKETS/s OUT", .flags = TABLE_RIGHT },
		{ .head = "BYTES/s OUT", .flags = TABLE_RIGHT },
	};
	struct table table = TABLE(totals);

	static_assert(ARRAY_SIZE(totals) == ARRAY_SIZE(rates), "the same columns");
	if (view->seconds)
		table.columns = rates;
	table.indent = 2;
	for (size_t i = 0; i < view->bridge->exports.count; i++) {
		if (view->bridge->ports[i].in_packets || view->bridge->ports[i].out_packets)
			port_row(&table, view, i);
	}
	table_write(&table, to, terminal);
}

static enum level reason_level(enum hbpf_reason reason, __u64 packets)
{
	return packets && reason_text(reason)->drops ? LEVEL_WARNING : LEVEL_NONE;
}

static void reason_row(struct table *table, const struct view *view, enum hbpf_reason reason)
{
	const struct hbpf_counter *total = &view->bridge->counters[reason];
	const struct reason_text *text = reason_text(reason);
	struct hbpf_counter grown = {};

	if (view->before)
		grown = traffic_counted(view->bridge, view->before, reason);
	table_row(table);
	table_cell(table, 0, "%s", text->name);
	table_cell(table, 1, "%s", text->verdict);
	packets_cell(table, 2, view, total->packets, grown.packets);
	bytes_cell(table, 3, view, total->bytes, grown.bytes);
	table_cell(table, 4, "%s", text->text);
	table_level(table, 1, reason_level(reason, view->seconds ? grown.packets : total->packets));
}

static void write_reasons(FILE *to, const struct terminal *terminal, const struct view *view)
{
	static const struct table_column totals[] = {
		{ .head = "REASON" },
		{ .head = "VERDICT" },
		{ .head = "PACKETS", .flags = TABLE_RIGHT },
		{ .head = "BYTES", .flags = TABLE_RIGHT },
		{ .head = "MEANING", .flags = TABLE_WRAP },
	};
	static const struct table_column rates[] = {
		{ .head = "REASON" },
		{ .head = "VERDICT" },
		{ .head = "PACKETS/s", .flags = TABLE_RIGHT },
		{ .head = "BYTES/s", .flags = TABLE_RIGHT },
		{ .head = "MEANING", .flags = TABLE_CUT },
	};
	struct table table = TABLE(totals);

	static_assert(ARRAY_SIZE(totals) == ARRAY_SIZE(rates), "the same columns");
	if (view->seconds)
		table.columns = rates;
	table.indent = 2;
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		if (view->bridge->counters[reason].packets)
			reason_row(&table, view, reason);
	}
	table_write(&table, to, terminal);
}

static bool has_counted(const struct bridge_traffic *bridge)
{
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++) {
		if (bridge->counters[reason].packets)
			return true;
	}
	return false;
}

/* Names are chosen by others. */
static void write_text(FILE *to, const char *text)
{
	char *copy = strdup(text);

	if (copy)
		fputs(printable(copy), to);
	free(copy);
}

static void write_head(FILE *to, const struct bridge_traffic *bridge)
{
	write_text(to, bridge->name);
	if (!bridge->ifindex)
		fputs(": the interface was deleted", to);
	else if (!bridge->live)
		fputs(": dead, see `hbpf status`", to);
	else if (!bridge->problem.what[0] && !has_counted(bridge))
		fputs(": no packet yet", to);
	if (bridge->problem.what[0]) {
		fputs(": ", to);
		write_text(to, bridge->problem.what);
	}
	fputc('\n', to);
}

void stats_view_write(FILE *to, const struct terminal *terminal, const struct traffic *traffic,
		      const struct traffic *before)
{
	if (!traffic->count)
		fputs("no interface is attached\n", to);
	for (size_t i = 0; i < traffic->count; i++) {
		const struct view view = view_of(traffic, before, i);

		write_head(to, view.bridge);
		if (view.bridge->problem.what[0])
			continue;
		write_ports(to, terminal, &view);
		write_reasons(to, terminal, &view);
	}
}

/* ---- JSON ---- */

void counter_json(struct json_object *to, enum hbpf_reason reason,
		  const struct hbpf_counter *counter)
{
	json_add_string(to, "reason", reason_text(reason)->name);
	json_add_string(to, "verdict", reason_text(reason)->verdict);
	json_add_u64(to, "packets", counter->packets);
	json_add_u64(to, "bytes", counter->bytes);
}

static void port_json(struct json_object *to, const struct view *view, size_t i)
{
	const struct hbpf_export_key *key = &view->bridge->exports.v[i].key;
	const struct hbpf_port_stats *total = &view->bridge->ports[i];
	struct hbpf_port_stats grown;
	struct json_object *rates;

	json_add_int(to, "gateway_port", ntohs(key->port));
	json_add_string(to, "protocol", proto_name(key->proto));
	port_stats_json(to, total);
	if (!view->before)
		return;
	grown = traffic_port_counted(view->bridge, view->before, i);
	rates = json_add_object(to, "per_second");
	json_add_decimal(rates, "in_packets", (double)grown.in_packets / view->seconds);
	json_add_decimal(rates, "in_bytes", (double)grown.in_bytes / view->seconds);
	json_add_decimal(rates, "out_packets", (double)grown.out_packets / view->seconds);
	json_add_decimal(rates, "out_bytes", (double)grown.out_bytes / view->seconds);
}

static void reason_json(struct json_object *to, const struct view *view, enum hbpf_reason reason)
{
	const struct hbpf_counter *total = &view->bridge->counters[reason];
	struct hbpf_counter grown;
	struct json_object *rates;

	counter_json(to, reason, total);
	if (!view->before)
		return;
	grown = traffic_counted(view->bridge, view->before, reason);
	rates = json_add_object(to, "per_second");
	json_add_decimal(rates, "packets", (double)grown.packets / view->seconds);
	json_add_decimal(rates, "bytes", (double)grown.bytes / view->seconds);
}

static void bridge_json(struct json_object *to, const struct view *view)
{
	const struct bridge_traffic *bridge = view->bridge;
	struct json_object *array;

	json_add_string(to, "bridge", bridge->name);
	json_add_bool(to, "exists", bridge->ifindex != 0);
	json_add_bool(to, "live", bridge->live);
	if (bridge->problem.what[0]) {
		report_problem_json(to, &bridge->problem);
		return;
	}
	array = json_add_array(to, "ports");
	for (size_t i = 0; i < bridge->exports.count; i++)
		port_json(json_append_object(array), view, i);
	array = json_add_array(to, "counters");
	for (int reason = 0; reason < HBPF_REASON_MAX; reason++)
		reason_json(json_append_object(array), view, reason);
}

void stats_view_json(struct json_object *doc, const struct traffic *traffic,
		     const struct traffic *before)
{
	struct json_object *array = json_add_array(doc, "bridges");

	for (size_t i = 0; i < traffic->count; i++) {
		const struct view view = view_of(traffic, before, i);

		bridge_json(json_append_object(array), &view);
	}
}
