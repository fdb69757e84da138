# SPDX-License-Identifier: GPL-2.0-only
"""Real sockets in the test's namespace, for the programs' socket lookups.

The clients' addresses are on lo there, so that the server's end of a connection (client ->
loopback) is the same as for a translated client.
"""
import re
import socket
import struct
import time

import layout
from packets import V4

# Numbers of the states in /proc/net/tcp (net/tcp_states.h).
STATES = {
    "established": 1,
    "half-open": 3,   # SYN_RECV
    "half-closed": 8,  # CLOSE_WAIT
    "in TIME_WAIT": 6,
}
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # struct linger: leave no TIME_WAIT behind


def open_socket(bed, family, kind):
    sock = bed.keep(socket.socket(socket.AF_INET if family is V4 else socket.AF_INET6, kind))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def listen(bed, talk):
    """A service at a talk's loopback end."""
    sock = open_socket(bed, talk.family, socket.SOCK_STREAM)
    sock.bind(talk.local)
    sock.listen()
    return sock


def _wait_for(talk, state):
    """Wait until /proc/net/tcp shows the server's end of it."""
    path = "/proc/net/tcp" if talk.family is V4 else "/proc/net/tcp6"
    line = re.compile(r"^ *\d+: \w+:%04X \w+:%04X %02X " %
                      (talk.local[1], talk.client[1], STATES[state]), re.M)
    for _ in range(200):
        with open(path) as table:
            if line.search(table.read()):
                return
        time.sleep(0.005)
    raise RuntimeError(f"no {state} connection from {talk.client} to {talk.local}")


def connection(bed, talk, state="established"):
    """A connection (client -> loopback) in a state. Return: the server's socket, or None."""
    service = listen(bed, talk)
    if state == "half-open":
        # the request socket stays until data arrives
        service.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    client = open_socket(bed, talk.family, socket.SOCK_STREAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    client.bind(talk.client)
    client.connect(talk.local)
    server = None
    if state != "half-open":
        server = bed.keep(service.accept()[0])
    if state == "in TIME_WAIT":
        server.close()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))
        client.close()
    elif state == "half-closed":
        client.shutdown(socket.SHUT_WR)
    _wait_for(talk, state)
    return server


def remember(bed, server, dialled):
    """Store in a server's socket storage what its client dialled, through this bridge."""
    bed.maps["connections"].set(struct.pack("i", server.fileno()),
                                layout.connection(bed.bridge.slot, *dialled))


def remembered(bed, server):
    """Return: what is stored there, as map bytes, or None."""
    return bed.maps["connections"].get(struct.pack("i", server.fileno()))


def answer(bed, server):
    """Send a segment on a connection, while bed.sending(). Return: the reasons of what came out."""
    before = bed.counters()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.send(b"hello")
    for _ in range(200):
        # the bridge also says hello to other routers and groups
        moved = {key[1] for key, counted in bed.counters().items()
                 if counted != before[key] and key[1] != "OUT_OTHER"}
        if moved:
            return moved
        time.sleep(0.005)
    raise RuntimeError("the server sent nothing through the bridge")
