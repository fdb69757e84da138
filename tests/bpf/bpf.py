# SPDX-License-Identifier: GPL-2.0-only
"""A thin layer over the bpf(2) system call: pinned maps and programs, and test runs.

The attributes are those of union bpf_attr in linux/bpf.h.
"""
import ctypes
import mmap
import os
import resource
import struct
from contextlib import suppress

SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
CREATE, LOOKUP, UPDATE, DELETE, NEXT_KEY, OBJ_GET, TEST_RUN, OBJ_INFO = 0, 1, 2, 3, 4, 7, 10, 15

HASH, ARRAY, PERCPU_HASH, PERCPU_ARRAY, RINGBUF = 1, 2, 5, 6, 27  # enum bpf_map_type
NO_PREALLOC = 1                                                   # BPF_F_NO_PREALLOC

TEST_CHECKSUM_COMPLETE = 1 << 2   # BPF_F_TEST_SKB_CHECKSUM_COMPLETE

# struct __sk_buff, as far as a test run lets it be set
SK_BUFF_SIZE, SK_BUFF_IFINDEX, SK_BUFF_DATA_END = 192, 40, 80

libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command, what, layout, *fields):
    """One system call. Return: its result and the attributes as the kernel left them."""
    attr = ctypes.create_string_buffer(struct.pack(layout, *fields), 128)
    result = libc.syscall(SYS_BPF, command, attr, len(attr))
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"bpf({what}): {os.strerror(errno)}")
    return result, attr.raw


def _buffer(data):
    return ctypes.create_string_buffer(bytes(data), max(len(data), 1))


def _at(buffer):
    return ctypes.addressof(buffer) if buffer else 0


def obj_get(path):
    name = _buffer(path.encode() + b"\0")
    return _bpf(OBJ_GET, f"OBJ_GET {path}", "QII", _at(name), 0, 0)[0]


def possible_cpus():
    with open("/sys/devices/system/cpu/possible") as possible:
        return int(possible.read().strip().replace(",", "-").split("-")[-1]) + 1


class Map:
    """A map; keys and values are bytes. Per-CPU values come as one per CPU."""

    def __init__(self, name, fd):
        self.name = name
        self.fd = fd
        info = ctypes.create_string_buffer(64)
        _bpf(OBJ_INFO, self.name, "IIQ", self.fd, len(info), _at(info))
        self.type, _, self.key_size, self.value_size = struct.unpack_from("IIII", info)
        self.cpus = possible_cpus() if self.type in (PERCPU_HASH, PERCPU_ARRAY) else 0

    @classmethod
    def pinned(cls, path):
        return cls(os.path.basename(path), obj_get(path))

    @classmethod
    def created(cls, name, kind, key_size, value_size, entries):
        # Linux before 5.11 counts maps as locked memory, of which there is little
        with suppress(ValueError):  # not allowed, and not needed where it is newer
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
        return cls(name, _bpf(CREATE, f"creation of {name}", "IIIII", kind, key_size, value_size,
                              entries, NO_PREALLOC)[0])

    def _call(self, command, what, key, value=None):
        return _bpf(command, f"{what} in {self.name}", "IIQQQ", self.fd, 0, _at(key), _at(value), 0)

    def get(self, key):
        """Return: the value, None where there is none."""
        each = (self.value_size + 7) & ~7 if self.cpus else self.value_size
        value = ctypes.create_string_buffer(each * (self.cpus or 1))
        try:
            self._call(LOOKUP, "look-up", _buffer(key), value)
        except FileNotFoundError:
            return None
        parts = [value.raw[at:at + self.value_size] for at in range(0, len(value), each)]
        return parts if self.cpus else parts[0]

    def set(self, key, value):
        """Of a per-CPU map, every CPU gets the value."""
        assert (len(key), len(value)) == (self.key_size, self.value_size), self.name
        value = value.ljust((self.value_size + 7) & ~7, b"\0") * self.cpus if self.cpus else value
        self._call(UPDATE, "update", _buffer(key), _buffer(value))

    def delete(self, key):
        self._call(DELETE, "delete", _buffer(key))

    def erase(self, key):
        """Delete it; an array's entry, which stays, becomes zero."""
        if self.type in (ARRAY, PERCPU_ARRAY):
            self.set(key, bytes(self.value_size))
        else:
            self.delete(key)

    def first_key(self):
        key = ctypes.create_string_buffer(self.key_size)
        try:
            self._call(NEXT_KEY, "next key", None, key)
        except FileNotFoundError:
            return None
        return key.raw

    def keys(self):
        """All keys of a hash; nobody else writes to it meanwhile."""
        found, key = [], ctypes.create_string_buffer(self.key_size)
        try:
            while True:
                self._call(NEXT_KEY, "next key", _buffer(found[-1]) if found else None, key)
                found.append(key.raw)
        except FileNotFoundError:
            return found

    def clear(self):
        while (key := self.first_key()) is not None:
            self.delete(key)


class Ring:
    """A ring buffer, whose records are bytes (kernel/bpf/ringbuf.c)."""
    BUSY, HEADER = 1 << 31, 8

    def __init__(self, size):
        self.size = size
        self.fd = _bpf(CREATE, "creation of a ring buffer", "IIIII", RINGBUF, 0, 0, size, 0)[0]
        page = mmap.PAGESIZE
        self._consumer = mmap.mmap(self.fd, page)
        # the producer's position, then the data twice, so that a record is never cut
        self._rest = mmap.mmap(self.fd, page + 2 * size, prot=mmap.PROT_READ, offset=page)

    def read(self):
        """Return: the records since the last call."""
        found = []
        at, = struct.unpack_from("L", self._consumer)
        end, = struct.unpack_from("L", self._rest)
        while at < end:
            start = mmap.PAGESIZE + at % self.size
            length, = struct.unpack_from("I", self._rest, start)
            assert not length & self.BUSY, "no program runs any more"
            found.append(self._rest[start + self.HEADER:start + self.HEADER + length])
            at += (length + self.HEADER + 7) & ~7
        struct.pack_into("L", self._consumer, 0, at)
        return found

    def close(self):
        self._consumer.close()
        self._rest.close()
        os.close(self.fd)


class Program:
    """A pinned SCHED_CLS program."""

    def __init__(self, path):
        self.name = os.path.basename(path)
        self.fd = obj_get(path)

    def run(self, frame, ifindex, flags=0, linear=0):
        """Run it over one frame that came in through, or leaves by, a device.

        linear: how many bytes of the frame the linear area holds, 0 for the kernel's choice
        Return: what the program returned, and the frame after it
        """
        context = ctypes.create_string_buffer(SK_BUFF_SIZE)
        struct.pack_into("I", context, SK_BUFF_IFINDEX, ifindex)
        struct.pack_into("I", context, SK_BUFF_DATA_END, min(linear, len(frame)))
        data = _buffer(frame)
        after = ctypes.create_string_buffer(len(frame) + 256)
        attr = _bpf(TEST_RUN, f"TEST_RUN {self.name}", "IIIIQQIIIIQQIII", self.fd, 0, len(frame),
                    len(after), _at(data), _at(after), 1, 0, len(context), 0, _at(context), 0,
                    flags, 0, 0)[1]
        returned, _, size = struct.unpack_from("iII", attr, 4)
        return returned, after.raw[:size]
