# SPDX-License-Identifier: GPL-2.0-only
"""Two clients, or two gateways, that share addresses and ports."""
import concurrent.futures
import os
import socket
import subprocess
import threading

from bed import check, connect, endpoint, exchange, listen, netns, show
from scenes.common import TOOLS, clear, pair, scene
from scenes.connection import move

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
RECV_QUEUE, SEND_QUEUE, REPAIR_OFF_SILENTLY = 1, 2, -1  # linux/tcp.h


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
                    ["/usr/bin/python3", os.path.join(TOOLS, "raw.py"),
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
            subprocess.run(["/usr/bin/python3", os.path.join(TOOLS, "raw.py"),
                            "segment", bridge, show(one.getsockname()), gateway, flags,
                            *map(str, numbers), text], check=True, timeout=60)
    other.settimeout(0.5)
    try:
        check(False, f"the service got {other.recv(100)!r}")
    except TimeoutError:
        pass
    other.settimeout(10)
    exchange(one, other)
