# SPDX-License-Identifier: GPL-2.0-only
"""The rates of scripts/bench as an SVG: a panel for each workload, a line for each variant."""
from xml.sax.saxutils import escape

import rows

HOSTS = (("plain", "#1f6fb2", -3), ("docker", "#c4622d", 4))
LEFT, TOP, PANEL, GAP, LINE = 190, 62, 150, 16, 21
SHORT = {"direct": None, "tcx": "hbpf, tcx", "clsact": "hbpf, clsact",
         "nobypass": "hbpf, NAT bypass off", "again": "direct again", "iptables": "iptables",
         "nftables": "nftables", "iptables-rules": "iptables, 5,000 rules",
         "nftables-map": "nftables, map of 5,000", "nftables-rules": "nftables, 5,000 rules"}


def svg(results):
    """IPv4, one client; None if nothing of it was measured."""
    cells = results.get("rates", {})
    columns = [c for c in rows.COLUMNS if c.family == 4 and c.clients == 1 and
               any(f"{h}/tcx/{c.name}" in cells for h, _, _ in HOSTS)]
    variants = [v for v in rows.VARIANTS if v.name != "direct" and
                any(f"{h}/{v.name}/{c.name}" in cells for h, _, _ in HOSTS for c in columns)]
    if not columns:
        return None
    most = max(1.05, *(cells[f"{h}/{v.name}/{c.name}"]["ratio"][1] + 0.03 for h, _, _ in HOSTS
                       for v in variants for c in columns if f"{h}/{v.name}/{c.name}" in cells))
    width = LEFT + len(columns) * (PANEL + GAP)
    height = TOP + len(variants) * LINE + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           '<title>Rates as a fraction of a direct connection</title>',
           f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for i, (name, color, _) in enumerate(HOSTS):
        host = next(h for h in rows.HOSTS if h.name == name)
        out.append(f'<circle cx="{LEFT + 6 + i * 260}" cy="16" r="4" fill="{color}"/>'
                   f'<text x="{LEFT + 15 + i * 260}" y="20">{escape(host.what)}</text>')
    for i, variant in enumerate(variants):
        y = TOP + i * LINE + LINE // 2
        name = SHORT.get(variant.name, variant.name)
        weight = ' font-weight="bold"' if name.startswith("hbpf") else ""
        out.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end"{weight}>'
                   f'{escape(name)}</text>')
    for i, column in enumerate(columns):
        out += panel(cells, column, variants, LEFT + i * (PANEL + GAP), most)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def panel(cells, column, variants, left, most):
    def at(ratio):
        return round(left + min(ratio, most) / most * PANEL, 1)

    bottom = TOP + len(variants) * LINE
    yield (f'<text x="{left + PANEL / 2}" y="{TOP - 12}" text-anchor="middle">'
           f'{escape(rows.WORKLOADS[column.workload][0])}</text>')
    for tick in (0, 0.25, 0.5, 0.75, 1):
        yield (f'<line x1="{at(tick)}" y1="{TOP}" x2="{at(tick)}" y2="{bottom}" '
               f'stroke="{"#888" if tick == 1 else "#ddd"}"/>'
               f'<text x="{at(tick)}" y="{bottom + 15}" text-anchor="middle" fill="#555" '
               f'font-size="10">{tick:g}</text>')
    for i, variant in enumerate(variants):
        for host, color, shift in HOSTS:
            found = cells.get(f"{host}/{variant.name}/{column.name}")
            if not found:
                continue
            y = TOP + i * LINE + LINE // 2 + shift
            low, middle, high = (at(ratio) for ratio in found["ratio"])
            yield (f'<line x1="{low}" y1="{y}" x2="{high}" y2="{y}" stroke="{color}" '
                   f'stroke-width="2"/><circle cx="{middle}" cy="{y}" r="3" fill="{color}"/>')
