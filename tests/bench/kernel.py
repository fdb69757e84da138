# SPDX-License-Identifier: GPL-2.0-only
"""hbpf's programs and maps of one network namespace, from the kernel."""
import ctypes
import errno
import os
import re
import struct
import sys
from collections import namedtuple

sys.path.insert(0, "tests/e2e/tools")
import bpf  # noqa: E402

PROG_GET_NEXT_ID, MAP_GET_FD_BY_ID, ENABLE_STATS = 11, 14, 32
RUN_TIME = 0

Program = namedtuple("Program", "id name verified translated jited memory ns runs")
Map = namedtuple("Map", "id name entries memory")


# Offsets of members of struct bpf_prog_info and struct bpf_map_info
PROG_JITED, PROG_MAPS, PROG_NAME, PROG_RUNS, PROG_VERIFIED = 16, 52, 64, 192, 216
MAP_ENTRIES, MAP_NAME = 16, 24


def text(raw, at):
    return raw[at:at + 16].split(b"\0")[0].decode()


def memory(fd):
    """The kernel memory of a map or program, in bytes."""
    with open(f"/proc/self/fdinfo/{fd}") as lines:
        return int(re.search(r"^memlock:\s*(\d+)", lines.read(), re.M)[1])


def enable_stats():
    """Programs count their runs and time until this descriptor is closed. Linux 5.8."""
    return bpf.bpf(ENABLE_STATS, struct.pack("I", RUN_TIME))[0]


def pinned_ids(inode):
    """The IDs of the maps that are pinned for the namespace."""
    top = os.path.join(os.environ["HBPF_BPFFS"], "hbpf", str(inode))
    found = set()
    for folder, _, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue  # no pin
            fd = bpf.obj_get(path)
            if "bpf-map" in os.readlink(f"/proc/self/fd/{fd}"):
                found.add(struct.unpack_from("I", bpf.info(fd), 4)[0])
            os.close(fd)
    return found


def maps_of(fd):
    """The IDs of a program's maps."""
    ids = (ctypes.c_uint32 * 64)()
    buf = ctypes.create_string_buffer(256)
    struct.pack_into("I", buf, PROG_MAPS, 64)
    struct.pack_into("Q", buf, PROG_MAPS + 4, ctypes.addressof(ids))
    bpf.bpf(bpf.INFO_BY_FD, struct.pack("IIQ", fd, 256, ctypes.addressof(buf)))
    return set(ids[:min(64, struct.unpack_from("I", buf, PROG_MAPS)[0])])


def program(fd):
    raw = bpf.info(fd)
    ident, = struct.unpack_from("I", raw, 4)
    jited, translated = struct.unpack_from("II", raw, PROG_JITED)
    ns, runs = struct.unpack_from("QQ", raw, PROG_RUNS)
    verified, = struct.unpack_from("I", raw, PROG_VERIFIED)
    return Program(ident, text(raw, PROG_NAME), verified, translated // 8, jited, memory(fd), ns, runs)


def programs(inode):
    """Those that share a map with the pinned ones; other sandboxes have hbpf's, too."""
    ours, found, ident = pinned_ids(inode), [], 0
    while True:
        try:
            raw = bpf.bpf(PROG_GET_NEXT_ID, struct.pack("II", ident, 0))[1]
        except OSError as err:
            if err.errno == errno.ENOENT:
                return found
            raise
        ident = struct.unpack_from("I", raw, 4)[0]
        try:
            fd = bpf.bpf(bpf.PROG_GET_FD_BY_ID, struct.pack("I", ident))[0]
        except FileNotFoundError:
            continue  # unloaded meanwhile
        if maps_of(fd) & ours:
            found.append(program(fd))
        os.close(fd)


def inner(fd):
    """The map in an array of maps, in place of the array, which hardly takes memory."""
    key, ident = ctypes.create_string_buffer(4), ctypes.create_string_buffer(4)
    bpf.bpf(bpf.LOOKUP, struct.pack("IIQQQ", fd, 0, ctypes.addressof(key),
                                    ctypes.addressof(ident), 0))
    os.close(fd)
    return bpf.bpf(MAP_GET_FD_BY_ID, ident.raw)[0]


def maps(inode):
    """All maps of those programs, pinned or not."""
    idents, found = set(pinned_ids(inode)), []
    for each in programs(inode):
        fd = bpf.bpf(bpf.PROG_GET_FD_BY_ID, struct.pack("I", each.id))[0]
        idents |= maps_of(fd)
        os.close(fd)
    for ident in sorted(idents):
        fd = bpf.bpf(MAP_GET_FD_BY_ID, struct.pack("I", ident))[0]
        if bpf.map_info(fd)[0] == bpf.ARRAY_OF_MAPS:
            fd = inner(fd)
        raw = bpf.info(fd)
        entries, = struct.unpack_from("I", raw, MAP_ENTRIES)
        found.append(Map(ident, text(raw, MAP_NAME), entries, memory(fd)))
        os.close(fd)
    return found
