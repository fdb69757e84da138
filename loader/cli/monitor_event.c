/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/monitor_event.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/json.h"
#include "lib/printable.h"
#include "model/reasons.h"

const char *const monitor_kind_names[] = {
#define X(name, word, text) [HBPF_EVENT_##name] = (word),
	HBPF_EVENTS(X)
#undef X
		NULL,
};
static_assert(ARRAY_SIZE(monitor_kind_names) == HBPF_EVENT_MAX + 1, "every kind, and the end");

/* What follows the path; the others say it by their kind, or have a text of their reason. */
static const char *const kind_texts[HBPF_EVENT_MAX] = {
	[HBPF_EVENT_SOURCE] = "the source is not allowed",
	[HBPF_EVENT_COLLISION] = "the client port has another connection to this service",
	[HBPF_EVENT_NOT_LISTENING] = "nothing listens, or a firewall refuses",
	[HBPF_EVENT_NO_NAT_BYPASS] = "no conntrack entry, so NAT rules may redirect it",
};

static bool is_egress(enum hbpf_reason reason)
{
	return reason >= HBPF_OUT_OTHER;
}

/* The packet towards the client, with both ends exchanged. */
static struct frame_path reversed(const struct frame_path *path)
{
	return (struct frame_path){ .proto = path->proto, .src = path->dst, .dst = path->src };
}

static struct frame_path path_of(const struct monitor_event *event)
{
	const struct frame *frame = &event->frame;

	if (event->kind != HBPF_EVENT_NOT_LISTENING)
		return frame->path;
	return frame->has_quote ? frame->quote : reversed(&frame->path);
}

struct monitor_event monitor_event_read(const struct hbpf_event *from)
{
	struct monitor_event event = {
		.kind = from->kind,
		.reason = from->reason,
		.from_client = !is_egress(from->reason),
		.frame = frame_parse(from->frame, from->len),
	};

	event.path = path_of(&event);
	return event;
}

/* Does its path lead from a client to a gateway? */
static bool has_client(const struct monitor_event *event)
{
	return event->kind != HBPF_EVENT_GUARD && event->kind != HBPF_EVENT_DROP;
}

const struct hbpf_addr *monitor_event_client(const struct monitor_event *event)
{
	if (!event->frame.has_path)
		return NULL;
	return has_client(event) || event->from_client ? &event->path.src.addr
						       : &event->path.dst.addr;
}

__be16 monitor_event_dialled(const struct monitor_event *event)
{
	return has_client(event) || event->from_client ? event->path.dst.port
						       : event->path.src.port;
}

bool monitor_event_names_sender(const struct monitor_event *event)
{
	return event->from_client && !has_client(event);
}

const char *monitor_time_format(const struct timespec *time, char buf[MONITOR_TIME_STRLEN])
{
	struct tm local;
	size_t len = 0;

	if (localtime_r(&time->tv_sec, &local))
		len = strftime(buf, MONITOR_TIME_STRLEN, "%H:%M:%S", &local);
	snprintf(buf + len, MONITOR_TIME_STRLEN - len, ".%03u",
		 (unsigned int)(time->tv_nsec / 1000000) % 1000);
	return buf;
}

/* ---- the line ---- */

static const char *protocol_name(const struct monitor_event *event)
{
	if (event->frame.ethertype == ETH_P_ARP)
		return "arp";
	switch (event->path.proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	default:
		return "ip";
	}
}

static void put_end(FILE *to, const struct hbpf_endpoint *end)
{
	char buf[ENDPOINT_STRLEN];

	fputs(end->port ? endpoint_format(&end->addr, end->port, buf)
			: addr_format(&end->addr, buf),
	      to);
}

static void put_path(FILE *to, const struct monitor_event *event)
{
	if (!event->frame.has_path) {
		fprintf(to, "ethertype 0x%04x", event->frame.ethertype);
		return;
	}
	put_end(to, &event->path.src);
	if (event->container && has_client(event))
		fprintf(to, " (%s)", event->container);
	fputs(" -> ", to);
	put_end(to, &event->path.dst);
	fprintf(to, "/%s", protocol_name(event));
	if (event->has_local) {
		fputs(" -> ", to);
		put_end(to, &event->local);
	}
}

/* Who sent a packet whose source address may be forged. */
static void put_sender(FILE *to, const struct monitor_event *event)
{
	char mac[MAC_STRLEN];

	fprintf(to, "; sent by %s", mac_format(event->frame.src_mac, mac));
	if (event->port)
		fprintf(to, ", port %s", event->port);
	if (event->container)
		fprintf(to, ", container %s", event->container);
}

/* Without the word that the kind has said. */
static const char *why_dropped(const struct monitor_event *event)
{
	static const char guard[] = "guard: ";
	const char *text = reason_text(event->reason)->text;

	return strncmp(text, guard, sizeof(guard) - 1) ? text : text + sizeof(guard) - 1;
}

static void put_line(FILE *to, const struct monitor_event *event)
{
	put_path(to, event);
	if (!has_client(event))
		fprintf(to, ": %s", why_dropped(event));
	else if (kind_texts[event->kind])
		fprintf(to, ": %s", kind_texts[event->kind]);
	if (monitor_event_names_sender(event))
		put_sender(to, event);
}

char *monitor_event_text(const struct monitor_event *event)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	put_line(to, event);
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return printable(text);
}

/* ---- JSON ---- */

static void add_end(struct json_object *to, const char *address, const char *port,
		    const struct hbpf_endpoint *end)
{
	char buf[ADDR_STRLEN];

	json_add_string(to, address, addr_format(&end->addr, buf));
	if (end->port)
		json_add_int(to, port, ntohs(end->port));
}

static void add_path(struct json_object *to, const struct monitor_event *event)
{
	const struct frame_path *path = &event->path;

	if (!event->frame.has_path)
		return;
	json_add_string(to, "protocol", protocol_name(event));
	if (has_client(event)) {
		add_end(to, "client_address", "client_port", &path->src);
		add_end(to, "gateway_address", "gateway_port", &path->dst);
	} else {
		add_end(to, "source_address", "source_port", &path->src);
		add_end(to, "destination_address", "destination_port", &path->dst);
	}
	if (event->has_local)
		add_end(to, "local_address", "local_port", &event->local);
}

void monitor_event_json(const struct monitor_event *event, struct json_object *to)
{
	char mac[MAC_STRLEN];

	json_add_string(to, "reason", reason_text(event->reason)->name);
	add_path(to, event);
	if (monitor_event_names_sender(event))
		json_add_string(to, "source_mac", mac_format(event->frame.src_mac, mac));
	if (event->port)
		json_add_string(to, "bridge_port", event->port);
	if (event->container)
		json_add_string(to, "container", event->container);
}
