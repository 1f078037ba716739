#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""seeds.py SIXTY DIR: something to begin with for every fuzz target, from this machine: DIR/TARGET/*, and DIR/TARGET.dict."""
import gzip
import json
import os
import random
import subprocess
import sys

SIXTY, DIR = sys.argv[1:3]
RND = random.Random(60)


def listed(what):
    return json.loads(subprocess.run([SIXTY, "list", what, "--json"], check=True, stdout=subprocess.PIPE).stdout)[what]


def read(path, most=20000):
    try:
        with open(path, "rb") as f:
            return f.read(most)
    except OSError:
        return b""


def put(target, name, data):
    os.makedirs(f"{DIR}/{target}", exist_ok=True)
    with open(f"{DIR}/{target}/{name}", "wb") as f:
        f.write(data)


def words(target, values):
    with open(f"{DIR}/{target}.dict", "w", encoding="ascii") as f:
        for v in sorted(set(values)):
            f.write('"' + "".join(c if c.isalnum() or c in "._ @-" else f"\\x{ord(c):02x}" for c in v) + '"\n')


def table(metrics, step, rows, wild):
    """A table of every column of a scope."""
    columns = [m for m in metrics if m["kind"] != "derived"]
    lines = ["\t".join(["key", "birth", "name"] + [m["name"] for m in columns])]
    state = random.Random(rows * 7 + wild)
    for row in range(rows):
        cells = []
        for m in columns:
            base, growth = state.randrange(10 ** state.randrange(1, 10)), state.randrange(10 ** state.randrange(1, 9))
            if m["unit"] == "text":
                cells.append("=" + state.choice(["", "/", "/svc", "vda", "eth0", "futex_wait_queue", "2:cpu:/a\\n0::/b", "tcp", "LISTEN", "127.0.0.1"]))
            elif wild and state.randrange(8) == 0:
                cells.append(state.choice(["-", "max", "0", "18446744073709551614", "1"]))
            else:
                cells.append(str(base + step * growth if m["kind"] == "counter" else base))
        lines.append("\t".join([str(row + 1), str(row * 100), f"=thing{row}"] + cells))
    return ("\n".join(lines) + "\n").encode()


def main():
    metrics = listed("metrics")
    scopes = []
    for m in metrics:
        if m["scope"] not in scopes:
            scopes.append(m["scope"])
    by_scope = {s: [m for m in metrics if m["scope"] == s] for s in scopes}

    put("capture", "meta", b"\0format 1\nhostname h\narch x86_64\ncpus 2\npage_size 4096\nticks_per_second 100\nstep 0000 1 2\nstep 0001 3 4\n")
    for n, s in enumerate(scopes):
        put("capture", s, bytes([n + 1]) + b"# read at 5\n" + table(by_scope[s], 0, 2, 1))
        put("capture", f"{s}.bare", bytes([n + 1]) + table(by_scope[s], 0, 2, 0))
    for wild in range(6):
        order = RND.sample(scopes, len(scopes))
        put("judge", f"all{wild}", bytes([wild]) + b"".join(b"@%d %s\n" % (step, s.encode()) + table(by_scope[s], step, 1 if s == "system" else 3, wild)
                                            for step in (0, 1) for s in order))
    for s in scopes:
        put("judge", s, bytes([RND.randrange(256)]) + b"".join(b"@%d %s\n" % (step, x.encode()) + table(by_scope[x], step, 2, 3) for step in (0, 1) for x in ("system", "cpu", s)))
    words("judge", [m["name"] for m in metrics] + [f"@{n} {s}" for n in (0, 1) for s in scopes] + ["max", "18446744073709551614"])
    words("capture", [m["name"] for m in metrics] + ["format", "step", "max", "# read at ", "@1"])

    paths = [f["path"] for f in listed("files")]
    for n, path in enumerate(paths):
        put("shapes", f"file{n}", bytes([(n + 1) % 256]) + read(f"/{path}"))
    for name in ("stat", "status", "schedstat", "limits", "mountinfo", "syscall", "io"):
        put("tasks", name, read(f"/proc/self/{name}"))
    put("tasks", "arp_cache", read("/proc/net/stat/arp_cache"))
    for n, line in enumerate(("Out of memory: Killed process 1234 (a) b) total-vm:1kB", "blk_update_request: I/O error, dev vda, sector 5",
                              "INFO: task kworker/0:1:17 blocked for more than 120 seconds.", "nf_conntrack: table full, dropping packet",
                              "EXT4-fs error (device vda): ext4_find_entry: x", "memory: usage 1kB, limit 1kB, failcnt 5",
                              "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/b,task=c,pid=5,uid=0",
                              "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:77]", "a[5]: segfault at 0 ip 0 sp 0 error 4 in b[1+2]")):
        put("tasks", f"log{n}", line.encode() + b"\n")
    for n in range(48):
        put("cgroups", f"file{n}", bytes([n]) + b"8:0 Read 5\n8:0 rbytes=1 wbytes=2 rios=3 wios=4\nmax 100000\nusage_usec 5\nanon 1\nsome avg10=0.00 total=7\n")
    put("settings", "all", b"interval = 2.5\ntheme = safe\ncolumns = pid cpu command\nsort = cpu\nreverse = yes\ntree = no\nthreads = no\nkernel_threads = yes\n# mine\n")
    put("netlink", "link", bytes([0]) + b"\x40\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0" + bytes(200))
    put("netlink", "attributes", bytes([1]) + b"\x08\0\x01\0abcd\x0c\0\x02\0\x08\0\x03\0efgh")
    put("netlink", "packed", bytes([2]) + bytes(64))

    built = f"{DIR}/program"
    subprocess.run([os.environ.get("CC") or "cc", "-Os", "-x", "c", "-", "-o", built], input=b"int f(int x) { return x + 1; } int main(void) { return f(1); }",
                   check=True)
    put("elf", "program", b"\0" + read(built, 150000))
    subprocess.run([os.environ.get("CC") or "cc", "-O2", "-g", "-nostdlib", "-Wl,-e,f", "-x", "c", "-", "-o", built], check=True,
                   input=b"static inline int g(int x) { return x * x; }\nint f(int x) { return g(x) + g(x + 1); }")
    put("dwarf", "program", b"\0" + read(built, 150000))
    load = bytes(8) + (0x1000).to_bytes(8, "little") * 2 + (16).to_bytes(8, "little") + bytes(8) + b"first\0"
    put("dwarf", "dump", b"\2" + (0x4a695444).to_bytes(4, "little") + b"\1\0\0\0\x28\0\0\0" + bytes(28) +
        bytes(4) + (16 + len(load)).to_bytes(4, "little") + bytes(8) + load)
    put("dwarf", "text", b"\3\2" + "蛇".encode("utf-16le"))
    put("dwarf", "answer", b"\1" + bytes([1, 0, 0, 0, 7, 0, 0, 0, 2, 0, 1, 0, 1, 0, 0, 0]) + b"f\0\0")
    put("frames", "program", b"\1" + read("/usr/bin/env", 150000))
    put("frames", "perfmap", b"\3" + b"1000 20 one\n1020 10 two of them\n")
    put("elf", "maps", b"\1" + read("/proc/self/maps"))

    stacks = b"main;read;copy_[k] 5\nmain;write 3\nmain;read;x_[i] 2.5\nidle 2\n"
    with open(f"{DIR}/stacks.folded", "wb") as f:
        f.write(stacks)
    put("read_folded", "folded", stacks)
    for target, suffix in (("read_profile", "json"), ("read_speedscope", "speedscope.json"), ("read_pprof", "pb.gz")):
        subprocess.run([SIXTY, "flame", f"{DIR}/stacks.folded", "-o", f"{DIR}/stacks.{suffix}"], check=True)
        data = read(f"{DIR}/stacks.{suffix}")
        put(target, suffix, gzip.decompress(data) if suffix == "pb.gz" else data)
    put("read_perf", "script", b"# hostname : h\na b 12/34 [000] 100.5:  7 cycles:u: \n\t 7f72 main+0x12 (/bin/x)\n\t ff a->b (/tmp/perf-1.map)\n\n"
                               b"a 12 cpu-clock: \n 1 [unknown] ([kernel.kallsyms])\n 2 f (inlined)\n")

    captured = [p for p in paths if os.path.isfile(f"/{p}")]
    for n in range(24):
        parts = b"".join(b"@0 %s\n" % p.encode() + read(f"/{p}", 3000) + b"\n" for p in RND.sample(captured, min(12, len(captured))))
        parts += b"@0 proc/7/stat\n" + read("/proc/self/stat") + b"@0 proc/7/status\n" + read("/proc/self/status") + b"@0 proc/7/cgroup\n0::/a\n"
        parts += b"@0 proc/7/task/7/stat\n" + read("/proc/self/stat") + b"@0 proc/self/mountinfo\n" + read("/proc/self/mountinfo", 2000)
        parts += b"@0 sys/fs/cgroup/a/cpu.stat\nusage_usec 5\nnr_throttled 1\n@0 sys/block/vda/stat\n1 2 3\n@0 sys/block/vda/dev\n8:0\n"
        parts += b"@1 proc/stat\n" + read("/proc/stat", 3000)
        put("trees", f"tree{n}", bytes([n]) + parts)
    words("trees", [f"@{n} {p}\n" for n in (0, 1) for p in captured] + ["@0 sys/fs/cgroup/a/", "@0 proc/7/", "@1 proc/7/stat\n"])


main()
