# SPDX-License-Identifier: GPL-2.0-only
"""What a client dialled: recorded, recovered, never taken over, never guessed."""
import layout
from case import expect, expect_equal, promise
from packets import DOCKER0, FAMILIES, PROTOCOLS, Talk
from sockets import connection, listen, remember, remembered


def dialled(talk):
    return layout.endpoint(*talk.dialled)


def two_ways(bed, family, proto="TCP"):
    """The talks of one client socket through the bridge's address and through docker0's."""
    bed.gateway(DOCKER0[family])
    port = bed.fresh_port()
    return (Talk(family, proto, client_port=port),
            Talk(family, proto, client_port=port, gateway=DOCKER0[family]))


@promise("{proto} over {family}: what a client dials is recorded", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    bed.ingress(talk.asked(**talk.opening()))
    expect_equal("flow", bed.flow(talk), dialled(talk))


@promise("clients and client ports do not share a flow", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    talks = [Talk(family, proto, client=client, client_port=port, gateway=gateway)
             for (client, port), gateway in zip(
                 ((family.client, 40000), (family.client, 40001), (family.neighbour, 40000)),
                 (family.gateway, DOCKER0[family], DOCKER0[family]))]
    for talk in talks:
        bed.ingress(talk.asked(**talk.opening()))
    for talk in talks:
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("TCP and UDP do not share a flow", family=FAMILIES)
def _(bed, family):
    bed.gateway(DOCKER0[family])
    talks = [Talk(family, proto, gateway=gateway)
             for proto, gateway in zip(PROTOCOLS, (family.gateway, DOCKER0[family]))]
    for talk in talks:
        bed.ingress(talk.asked(**talk.opening()))
    for talk in talks:
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("UDP: answers come from the destination dialled last",
         family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family, "UDP")
    for talk in (first, second, first):
        expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("UDP: the same with two gateway ports of one service", family=FAMILIES)
def _(bed, family):
    bed.export(81, local_port=8080)
    talks = [Talk(family, "UDP", port=port, local_port=8080) for port in (80, 81)]
    for talk in talks:
        expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


# Each client's latest flows

@promise("{proto} over {family}: a client's flow evicted from the shared table is still found",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = two_ways(bed, family, proto)[1]
    bed.ingress(talk.asked(**talk.opening()))
    bed.evict_flows()
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())
    expect(bed.ingress(talk.asked()), "IN_TRANSLATED", talk.delivered())
    expect_equal("flow", bed.flow(talk), None)
    # control: it was this record that was found
    bed.recent(proto).clear()
    expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")


@promise("{proto} over {family}: a client's flood overwrites its own latest flows only, and "
         "takes no more room", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    neighbour = Talk(family, proto, client=family.neighbour, gateway=DOCKER0[family])
    first = Talk(family, proto, client_port=1, gateway=DOCKER0[family])
    for talk in (neighbour, first):
        bed.ingress(talk.asked(**talk.opening()))
    for port, local_port in (8088, 8088), (80, 8080):
        bed.open_many(Talk(family, proto, port=port, local_port=local_port),
                      range(2, layout.RECENT_FLOWS + 2))
    bed.evict_flows()
    expect_equal("entries", len(bed.recent(proto).keys()), layout.RECENT_FLOWS + 1)
    expect(bed.egress(neighbour.answered()), "OUT_TRANSLATED", neighbour.received())
    expect(bed.egress(first.answered()), "OUT_AMBIGUOUS")  # control


@promise("a TCP flood evicts no record of UDP, a UDP flood none of TCP", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    talk = two_ways(bed, family, proto)[1]
    flood, = set(PROTOCOLS) - {proto}
    bed.ingress(talk.asked(**talk.opening()))
    bed.open_many(Talk(family, flood), range(1, layout.RECENT_FLOWS + 1))
    bed.evict_flows()
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("a flow is not mistaken for another one in its entry: {differs}", family=FAMILIES,
         proto=PROTOCOLS, differs={"client's port": 28, "loopback port": 30,
                                   "loopback address": 27})
def _(bed, family, proto, differs):
    talk = two_ways(bed, family, proto)[1]
    bed.ingress(talk.asked(**talk.opening()))
    bed.evict_flows()
    recent = bed.recent(proto)
    key, = recent.keys()
    value = recent.get(key)
    recent.set(key, value[:differs] + bytes([value[differs] ^ 1]) + value[differs + 1:])
    expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")
    recent.set(key, value)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("client ports in a row, as many as there are entries, share none", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    bed.open_many(Talk(family, proto), range(40000, 40000 + layout.RECENT_FLOWS))
    expect_equal("entries", len(bed.recent(proto).keys()), layout.RECENT_FLOWS)


# A SYN that would change a flow

ALIVE = ["established", "half-open", "half-closed"]


@promise("a SYN to another gateway from the port of an open connection reaches that connection",
         family=FAMILIES, state=ALIVE)
def _(bed, family, state):
    first, second = two_ways(bed, family)
    connection(bed, first, state)
    bed.record_flow(first)
    expect(bed.ingress(second.asked(flags="S")), "IN_COLLISION", second.delivered(flags="S"))
    expect_equal("flow", bed.flow(first), dialled(first))
    expect(bed.ingress(first.asked(flags="S")), "IN_TRANSLATED", first.delivered(flags="S"))


@promise("a SYN to another gateway port of the same service collides, too", family=FAMILIES)
def _(bed, family):
    bed.export(81, local_port=8080)
    port = bed.fresh_port()
    first, second = (Talk(family, "TCP", port=gateway_port, local_port=8080, client_port=port)
                     for gateway_port in (80, 81))
    connection(bed, first)
    bed.record_flow(first)
    expect(bed.ingress(second.asked(flags="S")), "IN_COLLISION", second.delivered(flags="S"))
    expect(bed.ingress(first.asked(flags="S")), "IN_TRANSLATED", first.delivered(flags="S"))


@promise("a SYN collides with what the socket remembers, its flow evicted or not",
         family=FAMILIES, evicted=[False, True])
def _(bed, family, evicted):
    first, second = two_ways(bed, family)
    remember(bed, connection(bed, first), first.dialled)
    if not evicted:
        bed.record_flow(first)
    expect(bed.ingress(second.asked(flags="S")), "IN_COLLISION", second.delivered(flags="S"))
    expect(bed.ingress(first.asked(flags="S")), "IN_TRANSLATED", first.delivered(flags="S"))


@promise("a SYN to another gateway leaves a silent connection alone whose flow was evicted",
         family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family)
    server = connection(bed, first)
    expect(bed.ingress(second.asked(flags="S")), "IN_COLLISION", second.delivered(flags="S"))
    expect_equal("flow", bed.flow(second), None)
    expect_equal("storage", remembered(bed, server), None)
    expect(bed.ingress(first.asked(flags="A")), "IN_TRANSLATED", first.delivered(flags="A"))


@promise("a SYN takes over the flow of a connection that is {state}", family=FAMILIES,
         state=["in TIME_WAIT", "closed"])
def _(bed, family, state):
    first, second = two_ways(bed, family)
    if state == "in TIME_WAIT":
        connection(bed, first, state)
    else:
        listen(bed, first)
    bed.record_flow(first)
    expect(bed.ingress(second.asked(flags="S")), "IN_TRANSLATED", second.delivered(flags="S"))
    expect_equal("flow", bed.flow(second), dialled(second))


# Segments whose flow was evicted

@promise("an established connection whose flow was evicted is adopted", family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family)
    server = connection(bed, first)
    expect(bed.ingress(first.asked(flags="A")), "IN_TRANSLATED", first.delivered(flags="A"))
    expect_equal("storage", remembered(bed, server),
                 layout.connection(bed.bridge.slot, *first.dialled))
    expect(bed.ingress(second.asked(flags="A")), "IN_NO_FLOW")
    expect(bed.ingress(first.asked(flags="A")), "IN_TRANSLATED", first.delivered(flags="A"))


@promise("a half-open connection whose flow was evicted is recorded again", family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family)
    connection(bed, first, "half-open")
    expect(bed.ingress(first.asked(flags="A")), "IN_TRANSLATED", first.delivered(flags="A"))
    expect_equal("flow", bed.flow(first), dialled(first))
    expect(bed.ingress(second.asked(flags="A")), "IN_NO_FLOW")


@promise("a connection that remembers what was dialled needs no flow", family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family)
    remember(bed, connection(bed, second), second.dialled)
    for evicted in (True, False):
        if not evicted:
            bed.record_flow(Talk(family, "TCP", client_port=first.client[1], port=80,
                                 local_port=8088))  # of an older connection
        expect(bed.ingress(second.asked(flags="PA")), "IN_TRANSLATED",
               second.delivered(flags="PA"))
        expect(bed.ingress(first.asked(flags="PA")), "IN_NO_FLOW")


@promise("a connection that is {state} is not adopted", family=FAMILIES,
         state=["in TIME_WAIT", "closed", "to another gateway"])
def _(bed, family, state):
    first, second = two_ways(bed, family)
    if state == "in TIME_WAIT":
        connection(bed, first, state)
    elif state == "closed":
        listen(bed, first)
    else:
        remember(bed, connection(bed, first), second.dialled)
    expect(bed.ingress(first.asked(flags="A")), "IN_NO_FLOW")
    expect_equal("flow", bed.flow(first), None)


@promise("the {state} connection of a client that is not allowed here is not adopted",
         family=FAMILIES, state=["established", "half-open"])
def _(bed, family, state):
    # It belongs to another bridge: this one never had a record of it.
    bed.export(8088, who=layout.policy(layout.LIST_PORTS))
    talk = Talk(family, "TCP", client_port=bed.fresh_port())
    server = connection(bed, talk, state)
    for flags in ("A", "PA", "R", "FA"):
        expect(bed.ingress(talk.asked(flags=flags)), "IN_NO_FLOW")
    expect_equal("flow", bed.flow(talk), None)
    if server:
        expect_equal("storage", remembered(bed, server), None)
    bed.source(layout.LIST_PORTS, family.client)
    expect(bed.ingress(talk.asked(flags="A")), "IN_TRANSLATED", talk.delivered(flags="A"))


@promise("a connection whose flow contradicts it is not adopted", family=FAMILIES)
def _(bed, family):
    first, second = two_ways(bed, family)
    server = connection(bed, first)
    bed.record_flow(second)
    expect(bed.ingress(first.asked(flags="A")), "IN_NO_FLOW")
    expect_equal("storage", remembered(bed, server), None)
    expect(bed.ingress(second.asked(flags="A")), "IN_TRANSLATED", second.delivered(flags="A"))


@promise("the host's own connection from an exported port is not touched", family=FAMILIES)
def _(bed, family):
    # It is (client -> gateway:8088), not (client -> loopback:8088).
    port = bed.fresh_port()
    connection(bed, Talk(family, "TCP", local=family.gateway, client_port=port))
    talk = Talk(family, "TCP", client_port=port)
    expect(bed.ingress(talk.asked(flags="A")), "IN_NO_FLOW")
    expect(bed.ingress(talk.asked(flags="SA")), "IN_NO_FLOW")


# Answers without a flow

@promise("an answer without a flow goes to the only gateway and port that fit",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, port=80, local_port=8080)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("an answer without a flow is dropped where two gateways fit", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    bed.gateway(DOCKER0[family])
    talk = Talk(family, proto, gateway=DOCKER0[family])
    expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")
    bed.record_flow(talk)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("an answer without a flow is dropped where two gateway ports fit", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    bed.export(81, local_port=8080)
    talk = Talk(family, proto, port=81, local_port=8080)
    expect(bed.egress(talk.answered()), "OUT_AMBIGUOUS")
    bed.record_flow(talk)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("two gateways of the other family do not make an answer ambiguous", proto=PROTOCOLS)
def _(bed, proto):
    for family in FAMILIES:
        bed.reset(bed.variant)
        other, = set(FAMILIES) - {family}
        bed.gateway(DOCKER0[other])
        talk = Talk(family, proto)
        expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("a flow outweighs the only gateway that fits", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = Talk(family, proto, gateway=DOCKER0[family], port=81, local_port=8080)
    bed.record_flow(talk)
    expect(bed.egress(talk.answered()), "OUT_TRANSLATED", talk.received())


@promise("the kernel's own answers find what was dialled: {flags}", family=FAMILIES,
         flags=["SA", "R", "RA", "A"])
def _(bed, family, flags):
    first, second = two_ways(bed, family)
    for talk in (first, second):
        bed.record_flow(talk)
        expect(bed.egress(talk.answered(flags=flags)), "OUT_TRANSLATED",
               talk.received(flags=flags))
