# SPDX-License-Identifier: GPL-2.0-only
"""The test bed: a network namespace with two bridges, one build of the programs, and maps filled
as the loader would for

    hbpf attach br-test -p 8088/tcp+udp -p 80:8080/tcp+udp -p 53:127.0.0.53:53/tcp+udp

The other bridge is attached by the tests that need it. It has the same MAC, so that the same frame
can arrive on both.
"""
import errno
import os
import shutil
import socket
import struct
import subprocess
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

import bpf
import layout
from case import Broken, view
from packets import BRIDGE_MAC, CLIENT_MAC, DOCKER0, ETHERNET, V4, V6, read_by_run

CLONE_NEWNET = 0x40000000

# The clients' addresses are on lo, so that sockets can be connected with them.
NETWORK = f"""
link set lo up
link add br-test address {BRIDGE_MAC} type bridge
addr add {V4.gateway}/24 dev br-test
addr add {V6.gateway}/64 dev br-test nodad
link set br-test up
link add br-other address {BRIDGE_MAC} type bridge
link set br-other up
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


@dataclass(eq=False)
class Bridge:
    """A bridge, and what the loader would have read to fill its maps."""
    name: str
    slot: int
    number: int = 0
    near: bool = True  # a place in bridges_near
    ifindex: int = 0
    gateways: list = field(default_factory=list)
    reverse: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)

    def __str__(self):
        return self.name

    @property
    def key(self):
        return struct.pack("I", self.ifindex)

    @property
    def near_key(self):
        return struct.pack("I", self.ifindex % layout.NEAR_BRIDGES)

    @property
    def counters(self):
        return "counters_near" if self.number < layout.NEAR_COUNTERS else "counters"

    @property
    def counters_key(self):
        return struct.pack("I", self.number) if self.counters == "counters_near" else self.key


@dataclass
class Result:
    """What became of a frame."""
    sent: bytes
    returned: int
    frame: bytes
    moved: dict  # reason -> (packets, bytes) its counter moved by; or "reason of another bridge"


class Bed:
    def __init__(self, build, objects, bpffs):
        self.build = build
        self.variant = VARIANTS[0]
        if bpf.libc.unshare(CLONE_NEWNET):
            raise OSError("unshare: a network namespace of its own is refused; root?")
        subprocess.run(["ip", "-batch", "-"], input=NETWORK, text=True, check=True)
        # No slot is the other with a part of its bits. One bridge is in the arrays, the other only
        # in the hashes behind them.
        self.main, self.other = self.bridges = (
            Bridge("br-test", 1), Bridge("br-other", 257, layout.NEAR_COUNTERS, near=False))
        for bridge in self.bridges:
            bridge.ifindex = socket.if_nametoindex(bridge.name)
        self.bridge = self.main  # the one that all methods are about

        self._closing = ExitStack()  # sockets of the present test
        pins = os.path.join(bpffs, f"test_{build}")
        os.mkdir(pins)
        self._pins = pins
        load = subprocess.run(["bpftool", "prog", "loadall", os.path.join(objects, BUILDS[build]),
                               f"{pins}/programs", "pinmaps", f"{pins}/maps"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if load.returncode:
            raise OSError(f"bpftool cannot load {BUILDS[build]}: {load.stdout[-2000:]}")
        self.maps = {name: bpf.Map.pinned(f"{pins}/maps/{name}")
                     for name in os.listdir(f"{pins}/maps")}
        for name, form in layout.GROWING.items():
            array, self.maps[name] = self.maps[name], bpf.Map.created(name, *form)
            array.set(bytes(4), struct.pack("I", self.maps[name].fd))
        self._programs = {False: self._pinned(f"{pins}/programs")}  # by Variant.long_way
        long_way = os.path.join(objects, LONG_WAY, BUILDS[build])
        if os.path.exists(long_way):
            self._load_over(long_way, f"{pins}/long")
            self._programs[True] = self._pinned(f"{pins}/long")
        self.programs = self._programs[False]

        self.reasons = layout.reasons()
        self.kinds = layout.events()
        self._monitors = [(0, 0)] * layout.MONITORS
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
            self.programs["egress"].run(bytes(64), self.bridge.ifindex, variant.flags,
                                        variant.linear_bytes(bytes(64)))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return False
        return True

    # Running

    @contextmanager
    def on(self, bridge):
        """Use another bridge for a while."""
        usual, self.bridge = self.bridge, bridge
        try:
            yield
        finally:
            self.bridge = usual

    def counters(self):
        """Return: what is counted, (bridge, reason) -> (packets, bytes)."""
        found = {}
        for bridge in self.bridges:
            values = self.maps[bridge.counters].get(bridge.counters_key) or []
            each = [list(struct.iter_unpack("QQ", value[:16 * len(self.reasons)]))
                    for value in values]
            for reason, counters in zip(self.reasons, zip(*each)):
                found[bridge, reason] = tuple(map(sum, zip(*counters)))
        return found

    def open_many(self, talk, ports):
        """Open a flow from each of these client ports. The checksum stays that of the first."""
        frame = bytearray(talk.asked(**talk.opening()))
        for port in ports:
            struct.pack_into("!H", frame, ETHERNET + talk.family.header, port)
            self.programs["ingress"].run(frame, self.bridge.ifindex)
        self._counted = self.counters()

    def run(self, side, frame):
        before = self._counted
        try:
            returned, after = self.programs[side].run(frame, self.bridge.ifindex,
                                                      self.variant.flags,
                                                      self.variant.linear_bytes(frame))
        except OSError as error:
            if error.errno == errno.EBADMSG:
                raise Broken(view("skb->csum (CHECKSUM_COMPLETE) does not match the frame any "
                                  "more that came from this one", frame)) from None
            raise Broken(view(f"{error}", frame)) from None
        self._counted = self.counters()
        moved = {}
        for (bridge, reason), new in self._counted.items():
            old = before[bridge, reason]
            if old != new:
                name = reason if bridge is self.bridge else f"{reason} of {bridge}"
                moved[name] = new[0] - old[0], new[1] - old[1]
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

    @contextmanager
    def sending(self):
        """Have the host send to IPv4's client through the main bridge and the egress program, so
        that its packets have their sockets."""
        device, program = self.main.name, f"{self._pins}/programs/hbpf_egress"
        setting = f"/proc/sys/net/ipv4/conf/{device}/route_localnet"
        neighbour = f"{V4.client} lladdr {CLIENT_MAC} dev {device}"

        def ip_and_tc(*commands):
            for command in commands:
                subprocess.run(command.split(), check=True)

        with open(setting, "w") as file:
            file.write("1")
        ip_and_tc(f"tc qdisc add dev {device} clsact",
                  f"tc filter add dev {device} egress bpf da pinned {program}",
                  f"ip neigh replace {neighbour} nud permanent", f"ip addr del {V4.client}/32 dev lo")
        try:
            yield
        finally:
            ip_and_tc(f"ip addr add {V4.client}/32 dev lo", f"ip neigh del {neighbour}",
                      f"tc qdisc del dev {device} clsact")
            with open(setting, "w") as file:
                file.write("0")
            self._counted = self.counters()

    # Configuring

    def reset(self, variant):
        """Restore the configuration every test starts from."""
        self.variant = variant
        self.programs = self._programs[variant.long_way]
        self._closing.close()
        for name, key in self._written:
            self.maps[name].erase(key)
        self._written.clear()
        self.forget_flows()
        for name in ("fragments", "port_stats"):
            self.maps[name].clear()
        self._monitors = [(0, 0)] * layout.MONITORS
        self.set_monitors()

        self.bridge = self.main
        self.attach()
        self.export(8088)
        self.export(80, local_port=8080)
        self.export(53, local="127.0.0.53")

    def attach(self, gateways=None):
        """Configure the bridge, without exports. gateways: by family, if not the usual ones"""
        self.bridge.gateways = []
        self.bridge.reverse = {}
        self.bridge.settings = {"who": layout.ONLINK, "guard_dst": True, "nat_bypass": True,
                                "arp_sender": V4.gateway}
        self._set(self.bridge.counters, self.bridge.counters_key,
                  bytes(16 * len(self.reasons) + layout.EVENT_LIMIT_SIZE * len(self.kinds)))
        self._counted = self.counters()
        for family in (V4, V6):
            self.gateway(gateways[family] if gateways else family.gateway)
            self.source(layout.LIST_ONLINK, family.onlink, family.local4)
            for own in (family.gateway, DOCKER0[family]):
                self.source(layout.LIST_HOST, own)

    def _set(self, name, key, value):
        self.maps[name].set(key, value)
        self._written.add((name, key))

    def _unset(self, name, key):
        self.maps[name].erase(key)
        self._written.discard((name, key))

    def delete_config(self):
        """As before attach, and in the last instant of detach."""
        if self.bridge.near:
            self._unset("bridges_near", self.bridge.near_key)
        self._unset("bridges", self.bridge.key)

    def delete_counters(self):
        self._unset(self.bridge.counters, self.bridge.counters_key)
        self._counted = self.counters()

    def gateway(self, address):
        self.bridge.gateways.append(address)
        self._set("gateways", layout.gateway_key(self.bridge.slot, address), struct.pack("=I", 1))
        self.configure()

    def configure(self, **settings):
        """who: policy of exports without their own; guard_dst, nat_bypass: switches; arp_sender:
        for clients that no on-link prefix covers"""
        self.bridge.settings.update(settings)
        only = [[gateway for gateway in self.bridge.gateways if (":" in gateway) == ipv6]
                for ipv6 in (False, True)]
        only4, only6 = (found[0] if len(found) == 1 else None for found in only)
        config = layout.config(self.bridge.ifindex, self.bridge.number, self.bridge.slot, only4,
                               only6, **self.bridge.settings)
        self._set("bridges", self.bridge.key, config)
        if self.bridge.near:
            self.put_near(self.bridge, config)

    def put_near(self, bridge, config=None):
        """Put a configuration where that of a bridge would be in bridges_near. config: if not the
        present one of self.bridge"""
        self._set("bridges_near", bridge.near_key,
                  config or self.maps["bridges"].get(self.bridge.key))

    def source(self, lst, prefix, local4=None):
        slot = layout.SLOT_SHARED if lst == layout.LIST_HOST else self.bridge.slot
        self._set("sources", layout.source_key(slot, lst, prefix), layout.source(local4))

    def export(self, port, local="127.0.0.1", local_port=None, protos=("TCP", "UDP"),
               who=layout.INHERIT):
        local_port = local_port or port
        ipv6 = local == "127.0.0.1"
        for proto in protos:
            self._set("exports", layout.export_key(self.bridge.slot, proto, port),
                      layout.export(local, local_port, ipv6, who))
            ends = [(local, local)] + [("::1", "::1")] * ipv6
            if proto == "UDP":
                ends += [("0.0.0.0", local)] + [("::", "::1")] * ipv6
            for listed, address in ends:
                key = layout.reverse_key(self.bridge.slot, proto, listed, local_port)
                reverse = self.bridge.reverse
                reverse[key] = reverse.get(key, 0) + 1
                self._set("reverse", key, layout.reverse(address, reverse[key], port))

    def set_monitors(self):
        self.maps["monitors"].set(bytes(4), layout.monitors(self._monitors))

    def listen(self, *kinds, place=0, seconds=60):
        """As a monitor does for these kinds of events (all if none is given), until so many seconds
        from now. Return: the ring buffer"""
        ring = self.keep(closing(bpf.Ring(1 << 18)))
        self.maps["events"].set(struct.pack("I", place), struct.pack("I", ring.fd))
        until = time.monotonic_ns() + int(seconds * 1e9)
        self._monitors[place] = until, sum(1 << self.kinds.index(kind)
                                           for kind in kinds or self.kinds)
        self.set_monitors()
        return ring

    # State

    def suppressed(self, kind):
        """Return: how many events of a kind the limit suppressed."""
        at = 16 * len(self.reasons) + layout.EVENT_LIMIT_SIZE * self.kinds.index(kind) + 24
        return sum(struct.unpack_from("Q", value, at)[0] for value in
                   self.maps[self.bridge.counters].get(self.bridge.counters_key))

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

    def _flow_key(self, talk):
        return layout.flow_key(self.bridge.slot, talk.proto, *talk.client, *talk.local)

    def port_stats(self, proto, port):
        """Return: packets and bytes in, packets and bytes out, or None."""
        values = self.maps["port_stats"].get(layout.export_key(self.bridge.slot, proto, port))
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
