# SPDX-License-Identifier: GPL-2.0-only
"""Rates of variants in turn, as ratios to the direct connection of the same round."""
import beds
import rows
import stats

GIB = 1 << 30
RECIPE = "iptables"
LATENCIES = ("p50", "p90", "p99", "p999")


def interleaved(of_bed, columns, rounds, slice_, due, fails, title):
    """{(bed's key, column): {round: what the client reported}}.

    of_bed: {key: Bed}, the base first. due(key, column, round): whether it is measured in that
    round. fails(key, column, why) is called for what has failed twice, which is then left out.
    Each round begins with another bed, so that none always follows the same one. Round 0 warms up.
    """
    found, failures = {}, {}
    keys = list(of_bed)
    for index in range(rounds + 1):
        beds.progress(f"{title}: round {index} of {rounds}")
        for column in columns:
            for i in range(len(keys)):
                key = keys[(i + index) % len(keys)]
                if failures.get((key, column)) == 2 or not due(key, column, max(index - 1, 0)):
                    continue
                try:
                    result = of_bed[key].load(column, slice_)
                except beds.Failed as why:
                    failures[key, column] = failures.get((key, column), 0) + 1
                    if failures[key, column] == 2:
                        fails(key, column, str(why))
                    continue
                if index:
                    found.setdefault((key, column), {})[index] = result
    return found


def ratio(mine, other):
    """Quartiles of the ratios in the rounds that measured both."""
    return stats.quartiles([mine[i]["rate"] / other[i]["rate"] for i in mine if i in other])


def typical(mine, other):
    """The same of the median durations of a transaction; more is better, as with rates."""
    return stats.quartiles([other[i]["p50"] / mine[i]["p50"] for i in mine if i in other])


def cell(mine, base, workload):
    """The results of a bed beside those of the base: {round: report} of each."""
    unit = GIB if workload in ("stream", "maerts") else 1
    values = {
        "rate": stats.median([r["rate"] for r in mine.values()]),
        "ratio": ratio(mine, base),
        # idle time is reported in hundredths of a second: all rounds together
        "cpu": stats.rounded(sum(r["busy"] for r in mine.values()) /
                             sum(r["count"] for r in mine.values()) * unit),
    }
    for name in LATENCIES:
        if all(name in r for r in mine.values()):
            values[name] = stats.median([r[name] for r in mine.values()])
    if "p50" in values:
        values["typical"] = typical(mine, base)
    lost = sum(r["lost"] for r in mine.values())
    if lost:
        values["lost"] = lost
    return values


def measure_host(host, variants, columns, options, results):
    variants = [v for v in variants if (v.hosts is None or host.name in v.hosts) and
                not (host.few and v.every > 1)]
    missing = results.setdefault("missing", {})
    of_bed, by_name = {}, {v.name: v for v in variants}

    def fails(name, column, why):
        missing[f"{host.name}/{name}/{column.name}"] = why
        beds.note(f"{host.name}/{name}/{column.name}: {why}")

    def due(name, column, index):
        return rows.in_rounds(by_name[name], index) and not rows.cannot(by_name[name], column)

    beds.pin(options.cpu if host.pinned else None)
    for number, variant in enumerate(variants):
        beds.progress(f"{host.name}: setting up {variant.what}")
        try:
            of_bed[variant.name] = beds.Bed(f"bed{number}", host.bed, variant.name)
        except beds.Failed as why:
            missing[f"{host.name}/{variant.name}"] = str(why)
            beds.note(f"{host.name}/{variant.name}: {why}")
    rounds = max(1, round(options.rounds * host.rounds))
    found = interleaved(of_bed, columns, rounds, options.slice, due, fails, host.name)
    for variant in variants:
        for column in columns:
            why = rows.cannot(variant, column)
            if why:
                missing[f"any/{variant.name}/{column.name}"] = why
            mine = found.get((variant.name, column))
            base = found.get(("direct", column))
            if mine and base:
                values = cell(mine, base, column.workload)
                recipe = found.get((RECIPE, column))
                if recipe and variant.name in rows.HBPF:
                    values["of_recipe"] = ratio(mine, recipe)
                    if "p50" in values:
                        values["typical_of_recipe"] = typical(mine, recipe)
                results["rates"][f"{host.name}/{variant.name}/{column.name}"] = values
    beds.sweep()
    beds.pin(options.cpu)


def measure(options, results):
    results["rates"] = {}
    for host in options.hosts:
        measure_host(host, options.variants, options.columns, options, results)


def grow(what, numbers, options, results):
    columns = [c for c in rows.COLUMNS if c.name in rows.GROWTH_COLUMNS]
    missing = results.setdefault("missing", {})
    of_bed = {}
    for number in numbers:
        beds.progress(f"growth: setting up {number} {what}")
        try:
            of_bed[number] = beds.Bed(f"bed{number}", "plain", f"{what}:{number}")
        except beds.Failed as why:
            missing[f"growth/{what}/{number}"] = str(why)
            beds.note(f"{number} {what}: {why}")

    def fails(number, column, why):
        missing[f"growth/{what}/{number}/{column.name}"] = why
        beds.note(f"{number} {what}: {column.name}: {why}")

    found = interleaved(of_bed, columns, options.rounds, options.slice, lambda *_: True, fails,
                        f"growth of {what}")
    for number in numbers:
        for column in columns:
            mine, base = found.get((number, column)), found.get((numbers[0], column))
            if mine and base:
                results["growth"][f"{what}/{number}/{column.name}"] = cell(mine, base,
                                                                           column.workload)
    beds.sweep()


def measure_growth(options, results):
    results["growth"] = {}
    for what, _, numbers in options.growth:
        grow(what, numbers, options, results)
