/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every path a packet can take through hbpf ends in exactly one of these
 * reasons. This list is the only place that names them: it makes the enum, the
 * index of the per-CPU counters, the names in every output and the table in
 * docs/REASONS.md.
 *
 *	X(NAME, verdict, "what it means")
 *
 * The verdict is what the program answers the kernel:
 *   PASS   leave the packet alone; other programs on the hook still see it
 *   DROP   the packet ends here
 *   LOCAL  translated towards the service: redirect into loopback
 *   CLIENT translated towards the client: goes on its way out of the bridge
 *
 * Order is ABI between the two halves of one build only; the layout version in
 * maps.h changes whenever it does.
 */
#ifndef HBPF_REASONS_H
#define HBPF_REASONS_H

/* clang-format off */
#define HBPF_REASONS(X)                                                                            \
	/* bridge ingress: packets of clients */                                                   \
	X(IN_NOT_IP,         PASS,   "neither ARP, IPv4 nor IPv6")                                 \
	X(IN_MALFORMED,      PASS,   "header truncated or inconsistent")                           \
	X(IN_GUARD_SRC,      DROP,   "guard: loopback source address from the bridge")             \
	X(IN_GUARD_DST,      DROP,   "guard: loopback destination address from the bridge")        \
	X(IN_GUARD_VLAN,     DROP,   "guard: priority tag hiding what follows it")                 \
	X(IN_GUARD_ROUTE,    DROP,   "guard: source route through a loopback address")             \
	X(IN_GUARD_ARP,      DROP,   "guard: ARP about a loopback address")                        \
	X(IN_ARP,            PASS,   "ordinary ARP")                                               \
	X(IN_OTHER_HOST,     PASS,   "addressed to another host, or to all of them")               \
	X(IN_VLAN,           PASS,   "carries a VLAN tag")                                         \
	X(IN_NOT_GATEWAY,    PASS,   "destination is not a gateway")                               \
	X(IN_NOT_EXPORTED,   PASS,   "port is not exported")                                       \
	X(IN_NO_FLOW,        PASS,   "TCP segment of a connection that is not ours")               \
	X(IN_HOST_SOCKET,    PASS,   "belongs to a connected UDP socket of the host")              \
	X(IN_SOURCE,         PASS,   "source address is not allowed to use the export")            \
	X(IN_ICMP_OTHER,     PASS,   "ICMP, but no error about a flow of ours")                    \
	X(IN_FRAGMENT_PASS,  PASS,   "fragment whose first part was passed or never seen")         \
	X(IN_FAILED,         DROP,   "kernel refused to rewrite the packet")                       \
	X(IN_TRANSLATED,     LOCAL,  "translated to loopback")                                     \
	X(IN_COLLISION,      LOCAL,  "SYN would change a living connection's flow: led to its socket") \
	X(IN_FRAGMENT,       LOCAL,  "later fragment, translated to loopback")                     \
	X(IN_ICMP,           LOCAL,  "ICMP error, translated to loopback")                         \
	/* bridge egress: packets to clients */                                                    \
	X(OUT_OTHER,         PASS,   "not an answer of an exported service")                       \
	X(OUT_ARP,           CLIENT, "ARP sender 127/8 replaced by the bridge's address")          \
	X(OUT_GUARD,         DROP,   "guard: loopback address leaving the host")                   \
	X(OUT_ARP_NO_SENDER, DROP,   "ARP sender 127/8, and no address to put in its place")               \
	X(OUT_AMBIGUOUS,     DROP,   "no record of what the client dialled, and more than one fit") \
	X(OUT_FAILED,        DROP,   "kernel refused to rewrite the packet")                       \
	X(OUT_TRANSLATED,    CLIENT, "translated back to what the client dialled")                 \
	X(OUT_FRAGMENT,      CLIENT, "later fragment, translated back")                            \
	X(OUT_ICMP,          CLIENT, "ICMP error, translated back")
/* clang-format on */

enum hbpf_verdict {
	HBPF_PASS,
	HBPF_DROP,
	HBPF_LOCAL,
	HBPF_CLIENT,
};

enum hbpf_reason {
#define X(name, verdict, text) HBPF_##name,
	HBPF_REASONS(X)
#undef X
		HBPF_REASON_MAX,
};

#endif /* HBPF_REASONS_H */
