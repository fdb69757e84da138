# SPDX-License-Identifier: GPL-2.0-only
"""Later fragments are treated like the first one of their datagram, both ways."""
import struct
import time

from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN

import layout
from case import expect, expect_equal, promise
from packets import (DOCKER0, FAMILIES, NUMBER, PROTOCOLS, V4, V6, Talk, extension, icmp, incoming,
                     ip, outgoing, redirected)

PAYLOAD = bytes(at % 251 for at in range(3500))


def asked(talk, ident=77, **fields):
    return [incoming(talk.family, piece)
            for piece in talk.pieces(talk.client, talk.dialled, ident, payload=PAYLOAD, **fields)]


def delivered(talk, ident=77, **fields):
    return [redirected(talk.family, piece)
            for piece in talk.pieces(talk.client, talk.local, ident, payload=PAYLOAD, **fields)]


def answered(talk, ident=77, source=None, **fields):
    return [outgoing(talk.family, piece)
            for piece in talk.pieces(source or talk.local, talk.client, ident, payload=PAYLOAD,
                                     **fields)]


def received(talk, ident=77, **fields):
    return answered(talk, ident, talk.dialled, **fields)


def fragment_key(bed, src, dst, side, ident=77):
    family = V6 if ":" in src[0] else V4
    return layout.fragment_key(bed.bridge.slot, src[0], dst[0],
                               struct.pack("!H" if family is V4 else "!I", ident),
                               NUMBER["UDP"] if family is V4 else 0, side == "egress")


def record(bed, src, dst, side, to, age=1):
    """Record the fate of a first fragment, age seconds ago."""
    seen = (time.monotonic_ns() - age * 10**9) % 2**64
    bed.maps["fragments"].set(fragment_key(bed, src, dst, side), layout.fragment(to, seen))


def all_expected(run, frames, becomes, reasons):
    """reasons: the first fragment's, and the later ones'"""
    for at, (frame, after) in enumerate(zip(frames, becomes or frames)):
        expect(run(frame), reasons[min(at, 1)], after)


IN = ("IN_TRANSLATED", "IN_FRAGMENT")
OUT = ("OUT_TRANSLATED", "OUT_FRAGMENT")


@promise("every fragment of an incoming datagram is translated", family=FAMILIES,
         remapped=[False, True])
def _(bed, family, remapped):
    talk = Talk(family, "UDP", **({"port": 80, "local_port": 8080} if remapped else {}))
    all_expected(bed.ingress, asked(talk), delivered(talk), IN)


@promise("every fragment of an answer is translated", family=FAMILIES, remapped=[False, True])
def _(bed, family, remapped):
    bed.gateway(DOCKER0[family])
    talk = Talk(family, "UDP", gateway=DOCKER0[family],
                **({"port": 80, "local_port": 8080} if remapped else {}))
    bed.ingress(talk.asked())
    all_expected(bed.egress, answered(talk), received(talk), OUT)


@promise("every fragment of a TCP segment is translated both ways", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP", port=80, local_port=8080)
    bed.ingress(talk.asked(**talk.opening()))
    all_expected(bed.ingress, asked(talk), delivered(talk), IN)
    all_expected(bed.egress, answered(talk), received(talk), OUT)


@promise("fragments of a datagram without a checksum are translated", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    all_expected(bed.ingress, asked(talk, chksum=0), delivered(talk, chksum=0), IN)
    all_expected(bed.egress, answered(talk, chksum=0), received(talk, chksum=0), OUT)


@promise("a fragment whose first part was never seen is passed", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    first, *later = asked(talk)
    for frame in later:
        expect(bed.ingress(frame), "IN_FRAGMENT_PASS")
    all_expected(bed.ingress, [first] + later, delivered(talk), IN)


@promise("a loopback fragment whose first part was never seen does not leave", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    first, *later = answered(talk)
    for frame in later:
        expect(bed.egress(frame), "OUT_GUARD")
    all_expected(bed.egress, [first] + later, received(talk), OUT)


@promise("a fragment of the host's own datagram is passed on the way out", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", port=1234)
    for frame in received(talk):
        expect(bed.egress(frame), "OUT_OTHER")


@promise("fragments of a passed datagram are passed, even if its id was used before",
         family=FAMILIES)
def _(bed, family):
    ours, passed = Talk(family, "UDP"), Talk(family, "UDP", port=1234)
    all_expected(bed.ingress, asked(ours), delivered(ours), IN)
    all_expected(bed.ingress, asked(passed), None, ("IN_NOT_EXPORTED", "IN_FRAGMENT_PASS"))
    all_expected(bed.ingress, asked(ours), delivered(ours), IN)


@promise("fragments of a passed answer are passed, even if its id was used before",
         family=FAMILIES)
def _(bed, family):
    bed.gateway(DOCKER0[family])
    passed = Talk(family, "UDP", port=1234)
    first, *later = received(passed)
    # as if a wildcard service's answer had been translated
    record(bed, passed.dialled, passed.client, "egress", DOCKER0[family])
    for frame, after in zip(later, answered(passed, source=(DOCKER0[family], 1234))[1:]):
        expect(bed.egress(frame), "OUT_FRAGMENT", after)
    all_expected(bed.egress, [first] + later, None, ("OUT_OTHER", "OUT_OTHER"))


@promise("what the host forwards leaves no record of its fragments, its own datagrams do",
         family=FAMILIES)
def _(bed, family):
    for source in (family.internet, DOCKER0[family]):
        all_expected(bed.egress, received(Talk(family, "UDP", gateway=source)), None,
                     ("OUT_OTHER", "OUT_OTHER"))
    expect_equal("fragments", bed.maps["fragments"].first_key(), None)
    for source in (family.gateway, family.loopback):
        talk = Talk(family, "UDP", gateway=source, port=1234)
        bed.egress(received(talk)[0])
        key = fragment_key(bed, talk.dialled, talk.client, "egress")
        expect_equal("record", bed.maps["fragments"].get(key) is not None, True)


@promise("fragments of a refused source's datagram are passed", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", client=family.internet)
    all_expected(bed.ingress, asked(talk), None, ("IN_SOURCE", "IN_FRAGMENT_PASS"))


@promise("a fragment follows its own datagram: another id, client or gateway does not",
         family=FAMILIES)
def _(bed, family):
    bed.gateway(DOCKER0[family])
    talk = Talk(family, "UDP")
    first, second, _ = asked(talk)
    bed.ingress(first)
    for other in (asked(talk, ident=78)[1], asked(talk, ident=77 << 8)[1],
                  asked(Talk(family, "UDP", client=family.neighbour))[1],
                  asked(Talk(family, "UDP", gateway=DOCKER0[family]))[1]):
        expect(bed.ingress(other), "IN_FRAGMENT_PASS")
    expect(bed.ingress(second), "IN_FRAGMENT", delivered(talk)[1])


@promise("an id belongs to one protocol in IPv4 (RFC 791)")
def _(bed):
    udp, tcp = Talk(V4, "UDP"), Talk(V4, "TCP")
    bed.ingress(asked(udp)[0])
    expect(bed.ingress(asked(tcp)[1]), "IN_FRAGMENT_PASS")
    expect(bed.ingress(asked(udp)[1]), "IN_FRAGMENT", delivered(udp)[1])


@promise("an IPv6 fragment is identified by addresses and id, whatever its next header")
def _(bed):
    talk = Talk(V6, "UDP")
    bed.ingress(asked(talk)[0])

    def later(dst):
        return ip(V6, V6.client, dst, 59, bytes(64),
                  ext=[extension(IPv6ExtHdrFragment(id=77, offset=185, m=0))])
    expect(bed.ingress(incoming(V6, later(V6.gateway))), "IN_FRAGMENT",
           redirected(V6, later("::1")))


@promise("the two directions do not share a verdict", family=FAMILIES)
def _(bed, family):
    # (client -> gateway) in; out, the same pair of addresses the same way round
    talk = Talk(family, "UDP")
    bed.ingress(asked(talk)[0])
    expect(bed.egress(asked(talk)[1]), "OUT_OTHER")
    expect(bed.ingress(asked(talk)[1]), "IN_FRAGMENT", delivered(talk)[1])


@promise("a verdict older than any receiver waits is not followed", family=FAMILIES,
         side=["ingress", "egress"])
def _(bed, family, side):
    talk = Talk(family, "UDP")
    if side == "ingress":
        src, dst, to = talk.client, talk.dialled, family.loopback
        later, becomes = asked(talk)[1], delivered(talk)[1]
        reasons = ("IN_FRAGMENT_PASS", "IN_FRAGMENT")
    else:
        src, dst, to = talk.local, talk.client, family.gateway
        later, becomes = answered(talk)[1], received(talk)[1]
        reasons = ("OUT_GUARD", "OUT_FRAGMENT")
    for age, reason, after in ((3600, reasons[0], later), (1, reasons[1], becomes)):
        record(bed, src, dst, side, to, age)
        expect(bed.run(side, later), reason, after)


@promise("a first fragment too short for the TCP header is passed, and so are the later ones",
         family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    pieces = [incoming(family, piece) for piece in
              talk.pieces(talk.client, talk.dialled, 77, size=8, **talk.opening())]
    all_expected(bed.ingress, pieces, None, ("IN_MALFORMED", "IN_FRAGMENT_PASS"))


def hidden(talk, **opening):
    """Two IPv6 fragments of a datagram for talk's port. By its own length the first ends before
    the transport header; in its place is padding that looks like one to port 8088."""
    declared = Talk(V6, talk.proto)
    more, options = (extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))
                     for _ in range(2))
    number = NUMBER[talk.proto]

    def body(of):
        return bytes([number]) + options[1] + of.body(of.client, of.local, **opening)

    def piece(first, inside, padding=b""):
        head = extension(IPv6ExtHdrFragment(id=77, offset=0 if first else 1, m=first))
        return incoming(V6, ip(V6, V6.client, V6.gateway, more[0], inside + padding, ext=[head],
                               plen=8 + len(inside)))
    return (piece(1, bytes([more[0]]) + more[1], body(declared)), piece(0, body(talk)))


@promise("padding behind a first fragment's own length is not taken for its {proto} header",
         proto=PROTOCOLS)
def _(bed, proto):
    undeclared = Talk(V6, proto, port=9999)
    first, second = hidden(undeclared, **undeclared.opening())
    expect(bed.ingress(first), "IN_MALFORMED")
    expect(bed.ingress(second), "IN_FRAGMENT_PASS")


@promise("a second IPv6 fragment header is malformed", more=[(0, 0), (1, 0), (0, 1), (1, 1)])
def _(bed, more):
    talk = Talk(V6, "UDP")
    bed.ingress(talk.asked())
    ext = [extension(IPv6ExtHdrFragment(id=ident, m=m)) for ident, m in zip((77, 78), more)]
    expect(bed.ingress(talk.asked(network={"ext": ext})), "IN_MALFORMED")
    expect(bed.egress(talk.answered(network={"ext": ext})), "OUT_GUARD")
    atomic = {"ext": [extension(IPv6ExtHdrFragment(id=79))]}
    expect(bed.ingress(talk.asked(network=atomic)), "IN_TRANSLATED",
           talk.delivered(network=atomic))


@promise("an ICMP error in fragments is passed", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    bed.ingress(talk.asked())
    kind = 3 if family is V4 else 1
    message = icmp(family, talk.client[0], talk.dialled[0], kind,
                   talk.packet(talk.dialled, talk.client))[family.header:]
    first = {"flags": "MF"} if family is V4 else \
        {"ext": [extension(IPv6ExtHdrFragment(id=1, m=1))]}
    expect(bed.ingress(incoming(family, ip(family, talk.client[0], talk.dialled[0], family.icmp,
                                           message, **first))), "IN_ICMP_OTHER")
