/* SPDX-License-Identifier: GPL-2.0-only */
/* The container engines of this host, Docker and Podman: their sockets and their networks. */
#ifndef HBPF_ENGINE_H
#define HBPF_ENGINE_H

#include <net/if.h>

#include "engine/lookup.h"
#include "engine/networks.h"

#define ENGINES_MAX 3

/* One socket. */
struct engine {
	const char *socket; /* its path; of DOCKER_HOST it is in the environment */
	int ret; /* 0: it answered. Else -errno, as of engine_http_get() or networks_parse() */
	enum engine_kind kind; /* where it answered */
	struct error problem;  /* where it did not */
};

struct engines {
	struct engine v[ENGINES_MAX]; /* in the order of the queries */
	size_t count;
	struct networks networks; /* of all that answered, in that order */
};

/**
 * engines_query() - query every engine for its networks
 * @engines:	Filled; release with engines_free(), also on failure
 * @err:	Set if DOCKER_HOST is not a Unix socket
 *
 * Those of DOCKER_HOST, /var/run/docker.sock and /run/podman/podman.sock, each socket once. The
 * error of an engine is in its struct, and no failure of this function. May take ENGINE_TIMEOUT_MS
 * for each silent engine, and ENGINE_ANSWER_MS for each slow answer (two of Podman).
 * Return: 0, or -EINVAL for DOCKER_HOST; the others were queried then, too
 */
int engines_query(struct engines *engines, struct error *err);

/** engines_free() - release it; all zero is fine */
void engines_free(struct engines *engines);

/**
 * engine_resolve() - query the engines for a network, and find its bridge
 * @word:	Name, ID or beginning of the ID; no interface has that name
 * @instead:	What @word is not, for the beginning of the error: "no such interface"
 * @bridge:	Set to the interface's name; it need not exist
 * @err:	Distinguishes: no engine is running, one does not answer or denies access, there is
 *		no such network, there are several, it has no bridge. With the next step
 *
 * Return: 0 or -errno
 */
int engine_resolve(const char *word, const char *instead, char bridge[IFNAMSIZ], struct error *err);

/**
 * engine_resolve_present() - the same for a bridge that must exist
 * @err:	Also has what creates the bridge
 */
int engine_resolve_present(const char *word, char bridge[IFNAMSIZ], struct error *err);

/**
 * engine_has_no_default_route() - is the bridge that of a network whose containers have none?
 * @bridge:	An interface
 *
 * Containers of an --internal network reach the addresses of their own bridge only, but before
 * Docker 25 also the host's others. For reports: waits at most a second for each engine.
 * Return: false also if no engine answers
 */
bool engine_has_no_default_route(const char *bridge);

#endif /* HBPF_ENGINE_H */
