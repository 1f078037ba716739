#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Loads of known size for tests/suites/trace.sh: loads.py NAME ARGS…; prints what it did as one JSON object."""
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys


def name_me(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)  # PR_SET_NAME


def execs(path, n):
    pids = []
    for _ in range(int(n)):
        pids.append(os.posix_spawn(path, [path, "one two"], {}))
        os.waitpid(pids[-1], 0)
    return {"pid": os.getpid(), "pids": pids}


def child(act):
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    _, status, use = os.wait4(pid, 0)
    return {"pid": pid, "status": status, "cpu": use.ru_utime + use.ru_stime, "rss": use.ru_maxrss * 1024}


def burn():
    while sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) < 0.3:
        pass


def exits():
    return {
        "three": child(lambda: os._exit(3)),
        "killed": child(lambda: os.kill(os.getpid(), signal.SIGKILL)),
        "burned": child(burn),
        "grown": child(lambda: bytearray(64 << 20)),
    }


def opens(directory, n):
    for i in range(int(n)):
        for path in (f"{directory}/missing{i}", f"{directory}/file/below{i}"):
            try:
                os.open(path, os.O_RDONLY)
            except OSError:
                pass
    try:
        os.open(directory + "/" + "x/" * 1500, os.O_RDONLY)
    except OSError:
        pass
    return {"pid": os.getpid()}


def pair(family, address):
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen()
    here = socket.create_connection(listener.getsockname()[:2])
    there, _ = listener.accept()
    listener.close()
    return here, there


def read_all(s, n):
    while n:
        n -= len(s.recv(min(n, 65536)))


def tcp(n):
    """Each way of closing: the one who connected first, the other one first, a reset."""
    sent = []
    for i in range(int(n)):
        here, there = pair(socket.AF_INET6 if i % 5 == 4 else socket.AF_INET, "::1" if i % 5 == 4 else "127.0.0.1")
        up, down = 1000 * (i + 1), 70000 + i
        port = here.getsockname()[1]
        here.sendall(b"u" * up)
        read_all(there, up)
        there.sendall(b"d" * down)
        read_all(here, down)
        first, second = (there, here) if i % 3 == 1 else (here, there)
        if i % 3 == 2:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        first.close()
        try:
            second.recv(1)
        except ConnectionResetError:
            pass
        second.close()
        sent.append({"port": port, "up": up, "down": down})
    return {"pid": os.getpid(), "connections": sent}


def refused():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except OSError:
        pass
    return {"pid": os.getpid(), "port": port}


def datagrams(n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(int(n)):
        s.sendto(b"nobody listens", ("127.0.0.1", port))
    return {"port": port}


def full_queue(seconds):
    """A listener that accepts nobody: the third who comes has to send its SYN again."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for s in waiting:
        s.settimeout(float(seconds))
        try:
            s.connect(("127.0.0.1", port))
        except OSError:
            break
    return {"port": port}


def signals(n):
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGUSR1, lambda *_: os.write(go, b"x"))
        os.write(go, b"r")
        while True:
            signal.pause()
    os.read(ready, 1)
    for _ in range(int(n)):
        os.kill(pid, signal.SIGUSR1)
        os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return {"from": os.getpid(), "to": pid}


def fsyncs(path, n):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    for _ in range(int(n)):
        os.write(fd, b"x" * 4096)
        os.fsync(fd)
    return {"pid": os.getpid(), "inode": os.fstat(fd).st_ino}


def eat(group):
    """Join a control group, then take more memory than it may have."""
    with open(group + "/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))
    sys.stdout.write(json.dumps({"pid": os.getpid()}) + "\n")
    sys.stdout.flush()
    kept = []
    while True:
        kept.append(bytearray(b"x" * (1 << 20)))


def queue():
    """Two that compute and one that wants to, on one CPU, until the reader of our output goes."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pids = []
    for name in (b"trc_spin", b"trc_spin", b"trc_wait"):
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            name_me(name)
            while True:
                if name == b"trc_wait":
                    signal.sigtimedwait([], 0.005)
        pids.append(pid)
    print(json.dumps({"spinners": pids[:2], "waiter": pids[2]}), flush=True)
    sys.stdin.read()
    sys.exit(0)


def hostile(true):
    os.posix_spawn(true, [true, "a\nb\x1b[2J", b"\xff\xfe".decode("utf-8", "surrogateescape"), "\u202e", ""], {})
    os.wait()
    if os.fork() == 0:
        name_me(b"a\n\x1b[2J\xff,\"=")
        os._exit(0)
    os.wait()
    os.posix_spawn(true, [true] + ["long"] * 4000, {})
    os.wait()
    return {"pid": os.getpid()}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
