# SPDX-License-Identifier: GPL-2.0-only
"""What the scenes share."""
import errno
import os
import socket
import subprocess
import sys

from bed import check, connect, endpoint, exchange, listen, netns

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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
    subprocess.run([sys.executable, "-S", os.path.join(TOOLS, "bpf.py"),
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
