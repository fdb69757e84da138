/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding a network by name, ID or bridge. */
#ifndef HBPF_LOOKUP_H
#define HBPF_LOOKUP_H

#include "engine/networks.h"

/** engine_name() - "Docker" or "Podman" */
const char *engine_name(enum engine_kind kind);

/**
 * networks_find() - find a network by its name, else by its ID, else by the beginning of its ID
 * @networks:	Of all engines
 * @word:	As the user gave it
 * @found:	Set, to one of @networks
 * @err:	Names the candidates if there are several; not set for -ENOENT
 *
 * Return: 0, -ENOENT if there is none, or -ENOTUNIQ
 */
int networks_find(const struct networks *networks, const char *word, const struct network **found,
		  struct error *err);

/** network_matches() - is the network a candidate of networks_find() for @word? */
bool network_matches(const struct network *network, const char *word);

/**
 * networks_find_bridge() - the network that has a bridge
 * Return: one of @networks, or NULL
 */
const struct network *networks_find_bridge(const struct networks *networks, const char *bridge);

/**
 * network_bridge() - the bridge of a network
 * @err:	Says why it has none
 *
 * Return: its name, within @network; the interface need not exist. NULL: it has none
 */
const char *network_bridge(const struct network *network, struct error *err);

#endif /* HBPF_LOOKUP_H */
