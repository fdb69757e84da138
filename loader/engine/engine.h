/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container engines of this host, Docker and Podman, and their networks:
 * which sockets they are asked on, and which interface a network's name means.
 */
#ifndef HBPF_ENGINE_H
#define HBPF_ENGINE_H

#include <net/if.h>

#include "engine/lookup.h"
#include "engine/networks.h"

#define ENGINES_MOST 3

/* One socket. */
struct engine {
	const char *socket; /* its path; DOCKER_HOST's is in the environment */
	int ret; /* 0: it answered. Else -errno, as of engine_http_get() or engine_parse() */
	enum engine_kind kind; /* where it answered */
	struct error problem;  /* where it did not */
};

struct engines {
	struct engine v[ENGINES_MOST]; /* in the order they are asked */
	size_t count;
	struct networks networks; /* of all that answered, in that order */
};

/**
 * engines_ask() - ask every engine for its networks
 * @engines:	Filled; release with engines_free(), also on failure
 * @err:	Where DOCKER_HOST is no Unix socket
 *
 * DOCKER_HOST, /var/run/docker.sock and /run/podman/podman.sock; the same socket only once. What
 * an engine did wrong is in its own struct, and no failure. May take ENGINE_TIMEOUT_MS for each
 * that is silent, and ENGINE_ANSWER_MS for each answer (of Podman two) that comes slowly.
 * Return: 0, or -EINVAL for DOCKER_HOST, and then the others were asked all the same
 */
int engines_ask(struct engines *engines, struct error *err);

/** engines_free() - release it; one that is all zero is fine, too */
void engines_free(struct engines *engines);

/**
 * engine_resolve() - the bridge of the network that a word means, asking the engines
 * @word:	Name, ID or beginning of the ID; no interface has that name
 * @instead:	What @word is not, to begin the error with: "no such interface"
 * @bridge:	Set to the interface's name, which need not be there
 * @err:	Tells apart that no engine is running, that one does not answer or may not be asked,
 *		that there is no such network or several, and that it has no bridge; with the next
 *		step
 *
 * Return: 0 or -errno
 */
int engine_resolve(const char *word, const char *instead, char bridge[IFNAMSIZ], struct error *err);

/**
 * engine_resolve_present() - the same for a bridge that has to be there
 * @err:	Also says what brings it where it is not there yet
 */
int engine_resolve_present(const char *word, char bridge[IFNAMSIZ], struct error *err);

#endif /* HBPF_ENGINE_H */
