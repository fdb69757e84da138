/* SPDX-License-Identifier: GPL-2.0-only */
/* Which network a word means. */
#ifndef HBPF_LOOKUP_H
#define HBPF_LOOKUP_H

#include "engine/networks.h"

/** engine_name() - "Docker" or "Podman" */
const char *engine_name(enum engine_kind kind);

/**
 * engine_find() - find a network by its name, else by its ID, else by the beginning of its ID
 * @networks:	Of all engines
 * @word:	As the user said
 * @found:	Set, to one of @networks
 * @err:	Names the candidates where there are several; not written for -ENOENT
 *
 * Return: 0, -ENOENT where there is none, or -ENOTUNIQ
 */
int engine_find(const struct networks *networks, const char *word, const struct network **found,
		struct error *err);

/** engine_may_mean() - is the network one that engine_find() could find, or ask about, by @word? */
bool engine_may_mean(const struct network *network, const char *word);

/**
 * engine_find_bridge() - the network that is served over a bridge
 * Return: one of @networks, or NULL
 */
const struct network *engine_find_bridge(const struct networks *networks, const char *bridge);

/**
 * engine_network_bridge() - which interface a network has
 * @err:	Says what the network is where it has none
 *
 * Return: its name, within @network; the interface need not be there. NULL: it is no bridge
 */
const char *engine_network_bridge(const struct network *network, struct error *err);

#endif /* HBPF_LOOKUP_H */
