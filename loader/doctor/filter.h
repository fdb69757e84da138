/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What packet filters do with one packet. A rule with a match that is not known here cannot be
 * judged: it counts as one that does not match. If it might have let the packet through, a drop
 * after it is not reported.
 */
#ifndef HBPF_FILTER_H
#define HBPF_FILTER_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/addr.h"

/* Where a filter sees the packet. */
enum filter_hook {
	FILTER_PREROUTING,
	FILTER_INPUT,
	FILTER_OUTPUT,
	FILTER_POSTROUTING,
	FILTER_HOOKS,
};

enum filter_verdict {
	FILTER_ACCEPT,
	FILTER_DROP,
	FILTER_NOTRACK,
	FILTER_NAT, /* changes the destination */
};

struct filter_packet {
	const char *iif, *oif; /* "" where there is none; NULL: any port of the bridge */
	struct hbpf_addr src, dst;
	bool to_host;   /* @dst is an address of this host */
	bool in_bridge; /* seen by the filters of family bridge, and by no other */
	__u8 proto;
	__u16 sport, dport;  /* host byte order; 0: any other port */
	const char *ctstate; /* "NEW", "ESTABLISHED", "INVALID" or "UNTRACKED" */
};

enum filter_match {
	MATCH_NO,
	MATCH_YES,
	MATCH_UNKNOWN,
};

/** filter_not() - the opposite, where it is known */
static inline enum filter_match filter_not(enum filter_match match)
{
	return match == MATCH_UNKNOWN ? match : match == MATCH_YES ? MATCH_NO : MATCH_YES;
}

/** filter_is() - @matches as a match */
static inline enum filter_match filter_is(bool matches)
{
	return matches ? MATCH_YES : MATCH_NO;
}

#endif /* HBPF_FILTER_H */
