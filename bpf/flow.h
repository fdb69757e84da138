/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: what a client's socket dialled.
 *
 * Translation loses it, since every gateway becomes one loopback address, and answers
 * need it. For half-open TCP and for UDP it is in two tables: `flows` has room for all
 * flows of one busy client, but evicts; `recent_tcp` or `recent_udp` has the latest of
 * each client, which only that client can evict. For an established TCP connection it
 * is in the storage of the server's socket.
 */
#ifndef HBPF_BPF_FLOW_H
#define HBPF_BPF_FLOW_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "addr.h"
#include "maps.h"
#include "parse.h"
#include "source.h"

static __always_inline struct hbpf_flow_key flow_key(__u16 slot, __u8 proto,
						     const struct hbpf_endpoint *client,
						     const struct hbpf_endpoint *local)
{
	struct hbpf_flow_key key = {
		.client = client->addr,
		.local = local->addr,
		.client_port = client->port,
		.local_port = local->port,
		.proto = proto,
		.slot = slot,
	};

	return key;
}

/* Consecutive client ports, as a busy client uses them, get different entries; services are spread
 * by a multiplicative hash (2^32 / golden ratio). */
static __always_inline struct hbpf_recent_key recent_key(const struct hbpf_flow_key *flow)
{
	__u32 service = bpf_ntohl(flow->local.word[3]) ^ bpf_ntohs(flow->local_port);
	__u32 hash = bpf_ntohs(flow->client_port) + (service * 0x9e3779b1 >> 16);
	struct hbpf_recent_key key = {
		.client = flow->client,
		.index = hash % HBPF_RECENT_FLOWS,
		.slot = flow->slot,
	};

	return key;
}

static __always_inline const struct hbpf_endpoint *recent_find(const struct hbpf_flow_key *flow)
{
	struct hbpf_recent_key key = recent_key(flow);
	const struct hbpf_recent *recent;

	if (flow->proto == IPPROTO_TCP)
		recent = bpf_map_lookup_elem(&recent_tcp, &key);
	else
		recent = bpf_map_lookup_elem(&recent_udp, &key);
	if (!recent || recent->client_port != flow->client_port ||
	    recent->local_port != flow->local_port || recent->local_low != flow->local.word[3])
		return NULL;
	return &recent->dialled;
}

static __noinline int recent_record(const struct hbpf_flow_key *flow,
				    const struct hbpf_endpoint *dialled)
{
	struct hbpf_recent_key key = recent_key(flow);
	struct hbpf_recent recent = {
		.dialled = *dialled,
		.local_low = flow->local.word[3],
		.client_port = flow->client_port,
		.local_port = flow->local_port,
	};

	if (flow->proto == IPPROTO_TCP)
		return bpf_map_update_elem(&recent_tcp, &key, &recent, BPF_ANY);
	return bpf_map_update_elem(&recent_udp, &key, &recent, BPF_ANY);
}

/* Read a record of a client's latest flows. It is copied, so that the verifier need not track a
 * pointer into each table. */
static __noinline bool recent_recall(const struct hbpf_flow_key *key, struct hbpf_endpoint *dialled)
{
	const struct hbpf_endpoint *recent = recent_find(key);

	if (!recent)
		return false;
	*dialled = *recent;
	return true;
}

/* Read the record of a flow. */
static __noinline bool flow_recall(const struct hbpf_flow_key *key, struct hbpf_endpoint *dialled)
{
	const struct hbpf_endpoint *flow = bpf_map_lookup_elem(&flows, key);

	if (!flow)
		return recent_recall(key, dialled);
	*dialled = *flow;
	return true;
}

/* What the record of a flow says. */
enum record {
	RECORD_NONE,
	RECORD_SAME,  /* the client dialled what this packet is sent to */
	RECORD_OTHER, /* it dialled another one */
};

static __always_inline enum record flow_record_of(const struct hbpf_flow_key *key,
						  const struct hbpf_endpoint *dialled)
{
	const struct hbpf_endpoint *flow = bpf_map_lookup_elem(&flows, key);
	struct hbpf_endpoint recent;

	/* not copied: every segment of a connection is compared */
	if (flow)
		return endpoint_equal(flow, dialled) ? RECORD_SAME : RECORD_OTHER;
	if (!recent_recall(key, &recent))
		return RECORD_NONE;
	return endpoint_equal(&recent, dialled) ? RECORD_SAME : RECORD_OTHER;
}

static __always_inline bool flow_is(const struct hbpf_flow_key *key,
				    const struct hbpf_endpoint *dialled)
{
	return flow_record_of(key, dialled) == RECORD_SAME;
}

/* If an update fails, only the record is lost: the packet still goes on. */
static __always_inline void flow_record(const struct hbpf_flow_key *key,
					const struct hbpf_endpoint *dialled)
{
	bpf_map_update_elem(&flows, key, dialled, BPF_ANY);
	recent_record(key, dialled);
}

/* Fill a tuple for socket lookups, for a packet from @src to @dst. Return: its size. */
static __always_inline __u32 socket_tuple(struct bpf_sock_tuple *tuple, const struct hbpf_addr *src,
					  __be16 sport, const struct hbpf_addr *dst, __be16 dport)
{
	if (addr_is_v4(src)) {
		tuple->ipv4.saddr = src->word[3];
		tuple->ipv4.daddr = dst->word[3];
		tuple->ipv4.sport = sport;
		tuple->ipv4.dport = dport;
		return sizeof(tuple->ipv4);
	}
	__builtin_memcpy(tuple->ipv6.saddr, src->word, sizeof(tuple->ipv6.saddr));
	__builtin_memcpy(tuple->ipv6.daddr, dst->word, sizeof(tuple->ipv6.daddr));
	tuple->ipv6.sport = sport;
	tuple->ipv6.dport = dport;
	return sizeof(tuple->ipv6);
}

/* The same for a packet of a flow, from the client to the loopback end. */
static __always_inline __u32 flow_tuple(struct bpf_sock_tuple *tuple,
					const struct hbpf_flow_key *flow)
{
	return socket_tuple(tuple, &flow->client, flow->client_port, &flow->local,
			    flow->local_port);
}

static __always_inline struct hbpf_connection connection(__u16 slot,
							 const struct hbpf_endpoint *dialled)
{
	struct hbpf_connection value = { .dialled = *dialled, .slot = slot };

	return value;
}

static __always_inline bool connection_is(const struct hbpf_connection *kept, __u16 slot,
					  const struct hbpf_endpoint *dialled)
{
	return kept->slot == slot && endpoint_equal(&kept->dialled, dialled);
}

/* State of the host's TCP connection (client -> loopback:port). */
enum connection {
	CONNECTION_NONE,       /* no socket, or a closed one */
	CONNECTION_HALF_OPEN,  /* the handshake is under way */
	CONNECTION_UNRECORDED, /* established, but its socket has no record yet */
	CONNECTION_OURS,       /* dialled @dialled */
	CONNECTION_OTHER,      /* dialled another one, or through another bridge */
};

/*
 * connection_of() - find the server's socket of a TCP connection
 * @flow:	Which one
 * @dialled:	The endpoint to compare with its record
 * @adopt:	Store @dialled in a socket without a record
 */
static __noinline enum connection connection_of(struct __sk_buff *skb,
						const struct hbpf_flow_key *flow,
						const struct hbpf_endpoint *dialled, bool adopt)
{
	/* The second is needed only after the first. On 5.10 the stack of ingress, its ICMP
	 * function and this one is full. */
	union {
		struct bpf_sock_tuple tuple;
		struct hbpf_connection value;
	} on = {};
	enum connection found = CONNECTION_NONE;
	const struct hbpf_connection *kept;
	struct bpf_sock *sk, *full;

	if (flow_tuple(&on.tuple, flow) == sizeof(on.tuple.ipv4))
		sk = bpf_skc_lookup_tcp(skb, &on.tuple, sizeof(on.tuple.ipv4), BPF_F_CURRENT_NETNS,
					0);
	else
		sk = bpf_skc_lookup_tcp(skb, &on.tuple, sizeof(on.tuple.ipv6), BPF_F_CURRENT_NETNS,
					0);
	if (!sk)
		return CONNECTION_NONE;

	switch (sk->state) {
	case BPF_TCP_LISTEN:
	case BPF_TCP_TIME_WAIT:
	case BPF_TCP_CLOSE:
		break;
	case BPF_TCP_NEW_SYN_RECV:
		found = CONNECTION_HALF_OPEN;
		break;
	default:
		full = bpf_sk_fullsock(sk);
		if (!full)
			break;
		kept = bpf_sk_storage_get(&connections, full, NULL, 0);
		if (kept) {
			found = connection_is(kept, flow->slot, dialled) ? CONNECTION_OURS
									 : CONNECTION_OTHER;
			break;
		}
		found = CONNECTION_UNRECORDED;
		on.value = connection(flow->slot, dialled);
		if (adopt)
			bpf_sk_storage_get(&connections, full, &on.value,
					   BPF_SK_STORAGE_GET_F_CREATE);
	}
	bpf_sk_release(sk);
	return found;
}

/*
 * flow_recover_tcp() - recover a TCP flow evicted from the tables, for a segment other than a SYN
 * @found:	State of the connection
 * @record:	RECORD_NONE or RECORD_OTHER
 *
 * Connections of another bridge have no record either, so the source is checked again.
 *
 * Return: is the segment part of a translated connection?
 */
static __always_inline bool flow_recover_tcp(struct __sk_buff *skb, const struct packet *pkt,
					     const struct hbpf_flow_key *key,
					     const struct hbpf_export *export,
					     enum connection found, enum record record)
{
	bool adopt;

	if (found == CONNECTION_OURS)
		return true;
	if (found != CONNECTION_UNRECORDED && found != CONNECTION_HALF_OPEN)
		return false;
	adopt = record == RECORD_NONE && source_allowed(skb, pkt, export);
	if (adopt && found == CONNECTION_UNRECORDED)
		connection_of(skb, key, &pkt->dst, true);
	else if (adopt)
		flow_record(key, &pkt->dst);
	return adopt;
}

/*
 * flow_collides() - would a SYN change the flow of an existing connection?
 * @found:	State of the connection
 * @record:	RECORD_NONE or RECORD_OTHER
 *
 * That is a SYN to another gateway (or another gateway port of one service) from the
 * client port of an existing connection: both would be the same tuple to the host. The
 * flow is not changed, and the SYN goes to the socket of that connection, which sends a
 * challenge ACK (RFC 5961, 4.2; net/ipv4/tcp_input.c: tcp_validate_incoming) from what was
 * dialled first. A client that still has the connection ignores it as a duplicate. A
 * client that took over the address and port of a dead one answers RST, which ends the
 * connection, and its next SYN opens the flow. Without translation it is the same.
 */
static __always_inline bool flow_collides(enum connection found, enum record record)
{
	switch (found) {
	case CONNECTION_OTHER:
	case CONNECTION_UNRECORDED: /* whatever it dialled, the existing one has priority */
		return true;
	case CONNECTION_HALF_OPEN:
		return record == RECORD_OTHER;
	default:
		return false;
	}
}

/* Does the untranslated packet belong to a connected UDP socket of the host? (The lookup may also
 * return a bound, unconnected one.) */
static __noinline bool host_socket_owns(struct __sk_buff *skb, const struct packet *pkt)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	bool connected;

	if (socket_tuple(&tuple, &pkt->src.addr, pkt->src.port, &pkt->dst.addr, pkt->dst.port) ==
	    sizeof(tuple.ipv4))
		sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return false;
	connected = sk->state == BPF_TCP_ESTABLISHED;
	bpf_sk_release(sk);
	return connected;
}

/* What the client must have dialled, if only one gateway and one gateway port are possible. It
 * never guesses. */
static __always_inline bool flow_only_one(struct __sk_buff *skb, const struct hbpf_addr *client,
					  const struct hbpf_reverse *service,
					  struct hbpf_endpoint *dialled)
{
	const struct hbpf_config *cfg = config_get(skb);

	if (!cfg || service->exports != 1)
		return false;
	dialled->addr = addr_is_v4(client) ? cfg->only_gateway4 : cfg->only_gateway6;
	dialled->port = service->gateway_port;
	return !addr_is_zero(&dialled->addr);
}

/* What the client dialled: from the record, or else the only possibility. */
static __always_inline bool flow_find(struct __sk_buff *skb, const struct hbpf_flow_key *key,
				      const struct hbpf_reverse *service,
				      struct hbpf_endpoint *dialled)
{
	return flow_recall(key, dialled) || flow_only_one(skb, &key->client, service, dialled);
}

/*
 * flow_find_tcp() - what did the client of an outgoing segment dial?
 *
 * It is in the socket's storage, which the first segment of an established socket fills
 * from the table. Only the table is used before that (SYN-ACK: a request socket), and for
 * segments without a socket (RST, and ACK of TIME_WAIT). The kernel sends those from a
 * control socket, whose port differs (net/ipv4/tcp_ipv4.c: ipv4_tcp_sk).
 *
 * If the storage is another bridge's, that one adopted a connection that it shares the
 * client's address with. The host's routes decide through which bridge the client is
 * reached, so if it opened the connection through this one, this one gets it back.
 */
static __always_inline bool flow_find_tcp(struct __sk_buff *skb, const struct packet *pkt,
					  const struct hbpf_flow_key *key,
					  const struct hbpf_reverse *service,
					  struct hbpf_endpoint *dialled)
{
	struct hbpf_connection *kept, value;
	struct bpf_sock *sk = skb->sk;

	/* bpf_sk_storage_get() checks for a full socket, too */
	if (!sk || sk->state == BPF_TCP_LISTEN || sk->state == BPF_TCP_NEW_SYN_RECV ||
	    sk->state == BPF_TCP_TIME_WAIT || sk->src_port != bpf_ntohs(pkt->src.port))
		return flow_find(skb, key, service, dialled);

	kept = bpf_sk_storage_get(&connections, sk, NULL, 0);
	if (kept && kept->slot == key->slot) {
		*dialled = kept->dialled;
		return true;
	}
	if (kept ? !flow_recall(key, dialled) : !flow_find(skb, key, service, dialled))
		return false;
	value = connection(key->slot, dialled);
	if (kept)
		*kept = value;
	else
		bpf_sk_storage_get(&connections, sk, &value, BPF_SK_STORAGE_GET_F_CREATE);
	return true;
}

#endif /* HBPF_BPF_FLOW_H */
