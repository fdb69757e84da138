/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The syntax of a port on the command line, as of `docker run -p`, gateway first:
 *
 *	SPEC  := [ PORTS ":" [ ADDR ":" ] ] PORTS [ "/" PROTO ]
 *	PORTS := PORT [ "-" PORT ]
 *	PROTO := "tcp" | "udp" | "tcp+udp" | "udp+tcp"
 *
 * for example 8088, 80:8080, 8000-8010, 53/udp, 8000-8010:9000-9010/tcp, 53:127.0.0.53:53/udp.
 * Ports are 1 to 65535, decimal (080 is 80), without sign or blanks. Both ranges have the same
 * length. ADDR is in 127.0.0.0/8.
 */
#ifndef HBPF_PORT_SPEC_H
#define HBPF_PORT_SPEC_H

#include <linux/types.h>
#include <stdbool.h>

#include "lib/error.h"

#define PORT_SPEC_TCP 1U
#define PORT_SPEC_UDP 2U

struct port_spec {
	__u16 first; /* gateway ports, host byte order */
	__u16 last;
	__u16 local_first;   /* destination of `first`, host byte order */
	bool local_given;    /* the SPEC has a loopback port */
	__be32 addr4;        /* loopback address, 127.0.0.1 if not given */
	bool addr_given;     /* then IPv4 only */
	unsigned int protos; /* PORT_SPEC_* set; TCP when not given */
	bool proto_given;
};

/**
 * port_spec_parse() - parse one SPEC
 * @text:	As given by the user
 * @spec:	Filled on success only
 * @err:	On failure has the reason, and in two more lines quotes @text with carets under the
 *		invalid part. What is not printable ASCII is replaced by '?'
 *
 * Return: 0, or -EINVAL
 */
int port_spec_parse(const char *text, struct port_spec *spec, struct error *err);

/**
 * port_spec_has() - does a SPEC name this gateway port? One without a protocol names it for both
 * @port:	Host byte order
 */
bool port_spec_has(const struct port_spec *spec, __u8 proto, __u16 port);

#endif /* HBPF_PORT_SPEC_H */
