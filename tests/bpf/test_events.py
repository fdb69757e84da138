# SPDX-License-Identifier: GPL-2.0-only
"""Events: which packet is one, for whom, and how many."""
import contextlib
import os
import subprocess
import time

import layout
from case import expect_equal, promise
from packets import DOCKER0, FAMILIES, PROTOCOLS, V4, V6, Talk, arp, icmp, outgoing
from sockets import connection

FRAME = 128  # bytes of a frame in its event
PER_SECOND = 100


@contextlib.contextmanager
def one_cpu():
    """Each CPU has a limit of its own."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usual)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def got(bed, ring):
    """Return: (kind, reason) of each event since the last call."""
    return [(bed.kinds[kind], list(bed.reasons)[reason])
            for _, _, _, kind, reason, _ in map(layout.event, ring.read())]


def reported(bed, ring, *expected):
    expect_equal("events", got(bed, ring), list(expected))


@promise("each dropped packet with a loopback address is a guard event", family=FAMILIES)
def _(bed, family):
    ring = bed.listen()
    spoofed = Talk(family, "UDP", client=family.loopback)
    bed.ingress(spoofed.asked())
    reported(bed, ring, ("guard", "IN_GUARD_SRC"))
    bed.ingress(Talk(family, "TCP", gateway=family.loopback).asked())
    reported(bed, ring, ("guard", "IN_GUARD_DST"))
    bed.egress(Talk(family, "TCP", port=9000).answered())
    reported(bed, ring, ("guard", "OUT_GUARD"))
    bed.ingress(arp("127.0.0.1", V4.gateway))
    reported(bed, ring, ("guard", "IN_GUARD_ARP"))
    bed.ingress(arp(V4.client, V4.gateway))
    bed.ingress(Talk(family, "UDP", gateway=family.internet).asked())
    reported(bed, ring)


@promise("{proto}: what opens a flow is an event, what follows is none", family=FAMILIES,
         proto=PROTOCOLS)
def _(bed, family, proto):
    ring = bed.listen()
    talk = Talk(family, proto)
    bed.ingress(talk.asked(**talk.opening()))
    reported(bed, ring, ("flow", "IN_TRANSLATED"))
    bed.egress(talk.answered())
    bed.ingress(talk.asked())
    reported(bed, ring)


@promise("a connection is an event, though an older one had its client port", family=FAMILIES)
def _(bed, family):
    ring = bed.listen()
    talk = Talk(family, "TCP")
    bed.record_flow(talk)
    bed.ingress(talk.asked(flags="S"))
    reported(bed, ring, ("flow", "IN_TRANSLATED"))


@promise("{proto} from a source that is not allowed is an event", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    ring = bed.listen()
    talk = Talk(family, proto, client=family.internet)
    bed.ingress(talk.asked(**talk.opening()))
    reported(bed, ring, ("source", "IN_SOURCE"))


@promise("{proto}: dialling a port that is not exported is an event, a segment is none",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    ring = bed.listen()
    talk = Talk(family, proto, port=9000)
    bed.ingress(talk.asked(**talk.opening()))
    reported(bed, ring, ("not-exported", "IN_NOT_EXPORTED"))
    if proto == "TCP":
        bed.ingress(talk.asked(flags="SA"))  # the host dialled
        bed.ingress(talk.asked())
        reported(bed, ring)


@promise("a collision is an event", family=FAMILIES)
def _(bed, family):
    ring = bed.listen()
    bed.gateway(DOCKER0[family])
    port = bed.fresh_port()
    first = Talk(family, "TCP", client_port=port)
    connection(bed, first)
    bed.ingress(Talk(family, "TCP", client_port=port, gateway=DOCKER0[family]).asked(flags="S"))
    reported(bed, ring, ("collision", "IN_COLLISION"))


@promise("a RST that answers a SYN is an event, one of a connection is none", family=FAMILIES)
def _(bed, family):
    ring = bed.listen("not-listening")
    talk = Talk(family, "TCP")
    bed.ingress(talk.asked(flags="S"))
    bed.egress(talk.answered(flags="RA", seq=0))
    reported(bed, ring, ("not-listening", "OUT_TRANSLATED"))
    bed.egress(talk.answered(flags="R", seq=1))
    bed.egress(talk.answered(flags="A", seq=0))
    reported(bed, ring)


@promise("port unreachable is an event, another ICMP error is none", family=FAMILIES)
def _(bed, family):
    ring = bed.listen("not-listening")
    talk = Talk(family, "UDP")
    bed.ingress(talk.asked())
    kind, port, host = (3, 3, 1) if family is V4 else (1, 4, 3)
    for code in (port, host):
        bed.egress(outgoing(family, icmp(family, talk.local[0], talk.client[0], kind,
                                         talk.packet(talk.client, talk.local), code)))
    reported(bed, ring, ("not-listening", "OUT_ICMP"))


@promise("an answer that hbpf cannot translate is an event", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    ring = bed.listen()
    bed.gateway(DOCKER0[family])
    bed.egress(Talk(family, proto).answered())
    reported(bed, ring, ("drop", "OUT_AMBIGUOUS"))


@promise("a conntrack entry that cannot be made is an event, in the build with the NAT bypass",
         family=FAMILIES)
def _(bed, family):
    ring = bed.listen("no-nat-bypass")
    talk = Talk(family, "UDP", client_port=bed.fresh_port())
    # an entry whose replies are those of the talk
    subprocess.run(["conntrack", "-I", "-p", "udp", "-t", "60", "-s", family.internet,
                    "-d", family.neighbour, "--sport", str(talk.client[1]), "--dport", "2",
                    "-r", talk.local[0], "-q", talk.client[0],
                    "--reply-port-src", str(talk.local[1]),
                    "--reply-port-dst", str(talk.client[1])],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bed.ingress(talk.asked())
    expected = [("no-nat-bypass", "IN_TRANSLATED")] if bed.build == "nat_bypass" else []
    reported(bed, ring, *expected)
    bed.ingress(Talk(family, "UDP", client_port=bed.fresh_port()).asked())
    reported(bed, ring)


@promise("an event has the time, the bridge and the beginning of the frame as the client sent it",
         family=FAMILIES, size=[0, 1, 1000])
def _(bed, family, size):
    ring = bed.listen()
    frame = Talk(family, "UDP").asked(payload=b"x" * size)
    for bridge in bed.bridges:
        with bed.on(bridge):
            bed.attach()
            bed.export(8088)
            before = time.monotonic_ns()
            bed.ingress(frame)
            after = time.monotonic_ns()
        (ns, ifindex, frame_len, kind, reason, begins), = map(layout.event, ring.read())
        expect_equal("time", before <= ns <= after, True)
        expect_equal("the rest", (ifindex, frame_len, bed.kinds[kind], begins),
                     (bridge.ifindex, len(frame), "flow", frame[:FRAME]))


@promise("a monitor gets only the kinds that it listens for, each of several monitors its own")
def _(bed):
    guards, flows = bed.listen("guard", place=0), bed.listen("flow", "guard", place=3)
    bed.ingress(Talk(V4, "UDP").asked())
    reported(bed, guards)
    reported(bed, flows, ("flow", "IN_TRANSLATED"))
    bed.ingress(Talk(V4, "UDP", client="127.0.0.1").asked())
    reported(bed, guards, ("guard", "IN_GUARD_SRC"))
    reported(bed, flows, ("guard", "IN_GUARD_SRC"))


@promise("a monitor whose time is over gets nothing and is listed no more, another one goes on")
def _(bed):
    over, other = bed.listen(place=1, seconds=-1), bed.listen("guard", place=2)
    bed.ingress(Talk(V4, "UDP", client="127.0.0.1").asked())
    reported(bed, over)
    reported(bed, other, ("guard", "IN_GUARD_SRC"))
    listed = layout.kinds_of(bed.maps["monitors"].get(bytes(4)))
    expect_equal("who listens", [bool(kinds) for kinds in listed], [False, False, True, False])


@promise("a flood is limited for each kind, and what is left out is counted", family=FAMILIES)
def _(bed, family):
    ring = bed.listen()
    frame = Talk(family, "UDP", client=family.loopback).asked()
    with one_cpu():
        sent, start = 1000, time.monotonic()
        for _ in range(sent):
            bed.ingress(frame)
        seconds = time.monotonic() - start
    events = got(bed, ring)
    expect_equal("reported and suppressed", len(events) + bed.suppressed("guard"), sent)
    expect_equal(f"{len(events)} events in {seconds:.1f} s are too many, or too few",
                 PER_SECOND <= len(events) <= PER_SECOND * (int(seconds) + 1), True)
    bed.ingress(Talk(family, "UDP").asked())
    reported(bed, ring, ("flow", "IN_TRANSLATED"))


@promise("without a monitor nothing is limited or counted")
def _(bed):
    for _ in range(2 * PER_SECOND):
        bed.ingress(Talk(V6, "UDP", client="::1").asked())
    expect_equal("suppressed", bed.suppressed("guard"), 0)
    ring = bed.listen()
    bed.ingress(Talk(V6, "UDP", client="::1").asked())
    reported(bed, ring, ("guard", "IN_GUARD_SRC"))
