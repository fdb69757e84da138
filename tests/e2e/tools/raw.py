#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Packets that no valid client sends, made by Scapy. Run in the client's namespace.

    raw.py send KIND PORT TEXT   a datagram of that kind, or from:IPV6-ADDRESS, carrying TEXT to PORT
    raw.py segment BRIDGE SRC:PORT DST:PORT FLAGS SEQ ACK TEXT
                                 a TCP segment to BRIDGE, over IPv4
    raw.py arp KIND              an ARP request of that kind and then a valid one; prints the
                                 addresses that the host answered for
    raw.py advertise PREFIX      a router advertisement of an on-link /64 for autoconfiguration
    raw.py flood PROTO ADDR COUNT PORT...
                                 COUNT SYNs or datagrams to ADDR, over all source ports and the
                                 PORTs

The source MAC is always set: Scapy fills in zeros towards 127/8 and the bridge
drops those, so that an attack would fail whatever the guard does.
"""
import fcntl
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import endpoint, netns  # noqa: E402

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


def bridge_and_own_mac(name=os.environ.get("RAW_BRIDGE", "br-test")):
    with netns("host"):
        bridge = mac_of(name)
    return bridge, mac_of("eth0")


def hidden_ports(port, text):
    """Two fragments of a datagram to PORT. By its own length the first ends before the transport
    header; in its place is padding that looks like one to port 8088."""
    from scapy.layers.inet import UDP
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
    from scapy.packet import Raw

    def options(following):
        return bytes(IPv6ExtHdrDestOpt(nh=following, options=[PadN(optdata=bytes(4))]))

    def rest(to):
        datagram = IPv6(src=CLIENT6, dst="::1") / UDP(sport=4444, dport=to) / Raw(text.encode())
        return options(17) + bytes(datagram)[40:]

    def piece(inside, padding=b"", **place):
        head = bytes(IPv6ExtHdrFragment(nh=60, id=77, **place))
        return IPv6(src=CLIENT6, dst=GATEWAY6, nh=44, plen=len(head + inside)) / \
            Raw(head + inside + padding)
    return [piece(options(60), rest(8088), m=1), piece(rest(port), offset=1)]


def route_through_loopback(udp, pointer):
    """A loose source route that ends with 127.0.0.1, the next hop by the pointer."""
    from scapy.layers.inet import IP, IPOption_LSRR
    from scapy.packet import Raw

    body = bytes(IP(src=CLIENT, dst="127.0.0.1") / udp)[20:]
    hops = bytes([198] * (pointer - 4) + [127, 0, 0, 1] + [0] * -(pointer % -4))
    return IP(src=CLIENT, dst=GATEWAY, proto=17, options=[IPOption_LSRR(
        length=3 + pointer, pointer=pointer,
        routers=[socket.inet_ntoa(hops[at:at + 4]) for at in range(0, len(hops), 4)])]) / Raw(body)


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
        "valid": ether / IP(src=CLIENT, dst=GATEWAY) / udp,
        "to-other-mac": Ether(src=own, dst="02:00:00:00:30:99") / IP(src=CLIENT, dst=GATEWAY) / udp,
        "route-to-neighbour": ether / IP(src=CLIENT, dst=GATEWAY, options=[
            IPOption_LSRR(routers=["172.30.0.3"])]) / udp,
        "valid6": ether / IPv6(src=CLIENT6, dst=GATEWAY6) / udp,
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
        "to-loopback-lsrr-5": ether / route_through_loopback(udp, 5),
        "to-loopback-lsrr-6": ether / route_through_loopback(udp, 6),
        "to-loopback-lsrr-7": ether / route_through_loopback(udp, 7),
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
    if kind.startswith("from:"):
        kinds[kind] = ether / IPv6(src=kind[len("from:"):], dst=GATEWAY6) / udp
    frames = [kinds[kind]] if kind in kinds else \
        [ether / piece for piece in {"hidden-ports6": hidden_ports}[kind](int(port), text)]
    with packet_socket() as sock:
        for frame in frames:
            sock.send(bytes(frame))


def segment(bridge, src, dst, flags, seq, ack, text):
    from scapy.layers.inet import IP, TCP
    from scapy.layers.l2 import Ether
    from scapy.packet import Raw

    (_, (src, sport)), (_, (dst, dport)) = endpoint(src), endpoint(dst)
    bridge, own = bridge_and_own_mac(bridge)
    with packet_socket() as sock:
        sock.send(bytes(Ether(src=own, dst=bridge) / IP(src=src, dst=dst) /
                        TCP(sport=sport, dport=dport, flags=flags, seq=int(seq), ack=int(ack)) /
                        Raw(text.encode())))


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
        # sent after the other: its answer shows that the other was handled
        sock.send(bytes(everyone / ARP(hwsrc=own, psrc=CLIENT, pdst=GATEWAY)))
        while True:
            frame = Ether(sock.recv(2048))
            if ARP not in frame or frame[ARP].op != 2:
                continue
            print("answered", frame[ARP].pdst, "about", frame[ARP].psrc)
            if (frame[ARP].pdst, frame[ARP].psrc) == (CLIENT, GATEWAY):
                return


def advertise(prefix):
    from scapy.layers.inet6 import ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, IPv6
    from scapy.layers.l2 import Ether

    with packet_socket() as sock:
        sock.send(bytes(Ether(src=mac_of("eth0"), dst="33:33:00:00:00:01") /
                        IPv6(src="fe80::2", dst="ff02::1", hlim=255) /
                        ICMPv6ND_RA(routerlifetime=0) /
                        ICMPv6NDOptPrefixInfo(prefix=prefix, prefixlen=64, L=1, A=1)))


def flood(proto, where, count, *ports):
    """Made once; then the source port goes up and another word down, which keeps the checksum."""
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether

    bridge, own = bridge_and_own_mac()
    count, first = int(count), 10000
    span = -(-count // len(ports))
    with packet_socket() as sock:
        for port in map(int, ports):
            layer, other = {"tcp": (TCP(sport=first, dport=port, window=65535, flags="S"), 48),
                            "udp": (UDP(sport=first, dport=port) / b"\xff\xff", 42)}[proto]
            frame = bytearray(bytes(Ether(src=own, dst=bridge) / IP(src=CLIENT, dst=where) / layer))
            for step in range(min(span, 65535 - first, count)):
                struct.pack_into("!H", frame, 34, first + step)
                struct.pack_into("!H", frame, other, 65535 - step)
                sock.send(frame)
            count -= span
    print("sent")


if __name__ == "__main__":
    {"send": send, "segment": segment, "arp": arp, "advertise": advertise, "flood": flood}[sys.argv[1]](*sys.argv[2:])
