# SPDX-License-Identifier: GPL-2.0-only
"""Translated packets, on the way in and on the way back."""
from scapy.layers.inet import (IPOption_NOP, IPOption_Router_Alert, IPOption_RR,
                               IPOption_Security)
from scapy.layers.inet6 import (IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, PadN)
from scapy.layers.ipsec import AH

from case import expect, expect_equal, promise
from packets import DOCKER0, FAMILIES, PROTOCOLS, V4, V6, Talk, extension

# Gateway port and loopback end.
EXPORTS = {
    "the same port": {"port": 8088},
    "a remapped port": {"port": 80, "local_port": 8080},
}


def there_and_back(bed, talk, **fields):
    """Open the flow, then send the same fields both ways."""
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))
    expect(bed.ingress(talk.asked(**fields)), "IN_TRANSLATED", talk.delivered(**fields))
    expect(bed.egress(talk.answered(**fields)), "OUT_TRANSLATED", talk.received(**fields))


@promise("a SYN to an exported port is rewritten to loopback and redirected", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    expect(bed.ingress(talk.asked(flags="S")), "IN_TRANSLATED", talk.delivered(flags="S"))


@promise("a UDP packet to an exported port is rewritten to loopback and redirected",
         family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())


@promise("{proto} over {family} to {export} is translated there and back", family=FAMILIES,
         proto=PROTOCOLS, export=EXPORTS)
def _(bed, family, proto, export):
    there_and_back(bed, Talk(family, proto, **export))


@promise("{proto} to an export of 127.0.0.53 is translated there and back", proto=PROTOCOLS)
def _(bed, proto):
    there_and_back(bed, Talk(V4, proto, port=53, local="127.0.0.53"))


@promise("{proto} over {family} through a second gateway is translated there and back",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    there_and_back(bed, Talk(family, proto, port=80, local_port=8080, gateway=DOCKER0[family]))


@promise("every TCP flag comes through both ways", family=FAMILIES,
         flags=["A", "PA", "FA", "RA", "R", "AU", "AE", "AC"])
def _(bed, family, flags):
    there_and_back(bed, Talk(family, "TCP", port=80, local_port=8080), flags=flags, seq=7, ack=9,
                   window=1234)


@promise("TCP options come through both ways", family=FAMILIES)
def _(bed, family):
    options = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None),
               ("WScale", 7)]
    there_and_back(bed, Talk(family, "TCP", port=80, local_port=8080), flags="PA",
                   options=options)


@promise("a payload of {size} bytes comes through both ways", family=FAMILIES, proto=PROTOCOLS,
         size=[0, 1, 2, 3, 1400, 1401, 3400])
def _(bed, family, proto, size):
    there_and_back(bed, Talk(family, proto, port=80, local_port=8080),
                   payload=bytes(at % 251 for at in range(size)))


@promise("TTL and traffic class stay as they are", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    network = {"ttl": 3, "tos": 0xb9, "id": 4711, "flags": "DF+evil"} if family is V4 else \
              {"hlim": 3, "tc": 0xb9, "fl": 0x12345}
    there_and_back(bed, Talk(family, proto), network=network)


@promise("a UDP checksum of 0 (none) stays 0", family=FAMILIES, export=EXPORTS)
def _(bed, family, export):
    there_and_back(bed, Talk(family, "UDP", **export), chksum=0)


@promise("a UDP checksum of 0 after rewriting is sent as 0xffff", family=FAMILIES, export=EXPORTS)
def _(bed, family, export):
    talk = Talk(family, "UDP", **export)

    def closing(src, dst):
        """The payload that makes the checksum of such a packet 0."""
        packet = talk.packet(src, dst, payload=bytes(2))
        return packet[family.header + 6:family.header + 8]

    payload = closing(talk.client, talk.local)
    frame = talk.delivered(payload=payload)
    expect_equal("Scapy's checksum", frame[-4:-2], b"\xff\xff")
    expect(bed.ingress(talk.asked(payload=payload)), "IN_TRANSLATED", frame)
    payload = closing(talk.dialled, talk.client)
    frame = talk.received(payload=payload)
    expect_equal("Scapy's checksum", frame[-4:-2], b"\xff\xff")
    expect(bed.egress(talk.answered(payload=payload)), "OUT_TRANSLATED", frame)


IPV4_OPTIONS = {
    "no operation": [IPOption_NOP()] * 4,
    "router alert": [IPOption_Router_Alert()],
    "record route": [IPOption_RR(pointer=4, routers=["0.0.0.0"] * 3)],
    "record route that names loopback": [IPOption_RR(pointer=8, routers=["127.0.0.1", "0.0.0.0"])],
    "security": [IPOption_Security()],
    "all 40 bytes": [IPOption_NOP()] * 40,
}


@promise("IPv4 options are skipped: {options}", proto=PROTOCOLS, options=IPV4_OPTIONS)
def _(bed, proto, options):
    there_and_back(bed, Talk(V4, proto, port=80, local_port=8080), network={"options": options})


HOP = extension(IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]))
DEST = extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]))
ROUTE_DONE = extension(IPv6ExtHdrRouting(type=4, segleft=0, addresses=["2001:db8::1", "::1"]))
AUTH = extension(AH(payloadlen=4, spi=1, seq=1, icv=bytes(12)))
ATOMIC = extension(IPv6ExtHdrFragment(offset=0, m=0, id=5))
EXTENSIONS = {
    "hop-by-hop options": [HOP],
    "destination options": [DEST],
    "a routing header with no segments left": [ROUTE_DONE],
    "an authentication header": [AUTH],
    "an atomic fragment": [ATOMIC],
    "all of them": [HOP, DEST, ROUTE_DONE, ATOMIC, AUTH, DEST],
    "eight of them": [HOP] + [DEST] * 7,
}


@promise("IPv6 extension headers are skipped: {ext}", proto=PROTOCOLS, ext=EXTENSIONS)
def _(bed, proto, ext):
    there_and_back(bed, Talk(V6, proto, port=80, local_port=8080), network={"ext": ext})


@promise("more than eight IPv6 extension headers are passed as malformed", proto=PROTOCOLS)
def _(bed, proto):
    talk = Talk(V6, proto)
    expect(bed.ingress(talk.asked(**talk.opening(), network={"ext": [DEST] * 9})),
           "IN_MALFORMED")
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))


@promise("an answer with more than eight extension headers does not leave", proto=PROTOCOLS)
def _(bed, proto):
    talk = Talk(V6, proto)
    expect(bed.egress(talk.answered(network={"ext": [DEST] * 9})), "OUT_GUARD")
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("traffic is counted by the gateway port that was dialled", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    sent = [talk.asked(**talk.opening()), talk.asked(payload=bytes(100))]
    answers = [talk.answered(), talk.answered(payload=bytes(300)), talk.answered(payload=b"")]
    for frame in sent:
        bed.ingress(frame)
    for frame in answers:
        bed.egress(frame)
    expect_equal("port 80", bed.port_stats(proto, 80),
                 (2, sum(map(len, sent)), 3, sum(map(len, answers))))
    expect_equal("port 8080", bed.port_stats(proto, 8080), None)
    other = "TCP" if proto == "UDP" else "UDP"
    expect_equal("the other protocol", bed.port_stats(other, 80), None)
