/* SPDX-License-Identifier: GPL-2.0-only */
/* The networks of a container engine, parsed from its answer. */
#ifndef HBPF_NETWORKS_H
#define HBPF_NETWORKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Whose format the answer has. */
enum engine_kind {
	ENGINE_DOCKER, /* GET /networks */
	ENGINE_PODMAN, /* GET /v4.0.0/libpod/networks/json; its answer to Docker's path lacks the
			  interface */
	ENGINE_KIND_MAX,
};

/*
 * One network of an engine. The strings are malloc'd. All but the labels may be printed: they have
 * '?' for what is not printable, and a bridge's name with a control character is rejected.
 */
struct network {
	enum engine_kind engine;
	char *name;
	char *id;
	char *driver;          /* "bridge", "macvlan", "host", "null"... */
	char bridge[IFNAMSIZ]; /* its interface, which need not exist yet; empty: it has none */
	bool no_default_route; /* its containers have none: it is internal */
	char *ports;           /* label hbpf.ports, or NULL */
	char *from;            /* label hbpf.from, or NULL */

	/* of watch/engine_cache, else zero */
	bool stale;           /* reported before; its engine does not answer now */
	unsigned int ifindex; /* of the bridge when last looked up; 0: it did not exist */
};

struct networks {
	struct network *v;
	size_t count;
};

/**
 * networks_parse() - parse an answer, and add its networks to @networks
 * @kind:	Format of the answer
 * @body:	JSON text, perhaps without a final NUL
 * @len:	Bytes of @body
 * @networks:	All zero, or from an earlier call; unchanged on failure. Release with
 * networks_free()
 *
 * Return: 0, -EPROTO if it is not such an answer, or -ENOMEM
 */
int networks_parse(enum engine_kind kind, const char *body, size_t len, struct networks *networks,
		   struct error *err);

/** networks_free() - release all; the list is empty then */
void networks_free(struct networks *networks);

/** network_free() - release one of them; the caller removes it from the list */
void network_free(struct network *network);

#endif /* HBPF_NETWORKS_H */
