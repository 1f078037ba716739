# SPDX-License-Identifier: Apache-2.0
"""What the counters of /proc were at which time, and what somebody can have seen of them who read at a time that is known only roughly.

Two tools that watch "the same ten seconds" begin and end some milliseconds apart, and nobody knows exactly when. A tolerance for that must not
be guessed: the recorder reads the same files densely around both ends, so for a reader that began between s0 and s1 and ended between e0 and e1

    V(e0) - V(s1)  <=  its difference  <=  V(e1) - V(s0)

holds for every counter, and rates, shares and quotients of such intervals follow by interval arithmetic."""
import bisect
import threading
import time

import proc

DENSE, SPARSE = 0.015, 0.25


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Range:
    """All values between lo and hi. `undefined` of a quotient: there may have been nothing to divide by."""

    def __init__(self, lo, hi=None, undefined=False):
        self.lo, self.hi, self.undefined = lo, lo if hi is None else hi, undefined

    @staticmethod
    def of(x):
        return x if isinstance(x, Range) else Range(x)

    def __add__(self, other):
        other = Range.of(other)
        return Range(self.lo + other.lo, self.hi + other.hi)

    __radd__ = __add__

    def __sub__(self, other):
        other = Range.of(other)
        return Range(self.lo - other.hi, self.hi - other.lo)

    def __mul__(self, factor):
        return Range(self.lo * factor, self.hi * factor)

    __rmul__ = __mul__

    def __truediv__(self, other):
        """Of values that are not negative; 0 / 0 is 0, as the tools print it."""
        other = Range.of(other)
        if other.hi <= 0:
            return Range(0, 0 if self.hi <= 0 else float("inf"), undefined=True)
        return Range(self.lo / other.hi, self.hi / other.lo if other.lo > 0 else (float("inf") if self.hi > 0 else 0), undefined=other.lo <= 0)

    def clip(self, lo, hi):
        return Range(min(max(self.lo, lo), hi), min(max(self.hi, lo), hi))

    def __or__(self, other):
        return Range(min(self.lo, other.lo), max(self.hi, other.hi))

    def width(self):
        return self.hi - self.lo

    def __repr__(self):
        return f"{self.lo:.6g}..{self.hi:.6g}"


class Recorder(threading.Thread):
    """Reads some files of /proc until it is stopped: densely while `dense` is set."""

    def __init__(self, readers, pids=()):
        super().__init__(daemon=True)
        self.readers, self.pids = readers, pids
        self.dense, self.stopped = threading.Event(), threading.Event()
        self.raw = []                   # (time before, time after, {path: text})
        paths = {"proc/stat", "proc/vmstat", "proc/diskstats", "proc/net/dev", "proc/net/snmp", "proc/net/netstat", "proc/meminfo"}
        self.paths = sorted(paths | {f"proc/{pid}/{name}" for pid in pids for name in ("stat", "io", "status")})

    def run(self):
        tree = proc.Tree("/")
        while not self.stopped.is_set():
            begin = now()
            texts = {path: tree.text(path) for path in self.paths}
            self.raw.append((begin, now(), texts))
            self.stopped.wait(DENSE if self.dense.is_set() else SPARSE)

    def finish(self):
        self.stopped.set()
        self.join()
        return Timeline(self.raw, self.readers, self.pids)


class Captured(proc.Tree):
    """A tree of texts that were read before."""

    def __init__(self, texts):
        super().__init__("/nowhere")
        self.texts = texts

    def text(self, path):
        return self.texts.get(path)


def process(tree, pid):
    text = tree.text(f"proc/{pid}/stat")
    if not text:
        return
    w = text.rsplit(") ", 1)[1].split()
    for metric, at, unit in (("minflt", 7, proc.ONE), ("majflt", 9, proc.ONE), ("utime", 11, tree.tick), ("stime", 12, tree.tick)):
        yield f"pid.{metric}", str(pid), int(w[at]), unit
    for path, keys in (("io", ("read_bytes", "write_bytes", "cancelled_write_bytes")), ("status", ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"))):
        for line in tree.lines(f"proc/{pid}/{path}"):
            key, _, value = line.partition(":")
            if key in keys:
                yield f"pid.{key}", str(pid), int(value.split()[0]), proc.ONE


class Timeline:
    def __init__(self, raw, readers, pids):
        self.begins, self.ends, self.values = [], [], []
        for begin, end, texts in raw:
            tree, found = Captured(texts), {}
            for reader in readers:
                for metric, instance, number, unit in reader(tree):
                    found[metric, instance] = float(number * unit)
            for pid in pids:
                for metric, instance, number, unit in process(tree, pid):
                    found[metric, instance] = float(number * unit)
            self.begins.append(begin)
            self.ends.append(end)
            self.values.append(found)

    def at_most(self, key, t):
        """A value that the counter had reached for certain at time t: the last one read before."""
        i = bisect.bisect_right(self.ends, t) - 1
        return self.values[max(i, 0)].get(key, 0.0)

    def at_least(self, key, t):
        """A value that it had not passed at time t: the first one read after."""
        i = bisect.bisect_left(self.begins, t)
        return self.values[min(i, len(self.values) - 1)].get(key, 0.0)

    def levels(self, key, t0, t1):
        """Between which values a level was seen from t0 to t1, the readings around included."""
        i, j = bisect.bisect_right(self.ends, t0) - 1, bisect.bisect_left(self.begins, t1)
        seen = [v[key] for v in self.values[max(i, 0):j + 1] if key in v]
        return Range(min(seen), max(seen)) if seen else None

    def step(self, key, t0, t1):
        """How far a level moves from one dense reading to the next, at most, around t0 to t1: so far it may have strayed between two that were seen."""
        i, j = bisect.bisect_right(self.ends, t0) - 1, bisect.bisect_left(self.begins, t1)
        seen = [v[key] for v in self.values[max(i - 10, 0):j + 11] if key in v]
        return max((abs(a - b) for a, b in zip(seen, seen[1:])), default=0.0)

    def has(self, key):
        return key in self.values[0] and key in self.values[-1]


class Window:
    """Somebody read first between s0 and s1, and last between e0 and e1."""

    def __init__(self, timeline, s0, s1, e0, e1):
        self.timeline, self.start, self.end = timeline, Range(s0, max(s0, s1)), Range(min(e0, e1), e1)

    def seconds(self):
        return Range(self.end.lo - self.start.hi, self.end.hi - self.start.lo)

    def delta(self, metric, instance=""):
        key = (metric, instance)
        t = self.timeline
        lo = t.at_most(key, self.end.lo) - t.at_least(key, self.start.hi)
        hi = t.at_least(key, self.end.hi) - t.at_most(key, self.start.lo)
        return Range(max(lo, 0.0), max(hi, 0.0))

    def rate(self, metric, instance=""):
        return self.delta(metric, instance) / self.seconds()

    def around(self, other):
        """Whatever either of the two may have seen."""
        return Window(self.timeline, min(self.start.lo, other.start.lo), max(self.start.hi, other.start.hi), min(self.end.lo, other.end.lo),
                      max(self.end.hi, other.end.hi))
