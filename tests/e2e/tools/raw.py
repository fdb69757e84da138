#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Packets no honest client sends, made by Scapy. Run in the client's namespace.

    raw.py send KIND PORT TEXT   a datagram of that kind, carrying TEXT to PORT
    raw.py arp KIND              an ARP request of that kind and then an honest one; prints whom
                                 the host answered for
    raw.py flood ADDR COUNT PORT...
                                 COUNT SYNs to ADDR, over all source ports and the PORTs

The source MAC is always set: Scapy fills in zeros towards 127/8 and the bridge
drops those, so that an attack would fail whatever the guard does.
"""
import fcntl
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import netns  # noqa: E402

CLIENT, CLIENT6 = "172.30.0.2", "fd00:30::2"
GATEWAY, GATEWAY6 = "172.30.0.1", "fd00:30::1"
SIOCGIFHWADDR = 0x8927


def mac_of(dev):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        raw = fcntl.ioctl(sock, SIOCGIFHWADDR, struct.pack("256s", dev.encode()))
    return ":".join(f"{byte:02x}" for byte in raw[18:24])


def packet_socket():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(("eth0", 0))
    return sock


def bridge_and_own_mac():
    with netns("host"):
        bridge = mac_of("br-test")
    return bridge, mac_of("eth0")


def send(kind, port, text):
    from scapy.layers.inet import IP, UDP, IPOption_LSRR, IPOption_SSRR
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    from scapy.packet import Raw

    bridge, own = bridge_and_own_mac()
    ether = Ether(src=own, dst=bridge)
    udp = UDP(sport=4444, dport=int(port)) / Raw(text.encode())
    to_lo = IP(src=CLIENT, dst="127.0.0.1") / udp
    kinds = {
        "honest": ether / IP(src=CLIENT, dst=GATEWAY) / udp,
        "honest6": ether / IPv6(src=CLIENT6, dst=GATEWAY6) / udp,
        "to-loopback": ether / to_lo,
        "to-loopback-net": ether / IP(src=CLIENT, dst="127.9.8.7") / udp,
        "to-loopback-broadcast-mac": Ether(src=own, dst="ff:ff:ff:ff:ff:ff") / to_lo,
        "to-loopback-multicast-mac": Ether(src=own, dst="01:00:5e:00:00:01") / to_lo,
        "to-loopback-tag": ether / Dot1Q(vlan=0) / to_lo,
        "to-loopback-2-tags": ether / Dot1Q(vlan=0) / Dot1Q(vlan=0) / to_lo,
        "to-loopback-3-tags": ether / Dot1Q(vlan=0) / Dot1Q(vlan=0) / Dot1Q(vlan=0) / to_lo,
        "to-loopback-ad-tag": ether / Dot1AD(vlan=0) / Dot1Q(vlan=0) / to_lo,
        "to-loopback-lsrr": ether / IP(src=CLIENT, dst=GATEWAY, options=[
            IPOption_LSRR(routers=["127.0.0.1"])]) / udp,
        "to-loopback-ssrr": ether / IP(src=CLIENT, dst=GATEWAY, options=[
            IPOption_SSRR(routers=["127.0.0.1"])]) / udp,
        "from-loopback": ether / IP(src="127.0.0.77", dst=GATEWAY) / udp,
        "to-loopback6": ether / IPv6(src=CLIENT6, dst="::1") / udp,
        "from-loopback6": ether / IPv6(src="::1", dst=GATEWAY6) / udp,
        "from-mapped": ether / IPv6(src="::ffff:127.0.0.1", dst=GATEWAY6) / udp,
        "to-mapped": ether / IPv6(src=CLIENT6, dst="::ffff:127.0.0.1") / udp,
        "from-elsewhere": ether / IP(src="10.1.2.3", dst=GATEWAY) / udp,
        "from-elsewhere6": ether / IPv6(src="fd00:99::3", dst=GATEWAY6) / udp,
        "from-host": ether / IP(src=GATEWAY, dst=GATEWAY) / udp,
        "from-host6": ether / IPv6(src=GATEWAY6, dst=GATEWAY6) / udp,
        "from-multicast": ether / IP(src="224.0.0.9", dst=GATEWAY) / udp,
    }
    with packet_socket() as sock:
        sock.send(bytes(kinds[kind]))


def arp(kind):
    from scapy.layers.l2 import ARP, Ether

    _, own = bridge_and_own_mac()
    everyone = Ether(src=own, dst="ff:ff:ff:ff:ff:ff")
    kinds = {
        "about-loopback": ARP(hwsrc=own, psrc=CLIENT, pdst="127.0.0.1"),
        "from-loopback": ARP(hwsrc=own, psrc="127.0.0.9", pdst=GATEWAY),
    }
    with packet_socket() as sock:
        sock.settimeout(5)
        sock.send(bytes(everyone / kinds[kind]))
        # in order behind the other: its answer says that the other has been dealt with
        sock.send(bytes(everyone / ARP(hwsrc=own, psrc=CLIENT, pdst=GATEWAY)))
        while True:
            frame = Ether(sock.recv(2048))
            if ARP not in frame or frame[ARP].op != 2:
                continue
            print("answered", frame[ARP].pdst, "about", frame[ARP].psrc)
            if (frame[ARP].pdst, frame[ARP].psrc) == (CLIENT, GATEWAY):
                return


def flood(where, count, *ports):
    """SYNs made once; then the source port goes up and the window down, so that the sum stays."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether

    bridge, own = bridge_and_own_mac()
    count, first = int(count), 10000
    span = -(-count // len(ports))
    with packet_socket() as sock:
        for port in ports:
            frame = bytearray(bytes(Ether(src=own, dst=bridge) / IP(src=CLIENT, dst=where) /
                                    TCP(sport=first, dport=int(port), window=65535, flags="S")))
            for step in range(min(span, 65535 - first, count)):
                struct.pack_into("!H", frame, 34, first + step)
                struct.pack_into("!H", frame, 48, 65535 - step)
                sock.send(frame)
            count -= span
    print("sent")


if __name__ == "__main__":
    {"send": send, "arp": arp, "flood": flood}[sys.argv[1]](*sys.argv[2:])
