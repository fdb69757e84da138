# SPDX-License-Identifier: GPL-2.0-only
"""The beds of scripts/bench: made by tests/bench/bed, measured by tests/bench/load.c."""
import os
import subprocess
import sys

PORT = "8088"
PLAIN_PORT = "8090"  # not exported, on the gateway's address
BED = "tests/bench/bed"
LOAD = "build/bench/load"
HBPF = "build/hbpf"


class Failed(Exception):
    pass


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text[:100]}")
        sys.stderr.flush()


def note(text):
    progress("")
    print(f"bench: {text}", file=sys.stderr)


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "failed without a word"


def pin(cpu):
    """This process and what it starts run on that CPU only, or on all if it is None."""
    os.sched_setaffinity(0, range(os.cpu_count()) if cpu is None else {cpu})


def run(*command, timeout=60, **options):
    """stdout of a command; Failed if it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout, text=True, **options)
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command[:6])} took more than {timeout} s") from None
    if done.returncode:
        raise Failed(last_line(done.stderr))
    return done.stdout


def inside(name, *command):
    return ("nsenter", f"--net=/run/netns/{name}", *command)


class Bed:
    """A host and its client; the service is reached by a variant, VARIANT or VARIANT:NUMBER."""

    def __init__(self, name, host, variant):
        self.name = name
        log = os.path.join(os.environ["TMPDIR"], f"{name}.err")
        with open(log, "w") as err:
            # services keep the descriptors, so these must not be pipes that somebody waits for
            up = subprocess.run([BED, "up", name, host, variant], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=err, text=True)
        if up.returncode:
            with open(log) as err:
                raise Failed(last_line(err.read()).removeprefix("bed: "))
        self.addresses = dict(zip((4, 6), up.stdout.split()))

    def load(self, column, seconds, port=PORT):
        """What the client reports, by name."""
        address = self.addresses[column.family]
        out = run(*inside(self.name + "-client", LOAD, column.workload, address, port,
                          str(seconds), str(column.clients)), timeout=30 + seconds)
        return {name: float(value) for name, value in map(str.split, out.splitlines())}

    def host(self, *command, **options):
        return run(*inside(self.name, *command), **options)

    def hbpf(self, *words):
        return self.host(HBPF, *words)

    def inode(self):
        return os.stat(f"/run/netns/{self.name}").st_ino

    def down(self):
        run(BED, "down", self.name)


def sweep():
    run(BED, "sweep", timeout=300)
