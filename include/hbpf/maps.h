/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys and values of the maps, which the BPF programs and the loader share.
 * <hbpf/map_list.h> lists the maps themselves.
 *
 * Addresses and ports are in network byte order (__be16, __be32), as in a packet,
 * so neither side converts them. All other values are in host byte order.
 */
#ifndef HBPF_MAPS_H
#define HBPF_MAPS_H

#include <hbpf/addr.h>
#include <hbpf/events.h>
#include <hbpf/reasons.h>

/* Raise it when a key, a value, a map or the reasons change: the loader refuses
 * pinned state of another layout. */
#define HBPF_LAYOUT 5

/*
 * All bridges of a network namespace share the programs and these maps. What belongs to
 * one bridge has its slot in the key: a number that no other attached bridge has, and
 * that it keeps when it is renamed or re-created. The programs find it by the bridge's
 * index (map `bridges`).
 */
#define HBPF_SLOT_SHARED 0     /* no bridge's: what all share */
#define HBPF_SLOT_MAX    65535 /* the highest of a bridge; the lowest is 1 */

/* How many entries each map holds, for all bridges together. The first three begin with so many
 * and grow with the ports, up to HBPF_MAX_PORTS: a bridge may have every (protocol, port). */
#define HBPF_FIRST_EXPORTS 4096
#define HBPF_FIRST_REVERSE (2 * HBPF_FIRST_EXPORTS) /* both families, and wildcards */
#define HBPF_MAX_PORTS     (1U << 22)
#define HBPF_MAX_BRIDGES   4096
#define HBPF_NEAR_BRIDGES  1024
#define HBPF_NEAR_COUNTERS 64
#define HBPF_MAX_GATEWAYS  16384
#define HBPF_MAX_SOURCES   65535
#define HBPF_MAX_FLOWS     32768
#define HBPF_MAX_RECENT    24576 /* of each protocol: 24 clients with all their entries in use */
#define HBPF_RECENT_FLOWS  1024  /* of one client; a power of two */
#define HBPF_MAX_FRAGMENTS 4096

/* Limit of one bridge. */
#define HBPF_GATEWAYS_OF_BRIDGE 4096

#define HBPF_SIZE(type, size) _Static_assert(sizeof(type) == (size), "shared with the programs")

/* exports: where the ports of a gateway lead. Written by the loader. memcmp() orders the keys by
 * protocol, then port. */
struct hbpf_export_key {
	__u8 proto; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad;
	__be16 port; /* the gateway's port, which the client dials */
	__u16 slot;
	__u8 pad2[2];
};
HBPF_SIZE(struct hbpf_export_key, 8);

/* Who may use an export. */
struct hbpf_policy {
	__u16 list;   /* prefixes that may: a list of `sources`, HBPF_LIST_* */
	__u8 onlink;  /* 1: the bridge's on-link prefixes may, too */
	__u8 inherit; /* in an export: 1: the bridge's policy applies, not this one */
};
HBPF_SIZE(struct hbpf_policy, 4);

struct hbpf_export {
	__be32 addr4; /* loopback address for IPv4 clients, in 127.0.0.0/8 */
	__be16 port;  /* loopback port */
	__u8 ipv6;    /* 1: IPv6 clients are served, too, at ::1 */
	__u8 pad;
	struct hbpf_policy from;
};
HBPF_SIZE(struct hbpf_export, 12);

/* port_stats: traffic of one export. Key: struct hbpf_export_key. The programs add an entry at the
 * first packet. */
struct hbpf_port_stats {
	__u64 in_packets;
	__u64 in_bytes; /* whole frames: skb->len */
	__u64 out_packets;
	__u64 out_bytes;
};
HBPF_SIZE(struct hbpf_port_stats, 32);

/*
 * reverse: from the loopback end of an export back to its gateway port, for answers.
 * Written by the loader, which derives it from the exports.
 *
 * A UDP service bound to the wildcard address answers from the gateway's address.
 * An entry with the unspecified address of a family (:: or ::ffff:0.0.0.0) gives the
 * loopback address that it is exported as. If its port is exported from several, that is
 * 127.0.0.1, or else the lowest; the service can only answer through this one.
 */
struct hbpf_reverse_key {
	struct hbpf_addr addr; /* 127.x.y.z v4-mapped, ::1, or unspecified */
	__be16 port;           /* loopback port */
	__u8 proto;
	__u8 pad;
	__u16 slot;
	__u8 pad2[2];
};
HBPF_SIZE(struct hbpf_reverse_key, 24);

struct hbpf_reverse {
	struct hbpf_addr addr; /* loopback address; as in the key, except for a wildcard */
	__u32 exports;         /* how many gateway ports lead here */
	__be16 gateway_port;   /* one of them */
	__u8 pad[2];
};
HBPF_SIZE(struct hbpf_reverse, 24);

/* gateways: the addresses that clients dial. Value: why it is one, as a set of the bits below.
 * Written by the loader. */
struct hbpf_gateway_key {
	struct hbpf_addr addr;
	__u16 slot;
	__u8 pad[6];
};
HBPF_SIZE(struct hbpf_gateway_key, 24);

#define HBPF_GATEWAY_BRIDGE  (1U << 0) /* address of the bridge itself */
#define HBPF_GATEWAY_DOCKER0 (1U << 1) /* Docker's host-gateway */
#define HBPF_GATEWAY_OPTION  (1U << 2) /* --gateway */

/* sources: lists of prefixes, searched by (slot, list, address). The prefixlen of an IPv4 /24 is
 * 32 + 96 + 24. Written by the loader. */
#define HBPF_LIST_BITS   32
#define HBPF_LIST_HOST   0 /* the host's own addresses: never allowed; in HBPF_SLOT_SHARED */
#define HBPF_LIST_ONLINK 1 /* the bridge's on-link prefixes */
#define HBPF_LIST_BRIDGE 2 /* --from of attach */
#define HBPF_LIST_PORTS  3 /* and above: --from of ports, one list for each different set */
#define HBPF_LIST_MAX    0x7fff
#define HBPF_LIST_IPV6   0x8000 /* IPv6 addresses, so that ::/0 does not include IPv4 */

struct hbpf_source_key {
	__u32 prefixlen; /* HBPF_LIST_BITS + bits of the address */
	__u16 slot;      /* a search always compares all bits of it and of the list */
	__u16 list;      /* HBPF_LIST_*, with HBPF_LIST_IPV6 */
	struct hbpf_addr addr;
};
HBPF_SIZE(struct hbpf_source_key, 24);

struct hbpf_source {
	__be32 local4; /* on-link IPv4 prefixes: this host's address in it, or 0 */
};
HBPF_SIZE(struct hbpf_source, 4);

/* flows: what a client dialled, for half-open TCP and for UDP, which have no server socket to store
 * it in. Value: struct hbpf_endpoint. Written by the programs. All clients share it, so the one
 * that opens flows fastest evicts those of the others. */
struct hbpf_flow_key {
	struct hbpf_addr client;
	struct hbpf_addr local; /* loopback address */
	__be16 client_port;
	__be16 local_port;
	__u8 proto;
	__u8 pad;
	__u16 slot;
};
HBPF_SIZE(struct hbpf_flow_key, 40);

/* recent_tcp, recent_udp: a second copy of each client's latest flows, in entries of its own.
 * Written by the programs. The ports of a flow select its entry, and a later flow of the same
 * client replaces it. One client thus fills at most HBPF_RECENT_FLOWS entries, and nothing is
 * evicted until 24 clients do. */
struct hbpf_recent_key {
	struct hbpf_addr client;
	__u16 index; /* below HBPF_RECENT_FLOWS */
	__u16 slot;
	__u8 pad[4];
};
HBPF_SIZE(struct hbpf_recent_key, 24);

struct hbpf_recent {
	struct hbpf_endpoint dialled;
	__be32 local_low; /* last word of the loopback address; the other words are always the same
			   */
	__be16 client_port;
	__be16 local_port;
};
HBPF_SIZE(struct hbpf_recent, 32);

/* connections: what the client of an established TCP connection dialled, and through which bridge,
 * in the storage of the server's socket. Written by the programs. */
struct hbpf_connection {
	struct hbpf_endpoint dialled;
	__u16 slot;
	__u8 pad[6];
};
HBPF_SIZE(struct hbpf_connection, 32);

/* fragments: what was decided about a first fragment, for the later ones. Written by the
 * programs. */
struct hbpf_fragment_key {
	struct hbpf_addr src;
	struct hbpf_addr dst;
	__u32 id;    /* as in the packet: network byte order, IPv4's in the low half */
	__u8 proto;  /* 0 for IPv6, where addresses and id identify a packet (RFC 8200, 4.5) */
	__u8 egress; /* 1: towards the client */
	__u16 slot;
};
HBPF_SIZE(struct hbpf_fragment_key, 40);

struct hbpf_fragment {
	struct hbpf_addr addr; /* new address; all zero: pass unchanged */
	__u64 seen_ns;         /* bpf_ktime_get_ns() */
};
HBPF_SIZE(struct hbpf_fragment, 24);

struct hbpf_counter {
	__u64 packets;
	__u64 bytes;
};
HBPF_SIZE(struct hbpf_counter, 16);

/*
 * counters_near: by number of the bridge. counters: by index, of bridges whose number is
 * HBPF_NEAR_COUNTERS or higher; the loader adds the entry. The programs count.
 */
struct hbpf_counters {
	struct hbpf_counter reason[HBPF_REASON_MAX];   /* by enum hbpf_reason */
	struct hbpf_event_limit limit[HBPF_EVENT_MAX]; /* by enum hbpf_event_kind */
};

enum hbpf_choice {
	HBPF_AUTO,
	HBPF_ON,
	HBPF_OFF,
};

/* Who manages an attachment. */
enum hbpf_owner {
	HBPF_OWNER_MANUAL, /* the user, with `hbpf attach`; `hbpf watch` does not detach it */
	HBPF_OWNER_CONFIG, /* `hbpf watch`, for a section of the configuration that names the bridge
			    */
	HBPF_OWNER_ENGINE, /* `hbpf watch`, for a network of a container engine */
	HBPF_OWNER_CNI,    /* the CNI plugin, while the network has containers */
	HBPF_OWNER_MAX,
};

enum hbpf_hook_kind {
	HBPF_HOOK_AUTO, /* only as an option: tcx if the kernel has it */
	HBPF_HOOK_TCX,
	HBPF_HOOK_CLSACT,
};

/*
 * bridges: by index. Written by the loader, which keeps the same in a pinned map of each
 * bridge, bridge_config. `layout` is the first member in every version, so that each can
 * recognise the state of another.
 *
 * bridges_near: copies, at the remainder of the index by HBPF_NEAR_BRIDGES. Of bridges with
 * the same remainder, the first one is there. The programs look here first, because the
 * kernel compiles a lookup in an array to a load, and one in a hash to a call.
 */
struct hbpf_config {
	__u32 layout;  /* HBPF_LAYOUT */
	__u32 ifindex; /* of the bridge */
	__u64 netns;   /* inode of the network namespace */

	/* for the programs */
	struct hbpf_addr only_gateway4; /* the IPv4 gateway if there is exactly one, else zero */
	struct hbpf_addr only_gateway6; /* the same for IPv6 */
	struct hbpf_policy from;        /* who may use exports that inherit */
	__be32 arp_sender4;             /* sender of ARP requests for clients in no on-link prefix:
					 * an address of the bridge, else a gateway of this host, or 0 */
	__u8 guard_dst;  /* 1: drop loopback destinations; sources are always dropped */
	__u8 nat_bypass; /* 1: make conntrack entries that no NAT rule changes */

	/* for the loader: options, and what they led to */
	__u8 hook_option;       /* enum hbpf_hook_kind, --hook */
	__u8 nat_bypass_option; /* enum hbpf_choice, --nat-bypass */
	__u8 guard_option;      /* enum hbpf_choice, --[no-]guard */
	__u8 hook;              /* enum hbpf_hook_kind in use, never AUTO */
	__u8 nat_bypass_built;  /* 1: the loaded programs can bypass NAT */
	__u8 guard_shared; /* 1: route_localnet was set by another program, and br_netfilter may
			    * bring its replies towards 127/8 */
	__u8 owner;        /* enum hbpf_owner */
	__u8 pad[3];
	__u16 number; /* from 0; no other attached bridge has it, and it stays as the slot does */
	__u16 slot;
	char attached_as[16]; /* name of the bridge at attach, ends with NUL */
};
HBPF_SIZE(struct hbpf_config, 88);

#endif /* HBPF_MAPS_H */
