/* SPDX-License-Identifier: GPL-2.0-only */
#include "kernel/throwaway_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/netlink.h"
#include "kernel/sysctl.h"
#include "lib/clock.h"

#define NETNS_FILE "/proc/self/ns/net"
#define PEER_NAME  "eth0"

#define ARP_WAIT_MS   200
#define FORWARDING_MS 2000

static int open_namespaces(struct throwaway_ns *client)
{
	int ret = 0;

	client->home = open(NETNS_FILE, O_RDONLY | O_CLOEXEC);
	if (client->home < 0 || unshare(CLONE_NEWNET))
		return -errno;
	client->ns = open(NETNS_FILE, O_RDONLY | O_CLOEXEC);
	if (client->ns < 0)
		ret = -errno;
	return setns(client->home, CLONE_NEWNET) ? -errno : ret;
}

/* IFLA_LINKINFO: a veth whose peer is in the new namespace */
static void put_veth(struct nlmsghdr *nlh, int ns)
{
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *data, *peer;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, PEER_NAME);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, ns);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

static int add_port(struct throwaway_ns *client, const struct link *bridge)
{
	unsigned int pid = (unsigned int)getpid();
	const __u8 mac[ETH_ALEN] = { 0xfe, 0xff, 0xff, pid >> 16, pid >> 8, pid };
	struct netlink_request request;
	int ret;

	snprintf(client->port, sizeof(client->port), "hbpf-%u", pid);
	netlink_begin(&request, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
		      sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&request.nlh, IFLA_IFNAME, client->port);
	mnl_attr_put(&request.nlh, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(&request.nlh, IFLA_MASTER, bridge->ifindex);
	put_veth(&request.nlh, client->ns);
	ret = netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
	if (ret)
		client->port[0] = '\0';
	return ret;
}

/* A port needs no address of its own; without IPv6 it sends nothing itself. */
static void disable_ipv6(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	sysctl_write_fd(fd, 1);
	close(fd);
}

static int set_up(const char *name)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;

	ifi = netlink_begin(&request, RTM_SETLINK, NLM_F_ACK, sizeof(*ifi));
	ifi->ifi_index = (int)if_nametoindex(name);
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
}

/* Return: 0, or -errno and then this process is at home */
static int enter(const struct throwaway_ns *client)
{
	return setns(client->ns, CLONE_NEWNET) ? -errno : 0;
}

static int leave(const struct throwaway_ns *client)
{
	return setns(client->home, CLONE_NEWNET) ? -errno : 0;
}

static bool is_forwarding(const char *name)
{
	struct links links = {};
	const struct link *port;
	bool forwarding = false;

	if (!rtnetlink_links(&links, NULL)) {
		port = links_by_name(&links, name);
		forwarding = port && port->forwarding;
	}
	links_free(&links);
	return forwarding;
}

/* The kernel's link watch, which lets the port forward, may run up to a second later. What is sent
 * before would be lost. */
static void wait_forwarding(const char *name)
{
	__s64 end = monotonic_ms() + FORWARDING_MS;

	while (!is_forwarding(name) && monotonic_ms() < end)
		poll(NULL, 0, 5);
}

int throwaway_ns_open(struct throwaway_ns *client, const struct link *bridge, struct error *err)
{
	int ret = open_namespaces(client);

	if (ret)
		return error_errno(err, ret, "cannot create a network namespace");
	ret = add_port(client, bridge);
	if (ret)
		return error_errno(err, ret, "%s takes no new port", bridge->name);
	disable_ipv6(client->port);
	ret = set_up(client->port);
	if (!ret)
		ret = enter(client);
	if (!ret) {
		client->ifindex = if_nametoindex(PEER_NAME);
		ret = set_up(PEER_NAME);
		ret = leave(client) ?: ret;
	}
	if (!ret)
		wait_forwarding(client->port);
	return ret ? error_errno(err, ret, "cannot set up %s", client->port) : 0;
}

void throwaway_ns_close(struct throwaway_ns *client)
{
	struct netlink_request request;
	struct ifinfomsg *ifi;

	if (client->port[0]) {
		ifi = netlink_begin(&request, RTM_DELLINK, NLM_F_ACK, sizeof(*ifi));
		ifi->ifi_index = (int)if_nametoindex(client->port);
		netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
	}
	if (client->ns >= 0)
		close(client->ns);
	if (client->home >= 0)
		close(client->home);
	*client = THROWAWAY_NS_INIT;
}

int throwaway_ns_address(const struct throwaway_ns *client, const struct hbpf_addr *addr,
			 unsigned int len)
{
	struct netlink_request request;
	bool v4 = addr_is_v4(addr);
	struct ifaddrmsg *ifa;
	int ret = enter(client);

	if (ret)
		return ret;
	ifa = netlink_begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
			    sizeof(*ifa));
	ifa->ifa_family = v4 ? AF_INET : AF_INET6;
	ifa->ifa_prefixlen = (__u8)len;
	ifa->ifa_flags = IFA_F_NODAD;
	ifa->ifa_index = client->ifindex;
	mnl_attr_put(&request.nlh, IFA_LOCAL, v4 ? 4 : 16, addr->byte + (v4 ? 12 : 0));
	mnl_attr_put(&request.nlh, IFA_ADDRESS, v4 ? 4 : 16, addr->byte + (v4 ? 12 : 0));
	ret = netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
	return leave(client) ?: ret;
}

void throwaway_ns_forget(const struct link *bridge, const struct hbpf_addr *addr)
{
	struct netlink_request request;
	bool v4 = addr_is_v4(addr);
	struct ndmsg *ndm;

	ndm = netlink_begin(&request, RTM_DELNEIGH, NLM_F_ACK, sizeof(*ndm));
	ndm->ndm_family = v4 ? AF_INET : AF_INET6;
	ndm->ndm_ifindex = (int)bridge->ifindex;
	mnl_attr_put(&request.nlh, NDA_DST, v4 ? 4 : 16, addr->byte + (v4 ? 12 : 0));
	netlink_talk(NETLINK_ROUTE, &request, NULL, NULL, NULL);
}

int throwaway_ns_socket(const struct throwaway_ns *client, int family, int type, int protocol)
{
	int ret = enter(client), fd;

	if (ret)
		return ret;
	fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		fd = -errno;
	ret = leave(client);
	if (ret && fd >= 0)
		close(fd);
	return ret ? ret : fd;
}

/* An ARP packet for IPv4 over Ethernet (RFC 826). */
struct arp {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__u8 sender[4];
	__u8 target_mac[ETH_ALEN];
	__u8 target[4];
} __attribute__((packed));

static int wait_for_claim(int fd, const __u8 *addr4)
{
	__s64 end = monotonic_ms() + ARP_WAIT_MS;
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	struct arp arp;
	__s64 left;

	while ((left = end - monotonic_ms()) > 0 && poll(&pollfd, 1, (int)left) > 0) {
		if (recv(fd, &arp, sizeof(arp), 0) == sizeof(arp) &&
		    !memcmp(arp.sender, addr4, sizeof(arp.sender)))
			return 1;
	}
	return 0;
}

int throwaway_ns_is_taken(const struct throwaway_ns *client, const struct hbpf_addr *addr)
{
	int fd = throwaway_ns_socket(client, AF_PACKET, SOCK_DGRAM, htons(ETH_P_ARP)), ret;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)client->ifindex,
		.sll_halen = ETH_ALEN,
	};
	struct arp arp = {
		.hardware = htons(ARPHRD_ETHER),
		.protocol = htons(ETH_P_IP),
		.hardware_len = ETH_ALEN,
		.protocol_len = 4,
		.operation = htons(ARPOP_REQUEST),
	};
	struct sockaddr_ll own = {};
	socklen_t len = sizeof(own);

	if (fd < 0)
		return fd;
	ret = bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
			      getsockname(fd, (struct sockaddr *)&own, &len)
		      ? -errno
		      : 0;
	memcpy(arp.sender_mac, own.sll_addr, ETH_ALEN);
	memcpy(arp.target, addr->byte + 12, sizeof(arp.target));
	memset(to.sll_addr, 0xff, ETH_ALEN);
	if (!ret && sendto(fd, &arp, sizeof(arp), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		ret = -errno;
	if (!ret)
		ret = wait_for_claim(fd, arp.target);
	close(fd);
	return ret;
}
