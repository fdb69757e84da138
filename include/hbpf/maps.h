/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the BPF programs and the loader share: the maps, their keys and values.
 *
 * Everything that stands in a packet (addresses, ports) is kept here in network
 * byte order, as __be16/__be32, so that neither side converts on the way to the
 * map; everything else is in host byte order.
 */
#ifndef HBPF_MAPS_H
#define HBPF_MAPS_H

#ifndef __VMLINUX_H__ /* on the BPF side vmlinux.h has them already */
#include <linux/types.h>
#endif

/* Raise with every change of a key, a value, a map or the reasons: the loader
 * refuses pinned state of another layout. */
#define HBPF_LAYOUT 2

/* How much each map holds. Ports cannot run out: every (protocol, port) fits. */
#define HBPF_MAX_EXPORTS   (2 * 65536)
#define HBPF_MAX_SERVICES  (2 * HBPF_MAX_EXPORTS + 2 * 65536) /* both families, and wildcards */
#define HBPF_MAX_GATEWAYS  256
#define HBPF_MAX_SOURCES   16384
#define HBPF_MAX_FLOWS     65536
#define HBPF_MAX_RECENT    32768 /* of each protocol: 32 clients with all their slots in use */
#define HBPF_RECENT_SLOTS  1024  /* of one client; a power of two */
#define HBPF_MAX_FRAGMENTS 4096

/*
 * An IPv6 address, or an IPv4 address as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so
 * that one key and one table serve both families.
 */
struct hbpf_addr {
	union {
		__u8 byte[16];
		__be32 word[4];
		__u64 half[2]; /* for comparing only: no byte order is meant */
	};
};

struct hbpf_endpoint {
	struct hbpf_addr addr;
	__be16 port;
	__u8 pad[6];
};

/* exports: what the ports of a gateway lead to. HASH. */
struct hbpf_export_key {
	__be16 port; /* the gateway's, as the client dials it */
	__u8 proto;  /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;
};

/* Who may use an export. */
struct hbpf_policy {
	__u16 list;   /* which list of `sources` to look in, see HBPF_LIST_* */
	__u8 onlink;  /* the bridge's on-link prefixes may, too */
	__u8 inherit; /* in an export: none of its own, the bridge's holds */
};

struct hbpf_export {
	__be32 addr4; /* loopback address for IPv4 clients, in 127.0.0.0/8 */
	__be16 port;  /* loopback port */
	__u8 ipv6;    /* 1: IPv6 clients are served too, at ::1 */
	__u8 pad;
	struct hbpf_policy from;
};

/* port_stats: traffic of one export, by its gateway port. PERCPU_HASH with the
 * exports' key; the programs make an entry at the first packet. */
struct hbpf_port_stats {
	__u64 in_packets;
	__u64 in_bytes; /* of whole frames, as skb->len counts them */
	__u64 out_packets;
	__u64 out_bytes;
};

/* services: the loopback end of all exports, for the way back. HASH.
 * With the unspecified address of a family (:: or ::ffff:0.0.0.0) as `addr` and
 * UDP as `proto` stands the loopback address that a service bound to the
 * wildcard, which answers from the gateway's address, is exported as: where a port
 * is exported from several, 127.0.0.1 or else the lowest, and only through that
 * one such a service can answer. */
struct hbpf_service_key {
	struct hbpf_addr addr; /* 127.x.y.z v4-mapped, ::1, or wildcard */
	__be16 port;           /* loopback port */
	__u8 proto;
	__u8 pad[5];
};

struct hbpf_service {
	struct hbpf_addr addr; /* loopback address; differs from the key's only for a wildcard */
	__u32 exports;         /* how many gateway ports lead here */
	__be16 gateway_port;   /* one of them; the only one where exports == 1 */
	__u8 pad[2];
};

/* gateways: the addresses clients dial. HASH: struct hbpf_addr -> why, a bit set. */
#define HBPF_GATEWAY_BRIDGE  (1U << 0) /* address of the bridge itself */
#define HBPF_GATEWAY_DOCKER0 (1U << 1) /* Docker's host-gateway */
#define HBPF_GATEWAY_OPTION  (1U << 2) /* --gateway */

/*
 * sources: lists of prefixes. LPM_TRIE over (list, address); IPv4 as v4-mapped,
 * so an IPv4 /24 has prefixlen 32 + 96 + 24.
 */
#define HBPF_LIST_BITS   32
#define HBPF_LIST_HOST   0 /* the host's own addresses: never allowed */
#define HBPF_LIST_ONLINK 1 /* the bridge's on-link prefixes */
#define HBPF_LIST_BRIDGE 2 /* --from of attach */
#define HBPF_LIST_PORTS  3 /* and up: --from of ports add, one list per different set */

struct hbpf_source_key {
	__u32 prefixlen; /* HBPF_LIST_BITS + bits of the address */
	__u16 list;      /* HBPF_LIST_*, always matched whole, and so is */
	__u16 ipv6;      /* 1: of IPv6 addresses. ::/0 does not mean ::ffff:0:0/96, too */
	struct hbpf_addr addr;
};

struct hbpf_source {
	__be32 local4; /* on-link IPv4 prefixes: this host's address towards it, or 0 */
};

/*
 * flows: what a client's socket dialled, while no server socket can remember
 * it: half-open TCP and UDP. LRU_HASH -> struct hbpf_endpoint. All clients share
 * it, so one that opens flows faster than the others pushes theirs out.
 */
struct hbpf_flow_key {
	struct hbpf_addr client;
	struct hbpf_addr local; /* loopback address */
	__be16 client_port;
	__be16 local_port;
	__u8 proto;
	__u8 pad[3];
};

/*
 * recent_tcp, recent_udp: each client's latest flows once more, in slots that
 * nobody else can take. LRU_HASH. A flow's ports choose its slot, and a later one
 * of the same client replaces it: a client fills HBPF_RECENT_SLOTS entries of a
 * table and no more, so nothing is evicted below 32 clients that do.
 */
struct hbpf_recent_key {
	struct hbpf_addr client;
	__u32 slot; /* below HBPF_RECENT_SLOTS */
	__u8 pad[4];
};

struct hbpf_recent {
	struct hbpf_endpoint dialled;
	__be32 local_low; /* last word of the loopback address, which tells them all apart */
	__be16 client_port;
	__be16 local_port;
};

/* connections: the same for established TCP, in the server socket's own storage.
 * SK_STORAGE -> struct hbpf_endpoint. */

/* fragments: the verdict on a first fragment, for those that follow. LRU_HASH. */
struct hbpf_fragment_key {
	struct hbpf_addr src;
	struct hbpf_addr dst;
	__u32 id;   /* as in the packet: network order, IPv4's in the low half */
	__u8 proto; /* IPv6: 0, its fragments are known by addresses and id alone (RFC 8200, 4.5) */
	__u8 egress; /* 1: on the way to the client */
	__u8 pad[2];
};

struct hbpf_fragment {
	struct hbpf_addr addr; /* new address; half[0] == half[1] == 0: pass */
	__u64 seen_ns;         /* bpf_ktime_get_ns() */
};

/* counters: PERCPU_ARRAY, indexed by enum hbpf_reason. */
struct hbpf_counter {
	__u64 packets;
	__u64 bytes;
};

enum hbpf_choice {
	HBPF_AUTO,
	HBPF_ON,
	HBPF_OFF,
};

/* Who wants a bridge attached; HBPF_BY_HAND is what state of before `hbpf watch` says. */
enum hbpf_owner {
	HBPF_BY_HAND,   /* `hbpf attach`: only a person takes it away */
	HBPF_BY_FILE,   /* `hbpf watch`, for a section that names the interface */
	HBPF_BY_ENGINE, /* `hbpf watch`, for a network that an engine told of */
};

enum hbpf_hook_kind {
	HBPF_HOOK_AUTO, /* as an option only: tcx where the kernel has it */
	HBPF_HOOK_TCX,
	HBPF_HOOK_CLSACT,
};

/*
 * bridge_config: ARRAY of one. What the programs ask at run time, and what tells the
 * loader whether pinned state is its own. `layout` stays the first member in
 * every version to come.
 */
struct hbpf_config {
	__u32 layout;  /* HBPF_LAYOUT */
	__u32 ifindex; /* of the bridge */
	__u64 netns;   /* inode of the network namespace */

	/* for the programs */
	struct hbpf_addr only_gateway4; /* where exactly one IPv4 gateway exists, it; else zero */
	struct hbpf_addr only_gateway6; /* the same for IPv6 */
	struct hbpf_policy from;        /* who may use exports without a policy of their own */
	__be32 arp_sender4; /* sender of ARP requests where no on-link prefix knows a better one:
			     * an address of the bridge; 0: there is none */
	__u8 guard_dst;     /* drop loopback destinations (the source half is always on) */
	__u8 nat_bypass;    /* pin conntrack entries against NAT rules */

	/* for the loader: what was asked for, and what came of it */
	__u8 hook_option;       /* enum hbpf_hook_kind, --hook */
	__u8 nat_bypass_option; /* enum hbpf_choice, --pin */
	__u8 guard_option;      /* enum hbpf_choice, --[no-]guard */
	__u8 hook;              /* enum hbpf_hook_kind in use, never AUTO */
	__u8 nat_bypass_built;  /* 1: the programs loaded are able to pin */
	__u8 guard_shared;      /* 1: route_localnet belonged to someone else before us, and
				 * br_netfilter brings them replies towards 127/8 */
	__u8 owner;             /* enum hbpf_owner */
	__u8 pad[7];
	char attached_as[16]; /* the bridge's name when it was attached, ends with NUL */
};

#endif /* HBPF_MAPS_H */
