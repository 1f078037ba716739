#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""stacks.py COUNT FILE: so many different stacks as folded text, the same ones every time: 300,000 are 123 MB."""
import random
import sys

RND = random.Random(60)
WORDS = ("parse read write alloc free lock queue flush merge scan index fetch commit handle dispatch encode decode visit "
         "resolve compute render update schedule").split()
NAMES = [f"{RND.choice(WORDS)}_{RND.choice(WORDS)}_{RND.choice(WORDS)}_{n}" for n in range(8000)]
count, file = int(sys.argv[1]), sys.argv[2]
seen = set()
stack = []
with open(file, "w", encoding="ascii") as out:
    while len(seen) < count:
        # a walk: back some levels, then down again, so that stacks share what real ones share
        del stack[max(1, len(stack) - RND.randrange(1, 9)):]
        while len(stack) < 16 or (len(stack) < 26 and RND.random() < 0.4):
            stack.append(RND.choice(NAMES[(len(stack) * 299) % 7000:][:600]))
        line = ";".join(stack)
        if line not in seen:
            seen.add(line)
            out.write(f"{line} {int(RND.paretovariate(1.1))}\n")
