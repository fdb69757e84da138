#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connections whose segments are signed (TCP_MD5SIG, RFC 2385).

usage: tcp_md5.py serve ADDR PORT PEER | tcp_md5.py dial ADDR PORT
"""

import socket
import struct
import sys

TCP_MD5SIG = 14  # include/uapi/linux/tcp.h
KEY = b"secret"


def sign(sock, peer):
    """Sign what goes to the IPv4 address peer, and accept nothing else from it."""
    address = struct.pack("=HH4s120x", socket.AF_INET, 0, socket.inet_aton(peer))
    sock.setsockopt(
        socket.IPPROTO_TCP, TCP_MD5SIG, address + struct.pack("=BBHi80s", 0, 0, len(KEY), 0, KEY)
    )


def serve(address, port, peer):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        sign(server, peer)
        server.listen()
        while True:
            with server.accept()[0] as client:
                client.sendall(b"signed\n")


def dial(address, port):
    with socket.socket() as client:
        client.settimeout(3)
        sign(client, address)
        client.connect((address, port))
        print(client.makefile().readline(), end="")


def main():
    command, address, port, *peer = sys.argv[1:]
    if command == "serve":
        serve(address, int(port), *peer)
        return
    try:
        dial(address, int(port))
    except OSError as err:
        sys.exit(f"tcp_md5: {address} port {port}: {err}")


if __name__ == "__main__":
    main()
