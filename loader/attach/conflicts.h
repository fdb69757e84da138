/* SPDX-License-Identifier: GPL-2.0-only */
/* Services of the host that an exported port would take the clients of. */
#ifndef HBPF_CONFLICTS_H
#define HBPF_CONFLICTS_H

#include <stddef.h>

#include "kernel/sock_diag.h"
#include "lib/error.h"
#include "model/exports.h"
#include "model/gateways.h"

/* Sockets in conflict with exports. All zero: none. */
struct conflicts {
	struct socket first;
	size_t count; /* of all such sockets */
};

/**
 * conflicts_find() - find sockets bound to addresses and ports that clients would dial
 * @gateways:	The gateways
 * @exports:	The ports to be exported on them
 * @sockets:	All listening ones
 * @conflicts:	Those found are added
 *
 * An export takes the clients of such a service, for example libvirt's dnsmasq or aardvark-dns on
 * gateway:53. Return: 0 or -EADDRINUSE
 */
int conflicts_find(const struct gateways *gateways, const struct exports *exports,
		   const struct sockets *sockets, struct conflicts *conflicts);

#define CONFLICTS_STRLEN 256
/**
 * conflicts_format() - "172.30.0.1:53/udp is in use by dnsmasq (pid 812)"
 *
 * Searches /proc for the process, which takes time (proc_owners_find()): do not hold a lock.
 * Return: @buf
 */
const char *conflicts_format(const struct conflicts *conflicts, char buf[CONFLICTS_STRLEN]);

/**
 * conflicts_error() - set the error for conflicts, with the port, the process and --force
 *
 * Do not hold a lock (conflicts_format()). Return: -EADDRINUSE
 */
int conflicts_error(const struct conflicts *conflicts, struct error *err);

#endif /* HBPF_CONFLICTS_H */
