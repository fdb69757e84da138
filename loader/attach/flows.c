/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/flows.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/exports_map.h"
#include "dataplane/flow_records.h"
#include "dataplane/shared.h"
#include "kernel/sock_diag.h"
#include "lib/addr.h"
#include "lib/array.h"

/* One bridge, while the flows are collected. */
struct source {
	const char *name;
	struct hbpf_config config;
	struct exports exports;
	struct kv_array records;
};

struct collection {
	struct source *v;
	size_t count;
	struct sockets sockets; /* of all bridges */
	struct flows *flows;
};

static int open_source(const struct pins *pins, const struct host *host, const char *name,
		       struct shared *shared, struct source *source, struct error *err)
{
	struct dataplane dp;
	bool dead; /* then its connections go on in silence */
	int ret;

	dataplane_init(&dp, shared);
	ret = dataplane_open_dead(&dp, pins, name, attachment_target(pins, host, name).ifindex,
				  &dead, err);
	if (!ret)
		ret = dataplane_exports(&dp, &source->exports, err);
	if (!ret)
		ret = dataplane_flow_records(&dp, &source->records, err);
	source->config = dp.config;
	dataplane_close(&dp);
	return ret;
}

static void free_source(struct source *source)
{
	exports_free(&source->exports);
	kv_array_free(&source->records);
}

/* Takes the error over. */
static int add_unreadable(struct flows *flows, const char *bridge, struct error *problem)
{
	struct unreadable_flows one = { .problem = *problem };

	snprintf(one.bridge, sizeof(one.bridge), "%s", bridge);
	if (!ARRAY_ADD(&flows->unreadable, one))
		return 0;
	error_free(problem);
	return -ENOMEM;
}

static int open_sources(struct collection *all, const struct pins *pins,
			const struct pins_bridges *bridges, const struct host *host,
			const char *only, struct shared *shared, struct error *err)
{
	int ret = 0;

	all->v = calloc(bridges->count + 1, sizeof(*all->v));
	if (!all->v)
		return error_nomem(err);
	shared->reads_once = true;
	for (size_t i = 0; !ret && i < bridges->count; i++) {
		struct source *source = &all->v[all->count];
		struct error problem = {};

		if (only && only != bridges->names[i])
			continue;
		*source = (struct source){
			.name = bridges->current[i],
			.records = FLOW_RECORDS_ARRAY,
		};
		if (!open_source(pins, host, bridges->names[i], shared, source, &problem)) {
			all->count++;
			continue;
		}
		free_source(source);
		ret = add_unreadable(all->flows, bridges->current[i], &problem);
	}
	return ret ? error_nomem(err) : 0;
}

static void free_sources(struct collection *all)
{
	for (size_t i = 0; i < all->count; i++)
		free_source(&all->v[i]);
	free(all->v);
	sockets_free(&all->sockets);
}

/* ---- TCP ---- */

static bool by_slot(const struct collection *all, __u16 slot, const struct source **source)
{
	for (size_t i = 0; i < all->count; i++) {
		*source = &all->v[i];
		if ((*source)->config.slot == slot)
			return true;
	}
	return false;
}

/* Half-open: the kernel has no socket yet that could store what was dialled. */
static bool by_record(const struct collection *all, const struct socket *socket,
		      const struct source **source, struct hbpf_endpoint *dialled)
{
	const struct hbpf_flow_key key = {
		.client = socket->remote.addr,
		.client_port = socket->remote.port,
		.local = socket->local.addr,
		.local_port = socket->local.port,
		.proto = IPPROTO_TCP,
	};

	for (size_t i = 0; i < all->count; i++) {
		const struct flow_record *record = kv_array_find(&all->v[i].records, &key);

		if (record) {
			*dialled = record->dialled;
			*source = &all->v[i];
			return true;
		}
	}
	return false;
}

/* The only export that leads to a loopback end, or NULL: flow_only_one() of bpf/flow.h. */
static const struct export *only_export(const struct exports *exports,
					const struct hbpf_endpoint *local)
{
	const struct export *found = NULL;

	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->v[i];

		if (export->key.proto != IPPROTO_TCP ||
		    !export_leads_to(export, &local->addr, local->port))
			continue;
		if (found)
			return NULL;
		found = export;
	}
	return found;
}

/* The record was evicted: what the client can only have dialled, if it is a single endpoint. */
static bool by_elimination(const struct collection *all, const struct socket *socket,
			   const struct source **source, struct hbpf_endpoint *dialled)
{
	bool found = false;

	if (!addr_is_loopback(&socket->local.addr) || addr_is_loopback(&socket->remote.addr))
		return false;
	for (size_t i = 0; i < all->count; i++) {
		const struct export *export = only_export(&all->v[i].exports, &socket->local);
		const struct hbpf_config *config = &all->v[i].config;
		struct hbpf_addr gateway = addr_is_v4(&socket->remote.addr) ? config->only_gateway4
									    : config->only_gateway6;

		if (!export || addr_is_unspecified(&gateway))
			continue;
		if (found)
			return false;
		found = true;
		*source = &all->v[i];
		*dialled = (struct hbpf_endpoint){ .addr = gateway, .port = export->key.port };
	}
	return found;
}

static __u32 listener_of(const struct collection *all, __u8 proto,
			 const struct hbpf_endpoint *local)
{
	const struct socket *socket =
		sockets_serving(&all->sockets, proto, &local->addr, local->port);

	return socket ? socket->inode : 0;
}

static int add_tcp(struct collection *all, const struct socket *socket)
{
	struct flow flow = {
		.proto = IPPROTO_TCP,
		.state = socket->state,
		.client = socket->remote,
		.dialled = socket->dialled,
		.local = socket->local,
		.traffic = socket->traffic,
		.inode = socket->inode,
	};
	const struct source *source;

	if (socket->has_dialled ? !by_slot(all, socket->slot, &source)
				: !by_record(all, socket, &source, &flow.dialled) &&
					  !by_elimination(all, socket, &source, &flow.dialled))
		return 0; /* not hbpf's, or of another bridge */
	memcpy(flow.bridge, source->name, sizeof(flow.bridge));
	flow.listener = listener_of(all, IPPROTO_TCP, &flow.local);
	return ARRAY_ADD(all->flows, flow);
}

/* ---- UDP ---- */

static int add_udp(struct collection *all, const struct source *source,
		   const struct flow_record *record)
{
	struct flow flow = {
		.proto = IPPROTO_UDP,
		.client = { .addr = record->key.client, .port = record->key.client_port },
		.dialled = record->dialled,
		.local = { .addr = record->key.local, .port = record->key.local_port },
	};

	memcpy(flow.bridge, source->name, sizeof(flow.bridge));
	flow.listener = listener_of(all, IPPROTO_UDP, &flow.local);
	return ARRAY_ADD(all->flows, flow);
}

static int collect(struct collection *all, struct error *err)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < all->sockets.count; i++) {
		const struct socket *socket = &all->sockets.v[i];

		if (socket->proto == IPPROTO_TCP && socket->state != TCP_LISTEN)
			ret = add_tcp(all, socket);
	}
	for (size_t i = 0; i < all->count; i++) {
		const struct source *source = &all->v[i];

		for (size_t n = 0; !ret && n < source->records.count; n++) {
			const struct flow_record *record = kv_array_entry(&source->records, n);

			if (record->key.proto == IPPROTO_UDP)
				ret = add_udp(all, source, record);
		}
	}
	return ret ? error_nomem(err) : 0;
}

int flows_read(const struct pins *pins, const struct pins_bridges *bridges, const struct host *host,
	       const char *only, struct flows *flows, struct error *err)
{
	struct collection all = { .flows = flows };
	struct shared shared = SHARED_INIT;
	int ret;

	*flows = (struct flows){};
	ret = open_sources(&all, pins, bridges, host, only, &shared, err);
	if (!ret && all.count)
		ret = sockets_list(SOCKETS_TCP_LISTEN | SOCKETS_TCP_LIVE | SOCKETS_TCP_TRAFFIC |
					   SOCKETS_UDP,
				   shared.maps[MAP_CONNECTIONS], &all.sockets, err);
	if (!ret)
		ret = collect(&all, err);
	free_sources(&all);
	shared_close(&shared);
	return ret;
}

/* ---- processes ---- */

/* A service may accept in one process and serve in another; a connection that waits to be accepted
 * is served by the one that listens. */
int flows_name(struct flows *flows)
{
	size_t count = flows->count;
	__u32 *inodes = calloc(2 * count + 1, sizeof(*inodes));
	struct proc_owner *owners = calloc(2 * count + 1, sizeof(*owners));
	int ret = inodes && owners ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < count; i++) {
		inodes[i] = flows->v[i].inode;
		inodes[count + i] = flows->v[i].listener;
	}
	if (!ret)
		ret = proc_owners_find(inodes, owners, 2 * count);
	for (size_t i = 0; !ret && i < count; i++)
		flows->v[i].owner = owners[i].pid ? owners[i] : owners[count + i];
	free(inodes);
	free(owners);
	return ret;
}

void flows_free(struct flows *flows)
{
	for (size_t i = 0; i < flows->unreadable.count; i++)
		error_free(&flows->unreadable.v[i].problem);
	free(flows->unreadable.v);
	free(flows->v);
	*flows = (struct flows){};
}
