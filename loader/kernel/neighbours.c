/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/netlink.h"
#include "lib/array.h"

#define SEEN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)

/* The kernel filters by interface only if asked strictly, so it is compared here. */
struct reading {
	unsigned int ifindex;
	struct neighbours *neighbours;
};

static int on_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct reading *reading = data;
	struct hbpf_addr addr = {};
	const struct nlattr *attr;
	bool found = false;

	if ((unsigned int)msg->ndm_ifindex != reading->ifindex || !(msg->ndm_state & SEEN))
		return MNL_CB_OK;
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) != NDA_DST)
			continue;
		found = true;
		if (msg->ndm_family == AF_INET)
			addr = addr_from_v4(mnl_attr_get_u32(attr));
		else if (msg->ndm_family == AF_INET6)
			addr = addr_from_v6(mnl_attr_get_payload(attr));
		else
			found = false;
	}
	return found && ARRAY_ADD(reading->neighbours, addr) ? MNL_CB_ERROR : MNL_CB_OK;
}

int neighbours_read(unsigned int ifindex, struct neighbours *neighbours)
{
	struct reading reading = { ifindex, neighbours };
	struct netlink_request request;

	*neighbours = (struct neighbours){};
	netlink_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(struct ndmsg));
	return netlink_talk(NETLINK_ROUTE, &request, on_neighbour, &reading, &neighbours->count);
}

void neighbours_free(struct neighbours *neighbours)
{
	free(neighbours->v);
	*neighbours = (struct neighbours){};
}
