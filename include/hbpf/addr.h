/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IP addresses as 128-bit values: IPv6 as it is, IPv4 as ::ffff:a.b.c.d (RFC 4291,
 * 2.5.5.2). One key and one table serve both families.
 */
#ifndef HBPF_SHARED_ADDR_H
#define HBPF_SHARED_ADDR_H

#ifndef __VMLINUX_H__ /* vmlinux.h and bpf_helpers.h define these for the BPF programs */
#include <linux/stddef.h>
#include <linux/types.h>
#include <stdbool.h>
#endif

struct hbpf_addr {
	union {
		__u8 byte[16];
		__be32 word[4];
		__u64 half[2]; /* only for comparisons: the byte order is not defined */
	};
};
_Static_assert(sizeof(struct hbpf_addr) == 16, "shared with the programs");

struct hbpf_endpoint {
	struct hbpf_addr addr;
	__be16 port;
	__u8 pad[6];
};
_Static_assert(sizeof(struct hbpf_endpoint) == 24, "shared with the programs");

/* A 32-bit constant in network byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HBPF_BE32(x) ((__be32)__builtin_bswap32(x))
#else
#define HBPF_BE32(x) ((__be32)(x))
#endif

/** addr_from_v4() - @addr4 is in network byte order */
static __always_inline struct hbpf_addr addr_from_v4(__be32 addr4)
{
	struct hbpf_addr addr = { .word = { 0, 0, HBPF_BE32(0xffff), addr4 } };

	return addr;
}

/** addr_is_v4() - is it ::ffff:a.b.c.d? A valid IPv6 header never has such an address (RFC 6890) */
static __always_inline bool addr_is_v4(const struct hbpf_addr *addr)
{
	return !addr->half[0] && addr->word[2] == HBPF_BE32(0xffff);
}

static __always_inline bool addr_equal(const struct hbpf_addr *a, const struct hbpf_addr *b)
{
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}

/** addr4_is_loopback() - in 127.0.0.0/8; @addr4 is in network byte order */
static __always_inline bool addr4_is_loopback(__be32 addr4)
{
	return (addr4 & HBPF_BE32(0xff000000)) == HBPF_BE32(0x7f000000);
}

/** addr_is_loopback() - in ::ffff:127.0.0.0/104, or ::1 */
static __always_inline bool addr_is_loopback(const struct hbpf_addr *addr)
{
	if (addr->half[0])
		return false;
	if (addr->word[2] == HBPF_BE32(0xffff))
		return addr4_is_loopback(addr->word[3]);
	return !addr->word[2] && addr->word[3] == HBPF_BE32(1);
}

#endif /* HBPF_SHARED_ADDR_H */
