#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""One end of a connection with bulk data in both directions at once.

    transfer.py serve|dial ADDR:PORT BYTES

Sends that many bytes, no two MiB of which are the same, reads until the other
end has sent all of its own, and prints the bytes in each direction with their
SHA-256. The server accepts one connection.
"""
import hashlib
import os
import socket
import struct
import sys
import threading

BLOCK = 1 << 20


def send(sock, left):
    block = bytearray(os.urandom(BLOCK))
    digest = hashlib.sha256()
    number = size = 0
    while size < left:
        struct.pack_into("!Q", block, 0, number)
        part = memoryview(block)[:left - size]
        digest.update(part)
        sock.sendall(part)
        number += 1
        size += len(part)
    sock.shutdown(socket.SHUT_WR)
    print(f"sent {size} {digest.hexdigest()}", flush=True)


def receive(sock):
    block = bytearray(BLOCK)
    digest = hashlib.sha256()
    size = 0
    while got := sock.recv_into(block):
        digest.update(memoryview(block)[:got])
        size += got
    print(f"received {size} {digest.hexdigest()}", flush=True)


def main():
    command, where, size = sys.argv[1:]
    host, port = where.rsplit(":", 1)
    address = (host.strip("[]"), int(port))
    if command == "serve":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock, _ = socket.create_server(address, family=family).accept()
    else:
        sock = socket.create_connection(address)
    sending = threading.Thread(target=send, args=(sock, int(size)))
    sending.start()
    receive(sock)
    sending.join()


main()
