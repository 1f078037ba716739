#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exact.py SIXTY CAPTURE: what a replay prints against the captured files, read by hand. Counters agree to the last unit."""
import glob
import math
import os
import re
import sys
from collections import defaultdict

import proc
from sixty import Sixty


def load_meta(capture):
    meta, steps = {}, []
    with open(f"{capture}/meta", encoding="utf-8") as f:
        for line in f:
            key, _, value = line.rstrip("\n").partition(" ")
            if key == "step":
                name, boot, _ = value.split()
                steps.append((name, int(boot)))
            meta[key] = value
    return meta, steps


def counter_rate(points):
    """Sum of the parts that did not go down, over their seconds."""
    total, seconds = 0, 0
    for (t0, a), (t1, b) in zip(points, points[1:]):
        if b >= a:
            total, seconds = total + b - a, seconds + (t1 - t0)
    return total, seconds


def gauge_mean(points):
    return sum((a + b) / 2 * (t1 - t0) for (t0, a), (t1, b) in zip(points, points[1:])) / (points[-1][0] - points[0][0])


def same(got, want, digits):
    return got is not None and math.isclose(got, want, rel_tol=10.0 ** -digits, abs_tol=1e-300)


def unescape(cell):
    return re.sub(r"\\\\(?:x([0-9a-f]{2})|(.))", lambda m: chr(int(m[1], 16)) if m[1] else {"t": "\t", "n": "\n"}.get(m[2], m[2]), cell)


def read_tables(folder):
    """{(metric, instance): [(time or None, number)]} of one step's tables."""
    found = {}
    for path in sorted(glob.glob(f"{folder}/*.tsv")):
        scope, at = os.path.basename(path)[:-4], None
        with open(path, encoding="utf-8", errors="replace", newline="\n") as f:
            lines = f.read().rstrip("\n").split("\n")
        if lines[0].startswith("# read at "):
            at = int(lines.pop(0).split()[-1]) / 1e9
        columns = lines[0].split("\t")[3:]
        for line in lines[1:]:
            key, _, name, *cells = line.split("\t")
            instance = key if scope in ("process", "thread") else unescape(name[1:])
            for metric, cell in zip(columns, cells):
                if cell != "-" and not cell.startswith(("=", "max")):
                    found[metric, instance] = (at, int(cell.split("@")[0]))
    return found


SPARSE = ("process", "thread", "socket", "cgroup")     # rows that did not move are left out of the window
FACTORS = {1.0, 1024.0, 1024.0 ** 2, 512.0, 1e-1, 1e-2, 1e-3, 1e-6, 1e-9, 1e3, 1e6}


def check_tables(sixty, capture, meta, steps, levels, rates, has_files):
    """What was never a file, from the captured tables. The factor to base units comes from the level; it must be one that exists, and the rate
    must follow from it."""
    checked, wrong = defaultdict(int), defaultdict(list)
    for folder, chosen in (("tables", steps), ("ends", [steps[0], steps[-1]])):
        series = defaultdict(list)
        for name, boot in chosen:
            for key, (at, n) in read_tables(f"{capture}/{name}/{folder}").items():
                scope = sixty.metrics[key[0]]["scope"]
                series[key].append((boot / 1e9 if at is None or (folder, scope) in has_files else at, n))
        for (metric, instance), points in series.items():
            scope, kind = sixty.metrics[metric]["scope"], sixty.kind(metric)
            if len(points) != len(chosen) or scope in ("socket", "thread", "event", "endpoint") or kind == "label":
                continue
            level, rate = levels.get((metric, instance)), rates.get((metric, instance))
            if level is None or rate is None or not points[-1][1]:
                if level is None or (rate is None and scope not in SPARSE):
                    wrong[scope].append(f"{metric} {instance}: {points[-1][1]} in the table, level {level}, over the window {rate}")
                continue
            factor = level / points[-1][1]
            known = FACTORS | {float(meta["page_size"]), 1 / float(meta["ticks_per_second"])}
            signed = points[-1][1] >= 1 << 63
            if not signed and not any(math.isclose(factor, f, rel_tol=1e-12) for f in known):
                wrong[scope].append(f"{metric} {instance}: {points[-1][1]} in the table became {level}")
                continue
            points = sorted(dict(points).items())       # a table that was not read anew has the time of the reading before
            if len(points) < 2 or signed or (scope in SPARSE and kind != "counter"):
                continue
            if kind == "counter":
                total, seconds = counter_rate(points)
                want = total * factor / seconds if seconds else None
            else:
                want = gauge_mean(points) * factor
            if want is not None and not same(rate, want, 8):
                wrong[scope].append(f"{metric} {instance}: over the window {rate}, by hand {want}")
            checked[scope] += 1
    return checked, wrong


def main():
    sixty, capture = Sixty(sys.argv[1]), sys.argv[2]
    meta, steps = load_meta(capture)
    series = defaultdict(list)
    for name, boot in steps:
        tree = proc.Tree(f"{capture}/{name}", int(meta["ticks_per_second"]), int(meta["page_size"]))
        for key, (number, unit) in proc.read(tree).items():
            series[key].append((boot / 1e9, number, unit))
    levels = sixty.openmetrics(sixty.run("--replay", capture, "--format", "openmetrics"))
    rates = sixty.csv(sixty.run("--replay", capture, "--format", "csv"))
    checked, wrong = defaultdict(int), defaultdict(list)
    for (metric, instance), points in sorted(series.items()):
        if metric not in sixty.metrics or len(points) != len(steps):
            continue
        group, unit, last = metric.split(".")[0], points[-1][2], points[-1][1]
        level, rate = levels.get((metric, instance)), rates.get((metric, instance))
        if not same(level, float(last * unit), 14):
            wrong[group].append(f"{metric} {instance}: level {level}, by hand {float(last * unit)}")
        values = [(t, n) for t, n, _ in points]
        if sixty.at_both_ends_only(metric):
            values = [values[0], values[-1]]
        if sixty.kind(metric) == "counter":
            total, seconds = counter_rate(values)
            want = float(total * unit) / seconds if seconds else None
        else:
            want = gauge_mean(values) * float(unit)
        if want is not None and not same(rate, want, 8):
            wrong[group].append(f"{metric} {instance}: over the window {rate}, by hand {want}")
        checked[group] += 1
    for group, n in sorted(checked.items()):
        if wrong[group]:
            print(f"not ok replay_of_{group}_is_exact: {len(wrong[group])} of {2 * n} differ, as {wrong[group][0]}")
        else:
            print(f"ok replay_of_{group}_is_exact: {n} numbers")
    for group in ("sys", "cpu", "mem", "net", "tcp", "psi", "irq", "zone"):
        if not checked[group]:
            print(f"not ok replay_of_{group}_is_exact: the capture has nothing of it")
    has_files = {("ends" if sixty.at_both_ends_only(m) else "tables", sixty.metrics[m]["scope"]) for m, _ in series if m in sixty.metrics}
    checked, wrong = check_tables(sixty, capture, meta, steps, levels, rates, has_files)
    for scope, n in sorted(checked.items()):
        if wrong[scope]:
            print(f"not ok replay_of_{scope}_tables_is_exact: {len(wrong[scope])} of {n} differ, as {wrong[scope][0]}")
        else:
            print(f"ok replay_of_{scope}_tables_is_exact: {n} numbers")


main()
