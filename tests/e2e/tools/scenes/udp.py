# SPDX-License-Identifier: GPL-2.0-only
"""UDP: wildcards, checksums, fragments, answers that are pending."""
import os
import socket
import struct

from bed import check, connect, endpoint, make, netns, show
from scenes.common import run, scene

SO_NO_CHECK, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 101, 102


@scene
def udp_dual(port, where):
    """A dual-stack socket, queried over IPv4."""
    server = make("host", "udp", socket.AF_INET6)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", int(port)))
    client = connect("c1", "udp", where)
    client.sendall(b"question")
    _, peer = server.recvfrom(100)
    server.sendto(b"answer", peer)
    check(client.recv(100) == b"answer", "no answer")


@scene
def udp_no_checksum(service, where):
    """A service that sends no checksum: none arrives."""
    family, addr = endpoint(service)
    server = make("host", "udp", family, addr)
    client = connect("c1", "udp", where)
    with netns("c1"):
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    sniffer.bind(("eth0", 0))
    sniffer.settimeout(10)
    if family == socket.AF_INET:
        server.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    else:
        server.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
        client.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
    client.sendall(b"question")
    _, peer = server.recvfrom(100)
    server.sendto(b"answer", peer)
    check(client.recv(100) == b"answer", "no answer")
    packet = b""
    while not packet.endswith(b"answer"):
        packet = sniffer.recv(2048)
    check(packet[-8:-6] == bytes(2), f"the checksum became {packet[-8:-6].hex()}")


@scene
def udp_reused_id(service, where, other):
    """A datagram of the host has the id of an earlier translated answer."""
    _, addr = endpoint(service)
    server = make("host", "udp", bind=addr)
    client = connect("c1", "udp", where)
    with netns("c1"):
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    sniffer.bind(("eth0", 0))
    sniffer.settimeout(10)
    client.sendall(b"question")
    _, peer = server.recvfrom(100)
    server.sendto(os.urandom(4000), peer)
    client.recv(65536)
    ident = None
    while ident is None:
        packet = sniffer.recv(65536)
        if packet[6] & 0x20 and packet[12:16] == socket.inet_aton(endpoint(where)[1][0]):
            ident = packet[4:6]

    (_, source), target = endpoint(other), client.getsockname()
    receiver = connect("c1", "udp", other, ("0.0.0.0", 0))
    text = os.urandom(4000)
    body = struct.pack("!HHHH", source[1], receiver.getsockname()[1], 8 + len(text), 0) + text
    with netns("host"):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for at in range(0, len(body), 1480):
        more = 0x2000 * (at + 1480 < len(body))
        raw.sendto(struct.pack("!BBH2sHBBH4s4s", 0x45, 0, 0, ident, more | at // 8, 64,
                               socket.IPPROTO_UDP, 0, socket.inet_aton(source[0]),
                               socket.inet_aton(target[0])) + body[at:at + 1480], target)
    check(receiver.recv(65536) == text, "the datagram arrived changed")


@scene
def udp_two_gateways(service, first, second, *more):
    """One UDP socket queries all gateways in turn; each answer comes from the one it queried."""
    family, addr = endpoint(service)
    server = make("host", "udp", family, addr)
    client = make("c1", "udp", family)
    for _ in range(3):
        for where in (first, second, *more):
            client.sendto(b"question", endpoint(where)[1])
            said, peer = server.recvfrom(100)
            check(said == b"question", said)
            server.sendto(b"answer", peer)
            said, peer = client.recvfrom(100)
            check(said == b"answer" and show(peer) == where, f"queried {where}, {peer} answered")


@scene
def udp_pending(service, where, *command):
    """A client waits for its answer while COMMAND runs (on the host)."""
    family, addr = endpoint(service)
    server = make("host", "udp", family, addr)
    client = connect("c1", "udp", where)
    client.sendall(b"question")
    _, peer = server.recvfrom(100)
    run("host", *command)
    server.sendto(b"answer", peer)
    check(client.recv(100) == b"answer", "no answer")


@scene
def udp_big(service, where, size):
    """One datagram of SIZE bytes each way, in fragments."""
    family, addr = endpoint(service)
    server = make("host", "udp", family, addr)
    client = connect("c1", "udp", where)
    data = os.urandom(int(size))
    for _ in range(3):
        client.sendall(data)
        got, peer = server.recvfrom(65536)
        check(got == data, f"{len(got)} bytes arrived, or others")
        server.sendto(data[::-1], peer)
        check(client.recv(65536) == data[::-1], "the answer arrived changed")
