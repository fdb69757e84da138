/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source routes: hops in the packet, to which a host that accepts them
 * (accept_source_route, seg6_enabled) forwards it. 127.0.0.1 could be one of them.
 */
#ifndef HBPF_BPF_ROUTE_H
#define HBPF_BPF_ROUTE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "abi.h"
#include "addr.h"
#include "parse.h"

#define MAX_OPTION_BYTES 40 /* of an IPv4 header */
#define MAX_HOPS         9  /* that fit into them */
#define MAX_SEGMENTS     8  /* of an IPv6 routing header */

enum route {
	ROUTE_NONE,
	ROUTE_ELSEWHERE, /* the packet is on its way to somewhere else */
	ROUTE_LOOPBACK,  /* a loopback address is among the hops */
};

/* One LSRR or SSRR option (RFC 791): type, length and pointer, then the hops. */
static __always_inline enum route route_ipv4_hops(struct __sk_buff *skb, __u32 at, __u32 length)
{
	__u8 pointer;
	__be32 hop;
	__u32 i;

	/* The kernel reads the next hop at the pointer, aligned or not
	 * (net/ipv4/ip_options.c: ip_options_rcv_srr). */
	if (!load(skb, at + 2, &pointer, sizeof(pointer)) || pointer % 4)
		return ROUTE_LOOPBACK;

	for (i = 0; i < MAX_HOPS && 3 + 4 * i + 4 <= length; i++) {
		if (!load(skb, at + 3 + 4 * i, &hop, sizeof(hop)))
			break;
		if (addr4_is_loopback(hop))
			return ROUTE_LOOPBACK;
	}
	return ROUTE_ELSEWHERE;
}

/* Other options (record route, timestamp) are harmless. The kernel refuses a
 * second source route (net/ipv4/ip_options.c: __ip_options_compile), so the
 * first one decides. Not static: see verifier.h. */
__noinline int route_ipv4(struct __sk_buff *skb, __u32 at, __u32 end)
{
	__u8 option[2]; /* type, length */
	int i;

	for (i = 0; i < MAX_OPTION_BYTES && at < end; i++) {
		/* Reads two bytes even of a one-byte option, so perhaps one after the header. A
		 * packet that ends there has no ports anyway. */
		if (!load(skb, at, option, sizeof(option)) || option[0] == IPOPT_END)
			break;
		if (option[0] == IPOPT_NOOP) {
			at++;
			continue;
		}
		if (option[1] < 2)
			break;
		if (option[0] == IPOPT_LSRR || option[0] == IPOPT_SSRR)
			return route_ipv4_hops(skb, at, option[1]);
		at += option[1];
	}
	return ROUTE_NONE;
}

/* A routing header with segments left names further hops, whatever its type
 * (type 2: RFC 6275, type 4: RFC 8754). Not static: see verifier.h. */
__noinline int route_ipv6(struct __sk_buff *skb, __u32 at)
{
	struct ipv6_rt_hdr route;
	struct hbpf_addr segment;
	__u32 i;

	/* drop what cannot be checked */
	if (at == ROUTE_TWICE || !load(skb, at, &route, sizeof(route)) ||
	    route.hdrlen > 2 * MAX_SEGMENTS)
		return ROUTE_LOOPBACK;
	if (!route.segments_left)
		return ROUTE_NONE;
	for (i = 0; i < MAX_SEGMENTS && 2 * i + 2 <= route.hdrlen; i++) {
		if (!load(skb, at + 8 + 16 * i, &segment, sizeof(segment)))
			break;
		if (addr_is_loopback(&segment))
			return ROUTE_LOOPBACK;
	}
	return ROUTE_ELSEWHERE;
}

static __always_inline int source_route(struct __sk_buff *skb, const struct packet *pkt)
{
	if (!pkt->route)
		return ROUTE_NONE;
	return packet_is_v4(pkt) ? route_ipv4(skb, pkt->route, pkt->l4)
				 : route_ipv6(skb, pkt->route);
}

#endif /* HBPF_BPF_ROUTE_H */
