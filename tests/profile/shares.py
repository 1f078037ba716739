#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shares.py FOLDED SEVEN TWO ONE: are samples of the three functions shared as their CPU time is, within three standard deviations?
At least so many samples as the fifth argument says."""
import math
import sys

NAMES = ("burn_seven", "burn_two", "burn_one")


def main():
    path, seconds, least = sys.argv[1], [float(x) for x in sys.argv[2:5]], int(sys.argv[5])
    seen = dict.fromkeys(NAMES, 0)
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            stack, count = line.rsplit(" ", 1)
            for name in NAMES:
                if f";{name}" in stack:
                    seen[name] += int(count)
    n, total, wrong = sum(seen.values()), sum(seconds), []
    if n < least:
        wrong.append(f"{n} samples, fewer than {least}")
    for name, s in zip(NAMES, seconds):
        p = s / total
        found, error = seen[name] / max(n, 1), math.sqrt(p * (1 - p) / max(n, 1))
        if abs(found - p) > 3 * error + 0.005:    # reading the clock is in the one and not in the other
            wrong.append(f"{name}: {found:.4f} of {n} samples instead of {p:.4f} ± {error:.4f}")
    print("; ".join(wrong))
    sys.exit(bool(wrong))


main()
