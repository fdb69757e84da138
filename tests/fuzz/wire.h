/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames as bytes, read by the RFCs. The fuzzer's own reading: it shares nothing
 * with bpf/, or both would be wrong together.
 */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MAX_FRAME 2048

struct frame {
	uint32_t len;
	uint8_t b[MAX_FRAME];
};

#define ETHER 14 /* bytes of the Ethernet header */

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_8021Q = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_8021AD = 0x88a8,
};

enum {
	PROTO_HOP = 0,
	PROTO_ICMP4 = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44,
	PROTO_AUTH = 51,
	PROTO_ICMP6 = 58,
	PROTO_DEST = 60,
};

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

/* IPv4 as ::ffff:a.b.c.d; `v6` of the packet tells a v4-mapped address from one. */
struct ip {
	uint8_t b[16];
};

struct end {
	struct ip ip;
	uint16_t port;
};

enum source_route {
	ROUTED_NOT,
	ROUTED_ELSEWHERE,
	ROUTED_LOOPBACK, /* names a loopback address, or cannot be looked through */
	ROUTED_BADLY,    /* the kernel refuses such a one: hbpf may drop it or not */
};

/* What a frame says, from its network header on. Offsets are of the frame. */
struct view {
	bool v6;
	bool addressed; /* there is a network header of the version that was announced */
	bool sound;     /* and a way to what follows it */
	int l3;
	int l4;
	int end; /* behind the datagram */
	struct end src;
	struct end dst;
	int proto;
	bool first_fragment; /* more to come */
	bool later_fragment; /* without a transport header */
	uint32_t id;         /* of the datagram whose fragment it is */
	enum source_route route;
	bool transport; /* proto's whole header is there, and so is what follows */
	uint8_t tcp_flags;
	int icmp_type;
};

static inline uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline void put16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static inline bool same_ip(const struct ip *a, const struct ip *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool same_end(const struct end *a, const struct end *b)
{
	return a->port == b->port && same_ip(&a->ip, &b->ip);
}

/** wire_ip() - an address from its text, which must be one */
struct ip wire_ip(const char *text);
/** wire_is_v4() - in ::ffff:0:0/96 */
bool wire_is_v4(const struct ip *ip);
/** wire_is_loopback() - 127.0.0.0/8, v4-mapped or not, or ::1 */
bool wire_is_loopback(const struct ip *ip);

static inline uint16_t wire_type(const struct frame *frame)
{
	return get16(frame->b + 12);
}

/**
 * wire_view() - read an IP header and what stands behind it
 * @l3:		Where it begins
 * @limit:	Where all ends
 */
void wire_view(const struct frame *frame, int l3, int limit, bool v6, struct view *view);

/** wire_frame_view() - of a frame's own header. Return: false where it is no IP frame */
bool wire_frame_view(const struct frame *frame, struct view *view);

/** wire_quote() - of the packet an ICMP error is about. Return: false where ports are not there */
bool wire_quote(const struct frame *frame, const struct view *outer, struct view *quote);

/** wire_is_icmp_error() - types 3, 11, 12 (RFC 792); 1 to 4 (RFC 4443) */
bool wire_is_icmp_error(const struct view *view);

/** wire_sum() - the words of some bytes, added (RFC 1071); divided by 0xffff, 0 is a good sum */
uint64_t wire_sum(const uint8_t *p, int len);
/** wire_transport_sum() - of the transport header, what follows, and the pseudo header if any */
uint64_t wire_transport_sum(const struct frame *frame, const struct view *view);
/** wire_check_at() - offset of the transport checksum; 0: none in this packet */
int wire_check_at(const struct view *view);

/** wire_seal() - make every checksum valid that the frame has whole */
void wire_seal(struct frame *frame);

#endif /* FUZZ_WIRE_H */
