/* SPDX-License-Identifier: GPL-2.0-only */
/* An engine's own word that its networks changed, so that nobody has to ask again and again. */
#ifndef HBPF_EVENTS_H
#define HBPF_EVENTS_H

#include "engine/engine.h"

struct engine_stream;

/* All zero is one that is not open. */
struct engine_events {
	struct engine_stream *stream;
};

enum engine_events_bits {
	ENGINE_EVENTS_CHANGED = 1, /* a network came or went: ask with engines_ask() which */
	ENGINE_EVENTS_ENDED = 2,   /* the engine stopped or restarted: close, and open anew */
};

/**
 * engine_events_open() - subscribe to the networks that come and go
 * @engine:	One that answered engines_ask()
 * @events:	Filled; engine_events_close() is right in any case
 *
 * What happens after it returned is told; so ask for the networks after that, not before. It waits
 * for the engine, ENGINE_TIMEOUT_MS at the most.
 *
 * Docker tells `create` and `destroy` (tried with 20.10). Podman opens the stream too, but says
 * nothing of networks (tried with 4.3.1: none of them made or removed, and none of their bridges,
 * which come with the first container and go with the last): rtnetlink has to tell of these.
 *
 * Return: 0 or -errno, as of engine_http_get()
 */
int engine_events_open(const struct engine *engine, struct engine_events *events,
		       struct error *err);

/** engine_events_fd() - what to wait on, for POLLIN; -1 where it is not open */
int engine_events_fd(const struct engine_events *events);

/**
 * engine_events_dispatch() - take what has come, without waiting
 * Return: a set of enum engine_events_bits, perhaps empty
 */
unsigned int engine_events_dispatch(struct engine_events *events);

/** engine_events_close() - unsubscribe; then it is not open */
void engine_events_close(struct engine_events *events);

#endif /* HBPF_EVENTS_H */
