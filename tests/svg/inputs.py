#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inputs.py DIR: what the suite draws. A server with every kind of frame, 20 s at 99 Hz, with a burst from 7.3 to 7.8 s; a
difference; names that attack; nearly a hundred thousand frames."""
import json
import random
import sys

APP, LIBC, KERNEL = "/usr/bin/server", "/usr/lib/libc.so.6", "[kernel]"
KINDS = ["user", "kernel", "inlined", "jit", "interpreted", "blocked", "waker", "lost"]
ROOT = [("_start", APP, "", 0, "user"), ("main", APP, "server.c", 712, "user"), ("loop", APP, "loop.c", 49, "user")]
STACKS = {
    "write": ROOT + [("reply", APP, "net.c", 190, "user"), ("write", LIBC, "", 0, "user"), ("ksys_write", KERNEL, "", 0, "kernel"),
                     ("tcp_sendmsg", KERNEL, "", 0, "kernel")],
    "find": ROOT + [("read_query", APP, "net.c", 260, "user"), ("execute", APP, "server.c", 390, "user"), ("lookup", APP, "db.c", 19, "inlined"),
                    ("dict_find", APP, "dict.c", 50, "inlined")],
    "wait": ROOT + [("read_query", APP, "net.c", 260, "user"), ("read", LIBC, "", 0, "user"), ("[blocked: awaiting work]", "", "", 0, "blocked")],
    "script": ROOT + [("eval", APP, "eval.c", 1, "user"), ("Job::run", "perf-7.map", "", 0, "jit"), ("step (job.py)", "job.py", "job.py", 12, "interpreted")],
    "cut": ROOT + [("[stack cut: no unwind table]", "", "", 0, "lost")],
    "burst": ROOT + [("cron", APP, "cron.c", 13, "user"), ("rehash<int, std::pair<a, b>>&", APP, "dict.c", 25, "user")],
}


def samples():
    rnd = random.Random(60)
    for i in range(20 * 99):
        t = i / 99
        if 7.3 < t < 7.8 or t % 1 < 0.04:
            yield t, "burst"
        elif rnd.random() < 0.75:
            yield t, rnd.choices(["write", "find", "wait", "script", "cut"], [30, 40, 20, 8, 2])[0]


def server(path):
    strings, frames, stacks, numbers = [""], [], [], {}

    def string(s):
        if s not in strings:
            strings.append(s)
        return strings.index(s)

    for key, stack in STACKS.items():
        at = 0
        for name, module, file, line, kind in stack:
            frame = [string(name), string(module), string(file), line, KINDS.index(kind)]
            if frame not in frames:
                frames.append(frame)
            row = [at, frames.index(frame) + 1]
            if row not in stacks:
                stacks.append(row)
            at = stacks.index(row) + 1
        numbers[key] = at
    rows = [[int(t * 1e9), 1, 0, numbers[s], 1] for t, s in samples()]
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"schema": "sixty.profile/1", "title": "server[4242] on CPU", "host": "web1", "kernel": "6.18.44", "target": "server[4242]",
                   "command": "sixty profile -p 4242 -d 20", "event": "cpu-clock", "mode": "cpu", "start_ns": 1735700400000000000, "seconds": 20,
                   "hertz": 99, "values": [{"name": "samples", "unit": "count"}], "losses": [{"what": "samples: the ring was full", "count": 3}],
                   "strings": strings, "frames": frames, "stacks": stacks, "threads": [[4242, 4242, 0]], "samples": rows}, f)


def main():
    out = sys.argv[1]
    server(f"{out}/server.json")
    with open(f"{out}/before.folded", "w", encoding="ascii") as f:
        f.write("main;parse;lex 400\nmain;parse;ast 200\nmain;emit;write_[k] 300\nmain;old path 100\n")
    with open(f"{out}/after.folded", "w", encoding="ascii") as f:
        f.write("main;parse;lex 210\nmain;parse;ast 205\nmain;emit;write_[k] 520\nmain;new path 65\n")
    with open(f"{out}/hostile.folded", "wb") as f:
        f.write(b"main;<script>window.hacked=1</script>;\"quoted' & ]]> </svg> 5\nmain;ctl\x01\x02\x1b[31mred\xff\xfe 3\nmain;" + b"T<" * 5000 +
                b" 4\nmain;\xef\xbf\xbe\xe2\x80\xae rtl \xe6\xbc\xa2\xe5\xad\x97 7\nmain;\" onmouseover=\"window.hacked=1 2\n;;; 3\n")
    rnd = random.Random(1)
    with open(f"{out}/many.folded", "w", encoding="ascii") as f:
        for i in range(45000):
            f.write(f"main;f{i // 1000};g{i // 10};h{i};leaf{rnd.randrange(50)} {rnd.randrange(5, 15)}\n")


if __name__ == "__main__":
    main()
