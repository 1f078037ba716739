#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""synthetic.py DIR PROCESSES CPUS: a capture of two readings, ten seconds apart, of a large machine that nobody has here."""
import os
import sys

where, processes, cpus = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
START, LATER, WALL = 1_000_000_000_000, 1_010_000_000_000, 1_700_000_000_000_000_000


def stat(step):
    ticks = [1000, 10, 500, 100000, 50, 5, 20, 0, 0, 0]
    grown = [t + step * g for t, g in zip(ticks, [300, 0, 100, 580, 5, 1, 4, 0, 0, 0])]
    lines = ["cpu  " + " ".join(str(t * cpus) for t in grown)]
    lines += [f"cpu{c} " + " ".join(map(str, grown)) for c in range(cpus)]
    lines += ["intr 5 " + "0 " * 4000, f"ctxt {100000 + step * 5000}", "btime 1600000000", f"processes {processes + step * 100}",
              "procs_running 3", "procs_blocked 0", "softirq 10 1 1 1 1 1 1 1 1 1 1"]
    return "\n".join(lines) + "\n"


def process_table(step):
    rows = ["key\tbirth\tname\tproc.user\tproc.system\tproc.rss\tproc.minflt"]
    for p in range(1, processes + 1):
        moved = step * (p % 100 == 0)
        rows.append(f"{p}\t{p % 90000}\t=worker-{p % 997}\t{p % 500 + moved * 30}\t{p % 50 + moved * 5}\t{p % 10000}\t{p + moved * 40}")
    return "\n".join(rows) + "\n"


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


put(f"{where}/meta", f"format 1\nversion 0\nhostname large\nkernel 6.1.0\narch x86_64\nvirtualization none\ncontainer 0\nroot 1\n"
    f"cpus {cpus}\npossible_cpus {cpus}\nmemory_bytes {1 << 40}\nticks_per_second 100\npage_size 4096\nboot_wall_ns {WALL}\n"
    f"step 0000 {START} {WALL + START}\nstep 0001 {LATER} {WALL + LATER}\n")
for step in (0, 1):
    put(f"{where}/{step:04}/proc/stat", stat(step))
    put(f"{where}/{step:04}/tables/process.tsv", process_table(step))
