# SPDX-License-Identifier: Apache-2.0
"""A terminal whose other side stops reading: the dashboard goes on, answers a key, and ends when it is told to."""
import fcntl, os, pty, select, signal, struct, sys, termios, time


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(x) for x in f.read().split()]


def readings(pid):
    """Bytes that it has read from files so far: grows with every refresh."""
    with open(f"/proc/{pid}/io") as f:
        return int(f.readline().split()[1])


pid, fd = pty.fork()
if not pid:
    os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", HOME="/nonexistent")
    os.execv(sys.argv[1], [sys.argv[1], "top", "-i", "0.1"])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 250, 0, 0))
deadline = time.monotonic() + 20
seen = b""
while b"verdict" not in seen and b"judg" not in seen and b"cpu" not in seen:
    if time.monotonic() > deadline:
        sys.exit("nothing was drawn")
    if select.select([fd], [], [], 0.1)[0]:
        seen += os.read(fd, 65536)
drawer = children(pid)[0]
# from here on nobody reads; changing screens makes sure that there is something to say
for i in range(40):
    os.write(fd, b"12"[i % 2:i % 2 + 1])
    time.sleep(0.05)
before = readings(drawer)
deadline = time.monotonic() + 15
while readings(drawer) < before + 20000:
    if time.monotonic() > deadline:
        os.kill(drawer, signal.SIGKILL)
        sys.exit("it has stopped reading the machine")
    time.sleep(0.1)
os.write(fd, b"q")
deadline = time.monotonic() + 15
while time.monotonic() < deadline:
    done, status = os.waitpid(pid, os.WNOHANG)
    if done:
        sys.exit(0 if os.waitstatus_to_exitcode(status) == 0 else f"exit status {status}")
    time.sleep(0.05)
os.kill(drawer, signal.SIGKILL)
sys.exit("q did not end it")
