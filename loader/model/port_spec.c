/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/port_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/array.h"

#define PORT_MAX 65535

/* The longest valid SPEC, 65535-65535:127.255.255.255:65535-65535/tcp+udp, has 47 bytes, so a quote
 * is cut for invalid ones only. */
#define QUOTE_BEFORE 48 /* bytes shown before the invalid part */
#define QUOTE_MAX    72 /* and in all */
#define ELLIPSIS     "..."

/* The SPEC being parsed, and where its error goes. */
struct spec_text {
	const char *text;
	struct error *err;
};

/* A part of it; `at` is NULL if the SPEC has no such part. */
struct part {
	const char *at;
	size_t len;
};

/* gateway ":" addr ":" local "/" proto */
struct spec_parts {
	struct part gateway;
	struct part addr;
	struct part local;
	struct part proto;
};

struct port_range {
	__u16 first;
	__u16 last;
};

static struct part part_between(const char *start, const char *end)
{
	return (struct part){ .at = start, .len = end - start };
}

/*
 * The SPEC may contain control characters, so it is not printed as it is. One byte takes one
 * column, so that the carets are in the right place.
 */
static void make_printable(char *line)
{
	for (; *line; line++)
		if (*line < ' ' || *line > '~')
			*line = '?';
}

/* A missing part has no width, and gets one caret. */
static void draw_carets(char *line, size_t column, size_t width)
{
	memset(line, ' ', column);
	line[column++] = '^';
	for (; width > 1; width--)
		line[column++] = '~';
	line[column] = '\0';
}

#define SPEC_HINT "write it as 8088, 80:8080, 8000-8010, 53/udp or 80:127.0.0.1:8080"

static int spec_error(const struct spec_text *spec, struct part bad, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int spec_error(const struct spec_text *spec, struct part bad, const char *fmt, ...)
{
	char line[sizeof(ELLIPSIS) + QUOTE_MAX + sizeof(ELLIPSIS)], carets[sizeof(line)], why[160];
	size_t before = bad.at - spec->text;
	size_t cut = before > QUOTE_BEFORE ? before - QUOTE_BEFORE : 0;
	const char *from = spec->text + cut;
	size_t shown = strnlen(from, QUOTE_MAX);
	size_t column = before - cut + (cut ? strlen(ELLIPSIS) : 0), room;
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);

	snprintf(line, sizeof(line), "%s%.*s%s", cut ? ELLIPSIS : "", (int)shown, from,
		 from[shown] ? ELLIPSIS : "");
	make_printable(line);
	room = strlen(line) - column;
	draw_carets(carets, column, bad.len < room ? bad.len : room);

	error_set(spec->err, EINVAL, "%s\n  %s\n  %s", why, line, carets);
	error_hint(spec->err, SPEC_HINT);
	return -EINVAL;
}

/* How many decimal digits a part starts with. */
static size_t count_digits(struct part part)
{
	size_t n = 0;

	while (n < part.len && part.at[n] >= '0' && part.at[n] <= '9')
		n++;
	return n;
}

static int parse_port(const struct spec_text *spec, struct part part, __u16 *port)
{
	size_t digits = count_digits(part);
	unsigned int n = 0;

	if (!part.len)
		return spec_error(spec, part, "port is missing");
	if (digits < part.len)
		return spec_error(spec, part_between(part.at + digits, part.at + part.len),
				  "port must be a decimal number from 1 to %d", PORT_MAX);
	/* Stop above the maximum, so that n cannot overflow. */
	for (size_t i = 0; i < digits && n <= PORT_MAX; i++)
		n = n * 10 + (part.at[i] - '0');
	if (n < 1 || n > PORT_MAX)
		return spec_error(spec, part, "port %.*s%s is out of range (1 to %d)",
				  digits > 20 ? 20 : (int)digits, part.at,
				  digits > 20 ? ELLIPSIS : "", PORT_MAX);
	*port = n;
	return 0;
}

static int parse_ports(const struct spec_text *spec, struct part part, struct port_range *ports)
{
	const char *dash = memchr(part.at, '-', part.len);
	const char *end = part.at + part.len;
	int ret;

	ret = parse_port(spec, part_between(part.at, dash ? dash : end), &ports->first);
	if (ret)
		return ret;
	ports->last = ports->first;
	if (!dash)
		return 0;
	ret = parse_port(spec, part_between(dash + 1, end), &ports->last);
	if (ret)
		return ret;
	if (ports->last < ports->first)
		return spec_error(spec, part, "range is reversed: %u is above %u", ports->first,
				  ports->last);
	return 0;
}

/* Return: 0, or -EINVAL if it is not an IPv4 or IPv6 address */
static int part_to_addr(struct part part, struct hbpf_addr *addr)
{
	char text[ADDR_STRLEN + 2]; /* with brackets */

	if (part.len >= sizeof(text))
		return -EINVAL;
	memcpy(text, part.at, part.len);
	text[part.len] = '\0';
	return addr_parse(text, addr);
}

static int parse_addr(const struct spec_text *spec, struct part part, __be32 *addr4)
{
	const struct part rest = part_between(part.at, part.at + strcspn(part.at, "/"));
	struct hbpf_addr addr;

	if (!part.len)
		return spec_error(spec, part, "address is missing");
	if (part_to_addr(part, &addr) && memchr(part.at, ':', part.len)) {
		/* split() cut an IPv6 address that has no port after it; 80:::90 is not one. */
		if (part_to_addr(rest, &addr) || (*rest.at != '[' && !addr_is_loopback(&addr)))
			return spec_error(spec, part, "too many colons");
		part = rest;
	} else if (part_to_addr(part, &addr)) {
		return spec_error(spec, part, "address must be an IPv4 address in 127.0.0.0/8");
	}
	if (!addr_is_v4(&addr))
		return spec_error(spec, part,
				  "address must be IPv4; leave it out and IPv6 reaches [::1]");
	if (!addr_is_loopback(&addr))
		return spec_error(spec, part,
				  "address must be in 127.0.0.0/8: ports lead to this host's "
				  "loopback and nowhere else");
	*addr4 = addr.word[3];
	return 0;
}

static int parse_protos(const struct spec_text *spec, struct part part, unsigned int *protos)
{
	static const struct {
		const char *name;
		unsigned int protos;
	} known[] = {
		{ "tcp", PORT_SPEC_TCP },
		{ "udp", PORT_SPEC_UDP },
		{ "tcp+udp", PORT_SPEC_TCP | PORT_SPEC_UDP },
		{ "udp+tcp", PORT_SPEC_TCP | PORT_SPEC_UDP },
	};

	if (!part.len)
		return spec_error(spec, part, "protocol is missing (tcp, udp or tcp+udp)");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) == part.len &&
		    !memcmp(known[i].name, part.at, part.len)) {
			*protos = known[i].protos;
			return 0;
		}
	}
	return spec_error(spec, part, "unknown protocol (tcp, udp or tcp+udp)");
}

static int parse_gateway_ports(const struct spec_text *spec, struct part part,
			       struct port_range *ports)
{
	struct hbpf_addr addr;
	int ret;

	if (part_to_addr(part, &addr))
		return parse_ports(spec, part, ports);

	/* Docker's -p takes the address first; there it is the one dialled. */
	ret = spec_error(spec, part, "gateway port comes first, then the loopback address");
	error_hint(spec->err, "write it as 80:127.0.0.1:8080");
	return ret;
}

static int parse_local_ports(const struct spec_text *spec, struct part part,
			     const struct port_range *gateway, __u16 *first)
{
	const char *end = part.at + part.len;
	struct port_range local = {};
	struct hbpf_addr addr;
	int ret;

	if (!part_to_addr(part, &addr)) {
		ret = spec_error(spec, part_between(end, end),
				 "loopback port is missing after the address");
		error_hint(spec->err, "write it as 80:127.0.0.1:8080");
		return ret;
	}
	ret = parse_ports(spec, part, &local);
	if (ret)
		return ret;
	if (local.last - local.first != gateway->last - gateway->first) {
		ret = spec_error(spec, part, "ranges differ in length (%d and %d)",
				 gateway->last - gateway->first + 1, local.last - local.first + 1);
		error_hint(spec->err, "write it as 8000-8010:9000-9010");
		return ret;
	}
	*first = local.first;
	return 0;
}

/*
 * Everything between the first and the last colon is the address, so that an address with colons is
 * recognised, and refused as IPv6.
 */
static struct spec_parts split(const char *text)
{
	const char *slash = text + strcspn(text, "/");
	const char *first = memchr(text, ':', slash - text), *last = slash;
	struct spec_parts parts = { .gateway = part_between(text, first ? first : slash) };

	if (*slash)
		parts.proto = part_between(slash + 1, slash + strlen(slash));
	if (!first)
		return parts;
	while (*--last != ':')
		;
	parts.local = part_between(last + 1, slash);
	if (last != first)
		parts.addr = part_between(first + 1, last);
	return parts;
}

int port_spec_parse(const char *text, struct port_spec *spec, struct error *err)
{
	const struct spec_text input = { .text = text, .err = err };
	const struct spec_parts parts = split(text);
	struct port_spec parsed = {
		.local_given = parts.local.at,
		.addr4 = htonl(INADDR_LOOPBACK),
		.addr_given = parts.addr.at,
		.protos = PORT_SPEC_TCP,
		.proto_given = parts.proto.at,
	};
	struct port_range ports = {};
	int ret;

	if (!*text) {
		ret = error_set(err, EINVAL, "port is empty");
		error_hint(err, SPEC_HINT);
		return ret;
	}
	ret = parse_gateway_ports(&input, parts.gateway, &ports);
	if (ret)
		return ret;
	parsed.first = parsed.local_first = ports.first;
	parsed.last = ports.last;

	if (parsed.addr_given)
		ret = parse_addr(&input, parts.addr, &parsed.addr4);
	if (!ret && parsed.local_given)
		ret = parse_local_ports(&input, parts.local, &ports, &parsed.local_first);
	if (!ret && parsed.proto_given)
		ret = parse_protos(&input, parts.proto, &parsed.protos);
	if (ret)
		return ret;
	*spec = parsed;
	return 0;
}

bool port_spec_has(const struct port_spec *spec, __u8 proto, __u16 port)
{
	unsigned int bit = proto == IPPROTO_TCP ? PORT_SPEC_TCP : PORT_SPEC_UDP;

	return (spec->protos & bit || !spec->proto_given) && port >= spec->first &&
	       port <= spec->last;
}
