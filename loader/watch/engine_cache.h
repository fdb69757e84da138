/* SPDX-License-Identifier: GPL-2.0-only */
/* The container engines as the watcher sees them: asked when they say so, and remembered. */
#ifndef HBPF_ENGINE_CACHE_H
#define HBPF_ENGINE_CACHE_H

#include <time.h>

#include "engine/events.h"
#include "kernel/file_monitor.h"
#include "kernel/rtnetlink.h"
#include "watch/backoff.h"
#include "watch/config.h"
#include "watch/tended.h"

/* One socket. */
struct cached_engine {
	const char *socket;
	struct engine_events events;
	enum engine_kind kind;   /* once it has answered */
	bool answered;           /* at any time */
	int ret;                 /* of the last time it was asked */
	__s64 opened;            /* when its events were subscribed to, as of monotonic_ms() */
	struct timespec changed; /* when its socket was made, or its rights changed; or zero */
};

/* All zero: never asked. */
struct engine_cache {
	struct cached_engine v[ENGINES_MOST];
	size_t count;
	struct networks networks; /* as last told; those of an engine that is away stay */
	bool stale;               /* ask again: something may have changed */
	bool asked;
	struct backoff backoff;      /* of those that are away */
	struct tended_list tended;   /* the sockets */
	struct tended_list labelled; /* the networks with labels, by their IDs */
};

/** engine_cache_refresh() - connect to those that are away, ask where something changed */
void engine_cache_refresh(struct engine_cache *engines);

/** engine_cache_wait() - Return: ms until refresh is worthwhile without a notice; -1: never */
int engine_cache_wait(const struct engine_cache *engines);

/** engine_cache_retry() - something happened to files: ask those that are away where it was theirs
 */
void engine_cache_retry(struct engine_cache *engines);

/**
 * engine_cache_meet() - compare what is remembered with the interfaces there are
 *
 * A bridge that went while its engine is away may come back as another network's: Podman gives its
 * interfaces' names again. So it is forgotten until the engine tells of it.
 */
void engine_cache_meet(struct engine_cache *engines, const struct links *links);

/** engine_cache_dispatch() - take in what the @i'th one has said */
void engine_cache_dispatch(struct engine_cache *engines, size_t i);

/** engine_cache_follow() - name the places where their sockets come and go */
void engine_cache_follow(const struct engine_cache *engines, struct file_monitor *files);

/**
 * engine_cache_may_have() - may @bridge be of a network that nobody has told of since the start?
 *
 * So it is until one has answered, where one is there but does not answer, and where one is not
 * there and no other knows the bridge.
 */
bool engine_cache_may_have(const struct engine_cache *engines, const char *bridge);

/** engine_cache_has_podman() - Podman's networks get their bridges without its saying so */
bool engine_cache_has_podman(const struct engine_cache *engines);

/* More bridges than a host has; whoever makes networks may make as many as the engine takes. */
#define LABELS_MOST 1024

/**
 * engine_cache_labels() - what the labels of all networks declare, of LABELS_MOST at the most
 * @labels:	Filled; release with conf_free(). Malformed ones are told once, and left out
 */
void engine_cache_labels(struct engine_cache *engines, struct conf *labels);

/** engine_cache_close() - unsubscribe and free all */
void engine_cache_close(struct engine_cache *engines);

#endif /* HBPF_ENGINE_CACHE_H */
