# SPDX-License-Identifier: GPL-2.0-only
"""Floods of flows, and what a neighbour notices of them."""
import os
import subprocess

from bed import check, connect, endpoint, exchange, listen, make, netns, recv_exactly
from scenes.common import TOOLS, clear, pair, scene


def flood(proto, where, count, *ports):
    with netns("c1"):
        subprocess.run(["/usr/bin/python3", os.path.join(TOOLS, "raw.py"),
                        "flood", proto, where, count, *ports], check=True, timeout=100)


def one_cpu():
    """Run on one CPU: an LRU map evicts entries of one CPU in order; with several, the oldest
    entry often stays."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


@scene
def push_after_flood(service, where, flood_at, count, *ports):
    """A flood of SYNs by the client itself does not affect its established connections."""
    one_cpu()
    one, other, _ = pair(service, where, source=9999)
    flood("tcp", flood_at, count, *ports)
    other.sendall(b"news")
    check(recv_exactly(one, 4) == b"news", "the push did not arrive")
    exchange(one, other)


@scene
def neighbour_of_flood(service, where, client, flood_at, count, *ports):
    """c1 floods; an idle connection of another client survives, and it can open a new one."""
    one_cpu()
    one, other, listener = pair(service, where, client=client)
    flood("tcp", flood_at, count, *ports)
    other.sendall(b"news")
    check(recv_exactly(one, 4) == b"news", "the push did not arrive")
    exchange(one, other)
    new = connect(client, "tcp", where)
    exchange(new, listener.accept()[0])


def asked(server, client, where):
    """A query without an answer yet: the client's socket and where the answer goes."""
    one = connect(client, "udp", where)
    one.sendall(b"question")
    return one, server.recvfrom(100)[1]


def unspoken(listener, client, where):
    """A connection in which neither side has sent data: both its ends."""
    one = connect(client, "tcp", where)
    other = listener.accept()[0]
    other.settimeout(10)
    return one, other


@scene
def neighbour_survives(proto, service, where, client, flood_at, count, pins, *ports):
    """c1 floods. Another client's UDP answers and a server's first data arrive after it, only
    thanks to the record of that client's latest flows."""
    one_cpu()
    server, listener = make("host", "udp", bind=endpoint(service)[1]), listen("host", service)
    spoken, other = connect(client, "tcp", where), None
    other = listener.accept()[0]
    exchange(spoken, other)
    answers = [asked(server, client, where) for _ in range(2)]
    silent = [unspoken(listener, client, where) for _ in range(2)]
    flood(proto, flood_at, count, *ports)

    def answer(one, peer):
        server.sendto(b"answer", peer)
        return one.recv(100) == b"answer"

    def greet(one, other):
        other.sendall(b"greeting")
        return recv_exactly(one, 8) == b"greeting"

    check(answer(*answers[0]), "no answer")
    check(greet(*silent[0]), "no first data")
    other.sendall(b"news")
    check(recv_exactly(spoken, 4) == b"news", "the push did not arrive")
    exchange(spoken, other)
    exchange(connect(client, "tcp", where), listener.accept()[0])
    check(answer(*asked(server, client, where)), "no answer to a new query")

    # control: the flood has evicted the others' flows from the shared table
    for table in ("recent_tcp", "recent_udp"):
        clear(f"{pins}/{table}")
    for one, call, *arguments in ((answers[1][0], answer, *answers[1]),
                                  (silent[1][0], greet, *silent[1])):
        one.settimeout(1)
        try:
            call(*arguments)
        except TimeoutError:
            continue
        check(False, "the flood did not evict the flows")
