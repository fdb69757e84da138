/* SPDX-License-Identifier: GPL-2.0-only */
/* Address helpers that only the programs use; the others are in <hbpf/addr.h>. */
#ifndef HBPF_BPF_ADDR_H
#define HBPF_BPF_ADDR_H

#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <hbpf/addr.h>

static __always_inline struct hbpf_addr addr_v6_loopback(void)
{
	struct hbpf_addr addr = { .word = { 0, 0, 0, bpf_htonl(1) } };

	return addr;
}

static __always_inline bool addr_is_zero(const struct hbpf_addr *addr)
{
	return !(addr->half[0] | addr->half[1]);
}

/* Addresses that no client can have, even if --from includes them: unspecified, multicast
 * (and broadcast), IPv6 link-local. */
static __always_inline bool addr_is_unfit(const struct hbpf_addr *addr)
{
	if (addr_is_v4(addr))
		return !addr->word[3] || addr->byte[12] >= 224;
	return addr_is_zero(addr) || addr->byte[0] == 0xff ||
	       (addr->byte[0] == 0xfe && (addr->byte[1] & 0xc0) == 0x80);
}

static __always_inline bool endpoint_equal(const struct hbpf_endpoint *a,
					   const struct hbpf_endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

#endif /* HBPF_BPF_ADDR_H */
