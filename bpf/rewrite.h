/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rewrite addresses and ports: one function for the packet's own header and for the one
 * quoted in an ICMP error.
 */
#ifndef HBPF_BPF_REWRITE_H
#define HBPF_BPF_REWRITE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "abi.h"
#include "checksum.h"
#include "parse.h"

enum side {
	SIDE_SRC,
	SIDE_DST,
};

/*
 * rewrite() - change the source or destination of a header
 * @pkt:	The parsed header
 * @side:	Which of the two
 * @to:		The new value; the port is used only if the header has ports
 * @icmp_check:	Offset in the frame of the checksum of the ICMP message that quotes this header,
 *		0 for the packet's own
 *
 * The checksum of a *quoted* TCP or UDP header is not changed: receivers of errors
 * compare addresses and ports, and most quotes are too short to verify it (RFC 5508, 4.2).
 *
 * Return: 0, or the error of the helper that failed
 */
static __noinline int rewrite(struct __sk_buff *skb, const struct packet *pkt, enum side side,
			      const struct hbpf_endpoint *to, __u32 icmp_check)
{
	const struct hbpf_endpoint *from = side == SIDE_SRC ? &pkt->src : &pkt->dst;
	__u32 at = pkt->l3;
	__s64 delta;
	int err;

	if (packet_is_v4(pkt)) {
		at += side == SIDE_SRC ? IPV4_SRC : IPV4_DST;
		err = bpf_skb_store_bytes(skb, at, &to->addr.word[3], sizeof(__be32), 0);
		if (err)
			return err;
		/* In a quote, the changes of address and header checksum cancel out in the ICMP
		 * checksum, which covers both. */
		err = icmp_check
			      ? bpf_l3_csum_replace(skb, pkt->l3 + IPV4_CHECK, from->addr.word[3],
						    to->addr.word[3], sizeof(__be32))
			      : checksum_addr4(skb, pkt, from->addr.word[3], to->addr.word[3]);
	} else {
		at += side == SIDE_SRC ? IPV6_SRC : IPV6_DST;
		delta = bpf_csum_diff((__be32 *)from->addr.word, sizeof(from->addr),
				      (__be32 *)to->addr.word, sizeof(to->addr), 0);
		err = bpf_skb_store_bytes(skb, at, &to->addr, sizeof(to->addr),
					  icmp_check ? 0 : BPF_F_RECOMPUTE_CSUM);
		if (err)
			return err;
		err = icmp_check ? bpf_l4_csum_replace(skb, icmp_check, 0, delta, 0)
				 : checksum_addr6(skb, pkt, delta);
	}
	if (err)
		return err;

	if ((pkt->proto != IPPROTO_TCP && pkt->proto != IPPROTO_UDP) ||
	    packet_is_later_fragment(pkt) || from->port == to->port)
		return 0;
	/* TCP and UDP both begin with source and destination port */
	err = bpf_skb_store_bytes(skb, pkt->l4 + (side == SIDE_SRC ? 0 : 2), &to->port,
				  sizeof(to->port), icmp_check ? 0 : checksum_port_store(skb, pkt));
	if (err)
		return err;
	return icmp_check ? bpf_l4_csum_replace(skb, icmp_check, from->port, to->port,
						sizeof(to->port))
			  : checksum_port(skb, pkt, from->port, to->port);
}

/* lo's address is all zero: with any other, eth_type_trans() on lo sets PACKET_OTHERHOST, and the
 * packet is dropped. */
static __always_inline int rewrite_mac_for_loopback(struct __sk_buff *skb)
{
	const __u8 zero[ETH_ALEN] = {};

	return bpf_skb_store_bytes(skb, 0, zero, sizeof(zero), 0);
}

#endif /* HBPF_BPF_REWRITE_H */
