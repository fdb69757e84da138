/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/conflicts.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/proc_owner.h"

static bool would_lose_clients(const struct socket *socket, const struct gateways *gateways,
			       const struct exports *exports)
{
	const struct export *export = exports_find(exports, socket->proto, socket->local.port);

	/* A connected UDP socket keeps its packets: the programs see to that. */
	if (!export || socket->remote.port)
		return false;
	if (!export->to.ipv6 && !addr_is_v4(&socket->local.addr))
		return false;
	return gateways_has(gateways, &socket->local.addr);
}

int conflicts_find(const struct gateways *gateways, const struct exports *exports,
		   const struct sockets *sockets, struct conflicts *bound)
{
	for (size_t i = 0; i < sockets->count; i++) {
		if (would_lose_clients(&sockets->v[i], gateways, exports) && !bound->count++)
			bound->first = sockets->v[i];
	}
	return bound->count ? -EADDRINUSE : 0;
}

int conflicts_error(const struct conflicts *bound, struct error *err)
{
	const struct socket *socket = &bound->first;
	char where[ENDPOINT_STRLEN], who[PROC_OWNER_STRLEN], rest[64] = "";
	struct proc_owner owner = {};

	proc_owners_find(&socket->inode, &owner, 1);
	if (bound->count > 1)
		snprintf(rest, sizeof(rest), ", and %zu more sockets are in the way",
			 bound->count - 1);
	error_set(err, EADDRINUSE, "%s/%s is in use by %s, which its clients would lose%s",
		  endpoint_format(&socket->local.addr, socket->local.port, where),
		  proto_name(socket->proto), proc_owner_format(&owner, who), rest);
	error_hint(err, "leave it out, or take it over with --force");
	return -EADDRINUSE;
}
