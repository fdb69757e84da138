# SPDX-License-Identifier: GPL-2.0-only
"""Keys and values of the maps, as include/hbpf/maps.h lays them out, and the reasons."""
import ipaddress
import os
import re
import struct

import bpf

INCLUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../include/hbpf")
NUMBER = {"TCP": 6, "UDP": 17}

LAYOUT = 5
SLOT_SHARED = 0
RECENT_FLOWS = 1024
MONITORS = 4
EVENT_LIMIT_SIZE = 32
NEAR_BRIDGES = 1024
NEAR_COUNTERS = 64
# Maps that grow: what is in the array of maps; type, size of key and value, entries.
GROWING = {"exports": (bpf.HASH, 8, 12, 4096), "reverse": (bpf.HASH, 24, 24, 8192),
           "port_stats": (bpf.PERCPU_HASH, 8, 32, 4096)}
LIST_IPV6 = 0x8000
LIST_HOST, LIST_ONLINK, LIST_BRIDGE, LIST_PORTS = range(4)


def reasons():
    """Return: the reasons in their order, each with its verdict."""
    with open(os.path.join(INCLUDE, "reasons.h")) as header:
        return dict(re.findall(r"^\s*X\((\w+),\s*(\w+),", header.read(), re.M))


def events():
    """Return: the names of the kinds of events, in their order."""
    with open(os.path.join(INCLUDE, "events.h")) as header:
        return re.findall(r'^\s*X\(\w+,\s*"([\w-]+)",', header.read(), re.M)


def monitors(places):
    """places: (until_ns, kinds) of each"""
    return b"".join(struct.pack("=QQII", until, 0, kinds, 1) for until, kinds in places)


def kinds_of(monitors_value):
    return [kinds for _, _, kinds, _ in struct.iter_unpack("=QQII", monitors_value)]


def event(record):
    """struct hbpf_event. Return: ns, ifindex, length of the frame, kind, reason, the frame's beginning"""
    ns, ifindex, frame_len, kind, reason, length = struct.unpack_from("=QIIBBB", record)
    return ns, ifindex, frame_len, kind, reason, record[24:24 + length]


def addr(text):
    """struct hbpf_addr: IPv4 as ::ffff:a.b.c.d"""
    ip = ipaddress.ip_address(text)
    return bytes(10) + b"\xff\xff" + ip.packed if ip.version == 4 else ip.packed


def endpoint(address, port):
    return addr(address) + struct.pack("!H6x", port)


def policy(lst=0, onlink=False, inherit=False):
    return struct.pack("=HBB", lst, onlink, inherit)


INHERIT = policy(inherit=True)
ONLINK = policy(onlink=True)


def export_key(slot, proto, port):
    return struct.pack("!BxH", NUMBER[proto], port) + struct.pack("=H2x", slot)


def export(address4, port, ipv6, who):
    return ipaddress.ip_address(address4).packed + struct.pack("!HBx", port, ipv6) + who


def reverse_key(slot, proto, address, port):
    return addr(address) + struct.pack("!HBx", port, NUMBER[proto]) + struct.pack("=H2x", slot)


def reverse(address, exports, gateway_port):
    return addr(address) + struct.pack("=I", exports) + struct.pack("!H2x", gateway_port)


def gateway_key(slot, address):
    return addr(address) + struct.pack("=H6x", slot)


def source_key(slot, lst, prefix):
    net = ipaddress.ip_network(prefix)
    bits = net.prefixlen + (96 if net.version == 4 else 0)
    lst |= LIST_IPV6 if net.version == 6 else 0
    return struct.pack("=IHH", 32 + bits, slot, lst) + addr(net.network_address.compressed)


def source(local4=None):
    return ipaddress.ip_address(local4 or "0.0.0.0").packed


def flow_key(slot, proto, client, client_port, local, local_port):
    return (addr(client) + addr(local) +
            struct.pack("!HHBx", client_port, local_port, NUMBER[proto]) + struct.pack("=H", slot))


def connection(slot, address, port):
    return endpoint(address, port) + struct.pack("=H6x", slot)


def fragment_key(slot, src, dst, wire_id, proto, egress):
    """wire_id: the id's bytes as they stand in the packet"""
    return (addr(src) + addr(dst) + wire_id.ljust(4, b"\0") +
            struct.pack("=BBH", proto, egress, slot))


def fragment(address, seen_ns):
    return addr(address) + struct.pack("=Q", seen_ns)


def config(ifindex, number, slot, only4, only6, who, guard_dst, nat_bypass, arp_sender=None):
    return (struct.pack("=IIQ", LAYOUT, ifindex, 0) + addr(only4 or "::") + addr(only6 or "::") +
            who + source(arp_sender) + struct.pack("=BB10xHH16x", guard_dst, nat_bypass, number, slot))
