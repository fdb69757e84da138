/* SPDX-License-Identifier: GPL-2.0-only */
/* Services of the host that would lose their clients to a port. */
#ifndef HBPF_CONFLICTS_H
#define HBPF_CONFLICTS_H

#include <stddef.h>

#include "kernel/sock_diag.h"
#include "lib/error.h"
#include "model/exports.h"
#include "model/gateways.h"

/* What is in the way of ports; all zero: nothing. */
struct conflicts {
	struct socket first;
	size_t count; /* of all such sockets */
};

/**
 * conflicts_find() - find sockets of the host on the addresses and ports that clients would dial
 * @gateways:	Of these gateways and
 * @exports:	these ports one is to be added
 * @sockets:	All that listen
 * @bound:	What is found is counted to what was found before
 *
 * An export would take such a service (libvirt's dnsmasq, aardvark-dns on gateway:53) away from the
 * clients. Return: 0 or -EADDRINUSE
 */
int conflicts_find(const struct gateways *gateways, const struct exports *exports,
		   const struct sockets *sockets, struct conflicts *bound);

/**
 * conflicts_error() - refuse for what was found, naming port and process, and --force
 *
 * Looks for the process, which takes time (proc_owners_find()): not with a lock held. Return:
 * -EADDRINUSE
 */
int conflicts_error(const struct conflicts *bound, struct error *err);

#endif /* HBPF_CONFLICTS_H */
