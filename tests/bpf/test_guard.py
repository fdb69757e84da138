# SPDX-License-Identifier: GPL-2.0-only
"""The guard: loopback addresses never cross the bridge, in whatever kind of packet."""
import struct

from scapy.layers.inet import (IPOption_LSRR, IPOption_NOP, IPOption_RR, IPOption_SSRR,
                               IPOption_Timestamp)
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrRouting, PadN

from case import expect, promise
from packets import (BRIDGE_MAC, FAMILIES, MACS, PROTOCOLS, V4, V6, Talk, arp, extension,
                     incoming, ip, outgoing)

# Loopback addresses, each with a neighbouring one that is not.
LOOPBACKS = {
    "127.0.0.1": (V4, "127.0.0.1", "128.0.0.1"),
    "127.0.0.0": (V4, "127.0.0.0", "126.255.255.255"),
    "127.255.255.254": (V4, "127.255.255.254", "128.0.0.0"),
    "::1": (V6, "::1", "::2"),
    "::ffff:127.0.0.1": (V6, "::ffff:127.0.0.1", "::ffff:128.0.0.1"),
    "::ffff:127.255.255.255": (V6, "::ffff:127.255.255.255", "::fffe:127.0.0.1"),
}

# Protocol numbers and what follows the IP header.
BODIES = {
    "TCP": (6, bytes.fromhex("9c401f98000000010000000050022000 00000000")),
    "UDP": (17, bytes.fromhex("9c401f980008 0000")),
    "ICMP": (1, bytes.fromhex("0800f7ff00000000")),
    "ICMPv6": (58, bytes.fromhex("8000000000000000")),
    "GRE": (47, bytes(8)),
    "nothing": (17, b""),
}


def passed_as(mac, beside=""):
    """The reason that a harmless packet from or to @beside, which is no gateway, counts as."""
    if beside.startswith("::ffff:"):
        return "IN_MALFORMED"
    return "IN_NOT_GATEWAY" if mac == BRIDGE_MAC else "IN_OTHER_HOST"


@promise("a packet from {address} is dropped, sent to the {mac} MAC", address=LOOPBACKS, mac=MACS)
def _(bed, address, mac):
    family, loopback, beside = address
    for body in BODIES.values():
        expect(bed.ingress(incoming(family, ip(family, loopback, family.gateway, *body), mac)),
               "IN_GUARD_SRC")
    expect(bed.ingress(incoming(family, ip(family, beside, family.internet, *body), mac)),
           passed_as(mac, beside))


@promise("a packet to {address} is dropped, sent to the {mac} MAC", address=LOOPBACKS, mac=MACS)
def _(bed, address, mac):
    family, loopback, beside = address
    for body in BODIES.values():
        expect(bed.ingress(incoming(family, ip(family, family.client, loopback, *body), mac)),
               "IN_GUARD_DST")
    expect(bed.ingress(incoming(family, ip(family, family.client, beside, *body), mac)),
           passed_as(mac, beside))


@promise("a packet from {address} does not leave", address=LOOPBACKS)
def _(bed, address):
    family, loopback, beside = address
    for body in BODIES.values():
        expect(bed.egress(outgoing(family, ip(family, loopback, family.client, *body))),
               "OUT_GUARD")
    expect(bed.egress(outgoing(family, ip(family, beside, family.client, *body))), "OUT_OTHER")


@promise("a packet to {address} does not leave", address=LOOPBACKS)
def _(bed, address):
    family, loopback, beside = address
    for body in BODIES.values():
        expect(bed.egress(outgoing(family, ip(family, family.gateway, loopback, *body))),
               "OUT_GUARD")
    expect(bed.egress(outgoing(family, ip(family, family.gateway, beside, *body))), "OUT_OTHER")


@promise("a loopback source is dropped in a later fragment, too")
def _(bed):
    for source, reason in (("127.0.0.1", "IN_GUARD_SRC"), (V4.client, "IN_FRAGMENT_PASS")):
        expect(bed.ingress(incoming(V4, ip(V4, source, V4.gateway, 17, bytes(64), frag=100))),
               reason)


@promise("a loopback source is dropped even where the extension headers are malformed")
def _(bed):
    dest = extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))
    for source, reason in (("::1", "IN_GUARD_SRC"), (V6.client, "IN_MALFORMED")):
        expect(bed.ingress(incoming(V6, ip(V6, source, V6.gateway, 17, bytes(8),
                                           ext=[dest] * 12))), reason)


@promise("an exported port does not make loopback's own address reachable", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    direct = Talk(family, proto, gateway=family.loopback)
    expect(bed.ingress(direct.asked(**direct.opening())), "IN_GUARD_DST")
    expect(bed.ingress(direct.asked()), "IN_GUARD_DST")


@promise("with the destination half off, loopback destinations pass and sources do not",
         family=FAMILIES)
def _(bed, family):
    to = Talk(family, "UDP", gateway=family.loopback).asked()
    spoofed = Talk(family, "UDP", client=family.loopback).asked()
    bed.configure(guard_dst=False)
    expect(bed.ingress(to), "IN_NOT_GATEWAY")
    expect(bed.ingress(spoofed), "IN_GUARD_SRC")
    bed.configure(guard_dst=True)
    expect(bed.ingress(to), "IN_GUARD_DST")


# VLAN tags

TPIDS = {"802.1Q": 0x8100, "802.1ad": 0x88a8}


def tagged(frame, *tags):
    """tags: (TPID, TCI), the outermost first"""
    return frame[:12] + b"".join(struct.pack("!HH", *tag) for tag in tags) + frame[12:]


@promise("{tags} {tpid} priority tags in front of {what} are dropped, sent to the {mac} MAC",
         tags=[1, 2, 3], tpid=TPIDS, what={
             "a packet to loopback": Talk(V4, "UDP", gateway="127.0.0.1"),
             "a packet to an export": Talk(V4, "UDP"),
             "an IPv6 packet to loopback": Talk(V6, "UDP", gateway="::1"),
         }, mac=MACS)
def _(bed, tags, tpid, what, mac):
    expect(bed.ingress(tagged(what.asked(mac), *[(tpid, 0)] * tags)), "IN_GUARD_VLAN")


@promise("a priority tag of any priority is dropped", tpid=TPIDS)
def _(bed, tpid):
    frame = Talk(V4, "UDP").asked()
    for priority in range(16):  # and DEI
        expect(bed.ingress(tagged(frame, (tpid, priority << 12))), "IN_GUARD_VLAN")


@promise("a priority tag is dropped in front of ARP, and of another VLAN's tag", tpid=TPIDS)
def _(bed, tpid):
    expect(bed.ingress(tagged(arp(V4.client, V4.gateway), (tpid, 0))), "IN_GUARD_VLAN")
    expect(bed.ingress(tagged(Talk(V4, "UDP").asked(), (tpid, 0), (0x8100, 7))),
           "IN_GUARD_VLAN")


@promise("a frame of a real VLAN is passed", tpid=TPIDS)
def _(bed, tpid):
    for vid in (1, 7, 4094):
        expect(bed.ingress(tagged(Talk(V4, "UDP").asked(), (tpid, vid))), "IN_VLAN")
    expect(bed.egress(tagged(Talk(V4, "UDP").received(), (tpid, 7))), "OUT_OTHER")


@promise("a tag cut short is passed as malformed", tpid=TPIDS)
def _(bed, tpid):
    frame = tagged(Talk(V4, "UDP").asked(), (tpid, 0))
    expect(bed.ingress(frame[:14]), "IN_MALFORMED")
    expect(bed.ingress(frame[:15]), "IN_MALFORMED")
    expect(bed.ingress(frame[:16]), "IN_GUARD_VLAN")


# Source routes

ROUTES = {"LSRR": IPOption_LSRR, "SSRR": IPOption_SSRR}
HOPS = [f"198.51.100.{host}" for host in range(1, 10)]


def routed(options, dst=V4.gateway, mac=BRIDGE_MAC):
    return incoming(V4, ip(V4, V4.client, dst, *BODIES["UDP"], options=options), mac)


@promise("a {kind} of {count} hops is dropped with a loopback address at any of them",
         kind=ROUTES, count=[1, 2, 8, 9])
def _(bed, kind, count):
    for at in range(count):
        hops = HOPS[:count]
        hops[at] = f"127.0.0.{at + 1}"
        expect(bed.ingress(routed([kind(pointer=4, routers=hops)])), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed([kind(pointer=4, routers=HOPS[:count])])), "IN_NOT_GATEWAY")


@promise("a {kind} through loopback is dropped, sent to the {mac} MAC and any address",
         kind=ROUTES, mac=MACS)
def _(bed, kind, mac):
    for dst in (V4.gateway, V4.internet, "255.255.255.255"):
        expect(bed.ingress(routed([kind(routers=["127.0.0.1"])], dst, mac)), "IN_GUARD_ROUTE")
        expect(bed.ingress(routed([kind(routers=HOPS[:1])], dst, mac)), passed_as(mac))


BEFORE = {
    "nothing": [],
    "no operation": [IPOption_NOP()],
    "three of them": [IPOption_NOP()] * 3,
    "thirty of them": [IPOption_NOP()] * 30,
    "a record route": [IPOption_RR(pointer=4, routers=["0.0.0.0"] * 2)],
    "a time stamp": [IPOption_Timestamp(pointer=5)],
    "both": [IPOption_RR(pointer=4, routers=["0.0.0.0"]), IPOption_NOP(),
             IPOption_Timestamp(pointer=5)],
}


@promise("a {kind} through loopback is found behind {before}", kind=ROUTES, before=BEFORE)
def _(bed, kind, before):
    expect(bed.ingress(routed(before + [kind(routers=["127.0.0.1"])])), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed(before + [kind(routers=HOPS[:1])])), "IN_NOT_GATEWAY")


@promise("a {kind} whose pointer is not aligned is dropped: {pointer}", kind=ROUTES,
         pointer=[1, 2, 3, 5, 6, 7, 9, 10, 11])
def _(bed, kind, pointer):
    # there is no loopback among the hops read from 4 on; the host reads from where the pointer is
    hops = bytearray([198] * 12)
    if pointer >= 4:
        hops[pointer - 4:pointer] = bytes([127, 0, 0, 1])
    hops = [".".join(map(str, hops[at:at + 4])) for at in range(0, len(hops), 4)]
    for before in BEFORE.values():
        if len(before) < 10:
            expect(bed.ingress(routed(before + [kind(pointer=pointer, routers=hops)])),
                   "IN_GUARD_ROUTE")
    expect(bed.ingress(routed([kind(pointer=4, routers=hops)])), "IN_NOT_GATEWAY")


@promise("a source route is never taken to an export, even at its end", kind=ROUTES)
def _(bed, kind):
    talk = Talk(V4, "UDP")
    done = kind(pointer=8, routers=HOPS[:1])
    expect(bed.ingress(talk.asked(network={"options": [done]})), "IN_NOT_GATEWAY")
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())


def segments(hops, left, kind=4):
    return extension(IPv6ExtHdrRouting(type=kind, segleft=left, addresses=hops))


def routed6(*ext):
    return incoming(V6, ip(V6, V6.client, V6.gateway, *BODIES["UDP"], ext=list(ext)))


HOPS6 = [f"2001:db8::{host}" for host in range(1, 9)]


@promise("a routing header of {count} segments is dropped with loopback at any of them",
         count=[1, 2, 7, 8])
def _(bed, count):
    for loopback in ("::1", "::ffff:127.0.0.1"):
        for at in range(count):
            hops = HOPS6[:count]
            hops[at] = loopback
            expect(bed.ingress(routed6(segments(hops, 1))), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed6(segments(HOPS6[:count], 1))), "IN_NOT_GATEWAY")


@promise("a routing header too long to inspect is dropped")
def _(bed):
    expect(bed.ingress(routed6(segments(["2001:db8::1"] * 20, 20))), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed6(segments(["2001:db8::1"] * 2, 2))), "IN_NOT_GATEWAY")


@promise("a routing header of type {kind} is inspected", kind=[0, 2, 3, 4])
def _(bed, kind):
    expect(bed.ingress(routed6(segments(["::1"], 1, kind))), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed6(segments(HOPS6[:1], 1, kind))), "IN_NOT_GATEWAY")


@promise("a routing header is found behind other headers")
def _(bed):
    dest = extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))
    expect(bed.ingress(routed6(dest, dest, segments(["::1"], 1))), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed6(dest, dest, segments(HOPS6[:1], 1))), "IN_NOT_GATEWAY")


@promise("a second routing header is inspected, too")
def _(bed):
    # The host skips one with no segments left (net/ipv6/exthdrs.c: ipv6_rthdr_rcv).
    done = segments(HOPS6[:1], 0)
    expect(bed.ingress(routed6(done, segments(["::1"], 1))), "IN_GUARD_ROUTE")


@promise("two routing headers are dropped, whatever their contents: {left}", left=[
    (1, 1), (0, 1), (1, 0), (0, 0)])
def _(bed, left):
    both = [segments(HOPS6[:1], one) for one in left]
    expect(bed.ingress(routed6(*both)), "IN_GUARD_ROUTE")
    expect(bed.ingress(routed6(segments(HOPS6[:2], 1))), "IN_NOT_GATEWAY")


# ARP

@promise("ARP about loopback is dropped, sent to the {mac} MAC", mac=MACS)
def _(bed, mac):
    for loopback in ("127.0.0.1", "127.0.0.53", "127.255.255.255"):
        for operation in ("who-has", "is-at"):
            for sender, target in ((loopback, V4.gateway), (V4.client, loopback),
                                   (loopback, loopback)):
                expect(bed.ingress(arp(sender, target, operation, mac)), "IN_GUARD_ARP")
    expect(bed.ingress(arp(V4.client, V4.gateway, dst=mac)), "IN_ARP")
    expect(bed.ingress(arp(V4.client, "128.0.0.1", dst=mac)), "IN_ARP")


@promise("ARP about another protocol's addresses is passed")
def _(bed):
    frame = arp("127.0.0.1", V4.gateway)
    expect(bed.ingress(frame[:16] + b"\x86\xdd" + frame[18:]), "IN_ARP")
    expect(bed.ingress(frame), "IN_GUARD_ARP")
