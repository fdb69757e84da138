// SPDX-License-Identifier: GPL-2.0-only
/*
 * hbpf: makes exported ports of the host's loopback (127.0.0.1, ::1) reachable from a bridge.
 *
 * Theory of operation
 * ===================
 *
 *   container                bridge (say 172.30.0.1)                lo
 *  +----------+          +---------------------------+      +---------------+
 *  | connect  |  to      |  ingress: hbpf_ingress    |      |               |
 *  | gateway: +--------->|  guard, match, record,    +----->| 127.0.0.1:8088|
 *  |   8088   | gateway: |  rewrite the destination  | redi-|   the service |
 *  |          |   8088   |                           | rect |               |
 *  |          |          |  egress: hbpf_egress      |      |       |       |
 *  |          |<---------+  find what was dialled,   |<-------------+       |
 *  +----------+  from    |  rewrite the source       | routed: from         |
 *               gateway: +---------------------------+ 127.0.0.1:8088 +-----+
 *                 8088
 *
 * Ingress ends with a redirect into lo, which receives the packet as if it had been
 * sent to loopback. Answers are not redirected: they are routed to the client like any
 * other packet (route_localnet allows their source address), and at the bridge's egress
 * get the source that the client dialled.
 *
 * Ingress runs in this order: parse > guard > match > flow > rewrite > finish. Egress
 * has no guard step: what has a loopback source and matches nothing is dropped.
 * Functions that decide return an enum hbpf_reason. include/hbpf/reasons.h gives the
 * verdict of each reason; only finish() counts packets and returns to the kernel.
 *
 * The guard comes first, for every type of packet: with route_localnet on, the host
 * would answer to 127.0.0.1 for everyone on the bridge (CVE-2020-8558). No packet with
 * a loopback address crosses the bridge, except as our own translation, or as a
 * destination if guard_dst has to be off.
 *
 * Each header file here has one concern; its head says which.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <hbpf/maps.h>
#include <hbpf/reasons.h>
#include "abi.h"
#include "addr.h"
#include "conntrack.h"
#include "cookie.h"
#include "count.h"
#include "event.h"
#include "flow.h"
#include "fragment.h"
#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "rewrite.h"
#include "route.h"
#include "source.h"
#include "verifier.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline enum hbpf_verdict verdict_of(enum hbpf_reason reason)
{
	switch (reason) {
#define X(name, verdict, text)                                                                     \
	case HBPF_##name:                                                                          \
		return HBPF_##verdict;
		HBPF_REASONS(X)
#undef X
	default:
		return HBPF_DROP;
	}
}

/* The only exit: counts the reason, reports it if it is an event, and returns its action. */
static __always_inline int finish(struct __sk_buff *skb, enum hbpf_reason reason)
{
	enum hbpf_event_kind kind;

	reason ^= unknown_zero(skb); /* forgets it */
	kind = reason_event(reason);
	count_reason(skb, reason);
	if (kind != HBPF_EVENT_MAX)
		event(skb, kind, reason);
	switch (verdict_of(reason)) {
	case HBPF_DROP:
		return TC_ACT_SHOT;
	case HBPF_LOCAL:
		return bpf_redirect(LOOPBACK_IFINDEX, BPF_F_INGRESS);
	default:
		return TC_ACT_UNSPEC;
	}
}

/*
 * Ingress: from a client to a service
 */

/* Header of an ARP packet about IPv4 on Ethernet (RFC 826). */
struct arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender;
	__u8 target_mac[ETH_ALEN];
	__be32 target;
} __attribute__((packed));

static __always_inline bool arp_load(struct __sk_buff *skb, const struct packet *pkt,
				     struct arp *arp)
{
	return load(skb, pkt->l3, arp, sizeof(*arp)) && arp->protocol == bpf_htons(ETH_P_IP) &&
	       arp->hardware_len == ETH_ALEN && arp->protocol_len == sizeof(__be32);
}

/* With route_localnet the host answers ARP for 127/8, and learns neighbours with such addresses. */
static __always_inline enum hbpf_reason guard_arp(struct __sk_buff *skb, const struct packet *pkt)
{
	struct arp arp;

	if (arp_load(skb, pkt, &arp) &&
	    (addr4_is_loopback(arp.sender) || addr4_is_loopback(arp.target)))
		return HBPF_IN_GUARD_ARP;
	return HBPF_IN_ARP;
}

/* A TCP segment for an export: does it open a flow, or belong to one of ours? */
static __always_inline enum hbpf_reason match_tcp(struct __sk_buff *skb, const struct packet *pkt,
						  const struct hbpf_export *export,
						  const struct hbpf_endpoint *local)
{
	struct hbpf_flow_key key = flow_key(pkt->slot, IPPROTO_TCP, &pkt->src, local);
	enum record record = flow_record_of(&key, &pkt->dst);
	bool syn = packet_is_syn(pkt);
	enum connection found;

	if (syn && !source_allowed(skb, pkt, export))
		return HBPF_IN_SOURCE;
	if (record != RECORD_SAME) {
		found = connection_of(skb, &key, &pkt->dst, false);
		if (!syn)
			return flow_recover_tcp(skb, pkt, &key, export, found, record)
				       ? HBPF_IN_TRANSLATED
				       : HBPF_IN_NO_FLOW;
		if (flow_collides(found, record)) {
			event(skb, HBPF_EVENT_COLLISION, HBPF_IN_COLLISION);
			return HBPF_IN_COLLISION;
		}
		flow_record(&key, &pkt->dst);
	}
	if (syn)
		event(skb, HBPF_EVENT_FLOW, HBPF_IN_TRANSLATED);
	return HBPF_IN_TRANSLATED;
}

/* A UDP packet for an export. UDP has no handshake that would mark a new flow, so the answers to a
 * client's port come from the last address that it dialled. */
static __always_inline enum hbpf_reason match_udp(struct __sk_buff *skb, const struct packet *pkt,
						  const struct hbpf_export *export,
						  const struct hbpf_endpoint *local)
{
	struct hbpf_flow_key key = flow_key(pkt->slot, IPPROTO_UDP, &pkt->src, local);

	if (flow_is(&key, &pkt->dst))
		return HBPF_IN_TRANSLATED;
	if (host_socket_owns(skb, pkt))
		return HBPF_IN_HOST_SOCKET;
	if (!source_allowed(skb, pkt, export))
		return HBPF_IN_SOURCE;
	flow_record(&key, &pkt->dst);
	event(skb, HBPF_EVENT_FLOW, HBPF_IN_TRANSLATED);
	return HBPF_IN_TRANSLATED;
}

/* Look up a gateway port. Return: the export, with its loopback end in @local, or NULL if the port
 * is not exported to the packet's family. */
static __always_inline const struct hbpf_export *export_find(struct __sk_buff *skb,
							     const struct packet *pkt,
							     __be16 gateway_port,
							     struct hbpf_endpoint *local)
{
	struct hbpf_export_key key = { .port = gateway_port,
				       .proto = pkt->proto,
				       .slot = pkt->slot };
	const struct hbpf_export *export;
	void *map = map_now(&exports);

	export = map ? bpf_map_lookup_elem(map, &key) : NULL;
	if (!export || (!packet_is_v4(pkt) && !export->ipv6))
		return NULL;
	local->addr = packet_is_v4(pkt) ? addr_from_v4(export->addr4) : addr_v6_loopback();
	local->port = export->port;
	forget(skb, &local->addr);
	return export;
}

/* An ICMP error from a client, or from a router behind it, about a packet of an exported service.
 * The quote has the packet as it left the bridge, with the gateway as its source. */
static __noinline enum hbpf_reason ingress_icmp(struct __sk_buff *skb, const struct packet *pkt)
{
	struct packet quote = { .slot = pkt->slot };
	struct hbpf_endpoint local = {};
	struct hbpf_flow_key key;

	if (pkt->fragment || !icmp_is_error(pkt) || !icmp_quote(skb, pkt, &quote) ||
	    !addr_equal(&quote.src.addr, &pkt->dst.addr) ||
	    !export_find(skb, &quote, quote.src.port, &local))
		return HBPF_IN_ICMP_OTHER;

	key = flow_key(quote.slot, quote.proto, &quote.dst, &local);
	if (!flow_is(&key, &quote.src) &&
	    (quote.proto != IPPROTO_TCP ||
	     connection_of(skb, &key, &quote.src, false) != CONNECTION_OURS))
		return HBPF_IN_ICMP_OTHER;

	if (icmp_rewrite(skb, pkt, &quote, SIDE_DST, &local) || rewrite_mac_for_loopback(skb))
		return HBPF_IN_FAILED;
	return HBPF_IN_ICMP;
}

static __always_inline enum hbpf_reason ingress_later_fragment(struct __sk_buff *skb,
							       const struct packet *pkt)
{
	struct hbpf_endpoint local = {};

	if (!fragment_recall(pkt, INGRESS, &local))
		return HBPF_IN_FRAGMENT_PASS;
	if (rewrite(skb, pkt, SIDE_DST, &local, 0) || rewrite_mac_for_loopback(skb))
		return HBPF_IN_FAILED;
	return HBPF_IN_FRAGMENT;
}

/* Is the packet translated? */
static __always_inline bool is_for_service(enum hbpf_reason reason)
{
	return reason == HBPF_IN_TRANSLATED || reason == HBPF_IN_COLLISION;
}

/* A packet to a gateway, with its transport header. @local: translated destination, set if
 * is_for_service(). */
static __always_inline enum hbpf_reason ingress_gateway(struct __sk_buff *skb, struct packet *pkt,
							struct hbpf_endpoint *local)
{
	const struct hbpf_export *export;
	enum hbpf_reason reason;

	if (parse_transport(skb, pkt) != PARSED)
		return HBPF_IN_MALFORMED;
	if (packet_is_icmp(pkt))
		return ingress_icmp(skb, pkt);

	export = export_find(skb, pkt, pkt->dst.port, local);
	if (!export) {
		/* only what a client asks for; answers to the host come here, too */
		if (pkt->proto == IPPROTO_UDP || packet_is_syn(pkt))
			event(skb, HBPF_EVENT_NOT_EXPORTED, HBPF_IN_NOT_EXPORTED);
		return HBPF_IN_NOT_EXPORTED;
	}
	reason = pkt->proto == IPPROTO_TCP ? match_tcp(skb, pkt, export, local)
					   : match_udp(skb, pkt, export, local);
	if (!is_for_service(reason))
		return reason;

	if (!conntrack_bypass_nat(skb, pkt, local))
		event(skb, HBPF_EVENT_NO_NAT_BYPASS, reason);
	if (rewrite_in(skb, pkt, local))
		return HBPF_IN_FAILED;
	count_port(skb, pkt, pkt->dst.port, INGRESS);
	return reason;
}

/* Returned by guard() instead of a reason: the packet passed the guard. */
#define GO_ON HBPF_REASON_MAX

/* Are packets to a loopback address dropped? */
static __always_inline bool guards_dst(struct __sk_buff *skb)
{
	const struct hbpf_config *cfg = config_get(skb);

	return !cfg || cfg->guard_dst;
}

/*
 * guard() - drop packets that could reach loopback without being translated
 * @pkt:	All zero; filled up to the network header
 * @route:	Set to an enum route if the return is GO_ON
 *
 * Return: the reason for the packet, or GO_ON
 */
static __always_inline enum hbpf_reason guard(struct __sk_buff *skb, struct packet *pkt, int *route)
{
	enum parsed parsed = PARSED;

	if (!parse_plain(skb, pkt)) {
		switch (parse_ethernet(skb, pkt)) {
		case PARSED:
			break;
		case PARSED_PRIO_TAG:
			/* The kernel removes priority tags after tc, one after another
			 * (net/core/dev.c: __netif_receive_skb_core). */
			return HBPF_IN_GUARD_VLAN;
		case PARSED_VLAN:
			return HBPF_IN_VLAN;
		case PARSED_NOT_IP:
			return HBPF_IN_NOT_IP;
		default:
			return HBPF_IN_MALFORMED;
		}
		if (pkt->ethertype == ETH_P_ARP)
			return guard_arp(skb, pkt);
		/* The addresses are set even if what follows them is malformed. */
		parsed = parse_network(skb, pkt);
	}

	if (addr_is_loopback(&pkt->src.addr))
		return HBPF_IN_GUARD_SRC;
	if (addr_is_loopback(&pkt->dst.addr) && guards_dst(skb))
		return HBPF_IN_GUARD_DST;
	*route = source_route(skb, pkt);
	if (*route == ROUTE_LOOPBACK)
		return HBPF_IN_GUARD_ROUTE;
	return parsed == PARSED ? GO_ON : HBPF_IN_MALFORMED;
}

static __always_inline enum hbpf_reason ingress(struct __sk_buff *skb)
{
	struct hbpf_endpoint local = {};
	const struct hbpf_config *cfg;
	struct packet pkt = {};
	enum hbpf_reason reason;
	int route = ROUTE_NONE;

	reason = guard(skb, &pkt, &route);
	if (reason != GO_ON)
		return reason;

	/* A promiscuous bridge delivers frames for other hosts, and the redirect would turn them
	 * into ours. */
	if (skb->pkt_type != PACKET_HOST)
		return HBPF_IN_OTHER_HOST;
	if (skb->vlan_present && (skb->vlan_tci & VLAN_VID_MASK))
		return HBPF_IN_VLAN;

	/* All traffic of containers to the internet ends here. */
	cfg = config_get(skb);
	if (!is_gateway(cfg, &pkt.dst.addr))
		return HBPF_IN_NOT_GATEWAY;
	pkt.slot = slot_of(cfg);
	forget(skb, &pkt);
	/* A packet with a source route is to be forwarded. */
	if (route != ROUTE_NONE)
		return HBPF_IN_NOT_GATEWAY;

	if (packet_is_later_fragment(&pkt))
		return ingress_later_fragment(skb, &pkt);
	reason = ingress_gateway(skb, &pkt, &local);
	if (packet_is_first_fragment(&pkt))
		fragment_remember(&pkt, INGRESS, is_for_service(reason) ? &local.addr : NULL);
	return reason;
}

SEC("tc")
int hbpf_ingress(struct __sk_buff *skb)
{
	int action = finish(skb, ingress(skb));

	if (action == TC_ACT_UNSPEC)
		cookie_leave(skb);
	return action;
}

/*
 * The guard alone, as a program of its own that runs after hbpf_ingress. It needs no pin, so it
 * stays attached when the link of hbpf_ingress is removed, and guards a bridge whose route_localnet
 * is still on.
 */
SEC("tc")
int hbpf_backstop(struct __sk_buff *skb)
{
	struct packet pkt = {};
	enum hbpf_reason reason;
	int route;

	if (cookie_is_there(skb))
		return TC_ACT_UNSPEC;
	reason = guard(skb, &pkt, &route);
	if (reason == GO_ON || verdict_of(reason) != HBPF_DROP)
		return TC_ACT_UNSPEC;
	return finish(skb, reason);
}

/*
 * Egress: from a service to a client
 */

/* When the neighbour entry of an idle connection has expired, the host sends its ARP request with
 * the sender 127.0.0.1, which gets no answer. The right sender is the bridge's address in the
 * client's subnet, or any address of the bridge if the client is in none (a device route leads to
 * it), as with arp_announce=2. */
static __always_inline enum hbpf_reason repair_arp(struct __sk_buff *skb, const struct packet *pkt)
{
	const struct hbpf_config *cfg = config_get(skb);
	const struct hbpf_source *onlink;
	struct hbpf_addr target;
	__be32 sender = 0;
	struct arp arp;

	if (!arp_load(skb, pkt, &arp))
		return HBPF_OUT_OTHER;
	if (addr4_is_loopback(arp.target))
		return HBPF_OUT_GUARD;
	if (!addr4_is_loopback(arp.sender))
		return HBPF_OUT_OTHER;

	target = addr_from_v4(arp.target);
	onlink = source_lookup(slot_of(cfg), HBPF_LIST_ONLINK, &target);
	if (onlink)
		sender = onlink->local4;
	if (!sender && cfg)
		sender = cfg->arp_sender4;
	if (!sender)
		return HBPF_OUT_ARP_NO_SENDER;
	if (bpf_skb_store_bytes(skb, pkt->l3 + offsetof(struct arp, sender), &sender,
				sizeof(sender), BPF_F_RECOMPUTE_CSUM))
		return HBPF_OUT_FAILED;
	return HBPF_OUT_ARP;
}

static __always_inline const struct hbpf_reverse *
reverse_find(__u16 slot, __u8 proto, const struct hbpf_addr *addr, __be16 port)
{
	struct hbpf_reverse_key key = { .addr = *addr, .port = port, .proto = proto, .slot = slot };

	void *map = map_now(&reverse);

	return map ? bpf_map_lookup_elem(map, &key) : NULL;
}

/* An ICMP error of the host about a client's packet to an exported service, such as port
 * unreachable if no UDP service listens. It quotes the translated packet. */
static __noinline enum hbpf_reason egress_icmp(struct __sk_buff *skb, const struct packet *pkt)
{
	const struct hbpf_reverse *service;
	struct packet quote = { .slot = pkt->slot };
	struct hbpf_endpoint dialled = {};
	struct hbpf_flow_key key;

	/* in `reverse` the unspecified address means wildcard services, but in a quote it is
	 * invalid */
	if (pkt->fragment || !icmp_is_error(pkt) || !icmp_quote(skb, pkt, &quote) ||
	    !addr_is_loopback(&quote.dst.addr))
		return HBPF_OUT_GUARD;
	service = reverse_find(quote.slot, quote.proto, &quote.dst.addr, quote.dst.port);
	if (!service)
		return HBPF_OUT_GUARD;
	key = flow_key(quote.slot, quote.proto, &quote.src, &quote.dst);
	if (!flow_find(skb, &key, service, &dialled))
		return HBPF_OUT_AMBIGUOUS;
	if (icmp_rewrite(skb, pkt, &quote, SIDE_SRC, &dialled))
		return HBPF_OUT_FAILED;
	return HBPF_OUT_ICMP;
}

/* A packet from loopback. @dialled: its new source, set on OUT_TRANSLATED. */
static __always_inline enum hbpf_reason
egress_loopback(struct __sk_buff *skb, const struct packet *pkt, struct hbpf_endpoint *dialled)
{
	const struct hbpf_reverse *service;
	struct hbpf_flow_key key;
	bool found;

	service = reverse_find(pkt->slot, pkt->proto, &pkt->src.addr, pkt->src.port);
	if (!service)
		return HBPF_OUT_GUARD;
	key = flow_key(pkt->slot, pkt->proto, &pkt->dst, &pkt->src);
	found = pkt->proto == IPPROTO_TCP ? flow_find_tcp(skb, pkt, &key, service, dialled)
					  : flow_find(skb, &key, service, dialled);
	return found ? HBPF_OUT_TRANSLATED : HBPF_OUT_AMBIGUOUS;
}

/* A service bound to the gateway's own address sends from there, too; only the wildcard is ours. */
static __always_inline bool sent_by_wildcard(struct __sk_buff *skb, const struct packet *pkt)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return false;
	if (packet_is_v4(pkt))
		return !sk->src_ip4;
	return !(sk->src_ip6[0] | sk->src_ip6[1] | sk->src_ip6[2] | sk->src_ip6[3]);
}

/* A UDP packet from a gateway: services bound to the wildcard address answer from there, whichever
 * address was dialled. */
static __always_inline enum hbpf_reason egress_wildcard(struct __sk_buff *skb, struct packet *pkt,
							struct hbpf_endpoint *dialled)
{
	struct hbpf_addr any = packet_is_v4(pkt) ? addr_from_v4(0) : (struct hbpf_addr){};
	const struct hbpf_reverse *service;
	struct hbpf_endpoint local = {};
	struct hbpf_flow_key key;

	/* cheapest first: forwarded packets have no socket, and few sources are a gateway */
	if (!sent_by_wildcard(skb, pkt) || !is_gateway(config_get(skb), &pkt->src.addr))
		return HBPF_OUT_OTHER;
	service = reverse_find(pkt->slot, IPPROTO_UDP, &any, pkt->src.port);
	if (!service)
		return HBPF_OUT_OTHER;
	local.addr = service->addr;
	local.port = pkt->src.port;
	key = flow_key(pkt->slot, IPPROTO_UDP, &pkt->dst, &local);
	return flow_recall(&key, dialled) ? HBPF_OUT_TRANSLATED : HBPF_OUT_OTHER;
}

static __noinline enum hbpf_reason egress_later_fragment(struct __sk_buff *skb,
							 const struct packet *pkt)
{
	struct hbpf_endpoint dialled = {};

	if (!fragment_recall(pkt, EGRESS, &dialled))
		return addr_is_loopback(&pkt->src.addr) ? HBPF_OUT_GUARD : HBPF_OUT_OTHER;
	return rewrite(skb, pkt, SIDE_SRC, &dialled, 0) ? HBPF_OUT_FAILED : HBPF_OUT_FRAGMENT;
}

/* A packet with its transport header. @dialled: its new source, set on OUT_TRANSLATED. */
static __always_inline enum hbpf_reason egress_transport(struct __sk_buff *skb, struct packet *pkt,
							 struct hbpf_endpoint *dialled)
{
	bool loopback = addr_is_loopback(&pkt->src.addr);
	enum hbpf_reason reason;

	if (parse_transport(skb, pkt) != PARSED)
		return loopback ? HBPF_OUT_GUARD : HBPF_OUT_OTHER;
	if (loopback && packet_is_icmp(pkt)) {
		reason = egress_icmp(skb, pkt);
		if (reason == HBPF_OUT_ICMP && icmp_is_refusal(skb, pkt))
			event(skb, HBPF_EVENT_NOT_LISTENING, reason);
		return reason;
	}

	reason = loopback ? egress_loopback(skb, pkt, dialled) : egress_wildcard(skb, pkt, dialled);
	if (reason != HBPF_OUT_TRANSLATED)
		return reason;
	if (rewrite_out(skb, pkt, dialled))
		return HBPF_OUT_FAILED;
	if (pkt->tcp_flags & TCP_FLAG_RST && tcp_is_refusal(skb, pkt))
		event(skb, HBPF_EVENT_NOT_LISTENING, reason);
	count_port(skb, pkt, dialled->port, EGRESS);
	return reason;
}

static __always_inline enum hbpf_reason egress(struct __sk_buff *skb)
{
	struct hbpf_endpoint dialled = {};
	struct packet pkt = {};
	enum hbpf_reason reason;
	enum parsed parsed = PARSED;
	bool loopback;

	if (!parse_plain(skb, &pkt)) {
		if (parse_ethernet(skb, &pkt) != PARSED)
			return HBPF_OUT_OTHER;
		if (pkt.ethertype == ETH_P_ARP)
			return repair_arp(skb, &pkt);
		parsed = parse_network(skb, &pkt);
	}
	loopback = addr_is_loopback(&pkt.src.addr);
	if (addr_is_loopback(&pkt.dst.addr) || (loopback && parsed != PARSED))
		return HBPF_OUT_GUARD;
	/* All other traffic of the host ends here. */
	if (parsed != PARSED || (!loopback && pkt.proto != IPPROTO_UDP))
		return HBPF_OUT_OTHER;

	pkt.slot = slot_of(config_get(skb));
	forget(skb, &pkt);
	loopback = addr_is_loopback(&pkt.src.addr); /* the same, forgotten */
	if (packet_is_later_fragment(&pkt))
		return egress_later_fragment(skb, &pkt);
	reason = egress_transport(skb, &pkt, &dialled);
	/* Other packets are never translated; recording them would only evict records. */
	if (packet_is_first_fragment(&pkt) &&
	    (loopback || is_gateway(config_get(skb), &pkt.src.addr)))
		fragment_remember(&pkt, EGRESS,
				  reason == HBPF_OUT_TRANSLATED ? &dialled.addr : NULL);
	return reason;
}

SEC("tc")
int hbpf_egress(struct __sk_buff *skb)
{
	return finish(skb, egress(skb));
}
