#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: record.py DEV SIDE FILE

Adds the frames that DEV sends to FILE, one line each: SIDE and the frame in hex. Goes to the
background once it listens, and prints its process ID.
"""
import os
import socket
import sys

ETH_P_ALL = 3

dev, side, path = sys.argv[1:]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as sock:
    sock.bind((dev, ETH_P_ALL))
    pid = os.fork()
    if pid:
        print(pid)
        sys.exit()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in range(4):  # bats waits for all processes with its descriptors, such as 3
        os.dup2(nowhere, fd)
    while True:
        frame, where = sock.recvfrom(70000)
        if where[2] != socket.PACKET_OUTGOING:
            continue
        with open(path, "a") as file:
            file.write(f"{side} {frame.hex()}\n")
