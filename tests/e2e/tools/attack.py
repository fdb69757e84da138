#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends frames that no valid client sends, one after another, and prints the result of each.

    attack.py SET [WRAPPING]...    every attack of the set, in every wrapping (default: plain)

They are sent from a client's namespace. An attack gets in if on the host a service got the datagram
or TCP got a segment, or if anything came back. One line for each attack:

    in    NAME [WRAPPING]: what was seen
    out   NAME [WRAPPING]

The services (loopback ports 9999 and 9998, nothing on 9997, with OUTER set the gateway's 9999, too)
are sockets of this process, bound in the host's namespace while it runs. The source MAC is always
set: Scapy fills in zeros towards 127/8 and the bridge drops those, so that an attack would fail
whatever the guard does.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(__file__))
from bed import make, netns  # noqa: E402
from raw import (CLIENT, CLIENT6, GATEWAY, GATEWAY6, bridge_and_own_mac,  # noqa: E402
                 packet_socket)

from scapy.layers.inet import (ICMP, IP, TCP, UDP, IPOption_LSRR,  # noqa: E402
                               IPOption_SSRR, fragment, in4_chksum)
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,  # noqa: E402
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Jumbo, fragment6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

EXPORTED, HIDDEN, CLOSED, WAITING, FENCE = 9999, 9998, 9997, 9996, 5400
LOOPBACKS = ("127.0.0.1", "127.0.0.53", "127.1.2.3")
BROADCAST, MULTICAST = "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"
TAGS = {"q": Dot1Q, "ad": Dot1AD}
SPORT = 4444


def udp(port=EXPORTED, text=b"attack"):
    return UDP(sport=SPORT, dport=port) / Raw(text)


def syn(port):
    return TCP(sport=SPORT, dport=port, flags="S", seq=1000)


def to_loopback():
    """Raw packets to 127/8: ports exported, served without being exported, and closed."""
    for dst in LOOPBACKS:
        ip = IP(src=CLIENT, dst=dst)
        for port in (EXPORTED, HIDDEN, CLOSED):
            yield f"udp {dst}:{port}", ip / udp(port)
            yield f"syn {dst}:{port}", ip / syn(port)
        yield f"ack {dst}:{CLOSED}", ip / TCP(sport=SPORT, dport=CLOSED, flags="A")
        yield f"echo {dst}", ip / ICMP()


def datagrams():
    """Those of them that Linux also accepts in a broadcast frame."""
    for dst in LOOPBACKS:
        for port in (EXPORTED, HIDDEN):
            yield f"udp {dst}:{port}", IP(src=CLIENT, dst=dst) / udp(port)


# UDP-Lite, SCTP, DCCP, IPv4 in IPv4, GRE
PROTOCOLS = {136: "udp-lite", 132: "sctp", 33: "dccp", 4: "ipip", 47: "gre"}


def with_ports(proto, dst, port):
    """A packet of that protocol; UDP-Lite (RFC 3828) needs a valid checksum."""
    ip = IP(src=CLIENT, dst=dst, proto=proto)
    payload = struct.pack("!HHHH", SPORT, port, 0, 0) + b"attack"
    if PROTOCOLS[proto] == "udp-lite":
        payload = payload[:6] + struct.pack("!H", in4_chksum(proto, ip, payload)) + payload[8:]
    return ip / Raw(payload)


def other_protocols():
    """Protocols with ports in the same place as UDP's, or with another packet inside."""
    for proto, name in PROTOCOLS.items():
        for dst in LOOPBACKS:
            yield f"{name} {dst}", with_ports(proto, dst, HIDDEN)


def tunnelled():
    """The same to the gateway, and packets to loopback inside packets to it."""
    inner = bytes(IP(src=CLIENT, dst="127.0.0.1") / udp())
    ip = IP(src=CLIENT, dst=GATEWAY)
    for proto, name in PROTOCOLS.items():
        yield f"{name} to the port", with_ports(proto, GATEWAY, EXPORTED)
    yield "ipip", IP(src=CLIENT, dst=GATEWAY, proto=4) / Raw(inner)
    yield "gre", IP(src=CLIENT, dst=GATEWAY, proto=47) / Raw(b"\0\0\x08\0" + inner)
    yield "vxlan", ip / UDP(sport=SPORT, dport=4789) / Raw(b"\x08" + bytes(7) + bytes(
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")) + inner)
    yield "jumbo", (IPv6(src=CLIENT6, dst=GATEWAY6, plen=0) /
                    IPv6ExtHdrHopByHop(options=[Jumbo(jumboplen=70000)]) / udp(HIDDEN))


def source_routes():
    for name, option in (("lsrr", IPOption_LSRR), ("ssrr", IPOption_SSRR)):
        for hop in LOOPBACKS:
            yield (f"{name} by {hop}",
                   IP(src=CLIENT, dst=GATEWAY, options=[option(routers=[hop])]) / udp())


def host_addresses(family):
    """The host's own: the gateway, those of other bridges, additional ones of lo, and one for each
    kind that routes make local (anycast, AnyIP)."""
    import ipaddress
    import subprocess

    def lines(*words):
        return subprocess.run(["ip", "-o", f"-{family}", *words], capture_output=True, text=True,
                              check=True).stdout.splitlines()
    with netns("host"):
        found = {line.split()[3].split("/")[0] for line in lines("addr")}
        for kind in ("local", "anycast") if family == 6 else ("local",):
            for line in lines("route", "show", "table", "all", "type", kind):
                prefix = ipaddress.ip_network(line.split()[1])
                found.add(str(prefix[min(7, prefix.num_addresses - 1)]))
    return sorted(addr for addr in found if not addr.startswith(("127.", "fe80:")) and addr != "::1")


def from_host():
    """UDP with a source address of the host."""
    for src in host_addresses(4):
        yield f"from {src}", IP(src=src, dst=GATEWAY) / udp()
    for src in host_addresses(6):
        yield f"from {src}", IPv6(src=src, dst=GATEWAY6) / udp()


def from_loopback():
    for src in LOOPBACKS:
        yield f"from {src}", IP(src=src, dst=GATEWAY) / udp()
    for src in ("::1", "::ffff:127.0.0.1"):
        yield f"from {src}", IPv6(src=src, dst=GATEWAY6) / udp()


def from_elsewhere():
    """Sources that no client behind this bridge has."""
    for src in ("192.0.2.7", "10.1.2.3", "172.30.1.2", "172.29.255.255", "172.31.0.9"):
        yield f"from {src}", IP(src=src, dst=GATEWAY) / udp()
    for src in ("2001:db8::7", "fd00:31::9", "fe80::77", "::", "::ffff:192.0.2.7",
                f"::ffff:{CLIENT}"):
        yield f"from {src}", IPv6(src=src, dst=GATEWAY6) / udp()


def from_nobody():
    """Sources that no host has; Linux rejects these by itself as well."""
    for src in ("0.0.0.0", "224.0.0.1", "239.1.2.3", "255.255.255.255"):
        yield f"from {src}", IP(src=src, dst=GATEWAY) / udp()
    for src in ("ff02::1", "ff0e::9"):
        yield f"from {src}", IPv6(src=src, dst=GATEWAY6) / udp()


def to_loopback6():
    """::1 and v4-mapped loopback, also behind headers that hide the transport."""
    for dst in ("::1", "::ffff:127.0.0.1"):
        ip = IPv6(src=CLIENT6, dst=dst)
        for name, headers in (("", None), ("hop-by-hop ", IPv6ExtHdrHopByHop()),
                              ("options ", IPv6ExtHdrDestOpt()),
                              ("fragment ", IPv6ExtHdrFragment(m=0, offset=0)),
                              ("options+fragment ",
                               IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(m=0, offset=0)),
                              ("options*9 ", options(9))):
            yield f"{name}udp [{dst}]", ip / headers / udp() if headers else ip / udp()
        yield f"syn [{dst}]", ip / syn(HIDDEN)


def options(count):
    headers = IPv6ExtHdrDestOpt()
    for _ in range(count - 1):
        headers = headers / IPv6ExtHdrDestOpt()
    return headers


def hidden_transport():
    """To the gateway: a port that is not exported, hidden behind extension headers."""
    ip = IPv6(src=CLIENT6, dst=GATEWAY6)
    for count in (1, 7, 8, 9, 20):
        yield f"options*{count}", ip / options(count) / udp(HIDDEN)
    yield "fragment+options", ip / IPv6ExtHdrFragment(m=0, offset=0) / options(2) / udp(HIDDEN)


def routing6():
    ip, segment = IPv6(src=CLIENT6, dst=GATEWAY6), ["::1"]
    for kind in (0, 2):
        yield (f"routing type {kind}",
               ip / IPv6ExtHdrRouting(type=kind, segleft=1, addresses=segment) / udp())
    yield ("routing twice", ip / IPv6ExtHdrRouting(type=4, segleft=0, addresses=[GATEWAY6]) /
           IPv6ExtHdrRouting(type=0, segleft=1, addresses=segment) / udp())


def piece(ip, offset, more, payload):
    """A fragment with exactly these bytes, OFFSET in units of eight."""
    ip = ip.copy()
    ip.flags, ip.frag, ip.proto = "MF" if more else 0, offset, socket.IPPROTO_UDP
    return ip / Raw(payload)


def piece6(offset, more, payload, ident):
    return (IPv6(src=CLIENT6, dst=GATEWAY6) /
            IPv6ExtHdrFragment(nh=17, m=int(more), offset=offset, id=ident) / Raw(payload))


def fragments_to_loopback():
    for dst in LOOPBACKS:
        ip = IP(src=CLIENT, dst=dst, id=77)
        yield f"tiny {dst}", fragment(ip / udp(text=b"x" * 64), fragsize=8)
        yield f"backwards {dst}", fragment(ip / udp(text=b"x" * 64), fragsize=24)[::-1]


def fragments():
    """To the gateway: fragments that aim at a closed port, or at a forged datagram."""
    data = bytes(UDP(sport=SPORT, dport=EXPORTED, len=40, chksum=0)) + b"x" * 32
    other = bytes(UDP(sport=SPORT, dport=HIDDEN, len=40, chksum=0)) + b"y" * 32
    ip = IP(src=CLIENT, dst=GATEWAY)

    idents = iter(range(0x5151, 0x6000))

    def same_id(*parts):
        ident = next(idents)
        for part in parts:
            part.id = ident
        return list(parts)

    yield "control: valid pieces", same_id(piece(ip, 0, 1, data[:24]), piece(ip, 3, 0, data[24:]))
    yield "overlap: another port", same_id(piece(ip, 0, 1, data[:24]), piece(ip, 0, 1, other[:24]),
                                           piece(ip, 3, 0, data[24:]))
    yield "overlap: into the header", same_id(piece(ip, 0, 1, data[:24]),
                                              piece(ip, 1, 0, other[8:]),
                                              piece(ip, 3, 0, data[24:]))
    yield "no first", same_id(piece(ip, 1, 1, data[8:24]), piece(ip, 3, 0, data[24:]))
    yield "first too short for ports", same_id(piece(ip, 0, 1, data[:2]), piece(ip, 1, 0, data[8:]))
    yield "ports of two in one id", same_id(piece(ip, 0, 1, other[:24]), piece(ip, 3, 0, data[24:]))
    yield "control: valid v6", fragment6(IPv6(src=CLIENT6, dst=GATEWAY6) / IPv6ExtHdrFragment() /
                                          udp(text=b"x" * 2000), 500)
    yield "v6 overlap", [piece6(0, 1, data[:24], 1), piece6(0, 1, other[:24], 1),
                         piece6(3, 0, data[24:], 1)]
    yield "v6 no first", [piece6(1, 1, data[8:24], 2), piece6(3, 0, data[24:], 2)]
    whole = IPv6(src=CLIENT6, dst="::1") / IPv6ExtHdrFragment() / udp(text=b"x" * 2000)
    yield "v6 to ::1", fragment6(whole, 500)


def forged_errors():
    """ICMP that quotes packets that were never sent, as if by a loopback service to CLIENT."""
    for kind, code in ((3, 3), (3, 2), (3, 4), (4, 0), (5, 1), (11, 0), (12, 0)):
        for src in ("127.0.0.1", GATEWAY):
            quote = IP(src=src, dst=CLIENT) / UDP(sport=WAITING, dport=SPORT)
            yield (f"icmp {kind}/{code} about {src}:{WAITING}",
                   IP(src=CLIENT, dst=GATEWAY) / ICMP(type=kind, code=code) / quote)


def arp():
    _, own = bridge_and_own_mac()
    for last in range(1, 17):
        yield f"who-has {GATEWAY} tell 127.{last}.0.1", ARP(
            hwsrc=own, psrc=f"127.{last}.0.1", pdst=GATEWAY)
    yield "who-has 127.0.0.1", ARP(hwsrc=own, psrc=CLIENT, pdst="127.0.0.1")
    yield "who-has 127.0.0.53 tell 127.0.0.9", ARP(hwsrc=own, psrc="127.0.0.9", pdst="127.0.0.53")


SETS = {function.__name__.replace("_", "-"): function for function in (
    to_loopback, datagrams, other_protocols, tunnelled, source_routes, from_host, from_loopback,
    from_elsewhere, from_nobody, to_loopback6, hidden_transport, routing6, fragments_to_loopback,
    fragments, forged_errors, arp)}


def wrap(packet, wrapping, bridge, own):
    """WRAPPING: plain, broadcast, multicast, or tags from the outside in, as in q-ad-q"""
    dst = {"broadcast": BROADCAST, "multicast": MULTICAST}.get(wrapping, bridge)
    frame = Ether(src=own, dst=BROADCAST if ARP in packet else dst)
    if dst == bridge and wrapping != "plain":
        for tag in wrapping.split("-"):
            frame = frame / TAGS[tag](vlan=0)
    return bytes(frame / packet)


class Host:
    """The host's services, and what the host receives and answers."""

    def __init__(self):
        self.services, self.listeners = {}, []
        for addr in (*LOOPBACKS, "::1"):
            family = socket.AF_INET6 if ":" in addr else socket.AF_INET
            for port in (EXPORTED, HIDDEN):
                sock = make("host", "udp", family, (addr, port))
                sock.setblocking(False)
                self.services[sock] = f"{addr}:{port}"
                listener = make("host", "tcp", family, (addr, port))
                listener.listen(8)
                self.listeners.append(listener)
        # a service on the gateway itself, which does not concern hbpf
        if "OUTER" in os.environ:
            for addr in (GATEWAY, GATEWAY6):
                family = socket.AF_INET6 if ":" in addr else socket.AF_INET
                sock = make("host", "udp", family, (addr, EXPORTED))
                sock.setblocking(False)
                self.services[sock] = f"{addr}:{EXPORTED}"
        if "WAITING" in os.environ:
            sock = make("host", "udp", socket.AF_INET, ("127.0.0.1", WAITING))
            sock.connect((CLIENT, SPORT))
            sock.setblocking(False)
            self.services[sock] = f"127.0.0.1:{WAITING}"
        self.fence = make("host", "udp", socket.AF_INET, (GATEWAY, FENCE))
        self.client = make("c1", "udp", socket.AF_INET, timeout=5)
        self.client.connect((GATEWAY, FENCE))
        self.wire = packet_socket()
        self.answer_all()
        self.pass_fence()
        self.segments = self.tcp_segments()
        self.answers()

    @staticmethod
    def answer_all():
        """No rate limits of the host: silence must mean that there was nothing to answer."""
        with netns("host"):
            for key, value in (("ipv4/icmp_ratelimit", "0"), ("ipv4/icmp_msgs_per_sec", "100000"),
                               ("ipv4/icmp_msgs_burst", "100000"), ("ipv6/icmp/ratelimit", "0"),
                               ("ipv4/tcp_invalid_ratelimit", "0")):
                try:
                    with open(f"/proc/sys/net/{key}", "w") as file:
                        file.write(value)
                except OSError:
                    pass  # not per namespace on older kernels

    @staticmethod
    def tcp_segments():
        with netns("host"), open("/proc/thread-self/net/snmp") as snmp:
            names, values = [line.split() for line in snmp if line.startswith("Tcp:")]
        return int(values[names.index("InSegs")])

    def pass_fence(self):
        """Wait until all earlier frames were handled. Twice: once to lo and once from there."""
        for _ in range(2):
            self.client.send(b"fence")
            _, peer = self.fence.recvfrom(100)
            self.fence.sendto(b"fence", peer)
            self.client.recv(100)

    def answers(self):
        self.wire.setblocking(False)
        while True:
            try:
                data, where = self.wire.recvfrom(4096)
            except BlockingIOError:
                return
            if where[2] == socket.PACKET_OUTGOING:
                continue
            frame = Ether(data)
            if IP in frame:
                if frame[IP].proto != socket.IPPROTO_IGMP and not (
                        UDP in frame and frame[UDP].sport == FENCE):
                    yield frame[IP].summary()
            elif IPv6 in frame and not (data[20] == 58 and data[54] >= 130 or data[20] == 0):
                yield frame[IPv6].summary()
            elif ARP in frame and (b"\x7f" in (data[28:29], data[38:39])):
                yield frame[ARP].summary()

    def seen(self):
        self.pass_fence()
        for sock, name in self.services.items():
            try:
                _, peer = sock.recvfrom(70000)
                yield f"delivered to {name} as from {peer[0]}"
            except BlockingIOError:
                pass
            except OSError as err:
                yield f"error at {name}: {err.strerror}"
        now = self.tcp_segments()
        if now != self.segments:
            yield "TCP segment delivered"
        self.segments = now
        for answer in self.answers():
            yield f"answered: {answer}"


def main():
    attacks, wrappings = SETS[sys.argv[1]], sys.argv[2:] or ["plain"]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # packets stay in order
    host = Host()
    bridge, own = bridge_and_own_mac()
    for name, packets in attacks():
        for wrapping in wrappings:
            for packet in packets if isinstance(packets, list) else [packets]:
                host.wire.send(wrap(packet, wrapping, bridge, own))
            # one line for each attack
            seen = list(host.seen())
            label = name if wrapping == "plain" else f"{name} [{wrapping}]"
            print(f"in    {label}: {'; '.join(seen)}" if seen else f"out   {label}")


if __name__ == "__main__":
    main()
