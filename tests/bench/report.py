# SPDX-License-Identifier: GPL-2.0-only
"""The results of scripts/bench as tables: for the terminal, and as Markdown."""
import rows

# Of what is shown as a table: a title, the header and the lines, of which the first cell is text.


def spread(found, digits=3):
    low, middle, high = found
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def short(number):
    return f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def base_of(rate, workload):
    unit = rows.WORKLOADS[workload][1]
    return f"1 = {rate:,.0f} {unit}"


def present(results, host, columns):
    """The variants and columns that were measured on this host."""
    cells = results.get("rates", {})
    variants = [v for v in rows.VARIANTS
                if any(f"{host}/{v.name}/{c.name}" in cells for c in columns)]
    columns = [c for c in columns if any(f"{host}/{v.name}/{c.name}" in cells for v in variants)]
    return variants, columns


def grid(results, host, columns, cell):
    """Return: the columns that have results, and a line for each variant, made by
    cell(variant, column, what was found)"""
    variants, columns = present(results, host.name, columns)
    cells = results["rates"]

    def text(variant, column):
        found = cells.get(f"{host.name}/{variant.name}/{column.name}")
        return cell(variant, column, found) if found else "-"

    return columns, [[v.what] + [text(v, c) for c in columns] for v in variants]


def rate_table(results, host, title, columns):
    def cell(variant, column, found):
        if variant.name == "direct":
            return base_of(found["rate"], column.workload)
        return spread(found["ratio"])

    columns, lines = grid(results, host, columns, cell)
    if not columns:
        return None
    return (f"Rates: {host.what}, {title}",
            ["of direct"] + [rows.WORKLOADS[c.workload][0] for c in columns], lines)


def with_clients(columns):
    return [rows.WORKLOADS[c.workload][0] + (f", {c.clients}" if c.clients > 1 else "")
            for c in columns]


def latency_table(results, host):
    def cell(_, __, found):
        if "p50" not in found:
            return "-"
        return " / ".join(short(found[p]) for p in ("p50", "p99", "p999"))

    columns, lines = grid(results, host,
                          [c for c in rows.COLUMNS
                           if c.family == 4 and c.workload in ("rr", "crr", "udp")], cell)
    if not columns:
        return None
    return (f"Latency: {host.what}, IPv4, microseconds: median / 99 % / 99.9 %",
            ["clients: 1, or as given"] + with_clients(columns), lines)


def typical_table(results, host):
    """The median duration hides what another process took from the CPU for a while."""
    cells = results["rates"]
    columns = [c for c in rows.COLUMNS if c.clients == 1 and c.workload in ("rr", "crr", "udp")]
    variants, columns = present(results, host.name, columns)
    lines = [[v.what] + [spread(cells[name]["typical"]) if name in cells else "-"
                         for name in (f"{host.name}/{v.name}/{c.name}" for c in columns)]
             for v in variants if v.name != "direct"]
    if not lines:
        return None
    return (f"Typical transactions: {host.what}, median duration of direct / median duration",
            ["of direct"] + [f"{rows.WORKLOADS[c.workload][0]}, IPv{c.family}" for c in columns], lines)


def cpu_table(results, host):
    def cell(_, column, found):
        if column.workload in ("stream", "maerts"):
            return f"{found['cpu']:.3f} s/GiB"
        return f"{found['cpu'] * 1e6:.2f} us"

    columns, lines = grid(results, host, [c for c in rows.COLUMNS if c.family == 4], cell)
    if not columns:
        return None
    return (f"CPU for a transaction or a GiB: {host.what}, IPv4",
            ["clients: 1, or as given"] + with_clients(columns), lines)


def recipe_table(results, member, title):
    """hbpf beside iptables in the same rounds, on every host."""
    cells, lines = results["rates"], []
    workloads = [w for w in rows.WORKLOADS
                 if any(member in cell and name.split("/")[2].startswith(w)
                        for name, cell in cells.items())]
    for host in rows.HOSTS:
        for variant in rows.VARIANTS:
            for group, columns in rows.GROUPS:
                found = [cells.get(f"{host.name}/{variant.name}/{c.name}", {}).get(member)
                         for c in columns if c.workload in workloads]
                if any(found):
                    lines.append([f"{host.name}: {variant.what}, {group}"] +
                                 [spread(f) if f else "-" for f in found])
    if not lines:
        return None
    return (title, ["of iptables"] + [rows.WORKLOADS[w][0] for w in workloads], lines)


def recipe_tables(results):
    yield recipe_table(results, "of_recipe", "Rates: hbpf, of the iptables recipe in the same rounds")
    yield recipe_table(results, "typical_of_recipe",
                       "Typical transactions: hbpf, of the iptables recipe in the same rounds")


def rate_tables(results):
    yield from recipe_tables(results)
    for host in rows.HOSTS:
        for title, columns in rows.GROUPS:
            yield rate_table(results, host, title, columns)
    for host in rows.HOSTS:
        yield typical_table(results, host)
        yield latency_table(results, host)
        if not host.pinned:
            yield cpu_table(results, host)


def growth_table(results):
    cells, lines = results["growth"], []
    columns = [c for c in rows.COLUMNS if c.name in rows.GROWTH_COLUMNS]
    for what, text, numbers in rows.GROWTH:
        for number in numbers:
            found = [cells.get(f"{what}/{number}/{c.name}") for c in columns]
            if number == numbers[0] and any(found):
                lines.append([f"{number:,} {text}"] +
                             [f and base_of(f["rate"], c.workload) or "-"
                              for f, c in zip(found, columns)])
            elif any(found):
                lines.append([f"{number:,} {text}"] + [f and spread(f["ratio"]) or "-" for f in found])
            elif f"growth/{what}/{number}" in results.get("missing", {}):
                lines.append([f"{number:,} {text}"] + ["-"] * len(columns))
    return ("Growth: hbpf, tcx, of its own rate with one",
            ["IPv4, 1 client"] + [rows.WORKLOADS[c.workload][0] for c in columns], lines)


def command_table(results):
    return ("Commands, as whole processes", ["hbpf", "milliseconds"],
            [[what, spread(found, 1)] for what, found in results["commands"].items()])


def memory_table(results):
    states = results["memory"]
    names = sorted({name for found in states.values() for name in found},
                   key=lambda name: -max(found.get(name, 0) for found in states.values()))
    lines = [["together"] + [f"{sum(found.values()):,}" for found in states.values()]]
    lines += [[name] + [f"{found.get(name, 0):,}" for found in states.values()] for name in names]
    return "Kernel memory, KiB", ["maps and programs"] + list(states), lines


def packet_table(results):
    states = list(next(iter(results["packets"].values())))
    return ("Packets, by BPF_PROG_TEST_RUN", ["nanoseconds per packet"] + states,
            [[what] + [str(found[s]) if s in found else "-" for s in states]
             for what, found in results["packets"].items()])


def stats_table(results):
    names = sorted({name for found in results["stats"].values() for name in found})
    lines = []
    for path, found in results["stats"].items():
        lines.append([path] + ["{} x {} ns".format(*found[n]) if n in found else "-" for n in names])
    return ("Programs under load, as the kernel counts: runs for a transaction or MiB x time of a run",
            ["host/hook/path"] + names, lines)


def program_table(results):
    return ("Programs, instructions", ["host/hook/program", "verified", "translated", "bytes of code"],
            [[name, f"{found['verified']:,}", f"{found['insns']:,}", f"{found['jited']:,}"]
             for name, found in results["programs"].items()])


TABLES = (("growth", growth_table), ("commands", command_table), ("memory", memory_table),
          ("packets", packet_table), ("stats", stats_table), ("programs", program_table))


def tables(results):
    if results.get("rates"):
        yield from filter(None, rate_tables(results))
    for part, table in TABLES:
        if results.get(part):
            yield table(results)


def reasons(results):
    """Lines about what was not measured; the same reason is given once for each variant."""
    by_reason = {}
    for name, why in results.get("missing", {}).items():
        parts = name.split("/")
        row = "/".join(parts[:3]) if parts[0] == "growth" else parts[1]
        by_reason.setdefault((row, why), []).append(name)
    for (row, why), names in by_reason.items():
        where = sorted({name.split("/")[-1] for name in names if name.count("/") > 1})
        if row.startswith("growth"):
            where = []
        yield f"{row}{' (' + ', '.join(where) + ')' if where else ''}: {why}"


def plain(table):
    title, head, lines = table
    wide = [max(len(line[i]) for line in [head] + lines) for i in range(len(head))]
    out = [title, "-" * len(title)]
    for line in [head] + lines:
        out.append("  ".join([line[0].ljust(wide[0])] +
                             [cell.rjust(width) for cell, width in zip(line[1:], wide[1:])]))
    return "\n".join(out) + "\n"


def markdown(table, level="###"):
    title, head, lines = table
    out = [f"{level} {title}", "", "| " + " | ".join(head) + " |",
           "|---|" + "---:|" * (len(head) - 1)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def conditions(results):
    c = results["conditions"]
    text = (f"Linux {c['kernel']} on {c['model']}, CPU {c['cpu']} of {c['cpus']}; {c['hbpf']}, "
            f"{c['iptables']}, {c['nftables']}; commit {c['commit']}, {c['date']}; {c['rounds']} rounds "
            f"of {c['slice']} s.")
    for part, when in c["measured"].items():
        if when != f"{c['commit']}, {c['date']}":
            text += f" The part \"{part}\" was measured at commit {when}."
    return text + "\n"


def whole(results, form):
    """All of it as one text."""
    parts = [conditions(results)] + [form(table) for table in tables(results)]
    why = list(reasons(results))
    if why:
        bullet = "- " if form is markdown else "  "
        title = "### Not measured\n\n" if form is markdown else "Not measured\n"
        parts.append(title + "\n".join(bullet + line for line in why) + "\n")
    return "\n".join(parts)


def summary(results, figures, picture):
    """What docs/PERFORMANCE.md shows of it."""
    chosen = [rate_table(results, host, *rows.GROUPS[0])
              for host in rows.HOSTS if host.name in ("plain", "docker")] if results.get("rates") else []
    chosen += [table(results) for part, table in TABLES
               if results.get(part) and part in ("growth", "commands", "memory", "packets")]
    if results.get("rates"):
        chosen = list(recipe_tables(results)) + chosen
    parts = [f"{conditions(results)}\n[FIGURES.md]({figures}) has all of the tables.\n"]
    if picture:
        parts.append(f"![Rates as a fraction of a direct connection]({picture})\n")
    return "\n".join(parts + [markdown(table) for table in chosen if table])
