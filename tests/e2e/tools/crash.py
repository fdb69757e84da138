#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Kills commands, or lets their system calls fail, at one instant after another.

    crash.py kill STORY     SIGKILL before each system call that changes anything
    crash.py fail STORY     an error from each bpf(2), each write to /proc/sys and every other call
                            that changes anything
    crash.py world STORY    stopped after each, while the bridge is renamed, deleted, re-created, or
                            its name given to another
    crash.py calls STORY    checks that all calls that could change anything are traced

HBPF_INSTANTS is how many instants of a story are tried, evenly spread (default 8; 999: all of
them). The last line is a summary. Exit 0 if at every instant:

 - route_localnet is on only with the guard, which a packet to 127.0.0.1 tests as well;
 - a port that the story does not change works all the time once it is attached;
 - the next status, attach and detach work, and then the host is as before the story;
 - an error: exit 1, its text in the message, and rolled back; or it was harmless.
"""
import errno
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import bpf  # noqa: E402
from bed import HBPF, check, connect, hbpf, listen, make, netns  # noqa: E402
from raw import CLIENT, GATEWAY, bridge_and_own_mac, packet_socket  # noqa: E402

BRIDGE, RENAMED, PORT, OTHER = "br-test", "br-lan", 8088, 9000
ATTACH = ("attach", BRIDGE, "--port", str(PORT), "--hook")

# name: (commands before, the command). Every story ends attached with PORT, or detached.
STORIES = {
    "attach-tcx": ([], (*ATTACH, "tcx")),
    "attach-clsact": ([], (*ATTACH, "clsact")),
    "attach-nat-bypass": ([], (*ATTACH, "tcx", "--nat-bypass", "on")),
    "attach-again": ([(*ATTACH, "tcx")],
                     ("attach", BRIDGE, "--port", str(OTHER), "--from", "onlink",
                      "--gateway", "10.9.9.9")),
    "attach-again-clsact": ([(*ATTACH, "clsact")], ("attach", BRIDGE, "--port", str(OTHER))),
    "tcx-to-clsact": ([(*ATTACH, "tcx")], ("attach", BRIDGE, "--hook", "clsact")),
    "clsact-to-tcx": ([(*ATTACH, "clsact")], ("attach", BRIDGE, "--hook", "tcx")),
    "ports-add": ([(*ATTACH, "tcx")], ("ports", "add", f"{OTHER}-9010")),
    "ports-del": ([(*ATTACH, "tcx"), ("ports", "add", f"{OTHER}-9010")],
                  ("ports", "del", f"{OTHER}-9010")),
    "ports-set": ([(*ATTACH, "tcx"), ("ports", "add", f"{OTHER}-9010")],
                  ("ports", "set", str(PORT), "9100/udp")),
    "detach-tcx": ([(*ATTACH, "tcx")], ("detach", BRIDGE)),
    "detach-clsact": ([(*ATTACH, "clsact")], ("detach", BRIDGE)),
}

TRACED = ("bpf,write,writev,pwrite64,mkdir,mkdirat,symlink,symlinkat,unlink,unlinkat,rmdir,rename,"
          "renameat,renameat2,mount,umount2,sendto,sendmsg,ioctl")
# Other calls of the commands: they read, wait, or change only the process itself (and, for hbpf
# watch, the time of the bpffs). sysinfo is glibc's qsort(), which libbpf calls with all maps.
HARMLESS = set("""access arch_prctl bind brk close dup3 execve exit_group faccessat2 fcntl flock
    fstatfs getdents64 geteuid getrandom getsockname getsockopt lseek memfd_create mmap mprotect
    mremap munmap newfstatat fstat openat pread64 prlimit64 read readlink readlinkat recvmsg rseq
    rt_sigaction rt_sigprocmask set_robust_list set_tid_address setsockopt sched_getaffinity socket
    statfs sysinfo uname futex utimensat""".split())
# The traced calls that have a lasting effect. Maps and programs that were only created end with
# their process; lookups in maps and netlink queries have none.
CHANGES = re.compile(r"bpf\(BPF_(OBJ_PIN|LINK_|MAP_UPDATE|MAP_DELETE|PROG_ATTACH|PROG_DETACH)"
                     r"|writev?\((?!1,|2,)|mkdir|symlink|unlink|rmdir|rename|mount"
                     r"|RTM_(NEW|DEL)(QDISC|TFILTER)|RTM_SETLINK|SOCK_DESTROY")
ERRORS = ("ENOMEM", "EPERM", "ENOSPC", "EBUSY")


def strace(story, *options, trace=TRACED):
    """The story's command under strace. Return: (its result, the calls traced, one per line)"""
    log = os.path.join(os.environ["BED"], "strace")
    with netns("host"):
        done = subprocess.run(["strace", "-f", "-o", log, "-e", f"trace={trace}", *options, HBPF,
                               *STORIES[story][1]], capture_output=True, text=True, timeout=60,
                              check=False)
    with open(log, encoding="latin-1") as lines:
        return done, [line.split(None, 1)[1] for line in lines if re.match(r"\d+ +\w+\(", line)]


def footprint():
    """Everything that hbpf changes on a host, to compare."""
    pins = [path for path, _, _ in os.walk(os.environ["HBPF_BPFFS"])]
    pins += [os.path.join(path, name) for path, _, names in os.walk(os.environ["HBPF_BPFFS"])
             for name in names]
    with netns("host"):
        settings = {}
        for dev in ("all", "default", "lo", BRIDGE):
            for key in ("route_localnet", "rp_filter"):
                with open(f"/proc/sys/net/ipv4/conf/{dev}/{key}") as file:
                    settings[f"{dev}.{key}"] = file.read().strip()
        hooks = [subprocess.run(["tc", *words], capture_output=True, text=True, check=True).stdout
                 for words in (("qdisc", "show", "dev", BRIDGE),
                               ("filter", "show", "dev", BRIDGE, "ingress"),
                               ("filter", "show", "dev", BRIDGE, "egress"))]
        tcx = subprocess.run(["/usr/bin/python3", "-S", bpf.__file__, "tcx-list", BRIDGE],
                             capture_output=True, text=True, check=True).stdout
        link = subprocess.run(["ip", "-o", "link", "show", BRIDGE], capture_output=True, text=True,
                              check=True).stdout
    hooks = [re.sub(r" (id|tag|refcnt) \S+|jited|:\[\d+\]", "", text) for text in hooks]
    return {"pins": sorted(pins), **settings, "hooks": hooks, "tcx": tcx,
            "qlen": re.search(r"qlen \d+", link)}


def same(before, after, what):
    for key, value in before.items():
        if key == "qlen":
            value, after[key] = str(value and value[0]), str(after[key] and after[key][0])
        check(after[key] == value, f"{what}: {key} was {value}, is {after[key]}")


def exports():
    done = hbpf("ports", "list", "--json", check_exit=False)
    return done.stdout if done.returncode == 0 else None


class Witnesses:
    """A service behind the export, one that is not exported, and a hostile client."""

    def __init__(self):
        self.listener = listen("host", f"127.0.0.1:{PORT}")
        self.other = listen("host", f"127.0.0.1:{OTHER}")
        self.lingering = ()
        self.hidden = make("host", "udp", bind=("127.0.0.1", 9998))
        self.hidden.setblocking(False)
        self.fence = make("host", "udp", bind=(GATEWAY, 5400))
        self.client = make("c1", "udp", timeout=5)
        self.client.connect((GATEWAY, 5400))
        with netns("c1"):
            self.wire = packet_socket()
        self.meet(BRIDGE)
        self.leaks()  # resolves the neighbours

    def meet(self, name):
        """Rebuild the packet, as a re-created bridge has another MAC address."""
        with netns("c1"):
            bridge, own = bridge_and_own_mac(name)
            subprocess.run(["ip", "neigh", "flush", "dev", "eth0"], check=True)
        from scapy.layers.inet import IP, UDP
        from scapy.layers.l2 import Ether
        self.frame = bytes(Ether(src=own, dst=bridge) / IP(src=CLIENT, dst="127.0.0.1") /
                           UDP(sport=4444, dport=9998) / b"leak")

    def leaks(self):
        self.wire.send(self.frame)
        for _ in range(2):
            self.client.send(b"fence")
            _, peer = self.fence.recvfrom(100)
            self.fence.sendto(b"fence", peer)
            self.client.recv(100)
        try:
            self.hidden.recv(100)
            return True
        except BlockingIOError:
            return False

    def linger(self):
        """Open a connection through each port, for `del` and `detach` to end."""
        for sock in self.lingering:
            sock.close()
        self.lingering = []
        for port, listener in ((PORT, self.listener), (OTHER, self.other)):
            try:
                self.lingering += [connect("c1", "tcp", f"{GATEWAY}:{port}", timeout=2),
                                   listener.accept()[0]]
            except ConnectionRefusedError:
                pass

    def served(self):
        try:
            one = connect("c1", "tcp", f"{GATEWAY}:{PORT}", timeout=2)
        except OSError:
            return False
        other = self.listener.accept()[0]
        one.close()
        other.close()
        return True


def guarded(witnesses, what):
    """Check the invariant, by the state of the host and by a packet."""
    with netns("host"):
        with open(f"/proc/sys/net/ipv4/conf/{BRIDGE}/route_localnet") as file:
            on = file.read().strip() != "0"
    if on:
        live = footprint()
        check("ingress" in live["tcx"] or "bpf" in live["hooks"][1],
              f"{what}: route_localnet is on without the guard")
    check(not witnesses.leaks(), f"{what}: a packet to 127.0.0.1 got in")
    done = hbpf("status", check_exit=False)
    check(done.returncode in (0, 1), f"{what}: status exits {done.returncode}")
    check(done.returncode == 0 or "hbpf attach" in done.stdout + done.stderr,
          f"{what}: status fails without a message")


def attached_before(story):
    return bool(STORIES[story][0])


def recovers(story, witnesses, before, what, attach):
    """Check that the next attach and detach, or detach alone, repair everything."""
    if attached_before(story) and STORIES[story][1][0] != "detach":
        check(witnesses.served(), f"{what}: port {PORT} does not work any more")
    if attach:
        hbpf("attach", BRIDGE, "--port", str(PORT))
        check(witnesses.served(), f"{what}: port {PORT} does not work after the next attach")
        check(not witnesses.leaks(), f"{what}: a packet to 127.0.0.1 got in after the next attach")
        hbpf("ports", "set", str(PORT))
        listed = exports()
        check(listed and str(PORT) in listed and str(OTHER) not in listed,
              f"{what}: ports are {listed}")
    hbpf("detach", "--all")
    same(before, footprint(), what)


def prepare(story, witnesses):
    for command in STORIES[story][0]:
        hbpf(*command)
    witnesses.linger()


def spread(points):
    """HBPF_INSTANTS of them, including the first and the last."""
    wanted = int(os.environ.get("HBPF_INSTANTS", "8"))
    if len(points) <= wanted:
        return points
    return [points[round(i * (len(points) - 1) / (wanted - 1))] for i in range(wanted)]


def nth_of_its_kind(calls, at):
    """(name, number): strace counts system calls by name."""
    name = calls[at].split("(")[0]
    return name, sum(call.startswith(name + "(") for call in calls[:at + 1])


def rehearse(story, witnesses, **options):
    """The calls of an undisturbed run."""
    prepare(story, witnesses)
    done, calls = strace(story, **options)
    check(done.returncode == 0, f"{story}: {done.stderr}")
    hbpf("detach", "--all")
    return calls


def kill(story):
    before, witnesses = footprint(), Witnesses()
    calls = rehearse(story, witnesses)
    same(before, footprint(), f"{story}, not killed")
    points = [at for at, call in enumerate(calls) if CHANGES.search(call)]
    chosen = spread(points)
    exhaustive = chosen == points
    for turn, at in enumerate(chosen):
        name, number = nth_of_its_kind(calls, at)
        # there are two ways to repair it; try both if all instants are tried
        for attach in (True, False) if exhaustive else (turn % 2 == 0,):
            what = f"{story} killed before {name} number {number}: {calls[at].strip()[:100]}"
            prepare(story, witnesses)
            done, _ = strace(story, "-e", f"inject={name}:signal=KILL:when={number}")
            check(done.returncode in (-9, 137), f"{what}: not killed, {done.returncode}")
            guarded(witnesses, what)
            recovers(story, witnesses, before, what, attach)
    print(f"{story}: killed at {len(chosen)} of {len(points)} instants "
          f"({len(calls)} calls traced)")


def ip(*words):
    with netns("host"):
        subprocess.run(["ip", *words], check=True)


def make_bridge():
    ip("link", "add", BRIDGE, "type", "bridge", "forward_delay", "0")
    ip("link", "set", BRIDGE, "up")
    ip("addr", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    ip("addr", "add", "fd00:30::1/64", "dev", BRIDGE, "nodad")


def rename():
    ip("link", "set", BRIDGE, "name", RENAMED)


def delete():
    ip("link", "del", BRIDGE)


def recreate():
    delete()
    make_bridge()
    ip("link", "set", "veth-c1", "master", BRIDGE)


def replace():
    rename()
    make_bridge()


CHANGES_OF_BRIDGE = (rename, delete, recreate, replace)


def bridges():
    with netns("host"):
        return [name for name in (BRIDGE, RENAMED)
                if os.path.exists(f"/proc/sys/net/ipv4/conf/{name}")]


def restore_bridge(witnesses):
    """Back to one bridge, with the name and the port from before the story."""
    there = bridges()
    if RENAMED in there:
        if BRIDGE in there:
            delete()
        ip("link", "set", RENAMED, "name", BRIDGE)
    elif not there:
        make_bridge()
        ip("link", "set", "veth-c1", "master", BRIDGE)
    witnesses.meet(BRIDGE)


def wait_for(condition, what):
    end = time.monotonic() + 20
    while not condition():
        check(time.monotonic() < end, f"{what}: timed out")
        time.sleep(0.01)


def interrupted(story, name, number, change, what):
    """Run the story's command, stop it after that call, change the bridge, let it continue."""
    log = os.path.join(os.environ["BED"], "strace")
    if os.path.exists(log):
        os.remove(log)
    with netns("host"):
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", log, "-e", f"trace={TRACED}", "-e",
             f"inject={name}:signal=STOP:when={number}", HBPF, *STORIES[story][1]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stopped():
        if not os.path.exists(log):
            return False
        with open(log, encoding="latin-1") as lines:
            return [line for line in lines if "stopped by SIGSTOP" in line]

    wait_for(lambda: stopped() or tracer.poll() is not None, what)
    check(tracer.poll() is None, f"{what}: it was not stopped")
    change()
    os.kill(int(stopped()[0].split()[0]), signal.SIGCONT)
    _, err = tracer.communicate(timeout=60)
    check(tracer.returncode in (0, 1), f"{what}: exit {tracer.returncode}\n{err}")


def closed_all(witnesses, what):
    """The checks of guarded() for every bridge, attached or not."""
    for bridge in bridges():
        with netns("host"):
            with open(f"/proc/sys/net/ipv4/conf/{bridge}/route_localnet") as file:
                on = file.read().strip() != "0"
            guards = [subprocess.run(words, capture_output=True, text=True, check=True).stdout
                      for words in (["/usr/bin/python3", "-S", bpf.__file__, "tcx-list", bridge],
                                    ["tc", "filter", "show", "dev", bridge, "ingress"])]
        check(not on or "ingress" in guards[0] or "bpf" in guards[1],
              f"{what}: route_localnet of {bridge} is on without the guard")
    wired = BRIDGE if RENAMED not in bridges() else RENAMED
    if wired in bridges():
        witnesses.meet(wired)
        check(not witnesses.leaks(), f"{what}: a packet to 127.0.0.1 got in")
    return wired


def world(story):
    before, witnesses = footprint(), Witnesses()
    calls = rehearse(story, witnesses)
    points = [at for at, call in enumerate(calls) if CHANGES.search(call)]
    chosen = spread(points)
    tried = 0
    for turn, at in enumerate(chosen):
        name, number = nth_of_its_kind(calls, at)
        all_of_them = chosen == points
        for change in CHANGES_OF_BRIDGE if all_of_them else (CHANGES_OF_BRIDGE[turn % 4],):
            tried += 1
            what = f"{story}, {change.__name__} after {name} number {number}: {calls[at].strip()[:90]}"
            prepare(story, witnesses)
            interrupted(story, name, number, change, what)
            wired = closed_all(witnesses, what)
            if tried % 2 and wired in bridges():
                hbpf("attach", wired, "--port", str(PORT))
                check(witnesses.served(), f"{what}: port {PORT} does not work after the next attach")
                closed_all(witnesses, what)
            hbpf("detach", "--all")
            closed_all(witnesses, what)
            restore_bridge(witnesses)
            same(before, footprint(), what)
    print(f"{story}: the bridge changed {tried} times, at {len(chosen)} of {len(points)} instants")


# libbpf's probes before it loads anything: for BTF, names, global data.
PROBES = ("BPF_BTF_LOAD", "BPF_PROG_TYPE_SOCKET_FILTER",
          "map_type=BPF_MAP_TYPE_ARRAY, key_size=4, value_size=32,")


def fails_well(story, witnesses, before, name, number, error):
    """Return: the command's exit code, with everything repaired; None: it was rolled back."""
    what = f"{story}, {error} from {name} number {number}"
    ready, listed = footprint(), exports()
    done, calls = strace(story, "-e", f"inject={name}:error={error}:when={number}")
    injected = [call.strip()[:110] for call in calls if "INJECTED" in call]
    what += f" ({injected[0] if injected else 'not injected'})"
    check(done.returncode in (0, 1), f"{what}: exit {done.returncode}\n{done.stderr}")
    guarded(witnesses, what)
    undone = False
    if done.returncode == 1:
        causes = [os.strerror(getattr(errno, error)).lower()]
        if error == "ENOSPC":
            causes.append("map is full")
        if any(probe in call for call in injected for probe in PROBES):
            # libbpf does not return the cause; later calls fail that need the feature
            causes += ["invalid argument", "has no name"]
        check(any(cause in done.stderr.lower() for cause in causes),
              f"{what}: the message lacks '{causes[0]}':\n{done.stderr}")
        undone = STORIES[story][1][0] != "detach"
        if undone:
            same(ready, footprint(), f"{what}, not rolled back\n{done.stderr}")
            check(exports() == listed, f"{what}: ports are {exports()}, were {listed}")
    elif STORIES[story][1][0] == "detach":
        same(before, footprint(), f"{what}, exit 0 of detach")
    else:
        check(witnesses.served(), f"{what}: exit 0, but port {PORT} does not work")
    if undone:
        return None
    recovers(story, witnesses, before, what, attach=number % 2 == 0)
    return done.returncode


def fail(story):
    before, witnesses = footprint(), Witnesses()
    calls = rehearse(story, witnesses)
    points = [at for at, call in enumerate(calls)
              if call.startswith("bpf(") or CHANGES.search(call)]
    chosen = spread(points)
    tried = refused = 0
    problems = []
    prepare(story, witnesses)
    for turn, at in enumerate(chosen):
        name, number = nth_of_its_kind(calls, at)
        for error in ERRORS if chosen == points else (ERRORS[turn % len(ERRORS)],):
            tried += 1
            try:
                code = fails_well(story, witnesses, before, name, number, error)
                refused += code != 0
            except SystemExit as problem:
                problems.append(str(problem))
                hbpf("detach", "--all", check_exit=False)
                same(before, footprint(), f"{problem}\nand detach does not repair it")
                code = 1
            if code is not None:
                prepare(story, witnesses)
        # start over from time to time, also after failures that were rolled back
        recovers(story, witnesses, before, f"{story}, after errors from {name} number {number}",
                 attach=turn % 2 == 0)
        prepare(story, witnesses)
    hbpf("detach", "--all")
    print(f"{story}: {tried} errors at {len(chosen)} of {len(points)} calls, {refused} refused, "
          f"{tried - refused - len(problems)} harmless")
    check(not problems, f"{len(problems)} of {tried}\n" + "\n".join(problems))


def calls_of(story):
    """Check that every call that could change anything is traced, for later changes of hbpf."""
    calls = rehearse(story, Witnesses(), trace="all")
    names = {call.split("(")[0] for call in calls}
    check("bpf" in names, f"{story}: nothing was traced")
    unknown = names - HARMLESS - set(TRACED.split(","))
    check(not unknown, f"{story}: neither traced nor known to be harmless: {sorted(unknown)}")
    made = [call for call in calls if call.startswith("openat(") and "O_CREAT" in call]
    check(not made, f"{story}: untraced calls create files: {made}")
    print(f"{story}: {len(calls)} calls of {len(names)} kinds")


if __name__ == "__main__":
    {"kill": kill, "fail": fail, "world": world, "calls": calls_of}[sys.argv[1]](sys.argv[2])
