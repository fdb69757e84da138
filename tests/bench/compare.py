# SPDX-License-Identifier: GPL-2.0-only
"""What moved since the recorded figures. Only what machines have in common is compared: ratios (of
typical transactions, where there are any), memory and instructions; times only if it is the same
processor and kernel."""

LEAST = 0.02  # a smaller change is none


def moved(old, new):
    """Quartiles of two runs: whether they are apart, and by more than is worth a word."""
    apart = new[0] > old[2] or new[2] < old[0]
    return apart and abs(new[1] / old[1] - 1) > LEAST


def change(name, old, new, digits):
    return f"{name}: {old:.{digits}f} -> {new:.{digits}f} ({(new / old - 1) * 100:+.1f} %)"


def same_machine(old, new):
    return all(old["conditions"][key] == new["conditions"][key] for key in ("kernel", "model"))


def changes(old, new):
    """Lines about what is better, and about what is worse."""
    better, worse = [], []

    def judge(gain, line):
        (better if gain else worse).append(line)

    for part in ("rates", "growth"):
        for name, cell in new.get(part, {}).items():
            before = old.get(part, {}).get(name)
            if not before or "/direct/" in name:
                continue
            member = "typical" if "typical" in before and "typical" in cell else "ratio"
            if moved(before[member], cell[member]):
                judge(cell[member][1] > before[member][1],
                      change(name, before[member][1], cell[member][1], 3))
    if same_machine(old, new):
        for name, now in new.get("commands", {}).items():
            before = old.get("commands", {}).get(name)
            if before and moved(before, now):
                judge(now[1] < before[1], change(f"hbpf {name}, ms", before[1], now[1], 1))
        for name, states in new.get("packets", {}).items():
            for state, now in states.items():
                before = old.get("packets", {}).get(name, {}).get(state)
                if before and abs(now - before) > max(5, before * 0.1):
                    judge(now < before, change(f"{name}, {state}, ns", before, now, 0))
    for state, now in new.get("memory", {}).items():
        before = sum(old.get("memory", {}).get(state, {}).values())
        if before and abs(sum(now.values()) / before - 1) > LEAST:
            judge(sum(now.values()) < before,
                  change(f"memory, {state}, KiB", before, sum(now.values()), 0))
    for name, now in new.get("programs", {}).items():
        before = old.get("programs", {}).get(name)
        if before and before["verified"] and before["verified"] != now["verified"]:
            judge(now["verified"] < before["verified"],
                  change(f"{name}, verified instructions", before["verified"], now["verified"], 0))
    return better, worse


def report(old, new):
    better, worse = changes(old, new)
    lines = [f"Since the recorded figures (commit {old['conditions']['commit']}, "
             f"{old['conditions']['date']}):"]
    if not same_machine(old, new):
        lines.append("  another machine or kernel: times are not compared")
    for title, found in (("better", better), ("worse", worse)):
        lines += [f"  {title}: {line}" for line in found]
    if not better and not worse:
        lines.append("  nothing moved")
    return "\n".join(lines)
