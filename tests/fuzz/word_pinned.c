/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pinned state as somebody else may have left it: the input is a list of edits to
 * what hbpf keeps, and the maps are made up here, in the place of libbpf's
 * functions (the linker's --wrap). AddressSanitizer does not see what the kernel
 * writes to a buffer, so each of these looks first whether there is room for as
 * many bytes as the kernel would write: what the map says, not what the caller
 * expects.
 */
#define WORD_IS_BYTES
#include "word.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <json-c/json.h>
#include <sanitizer/asan_interface.h>
#include "dataplane/hook.h"
#include "dataplane/map_schema.h"
#include "cli/ports_view.h"
#include "dataplane/host_settings.h"
#include "cli/status.h"

#define BRIDGE    "br-test"
#define IFINDEX   7
#define NETNS     42
#define FIRST_FD  1000000         /* no such file is open, so close() does no harm */
#define MAPS      (MAP_COUNT + 2) /* and the old settings of the bridge and of lo */
#define ENTRIES   16
#define KEY_MAX   48
#define VALUE_MAX 512

struct entry {
	unsigned char key[KEY_MAX];
	unsigned char value[VALUE_MAX];
};

static struct fake {
	bool pinned;
	struct map_schema form;
	size_t count;
	struct entry entries[ENTRIES];
} maps[MAPS];

static bool has_batches;
static bool asks_for_list; /* which looks at 65,536 lists, so not with every input */

/* ---- in the place of the kernel ---- */

int __wrap_bpf_obj_get(const char *path);
int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *size);
int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value);
int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next);
int __wrap_bpf_map_lookup_batch(int fd, void *from, void *place, void *keys, void *values,
				__u32 *count, const void *opts);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_update_batch(int fd, const void *keys, const void *values, __u32 *count,
				const void *opts);
int __wrap_bpf_map_delete_batch(int fd, const void *keys, __u32 *count, const void *opts);

static struct fake *fake_of(int fd)
{
	must(fd >= FIRST_FD && fd < FIRST_FD + MAPS);
	return &maps[fd - FIRST_FD];
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* @size bytes arrive, of which @known are from the map */
static void give(void *to, size_t size, const void *from, size_t known)
{
	must(!__asan_region_is_poisoned(to, size));
	memset(to, 0xa5, size);
	memcpy(to, from, least(size, known));
}

static void take(const void *from, size_t size)
{
	must(!__asan_region_is_poisoned((void *)from, size));
}

static bool is_per_cpu(const struct fake *map)
{
	return map->form.type == BPF_MAP_TYPE_PERCPU_HASH ||
	       map->form.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_array(const struct fake *map)
{
	return map->form.type == BPF_MAP_TYPE_ARRAY || map->form.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* As many bytes as bpf_map_value_size() in kernel/bpf/syscall.c says */
static size_t give_value(const struct fake *map, void *to, const void *value)
{
	size_t size = map->form.value_size;
	int cpus = 1;

	if (is_per_cpu(map)) {
		size = (size + 7) / 8 * 8;
		cpus = libbpf_num_possible_cpus();
	}
	for (int cpu = 0; cpu < cpus; cpu++)
		give((char *)to + cpu * size, size, value, VALUE_MAX);
	return size * cpus;
}

static struct entry *find(struct fake *map, const void *key)
{
	take(key, map->form.key_size);
	for (size_t i = 0; i < map->count; i++)
		if (!memcmp(map->entries[i].key, key, least(map->form.key_size, KEY_MAX)))
			return &map->entries[i];
	return NULL;
}

int __wrap_bpf_obj_get(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	int map = 0;

	if (!strcmp(name, "settings"))
		map = strstr(path, "/lo/") ? MAP_COUNT + 1 : MAP_COUNT;
	else
		while (strcmp(map_schema(map)->name, name) != 0)
			map++;
	return maps[map].pinned ? FIRST_FD + map : -ENOENT;
}

int __wrap_bpf_obj_get_info_by_fd(int fd, void *info, __u32 *size)
{
	const struct map_schema *form = &fake_of(fd)->form;

	must(*size == sizeof(struct bpf_map_info));
	*(struct bpf_map_info *)info = (struct bpf_map_info){
		.type = form->type,
		.key_size = form->key_size,
		.value_size = form->value_size,
		.max_entries = form->max_entries,
		.map_flags = form->flags,
	};
	return 0;
}

int __wrap_bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	static const unsigned char zero[VALUE_MAX];
	struct fake *map = fake_of(fd);
	struct entry *entry = find(map, key);
	__u32 index;

	if (entry) {
		give_value(map, value, entry->value);
		return 0;
	}
	if (!is_array(map) || map->form.key_size != sizeof(index))
		return -ENOENT;
	memcpy(&index, key, sizeof(index));
	if (index >= map->form.max_entries)
		return -ENOENT;
	give_value(map, value, zero);
	return 0;
}

int __wrap_bpf_map_get_next_key(int fd, const void *key, void *next)
{
	struct fake *map = fake_of(fd);
	struct entry *entry = key ? find(map, key) : NULL;
	size_t at = entry ? entry - map->entries + 1 : 0;

	if (at >= map->count)
		return -ENOENT;
	give(next, map->form.key_size, map->entries[at].key, KEY_MAX);
	return 0;
}

/* The place is a bucket's number with hashes, else a key (generic_map_lookup_batch()). */
int __wrap_bpf_map_lookup_batch(int fd, void *from, void *place, void *keys, void *values,
				__u32 *count, const void *opts)
{
	struct fake *map = fake_of(fd);
	size_t place_size = map->form.key_size;
	size_t at = from ? *(unsigned char *)from : 0, room = *count, size;
	unsigned char next[KEY_MAX] = {};

	(void)opts;
	if (!has_batches)
		return -524;
	if (map->form.type != BPF_MAP_TYPE_LPM_TRIE && !is_array(map))
		place_size = sizeof(__u32);
	for (*count = 0; *count < room && at < map->count; ++*count, at++) {
		give(keys, map->form.key_size, map->entries[at].key, KEY_MAX);
		size = give_value(map, values, map->entries[at].value);
		keys = (char *)keys + map->form.key_size;
		values = (char *)values + size;
	}
	if (at == map->count)
		return -ENOENT;
	next[0] = at;
	give(place, place_size, next, sizeof(next));
	return 0;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	struct fake *map = fake_of(fd);
	struct entry *entry = find(map, key);

	(void)flags;
	take(value, map->form.value_size);
	if (!entry) {
		if (map->count == ENTRIES)
			return -E2BIG;
		entry = &map->entries[map->count++];
	}
	memcpy(entry->key, key, least(map->form.key_size, KEY_MAX));
	memcpy(entry->value, value, least(map->form.value_size, VALUE_MAX));
	return 0;
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	struct fake *map = fake_of(fd);
	struct entry *entry = find(map, key);

	if (!entry)
		return -ENOENT;
	*entry = map->entries[--map->count];
	return 0;
}

int __wrap_bpf_map_update_batch(int fd, const void *keys, const void *values, __u32 *count,
				const void *opts)
{
	const struct map_schema *form = &fake_of(fd)->form;
	int ret = has_batches ? 0 : -524;

	(void)opts;
	for (__u32 i = 0; !ret && i < *count; i++)
		ret = __wrap_bpf_map_update_elem(fd, (char *)keys + i * form->key_size,
						 (char *)values + i * form->value_size, 0);
	return ret;
}

int __wrap_bpf_map_delete_batch(int fd, const void *keys, __u32 *count, const void *opts)
{
	const struct map_schema *form = &fake_of(fd)->form;
	__u32 todo = *count;

	(void)opts;
	if (!has_batches)
		return -524;
	for (*count = 0; *count < todo; ++*count)
		if (__wrap_bpf_map_delete_elem(fd, (char *)keys + *count * form->key_size))
			return -ENOENT;
	return 0;
}

/* ---- what is pinned ---- */

static void add(int map, const void *key, size_t key_size, const void *value, size_t value_size)
{
	struct entry *entry = &maps[map].entries[maps[map].count++];

	memcpy(entry->key, key, key_size);
	memcpy(entry->value, value, value_size);
}

#define ADD(map, key, value) add(map, &(key), sizeof(key), &(value), sizeof(value))

static void add_export(__u8 proto, __u16 port, __be32 addr4, struct hbpf_policy from)
{
	struct hbpf_export_key key = { .port = htons(port), .proto = proto };
	struct hbpf_export to = { .addr4 = addr4, .port = htons(port), .from = from };
	struct hbpf_port_stats stats = { 1, 2, 3, 4 };

	to.ipv6 = addr4 == htonl(INADDR_LOOPBACK);
	ADD(MAP_EXPORTS, key, to);
	ADD(MAP_PORT_STATS, key, stats);
}

static void add_source(__u32 list, struct prefix prefix)
{
	struct hbpf_source_key key = {
		.prefixlen = HBPF_LIST_BITS + prefix.len,
		.list = list,
		.ipv6 = !addr_is_v4(&prefix.addr),
		.addr = prefix.addr,
	};
	struct hbpf_source value = {};

	ADD(MAP_SOURCES, key, value);
}

static void add_recent(const struct hbpf_flow_key *flow, const struct hbpf_endpoint *dialled)
{
	struct hbpf_recent_key key = { .client = flow->client, .slot = 7 };
	struct hbpf_recent value = {
		.dialled = *dialled,
		.local_low = flow->local.word[3],
		.client_port = flow->client_port,
		.local_port = flow->local_port,
	};

	if (flow->proto == IPPROTO_TCP)
		ADD(MAP_RECENT_TCP, key, value);
	else
		ADD(MAP_RECENT_UDP, key, value);
}

static void add_flow(__u8 proto, __u16 port)
{
	struct hbpf_flow_key key = {
		.client = addr_from_v4(htonl(0xac1e0002)),
		.local = addr_from_v4(htonl(INADDR_LOOPBACK)),
		.client_port = htons(40000),
		.local_port = htons(port),
		.proto = proto,
	};
	struct hbpf_endpoint dialled = { addr_from_v4(htonl(0xac1e0001)), htons(port), {} };

	ADD(MAP_FLOWS, key, dialled);
	add_recent(&key, &dialled);
}

static void add_settings(int map, __u32 ifindex)
{
	for (__u32 row = 0; row < SETTING_MAX; row++) {
		struct setting kept = { .saved = 1, .set = row < 2 ? 1 : 2, .ifindex = ifindex };

		ADD(map, row, kept);
	}
}

static const struct hbpf_policy inherit = { .inherit = 1 };

/* What hbpf leaves there. */
static void whole(void)
{
	const struct hbpf_policy own = { .list = HBPF_LIST_PORTS, .onlink = 1 };
	const struct hbpf_config config = {
		.layout = HBPF_LAYOUT,
		.ifindex = IFINDEX,
		.netns = NETNS,
		.from = { .list = HBPF_LIST_ONLINK, .onlink = 1 },
		.hook = HBPF_HOOK_TCX,
	};
	const struct hbpf_addr gateway = addr_from_v4(htonl(0xac1e0001));
	const __u32 zero = 0, why = HBPF_GATEWAY_BRIDGE;

	has_batches = true;
	asks_for_list = false;
	for (int map = 0; map < MAPS; map++) {
		maps[map] = (struct fake){ .pinned = true };
		if (map < MAP_COUNT)
			maps[map].form = *map_schema(map);
		else
			maps[map].form =
				(struct map_schema){ "settings", BPF_MAP_TYPE_ARRAY, 4, 16, 8, 0 };
	}
	ADD(MAP_CONFIG, zero, config);
	ADD(MAP_GATEWAYS, gateway, why);
	add_export(IPPROTO_TCP, 8088, htonl(INADDR_LOOPBACK), inherit);
	add_export(IPPROTO_TCP, 8089, htonl(INADDR_LOOPBACK), inherit);
	add_export(IPPROTO_UDP, 53, htonl(0x7f000002), own);
	add_source(HBPF_LIST_HOST, prefix_of(gateway, 128));
	add_source(HBPF_LIST_ONLINK, prefix_of(gateway, 96 + 24));
	add_source(HBPF_LIST_PORTS, prefix_of(addr_from_v4(htonl(0x0a000000)), 96 + 8));
	add_source(HBPF_LIST_PORTS, prefix_of((struct hbpf_addr){ .byte = { 0xfd } }, 8));
	add_flow(IPPROTO_TCP, 8088);
	add_flow(IPPROTO_UDP, 53);
	add_settings(MAP_COUNT, 0); /* there is no such interface */
	add_settings(MAP_COUNT + 1, 1);
}

static void edit_form(struct fake *map, unsigned int attribute, unsigned int number)
{
	static const __u32 sizes[] = {
		0, 1, 3, 4, 5, 8, 12, 16, 20, 24, 32, 40, 64, 65, 400, 4096
	};
	__u32 *const attributes[] = { &map->form.type, &map->form.key_size, &map->form.value_size,
				      &map->form.max_entries, &map->form.flags };

	*attributes[attribute % 5] =
		attribute % 5 == 1 || attribute % 5 == 2 ? sizes[number % 16] : number % 32;
}

static void edit_entry(struct fake *map, unsigned int which, unsigned int at, unsigned char byte)
{
	struct entry *entry = &map->entries[map->count ? which % map->count : 0];
	size_t size = map->form.key_size + map->form.value_size;

	at %= size ? size : 1;
	if (at < map->form.key_size)
		entry->key[least(at, KEY_MAX - 1)] = byte;
	else
		entry->value[least(at - map->form.key_size, VALUE_MAX - 1)] = byte;
}

static void edit_count(struct fake *map, unsigned int count)
{
	map->count = count % (ENTRIES + 1);
}

/* Four bytes: what, of which map, where, to what. */
static void edit(const uint8_t bytes[4])
{
	struct fake *map = &maps[(bytes[1] & 0xf) % MAPS];

	switch (bytes[0] % 16) {
	case 0:
		edit_form(map, bytes[2], bytes[3]);
		break;
	case 1:
		edit_count(map, bytes[2]);
		break;
	case 2:
		map->pinned = bytes[2] & 1;
		break;
	case 3:
		has_batches = bytes[2] & 1;
		asks_for_list = bytes[2] & 2;
		break;
	default:
		edit_entry(map, bytes[1] >> 4, bytes[2], bytes[3]);
	}
}

/* ---- what is read of it ---- */

/* A failure says what failed, and a damaged map what to do. */
static bool worked(int rc, struct error *err)
{
	must(rc >= 0 || err->what[0]);
	must(rc != -EUCLEAN || strstr(err->hint, "hbpf detach"));
	error_free(err);
	return rc >= 0;
}

static void judge_policy(const struct hbpf_policy *policy)
{
	must(policy->onlink <= 1 && policy->inherit <= 1);
}

static void judge_exports(struct dataplane *dp, const struct exports *set)
{
	struct hbpf_port_stats stats[ENTRIES];
	struct export_range range = {};
	char text[EXPORT_RANGE_STRLEN], policy[POLICY_STRLEN];
	struct source_lists lists = {};
	struct error err = {};

	worked(dataplane_source_lists(dp, &lists, &err), &err);
	for (size_t i = 0; i < set->count; i++) {
		const struct export *export = &set->v[i];

		must(export->key.proto == IPPROTO_TCP || export->key.proto == IPPROTO_UDP);
		must(export->key.port && export->to.port && export->to.ipv6 <= 1);
		must(!export->key.pad && !export->to.pad);
		must(ntohl(export->to.addr4) >> 24 == 127);
		must(!export->to.ipv6 || export->to.addr4 == htonl(INADDR_LOOPBACK));
		judge_policy(&export->to.from);
		must(export->to.from.inherit || export->to.from.list == HBPF_LIST_ONLINK ||
		     export->to.from.list >= HBPF_LIST_PORTS);
		policy_format(&lists, &export->to.from, true, policy);
		json_object_put(policy_json(&lists, &export->to.from));
	}
	source_lists_free(&lists);
	while (exports_next_range(set, &range))
		export_range_format(&range, text);
	must(set->count <= ENTRIES);
	worked(dataplane_port_stats(dp, set, stats, &err), &err);
}

static void judge_gateways(struct dataplane *dp)
{
	struct gateways gateways = {};
	struct error err = {};

	if (worked(dataplane_gateways(dp, &gateways, &err), &err)) {
		for (size_t i = 0; i < gateways.count; i++) {
			must(status_gateway_why(gateways.v[i].why, 0));
			must(gateways.v[i].why < 2 * HBPF_GATEWAY_OPTION);
			must(!addr_is_loopback(&gateways.v[i].addr));
		}
		worked(dataplane_set_gateways(dp, &gateways, &err), &err);
	}
	free(gateways.v);
}

static void judge_sources(struct dataplane *dp)
{
	struct sources sources = {};
	struct error err = {};
	char text[PREFIX_STRLEN];

	for (__u32 list = 0; list <= HBPF_LIST_PORTS; list++) {
		if (!worked(dataplane_sources(dp, list, &sources, &err), &err))
			return;
		for (size_t i = 0; i < sources.count; i++) {
			struct prefix *prefix = &sources.v[i].prefix, same;

			must(prefix->len <= 128);
			must(!prefix_parse(prefix_format(prefix, text), &same));
			must(addr_equal(&same.addr, &prefix->addr) && same.len == prefix->len);
		}
		if (asks_for_list)
			worked(dataplane_port_list(dp, &sources, &err), &err);
		free(sources.v);
		sources = (struct sources){};
	}
}

static void judge_config(const struct hbpf_config *config)
{
	must(config->layout == HBPF_LAYOUT);
	must(config->hook <= HBPF_HOOK_CLSACT && config->hook_option <= HBPF_HOOK_CLSACT);
	must(config->nat_bypass_option <= HBPF_OFF && config->guard_option <= HBPF_OFF);
	must(config->guard_dst <= 1 && config->guard_shared <= 1);
	must(config->nat_bypass <= 1 && config->nat_bypass_built <= 1);
	judge_policy(&config->from);
	must(!config->from.inherit && config->from.list >= HBPF_LIST_ONLINK);
}

static void read_bridge(const struct pins *pins)
{
	struct hbpf_counter counters[HBPF_REASON_MAX];
	struct exports set = {}, none = {};
	struct error err = {};
	struct dataplane dp;
	int rc;

	dataplane_init(&dp);
	rc = dataplane_open(&dp, pins, BRIDGE, IFINDEX, &err);
	if (!worked(rc, &err) && rc != -ENODEV) {
		dataplane_close(&dp);
		return;
	}
	judge_config(&dp.config);
	judge_gateways(&dp);
	judge_sources(&dp);
	worked(dataplane_counters(&dp, counters, &err), &err);
	if (worked(dataplane_exports(&dp, &set, &err), &err)) {
		judge_exports(&dp, &set);
		worked(dataplane_sweep(&dp, &set, &err), &err);
		worked(dataplane_sweep_lists(&dp, &set, &err), &err);
		worked(dataplane_forget_refused(&dp, &set, &err), &err);
		worked(dataplane_set_exports(&dp, &set, &none, &err), &err);
	}
	exports_free(&set);
	dataplane_close(&dp);
}

static void read_settings(const struct pins *pins)
{
	struct setting_state states[SETTING_MAX];
	struct error err = {};

	worked(settings_read(pins, BRIDGE, 1, states, &err), &err);
	for (int id = 0; id < SETTING_MAX; id++) {
		must(states[id].name[0]);
		must(states[id].kept.saved <= 1);
	}
	worked(settings_made_qdisc(pins, BRIDGE, 1, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pins pins = { .base = "/nowhere", .netns = NETNS, .lock = -1 };

	whole();
	for (; size >= 4; data += 4, size -= 4)
		edit(data);
	read_settings(&pins);
	read_bridge(&pins);
	return 0;
}
