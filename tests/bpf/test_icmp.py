# SPDX-License-Identifier: GPL-2.0-only
"""ICMP errors about translated flows: the message and the header it quotes are translated.

The transport checksum in a quote stays as the quoted packet had it (RFC 5508, 4.2).
"""
from scapy.layers.inet import IPOption_NOP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN

import layout
from case import expect, promise
from packets import (DOCKER0, FAMILIES, PROTOCOLS, V4, V6, Talk, extension, icmp, incoming,
                     outgoing, redirected)
from sockets import connection, remember

# name -> (family, type, code, the word before the quote)
ERRORS = {
    "IPv4 host unreachable": (V4, 3, 1, bytes(4)),
    "IPv4 port unreachable": (V4, 3, 3, bytes(4)),
    "IPv4 fragmentation needed": (V4, 3, 4, bytes([0, 0, 5, 0x14])),
    "IPv4 time exceeded": (V4, 11, 0, bytes(4)),
    "IPv4 parameter problem": (V4, 12, 0, bytes([20, 0, 0, 0])),
    "IPv6 destination unreachable": (V6, 1, 4, bytes(4)),
    "IPv6 packet too big": (V6, 2, 0, bytes([0, 0, 5, 0])),
    "IPv6 time exceeded": (V6, 3, 0, bytes(4)),
    "IPv6 parameter problem": (V6, 4, 1, bytes([0, 0, 0, 6])),
}
OTHERS = {
    "IPv4 echo reply": (V4, 0), "IPv4 source quench": (V4, 4), "IPv4 redirect": (V4, 5),
    "IPv4 echo request": (V4, 8), "IPv4 timestamp": (V4, 13), "IPv4 type 1": (V4, 1),
    "IPv4 type 2": (V4, 2),
    "IPv6 type 0": (V6, 0), "IPv6 type 5": (V6, 5), "IPv6 type 100": (V6, 100),
    "IPv6 echo request": (V6, 128), "IPv6 echo reply": (V6, 129),
    "IPv6 redirect": (V6, 137),
}
UNREACHABLE = {V4: 3, V6: 1}
PORTS = {"the same port": {}, "a remapped port": {"port": 80, "local_port": 8080}}
ROUTER = {V4: "172.30.0.254", V6: "fd00:30::fe"}


def check_of(body, proto):
    at = 16 if proto == "TCP" else 6
    return int.from_bytes(body[at:at + 2], "big")


def quotes(talk, pair, becomes, short=False, network=None):
    """A packet between a pair of ends, and the same between another, its checksum kept."""
    kept = check_of(talk.body(*pair), talk.proto)
    quote = talk.packet(*pair, network=network)
    after = talk.packet(*becomes, network=network, chksum=kept)
    if short:  # RFC 792: the header and 8 bytes
        quote, after = (one[:talk.family.header + 8] for one in (quote, after))
    return quote, after


def error_in(talk, kind, code=0, rest=bytes(4), source=None, **how):
    """A client's error about an answer: as sent, and as lo should receive it."""
    source = source or talk.client[0]
    quote, after = quotes(talk, (talk.dialled, talk.client), (talk.local, talk.client), **how)
    return (incoming(talk.family, icmp(talk.family, source, talk.dialled[0], kind, quote, code,
                                       rest)),
            redirected(talk.family, icmp(talk.family, source, talk.local[0], kind, after, code,
                                         rest)))


def error_out(talk, kind, code=0, rest=bytes(4), **how):
    """The host's error about a query: as it leaves loopback, and as the client should get it."""
    quote, after = quotes(talk, (talk.client, talk.local), (talk.client, talk.dialled), **how)
    return (outgoing(talk.family, icmp(talk.family, talk.local[0], talk.client[0], kind, quote,
                                       code, rest)),
            outgoing(talk.family, icmp(talk.family, talk.dialled[0], talk.client[0], kind, after,
                                       code, rest)))


def opened(bed, talk):
    bed.ingress(talk.asked(**talk.opening()))
    return talk


@promise("in: {error} about {proto} to {port} is translated", error=ERRORS, proto=PROTOCOLS,
         port=PORTS)
def _(bed, error, proto, port):
    family, kind, code, rest = error
    talk = opened(bed, Talk(family, proto, **port))
    for short in (False, True):
        frame, becomes = error_in(talk, kind, code, rest, short=short)
        expect(bed.ingress(frame), "IN_ICMP", becomes)


@promise("out: {error} about {proto} to {port} is translated", error=ERRORS, proto=PROTOCOLS,
         port=PORTS)
def _(bed, error, proto, port):
    family, kind, code, rest = error
    talk = opened(bed, Talk(family, proto, **port))
    for short in (False, True):
        frame, becomes = error_out(talk, kind, code, rest, short=short)
        expect(bed.egress(frame), "OUT_ICMP", becomes)


@promise("in: {other} is passed, whatever it quotes", other=OTHERS)
def _(bed, other):
    family, kind = other
    talk = opened(bed, Talk(family, "UDP"))
    expect(bed.ingress(error_in(talk, kind)[0]), "IN_ICMP_OTHER")
    frame, becomes = error_in(talk, UNREACHABLE[family])
    expect(bed.ingress(frame), "IN_ICMP", becomes)


@promise("out: {other} from loopback does not leave, whatever it quotes", other=OTHERS)
def _(bed, other):
    family, kind = other
    talk = opened(bed, Talk(family, "UDP"))
    expect(bed.egress(error_out(talk, kind)[0]), "OUT_GUARD")


@promise("in: an error of a router behind the bridge is translated", family=FAMILIES)
def _(bed, family):
    talk = opened(bed, Talk(family, "UDP"))
    frame, becomes = error_in(talk, UNREACHABLE[family], source=ROUTER[family])
    expect(bed.ingress(frame), "IN_ICMP", becomes)


@promise("in: an error about a flow through a second gateway is translated",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    talk = opened(bed, Talk(family, proto, gateway=DOCKER0[family], port=80, local_port=8080))
    frame, becomes = error_in(talk, UNREACHABLE[family])
    expect(bed.ingress(frame), "IN_ICMP", becomes)
    frame, becomes = error_out(talk, UNREACHABLE[family])
    expect(bed.egress(frame), "OUT_ICMP", becomes)


@promise("in: an error about 127.0.0.53's export is translated", proto=PROTOCOLS)
def _(bed, proto):
    talk = opened(bed, Talk(V4, proto, port=53, local="127.0.0.53"))
    frame, becomes = error_in(talk, 3, 3)
    expect(bed.ingress(frame), "IN_ICMP", becomes)
    frame, becomes = error_out(talk, 3, 3)
    expect(bed.egress(frame), "OUT_ICMP", becomes)


@promise("in: a quote with options or extension headers is translated", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = opened(bed, Talk(family, proto, port=80, local_port=8080))
    network = {"options": [IPOption_NOP()] * 8} if family is V4 else \
              {"ext": [extension(IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]))]}
    frame, becomes = error_in(talk, UNREACHABLE[family], network=network)
    expect(bed.ingress(frame), "IN_ICMP", becomes)
    frame, becomes = error_out(talk, UNREACHABLE[family], network=network)
    expect(bed.egress(frame), "OUT_ICMP", becomes)


@promise("in: a quoted first fragment is translated, a later one is passed", family=FAMILIES)
def _(bed, family):
    talk = opened(bed, Talk(family, "UDP"))

    def fragment(offset):
        if family is V4:
            return {"flags": "MF", "frag": offset}
        return {"ext": [extension(IPv6ExtHdrFragment(id=3, m=1, offset=offset))]}
    frame, becomes = error_in(talk, UNREACHABLE[family], network=fragment(0))
    expect(bed.ingress(frame), "IN_ICMP", becomes)
    frame, _ = error_in(talk, UNREACHABLE[family], network=fragment(10))
    expect(bed.ingress(frame), "IN_ICMP_OTHER")


@promise("ports beyond the quoted datagram's own length are not read", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = opened(bed, Talk(family, proto, port=80, local_port=8080))

    def said(length):
        return {"len": V4.header + length} if family is V4 else {"plen": length}
    for length in (1, 2, 3):
        frame, _ = error_in(talk, UNREACHABLE[family], network=said(length))
        expect(bed.ingress(frame), "IN_ICMP_OTHER")
        frame, _ = error_out(talk, UNREACHABLE[family], network=said(length))
        expect(bed.egress(frame), "OUT_GUARD")
    frame, becomes = error_in(talk, UNREACHABLE[family], network=said(4))
    expect(bed.ingress(frame), "IN_ICMP", becomes)
    frame, becomes = error_out(talk, UNREACHABLE[family], network=said(4))
    expect(bed.egress(frame), "OUT_ICMP", becomes)


@promise("in: an error about a connection that remembers what was dialled needs no flow",
         family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP", client_port=bed.fresh_port())
    frame, becomes = error_in(talk, UNREACHABLE[family])
    server = connection(bed, talk)
    expect(bed.ingress(frame), "IN_ICMP_OTHER")
    remember(bed, server, (talk.dialled[0], 80))
    expect(bed.ingress(frame), "IN_ICMP_OTHER")
    remember(bed, server, talk.dialled)
    expect(bed.ingress(frame), "IN_ICMP", becomes)


FORGED = {
    "another client": lambda f: {"client": f.neighbour},
    "another client port": lambda f: {"client_port": 40001},
    "another gateway port of the service": lambda f: {"port": 81, "local_port": 8080},
    "a port that is not exported": lambda f: {"port": 8089},
    "another gateway": lambda f: {"gateway": DOCKER0[f]},
    "an address that is no gateway": lambda f: {"gateway": f.neighbour},
}


@promise("in: a forged error about {forged} is passed", family=FAMILIES, proto=PROTOCOLS,
         forged=FORGED)
def _(bed, family, proto, forged):
    bed.gateway(DOCKER0[family])
    bed.export(81, local_port=8080)
    real = {"port": 80, "local_port": 8080}
    talk = opened(bed, Talk(family, proto, **real))
    other = Talk(family, proto, **{**real, **forged(family)})
    quote, _ = quotes(talk, (other.dialled, other.client), (other.local, other.client))
    expect(bed.ingress(incoming(family, icmp(family, talk.client[0], talk.dialled[0],
                                             UNREACHABLE[family], quote))), "IN_ICMP_OTHER")
    frame, becomes = error_in(talk, UNREACHABLE[family])
    expect(bed.ingress(frame), "IN_ICMP", becomes)


@promise("in: an error sent to another gateway than the quoted packet's is passed",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    talk = opened(bed, Talk(family, proto))
    quote = talk.packet(talk.dialled, talk.client)
    expect(bed.ingress(incoming(family, icmp(family, talk.client[0], DOCKER0[family],
                                             UNREACHABLE[family], quote))), "IN_ICMP_OTHER")
    frame, becomes = error_in(talk, UNREACHABLE[family])
    expect(bed.ingress(frame), "IN_ICMP", becomes)


@promise("in: an error about a packet in the other direction is passed", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = opened(bed, Talk(family, proto))
    for quote in (talk.packet(talk.client, talk.dialled), talk.packet(talk.local, talk.client)):
        expect(bed.ingress(incoming(family, icmp(family, talk.client[0], talk.dialled[0],
                                                 UNREACHABLE[family], quote))), "IN_ICMP_OTHER")


@promise("an error that quotes another protocol, or garbage, is not translated",
         family=FAMILIES, quote={
    "ICMP": lambda f, a, b: icmp(f, a, b, 8, b"ping"),
    "nothing": lambda f, a, b: b"",
    "zeros": lambda f, a, b: bytes(48),
    "ones": lambda f, a, b: b"\xff" * 48,
})
def _(bed, family, quote):
    bed.record_flow(Talk(family, "UDP"))
    quoted = quote(family, family.gateway, family.client)
    expect(bed.ingress(incoming(family, icmp(family, family.client, family.gateway,
                                             UNREACHABLE[family], quoted))), "IN_ICMP_OTHER")
    quoted = quote(family, family.client, family.loopback)
    expect(bed.egress(outgoing(family, icmp(family, family.loopback, family.client,
                                            UNREACHABLE[family], quoted))), "OUT_GUARD")


@promise("out: an error without a flow goes to the only gateway that fits, else nowhere",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    frame, becomes = error_out(talk, UNREACHABLE[family])
    expect(bed.egress(frame), "OUT_ICMP", becomes)
    bed.gateway(DOCKER0[family])
    expect(bed.egress(frame), "OUT_AMBIGUOUS")


@promise("out: an error about a service that is not exported does not leave", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    expect(bed.egress(error_out(Talk(family, proto, port=9999), UNREACHABLE[family])[0]),
           "OUT_GUARD")


@promise("out: an error of the host about anything else is passed", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", port=1234)
    quote = talk.packet(talk.client, talk.dialled)
    expect(bed.egress(outgoing(family, icmp(family, family.gateway, family.client,
                                            UNREACHABLE[family], quote))), "OUT_OTHER")


@promise("in: errors to an address that is no gateway, or to another host, are passed",
         family=FAMILIES)
def _(bed, family):
    talk = opened(bed, Talk(family, "UDP"))
    quote = talk.packet(talk.dialled, talk.client)
    message = icmp(family, talk.client[0], family.internet, UNREACHABLE[family], quote)
    expect(bed.ingress(incoming(family, message)), "IN_NOT_GATEWAY")
    message = icmp(family, talk.client[0], talk.dialled[0], UNREACHABLE[family], quote)
    expect(bed.ingress(incoming(family, message, "02:00:00:00:30:99")), "IN_OTHER_HOST")
    bed.forget_flows()
    expect(bed.ingress(incoming(family, message)), "IN_ICMP_OTHER")
