/* SPDX-License-Identifier: GPL-2.0-only */
#include "watch/engine_cache.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/log.h"

/* An event stream that ends sooner will probably end again at once. */
#define LASTING_MS 10000

static struct cached_engine *get(struct engine_cache *engines, const char *socket)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (!strcmp(engines->v[i].socket, socket))
			return &engines->v[i];
	}
	if (engines->count == ENGINES_MAX)
		return NULL;
	engines->v[engines->count].socket = socket;
	return &engines->v[engines->count++];
}

/* Where there never was a socket, inotify reports when it is created. */
static bool needs_retry(const struct cached_engine *engine)
{
	if (!engine->ret)
		return !engine->events;
	return engine->ret != -ENOENT || engine->answered;
}

static bool any_needs_retry(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (needs_retry(&engines->v[i]))
			return true;
	}
	return false;
}

static void stat_socket(struct cached_engine *engine)
{
	struct stat st;

	engine->changed = stat(engine->socket, &st) ? (struct timespec){} : st.st_ctim;
}

/* ---- networks ---- */

static int compare_networks(const void *a, const void *b)
{
	const struct network *x = a, *y = b;

	return x->engine != y->engine ? (int)x->engine - (int)y->engine : strcmp(x->id, y->id);
}

static bool is_kept(const struct engine_cache *engines, const struct network *network)
{
	for (size_t i = 0; i < engines->count; i++) {
		const struct cached_engine *engine = &engines->v[i];

		if (engine->answered && engine->ret && engine->kind == network->engine)
			return true;
	}
	return false;
}

/* Networks of an engine that does not answer now stay as they were last reported. */
static void merge(struct engine_cache *engines, struct networks *reported)
{
	struct networks *old = &engines->networks;
	size_t count = reported->count;
	struct network *sorted = calloc(count + 1, sizeof(*sorted));
	struct network *v = reallocarray(reported->v, count + old->count + 1, sizeof(*v));

	if (v)
		reported->v = v;
	/* A copy, as the engines' order decides between networks that claim one interface. */
	if (v && sorted && count) {
		memcpy(sorted, v, count * sizeof(*v));
		qsort(sorted, count, sizeof(*sorted), compare_networks);
	}
	for (size_t i = 0; v && sorted && i < old->count; i++) {
		if (!is_kept(engines, &old->v[i]) ||
		    bsearch(&old->v[i], sorted, count, sizeof(*sorted), compare_networks))
			continue;
		v[reported->count] = old->v[i];
		v[reported->count++].stale = true;
		old->v[i] = (struct network){};
	}
	free(sorted);
	networks_free(old);
	*old = *reported;
	*reported = (struct networks){};
}

static int compare_links(const void *a, const void *b)
{
	const struct link *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int compare_name_link(const void *name, const void *link)
{
	return strcmp(name, (*(const struct link *const *)link)->name);
}

void engine_cache_check_links(struct engine_cache *engines, const struct links *links)
{
	struct networks *networks = &engines->networks;
	const struct link **sorted = calloc(links->count + 1, sizeof(const struct link *));
	size_t all = networks->count;

	if (!sorted)
		return;
	for (size_t i = 0; i < links->count; i++)
		sorted[i] = &links->v[i];
	qsort(sorted, links->count, sizeof(const struct link *), compare_links);
	networks->count = 0;
	for (size_t i = 0; i < all; i++) {
		struct network *network = &networks->v[i];
		const struct link *const *link =
			bsearch(network->bridge, sorted, links->count, sizeof(const struct link *),
				compare_name_link);
		unsigned int ifindex = link ? (*link)->ifindex : 0;

		if (network->stale && ifindex != network->ifindex) {
			network_free(network);
			continue;
		}
		network->ifindex = ifindex;
		networks->v[networks->count++] = *network;
	}
	free(sorted);
}

/* ---- queries ---- */

/* What was logged about a socket, or with @suffix about another aspect of it. */
static struct retry *logged(struct engine_cache *engines, const char *socket, const char *suffix)
{
	char key[PATH_MAX];

	snprintf(key, sizeof(key), "%s%s", socket, suffix);
	return retry_get(&engines->logged, key);
}

static void log_result(struct engine_cache *engines, const struct engine *queried)
{
	struct retry *retry = logged(engines, queried->socket, "");

	if (!queried->ret)
		retry_notice(retry, "%s answers on %s", engine_name(queried->kind),
			     queried->socket);
	else if (queried->ret != -ENOENT || (retry && retry->message))
		retry_error(retry, &queried->problem);
}

/* Return: was a subscription opened? Then the answer may be outdated already. */
static bool take_result(struct engine_cache *engines, const struct engine *queried)
{
	struct cached_engine *engine = get(engines, queried->socket);
	struct error err = {};

	if (!engine)
		return false;
	engine->ret = queried->ret;
	if (queried->ret)
		return false;
	engine->answered = true;
	engine->kind = queried->kind;
	if (engine->events)
		return false;
	if (!engine_events_open(queried->socket, &engine->events, &err)) {
		engine->subscribed = monotonic_ms();
		return true;
	}
	retry_error(logged(engines, queried->socket, " events"), &err);
	error_free(&err);
	return false;
}

/* Return: query again? */
static bool query(struct engine_cache *engines)
{
	struct engines queried;
	struct error err = {};
	bool again = false;

	/* Before the query, so that a change during it is noticed. */
	for (size_t i = 0; i < engines->count; i++)
		stat_socket(&engines->v[i]);
	if (engines_query(&queried, &err))
		retry_error(logged(engines, "DOCKER_HOST", ""), &err);
	for (size_t i = 0; i < queried.count; i++) {
		log_result(engines, &queried.v[i]);
		again |= take_result(engines, &queried.v[i]);
	}
	merge(engines, &queried.networks);
	engines_free(&queried);
	error_free(&err);
	return again;
}

static bool is_lasting(const struct cached_engine *engine)
{
	return monotonic_ms() - engine->subscribed >= LASTING_MS;
}

static bool all_lasting(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (engines->v[i].events && !is_lasting(&engines->v[i]))
			return false;
	}
	return true;
}

void engine_cache_refresh(struct engine_cache *engines)
{
	if (engine_cache_wait(engines))
		return;
	if (query(engines))
		query(engines);
	engines->current = true;
	if (any_needs_retry(engines))
		retry_failed(&engines->retry, monotonic_ms());
	else if (all_lasting(engines))
		retry_reset(&engines->retry);
}

int engine_cache_wait(const struct engine_cache *engines)
{
	if (!engines->current)
		return 0;
	return any_needs_retry(engines) ? retry_wait(&engines->retry, monotonic_ms()) : -1;
}

void engine_cache_check_sockets(struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		struct cached_engine *engine = &engines->v[i];
		struct timespec before = engine->changed;

		stat_socket(engine);
		if (!engine->events && memcmp(&before, &engine->changed, sizeof(before))) {
			engines->current = false;
			retry_reset(&engines->retry);
		}
	}
}

static void end_subscription(struct engine_cache *engines, struct cached_engine *engine)
{
	engine_events_close(engine->events);
	engine->events = NULL;
	engine->ret = -ENOTCONN;
	for (size_t i = 0; i < engines->networks.count; i++)
		engines->networks.v[i].stale |= engines->networks.v[i].engine == engine->kind;
	if (is_lasting(engine)) {
		retry_reset(&engines->retry);
		engines->current = false;
		return;
	}
	retry_failed(&engines->retry, monotonic_ms());
	retry_notice(logged(engines, engine->socket, " events"),
		     "%s on %s closed its event stream immediately; retrying in %d s",
		     engine_name(engine->kind), engine->socket, engines->retry.pause / 1000);
}

void engine_cache_read_events(struct engine_cache *engines, size_t i)
{
	struct cached_engine *engine = &engines->v[i];
	int ret = engine->events ? engine_events_read(engine->events) : 0;

	if (ret < 0)
		end_subscription(engines, engine);
	else if (ret)
		engines->current = false;
}

void engine_cache_follow(const struct engine_cache *engines, struct file_monitor *files)
{
	for (size_t i = 0; i < engines->count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s", engines->v[i].socket);
		/* The socket's directory, and its parent, in case the first does not exist yet. */
		for (int level = 0; level < 2; level++) {
			char *slash = strrchr(path, '/');

			if (!slash || slash == path)
				break;
			*slash = '\0';
			file_monitor_add(files, path);
		}
	}
}

bool engine_cache_may_own(const struct engine_cache *engines, const char *bridge)
{
	bool all = true, any = false;

	for (size_t i = 0; i < engines->count; i++) {
		const struct cached_engine *engine = &engines->v[i];

		if (!engine->answered && engine->ret && engine->ret != -ENOENT)
			return true;
		all &= engine->answered;
		any |= engine->answered;
	}
	return !any || (!all && !networks_find_bridge(&engines->networks, bridge));
}

bool engine_cache_has_podman(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (engines->v[i].answered && engines->v[i].kind == ENGINE_PODMAN)
			return true;
	}
	return false;
}

void engine_cache_free(struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++)
		engine_events_close(engines->v[i].events);
	networks_free(&engines->networks);
	retry_list_free(&engines->logged);
	*engines = (struct engine_cache){};
}
