# SPDX-License-Identifier: GPL-2.0-only
"""What the test programs share: namespaces, addresses, hbpf, readable failures.

A socket belongs to the network namespace it was made in, whatever its process
does later. So one process can hold both ends of a connection, and a scene needs
no synchronisation between programs.
"""
import contextlib
import ctypes
import os
import socket
import subprocess

CLONE_NEWNET = 0x40000000
HBPF = os.environ.get("HBPF", os.path.join(os.path.dirname(__file__), "../../../build/hbpf"))

_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET):
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err))


@contextlib.contextmanager
def netns(name):
    """Sockets and processes made inside belong to namespace `name`."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(home)
        os.close(there)
        os.close(home)


def endpoint(text):
    """'1.2.3.4:80' or '[::1]:80' -> (family, (address, port))"""
    addr, _, port = text.rpartition(":")
    addr = addr.strip("[]")
    return (socket.AF_INET6 if ":" in addr else socket.AF_INET), (addr, int(port))


def show(peer):
    """The inverse of endpoint(), for a sockaddr."""
    addr = peer[0].split("%")[0]
    return f"[{addr}]:{peer[1]}" if ":" in addr else f"{addr}:{peer[1]}"


def make(ns, kind, family=socket.AF_INET, bind=None, timeout=10):
    """A socket of namespace `ns`; kind is 'tcp' or 'udp'."""
    with netns(ns):
        sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    if kind == "tcp":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if bind:
        sock.bind(bind)
    return sock


def listen(ns, where):
    family, addr = endpoint(where)
    sock = make(ns, "tcp", family, addr)
    sock.listen(512)
    return sock


def connect(ns, kind, where, bind=None, timeout=10, reuseport=False):
    family, addr = endpoint(where)
    sock = make(ns, kind, family, timeout=timeout)
    if reuseport:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if bind:
        sock.bind(bind)
    sock.connect(addr)
    return sock


def exchange(one, other, text=b"ping"):
    """Send bytes there and back."""
    one.sendall(text)
    got = recv_exactly(other, len(text))
    check(got == text, f"sent {text!r}, arrived {got!r}")
    other.sendall(text[::-1])
    got = recv_exactly(one, len(text))
    check(got == text[::-1], f"sent {text[::-1]!r} back, arrived {got!r}")


def recv_exactly(sock, count):
    parts = []
    while count:
        part = sock.recv(min(count, 1 << 20))
        check(part, f"connection ended {count} bytes early")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def hbpf(*args, ns="host", check_exit=True):
    with netns(ns):
        done = subprocess.run([HBPF, *args], capture_output=True, text=True, timeout=60,
                              check=False)
    if check_exit:
        check(done.returncode == 0,
              f"hbpf {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def background():
    """Continue as a child; its PID is added to $BED/pids, and descriptors from 64 on stay open."""
    child = os.fork()
    if child:
        with open(os.path.join(os.environ["BED"], "pids"), "a") as pids:
            pids.write(f"{child}\n")
        os._exit(0)
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    # bats waits for all processes with its descriptors
    os.closerange(null, 64)


def check(truth, message):
    if not truth:
        raise SystemExit(f"FAILED: {message}")
