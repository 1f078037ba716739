#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""inject.py SIXTY [PATTERN]: break one thing at a time, ask sixty what is wrong, compare.

Each fault is a generator: it yields what must be found when the fault is there, and cleans up when it is resumed.
The workloads run until they are told to stop. Healthy look-alikes must stay silent: nothing at warn or above that
names one of their processes. Prints `ok`, `not ok` and `skip` lines for tests/run.
"""
import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SIXTY = os.path.abspath(sys.argv[1])
PATTERN = re.compile(sys.argv[2] if len(sys.argv) > 2 else ".")
SECONDS = int(os.environ.get("FAULT_SECONDS", "6"))
PYTHON = sys.executable


class Skip(Exception):
    """The fault cannot be made on this machine."""


def spawn(name, code, *args, preexec=None):
    """A Python program that shows itself under `name` (15 characters), killed when we end."""
    prologue = (f"import ctypes, sys; libc = ctypes.CDLL(None); libc.prctl(15, {name.encode()!r}, 0, 0, 0); "
                "libc.prctl(1, 9, 0, 0, 0)\n")
    return subprocess.Popen([PYTHON, "-c", prologue + code, *map(str, args)], preexec_fn=preexec,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def running(*processes):
    """Wait until each has said that it is ready, and end them all afterwards."""
    try:
        for p in processes:
            if p.stdout.readline().strip() != b"ready":
                raise Skip("the workload did not start")
        yield processes
    finally:
        for p in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(p.pid, signal.SIGCONT)
            p.kill()
            p.wait()


READY = "print('ready', flush=True)\n"


def need(*tools):
    for t in tools:
        if not shutil.which(t):
            raise Skip(f"{t} is not installed")


def as_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


# ---- faults: yield (accepted ids, names or pids of which one must be an offender) ----

def cpu_saturated():
    code = READY + "while True: pass"
    procs = [spawn("numbercruncher", code) for _ in range(4 * os.cpu_count())]
    with running(*procs):
        yield ("cpu.saturated",), ("numbercruncher",)


def descriptors_exhausted():
    code = """
import os, time
fds = []
try:
    while True: fds.append(os.dup(1))
except OSError: pass
""" + READY + """
while True:
    try: os.dup(1)
    except OSError: pass
    time.sleep(0.001)
"""
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    with running(spawn("leakyproxy", code, preexec=limit)) as (p,):
        yield ("app.emfile",), (p.pid,)


def descriptors_leak():
    code = """
import os, time
fds = [os.dup(1) for _ in range(940)]
""" + READY + """
while True:
    fds.append(os.dup(1))
    time.sleep(0.5)
"""
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    with running(spawn("slowleak", code, preexec=limit)) as (p,):
        yield ("app.fd_near_limit",), (p.pid,)


def zombies():
    code = """
import os, time
for _ in range(150):
    if os.fork() == 0: os._exit(0)
""" + READY + """
while True:
    if os.fork() == 0: os._exit(0)
    time.sleep(0.05)
"""
    with running(spawn("carelessparent", code)) as (p,):
        yield ("app.zombies",), (p.pid,)


def refused():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    code = READY + """
import socket, time
while True:
    s = socket.socket()
    try: s.connect(("127.0.0.1", int(sys.argv[1])))
    except OSError: pass
    s.close()
    time.sleep(0.0005)
"""
    with running(spawn("hopefulclient", code, port)):
        yield ("net.connection_refused", "app.retry_storm"), ("hopefulclient", port)


def udp_overflow():
    code = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(("127.0.0.1", 0))
print('ready', flush=True)
print(s.getsockname()[1], flush=True)
while True:
    s.recv(2048)
    time.sleep(0.05)
"""
    receiver = spawn("slowreceiver", code)
    with running(receiver):
        port = int(receiver.stdout.readline())
        sender = spawn("statsender", READY + """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(20): s.sendto(b'x' * 200, ("127.0.0.1", int(sys.argv[1])))
    time.sleep(0.01)
""", port)
        with running(sender):
            yield ("net.udp_rcvbuf_overflow",), ("slowreceiver", receiver.pid, port)


def listen_overflow():
    code = """
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(4)
print('ready', flush=True)
print(s.getsockname()[1], flush=True)
time.sleep(1e6)
"""
    server = spawn("sleepyserver", code)
    with running(server):
        port = int(server.stdout.readline())
        clients = [spawn("impatient", READY + """
import socket, time
kept = []
while True:
    s = socket.socket(); s.settimeout(0.5)
    try: s.connect(("127.0.0.1", int(sys.argv[1]))); kept.append(s)
    except OSError: s.close()
    time.sleep(0.05)
""", port) for _ in range(4)]
        with running(*clients):
            yield ("net.listen_overflow", "net.accept_queue_slow"), ("sleepyserver", server.pid, port)


def tmpfs_full():
    as_root()
    need("mount", "umount")
    where = tempfile.mkdtemp()
    try:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", where], check=False).returncode:
            raise Skip("cannot mount a tmpfs")
        code = READY + """
import os, time
f = os.open(sys.argv[1] + "/spool", os.O_CREAT | os.O_WRONLY, 0o600)
while True:
    try: os.write(f, b'x' * 65536)
    except OSError: pass
    time.sleep(0.002)
"""
        with running(spawn("spooler", code, where)):
            time.sleep(2)
            yield ("memory.tmpfs_full", "fs.no_space"), (where, "spooler")
    finally:
        subprocess.run(["umount", where], stderr=subprocess.DEVNULL, check=False)
        os.rmdir(where)


def throttled():
    as_root()
    for base, quota in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max")):
        if os.path.exists(base + "/" + ("cpu.cfs_quota_us" if quota.startswith("cpu.cfs") else "cgroup.controllers")) or \
           (quota.startswith("cpu.cfs") and os.path.exists(base + "/cpu.shares")):
            break
    else:
        raise Skip("no cpu controller")
    group = f"{base}/sixty-test-{os.getpid()}"
    try:
        os.mkdir(group)
        path = f"{group}/{quota}"
        if not os.path.exists(path):
            raise Skip("the cpu controller is not enabled for children")
        with open(path, "w", encoding="ascii") as f:
            f.write("20000" if quota.startswith("cpu.cfs") else "20000 100000")
        enter = lambda: open(group + "/cgroup.procs", "w", encoding="ascii").write(str(os.getpid()))
        with running(spawn("billing", READY + "while True: pass", preexec=enter)) as (p,):
            yield ("cpu.cgroup_throttled",), ("billing", p.pid, os.path.basename(group))
    except OSError as e:
        raise Skip(f"cannot make a control group: {e}") from e
    finally:
        for _ in range(50):
            try:
                os.rmdir(group)
                break
            except OSError:
                time.sleep(0.1)


def stopped():
    code = """
import socket, threading
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(64)
print('ready', flush=True)
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    def serve(c=c):
        while c.recv(64): c.send(b'y')
    threading.Thread(target=serve, daemon=True).start()
"""
    server = spawn("authserver", code)
    with running(server):
        port = int(server.stdout.readline())
        client = spawn("webfrontend", """
import socket
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.send(b'x'); s.recv(1)
""" + READY + """
while True:
    s.send(b'x'); s.recv(1)
""", port)
        with running(client):
            os.kill(server.pid, signal.SIGSTOP)
            yield ("app.process_stopped",), ("authserver", server.pid, port)


# ---- healthy look-alikes: yield the names that nothing may be said of ----

def healthy_pool():
    """Forty workers that sleep on a condition variable, and one that wakes them ten times a second."""
    code = """
import threading, time
cv = threading.Condition()
def work():
    with cv:
        while True: cv.wait()
for _ in range(40): threading.Thread(target=work, daemon=True).start()
""" + READY + """
while True:
    time.sleep(0.1)
    with cv: cv.notify()
"""
    with running(spawn("idlepool", code)):
        yield "idlepool",


def healthy_batch():
    code = READY + "while True: pass"
    procs = [spawn("nightlybatch", code, preexec=lambda: os.nice(19)) for _ in range(os.cpu_count())]
    with running(*procs):
        yield "nightlybatch",


def healthy_duty():
    code = READY + """
import time
while True:
    e = time.perf_counter() + 0.01
    while time.perf_counter() < e: pass
    time.sleep(0.04)
"""
    with running(spawn("webworker", code), spawn("webworker", code)):
        yield "webworker",


FAULTS = [cpu_saturated, descriptors_exhausted, descriptors_leak, zombies, refused, udp_overflow, listen_overflow, tmpfs_full,
          throttled, stopped]
HEALTHY = [healthy_pool, healthy_batch, healthy_duty]


def look():
    done = subprocess.run([SIXTY, "triage", "--json", "-d", str(SECONDS)], capture_output=True, timeout=SECONDS + 60, check=False)
    if done.returncode:
        raise AssertionError(f"sixty ended with {done.returncode}: {done.stderr.decode(errors='replace')[-200:]}")
    return json.loads(done.stdout)


def describes(party, wanted):
    have = {str(party.get(k)) for k in ("name", "pid", "port", "cgroup")}
    return any(str(w) in have or any(h.endswith("/" + str(w)) for h in have) for w in wanted)


def judge_fault(report, ids, offenders):
    top = [f for f in report["findings"] if f["severity"] in ("warn", "crit")][:3]
    got = ", ".join(f"{f['id']} ({f['summary'][:80]})" for f in top) or report["verdict"]["summary"]
    hit = next((f for f in top if f["id"] in ids), None)
    if not hit:
        raise AssertionError(f"expected {' or '.join(ids)}, got {got}")
    if not any(describes(p, offenders) for p in hit["offenders"]):
        raise AssertionError(f"{hit['id']} does not name {offenders}: {hit['offenders']}")


def judge_healthy(report, names):
    for f in report["findings"]:
        if f["severity"] != "info" and any(p["name"] in names for p in f["offenders"] + f["victims"]):
            raise AssertionError(f"{f['id']}: {f['summary']}")


def idle_share(seconds):
    """Of the CPU time, while nothing of ours runs."""
    def read():
        with open("/proc/stat", encoding="ascii") as f:
            return [int(x) for x in f.readline().split()[1:9]]
    a = read()
    time.sleep(seconds)
    d = [y - x for x, y in zip(a, read())]
    return (d[3] + d[4]) / max(1, sum(d))


def wait_for_quiet(limit=60):
    """What other programs do to this machine is not ours to judge."""
    end = time.monotonic() + limit
    while idle_share(1) < 0.85:
        if time.monotonic() > end:
            raise Skip(f"other programs keep the CPUs busy for {limit} s")


def run(maker, judge, tries=3):
    """A second fault that was really there for a moment (a package manager, another test) is no failure of ours: a
    judgement that fails is repeated on a quiet machine, and has to hold then."""
    fault = maker()
    try:
        wait_for_quiet()
        expected = next(fault)
        try:
            time.sleep(0.5)
            report = look()
        finally:
            with contextlib.suppress(StopIteration):
                next(fault)
        if judge is judge_fault:
            judge(report, *expected)
        else:
            judge(report, expected if isinstance(expected, tuple) else (expected,))
    except Skip as e:
        print(f"skip {maker.__name__}: {e}")
    except AssertionError as e:
        if tries > 1:
            print(f"# {maker.__name__} again: {e}")
            return run(maker, judge, tries - 1)
        print(f"not ok {maker.__name__}: {e}")
    else:
        print(f"ok {maker.__name__}")
    sys.stdout.flush()
    return None


for m in FAULTS:
    if PATTERN.search(m.__name__):
        run(m, judge_fault)
for m in HEALTHY:
    if PATTERN.search(m.__name__):
        run(m, judge_healthy)
