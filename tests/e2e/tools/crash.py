#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Commands that die, or whose system calls fail, at one instant after another.

    crash.py kill STORY     SIGKILL before each system call that changes anything, and after the last
    crash.py fail STORY     an error from each bpf(2), from each write to /proc/sys and from all
                            else that changes anything
    crash.py world STORY    stopped after each, while the bridge is renamed, deleted, re-created, or
                            its name given to another
    crash.py calls STORY    is what is traced all that could change anything?

HBPF_INSTANTS says how many instants of a story are tried, evenly spread (default 12; 999: all of
them). The last line tells how many were. Exit 0: what must hold held at every one:

 - route_localnet is on only where the guard is: also tried with a packet to 127.0.0.1;
 - a port that the story does not touch works all the time once it is attached;
 - the next status, attach and detach work, and then the host is as before the story;
 - an error: exit 1, its text in the message, all as before the command; or it did not matter.
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

# name: (what went before, the command). Every story ends attached with PORT, or detached.
STORIES = {
    "attach-tcx": ([], (*ATTACH, "tcx")),
    "attach-clsact": ([], (*ATTACH, "clsact")),
    "attach-pinned": ([], (*ATTACH, "tcx", "--nat-bypass", "on")),
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
# What else the commands call: it looks, waits, or touches nothing but the process itself (and, for
# hbpf watch, the time of the bpffs).
HARMLESS = set("""access arch_prctl bind brk close dup3 execve exit_group faccessat2 fcntl flock
    fstatfs getdents64 geteuid getrandom getsockname getsockopt lseek mmap mprotect mremap munmap
    newfstatat fstat openat pread64 prlimit64 read readlink readlinkat recvmsg rseq rt_sigaction
    rt_sigprocmask set_robust_list set_tid_address setsockopt sched_getaffinity socket statfs
    uname futex utimensat""".split())
# What of it leaves a trace behind. Maps and programs that were only made go with their process;
# so do questions, to maps and to netlink.
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
    """All that hbpf changes on a host, for comparing."""
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
    """A service behind the export, one that is nobody's business, and a hostile client."""

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
        self.leaks()  # and the neighbours know each other

    def meet(self, name):
        """A re-created bridge has another MAC address."""
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
        """A connection over each port that there is: `del` and `detach` have something to end."""
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
    """The invariant, by looking and by trying."""
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
          f"{what}: status fails without a word")


def attached_before(story):
    return bool(STORIES[story][0])


def works_on(story, witnesses, before, what, heal):
    """The next attach and detach, or detach alone, mend all of it."""
    if attached_before(story) and STORIES[story][1][0] != "detach":
        check(witnesses.served(), f"{what}: port {PORT} does not work any more")
    if heal:
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
    """As many of them as HBPF_INSTANTS wants, the first and the last among them."""
    wanted = int(os.environ.get("HBPF_INSTANTS", "12"))
    if len(points) <= wanted:
        return points
    return [points[round(i * (len(points) - 1) / (wanted - 1))] for i in range(wanted)]


def nth_of_its_kind(calls, at):
    """strace counts each system call by itself: (its name, which one of that name)."""
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
        # what is left can be mended in two ways; both where all instants are tried
        for heal in (True, False) if exhaustive else (turn % 2 == 0,):
            what = f"{story} killed before {name} number {number}: {calls[at].strip()[:100]}"
            prepare(story, witnesses)
            done, _ = strace(story, "-e", f"inject={name}:signal=KILL:when={number}")
            check(done.returncode in (-9, 137), f"{what}: it lived, {done.returncode}")
            guarded(witnesses, what)
            works_on(story, witnesses, before, what, heal)
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


CHANGE_OF_WORLD = (rename, delete, recreate, replace)


def bridges():
    with netns("host"):
        return [name for name in (BRIDGE, RENAMED)
                if os.path.exists(f"/proc/sys/net/ipv4/conf/{name}")]


def put_back(witnesses):
    """One bridge, called and wired as before the story."""
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
        check(time.monotonic() < end, f"{what}: never came")
        time.sleep(0.01)


def interrupted(story, name, number, change, what):
    """Run the story's command, stop it after that call, change the world, let it go on."""
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
    """What `guarded` looks at, of every bridge there is, whatever is attached to it."""
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
        for change in CHANGE_OF_WORLD if all_of_them else (CHANGE_OF_WORLD[turn % 4],):
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
            put_back(witnesses)
            same(before, footprint(), what)
    print(f"{story}: the world changed {tried} times, at {len(chosen)} of {len(points)} instants")


# What libbpf asks the kernel before it loads anything: whether it takes BTF, names, global data.
PROBES = ("BPF_BTF_LOAD", "BPF_PROG_TYPE_SOCKET_FILTER",
          "map_type=BPF_MAP_TYPE_ARRAY, key_size=4, value_size=32,")


def fails_well(story, witnesses, before, name, number, error):
    """Return: the command's exit code, with all mended; None: all is as it was before it."""
    what = f"{story}, {error} from {name} number {number}"
    ready, listed = footprint(), exports()
    done, calls = strace(story, "-e", f"inject={name}:error={error}:when={number}")
    injected = [call.strip()[:110] for call in calls if "INJECTED" in call]
    what += f" ({injected[0] if injected else 'never came'})"
    check(done.returncode in (0, 1), f"{what}: exit {done.returncode}\n{done.stderr}")
    guarded(witnesses, what)
    undone = False
    if done.returncode == 1:
        causes = [os.strerror(getattr(errno, error)).lower()]
        if error == "ENOSPC":
            causes.append("map is full")
        if any(probe in call for call in injected for probe in PROBES):
            # libbpf keeps the answer's cause to itself; then what needs the feature is refused
            causes += ["invalid argument", "has no name"]
        check(any(cause in done.stderr.lower() for cause in causes),
              f"{what}: the message does not say '{causes[0]}':\n{done.stderr}")
        undone = STORIES[story][1][0] != "detach"
        if undone:
            same(ready, footprint(), f"{what}, not rolled back\n{done.stderr}")
            check(exports() == listed, f"{what}: ports are {exports()}, were {listed}")
    elif STORIES[story][1][0] == "detach":
        same(before, footprint(), f"{what}, said it is detached")
    else:
        check(witnesses.served(), f"{what}: said yes, but port {PORT} does not work")
    if undone:
        return None
    works_on(story, witnesses, before, what, heal=number % 2 == 0)
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
                same(before, footprint(), f"{problem}\nand detach does not mend it")
                code = 1
            if code is not None:
                prepare(story, witnesses)
        # now and then from the beginning, after failures that left no trace as well
        works_on(story, witnesses, before, f"{story}, after errors from {name} number {number}",
                 heal=turn % 2 == 0)
        prepare(story, witnesses)
    hbpf("detach", "--all")
    print(f"{story}: {tried} errors at {len(chosen)} of {len(points)} calls, {refused} refused, "
          f"{tried - refused - len(problems)} did not matter")
    check(not problems, f"{len(problems)} of {tried}\n" + "\n".join(problems))


def calls_of(story):
    """Nothing that could change anything may go untraced, whatever is added to hbpf one day."""
    calls = rehearse(story, Witnesses(), trace="all")
    names = {call.split("(")[0] for call in calls}
    check("bpf" in names, f"{story}: nothing was traced")
    unknown = names - HARMLESS - set(TRACED.split(","))
    check(not unknown, f"{story}: neither traced nor known to be harmless: {sorted(unknown)}")
    made = [call for call in calls if call.startswith("openat(") and "O_CREAT" in call]
    check(not made, f"{story}: files made and not traced: {made}")
    print(f"{story}: {len(calls)} calls of {len(names)} kinds")


if __name__ == "__main__":
    {"kill": kill, "fail": fail, "world": world, "calls": calls_of}[sys.argv[1]](sys.argv[2])
