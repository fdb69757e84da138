/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces, addresses and tc filters of this network namespace (rtnetlink). */
#ifndef HBPF_RTNETLINK_H
#define HBPF_RTNETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"
#include "lib/error.h"

struct link {
	unsigned int ifindex;
	char name[IFNAMSIZ];
	char kind[16]; /* IFLA_INFO_KIND: "bridge", "veth", "vrf"...; empty for a physical device */
	unsigned short type; /* ARPHRD_*, the link layer */
	bool up;             /* IFF_UP */
	bool carrier;        /* IFLA_CARRIER; a bridge with ports has it while one of them does */
	unsigned int master; /* ifindex of the bridge, bond, VRF... it is enslaved to, or 0 */
	bool forwarding;     /* as a port of a bridge: BR_STATE_FORWARDING */
	bool stp;            /* a bridge: STP is on */
	bool vlan_filtering; /* a bridge: it forwards by VLAN */
};

struct links {
	struct link *v;
	size_t count;
};

/* One address of an interface. */
struct link_addr {
	unsigned int ifindex;
	struct hbpf_addr addr;
	struct prefix onlink; /* its prefix, host bits cleared; for a peer address the peer's */
	bool advertised; /* IPv6, with a lifetime: from a router advertisement or DHCPv6, not from
			  * an administrator or engine; a client can send these */
};

struct link_addrs {
	struct link_addr *v;
	size_t count;
};

/** rtnetlink_links() - all interfaces, RTM_GETLINK. Return: 0 or -errno. Free with links_free() */
int rtnetlink_links(struct links *links, struct error *err);
void links_free(struct links *links);
/**
 * rtnetlink_addrs() - all addresses of all interfaces, RTM_GETADDR
 * Return: 0 or -errno. Free with link_addrs_free()
 */
int rtnetlink_addrs(struct link_addrs *addrs, struct error *err);
void link_addrs_free(struct link_addrs *addrs);

/** links_by_name() - Return: the interface of that name, within @links, or NULL */
const struct link *links_by_name(const struct links *links, const char *name);
/**
 * rtnetlink_real_name() - find an interface by its name or an alternative name (`ip link property
 * add dev ... altname ...`, Linux 5.5)
 * @word:	Of any length
 * @name:	Set to its name
 *
 * Return: 0, -ENODEV if there is none, or -errno
 */
int rtnetlink_real_name(const char *word, char name[IFNAMSIZ]);

/** links_by_any_name() - as links_by_name(), and else by an alternative name */
const struct link *links_by_any_name(const struct links *links, const char *word);

/** links_by_index() - Return: the interface with that index, within @links, or NULL */
const struct link *links_by_index(const struct links *links, unsigned int ifindex);

/**
 * rtnetlink_bridge_calls_iptables() - read a bridge's own nf_call_iptables
 * @ifindex:	Any interface
 * @is_bridge:	Set: is it a bridge at all?
 *
 * Return: 1, 0 (also if the kernel has no br_netfilter) or -errno
 */
int rtnetlink_bridge_calls_iptables(unsigned int ifindex, bool *is_bridge, struct error *err);

/** rtnetlink_txqlen() - read the length of a transmit queue, in packets. Return: 0 or -errno */
int rtnetlink_txqlen(unsigned int ifindex, __u32 *packets);
/** rtnetlink_set_txqlen() - set it. Return: 0 or -errno */
int rtnetlink_set_txqlen(unsigned int ifindex, __u32 packets);

/**
 * rtnetlink_filters() - count the tc filters on an interface's clsact hooks
 * @ifindex:	Interface
 * @count:	Filters of all programs on ingress and egress together (RTM_GETTFILTER)
 *
 * Return: 0 or -errno; no clsact qdisc is 0 filters
 */
int rtnetlink_filters(unsigned int ifindex, unsigned int *count, struct error *err);

#endif /* HBPF_RTNETLINK_H */
