/* SPDX-License-Identifier: GPL-2.0-only */
#include "attach/interface.h"

#include <errno.h>
#include <net/if_arp.h>
#include <string.h>

#include "lib/array.h"

bool interface_is_bridge(const struct link *link)
{
	return !strcmp(link->kind, KIND_BRIDGE);
}

const char *interface_kind(const struct link *link)
{
	if (link->type == ARPHRD_LOOPBACK)
		return "loopback";
	if (!link->kind[0])
		return "physical";
	if (!strcmp(link->kind, "tun") && link->type == ARPHRD_ETHER)
		return "tap";
	return link->kind;
}

bool interface_has_own_clients(const struct link *link)
{
	const char *kind = interface_kind(link);

	return interface_is_bridge(link) ||
	       (!link->master && (!strcmp(kind, "veth") || !strcmp(kind, "tap")));
}

/* Kinds that cannot be served, whatever their settings. */
static const struct {
	const char *kind;
	const char *why;
	const char *hint;
} refused[] = {
	{ "loopback", "services listen there, and no client is behind it", NULL },
	{ "vrf", "packets of a VRF cannot reach the host's lo", NULL },
	{ "macvtap",
	  "what its virtual machine sends leaves by the parent interface, and does not reach this "
	  "host",
	  "connect the virtual machine to a bridge or a tap" },
	{ "ipvtap",
	  "what its virtual machine sends leaves by the parent interface, and does not reach this "
	  "host",
	  "connect the virtual machine to a bridge or a tap" },
	/* ipvlan_l3_rcv() in drivers/net/ipvlan/ipvlan_l3s.c changes skb->dev after tc */
	{ "ipvlan", "in its mode l3s packets bypass tc, where hbpf's guard is",
	  "connect the containers to a bridge" },
};

static int refuse_kind(const struct link *link, struct error *err)
{
	const char *kind = interface_kind(link);

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		if (strcmp(kind, refused[i].kind) != 0)
			continue;
		error_set(err, EINVAL, "%s is a %s interface: %s", link->name, kind,
			  refused[i].why);
		error_hint(err, "%s",
			   refused[i].hint ? refused[i].hint
					   : "`hbpf interfaces` lists those to attach");
		return -EINVAL;
	}
	return 0;
}

static int refuse_port(const struct link *link, const struct link *master, struct error *err)
{
	if (!strcmp(master->kind, "vrf")) {
		error_set(err, EINVAL,
			  "%s is in the VRF %s, and packets of a VRF cannot reach the host's lo",
			  link->name, master->name);
		error_hint(err, "`ip link set %s nomaster` takes it out of the VRF", link->name);
	} else {
		error_set(err, EINVAL,
			  "%s is a port of the %s %s, which receives its packets and has the "
			  "addresses that clients dial",
			  link->name, interface_kind(master), master->name);
		error_hint(err, "attach %s", master->name);
	}
	return -EINVAL;
}

int interface_check(const struct host *host, const struct link *link, struct error *err)
{
	const struct link *master = links_by_index(&host->links, link->master);
	int ret = refuse_kind(link, err);

	if (ret)
		return ret;
	if (master)
		return refuse_port(link, master, err);
	if (link->type != ARPHRD_ETHER) {
		error_set(err, EINVAL,
			  "%s (%s) has no Ethernet header, which hbpf's programs expect",
			  link->name, interface_kind(link));
		error_hint(err, "let the service listen on an address of %s", link->name);
		return -EINVAL;
	}
	return 0;
}
