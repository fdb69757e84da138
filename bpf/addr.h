/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses: IPv4 as ::ffff:a.b.c.d, so that one test and one key serve both families. */
#ifndef HBPF_BPF_ADDR_H
#define HBPF_BPF_ADDR_H

#include "vmlinux.h"
#include <bpf/bpf_endian.h>
#include <hbpf/maps.h>

#define V4_MAPPED bpf_htonl(0xffff) /* the third word of ::ffff:a.b.c.d */

static __always_inline struct hbpf_addr addr_v4(__be32 addr4)
{
	struct hbpf_addr addr = { .word = { 0, 0, V4_MAPPED, addr4 } };

	return addr;
}

static __always_inline struct hbpf_addr addr_v6_loopback(void)
{
	struct hbpf_addr addr = { .word = { 0, 0, 0, bpf_htonl(1) } };

	return addr;
}

static __always_inline bool addr_equal(const struct hbpf_addr *a, const struct hbpf_addr *b)
{
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

static __always_inline bool addr_is_zero(const struct hbpf_addr *addr)
{
	return !(addr->half[0] | addr->half[1]);
}

/* In an IPv6 header such an address never belongs on a wire (RFC 6890); its key
 * would be taken for the IPv4 address it holds. */
static __always_inline bool addr_is_v4_mapped(const struct hbpf_addr *addr)
{
	return !addr->half[0] && addr->word[2] == V4_MAPPED;
}

static __always_inline bool addr4_is_loopback(__be32 addr4)
{
	return (addr4 & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
}

/* 127.0.0.0/8, whether in an IPv4 header or v4-mapped in an IPv6 one, and ::1. */
static __always_inline bool addr_is_loopback(const struct hbpf_addr *addr)
{
	if (addr->half[0])
		return false;
	if (addr->word[2] == V4_MAPPED)
		return addr4_is_loopback(addr->word[3]);
	return !addr->word[2] && addr->word[3] == bpf_htonl(1);
}

/* Addresses no client can have, whatever --from says: unspecified, multicast
 * (and broadcast), IPv6 link-local. */
static __always_inline bool addr_is_unfit(const struct hbpf_addr *addr)
{
	if (addr_is_v4_mapped(addr))
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
