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

/* A stream of events that lived shorter ended for a reason that trying again does not mend. */
#define LASTING_MS 10000

static struct cached_engine *get(struct engine_cache *engines, const char *socket)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (!strcmp(engines->v[i].socket, socket))
			return &engines->v[i];
	}
	if (engines->count == ENGINES_MOST)
		return NULL;
	engines->v[engines->count].socket = socket;
	return &engines->v[engines->count++];
}

static bool is_open(const struct cached_engine *engine)
{
	return engine_events_fd(&engine->events) >= 0;
}

/* Where there never was a socket there is nothing to try: inotify tells when it comes. */
static bool is_away(const struct cached_engine *engine)
{
	if (!engine->ret)
		return !is_open(engine);
	return engine->ret != -ENOENT || engine->answered;
}

static void look_at_socket(struct cached_engine *engine)
{
	struct stat st;

	engine->changed = stat(engine->socket, &st) ? (struct timespec){} : st.st_ctim;
}

/* ---- networks ---- */

static bool is_kept(const struct engine_cache *engines, const struct network *network)
{
	for (size_t i = 0; i < engines->count; i++) {
		const struct cached_engine *engine = &engines->v[i];

		if (engine->answered && engine->ret && engine->kind == network->engine)
			return true;
	}
	return false;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Return: the IDs of all networks, sorted, to be freed; or NULL */
static const char **sorted_ids(const struct networks *networks)
{
	const char **ids = calloc(networks->count + 1, sizeof(const char *));

	for (size_t i = 0; ids && i < networks->count; i++)
		ids[i] = networks->v[i].id;
	if (ids)
		qsort(ids, networks->count, sizeof(const char *), compare_ids);
	return ids;
}

/* Those of an engine that does not answer now are taken over as it told of them last. */
static void remember(struct engine_cache *engines, struct networks *fresh)
{
	struct networks *old = &engines->networks;
	const char **ids = sorted_ids(fresh);
	size_t count = fresh->count;
	struct network *v =
		ids ? reallocarray(fresh->v, fresh->count + old->count + 1, sizeof(*v)) : NULL;

	if (v)
		fresh->v = v;
	for (size_t i = 0; v && i < old->count; i++) {
		if (!is_kept(engines, &old->v[i]) ||
		    bsearch(&old->v[i].id, ids, count, sizeof(const char *), compare_ids))
			continue;
		v[fresh->count] = old->v[i];
		v[fresh->count++].old = true;
		memset(&old->v[i], 0, sizeof(*v));
	}
	free(ids);
	networks_free(old);
	*old = *fresh;
	memset(fresh, 0, sizeof(*fresh));
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

/* Return: the links by their names, to be freed; or NULL */
static const struct link **sorted_links(const struct links *links)
{
	const struct link **sorted = calloc(links->count + 1, sizeof(const struct link *));

	for (size_t i = 0; sorted && i < links->count; i++)
		sorted[i] = &links->v[i];
	if (sorted)
		qsort(sorted, links->count, sizeof(const struct link *), compare_links);
	return sorted;
}

void engine_cache_meet(struct engine_cache *engines, const struct links *links)
{
	struct networks *networks = &engines->networks;
	const struct link **sorted = sorted_links(links);
	size_t kept = 0;

	for (size_t i = 0; sorted && i < networks->count; i++) {
		struct network *network = &networks->v[i];
		const struct link *const *link =
			bsearch(network->bridge, sorted, links->count, sizeof(const struct link *),
				compare_name_link);
		unsigned int ifindex = link ? (*link)->ifindex : 0;

		if (network->old && ifindex != network->ifindex) {
			network_free(network);
			continue;
		}
		network->ifindex = ifindex;
		networks->v[kept++] = *network;
	}
	if (sorted)
		networks->count = kept;
	free(sorted);
}

/* ---- asking ---- */

/* About a socket, or with @what about something else of it */
static struct tended *tend(struct engine_cache *engines, const char *socket, const char *what)
{
	char key[PATH_MAX];

	snprintf(key, sizeof(key), "%s%s", socket, what);
	return tended_get(&engines->tended, key);
}

static void say(struct engine_cache *engines, const struct engine *asked)
{
	struct tended *tended = tend(engines, asked->socket, "");

	if (!tended)
		return;
	if (!asked->ret)
		tended_say(tended, "%s answers on %s", engine_name(asked->kind), asked->socket);
	else if (asked->ret != -ENOENT || tended->said)
		tended_fail(tended, &asked->problem);
}

/* Return: was a subscription opened? Then what was asked before may be outdated. */
static bool take_answer(struct engine_cache *engines, const struct engine *asked)
{
	struct cached_engine *engine = get(engines, asked->socket);
	struct tended *tended;
	struct error err = {};

	if (!engine)
		return false;
	engine->ret = asked->ret;
	if (asked->ret)
		return false;
	engine->answered = true;
	engine->kind = asked->kind;
	if (is_open(engine))
		return false;
	if (!engine_events_open(asked, &engine->events, &err)) {
		engine->opened = monotonic_ms();
		return true;
	}
	tended = tend(engines, asked->socket, " events");
	if (tended)
		tended_fail(tended, &err);
	error_free(&err);
	return false;
}

/* Return: is it to be done again? */
static bool ask(struct engine_cache *engines)
{
	struct engines asked;
	struct error err = {};
	bool again = false;

	/* Before: what changes meanwhile must look changed afterwards. */
	for (size_t i = 0; i < engines->count; i++)
		look_at_socket(&engines->v[i]);
	if (engines_ask(&asked, &err)) {
		struct tended *tended = tend(engines, "DOCKER_HOST", "");

		if (tended)
			tended_fail(tended, &err);
	}
	for (size_t i = 0; i < asked.count; i++) {
		say(engines, &asked.v[i]);
		again |= take_answer(engines, &asked.v[i]);
	}
	remember(engines, &asked.networks);
	engines_free(&asked);
	error_free(&err);
	return again;
}

static bool any_away(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (is_away(&engines->v[i]))
			return true;
	}
	return false;
}

static bool is_lasting(const struct cached_engine *engine)
{
	return monotonic_ms() - engine->opened >= LASTING_MS;
}

/* Return: did all of their streams live long enough? */
static bool all_lasting(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		const struct cached_engine *engine = &engines->v[i];

		if (is_open(engine) && !is_lasting(engine))
			return false;
	}
	return true;
}

void engine_cache_refresh(struct engine_cache *engines)
{
	if (engines->asked && !engines->stale &&
	    (!any_away(engines) || backoff_left(&engines->backoff, monotonic_ms())))
		return;
	if (ask(engines))
		ask(engines);
	engines->asked = true;
	engines->stale = false;
	if (any_away(engines))
		backoff_fail(&engines->backoff, monotonic_ms());
	else if (all_lasting(engines))
		engines->backoff = (struct backoff){};
}

int engine_cache_wait(const struct engine_cache *engines)
{
	if (engines->stale || !engines->asked)
		return 0;
	return any_away(engines) ? backoff_left(&engines->backoff, monotonic_ms()) : -1;
}

void engine_cache_retry(struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		struct timespec before = engines->v[i].changed;

		look_at_socket(&engines->v[i]);
		if (!is_open(&engines->v[i]) &&
		    memcmp(&before, &engines->v[i].changed, sizeof(before))) {
			engines->stale = true;
			engines->backoff = (struct backoff){};
		}
	}
}

static void end_stream(struct engine_cache *engines, struct cached_engine *engine)
{
	struct tended *tended = tend(engines, engine->socket, " events");

	engine_events_close(&engine->events);
	engine->ret = -ENOTCONN;
	for (size_t i = 0; i < engines->networks.count; i++)
		engines->networks.v[i].old |= engines->networks.v[i].engine == engine->kind;
	if (is_lasting(engine)) {
		engines->backoff = (struct backoff){};
		engines->stale = true;
		return;
	}
	backoff_fail(&engines->backoff, monotonic_ms());
	if (tended)
		tended_say(tended, "%s on %s closes its event stream at once; next try in %d s",
			   engine_name(engine->kind), engine->socket,
			   engines->backoff.delay / 1000);
}

void engine_cache_dispatch(struct engine_cache *engines, size_t i)
{
	struct cached_engine *engine = &engines->v[i];
	unsigned int bits = engine_events_dispatch(&engine->events);

	if (bits & ENGINE_EVENTS_ENDED)
		end_stream(engines, engine);
	else if (bits)
		engines->stale = true;
}

void engine_cache_follow(const struct engine_cache *engines, struct file_monitor *files)
{
	for (size_t i = 0; i < engines->count; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s", engines->v[i].socket);
		/* The directory of the socket, and that one's, where the first is still to come */
		for (int above = 0; above < 2; above++) {
			char *slash = strrchr(path, '/');

			if (!slash || slash == path)
				break;
			*slash = '\0';
			file_monitor_add(files, path);
		}
	}
}

bool engine_cache_may_have(const struct engine_cache *engines, const char *bridge)
{
	bool all = true, any = false;

	for (size_t i = 0; i < engines->count; i++) {
		const struct cached_engine *engine = &engines->v[i];

		if (!engine->answered && engine->ret && engine->ret != -ENOENT)
			return true;
		all &= engine->answered;
		any |= engine->answered;
	}
	return !any || (!all && !engine_find_bridge(&engines->networks, bridge));
}

bool engine_cache_has_podman(const struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (engines->v[i].answered && engines->v[i].kind == ENGINE_PODMAN)
			return true;
	}
	return false;
}

/* ---- labels ---- */

static void add(struct engine_cache *engines, struct conf *labels, const struct network *network)
{
	struct tended *tended = tended_get(&engines->labelled, network->id);
	size_t problems = labels->problems.count;
	struct error err = {};
	const char *bridge = engine_network_bridge(network, &err);

	if (!tended)
		return;
	if (!bridge)
		tended_fail(tended, &err);
	else
		conf_add_labels(labels, network);
	for (; problems < labels->problems.count; problems++)
		tended_fail(tended, &labels->problems.v[problems]);
	error_free(&err);
}

/* Those whose bridge is there come first, the oldest before the others. */
static int compare_labelled(const void *a, const void *b)
{
	const struct network *x = *(const struct network *const *)a;
	const struct network *y = *(const struct network *const *)b;

	if (x->ifindex != y->ifindex)
		return x->ifindex - 1 < y->ifindex - 1 ? -1 : 1; /* 0, not there, is the highest */
	return strcmp(x->id, y->id);
}

static const struct network **find_labelled(const struct networks *networks, size_t *count)
{
	const struct network **found = calloc(networks->count + 1, sizeof(const struct network *));

	*count = 0;
	for (size_t i = 0; found && i < networks->count; i++) {
		if (networks->v[i].ports)
			found[(*count)++] = &networks->v[i];
	}
	return found;
}

static void say_too_many(struct engine_cache *engines, size_t count)
{
	struct tended *tended = tended_get(&engines->labelled, "too many");

	if (tended)
		tended_say(tended,
			   "%zu networks have the label hbpf.ports; only %d are served, those "
			   "with an existing bridge first",
			   count, LABELS_MOST);
}

void engine_cache_labels(struct engine_cache *engines, struct conf *labels)
{
	size_t count;
	const struct network **found = find_labelled(&engines->networks, &count);

	memset(labels, 0, sizeof(*labels));
	if (count > LABELS_MOST) {
		say_too_many(engines, count);
		qsort(found, count, sizeof(const struct network *), compare_labelled);
		count = LABELS_MOST;
	}
	for (size_t i = 0; i < count; i++)
		add(engines, labels, found[i]);
	free(found);
	tended_forget(&engines->labelled);
}

void engine_cache_close(struct engine_cache *engines)
{
	for (size_t i = 0; i < engines->count; i++)
		engine_events_close(&engines->v[i].events);
	networks_free(&engines->networks);
	tended_free(&engines->tended);
	tended_free(&engines->labelled);
	memset(engines, 0, sizeof(*engines));
}
