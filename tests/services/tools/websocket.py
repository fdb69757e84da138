#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of WebSocket connections that carry streams in both directions at once.

    websocket.py serve PORT
    websocket.py load URL --connections N --seconds N

The server echoes messages and also sends a stream of its own, whose length it
sends when the client asks for the end. Message N of a stream has the length
length(N) and consists of N, so that lost, repeated, reordered and corrupted
messages are noticed; the first ends the load with exit 1. The server prints a
line "closed CODE" for each connection.
"""
import argparse
import asyncio
import struct
import sys

import websockets

ECHO, STREAM = 0, 1
# Seconds to wait for anything
PATIENCE = 60
# Pings are sent all the time, in between.
OPTIONS = {"compression": None, "ping_interval": 0.5, "ping_timeout": PATIENCE}
# Enough to keep a connection busy, few enough not to wait for the last ones.
WINDOW = 8


def length(number):
    """In bytes, from 8 to 98,312 and never the same twice in a row."""
    return 8 + 8 * (number * 4093 % 12289)


def message(kind, number):
    return bytes([kind]) + struct.pack("!Q", number) * (length(number) // 8)


def check(got, kind, number):
    if got != message(kind, number):
        raise ValueError(f"not message {number} of stream {kind}: {len(got)} bytes, {got[:9].hex()}")


async def stream(socket, credit, ended):
    number = 0
    while not ended.is_set():
        await socket.send(message(STREAM, number))
        number += 1
        await credit.acquire()
    await socket.send(str(number))


async def answer(socket):
    # Without it the stream would fill all buffers, and the echoes would wait.
    credit = asyncio.Semaphore(WINDOW)
    ended = asyncio.Event()
    streaming = asyncio.create_task(stream(socket, credit, ended))
    try:
        async for got in socket:
            if got == "end":
                ended.set()
            else:
                await socket.send(got)
            credit.release()
    except websockets.ConnectionClosed:
        pass
    await asyncio.gather(streaming, return_exceptions=True)
    print("closed", socket.close_code, flush=True)


async def serve(port):
    async with websockets.serve(answer, ["127.0.0.1", "::1"], port, **OPTIONS):
        await asyncio.Future()


async def load_one(url, seconds):
    """Returns the messages sent, those received, and the bytes of both."""
    clock = asyncio.get_running_loop().time
    async with websockets.connect(url, open_timeout=PATIENCE, **OPTIONS) as socket:
        sent = echoed = streamed = size = 0
        end = clock() + seconds
        asked = False
        while True:
            while clock() < end and sent < echoed + WINDOW:
                await socket.send(message(ECHO, sent))
                size += length(sent)
                sent += 1
            if echoed == sent and not asked:
                await socket.send("end")
                asked = True
            got = await asyncio.wait_for(socket.recv(), PATIENCE)
            if isinstance(got, str):
                break
            size += len(got) - 1
            if got[0] == ECHO:
                check(got, ECHO, echoed)
                echoed += 1
            else:
                check(got, STREAM, streamed)
                streamed += 1
    if (int(got), echoed, socket.close_code) != (streamed, sent, 1000) or not streamed:
        raise ValueError(f"{streamed} of {got}, {echoed} of {sent}, closed {socket.close_code}")
    return sent, echoed + streamed, size


async def load(url, connections, seconds):
    # gather() ends with the first error
    done = await asyncio.gather(*(load_one(url, seconds) for _ in range(connections)))
    sent, received, size = (sum(column) for column in zip(*done))
    print(f"{connections} connections, {sent} messages out, {received} in, {size >> 20} MiB")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve").add_argument("port", type=int)
    load_parser = commands.add_parser("load")
    load_parser.add_argument("url")
    load_parser.add_argument("--connections", type=int, required=True)
    load_parser.add_argument("--seconds", type=float, required=True)
    args = parser.parse_args()
    if args.command == "serve":
        asyncio.run(serve(args.port))
    else:
        asyncio.run(load(args.url, args.connections, args.seconds))


sys.exit(main())
