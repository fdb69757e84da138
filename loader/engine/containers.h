/* SPDX-License-Identifier: GPL-2.0-only */
/* The addresses of running containers, from the engines. */
#ifndef HBPF_CONTAINERS_H
#define HBPF_CONTAINERS_H

#include <hbpf/addr.h>
#include <net/ethernet.h>
#include <stddef.h>

#include "engine/engine.h"

/* One address of a container. The strings are malloc'd and printable. */
struct container {
	struct hbpf_addr addr;
	__u8 mac[ETH_ALEN]; /* of its interface in that network; all zero if that is not known */
	char *network;      /* the name of the network that it has the address in */
	char *name;
};

struct containers {
	struct container *v; /* sorted by address */
	size_t count;
};

/**
 * containers_parse() - parse an answer to GET /containers/json, and add what it has
 * @body:	JSON text of @len bytes, perhaps without a final NUL
 * @containers:	All zero, or from an earlier call; call containers_sort() after the last. Release
 *		with containers_free(), also after an error
 *
 * Containers without an address are left out. Return: 0, -EPROTO if it is not such an answer, or
 * -ENOMEM
 */
int containers_parse(const char *body, size_t len, struct containers *containers);

/** containers_sort() - make containers_find() work */
void containers_sort(struct containers *containers);

/**
 * containers_query() - query every engine that has answered engines_query() for its containers
 * @containers:	Filled and sorted; empty if no engine answers, which is no error here: names only
 *		help to read addresses. Release with containers_free()
 */
void containers_query(const struct engines *engines, struct containers *containers);
void containers_free(struct containers *containers);

/**
 * containers_find() - find the container with an address
 * @network:	The name of the network that it is in, or NULL if that is not known
 *
 * Return: one of @containers, or NULL
 */
const struct container *containers_find(const struct containers *containers,
					const struct hbpf_addr *addr, const char *network);

/** containers_find_mac() - find the container with a MAC address. Return: one of @containers, or
 * NULL */
const struct container *containers_find_mac(const struct containers *containers,
					    const __u8 mac[ETH_ALEN]);

#endif /* HBPF_CONTAINERS_H */
