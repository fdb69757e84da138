/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flows through attached bridges: TCP connections, as their sockets on this host have them, and
 * what the tables have of UDP. Nothing is counted or stored for it while packets pass.
 */
#ifndef HBPF_FLOWS_H
#define HBPF_FLOWS_H

#include "attach/attachment.h"
#include "kernel/proc_owner.h"
#include "kernel/tcp_info.h"

struct flow {
	char bridge[IFNAMSIZ]; /* its present name */
	__u8 proto;            /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 state;            /* of TCP: TCP_ESTABLISHED... of tcp_states.h; 0 of UDP */
	struct hbpf_endpoint client;
	struct hbpf_endpoint dialled;
	struct hbpf_endpoint local;
	struct tcp_traffic traffic; /* not known of UDP and half-open TCP */
	__u32 inode;                /* of the service's socket for this flow, or 0 */
	__u32 listener;             /* of the socket that serves the port, or 0 */
	struct proc_owner owner;    /* after flows_name() */
};

/* A bridge whose flows cannot be read, and why. */
struct unreadable_flows {
	char bridge[IFNAMSIZ];
	struct error problem;
};

struct flows {
	struct flow *v;
	size_t count;
	struct {
		struct unreadable_flows *v;
		size_t count;
	} unreadable;
};

/**
 * flows_read() - list the flows of attached bridges
 * @pins:	Open; the caller closes them, and then calls flows_name()
 * @only:	One of @bridges->names, or NULL for all
 * @flows:	Filled; free with flows_free(), also on failure
 *
 * A bridge whose state cannot be read is in @flows->unreadable. Return: 0 or -errno
 */
int flows_read(const struct pins *pins, const struct pins_bridges *bridges, const struct host *host,
	       const char *only, struct flows *flows, struct error *err);

/** flows_name() - find the processes that serve. It takes time (proc_owners_find()): do not hold a
 * lock. Return: 0 or -errno, and then the owners stay unknown */
int flows_name(struct flows *flows);
void flows_free(struct flows *flows);

#endif /* HBPF_FLOWS_H */
