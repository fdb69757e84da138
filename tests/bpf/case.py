# SPDX-License-Identifier: GPL-2.0-only
"""Test cases: promises with a name, and what is expected of a run."""
import itertools

from scapy.layers.l2 import Ether
from scapy.utils import hexdump

import layout

PROMISES = []  # (module, name, function, arguments)

VERDICTS = layout.reasons()
RETURNED = {"PASS": -1, "DROP": 2, "LOCAL": 7, "CLIENT": -1}  # TC_ACT_UNSPEC, _SHOT, _REDIRECT


def promise(text, **tables):
    """Register a test, once for every combination of the tables' entries.

    A table is a list, or a dict whose keys go into the name and whose values to the test. The
    text refers to tables in braces; the entries of the others are appended to it.
    """
    def register(function):
        module = function.__module__.removeprefix("test_")
        columns = [table.items() if isinstance(table, dict) else [(one, one) for one in table]
                   for table in tables.values()]
        for row in itertools.product(*columns):
            names = dict(zip(tables, (name for name, _ in row)))
            unnamed = [str(names[key]) for key in names if "{%s}" % key not in text]
            name = text.format(**names) + (f" ({', '.join(unnamed)})" if unnamed else "")
            values = dict(zip(tables, (value for _, value in row)))
            PROMISES.append((module, name, function, values))
        return function
    return register


class Broken(Exception):
    """A failed check."""


def view(title, frame):
    return (f"{title}, {len(frame)} bytes\n{hexdump(frame, dump=True)}\n"
            f"{Ether(frame).show(dump=True)}")


def expect(result, reason, frame=None):
    """Check a run: only the reason's counter moved, once and by the whole frame; the verdict is
    the reason's; and the frame is as expected, unchanged where none is given."""
    verdict = VERDICTS[reason]
    frame = result.sent if frame is None else frame
    wrong = []
    if result.moved != {reason: (1, len(result.sent))}:
        wrong.append(f"counters moved, (packets, bytes): {result.moved}\n"
                     f"                       expected: {reason} by (1, {len(result.sent)})")
    if result.returned != RETURNED[verdict]:
        wrong.append(f"returned {result.returned}, expected {RETURNED[verdict]} for {verdict}")
    if result.frame != frame:
        wrong.append("\n".join((view("sent", result.sent), view("expected", frame),
                                view("got", result.frame))))
    if wrong:
        raise Broken("\n".join(wrong))


def expect_equal(what, got, expected):
    if got != expected:
        raise Broken(f"{what}: got {got!r}, expected {expected!r}")
