/* SPDX-License-Identifier: GPL-2.0-only */
#include "make.h"

#include <arpa/inet.h>
#include "world.h"
#include "lib/array.h"

/* Few enough that packets meet flows and fragments of others; those that should not, too. */
static const char *const clients[2][4] = {
	{ "172.30.0.2", "172.30.0.3", "10.7.0.9", "10.9.0.5" },
	{ "fd00:30::2", "fd00:30::3", "fd00:30::4", "2001:db8:9::5" },
};
static const char *const odd[2][14] = {
	{ "127.0.0.1", "127.0.0.53", "127.255.255.255", "128.0.0.0", "126.255.255.255", "0.0.0.0",
	  "255.255.255.255", "224.0.0.1", "172.30.0.1", "172.17.0.1", "198.51.100.7",
	  "172.30.0.255", "172.31.0.2", "10.9.255.1" },
	{ "::1", "::", "::2", "::ffff:127.0.0.1", "::ffff:172.30.0.1", "::ffff:172.30.0.2",
	  "fe80::1", "ff02::1", "fd00:30::1", "fd00:17::1", "2001:db8::7", "fd00:31::2",
	  "::fffe:127.0.0.1", "::127.0.0.1" },
};
static const char *const loopbacks[2][6] = {
	{ "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.53", "127.0.0.2" },
	{ "::1", "::1", "::1", "::1", "::1", "::ffff:127.0.0.1" },
};
static const uint16_t client_ports[] = { 40000, 40001, 40002, 8088, 80 };
static const uint16_t gateway_ports[] = { 8088, 8088, 8088, 80,   80,   81,
					  81,   53,   443,  8080, 9999, 0x981f };
static const uint16_t local_ports[] = { 8088, 8088, 8080, 8080, 53, 8443, 8443, 9999, 80 };
static const uint32_t ids[] = { 1, 2, 0x0100, 77 };

enum role {
	CLIENT_END,
	GATEWAY_END,
	LOOPBACK_END,
};

static struct ip random_ip(struct rng *rng, bool v6, enum role role)
{
	struct ip ip;

	if (one_in(rng, 25)) {
		ip = wire_ip(v6 ? "2001:db8::" : "0.0.0.0");
		for (int i = 12; i < 16; i++)
			ip.b[i] = rng_next(rng);
		return ip;
	}
	if (one_in(rng, 10))
		return wire_ip(pick(rng, odd[v6]));
	switch (role) {
	case CLIENT_END:
		return wire_ip(pick(rng, clients[v6]));
	case GATEWAY_END:
		return wire_ip(world_gateways[v6][one_in(rng, 4)]);
	default:
		return wire_ip(pick(rng, loopbacks[v6]));
	}
}

static struct end random_end(struct rng *rng, bool v6, enum role role)
{
	struct end end = { .ip = random_ip(rng, v6, role) };

	if (one_in(rng, 20))
		end.port = rng_next(rng);
	else
		end.port = role == CLIENT_END    ? pick(rng, client_ports)
			   : role == GATEWAY_END ? pick(rng, gateway_ports)
						 : pick(rng, local_ports);
	return end;
}

/* Writing */

static void put(struct frame *frame, const void *bytes, unsigned int len)
{
	if (frame->len + len > MAX_FRAME)
		len = MAX_FRAME - frame->len;
	memcpy(frame->b + frame->len, bytes, len);
	frame->len += len;
}

static void put_random(struct rng *rng, struct frame *frame, unsigned int len)
{
	for (unsigned int i = 0; i < len && frame->len < MAX_FRAME; i++)
		frame->b[frame->len++] = rng_next(rng);
}

static void put_zeros(struct frame *frame, unsigned int len)
{
	static const uint8_t zeros[64];

	put(frame, zeros, len);
}

static void put_ether(struct frame *frame, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	frame->len = 0;
	put(frame, to, 6);
	put(frame, from, 6);
	type = htons(type);
	put(frame, &type, 2);
}

static void put_random_ether(struct rng *rng, struct frame *frame, bool egress, uint16_t type)
{
	static const uint8_t others[3][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 1, 0, 0x5e, 0, 0, 1 },
		{ 2, 0, 0, 0, 0x30, 0x99 },
	};

	if (egress)
		put_ether(frame, client_mac, bridge_mac, type);
	else
		put_ether(frame, one_in(rng, 20) ? pick(rng, others) : bridge_mac, client_mac,
			  type);
}

/* How a packet is cut. */
struct cut {
	bool fragment;
	bool more;
	unsigned int offset; /* in units of 8 bytes */
	uint32_t id;
};

static unsigned int source_route(struct rng *rng, uint8_t *option)
{
	unsigned int hops = 1 + below(rng, 4);

	option[0] = one_in(rng, 2) ? 131 : 137;
	option[1] = 3 + 4 * hops;
	option[2] = 4 + 4 * below(rng, hops + 1);
	for (unsigned int i = 0; i < hops; i++) {
		struct ip ip = random_ip(rng, false, one_in(rng, 6) ? LOOPBACK_END : CLIENT_END);

		memcpy(option + 3 + 4 * i, ip.b + 12, 4);
	}
	return option[1];
}

/* Return: their length, a multiple of 4 up to 40. */
static unsigned int random_options(struct rng *rng, uint8_t options[40])
{
	unsigned int len = 0;

	memset(options, 0, 40);
	if (one_in(rng, 4)) {
		for (unsigned int i = 0; i < 40; i++)
			options[i] = rng_next(rng);
		return 4 + 4 * below(rng, 10);
	}
	for (unsigned int i = below(rng, 4); i; i--)
		options[len++] = 1;
	if (one_in(rng, 3)) { /* record route */
		options[len] = 7;
		options[len + 1] = 7;
		options[len + 2] = 4;
		len += 7;
	}
	if (one_in(rng, 2))
		len += source_route(rng, options + len);
	return (len + 3) & ~3U;
}

static void put_ipv4(struct rng *rng, struct frame *frame, const struct end *src,
		     const struct end *dst, int proto, const struct cut *cut)
{
	uint8_t options[40];
	unsigned int extra = one_in(rng, 8) ? random_options(rng, options) : 0;
	uint8_t head[20] = {
		[0] = 0x45 + extra / 4,
		[1] = rng_next(rng),
		[8] = 64,
		[9] = proto,
	};

	put16(head + 4, cut->id);
	put16(head + 6, (cut->more ? 0x2000 : 0) | (cut->offset & 0x1fff));
	memcpy(head + 12, src->ip.b + 12, 4);
	memcpy(head + 16, dst->ip.b + 12, 4);
	put(frame, head, sizeof(head));
	put(frame, options, extra);
}

/* One extension header; its first byte, the next one's number, is still to be set. */
static int put_extension(struct rng *rng, struct frame *frame)
{
	static const uint8_t kinds[] = { PROTO_HOP, PROTO_DEST, PROTO_AUTH, PROTO_ROUTING };
	uint8_t kind = pick(rng, kinds);
	unsigned int units = below(rng, 3);
	uint8_t head[8] = { 0, units };

	if (kind == PROTO_AUTH) {
		head[1] = 2 * units; /* 4 bytes each, two of them not counted */
	} else if (kind == PROTO_ROUTING) {
		head[1] = 2 * units;
		head[2] = one_in(rng, 2) ? 4 : 2;
		head[3] = one_in(rng, 2) ? 0 : 1;
	}
	put(frame, head, sizeof(head));
	for (unsigned int i = 0; kind == PROTO_ROUTING && i < units; i++) {
		struct ip hop = random_ip(rng, true, one_in(rng, 6) ? LOOPBACK_END : CLIENT_END);

		put(frame, hop.b, 16);
	}
	if (kind != PROTO_ROUTING)
		put_zeros(frame, 8 * units);
	return kind;
}

static void put_ipv6(struct rng *rng, struct frame *frame, const struct end *src,
		     const struct end *dst, int proto, const struct cut *cut)
{
	unsigned int count = one_in(rng, 6) ? 1 + below(rng, one_in(rng, 4) ? 10 : 3) : 0;
	unsigned int next = frame->len + 6; /* where the number of what follows goes */
	uint8_t head[40] = { 0x60, [7] = 64 };

	memcpy(head + 8, src->ip.b, 16);
	memcpy(head + 24, dst->ip.b, 16);
	put(frame, head, sizeof(head));
	while (count--) {
		unsigned int at = frame->len;

		frame->b[next] = put_extension(rng, frame);
		next = at;
	}
	if (cut->fragment || one_in(rng, 30)) {
		uint8_t header[8] = {};

		put16(header + 2, cut->offset << 3 | cut->more);
		memcpy(header + 4, &cut->id, 4);
		frame->b[next] = PROTO_FRAGMENT;
		next = frame->len;
		put(frame, header, sizeof(header));
	}
	frame->b[next] = proto;
}

static void set_length(struct frame *frame, bool v6)
{
	put16(frame->b + ETHER + (v6 ? 4 : 2), frame->len - ETHER - (v6 ? 40 : 0));
}

static void put_transport(struct rng *rng, struct frame *frame, int proto, const struct end *src,
			  const struct end *dst)
{
	static const uint8_t flags[] = { TCP_SYN,           TCP_SYN, TCP_ACK,          TCP_ACK | 8,
					 TCP_ACK | TCP_FIN, TCP_RST, TCP_SYN | TCP_ACK };
	unsigned int payload = one_in(rng, 20) ? below(rng, 1400) : below(rng, 40);
	uint8_t head[20] = {};

	put16(head, src->port);
	put16(head + 2, dst->port);
	if (proto == PROTO_TCP) {
		head[12] = 0x50;
		head[13] = one_in(rng, 20) ? rng_next(rng) : pick(rng, flags);
		put(frame, head, 20);
	} else {
		put16(head + 4, 8 + payload);
		put(frame, head, 8);
	}
	put_random(rng, frame, payload);
}

/* Whole, a first or a later fragment. */
static struct cut random_cut(struct rng *rng, const struct talk *talk)
{
	struct cut cut = { .id = talk->id };

	cut.fragment = one_in(rng, 3) != talk->cut;
	if (cut.fragment && (talk->cut || one_in(rng, 3)))
		cut.offset = 1 + below(rng, 200);
	cut.more = cut.fragment && (!cut.offset || one_in(rng, 2));
	return cut;
}

/* A packet of a talk. */
static void make_packet(struct rng *rng, struct frame *frame, const struct talk *talk,
			const struct cut *cut)
{
	if (talk->v6)
		put_ipv6(rng, frame, &talk->src, &talk->dst, talk->proto, cut);
	else
		put_ipv4(rng, frame, &talk->src, &talk->dst, talk->proto, cut);
	if (cut->offset)
		put_random(rng, frame, 8 * (1 + below(rng, 5)));
	else
		put_transport(rng, frame, talk->proto, &talk->src, &talk->dst);
	set_length(frame, talk->v6);
	wire_seal(frame);
	if (talk->proto == PROTO_UDP && one_in(rng, 8)) {
		struct view view;
		int at = wire_frame_view(frame, &view) ? wire_check_at(&view) : 0;

		if (at)
			put16(frame->b + at, 0); /* none */
	}
}

static void random_ends(struct rng *rng, bool v6, bool egress, struct end *src, struct end *dst)
{
	*src = random_end(rng, v6,
			  !egress          ? CLIENT_END
			  : one_in(rng, 6) ? GATEWAY_END
					   : LOOPBACK_END);
	*dst = random_end(rng, v6, egress ? CLIENT_END : GATEWAY_END);
}

static void make_transport(struct rng *rng, struct frame *frame, bool egress, struct talk *last)
{
	static const uint8_t others[] = { 132, 47, PROTO_ICMP4, PROTO_ICMP6, 59 };
	struct cut cut;

	if (!last->known || one_in(rng, last->cut ? 8 : 2)) {
		last->known = true;
		last->cut = false;
		last->v6 = one_in(rng, 2);
		last->proto = one_in(rng, 12)  ? pick(rng, others)
			      : one_in(rng, 2) ? PROTO_TCP
					       : PROTO_UDP;
		last->id = one_in(rng, 10) ? rng_next(rng) : pick(rng, ids);
		random_ends(rng, last->v6, egress, &last->src, &last->dst);
	}
	cut = random_cut(rng, last);
	put_random_ether(rng, frame, egress, last->v6 ? TYPE_IPV6 : TYPE_IPV4);
	make_packet(rng, frame, last, &cut);
	last->cut = cut.more;
}

static void put_icmp(struct frame *frame, bool v6, uint8_t type, uint8_t code, const uint8_t *quote,
		     unsigned int len)
{
	uint8_t head[8] = { type, code };

	put(frame, head, sizeof(head));
	put(frame, quote, len);
	set_length(frame, v6);
}

/* An error that is about a packet the other way, most of the time. */
static void make_icmp(struct rng *rng, struct frame *frame, bool egress)
{
	static const uint8_t types[2][6] = { { 3, 3, 11, 12, 5, 8 }, { 1, 1, 2, 3, 4, 128 } };
	bool v6 = one_in(rng, 2);
	struct end client = random_end(rng, v6, CLIENT_END);
	struct end other = random_end(rng, v6, egress ? LOOPBACK_END : GATEWAY_END);
	const struct end *src = egress ? &other : &client, *dst = egress ? &client : &other;
	struct end elsewhere = random_end(rng, v6, CLIENT_END);
	struct talk about = { .v6 = v6, .src = *dst, .dst = *src, .id = pick(rng, ids) };
	struct cut whole = { .id = 9 }, cut = random_cut(rng, &about);
	struct frame quote;
	unsigned int len;

	about.proto = one_in(rng, 2) ? PROTO_TCP : PROTO_UDP;
	put_ether(&quote, client_mac, bridge_mac, v6 ? TYPE_IPV6 : TYPE_IPV4);
	make_packet(rng, &quote, &about, &cut);
	len = quote.len - ETHER;
	if (one_in(rng, 2) && len > 48)
		len = (v6 ? 40 : 20) + 4 * below(rng, 6);
	if (one_in(rng, 10)) /* a router's */
		src = &elsewhere;
	put_random_ether(rng, frame, egress, v6 ? TYPE_IPV6 : TYPE_IPV4);
	if (v6)
		put_ipv6(rng, frame, src, dst, PROTO_ICMP6, &whole);
	else
		put_ipv4(rng, frame, src, dst, PROTO_ICMP4, &whole);
	put_icmp(frame, v6, one_in(rng, 10) ? rng_next(rng) : pick(rng, types[v6]), below(rng, 5),
		 quote.b + ETHER, len);
	wire_seal(frame);
}

static void make_arp(struct rng *rng, struct frame *frame, bool egress)
{
	struct ip sender = random_ip(rng, false, one_in(rng, 2) ? LOOPBACK_END : CLIENT_END);
	struct ip target = random_ip(rng, false, one_in(rng, 4) ? LOOPBACK_END : CLIENT_END);
	uint8_t arp[28] = { 0, 1, 8, 0, 6, 4, 0, 1 + one_in(rng, 3) };

	memcpy(arp + 8, egress ? bridge_mac : client_mac, 6);
	memcpy(arp + 14, sender.b + 12, 4);
	memcpy(arp + 24, target.b + 12, 4);
	put_random_ether(rng, frame, egress, TYPE_ARP);
	put(frame, arp, sizeof(arp));
	put_zeros(frame, 18); /* up to Ethernet's least size */
}

static void tag(struct rng *rng, struct frame *frame)
{
	uint8_t header[4];

	put16(header, one_in(rng, 2) ? TYPE_8021Q : TYPE_8021AD);
	put16(header + 2, one_in(rng, 2) ? below(rng, 16) << 12 : below(rng, 0x10000));
	if (frame->len + 4 > MAX_FRAME)
		return;
	memmove(frame->b + 16, frame->b + 12, frame->len - 12);
	memcpy(frame->b + 12, header, 4);
	frame->len += 4;
}

static void make_noise(struct rng *rng, struct frame *frame, bool egress)
{
	static const uint16_t types[] = { TYPE_IPV4, TYPE_IPV6, TYPE_ARP, TYPE_8021Q, 0x8864, 64 };

	put_random_ether(rng, frame, egress, pick(rng, types));
	put_random(rng, frame, 40 + below(rng, 200));
	if (one_in(rng, 2))
		frame->b[ETHER] = wire_type(frame) == TYPE_IPV6 ? 0x60 : 0x45;
}

/* Spoiling */

/* Offsets of what means something, in one packet. */
static unsigned int fields(const struct view *view, unsigned int *at)
{
	static const unsigned int in4[] = { 0, 1, 2, 4, 6, 8, 9, 10, 12, 16, 20 };
	static const unsigned int in6[] = { 0, 4, 6, 7, 8, 20, 24, 36, 40, 41, 43 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(in4); i++)
		at[n++] = view->l3 + (view->v6 ? in6[i] : in4[i]);
	for (unsigned int i = 0; view->sound && i < 5; i++)
		at[n++] = view->l4 + (unsigned int[]){ 0, 2, 4, 6, 13 }[i];
	return n;
}

static unsigned int random_field(struct rng *rng, const struct frame *frame)
{
	unsigned int at[64] = { 12 }, n = 1;
	struct view view, quote;

	if (!wire_frame_view(frame, &view)) /* ARP and others have fields there, too */
		view = (struct view){ .l3 = ETHER };
	n += fields(&view, at + n);
	if (view.sound && wire_quote(frame, &view, &quote))
		n += fields(&quote, at + n);
	return at[below(rng, n)];
}

static void spoil_field(struct rng *rng, struct frame *frame)
{
	static const uint16_t values[] = { 0,      1,      4,      5,      6,      8,
					   17,     20,     28,     40,     44,     58,
					   0x40,   0x7f00, 0x7f,   0xff,   0xffff, 0x8000,
					   0x2000, 0x2001, 0x0800, 0x86dd, 0x8100, 8088 };
	unsigned int at = random_field(rng, frame);

	if (at + 4 > frame->len)
		return;
	switch (below(rng, 4)) {
	case 0:
		frame->b[at] = pick(rng, values);
		break;
	case 1:
		put16(frame->b + at, pick(rng, values));
		break;
	case 2:
		put16(frame->b + at, get16(frame->b + at) + (one_in(rng, 2) ? 1 : -1));
		break;
	default:
		frame->b[at] ^= 1 << below(rng, 8);
	}
}

static void spoil_address(struct rng *rng, struct frame *frame)
{
	bool v6 = wire_type(frame) == TYPE_IPV6;
	struct ip ip = wire_ip(pick(rng, odd[v6]));
	unsigned int at = ETHER + (v6 ? 8 : 12);

	at += one_in(rng, 2) ? v6 ? 16 : 4 : 0;
	if (at + 16 <= frame->len)
		memcpy(frame->b + at, ip.b + (v6 ? 0 : 12), v6 ? 16 : 4);
}

static void spoil_length(struct rng *rng, struct frame *frame)
{
	if (one_in(rng, 2))
		put_random(rng, frame, 1 + below(rng, 30));
	else if (one_in(rng, 2))
		frame->len = ETHER + below(rng, frame->len - ETHER + 1);
	else if (frame->len > ETHER + 40)
		frame->len -= 1 + below(rng, 30);
	if (frame->len < ETHER)
		frame->len = ETHER;
	if (one_in(rng, 2)) /* and say so */
		set_length(frame, wire_type(frame) == TYPE_IPV6);
}

static void spoil_bytes(struct rng *rng, struct frame *frame)
{
	unsigned int from = below(rng, frame->len), to = below(rng, frame->len);
	unsigned int len = 1 + below(rng, 16);

	if (from + len <= frame->len && to + len <= frame->len && one_in(rng, 3))
		memmove(frame->b + to, frame->b + from, len);
	else
		frame->b[to] = rng_next(rng);
}

static void spoil(struct rng *rng, struct frame *frame)
{
	for (unsigned int i = 1 + below(rng, 4); i; i--) {
		switch (below(rng, 8)) {
		case 0:
			spoil_address(rng, frame);
			break;
		case 1:
			spoil_length(rng, frame);
			break;
		case 2:
			spoil_bytes(rng, frame);
			break;
		default:
			spoil_field(rng, frame);
		}
	}
	if (one_in(rng, 2))
		wire_seal(frame);
}

/* Captured before the NIC, where checksums may not be finished yet. */
static void make_captured(struct rng *rng, const struct captured *captured, struct frame *frame)
{
	*frame = captured->v[below(rng, captured->count)];
	wire_seal(frame);
}

void make_frame(struct rng *rng, bool egress, struct talk *last, const struct captured *captured,
		struct frame *frame)
{
	switch (below(rng, 16)) {
	case 0:
		make_noise(rng, frame, egress);
		break;
	case 1:
		make_arp(rng, frame, egress);
		break;
	case 2:
	case 3:
	case 4:
		make_icmp(rng, frame, egress);
		break;
	case 5:
	case 6:
		if (captured->count) {
			make_captured(rng, captured, frame);
			break;
		}
		/* fall through */
	default:
		make_transport(rng, frame, egress, last);
	}
	for (unsigned int i = one_in(rng, 20) ? 1 + below(rng, 3) : 0; i; i--)
		tag(rng, frame);
	if (one_in(rng, 3))
		spoil(rng, frame);
}

void make_error(struct frame *frame, const struct frame *about, const struct view *view,
		const struct ip *from, const struct ip *to, const uint8_t *to_mac,
		const uint8_t *from_mac)
{
	uint8_t head[40] = {};
	bool v6 = view->v6;

	put_ether(frame, to_mac, from_mac, v6 ? TYPE_IPV6 : TYPE_IPV4);
	if (v6) {
		head[0] = 0x60;
		head[6] = PROTO_ICMP6;
		head[7] = 64;
		memcpy(head + 8, from->b, 16);
		memcpy(head + 24, to->b, 16);
	} else {
		head[0] = 0x45;
		head[8] = 64;
		head[9] = PROTO_ICMP4;
		memcpy(head + 12, from->b + 12, 4);
		memcpy(head + 16, to->b + 12, 4);
	}
	put(frame, head, v6 ? 40 : 20);
	put_icmp(frame, v6, v6 ? 1 : 3, v6 ? 4 : 3, about->b + ETHER,
		 view->end - ETHER < 512 ? view->end - ETHER : 512);
	wire_seal(frame);
}
