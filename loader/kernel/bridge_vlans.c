/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/bridge_vlans.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "kernel/netlink.h"
#include "lib/array.h"

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *vlan;
	struct bridge_vlans *vlans = data;

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) != IFLA_AF_SPEC)
			continue;
		mnl_attr_for_each_nested (vlan, attr) {
			const struct bridge_vlan_info *info = mnl_attr_get_payload(vlan);
			struct bridge_vlan one = { .ifindex = (unsigned int)msg->ifi_index };

			if (mnl_attr_get_type(vlan) != IFLA_BRIDGE_VLAN_INFO ||
			    mnl_attr_get_payload_len(vlan) < sizeof(*info))
				continue;
			one.vid = info->vid;
			one.pvid = info->flags & BRIDGE_VLAN_INFO_PVID;
			one.untagged = info->flags & BRIDGE_VLAN_INFO_UNTAGGED;
			if (ARRAY_ADD(vlans, one))
				return MNL_CB_ERROR;
		}
	}
	return MNL_CB_OK;
}

int bridge_vlans_read(struct bridge_vlans *vlans)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;

	*vlans = (struct bridge_vlans){};
	ifi = netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(*ifi));
	ifi->ifi_family = AF_BRIDGE;
	mnl_attr_put_u32(&request.nlh, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
	return netlink_talk(NETLINK_ROUTE, &request, on_link, vlans, &vlans->count);
}

void bridge_vlans_free(struct bridge_vlans *vlans)
{
	free(vlans->v);
	*vlans = (struct bridge_vlans){};
}

__u16 bridge_vlans_pvid(const struct bridge_vlans *vlans, unsigned int ifindex)
{
	for (size_t i = 0; i < vlans->count; i++) {
		const struct bridge_vlan *one = &vlans->v[i];

		if (one->ifindex == ifindex && one->pvid && one->untagged)
			return one->vid;
	}
	return 0;
}
