/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One reconciliation:
 *
 *	query_engines      if a section or label depends on them
 *	resolve_sections   find the bridge of each section
 *	attach_if_due      attach each bridge that is not as declared
 *	detach_undeclared  detach what is not declared and was not attached manually
 *	follow_files       watch the files whose change triggers the next one
 */
#include "watch/reconcile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "attach/desired.h"
#include "attach/detach.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str_list.h"
#include "watch/labels.h"

/* A declared bridge that exists. */
struct declared {
	const char *where; /* its section */
	struct attach_request request;
	char bridge[IFNAMSIZ]; /* the request refers to it; `host` may be read again meanwhile */
	unsigned int ifindex;
};

struct reconcile {
	struct watch_state *state;
	struct host host;
	struct declared *v;
	size_t count;
	int wait;    /* ms until the next one without an event; -1: none */
	bool failed; /* something could not be detached */
};

static void wait_at_most(struct reconcile *r, int ms)
{
	if (r->wait < 0 || ms < r->wait)
		r->wait = ms;
}

/* Return: is it too early to try again? */
static bool is_paused(struct reconcile *r, const struct retry *retry)
{
	int left = retry_wait(retry, monotonic_ms());

	if (left)
		wait_at_most(r, left);
	return left;
}

static void pause_after_error(struct reconcile *r, struct retry *retry, const struct error *err)
{
	retry_error(retry, err);
	retry_failed(retry, monotonic_ms());
	is_paused(r, retry);
}

/* ---- query_engines ---- */

static bool needs_engines(const struct reconcile *r)
{
	const struct watch_config *conf = &r->state->conf;

	for (size_t i = 0; i < conf->count; i++) {
		if (!links_by_any_name(&r->host.links, conf->v[i].name))
			return true;
	}
	return conf->labels;
}

static unsigned int newest_bridge(const struct host *host)
{
	unsigned int newest = 0;

	for (size_t i = 0; i < host->links.count; i++) {
		const struct link *link = &host->links.v[i];

		if (!strcmp(link->kind, "bridge") && link->ifindex > newest)
			newest = link->ifindex;
	}
	return newest;
}

static void query_engines(struct reconcile *r)
{
	struct watch_state *state = r->state;
	struct engine_cache *engines = &state->engines;
	unsigned int newest = newest_bridge(&r->host);
	bool needed_before = state->needs_engines;

	state->needs_engines = needs_engines(r);
	/* Until now nothing followed their sockets; and a new bridge may be one of Podman's. */
	if ((state->needs_engines && !needed_before) ||
	    (newest > state->newest_bridge && engine_cache_has_podman(engines)))
		engines->current = false;
	state->newest_bridge = newest;
	if (state->needs_engines)
		engine_cache_refresh(engines);
	engine_cache_check_links(engines, &r->host.links);
	watch_config_free(&state->labels);
	if (state->conf.labels)
		labels_collect(&engines->networks, &state->labels, &state->labels_logged);
}

/* ---- resolve_sections ---- */

/* Return: the name of the section's bridge, which need not exist; or NULL */
static const char *find_bridge(const struct reconcile *r, const struct config_section *section,
			       enum hbpf_owner *owner, struct error *err)
{
	const struct network *network;
	const struct link *link;

	*owner = section->request.owner;
	if (section->bridge)
		return section->bridge;
	link = links_by_any_name(&r->host.links, section->name);
	if (link)
		return link->name;
	*owner = HBPF_OWNER_ENGINE;
	if (networks_find(&r->state->engines.networks, section->name, &network, err))
		return NULL;
	return network_bridge(network, err);
}

/* May the name of a section refer to this bridge's network, and to another network, too? */
static bool is_ambiguous(const struct reconcile *r, const char *bridge)
{
	const struct watch_config *conf = &r->state->conf;
	const struct networks *networks = &r->state->engines.networks;
	const struct network *network = NULL, *found;

	if (conf->count)
		network = networks_find_bridge(networks, bridge);
	for (size_t i = 0; network && i < conf->count; i++) {
		const char *name = conf->v[i].name;

		if (network_matches(network, name) && !links_by_any_name(&r->host.links, name) &&
		    networks_find(networks, name, &found, NULL) == -ENOTUNIQ)
			return true;
	}
	return false;
}

static const struct declared *find_declared(const struct reconcile *r, const char *bridge)
{
	for (size_t i = 0; i < r->count; i++) {
		if (!strcmp(r->v[i].bridge, bridge))
			return &r->v[i];
	}
	return NULL;
}

static void resolve_section(struct reconcile *r, const struct config_section *section)
{
	struct retry *retry = retry_get(&r->state->retries, section->where);
	struct declared *declared = &r->v[r->count];
	enum hbpf_owner owner;
	struct error err = {};
	const char *bridge = find_bridge(r, section, &owner, &err);
	const struct link *link = bridge ? links_by_name(&r->host.links, bridge) : NULL;
	const struct declared *other = link ? find_declared(r, bridge) : NULL;

	if (!retry)
		return;
	if (err.what[0]) {
		retry_error(retry, &err);
		error_free(&err);
	} else if (!link) {
		retry_notice(retry, "%s (%s): no such bridge yet", section->name, section->where);
		retry->ifindex = 0;
	} else if (section->bridge && is_ambiguous(r, bridge)) {
		retry_notice(
			retry,
			"%s (%s): ignored, as a section's name matches this network and another",
			section->name, section->where);
	} else if (other) {
		retry_notice(retry, "%s (%s): ignored, as %s is already declared at %s",
			     section->name, section->where, bridge, other->where);
	} else {
		declared->where = section->where;
		declared->request = section->request;
		snprintf(declared->bridge, sizeof(declared->bridge), "%s", link->name);
		declared->request.bridge = declared->bridge;
		declared->request.owner = owner;
		declared->ifindex = link->ifindex;
		r->count++;
	}
}

static int resolve_sections(struct reconcile *r)
{
	const struct watch_state *state = r->state;

	r->v = calloc(state->conf.count + state->labels.count + 1, sizeof(*r->v));
	if (!r->v)
		return -ENOMEM;
	for (size_t i = 0; i < state->conf.count; i++)
		resolve_section(r, &state->conf.v[i]);
	for (size_t i = 0; i < state->labels.count; i++)
		resolve_section(r, &state->labels.v[i]);
	return 0;
}

/* ---- attach_declared ---- */

#define LIST_STRLEN 256

static void list_ports(const struct exports *exports, char *buf)
{
	struct export_range range = {};
	char text[EXPORT_RANGE_STRLEN];

	while (exports_next_range(exports, &range))
		str_list_add(buf, LIST_STRLEN, export_range_format(&range, text));
}

static void list_gateways(const struct gateways *gateways, char *buf)
{
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < gateways->count; i++)
		str_list_add(buf, LIST_STRLEN, addr_format(&gateways->v[i].addr, text));
}

/* Return: what was done; NULL for a repair of what others changed */
static const char *what_changed(const struct attach *a)
{
	if (a->fresh)
		return "attached";
	if (a->before.config.owner == HBPF_OWNER_MANUAL &&
	    a->after.config.owner != HBPF_OWNER_MANUAL)
		return "taken over from `hbpf attach`";
	if (a->recreated)
		return "attached again, as the bridge was re-created";
	if (a->added.count || a->removed.count)
		return "ports changed";
	if (!bridge_state_same_addresses(&a->before, &a->after))
		return "addresses changed";
	if (memcmp(&a->before.config, &a->after.config, sizeof(a->after.config)))
		return "options changed";
	return NULL;
}

static void log_attached(struct retry *retry, const struct attach *a)
{
	const char *change = what_changed(a);
	char ports[LIST_STRLEN] = "", gateways[LIST_STRLEN] = "";

	retry_succeeded(retry, monotonic_ms());
	list_ports(&a->after.exports, ports);
	list_gateways(&a->after.gateways, gateways);
	log_notice("%s: %s; %s on %s", a->bridge, change ? change : "repaired", ports,
		   gateways[0] ? gateways : "no address yet");
	if (change) {
		retry_reset(retry);
	} else if (retry_repaired(retry, monotonic_ms())) {
		retry_failed(retry, monotonic_ms());
		log_warn("%s: flapping: reverted repeatedly; next repair in %d s", a->bridge,
			 retry->pause / 1000);
	}
}

static void attach(struct reconcile *r, struct retry *retry, const struct declared *declared)
{
	struct error err = {};
	struct attach a;

	if (attach_run(&a, &declared->request, &err)) {
		pause_after_error(r, retry, &err);
	} else {
		log_attached(retry, &a);
		is_paused(r, retry);
		r->state->attached++;
	}
	attach_free(&a);
	error_free(&err);
}

static void attach_if_due(struct reconcile *r, const struct declared *declared)
{
	struct retry *retry = retry_get(&r->state->retries, declared->where);
	struct error err = {};
	struct attach a;
	int due;

	if (!retry)
		return;
	if (retry->ifindex != declared->ifindex) {
		retry_reset(retry);
		retry->ifindex = declared->ifindex;
		retry->repairs = 0;
	}
	due = attach_is_due(&a, &declared->request, &err);
	attach_free(&a);
	if (due < 0) {
		retry_error(retry, &err); /* without a pause: only an event can help */
	} else if (!due) {
		retry_succeeded(retry, monotonic_ms());
		r->state->attached++;
	} else if (!is_paused(r, retry)) {
		attach(r, retry, declared);
	}
	error_free(&err);
}

/* ---- detach_undeclared ---- */

static const char *attached_as(const struct pins *pins, const char *bridge, char as[IFNAMSIZ])
{
	struct hbpf_config config;

	if (dataplane_peek(pins, bridge, &config) || !config.attached_as[0])
		return bridge;
	memcpy(as, config.attached_as, IFNAMSIZ);
	return as;
}

/* Return: why to detach it, or NULL */
static const char *detach_reason(const struct reconcile *r, const struct pins *pins,
				 const char *bridge)
{
	const struct link *link =
		links_by_index(&r->host.links, attachment_target(pins, &r->host, bridge).ifindex);
	char as[IFNAMSIZ];
	int owner;

	/* By its present name; the state may have an older one. */
	if (link && find_declared(r, link->name))
		return NULL;
	owner = attachment_owner(pins, bridge);
	if (owner != HBPF_OWNER_CONFIG && owner != HBPF_OWNER_ENGINE)
		return NULL;
	if (!link)
		return "it was deleted";
	if (strcmp(link->name, attached_as(pins, bridge, as)) != 0)
		return "it was renamed";
	if (owner == HBPF_OWNER_ENGINE && r->state->needs_engines &&
	    (engine_cache_may_own(&r->state->engines, bridge) || is_ambiguous(r, bridge)))
		return NULL;
	return "it is no longer declared";
}

/* Return: the retry state of a bridge to be detached now, or NULL */
static struct retry *detach_is_due(struct reconcile *r, const struct pins *pins, const char *bridge,
				   const char **why)
{
	char key[IFNAMSIZ + sizeof("detach ")];
	struct retry *retry;

	*why = detach_reason(r, pins, bridge);
	if (!*why)
		return NULL;
	snprintf(key, sizeof(key), "detach %s", bridge);
	retry = retry_get(&r->state->retries, key);
	return retry && !is_paused(r, retry) ? retry : NULL;
}

static void detach_if_due(struct reconcile *r, const struct pins *pins, const char *bridge)
{
	const char *why;
	struct retry *retry = detach_is_due(r, pins, bridge, &why);
	struct error err = {};
	struct detached detached;

	if (!retry)
		return;
	if (detach_run(pins, &r->host, bridge, &detached, &err)) {
		pause_after_error(r, retry, &err);
		r->failed = true;
	} else {
		log_notice("%s: detached, as %s", bridge, why);
	}
	error_free(&err);
}

static bool any_detach_is_due(struct reconcile *r)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	/* queried each time, so that the message is not forgotten between two failures */
	struct retry *retry = retry_get(&r->state->retries, "pins");
	struct error err = {};
	bool due = false;
	const char *why;

	if (attachment_bridges(PINS_READ, &pins, &bridges, &err)) {
		r->failed = true;
		retry_error(retry, &err);
	}
	for (size_t i = 0; !due && i < bridges.count; i++)
		due = detach_is_due(r, &pins, bridges.names[i], &why);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	error_free(&err);
	return due;
}

static void detach_undeclared(struct reconcile *r)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges = {};
	struct error err = {};

	if (!any_detach_is_due(r))
		return;
	/* Everything is read again under the exclusive lock, as it may have changed. */
	host_free(&r->host);
	if (attachment_bridges(PINS_WRITE, &pins, &bridges, &err) || host_read(&r->host, &err)) {
		log_error(&err);
		r->failed = true;
	} else {
		for (size_t i = 0; i < bridges.count; i++)
			detach_if_due(r, &pins, bridges.names[i]);
	}
	pins_bridges_free(&bridges);
	pins_close(&pins);
	error_free(&err);
}

/* ---- follow_files ---- */

static void follow_setting(struct file_monitor *files, const char *interface, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	file_monitor_add(files, path);
}

static void follow_pins(struct file_monitor *files, const struct reconcile *r)
{
	struct pins pins = PINS_INIT;
	char path[PATH_MAX];

	/* Without a bpffs this only sets the paths, which do not exist yet. */
	pins_open(&pins, PINS_READ, NULL);
	pins_close(&pins);
	for (size_t i = 0; i < r->count; i++) {
		if (!pins_path(&pins, r->v[i].bridge, NULL, path, NULL))
			file_monitor_add(files, path);
	}
	if (!pins_path(&pins, NULL, NULL, path, NULL))
		file_monitor_add(files, path);
	/* hbpf/NETNS, hbpf, and the root of the bpffs, which pins_close() touches after a change */
	for (int level = 0; level < 3; level++) {
		char *slash = strrchr(pins.base, '/');

		if (!slash)
			break;
		file_monitor_add(files, pins.base);
		*slash = '\0';
	}
}

/* Return: true if a file was not watched before: it may have changed since it was read. */
static bool follow_files(const struct reconcile *r)
{
	struct file_monitor *files = &r->state->files;
	struct retry *retry = retry_get(&r->state->retries, "files"); /* each time, as for "pins" */
	struct error err = {};

	files->error = 0;
	follow_pins(files, r);
	if (r->state->needs_engines)
		engine_cache_follow(&r->state->engines, files);
	for (size_t i = 0; i < r->count; i++)
		follow_setting(files, r->v[i].bridge, "route_localnet");
	if (r->count) {
		follow_setting(files, "lo", "route_localnet");
		follow_setting(files, "lo", "rp_filter");
		follow_setting(files, "all", "route_localnet");
		file_monitor_add(files, "/proc/sys/net/bridge/bridge-nf-call-iptables");
	}
	if (files->error) {
		error_errno(&err, files->error,
			    "some changes will go unnoticed, as not all files can be watched");
		error_hint(&err,
			   "raise fs.inotify.max_user_watches, or LimitNOFILE= of hbpf.service");
		retry_error(retry, &err);
		error_free(&err);
	}
	return file_monitor_commit(files);
}

/* ---- */

static void apply(struct reconcile *r)
{
	struct watch_state *state = r->state;
	int wait;

	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): freed in watch_reconcile(), which the
	 * analyzer does not follow */
	for (size_t i = 0; i < r->count; i++)
		attach_if_due(r, &r->v[i]);
	detach_undeclared(r);
	if (follow_files(r)) {
		/* A socket may have appeared since the engines were queried. */
		engine_cache_check_sockets(&state->engines);
		wait_at_most(r, 0);
	}
	retry_list_prune(&state->retries);
	wait = engine_cache_wait(&state->engines);
	if (state->needs_engines && wait >= 0)
		wait_at_most(r, wait);
}

int watch_reconcile(struct watch_state *state)
{
	struct reconcile r = { .state = state, .wait = -1 };
	struct error err = {};

	state->attached = 0;
	if (host_read(&r.host, &err)) {
		log_error(&err);
		error_free(&err);
		return 1000;
	}
	query_engines(&r);
	if (resolve_sections(&r)) {
		log_warn("out of memory");
		wait_at_most(&r, 1000);
	} else {
		apply(&r);
	}
	free(r.v);
	host_free(&r.host);
	return r.wait;
}

bool watch_detach_all(struct watch_state *state)
{
	struct reconcile r = { .state = state, .wait = -1 };
	struct error err = {};

	retry_list_free(&state->retries); /* do not wait for a pause */
	state->needs_engines = false;     /* nor for an engine */
	if (host_read(&r.host, &err)) {
		log_error(&err);
		r.failed = true;
	} else {
		detach_undeclared(&r);
	}
	error_free(&err);
	host_free(&r.host);
	return !r.failed;
}

void watch_state_free(struct watch_state *state)
{
	file_monitor_close(&state->files);
	retry_list_free(&state->retries);
	retry_list_free(&state->labels_logged);
	watch_config_free(&state->conf);
	watch_config_free(&state->labels);
	engine_cache_free(&state->engines);
}
