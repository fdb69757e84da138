/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of hbpf monitor, and their JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include "cli/monitor_event.h"
#include "frames.h"
#include "lib/addr.h"
#include "lib/array.h"

#define SENDER "; sent by 02:00:00:00:00:02, port veth1, container web"

static const struct {
	enum hbpf_event_kind kind;
	enum hbpf_reason reason;
	const char *frame;
	bool exported; /* its port leads to a loopback port */
	const char *text;
	const char *client; /* that filters compare */
	unsigned int dialled;
} lines[] = {
	{ HBPF_EVENT_FLOW, HBPF_IN_TRANSLATED, FRAME_TCP, true,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:80/tcp -> 127.0.0.1:8080", "172.30.0.2", 80 },
	{ HBPF_EVENT_FLOW, HBPF_IN_TRANSLATED, FRAME_TCP6, false,
	  "[fd00:30::2]:40000 (web) -> [fd00:30::1]:80/tcp", "fd00:30::2", 80 },
	{ HBPF_EVENT_SOURCE, HBPF_IN_SOURCE, FRAME_OPTIONS, true,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:53/udp -> 127.0.0.1:8080: "
	  "the source is not allowed",
	  "172.30.0.2", 53 },
	{ HBPF_EVENT_NOT_EXPORTED, HBPF_IN_NOT_EXPORTED, FRAME_TCP, false,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:80/tcp", "172.30.0.2", 80 },
	{ HBPF_EVENT_COLLISION, HBPF_IN_COLLISION, FRAME_TCP, true,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:80/tcp -> 127.0.0.1:8080: "
	  "the client port has another connection to this service",
	  "172.30.0.2", 80 },
	{ HBPF_EVENT_NOT_LISTENING, HBPF_OUT_TRANSLATED, FRAME_RST, true,
	  "172.30.0.2:40001 (web) -> 172.30.0.1:81/tcp -> 127.0.0.1:8080: "
	  "nothing listens, or a firewall refuses",
	  "172.30.0.2", 81 },
	{ HBPF_EVENT_NOT_LISTENING, HBPF_OUT_ICMP, FRAME_UNREACHABLE, true,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:53/udp -> 127.0.0.1:8080: "
	  "nothing listens, or a firewall refuses",
	  "172.30.0.2", 53 },
	{ HBPF_EVENT_NOT_LISTENING, HBPF_OUT_ICMP, FRAME_UNREACHABLE6, false,
	  "[fd00:30::2]:40000 (web) -> [fd00:30::1]:53/udp: "
	  "nothing listens, or a firewall refuses",
	  "fd00:30::2", 53 },
	{ HBPF_EVENT_NO_NAT_BYPASS, HBPF_IN_TRANSLATED, FRAME_TCP, true,
	  "172.30.0.2:40000 (web) -> 172.30.0.1:80/tcp -> 127.0.0.1:8080: "
	  "no conntrack entry, so NAT rules may redirect it",
	  "172.30.0.2", 80 },
	{ HBPF_EVENT_GUARD, HBPF_IN_GUARD_VLAN, FRAME_TAGS, false,
	  "127.0.0.1:4444 -> 172.30.0.1:80/udp: "
	  "priority tag (VLAN ID 0) in front of the packet" SENDER,
	  "127.0.0.1", 80 },
	{ HBPF_EVENT_GUARD, HBPF_IN_GUARD_ARP, FRAME_ARP, false,
	  "127.0.0.1 -> 172.30.0.1/arp: ARP about a loopback address" SENDER, "127.0.0.1", 0 },
	{ HBPF_EVENT_GUARD, HBPF_IN_GUARD_DST, FRAME_ECHO, false,
	  "172.30.0.2 -> 127.0.0.1/icmp: loopback destination address from the bridge" SENDER,
	  "172.30.0.2", 0 },
	{ HBPF_EVENT_GUARD, HBPF_IN_GUARD_SRC, FRAME_GRE, false,
	  "127.0.0.1 -> 172.30.0.1/ip: loopback source address from the bridge" SENDER, "127.0.0.1",
	  0 },
	{ HBPF_EVENT_GUARD, HBPF_IN_GUARD_VLAN, ETHER "810000008899", false,
	  "ethertype 0x8899: priority tag (VLAN ID 0) in front of the packet" SENDER, NULL, 0 },
	{ HBPF_EVENT_DROP, HBPF_OUT_AMBIGUOUS, FRAME_RST, false,
	  "172.30.0.1:81 -> 172.30.0.2:40001/tcp: what the client dialled is unknown, and several "
	  "gateways or ports fit",
	  "172.30.0.2", 81 },
};

static struct monitor_event event_of(size_t i)
{
	struct hbpf_event from = { .kind = lines[i].kind, .reason = lines[i].reason };
	struct monitor_event event;

	from.len = (__u8)frame_bytes(lines[i].frame, from.frame);
	event = monitor_event_read(&from);
	event.container = "web";
	if (monitor_event_names_sender(&event))
		event.port = "veth1";
	if (lines[i].exported) {
		event.has_local = true;
		event.local.addr = addr_from_v4(htonl(INADDR_LOOPBACK));
		event.local.port = htons(8080);
	}
	return event;
}

static void each_line_says_who_dialled_what_and_what_happened(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct monitor_event event = event_of(i);
		char *text = monitor_event_text(&event);

		assert_string_equal(text, lines[i].text);
		free(text);
	}
}

static void filters_compare_the_client_and_the_port_that_it_dialled(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const struct monitor_event event = event_of(i);
		const struct hbpf_addr *client = monitor_event_client(&event);
		char buf[ADDR_STRLEN];

		assert_int_equal(client != NULL, lines[i].client != NULL);
		if (client)
			assert_string_equal(addr_format(client, buf), lines[i].client);
		assert_int_equal(ntohs(monitor_event_dialled(&event)), lines[i].dialled);
	}
}

static void names_of_others_cannot_control_the_terminal(void **state)
{
	struct monitor_event event = event_of(0);
	char *text;

	(void)state;
	event.container = "web\033[7m\n";
	text = monitor_event_text(&event);
	assert_non_null(strstr(text, "(web?[7m?)"));
	free(text);
}

static void json_has_what_the_line_has(void **state)
{
	static const struct {
		size_t line;
		const char *text;
	} objects[] = {
		{ 0, "{\"reason\":\"IN_TRANSLATED\",\"protocol\":\"tcp\","
		     "\"client_address\":\"172.30.0.2\",\"client_port\":40000,"
		     "\"gateway_address\":\"172.30.0.1\",\"gateway_port\":80,"
		     "\"local_address\":\"127.0.0.1\",\"local_port\":8080,\"container\":\"web\"}" },
		{ 10, "{\"reason\":\"IN_GUARD_ARP\",\"protocol\":\"arp\","
		      "\"source_address\":\"127.0.0.1\",\"destination_address\":\"172.30.0.1\","
		      "\"source_mac\":\"02:00:00:00:00:02\",\"bridge_port\":\"veth1\","
		      "\"container\":\"web\"}" },
		{ 13, "{\"reason\":\"IN_GUARD_VLAN\",\"source_mac\":\"02:00:00:00:00:02\","
		      "\"bridge_port\":\"veth1\",\"container\":\"web\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		const struct monitor_event event = event_of(objects[i].line);
		struct json_object *doc = json_object_new_object();

		monitor_event_json(&event, doc);
		assert_string_equal(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN),
				    objects[i].text);
		json_object_put(doc);
	}
}

static void times_have_milliseconds(void **state)
{
	char buf[MONITOR_TIME_STRLEN];

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(monitor_time_format(&(struct timespec){ 3723, 4999999 }, buf),
			    "01:02:03.004");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_says_who_dialled_what_and_what_happened),
		cmocka_unit_test(filters_compare_the_client_and_the_port_that_it_dialled),
		cmocka_unit_test(names_of_others_cannot_control_the_terminal),
		cmocka_unit_test(json_has_what_the_line_has),
		cmocka_unit_test(times_have_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
