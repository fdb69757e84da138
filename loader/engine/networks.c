/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/networks.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/json.h"
#include "lib/printable.h"

/* Docker's default name of a bridge: br- and this much of the network's ID. */
#define ID_IN_NAME 12

/* Names of the members. */
struct format {
	const char *name, *id, *driver, *labels, *internal;
};

static const struct format formats[] = {
	[ENGINE_DOCKER] = { "Name", "Id", "Driver", "Labels", "Internal" },
	[ENGINE_PODMAN] = { "name", "id", "driver", "labels", "internal" },
};
static_assert(ARRAY_SIZE(formats) == ENGINE_KIND_MAX, "every kind of engine has a format");

static int copy(const char *text, char **to)
{
	*to = text ? strdup(text) : NULL;
	return text && !*to ? -ENOMEM : 0;
}

/*
 * Users of the engine choose a network's name, which must not forge lines in terminals and logs.
 * What is not printable becomes '?', NUL too; rejecting the network would hide the others.
 */
static int copy_shown(struct json_object *string, char **to)
{
	size_t len = json_object_get_string_len(string);
	char *text = malloc(len + 1);

	*to = text;
	if (!text)
		return -ENOMEM;
	memcpy(text, json_object_get_string(string), len);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (!text[i])
			text[i] = '?';
	}
	printable(text);
	return 0;
}

/* No character is replaced: that would be the name of another bridge. */
static bool is_interface_name(const char *text)
{
	size_t len = 0;

	for (; text[len]; len++) {
		if (len == IFNAMSIZ - 1 || iscntrl((unsigned char)text[len]))
			return false;
	}
	return true;
}

static void find_bridge(struct json_object *item, struct network *network)
{
	char made[sizeof("br-") + ID_IN_NAME];
	const char *bridge;

	if (strcmp(network->driver, "bridge"))
		return;
	if (network->engine == ENGINE_PODMAN) {
		bridge = json_member_text(item, "network_interface");
	} else {
		bridge = json_member_text(json_object_object_get(item, "Options"),
					  "com.docker.network.bridge.name");
		snprintf(made, sizeof(made), "br-%.*s", ID_IN_NAME, network->id);
		bridge = bridge && *bridge ? bridge : made;
	}
	if (bridge && is_interface_name(bridge))
		memcpy(network->bridge, bridge, strlen(bridge) + 1);
}

static int read_one(enum engine_kind kind, struct json_object *item, struct network *network)
{
	const struct format *format = &formats[kind];
	struct json_object *name = json_member_string(item, format->name);
	struct json_object *id = json_member_string(item, format->id);
	struct json_object *driver = json_member_string(item, format->driver);
	struct json_object *labels;

	network->engine = kind;
	if (!name || !id || !driver)
		return -EPROTO;
	labels = json_object_object_get(item, format->labels);
	if (copy_shown(name, &network->name) || copy_shown(id, &network->id) ||
	    copy_shown(driver, &network->driver) ||
	    copy(json_member_text(labels, "hbpf.ports"), &network->ports) ||
	    copy(json_member_text(labels, "hbpf.from"), &network->from))
		return -ENOMEM;
	network->no_default_route =
		json_object_get_boolean(json_object_object_get(item, format->internal));
	find_bridge(item, network);
	return 0;
}

void network_free(struct network *network)
{
	free(network->name);
	free(network->id);
	free(network->driver);
	free(network->ports);
	free(network->from);
}

static void cut(struct networks *networks, size_t count)
{
	while (networks->count > count)
		network_free(&networks->v[--networks->count]);
}

void networks_free(struct networks *networks)
{
	cut(networks, 0);
	free(networks->v);
	memset(networks, 0, sizeof(*networks));
}

static int read_all(enum engine_kind kind, struct json_object *array, struct networks *networks)
{
	size_t more = json_object_array_length(array);
	struct network *v = reallocarray(networks->v, networks->count + more + 1, sizeof(*v));
	int ret = 0;

	if (!v)
		return -ENOMEM;
	networks->v = v;
	for (size_t i = 0; !ret && i < more; i++) {
		memset(&v[networks->count], 0, sizeof(*v));
		ret = read_one(kind, json_object_array_get_idx(array, i), &v[networks->count++]);
	}
	return ret;
}

int networks_parse(enum engine_kind kind, const char *body, size_t len, struct networks *networks,
		   struct error *err)
{
	struct json_object *answer = json_parse(body, len);
	size_t before = networks->count;
	int ret = -EPROTO;

	if (json_object_is_type(answer, json_type_array))
		ret = read_all(kind, answer, networks);
	json_object_put(answer);
	if (!ret)
		return 0;
	cut(networks, before);
	if (ret == -ENOMEM)
		return error_nomem(err);
	return error_set(err, ret, "the engine's answer is not a list of networks");
}
