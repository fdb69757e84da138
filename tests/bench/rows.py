# SPDX-License-Identifier: GPL-2.0-only
"""What scripts/bench measures: hosts, variants (the rows of its tables) and columns."""
from collections import namedtuple

# every: measured in every n-th round; hosts: names, or None for all
Variant = namedtuple("Variant", "name what every hosts", defaults=(1, None))
# rounds: a part of those that were requested; few: only the variants that are measured in every round
Host = namedtuple("Host", "name what bed pinned rounds few", defaults=(True, 1, False))
Column = namedtuple("Column", "name workload family clients")

HOSTS = (
    Host("plain", "a host without NAT rules", "plain"),
    Host("docker", "a host with the rules of a running Docker", "docker"),
    Host("plain+brnf", "without NAT rules, br_netfilter on", "plain+brnf", rounds=0.5, few=True),
    Host("docker+brnf", "with the rules of a running Docker, br_netfilter on", "docker+brnf",
         rounds=0.5, few=True),
    Host("unpinned", "a host without NAT rules, on all CPUs", "plain", pinned=False, rounds=0.5),
)

BYPASS = ("docker", "docker+brnf")
PEER = 4

VARIANTS = (
    Variant("direct", "direct: the service listens on the gateway's address"),
    Variant("again", "direct, a second time: the measurement error"),
    Variant("tcx", "hbpf, tcx"),
    Variant("clsact", "hbpf, clsact"),
    Variant("nobypass", "hbpf, tcx, NAT bypass off", hosts=BYPASS),
    Variant("iptables", "iptables: route_localnet and one DNAT rule"),
    Variant("nftables", "nftables: route_localnet and one DNAT rule"),
    Variant("iptables-rules", "iptables, 5,000 rules", PEER),
    Variant("nftables-map", "nftables, a map of 5,000 ports", PEER),
    Variant("nftables-rules", "nftables, 5,000 rules", PEER),
    Variant("socat", "socat", PEER),
    Variant("haproxy", "haproxy", PEER),
    Variant("nginx", "nginx, stream", PEER),
    Variant("systemd-socket-proxyd", "systemd-socket-proxyd", PEER),
    Variant("docker-proxy", "docker-proxy", PEER),
    Variant("slirp4netns", "slirp4netns", PEER),
    Variant("pasta", "pasta", PEER),
)

HBPF = ("tcx", "clsact", "nobypass")

WORKLOADS = {
    "rr": ("request/response", "/s"),
    "crr": ("connections", "/s"),
    "stream": ("to the service", "MB/s"),
    "maerts": ("from the service", "MB/s"),
    "udp": ("UDP request/response", "/s"),
}

COLUMNS = tuple(
    Column(workload + ("6" if family == 6 else "") + ("-64" if clients == 64 else ""), workload,
           family, clients)
    for family in (4, 6) for clients in (1, 64) for workload in WORKLOADS)

# The tables of rates: a title, and which columns
GROUPS = tuple(
    (f"IPv{family}, {clients} client{'s' if clients > 1 else ''}",
     [c for c in COLUMNS if (c.family, c.clients) == (family, clients)])
    for family in (4, 6) for clients in (1, 64))

# Growth: what, of how many, and the rates that might suffer
GROWTH = (
    ("ports", "ports (TCP and UDP)", (1, 1000, 60000)),
    ("flows", "flows", (1, 1000, 60000)),
    ("gateways", "gateways", (1, 250, 4000)),
    ("sources", "source prefixes", (1, 250, 4000)),
    ("veths", "veth ports on the bridge", (1, 100, 1000)),
    ("bridges", "attached bridges", (1, 10, 50)),
)
GROWTH_COLUMNS = ("rr", "crr", "udp")

PARTS = ("rates", "growth", "commands", "memory", "packets", "stats")

# What --quick measures.
QUICK_HOSTS = ("plain", "docker")
QUICK_VARIANTS = ("direct", "again", "tcx", "iptables", "nftables", "haproxy")
QUICK_COLUMNS = ("rr", "crr", "stream", "maerts", "udp", "rr6", "rr-64")
QUICK_GROWTH = ("ports", "flows")


def cannot(variant, column):
    """Why a variant has no such path, or None."""
    if variant.name in ("haproxy", "systemd-socket-proxyd") and column.workload == "udp":
        return "it passes on no UDP"
    if variant.name.startswith(("iptables", "nftables")) and column.family == 6:
        return "IPv6 has no route_localnet: the kernel drops what arrives for ::1"
    if variant.name == "pasta" and column.name in ("udp6", "udp6-64"):
        return "Debian 12's pasta answers no IPv6 UDP to the gateway's global address"
    return None


def in_rounds(variant, index):
    return index % variant.every == 0


def choose(rows, names, what):
    """The rows with these names, in their order; a name that none has is an error."""
    if names is None:
        return list(rows)
    known = [row if isinstance(row, str) else row[0] for row in rows]
    for name in names:
        if name not in known:
            raise SystemExit(f"bench: {name}: no such {what}; there are: {' '.join(known)}")
    return [row for row, name in zip(rows, known) if name in names]
