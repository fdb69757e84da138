/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/fib.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netlink.h"
#include "lib/array.h"

#define MAPPED(family) ((family) == AF_INET ? V4_MAPPED_BITS : 0)

static struct hbpf_addr any_of(int family)
{
	return family == AF_INET ? addr_from_v4(INADDR_ANY) : addr_from_v6(&in6addr_any);
}

/* The address in @attr, or the unspecified one without an attribute of the right size. */
static struct prefix get_prefix(const struct nlattr *attr, int family, __u8 len)
{
	struct hbpf_addr addr = any_of(family);

	if (attr && family == AF_INET && mnl_attr_get_payload_len(attr) >= sizeof(__be32))
		addr = addr_from_v4(mnl_attr_get_u32(attr));
	else if (attr && family == AF_INET6 && mnl_attr_get_payload_len(attr) >= sizeof(addr))
		addr = addr_from_v6(mnl_attr_get_payload(attr));
	return prefix_of(addr, len + MAPPED(family));
}

static void put_addr(struct nlmsghdr *nlh, __u16 type, const struct hbpf_addr *addr)
{
	if (addr_is_v4(addr))
		mnl_attr_put_u32(nlh, type, addr->word[3]);
	else
		mnl_attr_put(nlh, type, sizeof(*addr), addr);
}

/* ---- routes ---- */

static void read_route(const struct nlmsghdr *nlh, struct fib_route *route)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *dst = NULL;

	route->table = msg->rtm_table;
	route->protocol = msg->rtm_protocol;
	route->direct = true;
	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_OIF:
			route->ifindex = mnl_attr_get_u32(attr);
			break;
		case RTA_TABLE: /* rtm_table has no room for numbers above 255 */
			route->table = mnl_attr_get_u32(attr);
			break;
		case RTA_DST:
			dst = attr;
			break;
		case RTA_PREFSRC:
			if (msg->rtm_family == AF_INET)
				route->src4 = mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
		case RTA_MULTIPATH:
		case RTA_ENCAP:
			route->direct = false;
			break;
		}
	}
	route->dst = get_prefix(dst, msg->rtm_family, msg->rtm_dst_len);
}

static int on_lookup(const struct nlmsghdr *nlh, void *data)
{
	if (nlh->nlmsg_type == RTM_NEWROUTE)
		read_route(nlh, data);
	return MNL_CB_OK;
}

static int lookup(const struct fib_flow *flow, unsigned int flags, struct fib_route *route)
{
	bool v4 = addr_is_v4(&flow->dst);
	struct netlink_request request;
	struct nlmsghdr *nlh = &request.nlh;
	struct rtmsg *msg;

	msg = netlink_begin(&request, RTM_GETROUTE, NLM_F_ACK, sizeof(*msg));
	msg->rtm_family = v4 ? AF_INET : AF_INET6;
	msg->rtm_flags = RTM_F_LOOKUP_TABLE | flags;
	msg->rtm_dst_len = v4 ? 32 : 128;
	put_addr(nlh, RTA_DST, &flow->dst);
	if (!addr_is_unspecified(&flow->src)) {
		msg->rtm_src_len = msg->rtm_dst_len;
		put_addr(nlh, RTA_SRC, &flow->src);
	}
	mnl_attr_put_u32(nlh, RTA_UID, flow->uid);
	if (flow->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, flow->mark);
	if (flow->proto)
		mnl_attr_put_u8(nlh, RTA_IP_PROTO, flow->proto);
	if (flow->sport)
		mnl_attr_put_u16(nlh, RTA_SPORT, htons(flow->sport));
	*route = (struct fib_route){};
	return netlink_talk(NETLINK_ROUTE, &request, on_lookup, route, NULL);
}

int fib_lookup(const struct fib_flow *flow, struct fib_route *route)
{
	return lookup(flow, 0, route);
}

int fib_lookup_route(const struct fib_flow *flow, struct fib_route *route)
{
	return lookup(flow, RTM_F_FIB_MATCH, route);
}

struct route_filter {
	struct fib_routes *routes;
	int family;
	unsigned char type;
	unsigned int ifindex; /* 0: any */
};

/* Where the kernel lacks a family, the request is answered for all others: filter here, too. */
static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *msg = mnl_nlmsg_get_payload(nlh);
	struct route_filter *filter = data;
	struct fib_routes *routes = filter->routes;
	struct fib_route route = {};

	if (msg->rtm_family != filter->family || msg->rtm_type != filter->type ||
	    msg->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	read_route(nlh, &route);
	if (filter->ifindex && route.ifindex != filter->ifindex)
		return MNL_CB_OK;
	return ARRAY_ADD(routes, route) ? MNL_CB_ERROR : MNL_CB_OK;
}

/* The kernel filters the dump: a router has a million routes that do not matter here. */
static int list_routes(struct route_filter *filter, struct error *err)
{
	struct netlink_request request;
	struct rtmsg *msg;
	int ret;

	msg = netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, sizeof(*msg));
	msg->rtm_family = filter->family;
	msg->rtm_type = filter->type;
	if (filter->ifindex)
		mnl_attr_put_u32(&request.nlh, RTA_OIF, filter->ifindex);
	request.strict = true;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_route, filter, &filter->routes->count);
	if (!ret || (ret == -ENODEV && filter->ifindex)) /* the device was deleted meanwhile */
		return 0;
	return error_errno(err, ret, "cannot list the routes");
}

int fib_routes_by_device(int family, unsigned int ifindex, struct fib_routes *routes,
			 struct error *err)
{
	struct route_filter filter = { routes, family, RTN_UNICAST, ifindex };
	int ret;

	*routes = (struct fib_routes){};
	ret = list_routes(&filter, err);
	if (ret)
		fib_routes_free(routes);
	return ret;
}

int fib_routes_by_type(int family, unsigned char type, struct fib_routes *routes, struct error *err)
{
	struct route_filter filter = { routes, family, type, 0 };

	return list_routes(&filter, err);
}

void fib_routes_free(struct fib_routes *routes)
{
	free(routes->v);
	*routes = (struct fib_routes){};
}

/* ---- rules ---- */

static void get_name(const struct nlattr *attr, char name[IFNAMSIZ])
{
	strncpy(name, mnl_attr_get_str(attr), IFNAMSIZ - 1);
}

static struct fib_range get_uids(const struct nlattr *attr)
{
	const struct fib_rule_uid_range *uids = mnl_attr_get_payload(attr);

	return (struct fib_range){ uids->start, uids->end, true };
}

static struct fib_range get_ports(const struct nlattr *attr)
{
	const struct fib_rule_port_range *ports = mnl_attr_get_payload(attr);

	return (struct fib_range){ ports->start, ports->end, true };
}

static void read_selector(const struct nlattr *attr, struct fib_rule *rule)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_IIFNAME:
		get_name(attr, rule->iif);
		break;
	case FRA_OIFNAME:
		get_name(attr, rule->oif);
		break;
	case FRA_FWMARK:
		rule->mark = mnl_attr_get_u32(attr);
		break;
	case FRA_FWMASK:
		rule->mask = mnl_attr_get_u32(attr);
		break;
	case FRA_UID_RANGE:
		rule->uid = get_uids(attr);
		break;
	case FRA_IP_PROTO:
		rule->proto = mnl_attr_get_u8(attr);
		break;
	case FRA_SPORT_RANGE:
		rule->sport = get_ports(attr);
		break;
	case FRA_DPORT_RANGE:
		rule->dport = get_ports(attr);
		break;
	case FRA_TUN_ID:
		rule->unmatchable = true;
		break;
	case FRA_L3MDEV:
		rule->unmatchable = rule->unmatchable || mnl_attr_get_u8(attr);
		break;
	}
}

static void read_action(const struct nlattr *attr, struct fib_rule *rule)
{
	switch (mnl_attr_get_type(attr)) {
	case FRA_PRIORITY:
		rule->pref = mnl_attr_get_u32(attr);
		break;
	case FRA_TABLE:
		rule->table = mnl_attr_get_u32(attr);
		break;
	case FRA_GOTO:
		rule->target = mnl_attr_get_u32(attr);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
		rule->suppress = (int)mnl_attr_get_u32(attr);
		break;
	}
}

static int on_rule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *msg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *src = NULL, *dst = NULL;
	struct fib_rules *rules = data;
	struct fib_rule rule = {
		.action = msg->action,
		.table = msg->table,
		.tos = msg->tos,
		.invert = msg->flags & FIB_RULE_INVERT,
		.suppress = -1,
	};

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		read_action(attr, &rule);
		read_selector(attr, &rule);
		if (mnl_attr_get_type(attr) == FRA_SRC)
			src = attr;
		if (mnl_attr_get_type(attr) == FRA_DST)
			dst = attr;
	}
	rule.src = get_prefix(src, msg->family, msg->src_len);
	rule.dst = get_prefix(dst, msg->family, msg->dst_len);
	return ARRAY_ADD(rules, rule) ? MNL_CB_ERROR : MNL_CB_OK;
}

int fib_rules(int family, struct fib_rules *rules, struct error *err)
{
	struct netlink_request request;
	struct fib_rule_hdr *msg;
	int ret;

	*rules = (struct fib_rules){};
	msg = netlink_begin(&request, RTM_GETRULE, NLM_F_DUMP, sizeof(*msg));
	msg->family = family;
	ret = netlink_talk(NETLINK_ROUTE, &request, on_rule, rules, &rules->count);
	if (!ret || ret == -EAFNOSUPPORT || ret == -EOPNOTSUPP) /* no CONFIG_IP_MULTIPLE_TABLES */
		return 0;
	fib_rules_free(rules);
	return error_errno(err, ret, "cannot list the routing rules");
}

void fib_rules_free(struct fib_rules *rules)
{
	free(rules->v);
	*rules = (struct fib_rules){};
}
