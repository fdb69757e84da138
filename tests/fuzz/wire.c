/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct ip wire_ip(const char *text)
{
	struct ip ip = { {} };

	if (inet_pton(AF_INET6, text, ip.b) == 1)
		return ip;
	memcpy(ip.b, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, text, ip.b + 12) != 1)
		abort();
	return ip;
}

bool wire_is_v4(const struct ip *ip)
{
	return !memcmp(ip->b, mapped, sizeof(mapped));
}

bool wire_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return wire_is_v4(ip) ? ip->b[12] == 127 : !memcmp(ip->b, one, sizeof(one));
}

static struct ip ip_at(const struct frame *frame, int at, bool v6)
{
	struct ip ip = { {} };

	if (v6) {
		memcpy(ip.b, frame->b + at, 16);
	} else {
		memcpy(ip.b, mapped, sizeof(mapped));
		memcpy(ip.b + 12, frame->b + at, 4);
	}
	return ip;
}

static int trimmed(int limit, int start, int length)
{
	return length && start + length < limit ? start + length : limit;
}

/* LSRR and SSRR: type, length, pointer, hops (RFC 791). */
static enum source_route route_of_options(const struct frame *frame, int at, int end, int limit)
{
	while (at + 1 < limit && at < end && frame->b[at] != 0) {
		int type = frame->b[at];
		int length = frame->b[at + 1];

		if (type == 1) {
			at++;
			continue;
		}
		if (length < 2)
			break;
		if (type == 131 || type == 137) {
			if (length < 3 || at + length > end || end > limit || frame->b[at + 2] % 4)
				return ROUTED_BADLY;
			for (int hop = at + 3; hop + 4 <= at + length; hop += 4) {
				if (frame->b[hop] == 127)
					return ROUTED_LOOPBACK;
			}
			return ROUTED_ELSEWHERE;
		}
		at += length;
	}
	return ROUTED_NOT;
}

static void view_ipv4(const struct frame *frame, int limit, struct view *view)
{
	const uint8_t *p = frame->b + view->l3;
	int fragment;

	if (view->l3 + 20 > limit || p[0] >> 4 != 4 || (p[0] & 15) < 5)
		return;
	view->addressed = true;
	view->src.ip = ip_at(frame, view->l3 + 12, false);
	view->dst.ip = ip_at(frame, view->l3 + 16, false);
	view->proto = p[9];
	view->l4 = view->l3 + (p[0] & 15) * 4;
	view->end = trimmed(limit, view->l3, get16(p + 2));
	view->route = route_of_options(frame, view->l3 + 20, view->l4, limit);
	fragment = get16(p + 6) & 0x3fff;
	view->later_fragment = fragment & 0x1fff;
	view->first_fragment = fragment == 0x2000;
	view->id = get16(p + 4);
	view->sound = view->l4 <= view->end;
}

static enum source_route route_of_header(const struct frame *frame, int at, const struct view *view)
{
	const uint8_t *p = frame->b + at;
	int segments = p[1] / 2;
	enum source_route route = ROUTED_ELSEWHERE;

	if (at + 8 > view->end)
		return ROUTED_BADLY;
	if (p[1] > 16)
		return ROUTED_LOOPBACK; /* more than is looked through */
	if (!p[3])
		return ROUTED_NOT;
	for (int i = 0; i < segments && at + 24 + 16 * i <= (int)frame->len; i++) {
		struct ip hop = ip_at(frame, at + 8 + 16 * i, true);

		if (wire_is_loopback(&hop))
			route = ROUTED_LOOPBACK;
	}
	return at + 8 + p[1] * 8 > view->end ? ROUTED_BADLY : route;
}

static bool is_extension(int proto)
{
	return proto == PROTO_HOP || proto == PROTO_ROUTING || proto == PROTO_FRAGMENT ||
	       proto == PROTO_AUTH || proto == PROTO_DEST;
}

static void view_ipv6(const struct frame *frame, int limit, struct view *view)
{
	const uint8_t *p = frame->b + view->l3;
	int at = view->l3 + 40;
	bool fragment_seen = false, routing_seen = false;

	if (at > limit || p[0] >> 4 != 6)
		return;
	view->addressed = true;
	view->src.ip = ip_at(frame, view->l3 + 8, true);
	view->dst.ip = ip_at(frame, view->l3 + 24, true);
	view->end = trimmed(limit, at, get16(p + 4));
	view->proto = p[6];
	for (int count = 0; is_extension(view->proto); count++) {
		const uint8_t *header = frame->b + at;
		int proto = view->proto;

		if (count == 8 || at + 8 > limit || (proto == PROTO_FRAGMENT && fragment_seen)) {
			/* whatever may follow: more than eight, or none whole */
			if (view->route != ROUTED_LOOPBACK)
				view->route = ROUTED_BADLY;
			return;
		}
		if (proto == PROTO_ROUTING) {
			view->route =
				routing_seen ? ROUTED_LOOPBACK : route_of_header(frame, at, view);
			routing_seen = true;
		}
		view->proto = header[0];
		at += proto == PROTO_FRAGMENT ? 8
		      : proto == PROTO_AUTH   ? (header[1] + 2) * 4
					      : (header[1] + 1) * 8;
		if (proto == PROTO_FRAGMENT) {
			fragment_seen = true;
			view->later_fragment = get16(header + 2) >> 3;
			view->first_fragment = !view->later_fragment && header[3] & 1;
			memcpy(&view->id, header + 4, 4);
			if (view->later_fragment)
				break;
		}
	}
	view->l4 = at;
	/* A v4-mapped address stands for an IPv4 node to programs, never to a wire (RFC 6890). */
	view->sound = at <= view->end && !wire_is_v4(&view->src.ip) && !wire_is_v4(&view->dst.ip);
}

static void view_transport(const struct frame *frame, struct view *view)
{
	int room = view->end - view->l4;
	const uint8_t *p = frame->b + view->l4;

	if (!view->sound || view->later_fragment)
		return;
	switch (view->proto) {
	case PROTO_TCP:
		view->transport = room >= 20;
		view->tcp_flags = view->transport ? p[13] : 0;
		break;
	case PROTO_UDP:
		view->transport = room >= 8;
		break;
	default:
		view->transport = true;
		if (view->proto == (view->v6 ? PROTO_ICMP6 : PROTO_ICMP4)) {
			view->transport = room >= 1;
			view->icmp_type = view->transport ? p[0] : -1;
		}
		return;
	}
	/* both begin with them, and a quote may end behind them */
	if (room >= 4) {
		view->src.port = get16(p);
		view->dst.port = get16(p + 2);
	}
}

void wire_view(const struct frame *frame, int l3, int limit, bool v6, struct view *view)
{
	memset(view, 0, sizeof(*view));
	view->v6 = v6;
	view->l3 = l3;
	view->icmp_type = -1;
	if (v6)
		view_ipv6(frame, limit, view);
	else
		view_ipv4(frame, limit, view);
	view_transport(frame, view);
}

bool wire_frame_view(const struct frame *frame, struct view *view)
{
	uint16_t type = wire_type(frame);

	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return false;
	wire_view(frame, ETHER, frame->len, type == TYPE_IPV6, view);
	return true;
}

bool wire_quote(const struct frame *frame, const struct view *outer, struct view *quote)
{
	wire_view(frame, outer->l4 + 8, outer->end, outer->v6, quote);
	return quote->sound && !quote->later_fragment && quote->l4 + 4 <= quote->end &&
	       (quote->proto == PROTO_TCP || quote->proto == PROTO_UDP);
}

bool wire_is_icmp_error(const struct view *view)
{
	int type = view->icmp_type;

	return view->v6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

uint64_t wire_sum(const uint8_t *p, int len)
{
	uint64_t sum = 0;

	for (int i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	return len % 2 ? sum + (p[len - 1] << 8) : sum;
}

uint64_t wire_transport_sum(const struct frame *frame, const struct view *view)
{
	int len = view->end - view->l4;
	uint64_t sum = wire_sum(frame->b + view->l4, len);

	if (!view->v6 && view->proto == PROTO_ICMP4)
		return sum;
	sum += wire_sum(frame->b + view->l3 + (view->v6 ? 8 : 12), view->v6 ? 32 : 8);
	return sum + view->proto + len;
}

int wire_check_at(const struct view *view)
{
	int at;

	if (!view->transport)
		return 0;
	switch (view->proto) {
	case PROTO_TCP:
		at = view->l4 + 16;
		break;
	case PROTO_UDP:
		at = view->l4 + 6;
		break;
	case PROTO_ICMP4:
	case PROTO_ICMP6:
		if ((view->proto == PROTO_ICMP6) != view->v6)
			return 0;
		at = view->l4 + 2;
		break;
	default:
		return 0;
	}
	return at + 2 <= view->end ? at : 0;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void seal_header(struct frame *frame, const struct view *view)
{
	uint8_t *p = frame->b + view->l3;

	if (view->v6 || !view->addressed || view->l4 > (int)frame->len)
		return;
	put16(p + 10, 0);
	put16(p + 10, ~fold(wire_sum(p, view->l4 - view->l3)));
}

void wire_seal(struct frame *frame)
{
	struct view view, quote;
	uint16_t check;
	int at;

	if (!wire_frame_view(frame, &view) || !view.addressed)
		return;
	seal_header(frame, &view);
	if (view.icmp_type >= 0 && wire_quote(frame, &view, &quote))
		seal_header(frame, &quote);
	at = wire_check_at(&view);
	if (!at)
		return;
	put16(frame->b + at, 0);
	check = ~fold(wire_transport_sum(frame, &view));
	put16(frame->b + at, !check && view.proto == PROTO_UDP ? 0xffff : check);
}
