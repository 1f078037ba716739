#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bpf.py SIXTY: what the programs of sixty cost others, beside other tools that watch the scheduler, in one run.

A figure is a ratio: a load beside the tool and alone, one after the other, in turns. Printed are the median of the pairs and their middle half; the
pairs of the load with itself say how much of that is noise."""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SIXTY = sys.argv[1]
ROUNDS = int(os.environ.get("ROUNDS", "9"))
CPU = str(max(os.sched_getaffinity(0)))


def output(*args):
    return subprocess.run(args, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()


# ---- tools ----

def attached(pid):
    """Has it a link to a program, or a perf event?"""
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if re.search(r"bpf[-_]link|perf_event", os.readlink(f"/proc/{pid}/fd/{fd}")):
                    return True
    return False


@contextlib.contextmanager
def beside(args):
    """While the tool watches; without arguments there is none."""
    if not args:
        yield
        return
    with subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as tool:
        try:
            deadline = time.monotonic() + 20
            while not attached(tool.pid):
                if tool.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("does not run here")
                time.sleep(0.02)
            time.sleep(0.2)     # the rest of its programs
            yield
        finally:
            tool.send_signal(signal.SIGINT)
            try:
                tool.wait(10)
            except subprocess.TimeoutExpired:
                tool.kill()


def tools(place):
    known = {"itself": [], "sixty triage": [SIXTY, "triage", "-d", "60", "--json"], "sixty time": [SIXTY, "time", "-d", "60", "--json"]}
    for name, *args in (("cpudist", "100"), ("runqlat", "100"), ("offcputime", "100"), ("perf", "sched", "record", "-o", f"{place}/perf", "sleep", "100")):
        known[" ".join([name, *args[:2]] if name == "perf" else [name])] = [name, *args] if shutil.which(name) else None
    return known


# ---- loads: functions that give the price of a fixed amount of work ----

def cpu_seconds(*args):
    """User and system time of the command: what else runs on the CPU is not in it, programs at its switches are."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = output(*args)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, said


def sched_pipe():
    # both processes on one CPU: else every second switch is an idle CPU that wakes up, and scatters
    return cpu_seconds("taskset", "-c", CPU, "perf", "bench", "sched", "pipe", "-l", "100000")[0]


def random_reads(place):
    def run():
        said = output("fio", "--name=bench", f"--filename={place}/data", "--size=64m", "--rw=randread", "--bs=4k", "--direct=1", "--ioengine=psync",
                      "--time_based", "--runtime=1", "--output-format=json")
        return json.loads(said[said.index("{"):])["jobs"][0]["read"]["clat_ns"]["percentile"]["50.000000"]
    return run


def ran(pid):
    """CPU time of all threads of a process, by the scheduler."""
    total = 0
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


@contextlib.contextmanager
def redis(place):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    with subprocess.Popen(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", place],
                          stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 10
            while subprocess.run(["redis-cli", "-p", port, "ping"], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout != b"PONG\n":
                if time.monotonic() > deadline:
                    raise RuntimeError("redis does not answer")
                time.sleep(0.05)

            def run():
                before = ran(server.pid)
                client = cpu_seconds("redis-benchmark", "-p", port, "-t", "get", "-n", "30000", "-c", "20", "-q")[0]
                return client + ran(server.pid) - before
            yield run
        finally:
            server.terminate()


# ---- ratios ----

def pair(load, args, first):
    """The price beside the tool over that without it."""
    got = {}
    for watched in (first, not first):
        with beside(args if watched else []):
            got[watched] = load()
    return got[True] / got[False]


def compare(title, load, which, aim):
    ratios, refused = {name: [] for name in which}, {}
    for name, args in which.items():
        if args is None:
            refused[name] = "not here"
    for i in range(ROUNDS):
        for name, args in which.items():
            if name in refused:
                continue
            try:
                ratios[name].append(pair(load, args, bool(i % 2)))
            except (RuntimeError, OSError, subprocess.SubprocessError) as e:
                refused[name] = str(e)
    print(f"{title}: beside the tool / alone, median (middle half) of {ROUNDS} pairs")
    for name, found in ratios.items():
        if name in refused:
            print(f"  {name:20} {refused[name]}")
            continue
        low, mid, high = statistics.quantiles(found, n=4)
        print(f"  {name:20} {mid:.3f} ({low:.3f}–{high:.3f}){f'  aim {aim}' if name.startswith('sixty') else ''}")
    sys.stdout.flush()


# ---- its own price ----

def own_price():
    loads, ends, steady, sizes, events = [], [], [], [], {}
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = json.loads(output(SIXTY, "triage", "-d", "4", "--json"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cost = found["ledger"]["cost"]
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        loads.append(1000 * cost["load_cpu_seconds"])
        ends.append(1000 * (spent - cost["cpu_seconds_self"]))
        steady.append(100 * (cost["cpu_seconds_self"] - cost["load_cpu_seconds"]) / found["window"]["seconds"])
        sizes.append(cost["rss_bytes"] / (1 << 20))
        for p in cost["programs"]:
            if p["ns_per_event"] is not None and p["events"] > 100:
                events.setdefault(p["name"], []).append(p["ns_per_event"])
    print("sixty triage -d 4, medians of 3")
    print(f"  load and attach {statistics.median(loads):.0f} ms CPU, from the report to the end {statistics.median(ends):.0f} ms, together aim 150")
    print(f"  the rest {statistics.median(steady):.2f} % of one CPU over 4 s")
    print(f"  resident memory {statistics.median(sizes):.1f} MiB, aim 24")
    print("  ns per event, what measuring costs taken off: " + ", ".join(f"{n} {statistics.median(v):.0f}" for n, v in events.items()))


def storm_price():
    """As many switches as the machine gives, on every CPU."""
    with contextlib.ExitStack() as stack:
        for cpu in sorted(os.sched_getaffinity(0)):
            p = stack.enter_context(subprocess.Popen(["taskset", "-c", str(cpu), f"{os.path.dirname(SIXTY)}/tests/workloads/spin", "-y", "2"],
                                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
            stack.callback(p.stdin.close)
        found = [json.loads(output(SIXTY, "time", "-d", "1", "--json"))["ledger"]["cost"]["programs"] for _ in range(5)]
    switches = [next(p for p in programs if p["name"] == "sched_switch") for programs in found]
    low, mid, high = statistics.quantiles([p["ns_per_event"] for p in switches], n=4)
    print(f"sched_switch in a storm of {statistics.median(p['events'] for p in switches) / 1e6:.2f} million a second: "
          f"{mid:.0f} ns each ({low:.0f}–{high:.0f}), aim 77–207")


def main():
    with tempfile.TemporaryDirectory(dir=os.path.dirname(SIXTY)) as place:
        known = tools(place)
        ours = {name: known[name] for name in ("itself", "sixty triage")}
        own_price()
        storm_price()
        if shutil.which("perf"):
            compare("CPU time of perf bench sched pipe, on one CPU", sched_pipe, known, 1.05)
        else:
            print("perf bench sched pipe: no perf")
        if shutil.which("fio"):
            compare("median latency of fio, random reads of 4 KiB", random_reads(place), ours, 1.02)
        else:
            print("fio: not here")
        if shutil.which("redis-server") and shutil.which("redis-benchmark"):
            with redis(place) as load:
                compare("CPU time of redis-benchmark and server, GET", load, ours, 1.02)
        else:
            print("redis: not here")


main()
