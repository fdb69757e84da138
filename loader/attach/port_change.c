/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/port_change.h"

#include <errno.h>

#include "dataplane/access_lists.h"
#include "dataplane/exports_map.h"
#include "dataplane/flow_teardown.h"
#include "kernel/sock_diag.h"
#include "model/gateways.h"

/* A port that `set` keeps also keeps its --from, so that omitting it does not open it wider. */
static void keep_policies(struct port_change *change)
{
	for (size_t i = 0; i < change->want.count; i++) {
		struct export *export = &change->want.v[i];
		const struct export *old =
			exports_find(&change->have, export->key.proto, export->key.port);

		if (old)
			export->to.from = old->to.from;
	}
}

static int want_added(struct port_change *change, const struct port_request *request,
		      struct error *err)
{
	struct hbpf_policy policy, *own = NULL;
	int list = HBPF_LIST_ONLINK, ret = 0;

	if (request->from.given) {
		if (request->from.sources.count)
			list = dataplane_port_list(change->dp, &request->from.sources, err);
		if (list < 0)
			return list;
		policy = from_policy(&request->from, (__u16)list);
		own = &policy;
	}
	for (size_t i = 0; !ret && i < request->specs.count; i++)
		ret = exports_add(&change->want, &request->specs.v[i], own, false, err);
	return ret;
}

static int want_all(struct port_change *change, const struct port_request *request,
		    struct error *err)
{
	int ret = 0;

	if (request->action == PORT_SET) {
		ret = want_added(change, request, err);
		if (!ret && !request->from.given)
			keep_policies(change);
		return ret;
	}
	if (exports_copy(&change->want, &change->have))
		return error_nomem(err);
	if (request->action == PORT_ADD)
		return want_added(change, request, err);
	for (size_t i = 0; !ret && i < request->specs.count; i++)
		ret = exports_del(&change->want, &request->specs.v[i], err);
	return ret;
}

/* Finds services that are bound to an added port on a gateway address. */
static int check_bound(struct port_change *change, struct error *err)
{
	struct gateways gateways = {};
	struct sockets sockets = {};
	int ret = dataplane_gateways(change->dp, &gateways, err);

	if (!ret)
		ret = sockets_list(SOCKETS_TCP_LISTEN | SOCKETS_UDP, -1, &sockets, err);
	if (!ret)
		ret = conflicts_find(&gateways, &change->added, &sockets, &change->bound);
	sockets_free(&sockets);
	gateways_free(&gateways);
	return ret;
}

int port_change_plan(struct port_change *change, const struct port_request *request,
		     struct error *err)
{
	int ret = want_all(change, request, err);

	if (ret)
		return ret;
	if (exports_diff(&change->have, &change->want, &change->added, &change->removed))
		return error_nomem(err);
	return request->force ? 0 : check_bound(change, err);
}

int port_change_commit(struct port_change *change, struct error *err)
{
	int ret = dataplane_set_exports(change->dp, &change->have, &change->want, err);

	change->committed = !ret;
	return ret;
}

void port_change_roll_back(struct port_change *change)
{
	if (change->committed)
		dataplane_set_exports(change->dp, &change->want, &change->have, NULL);
	change->committed = false;
}

int port_change_finish(struct port_change *change, bool new_from, struct error *err)
{
	const struct exports *now = change->committed ? &change->want : &change->have;
	int ret = 0;

	if (change->committed) {
		change->ended = dataplane_end_flows(change->dp, &change->removed, err);
		ret = change->ended < 0 ? change->ended : 0;
	}
	if (!ret && change->committed && new_from)
		ret = dataplane_delete_denied_flows(change->dp, now, err);
	if (!ret)
		ret = dataplane_sweep(change->dp, now, err);
	return ret ? ret : dataplane_sweep_lists(change->dp, now, err);
}

void port_change_free(struct port_change *change)
{
	exports_free(&change->have);
	exports_free(&change->want);
	exports_free(&change->added);
	exports_free(&change->removed);
}
