/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parse a packet once, into a struct packet.
 *
 * Nearly all packets are plain: whole TCP or UDP packets, without IP options or extension
 * headers, whose headers are in the linear area. parse_plain() reads these by direct
 * packet access. All others are read by bpf_skb_load_bytes(): it checks the length, and
 * also reads headers outside the linear area. So no data has to be pulled, and no pointer
 * has to be checked again after a rewrite.
 */
#ifndef HBPF_BPF_PARSE_H
#define HBPF_BPF_PARSE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "abi.h"
#include "addr.h"

/* How many IPv6 extension headers are read; a packet with more counts as malformed. */
#define MAX_EXTENSIONS 8

enum parsed {
	PARSED,
	PARSED_NOT_IP,    /* another protocol */
	PARSED_PRIO_TAG,  /* 802.1Q/ad tag with VID 0 in the frame */
	PARSED_VLAN,      /* 802.1Q/ad tag with a VID in the frame */
	PARSED_MALFORMED, /* truncated or inconsistent */
};

struct packet {
	__u32 l3;  /* offset of the network header in the frame */
	__u32 l4;  /* offset of the transport header, or of the payload of a later fragment */
	__u32 end; /* offset after the datagram by its own length: the kernel trims the rest */
	__u16 ethertype; /* ETH_P_*, host byte order */
	__u8 proto;      /* IPPROTO_*, after IPv6 extension headers */
	__u8 tcp_flags;
	__u8 icmp_type;
	__u16 slot;        /* of the bridge */
	__u16 fragment;    /* IPV4_MF and IPV4_OFFSET bits, host byte order, for both families; 0:
			      whole */
	__u32 route;       /* offset of what may hold a source route: IPv4 options, IPv6 routing
			    * header; 0 where there is none */
	__u32 fragment_id; /* as in the packet */
	bool plain;        /* parse_plain() has read it all, also the ports */
	struct hbpf_endpoint src;
	struct hbpf_endpoint dst;
};

static __always_inline bool packet_is_v4(const struct packet *pkt)
{
	return pkt->ethertype == ETH_P_IP;
}

/* The first of several fragments: it has the transport header. */
static __always_inline bool packet_is_first_fragment(const struct packet *pkt)
{
	return pkt->fragment == IPV4_MF;
}

/* A fragment without a transport header. */
static __always_inline bool packet_is_later_fragment(const struct packet *pkt)
{
	return pkt->fragment & IPV4_OFFSET;
}

static __always_inline bool packet_is_icmp(const struct packet *pkt)
{
	return pkt->proto == (packet_is_v4(pkt) ? IPPROTO_ICMP : NEXTHDR_ICMP);
}

/* Opens a connection: SYN alone. SYN-ACK answers one of the host's own. */
static __always_inline bool packet_is_syn(const struct packet *pkt)
{
	const __u8 mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_FIN;

	return pkt->proto == IPPROTO_TCP && (pkt->tcp_flags & mask) == TCP_FLAG_SYN;
}

static __always_inline bool load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size) == 0;
}

/* The RST that answers a SYN: its sequence number is 0 (RFC 9293, 3.5.2). In others it is the
 * connection's. */
static __always_inline bool tcp_is_refusal(struct __sk_buff *skb, const struct packet *pkt)
{
	__be32 seq;

	return load(skb, pkt->l4 + TCP_SEQ, &seq, sizeof(seq)) && !seq;
}

static __always_inline enum parsed parse_ethernet(struct __sk_buff *skb, struct packet *pkt)
{
	__be16 tci;
	struct ethhdr eth;

	if (!load(skb, 0, &eth, sizeof(eth)))
		return PARSED_MALFORMED;
	pkt->l3 = sizeof(eth);
	pkt->ethertype = bpf_ntohs(eth.h_proto);
	switch (pkt->ethertype) {
	case ETH_P_IP:
	case ETH_P_IPV6:
	case ETH_P_ARP:
		return PARSED;
	case ETH_P_8021Q:
	case ETH_P_8021AD:
		if (!load(skb, sizeof(eth), &tci, sizeof(tci)))
			return PARSED_MALFORMED;
		return tci & bpf_htons(VLAN_VID_MASK) ? PARSED_VLAN : PARSED_PRIO_TAG;
	default:
		return PARSED_NOT_IP;
	}
}

/* Bytes after the datagram's own length are padding, which the kernel removes
 * (pskb_trim_rcsum() in ip_rcv_core() and ip6_rcv_core()); headers must not be read from there. The
 * length of a BIG TCP packet does not fit into the field: it is 0, and the frame's end counts.
 * @length: in network byte order, counted from offset @start
 */
static __always_inline __u32 datagram_end(struct __sk_buff *skb, __u32 start, __be16 length)
{
	__u32 end = start + bpf_ntohs(length);

	return length && end < skb->len ? end : skb->len;
}

static __always_inline bool load_transport(struct __sk_buff *skb, const struct packet *pkt,
					   void *to, __u32 size)
{
	return pkt->l4 + size <= pkt->end && load(skb, pkt->l4, to, size);
}

static __noinline enum parsed parse_ipv4(struct __sk_buff *skb, struct packet *pkt)
{
	struct iphdr ip;

	if (!load(skb, pkt->l3, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return PARSED_MALFORMED;
	pkt->src.addr = addr_from_v4(ip.saddr);
	pkt->dst.addr = addr_from_v4(ip.daddr);
	pkt->proto = ip.protocol;
	pkt->l4 = pkt->l3 + ip.ihl * 4;
	pkt->end = datagram_end(skb, pkt->l3, ip.tot_len);

	pkt->fragment = bpf_ntohs(ip.frag_off) & (IPV4_MF | IPV4_OFFSET);
	pkt->fragment_id = ip.id;
	if (ip.ihl > 5)
		pkt->route = pkt->l3 + sizeof(ip);
	return pkt->l4 <= pkt->end ? PARSED : PARSED_MALFORMED;
}

/* Result of ipv6_extensions(). */
struct extensions {
	__u8 proto; /* of the first other header, or of a later fragment's payload */
	__u8 pad;
	__u16 l4;          /* offset of it; 0: malformed */
	__u16 fragment_at; /* offset of the fragment header, or 0 */
	__u16 route_at;    /* offset of the routing header, or 0, or ROUTE_TWICE */
};

#define ROUTE_TWICE 0xffff /* more than one: there must not be (RFC 8200, 4.1) */

/*
 * ipv6_extensions() - walk to the transport header
 * @at:		Offset of the first extension header
 * @proto:	Its type
 *
 * Not static: see verifier.h.
 *
 * Return: the bytes of a struct extensions
 */
__noinline __u64 ipv6_extensions(struct __sk_buff *skb, __u32 at, __u32 proto)
{
	union {
		struct extensions found;
		__u64 bytes;
	} walk = {};
	__u8 header[4]; /* next header, length, and the fragment's offset */
	int i;

	/* Linux 5.10 refuses this one as a loop ("back-edge"). */
#pragma unroll
	for (i = 0; i <= MAX_EXTENSIONS; i++) {
		if (proto != NEXTHDR_HOP && proto != NEXTHDR_DEST && proto != NEXTHDR_AUTH &&
		    proto != NEXTHDR_ROUTING && proto != NEXTHDR_FRAGMENT)
			goto found;
		if (i == MAX_EXTENSIONS || !load(skb, at, header, sizeof(header)))
			break;
		if (proto == NEXTHDR_ROUTING)
			walk.found.route_at = walk.found.route_at ? ROUTE_TWICE : at;
		if (proto == NEXTHDR_FRAGMENT) {
			if (walk.found.fragment_at)
				break;
			walk.found.fragment_at = at;
			header[1] = 0;
		}
		/* in units of 8 bytes beyond the first; AH in units of 4, beyond two */
		at += proto == NEXTHDR_AUTH ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
		if (proto == NEXTHDR_FRAGMENT && (header[2] || header[3] & ~7)) {
			proto = header[0];
			goto found; /* a later fragment: what follows is no header */
		}
		proto = header[0];
	}
	walk.found.l4 = 0;
	return walk.bytes;
found:
	walk.found.proto = proto;
	walk.found.l4 = at;
	return walk.bytes;
}

static __noinline enum parsed parse_ipv6(struct __sk_buff *skb, struct packet *pkt)
{
	union {
		struct extensions found;
		__u64 bytes;
	} walk;
	struct frag_hdr fragment;
	bool mapped; /* such an IPv6 packet must not be taken for an IPv4 packet */
	struct {
		__be32 flow; /* version, traffic class, flow label */
		__be16 payload_len;
		__u8 nexthdr;
		__u8 hop_limit;
	} start;

	/* field by field, because the whole header would take a third of the stack */
	if (!load(skb, pkt->l3, &start, sizeof(start)) || bpf_ntohl(start.flow) >> 28 != 6 ||
	    !load(skb, pkt->l3 + IPV6_SRC, &pkt->src.addr, sizeof(pkt->src.addr)) ||
	    !load(skb, pkt->l3 + IPV6_DST, &pkt->dst.addr, sizeof(pkt->dst.addr)))
		return PARSED_MALFORMED;
	mapped = addr_is_v4(&pkt->src.addr) || addr_is_v4(&pkt->dst.addr);

	pkt->end = datagram_end(skb, pkt->l3 + IPV6_HEADER, start.payload_len);
	walk.bytes = ipv6_extensions(skb, pkt->l3 + IPV6_HEADER, start.nexthdr);
	pkt->proto = walk.found.proto;
	pkt->l4 = walk.found.l4;
	pkt->route = walk.found.route_at;
	if (walk.found.fragment_at) {
		if (!load(skb, walk.found.fragment_at, &fragment, sizeof(fragment)))
			return PARSED_MALFORMED;
		/* offset 0 without more fragments is a whole packet (RFC 6946) */
		pkt->fragment = bpf_ntohs(fragment.frag_off) >> 3 |
				(fragment.frag_off & bpf_htons(IPV6_MF) ? IPV4_MF : 0);
		pkt->fragment_id = fragment.identification;
	}
	return !mapped && pkt->l4 && pkt->l4 <= pkt->end ? PARSED : PARSED_MALFORMED;
}

static __always_inline enum parsed parse_network(struct __sk_buff *skb, struct packet *pkt)
{
	return packet_is_v4(pkt) ? parse_ipv4(skb, pkt) : parse_ipv6(skb, pkt);
}

/* Only the ports: an ICMP error need not quote more (RFC 792). */
static __always_inline enum parsed parse_ports(struct __sk_buff *skb, struct packet *pkt)
{
	__be16 ports[2];

	if (!load_transport(skb, pkt, ports, sizeof(ports)))
		return PARSED_MALFORMED;
	pkt->src.port = ports[0];
	pkt->dst.port = ports[1];
	return PARSED;
}

static __always_inline enum parsed parse_transport(struct __sk_buff *skb, struct packet *pkt)
{
	struct {
		__be16 source;
		__be16 dest;
		__u8 unused[9]; /* sequence numbers, data offset */
		__u8 flags;
	} tcp;

	if (pkt->plain)
		return PARSED;
	switch (pkt->proto) {
	case IPPROTO_TCP:
		if (pkt->l4 + TCP_HEADER > pkt->end || !load(skb, pkt->l4, &tcp, sizeof(tcp)))
			return PARSED_MALFORMED;
		pkt->src.port = tcp.source;
		pkt->dst.port = tcp.dest;
		pkt->tcp_flags = tcp.flags;
		return PARSED;
	case IPPROTO_UDP:
		if (pkt->l4 + UDP_HEADER > pkt->end)
			return PARSED_MALFORMED;
		return parse_ports(skb, pkt);
	default:
		if (packet_is_icmp(pkt) && !load_transport(skb, pkt, &pkt->icmp_type, 1))
			return PARSED_MALFORMED;
		return PARSED;
	}
}

/* The first bytes of a plain packet's transport header. */
struct plain_transport {
	__be16 source;
	__be16 dest;
	__u8 unused[9]; /* TCP: sequence numbers, data offset */
	__u8 flags;     /* only of TCP */
};

/*
 * parse_plain_end() - the part of parse_plain() that is the same for both families
 * @at:		The transport header
 * @data_end:	End of the linear area
 * @l4:		Offset of the transport header in the frame
 * @length:	What the IP header says about the bytes from offset @start on, network byte order
 *
 * The datagram must end within the frame, after a whole transport header.
 */
static __always_inline bool parse_plain_end(struct __sk_buff *skb, struct packet *pkt,
					    const struct plain_transport *at, const void *data_end,
					    __u8 proto, __u32 l4, __u32 start, __be16 length)
{
	__u32 end = start + bpf_ntohs(length);

	if (end > skb->len)
		return false;
	if (proto == IPPROTO_TCP) {
		if ((const void *)at + TCP_HEADER > data_end || l4 + TCP_HEADER > end)
			return false;
		pkt->tcp_flags = at->flags;
	} else {
		if (proto != IPPROTO_UDP || (const void *)at + UDP_HEADER > data_end ||
		    l4 + UDP_HEADER > end)
			return false;
	}
	pkt->l3 = ETH_HLEN;
	pkt->l4 = l4;
	pkt->end = end;
	pkt->proto = proto;
	pkt->plain = true;
	pkt->src.port = at->source;
	pkt->dst.port = at->dest;
	return true;
}

static __always_inline bool plain_is_mapped(const struct in6_addr *addr)
{
	const __be32 *word = addr->in6_u.u6_addr32;

	return !(word[0] | word[1]) && word[2] == HBPF_BE32(0xffff);
}

/*
 * parse_plain() - read all headers at once
 * @pkt:	All zero
 *
 * The other functions would set the same values, except for fragment_id, which means nothing
 * in a whole packet.
 *
 * Return: true if the packet is plain; otherwise nothing is known about it
 */
static __always_inline bool parse_plain(struct __sk_buff *skb, struct packet *pkt)
{
	const void *data = (const void *)(long)skb->data;
	const void *data_end = (const void *)(long)skb->data_end;
	const struct iphdr *ip = data + ETH_HLEN;
	const struct ipv6hdr *ip6 = data + ETH_HLEN;

	if ((const void *)(ip + 1) > data_end)
		return false;
	if (*(const __be16 *)(data + 2 * ETH_ALEN) == bpf_htons(ETH_P_IP)) {
		if (ip->version != 4 || ip->ihl != 5 || !ip->tot_len ||
		    ip->frag_off & bpf_htons(IPV4_MF | IPV4_OFFSET) ||
		    !parse_plain_end(skb, pkt, (const void *)(ip + 1), data_end, ip->protocol,
				     ETH_HLEN + sizeof(*ip), ETH_HLEN, ip->tot_len))
			return false;
		pkt->ethertype = ETH_P_IP;
		pkt->src.addr = addr_from_v4(ip->saddr);
		pkt->dst.addr = addr_from_v4(ip->daddr);
		return true;
	}
	if (*(const __be16 *)(data + 2 * ETH_ALEN) != bpf_htons(ETH_P_IPV6) ||
	    (const void *)(ip6 + 1) > data_end || *(const __u8 *)ip6 >> 4 != 6 || !ip6->payload_len)
		return false;
	if (plain_is_mapped(&ip6->saddr) || plain_is_mapped(&ip6->daddr) ||
	    !parse_plain_end(skb, pkt, (const void *)(ip6 + 1), data_end, ip6->nexthdr,
			     ETH_HLEN + sizeof(*ip6), ETH_HLEN + sizeof(*ip6), ip6->payload_len))
		return false;
	pkt->ethertype = ETH_P_IPV6;
	__builtin_memcpy(&pkt->src.addr, &ip6->saddr, sizeof(pkt->src.addr));
	__builtin_memcpy(&pkt->dst.addr, &ip6->daddr, sizeof(pkt->dst.addr));
	return true;
}

#endif /* HBPF_BPF_PARSE_H */
