/* SPDX-License-Identifier: GPL-2.0-only */
#include "bed.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <error.h>
#include <hbpf/map_list.h>
#include <hbpf/reasons.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "make.h"
#include "lib/array.h"

#ifndef BPF_F_TEST_SKB_CHECKSUM_COMPLETE /* Linux 6.16 */
#define BPF_F_TEST_SKB_CHECKSUM_COMPLETE (1U << 2)
#endif

#define SLOT 257 /* of the bridge */

/* Of these a history is far from making as many, and small tables are cleared fast. */
#define TABLE 8192

#define NETWORK                                                                                    \
	"link set lo up\n"                                                                         \
	"link add " BRIDGE " address 02:00:00:00:30:01 type bridge\n"                              \
	"link set " BRIDGE " up\n"

static void make_network(void)
{
	FILE *ip;

	/* One CPU: an LRU map keeps free entries for each. */
	if (unshare(CLONE_NEWNET))
		error(1, errno, "a network namespace of its own is refused (root?)");
	ip = popen("PATH=$PATH:/usr/sbin:/sbin ip -batch -", "w");
	if (!ip || fputs(NETWORK, ip) < 0 || pclose(ip))
		error(1, 0, "ip cannot make the bridge");
}

static const struct growing {
	const char *name;
	enum bpf_map_type type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int entries;
	unsigned int flags;
} growing[] = {
#define X(id, name, type, key, value, entries, flags)                                              \
	{ #name, BPF_MAP_TYPE_##type, sizeof(key), sizeof(value), entries, flags },
	HBPF_GROWING_MAPS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(growing) == BED_GROWING, "one map in each");

static int map_of(const struct bed *bed, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(bed->object, name);

	for (unsigned int i = 0; i < ARRAY_SIZE(growing); i++) {
		if (!strcmp(name, growing[i].name))
			return bed->growing[i];
	}

	if (fd < 0)
		error(1, 0, "the object has no map %s", name);
	return fd;
}

static void make_growing(struct bed *bed)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(growing); i++) {
		const struct growing *map = &growing[i];
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);
		int array = bpf_object__find_map_fd_by_name(bed->object, map->name);
		uint32_t zero = 0;

		bed->growing[i] = bpf_map_create(map->type, map->name, map->key_size,
						 map->value_size, map->entries, &opts);
		if (bed->growing[i] < 0 ||
		    bpf_map_update_elem(array, &zero, &bed->growing[i], BPF_ANY))
			error(1, errno, "%s cannot be made", map->name);
	}
}

static int program_of(const struct bed *bed, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(bed->object, name);

	if (!program)
		error(1, 0, "the object has no program %s", name);
	return bpf_program__fd(program);
}

static void set(const struct bed *bed, const char *name, const void *key, const void *value)
{
	if (bpf_map_update_elem(map_of(bed, name), key, value, BPF_ANY))
		error(1, errno, "%s cannot be filled", name);
}

static struct hbpf_addr map_addr(const struct ip *ip)
{
	struct hbpf_addr addr;

	memcpy(&addr, ip, sizeof(addr));
	return addr;
}

static struct hbpf_addr text_addr(const char *text)
{
	struct ip ip = wire_ip(text);

	return map_addr(&ip);
}

static void fill_exports(const struct bed *bed)
{
	for (unsigned int i = 0; i < world_export_count; i++) {
		const struct world_export *export = &world_exports[i];
		struct hbpf_export_key key = {
			.proto = export->proto,
			.port = htons(export->port),
			.slot = SLOT,
		};
		struct hbpf_export value = {
			.addr4 = text_addr(export->local4).word[3],
			.port = htons(export->local_port),
			.ipv6 = export->v6,
			.from = { export->list, export->onlink, export->inherit },
		};

		set(bed, "exports", &key, &value);
	}
}

/* One entry: a loopback end as it is listed, and what that stands for. */
static void fill_reverse_entry(const struct bed *bed, const struct world_export *export, bool v6,
			       const char *listed)
{
	struct end local = world_local(export, v6);
	const struct world_export *only;
	struct hbpf_reverse_key key = {
		.addr = listed ? text_addr(listed) : map_addr(&local.ip),
		.port = htons(local.port),
		.proto = export->proto,
		.slot = SLOT,
	};
	struct hbpf_reverse value = {
		.addr = map_addr(&local.ip),
		.exports = world_service(export->proto, &local, v6, &only),
		.gateway_port = htons(export->port),
	};

	set(bed, "reverse", &key, &value);
}

static void fill_reverse(const struct bed *bed)
{
	for (unsigned int i = 0; i < world_export_count; i++) {
		const struct world_export *export = &world_exports[i];

		for (int v6 = 0; v6 <= export->v6; v6++) {
			fill_reverse_entry(bed, export, v6, NULL);
			if (export->proto == PROTO_UDP)
				fill_reverse_entry(bed, export, v6, v6 ? "::" : "0.0.0.0");
		}
	}
}

static void fill_sources(const struct bed *bed)
{
	for (unsigned int i = 0; i < world_source_count; i++) {
		const struct world_source *source = &world_sources[i];
		struct hbpf_addr addr = text_addr(source->prefix);
		bool v6 = addr.word[2] != htonl(0xffff);
		struct hbpf_source_key key = {
			.prefixlen = HBPF_LIST_BITS + source->bits + (v6 ? 0 : 96),
			.slot = source->list == LIST_HOST ? HBPF_SLOT_SHARED : SLOT,
			.list = source->list | (v6 ? HBPF_LIST_IPV6 : 0),
			.addr = addr,
		};
		struct hbpf_source value = {
			.local4 = source->local4 ? text_addr(source->local4).word[3] : 0,
		};

		set(bed, "sources", &key, &value);
	}
}

void bed_open(struct bed *bed, const char *object)
{
	static const char *const shrunk[] = { "flows", "recent_tcp", "recent_udp", "fragments" };
	cpu_set_t one;

	memset(bed, 0, sizeof(*bed));
	make_network();
	bed->ifindex = if_nametoindex(BRIDGE);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	bed->object = bpf_object__open_file(object, NULL);
	if (!bed->object)
		error(1, errno, "%s", object);
	for (unsigned int i = 0; i < ARRAY_SIZE(shrunk); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(bed->object, shrunk[i]);

		if (map)
			bpf_map__set_max_entries(map, TABLE);
	}
	if (bpf_object__load(bed->object))
		error(1, errno, "%s cannot be loaded", object);
	bed->programs[0] = program_of(bed, "hbpf_ingress");
	bed->programs[1] = program_of(bed, "hbpf_egress");
	bed->flows = map_of(bed, "flows");
	bed->recent[0] = map_of(bed, "recent_tcp");
	bed->recent[1] = map_of(bed, "recent_udp");
	bed->fragments = map_of(bed, "fragments");
	make_growing(bed);
	fill_exports(bed);
	fill_reverse(bed);
	fill_sources(bed);
}

void bed_close(struct bed *bed)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(growing); i++)
		close(bed->growing[i]);
	bpf_object__close(bed->object);
}

static void clear(int map, unsigned int key_size)
{
	uint8_t key[256];

	if (key_size > sizeof(key))
		abort();
	while (!bpf_map_get_next_key(map, NULL, key))
		bpf_map_delete_elem(map, key);
}

void bed_clear(struct bed *bed)
{
	clear(bed->flows, sizeof(struct hbpf_flow_key));
	for (int udp = 0; udp < 2; udp++)
		clear(bed->recent[udp], sizeof(struct hbpf_recent_key));
	clear(bed->fragments, sizeof(struct hbpf_fragment_key));
}

static struct hbpf_gateway_key gateway_key(const char *text)
{
	return (struct hbpf_gateway_key){ .addr = text_addr(text), .slot = SLOT };
}

void bed_configure(struct bed *bed, const struct setting *setting)
{
	struct hbpf_config config = {
		.layout = HBPF_LAYOUT,
		.ifindex = bed->ifindex,
		.from = { .onlink = 1 },
		.guard_dst = setting->guard_dst,
		.arp_sender4 = setting->arp_sender ? text_addr(setting->arp_sender).word[3] : 0,
		.nat_bypass = 1,
		.slot = SLOT,
	};
	uint32_t near = bed->ifindex % HBPF_NEAR_BRIDGES;
	uint32_t why = HBPF_GATEWAY_BRIDGE;

	bed_clear(bed);
	for (int v6 = 0; v6 < 2; v6++) {
		struct hbpf_gateway_key bridge = gateway_key(world_gateways[v6][0]);
		struct hbpf_gateway_key docker0 = gateway_key(world_gateways[v6][1]);

		set(bed, "gateways", &bridge, &why);
		if (setting->docker0)
			set(bed, "gateways", &docker0, &why);
		else
			bpf_map_delete_elem(map_of(bed, "gateways"), &docker0);
		if (!setting->docker0 && v6)
			config.only_gateway6 = bridge.addr;
		if (!setting->docker0 && !v6)
			config.only_gateway4 = bridge.addr;
	}
	set(bed, "bridges", &bed->ifindex, &config);
	set(bed, "bridges_near", &near, &config);
}

int bed_run(const struct bed *bed, bool egress, const struct frame *before, struct frame *after,
	    int *answer)
{
	struct __sk_buff context = { .ifindex = bed->ifindex };
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts),
		.data_in = before->b,
		.data_size_in = before->len,
		.data_out = after->b,
		.data_size_out = sizeof(after->b),
		.ctx_in = &context,
		.ctx_size_in = sizeof(context),
		.repeat = 1,
		.flags = bed->flags,
	};

	if (bpf_prog_test_run_opts(bed->programs[egress], &opts))
		return -errno;
	after->len = opts.data_size_out;
	*answer = (int)opts.retval;
	return 0;
}

/* An answer from a gateway, for a flow that is there: is it taken for a wildcard service's? */
static bool probe_wildcard(struct bed *bed, bool v6)
{
	struct end client = { wire_ip(v6 ? "fd00:30::2" : "172.30.0.2"), 40000 };
	struct hbpf_flow_key key = {
		.client = map_addr(&client.ip),
		.local = text_addr(v6 ? "::1" : "127.0.0.1"),
		.client_port = htons(client.port),
		.local_port = htons(8080),
		.proto = PROTO_UDP,
		.slot = SLOT,
	};
	struct hbpf_endpoint dialled = { text_addr(world_gateways[v6][0]), htons(80), {} };
	struct frame frame = { .len = ETHER + (v6 ? 40 : 20) + 8 }, after;
	uint8_t *p = frame.b + ETHER;
	int answer;

	put16(frame.b + 12, v6 ? TYPE_IPV6 : TYPE_IPV4);
	p[0] = v6 ? 0x60 : 0x45;
	p[v6 ? 6 : 9] = PROTO_UDP;
	memcpy(p + (v6 ? 8 : 12), dialled.addr.byte + (v6 ? 0 : 12), v6 ? 16 : 4);
	memcpy(p + (v6 ? 24 : 16), client.ip.b + (v6 ? 0 : 12), v6 ? 16 : 4);
	p += v6 ? 40 : 20;
	put16(p, 8080);
	put16(p + 2, client.port);
	set(bed, "flows", &key, &dialled);
	if (bed_run(bed, true, &frame, &after, &answer))
		error(1, errno, "the programs cannot be run by BPF_PROG_TEST_RUN");
	bed_clear(bed);
	return memcmp(frame.b, after.b, frame.len);
}

void bed_probe(struct bed *bed, struct world *world)
{
	struct frame frame = { .len = 64 }, after;
	int answer;

	bed_configure(bed, &world_settings[0]);
	bed->flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE;
	if (bed_run(bed, false, &frame, &after, &answer))
		bed->flags = 0;
	for (int v6 = 0; v6 < 2; v6++)
		world->wildcard[v6] = probe_wildcard(bed, v6);
}

static struct end read_end(const struct hbpf_addr *addr, __be16 port)
{
	struct end end = { .port = ntohs(port) };

	memcpy(&end.ip, addr, sizeof(end.ip));
	return end;
}

static bool flow_is_expected(const struct model *model, const struct hbpf_flow_key *key,
			     const struct hbpf_endpoint *value)
{
	struct end client = read_end(&key->client, key->client_port);
	struct end local = read_end(&key->local, key->local_port);
	struct end dialled = read_end(&value->addr, value->port);

	for (unsigned int i = 0; i < model->flow_count; i++) {
		const struct flow *flow = &model->flows[i];

		if (key->slot == SLOT && flow->proto == key->proto &&
		    same_end(&flow->client, &client) && same_end(&flow->local, &local) &&
		    same_end(&flow->dialled, &dialled))
			return true;
	}
	return false;
}

static bool flow_matches(const struct model *model, const struct hbpf_flow_key *key,
			 const struct hbpf_endpoint *value, char *why, unsigned int size)
{
	char client[INET6_ADDRSTRLEN];

	if (flow_is_expected(model, key, value))
		return true;
	inet_ntop(AF_INET6, &key->client, client, sizeof(client));
	snprintf(why, size, "a flow of %s port %u that should not be, or of another end", client,
		 ntohs(key->client_port));
	return false;
}

static struct hbpf_flow_key key_of_recent(bool udp, const struct hbpf_recent_key *key,
					  const struct hbpf_recent *recent)
{
	struct hbpf_flow_key flow = {
		.client = key->client,
		.local = text_addr("::1"),
		.client_port = recent->client_port,
		.local_port = recent->local_port,
		.proto = udp ? PROTO_UDP : PROTO_TCP,
		.slot = key->slot,
	};

	if (key->client.word[2] == htonl(0xffff)) {
		flow.local = text_addr("127.0.0.1");
		flow.local.word[3] = recent->local_low;
	}
	return flow;
}

static bool recent_match(const struct bed *bed, bool udp, const struct model *model, char *why,
			 unsigned int size)
{
	struct hbpf_recent_key key, *at = NULL;
	struct hbpf_flow_key flow;
	struct hbpf_recent value;

	for (; !bpf_map_get_next_key(bed->recent[udp], at, &key); at = &key) {
		if (bpf_map_lookup_elem(bed->recent[udp], &key, &value))
			continue;
		flow = key_of_recent(udp, &key, &value);
		if (!flow_matches(model, &flow, &value.dialled, why, size))
			return false;
	}
	return true;
}

bool bed_flows_match(const struct bed *bed, const struct model *model, char *why, unsigned int size)
{
	struct hbpf_flow_key key, *at = NULL;
	struct hbpf_endpoint value;
	unsigned int count = 0;

	for (; !bpf_map_get_next_key(bed->flows, at, &key); at = &key) {
		if (!bpf_map_lookup_elem(bed->flows, &key, &value) &&
		    !flow_matches(model, &key, &value, why, size))
			return false;
		count++;
	}
	snprintf(why, size, "%u flows instead of %u", count, model->flow_count);
	return count == model->flow_count && recent_match(bed, false, model, why, size) &&
	       recent_match(bed, true, model, why, size);
}

void bed_counters(const struct bed *bed)
{
	static const char *const names[] = {
#define X(name, verdict, text) #name,
		HBPF_REASONS(X)
#undef X
	};
	struct hbpf_counters *values = calloc(libbpf_num_possible_cpus(), sizeof(*values));
	const uint32_t number = 0;

	if (!values || bpf_map_lookup_elem(map_of(bed, "counters_near"), &number, values))
		error(1, errno, "the counters cannot be read");
	for (int i = 0; i < HBPF_REASON_MAX; i++) {
		unsigned long long packets = 0;

		for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
			packets += values[cpu].reason[i].packets;
		printf("# %-18s %10llu\n", names[i], packets);
	}
	free(values);
}
