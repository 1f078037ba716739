# SPDX-License-Identifier: Apache-2.0
"""mergeable.py MIB: memory in which equal pages may be looked for, and there are none. Says "ready PID"; until standard input ends."""
import mmap
import os
import sys

size = int(sys.argv[1]) << 20
memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for i in range(0, size, 1 << 20):
    memory[i:i + (1 << 20)] = os.urandom(1 << 20)
memory.madvise(12)      # MADV_MERGEABLE
print("ready", os.getpid(), flush=True)
sys.stdin.read()
