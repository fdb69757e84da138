#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Connects two taps, or tuns, as a virtual machine's network device is connected to the host's tap.

    relay.py tap|tun NAMESPACE:NAME NAMESPACE:NAME    creates both; ends when it is killed

Every frame carries its offloads (virtio_net_hdr), as with virtio: segments stay large, and checksums
may be partial.
"""
import fcntl
import os
import select
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import background, netns  # noqa: E402

TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454ca, 0x400454d0, 0x400454d8
IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 1, 2, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4


def create(kind, where, number):
    """Return the descriptor, `number`, that background() keeps open."""
    ns, name = where.split(":")
    flags = (IFF_TUN if kind == "tun" else IFF_TAP) | IFF_NO_PI | IFF_VNET_HDR
    with netns(ns):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    os.dup2(fd, number)
    os.close(fd)
    return number


def main():
    one, other = (create(sys.argv[1], where, 64 + i) for i, where in enumerate(sys.argv[2:4]))
    background()
    poll = select.poll()
    poll.register(one, select.POLLIN)
    poll.register(other, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            try:
                frame = os.read(fd, 1 << 17)
                os.write(other if fd == one else one, frame)
            except OSError:
                pass  # the other one is down, or was deleted


main()
