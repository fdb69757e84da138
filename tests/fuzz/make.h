/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames made at random: of every kind hbpf knows, then spoilt by field, byte and length. */
#ifndef FUZZ_MAKE_H
#define FUZZ_MAKE_H

#include "random.h"
#include "wire.h"

/* What was made last: half of the packets are of the same talk, or of the same datagram. */
struct talk {
	bool known;
	bool v6;
	bool cut; /* it was a first fragment */
	int proto;
	uint32_t id;
	struct end src;
	struct end dst;
};

/* Frames that the end-to-end tests sent (tests/fuzz/captured), of one direction. */
struct captured {
	struct frame *v;
	unsigned int count;
};

/**
 * make_frame() - one at random
 * @egress:	As the host sends them, else as clients do
 * @last:	Of that direction, all zero at first
 * @captured:	Of that direction; one in eight frames begins as one of these
 */
void make_frame(struct rng *rng, bool egress, struct talk *last, const struct captured *captured,
		struct frame *frame);

/** make_error() - an ICMP error that quotes a frame's packet, with good checksums */
void make_error(struct frame *frame, const struct frame *about, const struct view *view,
		const struct ip *from, const struct ip *to, const uint8_t *to_mac,
		const uint8_t *from_mac);

#endif /* FUZZ_MAKE_H */
