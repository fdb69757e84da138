/* SPDX-License-Identifier: GPL-2.0-only */
/*
 *	ask        the engines, where a section or label depends on them
 *	want       which sections have a bridge that is there
 *	tend       attach each of them, where that is due
 *	release    detach what is not among them and was not attached by hand
 *	follow     listen to the files that the next pass depends on
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

/* A declared bridge that is there. */
struct want {
	const char *where; /* the section is */
	struct attach_request request;
	char bridge[IFNAMSIZ]; /* what the request is about; release() reads the links anew */
	unsigned int ifindex;
};

struct pass {
	struct watch_state *state;
	struct host host;
	struct want *wants;
	size_t count;
	int wait;    /* ms, -1: not at all */
	bool failed; /* something could not be detached */
};

static void wait_at_most(struct pass *pass, int ms)
{
	if (pass->wait < 0 || ms < pass->wait)
		pass->wait = ms;
}

/* Is it not to be tried yet? Then there is a pass when it is. */
static bool is_paused(struct pass *pass, const struct tended *tended)
{
	int left = backoff_left(&tended->backoff, monotonic_ms());

	if (left)
		wait_at_most(pass, left);
	return left;
}

/* ---- ask ---- */

static bool depends_on_engines(const struct pass *pass)
{
	const struct conf *conf = &pass->state->conf;

	for (size_t i = 0; i < conf->count; i++) {
		if (!links_by_any_name(&pass->host.links, conf->v[i].name))
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

static void ask(struct pass *pass)
{
	struct watch_state *state = pass->state;
	struct engine_cache *engines = &state->engines;
	unsigned int newest = newest_bridge(&pass->host);
	bool asked = state->asks;

	state->asks = depends_on_engines(pass);
	/* As long as nothing depended on them nobody listened to where their sockets are, either.
	 */
	if ((state->asks && !asked) ||
	    (newest > state->newest_bridge && engine_cache_has_podman(engines)))
		engines->stale = true;
	state->newest_bridge = newest;
	if (state->asks)
		engine_cache_refresh(engines);
	engine_cache_meet(engines, &pass->host.links);
	conf_free(&state->labels);
	if (state->conf.labels)
		engine_cache_labels(engines, &state->labels);
}

/* ---- want ---- */

/* The one place that knows what a section's name means. Return: interface, or NULL */
static const char *find_bridge(const struct pass *pass, const struct conf_section *section,
			       enum hbpf_owner *owner, struct error *err)
{
	const struct network *network;
	const struct link *link;
	int ret;

	*owner = section->request.owner;
	if (section->bridge)
		return section->bridge;
	link = links_by_any_name(&pass->host.links, section->name);
	if (link)
		return link->name;
	*owner = HBPF_BY_ENGINE;
	ret = engine_find(&pass->state->engines.networks, section->name, &network, err);
	return ret ? NULL : engine_network_bridge(network, err);
}

/* May a section's name mean the network of this bridge, and another one as well? */
static bool is_disputed(const struct pass *pass, const char *bridge)
{
	const struct conf *conf = &pass->state->conf;
	const struct networks *networks = &pass->state->engines.networks;
	const struct network *network = NULL, *found;

	if (conf->count)
		network = engine_find_bridge(networks, bridge);

	for (size_t i = 0; network && i < conf->count; i++) {
		const char *name = conf->v[i].name;

		if (engine_may_mean(network, name) && !links_by_any_name(&pass->host.links, name) &&
		    engine_find(networks, name, &found, NULL) == -ENOTUNIQ)
			return true;
	}
	return false;
}

static const struct want *find_want(const struct pass *pass, const char *bridge)
{
	for (size_t i = 0; i < pass->count; i++) {
		if (!strcmp(pass->wants[i].request.bridge, bridge))
			return &pass->wants[i];
	}
	return NULL;
}

static void want_section(struct pass *pass, const struct conf_section *section)
{
	struct tended *tended = tended_get(&pass->state->tended, section->where);
	struct want *want = &pass->wants[pass->count];
	enum hbpf_owner owner;
	struct error err = {};
	const char *bridge = find_bridge(pass, section, &owner, &err);
	const struct link *link = bridge ? links_by_name(&pass->host.links, bridge) : NULL;
	const struct want *other = link ? find_want(pass, bridge) : NULL;

	if (!tended)
		return;
	if (err.what[0]) {
		tended_fail(tended, &err);
		error_free(&err);
	} else if (!link) {
		tended_say(tended, "%s (%s): no such bridge yet", section->name, section->where);
		tended->ifindex = 0;
	} else if (section->bridge && is_disputed(pass, bridge)) {
		tended_say(tended,
			   "%s (%s): ignored, as a section's name matches this network and another",
			   section->name, section->where);
	} else if (other) {
		tended_say(tended, "%s (%s): ignored, as %s is already declared at %s",
			   section->name, section->where, bridge, other->where);
	} else {
		want->where = section->where;
		want->request = section->request;
		snprintf(want->bridge, sizeof(want->bridge), "%s", link->name);
		want->request.bridge = want->bridge;
		want->request.owner = owner;
		want->ifindex = link->ifindex;
		pass->count++;
	}
}

static void want_conf(struct pass *pass, const struct conf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		want_section(pass, &conf->v[i]);
}

static int want_all(struct pass *pass)
{
	const struct watch_state *state = pass->state;

	pass->wants = calloc(state->conf.count + state->labels.count + 1, sizeof(*pass->wants));
	if (!pass->wants)
		return -ENOMEM;
	want_conf(pass, &state->conf);
	want_conf(pass, &state->labels);
	return 0;
}

/* ---- tend ---- */

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

static bool is_taken_over(const struct attach *a)
{
	return !a->fresh && a->before.config.owner == HBPF_BY_HAND &&
	       a->after.config.owner != HBPF_BY_HAND;
}

/* Return: NULL where all was as declared, but undone by somebody */
static const char *what_changed(const struct attach *a)
{
	if (a->fresh)
		return "attached";
	if (is_taken_over(a))
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

static void attached(struct tended *tended, const struct attach *a)
{
	const char *change = what_changed(a);
	char ports[LIST_STRLEN] = "", gateways[LIST_STRLEN] = "";

	free(tended->said);
	tended->said = NULL;
	/* In a row of heals each pause is longer than the one before. */
	if (change || !tended_is_hot(tended, monotonic_ms()))
		tended->backoff = (struct backoff){};
	list_ports(&a->after.exports, ports);
	list_gateways(&a->after.gateways, gateways);
	log_notice("%s: %s; %s on %s", a->bridge, change ? change : "repaired", ports,
		   gateways[0] ? gateways : "no address yet");
	if (change || !tended_heal(tended, monotonic_ms()))
		return;
	backoff_fail(&tended->backoff, monotonic_ms());
	log_warn("%s: flapping: reverted repeatedly; next repair in %d s", a->bridge,
		 tended->backoff.delay / 1000);
}

static void run(struct pass *pass, struct tended *tended, const struct want *want)
{
	struct error err = {};
	struct attach a;

	if (attach_run(&a, &want->request, &err)) {
		tended_fail(tended, &err);
		backoff_fail(&tended->backoff, monotonic_ms());
	} else {
		attached(tended, &a);
		pass->state->attached++;
	}
	is_paused(pass, tended);
	attach_free(&a);
	error_free(&err);
}

/* As declared: what is said from here on is news. */
static void settled(struct pass *pass, struct tended *tended)
{
	free(tended->said);
	tended->said = NULL;
	if (!tended_is_hot(tended, monotonic_ms()))
		tended->backoff = (struct backoff){};
	pass->state->attached++;
}

static void tend(struct pass *pass, const struct want *want)
{
	struct tended *tended = tended_get(&pass->state->tended, want->where);
	struct error err = {};
	struct attach a;
	int due;

	if (!tended)
		return;
	if (tended->ifindex != want->ifindex) {
		tended->backoff = (struct backoff){};
		tended->ifindex = want->ifindex;
		tended->heals = 0;
	}
	due = attach_is_due(&a, &want->request, &err);
	attach_free(&a);
	if (due < 0)
		tended_fail(tended,
			    &err); /* only an event can help: there is no pause to wait for */
	else if (!due)
		settled(pass, tended);
	else if (!is_paused(pass, tended))
		run(pass, tended, want);
	error_free(&err);
}

/* ---- release ---- */

static const char *attached_as(const struct pins *pins, const char *bridge, char as[IFNAMSIZ])
{
	struct hbpf_config config;

	if (dataplane_peek(pins, bridge, &config) || !config.attached_as[0])
		return bridge;
	memcpy(as, config.attached_as, IFNAMSIZ);
	return as;
}

/* Return: why it is to be detached, or NULL */
static const char *release_reason(const struct pass *pass, const struct pins *pins,
				  const char *bridge)
{
	const struct link *link = links_by_index(
		&pass->host.links, attachment_target(pins, &pass->host, bridge).ifindex);
	char as[IFNAMSIZ];
	int owner;

	/* By its present name, and that of the state may be an older one. */
	if (link && find_want(pass, link->name))
		return NULL;
	owner = attachment_owner(pins, &pass->host, bridge);
	if (owner <= HBPF_BY_HAND)
		return NULL;
	if (!link)
		return "it was deleted";
	if (strcmp(link->name, attached_as(pins, bridge, as)) != 0)
		return "it was renamed";
	if (owner == HBPF_BY_ENGINE && pass->state->asks &&
	    (engine_cache_may_have(&pass->state->engines, bridge) || is_disputed(pass, bridge)))
		return NULL;
	return "it is no longer declared";
}

/* Return: what is remembered of a bridge that is to be detached and may be tried now, or NULL */
static struct tended *to_release(struct pass *pass, const struct pins *pins, const char *bridge,
				 const char **why)
{
	char key[IFNAMSIZ + sizeof("detach ")];
	struct tended *tended;

	*why = release_reason(pass, pins, bridge);
	if (!*why)
		return NULL;
	snprintf(key, sizeof(key), "detach %s", bridge);
	tended = tended_get(&pass->state->tended, key);
	return tended && !is_paused(pass, tended) ? tended : NULL;
}

static void release_one(struct pass *pass, const struct pins *pins, const char *bridge)
{
	const char *why;
	struct tended *tended = to_release(pass, pins, bridge, &why);
	struct error err = {};
	struct detached detached;

	if (!tended)
		return;
	if (detach_run(pins, &pass->host, bridge, &detached, &err)) {
		tended_fail(tended, &err);
		backoff_fail(&tended->backoff, monotonic_ms());
		is_paused(pass, tended);
		pass->failed = true;
	} else {
		log_notice("%s: detached, as %s", bridge, why);
	}
	error_free(&err);
}

/* Return: is there anything to detach? */
static bool release_is_due(struct pass *pass)
{
	struct tended *tended = tended_get(&pass->state->tended, "pins");
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges;
	struct error err = {};
	bool due = false;
	const char *why;

	if (attachment_bridges(PINS_READ, &pins, &bridges, &err)) {
		pass->failed = true;
		if (tended)
			tended_fail(tended, &err);
	}
	for (size_t i = 0; !due && i < bridges.count; i++)
		due = to_release(pass, &pins, bridges.names[i], &why);
	pins_bridges_free(&bridges);
	pins_close(&pins);
	error_free(&err);
	return due;
}

static void release(struct pass *pass)
{
	struct pins pins = PINS_INIT;
	struct pins_bridges bridges = {};
	struct error err = {};

	if (!release_is_due(pass))
		return;
	/* All of it again under the exclusive lock: it may have changed meanwhile. */
	host_free(&pass->host);
	if (attachment_bridges(PINS_WRITE, &pins, &bridges, &err) || host_read(&pass->host, &err)) {
		log_error(&err);
		pass->failed = true;
	} else {
		for (size_t i = 0; i < bridges.count; i++)
			release_one(pass, &pins, bridges.names[i]);
	}
	pins_bridges_free(&bridges);
	pins_close(&pins);
	error_free(&err);
}

/* ---- follow ---- */

static void follow_setting(struct file_monitor *files, const char *interface, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	file_monitor_add(files, path);
}

static void follow_pins(struct file_monitor *files, const struct pass *pass)
{
	struct pins pins = PINS_INIT;
	char path[PATH_MAX];

	/* Where there is no bpffs yet only the paths are right, and those are not there. */
	pins_open(&pins, PINS_READ, NULL);
	pins_close(&pins);
	for (size_t i = 0; i < pass->count; i++) {
		if (!pins_path(&pins, pass->wants[i].request.bridge, NULL, path))
			file_monitor_add(files, path);
	}
	if (!pins_path(&pins, NULL, NULL, path))
		file_monitor_add(files, path);
	/* hbpf/NETNS, hbpf, and the root that every command touches */
	for (int above = 0; above < 3; above++) {
		char *slash = strrchr(pins.base, '/');

		if (!slash)
			break;
		file_monitor_add(files, pins.base);
		*slash = '\0';
	}
}

/* Return: could something have changed since it was looked at? */
static bool follow(const struct pass *pass)
{
	struct file_monitor *files = &pass->state->files;
	struct tended *tended = tended_get(&pass->state->tended, "files");
	struct error err = {};

	files->error = 0;
	follow_pins(files, pass);
	if (pass->state->asks)
		engine_cache_follow(&pass->state->engines, files);
	for (size_t i = 0; i < pass->count; i++)
		follow_setting(files, pass->wants[i].request.bridge, "route_localnet");
	if (pass->count) {
		follow_setting(files, "lo", "route_localnet");
		follow_setting(files, "lo", "rp_filter");
		follow_setting(files, "all", "route_localnet");
		file_monitor_add(files, "/proc/sys/net/bridge/bridge-nf-call-iptables");
	}
	if (files->error && tended) {
		error_errno(&err, files->error,
			    "some changes will go unnoticed, as not all files can be "
			    "watched");
		error_hint(&err,
			   "raise fs.inotify.max_user_watches, or LimitNOFILE= of hbpf.service");
		tended_fail(tended, &err);
		error_free(&err);
	}
	return file_monitor_commit(files);
}

static void make(struct pass *pass)
{
	struct watch_state *state = pass->state;
	int wait;

	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): watch_reconcile() frees them, it loses sight
	 */
	for (size_t i = 0; i < pass->count; i++)
		tend(pass, &pass->wants[i]);
	release(pass);
	if (follow(pass)) {
		/* Its socket may have come between the asking and the listening. */
		engine_cache_retry(&state->engines);
		wait_at_most(pass, 0);
	}
	tended_forget(&state->tended);
	wait = engine_cache_wait(&state->engines);
	if (state->asks && wait >= 0)
		wait_at_most(pass, wait);
}

int watch_reconcile(struct watch_state *state)
{
	struct pass pass = { .state = state, .wait = -1 };
	struct error err = {};

	state->attached = 0;
	if (host_read(&pass.host, &err)) {
		log_error(&err);
		error_free(&err);
		return 1000;
	}
	ask(&pass);
	if (want_all(&pass)) {
		log_warn("no memory for what is declared");
		wait_at_most(&pass, 1000);
	} else {
		make(&pass);
	}
	free(pass.wants);
	host_free(&pass.host);
	return pass.wait;
}

bool watch_detach_all(struct watch_state *state)
{
	struct pass pass = { .state = state, .wait = -1 };
	struct error err = {};

	tended_free(&state->tended); /* no pause for what failed before */
	state->asks = false;         /* nor for what an engine may say yet */
	if (host_read(&pass.host, &err)) {
		log_error(&err);
		pass.failed = true;
	} else {
		release(&pass);
	}
	error_free(&err);
	host_free(&pass.host);
	return !pass.failed;
}
