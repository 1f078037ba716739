# SPDX-License-Identifier: Apache-2.0
"""What the robustness checks share: run a program with a deadline, say what is wrong with what it said."""
import os
import signal
import subprocess
import sys
import unicodedata

# A child that runs out of time has hung: nothing here takes longer than some seconds, sanitizers and a busy machine included.
DEADLINE = 60

results = {"bad": 0}


def report(name, why):
    """Print the result of one test; why is empty when it passed."""
    if why:
        results["bad"] += 1
        print(f"not ok {name}: {' '.join(str(why).split())[:400]}", flush=True)
    else:
        print(f"ok {name}", flush=True)


def skip(name, why):
    print(f"skip {name}: {why}", flush=True)


def finish():
    sys.exit(1 if results["bad"] else 0)


class Ended:
    """How a program ended: status (negative: killed by that signal, None: out of time), what it printed."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def crashed(self):
        if self.status is None:
            return f"not finished after {DEADLINE} s"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name}: {self.err[-200:]!r}"
        if b"Sanitizer" in self.err or b"runtime error" in self.err:
            return f"sanitizer: {self.err[:300]!r}"
        return ""


def environment(**extra):
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "LC_ALL")}
    env.update(LC_ALL="C.UTF-8", ASAN_OPTIONS="detect_leaks=1:exitcode=99:allocator_may_return_null=0", UBSAN_OPTIONS="print_stacktrace=1")
    env.update(extra)
    return env


def run(args, deadline=DEADLINE, **popen):
    popen.setdefault("stdin", subprocess.DEVNULL)
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    popen.setdefault("env", environment())
    p = subprocess.Popen([str(a) for a in args], **popen)
    try:
        out, err = p.communicate(timeout=deadline)
    except subprocess.TimeoutExpired:
        p.kill()
        out, err = p.communicate()
        return Ended(None, out or b"", err or b"")
    return Ended(p.returncode, out or b"", err or b"")


BIDI = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A)) | {0x2028, 0x2029}


def unsafe(data, newline=b"\n"):
    """The first thing in data that a terminal should not be given, or an empty string."""
    try:
        text = data.replace(newline, b"\n").decode("utf-8")
    except UnicodeDecodeError as e:
        return f"broken UTF-8 at byte {e.start}: {data[max(0, e.start - 20):e.start + 20]!r}"
    for i, c in enumerate(text):
        if c != "\n" and (unicodedata.category(c) == "Cc" or ord(c) in BIDI):
            return f"character {ord(c):#x} in {text[max(0, i - 20):i + 20]!r}"
    return ""


def one_line_error(ended, sentence, status=1):
    """Why this is not a clear failure, or an empty string."""
    lines = ended.err.decode("utf-8", "replace").splitlines()
    if ended.crashed():
        return ended.crashed()
    if ended.status != status:
        return f"exit status {ended.status} instead of {status}; {ended.err[:200]!r}"
    if len(lines) != 1:
        return f"{len(lines)} lines of error instead of one: {lines[:3]}"
    if not lines[0].startswith("sixty"):
        return f"the error does not say who speaks: {lines[0]}"
    if sentence.lower() not in lines[0].lower():
        return f"no \"{sentence}\" in: {lines[0]}"
    return unsafe(ended.err)
