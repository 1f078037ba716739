#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a dashboard costs on a terminal: CPU time and bytes per refresh, of several side by side in one run.

usage: top.py SECONDS NAME=COMMAND...    each command is run on a pty of 120 x 40, with its children counted"""
import fcntl, os, pty, select, signal, struct, sys, termios, time

TICK = os.sysconf("SC_CLK_TCK")


def family(pid):
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        try:
            with open(f"/proc/{p}/task/{p}/children") as f:
                todo += [int(x) for x in f.read().split()]
            found.append(p)
        except OSError:
            pass
    return found


def cpu(pid):
    """Seconds on CPUs by the scheduler's clock, and of children that were waited for by ticks."""
    total = 0.0
    for p in family(pid):
        try:
            with open(f"/proc/{p}/schedstat") as f:
                total += int(f.read().split()[0]) * 1e-9
            with open(f"/proc/{p}/stat") as f:
                words = f.read().rsplit(")", 1)[1].split()
            total += (int(words[13]) + int(words[14])) / TICK
        except OSError:
            pass
    return total


def rss(pid):
    kib = 0
    for p in family(pid):
        try:
            with open(f"/proc/{p}/status") as f:
                kib += next((int(x.split()[1]) for x in f if x.startswith("VmRSS")), 0)
        except OSError:
            pass
    return kib


def drain(fd, seconds):
    end, n = time.monotonic() + seconds, 0
    while (left := end - time.monotonic()) > 0:
        if select.select([fd], [], [], left)[0]:
            try:
                n += len(os.read(fd, 1 << 16))
            except OSError:
                break
    return n


def key_latency(fd, keys, times):
    """Milliseconds from a key to the first byte that answers it; between refreshes as well as in them."""
    waits = []
    for i in range(times):
        drain(fd, 0.037 + 0.013 * (i % 11))
        begin = time.monotonic()
        os.write(fd, keys[i % len(keys)])
        if select.select([fd], [], [], 2)[0]:
            waits.append((time.monotonic() - begin) * 1000)
    waits.sort()
    return waits


def measure(command, seconds, keys):
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", HOME="/nonexistent")
        os.execvp("sh", ["sh", "-c", "exec " + command])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    drain(fd, 1)
    try:
        os.kill(pid, signal.SIGWINCH)
    except OSError:
        pass
    drain(fd, WARM)
    before = cpu(pid)
    n = drain(fd, seconds)
    spent, memory = cpu(pid) - before, rss(pid)
    waits = key_latency(fd, keys, 60) if keys else []
    for p in family(pid):
        try:
            os.kill(p, signal.SIGTERM)
        except OSError:
            pass
    drain(fd, 0.5)
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
    os.close(fd)
    os.waitpid(pid, 0)
    return spent / seconds, n / seconds, memory, waits


WARM = float(os.environ.get("WARM", "12"))
seconds = float(sys.argv[1])
rows = {}
for word in sys.argv[2:]:
    name, command = word.split("=", 1)
    rows[name] = measure(command, seconds, [b"\x1bOB", b"\x1bOA"] if "processes" in command else None)
    share, rate, memory, waits = rows[name]
    print(f"{name:10} {100 * share:6.2f} % of one CPU  {rate:8.0f} bytes/s  {memory / 1024:6.1f} MiB", end="")
    if waits:
        print(f"  key to answer: p50 {waits[len(waits) // 2]:.1f} ms, p99 {waits[int(len(waits) * 0.99)]:.1f} ms of {len(waits)}", end="")
    print(flush=True)
ours = next((n for n in rows if n.startswith("sixty")), None)
for name, row in rows.items():
    if ours and not name.startswith("sixty") and row[0] > 0:
        print(f"{ours} / {name}: CPU {rows[ours][0] / row[0]:.2f}, bytes {rows[ours][1] / row[1] if row[1] else 0:.2f}")
