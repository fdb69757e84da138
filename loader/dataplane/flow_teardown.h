/* SPDX-License-Identifier: GPL-2.0-only */
/* What ends together with an export: sockets, flows, reverse entries, statistics. */
#ifndef HBPF_FLOW_TEARDOWN_H
#define HBPF_FLOW_TEARDOWN_H

#include "dataplane/dataplane.h"
#include "lib/error.h"
#include "model/exports.h"

/**
 * dataplane_end_flows() - end the connections over removed exports, on both sides
 * @closed:	As of exports_diff()
 *
 * Closes (SOCK_DESTROY) the service's TCP sockets that were dialled through them, whose RST still
 * reaches the client, and connected UDP sockets of such flows. If the kernel has no SOCK_DESTROY,
 * nothing is closed, which is no error. Return: number of closed sockets, or -errno
 */
int dataplane_end_flows(struct dataplane *dp, const struct exports *closed, struct error *err);

/** dataplane_sweep() - delete the flows, statistics and reverse entries that belong to no export of
 * @want. Return: 0 or -errno */
int dataplane_sweep(struct dataplane *dp, const struct exports *want, struct error *err);

/**
 * dataplane_delete_denied_flows() - delete the UDP flows of clients that may no longer use their
 * port
 * @exports:	What the maps hold
 *
 * The programs check the source only of new flows, and a UDP flow has no end of its own. Other
 * flows stay: answers may be pending. Return: 0 or -errno
 */
int dataplane_delete_denied_flows(struct dataplane *dp, const struct exports *exports,
				  struct error *err);

#endif /* HBPF_FLOW_TEARDOWN_H */
