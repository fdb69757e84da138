/* SPDX-License-Identifier: GPL-2.0-only */
/* The container engines as the watcher sees them: asked when they say so, and remembered. */
#ifndef HBPF_ENGINE_CACHE_H
#define HBPF_ENGINE_CACHE_H

#include <time.h>
#include "watch/backoff.h"
#include "watch/config.h"
#include "engine/events.h"
#include "kernel/file_monitor.h"
#include "kernel/rtnetlink.h"
#include "watch/tended.h"

/* One socket. */
struct watched_engine {
	const char *socket;
	struct engine_events events;
	enum engine_kind kind;   /* once it has answered */
	bool answered;           /* at any time */
	int rc;                  /* of the last time it was asked */
	__s64 opened;            /* when its events were subscribed to, as of monotonic_ms() */
	struct timespec changed; /* when its socket was made, or its rights changed; or zero */
};

/* All zero: never asked. */
struct watch_engines {
	struct watched_engine v[ENGINES_MOST];
	size_t count;
	struct networks networks; /* as last told; those of an engine that is away stay */
	bool stale;               /* ask again: something may have changed */
	bool asked;
	struct backoff backoff;      /* of those that are away */
	struct tended_list tended;   /* the sockets */
	struct tended_list labelled; /* the networks with labels, by their IDs */
};

/** watch_engines_refresh() - connect to those that are away, ask where something changed */
void watch_engines_refresh(struct watch_engines *engines);

/** watch_engines_wait() - Return: ms until refresh is worthwhile without a notice; -1: never */
int watch_engines_wait(const struct watch_engines *engines);

/** watch_engines_retry() - something happened to files: ask those that are away where it was theirs
 */
void watch_engines_retry(struct watch_engines *engines);

/**
 * watch_engines_meet() - compare what is remembered with the interfaces there are
 *
 * A bridge that went while its engine is away may come back as another network's: Podman gives its
 * interfaces' names again. So it is forgotten until the engine tells of it.
 */
void watch_engines_meet(struct watch_engines *engines, const struct links *links);

/** watch_engines_dispatch() - take in what the @i'th one has said */
void watch_engines_dispatch(struct watch_engines *engines, size_t i);

/** watch_engines_follow() - name the places where their sockets come and go */
void watch_engines_follow(const struct watch_engines *engines, struct file_events *files);

/**
 * watch_engines_may_have() - may @bridge be of a network that nobody has told of since the start?
 *
 * So it is until one has answered, where one is there but does not answer, and where one is not
 * there and no other knows the bridge.
 */
bool watch_engines_may_have(const struct watch_engines *engines, const char *bridge);

/** watch_engines_has_podman() - Podman's networks get their bridges without its saying so */
bool watch_engines_has_podman(const struct watch_engines *engines);

/* More bridges than a host has; whoever makes networks may make as many as the engine takes. */
#define LABELS_MOST 1024

/**
 * watch_engines_labels() - what the labels of all networks declare, of LABELS_MOST at the most
 * @labels:	Filled; release with conf_free(). Malformed ones are told once, and left out
 */
void watch_engines_labels(struct watch_engines *engines, struct conf *labels);

/** watch_engines_close() - unsubscribe and free all */
void watch_engines_close(struct watch_engines *engines);

#endif /* HBPF_ENGINE_CACHE_H */
