#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""captures.py SIXTY CAPTURE DIR [PREFIX]: replay captures that somebody broke, by accident or on purpose.

Each case copies a good capture, breaks one thing, and says what must come of it: either a report that is safe to print in every format,
or one line of error that names what is broken. A crash, a hang, a second line or a control byte is a failure."""
import glob
import json
import os
import random
import re
import shutil
import socket
import sys

from lib import finish, one_line_error, report, run, unsafe

SIXTY, BASE, WORK = sys.argv[1:4]
PREFIX = sys.argv[4] if len(sys.argv) > 4 else ""
CASES = []
ROUNDS = 60          # of random damage


def case(name, status, sentence=""):
    def add(fn):
        CASES.append((name, status, sentence, fn))
        return fn
    return add


def put(path, data):
    if os.path.lexists(path) and not os.path.isdir(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def get(path):
    with open(path, "rb") as f:
        return f.read()


def edit_meta(d, pattern, replacement):
    text = get(f"{d}/meta")
    new = re.sub(pattern.encode(), replacement.encode() if isinstance(replacement, str) else replacement, text, flags=re.M)
    assert new != text, pattern
    put(f"{d}/meta", new)


def steps(d):
    return sorted(glob.glob(f"{d}/[0-9][0-9][0-9][0-9]"))


def in_every_step(d, path, data):
    for s in steps(d):
        put(f"{s}/{path}", data)


def replace_by(path, make):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    make(path)


def sparse(size):
    def make(path):
        with open(path, "wb") as f:
            f.truncate(size)
    return make


# ---- meta ----

@case("no_directory", 1, "cannot open the directory")
def _(d):
    shutil.rmtree(d)


@case("a_file_instead_of_a_directory", 1, "not a directory")
def _(d):
    shutil.rmtree(d)
    put(d, "hello\n")


@case("an_empty_directory", 1, "sixty capture")
def _(d):
    shutil.rmtree(d)
    os.mkdir(d)


@case("an_empty_meta", 1, "format line")
def _(d):
    put(f"{d}/meta", "")


@case("a_binary_meta", 1, "format line")
def _(d):
    put(f"{d}/meta", bytes(range(256)) * 64)


@case("a_huge_meta", 1, "meta")
def _(d):
    put(f"{d}/meta", get(f"{d}/meta") + b"x y\n" * (1 << 20))


@case("a_sparse_meta", 1, "meta")
def _(d):
    replace_by(f"{d}/meta", sparse(100 << 20))


@case("a_fifo_as_meta", 1, "meta")
def _(d):
    replace_by(f"{d}/meta", os.mkfifo)


@case("a_directory_as_meta", 1, "meta")
def _(d):
    replace_by(f"{d}/meta", os.mkdir)


@case("a_meta_that_links_out", 1, "meta")
def _(d):
    replace_by(f"{d}/meta", lambda p: os.symlink("/etc/passwd", p))


@case("a_newer_format", 1, "use a newer sixty")
def _(d):
    edit_meta(d, r"^format \d+", "format 9999")


@case("no_format", 1, "format line")
def _(d):
    edit_meta(d, r"^format .*\n", "")


@case("only_one_reading", 1, "at least 2")
def _(d):
    edit_meta(d, r"^step 000[1-9].*\n", "")


@case("no_readings", 1, "at least 2")
def _(d):
    edit_meta(d, r"^step .*\n", "")


@case("time_goes_backwards", 1, "step")
def _(d):
    lines = get(f"{d}/meta").decode().splitlines()
    times = [line.split()[2] for line in lines if line.startswith("step ")]
    put(f"{d}/meta", "\n".join(line if not line.startswith("step ") else
                               f"step {line.split()[1]} {times[-1 - int(line.split()[1])]} {line.split()[3]}" for line in lines) + "\n")


@case("time_stands_still", 1, "step")
def _(d):
    edit_meta(d, r"^(step \d+) \d+", r"\1 5000000000")


@case("readings_out_of_order", 1, "step")
def _(d):
    edit_meta(d, r"^step 0001", "step 0007")


@case("time_jumps_by_centuries", 0)
def _(d):
    edit_meta(d, r"^step 0000 \d+ \S+", "step 0000 1 -9223372036854775808")
    last = len(steps(d)) - 1
    edit_meta(d, rf"^step {last:04} \d+ \S+", f"step {last:04} 18446744073709551615 9223372036854775807")


@case("more_readings_than_can_be", 1, "step")
def _(d):
    put(f"{d}/meta", get(f"{d}/meta") + "".join(f"step {n:04} {10 ** 18 + n} 0\n" for n in range(len(steps(d)), 5000)).encode())


@case("a_reading_is_missing", 1, "0001")
def _(d):
    shutil.rmtree(f"{d}/0001")


@case("no_processors", 1, "cpus")
def _(d):
    edit_meta(d, r"^cpus \d+", "cpus 0")


@case("four_billion_processors", 1, "cpus")
def _(d):
    edit_meta(d, r"^cpus \d+", "cpus 4294967297")


@case("no_clock_tick", 1, "ticks_per_second")
def _(d):
    edit_meta(d, r"^ticks_per_second \d+\n", "")


@case("a_page_of_nothing", 1, "page_size")
def _(d):
    edit_meta(d, r"^page_size \d+", "page_size 0")


@case("a_negative_size", 1, "memory_bytes")
def _(d):
    edit_meta(d, r"^memory_bytes \d+", "memory_bytes -1")


@case("another_architecture", 0)
def _(d):
    edit_meta(d, r"^arch .*", "arch aarch64")
    edit_meta(d, r"^page_size .*", "page_size 65536")
    edit_meta(d, r"^ticks_per_second .*", "ticks_per_second 1000")


@case("an_older_sixty", 0)
def _(d):
    edit_meta(d, r"^version .*", "version 0.0.1\nkey_that_went_away 17 4")


@case("control_bytes_in_every_name_of_meta", 0)
def _(d):
    for key in ("hostname", "kernel", "arch", "virtualization"):
        edit_meta(d, rf"^{key} .*", f"{key} \x1b]0;owned\x07\x1b[2J\u202eevil\u2028\x9b31m\x7f".encode() + b"\xff\xfe")


@case("very_long_names_in_meta", 0)
def _(d):
    for key in ("hostname", "kernel", "arch", "virtualization", "version"):
        edit_meta(d, rf"^{key} .*", f"{key} " + "n" * 60000)


# ---- readings that are not what they seem ----

SECRET = "/proc/sys/kernel/random/boot_id"


@case("readings_that_link_to_the_live_machine", 1, "000")
def _(d):
    for s in steps(d):
        replace_by(s, lambda p: os.symlink("/", p))


@case("readings_that_link_up", 1, "000")
def _(d):
    for s in steps(d):
        replace_by(s, lambda p: os.symlink("../../../../../../..", p))


@case("files_that_link_out", 0)
def _(d):
    for path in ("proc/stat", "proc/diskstats", "proc/net/dev", "proc/meminfo"):
        for s in steps(d):
            replace_by(f"{s}/{path}", lambda p: os.symlink(f"/{os.path.relpath(p, s)}", p))


@case("fifos_everywhere", 0)
def _(d):
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True):
            if os.path.isfile(path):
                replace_by(path, os.mkfifo)


@case("a_fifo_as_table", 1, "process.tsv")
def _(d):
    replace_by(f"{steps(d)[0]}/tables/process.tsv", os.mkfifo)


@case("sockets_and_directories_as_files", 0)
def _(d):
    def listener(path):
        here = os.getcwd()
        os.chdir(os.path.dirname(path))         # the path of a socket has 108 bytes at most
        try:
            socket.socket(socket.AF_UNIX).bind(os.path.basename(path))
        finally:
            os.chdir(here)
    for s in steps(d):
        replace_by(f"{s}/proc/stat", listener)
        replace_by(f"{s}/proc/meminfo", os.mkdir)
        replace_by(f"{s}/proc/net", lambda p: put(p, "a file\n"))


if os.getuid() == 0:
    @case("device_nodes_everywhere", 0)
    def _(d):
        for s in steps(d):
            for path in glob.glob(f"{s}/proc/**", recursive=True):
                if os.path.isfile(path):
                    replace_by(path, lambda p: os.mknod(p, 0o20666, os.makedev(1, 5)))      # /dev/zero


@case("sparse_files_of_100_MB", 0)
def _(d):
    for s in steps(d):
        for path in ("proc/stat", "proc/diskstats", "proc/net/snmp", "proc/mounts"):
            replace_by(f"{s}/{path}", sparse(100 << 20))


@case("a_sparse_table_of_100_MB", 1, "process.tsv")
def _(d):
    replace_by(f"{steps(d)[0]}/tables/process.tsv", sparse(100 << 20))


@case("a_table_that_is_too_large", 1, "process.tsv")
def _(d):
    replace_by(f"{steps(d)[0]}/tables/process.tsv", sparse(10 << 30))


@case("no_files_at_all", 0)
def _(d):
    for s in steps(d):
        shutil.rmtree(f"{s}/proc", ignore_errors=True)
        shutil.rmtree(f"{s}/sys", ignore_errors=True)
        shutil.rmtree(f"{s}/tables", ignore_errors=True)


@case("every_file_is_empty", 0)
def _(d):
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True) + glob.glob(f"{s}/sys/**", recursive=True):
            if os.path.isfile(path):
                put(path, "")


@case("every_file_ends_in_the_middle", 0)
def _(d):
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True) + glob.glob(f"{s}/sys/**", recursive=True):
            if os.path.isfile(path):
                data = get(path)
                put(path, data[:len(data) // 2])


@case("every_number_is_the_largest", 0)
def _(d):
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True):
            if os.path.isfile(path):
                put(path, re.sub(rb"\b\d+\b", b"18446744073709551615", get(path)))


@case("every_number_is_negative", 0)
def _(d):
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True):
            if os.path.isfile(path):
                put(path, re.sub(rb"\b(\d+)\b", rb"-\1", get(path)))


@case("every_counter_goes_down", 0)
def _(d):
    a, b = steps(d)[0], steps(d)[-1]
    shutil.move(a, f"{d}/x")
    shutil.move(b, a)
    shutil.move(f"{d}/x", b)


@case("files_of_nothing_but_control_bytes", 0)
def _(d):
    noise = bytes(range(1, 32)) + b"\x7f\x80\x9b\xff\n"
    for s in steps(d):
        for path in glob.glob(f"{s}/proc/**", recursive=True):
            if os.path.isfile(path):
                put(path, noise * 200)


@case("hostile_names_of_devices", 0)
def _(d):
    evil = "\x1b[31m\u202e\x07".encode() + b"\xff" + b"'\"<>&|,=+-@{}\\"
    grown = [str(10 ** 6), str(5 * 10 ** 6)]
    for s, n in ((steps(d)[0], grown[0]), (steps(d)[-1], grown[1])):
        put(f"{s}/proc/diskstats", b" 8 0 " + evil + (" " + n).encode() * 17 + b"\n")
        put(f"{s}/proc/net/dev", b"a|b\nc|d\n" + evil + b":" + (" " + n).encode() * 16 + b"\n")


@case("a_million_devices", 0)
def _(d):
    lines = b"".join(b"8 %d d%d 1 2 3\n" % (n, n) for n in range(10 ** 6))
    in_every_step(d, "proc/diskstats", lines[:16 << 20])


@case("seventy_thousand_processors", 0)
def _(d):
    cpu = b"".join(b"cpu%d 1 2 3 4 5 6 7 8 9 10\n" % n for n in range(70000))
    in_every_step(d, "proc/stat", b"cpu 1 2 3 4 5 6 7 8 9 10\n" + cpu + b"cpu18446744073709551615 1 2 3\ncpu-1 2 3\nctxt 5\n")


@case("lines_of_megabytes", 0)
def _(d):
    for path in ("proc/stat", "proc/diskstats", "proc/net/dev", "proc/net/snmp", "proc/vmstat", "proc/interrupts", "proc/softirqs",
                 "proc/schedstat", "proc/pressure/cpu", "proc/loadavg"):
        in_every_step(d, path, b"cpu0 " + b"1 " * (2 << 20) + b"\n")


# ---- tables ----

HEADER = "key\tbirth\tname"


@case("a_table_of_a_million_columns", 1, "process.tsv")
def _(d):
    put(f"{steps(d)[0]}/tables/process.tsv", HEADER + "\tproc.user" * 10 ** 6 + "\n")


@case("a_table_of_millions_of_rows", 1, "process.tsv")
def _(d):
    rows = b"".join(b"%d\t0\t=\n" % n for n in range(4 * 10 ** 6))
    put(f"{steps(d)[0]}/tables/process.tsv", HEADER.encode() + b"\n" + rows)


@case("a_table_with_the_header_of_another", 0)
def _(d):
    for s in steps(d):
        put(f"{s}/tables/process.tsv", HEADER + "\tdisk.reads\tno.such_metric\n5\t6\t=a\t1\t2\n")


@case("a_table_that_is_no_table", 1, "process.tsv")
def _(d):
    put(f"{steps(d)[0]}/tables/process.tsv", bytes(range(256)) * 100)


@case("a_row_that_ends_too_early", 1, "line 2")
def _(d):
    put(f"{steps(d)[0]}/tables/process.tsv", HEADER + "\tproc.user\n7\t8\n")


@case("a_thousand_rows_for_one_process", 0)
def _(d):
    for s in steps(d):
        put(f"{s}/tables/process.tsv", HEADER + "\tproc.user\n" + "7\t8\t=twin\t18446744073709551614\n" * 1000)


@case("hostile_names_of_processes", 0)
def _(d):
    names = ["\\x1b[2J\\x07", "a) 1 (b", "\u202eevil\u2066", "'; rm -rf ~; '", "$(reboot)", "=cmd|' /C calc'!A0", "<script>", "%s%n%d", "\\\\\\t\\n", "",
             "\x1b[31m", "é" * 100, "x" * 60000]
    for i, s in enumerate(steps(d)):
        rows = "".join(f"{n + 1}\t5\t={name}\t{i * 900 * (n + 1)}\t{i * 50}\t={name}\n" for n, name in enumerate(names))
        put(f"{s}/tables/process.tsv", (HEADER + "\tproc.user\tproc.system\tproc.cgroup\n" + rows).encode() )
        put(f"{s}/tables/cgroup.tsv", (HEADER + "\tcgroup.mem_current\n" + "".join(f"{n + 1}\t0\t={name}\tmax\n" for n, name in enumerate(names))).encode())
        put(f"{s}/tables/event.tsv", (HEADER + "\n" + "".join(f"{n + 1}\t0\t={name}\n" for n, name in enumerate(names))).encode())


@case("a_process_from_the_future", 0)
def _(d):
    for s in steps(d):
        put(f"{s}/tables/process.tsv", HEADER + "\tproc.user\n18446744073709551615\t18446744073709551615\t=late\tmax\n")


# ---- judging ----

def check_report(d):
    """Every format of the report is well-formed and safe to print."""
    for fmt in ("text", "json", "csv", "openmetrics"):
        ended = run([SIXTY, "triage", "--replay", d, "--format", fmt] + (["--verbose"] if fmt == "text" else []))
        if ended.crashed():
            return f"{fmt}: {ended.crashed()}"
        if ended.status:
            return f"{fmt}: exit status {ended.status}: {ended.err[:300]!r}"
        if ended.err:
            return f"{fmt}: noise on stderr: {ended.err[:200]!r}"
        why = unsafe(ended.out, b"\r\n" if fmt == "csv" else b"\n")
        if why:
            return f"{fmt}: {why}"
        if fmt == "json":
            try:
                json.loads(ended.out)
            except ValueError as e:
                return f"json: {e}"
        if fmt == "openmetrics" and not ended.out.endswith(b"# EOF\n"):
            return "openmetrics: does not end in # EOF"
    return ""


def damage(d, seed):
    """One to four random wounds."""
    rnd = random.Random(seed)
    files = sorted(p for p in glob.glob(f"{d}/**", recursive=True) if os.path.isfile(p))
    for _ in range(rnd.randint(1, 4)):
        path = rnd.choice(files)
        data = bytearray(get(path))
        at = rnd.randrange(len(data) + 1)
        how = rnd.randrange(6)
        if how == 0:
            data = data[:at]
        elif how == 1:
            data[at:at] = bytes(rnd.randrange(256) for _ in range(rnd.randint(1, 64)))
        elif how == 2 and data:
            for _ in range(rnd.randint(1, 20)):
                data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)
        elif how == 3:
            data = bytearray(re.sub(rb"\d+", lambda m: rnd.choice([b"", b"-1", b"0", b"18446744073709551616", b"9" * 40, b"nan", m[0]]), bytes(data)))
        elif how == 4:
            data *= rnd.randint(2, 20)
        else:
            data = bytearray(get(rnd.choice(files)))
        put(path, bytes(data))


def main():
    for name, status, sentence, breaks in CASES:
        d = f"{WORK}/case"
        shutil.copytree(BASE, d)
        breaks(d)
        if status:
            why = one_line_error(run([SIXTY, "triage", "--replay", d, "--json"]), sentence, status)
        else:
            why = check_report(d)
        report(f"{PREFIX}replay_of_{name}", why)
        if os.path.isdir(d):
            shutil.rmtree(d)
        elif os.path.lexists(d):
            os.unlink(d)
    bad = []
    for seed in range(ROUNDS):
        d = f"{WORK}/case"
        shutil.copytree(BASE, d)
        damage(d, seed)
        ended = run([SIXTY, "triage", "--replay", d, "--verbose"])
        why = unsafe(ended.out) or ended.crashed()
        if not why and ended.status:
            why = one_line_error(ended, "", 1)
        if why:
            bad.append(f"seed {seed}: {why}")
        shutil.rmtree(d)
    report(f"{PREFIX}replay_of_random_damage", "; ".join(bad))
    finish()


main()
