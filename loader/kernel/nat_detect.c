/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/nat_detect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netlink.h"

/* Where the first NAT chain found is named. */
struct finding {
	char *why;
	size_t size;
	bool found;
};

static const char *family_name(__u8 family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	default: /* bridge, arp and netdev have no nat chains */
		return NULL;
	}
}

static bool hooks_prerouting(const struct nlattr *hook)
{
	const struct nlattr *number = netlink_nested(hook, NFTA_HOOK_HOOKNUM);

	return number && ntohl(mnl_attr_get_u32(number)) == NF_INET_PRE_ROUTING;
}

static int on_chain(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *msg = mnl_nlmsg_get_payload(nlh);
	const char *family = family_name(msg->nfgen_family);
	const char *type = "", *table = "", *name = "";
	struct finding *finding = data;
	const struct nlattr *attr;
	bool prerouting = false;

	mnl_attr_for_each (attr, nlh, sizeof(*msg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			table = mnl_attr_get_str(attr);
			break;
		case NFTA_CHAIN_NAME:
			name = mnl_attr_get_str(attr);
			break;
		case NFTA_CHAIN_TYPE:
			type = mnl_attr_get_str(attr);
			break;
		case NFTA_CHAIN_HOOK:
			prerouting = hooks_prerouting(attr);
			break;
		}
	}
	if (!family || strcmp(type, "nat") || !prerouting)
		return MNL_CB_OK;
	/* cut the names, so that the rest fits */
	snprintf(finding->why, finding->size, "NAT rules (nf_tables chain \"%s %.40s %.40s\")",
		 family, table, name);
	finding->found = true;
	return MNL_CB_STOP;
}

/* Return: 0 or -errno */
static int find_in_nf_tables(struct finding *finding)
{
	struct netlink_request request;
	struct nfgenmsg *msg;
	int ret;

	msg = netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, NLM_F_DUMP,
			    sizeof(*msg));
	msg->nfgen_family = NFPROTO_UNSPEC; /* all */
	msg->version = NFNETLINK_V0;
	ret = netlink_talk(NETLINK_NETFILTER, &request, on_chain, finding, NULL);
	switch (-ret) {
	case EPROTONOSUPPORT: /* a kernel without nfnetlink */
	case EINVAL:          /* without nf_tables: nfnetlink_rcv_msg() */
	case EOPNOTSUPP:
		return 0;
	default:
		return ret;
	}
}

/*
 * The legacy tables of this namespace. A table named nat always has its
 * PREROUTING hook in place, with or without rules.
 *
 * Return: 0 or -errno
 */
static int find_in_legacy(const char *path, const char *tool, struct finding *finding)
{
	char table[64];
	FILE *names;

	names = fopen(path, "re");
	if (!names)
		return errno == ENOENT ? 0 : -errno; /* the kernel has none of them */
	while (!finding->found && fgets(table, sizeof(table), names)) {
		if (strcmp(table, "nat\n"))
			continue;
		snprintf(finding->why, finding->size, "NAT rules (%s table \"nat\")", tool);
		finding->found = true;
	}
	fclose(names);
	return 0;
}

int nat_detect_prerouting(char *why, size_t size)
{
	struct finding finding = { .why = why, .size = size };
	const char *where = "nf_tables";
	int ret;

	ret = find_in_nf_tables(&finding);
	if (!ret && !finding.found) {
		where = "/proc/net/ip_tables_names";
		ret = find_in_legacy(where, "iptables", &finding);
	}
	if (!ret && !finding.found) {
		where = "/proc/net/ip6_tables_names";
		ret = find_in_legacy(where, "ip6tables", &finding);
	}
	if (ret)
		snprintf(why, size, "cannot read %s: %s", where, strerror(-ret));
	else if (!finding.found)
		snprintf(why, size, "no NAT rules that could redirect the packets");
	return ret ? ret : finding.found;
}
