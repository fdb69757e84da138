/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What can stand in a map of the right form: only what commands put there. Other
 * entries are the work of somebody else, and to go by them would be to guess.
 */
#ifndef HBPF_MAP_VALUE_H
#define HBPF_MAP_VALUE_H

#include "dataplane/dataplane.h"

/**
 * map_value_damage() - what is wrong with an entry
 * @key:	As many bytes as the form of @map says
 * @value:	Likewise
 *
 * Nothing ever is with entries that the programs make of packets (flows, fragments, counts): any
 * client may send any port and address. Nor with services, which are compared with what follows
 * from the exports and put right. Return: it as a clause, "the gateway port is 0", or NULL
 */
const char *map_value_damage(enum dataplane_map map, const void *key, const void *value);

/** source_key() - under which a prefix stands in a list (HBPF_LIST_*) of the sources map */
struct hbpf_source_key source_key(__u32 list, const struct prefix *prefix);

#endif /* HBPF_MAP_VALUE_H */
