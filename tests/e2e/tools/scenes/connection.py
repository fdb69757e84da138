# SPDX-License-Identifier: GPL-2.0-only
"""Connections over time: streams, changes of ports meanwhile, ends."""
import errno
import hashlib
import os
import socket
import struct
import threading

from bed import check, connect, endpoint, exchange, hbpf, listen, make, recv_exactly, show
from scenes.common import clear, pair, raises, run, scene
from scenes.flood import asked, unspoken


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
