/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hbpf_ingress marks packets that it passes with a cookie in skb->cb, so that
 * hbpf_backstop need not check them again. skb->cb is kept between the programs of a
 * tcx hook (tcx_run() in net/core/dev.c). The network stack may have left other bytes
 * there, but no client can guess 64 random bits.
 */
#ifndef HBPF_BPF_COOKIE_H
#define HBPF_BPF_COOKIE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* The loader sets it, in a section of its own. While it is 0 no packet matches it. */
const volatile struct {
	__u32 low;
	__u32 high;
} cookie SEC(".rodata.cookie");

static __always_inline void cookie_leave(struct __sk_buff *skb)
{
	skb->cb[0] = cookie.low;
	skb->cb[1] = cookie.high;
}

static __always_inline bool cookie_is_there(const struct __sk_buff *skb)
{
	return cookie.low && skb->cb[0] == cookie.low && skb->cb[1] == cookie.high;
}

#endif /* HBPF_BPF_COOKIE_H */
