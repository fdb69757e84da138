/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps the kernel's verifier from checking the same code many times over.
 *
 * It follows every path, with all that it knows about each variable, and stops only where it has
 * been before with the same knowledge, or with less. A constant is knowledge: an IPv4 address
 * begins with zeros, an IPv6 address with anything, and so all that follows is checked for each.
 * An attach has to wait for all of that. Two things help:
 *
 *  - Functions that are not static are checked once, for any arguments (Linux 5.6, "global
 *    functions"). But they take only the packet and numbers.
 *  - forget() makes variables unknown, without changing them.
 */
#ifndef HBPF_BPF_VERIFIER_H
#define HBPF_BPF_VERIFIER_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* Return: 0. The verifier cannot tell, as each read of the context could give anything. */
static __always_inline __u64 unknown_zero(struct __sk_buff *skb)
{
	volatile __u32 *len = &skb->len;
	__u64 first = *len, second = *len;

	return first - second;
}

/* The members of any structure. */
typedef __u64 __attribute__((may_alias)) forgotten;

static __always_inline void forget_words(struct __sk_buff *skb, volatile forgotten *word,
					 __u32 count)
{
	__u64 zero = unknown_zero(skb);

	for (__u32 i = 0; i < count; i++)
		word[i] ^= zero;
}

#define forget(skb, variable)                                                                      \
	do {                                                                                       \
		_Static_assert(_Alignof(__typeof__(*(variable))) == sizeof(__u64), "whole words"); \
		forget_words(skb, (void *)(variable), sizeof(*(variable)) / sizeof(__u64));        \
	} while (0)

#endif /* HBPF_BPF_VERIFIER_H */
