# SPDX-License-Identifier: GPL-2.0-only
"""The test bed: a network namespace with the bridge, one build of the programs, and maps filled
as the loader would for

    hbpf attach br-test -p 8088/tcp+udp -p 80:8080/tcp+udp -p 53:127.0.0.53:53/tcp+udp
"""
import errno
import os
import shutil
import socket
import struct
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import bpf
import layout
from case import Broken, view
from packets import BRIDGE_MAC, DOCKER0, ETHERNET, V4, V6, read_by_run

CLONE_NEWNET = 0x40000000

# The clients' addresses are on lo, so that sockets can be connected with them.
NETWORK = f"""
link set lo up
link add br-test address {BRIDGE_MAC} type bridge
addr add {V4.gateway}/24 dev br-test
addr add {V6.gateway}/64 dev br-test nodad
link set br-test up
addr add {V4.client}/32 dev lo
addr add {V6.client}/128 dev lo nodad
"""

BUILDS = {"base": "hbpf.bpf.o", "nat_bypass": "hbpf_nat_bypass.bpf.o"}

# Where the same programs are without parse_plain() (tests/fuzz/Makefile).
LONG_WAY = "fuzz/long"


@dataclass(frozen=True)
class Variant:
    """A way the kernel may hand a frame to the programs, and the programs may read it."""
    name: str
    flags: int = 0
    linear: bool = True
    long_way: bool = False  # as if no frame were plain

    def linear_bytes(self, frame):
        """How much of a frame is in the linear area; 0: all."""
        return 0 if self.linear else read_by_run(frame)


VARIANTS = (
    Variant("linear"),
    Variant("CHECKSUM_COMPLETE", flags=bpf.TEST_CHECKSUM_COMPLETE),
    Variant("headers not linear", linear=False),
    Variant("headers not linear, CHECKSUM_COMPLETE", flags=bpf.TEST_CHECKSUM_COMPLETE,
            linear=False),
    Variant("read the long way", long_way=True),
    Variant("read the long way, CHECKSUM_COMPLETE", flags=bpf.TEST_CHECKSUM_COMPLETE,
            long_way=True),
)


@dataclass
class Result:
    """What became of a frame."""
    sent: bytes
    returned: int
    frame: bytes
    moved: dict  # reason -> (packets, bytes) its counter moved by


class Bed:
    def __init__(self, build, objects, bpffs):
        self.build = build
        self.variant = VARIANTS[0]
        if bpf.libc.unshare(CLONE_NEWNET):
            raise OSError("unshare: a network namespace of its own is refused; root?")
        subprocess.run(["ip", "-batch", "-"], input=NETWORK, text=True, check=True)
        self.ifindex = socket.if_nametoindex("br-test")

        self._closing = ExitStack()  # sockets of the present test
        pins = os.path.join(bpffs, f"test_{build}")
        os.mkdir(pins)
        self._pins = pins
        load = subprocess.run(["bpftool", "prog", "loadall", os.path.join(objects, BUILDS[build]),
                               f"{pins}/programs", "pinmaps", f"{pins}/maps"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if load.returncode:
            raise OSError(f"bpftool cannot load {BUILDS[build]}: {load.stdout[-2000:]}")
        self.maps = {name: bpf.Map(f"{pins}/maps/{name}") for name in os.listdir(f"{pins}/maps")}
        self._programs = {False: self._pinned(f"{pins}/programs")}  # by Variant.long_way
        long_way = os.path.join(objects, LONG_WAY, BUILDS[build])
        if os.path.exists(long_way):
            self._load_over(long_way, f"{pins}/long")
            self._programs[True] = self._pinned(f"{pins}/long")
        self.programs = self._programs[False]

        self.reasons = layout.reasons()
        self.variants = [variant for variant in VARIANTS if self._can_run(variant)]
        self._counted = self.counters()
        self._written = set()  # (map, key) by configuring
        self._ports = iter(range(20000, 60000))

    @staticmethod
    def _pinned(place):
        return {side: bpf.Program(f"{place}/hbpf_{side}") for side in ("ingress", "egress")}

    def _load_over(self, path, place):
        """Load the programs of another object file, over the same maps."""
        same = [word for name in self.maps if not name.startswith("_")  # libbpf's own, of constants
                for word in ("map", "name", name, "pinned", f"{self._pins}/maps/{name}")]
        load = subprocess.run(["bpftool", "prog", "loadall", path, place, *same],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if load.returncode:
            raise OSError(f"bpftool cannot load {path}: {load.stdout[-2000:]}")

    def _can_run(self, variant):
        """CHECKSUM_COMPLETE runs are Linux 6.16, non-linear frames later than that."""
        if variant.long_way not in self._programs:
            return False
        try:
            self.programs["egress"].run(bytes(64), self.ifindex, variant.flags,
                                        variant.linear_bytes(bytes(64)))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return False
        return True

    # Running

    def counters(self):
        def total(index):
            values = self.maps["counters"].get(struct.pack("I", index))
            return tuple(map(sum, zip(*(struct.unpack("QQ", value) for value in values))))
        return [total(index) for index in range(len(self.reasons))]

    def open_many(self, talk, ports):
        """Open a flow from each of these client ports. The checksum stays that of the first."""
        frame = bytearray(talk.asked(**talk.opening()))
        for port in ports:
            struct.pack_into("!H", frame, ETHERNET + talk.family.header, port)
            self.programs["ingress"].run(frame, self.ifindex)
        self._counted = self.counters()

    def run(self, side, frame):
        before = self._counted
        try:
            returned, after = self.programs[side].run(frame, self.ifindex, self.variant.flags,
                                                      self.variant.linear_bytes(frame))
        except OSError as error:
            if error.errno == errno.EBADMSG:
                raise Broken(view("skb->csum (CHECKSUM_COMPLETE) does not match the frame any "
                                  "more that came from this one", frame)) from None
            raise Broken(view(f"{error}", frame)) from None
        self._counted = self.counters()
        moved = {name: (new[0] - old[0], new[1] - old[1])
                 for name, old, new in zip(self.reasons, before, self._counted) if old != new}
        return Result(frame, returned, after, moved)

    def ingress(self, frame):
        return self.run("ingress", frame)

    def egress(self, frame):
        return self.run("egress", frame)

    def both_ways(self, side, frame):
        """Run a frame without any state, as it is and the long way. Return: both results, or None
        without the programs for it."""
        if len(self._programs) < 2:
            return None
        usual, results = self.programs, []
        for self.programs in self._programs.values():
            self.forget_flows()
            self.maps["fragments"].clear()
            results.append(self.run(side, frame))
        self.programs = usual
        return results

    @contextmanager
    def ingress_of(self, path):
        """Run the ingress program of another object file, over the same maps."""
        place = f"{self._pins}/other"
        self._load_over(path, place)
        usual = self.programs["ingress"]
        self.programs["ingress"] = bpf.Program(f"{place}/hbpf_ingress")
        try:
            yield
        finally:
            self.programs["ingress"] = usual
            for name in os.listdir(place):
                os.unlink(f"{place}/{name}")
            os.rmdir(place)

    # Configuring

    def reset(self, variant):
        """Restore the configuration every test starts from."""
        self.variant = variant
        self.programs = self._programs[variant.long_way]
        self._counted = self.counters()
        self._closing.close()
        for name, key in self._written:
            self.maps[name].delete(key)
        self._written.clear()
        self.forget_flows()
        for name in ("fragments", "port_stats"):
            self.maps[name].clear()

        self._gateways = []
        self._reverse = {}
        self._settings = {"who": layout.ONLINK, "guard_dst": True, "nat_bypass": True,
                          "arp_sender": V4.gateway}
        for family in (V4, V6):
            self.gateway(family.gateway)
            self.source(layout.LIST_ONLINK, family.onlink, family.local4)
            for own in (family.gateway, DOCKER0[family]):
                self.source(layout.LIST_HOST, own)
        self.export(8088)
        self.export(80, local_port=8080)
        self.export(53, local="127.0.0.53")

    def _set(self, name, key, value):
        self.maps[name].set(key, value)
        self._written.add((name, key))

    def gateway(self, address):
        self._gateways.append(address)
        self._set("gateways", layout.addr(address), struct.pack("=I", 1))
        self.configure()

    def configure(self, **settings):
        """who: policy of exports without their own; guard_dst, nat_bypass: switches; arp_sender:
        for clients that no on-link prefix covers"""
        self._settings.update(settings)
        only = [[gateway for gateway in self._gateways if (":" in gateway) == ipv6]
                for ipv6 in (False, True)]
        only4, only6 = (found[0] if len(found) == 1 else None for found in only)
        self.maps["bridge_config"].set(bytes(4), layout.config(self.ifindex, only4, only6,
                                                        **self._settings))

    def source(self, lst, prefix, local4=None):
        self._set("sources", layout.source_key(lst, prefix), layout.source(local4))

    def export(self, port, local="127.0.0.1", local_port=None, protos=("TCP", "UDP"),
               who=layout.INHERIT):
        local_port = local_port or port
        ipv6 = local == "127.0.0.1"
        for proto in protos:
            self._set("exports", layout.export_key(proto, port),
                      layout.export(local, local_port, ipv6, who))
            ends = [(local, local)] + [("::1", "::1")] * ipv6
            if proto == "UDP":
                ends += [("0.0.0.0", local)] + [("::", "::1")] * ipv6
            for listed, address in ends:
                key = layout.reverse_key(proto, listed, local_port)
                self._reverse[key] = self._reverse.get(key, 0) + 1
                self._set("reverse", key, layout.reverse(address, self._reverse[key], port))

    # State

    def flow(self, talk):
        """Return: the (address, port) recorded for a talk's client socket, as map bytes."""
        return self.maps["flows"].get(self._flow_key(talk))

    def record_flow(self, talk):
        self.maps["flows"].set(self._flow_key(talk), layout.endpoint(*talk.dialled))

    def evict_flows(self):
        """Evict all flows from the shared table, as other clients' flows do."""
        self.maps["flows"].clear()

    def forget_flows(self):
        for name in ("flows", "recent_tcp", "recent_udp"):
            self.maps[name].clear()

    def recent(self, proto):
        """Return: the table of each client's latest flows."""
        return self.maps[f"recent_{proto.lower()}"]

    @staticmethod
    def _flow_key(talk):
        return layout.flow_key(talk.proto, *talk.client, *talk.local)

    def port_stats(self, proto, port):
        """Return: packets and bytes in, packets and bytes out, or None."""
        values = self.maps["port_stats"].get(layout.export_key(proto, port))
        return values and tuple(map(sum, zip(*(struct.unpack("4Q", value) for value in values))))

    def fresh_port(self):
        """A client port without a lingering connection of an earlier test."""
        return next(self._ports)

    def keep(self, resource):
        """Close a socket when the test is over."""
        return self._closing.enter_context(resource)

    def close(self):
        self._closing.close()
        shutil.rmtree(self._pins)
