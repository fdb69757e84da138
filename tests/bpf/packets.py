# SPDX-License-Identifier: GPL-2.0-only
"""Packets, made by Scapy from addresses and ports: an oracle that shares no code with hbpf.

The expected packets are made here too, from scratch, with Scapy's checksums.
"""
from dataclasses import dataclass

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6Unknown, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw
from scapy.utils import checksum

BRIDGE_MAC = "02:00:00:00:30:01"
CLIENT_MAC = "02:00:00:00:30:02"
LOOPBACK_MAC = "00:00:00:00:00:00"
# Destination MAC addresses, by what eth_type_trans() makes of them on the bridge.
MACS = {
    "host": BRIDGE_MAC,
    "broadcast": "ff:ff:ff:ff:ff:ff",
    "multicast": "01:00:5e:00:00:01",
    "other host": "02:00:00:00:30:99",
}

TRANSPORT = {"TCP": TCP, "UDP": UDP}
NUMBER = {"TCP": 6, "UDP": 17}
PROTOCOLS = tuple(TRANSPORT)


@dataclass(frozen=True)
class Family:
    name: str
    gateway: str
    client: str
    neighbour: str  # another client
    internet: str   # neither on-link nor the host's own
    loopback: str
    onlink: str
    local4: str     # the sender address that repaired ARP gets
    ethertype: int
    header: int     # length without options
    icmp: int       # protocol number

    def __str__(self):
        return self.name


ETHERNET = 14  # bytes of the header

V4 = Family("IPv4", "172.30.0.1", "172.30.0.2", "172.30.0.3", "198.51.100.7", "127.0.0.1",
            "172.30.0.0/24", "172.30.0.1", 0x0800, 20, 1)
V6 = Family("IPv6", "fd00:30::1", "fd00:30::2", "fd00:30::3", "2001:db8::7", "::1",
            "fd00:30::/64", None, 0x86dd, 40, 58)
FAMILIES = (V4, V6)
DOCKER0 = {V4: "172.17.0.1", V6: "fd00:17::1"}


def read_by_run(frame):
    """How many bytes of a frame a test run itself reads, which have to be in the linear area: up to
    the end of the addresses (net/bpf/test_run.c: bpf_prog_test_run_skb)."""
    ethertype = int.from_bytes(frame[12:14], "big")
    return ETHERNET + {family.ethertype: family.header for family in FAMILIES}.get(ethertype, 0)


def ether(body, ethertype, dst=BRIDGE_MAC, src=CLIENT_MAC):
    return bytes(Ether(dst=dst, src=src, type=ethertype)) + body


def incoming(family, packet, dst=BRIDGE_MAC):
    """As a client sends it to the bridge."""
    return ether(packet, family.ethertype, dst)


def redirected(family, packet):
    """As lo receives it."""
    return ether(packet, family.ethertype, LOOPBACK_MAC)


def outgoing(family, packet):
    """As the bridge sends it to a client."""
    return ether(packet, family.ethertype, CLIENT_MAC, BRIDGE_MAC)


def ip(family, src, dst, proto, body, ext=(), options=(), **fields):
    """An IP packet.

    ext: IPv6 extension headers, each (its number, its bytes after the "next header" byte)
    options: IPv4's
    """
    if family is V4:
        return bytes(IP(src=src, dst=dst, proto=proto, options=list(options), **fields) /
                     Raw(body))
    numbers = [number for number, _ in ext] + [proto]
    headers = b"".join(bytes([after]) + rest for after, (_, rest) in zip(numbers[1:], ext))
    return bytes(IPv6(src=src, dst=dst, nh=numbers[0], **fields) / Raw(headers + body))


def extension(header):
    """A Scapy extension header as ip() takes it."""
    return header.overload_fields[IPv6]["nh"], bytes(header)[1:]


def transport(family, proto, src, dst, payload=b"hello", **fields):
    """A TCP or UDP header with its payload; src and dst are (address, port)."""
    network = IP if family is V4 else IPv6
    fields.update(sport=src[1], dport=dst[1])
    return bytes(network(src=src[0], dst=dst[0]) / TRANSPORT[proto](**fields) /
                 Raw(payload))[family.header:]


def icmp(family, src, dst, kind, quote, code=0, rest=bytes(4)):
    """An ICMP message; rest: the four bytes between its checksum and the quote."""
    if family is V6:
        return bytes(IPv6(src=src, dst=dst) /
                     ICMPv6Unknown(type=kind, code=code, msgbody=rest + quote))
    head = bytes([kind, code])
    check = checksum(head + bytes(2) + rest + quote)
    return ip(V4, src, dst, V4.icmp, head + check.to_bytes(2, "big") + rest + quote)


def arp(sender, target, operation="who-has", dst="ff:ff:ff:ff:ff:ff", src=CLIENT_MAC):
    return bytes(Ether(dst=dst, src=src) /
                 ARP(op=operation, hwsrc=src, psrc=sender, hwdst=LOOPBACK_MAC, pdst=target))


class Talk:
    """A client socket's exchange with an exported service, at the four places where it is seen:

        asked      client -> gateway       on the bridge, in
        delivered  client -> loopback      on lo
        answered   loopback -> client      on the bridge, before egress
        received   gateway -> client       on the bridge, after it
    """

    def __init__(self, family, proto, port=8088, local_port=None, client_port=40000, gateway=None,
                 local=None, client=None):
        self.family = family
        self.proto = proto
        self.client = (client or family.client, client_port)
        self.dialled = (gateway or family.gateway, port)
        self.local = (local or family.loopback, local_port or port)

    def body(self, src, dst, **fields):
        if self.proto == "TCP":
            fields.setdefault("flags", "PA")
        return transport(self.family, self.proto, src, dst, **fields)

    def packet(self, src, dst, network=None, **fields):
        """network: arguments of ip(); fields: of transport()"""
        body = self.body(src, dst, **fields)
        return ip(self.family, src[0], dst[0], NUMBER[self.proto], body, **(network or {}))

    def pieces(self, src, dst, ident, size=1480, **fields):
        """The same in fragments of up to size bytes."""
        body = self.body(src, dst, **fields)
        for at in range(0, len(body), size):
            more = at + size < len(body)
            if self.family is V4:
                how = {"id": ident, "flags": "MF" * more, "frag": at // 8}
            else:
                how = {"ext": [extension(IPv6ExtHdrFragment(id=ident, offset=at // 8, m=more))]}
            yield ip(self.family, src[0], dst[0], NUMBER[self.proto], body[at:at + size], **how)

    def asked(self, mac=BRIDGE_MAC, **fields):
        return incoming(self.family, self.packet(self.client, self.dialled, **fields), mac)

    def delivered(self, **fields):
        return redirected(self.family, self.packet(self.client, self.local, **fields))

    def answered(self, **fields):
        return outgoing(self.family, self.packet(self.local, self.client, **fields))

    def received(self, **fields):
        return outgoing(self.family, self.packet(self.dialled, self.client, **fields))

    def opening(self):
        """Fields of its first packet."""
        return {"flags": "S", "payload": b""} if self.proto == "TCP" else {}
