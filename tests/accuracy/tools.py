#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools.py SIXTY LOAD SECONDS [PID...]: the sheets of the checklist against the tools whose names they bear, over the same window.

Three numbers meet in each comparison: what sixty says, what the tool says, and what /proc says when it is read by hand around both. sixty must lie
within what can have been seen in its own window, and sixty and the tool within 2 % or one unit of each other, plus what the few milliseconds
between their windows can make, which is worked out from the recorded counters (see timeline.py)."""
import datetime
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections import defaultdict

import proc
from timeline import Range, Recorder, Window, now

SIXTY, LOAD, SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
PIDS = [int(p) for p in sys.argv[4:]]
GRACE = 0.005                   # an interval timer does not fire early, but clocks are cut to milliseconds


class Tool:
    """A program on a terminal of its own, so that its lines come at once, with the time of each."""

    def __init__(self, args):
        self.name = args[0]
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10000, 400, 0, 0))
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        env = dict(os.environ, LC_ALL="C", S_COLORS="never", S_TIME_FORMAT="ISO", TERM="dumb")
        self.began = now()
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL, env=env)
        os.close(slave)
        self.data, self.lines = b"", []

    def read(self):
        try:
            part = os.read(self.master, 65536)
        except OSError:
            part = b""
        self.data += part
        *whole, self.data = self.data.split(b"\n")
        self.lines += [(now(), line.decode("utf-8", "replace")) for line in whole]
        return bool(part)

    def rows(self, first, last):
        """Words of the lines between the last line that matches `first` and the next empty or "Average:" line, as dicts by title."""
        start = max((i for i, (_, line) in enumerate(self.lines) if re.match(first, line)), default=None)
        if start is None:
            return []
        titles, found = self.lines[start][1].split(), []
        for _, line in self.lines[start + 1:]:
            if not line.strip() or line.startswith(last):
                break
            found.append(dict(zip(titles, line.split())))
        return found

    def ended(self, pattern):
        """When the last line that matches came."""
        return max((t for t, line in self.lines if re.match(pattern, line)), default=now())


def sixty_windows(timeline, found, began, ended):
    """Its report says when the window began (cut to milliseconds). What is read each second was read just before that, the fast counters just
    after; SECONDS later all are read once more. The first window is where that must have been on a machine that does not let it wait, the second
    is certain: not before it was started, and not after its report came."""
    wall = datetime.datetime.fromisoformat(found["window"]["start"].replace("Z", "+00:00")).timestamp()
    start = wall - (time.time() - now())
    return (Window(timeline, start - 0.03, start + GRACE, start + SECONDS - GRACE, start + SECONDS + 0.03),
            Window(timeline, began, start + GRACE, start + SECONDS - GRACE, ended))


def tool_window(timeline, tool, ended):
    """It slept SECONDS between two readings, began after it was started and ended before its line came."""
    return Window(timeline, tool.began, ended - SECONDS + GRACE, tool.began + SECONDS - GRACE, ended)


class Comparison:
    def __init__(self):
        self.n, self.wrong = defaultdict(int), defaultdict(list)

    def add(self, sheet, what, ours, theirs, unit, by_hand, ours_window, their_window):
        """unit is what the tool rounds to; by_hand(window) is the range of what can have been seen in it."""
        if ours is None and (theirs == 0 or (theirs is not None and by_hand(ours_window[1]).undefined)):
            return                      # of nothing there is no mean: the tools print 0, sixty says nothing. It may be nothing in its window alone
        if ours is None or theirs is None:
            self.wrong[sheet].append(f"{what}: sixty {ours}, {sheet} {theirs}")
            return
        self.n[sheet] += 1
        own, both = by_hand(ours_window[1]), by_hand(ours_window[0].around(their_window))
        if not own.lo - abs(own.lo) * 1e-6 - 1e-9 <= ours <= own.hi + abs(own.hi) * 1e-6 + 1e-9:
            self.wrong[sheet].append(f"{what}: sixty {ours:.6g}, by hand {own}")
        elif abs(ours - theirs) > max(0.02 * max(abs(ours), abs(theirs)), unit) + both.width():
            self.wrong[sheet].append(f"{what}: sixty {ours:.6g}, {sheet} {theirs:.6g} (the windows explain {both.width():.3g})")

    def report(self):
        for sheet in sorted(set(self.n) | set(self.wrong)):
            name = f"{sheet}_agrees_{LOAD}"
            if self.wrong[sheet]:
                print(f"not ok {name}: {len(self.wrong[sheet])} of {self.n[sheet]}: {'; '.join(self.wrong[sheet][:4])}")
            else:
                print(f"ok {name}: {self.n[sheet]} numbers")


# ---- processors ----

def cpu_share(window, *states, instance="", total=("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"), minus=()):
    """Percent of the time that was counted; guest time is inside user and nice already."""
    prefix = "cpu" if instance else "sys.cpu"
    part = sum((window.delta(f"{prefix}.{s}", instance) for s in states), Range(0))
    for s in minus:
        part = (part - window.delta(f"{prefix}.{s}", instance)).clip(0, float("inf"))
    rest = sum((window.delta(f"{prefix}.{s}", instance) for s in total if s not in states), Range(0))
    return Range(100 * part.lo / (part.lo + rest.hi) if part.lo + rest.hi else 0, 100 * part.hi / (part.hi + rest.lo) if part.hi + rest.lo else 0)


def vmstat(c, timeline, tool, sheet, ours):
    theirs = tool.rows(r"\s*r\s+b\s", "Average")
    if not theirs:
        return
    theirs = {k: float(v) for k, v in theirs[-1].items()}
    row = [r for r in sheet["rows"] if r.get("second") == "mean"][0]
    window = tool_window(timeline, tool, tool.lines[-1][0])
    kib = 1 / 1024
    rates = {"si": lambda w: w.rate("mem.swap_in") * kib, "so": lambda w: w.rate("mem.swap_out") * kib, "bi": lambda w: w.rate("mem.paged_in") * kib,
             "bo": lambda w: w.rate("mem.paged_out") * kib, "in": lambda w: w.rate("sys.interrupts"), "cs": lambda w: w.rate("sys.context_switches"),
             "us": lambda w: cpu_share(w, "user", "nice"), "sy": lambda w: cpu_share(w, "system", "irq", "softirq"), "id": lambda w: cpu_share(w, "idle"),
             "wa": lambda w: cpu_share(w, "iowait"), "st": lambda w: cpu_share(w, "steal")}
    for key, by_hand in rates.items():
        c.add("vmstat", key, row[key], theirs[key], 1, by_hand, ours, window)


def mpstat(c, timeline, tool, sheet, ours):
    # One unit is one clock tick. For all CPUs it is one of each: mpstat adds up lines that the kernel has cut to ticks, the line "cpu" of
    # /proc/stat adds up nanoseconds and is cut once.
    tick = 100 / (SECONDS * os.sysconf("SC_CLK_TCK"))
    theirs = {r["CPU"]: r for r in tool.rows(r"[\d:]+\s+CPU\s", "Average") if "CPU" in r}
    window = tool_window(timeline, tool, tool.ended(r"[\d:]+\s+all\s"))
    states = {"usr": ("%usr", ("user",), ("guest",)), "nice": ("%nice", ("nice",), ("guest_nice",)), "sys": ("%sys", ("system",), ()),
              "iowait": ("%iowait", ("iowait",), ()), "irq": ("%irq", ("irq",), ()), "soft": ("%soft", ("softirq",), ()),
              "steal": ("%steal", ("steal",), ()), "guest": ("%guest", ("guest",), ()), "idle": ("%idle", ("idle",), ())}
    for row in sheet["rows"]:
        instance = "" if row["cpu"] == "all" else f"cpu{row['cpu']}"
        for key, (title, part, minus) in states.items():
            c.add("mpstat", f"{key} of {row['cpu']}", row[key], float(theirs[row["cpu"]][title]) if row["cpu"] in theirs else None, tick + 0.01,
                  lambda w, p=part, m=minus, i=instance: cpu_share(w, *p, instance=i, minus=m), ours, window)


EVENT = 1 / SECONDS + 0.01      # one event in the window, and what the tools cut off


def compare_row(c, sheet, what, row, theirs, columns, ours, window):
    """columns: {key of sixty: (title of the tool, unit, by_hand)}"""
    for key, (title, unit, by_hand) in columns.items():
        c.add(sheet, f"{key} of {what}", row.get(key), float(theirs[title]) if title in theirs else None, unit, by_hand, ours, window)


def iostat(c, timeline, tool, sheet, ours):
    theirs = {r["Device"]: r for r in tool.rows(r"Device\s", "Linux")}
    window, rows = tool_window(timeline, tool, tool.lines[-1][0]), {r["device"]: r for r in sheet["rows"]}
    for name in theirs:
        if name not in rows:
            c.wrong["iostat"].append(f"no row for {name}")
            continue
        columns = {"aqu_sz": ("aqu-sz", 0.01, lambda w, n=name: w.rate("disk.queue_time", n)),
                   "util": ("%util", 0.1, lambda w, n=name: 100 * w.rate("disk.io_time", n))}
        for kind, letter in (("read", "r"), ("write", "w"), ("discard", "d")):
            ios = f"disk.{kind}s"
            columns |= {
                f"{letter}_s": (f"{letter}/s", EVENT, lambda w, i=ios, n=name: w.rate(i, n)),
                f"{letter}kB_s": (f"{letter}kB/s", 0.1, lambda w, k=kind, n=name: w.rate(f"disk.{k}_bytes", n) * (1 / 1024)),
                f"{letter}rqm_s": (f"{letter}rqm/s", EVENT, lambda w, k=kind, n=name: w.rate(f"disk.{k}_merges", n)),
                f"{letter}_await": (f"{letter}_await", 1.0, lambda w, i=ios, k=kind, n=name: 1000 * w.delta(f"disk.{k}_time", n) / w.delta(i, n)),
                f"{letter}areq_sz": (f"{letter}areq-sz", 0.1, lambda w, i=ios, k=kind, n=name: w.delta(f"disk.{k}_bytes", n) * (1 / 1024) / w.delta(i, n)),
            }
        compare_row(c, "iostat", name, rows[name], theirs[name], columns, ours, window)


def sar_dev(c, timeline, tool, sheet, ours):
    theirs = {r["IFACE"]: r for r in tool.rows(r"[\d:]+\s+IFACE", "Average")}
    window = tool_window(timeline, tool, tool.ended(r"[\d:]+\s+lo\s"))
    for row in sheet["rows"]:
        name = row["iface"]
        if name not in theirs:
            continue                    # of another network namespace
        columns = {f"{d}pck_s": (f"{d}pck/s", EVENT, lambda w, d=d, n=name: w.rate(f"net.{d}_packets", n)) for d in ("rx", "tx")}
        columns |= {f"{d}kB_s": (f"{d}kB/s", 0.02, lambda w, d=d, n=name: w.rate(f"net.{d}_bytes", n) * (1 / 1024)) for d in ("rx", "tx")}
        columns["rxmcst_s"] = ("rxmcst/s", EVENT, lambda w, n=name: w.rate("net.rx_multicast", n))
        compare_row(c, "sar-dev", name, row, theirs[name], columns, ours, window)
    for name in theirs:
        if name not in {r["iface"] for r in sheet["rows"]}:
            c.wrong["sar-dev"].append(f"no row for {name}")


def sar_tcp(c, timeline, tool, sheet, ours):
    theirs = {k: v for first in (r"[\d:]+\s+active/s", r"[\d:]+\s+atmptf/s") for r in tool.rows(first, "Average") for k, v in r.items()}
    row = [r for r in sheet["rows"] if r.get("second") == "mean"][0]
    metrics = {"active": "tcp.active_opens", "passive": "tcp.passive_opens", "iseg": "tcp.in_segments", "oseg": "tcp.out_segments",
               "atmptf": "tcp.attempt_fails", "estres": "tcp.established_resets", "retrans": "tcp.retransmits", "isegerr": "tcp.in_errors",
               "orsts": "tcp.out_resets"}
    columns = {f"{key}_s": (f"{key}/s", EVENT, lambda w, m=metric: w.rate(m)) for key, metric in metrics.items()}
    compare_row(c, "sar-tcp", "all", row, theirs, columns, ours, tool_window(timeline, tool, tool.ended(r"[\d:]+\s+[\d.]+")))


def pidstat(c, timeline, tool, sheet, ours):
    theirs = {r["PID"]: r for r in pidstat_rows(tool)}
    window, rows = tool_window(timeline, tool, tool.lines[-1][0]), {str(r["pid"]): r for r in sheet["rows"]}
    tick = 100 / (SECONDS * os.sysconf("SC_CLK_TCK")) + 0.01
    for pid in map(str, PIDS):
        if pid not in theirs or not timeline.has(("pid.utime", pid)):
            continue                    # it did nothing, or it ended
        if pid not in rows:
            c.wrong["pidstat"].append(f"no row for {pid}, of which pidstat says {theirs[pid]}")
            continue
        columns = {"usr": ("%usr", tick, lambda w, p=pid: 100 * w.rate("pid.utime", p)), "system": ("%system", tick, lambda w, p=pid: 100 * w.rate("pid.stime", p)),
                   "minflt": ("minflt/s", EVENT, lambda w, p=pid: w.rate("pid.minflt", p)), "majflt": ("majflt/s", EVENT, lambda w, p=pid: w.rate("pid.majflt", p)),
                   "kb_rd": ("kB_rd/s", EVENT, lambda w, p=pid: w.rate("pid.read_bytes", p) * (1 / 1024)),
                   "kb_wr": ("kB_wr/s", EVENT, lambda w, p=pid: w.rate("pid.write_bytes", p) * (1 / 1024))}
        compare_row(c, "pidstat", pid, rows[pid], theirs[pid], columns, ours, window)


def pidstat_rows(tool):
    """The head line begins with a '#' that stands for no column."""
    titles, found = None, []
    for _, line in tool.lines:
        words = line.split()
        if words[:1] == ["#"]:
            titles = words[1:]
        elif titles and words and words[0] != "Average:":
            found.append(dict(zip(titles, words)))
    return found


def free(c, timeline, tool, sheet, ours):
    """Levels, not rates: the last one of the window, and what free saw at about that time, before or after."""
    theirs = {line.split()[0]: line.split()[1:] for _, line in tool.lines if ":" in line}
    titles = next((line.split() for _, line in tool.lines if "total" in line), [])
    ended = max(tool.lines[-1][0], ours[0].end.hi)
    both = Window(timeline, ours[0].end.lo, tool.began, ours[0].end.lo, ended)

    def level(*parts):
        def by_hand(w):
            seen = [timeline.levels((m, ""), w.end.lo, w.end.hi) * (sign / 2 ** 20) for m, sign in parts]
            # A level, unlike a counter, may have been elsewhere between two readings: as far as it goes in that time. And one unit, as everywhere.
            slack = 1 + sum(timeline.step((m, ""), w.end.lo, w.end.hi) / 2 ** 20 for m, _ in parts)
            return Range(sum(min(r.lo, r.hi) for r in seen) - slack, sum(max(r.lo, r.hi) for r in seen) + slack)
        return by_hand
    parts = {
        "Mem:": {"total": (("mem.total", 1),), "free": (("mem.free", 1),), "shared": (("mem.shmem", 1),), "available": (("mem.available", 1),),
                 "buff_cache": (("mem.buffers", 1), ("mem.cached", 1), ("mem.slab_reclaimable", 1)), "used": (("mem.total", 1), ("mem.available", -1))},
        "Swap:": {"total": (("swap.total", 1),), "free": (("swap.free", 1),), "used": (("swap.total", 1), ("swap.free", -1))},
    }
    for row in sheet["rows"]:
        values = dict(zip(titles, theirs.get(row["kind"], [])))
        for key, what in parts[row["kind"]].items():
            title = key.replace("_", "/")
            c.add("free", f"{key} of {row['kind']}", row[key], float(values[title]) if title in values else None, 1, level(*what),
                  (both, both), both)


CHECKS = {
    "vmstat": (["vmstat", "-n", str(SECONDS), "2"], vmstat),
    "mpstat": (["mpstat", "-P", "ALL", str(SECONDS), "1"], mpstat),
    "iostat": (["iostat", "-dxzy", str(SECONDS), "1"], iostat),
    "sar-dev": (["sar", "-n", "DEV", str(SECONDS), "1"], sar_dev),
    "sar-tcp": (["sar", "-n", "TCP,ETCP", str(SECONDS), "1"], sar_tcp),
    "pidstat": (["pidstat", "-urdh", str(SECONDS), "1"], pidstat),
    "free": (["sh", "-c", f"sleep {SECONDS}.1; exec free -m"], free),
}
READERS = (proc.stat, proc.vmstat, proc.diskstats, proc.netdev, proc.snmp, proc.meminfo)


def main():
    recorder = Recorder(READERS, PIDS)
    recorder.dense.set()
    recorder.start()
    while len(recorder.raw) < 3:
        pass
    tools = {}
    for name, (args, _) in CHECKS.items():
        if shutil.which(args[0]):
            tools[name] = Tool(args)
        else:
            print(f"skip {name}_agrees_{LOAD}: {args[0]} is not here")
    began = now()
    sixty = subprocess.Popen([SIXTY, "triage", "-d", str(SECONDS), "--json", "--verbose"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    ended, out = None, b""
    running = {t.master: t for t in tools.values()}
    while running or sixty.poll() is None or ended is None:
        elapsed = now() - began
        (recorder.dense.set if elapsed < 0.7 or elapsed > SECONDS - 0.3 else recorder.dense.clear)()
        for fd in select.select([*running] + [sixty.stdout] * (ended is None), [], [], 0.05)[0]:
            if fd == sixty.stdout:
                ended, out = now(), sixty.stdout.read()
            elif not running[fd].read():
                running.pop(fd).process.wait()
        if elapsed > 3 * SECONDS + 30:
            print(f"not ok tools_{LOAD}: not finished after {elapsed:.0f} s")
            return
    timeline = recorder.finish()
    found = json.loads(out)
    ours = sixty_windows(timeline, found, began, ended)
    sheets = {s["step"]: s for s in found["checklist"]}
    c = Comparison()
    for name, tool in tools.items():
        if name not in sheets:
            print(f"not ok {name}_agrees_{LOAD}: the report has no such sheet")
        else:
            CHECKS[name][1](c, timeline, tool, sheets[name], ours)
    c.report()


main()
