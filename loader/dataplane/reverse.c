/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/reverse.h"

#include <arpa/inet.h>

#include "lib/addr.h"

static int add_entry(struct kv_array *table, const struct export *export, struct hbpf_addr addr)
{
	struct reverse entry = {
		.key = { .addr = addr, .port = export->to.port, .proto = export->key.proto },
		.value = { .addr = addr, .exports = 1, .gateway_port = export->key.port },
	};

	return kv_array_add(table, &entry.key, &entry.value);
}

/* ::1 sorts before ::ffff:127.0.0.0/104, so the table usually needs no sorting. */
static int add_entries(struct kv_array *table, const struct exports *exports)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < exports->count; i++)
		if (exports->v[i].to.ipv6)
			ret = add_entry(table, &exports->v[i], addr_from_v6(&in6addr_loopback));
	for (i = 0; !ret && i < exports->count; i++)
		ret = add_entry(table, &exports->v[i], addr_from_v4(exports->v[i].to.addr4));
	return ret;
}

static void count_exports(void *stays, const void *next)
{
	struct reverse *entry = stays;
	const struct reverse *other = next;

	entry->value.exports += other->value.exports;
}

/*
 * A UDP service bound to the wildcard answers from the gateway's address, so the
 * packet does not show which loopback address it was sent to.
 */
static int add_wildcard(struct kv_array *table, const struct reverse *entry)
{
	struct reverse wildcard = *entry;

	if (addr_is_v4(&entry->key.addr))
		wildcard.key.addr = addr_from_v4(htonl(INADDR_ANY));
	else
		wildcard.key.addr = addr_from_v6(&in6addr_any);
	return kv_array_add(table, &wildcard.key, &wildcard.value);
}

/* Merges wildcards. They come sorted by loopback address, the lowest first. */
static void prefer_localhost(void *stays, const void *next)
{
	const struct hbpf_addr localhost = addr_from_v4(htonl(INADDR_LOOPBACK));
	struct reverse *wildcard = stays;
	const struct reverse *other = next;

	if (addr_equal(&other->value.addr, &localhost))
		wildcard->value = other->value;
}

int reverse_derive(const struct exports *exports, struct kv_array *table)
{
	size_t count;
	int ret;

	ret = add_entries(table, exports);
	if (!ret)
		ret = kv_array_sort(table, count_exports);

	count = table->count;
	for (size_t i = 0; !ret && i < count; i++) {
		const struct reverse entry = *(struct reverse *)kv_array_entry(table, i);

		if (entry.key.proto == IPPROTO_UDP)
			ret = add_wildcard(table, &entry);
	}
	if (!ret)
		ret = kv_array_sort(table, prefer_localhost);
	if (ret)
		kv_array_free(table);
	return ret;
}
