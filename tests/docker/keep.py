#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Query an HTTP service repeatedly over one connection: keep.py HOST PORT

Prints every answer. Ends with the connection, which is not opened a second time.
"""

import http.client
import sys
import time

connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=30)
connection.connect()
connection.auto_open = 0
while True:
    connection.request("GET", "/")
    print(connection.getresponse().read().decode().rstrip(), flush=True)
    time.sleep(0.1)
