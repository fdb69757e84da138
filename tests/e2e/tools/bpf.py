#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The bpf(2) calls that the tests need and Debian 12's bpftool lacks.

    bpf.py counters DIR DEV          NAME PACKETS of every hbpf counter of this bridge that is not zero;
                                     DIR has the pinned maps
    bpf.py dump PIN                  a map's values, in hex
    bpf.py clear PIN                 delete a map's entries
    bpf.py write PIN OFFSET HEX      change bytes of entry 0 of an array
    bpf.py witness DIR [VERDICT]     load a program that counts packets and returns VERDICT (-1: the
                                     next program runs; 0: no other does); pin it as DIR/program and
                                     its map as DIR/count
    bpf.py cookie DIR                the same for one that stores the first words of skb->cb
    bpf.py witnessed DIR             how many packets it saw
    bpf.py tcx-attach DIR DEV SIDE [before]
                                     attach that program with tcx, behind all others or before
                                     them; pin the link as DIR/link_SIDE
    bpf.py mirror DIR DEV            load a program that sends a copy of each packet out of DEV; pin
                                     it as DIR/program
    bpf.py entries PIN               how many entries a hash map has
    bpf.py map-id PIN                the ID of the map; of an array of maps, of the one in it
    bpf.py link-detach PIN           detach a link's program, as `bpftool link detach` does
    bpf.py backstop-detach DEV       detach hbpf's backstop from DEV
    bpf.py tcx-ids DEV               the IDs of its tcx programs
    bpf.py tcx-list [DEV]            tcx programs as DEV SIDE NAME, in the order they run
"""
import ctypes
import errno
import os
import re
import socket
import struct
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
MAP_CREATE, LOOKUP, UPDATE, DELETE, NEXT_KEY = range(5)
PROG_LOAD, OBJ_PIN, OBJ_GET, PROG_DETACH, LINK_DETACH = 5, 6, 7, 9, 34
PROG_GET_FD_BY_ID, MAP_GET_FD_BY_ID, INFO_BY_FD, PROG_QUERY, LINK_CREATE = 13, 14, 15, 16, 28
ARRAY, PERCPU_ARRAY, ARRAY_OF_MAPS, SCHED_CLS = 2, 6, 12, 3
SIDES = {"ingress": 46, "egress": 47}  # BPF_TCX_INGRESS, BPF_TCX_EGRESS
BEFORE = 1 << 3  # BPF_F_BEFORE
CONFIG_NUMBER = 68  # offset of `number` in struct hbpf_config

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buf = ctypes.create_string_buffer(attr.ljust(144, b"\0"), 144)
    ret = libc.syscall(SYS_BPF, command, buf, 144)
    if ret < 0:
        err = ctypes.get_errno()
        raise OSError(err, f"bpf({command}): {os.strerror(err)}")
    return ret, buf.raw


def address(buf):
    return ctypes.addressof(buf)


def obj_get(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(OBJ_GET, struct.pack("QII", address(name), 0, 0))[0]


def obj_pin(fd, path):
    name = ctypes.create_string_buffer(path.encode())
    bpf(OBJ_PIN, struct.pack("QII", address(name), fd, 0))


def info(fd, size=256):
    buf = ctypes.create_string_buffer(size)
    bpf(INFO_BY_FD, struct.pack("IIQ", fd, size, address(buf)))
    return buf.raw


def map_info(fd):
    kind, _, key_size, value_size, entries = struct.unpack_from("IIIII", info(fd))
    return kind, key_size, value_size, entries


def map_get(pin):
    """The pinned map, or the one in a pinned array of maps."""
    fd = obj_get(pin)
    if map_info(fd)[0] != ARRAY_OF_MAPS:
        return fd
    number = struct.unpack("I", next(values(fd))[0])[0]
    return bpf(MAP_GET_FD_BY_ID, struct.pack("I", number))[0]


def map_id(pin):
    print(struct.unpack_from("II", info(map_get(pin)))[1])


def possible_cpus():
    with open("/sys/devices/system/cpu/possible") as possible:
        return int(possible.read().strip().replace(",", "-").split("-")[-1]) + 1


def values(fd):
    """A list for each entry of an array: its value, or one for each CPU."""
    kind, _, value_size, entries = map_info(fd)
    each = (value_size + 7) & ~7 if kind == PERCPU_ARRAY else value_size
    size = each * (possible_cpus() if kind == PERCPU_ARRAY else 1)
    for index in range(entries):
        key = ctypes.create_string_buffer(struct.pack("I", index), 4)
        value = ctypes.create_string_buffer(size)
        bpf(LOOKUP, struct.pack("IIQQQ", fd, 0, address(key), address(value), 0))
        yield [value.raw[at:at + value_size] for at in range(0, size, each)]


def reasons():
    header = os.path.join(os.path.dirname(__file__), "../../../include/hbpf/reasons.h")
    with open(header) as text:
        return re.findall(r"^\s*X\((\w+),", text.read(), re.M)


def look_up(fd, number, size):
    key = ctypes.create_string_buffer(struct.pack("I", number), 4)
    value = ctypes.create_string_buffer(size)
    bpf(LOOKUP, struct.pack("IIQQQ", fd, 0, address(key), address(value), 0))
    return value.raw


def counters(pins, dev):
    index = socket.if_nametoindex(dev)
    bridges, near = obj_get(f"{pins}/bridges"), obj_get(f"{pins}/counters_near")
    _, _, size, numbers = map_info(near)
    number, = struct.unpack_from("H", look_up(bridges, index, map_info(bridges)[2]), CONFIG_NUMBER)
    fd, key = (near, number) if number < numbers else (obj_get(f"{pins}/counters"), index)
    value = look_up(fd, key, size * possible_cpus())
    for at, name in enumerate(reasons()):
        packets = sum(struct.unpack_from("Q", value, cpu * size + at * 16)[0]
                      for cpu in range(possible_cpus()))
        if packets:
            print(name, packets)


def dump(pin):
    for index, parts in enumerate(values(obj_get(pin))):
        print(index, *(part.hex() for part in parts))


def clear(pin):
    fd = map_get(pin)
    key = ctypes.create_string_buffer(map_info(fd)[1])
    while True:
        try:
            bpf(NEXT_KEY, struct.pack("IIQQ", fd, 0, 0, address(key)))
        except OSError:
            return
        bpf(DELETE, struct.pack("IIQ", fd, 0, address(key)))


def entries(pin):
    fd = map_get(pin)
    size = map_info(fd)[1]
    last, key, count = 0, ctypes.create_string_buffer(size), 0
    try:
        while True:
            bpf(NEXT_KEY, struct.pack("IIQQ", fd, 0, last, address(key)))
            last, count = address(key), count + 1
    except FileNotFoundError:
        print(count)


def write(pin, offset, text):
    fd = obj_get(pin)
    old = next(values(fd))[0]
    new = bytes.fromhex(text)
    value = old[:int(offset)] + new + old[int(offset) + len(new):]
    key = ctypes.create_string_buffer(4)
    value = ctypes.create_string_buffer(value, len(value))
    bpf(UPDATE, struct.pack("IIQQQ", fd, 0, address(key), address(value), 0))


def insn(code, dst=0, src=0, off=0, imm=0):
    return struct.pack("<BBhi", code, dst | src << 4, off, imm)


def witness(where, verdict="-1"):
    count = bpf(MAP_CREATE, struct.pack("IIII", ARRAY, 4, 8, 1))[0]
    program = b"".join((
        insn(0x62, dst=10, off=-4, imm=0),                   # *(u32 *)(r10 - 4) = 0
        insn(0xbf, dst=2, src=10), insn(0x07, dst=2, imm=-4),  # r2 = r10 - 4
        insn(0x18, dst=1, src=1, imm=count), insn(0),          # r1 = map
        insn(0x85, imm=1),                                   # bpf_map_lookup_elem
        insn(0x15, dst=0, off=2),                            # if r0 == 0 goto out
        insn(0xb7, dst=1, imm=1),
        insn(0xdb, dst=0, src=1),                            # lock *(u64 *)r0 += 1
        insn(0xb7, dst=0, imm=int(verdict)),                 # out: r0 = verdict
        insn(0x95),
    ))
    obj_pin(count, f"{where}/count")
    obj_pin(load(b"witness", program), f"{where}/program")


def cookie(where):
    count = bpf(MAP_CREATE, struct.pack("IIII", ARRAY, 4, 8, 1))[0]
    program = b"".join((
        insn(0x61, dst=6, src=1, off=48), insn(0x61, dst=7, src=1, off=52),  # cb[0], cb[1]
        insn(0x62, dst=10, off=-4, imm=0),
        insn(0xbf, dst=2, src=10), insn(0x07, dst=2, imm=-4),
        insn(0x18, dst=1, src=1, imm=count), insn(0),
        insn(0x85, imm=1),                                   # bpf_map_lookup_elem
        insn(0x15, dst=0, off=2),
        insn(0x63, dst=0, src=6), insn(0x63, dst=0, src=7, off=4),
        insn(0xb7, dst=0, imm=-1),
        insn(0x95),
    ))
    obj_pin(count, f"{where}/count")
    obj_pin(load(b"cookie", program), f"{where}/program")


def mirror(where, dev):
    program = b"".join((
        insn(0xb7, dst=2, imm=socket.if_nametoindex(dev)),
        insn(0xb7, dst=3, imm=0),
        insn(0x85, imm=13),                                  # bpf_clone_redirect
        insn(0xb7, dst=0, imm=-1),
        insn(0x95),
    ))
    obj_pin(load(b"mirror", program), f"{where}/program")


def load(name, program, kind=SCHED_CLS):
    code = ctypes.create_string_buffer(program, len(program))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(PROG_LOAD, struct.pack("IIQQIIQII16s", kind, len(program) // 8, address(code),
                                      address(licence), 0, 0, 0, 0, 0, name))[0]


def witnessed(where):
    print(struct.unpack("Q", next(values(obj_get(f"{where}/count")))[0])[0])


def tcx_attach(where, dev, side, place="after"):
    link = bpf(LINK_CREATE, struct.pack("IIII", obj_get(f"{where}/program"),
                                        socket.if_nametoindex(dev), SIDES[side],
                                        {"before": BEFORE, "after": 0}[place]))[0]
    obj_pin(link, f"{where}/link_{side}")


def link_detach(pin):
    bpf(LINK_DETACH, struct.pack("I", obj_get(pin)))


def tcx_programs(index, side):
    """(fd, name) of each, in the order they run; the caller closes fd"""
    ids = (ctypes.c_uint32 * 64)()
    try:
        attr = bpf(PROG_QUERY, struct.pack("IIIIQII", index, SIDES[side], 0, 0,
                                           ctypes.addressof(ids), 64, 0))[1]
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return  # a kernel before 6.6
    for prog_id in ids[:struct.unpack_from("I", attr, 24)[0]]:
        fd = bpf(PROG_GET_FD_BY_ID, struct.pack("II", prog_id, 0))[0]
        yield fd, info(fd)[64:80].rstrip(b"\0").decode()
        os.close(fd)


def backstop_detach(dev):
    index = socket.if_nametoindex(dev)
    for fd, name in tcx_programs(index, "ingress"):
        if name == "hbpf_backstop":
            bpf(PROG_DETACH, struct.pack("IIII", index, fd, SIDES["ingress"], 0))


def tcx_ids(dev):
    for side in SIDES:
        for fd, _ in tcx_programs(socket.if_nametoindex(dev), side):
            print(struct.unpack_from("II", info(fd))[1])


def tcx_list(only=None):
    for index, dev in socket.if_nameindex():
        if only not in (None, dev):
            continue
        for side in SIDES:
            for _, name in tcx_programs(index, side):
                print("tcx", dev, side, name)


COMMANDS = {"counters": counters, "dump": dump, "clear": clear, "write": write,
            "witness": witness, "cookie": cookie, "witnessed": witnessed, "tcx-attach": tcx_attach,
            "mirror": mirror, "tcx-ids": tcx_ids, "tcx-list": tcx_list, "entries": entries, "map-id": map_id,
            "link-detach": link_detach, "backstop-detach": backstop_detach}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
