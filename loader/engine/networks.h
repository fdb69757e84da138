/* SPDX-License-Identifier: GPL-2.0-only */
/* What a container engine answers when it is asked for its networks, read into structs. */
#ifndef HBPF_NETWORKS_H
#define HBPF_NETWORKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/* Whose form the answer has. */
enum engine_kind {
	ENGINE_DOCKER, /* GET /networks */
	ENGINE_PODMAN, /* GET /v4.0.0/libpod/networks/json; its Docker form hides the interface */
};

/*
 * One network of an engine. The strings are malloc'd. All but the labels may be printed: what is
 * not printable in them is '?', and a bridge's name with a control character is none.
 */
struct network {
	enum engine_kind engine;
	char *name;
	char *id;
	char *driver;          /* "bridge", "macvlan", "host", "null"... */
	char bridge[IFNAMSIZ]; /* its interface, which need not exist yet; empty: it has none */
	char *ports;           /* label hbpf.ports, or NULL */
	char *from;            /* label hbpf.from, or NULL */

	/* for who keeps it, zero when read */
	bool old;             /* its engine told of it before, and is away now */
	unsigned int ifindex; /* of the bridge when it was looked for; 0: it was not there */
};

struct networks {
	struct network *v;
	size_t count;
};

/**
 * engine_parse() - read an answer, and add its networks to those that are there
 * @kind:	Form of the answer
 * @body:	The answer's JSON text
 * @len:	Bytes of @body, which need not end in a NUL
 * @networks:	All zero, or as an earlier call left it; release with networks_free(). As it was
 *		where this fails
 * @err:	What is wrong with the answer
 *
 * Return: 0, -EPROTO where it is no such answer, or -ENOMEM
 */
int engine_parse(enum engine_kind kind, const char *body, size_t len, struct networks *networks,
		 struct error *err);

/** networks_free() - release the networks; the struct is empty and may be used again */
void networks_free(struct networks *networks);

/** network_free() - release one of them; who calls it closes the gap */
void network_free(struct network *network);

#endif /* HBPF_NETWORKS_H */
