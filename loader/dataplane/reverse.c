/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/reverse.h"

#include <arpa/inet.h>

#include "lib/addr.h"

static int add_service(struct kv_array *services, const struct export *export,
		       struct hbpf_addr addr)
{
	struct service service = {
		.key = { .addr = addr, .port = export->to.port, .proto = export->key.proto },
		.value = { .addr = addr, .exports = 1, .gateway_port = export->key.port },
	};

	return kv_array_add(services, &service.key, &service.value);
}

/* ::1 sorts before ::ffff:127.0.0.0/104: so as a rule the table comes about sorted. */
static int add_services(struct kv_array *services, const struct exports *exports)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < exports->count; i++)
		if (exports->v[i].to.ipv6)
			ret = add_service(services, &exports->v[i],
					  addr_from_v6(&in6addr_loopback));
	for (i = 0; !ret && i < exports->count; i++)
		ret = add_service(services, &exports->v[i], addr_from_v4(exports->v[i].to.addr4));
	return ret;
}

static void count_export(void *stays, const void *next)
{
	struct service *service = stays;
	const struct service *other = next;

	service->value.exports += other->value.exports;
}

/*
 * A UDP service bound to the wildcard answers from the gateway's address, so
 * the way back cannot read from the packet which loopback address was meant.
 */
static int add_wildcard(struct kv_array *services, const struct service *service)
{
	struct service wildcard = *service;

	if (addr_is_v4(&service->key.addr))
		wildcard.key.addr = addr_from_v4(htonl(INADDR_ANY));
	else
		wildcard.key.addr = addr_from_v6(&in6addr_any);
	return kv_array_add(services, &wildcard.key, &wildcard.value);
}

/* Only wildcards meet here. They come sorted by loopback address, the lowest first. */
static void prefer_localhost(void *stays, const void *next)
{
	const struct hbpf_addr localhost = addr_from_v4(htonl(INADDR_LOOPBACK));
	struct service *wildcard = stays;
	const struct service *other = next;

	if (addr_equal(&other->value.addr, &localhost))
		wildcard->value = other->value;
}

int services_derive(const struct exports *exports, struct kv_array *services)
{
	size_t i, count;
	int ret;

	ret = add_services(services, exports);
	if (!ret)
		ret = kv_array_sort(services, count_export);

	count = services->count;
	for (i = 0; !ret && i < count; i++) {
		const struct service service = *(struct service *)kv_array_entry(services, i);

		if (service.key.proto == IPPROTO_UDP)
			ret = add_wildcard(services, &service);
	}
	if (!ret)
		ret = kv_array_sort(services, prefer_localhost);
	if (ret)
		kv_array_free(services);
	return ret;
}
