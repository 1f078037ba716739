#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wellformed.py FILE.svg…: each is XML, refers to nothing outside, and every frame of the picture lies on one that is at least as
wide."""
import re
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"


def boxes(picture):
    """(left, right, top) of all frames, those of paths too."""
    for r in picture.iter(SVG + "rect"):
        if r.get("height") == "17":
            x, w = float(r.get("x")), float(r.get("width"))
            yield x, x + w + 0.5, float(r.get("y"))
    for p in picture.iter(SVG + "path"):
        if p.get("class").startswith("c"):
            for x, y, w in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v17", p.get("d")):
                yield float(x), float(x) + float(w) + 0.3, float(y)


def check(file):
    root = tree.parse(file).getroot()
    for e in root.iter():
        for name, value in e.attrib.items():
            if name.endswith(("href", "src")) or name.startswith("on") or "url(" in value:
                raise SystemExit(f"{file}: refers to something: {name}={value}")
    picture = next(g for g in root if g.get("id") == "static")
    rows = {}
    for left, right, top in boxes(picture):
        rows.setdefault(top, []).append((left, right))
    order = sorted(rows)
    widest = {y: max(r - l for l, r in rows[y]) for y in order}
    if widest[order[0]] < widest[order[-1]]:
        order.reverse()
    for below, above in zip(order, order[1:]):
        if abs(below - above) != 18:
            raise SystemExit(f"{file}: a row is missing between {below} and {above}")
        # 1.2: where narrow frames are drawn in steps of a tenth of a pixel
        for left, right in rows[above]:
            if not any(l - 1.2 <= left and right <= r + 1.2 for l, r in rows[below]):
                raise SystemExit(f"{file}: a frame at {left} to {right} of row {above} lies on none")


for name in sys.argv[1:]:
    check(name)
