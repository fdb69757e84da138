/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/containers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/client.h"
#include "lib/addr.h"
#include "lib/array.h"
#include "lib/frame.h"
#include "lib/json.h"
#include "lib/printable.h"

/* Docker's API, which Podman has as well. */
#define CONTAINERS_PATH "/containers/json"

/* @end: of one network; @member: the address in it */
static int add_address(struct containers *containers, struct json_object *end, const char *member,
		       const char *network, const char *name)
{
	const char *text = json_member_text(end, member);
	const char *mac = json_member_text(end, "MacAddress");
	struct container container = {};

	if (!text || addr_parse(text, &container.addr))
		return 0; /* empty: it has none of that family */
	if (mac)
		mac_parse(mac, container.mac);
	container.network = strdup(network);
	container.name = strdup(name);
	if (!container.network || !container.name || ARRAY_ADD(containers, container)) {
		free(container.network);
		free(container.name);
		return -ENOMEM;
	}
	printable(container.network);
	printable(container.name);
	return 0;
}

static int read_one(struct containers *containers, struct json_object *item)
{
	struct json_object *names, *settings, *networks;
	const char *name;
	int ret = 0;

	if (!json_object_is_type(item, json_type_object))
		return -EPROTO;
	names = json_object_object_get(item, "Names");
	settings = json_object_object_get(item, "NetworkSettings");
	if (!json_object_is_type(names, json_type_array) || !json_object_array_length(names) ||
	    !json_object_is_type(settings, json_type_object))
		return 0; /* without a name, or in the host's network */
	networks = json_object_object_get(settings, "Networks");
	name = json_object_get_string(json_object_array_get_idx(names, 0));
	if (!name || !json_object_is_type(networks, json_type_object))
		return 0;
	name += name[0] == '/';
	json_object_object_foreach(networks, network, end)
	{
		ret = ret ?: add_address(containers, end, "IPAddress", network, name);
		ret = ret ?: add_address(containers, end, "GlobalIPv6Address", network, name);
	}
	return ret;
}

int containers_parse(const char *body, size_t len, struct containers *containers)
{
	struct json_object *answer = json_parse(body, len);
	int ret = -EPROTO;

	if (json_object_is_type(answer, json_type_array))
		ret = 0;
	for (size_t i = 0; !ret && i < json_object_array_length(answer); i++)
		ret = read_one(containers, json_object_array_get_idx(answer, i));
	json_object_put(answer);
	return ret;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct container *one = a, *other = b;

	return addr_compare(&one->addr, &other->addr);
}

void containers_sort(struct containers *containers)
{
	if (containers->count)
		qsort(containers->v, containers->count, sizeof(*containers->v), compare_addresses);
}

void containers_query(const struct engines *engines, struct containers *containers)
{
	*containers = (struct containers){};
	for (size_t i = 0; i < engines->count; i++) {
		struct engine_answer answer = {};
		struct error err = {};

		if (engines->v[i].ret)
			continue;
		if (!engine_http_get(engines->v[i].socket, CONTAINERS_PATH, ENGINE_ANSWER_MS,
				     &answer, &err))
			containers_parse(answer.body ? answer.body : "", answer.len, containers);
		engine_answer_free(&answer);
		error_free(&err);
	}
	containers_sort(containers);
}

void containers_free(struct containers *containers)
{
	for (size_t i = 0; i < containers->count; i++) {
		free(containers->v[i].network);
		free(containers->v[i].name);
	}
	free(containers->v);
	*containers = (struct containers){};
}

const struct container *containers_find(const struct containers *containers,
					const struct hbpf_addr *addr, const char *network)
{
	const struct container key = { .addr = *addr };
	const struct container *found, *end = containers->v + containers->count;

	if (!containers->count)
		return NULL;
	found = bsearch(&key, containers->v, containers->count, sizeof(*containers->v),
			compare_addresses);
	while (found && found > containers->v && !compare_addresses(found - 1, &key))
		found--;
	/* networks on different bridges may have the same addresses */
	for (; found && found < end && !compare_addresses(found, &key); found++) {
		if (!network || !strcmp(found->network, network))
			return found;
	}
	return NULL;
}

const struct container *containers_find_mac(const struct containers *containers,
					    const __u8 mac[ETH_ALEN])
{
	static const __u8 none[ETH_ALEN];

	for (size_t i = 0; memcmp(mac, none, ETH_ALEN) && i < containers->count; i++) {
		if (!memcmp(containers->v[i].mac, mac, ETH_ALEN))
			return &containers->v[i];
	}
	return NULL;
}
