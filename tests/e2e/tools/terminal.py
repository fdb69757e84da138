#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run a command on a terminal of its own, and print what it writes there.

    terminal.py ROWSxCOLS[,ROWSxCOLS]... COMMAND...

Each time the command has written something and then been silent for a moment, the terminal gets the
next size, and after the last one Ctrl-C. Exit status as the command's.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios


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
    heard = False
    while True:
        # a screen is one write, and so far shorter than this
        if not select.select([terminal], [], [], 0.2 if heard else 30)[0]:
            if sizes:
                resize(terminal, sizes.pop(0))
            else:
                os.write(terminal, b"\x03")
            heard = False
            continue
        try:
            got = os.read(terminal, 65536)
        except OSError:  # the command has ended
            break
        heard = True
        os.write(1, got)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


sys.exit(main())
