#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A client that never stops: in each round it uses a connection that stays open, and dials another
one. Each successful round adds a line to $BED/steady.log.

    steady.py ADDR:PORT

Continues until it is killed, or until a round fails: then the last line begins with FAILED.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from bed import endpoint  # noqa: E402


def ask(sock, text):
    sock.sendall(text.encode() + b"\n")
    answer = sock.recv(65536)
    if not answer:
        raise OSError("closed by the service")


def main():
    _, addr = endpoint(sys.argv[1])
    with open(os.path.join(os.environ["BED"], "steady.log"), "w", encoding="ascii",
              buffering=1) as log:
        try:
            lasting = socket.create_connection(addr, 5)
            for number in range(10_000_000):
                ask(lasting, "lasting")
                with socket.create_connection(addr, 5) as other:
                    ask(other, "other")
                log.write(f"{number}\n")
                time.sleep(0.005)  # leave the processor to what is tested
        except OSError as err:
            log.write(f"FAILED {err}\n")
            return 1
    return 0


sys.exit(main())
