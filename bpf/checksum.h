/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checksums: all rules are here.
 *
 * A field changed in a header changes the checksums that cover it by the same
 * delta (RFC 1624). The helpers below apply the delta to the checksum fields;
 * what needs care is skb->csum, the sum of the whole packet as the NIC computed it
 * (CHECKSUM_COMPLETE), which must still match the bytes.
 *
 *  - IPv4 address: the IP header checksum cancels its delta inside the header, so
 *    only the transport checksum changes the packet's sum; with BPF_F_PSEUDO_HDR
 *    the kernel adds that to skb->csum
 *    (net/core/utils.c: inet_proto_csum_replace4).
 *  - IPv6 address: there is no header checksum. The deltas of address and transport
 *    checksum cancel out, and the packet's sum stays. BPF_F_PSEUDO_HDR changes
 *    skb->csum nevertheless (inet_proto_csum_replace_by_diff), so the address is
 *    stored with BPF_F_RECOMPUTE_CSUM, which changes it by the opposite. (Linux 6.16
 *    has BPF_F_IPV6 for this; BPF_F_RECOMPUTE_CSUM is right on all kernels.) A later
 *    fragment has no transport checksum, so BPF_F_RECOMPUTE_CSUM alone is right.
 *  - Ports, and fields of an ICMP message: covered by a checksum in the same packet,
 *    not by a pseudo header. The packet's sum stays.
 *
 * With CHECKSUM_PARTIAL (and GSO) the field holds only the pseudo header's sum, which
 * depends on addresses but not on ports. The helpers handle that by the flag.
 */
#ifndef HBPF_BPF_CHECKSUM_H
#define HBPF_BPF_CHECKSUM_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "abi.h"
#include "parse.h"

#define IPV4_CHECK 10 /* offset of the checksum in the IPv4 header */

/* Offset in the frame of the transport checksum whose pseudo header has the addresses of this
 * header, or 0 if there is none. */
static __always_inline __u32 checksum_offset(const struct packet *pkt)
{
	if (packet_is_later_fragment(pkt))
		return 0;
	switch (pkt->proto) {
	case IPPROTO_TCP:
		return pkt->l4 + 16;
	case IPPROTO_UDP:
		return pkt->l4 + 6;
	case NEXTHDR_ICMP:
		return packet_is_v4(pkt) ? 0 : pkt->l4 + 2;
	default:
		return 0; /* ICMPv4 has no pseudo header */
	}
}

/* A UDP checksum of 0 means no checksum and stays 0; a computed 0 becomes 0xffff (RFC 768). */
static __always_inline __u64 checksum_flags(const struct packet *pkt)
{
	return pkt->proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
}

/* Flags to store a port with. Without a UDP checksum nothing cancels its delta. */
static __always_inline __u64 checksum_port_store(struct __sk_buff *skb, const struct packet *pkt)
{
	__sum16 check = 0;

	if (pkt->proto != IPPROTO_UDP || !load(skb, checksum_offset(pkt), &check, sizeof(check)))
		return 0;
	return check ? 0 : BPF_F_RECOMPUTE_CSUM;
}

/* The checksum of an IPv4 header with another address (RFC 1624, equation 3); all in network byte
 * order. It is what bpf_l3_csum_replace() stores. */
static __always_inline __sum16 checksum_header4(__sum16 check, __be32 from, __be32 to)
{
	__u64 sum = (__u16)~check + (__u64)(__u32)~from + to;

	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

/* The sum of the halves, which stands for that of the 16-bit words in them (RFC 1071). */
static __always_inline __u64 checksum_fold64(__u64 sum)
{
	return (sum & 0xffffffff) + (sum >> 32);
}

/* The delta of another IPv6 address, as bpf_csum_diff() returns it; but this needs no call. */
static __always_inline __u64 checksum_delta6(const struct hbpf_addr *from,
					     const struct hbpf_addr *to)
{
	__u64 sum = checksum_fold64(~from->half[0]) + checksum_fold64(~from->half[1]) +
		    checksum_fold64(to->half[0]) + checksum_fold64(to->half[1]);

	return checksum_fold64(checksum_fold64(sum));
}

/* The transport checksum for another IPv4 address; both in network byte order. */
static __always_inline int checksum_pseudo4(struct __sk_buff *skb, const struct packet *pkt,
					    __u32 at, __be32 from, __be32 to)
{
	return bpf_l4_csum_replace(skb, at, from, to,
				   BPF_F_PSEUDO_HDR | checksum_flags(pkt) | sizeof(to));
}

/* The address of an outermost IPv4 header changed; both in network byte order. */
static __always_inline int checksum_addr4(struct __sk_buff *skb, const struct packet *pkt,
					  __be32 from, __be32 to)
{
	__u32 at = checksum_offset(pkt);
	int err;

	err = bpf_l3_csum_replace(skb, pkt->l3 + IPV4_CHECK, from, to, sizeof(to));
	if (err || !at)
		return err;
	return checksum_pseudo4(skb, pkt, at, from, to);
}

/* The address of an outermost IPv6 header changed, by a checksum_delta6(). */
static __always_inline int checksum_addr6(struct __sk_buff *skb, const struct packet *pkt,
					  __u64 delta)
{
	__u32 at = checksum_offset(pkt);

	if (!at)
		return 0;
	return bpf_l4_csum_replace(skb, at, 0, delta, BPF_F_PSEUDO_HDR | checksum_flags(pkt));
}

/* A port of the outermost transport header changed; both in network byte order. */
static __always_inline int checksum_port(struct __sk_buff *skb, const struct packet *pkt,
					 __be16 from, __be16 to)
{
	return bpf_l4_csum_replace(skb, checksum_offset(pkt), from, to,
				   checksum_flags(pkt) | sizeof(to));
}

#endif /* HBPF_BPF_CHECKSUM_H */
