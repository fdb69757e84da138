/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and prefixes as text and as the 128-bit keys of the maps. */
#ifndef HBPF_ADDR_H
#define HBPF_ADDR_H

#include <hbpf/addr.h>
#include <netinet/in.h>
#include <stdbool.h>

#define V4_MAPPED_BITS 96 /* the length of ::ffff:0:0/96 */

#define ADDR_STRLEN     INET6_ADDRSTRLEN
#define PREFIX_STRLEN   (INET6_ADDRSTRLEN + 4)
#define ENDPOINT_STRLEN (INET6_ADDRSTRLEN + 8)

/* IPv4 prefixes are v4-mapped: 10.0.0.0/8 has len 96 + 8. */
struct prefix {
	struct hbpf_addr addr;
	__u8 len; /* bits, 0 to 128 */
};

/** addr_from_v6() - @addr6 points to 16 bytes in network byte order */
struct hbpf_addr addr_from_v6(const void *addr6);

/** addr_compare() - for qsort(): IPv4 first, then byte by byte */
int addr_compare(const struct hbpf_addr *a, const struct hbpf_addr *b);
bool addr_is_unspecified(const struct hbpf_addr *addr);
bool addr_is_multicast(const struct hbpf_addr *addr);
/** addr_is_link_local6() - in fe80::/10 */
bool addr_is_link_local6(const struct hbpf_addr *addr);

/**
 * addr_parse() - "172.17.0.1", "fd00::1" or "[fd00::1]"
 * Return: 0, or -EINVAL
 */
int addr_parse(const char *text, struct hbpf_addr *addr);

/** prefix_has() - is the address in the prefix? An IPv4 address is in no IPv6 prefix, such as ::/0
 */
bool prefix_has(const struct prefix *prefix, const struct hbpf_addr *addr);

/** prefix_host() - an address in the prefix that a host may have: not the network's own */
struct hbpf_addr prefix_host(const struct prefix *prefix);

/** prefix_of() - the prefix of length @len that @addr is in */
struct prefix prefix_of(struct hbpf_addr addr, __u8 len);

/**
 * prefix_parse() - parse an address with an optional "/LEN"
 * Return: 0, -EINVAL if it is not a prefix, -ERANGE if host bits are set, and then @prefix is
 * without them
 */
int prefix_parse(const char *text, struct prefix *prefix);

/** addr_format() - into @buf of at least ADDR_STRLEN bytes; returns @buf */
const char *addr_format(const struct hbpf_addr *addr, char *buf);
/** prefix_format() - into @buf of at least PREFIX_STRLEN bytes; returns @buf */
const char *prefix_format(const struct prefix *prefix, char *buf);
/**
 * endpoint_format() - "172.17.0.1:8088" or "[fd00::1]:8088"
 * @port:	network byte order
 * @buf:	at least ENDPOINT_STRLEN bytes; returned
 */
const char *endpoint_format(const struct hbpf_addr *addr, __be16 port, char *buf);

/**
 * endpoint_sockaddr() - as bind() and connect() take it: a sockaddr_in or sockaddr_in6
 * @port:	network byte order
 *
 * Return: its length
 */
socklen_t endpoint_sockaddr(const struct hbpf_addr *addr, __be16 port, struct sockaddr_storage *to);

/** proto_name() - "tcp" for IPPROTO_TCP, else "udp" */
const char *proto_name(__u8 proto);

#endif /* HBPF_ADDR_H */
