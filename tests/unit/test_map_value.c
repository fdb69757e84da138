/* SPDX-License-Identifier: GPL-2.0-only */
/* What is an entry that hbpf makes, and what cannot be one. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/map_value.h"

/* One byte of an entry, and whether that is damage. */
struct byte {
	size_t at;
	__u8 value;
	bool damage;
};

/* Change one byte at a time of a good entry; @size: of @entry, which begins with the key */
static void judge_bytes(enum dataplane_map map, void *entry, size_t size, size_t value_at,
			const struct byte *bytes, size_t count)
{
	_Alignas(struct hbpf_config) char changed[sizeof(struct hbpf_config)];

	assert_true(size <= sizeof(changed));
	assert_null(map_value_damage(map, entry, (char *)entry + value_at));
	for (size_t i = 0; i < count; i++) {
		const char *damage;

		memcpy(changed, entry, size);
		changed[bytes[i].at] = bytes[i].value;
		damage = map_value_damage(map, changed, changed + value_at);
		if (bytes[i].damage != !!damage)
			fail_msg("byte %zu as 0x%02x: %s", bytes[i].at, bytes[i].value,
				 damage ? damage : "no damage");
	}
}

#define JUDGE(map, entry, value_at, bytes)                                                         \
	judge_bytes(map, &(entry), sizeof(entry), value_at, bytes, sizeof(bytes) / sizeof(*(bytes)))

struct export_entry {
	struct hbpf_export_key key;
	struct hbpf_export to;
};

#define KEY(field)  offsetof(struct export_entry, key.field)
#define TO(field)   offsetof(struct export_entry, to.field)
#define FROM(field) offsetof(struct export_entry, to.from.field)

static void an_export_leads_to_a_port_of_loopback(void **state)
{
	struct export_entry entry = {
		.key = { .port = htons(0x0100), .proto = IPPROTO_TCP },
		.to = { .addr4 = htonl(INADDR_LOOPBACK), .port = htons(0x0100), .ipv6 = 1 },
	};
	const struct byte bytes[] = {
		{ KEY(proto), IPPROTO_UDP, false },
		{ KEY(proto), IPPROTO_ICMP, true },
		{ KEY(proto), 0, true },
		{ KEY(port), 0, true },
		{ KEY(port), 0xff, false },
		{ KEY(pad), 1, true },
		{ TO(addr4), 126, true },
		{ TO(addr4), 0, true },
		{ TO(addr4) + 3, 2, true }, /* ::1 beside 127.0.0.2 */
		{ TO(port), 0, true },
		{ TO(ipv6), 0, false },
		{ TO(ipv6), 2, true },
		{ TO(pad), 0x80, true },
	};

	(void)state;
	entry.to.from.inherit = 1;
	JUDGE(MAP_EXPORTS, entry, offsetof(struct export_entry, to), bytes);
	entry.to.ipv6 = 0;
	entry.to.addr4 = htonl(0x7fffffff);
	assert_null(map_value_damage(MAP_EXPORTS, &entry.key, &entry.to));
}

static void an_export_names_a_list_that_ports_can_have(void **state)
{
	struct export_entry entry = {
		.key = { .port = htons(8088), .proto = IPPROTO_UDP },
		.to = {
			.addr4 = htonl(INADDR_LOOPBACK),
			.port = htons(8088),
			.from.list = HBPF_LIST_PORTS,
		},
	};
	const struct byte bytes[] = {
		{ FROM(list), HBPF_LIST_ONLINK, false },
		{ FROM(list), HBPF_LIST_HOST, true },
		{ FROM(list), HBPF_LIST_BRIDGE, true },
		{ FROM(list) + 1, 0xff, false },
		{ FROM(onlink), 1, false },
		{ FROM(onlink), 2, true },
		{ FROM(inherit), 1, false },
		{ FROM(inherit), 2, true },
	};

	(void)state;
	JUDGE(MAP_EXPORTS, entry, offsetof(struct export_entry, to), bytes);
}

static void a_gateway_is_one_for_a_reason(void **state)
{
	struct {
		struct hbpf_addr addr;
		__u32 why;
	} entry = { addr_from_v4(htonl(0xac1e0001)), HBPF_GATEWAY_BRIDGE };
	const struct byte bytes[] = {
		{ 16, HBPF_GATEWAY_BRIDGE | HBPF_GATEWAY_DOCKER0 | HBPF_GATEWAY_OPTION, false },
		{ 16, 0, true },
		{ 16, HBPF_GATEWAY_OPTION << 1, true },
		{ 19, 0x80, true },
		{ 12, 10, false },
		{ 12, 127, true },
	};

	(void)state;
	JUDGE(MAP_GATEWAYS, entry, 16, bytes);
}

static void a_source_is_a_prefix(void **state)
{
	struct {
		struct hbpf_source_key key;
		struct hbpf_source value;
	} v4 = { .key = { .prefixlen = 32 + 96 + 24,
			  .list = 3,
			  .addr = addr_from_v4(htonl(0xac1e0000)) } };
	struct {
		struct hbpf_source_key key;
		struct hbpf_source value;
	} all6 = { .key = { .prefixlen = HBPF_LIST_BITS, .list = 3, .ipv6 = 1 } };
	const struct byte bytes4[] = {
		{ 0, 32 + 96 + 15, false },
		{ 0, 32 + 96 + 14, true }, /* 172.30.0.0 has a bit behind that */
		{ 0, 32 + 128, false },
		{ 0, 32 + 129, true },
		{ 0, 31, true },
		{ 3, 0x80, true },
		{ 4, 0, false }, /* any list */
		{ 5, 0xff, false },
		{ 6, 1, true }, /* an IPv4 prefix said to be IPv6 */
		{ 6, 2, true },
		{ 23, 1, true },
		{ 24, 172, false },
	};
	const struct byte bytes6[] = {
		{ 0, 31, true },
		{ 6, 0, true }, /* ::/0 said to be IPv4 */
		{ 8, 0xfd, true },
	};

	(void)state;
	JUDGE(MAP_SOURCES, v4, sizeof(v4.key), bytes4);
	JUDGE(MAP_SOURCES, all6, sizeof(all6.key), bytes6);
}

#define CONFIG(field) offsetof(struct hbpf_config, field)

static void a_config_holds_choices(void **state)
{
	struct hbpf_config config = {
		.layout = HBPF_LAYOUT,
		.hook = HBPF_HOOK_CLSACT,
		.from = { .list = HBPF_LIST_ONLINK, .onlink = 1 },
	};
	const struct byte bytes[] = {
		{ CONFIG(hook), HBPF_HOOK_AUTO, false }, /* killed before anything was attached */
		{ CONFIG(hook), HBPF_HOOK_CLSACT + 1, true },
		{ CONFIG(hook_option), HBPF_HOOK_CLSACT, false },
		{ CONFIG(hook_option), HBPF_HOOK_CLSACT + 1, true },
		{ CONFIG(nat_bypass_option), HBPF_OFF, false },
		{ CONFIG(nat_bypass_option), HBPF_OFF + 1, true },
		{ CONFIG(guard_option), HBPF_OFF, false },
		{ CONFIG(guard_option), HBPF_OFF + 1, true },
		{ CONFIG(guard_dst), 1, false },
		{ CONFIG(guard_dst), 2, true },
		{ CONFIG(guard_shared), 1, false },
		{ CONFIG(guard_shared), 2, true },
		{ CONFIG(nat_bypass), 1, false },
		{ CONFIG(nat_bypass), 2, true },
		{ CONFIG(nat_bypass_built), 1, false },
		{ CONFIG(nat_bypass_built), 2, true },
		{ CONFIG(from.list), HBPF_LIST_BRIDGE, false },
		{ CONFIG(from.list), HBPF_LIST_HOST, true },
		{ CONFIG(from.onlink), 0, false },
		{ CONFIG(from.onlink), 2, true },
		{ CONFIG(from.inherit), 1, true },
	};

	(void)state;
	JUDGE(MAP_CONFIG, config, 0, bytes);
}

/* A client chooses what stands there: to call it damage would let it stop `ports del`. */
static void what_the_programs_write_is_never_damaged(void **state)
{
	const enum dataplane_map maps[] = { MAP_FLOWS, MAP_FRAGMENTS, MAP_COUNTERS, MAP_PORT_STATS,
					    MAP_SERVICES };
	_Alignas(8) char bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		memset(bytes, 0, sizeof(bytes));
		assert_null(map_value_damage(maps[i], bytes, bytes));
		memset(bytes, 0xff, sizeof(bytes));
		assert_null(map_value_damage(maps[i], bytes, bytes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_export_leads_to_a_port_of_loopback),
		cmocka_unit_test(an_export_names_a_list_that_ports_can_have),
		cmocka_unit_test(a_gateway_is_one_for_a_reason),
		cmocka_unit_test(a_source_is_a_prefix),
		cmocka_unit_test(a_config_holds_choices),
		cmocka_unit_test(what_the_programs_write_is_never_damaged),
	};

	return cmocka_run_group_tests_name("map_value", tests, NULL, NULL);
}
