#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""disturb.py DIR: a little of everything until standard input ends: TCP and UDP over loopback, files, processes, memory, CPU.

A modest load, so that every counter moves; prints "ready" when it does."""
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import time

WHERE = sys.argv[1]
done = threading.Event()


def tcp_server(listener):
    while not done.is_set():
        if not select.select([listener], [], [], 0.2)[0]:
            continue
        peer, _ = listener.accept()
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)


def network():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=tcp_server, args=(listener,), daemon=True).start()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    while not done.wait(0.005):
        with socket.create_connection(listener.getsockname()) as s:
            s.sendall(b"x" * 8192)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        udp.sendto(b"nobody listens", ("127.0.0.1", 9))
        try:
            socket.create_connection(("127.0.0.1", 1), 0.1).close()
        except OSError:
            pass


def files():
    path = os.path.join(WHERE, "disturb")
    while not done.wait(0.02):
        with open(path, "wb") as f:
            f.write(os.urandom(65536))
            f.flush()
            os.fdatasync(f.fileno())
        os.unlink(path)


def processes():
    while not done.wait(0.05):
        subprocess.run(["true"], check=True)


def memory():
    while not done.wait(0.02):
        with mmap.mmap(-1, 4 << 20) as m:
            for at in range(0, len(m), 4096):
                m[at] = 1


def main():
    for work in (network, files, processes, memory):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.3)
    print("ready", flush=True)
    sys.stdin.read()
    done.set()


main()
