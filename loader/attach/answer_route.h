/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Do answers find their way back? A service answers from 127.0.0.1 or ::1, and the host's routing
 * has to lead that to the bridge: a VPN's policy routing rule, or a route more specific than the
 * bridge's own, takes it elsewhere, and every client times out.
 *
 * Not seen are marks that netfilter sets on the way out, which have packets routed once more.
 */
#ifndef HBPF_ANSWER_ROUTE_H
#define HBPF_ANSWER_ROUTE_H

#include "attach/attachment.h"
#include "attach/listeners.h"

/* Which bridge, and what is served on it. */
struct answers_query {
	const struct host *host;
	const struct link *bridge;
	struct dataplane *dp; /* open */
	const struct gateways *gateways;
	const struct exports *exports;
	const struct listeners *listeners; /* of @exports */
};

/**
 * answers_clients() - the networks that may use any of some ports, or of none at all the bridge's
 * @dp:		Open
 * @all:	Filled; free with sources_free(). Nothing in it where no network may
 *
 * Return: 0 or -errno
 */
int answers_clients(const struct dataplane *dp, const struct exports *exports, struct sources *all,
		    struct error *err);

/* A network whose clients get no answer. */
struct answers_lost {
	char text[256];
	char command[128]; /* that leads answers to the bridge; empty where `text` says what to do
			    */
};

#define ANSWERS_LOST_MOST 5

struct answers {
	struct answers_lost lost[ANSWERS_LOST_MOST]; /* the first few */
	size_t count;
	bool no_clients; /* no network at all may use the ports */
};

/**
 * answers_check() - ask the kernel for the route of answers to each network of clients
 * @answers:	Filled
 *
 * Asked is as each kind of service's socket would, where rules look at the user, mark or port of
 * one. Return: 0 or -errno
 */
int answers_check(const struct answers_query *query, struct answers *answers, struct error *err);

#endif /* HBPF_ANSWER_ROUTE_H */
