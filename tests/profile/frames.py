#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""frames.py UNWIND FILE...: every row that readelf prints of a binary's call frames against the rule that sixty has there."""
import bisect
import re
import subprocess
import sys


def ours(tool, path):
    """[(address, how, cfa, fp, ra)]"""
    rows = []
    for line in subprocess.run([tool, path], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        if not line.startswith("#"):
            pc, how, cfa, fp, ra = line.split()
            rows.append((int(pc, 16), how, int(cfa), int(fp), int(ra)))
    return rows


def theirs(path):
    """(address, cfa, {register: rule}) of each row; functions without rows of their own have those of their CIE, which are not printed."""
    columns, inside, end = [], False, 0
    out = subprocess.run(["readelf", "--debug-dump=frames-interp", path], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, errors="replace").stdout
    for line in out.splitlines():
        if ".debug_frame section" in line:
            return
        if " FDE " in line or " CIE " in line:
            inside = " FDE " in line
            if inside:
                start, end = (int(x, 16) for x in line.rsplit("pc=", 1)[1].split(".."))
                if start < end:
                    yield start, "", {}    # there is some rule: what it is follows, unless it is that of the CIE
            continue
        words = re.sub(r" \(\w+\)", "", line).split()    # "r3 (rbx)": in another register
        if words[:2] == ["LOC", "CFA"]:
            columns = words[2:]
        elif inside and len(words) >= 2 and re.fullmatch(r"[0-9a-f]{16}", words[0]) and int(words[0], 16) < end:
            yield int(words[0], 16), words[1], dict(zip(columns, words[2:]))


def expected(cfa, regs):
    """(how, cfa, fp, ra), or None when it is an expression: those are told apart by their bytes, which readelf does not print here."""
    if regs.get("ra") == "u":
        return "end", 0, 0, 0
    m = re.fullmatch(r"(rsp|rbp)\+(\d+)", cfa)
    fp = re.fullmatch(r"c([+-]\d+)", regs.get("rbp", "u")) or (regs.get("rbp", "u") in "us" and "same")
    if not m or not fp or regs.get("ra") != "c-8":
        return None
    return "sp" if m[1] == "rsp" else "fp", int(m[2]), 0 if fp == "same" else int(fp[1]) // 8, -1


def main():
    failed = 0
    for path in sys.argv[2:]:
        rows, wrong, seen, hard = ours(sys.argv[1], path), [], 0, 0
        starts = [r[0] for r in rows]
        last = {}
        for pc, cfa, regs in theirs(path):
            last[pc] = (cfa, regs)    # of two rows with one address the second counts
        for pc, (cfa, regs) in last.items():
            seen += 1
            found = rows[bisect.bisect_right(starts, pc) - 1][1:] if starts and starts[0] <= pc else ("gap", 0, 0, 0)
            want = expected(cfa, regs)
            hard += found[0] == "hard"
            if not cfa:
                if found[0] == "gap":
                    wrong.append(f"{pc:x}: a function begins here, and has no rule")
                continue
            if want is None:
                if found[0] not in ("plt", "signal", "*fp", "hard"):
                    wrong.append(f"{pc:x}: {cfa} {regs} is {found}")
            elif found != want:
                wrong.append(f"{pc:x}: {cfa} {regs} is {found}, not {want}")
        if hard > 0.01 * seen:
            wrong.append(f"{hard} of {seen} are too hard")
        if not seen:
            wrong.append("readelf prints no frames")
        failed += bool(wrong)
        print(f"{path}: {seen} rows, {hard} of them too hard, {len(wrong)} wrong", *wrong[:5], sep="\n  ")
    sys.exit(failed != 0)


main()
