/* SPDX-License-Identifier: GPL-2.0-only */
/* The networks of the container engines, as the watcher has them: queried again on an event. */
#ifndef HBPF_ENGINE_CACHE_H
#define HBPF_ENGINE_CACHE_H

#include <time.h>

#include "engine/engine.h"
#include "engine/client.h"
#include "kernel/file_monitor.h"
#include "kernel/rtnetlink.h"
#include "watch/retry.h"

/* One socket. */
struct cached_engine {
	const char *socket;
	struct engine_events *events; /* NULL: not subscribed */
	enum engine_kind kind;        /* where it has answered */
	bool answered;                /* at any time */
	int ret;                      /* of the last query */
	__s64 subscribed;             /* as of monotonic_ms() */
	struct timespec changed;      /* change time of the socket's inode; zero: none */
};

/* All zero: nothing was queried yet. */
struct engine_cache {
	struct cached_engine v[ENGINES_MAX];
	size_t count;
	struct networks networks; /* as last reported; those of an unreachable engine stay */
	bool current;             /* no event since the last query */
	struct retry retry;       /* of unreachable engines */
	struct retry_list logged; /* by socket */
};

/** engine_cache_refresh() - query all engines if something changed, or a pause is over */
void engine_cache_refresh(struct engine_cache *engines);

/** engine_cache_wait() - Return: ms until the next refresh without an event; -1: none */
int engine_cache_wait(const struct engine_cache *engines);

/** engine_cache_check_sockets() - after an event of files: retry if the socket is a new one */
void engine_cache_check_sockets(struct engine_cache *engines);

/**
 * engine_cache_check_links() - forget networks whose bridge was deleted while the engine is away
 *
 * Its name may return as another network's bridge: Podman reuses the names of its interfaces.
 */
void engine_cache_check_links(struct engine_cache *engines, const struct links *links);

/** engine_cache_read_events() - read the events of the @i'th engine */
void engine_cache_read_events(struct engine_cache *engines, size_t i);

/** engine_cache_follow() - follow the directories of the sockets */
void engine_cache_follow(const struct engine_cache *engines, struct file_monitor *files);

/**
 * engine_cache_may_own() - may @bridge belong to a network not yet reported since the start?
 *
 * It may until an engine has answered, while one has a socket but does not answer, and, where no
 * engine reports the bridge, while any has not answered.
 */
bool engine_cache_may_own(const struct engine_cache *engines, const char *bridge);

/** engine_cache_has_podman() - has Podman answered? It sends no events of its bridges */
bool engine_cache_has_podman(const struct engine_cache *engines);

/** engine_cache_free() - unsubscribe and release all; it may be used again */
void engine_cache_free(struct engine_cache *engines);

#endif /* HBPF_ENGINE_CACHE_H */
