#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Waiting for a reply and waiting for work, told apart: a client that by construction waits half of its time for the answer to
# what it sent, and its server, which never does.
# timeout: 120
# live
set -u
export LC_ALL=C.UTF-8

if ! "${B:-build}/sixty" doctor --json | jq -e '.programs[] | select(.name == "sched_switch" and .status == "ok")' >/dev/null; then
	for t in a_client_that_reads a_client_that_polls a_datagram_client a_server a_subscriber; do
		echo "skip $t: the time of threads cannot be measured here (sixty doctor says why)"
	done
	exit 0
fi
exec python3 - "${B:-build}/sixty" <<'PY'
import json
import os
import signal
import socket
import subprocess
import sys
import time

PAUSE = 0.05


def serve_stream(listener, push):
    c, _ = listener.accept()
    while push:
        time.sleep(PAUSE)
        c.send(b"news")
    while c.recv(100):
        time.sleep(PAUSE)
        c.send(b"answer")


def serve_datagrams(s):
    while True:
        _, who = s.recvfrom(100)
        time.sleep(PAUSE)
        s.sendto(b"answer", who)


def ask(s):
    while True:
        s.send(b"question")
        s.recv(100)
        time.sleep(PAUSE)


def subscribe(s):
    s.send(b"tell me")
    while s.recv(100):
        pass


def child(what, *args):
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        try:
            what(*args)
        finally:
            os._exit(0)
    return pid


def account(pid):
    out = subprocess.run([sys.argv[1], "time", "-p", str(pid), "-d", "2", "--json"], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if out.returncode:
        return None, out.stderr.decode()
    return next(t for t in json.loads(out.stdout)["time"] if t["tid"] is None), ""


def check(name, pid, share):
    t, why = account(pid)
    if t:
        seen = t["awaiting_reply"] / t["threads"]
        if abs(seen - share) > 0.04:
            why = f"awaits replies for {seen:.3f} of its time, not {share}: {t}"
    print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)


def pair(server_end, client_end, name, share, server_name=None):
    server = child(*server_end)
    client = child(*client_end)
    time.sleep(0.3)
    check(name, client, share)
    if server_name:
        check(server_name, server, 0)
    for pid in (client, server):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def listen():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    # a service's port is below those that the kernel chooses for clients
    low = int(open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii").read().split()[0])
    for port in range(low - 1, 1024, -1):
        try:
            t = socket.socket()
            t.bind(("127.0.0.1", port))
            t.listen()
            return t, port
        except OSError:
            t.close()
    raise OSError("no port is free")


def stream(timeout, client, push):
    s, port = listen()
    return (serve_stream, s, push), (lambda: client(socket.create_connection(("127.0.0.1", port), timeout)),)


def main():
    # Python polls before it reads where there is a time-out.
    pair(*stream(None, ask, False), "a_client_that_reads", 0.5, "a_server")
    pair(*stream(5, ask, False), "a_client_that_polls", 0.5)
    pair(*stream(None, subscribe, True), "a_subscriber", 0)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    _, port = listen()
    s.bind(("127.0.0.1", port))
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.connect(("127.0.0.1", port))
    pair((serve_datagrams, s), (ask, c), "a_datagram_client", 0.5)


main()
PY
