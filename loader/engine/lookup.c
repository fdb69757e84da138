/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"
#include "lib/str_list.h"

/* Engines print that much of an ID, too. */
#define ID_SHOWN 12

const char *engine_name(enum engine_kind kind)
{
	return kind == ENGINE_PODMAN ? "Podman" : "Docker";
}

static bool has_name(const struct network *network, const char *word)
{
	return !strcmp(network->name, word);
}

static bool has_id(const struct network *network, const char *word)
{
	return !strcmp(network->id, word);
}

static bool id_begins(const struct network *network, const char *word)
{
	return *word && !strncmp(network->id, word, strlen(word));
}

bool network_matches(const struct network *network, const char *word)
{
	return has_name(network, word) || id_begins(network, word);
}

static void list_candidates(const struct networks *networks, const char *word,
			    bool (*matches)(const struct network *, const char *),
			    struct error *err)
{
	char list[sizeof(err->what) / 2] = "", item[sizeof(err->what)];

	for (size_t i = 0; i < networks->count; i++) {
		const struct network *network = &networks->v[i];

		if (!matches(network, word))
			continue;
		snprintf(item, sizeof(item), "%s's %s (%.*s)", engine_name(network->engine),
			 network->name, ID_SHOWN, network->id);
		str_list_add(list, sizeof(list), item);
	}
	error_set(err, ENOTUNIQ, "several networks match '%s': %s", word, list);
	error_hint(err, "give more of the ID, or name the bridge; `hbpf interfaces` lists them");
}

int networks_find(const struct networks *networks, const char *word, const struct network **found,
		  struct error *err)
{
	static bool (*const ways[])(const struct network *, const char *) = {
		has_name,
		has_id,
		id_begins,
	};

	for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
		size_t count = 0;

		for (size_t i = 0; i < networks->count; i++) {
			if (ways[way](&networks->v[i], word) && !count++)
				*found = &networks->v[i];
		}
		if (count == 1)
			return 0;
		if (count) {
			list_candidates(networks, word, ways[way], err);
			return -ENOTUNIQ;
		}
	}
	return -ENOENT;
}

const struct network *networks_find_bridge(const struct networks *networks, const char *bridge)
{
	for (size_t i = 0; i < networks->count; i++) {
		if (!strcmp(networks->v[i].bridge, bridge))
			return &networks->v[i];
	}
	return NULL;
}

const char *network_bridge(const struct network *network, struct error *err)
{
	const char *engine = engine_name(network->engine);

	if (network->bridge[0])
		return network->bridge;
	if (strcmp(network->driver, "bridge")) {
		error_set(err, EOPNOTSUPP,
			  "%s's network %s has no bridge on this host: its driver is %s", engine,
			  network->name, network->driver);
		/* Docker gives containers on an overlay network a second interface, on this bridge,
		 * for all other traffic. */
		if (!strcmp(network->driver, "overlay"))
			error_hint(err,
				   "its containers reach this host over docker_gwbridge: run `hbpf "
				   "attach docker_gwbridge`, and dial its gateway");
		else
			error_hint(err, "only networks of the driver bridge have one; `hbpf "
					"interfaces` lists what can be attached");
	} else {
		error_set(err, EPROTO, "%s does not report the interface of network %s", engine,
			  network->name);
		error_hint(err, "name the bridge; `hbpf interfaces` lists them");
	}
	return NULL;
}
