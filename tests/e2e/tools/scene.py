#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Longer scenarios of a client and a service, one function each, in scenes/.

    scene.py NAME [ARGUMENT]...

The test has attached hbpf before; the arguments are described in each function.
Exit 0 if all went as expected; otherwise one line shows what did not.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from scenes import collision, connection, flood, race, udp  # noqa: E402, F401 (each adds its scenes)
from scenes.common import SCENES  # noqa: E402

if __name__ == "__main__":
    SCENES[sys.argv[1]](*sys.argv[2:])
