#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Dial a service, say hello, print the answer.

    dial.py tcp|udp ADDR:PORT [--source PORT] [--timeout SECONDS] [--say TEXT] [--options HEX]
            [--hold]

A UDP socket is connected, as a resolver's: an answer from another address than
the one dialled does not count. With --hold it stays open until it is killed.
Exit 0 and prints the answer; exit 1 and prints the errno's name
(ECONNREFUSED...), or TIMEOUT without an answer.
"""
import argparse
import errno
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import endpoint  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("proto", choices=["tcp", "udp"])
    parser.add_argument("where")
    parser.add_argument("--source", type=int)
    parser.add_argument("--timeout", type=float, default=5)
    parser.add_argument("--say", default="hello")
    parser.add_argument("--options", help="IPv4 options, or an IPv6 destination options header")
    parser.add_argument("--hold", action="store_true")
    args = parser.parse_args()

    family, addr = endpoint(args.where)
    sock = socket.socket(family, socket.SOCK_STREAM if args.proto == "tcp" else socket.SOCK_DGRAM)
    sock.settimeout(args.timeout)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if args.options:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes.fromhex(args.options))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                            bytes.fromhex(args.options))
    if args.source:
        sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", args.source))
    try:
        sock.connect(addr)
        sock.sendall(args.say.encode() + b"\n")
        answer = sock.recv(65536)
    except TimeoutError:
        print("TIMEOUT")
        return 1
    except OSError as err:
        print(errno.errorcode[err.errno])
        return 1
    print(answer.decode().rstrip() if answer else "EOF", flush=True)
    while args.hold:
        signal.pause()
    return 0 if answer else 1


sys.exit(main())
