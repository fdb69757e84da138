/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every path of a packet through hbpf ends in exactly one of these reasons. This
 * list is their only definition: the enum, the index of the per-CPU counters, the
 * names in all output and the table in docs/REASONS.md are generated from it.
 *
 *	X(NAME, verdict, "what it means")
 *
 * The verdict is what the program does with the packet:
 *   PASS   leave it unchanged; other programs on the hook still see it
 *   DROP   drop it
 *   LOCAL  translated towards the service: redirect it into loopback
 *   CLIENT translated towards the client: let it leave through the bridge
 *
 * The order is an ABI between the programs and the loader of one build. A change
 * of it raises HBPF_LAYOUT in maps.h.
 */
#ifndef HBPF_REASONS_H
#define HBPF_REASONS_H

/* clang-format off */
#define HBPF_REASONS(X)                                                                            \
	/* bridge ingress: packets of clients */                                                   \
	X(IN_NOT_IP,         PASS,   "not ARP, IPv4 or IPv6")                                      \
	X(IN_MALFORMED,      PASS,   "a header is truncated or inconsistent")                      \
	X(IN_GUARD_SRC,      DROP,   "guard: loopback source address from the bridge")             \
	X(IN_GUARD_DST,      DROP,   "guard: loopback destination address from the bridge")        \
	X(IN_GUARD_VLAN,     DROP,   "guard: priority tag (VLAN ID 0) in front of the packet")     \
	X(IN_GUARD_ROUTE,    DROP,   "guard: source route through a loopback address")             \
	X(IN_GUARD_ARP,      DROP,   "guard: ARP about a loopback address")                        \
	X(IN_ARP,            PASS,   "ordinary ARP")                                               \
	X(IN_OTHER_HOST,     PASS,   "for another host, or broadcast or multicast")                \
	X(IN_VLAN,           PASS,   "carries a VLAN tag")                                         \
	X(IN_NOT_GATEWAY,    PASS,   "destination is not a gateway")                               \
	X(IN_NOT_EXPORTED,   PASS,   "port is not exported")                                       \
	X(IN_NO_FLOW,        PASS,   "TCP segment of a connection hbpf does not translate")        \
	X(IN_HOST_SOCKET,    PASS,   "belongs to a connected UDP socket of the host")              \
	X(IN_SOURCE,         PASS,   "source address is not allowed to use the export")            \
	X(IN_ICMP_OTHER,     PASS,   "ICMP, but not an error about a translated flow")             \
	X(IN_FRAGMENT_PASS,  PASS,   "fragment whose first part was passed or not seen")           \
	X(IN_FAILED,         DROP,   "the kernel could not rewrite the packet")                    \
	X(IN_TRANSLATED,     LOCAL,  "translated to loopback")                                     \
	X(IN_COLLISION,      LOCAL,  "SYN would change a live connection's flow: sent to its socket") \
	X(IN_FRAGMENT,       LOCAL,  "later fragment, translated to loopback")                     \
	X(IN_ICMP,           LOCAL,  "ICMP error, translated to loopback")                         \
	/* bridge egress: packets to clients */                                                    \
	X(OUT_OTHER,         PASS,   "not an answer of an exported service")                       \
	X(OUT_ARP,           CLIENT, "ARP sender 127/8 replaced by the bridge's address")          \
	X(OUT_GUARD,         DROP,   "guard: loopback address leaving the host")                   \
	X(OUT_ARP_NO_SENDER, DROP,   "ARP sender 127/8, and the host has no address for it")       \
	X(OUT_AMBIGUOUS,     DROP,   "what the client dialled is unknown, and several gateways or ports fit") \
	X(OUT_FAILED,        DROP,   "the kernel could not rewrite the packet")                    \
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
