/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <netinet/ether.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"

#define MAX_TAGS       8 /* more than any switch adds */
#define MAX_EXTENSIONS 8

struct cursor {
	const __u8 *at;
	size_t left;
};

static bool take(struct cursor *cursor, void *to, size_t size)
{
	if (cursor->left < size)
		return false;
	memcpy(to, cursor->at, size);
	cursor->at += size;
	cursor->left -= size;
	return true;
}

static bool skip(struct cursor *cursor, size_t size)
{
	if (cursor->left < size)
		return false;
	cursor->at += size;
	cursor->left -= size;
	return true;
}

/* TCP and UDP have their ports first. */
static void read_ports(struct cursor *cursor, struct frame_path *path)
{
	__be16 ports[2];

	if ((path->proto != IPPROTO_TCP && path->proto != IPPROTO_UDP) ||
	    !take(cursor, ports, sizeof(ports)))
		return;
	path->src.port = ports[0];
	path->dst.port = ports[1];
}

/* Return: does a transport header follow? */
static bool read_ipv4(struct cursor *cursor, struct frame_path *path, bool *has_path)
{
	struct iphdr ip;

	if (!take(cursor, &ip, sizeof(ip)))
		return false;
	*has_path = true;
	path->proto = ip.protocol;
	path->src.addr = addr_from_v4(ip.saddr);
	path->dst.addr = addr_from_v4(ip.daddr);
	return !(ntohs(ip.frag_off) & IP_OFFMASK) && ip.ihl >= 5 &&
	       skip(cursor, ip.ihl * 4UL - sizeof(ip));
}

/* Return: is it an extension header, and has it been skipped? @cursor is empty if it is cut. */
static bool skip_extension(struct cursor *cursor, __u8 *proto, bool *later_fragment)
{
	struct ip6_frag fragment;
	struct ip6_ext ext;
	size_t more;

	switch (*proto) {
	case IPPROTO_FRAGMENT:
		if (!take(cursor, &fragment, sizeof(fragment)))
			break;
		*proto = fragment.ip6f_nxt;
		*later_fragment = fragment.ip6f_offlg & IP6F_OFF_MASK;
		return true;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
		if (!take(cursor, &ext, sizeof(ext)))
			break;
		more = *proto == IPPROTO_AH ? (ext.ip6e_len + 2) * 4UL : (ext.ip6e_len + 1) * 8UL;
		*proto = ext.ip6e_nxt;
		if (skip(cursor, more - sizeof(ext)))
			return true;
		break;
	default:
		return false;
	}
	cursor->left = 0;
	return false;
}

static bool read_ipv6(struct cursor *cursor, struct frame_path *path, bool *has_path)
{
	bool later_fragment = false;
	struct ip6_hdr ip;

	if (!take(cursor, &ip, sizeof(ip)))
		return false;
	*has_path = true;
	path->proto = ip.ip6_nxt;
	path->src.addr = addr_from_v6(&ip.ip6_src);
	path->dst.addr = addr_from_v6(&ip.ip6_dst);
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		if (!skip_extension(cursor, &path->proto, &later_fragment))
			break;
	}
	return !later_fragment;
}

static bool is_icmp_error(const struct frame_path *path, __u8 type)
{
	if (path->proto == IPPROTO_ICMP)
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
		       type == ICMP_PARAMETERPROB;
	return path->proto == IPPROTO_ICMPV6 && !(type & ICMP6_INFOMSG_MASK);
}

/* @quoting: gets what an ICMP error quotes; NULL within a quote */
static void read_ip(struct cursor *cursor, __u16 ethertype, struct frame_path *path, bool *has_path,
		    struct frame *quoting)
{
	struct icmphdr icmp;
	bool transport = ethertype == ETH_P_IP ? read_ipv4(cursor, path, has_path)
					       : read_ipv6(cursor, path, has_path);

	if (!transport)
		return;
	read_ports(cursor, path);
	if (quoting && (path->proto == IPPROTO_ICMP || path->proto == IPPROTO_ICMPV6) &&
	    take(cursor, &icmp, sizeof(icmp)) && is_icmp_error(path, icmp.type))
		read_ip(cursor, ethertype, &quoting->quote, &quoting->has_quote, NULL);
}

static void read_arp(struct cursor *cursor, struct frame *frame)
{
	struct ether_arp arp;
	__be32 sender, target;

	if (!take(cursor, &arp, sizeof(arp)) || ntohs(arp.arp_pro) != ETH_P_IP)
		return;
	memcpy(&sender, arp.arp_spa, sizeof(sender));
	memcpy(&target, arp.arp_tpa, sizeof(target));
	frame->path.src.addr = addr_from_v4(sender);
	frame->path.dst.addr = addr_from_v4(target);
	frame->has_path = true;
}

struct frame frame_parse(const __u8 *data, size_t len)
{
	struct cursor cursor = { data, len };
	struct frame frame = {};
	struct ethhdr eth;
	__be16 tag[2]; /* the rest of a VLAN tag: TCI and the next type */

	if (!take(&cursor, &eth, sizeof(eth)))
		return frame;
	memcpy(frame.src_mac, eth.h_source, sizeof(frame.src_mac));
	frame.ethertype = ntohs(eth.h_proto);
	for (int i = 0; i < MAX_TAGS; i++) {
		if (frame.ethertype != ETH_P_8021Q && frame.ethertype != ETH_P_8021AD)
			break;
		if (!take(&cursor, tag, sizeof(tag)))
			return frame;
		frame.tagged = true;
		frame.ethertype = ntohs(tag[1]);
	}
	if (frame.ethertype == ETH_P_ARP)
		read_arp(&cursor, &frame);
	else if (frame.ethertype == ETH_P_IP || frame.ethertype == ETH_P_IPV6)
		read_ip(&cursor, frame.ethertype, &frame.path, &frame.has_path, &frame);
	return frame;
}

const char *mac_format(const __u8 mac[ETH_ALEN], char buf[MAC_STRLEN])
{
	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return buf;
}

int mac_parse(const char *text, __u8 mac[ETH_ALEN])
{
	struct ether_addr addr = {};
	bool valid = ether_aton_r(text, &addr);

	memcpy(mac, addr.ether_addr_octet, ETH_ALEN);
	return valid ? 0 : -EINVAL;
}
