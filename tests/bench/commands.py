# SPDX-License-Identifier: GPL-2.0-only
"""Times of whole commands, and what hbpf takes of the kernel's memory."""
import os
import subprocess
import time

import beds
import kernel
import stats

FREE = "9000"  # no service is bound to it
WATCH_PATIENCE = 10  # seconds


def milliseconds(bed, *words):
    command = beds.inside(bed.name, beds.HBPF, *words)
    start = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    taken = (time.monotonic() - start) * 1e3
    if done.returncode:
        raise beds.Failed(f"hbpf {' '.join(words[:4])}: {beds.last_line(done.stderr)}")
    return taken


def bridge(bed, name, number):
    bed.host("ip", "link", "add", name, "type", "bridge")
    bed.host("ip", "addr", "add", f"10.50.{number}.1/24", "dev", name)
    bed.host("ip", "link", "set", name, "up")


def watch_reaction(bed):
    """Milliseconds from a new bridge, `ip` included, to the watcher's report that it is attached."""
    config = os.path.join(os.environ["TMPDIR"], "watch.conf")
    log = os.path.join(os.environ["TMPDIR"], "watch.log")
    with open(config, "w") as text:
        text.write(f"[br-new]\nports = {FREE}\n")

    def reported(what, since):
        while time.monotonic() < since + WATCH_PATIENCE:
            with open(log) as text:
                if any("br-new" in line and what in line for line in text):
                    return (time.monotonic() - since) * 1e3
            time.sleep(0.001)
        raise beds.Failed(f"watch did not report '{what}'")

    with open(log, "w") as output:
        watcher = subprocess.Popen(beds.inside(bed.name, beds.HBPF, "watch", "-c", config),
                                   stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        reported("no such bridge", time.monotonic())
        start = time.monotonic()
        bed.host("ip", "link", "add", "br-new", "type", "bridge")
        return reported("attached", start)
    finally:
        watcher.terminate()
        watcher.wait()
        bed.hbpf("detach", "--all")
        subprocess.run(beds.inside(bed.name, "ip", "link", "del", "br-new"), check=False,
                       stdin=subprocess.DEVNULL)


def measure(options, results):
    """{command: quartiles of milliseconds}. One bed, and the same commands again and again."""
    bed = beds.Bed("commands", "plain", "direct")
    every = [str(port) for port in range(10000, 20000)]
    taken = {}

    def timed(what, *words):
        taken.setdefault(what, []).append(milliseconds(bed, *words))

    bridge(bed, "more1", 1)
    for index in range(options.repeats):
        beds.progress(f"commands: {index} of {options.repeats}")
        timed("--version", "--version")
        timed("attach, 1 port", "attach", "br-bench", "--port", FREE)
        timed("attach again, nothing to do", "attach", "br-bench")
        timed("attach, a second bridge", "attach", "more1", "--port", FREE)
        timed("status, 2 bridges", "status")
        timed("detach, the second bridge", "detach", "more1")
        timed("status, 1 port", "status")
        timed("ports add 10000-19999", "ports", "add", "10000-19999")
        timed("status, 10,001 ports", "status")
        timed("status --json, 10,001 ports", "status", "--json")
        timed("ports del 10000-19999", "ports", "del", "10000-19999")
        timed("ports add, 10,000 arguments", "ports", "add", *every)
        timed("detach, 10,001 ports", "detach")
        bed.hbpf("attach", "br-bench", "--port", FREE)
        timed("detach, 1 port", "detach")
        taken.setdefault("watch: a new bridge until it is attached", []).append(
            watch_reaction(bed))
    among_many(bed, options, timed)
    beds.sweep()
    results["commands"] = {what: stats.quartiles(values) for what, values in taken.items()}


def among_many(bed, options, timed):
    """Commands where many bridges are attached already."""
    for number in range(1, options.bridges + 1):
        beds.progress(f"commands: attaching bridge {number} of {options.bridges}")
        if number > 1:
            bridge(bed, f"more{number}", number)
        bed.hbpf("attach", f"more{number}", "--port", FREE)
    for _ in range(options.repeats):
        timed(f"status, {options.bridges} bridges", "status")
        timed(f"attach, beside {options.bridges} bridges", "attach", "br-bench", "--port", FREE)
        timed(f"detach, beside {options.bridges} bridges", "detach", "br-bench")
    bed.hbpf("detach", "--all")


# --- memory --------------------------------------------------------------------------------------


def kib(bed):
    """{name: KiB} of the namespace's maps and programs; several of a name are added up."""
    found = {}
    for each in kernel.maps(bed.inode()) + kernel.programs(bed.inode()):
        found[each.name] = found.get(each.name, 0) + each.memory // 1024
    return found


def flow_room(bed):
    """UDP flows from one client, IPv4 and IPv6: more than any client needs."""
    for address in bed.addresses.values():
        beds.run(*beds.inside(bed.name + "-client", beds.LOAD, "flows", address, beds.PORT, "60000"))


def measure_memory(options, results):
    """{state: {map or program: KiB}}"""
    del options
    states = {}
    beds.progress("memory")
    bed = beds.Bed("memory", "plain", "ports:1")
    states["at rest, 1 port"] = kib(bed)
    bridge(bed, "more1", 1)
    bed.hbpf("attach", "more1", "--port", beds.PORT)
    states["with a second bridge"] = kib(bed)
    bed.hbpf("detach", "more1")
    bed.hbpf("ports", "add", "1024-61023/tcp+udp")
    flow_room(bed)
    states["60,000 ports and flows"] = kib(bed)
    beds.sweep()
    results["memory"] = states
