#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""prove.py SIXTY WORKLOADS DIR [TEST…]: where sixty says that time went, against loads that know it.

Everything is compared with what the load, or the scheduler, measured in the very window, so that other work on the machine changes both sides."""
import contextlib
import ctypes
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from look import ELSEWHERE, IDLE, INVOLUNTARY, PARTS, QUOTA, Load, Look, at, between, schedstat  # pylint: disable=wrong-import-position

POINTS = 0.02       # of a thread's wall time
LEDGER = 0.005
SCHEDULER = 0.01
LOOK_NS = 1000      # a slice, between the scheduler's look at the clock and the switch
UNCLASSIFIED = 0.03

SIXTY, WORKLOADS, DIR = sys.argv[1:4]
CPUS = sorted(os.sched_getaffinity(0))


def say(name, wrong):
    print(f"not ok {name}: {' '.join(str(wrong).split())[:600]}" if wrong else f"ok {name}", flush=True)


class Skip(Exception):
    """Why a test cannot be done here."""


def skip(name, why):
    print(f"skip {name}: {why}", flush=True)


def run(*args):
    return subprocess.run([SIXTY, *args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120).stdout


def workload(name):
    return f"{WORKLOADS}/{name}"


# ---- what holds for every account ----

def ledger(look, account, threads, name):
    """The parts add up to the wall time, and that is the window's, thread by thread."""
    total, wall = account["total"], threads * (look.end - look.begin)
    wrong = []
    if abs(account.sum(*PARTS) - total) > LEDGER * total:
        wrong.append(f"parts add up to {account.sum(*PARTS) / 1e9:.4f} s of {total / 1e9:.4f} s")
    if abs(total - wall) > LEDGER * wall:
        wrong.append(f"{total / 1e9:.4f} s of {threads} × {look.seconds:.4f} s are accounted for")
    lost = account.sum(*INVOLUNTARY)
    if account["uninterruptible"] > UNCLASSIFIED * lost + 1e6:
        wrong.append(f"{account['uninterruptible'] / 1e9:.4f} s of {lost / 1e9:.4f} s lost are for an unknown reason")
    say(f"{name}_parts_add_up_to_wall_time", "; ".join(wrong))


def running(look, account, name, waking=None):
    """Between the scheduler's own account and that without what it has besides: interrupts, and the time from a wake-up to the switch on a CPU that
    was idle. The scheduler's slice begins with its last look at the clock, ours with the switch."""
    exec_ns, run = account["scheduler"], account["running"]
    if waking is None:
        waking = look.takers(account["pid"]).get(IDLE, 0)
    slack = SCHEDULER * exec_ns + LOOK_NS * account["slices"] + 1e6
    say(f"{name}_running_is_the_schedulers", "" if run - slack <= exec_ns <= run + account["stolen"] + waking + slack else
        f"running {run / 1e9:.4f} s, stolen {account['stolen'] / 1e9:.4f} s, waking {waking / 1e9:.4f} s, scheduler {exec_ns / 1e9:.4f} s")


# ---- parts known by construction ----

def by_thread(lines):
    threads = {}
    for tid, *sums in lines:
        threads.setdefault(tid, []).append(sums)
    return threads


def compare_parts(look, load, name, least):
    """Each part of the process against the sum of what its threads measured. least: shares that the load must really have had."""
    known = [0.0] * 5
    threads = by_thread(load.said())
    for points in threads.values():
        known = [k + v for k, v in zip(known, between(points, look.begin, look.end))]
    run, wait, sleep, futex, disk = known
    account, wrong = look.account(load.pid), []
    total = len(threads) * (look.end - look.begin)  # without the main thread, which waits for its standard input
    # for the scheduler, and so for the load, a thread runs from the moment that it is woken on an idle CPU
    waking = look.takers(load.pid).get(IDLE, 0)
    for what, want, parts in (("running", run - waking, ("running", "stolen")), ("runnable", wait + waking, ("runnable", "throttled")), ("sleep", sleep, ("timer",)),
                              ("futex", futex, ("futex",)), ("disk", disk, ("disk",))):
        got = account.sum(*parts) / total
        if abs(got - want / total) > POINTS:
            wrong.append(f"{what} {100 * got:.2f} % instead of {100 * want / total:.2f} %")
        if what in least and want / total < least[what]:
            wrong.append(f"the load itself had only {100 * want / total:.1f} % {what}")
        print(f"# {name}: {what} {100 * got:.2f} %, the load says {100 * want / total:.2f} %")
    say(f"{name}_parts_are_what_the_load_did", "; ".join(wrong))
    ledger(look, account, len(threads) + 1, name)
    running(look, account, name)


def direct_file():
    path = f"{DIR}/direct"
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(os.urandom(1 << 20) * 16)
            os.fsync(f.fileno())
    return path


def test_parts():
    """30 % running, 20 % asleep, 25 % on a futex, 15 % on the disk, 10 % on the run queue, where nothing else is on this CPU."""
    with Load(workload("parts"), 1, 100000, 30000, 20000, 25000, 15000, 10000, direct_file(), cpus=CPUS[:1]) as load:
        look = Look(SIXTY, 6).finish()
    compare_parts(look, load, "one_thread", {"running": 0.15, "runnable": 0.04, "sleep": 0.1, "futex": 0.1, "disk": 0.07})


def test_many():
    with Load(workload("parts"), 64, 200000, 1500, 60000, 80000, 8000, 0, direct_file()) as load:
        look = Look(SIXTY, 6).finish()
    compare_parts(look, load, "threads_64", {"sleep": 0.1, "futex": 0.1, "disk": 0.005})


def test_report():
    """What is printed: the rows of threads add up to their process's, parts to threads, and each thread is one second a second."""
    with Load(workload("parts"), 16, 100000, 2000, 30000, 30000, 0, 0, "-") as load:
        rows = json.loads(run("time", "--budget", "0", "-d", "3", "-p", str(load.pid), "--json"))["time"]
    process, threads = [t for t in rows if t["tid"] is None], [t for t in rows if t["tid"] is not None]
    keys = ("running_user", "running_system", "stolen", "runnable", "throttled", "awaiting_reply", "awaiting_work", "residual")
    wrong = [f"{t['tid']}: {t['threads']}" for t in rows if abs(t["threads"] - (1 if t["tid"] else 17)) > LEDGER * (1 if t["tid"] else 17)]
    wrong += [f"{t['tid']}: parts" for t in rows if abs(sum(t[k] for k in keys) + sum(t["blocked"].values()) - t["threads"]) > LEDGER * t["threads"]]
    if len(process) != 1 or len(threads) != 17:
        wrong.append(f"{len(process)} processes, {len(threads)} threads")
    # the kernel's ticks tell running in the kernel from running in the program: too few of them for a thread
    for each in (("running_user", "running_system"), ("stolen",), ("runnable",), ("throttled",)):
        got, want = (sum(t[k] for t in rows_ for k in each) for rows_ in (threads, process))
        if abs(got - want) > 0.001:
            wrong.append(f"{each}: {got} in threads, {want} in the process")
    say("a_thread_is_a_second_a_second", "; ".join(wrong))


@contextlib.contextmanager
def moving(tids, *every):
    """Threads are sent from CPU to CPU, on which they are left for so many seconds (in turn)."""
    stop = threading.Event()

    def move():
        n = 0
        while not stop.wait(every[n % len(every)]):
            n += 1
            for tid in tids:
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(tid, {CPUS[n % 2]})
    mover = threading.Thread(target=move)
    mover.start()
    try:
        yield
    finally:
        stop.set()
        mover.join()


def tasks(pid):
    return [int(t) for t in os.listdir(f"/proc/{pid}/task")]


def test_migrations():
    if len(CPUS) < 2:
        skip("migrations", "one CPU")
        return
    with Load(workload("spin"), 1, "beside0", cpus=CPUS[:1]), Load(workload("spin"), 1, "beside1", cpus=CPUS[1:2]), \
            Load(workload("parts"), 1, 60000, 15000, 5000, 8000, 0, 0, "-") as load, moving(tasks(load.pid), 0.007):
        look = Look(SIXTY, 6).finish()
    compare_parts(look, load, "migrations", {"running": 0.05, "runnable": 0.1})


# ---- all of the machine ----

def idle_ns():
    tick = 1e9 / os.sysconf("SC_CLK_TCK")
    with open("/proc/stat", encoding="ascii") as f:
        rows = [line.split() for line in f if line.startswith("cpu") and line[3].isdigit()]
    return [(int(r[4]) + int(r[5])) * tick for r in rows]


def test_cpus():
    """What all threads ran, what interrupts took from them, and idle time are all CPUs. Few wake-ups: /proc/stat does not count as idle what
    interrupts take of it. Some virtual machines do not show the first process to programs of the kernel: it is asked by itself."""
    with Load(workload("parts"), 2, 400000, 150000, 50000, 100000, 0, 0, "-"), Watch(lambda: (sum(idle_ns()), )) as watch:
        begin = sum(schedstat(tid, 1)[0] for tid in tasks(1))
        look = Look(SIXTY, 6).finish()
        unseen = sum(schedstat(tid, 1)[0] for tid in tasks(1)) - begin if not look.accounts(1) else 0
    idle, = between(watch.points, look.begin, look.end)
    everybody = look.everybody()
    known = everybody.sum("running", "stolen") + idle + unseen
    want = len(CPUS) * (look.end - look.begin)
    ticks = 2 * len(CPUS) * 1e9 / os.sysconf("SC_CLK_TCK")     # what /proc/stat does not resolve
    print(f"# cpus: threads {everybody.sum('running', 'stolen') / 1e9:.4f} s, idle {idle / 1e9:.4f} s, not shown {unseen / 1e9:.4f} s, of {want / 1e9:.4f} s")
    say("cpus_add_up", "" if abs(known - want) <= LEDGER * want + ticks else f"{known / 1e9:.4f} s of {want / 1e9:.4f} s")


# ---- quota ----

def cpu_controller():
    """(folder of the CPU controller, version)"""
    for line in open("/proc/self/mounts", encoding="utf-8"):
        _, at_, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpu" in options.split(","):
            return at_, 1
    return ("/sys/fs/cgroup", 2) if "cpu" in read("/sys/fs/cgroup/cgroup.controllers").split() else (None, 0)


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except OSError:
        return ""


def write(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(str(value))


class Group:
    """A control group of the CPU controller, removed at the end."""

    def __init__(self, name, above=None):
        base, self.version = cpu_controller()
        if not base:
            raise Skip("there is no CPU controller")
        self.path = f"{above.path if above else base}/{name}"
        if self.version == 2:
            write(f"{os.path.dirname(self.path)}/cgroup.subtree_control", "+cpu")
        os.makedirs(self.path, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        deadline = time.monotonic() + 10
        while True:
            try:
                os.rmdir(self.path)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def quota(self, quota_us, period_us):
        if self.version == 2:
            write(f"{self.path}/cpu.max", f"{quota_us} {period_us}")
        else:
            write(f"{self.path}/cpu.cfs_period_us", period_us)
            write(f"{self.path}/cpu.cfs_quota_us", quota_us)

    def weight(self, times_default):
        write(f"{self.path}/cpu.weight" if self.version == 2 else f"{self.path}/cpu.shares", int((100 if self.version == 2 else 1024) * times_default))

    def throttled_ns(self):
        stat = dict(line.split() for line in read(f"{self.path}/cpu.stat").splitlines())
        return int(stat["throttled_time"]) if "throttled_time" in stat else 1000 * int(stat["throttled_usec"])


class Watch(threading.Thread):
    """Reads sums that grow, with the moments at which they were read."""

    def __init__(self, read_sums, every=0.02):
        super().__init__(daemon=True)
        self.read_sums, self.every, self.points, self.stop = read_sums, every, [], threading.Event()

    def run(self):
        while True:
            before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            sums = self.read_sums()
            self.points.append(((before + time.clock_gettime_ns(time.CLOCK_BOOTTIME)) // 2, *sums))
            if self.stop.wait(self.every):
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.join()


def test_quota():
    """One busy thread on one CPU in a child of the group that has the quota: what it is throttled is what the group was."""
    with Group("prove_quota") as above, Group("leaf", above) as group:
        above.quota(30000, 100000)
        with Load(workload("spin"), 1, "throttled", cpus=CPUS[:1], group=group.path) as load, Watch(lambda: (above.throttled_ns(), )) as watch:
            time.sleep(0.3)
            look = Look(SIXTY, 6).finish()
        account = look.account(load.pid)
        want, got = between(watch.points, look.begin, look.end)[0] / 1e9 / look.seconds, account["throttled"] / 1e9 / look.seconds
        print(f"# quota: throttled {100 * got:.2f} %, cpu.stat says {100 * want:.2f} %, runnable {account['runnable'] / 1e7 / look.seconds:.2f} %")
        say("throttled_is_what_the_group_was", "" if abs(got - want) <= POINTS and want > 0.3 else f"{100 * got:.2f} % instead of {100 * want:.2f} %")
        missing = account["throttled"] - look.takers(load.pid).get(QUOTA, 0)    # what is still open has no taker yet
        say("throttled_has_its_taker", "" if -0.01 * account["throttled"] <= missing <= 0.01 * account["throttled"] + account["open"] else
            f"{most(look.takers(load.pid))} of {account['throttled'] / 1e9:.4f} s")
        ledger(look, account, 2, "throttled")
        running(look, account, "throttled")


# ---- births and deaths ----

def born(load, look):
    """(how many were born, their CPU time) in the window"""
    return between([(t, n, ns) for t, n, ns in load.said()], look.begin, look.end)


def test_threads_die():
    with Load(workload("spawn"), "thread", 4000, 3000) as load:
        time.sleep(0.2)
        look = Look(SIXTY, 5).finish()
        time.sleep(0.2)
    many, ns = born(load, look)
    account = look.account(load.pid)
    got = account.sum("running", "stolen")
    # besides: making and ending a thread, on both sides
    say("dead_threads_stay_with_their_process", "" if many > 50 and 0 <= got - ns + POINTS * ns <= POINTS * 2 * ns + 300e3 * many else
        f"{got / 1e9:.4f} s instead of {ns / 1e9:.4f} s in {many:.0f} threads")
    say("dead_threads_parts_add_up_to_their_wall_time", "" if abs(account.sum(*PARTS) - account["total"]) <= LEDGER * account["total"] else
        f"{account.sum(*PARTS)} of {account['total']}")
    running(look, account, "dead_threads")


def test_processes_die():
    with Load(workload("spawn"), "process", 4000, 3000) as load:
        time.sleep(0.2)
        look = Look(SIXTY, 5).finish()
        time.sleep(0.2)
    many, ns = born(load, look)
    account = look.account(load.pid, short_lived=True)
    got = account.sum("running", "stolen")
    print(f"# processes: {account['short_lived']} instead of {many:.1f}, {got / 1e9:.4f} s instead of {ns / 1e9:.4f} s")
    say("short_lived_processes_are_counted_with_their_parent", "" if many > 50 and abs(account["short_lived"] - many) <= 2 else
        f"{account['short_lived']} instead of {many:.1f}")
    say("short_lived_processes_time_is_with_their_parent", "" if 0 <= got - ns + POINTS * ns <= POINTS * 2 * ns + 600e3 * many else
        f"{got / 1e9:.4f} s instead of {ns / 1e9:.4f} s")
    # they were victims under their own numbers, of which nothing else is left
    known = {last["time.pid"] for _, last in look.rows.values()}
    running(look, account, "short_lived_processes", sum(ns for (victim, offender), ns in look.pairs.items() if offender == IDLE and victim not in known))


def test_too_many_names():
    """More different names than the kernel's table has room for: the rest is in a row of its own."""
    with Load(workload("spawn"), "named", 100, 0) as load:
        look = Look(SIXTY, 7)
        wait_until(lambda: load.said_last()[1] > 4600, 20)
        look.finish()
        time.sleep(0.1)
    many, ns = born(load, look)
    if many < 4400:
        skip("too_many_names", f"only {many:.0f} processes could be made in {look.seconds:.0f} s")
        return
    named = look.accounts(load.pid, short_lived=True)
    got = sum(a.sum("running", "stolen") for a in named + look.accounts(0))
    print(f"# names: {len(named)} rows of {many:.0f}, {got / 1e9:.3f} s of {ns / 1e9:.3f} s and birth and death")
    say("what_finds_no_room_is_not_lost", "" if len(named) < many and look.accounts(0) and ns * (1 - POINTS) <= got <= ns * (1 + POINTS) + 600e3 * many else
        f"{len(named)} rows of {many:.0f}, {got / 1e9:.3f} s of {ns / 1e9:.3f} s")


# ---- a storm of switches ----

def test_storm():
    loads = [Load(workload("spin"), "-y", 2, f"storm{cpu}", cpus=[cpu]) for cpu in CPUS]
    with contextlib.ExitStack() as stack:
        for load in loads:
            stack.enter_context(load)
        with Watch(lambda: [sum(schedstat(t, load.pid)[i] for load in loads for t in load.ids[1:]) for i in range(3)]) as watch:
            look = Look(SIXTY, 5).finish()
    ran, waited, slices = between(watch.points, look.begin, look.end)
    accounts = [look.account(load.pid) for load in loads]
    total = {k: sum(a[k] for a in accounts) for k in ("running", "stolen", "runnable", "throttled", "slices", "scheduler")}
    seconds = look.seconds
    print(f"# storm: {total['slices'] / seconds:.0f} switches a second of {slices / seconds:.0f}, running {total['running'] / 1e9:.3f} s + stolen "
          f"{total['stolen'] / 1e9:.3f} s of {ran / 1e9:.3f} s, waiting {total['runnable'] / 1e9:.3f} s of {waited / 1e9:.3f} s")
    say("storm_every_switch_is_seen", "" if abs(total["slices"] - slices) <= 0.01 * slices else f"{total['slices']} of {slices:.0f}")
    span = 2 * len(loads) * seconds * 1e9
    say("storm_running_is_the_schedulers", "" if abs(total["running"] + total["stolen"] - ran) <= POINTS * span else f"{total} instead of {ran / 1e9:.3f} s")
    say("storm_waiting_is_the_schedulers", "" if abs(total["runnable"] - waited) <= POINTS * span else f"{total} instead of {waited / 1e9:.3f} s")
    for i, (load, account) in enumerate(zip(loads, accounts)):
        ledger(look, account, 3, f"storm_{i}")


# ---- who took it ----

def named_share(look, victim, offenders):
    """The first one's part of what all of them took from the victim."""
    takers = look.takers(victim)
    got = [takers.get(o, 0) for o in offenders]
    return got[0] / sum(got) if sum(got) else float("nan")


def most(takers, n=6):
    return {k: round(ns / 1e9, 4) for k, ns in sorted(takers.items(), key=lambda t: -t[1])[:n]}


def conserved(look, victim, name):
    """A wait is charged when it ends: what is open at the end of the window, is not yet."""
    account = look.account(victim)
    waited, taken = account.sum("runnable", "throttled"), sum(look.takers(victim).values())
    say(f"{name}_takers_add_up_to_the_wait", "" if -0.01 * waited <= waited - taken <= 0.01 * waited + account["open"] else
        f"{taken / 1e9:.4f} s of {waited / 1e9:.4f} s, {account['open'] / 1e9:.4f} s open: {most(look.takers(victim))}")


def attributed(look, watch, victim, offenders, name, tolerance=0.05):
    """Shares of the takers, against CPU time that they used in the window by the scheduler."""
    used = between(watch.points, look.begin, look.end)
    want, got = used[0] / sum(used), named_share(look, victim, offenders)
    print(f"# {name}: {100 * got:.1f} % to the first, which ran {100 * want:.1f} %; takers "
          f"{most(look.takers(victim))} of {look.account(victim)['runnable'] / 1e9:.3f} s")
    say(f"{name}_offenders_have_their_shares", "" if abs(got - want) <= tolerance else f"{100 * got:.1f} % instead of {100 * want:.1f} %")
    conserved(look, victim, name)


def ran_by(loads):
    return lambda: [sum(schedstat(t, load.pid)[0] for t in load.ids[1:]) for load in loads]


def test_offenders():
    """Three to one by the weights of their groups, on one CPU."""
    with Group("prove_heavy") as heavy, Group("prove_light") as light:
        heavy.weight(3)
        with Load(workload("spin"), 1, "heavy", cpus=CPUS[:1], group=heavy.path) as a, Load(workload("spin"), 1, "light", cpus=CPUS[:1], group=light.path) as b, \
                Load(workload("spin"), 1, "victim", cpus=CPUS[:1]) as v, Watch(ran_by((a, b))) as watch:
            time.sleep(0.3)
            look = Look(SIXTY, 6).finish()
        attributed(look, watch, v.pid, (a.pid, b.pid), "one_cpu")


def test_migrated_waits():
    """Three hogs on each of two CPUs, and their victim is on the first for three quarters of the time. What it waited on one CPU before it was sent
    to the other is nobody's there."""
    if len(CPUS) < 2:
        skip("migrated_waits", "one CPU")
        return
    with contextlib.ExitStack() as stack:
        hogs = [stack.enter_context(Load(workload("spin"), 3, f"hogs{cpu}", cpus=[cpu])) for cpu in CPUS[:2]]
        v = stack.enter_context(Load(workload("spin"), 1, "victim"))
        with moving(v.ids[1:], 0.018, 0.006), Watch(lambda: (schedstat(v.ids[1], v.pid)[1], )) as watch:
            look = Look(SIXTY, 5).finish()
    waited, = between(watch.points, look.begin, look.end)
    takers = look.takers(v.pid)
    a, b, elsewhere = (takers.get(k, 0) for k in (hogs[0].pid, hogs[1].pid, ELSEWHERE))
    print(f"# migrated: {a / 1e9:.3f} s on the first, {b / 1e9:.3f} s on the second, {elsewhere / 1e9:.3f} s before a migration, of {waited / 1e9:.3f} s")
    # it leaves the second after 6 ms: no wait that ended there was longer
    visits = look.seconds / 0.024
    say("waits_before_a_migration_are_nobodys", "" if elsewhere > 0.02 * waited and b <= 0.010e9 * visits else f"{most(takers)} of {waited / 1e9:.3f} s")
    conserved(look, v.pid, "migrated")


def test_offenders_moving():
    """The same on two CPUs, and the victim is sent from one to the other; beside them a group that runs into its quota."""
    if len(CPUS) < 2:
        skip("offenders_moving", "one CPU")
        return
    with Group("prove_heavy") as heavy, Group("prove_light") as light, Group("prove_quota") as limited, contextlib.ExitStack() as stack:
        heavy.weight(3)
        limited.quota(5000, 50000)
        hogs = [[stack.enter_context(Load(workload("spin"), 1, name, cpus=[cpu], group=group.path)) for cpu in CPUS[:2]]
                for name, group in (("heavy", heavy), ("light", light))]
        stack.enter_context(Load(workload("spin"), 2, "limited", group=limited.path))
        v = stack.enter_context(Load(workload("spin"), 1, "victim"))
        with moving(v.ids[1:], 0.05), Watch(lambda: [sum(schedstat(t, h.pid)[0] for h in pair for t in h.ids[1:]) for pair in hogs]) as watch:
            time.sleep(0.3)
            look = Look(SIXTY, 6).finish()
        takers = look.takers(v.pid)
        got = [sum(takers.get(h.pid, 0) for h in pair) for pair in hogs]
        used = between(watch.points, look.begin, look.end)
        want = used[0] / sum(used)
        print(f"# moving: {100 * got[0] / sum(got):.1f} %, they ran {100 * want:.1f} %; {most(takers)} of {look.account(v.pid)['runnable'] / 1e9:.3f} s")
        say("moving_offenders_have_their_shares", "" if abs(got[0] / sum(got) - want) <= 0.05 else f"{100 * got[0] / sum(got):.1f} % instead of {100 * want:.1f} %")
        say("moving_most_has_a_name", "" if sum(ns for k, ns in takers.items() if k > 0) >= 0.5 * sum(takers.values()) else f"{most(takers)}")
        conserved(look, v.pid, "moving")


def test_kernel_offender():
    """The thread that looks for equal pages of memory is a busy kernel thread, when it is told to be."""
    base = "/sys/kernel/mm/ksm"
    pid = next((int(d) for d in os.listdir("/proc") if d.isdigit() and read(f"/proc/{d}/comm") == "ksmd\n"), None)
    if pid is None or read(f"{base}/run").strip() != "0":
        skip("kernel_offender", "no ksmd, or it is at work already")
        return
    old = {f: read(f"{base}/{f}").strip() for f in ("pages_to_scan", "sleep_millisecs", "run")}
    with Load(sys.executable, f"{HERE}/mergeable.py", 512, cpus=CPUS[:1]), Load(workload("spin"), 1, "victim", cpus=CPUS[:1]) as v:
        affinity = os.sched_getaffinity(pid)
        try:
            os.sched_setaffinity(pid, CPUS[:1])
            for f, value in (("pages_to_scan", 1000), ("sleep_millisecs", 0), ("run", 1)):
                write(f"{base}/{f}", value)
            with Watch(lambda: (schedstat(pid)[0], schedstat(v.ids[1], v.pid)[1])) as watch:
                look = Look(SIXTY, 5).finish()
        finally:
            for f, value in old.items():
                write(f"{base}/{f}", value)
            write(f"{base}/run", 2)
            write(f"{base}/run", 0)
            os.sched_setaffinity(pid, affinity)
    ran, waited = between(watch.points, look.begin, look.end)
    got = look.takers(v.pid).get(pid, 0)
    print(f"# kernel thread: took {got / 1e9:.3f} s of a wait of {waited / 1e9:.3f} s, ran {ran / 1e9:.3f} s")
    # what it ran while its victim did, it ran on the victim's CPU: all but nothing
    say("a_kernel_thread_is_an_offender", "" if ran > 0.2e9 and abs(got - ran) <= 0.05 * waited + 0.05 * ran else
        f"took {got / 1e9:.3f} s, ran {ran / 1e9:.3f} s of {waited / 1e9:.3f} s")
    conserved(look, v.pid, "kernel_thread")


def test_nobody_loses():
    """Workers that wait for work and spinners at nice 19: a machine without a complaint."""
    with Load(workload("spin"), "-w", 4, "idleworkers") as idle, Load(workload("spin"), 4, "niced", nice=19) as niced:
        found = json.loads(run("triage", "--budget", "0", "-d", "4", "--json"))
    lost = [t for t in found["time"] if t["pid"] == idle.pid and t["runnable"] + sum(t["blocked"].values()) > 0.01]
    say("idle_workers_lose_nothing", f"{lost}" if lost else "")
    ids = {idle.pid, niced.pid}
    blamed = [f["summary"] for f in found["findings"] if f["severity"] != "info" and any(w.get("pid") in ids for w in f["victims"])]
    say("niced_spinners_are_no_victims", f"{blamed}" if blamed else "")


# ---- what it moved ----

def test_bytes():
    """All of it within the window."""
    with Load(sys.executable, f"{HERE}/mover.py", DIR) as load:
        look = Look(SIXTY, 3)
        time.sleep(1.5)
        load.process.stdin.write(b"\n")
        load.process.stdin.flush()
        look.finish()
        wait_until(lambda: load.lines, 10)
        want = load.said()[0]
    first, last = next((a, b) for a, b in look.rows.values() if b["time.pid"] == load.pid and b["time.tid"] is None)
    names = ("sent", "received", "io_read", "io_written")
    got = [None if last[f"time.{n}"] is None else last[f"time.{n}"] - (first[f"time.{n}"] or 0 if first else 0) for n in names]
    print(f"# bytes: {dict(zip(names, got))}, the load says {want}")
    if got[0] is None:
        skip("network_bytes_are_what_was_moved", "no trace points sock_send_length and sock_recv_length (6.3)")
    else:
        say("network_bytes_are_what_was_moved", "" if got[:2] == want[:2] else f"{got[:2]} instead of {want[:2]}")
    if got[2] is None:
        skip("disk_bytes_are_what_was_moved", "the kernel does not account for block I/O by thread")
    else:
        # besides: blocks of the file system's own
        say("disk_bytes_are_what_was_moved", "" if all(0 <= g - w <= 1 << 17 for g, w in zip(got[2:], want[2:])) else f"{got[2:]} instead of {want[2:]}")


# ---- why it waited ----

REASONS = ("behind", "confined", "passed_over", "woken", "drowsy", "realtime", "interrupts", "steal")


def reasons(look, pid):
    """Seconds per second of waiting by reason, and all of it."""
    first, last = next((a, b) for a, b in look.rows.values() if b["time.pid"] == pid and b["time.tid"] is None)
    took = {r: (last[f"time.queued.{r}"] - (first[f"time.queued.{r}"] if first else 0)) / 1e9 / look.seconds for r in REASONS}
    return took, look.account(pid)["runnable"] / 1e9 / look.seconds


class Idle:
    """How much of these CPUs (by their place) was idle, while it lasted."""

    def __init__(self, which):
        self.which = which

    def __enter__(self):
        self.before, self.began = idle_ns(), time.monotonic_ns()
        return self

    def __exit__(self, *_):
        self.share = sum(b - a for a, b in zip(self.before[self.which], idle_ns()[self.which])) / (time.monotonic_ns() - self.began)

    def enough(self, name, least=0.8):
        if self.share < least:
            skip(name, f"the CPU that should be idle was so for {100 * self.share:.0f} % of the time")
        return self.share >= least


def because(look, pid, reason, name, least=0.8):
    """Nearly all of a wait that was long has this reason."""
    took, waited = reasons(look, pid)
    print(f"# {name}: waited {waited:.3f} s/s, {look.account(pid)['stolen'] / 1e9 / look.seconds:.3f} stolen: " + ", ".join(f"{r} {s:.3f}" for r, s in took.items() if s >= 0.0005))
    say(name, "" if waited > 0.2 and took[reason] >= least * waited and sum(took.values()) <= 1.01 * waited + 0.001 else f"{took} of {waited:.3f} s/s")


def spin(stack, n, name, cpu=None):
    return stack.enter_context(Load(workload("spin"), n, name, cpus=None if cpu is None else [cpu]))


def test_reasons():
    if len(CPUS) < 2:
        skip("reasons", "one CPU")
        return
    with contextlib.ExitStack() as stack:
        confined = spin(stack, 4, "confined", CPUS[0])
        name = "waits_beside_idle_cpus_that_are_out_of_bounds_are_told"
        with Idle(slice(1, None)) as idle:
            look = Look(SIXTY, 3).finish()
        if idle.enough(name):
            because(look, confined.pid, "confined", name)
    with contextlib.ExitStack() as stack:
        crowd = spin(stack, 4 * len(CPUS), "crowd")
        took, waited = reasons(Look(SIXTY, 5).finish(), crowd.pid)
        told = sum(took.values())       # not all: where many others run in turns, the CPU does not remember half of such a wait
        print(f"# crowd: waited {waited:.3f} s/s: {took}")
        say("waits_on_a_full_machine_are_behind_others", "" if 0.1 * waited < told <= 1.01 * waited and took["behind"] >= 0.9 * told else f"{took} of {waited:.3f} s/s")
    with contextlib.ExitStack() as stack:
        for cpu in CPUS:
            spin(stack, 1, "beside", cpu)
        victim, hog = spin(stack, 1, "victim", CPUS[0]), spin(stack, 1, "hog", CPUS[0])
        try:
            os.sched_setscheduler(hog.ids[1], os.SCHED_RR, os.sched_param(1))
        except OSError as e:
            raise Skip(f"no real-time priority: {e.strerror}") from e
        # each of these waits is nearly a second long, and nobody has seen all of the first
        because(Look(SIXTY, 6).finish(), victim.pid, "realtime", "waits_behind_real_time_threads_are_told", 0.6)


def test_drowsy():
    """How late the sleeps end, by the sleeper's own clock, is what it waited for its idle CPU, but for timers that are late themselves: a CPU that is woken by
    something else is as slow, and a timer that is due meanwhile waits with it, of which the sleeper knows as little as the scheduler."""
    for late, name in ((3000, "a_cpu_that_wakes_up_slowly_is_told"), (0, "a_cpu_that_wakes_up_is_not")):
        try:
            load = Load(workload("drowsy"), "idle", CPUS[0], late)
        except RuntimeError as e:
            raise Skip(f"no program at cpu_idle: {e}") from e
        with load:
            time.sleep(0.3)
            with Idle(slice(1)) as idle:
                look = Look(SIXTY, 3).finish()
            time.sleep(0.2)
        if not idle.enough(name, 0.4):
            continue
        want, (took, waited) = between(load.said(), look.begin, look.end)[0] / 1e9 / look.seconds, reasons(look, load.pid)
        print(f"# {name}: {want:.3f} s/s late, waited {waited:.3f} s/s, drowsy {took['drowsy']:.3f}, woken {took['woken']:.3f}")
        if late:
            say(name, "" if want > 0.2 and 0.2 * want <= waited <= 1.05 * want and took["drowsy"] >= 0.7 * waited else f"{took} of {waited:.3f}, {want:.3f} s/s late")
        else:
            say(name, "" if took["drowsy"] <= 0.05 else f"{took}")


def test_interrupts():
    """Soft interrupts that take about half of a CPU on which two threads compute."""
    with contextlib.ExitStack() as stack:
        for cpu in CPUS[1:]:
            spin(stack, 1, "beside", cpu)
        try:
            stack.enter_context(Load(workload("drowsy"), "softirq", CPUS[0], 12000))
        except RuntimeError as e:
            raise Skip(f"no program at softirq_exit: {e}") from e
        victim = spin(stack, 3, "victim", CPUS[0])
        look, name = Look(SIXTY, 3).finish(), "waits_for_interrupts_are_told"
        stolen, ran = (look.account(victim.pid)[p] / 1e9 / look.seconds for p in ("stolen", "running"))
        if stolen < 0.2 or stolen + ran < 0.7:
            skip(name, f"soft interrupts took {100 * stolen:.0f} % of the CPU from threads that had {100 * (stolen + ran):.0f} % of it")
        else:
            because(look, victim.pid, "interrupts", name, 0.4)


@contextlib.contextmanager
def unbalanced():
    """No load is balanced, whatever becomes of us: a child puts it back when its standard input ends."""
    knob = next((k for k in ("/sys/fs/cgroup/cpuset/cpuset.sched_load_balance", "/sys/fs/cgroup/cpuset/sched_load_balance") if os.path.exists(k)), None)
    if not knob or read(knob).strip() != "1":
        raise Skip("the kernel's balancing of load cannot be switched off here (cpuset of cgroup v1)")
    with subprocess.Popen(["sh", "-c", f"cat >/dev/null; echo 1 >{knob}"], stdin=subprocess.PIPE, start_new_session=True) as guard:
        write(knob, 0)
        try:
            yield
        finally:
            guard.stdin.close()
            guard.wait()


def test_imbalance():
    """Threads that were started on one CPU may go to the other, and are not sent there."""
    if len(CPUS) < 2:
        skip("imbalance", "one CPU")
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(unbalanced())
        load = spin(stack, 3, "left", CPUS[0])
        for tid in load.ids:
            os.sched_setaffinity(tid, CPUS)
        name = "waits_beside_idle_cpus_are_told"
        with Idle(slice(1, None)) as idle:
            look = Look(SIXTY, 3).finish()
        if not idle.enough(name):
            return
        because(look, load.pid, "passed_over", name)
        found = json.loads(run("triage", "--budget", "0", "-d", "3", "--json"))["findings"]
    got = [f for f in found if f["id"] == "cpu.scheduler_imbalance"]
    say("imbalance_is_found", "" if got and got[0]["victims"][0]["pid"] == load.pid else f"{[(f['id'], f['summary']) for f in found]}")


# ---- nothing is left, nobody is in the way ----

BPF = {"prog": (11, 13), "map": (12, 14), "link": (31, 30)}     # BPF_*_GET_NEXT_ID, BPF_*_GET_FD_BY_ID
libc = ctypes.CDLL(None, use_errno=True)
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def bpf_ids(kind):
    """Everything of a kind that the kernel has."""
    found, attr = set(), ctypes.create_string_buffer(128)
    while True:
        struct.pack_into("II", attr, 0, max(found, default=0), 0)
        if libc.syscall(SYS_BPF, BPF[kind][0], attr, 12):
            return found
        found.add(struct.unpack_from("I", attr, 4)[0])


def ids_of(pid):
    """{(kind, id)} that the descriptors of a process hold"""
    found = set()
    fds = []
    with contextlib.suppress(OSError):      # it has ended
        fds = os.listdir(f"/proc/{pid}/fdinfo")
    for fd in fds:
        for line in read(f"/proc/{pid}/fdinfo/{fd}").splitlines():
            word = line.split(":")[0]
            if word in ("prog_id", "map_id", "link_id"):
                found.add((word[:-3], int(line.split()[-1])))
    return found


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_killed():
    """SIGKILL in the middle of a window: the kernel has nothing more of it."""
    with subprocess.Popen([SIXTY, "triage", "-d", "30", "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sixty:
        held = set()

        def ready():
            held.update(ids_of(sixty.pid))
            return {k for k, _ in held} == set(BPF) and os.path.exists(f"/proc/{sixty.pid}/fd")
        loaded = wait_until(ready, 20)
        time.sleep(1)
        held |= ids_of(sixty.pid)
        sixty.kill()
    left = set()

    def gone():
        left.clear()
        left.update(held & {(kind, i) for kind in BPF for i in bpf_ids(kind)})
        return not left
    say("nothing_is_left_after_sigkill", "" if loaded and len(held) > 10 and wait_until(gone, 20) else f"of {len(held)} objects {left} are left")


def test_two_at_once():
    """Two look at the same time: both see the same load."""
    with Load(workload("parts"), 2, 100000, 20000, 20000, 30000, 0, 0, "-") as load:
        looks = [Look(SIXTY, 5) for _ in range(2)]
        for look in looks:
            look.finish()
    for i, look in enumerate(looks):
        compare_parts(look, load, f"at_once_{i}", {"running": 0.1, "sleep": 0.1, "futex": 0.1})


def test_beside_others():
    """Another program with programs at the same events changes nothing."""
    others = [[tool, *args] for tool, *args in (("bpftrace", "-e", "tracepoint:sched:sched_switch { @[args->next_comm] = count(); }"), ("runqlat", "100"))
              if shutil.which(tool)]
    for other in others:
        with subprocess.Popen(other, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                if not wait_until(lambda: process.poll() is not None or "link" in {k for k, _ in ids_of(process.pid)}, 20) or process.poll() is not None:
                    continue
                with Load(workload("parts"), 2, 100000, 20000, 20000, 30000, 0, 0, "-") as load:
                    look = Look(SIXTY, 5).finish()
            finally:
                process.kill()
        compare_parts(look, load, f"beside_{other[0]}", {"running": 0.1, "sleep": 0.1, "futex": 0.1})
        return
    skip("beside_others", f"no other runs here, of {[other[0] for other in others]}" if others else "no bpftrace, no runqlat")


# ---- bad input ----

def fails(name, words, *args, **how):
    ended = subprocess.run([SIXTY, "time", "-d", "1", *args], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)
    said = ended.stderr.decode(errors="replace")
    say(name, "" if ended.returncode == 1 and all(w in said for w in words) and not ended.stdout else f"exit status {ended.returncode}, said {said}")


def test_refusals():
    with subprocess.Popen(["true"]) as gone:
        pass
    fails("a_process_that_is_gone_is_told", [f"no process {gone.pid}"], "-p", str(gone.pid))
    with Load(workload("spin"), 1, "short") as short:
        ended = threading.Timer(0.5, short.process.kill)
        ended.start()
        found = json.loads(run("time", "--budget", "0", "-d", "1", "-p", str(short.pid), "--json"))["time"]
        say("a_process_that_ends_keeps_account_and_name", "" if [t["comm"] for t in found] == ["short"] and 0.1 < found[0]["running_user"] < 0.9 else f"{found}")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        # a copy that another user may run
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)
            copy = shutil.copy(SIXTY, f"{place}/sixty")
            ended = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all", copy, "time", "-d", "1"],
                                   check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            said = ended.stderr.decode(errors="replace")
            say("another_user_is_told_what_is_missing", "" if ended.returncode == 1 and "cannot measure the time of threads" in said else
                f"exit status {ended.returncode}, said {said}")
    else:
        skip("another_user_is_told_what_is_missing", "no setpriv, or not root")
    limited = subprocess.run([SIXTY, "time", "-d", "1", "--json"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0)))  # pylint: disable=subprocess-popen-preexec-fn
    try:
        there = bool(json.loads(limited.stdout)["time"])
    except ValueError:
        there = b"memlock" in limited.stderr.lower()     # a kernel before 5.11
    say("no_locked_memory_is_no_obstacle_or_told", "" if there else limited.stderr.decode(errors="replace"))


def with_pid(pid, *args):
    """A process with this very number; None if the kernel does not give it (somebody else has taken it)."""
    write("/proc/sys/kernel/ns_last_pid", pid - 1)
    load = Load(*args)
    if load.pid == pid:
        return load
    with load:
        return None


def test_pid_reuse():
    """A number that two processes have one after the other has two accounts."""
    if not os.path.exists("/proc/sys/kernel/ns_last_pid"):
        skip("pid_reuse", "the kernel does not let numbers be chosen (CONFIG_CHECKPOINT_RESTORE)")
        return
    with Load(workload("spin"), 1, "first") as first, Watch(lambda: (schedstat(first.ids[1], first.pid)[0], )) as watch:
        look = Look(SIXTY, 5)
        time.sleep(2)
        watch.stop.set()
        watch.join()
    ran = watch.points[-1][1] - watch.points[0][1]
    second = next(filter(None, (with_pid(first.pid, workload("spin"), 1, "second") for _ in range(20))), None)
    if not second:
        look.finish()
        skip("pid_reuse", "somebody else was always faster")
        return
    with second:
        time.sleep(0.5)
        look.finish()
    found = look.accounts(first.pid)
    say("a_number_that_is_reused_has_two_accounts", "" if [a["name"] for a in found] == ["first", "second"] and found[0]["birth"] < found[1]["birth"] else
        f"{found}")
    # it was there before the window began, and its last reading is a little old
    say("the_first_ones_time_is_its_own", "" if found and abs(found[0]["running"] - ran) <= 0.1 * look.seconds * 1e9 else f"{found} instead of {ran}")


TESTS = {name[5:]: f for name, f in list(globals().items()) if name.startswith("test_")}


def main():
    for name in sys.argv[4:] or TESTS:
        try:
            TESTS[name]()
        except Skip as e:
            skip(name, e)
        except (RuntimeError, OSError, subprocess.SubprocessError, KeyError, ValueError) as e:
            say(name, f"{type(e).__name__} {e}")


main()
