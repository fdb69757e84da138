/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether replies reach the clients. A service replies from 127.0.0.1 or ::1, and the host has to
 * route that to the bridge. A VPN's policy routing rule, or a route more specific than the
 * bridge's, may send it elsewhere; then every client times out.
 *
 * Marks that netfilter sets in OUTPUT, which have packets routed again, are not taken into account.
 */
#ifndef HBPF_REPLY_ROUTE_H
#define HBPF_REPLY_ROUTE_H

#include "attach/attachment.h"
#include "attach/listeners.h"
#include "model/sources.h"

/* Which bridge, and what is served on it. */
struct reply_query {
	const struct host *host;
	const struct link *bridge;
	struct dataplane *dp; /* open */
	const struct gateways *gateways;
	const struct exports *exports;
	const struct listeners *listeners; /* of @exports */
};

/**
 * reply_clients() - the networks that may use at least one of some ports
 * @dp:		Open
 * @exports:	The ports; empty: those that the bridge allows by default
 * @all:	Filled; free with sources_free(). Empty if no network may
 *
 * Return: 0 or -errno
 */
int reply_clients(const struct dataplane *dp, const struct exports *exports, struct sources *all,
		  struct error *err);

/* A network whose clients get no reply. */
struct reply_problem {
	char text[256];
	char command[128]; /* that fixes it; empty if `text` has the next step */
};

#define REPLY_PROBLEMS_MAX 5

struct reply_problems {
	struct reply_problem v[REPLY_PROBLEMS_MAX]; /* the first few */
	size_t count;
	bool no_clients; /* no network at all may use the ports */
};

/**
 * reply_routes_check() - look up the route of replies to each network of clients
 * @problems:	Filled
 *
 * The lookup has the user, mark and port of each kind of service's socket, where rules select by
 * them. Return: 0 or -errno
 */
int reply_routes_check(const struct reply_query *query, struct reply_problems *problems,
		       struct error *err);

#endif /* HBPF_REPLY_ROUTE_H */
