#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bracket.py SIXTY: numbers of a live window lie between what is read by hand just before and just after.

A counter only grows, so no tolerance is needed: what sixty read at the end of its window is at least what stood there before sixty began, and
at most what stands there after it ended. Where both are equal, sixty's number is proved to the last unit. What does not change at all (sizes,
limits) must be equal, and so must everything of a process that sleeps."""
import os
import subprocess
import sys
from collections import defaultdict

import proc
from sixty import Sixty

CONSTANT = {"mem.total", "swap.total", "mem.commit_limit", "sys.cpus", "sys.pid_max", "sys.threads_max", "sys.files_max", "sys.inotify_instances_max",
            "sys.inotify_watches_max", "tcp.memory_low", "tcp.memory_pressure", "tcp.memory_limit", "udp.memory_limit", "tcp.somaxconn",
            "tcp.local_port_first", "tcp.local_port_last", "conntrack.limit", "node.total", "zone.managed", "slab.object_size"}
# The kernel itself lets these go down: see proc(5) and the comment at get_iowait_time() in fs/proc/stat.c.
RESTLESS = {"sys.cpu.iowait", "cpu.iowait", "sys.cpu.idle", "cpu.idle"}


def process(pid):
    """What /proc/PID says, by proc(5)."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        w = f.read().rsplit(") ", 1)[1].split()
    io, status = {}, {}
    for found, path in ((io, "io"), (status, "status")):
        with open(f"/proc/{pid}/{path}", encoding="utf-8") as f:
            for line in f:
                key, _, value = line.partition(":")
                found[key] = value.split()[0] if value.split() else ""
    tick, page, kib = proc.Tree("/").tick, proc.Tree("/").page, proc.KIB
    return {
        "proc.user": int(w[11]) * tick, "proc.system": int(w[12]) * tick, "proc.child_user": int(w[13]) * tick, "proc.child_system": int(w[14]) * tick,
        "proc.minor_faults": int(w[7]), "proc.child_minor_faults": int(w[8]), "proc.major_faults": int(w[9]), "proc.ppid": int(w[1]),
        "proc.threads": int(w[17]), "proc.virtual": int(w[20]), "proc.rss": int(w[21]) * page, "proc.nice": int(w[16]),
        "proc.read_calls_bytes": int(io["rchar"]), "proc.write_calls_bytes": int(io["wchar"]), "proc.read_calls": int(io["syscr"]),
        "proc.write_calls": int(io["syscw"]), "proc.disk_read": int(io["read_bytes"]), "proc.disk_write": int(io["write_bytes"]),
        "proc.rss_anon": int(status["RssAnon"]) * kib, "proc.rss_file": int(status["RssFile"]) * kib,
        "proc.voluntary_switches": int(status["voluntary_ctxt_switches"]),
        "proc.involuntary_switches": int(status["nonvoluntary_ctxt_switches"]),
        "proc.fds": len(os.listdir(f"/proc/{pid}/fd")),
    }


# A worker that sleeps, one that computes, and one that reads and writes.
WORKERS = {
    "a_sleeping_process": "import time; print('ready', flush=True); time.sleep(600)",
    "a_busy_process": "print('ready', flush=True)\nwhile True: pass",
    "a_reading_process": "import time\nprint('ready', flush=True)\nwhile True:\n f = open('/proc/self/maps'); f.read(); f.close(); time.sleep(0.001)",
}
# Sums over threads of what each did while it was seen: they begin at 0 with the window.
RELATIVE = {"proc.voluntary_switches", "proc.involuntary_switches"}
LEVELS = {"proc.ppid", "proc.threads", "proc.virtual", "proc.rss", "proc.nice", "proc.rss_anon", "proc.rss_file", "proc.fds"}


def file_systems():
    """{mount point: what statvfs says} of those that are on a device of this machine or in its memory."""
    found = {}
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            _, point, kind, *_ = line.split()
            if kind in ("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "vfat", "overlay", "squashfs") and "\\" not in point:
                try:
                    st = os.statvfs(point)
                except OSError:
                    continue
                found[point] = {"fs.size": st.f_blocks * st.f_frsize, "fs.free": st.f_bfree * st.f_frsize, "fs.available": st.f_bavail * st.f_frsize,
                                "fs.inodes": st.f_files, "fs.inodes_free": st.f_ffree}
    return found


def compare_file_systems(before, after, got):
    """Sizes are exact. What is free changes while we look, and may be the same again afterwards: it agrees within 1 % of the size."""
    n, wrong = 0, []
    for point, values in before.items():
        if ("fs.size", point) not in got:
            continue                    # it shows the space of another one
        for metric, value in values.items():
            whole = values["fs.inodes" if "inodes" in metric else "fs.size"]
            if not whole or point not in after:
                continue
            n += 1
            have = got.get((metric, point), -1)
            if have != value if metric in ("fs.size", "fs.inodes") else not (
                    min(value, after[point][metric]) - whole / 100 <= have <= max(value, after[point][metric]) + whole / 100):
                wrong.append(f"{metric} of {point}: {have}, by hand {value} and {after[point][metric]}")
    if "/" in before and ("fs.size", "/") not in got:
        wrong.append("/ is not reported")
    print(f"not ok live_fs_is_true: {'; '.join(wrong[:3])}" if wrong else f"ok live_fs_is_true: {n} numbers")


def main():
    sixty = Sixty(sys.argv[1])
    workers = {name: subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
               for name, code in WORKERS.items()}
    try:
        for w in workers.values():
            w.stdout.readline()
        tree = proc.Tree("/")
        space_before = file_systems()
        before, work_before = proc.read(tree), {n: process(w.pid) for n, w in workers.items()}
        got = sixty.openmetrics(sixty.run("triage", "-d", "2", "--format", "openmetrics"))
        after, work_after = proc.read(tree), {n: process(w.pid) for n, w in workers.items()}
        space_after = file_systems()
    finally:
        for w in workers.values():
            w.kill()
            w.wait()
    compare(sixty, before, after, got)
    compare_file_systems(space_before, space_after, got)
    for name, w in workers.items():
        compare_process(name, w.pid, work_before[name], work_after[name], got)


def compare(sixty, before, after, got, where=""):
    proved, exact, wrong, absent = defaultdict(int), defaultdict(int), defaultdict(list), defaultdict(list)
    for (metric, instance), (low, unit) in sorted(before.items()):
        if metric not in sixty.metrics or (metric, instance) not in after:
            continue
        high = after[metric, instance][0]
        constant = metric in CONSTANT
        if not constant and (sixty.kind(metric) != "counter" or metric in RESTLESS or high < low):
            continue
        group, value = metric.split(".")[0], got.get((metric, instance))
        if value is None:
            absent[group].append(f"{metric} {instance}")
        elif not float(low * unit) * (1 - 1e-14) <= value <= float(high * unit) * (1 + 1e-14):
            wrong[group].append(f"{metric} {instance}: {value} is not in {float(low * unit)}..{float(high * unit)}")
        proved[group] += 1
        exact[group] += low == high
    for group, n in sorted(proved.items()):
        bad = wrong[group] + [f"{what} is not reported" for what in absent[group]]
        if bad:
            print(f"not ok {where}live_{group}_is_true: {len(bad)} of {n}: {'; '.join(bad[:3])}")
        else:
            print(f"ok {where}live_{group}_is_true: {n} numbers, {exact[group]} of them to the last unit")


def compare_process(name, pid, before, after, got):
    bad, n = [], 0
    for metric, low in before.items():
        value, high = got.get((metric, str(pid))), after[metric]
        if value is None and metric not in ("proc.user", "proc.system", "proc.rss"):
            if name != "a_sleeping_process":
                bad.append(f"{metric} is not reported")
            continue                    # details are read of processes that do something
        if metric in LEVELS and (low != high or (name != "a_sleeping_process" and metric not in ("proc.ppid", "proc.nice", "proc.threads"))):
            continue                    # it may have been another one in between
        if metric in RELATIVE:
            low, high = 0, high - low
        if value is None or not float(low) - 1e-9 <= value <= float(high) + 1e-9:
            bad.append(f"{metric}: {value} is not in {float(low)}..{float(high)}")
        n += 1
    print(f"not ok {name}_is_true: {'; '.join(bad[:4])}" if bad else f"ok {name}_is_true: {n} numbers")


if __name__ == "__main__":
    main()
