# SPDX-License-Identifier: GPL-2.0-only
"""Malformed frames: passed, never partly translated."""
from scapy.layers.inet import IPOption_NOP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN

from case import Broken, expect, promise, view
from packets import (BRIDGE_MAC, CLIENT_MAC, ETHERNET, FAMILIES, PROTOCOLS, V4, V6, Talk, arp,
                     ether, extension, incoming, ip, outgoing, read_by_run)
from test_icmp import UNREACHABLE, error_in, error_out


def each_length(bed, side, frame, translated, verdicts):
    """Run a frame cut short at every byte. A cut frame is passed as it is, or dropped, or, where
    only the payload is cut, translated like the whole one."""
    for length in range(read_by_run(frame), len(frame) + 1):
        result = bed.run(side, frame[:length])
        (reason, _), = result.moved.items()
        expected = translated[:length] if reason in verdicts else frame[:length]
        expect(result, reason, expected)
        if length == len(frame) and reason not in verdicts:
            raise Broken(view(f"whole, but {reason}", frame))


def shortest_header(talk):
    return ETHERNET + talk.family.header + (20 if talk.proto == "TCP" else 8)


@promise("an incoming {proto} packet cut short at any byte is never partly translated",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    asked, delivered = talk.asked(**talk.opening()), talk.delivered(**talk.opening())
    for length in range(read_by_run(asked), shortest_header(talk)):
        expect(bed.ingress(asked[:length]), "IN_MALFORMED")
    each_length(bed, "ingress", asked, delivered, {"IN_TRANSLATED"})


@promise("a {proto} answer cut short at any byte never leaves with a loopback source",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    answered, received = talk.answered(), talk.received()
    for length in range(read_by_run(answered), shortest_header(talk)):
        expect(bed.egress(answered[:length]), "OUT_GUARD")
    each_length(bed, "egress", answered, received, {"OUT_TRANSLATED"})


# The datagram's own length: the kernel trims the frame to it, so anything beyond does not exist.

def said_length(family, length):
    """Arguments of ip() for a header that announces so many bytes after it."""
    return {"len": family.header + length} if family is V4 else {"plen": length}


@promise("a {proto} header partly beyond the datagram's own length is malformed", family=FAMILIES,
         proto=PROTOCOLS, fragment=[False, True])
def _(bed, family, proto, fragment):
    talk = Talk(family, proto)
    bed.ingress(talk.asked(**talk.opening()))
    first = {}
    if fragment:
        first = {"flags": "MF"} if family is V4 else \
            {"ext": [extension(IPv6ExtHdrFragment(id=1, m=1))]}
    before = 8 * (fragment and family is V6)
    whole = 20 if proto == "TCP" else 8
    for length in range(before + 1, before + whole):
        how = {**talk.opening(), "network": {**said_length(family, length), **first}}
        expect(bed.ingress(talk.asked(**how)), "IN_MALFORMED")
        expect(bed.egress(talk.answered(**how)), "OUT_GUARD")
    how = {**talk.opening(), "network": {**said_length(family, before + whole), **first}}
    expect(bed.ingress(talk.asked(**how)), "IN_TRANSLATED", talk.delivered(**how))
    expect(bed.egress(talk.answered(**how)), "OUT_TRANSLATED", talk.received(**how))


@promise("an IPv4 datagram whose own length ends within its header is malformed")
def _(bed):
    talk = Talk(V4, "UDP")
    for length in range(1, V4.header):
        expect(bed.ingress(talk.asked(network={"len": length})), "IN_MALFORMED")


@promise("extension headers beyond the datagram's own length are malformed", proto=PROTOCOLS)
def _(bed, proto):
    talk = Talk(V6, proto)
    ext = [extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))] * 2
    for length in range(1, 16):
        network = {"ext": ext, "plen": length}
        expect(bed.ingress(talk.asked(**talk.opening(), network=network)), "IN_MALFORMED")


@promise("a length of 0, as in BIG TCP packets, means the whole frame", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    how = {**talk.opening(), "network": said_length(family, 0 if family is V6 else -V4.header)}
    expect(bed.ingress(talk.asked(**how)), "IN_TRANSLATED", talk.delivered(**how))
    expect(bed.egress(talk.answered(**how)), "OUT_TRANSLATED", talk.received(**how))


@promise("a short UDP packet with Ethernet padding is translated", family=FAMILIES,
         padding={"of zeros": bytes(18), "of ones": b"\xff" * 18})
def _(bed, family, padding):
    talk = Talk(family, "UDP", port=80, local_port=8080)
    for size in range(4):
        how = {"payload": b"abc"[:size]}
        expect(bed.ingress(talk.asked(**how) + padding), "IN_TRANSLATED",
               talk.delivered(**how) + padding)
        expect(bed.egress(talk.answered(**how) + padding), "OUT_TRANSLATED",
               talk.received(**how) + padding)


@promise("a packet with options cut short at any byte is never partly translated", proto=PROTOCOLS)
def _(bed, proto):
    talk = Talk(V4, proto, port=80, local_port=8080)
    how = {**talk.opening(), "network": {"options": [IPOption_NOP()] * 12}}
    each_length(bed, "ingress", talk.asked(**how), talk.delivered(**how), {"IN_TRANSLATED"})


@promise("a packet with extension headers cut short at any byte is never partly translated",
         proto=PROTOCOLS)
def _(bed, proto):
    talk = Talk(V6, proto, port=80, local_port=8080)
    ext = [extension(kind(options=[PadN(optdata=bytes(4))]))
           for kind in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt)]
    how = {**talk.opening(), "network": {"ext": ext}}
    each_length(bed, "ingress", talk.asked(**how), talk.delivered(**how), {"IN_TRANSLATED"})


@promise("an ICMP error cut short at any byte is never partly translated", family=FAMILIES,
         side=["ingress", "egress"])
def _(bed, family, side):
    talk = Talk(family, "UDP", port=80, local_port=8080)
    bed.ingress(talk.asked())
    frame, becomes = (error_in if side == "ingress" else error_out)(talk, UNREACHABLE[family])
    each_length(bed, side, frame, becomes, {"IN_ICMP", "OUT_ICMP"})


@promise("a packet from loopback is dropped wherever it is cut short", family=FAMILIES,
         side=["ingress", "egress"])
def _(bed, family, side):
    dest = extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))
    for proto in PROTOCOLS:
        talk = Talk(family, proto, client=family.loopback, port=9999)
        network = {"options": [IPOption_NOP()] * 8} if family is V4 else {"ext": [dest]}
        frame = talk.asked(network=network) if side == "ingress" else \
            talk.answered(network=network)
        for length in range(read_by_run(frame), len(frame) + 1):
            expect(bed.run(side, frame[:length]),
                   "IN_GUARD_SRC" if side == "ingress" else "OUT_GUARD")


# parse_plain() must leave to the long way what it cannot read as that does.

@promise("{proto} over {family}: a header with any byte changed means the same, read at once or "
         "the long way", family=FAMILIES, proto=PROTOCOLS, side=["ingress", "egress"])
def _(bed, family, proto, side):
    if bed.variant.name != "linear":
        return  # once is enough
    talk = Talk(family, proto, port=80, local_port=8080)
    whole = talk.asked(**talk.opening()) if side == "ingress" else talk.answered()
    for frame in (whole, whole + bytes(6)):
        for at in range(12, shortest_header(talk)):
            for value in {0, 1, 6, 17, 0x45, 0x60, 0x7f, 0xff, frame[at] ^ 1, frame[at] ^ 0x20,
                          frame[at] - 1 & 0xff, frame[at] + 1 & 0xff}:
                changed = frame[:at] + bytes([value]) + frame[at + 1:]
                if read_by_run(changed) > len(changed):
                    continue
                results = bed.both_ways(side, changed)
                if results and results[0] != results[1]:
                    raise Broken(view(f"byte {at}: read at once {results[0].moved}, the long way "
                                      f"{results[1].moved}", changed))


@promise("ARP cut short at any byte is never partly repaired")
def _(bed):
    frame = arp("127.0.0.1", V4.client, src=BRIDGE_MAC)
    each_length(bed, "egress", frame, arp(V4.gateway, V4.client, src=BRIDGE_MAC), {"OUT_ARP"})


@promise("an IPv4 header with a length of {words} words is passed as malformed", words=range(5))
def _(bed, words):
    talk = Talk(V4, "UDP")
    expect(bed.ingress(talk.asked(network={"ihl": words})), "IN_MALFORMED")
    expect(bed.ingress(talk.asked(network={"ihl": 5})), "IN_TRANSLATED", talk.delivered())


@promise("{family} with version {version} in the header is passed as malformed",
         family=FAMILIES, version=[0, 4, 5, 6, 15])
def _(bed, family, version):
    talk = Talk(family, "UDP")
    result = bed.ingress(talk.asked(network={"version": version}))
    if version == {V4: 4, V6: 6}[family]:
        expect(result, "IN_TRANSLATED", talk.delivered())
    else:
        expect(result, "IN_MALFORMED")


@promise("an answer with version {version} in the header is not translated", version=[0, 5, 15])
def _(bed, version):
    talk = Talk(V4, "UDP")
    bed.ingress(talk.asked())
    expect(bed.egress(talk.answered(network={"version": version})), "OUT_OTHER")
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("an IPv4 option of length {length} is left to the host to reject",
         length=[0, 1])
def _(bed, length):
    def broken(frame):
        at = ETHERNET + V4.header
        return frame[:at] + bytes([7, length]) + frame[at + 2:]
    # both have the header checksum of the valid packet: neither side verifies it
    talk = Talk(V4, "UDP")
    sound = {"network": {"options": [IPOption_NOP()] * 4}}
    expect(bed.ingress(broken(talk.asked(**sound))), "IN_TRANSLATED",
           broken(talk.delivered(**sound)))


@promise("a frame that is neither ARP nor IP is passed", ethertype={
    "LLDP": 0x88cc, "EAPOL": 0x888e, "PPPoE": 0x8864, "MPLS": 0x8847, "802.2": 64})
def _(bed, ethertype):
    body = Talk(V4, "UDP").packet((V4.client, 40000), (V4.gateway, 8088))
    expect(bed.ingress(ether(body, ethertype)), "IN_NOT_IP")
    expect(bed.egress(ether(body, ethertype, CLIENT_MAC, BRIDGE_MAC)), "OUT_OTHER")


@promise("a packet of another protocol to a gateway is passed", family=FAMILIES,
         number={"SCTP": 132, "GRE": 47, "ESP": 50, "no next header": 59, "254": 254})
def _(bed, family, number):
    ports = b"\x9c\x40\x1f\x98" + bytes(20)  # 40000 -> 8088, were it TCP
    expect(bed.ingress(incoming(family, ip(family, family.client, family.gateway, number, ports))),
           "IN_NOT_EXPORTED")
    expect(bed.egress(outgoing(family, ip(family, family.gateway, family.client, number, ports))),
           "OUT_OTHER")
