# SPDX-License-Identifier: GPL-2.0-only
"""What hbpf's programs cost a packet: by BPF_PROG_TEST_RUN, and counted by the kernel under load."""
import glob
import os

import beds
import kernel
import rows

PROG_TIME = "build/bench/prog_time"
CLIENT_AND_GATEWAY = ("172.30.0.2", "172.30.0.1", "fd00:30::2", "fd00:30::1")


def test_run(bed, runs):
    """{packet: nanoseconds}"""
    pins, = glob.glob(f"{os.environ['HBPF_BPFFS']}/hbpf/{bed.inode()}/br-bench")
    out = bed.host(PROG_TIME, "br-bench", pins, *CLIENT_AND_GATEWAY, beds.PORT, "1000",
                   str(runs), timeout=300)
    return {what: int(ns) for what, ns in (line.split("|") for line in out.splitlines())}


def measure_packets(options, results):
    """{packet: {state: nanoseconds}}"""
    found = results["packets"] = {}
    for state, variant in (("1 port", "tcx"), ("60,000 ports", "ports:60000")):
        beds.progress(f"packets: {state}")
        bed = beds.Bed("packets", "plain", variant)
        for packet, ns in test_run(bed, options.runs).items():
            found.setdefault(packet, {})[state] = ns
        beds.sweep()


def under_load(bed, column, options, port=beds.PORT):
    """[transactions, {program: [runs for each, nanoseconds of a run]}]"""
    before = {p.id: p for p in kernel.programs(bed.inode())}
    report = bed.load(column, options.slice * 5, port)
    found = {}
    unit = report["count"]
    if column.workload in ("stream", "maerts"):
        unit /= 1 << 20
    for after in kernel.programs(bed.inode()):
        runs = after.runs - before[after.id].runs
        ns = after.ns - before[after.id].ns
        if runs:
            found[after.name] = [round(runs / unit, 2), round(ns / runs)]
    return found


def measure_stats(options, results):
    """The kernel's own count, which itself costs about 100 ns a run, and the programs' sizes."""
    columns = [c for c in rows.COLUMNS if c.clients == 1]
    found = results["stats"] = {}
    sizes = results["programs"] = {}
    for host, variant in (("plain", "tcx"), ("plain", "clsact"), ("docker", "tcx")):
        beds.progress(f"programs: {host}, {variant}")
        bed = beds.Bed("stats", host, variant)
        name = f"{host}/{variant}"
        for each in kernel.programs(bed.inode()):
            sizes[f"{name}/{each.name}"] = {"verified": each.verified, "insns": each.translated,
                                            "jited": each.jited}
        counting = kernel.enable_stats()
        try:
            for column in columns:
                found[f"{name}/{column.name}"] = under_load(bed, column, options)
            for column in columns:
                if column.name in ("rr", "rr6", "udp", "stream"):
                    found[f"{name}/{column.name}, not exported"] = under_load(
                        bed, column, options, beds.PLAIN_PORT)
        finally:
            os.close(counting)
        beds.sweep()
