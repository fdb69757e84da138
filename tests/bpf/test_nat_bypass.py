# SPDX-License-Identifier: GPL-2.0-only
"""NAT bypass: the conntrack entry that keeps NAT rules away from what hbpf redirects.

In the build that cannot pin, and with the switch off, there must be none.
"""
import contextlib
import os
import shutil
import subprocess
import tempfile

from case import expect, expect_equal, promise
from packets import DOCKER0, FAMILIES, PROTOCOLS, V4, Talk
from sockets import connection


def conntrack(command, talk, *more):
    done = subprocess.run(["conntrack", command, "-p", talk.proto.lower(),
                           "-f", "ipv4" if talk.family is V4 else "ipv6", "-s", talk.client[0],
                           "-d", talk.local[0], "--sport", str(talk.client[1]),
                           "--dport", str(talk.local[1]), *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode and "0 flow entries" not in done.stderr:
        raise RuntimeError(f"conntrack {command}: {done.stderr}")
    return done.stdout


def entries(talk):
    """Return: the seconds left of the conntrack entries of client -> loopback."""
    return [int(line.split()[2]) for line in conntrack("-L", talk).splitlines()]


def mark(talk):
    """Mark the entry, to recognise it. (A fresh one may have the old one's id.)"""
    conntrack("-U", talk, "--mark", "7")


def marked(talk):
    return "mark=7" in conntrack("-L", talk)


def talk_of(bed, family, proto, **more):
    """Entries outlive a test, so a port is used once."""
    return Talk(family, proto, client_port=bed.fresh_port(), **more)


def opens(bed, talk):
    expect(bed.ingress(talk.asked(**talk.opening())), "IN_TRANSLATED",
           talk.delivered(**talk.opening()))


def expect_entry(bed, talk):
    """One entry if the build has the NAT bypass, else none. Return: whether it has."""
    found = entries(talk)
    expect_equal(f"conntrack entries of {talk.client}", len(found), int(bed.build == "nat_bypass"))
    return bool(found)


@promise("{proto} to an export makes a conntrack entry, in the build with the NAT bypass",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = talk_of(bed, family, proto)
    opens(bed, talk)
    if expect_entry(bed, talk):
        expect_equal("up to 30 seconds left", 0 < entries(talk)[0] <= 30, True)


@promise("the entry is for the loopback end, remapped or not", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = talk_of(bed, family, proto, port=80, local_port=8080)
    opens(bed, talk)
    expect_entry(bed, talk)


@promise("with the NAT bypass off there is no entry", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    bed.configure(nat_bypass=False)
    talk = talk_of(bed, family, proto)
    opens(bed, talk)
    expect_equal("entries", entries(talk), [])
    bed.configure(nat_bypass=True)
    opens(bed, talk)
    expect_entry(bed, talk)


@promise("the switch is each bridge's own", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    with bed.on(bed.other):
        bed.attach()
        bed.export(8088)
        bed.configure(nat_bypass=False)
        talk = talk_of(bed, family, proto)
        opens(bed, talk)
        expect_equal("entries", entries(talk), [])
    opens(bed, talk)
    expect_entry(bed, talk)


@promise("what is passed makes no entry", family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    for more, reason in (({"port": 9999}, "IN_NOT_EXPORTED"),
                         ({"gateway": DOCKER0[family]}, "IN_NOT_GATEWAY"),
                         ({"client": family.internet}, "IN_SOURCE")):
        talk = talk_of(bed, family, proto, **more)
        expect(bed.ingress(talk.asked(**talk.opening())), reason)
        expect_equal("entries", entries(talk), [])


@promise("a TCP segment that opens nothing makes no entry", family=FAMILIES)
def _(bed, family):
    talk = talk_of(bed, family, "TCP")
    bed.record_flow(talk)
    expect(bed.ingress(talk.asked(flags="A")), "IN_TRANSLATED", talk.delivered(flags="A"))
    expect_equal("entries", entries(talk), [])


@promise("a further UDP packet keeps the entry", family=FAMILIES)
def _(bed, family):
    talk = talk_of(bed, family, "UDP")
    opens(bed, talk)
    if expect_entry(bed, talk):
        mark(talk)
        opens(bed, talk)
        expect_equal("the same entry", marked(talk), True)


@promise("a UDP flow that outlived its entry gets another", family=FAMILIES)
def _(bed, family):
    talk = talk_of(bed, family, "UDP")
    bed.record_flow(talk)
    opens(bed, talk)
    expect_entry(bed, talk)


@promise("a SYN on the entry of a closed connection gets a fresh one", family=FAMILIES)
def _(bed, family):
    talk = talk_of(bed, family, "TCP")
    opens(bed, talk)
    if expect_entry(bed, talk):
        mark(talk)
        opens(bed, talk)
        expect_entry(bed, talk)
        expect_equal("the same entry", marked(talk), False)


@promise("a SYN repeated in the handshake keeps the entry", family=FAMILIES)
def _(bed, family):
    talk = talk_of(bed, family, "TCP")
    opens(bed, talk)
    if expect_entry(bed, talk):
        mark(talk)
        connection(bed, talk, "half-open")
        opens(bed, talk)
        expect_equal("the same entry", marked(talk), True)


@contextlib.contextmanager
def program_that_cannot_decide(bed):
    """The ingress program as if bpf_ct_set_nat_info() failed, which only lack of memory does.

    Yields whether frames come in by it: not where it cannot be built, or this build does not pin.
    """
    root = os.path.join(os.path.dirname(__file__), "../..")
    if bed.build != "nat_bypass" or not shutil.which("clang"):
        yield False
        return
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(os.path.join(root, "bpf"), copy, dirs_exist_ok=True)
        header = os.path.join(copy, "conntrack.h")
        with open(header) as file:
            whole = file.read()
        broken = whole.replace("if (undecided)", "if (true)")
        expect_equal("the edit changes the program", broken != whole, True)
        with open(header, "w") as file:
            file.write(broken)
        built = os.path.join(copy, "broken.bpf.o")
        subprocess.run(["clang", "-target", "bpf", "-O2", "-g", "-std=gnu11", "-DHBPF_NAT_BYPASS",
                        f"-I{root}/include", f"-I{copy}", f"-I{root}/vmlinux", "-c",
                        f"{copy}/hbpf.bpf.c", "-o", built], check=True)
        with bed.ingress_of(built):
            yield True


@promise("if setting the NAT bypass fails no entry stays, and the packet is translated "
         "without it",
         family=FAMILIES, proto=PROTOCOLS)
def _(bed, family, proto):
    talk = talk_of(bed, family, proto)
    with program_that_cannot_decide(bed) as broken:
        if broken:
            opens(bed, talk)
            expect_equal("entries", entries(talk), [])
    opens(bed, talk)
    expect_entry(bed, talk)
