#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A fake container engine for the tests.

    engine.py SOCKET docker|podman|brief|hang|text|status [FILE [CONTAINERS]]

docker and podman answer as Docker 25 and Podman 4.3 do, with the present networks in FILE, and with the running containers in CONTAINERS; their event streams stay open, and SIGUSR1 makes them send an event about a
network. brief is a docker that closes these streams soon. hang accepts connections and does not
answer; text answers something other than HTTP, and status with an error. Goes to the background
once it listens; its PID is added to $BED/pids, and the requests to $BED/engine.log, one a line.
"""
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(__file__))
from bed import background  # noqa: E402

SOCKET, KIND = sys.argv[1:3]
ROOT = os.environ["BED"]
EVENT = b'{"Type":"network","Action":"create"}\n'


def networks():
    if len(sys.argv) <= 3:
        return b"[]"
    with open(sys.argv[3], "rb") as file:
        return file.read()


def http(status, body, *headers):
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def answer(path):
    """The answer of an engine of this kind to GET path."""
    podman = ("Api-Version: 1.41", "Libpod-Api-Version: 4.3.1") if KIND == "podman" else ()
    if KIND == "text":
        return b"220 mail.example.org ESMTP\r\n"
    if KIND == "status":
        return http("500 Internal Server Error", b'{"message":"broken"}')
    if KIND in ("docker", "brief") and path == "/networks":
        return http("200 OK", networks(), "Api-Version: 1.44")
    if KIND == "podman" and path == "/networks":
        # without the interfaces, as in Podman's Docker API
        return http("200 OK", b'[{"Name":"podman","Id":"2f25","Driver":"bridge"}]', *podman)
    if KIND == "podman" and path == "/v4.0.0/libpod/networks/json":
        return http("200 OK", networks(), *podman)
    if path == "/containers/json" and len(sys.argv) > 4:
        with open(sys.argv[4], "rb") as file:
            return http("200 OK", file.read(), *podman)
    if path.partition("?")[0].endswith("/events"):
        return b"HTTP/1.1 200 OK\r\n\r\n"
    return http("404 Not Found", b'{"message":"page not found"}', *podman)


def main():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.listen(8)
    listener = socket.socket(fileno=os.dup2(listener.detach(), 100))
    background()
    silent, subscribed = [], []
    signal.signal(signal.SIGUSR1, lambda *_: [client.send(EVENT) for client in subscribed])
    while True:
        client, _ = listener.accept()
        if KIND == "hang":
            silent.append(client)
            with open(os.path.join(ROOT, "engine.log"), "a") as log:
                log.write("hangs\n")
            continue
        words = client.recv(65536).split()
        if len(words) > 1:
            with open(os.path.join(ROOT, "engine.log"), "a") as log:
                log.write(words[1].decode() + "\n")
            client.sendall(answer(words[1].decode()))
            if b"/events" in words[1]:
                subscribed.append(client)
                if KIND == "brief":  # after the headers, so that the stream has begun
                    threading.Timer(0.1, client.close).start()
                continue
        client.close()


main()
