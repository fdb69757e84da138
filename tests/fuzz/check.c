/* SPDX-License-Identifier: GPL-2.0-only */
#include "check.h"

#include <stdio.h>

static const int answers[] = {
	[PASS] = ANSWER_UNSPEC,
	[DROP] = ANSWER_SHOT,
	[LOCAL] = ANSWER_REDIRECT,
	[CLIENT] = ANSWER_UNSPEC,
};

/* Up to four 16-bit checksums of a frame: own header, transport, those of a quote. */
struct sums {
	int at[4];
	int count;
};

static void add_sum(struct sums *sums, int at)
{
	if (at)
		sums->at[sums->count++] = at;
}

static void find_sums(const struct frame *frame, struct sums *sums)
{
	struct view view, quote;

	sums->count = 0;
	if (!wire_frame_view(frame, &view) || !view.addressed)
		return;
	add_sum(sums, view.v6 ? 0 : view.l3 + 10);
	add_sum(sums, wire_check_at(&view));
	if (view.icmp_type >= 0 && wire_quote(frame, &view, &quote))
		add_sum(sums, quote.v6 ? 0 : quote.l3 + 10);
}

static void blank_sums(struct frame *frame, const struct sums *sums)
{
	for (int i = 0; i < sums->count; i++)
		put16(frame->b + sums->at[i], 0);
}

static void put_ip(struct frame *frame, const struct view *view, bool source, const struct ip *ip)
{
	int at = view->l3 + (view->v6 ? source ? 8 : 24 : source ? 12 : 16);

	memcpy(frame->b + at, ip->b + (view->v6 ? 0 : 12), view->v6 ? 16 : 4);
}

static void put_end(struct frame *frame, const struct view *view, bool source,
		    const struct end *end, bool port)
{
	put_ip(frame, view, source, &end->ip);
	if (port)
		put16(frame->b + view->l4 + (source ? 0 : 2), end->port);
}

void check_want(const struct expected *expected, const struct frame *before, struct frame *want)
{
	*want = *before;
	if (expected->verdict == PASS || expected->verdict == DROP)
		return;
	if (expected->arp) {
		memcpy(want->b + ETHER + 14, expected->to.ip.b + 12, 4);
		return;
	}
	if (expected->verdict == LOCAL)
		memset(want->b, 0, 6); /* or eth_type_trans() on lo says OTHERHOST */
	put_end(want, &expected->view, expected->source_address, &expected->to, expected->ports);
	if (expected->quote)
		put_end(want, &expected->quoted, !expected->source_address, &expected->to, true);
}

const char *check_translation(const struct expected *expected, const struct frame *before,
			      const struct frame *after, int answer)
{
	struct frame want, got = *after;
	struct sums sums;

	if (answer != answers[expected->verdict] &&
	    !(expected->or_dropped && answer == ANSWER_SHOT))
		return "another verdict than expected";
	check_want(expected, before, &want);
	if (want.len != got.len)
		return "another length than before";
	if (expected->verdict == LOCAL || expected->verdict == CLIENT) {
		find_sums(&want, &sums);
		blank_sums(&want, &sums);
		blank_sums(&got, &sums);
	}
	return memcmp(want.b, got.b, want.len) ? "not exactly the translation expected" : NULL;
}

static const char *check_header_sum(const struct frame *before, const struct frame *after,
				    const struct view *view)
{
	int len = view->l4 - view->l3;

	if (view->v6 || !view->addressed || view->l4 > view->end)
		return NULL;
	return wire_sum(before->b + view->l3, len) % 0xffff !=
			       wire_sum(after->b + view->l3, len) % 0xffff
		       ? "the IPv4 header checksum is off"
		       : NULL;
}

static const char *check_transport_sum(const struct frame *before, const struct frame *after,
				       const struct view *view)
{
	int at = wire_check_at(view);

	if (!at)
		return NULL;
	if (view->proto == PROTO_UDP && !get16(before->b + at) != !get16(after->b + at))
		return get16(after->b + at) ? "UDP without a checksum got one"
					    : "a UDP checksum became 0, which means none";
	if (view->proto == PROTO_UDP && !get16(before->b + at))
		return NULL;
	return wire_transport_sum(before, view) % 0xffff != wire_transport_sum(after, view) % 0xffff
		       ? "the transport checksum is off"
		       : NULL;
}

/* What a sum is off by does not change where the sum makes up for every byte that does. */
const char *check_sums(const struct frame *before, const struct frame *after)
{
	struct view view, quote;
	const char *wrong;

	if (before->len != after->len || !wire_frame_view(before, &view) || !view.addressed)
		return NULL;
	wrong = check_header_sum(before, after, &view);
	if (!wrong)
		wrong = check_transport_sum(before, after, &view);
	if (wrong || view.icmp_type < 0 || !wire_quote(before, &view, &quote))
		return wrong;
	return check_header_sum(before, after, &quote) ? "the quoted header's checksum is off"
						       : NULL;
}

/* Read as bluntly as can be: this must not depend on how anything else here reads a frame. */
const char *check_guard(const struct setting *setting, bool egress, const struct frame *after,
			int answer)
{
	static const uint8_t one[16] = { [15] = 1 }, mapped[13] = { [10] = 0xff, 0xff, 127 };
	const uint8_t *b = after->b;
	bool src = false, dst = false;

	if (answer == ANSWER_SHOT || answer == ANSWER_REDIRECT)
		return NULL; /* what is redirected is for loopback */
	if (b[12] == 8 && b[13] == 0 && after->len >= 34 && b[14] >= 0x45 && b[14] <= 0x4f) {
		src = b[26] == 127;
		dst = b[30] == 127;
	} else if (b[12] == 0x86 && b[13] == 0xdd && after->len >= 54 && b[14] >> 4 == 6) {
		src = !memcmp(b + 22, one, 16) || !memcmp(b + 22, mapped, 13);
		dst = !memcmp(b + 38, one, 16) || !memcmp(b + 38, mapped, 13);
	} else if (b[12] == 8 && b[13] == 6 && after->len >= 42 && b[16] == 8 && b[17] == 0 &&
		   b[18] == 6 && b[19] == 4) {
		src = b[28] == 127 || b[38] == 127;
	} else if (!egress && after->len >= 16 &&
		   ((b[12] == 0x81 && b[13] == 0) || (b[12] == 0x88 && b[13] == 0xa8))) {
		src = !(b[14] & 15) && !b[15];
	}
	if (src || (dst && (egress || setting->guard_dst)))
		return "a loopback address, or a priority tag, crosses the bridge";
	return NULL;
}

const char *check_same(const struct frame *one, const struct frame *other)
{
	struct frame a = *one, b = *other;
	struct sums sums;

	find_sums(&a, &sums);
	for (int i = 0; i < sums.count; i++) {
		if (get16(a.b + sums.at[i]) % 0xffff != get16(b.b + sums.at[i]) % 0xffff)
			return "another checksum than it had";
	}
	blank_sums(&a, &sums);
	blank_sums(&b, &sums);
	return a.len != b.len || memcmp(a.b, b.b, a.len) ? "not what was dialled" : NULL;
}
