/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets of this network namespace (sock_diag). */
#ifndef HBPF_SOCK_DIAG_H
#define HBPF_SOCK_DIAG_H

#include <hbpf/maps.h>
#include <linux/inet_diag.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernel/tcp_info.h"
#include "lib/error.h"

struct socket {
	__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 state;  /* TCP_LISTEN, TCP_ESTABLISHED... of the kernel's tcp_states.h; an
		      * unconnected UDP socket is TCP_CLOSE */
	bool v6only; /* IPV6_V6ONLY */
	__u8 family; /* AF_INET or AF_INET6 of the socket itself */
	struct hbpf_endpoint
		local; /* wildcard: all zero for AF_INET6, ::ffff:0.0.0.0 for AF_INET */
	struct hbpf_endpoint remote;
	__u32 inode;
	__u32 uid;
	__u32 mark;       /* SO_MARK */
	bool has_dialled; /* `dialled` is valid */
	struct hbpf_endpoint dialled;
	__u16 slot;                 /* of the bridge that it came through, with `dialled` */
	struct inet_diag_sockid id; /* for sockets_destroy() */
	struct tcp_traffic traffic; /* with SOCKETS_TCP_TRAFFIC */
};

struct sockets {
	struct socket *v; /* in the order that sockets_serving() searches by */
	size_t count;
};

#define SOCKETS_TCP_LISTEN (1U << 0) /* listening TCP */
#define SOCKETS_TCP_LIVE   (1U << 1) /* every other TCP state but TIME_WAIT */
#define SOCKETS_UDP        (1U << 2) /* all UDP */

#define SOCKETS_TCP_TRAFFIC (1U << 3) /* with these, what each has sent and received */

/**
 * sockets_list() - list the sockets of both families
 * @what:	SOCKETS_* set
 * @storage_fd:	fd of the `connections` map, to read the entry of each TCP socket into `dialled`
 *		(INET_DIAG_REQ_SK_BPF_STORAGES), or -1
 *
 * Return: 0 or -errno. Free with sockets_free()
 */
int sockets_list(unsigned int what, int storage_fd, struct sockets *sockets, struct error *err);
void sockets_free(struct sockets *sockets);

/**
 * sockets_serving() - find the socket that would receive a packet to a loopback endpoint
 * @sockets:	Holds listening TCP and UDP
 * @proto:	IPPROTO_TCP or IPPROTO_UDP
 * @addr:	Loopback address
 * @port:	network byte order
 *
 * An exact bind is preferred to a wildcard one; a dual-stack [::] socket serves IPv4 too.
 * Return: the socket or NULL
 */
const struct socket *sockets_serving(const struct sockets *sockets, __u8 proto,
				     const struct hbpf_addr *addr, __be16 port);

/** sockets_is_on_lo() - is it bound to the device lo (SO_BINDTODEVICE)? */
bool sockets_is_on_lo(const struct socket *socket);

/**
 * sockets_destroy() - close a socket of the host (SOCK_DESTROY); its owner reads ECONNABORTED,
 * a TCP peer gets a RST
 * Return: 0, -ENOENT if it is closed already, -EOPNOTSUPP if the kernel lacks
 * CONFIG_INET_DIAG_DESTROY, other -errno
 */
int sockets_destroy(const struct socket *socket);

#endif /* HBPF_SOCK_DIAG_H */
