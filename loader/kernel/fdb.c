/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/fdb.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/netlink.h"
#include "lib/array.h"

struct reading {
	unsigned int bridge;
	struct fdb *fdb;
};

static int on_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct reading *reading = data;
	struct fdb_entry entry = { .port = (unsigned int)ndm->ndm_ifindex };
	unsigned int bridge = 0;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_MASTER)
			bridge = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == NDA_LLADDR &&
			 mnl_attr_get_payload_len(attr) == ETH_ALEN)
			memcpy(entry.mac, mnl_attr_get_payload(attr), ETH_ALEN);
	}
	/* permanent: the MAC of a port itself, not of a host behind it */
	if (bridge != reading->bridge || ndm->ndm_state & NUD_PERMANENT)
		return MNL_CB_OK;
	return ARRAY_ADD(reading->fdb, entry) ? MNL_CB_ERROR : MNL_CB_OK;
}

int fdb_read(unsigned int bridge, struct fdb *fdb)
{
	struct reading reading = { bridge, fdb };
	struct netlink_request request = {};
	struct ndmsg *ndm;
	int ret;

	*fdb = (struct fdb){};
	ndm = netlink_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm));
	ndm->ndm_family = AF_BRIDGE;
	/* without strict the kernel ignores it (net/core/rtnetlink.c: valid_fdb_dump_legacy) */
	mnl_attr_put_u32(&request.nlh, NDA_MASTER, bridge);
	request.strict = true;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_neighbour, &reading, &fdb->count);
	if (ret)
		fdb_free(fdb);
	return ret;
}

void fdb_free(struct fdb *fdb)
{
	free(fdb->v);
	*fdb = (struct fdb){};
}

unsigned int fdb_port(const struct fdb *fdb, const unsigned char mac[ETH_ALEN])
{
	for (size_t i = 0; i < fdb->count; i++) {
		if (!memcmp(fdb->v[i].mac, mac, ETH_ALEN))
			return fdb->v[i].port;
	}
	return 0;
}
