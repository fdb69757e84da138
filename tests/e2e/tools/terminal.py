#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a command on a terminal of its own, and print what it writes there.

    terminal.py ROWSxCOLS[,ROWSxCOLS]... COMMAND...

After each whole screen, which ends with "erase the rest" (ESC [ J), the terminal gets the next size, and
after the last one Ctrl-C. It gets Ctrl-C as well after half a minute of silence. Exit status as the
command's.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios

SCREEN_END = b"\x1b[J"


def resize(terminal, size):
    rows, cols = map(int, size.split("x"))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def main():
    sizes = sys.argv[1].split(",")
    child, terminal = pty.fork()
    if not child:
        resize(0, sizes[0])
        os.execvp(sys.argv[2], sys.argv[2:])
    del sizes[0]
    while True:
        silent = not select.select([terminal], [], [], 30)[0]
        try:
            got = b"" if silent else os.read(terminal, 65536)
        except OSError:  # the command has ended
            break
        os.write(1, got)
        if got.endswith(SCREEN_END) and sizes:
            resize(terminal, sizes.pop(0))
        elif got.endswith(SCREEN_END) or silent:
            os.write(terminal, b"\x03")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


sys.exit(main())
