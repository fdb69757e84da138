/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet that hbpf_ingress let go on carries a cookie in skb->cb, which lasts
 * from one program of a tcx hook to the next (tcx_run() in net/core/dev.c), so
 * that hbpf_backstop need not look at it again. What else might be in cb there
 * was left by the network stack, and nobody outside can guess 64 random bits.
 */
#ifndef HBPF_BPF_COOKIE_H
#define HBPF_BPF_COOKIE_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* Both halves 0, as in an object that nobody filled in: there is none, and nothing is taken for it.
 * In a section of its own, where the loader finds it at offset 0. */
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
