#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""usage: tab.py bash|zsh SCRIPT LINE EXPECTED

Types LINE and Tab into an interactive shell in which the completion SCRIPT is loaded ("none":
without one), and waits for the text EXPECTED after it. Exit status 1 if it does not come.
"""
import sys

import pexpect

START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
LOAD = {
    "bash": "source {}",
    # what an installed _hbpf does through $fpath
    "zsh": "autoload -Uz compinit; compinit -D -u; _hbpf() {{ source {} }}; compdef _hbpf hbpf",
}


def main(shell, script, line, expected):
    tty = pexpect.spawn(*[START[shell][0], START[shell][1:]], timeout=20, encoding="utf-8",
                        dimensions=(24, 200))
    if script != "none":
        tty.sendline(LOAD[shell].format(script))
    # a prompt that the echo of this command does not contain
    tty.sendline("PS1='re''ady>'")
    tty.expect_exact("ready>")
    tty.send(line + "\t\t")
    try:
        tty.expect_exact(expected, timeout=20 if script != "none" else 2)
    except pexpect.TIMEOUT:
        print(repr(tty.before), file=sys.stderr)
        return 1
    finally:
        tty.close(force=True)
    return 0


sys.exit(main(*sys.argv[1:]))
