/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/rtnetlink.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netlink.h"
#include "lib/array.h"

#define ALT_NAME_SIZE 128 /* ALTIFNAMSIZ of linux/if.h, which does not go with net/if.h */

static const char *link_kind(const struct nlattr *linkinfo)
{
	const struct nlattr *kind = netlink_nested(linkinfo, IFLA_INFO_KIND);

	return kind ? mnl_attr_get_str(kind) : "";
}

/* Return: an attribute of the interface's own kind (@nest: IFLA_INFO_DATA) or of the kind of its
 * master (IFLA_INFO_SLAVE_DATA); or NULL */
static const struct nlattr *link_data(const struct nlattr *linkinfo, unsigned int nest,
				      unsigned int type)
{
	const struct nlattr *data = netlink_nested(linkinfo, nest);

	return data ? netlink_nested(data, type) : NULL;
}

static void read_linkinfo(const struct nlattr *linkinfo, struct link *link)
{
	const struct nlattr *attr;

	snprintf(link->kind, sizeof(link->kind), "%s", link_kind(linkinfo));
	attr = netlink_nested(linkinfo, IFLA_INFO_SLAVE_KIND);
	if (attr && !strcmp(mnl_attr_get_str(attr), "bridge")) {
		attr = link_data(linkinfo, IFLA_INFO_SLAVE_DATA, IFLA_BRPORT_STATE);
		link->forwarding = attr && mnl_attr_get_u8(attr) == BR_STATE_FORWARDING;
	}
	if (!strcmp(link->kind, "bridge")) {
		attr = link_data(linkinfo, IFLA_INFO_DATA, IFLA_BR_STP_STATE);
		link->stp = attr && mnl_attr_get_u32(attr);
		attr = link_data(linkinfo, IFLA_INFO_DATA, IFLA_BR_VLAN_FILTERING);
		link->vlan_filtering = attr && mnl_attr_get_u8(attr);
	}
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *msg = mnl_nlmsg_get_payload(nlh);
	struct link link = { .ifindex = msg->ifi_index,
			     .type = msg->ifi_type,
			     .up = msg->ifi_flags & IFF_UP };
	struct links *links = data;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_IFNAME:
			snprintf(link.name, sizeof(link.name), "%s", mnl_attr_get_str(attr));
			break;
		case IFLA_LINKINFO:
			read_linkinfo(attr, &link);
			break;
		case IFLA_CARRIER:
			link.carrier = mnl_attr_get_u8(attr);
			break;
		case IFLA_MASTER:
			link.master = mnl_attr_get_u32(attr);
			break;
		}
	}

	return ARRAY_ADD(links, link) ? MNL_CB_ERROR : MNL_CB_OK;
}

int rtnetlink_links(struct links *links, struct error *err)
{
	struct netlink_request request;
	int ret;

	*links = (struct links){};
	netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	ret = netlink_talk(NETLINK_ROUTE, &request, on_link, links, &links->count);
	if (ret) {
		links_free(links);
		return error_errno(err, ret, "cannot list the interfaces");
	}
	return 0;
}

struct bridge_calls {
	bool is_bridge;
	bool iptables;
};

/* IFLA_LINKINFO > IFLA_INFO_DATA > IFLA_BR_NF_CALL_IPTABLES, of a bridge where the kernel has
 * br_netfilter. */
static int on_bridge(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	struct bridge_calls *calls = data;

	mnl_attr_for_each (attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO ||
		    strcmp(link_kind(attr), "bridge") != 0)
			continue;
		calls->is_bridge = true;
		attr = link_data(attr, IFLA_INFO_DATA, IFLA_BR_NF_CALL_IPTABLES);
		calls->iptables = attr && mnl_attr_get_u8(attr);
		break;
	}
	return MNL_CB_OK;
}

int rtnetlink_bridge_calls_iptables(unsigned int ifindex, bool *is_bridge, struct error *err)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;
	struct bridge_calls calls = {};
	int ret;

	ifi = netlink_begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_bridge, &calls, NULL);
	if (ret)
		return error_errno(err, ret, "cannot read the options of interface %u", ifindex);
	*is_bridge = calls.is_bridge;
	return calls.iptables;
}

static int on_txqlen(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	__u32 *packets = data;

	mnl_attr_for_each (attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_TXQLEN)
			*packets = mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

int rtnetlink_txqlen(unsigned int ifindex, __u32 *packets)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;

	*packets = 0;
	ifi = netlink_begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	return netlink_talk(NETLINK_ROUTE, &request, on_txqlen, packets, NULL);
}

int rtnetlink_set_txqlen(unsigned int ifindex, __u32 packets)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;

	ifi = netlink_begin(&request, RTM_SETLINK, NLM_F_ACK, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	mnl_attr_put_u32(&request.nlh, IFLA_TXQLEN, packets);
	return netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
}

static struct hbpf_addr get_addr(const struct nlattr *attr, __u8 family)
{
	return family == AF_INET ? addr_from_v4(mnl_attr_get_u32(attr))
				 : addr_from_v6(mnl_attr_get_payload(attr));
}

/* Addresses from router advertisements lack IFA_F_PERMANENT, whatever their lifetime
 * (addrconf_prefix_rcv_add_addr()); since Linux 5.18 IFA_PROTO has their origin. */
static bool is_advertised(const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	__u32 flags = msg->ifa_flags;
	const struct nlattr *attr;
	__u8 proto = 0;

	if (msg->ifa_family != AF_INET6)
		return false;
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		if (mnl_attr_get_type(attr) == IFA_FLAGS)
			flags = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFA_PROTO)
			proto = mnl_attr_get_u8(attr);
	}
	return !(flags & IFA_F_PERMANENT) || proto == IFAPROT_KERNEL_RA;
}

static int on_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *local = NULL, *peer = NULL;
	struct link_addrs *addrs = data;
	struct link_addr entry = { .ifindex = msg->ifa_index };
	__u8 len;

	if (msg->ifa_family != AF_INET && msg->ifa_family != AF_INET6)
		return MNL_CB_OK;

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			local = attr;
			break;
		case IFA_ADDRESS:
			peer = attr;
			break;
		}
	}
	/* IFA_ADDRESS is the peer's address, if there is a peer. Otherwise IPv4 has its address in
	 * both, IPv6 in IFA_ADDRESS alone (inet_fill_ifaddr(), inet6_fill_ifaddr()). */
	if (!local)
		local = peer;
	if (!peer)
		peer = local;
	if (!local)
		return MNL_CB_OK;

	entry.addr = get_addr(local, msg->ifa_family);
	entry.advertised = is_advertised(nlh);
	len = msg->ifa_prefixlen + (msg->ifa_family == AF_INET ? V4_MAPPED_BITS : 0);
	entry.onlink = prefix_of(get_addr(peer, msg->ifa_family), len);

	return ARRAY_ADD(addrs, entry) ? MNL_CB_ERROR : MNL_CB_OK;
}

int rtnetlink_addrs(struct link_addrs *addrs, struct error *err)
{
	struct netlink_request request;
	int ret;

	*addrs = (struct link_addrs){};
	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	ret = netlink_talk(NETLINK_ROUTE, &request, on_addr, addrs, &addrs->count);
	if (ret) {
		link_addrs_free(addrs);
		return error_errno(err, ret, "cannot list the interfaces' addresses");
	}
	return 0;
}

void links_free(struct links *links)
{
	free(links->v);
	*links = (struct links){};
}

void link_addrs_free(struct link_addrs *addrs)
{
	free(addrs->v);
	*addrs = (struct link_addrs){};
}

const struct link *links_by_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->count; i++) {
		if (!strcmp(links->v[i].name, name))
			return &links->v[i];
	}
	return NULL;
}

static int on_name(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, nlh, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(data, IFNAMSIZ, "%s", mnl_attr_get_str(attr));
	}
	return MNL_CB_OK;
}

int rtnetlink_real_name(const char *word, char name[IFNAMSIZ])
{
	struct netlink_request request;

	name[0] = '\0';
	if (strlen(word) >= ALT_NAME_SIZE)
		return -ENODEV;
	/* rtnl_dev_get() takes either kind of name for this attribute. */
	netlink_begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.nlh, IFLA_ALT_IFNAME, word);
	return netlink_talk(NETLINK_ROUTE, &request, on_name, name, NULL);
}

const struct link *links_by_any_name(const struct links *links, const char *word)
{
	const struct link *link = links_by_name(links, word);
	char name[IFNAMSIZ];

	return link || rtnetlink_real_name(word, name) ? link : links_by_name(links, name);
}

const struct link *links_by_index(const struct links *links, unsigned int ifindex)
{
	for (size_t i = 0; i < links->count; i++) {
		if (links->v[i].ifindex == ifindex)
			return &links->v[i];
	}
	return NULL;
}

/*
 * Each (protocol, priority) announces itself with a message of handle 0 before
 * its filters (tcf_chain_dump()). More than there are is counted in two cases,
 * never less: u32 lists its hash tables beside its filters, and a qdisc
 * "ingress" in the place of clsact gives the same answer for both parents.
 */
static int on_filter(const struct nlmsghdr *nlh, void *data)
{
	const struct tcmsg *msg = mnl_nlmsg_get_payload(nlh);
	size_t *count = data;

	if (msg->tcm_handle)
		++*count;
	return MNL_CB_OK;
}

static int count_filters(unsigned int ifindex, __u32 parent, size_t *count)
{
	struct netlink_request request;
	struct tcmsg *msg;
	int ret;

	msg = netlink_begin(&request, RTM_GETTFILTER, NLM_F_DUMP, sizeof(*msg));
	msg->tcm_ifindex = ifindex;
	msg->tcm_parent = parent;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_filter, count, count);
	/* no such qdisc, or a kernel without traffic control */
	return ret == -EINVAL || ret == -EOPNOTSUPP ? 0 : ret;
}

int rtnetlink_filters(unsigned int ifindex, unsigned int *count, struct error *err)
{
	size_t found = 0;
	int ret;

	ret = count_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), &found);
	if (!ret)
		ret = count_filters(ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS), &found);
	if (ret)
		return error_errno(err, ret, "cannot list the tc filters of interface %u", ifindex);
	*count = found;
	return 0;
}
