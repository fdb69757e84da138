/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding a network by name, ID or bridge. */
#ifndef HBPF_LOOKUP_H
#define HBPF_LOOKUP_H

#include "engine/networks.h"

/** engine_name() - "Docker" or "Podman" */
const char *engine_name(enum engine_kind kind);

/**
 * engine_find() - find a network by its name, else by its ID, else by the beginning of its ID
 * @networks:	Of all engines
 * @word:	As the user gave it
 * @found:	Set, to one of @networks
 * @err:	Names the candidates if there are several; not set for -ENOENT
 *
 * Return: 0, -ENOENT if there is none, or -ENOTUNIQ
 */
int engine_find(const struct networks *networks, const char *word, const struct network **found,
		struct error *err);

/** engine_matches() - is the network a candidate of engine_find() for @word? */
bool engine_matches(const struct network *network, const char *word);

/**
 * engine_find_bridge() - the network that has a bridge
 * Return: one of @networks, or NULL
 */
const struct network *engine_find_bridge(const struct networks *networks, const char *bridge);

/**
 * engine_network_bridge() - the bridge of a network
 * @err:	Says why it has none
 *
 * Return: its name, within @network; the interface need not exist. NULL: it has none
 */
const char *engine_network_bridge(const struct network *network, struct error *err);

#endif /* HBPF_LOOKUP_H */
