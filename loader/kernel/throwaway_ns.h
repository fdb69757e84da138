/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network namespace that plays a client for a moment: joined to a bridge by a veth, without a
 * name and without a process of its own. Descriptors of this process are all that holds it, so the
 * kernel removes it and the veth with it, however the process ends.
 */
#ifndef HBPF_THROWAWAY_NS_H
#define HBPF_THROWAWAY_NS_H

#include <net/if.h>

#include "kernel/rtnetlink.h"

struct throwaway_ns {
	int home;             /* fd of the namespace of this process */
	int ns;               /* fd of the new one */
	char port[IFNAMSIZ];  /* the bridge's port; empty: there is none */
	unsigned int ifindex; /* of the other end, in the new namespace */
};

/* clang-format off */
#define THROWAWAY_NS_INIT ((struct throwaway_ns){ .home = -1, .ns = -1 })
/* clang-format on */

/**
 * throwaway_ns_open() - create the namespace and connect it to a bridge
 * @client:	THROWAWAY_NS_INIT; filled. Release with throwaway_ns_close(), also on failure
 *
 * The new port has a MAC address so high that the bridge, which takes the lowest of its ports',
 * keeps its own (br_stp_recalculate_bridge_id()). Return: 0 or -errno
 */
int throwaway_ns_open(struct throwaway_ns *client, const struct link *bridge, struct error *err);

/** throwaway_ns_close() - delete the port, and with it the namespace */
void throwaway_ns_close(struct throwaway_ns *client);

/**
 * throwaway_ns_address() - give the other end an address, with the route of its prefix
 * @len:	Of the prefix; of IPv4 addresses up to 32
 *
 * Return: 0 or -errno
 */
int throwaway_ns_address(const struct throwaway_ns *client, const struct hbpf_addr *addr,
			 unsigned int len);

/**
 * throwaway_ns_is_taken() - does anyone on the link have this IPv4 address?
 *
 * Sends ARP probes, as RFC 5227 describes them, and waits 200 ms for an answer.
 * Return: 1, 0 or -errno
 */
int throwaway_ns_is_taken(const struct throwaway_ns *client, const struct hbpf_addr *addr);

/** throwaway_ns_forget() - delete the entry that the bridge has of an address as its neighbour */
void throwaway_ns_forget(const struct link *bridge, const struct hbpf_addr *addr);

/** throwaway_ns_socket() - socket(2) in the namespace. Return: fd or -errno */
int throwaway_ns_socket(const struct throwaway_ns *client, int family, int type, int protocol);

#endif /* HBPF_THROWAWAY_NS_H */
