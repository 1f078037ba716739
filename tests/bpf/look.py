# SPDX-License-Identifier: Apache-2.0
"""Looks of sixty and loads that know what they did, for prove.py."""
import os
import shutil
import subprocess
import tempfile
import threading

INVOLUNTARY = ("runnable", "throttled", "disk", "writeback", "reclaim", "fault", "klock", "stopped", "fs", "uninterruptible")
PARTS = ("running", "stolen", *INVOLUNTARY, "lock", "futex", "flock", "socket", "pipe", "poll", "timer", "child", "sleep", "reply", "residual")
TOO_OLD, QUOTA, ELSEWHERE, IDLE = -2, -3, -4, 0


def number(text):
    value = None if text == "-" else int(text)
    return value - (1 << 64) if value and value >> 63 else value


def table(path):
    """(time it was read, {(key, birth): row})"""
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        read_at = int(f.readline().split()[-1])
        columns = f.readline().rstrip("\n").split("\t")
        rows = {}
        for line in f:
            cells = line.rstrip("\n").split("\t")
            row = {c: v if c == "name" else number(v) for c, v in zip(columns, cells)}
            row["name"] = row["name"][1:]
            rows[row["key"], row["birth"]] = row
    return read_at, rows


class Account(dict):
    """What a process did in the window, nanoseconds: its parts, total, scheduler, slices, short_lived."""

    def take(self, first, last):
        for column, value in last.items():
            short = column.partition(".")[2]
            if short in PARTS or short in ("total", "scheduler", "slices", "short_lived"):
                self[short] = self.get(short, 0) + value - ((first.get(column) or 0) if first else 0)
        self["open"] = last["time.open"]    # a level

    def sum(self, *parts):
        return sum(self[p] for p in parts)

    def share(self, *parts):
        return self.sum(*parts) / self["total"]


class Look:
    """A window: begins now, ends after so many seconds. Use finish() before anything else."""

    def __init__(self, sixty, seconds, *, prefix=(), steps=2):
        self.dir = tempfile.mkdtemp(prefix="look")
        self.process = subprocess.Popen([*prefix, sixty, "capture", "--budget", "0", "-d", str(seconds), "-n", str(steps), f"{self.dir}/c"],   # pylint: disable=consider-using-with
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.begin = self.end = self.rows = self.pairs = None

    def finish(self):
        said = self.process.communicate(timeout=120)[0].decode(errors="replace")
        try:
            if self.process.returncode:
                raise RuntimeError(f"sixty capture: exit status {self.process.returncode}: {said}")
            steps = sorted(d for d in os.listdir(f"{self.dir}/c") if d.isdigit())
            ends = [f"{self.dir}/c/{steps[i]}/ends" for i in (0, -1)]
            (self.begin, first), (self.end, last) = (table(f"{e}/time.tsv") for e in ends)
            self.rows = {k: (first.get(k), row) for k, row in last.items()}
            first, last = (table(f"{e}/pair.tsv")[1] if os.path.exists(f"{e}/pair.tsv") else {} for e in ends)
            self.pairs = {}
            for k, row in last.items():
                who = row["pair.victim"], row["pair.offender"]
                self.pairs[who] = row["pair.wait"] - (first[k]["pair.wait"] if k in first else 0)
        finally:
            shutil.rmtree(self.dir)
        return self

    @property
    def seconds(self):
        return (self.end - self.begin) / 1e9

    def accounts(self, pid, short_lived=False):
        """Every account with this pid that did anything, by birth."""
        found = []
        for first, last in self.rows.values():
            if last["time.pid"] == pid and last["time.tid"] is None and bool(last["time.short_lived"]) == short_lived:
                found.append(Account(name=last["name"], birth=last["birth"], pid=pid))
                found[-1].take(first, last)
        return sorted(found, key=lambda a: a["birth"])

    def account(self, pid, short_lived=False):
        found = self.accounts(pid, short_lived)
        if len(found) != 1:
            raise RuntimeError(f"{len(found)} accounts of process {pid}")
        return found[0]

    def everybody(self):
        """The sum of all accounts."""
        total = Account()
        for first, last in self.rows.values():
            total.take(first, last)
        return total

    def takers(self, pid):
        """{offender: nanoseconds} of a victim"""
        return {offender: ns for (victim, offender), ns in self.pairs.items() if victim == pid}


class Load:
    """One of tests/workloads: has said that it is ready, ends when it is told to (or with us)."""

    def __init__(self, *args, cpus=None, nice=0, group=None):
        def prepare():
            if group:
                with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
                    f.write("0")
            if cpus is not None:
                os.sched_setaffinity(0, cpus)
            os.nice(nice)
        self.process = subprocess.Popen([str(a) for a in args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=prepare)  # pylint: disable=all
        words = self.process.stdout.readline().split()
        if not words or words[0] != b"ready":
            raise RuntimeError(f"{args[0]}: not ready: {words}")
        self.ids = [int(w) for w in words[1:]]
        self.pid = self.ids[0]
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(20)

    def said_last(self):
        return [int(w) for w in self.lines[-1].split()] if self.lines else [0] * 3

    def said(self):
        """Its lines as numbers, once it has ended."""
        return [[int(w) for w in line.split()] for line in self.lines]


def at(points, when):
    """Cumulative sums at a moment, between the two points around it. points: [(time, value, …)] in order of time."""
    lo, hi = 0, len(points) - 1
    if not points[0][0] <= when <= points[-1][0]:
        raise RuntimeError(f"the load was not there all the time: {points[0][0]} <= {when} <= {points[-1][0]}")
    while hi - lo > 1:
        mid = (lo + hi) // 2
        if points[mid][0] <= when:
            lo = mid
        else:
            hi = mid
    a, b = points[lo], points[hi]
    f = (when - a[0]) / (b[0] - a[0]) if b[0] > a[0] else 0
    return [x + f * (y - x) for x, y in zip(a, b)][1:]


def between(points, begin, end):
    return [y - x for x, y in zip(at(points, begin), at(points, end))]


def schedstat(tid, pid=None):
    """(CPU time, time on run queues, slices) by the scheduler, nanoseconds"""
    with open(f"/proc/{pid or tid}/task/{tid}/schedstat", encoding="ascii") as f:
        return [int(w) for w in f.read().split()]
