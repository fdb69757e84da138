/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP errors: the message and the header that it quotes are both translated, so that the receiver
 * finds the connection (RFC 5508). */
#ifndef HBPF_BPF_ICMP_H
#define HBPF_BPF_ICMP_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "abi.h"
#include "parse.h"
#include "rewrite.h"
#include "verifier.h"

#define ICMP_HEADER 8 /* before the quote, for every error of both versions */
#define ICMP_CHECK  2 /* offset of the checksum in it */

static __always_inline bool icmp_is_error(const struct packet *pkt)
{
	__u8 type = pkt->icmp_type;

	if (packet_is_v4(pkt))
		return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
		       type == ICMP_PARAMETERPROB;
	return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
}

/* Port unreachable: no socket has the port. */
static __always_inline bool icmp_is_refusal(struct __sk_buff *skb, const struct packet *pkt)
{
	__u8 code;

	return load(skb, pkt->l4 + 1, &code, sizeof(code)) &&
	       (packet_is_v4(pkt) ? pkt->icmp_type == ICMP_DEST_UNREACH && code == ICMP_PORT
				  : pkt->icmp_type == ICMPV6_DEST_UNREACH && code == ICMPV6_PORT);
}

/* Parse the quoted header into @quote. Return: false if it has no ports. */
static __always_inline bool icmp_quote(struct __sk_buff *skb, const struct packet *pkt,
				       struct packet *quote)
{
	quote->l3 = pkt->l4 + ICMP_HEADER;
	quote->ethertype = pkt->ethertype;
	if (parse_network(skb, quote) != PARSED)
		return false;
	/* the quoted length is that of the whole packet, but the quote is shorter */
	if (quote->end > pkt->end)
		quote->end = pkt->end;
	forget(skb, quote);
	return !packet_is_later_fragment(quote) &&
	       (quote->proto == IPPROTO_TCP || quote->proto == IPPROTO_UDP) &&
	       parse_ports(skb, quote) == PARSED;
}

/* Rewrite @side of the message, and the opposite side of the quote, which went in the other
 * direction. Return: 0, or the error of the helper that failed. */
static __always_inline int icmp_rewrite(struct __sk_buff *skb, const struct packet *pkt,
					const struct packet *quote, enum side side,
					const struct hbpf_endpoint *to)
{
	int err = rewrite(skb, quote, side == SIDE_DST ? SIDE_SRC : SIDE_DST, to,
			  pkt->l4 + ICMP_CHECK);

	return err ? err : rewrite(skb, pkt, side, to, 0);
}

#endif /* HBPF_BPF_ICMP_H */
