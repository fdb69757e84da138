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
	__u64 delta;
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
		delta = checksum_delta6(&from->addr, &to->addr);
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

/*
 * Plain IPv4 packets: all fields in one store, since each helper call costs more than the bytes
 * that it copies. Direct writes would cost more: for them the kernel copies the head of every
 * cloned packet in front of the program, also of those that are not for hbpf.
 */

/* A changed port needs more than a store where UDP has no checksum: see checksum_port_store(). */
static __always_inline bool rewrite_is_plain4(const struct packet *pkt, __be16 from, __be16 to)
{
	return pkt->plain && packet_is_v4(pkt) && (pkt->proto == IPPROTO_TCP || from == to);
}

static __always_inline int rewrite_plain4_checksum(struct __sk_buff *skb, const struct packet *pkt,
						   const struct hbpf_endpoint *from,
						   const struct hbpf_endpoint *to)
{
	int err = checksum_pseudo4(skb, pkt, checksum_offset(pkt), from->addr.word[3],
				   to->addr.word[3]);

	if (err || from->port == to->port)
		return err;
	return checksum_port(skb, pkt, from->port, to->port);
}

/* Rewrite a packet's destination, and its MAC for lo. Return: 0, or the error of the helper that
 * failed */
static __always_inline int rewrite_in(struct __sk_buff *skb, const struct packet *pkt,
				      const struct hbpf_endpoint *to)
{
	const void *data = (const void *)(long)skb->data;
	struct {
		__u8 pad[2];
		__u8 mac[ETH_ALEN];
		__u64 mac_and_type; /* of the sender */
		struct iphdr ip;
		__be16 ports[2];
	} head = {};
	int err;

	if (!rewrite_is_plain4(pkt, pkt->dst.port, to->port) ||
	    data + sizeof(head) - sizeof(head.pad) > (const void *)(long)skb->data_end) {
		err = rewrite(skb, pkt, SIDE_DST, to, 0);
		return err ? err : rewrite_mac_for_loopback(skb);
	}

	head.mac_and_type = *(const __u64 *)(data + ETH_ALEN);
	head.ip = *(const struct iphdr *)(data + ETH_HLEN);
	head.ip.check = checksum_header4(head.ip.check, head.ip.daddr, to->addr.word[3]);
	head.ip.daddr = to->addr.word[3];
	head.ports[0] = pkt->src.port;
	head.ports[1] = to->port;
	err = bpf_skb_store_bytes(skb, 0, head.mac, sizeof(head) - sizeof(head.pad), 0);
	return err ? err : rewrite_plain4_checksum(skb, pkt, &pkt->dst, to);
}

/* Rewrite a packet's source. Return: the same */
static __always_inline int rewrite_out(struct __sk_buff *skb, const struct packet *pkt,
				       const struct hbpf_endpoint *to)
{
	const void *data = (const void *)(long)skb->data;
	const struct iphdr *ip = data + ETH_HLEN;
	struct {
		__u8 pad[2];
		__sum16 check; /* where it is in the IPv4 header */
		__be32 saddr;
		__be32 daddr;
		__be16 port;
		__u8 tail[2];
	} fields = {};
	int err;

	if (!rewrite_is_plain4(pkt, pkt->src.port, to->port) ||
	    (const void *)(ip + 1) > (const void *)(long)skb->data_end)
		return rewrite(skb, pkt, SIDE_SRC, to, 0);

	fields.check = checksum_header4(ip->check, ip->saddr, to->addr.word[3]);
	fields.saddr = to->addr.word[3];
	fields.daddr = ip->daddr;
	fields.port = to->port;
	err = bpf_skb_store_bytes(skb, ETH_HLEN + IPV4_CHECK, &fields.check,
				  sizeof(fields) - sizeof(fields.pad) - sizeof(fields.tail), 0);
	return err ? err : rewrite_plain4_checksum(skb, pkt, &pkt->src, to);
}

#endif /* HBPF_BPF_REWRITE_H */
