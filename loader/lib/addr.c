/* SPDX-License-Identifier: GPL-2.0-only */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDR_BITS 128

struct hbpf_addr addr_from_v6(const void *addr6)
{
	struct hbpf_addr addr;

	memcpy(&addr, addr6, sizeof(addr));
	return addr;
}

int addr_compare(const struct hbpf_addr *a, const struct hbpf_addr *b)
{
	if (addr_is_v4(a) != addr_is_v4(b))
		return addr_is_v4(a) ? -1 : 1;
	return memcmp(a, b, sizeof(*a));
}

bool addr_is_unspecified(const struct hbpf_addr *addr)
{
	return !addr->half[0] && (!addr->half[1] || (addr_is_v4(addr) && !addr->word[3]));
}

bool addr_is_multicast(const struct hbpf_addr *addr)
{
	if (addr_is_v4(addr))
		return (addr->byte[12] & 0xf0) == 0xe0;
	return addr->byte[0] == 0xff;
}

bool addr_is_link_local6(const struct hbpf_addr *addr)
{
	return addr->byte[0] == 0xfe && (addr->byte[1] & 0xc0) == 0x80;
}

int addr_parse(const char *text, struct hbpf_addr *addr)
{
	char bare[ADDR_STRLEN];
	size_t len = strlen(text);
	struct in6_addr in6;
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1) {
		*addr = addr_from_v4(in.s_addr);
		return 0;
	}
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(bare))
		return -EINVAL;
	memcpy(bare, text, len);
	bare[len] = '\0';
	if (inet_pton(AF_INET6, bare, &in6) != 1)
		return -EINVAL;
	*addr = addr_from_v6(&in6);
	return 0;
}

struct prefix prefix_of(struct hbpf_addr addr, __u8 len)
{
	for (unsigned int bit = len; bit < ADDR_BITS; bit++)
		addr.byte[bit / 8] &= ~(0x80 >> bit % 8);
	return (struct prefix){ .addr = addr, .len = len };
}

struct hbpf_addr prefix_host(const struct prefix *prefix)
{
	struct hbpf_addr addr = prefix->addr;

	if (prefix->len < ADDR_BITS - 1)
		addr.byte[15] |= 2; /* .1 is mostly the gateway */
	return addr;
}

bool prefix_has(const struct prefix *prefix, const struct hbpf_addr *addr)
{
	struct prefix same = prefix_of(*addr, prefix->len);

	return addr_is_v4(&prefix->addr) == addr_is_v4(addr) &&
	       addr_equal(&same.addr, &prefix->addr);
}

/* Return: the number, or -EINVAL if it is none from 0 to @max. */
static int length_parse(const char *text, int max)
{
	unsigned long len;
	char *end;

	if (!isdigit((unsigned char)text[0])) /* strtoul() would take blanks and a sign */
		return -EINVAL;
	len = strtoul(text, &end, 10);
	return *end || len > (unsigned long)max ? -EINVAL : (int)len;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	char addr_text[ADDR_STRLEN + 2]; /* with brackets */
	size_t addr_len = strcspn(text, "/");
	const char *slash = text + addr_len;
	int above, len = ADDR_BITS;
	struct hbpf_addr addr;

	if (addr_len >= sizeof(addr_text))
		return -EINVAL;
	memcpy(addr_text, text, addr_len);
	addr_text[addr_len] = '\0';
	if (addr_parse(addr_text, &addr))
		return -EINVAL;
	if (*slash) {
		/* "::ffff:10.0.0.0/104" counts all bits, as it is written */
		above = strchr(addr_text, ':') ? 0 : V4_MAPPED_BITS;
		len = length_parse(slash + 1, ADDR_BITS - above);
		if (len < 0)
			return len;
		len += above;
	}
	*prefix = prefix_of(addr, len);
	return addr_equal(&prefix->addr, &addr) ? 0 : -ERANGE;
}

const char *addr_format(const struct hbpf_addr *addr, char *buf)
{
	if (addr_is_v4(addr))
		return inet_ntop(AF_INET, &addr->word[3], buf, ADDR_STRLEN);
	return inet_ntop(AF_INET6, addr, buf, ADDR_STRLEN);
}

const char *prefix_format(const struct prefix *prefix, char *buf)
{
	int above = addr_is_v4(&prefix->addr) ? V4_MAPPED_BITS : 0;
	char addr[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%d", addr_format(&prefix->addr, addr),
		 prefix->len - above);
	return buf;
}

const char *endpoint_format(const struct hbpf_addr *addr, __be16 port, char *buf)
{
	const char *shape = addr_is_v4(addr) ? "%s:%u" : "[%s]:%u";
	char text[ADDR_STRLEN];

	snprintf(buf, ENDPOINT_STRLEN, shape, addr_format(addr, text), ntohs(port));
	return buf;
}

socklen_t endpoint_sockaddr(const struct hbpf_addr *addr, __be16 port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (addr_is_v4(addr)) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		in->sin_addr.s_addr = addr->word[3];
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = port;
	memcpy(&in6->sin6_addr, addr, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

const char *proto_name(__u8 proto)
{
	return proto == IPPROTO_TCP ? "tcp" : "udp";
}
