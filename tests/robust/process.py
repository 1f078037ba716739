#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""process.py SIXTY DIR: how sixty behaves as a process: signals, pipes, full disks, missing descriptors, little memory, few rights.

What it leaves behind is looked for in the session (setsid) that it is started in, in its directories, and in /proc/sys."""
import ctypes
import json
import os
import pty
import random
import re
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import time

from lib import environment, finish, one_line_error, report, run, skip, unsafe

SIXTY, WORK = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ROOT = os.geteuid() == 0
NOBODY = 65534


# ---- looking ----

def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def session_members(sid):
    """Processes of a session that are not dead."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", "rb") as f:
                rest = f.read().rsplit(b") ", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(rest[3]) == sid and rest[0] not in (b"Z", b"X"):
            found.append(int(pid))
    return found


def watching(pid):
    """Has the window begun: is there a timer?"""
    try:
        return any("timerfd" in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def settings():
    """Every setting below /proc/sys that somebody could have changed."""
    found = {}
    for top, _, names in os.walk("/proc/sys"):
        for name in names:
            path = os.path.join(top, name)
            try:
                mode = os.stat(path).st_mode
                if not mode & stat.S_IWUSR or not mode & stat.S_IRUSR or name in ("ns_last_pid", "stat_refresh"):
                    continue
                with open(path, "rb") as f:
                    found[path] = f.read(4096)
            except OSError:
                continue
    return found


def start(args, **popen):
    """In a session of its own, in an empty directory that is TMPDIR, too."""
    empty = f"{WORK}/empty"
    shutil.rmtree(empty, ignore_errors=True)
    os.mkdir(empty)
    popen.setdefault("stdout", subprocess.PIPE)
    popen.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen([SIXTY, *args], cwd=empty, env=environment(TMPDIR=empty), stdin=subprocess.DEVNULL, start_new_session=True,
                            **popen)


def left_behind(pid):
    if not wait_for(lambda: not session_members(pid), 10):
        return f"processes still run: {session_members(pid)}"
    files = os.listdir(f"{WORK}/empty")
    return f"files were left: {files}" if files else ""


def end(p, seconds=20):
    try:
        return p.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        p.kill()
        p.communicate()
        return None


def report_json(data):
    """Parse a report; raises ValueError when it is none."""
    found = json.loads(data)
    if found.get("schema") != "sixty.triage/1":
        raise ValueError("no triage report")
    return found


# ---- signals ----

def interrupted():
    p = start(["triage", "-d", "60", "--json"])
    if not wait_for(lambda: watching(p.pid)):
        p.kill()
        return "the window never began"
    time.sleep(2.5)         # something to have been seen, one second at least, when it had to load first
    p.send_signal(signal.SIGINT)
    sent = time.monotonic()
    got = end(p)
    if not got:
        return "still running 20 s after SIGINT"
    took = time.monotonic() - sent
    if p.returncode:
        return f"exit status {p.returncode}: {got[1][:200]!r}"
    if got[1]:
        return f"noise on stderr: {got[1][:200]!r}"
    seconds = report_json(got[0])["window"]["seconds"]
    if not 1 <= seconds < 30:
        return f"a window of {seconds} s"
    return left_behind(p.pid) or (f"took {took:.1f} s" if took > 5 else "")


def interrupted_at_once():
    """Before anything was seen: whatever is said is said clearly."""
    for delay in (0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2):
        p = start(["triage", "-d", "60"])
        time.sleep(delay)
        p.send_signal(signal.SIGINT)
        got = end(p)
        if not got:
            return f"still running after SIGINT at {delay} s"
        if p.returncode not in (0, -signal.SIGINT) or got[1]:
            return f"SIGINT at {delay} s: exit status {p.returncode}, stderr {got[1][:200]!r}"
        why = left_behind(p.pid)
        if why:
            return why
    return ""


def ended_by(number, args=(), statuses=(1,)):
    """What is left of it. Somebody else may change a setting at the same time, but not the same one twice."""
    why, changed = end_by(number, args, statuses)
    if not why and changed:
        why, again = end_by(number, args, statuses)
        changed &= again
    return why or (f"settings changed: {sorted(changed)}" if changed else "")


def end_by(number, args, statuses):
    before = settings()
    p = start(["triage", "-d", "60", *args])
    if not wait_for(lambda: watching(p.pid)):
        p.kill()
        return "the window never began", set()
    time.sleep(0.6)
    p.send_signal(number)
    got = end(p)
    if not got:
        return f"still running 20 s after {number.name}", set()
    if p.returncode not in statuses:
        return f"exit status {p.returncode} after {number.name}", set()
    if got[0]:
        return f"printed {len(got[0])} bytes after {number.name}", set()
    if got[1]:
        return f"noise on stderr: {got[1][:200]!r}", set()
    why = left_behind(p.pid)
    if why:
        return why, set()
    after = settings()
    return "", {k for k in before if before[k] != after.get(k, before[k])}


def on_a_terminal(number):
    """The picture on a terminal is gone afterwards, and the terminal is as it was."""
    master, slave = pty.openpty()
    import termios
    before = termios.tcgetattr(slave)
    p = subprocess.Popen([SIXTY, "triage", "-d", "60"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                         env=environment(TERM="xterm-256color"))
    shown = b""

    def drain():
        nonlocal shown
        while select.select([master], [], [], 0)[0]:
            shown += os.read(master, 65536)
        return shown
    why = ""
    if not wait_for(lambda: len(drain()) > 0, 20):
        why = "nothing was shown within 20 s"
    p.send_signal(number)
    if not wait_for(lambda: drain() is not None and p.poll() is not None, 20):
        why = why or f"still running after {number.name}"
        p.kill()
    p.wait()
    drain()
    if not why and termios.tcgetattr(slave) != before:
        why = "the terminal's settings were changed"
    if not why and shown.count(b"\x1b[?25l") > shown.count(b"\x1b[?25h"):
        why = "the cursor was hidden and not shown again"
    if not why and b"\x1b[?1049h" in shown and b"\x1b[?1049l" not in shown:
        why = "the alternate screen was not left"
    os.close(master)
    os.close(slave)
    return why or (f"processes still run: {session_members(p.pid)}" if not wait_for(lambda: not session_members(p.pid), 10) else "")


# ---- output ----

def closed_pipe(args):
    r, w = os.pipe()
    p = start(args, stdout=w)
    os.close(w)
    os.read(r, 1)
    os.close(r)
    got = end(p, 30)
    if not got:
        return "hangs"
    if p.returncode < 0:
        return f"killed by {signal.Signals(-p.returncode).name}"
    return f"noise on stderr: {got[1][:200]!r}" if got[1] else ""


def reader_gone_first(args):
    r, w = os.pipe()
    os.close(r)
    p = start(args, stdout=w)
    os.close(w)
    got = end(p, 30)
    if not got:
        return "hangs"
    if p.returncode < 0:
        return f"killed by {signal.Signals(-p.returncode).name}"
    return f"noise on stderr: {got[1][:200]!r}" if got[1] else ""


def full(args):
    with open("/dev/full", "wb") as f:
        return one_line_error(run([SIXTY, *args], stdout=f), "No space left on device")


def whole_or_not_at_all(capture):
    """Killed at any moment, the old file is there or the new one, never a part; and nothing else stays for long."""
    target, rnd = f"{WORK}/whole.json", random.Random(60)
    old = b'{"schema": "sixty.triage/1", "old": true}\n'
    seen = {"old": 0, "new": 0}
    began = time.monotonic()
    run([SIXTY, "triage", "--replay", capture, "--json", "-o", target])
    usual = time.monotonic() - began
    for i in range(60):
        with open(target, "wb") as f:
            f.write(old)
        p = subprocess.Popen([SIXTY, "triage", "--replay", capture, "--json", "-o", target], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        time.sleep(rnd.uniform(0, usual * 1.2))
        p.kill()
        p.wait()
        with open(target, "rb") as f:
            data = f.read()
        if data != old:
            try:
                report_json(data)
            except ValueError as e:
                return f"round {i}: {len(data)} bytes that are no report: {e}"
        seen["old" if data == old else "new"] += 1
    if not run([SIXTY, "triage", "--replay", capture, "--json", "-o", target]).status == 0:
        return "a later run fails"
    stay = [f for f in os.listdir(WORK) if f.startswith(".whole.json")]
    if stay:
        return f"files stay after a later run: {stay}"
    return "" if seen["old"] and seen["new"] else f"the kills all came too early or too late: {seen}"


def new_file(capture):
    """Watched while it comes: whenever there is a file, it is the whole report."""
    target = f"{WORK}/new.json"
    for _ in range(10):
        if os.path.exists(target):
            os.unlink(target)
        p = subprocess.Popen([SIXTY, "triage", "--replay", capture, "--json", "-o", target], stdin=subprocess.DEVNULL)
        while p.poll() is None:
            try:
                with open(target, "rb") as f:
                    data = f.read()
            except FileNotFoundError:
                continue
            try:
                report_json(data)
            except ValueError as e:
                return f"{len(data)} bytes were seen: {e}"
        if p.returncode:
            return f"exit status {p.returncode}"
        with open(target, "rb") as f:
            report_json(f.read())
        if stat.S_IMODE(os.stat(target).st_mode) & ~0o666:
            return f"mode {os.stat(target).st_mode:o}"
    return ""


def replaced_file(capture, name, prepare, check, prefix=()):
    """-o over something that is there already."""
    place = f"{WORK}/{name}"
    shutil.rmtree(place, ignore_errors=True)
    os.mkdir(place)
    target = f"{place}/x.json"
    prepare(target)
    ended = run([*prefix, SIXTY, "triage", "--replay", capture, "--json", "-o", target])
    noise = [line for line in ended.err.splitlines() if not line.startswith(b"strace: ")]
    if ended.crashed() or ended.status or noise:
        return ended.crashed() or f"exit status {ended.status}: {ended.err[:200]!r}"
    if prefix:
        with open(f"{WORK}/strace.log", encoding="utf-8") as f:
            if "(INJECTED)" not in f.read():
                return "strace changed nothing"
    with open(target, "rb") as f:
        report_json(f.read())
    names = os.listdir(place)
    return f"files: {names}" if names != ["x.json"] else check(target)


def private(target):
    with open(target, "w", encoding="ascii") as f:
        f.write("secret\n")
    os.chmod(target, 0o600)


def is_private(target):
    mode = stat.S_IMODE(os.stat(target).st_mode)
    return "" if mode == 0o600 else f"mode {mode:o}"


def with_old_part(target):
    """What a run leaves that was killed between link and rename."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    for path in (target, f"{os.path.dirname(target)}/.x.json.sixty-{dead.pid}"):
        with open(path, "w", encoding="ascii") as f:
            f.write("old\n")


def into_fifo(capture):
    """A named pipe is written to, not replaced."""
    fifo = f"{WORK}/fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        ended = run([SIXTY, "triage", "--replay", capture, "--json", "-o", fifo], 30)
        if not stat.S_ISFIFO(os.stat(fifo).st_mode):
            reader.kill()
            return "the named pipe was replaced"
        data = reader.communicate(timeout=30)[0]
    report_json(data)
    return ended.crashed() or (f"exit status {ended.status}" if ended.status else "")


def full_disk(capture):
    """A full file system: the old file stays, nothing else is left. In a mount namespace with a file system of 256 KiB."""
    script = (f'mount -t tmpfs -o size=256k none {WORK}/small && cd {WORK}/small && echo old >report && '
              f'{{ cat /dev/zero >fill 2>/dev/null; '
              f'"{SIXTY}" triage --replay "{capture}" --format openmetrics --verbose -o report; status=$?; '
              f'test "$(cat report)" = old || echo CHANGED >&2; '
              f'test "$(ls -A)" = "$(printf "fill\\nreport")" || echo LEFT "$(ls -A)" >&2; '
              f'rm fill; "{SIXTY}" triage --replay "{capture}" --json -o report && grep -q sixty.triage report || echo AFTER >&2; exit $status; }}')
    os.makedirs(f"{WORK}/small", exist_ok=True)
    return one_line_error(run(["unshare", "-m", "sh", "-c", script]), "No space left on device")


def capture_to_full_disk():
    script = (f'mount -t tmpfs -o size=16k none {WORK}/small && exec "{SIXTY}" capture -d 1 -n 2 {WORK}/small/c')
    os.makedirs(f"{WORK}/small", exist_ok=True)
    return one_line_error(run(["unshare", "-m", "sh", "-c", script]), "No space left on device")


def read_only_place():
    target = f"{WORK}/sealed"
    os.makedirs(target, exist_ok=True)
    os.chmod(target, 0o555)
    return one_line_error(run(as_nobody([SIXTY, "triage", "-d", "1", "-o", f"{target}/x"])), "Permission denied")


# ---- few rights and little room ----

def as_nobody(args):
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *args] if ROOT else args


def healthy_run(prefix, extra=(), **popen):
    """A report comes and nothing else."""
    ended = run([*prefix, SIXTY, "triage", "-d", "1", *extra], **popen)
    if ended.crashed():
        return ended, ended.crashed()
    if ended.status:
        return ended, f"exit status {ended.status}: {ended.err[:300]!r}"
    if ended.err:
        return ended, f"noise on stderr: {ended.err[:300]!r}"
    return ended, unsafe(ended.out)


def says_what_is_missing(prefix, words):
    """The report of somebody with few rights says what it could not see, and why."""
    ended, why = healthy_run(prefix, ["--verbose"])
    if why:
        return why
    text = " ".join(ended.out.decode().split()).lower()
    return "" if any(w in text for w in words) else f"none of {words} in: {text[-600:]}"


def runs_in(prefix):
    return healthy_run(prefix)[1]


def without_descriptors(which):
    """Started without 0, 1, 2 or all of them, the report still lands in the file that was named, and nowhere else."""
    target = f"{WORK}/report.{'_'.join(map(str, which))}"

    def close():
        for fd in which:
            os.close(fd)
    ended = run([SIXTY, "triage", "-d", "1", "--json", "-o", target], preexec_fn=close, stderr=subprocess.DEVNULL)
    if ended.crashed():
        return ended.crashed()
    if ended.status:
        return f"exit status {ended.status}"
    with open(target, "rb") as f:
        report_json(f.read())
    return ""


def without_stdout():
    return one_line_error(run([SIXTY, "triage", "-d", "1"], preexec_fn=lambda: os.close(1)), "Bad file descriptor")


def few_descriptors():
    for limit in (64, 32, 20, 12, 8, 6, 4):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        ended = run([SIXTY, "triage", "-d", "1", "--json"], preexec_fn=few)
        if ended.crashed():
            return f"{limit} descriptors: {ended.crashed()}"
        if ended.status == 0:
            try:
                report_json(ended.out)
            except ValueError as e:
                return f"{limit} descriptors: {e}"
        elif ended.status != 127 and (limit >= 20 or one_line_error(ended, "")):     # 127: not even the C library could be opened
            return f"{limit} descriptors: exit status {ended.status}, {ended.err[:200]!r}"
    return ""


def little_memory():
    """Less and less address space: a report, or one line, or the dynamic loader's complaint."""
    outcomes = set()
    for mib in (64, 40, 32, 24, 20, 16, 14, 12, 10, 8, 6):
        def small():
            resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))
        ended = run([SIXTY, "triage", "-d", "1", "--json"], preexec_fn=small)
        if ended.crashed():
            return f"{mib} MiB: {ended.crashed()}"
        if ended.status == 0:
            try:
                report_json(ended.out)
            except ValueError as e:
                return f"{mib} MiB: {e}"
        elif ended.status != 127 and one_line_error(ended, "memory"):
            return f"{mib} MiB: {one_line_error(ended, 'memory')}"
        outcomes.add(ended.status)
        if mib >= 64 and ended.status:
            return f"{mib} MiB is not enough: {ended.err[:200]!r}"
    return ""


def no_more_processes():
    """No child can be started: what needs one is unknown, the rest is there."""
    def alone():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setgroups([])
        os.setgid(61234)
        os.setuid(61234)
    return healthy_run([], preexec_fn=alone)[1]


def empty_root():
    """A chroot with the program and its libraries, and nothing else: nothing was read, so nothing is healthy."""
    jail = f"{WORK}/jail"
    shutil.rmtree(jail, ignore_errors=True)
    wanted = [SIXTY] + re.findall(r"(/\S+) \(0x", run(["ldd", SIXTY]).out.decode())
    for path in wanted:
        to = f"{jail}/sixty" if path == SIXTY else jail + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copy(path, to)
    ended = run(["chroot", jail, "/sixty", "triage", "-d", "1", "--json"])
    if ended.crashed():
        return ended.crashed()
    if ended.status:
        return one_line_error(ended, "/proc")
    status = report_json(ended.out)["verdict"]["status"]
    return "" if status == "inconclusive" else f"nothing could be read and the verdict is {status}"


def own_namespaces():
    return ["unshare", "-mpf", "--mount-proc"]


def in_mount_namespace(script):
    """sh -c SCRIPT in a private mount namespace, then the arguments."""
    return ["unshare", "-m", "sh", "-c", f'mount --make-rprivate / && {script} && exec "$@"', "sh"]


# ---- usage ----

def usage(args, sentence):
    return one_line_error(run([SIXTY, *args]), sentence, 2)


def main():
    base = f"{WORK}/capture"
    ended = run([SIXTY, "capture", "-d", "1", "-n", "2", base])
    report("a_capture_can_be_made", ended.crashed() or (ended.err if ended.status else ""))

    report("SIGINT_shows_what_was_seen_so_far", interrupted())
    report("SIGINT_at_any_time_is_quiet", interrupted_at_once())
    report("SIGTERM_leaves_nothing", ended_by(signal.SIGTERM))
    report("SIGHUP_leaves_nothing", ended_by(signal.SIGHUP))
    report("SIGTERM_leaves_no_file", ended_by(signal.SIGTERM, ["--json", "-o", "report.json"]))
    report("SIGKILL_leaves_nothing", ended_by(signal.SIGKILL, ["--json", "-o", "report.json"], (-signal.SIGKILL,)))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        report(f"{number.name}_leaves_the_terminal_as_it_was", on_a_terminal(number))

    for name, args in (("a_triage", ["triage", "--replay", base, "--verbose"]), ("help", ["--help"]),
                       ("openmetrics", ["triage", "--replay", base, "--format", "openmetrics"])):
        report(f"{name}_into_a_pipe_that_closes_is_quiet", closed_pipe(args))
        report(f"{name}_into_a_closed_pipe_is_quiet", reader_gone_first(args))
        report(f"{name}_onto_a_full_disk_says_so", full(args))
    report("an_output_device_that_is_full_is_named",
           one_line_error(run([SIXTY, "triage", "--replay", base, "-o", "/dev/full"]), "/dev/full: No space left on device"))
    report("output_appears_whole_or_not_at_all", new_file(base))
    report("output_is_replaced_whole_or_not_at_all", whole_or_not_at_all(base))
    report("a_private_output_file_stays_private", replaced_file(base, "private", private, is_private))
    report("parts_of_killed_runs_are_removed", replaced_file(base, "parts", with_old_part, lambda t: ""))
    report("a_named_pipe_is_written_to", into_fifo(base))
    # What NFS and FAT say, and a machine without /proc.
    for call, error in (("openat", "EOPNOTSUPP"), ("openat", "EISDIR"), ("linkat", "ENOENT")):
        for kind, prepare in (("a_new", lambda t: None), ("an_old", private)):
            name = f"output_to_{kind}_file_when_{call}_says_{error}"
            place, log = f"{WORK}/{name}/", f"{WORK}/strace.log"
            inject = ["strace", "-qq", "-o", log, "-P", place, "-P", place[:-1], "-e", f"inject={call}:error={error}"]
            if call == "linkat":
                inject = ["strace", "-qq", "-o", log, "-e", f"inject={call}:error={error}"]
            if not shutil.which("strace") or run([*inject, "true"]).status:
                skip(name, "strace is not here or cannot change what a call says")
            else:
                report(name, replaced_file(base, name, prepare, lambda t: "", inject))
    report("a_directory_that_does_not_exist_is_named",
           one_line_error(run([SIXTY, "triage", "--replay", base, "-o", "/no/such/place/x"]), "No such file"))
    report("a_directory_is_no_output_file", one_line_error(run([SIXTY, "triage", "--replay", base, "-o", WORK]), WORK))
    report("a_capture_into_a_full_directory_is_refused", one_line_error(run([SIXTY, "capture", "-d", "1", WORK]), "not empty"))
    report("a_capture_into_a_file_is_refused", one_line_error(run([SIXTY, "capture", "-d", "1", SIXTY]), SIXTY))

    for which in ((0,), (1,), (2,), (0, 1), (0, 1, 2)):
        report(f"without_descriptors_{'_'.join(map(str, which))}", without_descriptors(which))
    report("without_standard_output_says_so", without_stdout())
    report("with_few_descriptors", few_descriptors())
    if "/san/" in SIXTY:
        skip("with_little_memory", "the address sanitizer reserves terabytes")
    else:
        report("with_little_memory", little_memory())

    report("a_bad_number_is_named", usage(["-d", "soon"], "soon"))
    report("a_number_out_of_range_is_named", usage(["-d", "9999"], "60"))
    report("not_a_number_is_no_duration", usage(["-d", "nan"], "nan"))
    report("an_unknown_option_is_named", usage(["--no-such-option"], "no-such-option"))
    report("an_unknown_command_is_named", usage(["no-such-command"], "no-such-command"))
    report("an_unknown_format_is_named", usage(["--format", "xml"], "xml"))
    report("a_surplus_operand_is_named", usage(["triage", "surplus"], "surplus"))
    report("control_bytes_of_arguments_are_escaped", usage(["--\x1b[2J\x07evil"], "evil"))
    report("control_bytes_of_operands_are_escaped", usage(["triage", "\x1b]0;evil\x07"], "evil"))

    # A monitor must not take a run that failed for a finding.
    for name, args in (("that_could_not_run", ["--replay", "/no/such/place"]), ("with_a_wrong_option", ["-d", "soon"]),
                       ("with_a_wrong_format", ["--format", "xml"])):
        report(f"a_check_{name}_is_no_finding", one_line_error(run([SIXTY, "--check", *args]), "", 3))

    rooted = {
        "works_for_an_ordinary_user": lambda: says_what_is_missing(as_nobody([]), ["root"]),
        "an_unwritable_place_is_named": read_only_place,
        "a_full_disk_keeps_the_old_file": lambda: full_disk(base),
        "a_capture_onto_a_full_disk_says_so": capture_to_full_disk,
        "works_without_other_users_processes": lambda: says_what_is_missing(
            own_namespaces() + ["sh", "-c", 'mount -o remount,hidepid=2 /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', "sh"],
            ["root", "hidepid", "other users"]),
        "works_without_pressure": lambda: runs_in(in_mount_namespace("mount -t tmpfs none /proc/pressure")),
        "works_without_sys": lambda: runs_in(in_mount_namespace("mount -t tmpfs none /sys")),
        "works_without_cgroups": lambda: runs_in(in_mount_namespace("umount -l /sys/fs/cgroup")),
        "works_without_processes_to_start": no_more_processes,
        "works_in_its_own_namespaces": lambda: runs_in(own_namespaces()),
        "works_in_a_network_of_its_own": lambda: runs_in(["unshare", "-n"]),
        "nothing_is_healthy_in_an_empty_root": empty_root,
    }
    # A root that is no mount point, as after chroot, has no propagation that could be changed.
    lonely = bool(ROOT and run(["unshare", "-m", "true"]).status)
    with_mounts = {"a_full_disk_keeps_the_old_file", "a_capture_onto_a_full_disk_says_so", "works_without_other_users_processes",
                   "works_without_pressure", "works_without_sys", "works_without_cgroups", "works_in_its_own_namespaces"}
    for name, test in rooted.items():
        if not ROOT:
            skip(name, "needs root")
        elif lonely and name in with_mounts:
            skip(name, "no mount namespace can be made here (in a chroot?)")
        else:
            report(name, test())
    namespaces = {
        "works_in_a_user_namespace": ["unshare", "-Ur"],
        "works_in_a_user_namespace_as_nobody": ["unshare", "-U"],
        "works_in_a_container_without_privileges": ["unshare", "-Urmpf", "--mount-proc"],
    }
    for name, prefix in namespaces.items():
        if run([*as_nobody([]), *prefix, "true"]).status:
            skip(name, "this machine lets ordinary users make no user namespaces")
        else:
            report(name, runs_in(as_nobody([]) + prefix))
    finish()


main()
