#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Answer every query with a fixed text: answer.py tcp|udp ADDRESS PORT TEXT

tcp is HTTP, for curl as the client. udp appends the query to the text, and prints every query, to
show datagrams whose answer does not arrive.
"""

import http.server
import socket
import socketserver
import sys

PROTOCOL, ADDRESS, PORT, TEXT = sys.argv[1:]


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_GET(self):
        body = f"{TEXT}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Udp(socketserver.BaseRequestHandler):
    def handle(self):
        question, sock = self.request
        print(question.decode().rstrip(), flush=True)
        sock.sendto(f"{TEXT} {question.decode()}".encode(), self.client_address)


class Tcp4(socketserver.ThreadingTCPServer):
    # Not http.server.HTTPServer, which looks its own name up in the DNS first.
    allow_reuse_address = True
    daemon_threads = True


class Tcp6(Tcp4):
    address_family = socket.AF_INET6


class Udp6(socketserver.UDPServer):
    address_family = socket.AF_INET6


SERVERS = {
    ("tcp", False): (Tcp4, Http),
    ("tcp", True): (Tcp6, Http),
    ("udp", False): (socketserver.UDPServer, Udp),
    ("udp", True): (Udp6, Udp),
}

server, handler = SERVERS[PROTOCOL, ":" in ADDRESS]
server((ADDRESS, int(PORT)), handler).serve_forever()
