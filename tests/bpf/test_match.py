# SPDX-License-Identifier: GPL-2.0-only
"""Which packets belong to an export, and who may use it."""
import socket

import layout
from case import expect, expect_equal, promise
from packets import DOCKER0, FAMILIES, MACS, PROTOCOLS, V4, V6, Talk, icmp, incoming
from sockets import open_socket


def opens(bed, talk):
    """The talk is translated to loopback."""
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))


def refused(bed, talk, reason):
    """The talk is not translated, and leaves no record."""
    expect(bed.ingress(talk.asked(**talk.opening())), reason)
    expect_equal("flow", bed.flow(talk), None)


@promise("{proto} to an address that is no gateway is never touched", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    for address in (family.internet, family.neighbour, DOCKER0[family]):
        refused(bed, Talk(family, proto, gateway=address), "IN_NOT_GATEWAY")
    bed.gateway(DOCKER0[family])
    opens(bed, Talk(family, proto, gateway=DOCKER0[family]))


@promise("{proto} to a port that is not exported is passed", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    for port in (1, 8080, 8087, 8089, 0x981f, 65535):  # 0x981f: 8088 in the wrong byte order
        refused(bed, Talk(family, proto, port=port), "IN_NOT_EXPORTED")
    opens(bed, Talk(family, proto))


@promise("a port is exported for its protocol alone", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.export(9000, protos=[proto])
    other, = set(PROTOCOLS) - {proto}
    refused(bed, Talk(family, other, port=9000), "IN_NOT_EXPORTED")
    opens(bed, Talk(family, proto, port=9000))


@promise("an export of another loopback address is IPv4's alone", proto=PROTOCOLS)
def _(bed, proto):
    refused(bed, Talk(V6, proto, port=53), "IN_NOT_EXPORTED")
    opens(bed, Talk(V4, proto, port=53, local="127.0.0.53"))


@promise("a frame to the {mac} MAC is passed", family=FAMILIES, proto=PROTOCOLS,
         mac={name: mac for name, mac in MACS.items() if name != "host"})
def _(bed, family, proto, mac):
    talk = Talk(family, proto)
    expect(bed.ingress(talk.asked(mac, **talk.opening())), "IN_OTHER_HOST")
    expect_equal("flow", bed.flow(talk), None)
    opens(bed, talk)


@promise("an IPv6 packet with a v4-mapped address is not taken for an IPv4 one",
         proto=PROTOCOLS)
def _(bed, proto):
    for mapped in ({"gateway": f"::ffff:{V4.gateway}"}, {"client": f"::ffff:{V4.client}"}):
        talk = Talk(V6, proto, **mapped)
        expect(bed.ingress(talk.asked(**talk.opening())), "IN_MALFORMED")
    opens(bed, Talk(V4, proto))


# Whose packet is it?

@promise("a segment of a connection that is not ours is passed: {flags}", family=FAMILIES,
         flags=["A", "SA", "PA", "FA", "R", "RA", "SF", "SR", "SFA", "F", ""])
def _(bed, family, flags):
    talk = Talk(family, "TCP")
    expect(bed.ingress(talk.asked(flags=flags)), "IN_NO_FLOW")
    expect_equal("flow", bed.flow(talk), None)
    opens(bed, talk)
    expect(bed.ingress(talk.asked(flags=flags)), "IN_TRANSLATED", talk.delivered(flags=flags))


@promise("a SYN with ECN flags opens a connection", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    expect(bed.ingress(talk.asked(flags="SEC")), "IN_TRANSLATED", talk.delivered(flags="SEC"))


@promise("a segment to another gateway than its connection's is passed", family=FAMILIES)
def _(bed, family):
    bed.gateway(DOCKER0[family])
    ours, astray = Talk(family, "TCP"), Talk(family, "TCP", gateway=DOCKER0[family])
    opens(bed, ours)
    expect(bed.ingress(astray.asked(flags="A")), "IN_NO_FLOW")
    expect(bed.ingress(ours.asked(flags="A")), "IN_TRANSLATED", ours.delivered(flags="A"))


@promise("UDP answers to a connected socket of the host are passed", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    sock = open_socket(bed, family, socket.SOCK_DGRAM)
    sock.bind(talk.dialled)
    opens(bed, Talk(family, "UDP", client_port=1))  # one that is only bound does not count
    sock.connect(talk.client)
    refused(bed, talk, "IN_HOST_SOCKET")
    opens(bed, Talk(family, "UDP", client_port=40001))
    opens(bed, Talk(family, "UDP", client=family.neighbour))


@promise("a UDP flow continues when the host connects a socket of its own later", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP")
    opens(bed, talk)
    sock = open_socket(bed, family, socket.SOCK_DGRAM)
    sock.bind(talk.dialled)
    sock.connect(talk.client)
    opens(bed, talk)


# Who may use it: source address, and whether the default allows it.
NEVER = {
    "the host's own": ((V4, V4.gateway), (V6, V6.gateway)),
    "docker0's": ((V4, DOCKER0[V4]), (V6, DOCKER0[V6])),
    "unspecified": ((V4, "0.0.0.0"), (V6, "::")),
    "multicast": ((V4, "224.0.0.1"), (V6, "ff02::1")),
    "broadcast": ((V4, "255.255.255.255"),),
    "reserved": ((V4, "240.0.0.1"),),
    "link-local": ((V6, "fe80::5"), (V6, "febf::5")),
}


@promise("a source that is {what} is refused, whatever the list allows", what=NEVER,
         proto=PROTOCOLS)
def _(bed, what, proto):
    def is_refused(family, address):
        refused(bed, Talk(family, proto, client=address), "IN_SOURCE")

    for family, address in what:
        is_refused(family, address)
    bed.configure(who=layout.policy(layout.LIST_BRIDGE, onlink=True))
    bed.source(layout.LIST_BRIDGE, "0.0.0.0/0")
    bed.source(layout.LIST_BRIDGE, "::/0")
    for family, address in what:
        is_refused(family, address)
        opens(bed, Talk(family, proto, client=family.internet))


@promise("by default only the bridge's on-link prefixes are allowed", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    refused(bed, Talk(family, proto, client=family.internet), "IN_SOURCE")
    opens(bed, Talk(family, proto))
    opens(bed, Talk(family, proto, client=family.neighbour))


def internet(family):
    return "198.51.100.0/24" if family is V4 else "2001:db8::/32"


@promise("a list of the bridge replaces the on-link prefixes", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.configure(who=layout.policy(layout.LIST_BRIDGE))
    bed.source(layout.LIST_BRIDGE, internet(family))
    refused(bed, Talk(family, proto), "IN_SOURCE")
    opens(bed, Talk(family, proto, client=family.internet))


@promise("a list of the bridge with onlink in it adds to them", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    bed.configure(who=layout.policy(layout.LIST_BRIDGE, onlink=True))
    bed.source(layout.LIST_BRIDGE, internet(family))
    opens(bed, Talk(family, proto))
    opens(bed, Talk(family, proto, client=family.internet))
    refused(bed, Talk(family, proto, client="10.9.9.9" if family is V4 else "2001:dead::1"),
            "IN_SOURCE")


@promise("a list of the port replaces the bridge's, for that port only",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.export(9000, who=layout.policy(layout.LIST_PORTS))
    bed.source(layout.LIST_PORTS, internet(family))
    refused(bed, Talk(family, proto, port=9000), "IN_SOURCE")
    opens(bed, Talk(family, proto, port=9000, client=family.internet))
    refused(bed, Talk(family, proto, client=family.internet), "IN_SOURCE")
    opens(bed, Talk(family, proto))


@promise("a list of one family's prefixes, even all of them, lets nobody of the other in",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.configure(who=layout.policy(layout.LIST_BRIDGE))
    bed.source(layout.LIST_BRIDGE, "0.0.0.0/0" if family is V4 else "::/0")
    refused(bed, Talk(V6 if family is V4 else V4, proto), "IN_SOURCE")
    opens(bed, Talk(family, proto))


@promise("two ports' lists are not mixed up", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.export(9000, who=layout.policy(layout.LIST_PORTS))
    bed.export(9001, who=layout.policy(layout.LIST_PORTS + 1))
    bed.source(layout.LIST_PORTS, internet(family))
    bed.source(layout.LIST_PORTS + 1, family.neighbour)
    opens(bed, Talk(family, proto, port=9000, client=family.internet))
    refused(bed, Talk(family, proto, port=9001, client=family.internet), "IN_SOURCE")
    opens(bed, Talk(family, proto, port=9001, client=family.neighbour))
    refused(bed, Talk(family, proto, port=9000, client=family.neighbour), "IN_SOURCE")


@promise("a port's empty list lets nobody in", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.export(9000, who=layout.policy(layout.LIST_PORTS))
    refused(bed, Talk(family, proto, port=9000), "IN_SOURCE")
    bed.export(9000, who=layout.ONLINK)
    opens(bed, Talk(family, proto, port=9000))


@promise("the source is checked for new flows only", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto)
    opens(bed, talk)
    bed.configure(who=layout.policy(layout.LIST_BRIDGE))
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
    refused(bed, Talk(family, proto, client_port=40001), "IN_SOURCE")


@promise("a refused source does not take over a flow", family=FAMILIES)
def _(bed, family):
    bed.gateway(DOCKER0[family])
    talk, other = Talk(family, "UDP"), Talk(family, "UDP", gateway=DOCKER0[family])
    opens(bed, talk)
    bed.configure(who=layout.policy(layout.LIST_BRIDGE))
    expect(bed.ingress(other.asked()), "IN_SOURCE")
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())


@promise("an echo request to a gateway is the host's", family=FAMILIES)
def _(bed, family):
    kind = 8 if family is V4 else 128
    expect(bed.ingress(incoming(family, icmp(family, family.client, family.gateway, kind,
                                             b"ping"))), "IN_ICMP_OTHER")
