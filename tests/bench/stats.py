# SPDX-License-Identifier: GPL-2.0-only
"""Medians and quartiles for scripts/bench."""


def quantile(ordered, q):
    at = q * (len(ordered) - 1)
    low = int(at)
    if low + 1 == len(ordered):
        return ordered[low]
    return ordered[low] + (at - low) * (ordered[low + 1] - ordered[low])


def rounded(number, digits=4):
    """With so many significant digits, as a result is recorded."""
    return float(f"{number:.{digits}g}")


def quartiles(values):
    """[lower quartile, median, upper quartile], or None for no values."""
    ordered = sorted(values)
    return [rounded(quantile(ordered, q)) for q in (0.25, 0.5, 0.75)] if ordered else None


def median(values):
    found = quartiles(values)
    return found[1] if found else None
