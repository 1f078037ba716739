#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""refresh.py SECONDS COMMAND…: CPU time of one refresh, milliseconds, of a program that refreshes a terminal once a second.

It gets a terminal of 50 lines. The first refreshes, where it learns what is there, are not counted."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

FIRST = 2.5


def cpu_ms(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e6


def main():
    seconds = float(sys.argv[1])
    pid, fd = pty.fork()
    if not pid:
        os.environ["TERM"] = "xterm"
        os.execvp(sys.argv[2], sys.argv[2:])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    begin, mark = time.monotonic(), None
    while time.monotonic() - begin < FIRST + seconds:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                os.read(fd, 65536)
            except OSError:
                break
        if mark is None and time.monotonic() - begin >= FIRST:
            mark = cpu_ms(pid)
    end = cpu_ms(pid)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    print(f"{(end - mark) / seconds:.1f}")


main()
