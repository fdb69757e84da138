/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NAT bypass, in the build with HBPF_NAT_BYPASS (kernel 6.1, kernel BTF).
 *
 * After the redirect the packet passes netfilter's PREROUTING with the destination
 * 127.0.0.1. A DNAT rule for that port (Docker's, for -p 127.0.0.1:5432:5432) would send
 * it into a container, and the connection would hang. NAT is decided once for each
 * conntrack entry, so the program creates the entry, with a NAT to the destination that
 * the packet already has (net/netfilter/nf_conntrack_bpf.c, nf_nat_bpf.c).
 */
#ifndef HBPF_BPF_CONNTRACK_H
#define HBPF_BPF_CONNTRACK_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "flow.h"
#include "maps.h"
#include "parse.h"

#ifdef HBPF_NAT_BYPASS

/* Types of the kernel, under names that no generated vmlinux.h has. The verifier only checks their
 * kind and size. */
struct nf_conn___hbpf {
	int opaque;
};

struct nf_conn_init___hbpf {
	int opaque;
};

/* The first 12 bytes; newer kernels have more members, but accept this size. */
struct ct_opts___hbpf {
	__s32 netns_id;
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

union nf_inet_addr___hbpf {
	__u32 all[4];
};

enum nf_nat_manip___hbpf {
	NF_NAT_MANIP_DST___HBPF = 1,
};

extern struct nf_conn_init___hbpf *bpf_skb_ct_alloc(struct __sk_buff *skb_ctx,
						    struct bpf_sock_tuple *bpf_tuple,
						    __u32 tuple__sz, struct ct_opts___hbpf *opts,
						    __u32 opts__sz) __ksym;
extern struct nf_conn___hbpf *bpf_skb_ct_lookup(struct __sk_buff *skb_ctx,
						struct bpf_sock_tuple *bpf_tuple, __u32 tuple__sz,
						struct ct_opts___hbpf *opts, __u32 opts__sz) __ksym;
extern struct nf_conn___hbpf *bpf_ct_insert_entry(struct nf_conn_init___hbpf *nfct) __ksym;
extern void bpf_ct_release(struct nf_conn___hbpf *nfct) __ksym;
extern void bpf_ct_set_timeout(struct nf_conn_init___hbpf *nfct, __u32 timeout_ms) __ksym;
extern int bpf_ct_change_timeout(struct nf_conn___hbpf *nfct, __u32 timeout_ms) __ksym;
extern int bpf_ct_set_nat_info(struct nf_conn_init___hbpf *nfct, union nf_inet_addr___hbpf *addr,
			       int port, enum nf_nat_manip___hbpf manip) __ksym;

/* Until conntrack sees the packet and sets the protocol's timeout. */
#define BYPASS_TIMEOUT_MS 30000

/* Return: is there no entry? The lookup itself removes an expired one. */
static __always_inline bool bypass_is_gone(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					   __u32 size, struct ct_opts___hbpf *opts)
{
	struct nf_conn___hbpf *ct = bpf_skb_ct_lookup(skb, tuple, size, opts, sizeof(*opts));

	if (ct)
		bpf_ct_release(ct);
	return !ct;
}

/*
 * @expire: an existing entry belongs to a closed connection; conntrack would apply the NAT rules to
 *	    the new one
 */
static __always_inline bool bypass_tuple(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 size, __u8 proto, const struct hbpf_endpoint *local,
					 bool expire)
{
	struct ct_opts___hbpf opts = { .netns_id = BPF_F_CURRENT_NETNS, .l4proto = proto };
	union nf_inet_addr___hbpf addr = {};
	struct nf_conn_init___hbpf *fresh;
	struct nf_conn___hbpf *ct;
	int undecided;

	ct = bpf_skb_ct_lookup(skb, tuple, size, &opts, sizeof(opts));
	if (ct) {
		if (expire)
			bpf_ct_change_timeout(ct, 0);
		bpf_ct_release(ct);
		if (!expire)
			return true;
		if (!bypass_is_gone(skb, tuple, size, &opts))
			return false;
	}

	fresh = bpf_skb_ct_alloc(skb, tuple, size, &opts, sizeof(opts));
	if (!fresh)
		return false;
	bpf_ct_set_timeout(fresh, BYPASS_TIMEOUT_MS);
	if (size == sizeof(tuple->ipv4))
		addr.all[0] = local->addr.word[3];
	else
		__builtin_memcpy(addr.all, local->addr.word, sizeof(addr));
	undecided =
		bpf_ct_set_nat_info(fresh, &addr, bpf_ntohs(local->port), NF_NAT_MANIP_DST___HBPF);
	/* It can only be freed as an entry: bpf_ct_release() takes no nf_conn___init
	 * (strict_type_match in the kernel's verifier.c). So an entry without the NAT is inserted,
	 * and removed again. */
	ct = bpf_ct_insert_entry(fresh);
	if (!ct)
		return false;
	if (undecided)
		bpf_ct_change_timeout(ct, 0);
	bpf_ct_release(ct);
	if (undecided)
		bypass_is_gone(skb, tuple, size, &opts);
	return !undecided;
}

static __noinline bool bypass_packet(struct __sk_buff *skb, const struct packet *pkt,
				     const struct hbpf_endpoint *local)
{
	struct hbpf_flow_key flow = flow_key(pkt->slot, pkt->proto, &pkt->src, local);
	struct bpf_sock_tuple tuple = {};
	bool expire;

	expire = pkt->proto == IPPROTO_TCP &&
		 connection_of(skb, &flow, &pkt->dst, false) == CONNECTION_NONE;
	if (flow_tuple(&tuple, &flow) == sizeof(tuple.ipv4))
		return bypass_tuple(skb, &tuple, sizeof(tuple.ipv4), pkt->proto, local, expire);
	return bypass_tuple(skb, &tuple, sizeof(tuple.ipv6), pkt->proto, local, expire);
}

/*
 * conntrack_bypass_nat() - keep NAT rules from changing a packet after the redirect
 * @pkt:	The packet as the client sent it
 * @local:	Its translated destination
 *
 * This is done for every SYN and every UDP packet, not only for the first of a flow: a
 * UDP flow outlives its conntrack entry.
 *
 * Return: false if it was needed and there is no such entry
 */
static __always_inline bool conntrack_bypass_nat(struct __sk_buff *skb, const struct packet *pkt,
						 const struct hbpf_endpoint *local)
{
	const struct hbpf_config *cfg;

	if (pkt->proto != IPPROTO_UDP && !packet_is_syn(pkt))
		return true;
	cfg = config_get(skb);
	return !(cfg && cfg->nat_bypass) || bypass_packet(skb, pkt, local);
}

#else /* HBPF_NAT_BYPASS */

#define conntrack_bypass_nat(skb, pkt, local) true

#endif /* HBPF_NAT_BYPASS */

#endif /* HBPF_BPF_CONNTRACK_H */
