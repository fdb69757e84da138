# SPDX-License-Identifier: GPL-2.0-only
"""What leaves the bridge: ARP repaired, answers from loopback translated, the rest left alone."""
import layout
from case import expect, expect_equal, promise
from packets import (BRIDGE_MAC, CLIENT_MAC, DOCKER0, FAMILIES, PROTOCOLS, V4, V6, Talk, arp,
                     outgoing)


def host_arp(sender, target, operation="who-has"):
    return arp(sender, target, operation, src=BRIDGE_MAC)


@promise("ARP with {loopback} as sender gets the bridge's address", operation=["who-has", "is-at"],
         loopback=["127.0.0.1", "127.0.0.53"])
def _(bed, operation, loopback):
    expect(bed.egress(host_arp(loopback, V4.client, operation)), "OUT_ARP",
           host_arp(V4.gateway, V4.client, operation))


@promise("ARP gets the bridge's address in the client's own subnet")
def _(bed):
    bed.source(layout.LIST_ONLINK, "10.7.0.0/16", "10.7.0.1")
    bed.source(layout.LIST_ONLINK, "10.7.8.0/24", "10.7.8.1")
    for target, local in ((V4.client, V4.gateway), ("10.7.9.9", "10.7.0.1"),
                          ("10.7.8.9", "10.7.8.1")):
        expect(bed.egress(host_arp("127.0.0.1", target)), "OUT_ARP", host_arp(local, target))


@promise("ARP for a client that no subnet covers still gets an address of the bridge")
def _(bed):
    bed.source(layout.LIST_ONLINK, "10.7.0.0/16")  # a device route
    bed.source(layout.LIST_ONLINK, "10.7.8.0/24", "10.7.8.1")
    for target, local in ((V4.internet, V4.gateway), ("10.7.0.9", V4.gateway),
                          ("10.7.8.9", "10.7.8.1")):
        expect(bed.egress(host_arp("127.0.0.1", target)), "OUT_ARP", host_arp(local, target))


@promise("ARP that cannot be repaired does not leave, and is not counted as an attack")
def _(bed):
    bed.configure(arp_sender=None)
    bed.source(layout.LIST_ONLINK, "10.7.0.0/16")
    expect(bed.egress(host_arp("127.0.0.1", V4.internet)), "OUT_ARP_NO_SENDER")
    expect(bed.egress(host_arp("127.0.0.1", "10.7.0.9")), "OUT_ARP_NO_SENDER")


@promise("ARP about a loopback address does not leave")
def _(bed):
    expect(bed.egress(host_arp(V4.gateway, "127.0.0.2")), "OUT_GUARD")
    expect(bed.egress(host_arp("127.0.0.1", "127.0.0.2")), "OUT_GUARD")


@promise("other ARP is left alone")
def _(bed):
    expect(bed.egress(host_arp(V4.gateway, V4.client)), "OUT_OTHER")
    expect(bed.egress(host_arp(V4.gateway, V4.client, "is-at")), "OUT_OTHER")
    foreign = host_arp("127.0.0.1", V4.client)
    expect(bed.egress(foreign[:16] + b"\x86\xdd" + foreign[18:]), "OUT_OTHER")


# UDP from a gateway. A test run's socket is always bound to the frame's own source address
# (net/bpf/test_run.c: bpf_prog_test_run_skb), never to the wildcard: what answers of such services
# become, tests/e2e/udp.bats tests.

PORTS = {"the same port": {}, "a remapped port": {"port": 80, "local_port": 8080}}


def gateway_answer(talk, source=None):
    return outgoing(talk.family, talk.packet((source or talk.family.gateway, talk.local[1]),
                                             talk.client))


@promise("an answer of a service bound to the gateway itself is left alone, flow or not",
         family=FAMILIES, port=PORTS)
def _(bed, family, port):
    bed.gateway(DOCKER0[family])
    talk = Talk(family, "UDP", gateway=DOCKER0[family], **port)
    for source in (family.gateway, DOCKER0[family]):
        expect(bed.egress(gateway_answer(talk, source)), "OUT_OTHER")
    bed.ingress(talk.asked())
    for source in (family.gateway, DOCKER0[family]):
        expect(bed.egress(gateway_answer(talk, source)), "OUT_OTHER")
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("an answer of a service beside 127.0.0.53's is left alone, too")
def _(bed):
    talk = Talk(V4, "UDP", port=53, local="127.0.0.53")
    bed.ingress(talk.asked())
    expect(bed.egress(gateway_answer(talk)), "OUT_OTHER")
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("UDP from an address that is no gateway is left alone", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", port=80, local_port=8080)
    bed.ingress(talk.asked())
    for source in (family.internet, DOCKER0[family]):
        expect(bed.egress(gateway_answer(talk, source)), "OUT_OTHER")


@promise("UDP from a gateway's port that no service has is left alone", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", port=80, local_port=8080)
    bed.ingress(talk.asked())
    expect(bed.egress(talk.received()), "OUT_OTHER")  # port 80 is the gateway's


@promise("TCP from a gateway is left alone", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    bed.ingress(talk.asked(flags="S"))
    expect(bed.egress(gateway_answer(talk)), "OUT_OTHER")
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("a loopback port that is not exported does not leave", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    for port in (1, 80, 8089, 0x981f):
        expect(bed.egress(Talk(family, proto, port=port).answered()), "OUT_GUARD")
    expect(bed.egress(Talk(family, proto).answered()), "OUT_TRANSLATED",
           Talk(family, proto).received())


@promise("a loopback port of another protocol or address does not leave", proto=PROTOCOLS)
def _(bed, proto):
    other, = set(PROTOCOLS) - {proto}
    bed.export(9000, protos=[proto])
    for family in FAMILIES:
        expect(bed.egress(Talk(family, other, port=9000).answered()), "OUT_GUARD")
        expect(bed.egress(Talk(family, proto, port=9000).answered()), "OUT_TRANSLATED",
               Talk(family, proto, port=9000).received())
    expect(bed.egress(Talk(V4, proto, port=9000, local="127.0.0.2").answered()), "OUT_GUARD")
    expect(bed.egress(Talk(V6, proto, port=53).answered()), "OUT_GUARD")
    expect(bed.egress(Talk(V4, proto, port=53).answered()), "OUT_GUARD")


@promise("what is forwarded to clients is left alone", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    for port in (80, 8080, 8088):
        talk = Talk(family, proto, gateway=family.internet, port=port)
        expect(bed.egress(talk.received()), "OUT_OTHER")


@promise("answers are counted by port, and what is left alone is not", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "UDP", port=80, local_port=8080)
    bed.ingress(talk.asked())
    bed.egress(talk.answered())
    bed.egress(gateway_answer(talk))
    bed.egress(gateway_answer(talk, family.internet))
    expect_equal("port 80", bed.port_stats("UDP", 80),
                 (1, len(talk.asked()), 1, len(talk.answered())))


@promise("an Ethernet address is kept on the way out", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto)
    frame = bed.egress(talk.answered()).frame
    expect_equal("addresses", frame[:12].hex(":"), f"{CLIENT_MAC}:{BRIDGE_MAC}")
