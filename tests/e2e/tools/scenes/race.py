# SPDX-License-Identifier: GPL-2.0-only
"""Commands that run at once: some order of them must give the same result."""
import fcntl
import os
import re
import struct
import subprocess
import termios
import threading
import time

from bed import check, connect, exchange, hbpf, netns
from scenes.common import TOOLS, pair, scene


def serial(state, command, bridges):
    """What a command does alone: (exit code, ports listed or None, state).

    state: for each bridge the frozen set of its ports, or None where it is not attached.
    """
    verb, bridge, *ports = command
    at = bridges.index(bridge)
    now, ports = state[at], frozenset(ports)
    if verb == "list":
        return (0, now or frozenset(), state) if now is not None else (1, None, state)
    if verb == "attach":
        now = (now or frozenset()) | ports
    elif now is None:
        return 1, None, state
    elif verb == "detach":
        now = None
    elif verb == "add":
        now |= ports
    elif verb == "set":
        now = ports
    elif not ports <= now:  # del
        return 1, None, state
    else:
        now -= ports
    return 0, None, state[:at] + (now,) + state[at + 1:]


def some_order(start, end, seen, bridges):
    """Whether some serial order gives each command's result, from `start` to `end`."""
    kinds = sorted(set(seen), key=repr)
    tried = set()
    todo = [(start, tuple(seen.count(kind) for kind in kinds))]
    while todo:
        state, left = todo.pop()
        if (state, left) in tried:
            continue
        tried.add((state, left))
        if not any(left):
            if state == end:
                return True
            continue
        for i, (command, code, listed) in enumerate(kinds):
            if left[i]:
                got = serial(state, command, bridges)
                if got[:2] == (code, listed):
                    todo.append((got[2], left[:i] + (left[i] - 1,) + left[i + 1:]))
    return False


def observed(command):
    """Run it. Return: the command, its exit code, and the ports it listed."""
    verb, bridge, *ports = command
    words = {"attach": ("attach", bridge, *(word for port in ports for word in ("-p", port))),
             "detach": ("detach", bridge),
             "list": ("ports", "list", "-b", bridge, "--json")}.get(
                 verb, ("ports", verb, *ports, "-b", bridge))
    done = hbpf(*words, check_exit=False)
    check(done.returncode in (0, 1), f"{words}: exit {done.returncode}")
    check(done.returncode == 0 or "attached" in done.stdout + done.stderr
          or "not exported" in done.stderr, f"{words}: {done.stderr}")
    listed = None
    if verb == "list" and done.returncode == 0:
        listed = frozenset(re.findall(r'"gateway_port": *(\d+)', done.stdout))
    return command, done.returncode, listed


def at_once(commands):
    """Run all of them at the same time. Return: each one's result."""
    seen = []
    threads = [threading.Thread(target=lambda c=command: seen.append(observed(c)))
               for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(len(seen) == len(commands), "a command did not end")
    return seen


def state_now(bridges):
    return tuple(observed(("list", bridge))[2] for bridge in bridges)


def race(bridges, commands):
    start = state_now(bridges)
    seen = at_once(commands)
    end = state_now(bridges)
    check(some_order(start, end, seen, bridges),
          f"no order leads from {start} to {end} by\n" + "\n".join(map(str, seen)))


@scene
def race_ports(port):
    """Commands that change and list ports."""
    for _ in range(3):
        race(["br-test"], [("add", "br-test", "9001"), ("del", "br-test", "9001"),
                           ("set", "br-test", port, "9002"), ("list", "br-test"),
                           ("add", "br-test", "9003", "9004")] * 4)


@scene
def race_all(bridge):
    """All commands, including attach and detach."""
    for _ in range(5):
        race([bridge], [("attach", bridge, "8088"), ("detach", bridge), ("add", bridge, "9000"),
                        ("list", bridge), ("set", bridge, "9001")] * 4)
        guarded_as(bridge, state_now([bridge])[0] is not None)


@scene
def race_bridges(one, other):
    """Two bridges, which share lo's settings."""
    for _ in range(3):
        race([one, other], [("attach", one, "8088"), ("detach", one), ("attach", other, "8088"),
                            ("detach", other)] * 5)
        attached = [state is not None for state in state_now([one, other])]
        guarded_as(one, attached[0])
        guarded_as(other, attached[1])
        guarded_as("lo", any(attached))


def guarded_as(dev, attached):
    with netns("host"), open(f"/proc/sys/net/ipv4/conf/{dev}/route_localnet") as file:
        now = file.read().strip()
    on = "1" if dev == "lo" else "2"
    check(now == (on if attached else "0"), f"{dev}.route_localnet is {now}, attached: {attached}")


@scene
def race_while_served(service, where):
    """An old connection, new ones and an attacker, while twenty commands at a time run."""
    one, other, listener = pair(service, where)
    pairs = [(one, other)]
    port = where.rpartition(":")[2]
    for _ in range(4):
        # The attacker takes any TCP segment for its own, so connections are idle meanwhile.
        for ends in pairs:
            until_acknowledged(*ends)
        problems = attack_during(
            lambda: race(["br-test"], [("attach", "br-test", "9001"), ("add", "br-test", "9002"),
                                       ("set", "br-test", port), ("list", "br-test")] * 5))
        check(not problems, "\n".join(problems))
        exchange(one, other)
        new = connect("c1", "tcp", where)
        pairs.append((new, listener.accept()[0]))
        exchange(*pairs[-1])


def until_acknowledged(*ends):
    """Wait until all data of both is acknowledged."""
    deadline = time.monotonic() + 10
    while any(struct.unpack("i", fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)))[0] for end in ends):
        check(time.monotonic() < deadline, "data is not acknowledged")
        time.sleep(0.01)


def attack_during(work):
    """Attack repeatedly until the work is done, at least once. Return: what got in, as printed."""
    done, problems = threading.Event(), []

    def attack():
        with netns("c1"):
            while True:
                result = subprocess.run(
                    ["/usr/bin/python3", os.path.join(TOOLS, "attack.py"),
                     "to-loopback"], capture_output=True, text=True, timeout=60, check=False)
                if result.returncode or re.search("^in ", result.stdout, re.M):
                    problems.append(result.stdout + result.stderr)
                if done.is_set():
                    return

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return problems
