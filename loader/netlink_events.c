/* SPDX-License-Identifier: GPL-2.0-only */
#include "netlink_events.h"

#include <errno.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NOTICES_SIZE  32768
#define GROUP(number) (1U << ((number)-1))

static const struct {
	int protocol;
	unsigned int groups;
	const char *name;
} sources[NETLINK_EVENTS_MAX] = {
	[NETLINK_EVENTS_ROUTE] = { NETLINK_ROUTE,
				   GROUP(RTNLGRP_LINK) | GROUP(RTNLGRP_TC) |
					   GROUP(RTNLGRP_IPV4_IFADDR) | GROUP(RTNLGRP_IPV6_IFADDR),
				   "interfaces" },
	[NETLINK_EVENTS_NF_TABLES] = { NETLINK_NETFILTER, GROUP(NFNLGRP_NFTABLES), "nf_tables" },
};

struct mnl_socket *netlink_events_open(enum netlink_source source, struct error *err)
{
	struct mnl_socket *nl;
	int code;

	nl = mnl_socket_open2(sources[source].protocol, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (nl && !mnl_socket_bind(nl, sources[source].groups, MNL_SOCKET_AUTOPID))
		return nl;
	code = errno;
	if (nl)
		mnl_socket_close(nl);
	error_set(err, code, "cannot listen to changes of %s: %s", sources[source].name,
		  strerror(code));
	error_hint_privileges(err, -code);
	return NULL;
}

/* Rules come and go by the thousand where services are balanced; only chains make a difference. */
static bool matters(enum netlink_source source, const struct nlmsghdr *nlh)
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

bool netlink_events_drain(enum netlink_source source, struct mnl_socket *nl)
{
	char buf[NOTICES_SIZE];
	bool changed = false;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
		int len = (int)got;

		/* lost, as they came faster than they were read; or one that was cut */
		if (got < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
			changed = true;
			continue;
		}
		if (got <= 0)
			return changed;
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			changed |= matters(source, nlh);
	}
}
