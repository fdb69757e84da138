#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Longer scenarios of a client and a service, one function each.

    scene.py NAME [ARGUMENT]...

The test has attached hbpf before; the arguments are described in each function.
Exit 0 if all went as expected; otherwise one line shows what did not.
"""
import concurrent.futures
import errno
import fcntl
import hashlib
import os
import re
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from bed import (check, connect, endpoint, exchange, hbpf, listen, make,  # noqa: E402
                 netns, recv_exactly, show)

SO_NO_CHECK, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 101, 102
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
RECV_QUEUE, SEND_QUEUE, REPAIR_OFF_SILENTLY = 1, 2, -1  # linux/tcp.h

SCENES = {}


def scene(function):
    SCENES[function.__name__.replace("_", "-")] = function
    return function


def pair(service, where, source=None, client="c1", **options):
    """An established connection: (client's socket, server's socket, listener)."""
    family, _ = endpoint(where)
    any_addr = "::" if family == socket.AF_INET6 else "0.0.0.0"
    listener = listen("host", service)
    one = connect(client, "tcp", where, (any_addr, source) if source else None, **options)
    other = listener.accept()[0]
    other.settimeout(10)
    exchange(one, other)
    return one, other, listener


def clear(pin):
    subprocess.run([sys.executable, "-S", os.path.join(os.path.dirname(__file__), "bpf.py"),
                    "clear", pin], check=True)


def run(ns, *command):
    with netns(ns):
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def raises(code, call, *args):
    try:
        got = call(*args)
    except TimeoutError:
        check(False, f"expected {errno.errorcode[code]}, got nothing")
    except OSError as err:
        check(err.errno == code, f"expected {errno.errorcode[code]}, got {err}")
    else:
        check(False, f"expected {errno.errorcode[code]}, got {got!r}")


@scene
def bulk(service, where, mib):
    """MIB there, MIB back, the hash compared: big packets, whatever the offloads make of them."""
    one, other, _ = pair(service, where)
    for sender, receiver in ((one, other), (other, one)):
        move(sender, receiver, int(mib) << 20)


def move(sender, receiver, size, while_moving=None):
    block = os.urandom(1 << 20)
    sent, got = hashlib.sha256(), hashlib.sha256()

    def push():
        for _ in range(size >> 20):
            sent.update(block)
            sender.sendall(block)

    thread = threading.Thread(target=push, daemon=True)
    thread.start()
    left, buf = size, bytearray(1 << 18)
    while left:
        count = receiver.recv_into(buf, min(left, len(buf)))
        check(count, f"connection ended {left} bytes early")
        got.update(memoryview(buf)[:count])
        left -= count
    thread.join(10)
    check(sent.hexdigest() == got.hexdigest(), "the data arrived changed")


@scene
def stream_under_change(service, where, mib):
    """Existing connections are not affected by ports add, set and del of other ports."""
    one, other, _ = pair(service, where)
    done = threading.Event()
    rounds, failed = [0], []
    port = where.rpartition(":")[2]

    def change():
        while not done.is_set():
            for args in (("ports", "add", "9100-9199"), ("ports", "set", port, "9200/udp"),
                         ("ports", "add", "9300:9301"), ("ports", "del", "9300")):
                result = hbpf(*args, check_exit=False)
                if result.returncode:
                    failed.append(f"{args}: {result.stderr}")
                    return
            rounds[0] += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        move(other, one, int(mib) << 20)
    finally:
        done.set()
        thread.join()
    check(not failed, failed)
    check(rounds[0], "no change happened during the transfer")
    exchange(one, other)


@scene
def set_has_no_gap(service, where):
    """While ports set replaces the others, a port that stays answers every time."""
    listener = listen("host", service)
    family, addr = endpoint(where)
    port = where.rpartition(":")[2]
    done, failed = threading.Event(), []

    def change():
        for turn in range(40):
            result = hbpf("ports", "set", port, "9400-9499" if turn % 2 else "9500-9599",
                          check_exit=False)
            if result.returncode:
                failed.append(result.stderr)
                break
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    tries = 0
    while not done.is_set():
        one = make("c1", "tcp", family, timeout=5)
        try:
            one.connect(addr)
        except OSError as err:
            failed.append(f"try {tries}: {err}")
            break
        listener.accept()[0].close()
        one.close()
        tries += 1
    thread.join()
    check(not failed, failed)
    check(tries > 10, f"only {tries} connections in that time")


@scene
def survives(service, where, *command):
    """An idle connection survives COMMAND (run on the host); then the server sends."""
    one, other, _ = pair(service, where)
    run("host", *command)
    other.sendall(b"news")
    check(recv_exactly(one, 4) == b"news", "the push did not arrive")
    exchange(one, other)


def flood(proto, where, count, *ports):
    with netns("c1"):
        subprocess.run(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "raw.py"),
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


@scene
def excluded_later(service, where, *rest):
    """--from applies to new connections; open ones end when their port is closed."""
    port = where.rpartition(":")[2]
    hbpf("ports", "add", port)
    one, other, listener = pair(service, where)
    hbpf("attach", "br-test", "--from", "10.0.0.0/8")
    exchange(one, other)
    try:
        connect("c1", "tcp", where, timeout=5)
        raise SystemExit("FAILED: a client that may not come was let in")
    except ConnectionRefusedError:
        pass
    hbpf("attach", "br-test", "--from", "onlink")
    exchange(connect("c1", "tcp", where), listener.accept()[0])
    hbpf("ports", "set", *rest)
    try:
        check(not one.recv(1), "the connection survived its port")
    except ConnectionResetError:
        pass


@scene
def two_gateways(service, *gateways):
    """One client, a connection to each gateway, all open together."""
    listener = listen("host", service)
    pairs = []
    for where in gateways:
        one = connect("c1", "tcp", where)
        other = listener.accept()[0]
        other.settimeout(10)
        pairs.append((one, other))
    for _ in range(2):
        for one, other in pairs:
            exchange(one, other)
    for where, (one, _) in zip(gateways, pairs):
        check(show(one.getpeername()) == where, f"{where} became {one.getpeername()}")


def dial_from(port, to, timeout=10):
    """Connect the client to a gateway from a given port, even if that is in use."""
    family, _ = endpoint(to)
    any_addr = "::" if family == socket.AF_INET6 else "0.0.0.0"
    return connect("c1", "tcp", to, (any_addr, port), timeout=timeout, reuseport=True)


def pair_from(port, to, listener):
    """Such a connection: both ends."""
    one = dial_from(port, to)
    other = listener.accept()[0]
    other.settimeout(10)
    return one, other


def unheard(port, to):
    try:
        dial_from(port, to, timeout=1.5)
    except TimeoutError:
        return
    check(False, "the second connection was let through")


@scene
def one_source_port(service, first, second):
    """The second connection from one source port must not take over the first one's flow."""
    listener = listen("host", service)
    one, other = pair_from(20000, first, listener)
    exchange(one, other)
    unheard(20000, second)
    exchange(one, other)
    # the first one ends, the client's end first; then the port is free for the second
    one.close()
    check(other.recv(1) == b"", "no end of stream")
    other.close()
    exchange(*pair_from(20000, second, listener))


@scene
def silent_connection(service, first, second, pins):
    """The same if the server has not sent data yet and the first one's record was evicted."""
    listener = listen("host", service)
    one, other = pair_from(20000, first, listener)
    for table in ("flows", "recent_tcp"):
        clear(f"{pins}/{table}")
    unheard(20000, second)
    exchange(one, other)


def vanish(sock):
    """Close a socket without notifying its peer."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.close()


DEAD_ENDS = ("established", "silent", "half-open", "half-closed", "closing",
             "closed with bytes on the way")


def dead_end(state, port, first, listener):
    """A connection in that state, whose client vanished. Return: what keeps the server's end."""
    defer = int(state == "half-open")
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30 * defer)
    one = dial_from(port, first)
    other = None if defer else listener.accept()[0]
    if state not in ("half-open", "silent"):
        other.settimeout(10)
        exchange(one, other)
    if state == "half-closed":
        one.shutdown(socket.SHUT_WR)
        check(other.recv(1) == b"", "no end of stream")
    elif state == "closing":
        other.shutdown(socket.SHUT_WR)
        check(one.recv(1) == b"", "no end of stream")
    vanish(one)
    if state == "closed with bytes on the way":
        other.sendall(bytes(100))
        other.close()
        other = None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 0)
    return other


def succeeds(state, port, second):
    try:
        return dial_from(port, second)
    except TimeoutError:
        check(False, f"{state}: the next client is not let in")


@scene
def successor(service, first, second):
    """Clients vanish without a FIN; the next ones with their address and ports dial elsewhere."""
    listener = listen("host", service)
    ports = range(20000, 20000 + len(DEAD_ENDS))
    kept = [dead_end(state, port, first, listener) for state, port in zip(DEAD_ENDS, ports)]
    # at the same time: each waits a second for its second SYN
    with concurrent.futures.ThreadPoolExecutor(len(ports)) as pool:
        fresh = list(pool.map(succeeds, DEAD_ENDS, ports, [second] * len(ports)))
    served = {}
    for _ in fresh:
        other, peer = listener.accept()
        served[peer[1]] = other
    for state, port, new, old in zip(DEAD_ENDS, ports, fresh, kept):
        exchange(new, served[port])
        if old and state != "closing":
            try:
                check(old.recv(1) == b"", f"{state}: the old connection is still open")
            except ConnectionResetError:
                pass
        new.close()  # client first: the host keeps no TIME_WAIT
        served[port].close()


@scene
def living_is_not_hurt(service, first, second):
    """SYNs to another gateway, spoofed by a neighbour, do not affect a connection."""
    listener = listen("host", service)
    one, other = pair_from(20000, first, listener)
    exchange(one, other)
    done = threading.Event()
    failed = []

    def push():
        for turn in range(40):
            with netns("c1"):
                result = subprocess.run(
                    ["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "raw.py"),
                     "segment", "br-test", show(one.getsockname()), second, "S",
                     str(turn * 100000000), "0", ""], capture_output=True, text=True, timeout=60,
                    check=False)
            if result.returncode:
                failed.append(result.stderr)
        done.set()

    thread = threading.Thread(target=push)
    thread.start()
    while not done.is_set():
        move(other, one, 1 << 20)
        move(one, other, 1 << 20)
    thread.join()
    check(not failed, failed)
    exchange(one, other)


@scene
def another_bridge(service, where, attacker, bridge, gateway):
    """A client of another bridge cannot inject into a connection, even with the right numbers."""
    one, other, _ = pair(service, where)
    numbers = []
    for queue in (SEND_QUEUE, RECV_QUEUE):
        one.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        one.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        numbers.append(one.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) % 2**32)
        one.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_SILENTLY)
    with netns(attacker):
        for flags, text in (("S", ""), ("PA", "injected")):
            subprocess.run(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "raw.py"),
                            "segment", bridge, show(one.getsockname()), gateway, flags,
                            *map(str, numbers), text], check=True, timeout=60)
    other.settimeout(0.5)
    try:
        check(False, f"the service got {other.recv(100)!r}")
    except TimeoutError:
        pass
    other.settimeout(10)
    exchange(one, other)


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


@scene
def icmp_to_server(service, where):
    """A closed client socket: its port unreachable reaches the service's connected socket."""
    family, addr = endpoint(service)
    server = make("host", "udp", family, addr)
    client = connect("c1", "udp", where)
    client.sendall(b"question")
    _, peer = server.recvfrom(100)
    server.connect(peer)
    client.close()
    server.sendall(b"late")
    raises(errno.ECONNREFUSED, server.recv, 100)


@scene
def own_tcp(local, remote, port):
    """The host's own outgoing TCP connection, whose local port gets exported meanwhile."""
    listener = listen("c1", remote)
    one = connect("host", "tcp", remote, endpoint(local)[1])
    other = listener.accept()[0]
    other.settimeout(10)
    exchange(one, other)
    hbpf("ports", "add", port)
    for _ in range(3):
        exchange(one, other)
        exchange(other, one)
    # and a new one
    again = connect("host", "tcp", remote, (endpoint(local)[1][0], 0))
    exchange(again, listener.accept()[0])


@scene
def own_tcp_later(local, remote):
    """The same, but connected when the port is exported already."""
    listener = listen("c1", remote)
    one = connect("host", "tcp", remote, endpoint(local)[1])
    other = listener.accept()[0]
    other.settimeout(10)
    exchange(one, other)
    exchange(other, one)


@scene
def own_udp(local, remote, port):
    """The host's own connected UDP socket, whose local port is exported."""
    family, addr = endpoint(remote)
    other = make("c1", "udp", family, addr)
    one = connect("host", "udp", remote, endpoint(local)[1])
    thief = make("host", "udp", family, ("::1" if family == socket.AF_INET6 else "127.0.0.1",
                                         int(port)), timeout=0.2)
    hbpf("ports", "add", f"{port}/udp")
    for _ in range(3):
        one.sendall(b"question")
        said, peer = other.recvfrom(100)
        check(said == b"question" and show(peer) == local, f"{peer} sent {said!r}")
        other.sendto(b"answer", peer)
        check(one.recv(100) == b"answer", "no answer")
    try:
        check(False, f"the service on loopback got {thief.recv(100)!r}")
    except TimeoutError:
        pass


@scene
def opened_before_attach(service, port, *attach):
    """A connection to a service on the gateway itself survives attach; new ones are translated."""
    one, other, _ = pair(service, service)
    inner = listen("host", f"127.0.0.1:{port}")
    hbpf(*attach)
    for _ in range(3):
        exchange(one, other)
    new = connect("c1", "tcp", service)
    exchange(new, inner.accept()[0])
    exchange(one, other)
    hbpf("detach")
    exchange(one, other)


@scene
def outlives_nothing(service, where, *command):
    """hbpf COMMAND closes the port: both ends of its connection end immediately, others survive."""
    one, other, listener = pair(service, where)
    family, _ = endpoint(where)
    neighbour_service = "[::1]:9000" if family == socket.AF_INET6 else "127.0.0.1:9000"
    neighbours = pair(neighbour_service, where.rpartition(":")[0] + ":9000")
    hbpf(*command)
    raises(errno.ECONNRESET, one.recv, 1)
    raises(errno.ECONNABORTED, other.recv, 1)
    exchange(*neighbours[:2])
    listener.close()


@scene
def pushed_out_ends(service, where, pins, *command):
    """A connection without data, and the service's UDP socket that is connected to the client,
    end with the port even though the shared table of flows no longer has them."""
    listener, server = listen("host", service), make("host", "udp", bind=endpoint(service)[1])
    one, other = unspoken(listener, "c1", where)
    server.connect(asked(server, "c1", where)[1])
    clear(f"{pins}/flows")
    hbpf(*command)
    raises(errno.ECONNRESET, one.recv, 1)
    raises(errno.ECONNABORTED, other.recv, 1)
    raises(errno.ECONNABORTED, server.recv, 1)


@scene
def direct_survives(service, where, *command):
    """A connection within the host to the same service does not end with the port."""
    one, other, listener = pair(service, where)
    inside = connect("host", "tcp", service)
    served = listener.accept()[0]
    hbpf(*command)
    exchange(inside, served)
    raises(errno.ECONNRESET, one.recv, 1)


@scene
def pmtu(service, where, client, mtu="1300"):
    """A router on the path has a smaller MTU: its ICMP errors must reach the service's socket."""
    one, other, _ = pair(service, where, client=client)
    move(one, other, 4 << 20)
    move(other, one, 4 << 20)
    if endpoint(where)[0] == socket.AF_INET:
        found = struct.unpack("I", other.getsockopt(socket.IPPROTO_IP, 14, 4))[0]  # IP_MTU
    else:
        found = struct.unpack("I", other.getsockopt(socket.IPPROTO_IPV6, 24, 4))[0]  # IPV6_MTU
    check(found == int(mtu), f"the service's socket has an MTU of {found}")


@scene
def many(service, where, count):
    """COUNT connections one after another, and COUNT at once."""
    listener = listen("host", service)
    for _ in range(int(count)):
        one = connect("c1", "tcp", where)
        other = listener.accept()[0]
        exchange(one, other)
        one.close()
        other.close()
    pairs = []
    for _ in range(int(count)):
        one = connect("c1", "tcp", where)
        pairs.append((one, listener.accept()[0]))
    for one, other in pairs:
        exchange(one, other)


@scene
def half_closed(service, where):
    """The client sends, shuts down its half, and still gets the answer."""
    one, other, _ = pair(service, where)
    one.sendall(b"request")
    one.shutdown(socket.SHUT_WR)
    check(recv_exactly(other, 7) == b"request" and other.recv(1) == b"", "no end of stream")
    other.sendall(b"answer")
    other.close()
    check(recv_exactly(one, 6) == b"answer" and one.recv(1) == b"", "no answer")


@scene
def twenty_at_once(first):
    """Twenty concurrent commands have the same result as in a row."""
    first = int(first)
    results = []
    threads = [threading.Thread(target=lambda port=port: results.append(
        hbpf("ports", "add", str(port), check_exit=False))) for port in range(first, first + 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        check(result.returncode == 0, result.stderr)


@scene
def twenty_mixed(bridge):
    """Concurrent attach, ports and detach: each works or reports why not; nothing is half done."""
    words = [("attach", bridge, "--port", "8088"), ("ports", "add", "9000"), ("detach", bridge),
             ("status",)] * 5
    results = []
    threads = [threading.Thread(target=lambda w=word: results.append(
        (w, hbpf(*w, check_exit=False)))) for word in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for word, result in results:
        check(result.returncode in (0, 1), f"{word}: exit {result.returncode}")
        check(result.returncode == 0 or "not attached" in result.stderr.lower()
              or "no bridge" in result.stderr.lower() or "attached" in result.stderr.lower(),
              f"{word}: {result.stderr}")


# ---- concurrent commands, and a serial order with the same result

def serial(state, command, bridges):
    """What a command does alone: (exit code, ports listed or None, state).

    state: for each bridge the frozen set of its ports, or None where it is not attached.
    """
    verb, bridge, *ports = command
    at = bridges.index(bridge)
    now, ports = state[at], frozenset(ports)
    if verb == "list":
        return (0, now or frozenset(), state) if now is not None else (1, None, state)
    if verb == "attach":
        now = (now or frozenset()) | ports
    elif now is None:
        return 1, None, state
    elif verb == "detach":
        now = None
    elif verb == "add":
        now |= ports
    elif verb == "set":
        now = ports
    elif not ports <= now:  # del
        return 1, None, state
    else:
        now -= ports
    return 0, None, state[:at] + (now,) + state[at + 1:]


def some_order(start, end, seen, bridges):
    """Whether some serial order gives each command's result, from `start` to `end`."""
    kinds = sorted(set(seen), key=repr)
    tried = set()
    todo = [(start, tuple(seen.count(kind) for kind in kinds))]
    while todo:
        state, left = todo.pop()
        if (state, left) in tried:
            continue
        tried.add((state, left))
        if not any(left):
            if state == end:
                return True
            continue
        for i, (command, code, listed) in enumerate(kinds):
            if left[i]:
                got = serial(state, command, bridges)
                if got[:2] == (code, listed):
                    todo.append((got[2], left[:i] + (left[i] - 1,) + left[i + 1:]))
    return False


def observed(command):
    """Run it. Return: the command, its exit code, and the ports it listed."""
    verb, bridge, *ports = command
    words = {"attach": ("attach", bridge, *(word for port in ports for word in ("-p", port))),
             "detach": ("detach", bridge),
             "list": ("ports", "list", "-b", bridge, "--json")}.get(
                 verb, ("ports", verb, *ports, "-b", bridge))
    done = hbpf(*words, check_exit=False)
    check(done.returncode in (0, 1), f"{words}: exit {done.returncode}")
    check(done.returncode == 0 or "attached" in done.stdout + done.stderr
          or "not exported" in done.stderr, f"{words}: {done.stderr}")
    listed = None
    if verb == "list" and done.returncode == 0:
        listed = frozenset(re.findall(r'"gateway_port": *(\d+)', done.stdout))
    return command, done.returncode, listed


def at_once(commands):
    """Run all of them at the same time. Return: each one's result."""
    seen = []
    threads = [threading.Thread(target=lambda c=command: seen.append(observed(c)))
               for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(len(seen) == len(commands), "a command did not end")
    return seen


def state_now(bridges):
    return tuple(observed(("list", bridge))[2] for bridge in bridges)


def race(bridges, commands):
    start = state_now(bridges)
    seen = at_once(commands)
    end = state_now(bridges)
    check(some_order(start, end, seen, bridges),
          f"no order leads from {start} to {end} by\n" + "\n".join(map(str, seen)))


@scene
def race_ports(port):
    """Commands that change and list ports."""
    for _ in range(3):
        race(["br-test"], [("add", "br-test", "9001"), ("del", "br-test", "9001"),
                           ("set", "br-test", port, "9002"), ("list", "br-test"),
                           ("add", "br-test", "9003", "9004")] * 4)


@scene
def race_all(bridge):
    """All commands, including attach and detach."""
    for _ in range(5):
        race([bridge], [("attach", bridge, "8088"), ("detach", bridge), ("add", bridge, "9000"),
                        ("list", bridge), ("set", bridge, "9001")] * 4)
        guarded_as(bridge, state_now([bridge])[0] is not None)


@scene
def race_bridges(one, other):
    """Two bridges, which share lo's settings."""
    for _ in range(3):
        race([one, other], [("attach", one, "8088"), ("detach", one), ("attach", other, "8088"),
                            ("detach", other)] * 5)
        attached = [state is not None for state in state_now([one, other])]
        guarded_as(one, attached[0])
        guarded_as(other, attached[1])
        guarded_as("lo", any(attached))


def guarded_as(dev, attached):
    with netns("host"), open(f"/proc/sys/net/ipv4/conf/{dev}/route_localnet") as file:
        now = file.read().strip()
    on = "1" if dev == "lo" else "2"
    check(now == (on if attached else "0"), f"{dev}.route_localnet is {now}, attached: {attached}")


@scene
def race_while_served(service, where):
    """An old connection, new ones and an attacker, while twenty commands at a time run."""
    one, other, listener = pair(service, where)
    pairs = [(one, other)]
    port = where.rpartition(":")[2]
    for _ in range(4):
        # The attacker takes any TCP segment for its own, so connections are idle meanwhile.
        for ends in pairs:
            until_acknowledged(*ends)
        problems = attack_during(
            lambda: race(["br-test"], [("attach", "br-test", "9001"), ("add", "br-test", "9002"),
                                       ("set", "br-test", port), ("list", "br-test")] * 5))
        check(not problems, "\n".join(problems))
        exchange(one, other)
        new = connect("c1", "tcp", where)
        pairs.append((new, listener.accept()[0]))
        exchange(*pairs[-1])


def until_acknowledged(*ends):
    """Wait until all data of both is acknowledged."""
    deadline = time.monotonic() + 10
    while any(struct.unpack("i", fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)))[0] for end in ends):
        check(time.monotonic() < deadline, "data is not acknowledged")
        time.sleep(0.01)


def attack_during(work):
    """Attack repeatedly until the work is done, at least once. Return: what got in, as printed."""
    done, problems = threading.Event(), []

    def attack():
        with netns("c1"):
            while True:
                result = subprocess.run(
                    ["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "attack.py"),
                     "to-loopback"], capture_output=True, text=True, timeout=60, check=False)
                if result.returncode or re.search("^in ", result.stdout, re.M):
                    problems.append(result.stdout + result.stderr)
                if done.is_set():
                    return

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return problems


if __name__ == "__main__":
    SCENES[sys.argv[1]](*sys.argv[2:])
