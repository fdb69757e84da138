# SPDX-License-Identifier: GPL-2.0-only
"""Bridges share the maps, and nothing else: whatever one of them has, another does not use.

Both bridges have clients with the same addresses and ports.
"""
import layout
from case import RETURNED, VERDICTS, expect, expect_equal, promise
from packets import (BRIDGE_MAC, CLIENT_MAC, DOCKER0, FAMILIES, PROTOCOLS, V4, Talk, arp,
                     incoming, outgoing)
from sockets import answer, connection, remember, remembered
from test_icmp import UNREACHABLE, error_in, error_out

EXPORTS = {8088: 8088, 80: 8080}  # of the main bridge, gateway port: loopback port


def attach_other(bed, gateways=None, exports=EXPORTS, **export):
    """The other bridge, attached the same way but for what the arguments say."""
    with bed.on(bed.other):
        bed.attach(gateways)
        for port, local_port in exports.items():
            bed.export(port, local_port=local_port, **export)


def error_to(talk):
    """ICMP from a client: unreachable. Return: as sent, and as lo should receive it."""
    return error_in(talk, UNREACHABLE[talk.family])


def error_from(talk):
    """ICMP from the host: unreachable. Return: as sent, and as the client should receive it."""
    return error_out(talk, UNREACHABLE[talk.family])


def expect_uncounted(result, reason, frame=None):
    """The same as expect() of what is counted nowhere."""
    expect_equal("counters", result.moved, {})
    expect_equal("returned", result.returned, RETURNED[VERDICTS[reason]])
    expect_equal("frame", result.frame, result.sent if frame is None else frame)


# A bridge without an entry

@promise("a bridge without an entry is not served: {proto} over {family}", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    # in either bridge's slot, and in that which none has, are all records of it
    talk = Talk(family, proto)
    attach_other(bed)
    bed.ingress(talk.asked(**talk.opening()))
    with bed.on(bed.other):
        bed.ingress(talk.asked(**talk.opening()))
        bed.delete_config()
        for fields in talk.opening(), {}:
            expect_uncounted(bed.ingress(talk.asked(**fields)), "IN_NOT_GATEWAY")
        expect_uncounted(bed.ingress(error_to(talk)[0]), "IN_NOT_GATEWAY")
        expect_uncounted(bed.egress(talk.answered()), "OUT_GUARD")
        expect_uncounted(bed.egress(error_from(talk)[0]), "OUT_GUARD")
        bed.configure()  # control
        expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("a bridge without an entry is guarded", family=FAMILIES, side=["to", "from"])
def _(bed, family, side):
    ends = [(family.client, 40000), (family.loopback, 8088)]
    if side == "from":
        ends.reverse()
    frame = incoming(family, Talk(family, "TCP").packet(*ends))
    # --no-guard of another bridge, and of this one before
    bed.configure(guard_dst=False)
    attach_other(bed)
    reason = "IN_GUARD_DST" if side == "to" else "IN_GUARD_SRC"
    with bed.on(bed.other):
        bed.configure(guard_dst=False)
        bed.delete_config()
        expect_uncounted(bed.ingress(frame), reason)
    # control
    expect(bed.ingress(frame), "IN_NOT_GATEWAY" if side == "to" else reason)


@promise("a bridge without an entry is guarded against ARP, and sends none about loopback")
def _(bed):
    bed.configure(guard_dst=False)
    question = arp("127.0.0.1", V4.client, dst=CLIENT_MAC, src=BRIDGE_MAC)
    attach_other(bed)
    with bed.on(bed.other):
        bed.delete_config()
        expect_uncounted(bed.ingress(arp(V4.client, "127.0.0.1")), "IN_GUARD_ARP")
        expect_uncounted(bed.ingress(arp("127.0.0.1", V4.gateway)), "IN_GUARD_ARP")
        expect_uncounted(bed.egress(question), "OUT_ARP_NO_SENDER")
        bed.configure()  # control
        expect(bed.egress(question), "OUT_ARP",
               arp(V4.gateway, V4.client, dst=CLIENT_MAC, src=BRIDGE_MAC))


@promise("a bridge that is counted nowhere is guarded and served all the same", family=FAMILIES)
def _(bed, family):
    talk = Talk(family, "TCP")
    loopback = incoming(family, talk.packet(talk.client, talk.local))
    attach_other(bed)
    with bed.on(bed.other):
        bed.delete_counters()
        expect_uncounted(bed.ingress(loopback), "IN_GUARD_DST")
        expect_uncounted(bed.ingress(talk.asked(flags="S")), "IN_TRANSLATED",
                         talk.delivered(flags="S"))


# Arrays in front of the hashes

@promise("a bridge in another's place of bridges_near is not taken for it: {proto} over {family}",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto)
    attach_other(bed, exports={})
    bed.put_near(bed.other)
    with bed.on(bed.other):
        expect(bed.ingress(talk.asked(**talk.opening())), "IN_NOT_EXPORTED")
        expect(bed.egress(talk.answered()), "OUT_GUARD")
    # control: the main bridge is served
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))


# What is configured

@promise("an export of one bridge is none of another's: {proto} over {family}", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    attach_other(bed, exports={9000: 8088})
    talk = Talk(family, proto)
    with bed.on(bed.other):
        bed.record_flow(talk)
        for fields in talk.opening(), {}:
            expect(bed.ingress(talk.asked(**fields)), "IN_NOT_EXPORTED")
        own = Talk(family, proto, port=9000, local_port=8088)  # control
        expect(bed.ingress(own.asked(**own.opening())), "IN_TRANSLATED",
               own.delivered(**own.opening()))
    expect(bed.ingress(own.asked(**own.opening())), "IN_NOT_EXPORTED")
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))


@promise("the same gateway port leads each bridge's clients to its own service",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    attach_other(bed, exports={8088: 9000})
    talk, other = Talk(family, proto), Talk(family, proto, local_port=9000)
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))
    with bed.on(bed.other):
        expect(bed.ingress(other.asked(**other.opening())), "IN_TRANSLATED",
               other.delivered(**other.opening()))
        expect(bed.egress(other.answered()), "OUT_TRANSLATED", other.received())


@promise("a service of one bridge does not answer through another: {proto} over {family}",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    attach_other(bed, exports={})
    talk = Talk(family, proto)
    with bed.on(bed.other):
        bed.record_flow(talk)
        expect(bed.egress(talk.answered()), "OUT_GUARD")
        expect(bed.egress(error_from(talk)[0]), "OUT_GUARD")
        bed.export(8088)  # control
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("how many gateway ports lead to a service is each bridge's own", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    attach_other(bed, exports={80: 8080, 81: 8080})
    talk = Talk(family, proto, port=80, local_port=8080)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())
    with bed.on(bed.other):
        expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")


@promise("a gateway of one bridge is none of another's", family=FAMILIES, gateways=[1, 2])
def _(bed, family, gateways):
    attach_other(bed, gateways=DOCKER0)
    if gateways == 2:  # these are looked up, a single one is not
        bed.gateway("192.0.2.1" if family is V4 else "2001:db8::1")
        with bed.on(bed.other):
            bed.gateway("192.0.2.2" if family is V4 else "2001:db8::2")
    for bridge, own, foreign in ((bed.main, family.gateway, DOCKER0[family]),
                                 (bed.other, DOCKER0[family], family.gateway)):
        with bed.on(bridge):
            talk = Talk(family, "UDP", gateway=own)
            expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
            talk = Talk(family, "UDP", gateway=foreign)
            expect(bed.ingress(talk.asked()), "IN_NOT_GATEWAY")


@promise("a source of one bridge is none of another's: {lst}", family=FAMILIES,
         lst={"on-link": (layout.LIST_ONLINK, layout.ONLINK),
              "--from of the bridge": (layout.LIST_BRIDGE, layout.policy(layout.LIST_BRIDGE)),
              "--from of a port": (layout.LIST_PORTS, layout.policy(layout.LIST_PORTS))})
def _(bed, family, lst):
    number, policy = lst
    attach_other(bed, exports={})
    prefix = "198.51.100.0/24" if family is V4 else "2001:db8::/32"
    talk = Talk(family, "UDP", port=9000, client=family.internet)
    for bridge in bed.bridges:
        with bed.on(bridge):
            bed.export(9000, who=policy)
    with bed.on(bed.other):
        bed.source(number, prefix)
        expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
    expect(bed.ingress(talk.asked()), "IN_SOURCE")


@promise("the policy for exports without their own is each bridge's", family=FAMILIES)
def _(bed, family):
    attach_other(bed)
    talk = Talk(family, "UDP")
    with bed.on(bed.other):
        bed.configure(who=layout.policy(layout.LIST_BRIDGE))
        expect(bed.ingress(talk.asked()), "IN_SOURCE")
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())


@promise("the host's own addresses are sources on no bridge", family=FAMILIES)
def _(bed, family):
    # added for the one, as 192.0.2.9 of an interface that came later
    attach_other(bed)
    own, prefix = ("192.0.2.9", "192.0.2.0/24") if family is V4 else ("2001:db8::9", "2001:db8::/64")
    talk = Talk(family, "UDP", client=own)
    for bridge in bed.bridges:
        with bed.on(bridge):
            bed.source(layout.LIST_ONLINK, prefix)
            expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())  # control
    bed.forget_flows()
    bed.source(layout.LIST_HOST, own)
    for bridge in bed.bridges:
        with bed.on(bridge):
            expect(bed.ingress(talk.asked()), "IN_SOURCE")


@promise("ARP is repaired with the address of its own bridge")
def _(bed):
    attach_other(bed)
    bed.source(layout.LIST_ONLINK, "10.7.0.0/16", "10.7.0.1")
    with bed.on(bed.other):
        bed.configure(arp_sender="10.8.0.1")
    for bridge, target, sender in ((bed.main, "10.7.0.9", "10.7.0.1"),
                                   (bed.other, "10.7.0.9", "10.8.0.1"),
                                   (bed.main, "10.9.0.9", V4.gateway)):
        with bed.on(bridge):
            expect(bed.egress(arp("127.0.0.1", target, src=BRIDGE_MAC)), "OUT_ARP",
                   arp(sender, target, src=BRIDGE_MAC))


# What the programs record

def both_ways(bed, family, proto):
    """The same client socket on both bridges, which dialled another gateway on each."""
    bed.gateway(DOCKER0[family])
    attach_other(bed)
    with bed.on(bed.other):
        bed.gateway(DOCKER0[family])
    port = bed.fresh_port()
    return ((bed.main, Talk(family, proto, client_port=port)),
            (bed.other, Talk(family, proto, client_port=port, gateway=DOCKER0[family])))


@promise("clients of two bridges with the same address and port have flows of their own",
         family=FAMILIES, proto=PROTOCOLS, evicted=[False, True])
def _(bed, family, proto, evicted):
    talks = both_ways(bed, family, proto)
    for bridge, talk in talks:
        with bed.on(bridge):
            expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
                   talk.delivered(**talk.opening()))
    if evicted:
        bed.evict_flows()
    for bridge, talk in talks:
        with bed.on(bridge):
            expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())
            sent, received = error_from(talk)
            expect(bed.egress(sent), "OUT_ICMP", received)


@promise("a flow of one bridge serves no other: {proto} over {family}", family=FAMILIES,
         proto=PROTOCOLS, evicted=[False, True])
def _(bed, family, proto, evicted):
    (_, talk), _ = both_ways(bed, family, proto)
    bed.ingress(talk.asked(**talk.opening()))
    if evicted:
        bed.evict_flows()
    with bed.on(bed.other):
        expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")
        expect(bed.egress(error_from(talk)[0]), "OUT_AMBIGUOUS")
        expect(bed.ingress(error_to(talk)[0]), "IN_ICMP_OTHER")
        # nor does it make up for a source that is not allowed
        bed.configure(who=layout.policy(layout.LIST_BRIDGE))
        reason = "IN_NO_FLOW" if proto == "TCP" else "IN_SOURCE"
        expect(bed.ingress(talk.asked()), reason)
    # control
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())


@promise("a flood on one bridge overwrites no latest flow of another, even of the same address",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    (_, talk), _ = both_ways(bed, family, proto)
    bed.ingress(talk.asked(**talk.opening()))
    with bed.on(bed.other):
        bed.open_many(Talk(family, proto), range(1, layout.RECENT_FLOWS + 1))
    bed.evict_flows()
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())
    bed.open_many(Talk(family, proto), range(1, layout.RECENT_FLOWS + 1))  # control
    bed.evict_flows()
    expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")


@promise("fragments of one bridge follow none of another's, {side}", family=FAMILIES,
         side=["in", "out"])
def _(bed, family, side):
    attach_other(bed)
    talk = Talk(family, "UDP")
    payload = bytes(3000)
    if side == "in":
        run, passed, reasons = bed.ingress, "IN_FRAGMENT_PASS", ("IN_TRANSLATED", "IN_FRAGMENT")
        source, to, make = talk.client, talk.dialled, incoming
    else:
        run, passed, reasons = bed.egress, "OUT_GUARD", ("OUT_TRANSLATED", "OUT_FRAGMENT")
        source, to, make = talk.local, talk.client, outgoing
    first, second, _ = (make(family, piece)
                        for piece in talk.pieces(source, to, 77, payload=payload))
    expect_equal("first", list(run(first).moved), [reasons[0]])
    with bed.on(bed.other):
        expect(run(second), passed)
        expect_equal("first", list(run(first).moved), [reasons[0]])  # control
        expect_equal("second", list(run(second).moved), [reasons[1]])
    expect_equal("second", list(run(second).moved), [reasons[1]])


@promise("a fragment that one bridge passes is translated on another", family=FAMILIES)
def _(bed, family):
    attach_other(bed, exports={})
    talk = Talk(family, "UDP")
    first, second, _ = (incoming(family, piece) for piece in
                        talk.pieces(talk.client, talk.dialled, 77, payload=bytes(3000)))
    expect_equal("first", list(bed.ingress(first).moved), ["IN_TRANSLATED"])
    with bed.on(bed.other):
        expect(bed.ingress(first), "IN_NOT_EXPORTED")
        expect(bed.ingress(second), "IN_FRAGMENT_PASS")
    expect_equal("second", list(bed.ingress(second).moved), ["IN_FRAGMENT"])


@promise("traffic of a port is counted for its own bridge", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    attach_other(bed)
    talk = Talk(family, proto)
    frame, answered = talk.asked(**talk.opening()), talk.answered()
    bed.ingress(frame)
    with bed.on(bed.other):
        expect_equal("traffic", bed.port_stats(proto, 8088), None)
        for _ in range(2):
            bed.ingress(frame)
        bed.egress(answered)
        expect_equal("traffic", bed.port_stats(proto, 8088),
                     (2, 2 * len(frame), 1, len(answered)))
    expect_equal("traffic", bed.port_stats(proto, 8088), (1, len(frame), 0, 0))


# Connections

def connection_of_other(bed, family):
    """Return: a talk, and its server's socket, in which the other bridge remembers it"""
    attach_other(bed)
    talk = Talk(family, "TCP", client_port=bed.fresh_port())
    server = connection(bed, talk)
    with bed.on(bed.other):
        remember(bed, server, talk.dialled)
    return talk, server


@promise("a connection through one bridge is not one of another's: a segment with {flags}",
         family=FAMILIES, flags=["A", "PA", "R", "FA"])
def _(bed, family, flags):
    talk, server = connection_of_other(bed, family)
    kept = remembered(bed, server)
    expect(bed.ingress(talk.asked(flags=flags)), "IN_NO_FLOW")
    expect_equal("storage", remembered(bed, server), kept)
    expect_equal("flow", bed.flow(talk), None)
    with bed.on(bed.other):  # control
        expect(bed.ingress(talk.asked(flags=flags)), "IN_TRANSLATED",
               talk.delivered(flags=flags))


@promise("a SYN that is the same connection on another bridge collides with it", family=FAMILIES)
def _(bed, family):
    talk, server = connection_of_other(bed, family)
    kept = remembered(bed, server)
    expect(bed.ingress(talk.asked(flags="S")), "IN_COLLISION", talk.delivered(flags="S"))
    expect_equal("flow", bed.flow(talk), None)
    expect_equal("storage", remembered(bed, server), kept)
    with bed.on(bed.other):  # control
        expect(bed.ingress(talk.asked(flags="S")), "IN_TRANSLATED", talk.delivered(flags="S"))


@promise("an ICMP error about a connection is one for its own bridge", family=FAMILIES)
def _(bed, family):
    talk, server = connection_of_other(bed, family)
    sent, delivered = error_to(talk)
    expect(bed.ingress(sent), "IN_ICMP_OTHER")
    with bed.on(bed.other):  # control
        expect(bed.ingress(sent), "IN_ICMP", delivered)


@promise("a connection of another bridge is not answered through this one")
def _(bed):
    # A test run's frame has no TCP socket, so the server itself sends, out of the main bridge.
    attach_other(bed)
    talk = Talk(V4, "TCP", client_port=bed.fresh_port())
    server = connection(bed, talk)
    with bed.sending():
        with bed.on(bed.other):
            remember(bed, server, talk.dialled)
        kept = remembered(bed, server)
        expect_equal("moved", answer(bed, server), {"OUT_AMBIGUOUS"})
        expect_equal("storage", remembered(bed, server), kept)
        remember(bed, server, talk.dialled)  # control
        expect_equal("moved", answer(bed, server), {"OUT_TRANSLATED"})


@promise("a connection gets the record of the bridge that it is answered through")
def _(bed):
    attach_other(bed)
    talk = Talk(V4, "TCP", client_port=bed.fresh_port())
    server = connection(bed, talk)
    with bed.sending():
        bed.record_flow(talk)
        expect_equal("moved", answer(bed, server), {"OUT_TRANSLATED"})
        expect_equal("storage", remembered(bed, server),
                     layout.connection(bed.bridge.slot, *talk.dialled))


@promise("a silent connection is not taken away by a segment on another bridge")
def _(bed):
    # The other bridge allows its client's address: the same network there, or --from.
    (_, talk), (_, foreign) = both_ways(bed, V4, "TCP")
    bed.ingress(talk.asked(flags="S"))
    server = connection(bed, talk)
    with bed.on(bed.other):
        expect(bed.ingress(foreign.asked(flags="A")), "IN_TRANSLATED",
               foreign.delivered(flags="A"))
        expect_equal("storage", remembered(bed, server),
                     layout.connection(bed.other.slot, *foreign.dialled))
    expect(bed.ingress(talk.asked(flags="A")), "IN_TRANSLATED", talk.delivered(flags="A"))
    with bed.sending():
        expect_equal("moved", answer(bed, server), {"OUT_TRANSLATED"})
    expect_equal("storage", remembered(bed, server),
                 layout.connection(bed.main.slot, *talk.dialled))
    with bed.on(bed.other):
        expect(bed.ingress(foreign.asked(flags="A")), "IN_NO_FLOW")
