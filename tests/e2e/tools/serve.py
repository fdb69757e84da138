#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A service for the tests: answers with its name, the client's address and the client's text.

    serve.py NAME [--tcp ADDR:PORT]... [--udp ADDR:PORT]...

Goes to the background once every socket is bound and listening: when the
command returns, the service is ready. Its PID is added to $BED/pids, and a line
for each message to $BED/NAME.log.
"""
import argparse
import os
import selectors
import socket
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import background, endpoint, show  # noqa: E402


def answer(name, proto, peer, said):
    said = said.decode("latin-1").strip()
    line = f"{name} {proto} saw {show(peer)} said {said}"
    if said.startswith("GET "):
        return line, f"HTTP/1.0 200 OK\r\nContent-Length: {len(line) + 1}\r\n\r\n{line}\n"
    return line, line + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--tcp", action="append", default=[])
    parser.add_argument("--udp", action="append", default=[])
    args = parser.parse_args()

    # above 100: background() does not close those
    log_path = os.path.join(os.environ["BED"], args.name + ".log")
    sockets = []
    for proto, places in (("tcp", args.tcp), ("udp", args.udp)):
        for place in places:
            family, addr = endpoint(place)
            sock = socket.socket(family,
                                 socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
            if proto == "tcp":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(addr)
            if proto == "tcp":
                sock.listen(512)
            high = os.dup2(sock.detach(), 100 + len(sockets))
            sockets.append((proto, socket.socket(fileno=high)))
    open(log_path, "w").close()
    background()
    def note(line):
        with open(log_path, "a") as log:
            log.write(line + "\n")

    waiting = selectors.DefaultSelector()
    for proto, sock in sockets:
        waiting.register(sock, selectors.EVENT_READ, "listen" if proto == "tcp" else "udp")
    while True:
        for key, _ in waiting.select():
            sock = key.fileobj
            try:
                if key.data == "listen":
                    waiting.register(sock.accept()[0], selectors.EVENT_READ, "tcp")
                elif key.data == "udp":
                    said, peer = sock.recvfrom(65536)
                    line, text = answer(args.name, "udp", peer, said)
                    note(line)
                    sock.sendto(text.encode(), peer)
                else:
                    said = sock.recv(65536)
                    if not said:
                        waiting.unregister(sock)
                        sock.close()
                        continue
                    line, text = answer(args.name, "tcp", sock.getpeername(), said)
                    note(line)
                    sock.sendall(text.encode())
            except OSError:
                if key.data == "tcp":
                    waiting.unregister(sock)
                    sock.close()


main()
