/* SPDX-License-Identifier: GPL-2.0-only */
#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/client.h"
#include "lib/array.h"
#include "lib/str_list.h"

#define UNIX_SCHEME         "unix://"
#define NO_DEFAULT_ROUTE_MS 1000 /* of engine_has_no_default_route() */

/* Docker 25's. Before, containers of internal networks had a default route (moby/moby#46603). */
#define API_MINOR_NO_ROUTE 44

static const char *const usual_sockets[] = {
	"/var/run/docker.sock",
	"/run/podman/podman.sock",
};
static_assert(ARRAY_SIZE(usual_sockets) + 1 == ENGINES_MAX, "these, and DOCKER_HOST's");

static const char *const query_paths[] = {
	[ENGINE_DOCKER] = "/networks",
	[ENGINE_PODMAN] = "/v4.0.0/libpod/networks/json",
};
static_assert(ARRAY_SIZE(query_paths) == ENGINE_KIND_MAX, "every kind of engine has a path");

/* /var/run is a link to /run, and podman-docker makes /run/docker.sock a link to Podman's. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;

	return !stat(a, &of_a) && !stat(b, &of_b) && of_a.st_dev == of_b.st_dev &&
	       of_a.st_ino == of_b.st_ino;
}

static void add_socket(struct engines *engines, const char *socket)
{
	for (size_t i = 0; i < engines->count; i++) {
		if (!strcmp(engines->v[i].socket, socket) ||
		    is_same_file(engines->v[i].socket, socket))
			return;
	}
	engines->v[engines->count++].socket = socket;
}

static int find_sockets(struct engines *engines, struct error *err)
{
	const char *host = getenv("DOCKER_HOST");
	int ret = 0;

	if (host && !strncmp(host, UNIX_SCHEME "/", strlen(UNIX_SCHEME "/"))) {
		add_socket(engines, host + strlen(UNIX_SCHEME));
	} else if (host && *host) {
		ret = error_set(
			err, EINVAL,
			"DOCKER_HOST=%s is not a Unix socket, so the engine may be on another host",
			host);
		error_hint(err, "unset it to use this host's engines, or name the bridge; `hbpf "
				"interfaces` lists them");
	}
	for (size_t i = 0; i < ARRAY_SIZE(usual_sockets); i++)
		add_socket(engines, usual_sockets[i]);
	return ret;
}

static void add_hint(struct engine *engine)
{
	struct error *problem = &engine->problem;

	error_hint_privileges(problem, engine->ret);
	if (engine->ret == -ETIMEDOUT)
		error_hint(
			problem,
			"the engine may hang; the bridge names that `hbpf interfaces` lists work "
			"without it");
	else if (engine->ret == -EPROTO)
		error_hint(
			problem,
			"hbpf supports Docker, or Podman 4.0 or newer; the bridge names that `hbpf "
			"interfaces` lists work without an engine");
}

static void set_default_routes(struct networks *networks, size_t first)
{
	for (size_t i = first; i < networks->count; i++)
		networks->v[i].no_default_route = false;
}

static void query(struct engine *engine, int max_ms, struct networks *networks)
{
	struct error *problem = &engine->problem;
	struct engine_answer answer;
	size_t before = networks->count;
	int ret = engine_http_get(engine->socket, query_paths[ENGINE_DOCKER], max_ms, &answer,
				  problem);

	engine->kind = ENGINE_DOCKER;
	if (!ret && answer.podman) {
		engine->kind = ENGINE_PODMAN;
		engine_answer_free(&answer);
		ret = engine_http_get(engine->socket, query_paths[ENGINE_PODMAN], max_ms, &answer,
				      problem);
	}
	if (!ret) {
		ret = networks_parse(engine->kind, answer.body ? answer.body : "", answer.len,
				     networks, problem);
		if (ret)
			error_set(problem, ret, "%s: %s", engine->socket, problem->what);
	}
	if (engine->kind == ENGINE_DOCKER && answer.api_minor < API_MINOR_NO_ROUTE)
		set_default_routes(networks, before);
	engine_answer_free(&answer);
	engine->ret = ret;
	add_hint(engine);
}

static int query_all(struct engines *engines, int max_ms, struct error *err)
{
	int ret;

	memset(engines, 0, sizeof(*engines));
	ret = find_sockets(engines, err);
	for (size_t i = 0; i < engines->count; i++)
		query(&engines->v[i], max_ms, &engines->networks);
	return ret;
}

int engines_query(struct engines *engines, struct error *err)
{
	return query_all(engines, ENGINE_ANSWER_MS, err);
}

void engines_free(struct engines *engines)
{
	for (size_t i = 0; i < engines->count; i++)
		error_free(&engines->v[i].problem);
	networks_free(&engines->networks);
	engines->count = 0;
}

static bool is_running(const struct engine *engine)
{
	return engine->ret != -ENOENT && engine->ret != -ECONNREFUSED;
}

static int no_engine(const struct engines *engines, const char *word, const char *instead,
		     struct error *err)
{
	char sockets[sizeof(err->hint) / 2] = "";

	for (size_t i = 0; i < engines->count; i++)
		str_list_add(sockets, sizeof(sockets), engines->v[i].socket);
	error_set(err, ENOENT, "%s: %s, and no container engine is running", word, instead);
	error_hint(err,
		   "`hbpf interfaces` lists the bridges; `systemctl start docker` or `systemctl "
		   "start podman.socket` starts an engine (tried: %s)",
		   sockets);
	return -ENOENT;
}

static int no_network(const struct engines *engines, const char *word, const char *instead,
		      struct error *err)
{
	char names[sizeof(err->hint) / 2] = "";

	for (size_t i = 0; i < engines->networks.count; i++)
		str_list_add(names, sizeof(names), engines->networks.v[i].name);
	error_set(err, ENOENT, "%s: %s, and no container network has that name", word, instead);
	error_hint(err, "networks: %s; `hbpf interfaces` lists the bridges", names);
	return -ENOENT;
}

/* It may be a network of an engine that did not answer. */
static int no_answer(const struct error *problem, int ret, const char *word, const char *instead,
		     struct error *err)
{
	error_set(err, ret, "%s: %s, and %s", word, instead, problem->what);
	error_hint(err, "%s", problem->hint);
	return ret;
}

static int not_found(const struct engines *engines, const char *word, const char *instead,
		     struct error *err)
{
	bool running = false;

	for (size_t i = 0; i < engines->count; i++) {
		const struct engine *engine = &engines->v[i];

		running = running || is_running(engine);
		if (is_running(engine) && engine->ret)
			return no_answer(&engine->problem, engine->ret, word, instead, err);
	}
	return running ? no_network(engines, word, instead, err)
		       : no_engine(engines, word, instead, err);
}

static int find(struct engines *engines, const char *word, const char *instead,
		const struct network **network, struct error *err)
{
	struct error problem = {};
	int ret = engines_query(engines, &problem);

	if (ret)
		return no_answer(&problem, ret, word, instead, err);
	ret = networks_find(&engines->networks, word, network, err);
	if (ret == -ENOENT)
		ret = not_found(engines, word, instead, err);
	return ret;
}

static int check_present(const struct network *network, const char *bridge, struct error *err)
{
	if (if_nametoindex(bridge))
		return 0;
	error_set(err, ENODEV, "%s, the bridge of %s's network %s, does not exist", bridge,
		  engine_name(network->engine), network->name);
	if (network->engine == ENGINE_PODMAN)
		error_hint(err,
			   "Podman creates it with the network's first container; start one, then "
			   "attach");
	else
		error_hint(err, "is Docker rootless, or in another network namespace? `hbpf "
				"interfaces` lists the bridges of this one");
	return -ENODEV;
}

static int resolve(const char *word, const char *instead, bool present, char bridge[IFNAMSIZ],
		   struct error *err)
{
	const struct network *network;
	const char *name = NULL;
	struct engines engines;
	int ret = find(&engines, word, instead, &network, err);

	if (!ret) {
		name = network_bridge(network, err);
		ret = name ? 0 : -EOPNOTSUPP;
	}
	if (!ret && present)
		ret = check_present(network, name, err);
	if (!ret)
		snprintf(bridge, IFNAMSIZ, "%s", name);
	engines_free(&engines);
	return ret;
}

int engine_resolve(const char *word, const char *instead, char bridge[IFNAMSIZ], struct error *err)
{
	return resolve(word, instead, false, bridge, err);
}

int engine_resolve_present(const char *word, char bridge[IFNAMSIZ], struct error *err)
{
	return resolve(word, "no such interface", true, bridge, err);
}

bool engine_has_no_default_route(const char *bridge)
{
	const struct network *network;
	struct engines engines;
	bool has_none;

	query_all(&engines, NO_DEFAULT_ROUTE_MS, NULL);
	network = networks_find_bridge(&engines.networks, bridge);
	has_none = network && network->no_default_route;
	engines_free(&engines);
	return has_none;
}
