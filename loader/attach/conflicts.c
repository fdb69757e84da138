/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/conflicts.h"

#include <errno.h>
#include <stdio.h>

#include "kernel/proc_owner.h"

static bool is_taken_over(const struct socket *socket, const struct gateways *gateways,
			  const struct exports *exports)
{
	const struct export *export = exports_find(exports, socket->proto, socket->local.port);

	/* The programs do not touch packets of a connected UDP socket. */
	if (!export || socket->remote.port)
		return false;
	if (!export->to.ipv6 && !addr_is_v4(&socket->local.addr))
		return false;
	return gateways_has(gateways, &socket->local.addr);
}

int conflicts_find(const struct gateways *gateways, const struct exports *exports,
		   const struct sockets *sockets, struct conflicts *conflicts)
{
	for (size_t i = 0; i < sockets->count; i++) {
		if (is_taken_over(&sockets->v[i], gateways, exports) && !conflicts->count++)
			conflicts->first = sockets->v[i];
	}
	return conflicts->count ? -EADDRINUSE : 0;
}

const char *conflicts_format(const struct conflicts *conflicts, char buf[CONFLICTS_STRLEN])
{
	const struct socket *socket = &conflicts->first;
	char where[ENDPOINT_STRLEN], who[PROC_OWNER_STRLEN];
	struct proc_owner owner = {};

	proc_owners_find(&socket->inode, &owner, 1);
	snprintf(buf, CONFLICTS_STRLEN, "%s/%s is in use by %s",
		 endpoint_format(&socket->local.addr, socket->local.port, where),
		 proto_name(socket->proto), proc_owner_format(&owner, who));
	return buf;
}

int conflicts_error(const struct conflicts *conflicts, struct error *err)
{
	char text[CONFLICTS_STRLEN], rest[64] = "";

	if (conflicts->count > 1)
		snprintf(rest, sizeof(rest), ", and %zu more sockets conflict",
			 conflicts->count - 1);
	error_set(err, EADDRINUSE, "%s, which would lose its clients%s",
		  conflicts_format(conflicts, text), rest);
	error_hint(err, "omit this port, or take it over with --force");
	return -EADDRINUSE;
}
