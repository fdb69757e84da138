/* SPDX-License-Identifier: GPL-2.0-only */
#include "dataplane/flow_teardown.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/tcp.h>

#include "dataplane/access_lists.h"
#include "dataplane/flow_records.h"
#include "dataplane/map_io.h"
#include "dataplane/reverse.h"
#include "kernel/sock_diag.h"
#include "lib/array.h"

struct recent {
	struct hbpf_recent_key key;
	struct hbpf_recent flow;
};
KV_ARRAY_ENTRY(struct recent, key, flow);
#define RECENT_ARRAY KV_ARRAY(struct recent, key, flow)

struct port_stats {
	struct hbpf_export_key key;
	__u8 nothing[4]; /* the key is all that is needed to delete one */
};
KV_ARRAY_ENTRY(struct port_stats, key, nothing);
#define PORT_STATS_ARRAY KV_ARRAY(struct port_stats, key, nothing)

/* Is it one of @exports that leads from what was dialled to this loopback end? */
static bool is_over(const struct exports *exports, __u8 proto, __be16 dialled_port,
		    const struct hbpf_addr *local, __be16 local_port)
{
	const struct export *export = exports_find(exports, proto, dialled_port);

	return export && export_leads_to(export, local, local_port);
}

static bool flow_is_over(const struct exports *exports, const struct flow_record *flow)
{
	const struct hbpf_flow_key *key = &flow->key;

	return is_over(exports, key->proto, flow->dialled.port, &key->local, key->local_port);
}

/* ---- sockets ---- */

struct ended {
	__u16 slot;
	const struct exports *closed;
	enum dataplane_map map; /* where the entries come from */
	struct kv_array flows;
};

static int add_ended(const void *key, const void *value, void *context)
{
	struct ended *ended = context;
	struct flow_record flow = flow_record_of(ended->map, key, value);
	int ret;

	if (!flow_is_over(ended->closed, &flow))
		return 0;
	ret = kv_array_add(&ended->flows, &flow.key, &flow.dialled);
	if (ret || flow.key.proto != IPPROTO_UDP)
		return ret;
	/* once more without the loopback address, see socket_flow() */
	flow.key.local = addr_from_v6(&in6addr_any);
	return kv_array_add(&ended->flows, &flow.key, &flow.dialled);
}

static int read_ended(struct dataplane *dp, struct ended *ended, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < FLOW_MAPS; i++) {
		ended->map = flow_maps[i];
		ret = map_walk(dp, ended->map, add_ended, ended, err);
	}
	if (!ret && kv_array_sort(&ended->flows, NULL))
		ret = error_nomem(err);
	return ret;
}

/*
 * A UDP socket bound to the wildcard that connects to a client has the gateway's
 * address from then on: which loopback address the flow has cannot be read there.
 */
static struct hbpf_flow_key socket_flow(const struct socket *socket)
{
	struct hbpf_flow_key key = {
		.client = socket->remote.addr,
		.client_port = socket->remote.port,
		.local = socket->local.addr,
		.local_port = socket->local.port,
		.proto = socket->proto,
	};

	if (socket->proto == IPPROTO_UDP && !addr_is_loopback(&socket->local.addr))
		key.local = addr_from_v6(&in6addr_any);
	return key;
}

static bool socket_ended(const struct socket *socket, const struct ended *ended)
{
	struct hbpf_flow_key key;

	if (socket->has_dialled)
		return socket->slot == ended->slot &&
		       is_over(ended->closed, socket->proto, socket->dialled.port,
			       &socket->local.addr, socket->local.port);
	if (socket->proto == IPPROTO_UDP && socket->state != TCP_ESTABLISHED)
		return false; /* not connected: it serves others too */
	key = socket_flow(socket);
	return kv_array_find(&ended->flows, &key);
}

static int close_ended(const struct sockets *sockets, const struct ended *ended, struct error *err)
{
	char end[ENDPOINT_STRLEN];
	int closed = 0, failed = 0;
	size_t i;

	for (i = 0; i < sockets->count; i++) {
		const struct socket *socket = &sockets->v[i];
		int ret;

		if (!socket_ended(socket, ended))
			continue;
		ret = sockets_destroy(socket);
		if (ret == -EOPNOTSUPP)
			break; /* the kernel cannot (CONFIG_INET_DIAG_DESTROY) */
		if (!ret)
			closed++;
		else if (ret != -ENOENT && !failed) /* the others are to end even so */
			failed = error_errno(
				err, ret, "cannot close the connection of %s",
				endpoint_format(&socket->remote.addr, socket->remote.port, end));
	}
	return failed ? failed : closed;
}

int dataplane_end_flows(struct dataplane *dp, const struct exports *closed, struct error *err)
{
	struct ended ended = { .slot = dp->config.slot,
			       .closed = closed,
			       .flows = FLOW_RECORDS_ARRAY };
	struct sockets sockets = {};
	int ret;

	if (!closed->count)
		return 0;
	ret = read_ended(dp, &ended, err);
	if (ret)
		goto out;
	ret = sockets_list(SOCKETS_TCP_LIVE | SOCKETS_UDP, dp->shared->maps[MAP_CONNECTIONS],
			   &sockets, err);
	if (ret)
		goto out;
	ret = close_ended(&sockets, &ended, err);
	sockets_free(&sockets);
out:
	kv_array_free(&ended.flows);
	return ret;
}

/* ---- maps ---- */

struct sweep {
	const struct dataplane *dp;
	const struct exports *want;
	enum dataplane_map map;
	struct kv_array stale;
};

static int add_stale_flow(const void *key, const void *value, void *context)
{
	struct sweep *sweep = context;
	const struct flow_record flow = flow_record_of(sweep->map, key, value);

	return flow_is_over(sweep->want, &flow) ? 0 : kv_array_add(&sweep->stale, key, value);
}

static int add_stale_stats(const void *key, const void *value, void *context)
{
	const struct hbpf_export_key *export = key;
	struct sweep *sweep = context;

	(void)value;
	if (exports_find(sweep->want, export->proto, export->port))
		return 0;
	return kv_array_add(&sweep->stale, key, &(__u32){ 0 });
}

static int sweep_map(struct dataplane *dp, struct sweep sweep,
		     int (*add_stale)(const void *key, const void *value, void *context),
		     struct error *err)
{
	int ret;

	ret = map_walk(dp, sweep.map, add_stale, &sweep, err);
	if (!ret)
		ret = map_delete(dp, sweep.map, &sweep.stale, err);
	kv_array_free(&sweep.stale);
	return ret;
}

static int sweep_flows(struct dataplane *dp, const struct exports *want,
		       int (*add_stale)(const void *key, const void *value, void *context),
		       struct error *err)
{
	const struct kv_array flows = FLOW_RECORDS_ARRAY, recent = RECENT_ARRAY;
	int ret = 0;

	for (size_t i = 0; !ret && i < FLOW_MAPS; i++) {
		struct sweep sweep = { dp, want, flow_maps[i], recent };

		if (sweep.map == MAP_FLOWS)
			sweep.stale = flows;
		ret = sweep_map(dp, sweep, add_stale, err);
	}
	return ret;
}

/* Return: 1, 0, or -errno */
static int list_has(const struct dataplane *dp, __u32 list, const struct hbpf_addr *addr)
{
	struct hbpf_source_key key = source_key(list, &(struct prefix){ *addr, 128 });
	struct hbpf_source value;
	int ret;

	key.slot = sources_of(dp, list).config.slot;
	ret = bpf_map_lookup_elem(dp->shared->maps[MAP_SOURCES], &key, &value);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return 1;
}

/* As the programs ask of a new flow (bpf/source.h). Return: 1, 0, or -errno */
static int is_allowed(const struct dataplane *dp, const struct hbpf_policy *policy,
		      const struct hbpf_addr *client)
{
	int ret = list_has(dp, HBPF_LIST_HOST, client);

	if (ret)
		return ret < 0 ? ret : 0;
	if (policy->inherit)
		policy = &dp->config.from;
	if (policy->onlink)
		ret = list_has(dp, HBPF_LIST_ONLINK, client);
	if (!ret && policy->list >= HBPF_LIST_BRIDGE)
		ret = list_has(dp, policy->list, client);
	return ret;
}

static int add_refused(const void *key, const void *value, void *context)
{
	struct sweep *sweep = context;
	const struct flow_record flow = flow_record_of(sweep->map, key, value);
	const struct export *export;
	int allowed;

	if (flow.key.proto != IPPROTO_UDP)
		return 0;
	export = exports_find(sweep->want, flow.key.proto, flow.dialled.port);
	if (!export)
		return 0;
	allowed = is_allowed(sweep->dp, &export->to.from, &flow.key.client);
	if (allowed)
		return allowed < 0 ? allowed : 0;
	return kv_array_add(&sweep->stale, key, value);
}

int dataplane_delete_denied_flows(struct dataplane *dp, const struct exports *exports,
				  struct error *err)
{
	return sweep_flows(dp, exports, add_refused, err);
}

static int sweep_reverse(struct dataplane *dp, const struct exports *want, struct error *err)
{
	struct kv_array have = REVERSE_ARRAY, left = REVERSE_ARRAY;
	struct kv_array put, removed;
	int ret;

	ret = map_read(dp, MAP_REVERSE, &have, err);
	if (ret)
		return ret;
	ret = reverse_derive(want, &left);
	if (!ret)
		ret = kv_array_diff(&have, &left, &put, &removed);
	if (ret) {
		map_error(err, ret, MAP_REVERSE, "delete from");
		goto out;
	}
	ret = map_delete(dp, MAP_REVERSE, &removed, err);
	kv_array_free(&put);
	kv_array_free(&removed);
out:
	kv_array_free(&have);
	kv_array_free(&left);
	return ret;
}

int dataplane_sweep(struct dataplane *dp, const struct exports *want, struct error *err)
{
	int ret;

	ret = sweep_flows(dp, want, add_stale_flow, err);
	if (!ret)
		ret = sweep_map(dp, (struct sweep){ dp, want, MAP_PORT_STATS, PORT_STATS_ARRAY },
				add_stale_stats, err);
	if (!ret)
		ret = sweep_reverse(dp, want, err);
	return ret;
}
