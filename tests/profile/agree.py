#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agree.py OURS THEIRS USUAL: profiles of the same work, folded: do the twenty functions that took most agree in the first two, within
the error of two samples, and are stacks of ours as whole as those of the third?"""
import collections
import math
import re
import sys

OUTERMOST = re.compile(r"_start|__libc_start_main.*|__libc_start_call_main|start_thread|__?clone3?|__GI___clone.*")


def plain(name):
    """Of several names of one function, one."""
    name = re.sub(r"_\[\w\]$", "", name).split("@")[0]
    name = re.sub(r"\.(isra|part|constprop|cold|localalias|lto_priv)(\.\d+)*", "", name)
    name = re.sub(r"^(__GI_|__libc_|_IO_|__)", "", name)
    name = re.sub(r"^memcpy_(?=(chk_)?(avx|sse|evex|erms))", "memmove_", name)    # glibc has both at one address
    return {"cfree": "free", "int_free": "_int_free"}.get(name, name)


def read(path):
    self, total, n, whole = collections.Counter(), collections.Counter(), 0, 0
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            stack, weight = line.rstrip("\n").rsplit(" ", 1)
            frames = [x for x in stack.split(";")[1:] if not x.endswith("_[k]")]
            w = float(weight)
            if not frames:
                continue
            n += w
            is_whole = any(OUTERMOST.fullmatch(re.sub(r"_\[\w\]$", "", x).split("@")[0]) for x in frames[:4])
            whole += w * is_whole
            names = [plain(x) for x in frames]
            self[names[-1]] += w
            for name in set(names) if is_whole else ():    # who has called it is not known of others
                total[name] += w
    return self, total, n, whole


def main():
    ours, theirs, usual = (read(path) for path in sys.argv[1:4])
    wrong = []
    if min(ours[3], theirs[3]) < 200:
        wrong.append(f"too few whole samples: {ours[3]:.0f} and {theirs[3]:.0f}")
    for what, a, m, b, n in (("self", ours[0], ours[2], theirs[0], theirs[2]), ("total", ours[1], ours[3], theirs[1], theirs[3])):
        for name, _ in b.most_common(20) if m and n else ():
            p, q = a[name] / m, b[name] / n
            both = (a[name] + b[name]) / (m + n)
            # three standard deviations, and what two runs differ by themselves
            bound = 3 * math.sqrt(both * (1 - both) * (1 / m + 1 / n)) + 0.01
            if abs(p - q) > bound:
                wrong.append(f"{what} {name}: {100 * p:.1f} % instead of {100 * q:.1f} %, which may be {100 * bound:.1f} % apart")
    if ours[3] / max(1, ours[2]) < usual[3] / max(1, usual[2]):
        wrong.append(f"{ours[3]:.0f} of {ours[2]:.0f} stacks are whole, of theirs {usual[3]:.0f} of {usual[2]:.0f}")
    print(f"{ours[2]:.0f} samples, {ours[3]:.0f} whole; theirs {theirs[2]:.0f}, {theirs[3]:.0f} whole; usually {usual[3]:.0f} of {usual[2]:.0f}; {'; '.join(wrong)}")
    sys.exit(bool(wrong))


main()
