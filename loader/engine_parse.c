/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine_parse.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Docker names an interface that nobody named br- and this much of the network's ID. */
#define ID_IN_NAME 12

/* What the members are called. */
struct form {
	const char *name, *id, *driver, *labels;
};

static const struct form forms[] = {
	[ENGINE_DOCKER] = { "Name", "Id", "Driver", "Labels" },
	[ENGINE_PODMAN] = { "name", "id", "driver", "labels" },
};

/* Return: the text of a member, or NULL where it is missing, no string, or has a NUL in it */
static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *member;
	const char *text;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	text = json_object_get_string(member);
	return strlen(text) == (size_t)json_object_get_string_len(member) ? text : NULL;
}

static int copy(const char *text, char **to)
{
	*to = text ? strdup(text) : NULL;
	return text && !*to ? -ENOMEM : 0;
}

static void find_bridge(struct json_object *item, struct network *network)
{
	char made[sizeof("br-") + ID_IN_NAME];
	const char *bridge;

	if (strcmp(network->driver, "bridge"))
		return;
	if (network->engine == ENGINE_PODMAN) {
		bridge = text_of(item, "network_interface");
	} else {
		bridge = text_of(json_object_object_get(item, "Options"),
				 "com.docker.network.bridge.name");
		snprintf(made, sizeof(made), "br-%.*s", ID_IN_NAME, network->id);
		bridge = bridge && *bridge ? bridge : made;
	}
	if (bridge && strlen(bridge) < IFNAMSIZ)
		memcpy(network->bridge, bridge, strlen(bridge) + 1);
}

static int read_one(enum engine_kind kind, struct json_object *item, struct network *network)
{
	const struct form *form = &forms[kind];
	const char *name = text_of(item, form->name);
	const char *id = text_of(item, form->id);
	const char *driver = text_of(item, form->driver);
	struct json_object *labels;

	network->engine = kind;
	if (!name || !id || !driver)
		return -EPROTO;
	labels = json_object_object_get(item, form->labels);
	if (copy(name, &network->name) || copy(id, &network->id) ||
	    copy(driver, &network->driver) ||
	    copy(text_of(labels, "hbpf.ports"), &network->ports) ||
	    copy(text_of(labels, "hbpf.from"), &network->from))
		return -ENOMEM;
	find_bridge(item, network);
	return 0;
}

static void cut(struct networks *networks, size_t count)
{
	while (networks->count > count) {
		struct network *network = &networks->v[--networks->count];

		free(network->name);
		free(network->id);
		free(network->driver);
		free(network->ports);
		free(network->from);
	}
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
	int rc = 0;

	if (!v)
		return -ENOMEM;
	networks->v = v;
	for (size_t i = 0; !rc && i < more; i++) {
		memset(&v[networks->count], 0, sizeof(*v));
		rc = read_one(kind, json_object_array_get_idx(array, i), &v[networks->count++]);
	}
	return rc;
}

int engine_parse(enum engine_kind kind, const char *body, size_t len, struct networks *networks,
		 struct error *err)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *answer = NULL;
	size_t before = networks->count;
	int rc = -EPROTO;

	if (!tokener)
		return error_set(err, ENOMEM, "no memory for the engine's answer");
	if (len <= INT_MAX)
		answer = json_tokener_parse_ex(tokener, body, (int)len);
	if (json_object_is_type(answer, json_type_array))
		rc = read_all(kind, answer, networks);
	json_object_put(answer);
	json_tokener_free(tokener);
	if (!rc)
		return 0;
	cut(networks, before);
	if (rc == -ENOMEM)
		return error_set(err, rc, "no memory for the engine's networks");
	return error_set(err, rc, "the engine's answer is not a list of networks");
}
