/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to a container engine over its Unix socket, and its stream of events (libcurl). */
#ifndef HBPF_CLIENT_H
#define HBPF_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

#define ENGINE_TIMEOUT_MS 10000 /* silence: dockerd, started by its socket, takes seconds */
#define ENGINE_ANSWER_MS  30000 /* for a whole answer */

struct engine_answer {
	bool podman;            /* has the header Libpod-Api-Version, as all answers of Podman */
	unsigned int api_minor; /* of Docker's API, the 44 of 1.44; 0 without Api-Version */
	char *body;             /* NULL if it is empty */
	size_t len;
};

/**
 * engine_http_get() - GET a path
 * @socket:	Path of the Unix socket
 * @path:	From the slash on
 * @max_ms:	For the whole answer: ENGINE_ANSWER_MS
 * @answer:	Filled; release with engine_answer_free()
 * @err:	Names the socket
 *
 * If nobody listens, libcurl is not even loaded. Return: 0; -ENOENT, -ECONNREFUSED, -EACCES or
 * another errno of connect(2); -ETIMEDOUT after ENGINE_TIMEOUT_MS of silence, or after @max_ms;
 * -EMSGSIZE if the answer is too long; -EPROTO if it is not HTTP or has a status other than 200;
 * -ELIBACC without libcurl; -ENOMEM
 */
int engine_http_get(const char *socket, const char *path, int max_ms, struct engine_answer *answer,
		    struct error *err);

/** engine_answer_free() - release an answer; all zero is fine */
void engine_answer_free(struct engine_answer *answer);

/* A subscription to the creation and removal of networks. */
struct engine_events;

/**
 * engine_events_open() - subscribe, and wait until the engine has accepted
 * @socket:	As for engine_http_get()
 * @events:	Set, on success only; release with engine_events_close()
 *
 * Only later events are reported, so query the networks after this, not before. Waits up to
 * ENGINE_TIMEOUT_MS.
 *
 * Docker sends `create` and `destroy` (tried with 20.10). Podman accepts, but sends nothing about
 * networks (tried with 4.3.1: neither their creation and removal, nor that of their bridges, which
 * come with the first container and go with the last): rtnetlink reports the bridges.
 *
 * Return: 0; -EPROTO if the stream ends at once; else as engine_http_get()
 */
int engine_events_open(const char *socket, struct engine_events **events, struct error *err);

/** engine_events_fd() - Return: what to poll for POLLIN; -1 if @events is NULL */
int engine_events_fd(const struct engine_events *events);

/**
 * engine_events_read() - read what has arrived, without waiting
 * Return: 1 if networks were created or removed, 0 if nothing arrived, -EPIPE if the stream ended
 */
int engine_events_read(struct engine_events *events);

/** engine_events_close() - unsubscribe; NULL is fine */
void engine_events_close(struct engine_events *events);

#endif /* HBPF_CLIENT_H */
