#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""waits.py FOLDED TRUTH [WITHIN]: (FOLDED is per thread) time in each function of tests/profile/waits.c, as a profile has it in nanoseconds, against what the
program itself has measured; and what it waited for."""
import re
import sys

LEAST = 0.005    # seconds
OTHERS = {"[runnable]_[b]", "[throttled]_[b]", "[lock: kernel]_[b]", "[fault]_[b]", "[reclaim]_[b]"}


def main():
    folded, truth = sys.argv[1:3]
    within = float(sys.argv[3]) if len(sys.argv) > 3 else 0.02
    stacks = []
    with open(folded, encoding="utf-8") as f:
        for line in f:
            stack, ns = line.rstrip("\n").rsplit(" ", 1)
            stacks.append((stack.split(";"), float(ns) * 1e-9))
    wrong, lines = [], 0
    with open(truth, encoding="utf-8") as f:
        for line in f:
            found = re.match(r"(\w+) (\d+) ([0-9.]+) (.+)$", line)
            if not found:
                continue
            lines += 1
            name, thread, seconds, cause = found[1], f"waits/{found[2]}", float(found[3]), found[4]
            mine = [(s, w) for s, w in stacks if s[1] == thread and name in s]
            seen = sum(w for _, w in mine)
            # whoever forks makes the threads of its process wait for its memory map
            blocked = sum(w for s, w in mine if not OTHERS & set(s))
            right = sum(w for s, w in mine if f"[{cause}]_[b]" in s)
            print(f"# {name}: {seen:.4f} s of {seconds:.4f} s, {blocked:.4f} s blocked, {right:.4f} s of it [{cause}]")
            # of reads, interrupts and the hypervisor have the CPU for some of what is neither wall nor CPU time
            less = max(within, 0.08) if cause == "disk" else within
            if not -less * seconds - LEAST <= seen - seconds <= within * seconds + LEAST:
                wrong.append(f"{name}: {seen:.4f} s instead of {seconds:.4f} s")
            if right < 0.95 * blocked - LEAST:
                wrong.append(f"{name}: {right:.4f} s of {blocked:.4f} s are [{cause}]")
    if lines < 6:
        wrong.append(f"only {lines} functions were measured")
    print("; ".join(wrong))
    sys.exit(bool(wrong))


main()
