/* SPDX-License-Identifier: GPL-2.0-only */
/* An event of `hbpf monitor`: read from what the programs reported, and shown as a line or JSON. */
#ifndef HBPF_MONITOR_EVENT_H
#define HBPF_MONITOR_EVENT_H

#include <hbpf/events.h>
#include <json-c/json.h>
#include <time.h>

#include "lib/frame.h"

struct monitor_event {
	struct timespec time; /* CLOCK_REALTIME */
	enum hbpf_event_kind kind;
	enum hbpf_reason reason;
	bool from_client; /* the packet came from the bridge */
	struct frame frame;
	/* FLOW, SOURCE, COLLISION, NOT_EXPORTED, NOT_LISTENING and NO_NAT_BYPASS: from the client
	 * to the gateway. GUARD and DROP: as it is in the packet. All zero if it has none. */
	struct frame_path path;

	/* what is known about it; the caller fills it */
	const char *bridge;
	bool has_local;
	struct hbpf_endpoint local; /* where the gateway port leads */
	const char *container;      /* of the client or sender, or NULL */
	const char *port;           /* the bridge's, where it saw the sender's MAC; or NULL */
};

/** monitor_event_read() - Return: the event without what the caller fills, and without time */
struct monitor_event monitor_event_read(const struct hbpf_event *from);

/** monitor_event_client() - Return: the client's address, or that of the other end if there is no
 * client; NULL if the packet has none */
const struct hbpf_addr *monitor_event_client(const struct monitor_event *event);

/** monitor_event_dialled() - Return: the port that the client dialled, network byte order, or 0 */
__be16 monitor_event_dialled(const struct monitor_event *event);

/** monitor_event_names_sender() - does its line name the MAC address that sent the packet? */
bool monitor_event_names_sender(const struct monitor_event *event);

/* By enum hbpf_event_kind, as --event takes them; ends with NULL. */
extern const char *const monitor_kind_names[HBPF_EVENT_MAX + 1];

#define MONITOR_TIME_STRLEN 16
/** monitor_time_format() - local time, "14:03:22.123". Returns @buf */
const char *monitor_time_format(const struct timespec *time, char buf[MONITOR_TIME_STRLEN]);

/** monitor_event_text() - the line, without time, bridge and kind, nor a newline; printable. To be
 * freed; NULL if out of memory */
char *monitor_event_text(const struct monitor_event *event);

/** monitor_event_json() - add it to an object */
void monitor_event_json(const struct monitor_event *event, struct json_object *to);

#endif /* HBPF_MONITOR_EVENT_H */
