#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What sixty says of processes that were made for it, against how they were made. Prints what is wrong.

rest.py LIST OUTPUT files|iterator     of `table show`
rest.py LIST OUTPUT guest              the same in an emulated machine, which is slow, and has its programs in memory
rest.py LIST DIR capture|refused       of a capture
rest.py TABLE REST namespace           in a PID namespace of its own: the numbers there
rest.py TABLE churn SECONDS            of a process whose threads come and go: CPU time between two readings of /proc"""
import glob
import math
import os
import subprocess
import sys
import threading
import time

MIB = 1 << 20


def known(path):
    """{name: pid} of what the workload has said, and the pid of the workload."""
    with open(path, encoding="ascii") as f:
        made = {words[0]: int(words[1]) for words in map(str.split, f) if len(words) == 2}
    return made, made.pop("rest")


def stat(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        text = f.read()
    return text[text.rindex(")") + 2:].split()


def shown(text):
    """{pid: {metric: value}} of `table show`; found: 2 by the iterator, 1 in /proc, 0 not at all."""
    rows = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0].isdigit():
            rows.setdefault(int(words[0]), {})[words[1]] = float(words[2])
    return rows


SCALES = {"proc.user": (0.01, 1e-9), "proc.system": (0.01, 1e-9), "proc.child_user": (0.01, 1e-9), "proc.child_system": (0.01, 1e-9),
          "proc.rss": (4096, 4096), "proc.rss_anon": (1024, 4096), "proc.rss_file": (1024, 4096), "proc.rss_shmem": (1024, 4096)}


def captured(directory):
    """The same of the last step of a capture, with the names."""
    step = sorted(glob.glob(f"{directory}/[0-9]*"))[-1]
    rows = {}
    with open(f"{step}/tables/process.tsv", encoding="utf-8", errors="surrogateescape") as f:
        lines = [line for line in f.read().split("\n") if line and not line.startswith("#")]
    header = lines[0].split("\t")
    for line in lines[1:]:
        cells = dict(zip(header, line.split("\t")))
        row = rows[int(cells["key"])] = {"name": cells["name"], "found": 2.0 if "@2" in cells["proc.state"] else 1.0}
        for metric, cell in cells.items():
            value, _, source = cell.partition("@")
            if metric.startswith("proc.") and value.isdigit():
                row[metric] = int(value) * SCALES.get(metric, (1, 1))[source == "2"]
            elif metric.startswith("proc."):
                row[metric] = math.nan
    return rows


class Judge:
    def __init__(self, rows, made):
        self.rows, self.made, self.wrong = rows, made, []

    def value(self, name, metric):
        return self.rows.get(self.made[name], {}).get(metric, math.nan)

    def want(self, name, metric, least, most=None):
        most = least if most is None else most
        value = self.value(name, metric)
        if not least <= value <= most:
            self.wrong.append(f"{name} {metric} {value} is not in {least}..{most}")


def judge(rows, made, parent, iterator, slow=0, programs=0):
    j = Judge(rows, made)
    for name in made:
        j.want(name, "found", 2 if iterator else 1)
        if name != "orphan":
            j.want(name, "proc.ppid", parent)
    states = {"stopped": "T", "zombie": "Z", "headless": "Z"}
    for name in made:
        j.want(name, "proc.state", ord(states.get(name, "S")))
        cpu = j.value(name, "proc.user") + j.value(name, "proc.system")
        burnt = {"threads": 0.22, "orphan": 0}.get(name, 0.02)
        if not burnt - 0.02 * (not iterator) <= cpu <= burnt + 0.2 + slow:
            j.wrong.append(f"{name} used {cpu} s of CPU time, not {burnt} and a little")
    if j.value("orphan", "proc.ppid") == parent:
        j.wrong.append("the orphan was not adopted")
    j.want("touched", "proc.rss", 64 * MIB, 68 * MIB)
    j.want("shared", "proc.rss", 16 * MIB, 20 * MIB)
    j.want("threads", "proc.threads", 41)
    j.want("headless", "proc.threads", 2)
    j.want("zombie", "proc.virtual", 0)
    j.want("zombie", "proc.rss", 0)
    j.want("nice", "proc.nice", 7)
    j.want("nice", "proc.policy", 3)
    j.want("files", "proc.fds", 103, 120)
    child = j.value("children", "proc.child_user") + j.value("children", "proc.child_system")
    if not 0.05 - 0.02 * (not iterator) <= child <= 0.2 + slow:
        j.wrong.append(f"the child used {child} s of CPU time, not 0.05 and a little")
    if iterator:
        j.want("touched", "proc.rss_anon", 64 * MIB, 66 * MIB)
        j.want("shared", "proc.rss_shmem", 16 * MIB, 16 * MIB + programs)
        for name in made:
            parts = sum(j.value(name, f"proc.rss_{kind}") for kind in ("anon", "file", "shmem"))
            j.want(name, "proc.rss", parts)
    if "name" in rows[made["odd"]] and rows[made["odd"]]["name"] != "=) 1 (\\n R) x":
        j.wrong.append(f"the odd name is {rows[made['odd']]['name']!r}")
    return j.wrong


def in_namespace(table, rest):
    """Run as the first process of a namespace: what this sees has small numbers, and everybody's parent is right."""
    wrong = []
    with subprocess.Popen([rest], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        lines = []
        for line in p.stdout:
            if line == "ready\n":
                break
            lines.append(line)
        made = {w[0]: int(w[1]) for w in map(str.split, lines)}
        parent = made.pop("rest")
        out = subprocess.run([table, "show", "iterator"] + [str(pid) for pid in made.values()], check=False, stdout=subprocess.PIPE, text=True)
        if max(made.values()) > 1000:
            wrong.append(f"this is no namespace: {made}")
        wrong += judge(shown(out.stdout), made, parent, True)
        out = subprocess.run([table, "compare"], check=False, stdout=subprocess.PIPE, text=True)
        if out.returncode:
            wrong.append(out.stdout)
        listed = [d for d in os.listdir("/proc") if d.isdigit()]
        out = subprocess.run([table, "show", "iterator"] + [str(n) for n in range(1, 300)], check=False, stdout=subprocess.PIPE, text=True)
        strangers = [pid for pid, row in shown(out.stdout).items() if row["found"] == 2 and str(pid) not in listed and pid < max(made.values())]
        if strangers:
            wrong.append(f"of another namespace: {strangers}")
        p.stdin.close()
    return wrong


def spin_threads(end):
    """Threads that live for some milliseconds each, until end."""
    def one():
        sum(range(20000))
    while time.monotonic() < end:
        ts = [threading.Thread(target=one) for _ in range(20)]
        for t in ts:
            t.start()
        for t in ts:
            t.join()


def churn(table, seconds):
    pid = os.fork()
    if not pid:
        spin_threads(time.monotonic() + seconds)
        os._exit(0)
    wrong, last, looks = [], 0, 0
    end = time.monotonic() + seconds - 0.5

    def by_hand():
        s = stat(pid)
        return (int(s[11]) + int(s[12])) / os.sysconf("SC_CLK_TCK")
    time.sleep(0.1)
    while time.monotonic() < end:
        before = by_hand()
        out = subprocess.run([table, "show", "iterator", str(pid)], check=False, stdout=subprocess.PIPE, text=True)
        after = by_hand()
        row = shown(out.stdout).get(pid, {})
        cpu = row.get("proc.user", math.nan) + row.get("proc.system", math.nan)
        looks += 1
        # what /proc shows is two numbers, each cut to ticks
        if not max(before, last) - 1e-6 <= cpu <= after + 0.02:
            wrong.append(f"{cpu} s is not between {before} and {after}, after {last}")
        last = cpu if row.get("found") == 2 else last
    os.waitpid(pid, 0)
    if looks < 5 or not last:
        wrong.append(f"{looks} looks, {last} s")
    return wrong


def main():
    mode = sys.argv[3] if sys.argv[2] != "churn" else "churn"
    if mode == "churn":
        wrong = churn(sys.argv[1], float(sys.argv[3]))
    elif mode == "namespace":
        wrong = in_namespace(sys.argv[1], sys.argv[2])
    else:
        made, parent = known(sys.argv[1])
        if mode in ("capture", "refused"):
            rows = captured(sys.argv[2])
        else:
            with open(sys.argv[2], encoding="ascii") as f:
                rows = shown(f.read())
        guest = mode == "guest"
        wrong = judge(rows, made, parent, mode in ("iterator", "capture", "guest"), slow=5 * guest, programs=2 * MIB * guest)
    print("\n".join(wrong[:20]))
    sys.exit(bool(wrong))


main()
