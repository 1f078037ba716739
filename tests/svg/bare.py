#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bare.py FILE.svg: the file without the script and the style that are the same in all of them."""
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    text = f.read()
for part in ("flamegraph/flame.css", "flamegraph/flame.js"):
    with open(part, encoding="utf-8") as f:
        own = f.read()
    if own not in text:
        sys.exit(f"{part} is not in it")
    text = text.replace(own, f"{part}\n")
sys.stdout.write(text)
