/* SPDX-License-Identifier: GPL-2.0-only */
#include "world.h"
#include "lib/array.h"

const struct setting world_settings[] = {
	{ "two gateways", true, true, "172.30.0.1" },
	{ "one gateway", false, true, NULL },
	{ "two gateways, destination half of the guard off", true, false, "172.17.0.1" },
};
const unsigned int world_setting_count = ARRAY_SIZE(world_settings);

const char *const world_gateways[2][2] = {
	{ "172.30.0.1", "172.17.0.1" },
	{ "fd00:30::1", "fd00:17::1" },
};

const uint8_t bridge_mac[6] = { 2, 0, 0, 0, 0x30, 1 };
const uint8_t client_mac[6] = { 2, 0, 0, 0, 0x30, 2 };

/* A port of its own; two that share a service; another loopback address; own sources. */
const struct world_export world_exports[] = {
	{ PROTO_TCP, 8088, "127.0.0.1", 8088, true, 0, true, false },
	{ PROTO_UDP, 8088, "127.0.0.1", 8088, true, 0, true, false },
	{ PROTO_TCP, 80, "127.0.0.1", 8080, true, 0, true, false },
	{ PROTO_UDP, 80, "127.0.0.1", 8080, true, 0, true, false },
	{ PROTO_TCP, 81, "127.0.0.1", 8080, true, 0, true, false },
	{ PROTO_UDP, 81, "127.0.0.1", 8080, true, 0, true, false },
	{ PROTO_TCP, 53, "127.0.0.53", 53, false, 0, true, false },
	{ PROTO_UDP, 53, "127.0.0.53", 53, false, 0, true, false },
	{ PROTO_TCP, 443, "127.0.0.1", 8443, true, LIST_OWN, false, false },
	{ PROTO_UDP, 443, "127.0.0.1", 8443, true, LIST_OWN, false, true },
};
const unsigned int world_export_count = ARRAY_SIZE(world_exports);

const struct world_source world_sources[] = {
	{ LIST_HOST, "172.30.0.1", 32, NULL },           { LIST_HOST, "172.17.0.1", 32, NULL },
	{ LIST_HOST, "fd00:30::1", 128, NULL },          { LIST_HOST, "fd00:17::1", 128, NULL },
	{ LIST_ONLINK, "172.30.0.0", 24, "172.30.0.1" }, { LIST_ONLINK, "10.7.0.0", 16, NULL },
	{ LIST_ONLINK, "fd00:30::", 64, NULL },          { LIST_OWN, "10.9.0.0", 16, NULL },
	{ LIST_OWN, "2001:db8:9::", 48, NULL },
};
const unsigned int world_source_count = ARRAY_SIZE(world_sources);

const struct world_export *world_export_of(int proto, uint16_t port, bool v6)
{
	for (unsigned int i = 0; i < world_export_count; i++) {
		const struct world_export *export = &world_exports[i];

		if (export->proto == proto && export->port == port)
			return v6 && !export->v6 ? NULL : export;
	}
	return NULL;
}

struct end world_local(const struct world_export *export, bool v6)
{
	return (struct end){ wire_ip(v6 ? "::1" : export->local4), export->local_port };
}

unsigned int world_service(int proto, const struct end *local, bool v6,
			   const struct world_export **only)
{
	unsigned int count = 0;

	*only = NULL;
	for (unsigned int i = 0; i < world_export_count; i++) {
		const struct world_export *export = &world_exports[i];
		struct end its = world_local(export, v6);

		if (export->proto != proto || (v6 && !export->v6) || !same_end(&its, local))
			continue;
		*only = count++ ? NULL : export;
	}
	return count;
}

unsigned int world_gateway_count(const struct world *world, bool v6)
{
	(void)v6;
	return world->setting->docker0 ? 2 : 1;
}

bool world_is_gateway(const struct world *world, const struct ip *ip, bool v6)
{
	for (unsigned int i = 0; i < world_gateway_count(world, v6); i++) {
		struct ip gateway = wire_ip(world_gateways[v6][i]);

		if (same_ip(ip, &gateway))
			return true;
	}
	return false;
}

static bool listed(const struct world_source *source, const struct ip *ip, bool v6)
{
	struct ip prefix = wire_ip(source->prefix);
	int bits = source->bits + (wire_is_v4(&prefix) ? 96 : 0);

	if (v6 == wire_is_v4(&prefix))
		return false;
	for (int bit = 0; bit < bits; bit++) {
		if ((ip->b[bit / 8] ^ prefix.b[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

static bool in_list(unsigned int list, const struct ip *ip, bool v6)
{
	for (unsigned int i = 0; i < world_source_count; i++) {
		if (world_sources[i].list == list && listed(&world_sources[i], ip, v6))
			return true;
	}
	return false;
}

/* None of the addresses here is among the configured ones, but --from could say anything. */
static bool nobody(const struct ip *ip, bool v6)
{
	static const uint8_t zero[16];

	if (!v6)
		return ip->b[12] >= 224 || !memcmp(ip->b + 12, zero, 4);
	return wire_is_v4(ip) || ip->b[0] == 0xff || !memcmp(ip->b, zero, 16) ||
	       (ip->b[0] == 0xfe && ip->b[1] >> 6 == 2);
}

bool world_allows(const struct world_export *export, const struct ip *ip, bool v6)
{
	if (nobody(ip, v6) || in_list(LIST_HOST, ip, v6))
		return false;
	if ((export->inherit || export->onlink) && in_list(LIST_ONLINK, ip, v6))
		return true;
	return !export->inherit && export->list && in_list(export->list, ip, v6);
}

const char *world_arp_sender(const struct world *world, const struct ip *ip)
{
	for (unsigned int i = 0; i < world_source_count; i++) {
		if (world_sources[i].list == LIST_ONLINK && world_sources[i].local4 &&
		    listed(&world_sources[i], ip, false))
			return world_sources[i].local4;
	}
	return world->setting->arp_sender;
}
