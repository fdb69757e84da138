/* SPDX-License-Identifier: GPL-2.0-only */
/* The headers of an Ethernet frame, of which only the beginning may be there. */
#ifndef HBPF_FRAME_H
#define HBPF_FRAME_H

#include <hbpf/addr.h>
#include <net/ethernet.h>
#include <stdbool.h>
#include <stddef.h>

/* From whom to whom. Ports are 0 where there are none: ICMP, later fragments, a cut header. */
struct frame_path {
	__u8 proto; /* IPPROTO_*, after IPv6 extension headers; 0 of ARP */
	struct hbpf_endpoint src;
	struct hbpf_endpoint dst;
};

struct frame {
	__u8 src_mac[ETH_ALEN];
	__u16 ethertype; /* ETH_P_*, host byte order; the one behind VLAN tags */
	bool tagged;     /* a VLAN tag is in the frame */
	bool has_path;   /* IPv4, IPv6 or ARP about IPv4 */
	struct frame_path path;
	bool has_quote; /* an ICMP error, and the packet that it quotes */
	struct frame_path quote;
};

/**
 * frame_parse() - read headers: RFC 791, 792, 826, 4443, 8200; 802.1Q
 * @data:	From the Ethernet header
 * @len:	Bytes that are there; what follows them is unknown
 *
 * Return: what could be read; the rest is zero
 */
struct frame frame_parse(const __u8 *data, size_t len);

#define MAC_STRLEN 18
/** mac_format() - "02:42:ac:1e:00:02". Returns @buf */
const char *mac_format(const __u8 mac[ETH_ALEN], char buf[MAC_STRLEN]);
/** mac_parse() - the opposite. Return: 0, or -EINVAL, and then @mac is all zero */
int mac_parse(const char *text, __u8 mac[ETH_ALEN]);

#endif /* HBPF_FRAME_H */
