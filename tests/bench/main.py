# SPDX-License-Identifier: GPL-2.0-only
"""The inside of scripts/bench, which describes the options; runs in tests/sandbox."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

import beds
import commands
import compare
import plot
import programs
import rates
import report
import rows

RECORDED = "tests/bench/recorded.json"
FIGURES = "docs/FIGURES.md"
PLOT = "docs/performance.svg"
PAGE = "docs/PERFORMANCE.md"
BEGIN, END = "<!-- scripts/bench --record writes this -->\n", "<!-- to here -->\n"
MEASURE = {
    "rates": rates.measure,
    "growth": rates.measure_growth,
    "commands": commands.measure,
    "memory": commands.measure_memory,
    "packets": programs.measure_packets,
    "stats": programs.measure_stats,
}


def names(text):
    return text.split(",")


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--from", dest="source", metavar="FILE")
    for what in ("parts", "hosts", "variants", "columns", "growth"):
        parser.add_argument(f"--{what}", type=names)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--slice", type=float)
    parser.add_argument("--cpu", type=int, default=os.cpu_count() - 1)
    return complete(parser.parse_args())


def complete(options):
    """Options that were not given have values for a quick or a full run."""
    quick = options.quick
    options.rounds = options.rounds or (5 if quick else 20)
    options.slice = options.slice or (0.06 if quick else 0.15)
    options.repeats = 3 if quick else 11
    options.bridges = 5 if quick else 50
    options.runs = 4000 if quick else 20000
    chosen = {
        "parts": (rows.PARTS, rows.PARTS, "part"),
        "hosts": (rows.HOSTS, rows.QUICK_HOSTS, "host"),
        "variants": (rows.VARIANTS, rows.QUICK_VARIANTS, "variant"),
        "columns": (rows.COLUMNS, rows.QUICK_COLUMNS, "column"),
        "growth": (rows.GROWTH, rows.QUICK_GROWTH, "growth"),
    }
    for option, (all_rows, few, what) in chosen.items():
        given = getattr(options, option) or (few if quick else None)
        setattr(options, option, rows.choose(all_rows, given, what))
    # ratios need it
    if not any(v.name == "direct" for v in options.variants):
        options.variants.insert(0, rows.VARIANTS[0])
    return options


def list_rows():
    for title, all_rows in (("parts", rows.PARTS), ("hosts", rows.HOSTS),
                            ("variants", rows.VARIANTS), ("columns", rows.COLUMNS),
                            ("growth", rows.GROWTH)):
        print(f"--{title}")
        for row in all_rows:
            if isinstance(row, str):
                print(f"    {row}")
            elif isinstance(row, rows.Column):
                print(f"    {row.name:24}{rows.WORKLOADS[row.workload][0]}, IPv{row.family}, "
                      f"{row.clients} at a time")
            else:
                print(f"    {row[0]:24}{row[1]}")


def output_of(*command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False).stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def conditions(options):
    with open("/proc/cpuinfo") as text:
        model = next((line.split(":", 1)[1].strip() for line in text
                      if line.startswith("model name")), os.uname().machine)
    owner = ["-c", f"safe.directory={os.getcwd()}"]
    return {
        "kernel": os.uname().release, "model": model, "cpu": options.cpu, "cpus": os.cpu_count(),
        "hbpf": output_of(beds.HBPF, "--version"), "iptables": output_of("iptables", "--version"),
        "nftables": output_of("nft", "--version"),
        "commit": output_of("git", *owner, "describe", "--always", "--dirty", "--abbrev=7"),
        "date": time.strftime("%Y-%m-%d"), "rounds": options.rounds, "slice": options.slice,
        "seconds": {}, "measured": {},
    }


def measure(options):
    results = {"conditions": conditions(options), "missing": {}}
    beds.pin(options.cpu)
    for part in options.parts:
        start = time.monotonic()
        try:
            MEASURE[part](options, results)
        except (beds.Failed, OSError) as why:
            results["missing"][f"part/{part}"] = str(why)
            beds.note(f"{part}: {why}")
            beds.sweep()
        results["conditions"]["seconds"][part] = round(time.monotonic() - start)
        results["conditions"]["measured"][part] = "{commit}, {date}".format(**results["conditions"])
    results["conditions"]["load"] = [round(load, 2) for load in os.getloadavg()]
    beds.progress("")
    return results


def as_json(results):
    """One line for each figure, so that a diff of two runs can be read."""
    parts = []
    for part, found in results.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}"
                           for name, value in found.items())
        parts.append(f" {json.dumps(part)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write(path, text):
    """The file belongs to the owner of its directory, even if root measures."""
    with open(path, "w") as out:
        out.write(text)
    owner = os.stat(os.path.dirname(path))
    os.chown(path, owner.st_uid, owner.st_gid)


def recorded():
    if not os.path.exists(RECORDED):
        return None
    with open(RECORDED) as text:
        return json.load(text)


def merge(before, results):
    """Parts that were not measured now keep the figures recorded before."""
    merged = dict(before)
    for part, found in results.items():
        if part in ("rates", "growth", "missing"):
            merged[part] = {**merged.get(part, {}), **found}
        elif part == "conditions":
            measured = merged.get(part, {}).get("measured", {})
            merged[part] = {**found, "measured": {**measured, **found["measured"]}}
        else:
            merged[part] = found
    cells = {**merged.get("rates", {}), **merged.get("growth", {})}
    merged["missing"] = {name: why for name, why in merged.get("missing", {}).items()
                         if name not in cells}
    return merged


def record(results):
    merged = merge(recorded() or {}, results)
    write(RECORDED, as_json(merged))
    write(FIGURES, "# Figures\n\nEverything that `sudo ./scripts/bench --record` measures. "
          "[PERFORMANCE.md](PERFORMANCE.md) describes\nwhat is compared, and how.\n\n" +
          report.whole(merged, report.markdown))
    picture = plot.svg(merged)
    if picture:
        write(PLOT, picture)
    with open(PAGE) as text:
        head, rest = text.read().split(BEGIN)
    summary = report.summary(merged, os.path.basename(FIGURES), picture and os.path.basename(PLOT))
    write(PAGE, head + BEGIN + summary + END + rest.split(END)[1])


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    options = arguments()
    if options.list:
        return list_rows()
    if options.source:
        with open(options.source) as text:
            results = json.load(text)
    else:
        results = measure(options)
    if options.json:
        print(as_json(results), end="")
    else:
        print(report.whole(results, report.markdown if options.markdown else report.plain))
    before = recorded()
    if before:
        print(compare.report(before, results), file=sys.stderr)
    if options.record:
        record(results)
    if not options.source:
        print("load average at the end:", *results["conditions"]["load"], file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
