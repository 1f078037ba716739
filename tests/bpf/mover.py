# SPDX-License-Identifier: Apache-2.0
"""mover.py DIR: says "ready PID"; on a line of standard input sends, receives, reads and writes as many bytes as it says then: "SENT RECEIVED READ WRITTEN"
(TCP, UDP, around the page cache, into it). Ends with standard input."""
import mmap
import os
import socket
import sys

MIB = 1 << 20
where = sys.argv[1]
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
one, other = socket.socketpair()
buffer = mmap.mmap(-1, MIB)
# not below it: a directory that changes is written, too
with open(f"{where}/moved", "wb") as f:
    f.write(os.urandom(4 * MIB))
    os.fsync(f.fileno())
direct = os.open(f"{where}/moved", os.O_RDONLY | os.O_DIRECT)
cached = os.open(f"{where}/moved", os.O_RDWR)


def receive(sock, size):
    got = 0
    while got < size:
        got += len(sock.recv(min(65536, size - got)))
    return got


print("ready", os.getpid(), flush=True)
while sys.stdin.readline():
    sent = received = read = written = 0
    for _ in range(100):
        client.sendall(b"x" * 30000)
        server.recv(10, socket.MSG_PEEK)        # moves nothing
        sent += 30000
        received += receive(server, 30000)
        sent += udp.sendto(b"x" * 1000, udp.getsockname())
        received += len(udp.recv(2000))
        one.send(b"x" * 5000)                   # not of the network
        other.recv(5000)
    for i in range(3):
        read += os.preadv(direct, [buffer], i * MIB)
    for i in range(2):
        written += os.pwrite(cached, b"y" * MIB, i * MIB)
    print(sent, received, read, written, flush=True)
