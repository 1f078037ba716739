# SPDX-License-Identifier: Apache-2.0
"""Stacks that are known: snake.py SECONDS. A thread and the main program burn in the same functions; one is called from C, and two
names are not ASCII."""
import sys
import threading
import time


class Égal:
    def work(self, n):
        return sum(i * i for i in range(n))


def deeper(n):
    return deeper(n - 1) if n else Égal().work(2000)


def loop():
    end = time.time() + float(sys.argv[1])
    while time.time() < end:
        deeper(4)


def 蛇():
    sorted([1, 2], key=lambda x: x == 1 and loop())


thread = threading.Thread(target=loop)
thread.start()
蛇()
thread.join()
