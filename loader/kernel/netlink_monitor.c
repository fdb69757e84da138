/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/netlink_monitor.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/array.h"

#define EVENTS_SIZE   32768
#define GROUP(number) (1U << ((number)-1))

static const struct {
	int protocol;
	unsigned int groups;
	const char *name;
} sources[] = {
	[NETLINK_EVENTS_ROUTE] = {
		.protocol = NETLINK_ROUTE,
		.groups = GROUP(RTNLGRP_LINK) | GROUP(RTNLGRP_TC) | GROUP(RTNLGRP_IPV4_IFADDR) |
			  GROUP(RTNLGRP_IPV6_IFADDR) | GROUP(RTNLGRP_IPV4_ROUTE) |
			  GROUP(RTNLGRP_IPV6_ROUTE),
		.name = "interfaces",
	},
	[NETLINK_EVENTS_NF_TABLES] = {
		.protocol = NETLINK_NETFILTER,
		.groups = GROUP(NFNLGRP_NFTABLES),
		.name = "nf_tables",
	},
};

static_assert(ARRAY_SIZE(sources) == NETLINK_EVENTS_MAX, "every source has a row");

#define ACCEPT 0xffffffff
#define DROP   0

#define FIELD(type, member)        (NLMSG_HDRLEN + offsetof(type, member))
#define LOAD(size, offset)         BPF_STMT(BPF_LD | (size) | BPF_ABS, (offset))
#define RETURN(verdict)            BPF_STMT(BPF_RET | BPF_K, (verdict))
/* @then and @otherwise: how many instructions to skip */
#define IF(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (then), (otherwise))
/* offset of an attribute in the message; 0: not there */
#define FIND(type)                                                                                 \
	BPF_STMT(BPF_LD | BPF_IMM, NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct rtmsg))),              \
		BPF_STMT(BPF_LDX | BPF_IMM, (type)), LOAD(BPF_W, SKF_AD_OFF + SKF_AD_NLATTR)

/*
 * On a router hundreds of routes change every second: unicast routes with a gateway, which do not
 * matter here. Routes that matter are local and anycast ones, and unicast routes to a link, except
 * the kernel's own for addresses, which have events themselves. This filter drops the others in the
 * kernel, so that they do not wake us up (sk_filter() in do_one_broadcast()). Loads are in network
 * byte order, netlink's numbers in host byte order.
 */
static int filter_routes(struct mnl_socket *nl)
{
	struct sock_filter code[] = {
		LOAD(BPF_H, offsetof(struct nlmsghdr, nlmsg_type)),
		IF(htons(RTM_NEWROUTE), 2, 0),
		IF(htons(RTM_DELROUTE), 1, 0),
		RETURN(ACCEPT),
		LOAD(BPF_B, FIELD(struct rtmsg, rtm_type)),
		IF(RTN_LOCAL, 2, 0),
		IF(RTN_ANYCAST, 1, 0),
		IF(RTN_UNICAST, 1, 3),
		RETURN(ACCEPT),
		LOAD(BPF_B, FIELD(struct rtmsg, rtm_protocol)),
		IF(RTPROT_KERNEL, 0, 1),
		RETURN(DROP),
		FIND(RTA_GATEWAY),
		IF(0, 0, 9),
		FIND(RTA_VIA),
		IF(0, 0, 5),
		FIND(RTA_MULTIPATH),
		IF(0, 0, 1),
		RETURN(ACCEPT),
		RETURN(DROP),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER, &program,
			  sizeof(program));
}

struct mnl_socket *netlink_monitor_open(enum netlink_source source, struct error *err)
{
	struct mnl_socket *nl;
	int code;

	nl = mnl_socket_open2(sources[source].protocol, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (nl && (source != NETLINK_EVENTS_ROUTE || !filter_routes(nl)) &&
	    !mnl_socket_bind(nl, sources[source].groups, MNL_SOCKET_AUTOPID))
		return nl;
	code = errno;
	if (nl)
		mnl_socket_close(nl);
	error_errno(err, code, "cannot subscribe to changes of %s", sources[source].name);
	error_hint_privileges(err, -code);
	return NULL;
}

/* Load balancers change rules by the thousand; only chains and tables matter. */
static bool is_relevant(enum netlink_source source, const struct nlmsghdr *nlh)
{
	if (source != NETLINK_EVENTS_NF_TABLES)
		return true;
	switch (NFNL_MSG_TYPE(nlh->nlmsg_type)) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
		return true;
	default:
		return false;
	}
}

bool netlink_monitor_drain(enum netlink_source source, struct mnl_socket *nl)
{
	char buf[EVENTS_SIZE];
	bool changed = false;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int len = (int)got;

		/* events were lost, or one was truncated */
		if (got < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
			changed = true;
			continue;
		}
		if (got <= 0)
			return changed;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			changed |= is_relevant(source, nlh);
	}
}
