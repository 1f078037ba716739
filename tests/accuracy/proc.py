# SPDX-License-Identifier: Apache-2.0
"""Reads /proc and /sys by hand: what sixty's numbers are compared with.

Written from the kernel's documentation, without a look at sixty's own parsers. Every reader yields (metric, instance, number, unit of that
number); the numbers are integers as the kernel printed them, and the unit is a Fraction of the base unit (bytes, seconds)."""
import os
import re
from fractions import Fraction

ONE, KIB, SECTOR, MSEC, USEC, NSEC = Fraction(1), Fraction(1024), Fraction(512), Fraction(1, 1000), Fraction(1, 10 ** 6), Fraction(1, 10 ** 9)


class Tree:
    """A directory with proc/ and sys/ in it: /, or one step of a capture."""

    def __init__(self, top, ticks=None, page=None):
        self.top = top
        self.tick = Fraction(1, ticks or os.sysconf("SC_CLK_TCK"))
        self.page = Fraction(page or os.sysconf("SC_PAGESIZE"))

    def text(self, path):
        try:
            with open(os.path.join(self.top, path), "rb") as f:
                return f.read().decode("utf-8", "replace")
        except OSError:
            return None

    def lines(self, path):
        text = self.text(path)
        return text.splitlines() if text is not None else []


# ---- processors ----

CPU_STATES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
SOFTIRQS = {"HI": "hi", "TIMER": "timer", "NET_TX": "net_tx", "NET_RX": "net_rx", "BLOCK": "block", "IRQ_POLL": "irq_poll",
            "TASKLET": "tasklet", "SCHED": "sched", "HRTIMER": "hrtimer", "RCU": "rcu"}


def stat(tree):
    online = 0
    for line in tree.lines("proc/stat"):
        name, *words = line.split()
        if re.fullmatch(r"cpu\d*", name):
            scope, instance = ("sys.cpu", "") if name == "cpu" else ("cpu", name)
            online += name != "cpu"
            for state, word in zip(CPU_STATES, words):
                yield f"{scope}.{state}", instance, int(word), tree.tick
        elif name == "intr":
            yield "sys.interrupts", "", int(words[0]), ONE
        elif name == "softirq":
            yield "sys.softirqs", "", int(words[0]), ONE
            for kind, word in zip(SOFTIRQS.values(), words[1:]):
                yield f"sys.softirq.{kind}", "", int(word), ONE
        else:
            metric = {"ctxt": "sys.context_switches", "processes": "sys.forks", "procs_running": "sys.procs_running",
                      "procs_blocked": "sys.procs_blocked"}.get(name)
            if metric:
                yield metric, "", int(words[0]), ONE
    if online:
        yield "sys.cpus", "", online, ONE


def softirqs(tree):
    lines = tree.lines("proc/softirqs")
    cpus = lines[0].split() if lines else []
    online = {m[1] for m, *_ in ((re.match(r"(cpu\d+) ", line),) for line in tree.lines("proc/stat")) if m}
    for line in lines[1:]:
        kind, *words = line.split()
        for cpu, word in zip(cpus, words):
            if cpu.lower() in online and kind.rstrip(":") in SOFTIRQS:      # the file has every CPU that is possible
                yield f"cpu.softirq.{SOFTIRQS[kind.rstrip(':')]}", cpu.lower(), int(word), ONE


def interrupts(tree):
    lines = tree.lines("proc/interrupts")
    cpus = [c.lower() for c in lines[0].split()] if lines else []
    names = {"LOC": "local_timer", "RES": "reschedule", "CAL": "function_call", "TLB": "tlb_shootdown", "TRM": "thermal", "MCE": "machine_check"}
    device = dict.fromkeys(cpus, 0)
    for line in lines[1:]:
        kind, *words = line.split()
        kind = kind.rstrip(":")
        numbers = []
        for word in words[:len(cpus)]:
            if not word.isdigit():
                break
            numbers.append(int(word))
        yield "irq.count", kind, sum(numbers), ONE
        for cpu, n in zip(cpus, numbers):
            if kind.isdigit():
                device[cpu] += n
            elif kind in names:
                yield f"cpu.irq.{names[kind]}", cpu, n, ONE
    for cpu, n in device.items():
        yield "cpu.irq.device", cpu, n, ONE


def schedstat(tree):
    """Version 15 and 16: cpuN yields 0 schedules idle ttwu ttwu_local run wait slices, nanoseconds."""
    for line in tree.lines("proc/schedstat"):
        name, *words = line.split()
        if not re.fullmatch(r"cpu\d+", name) or len(words) < 9:
            continue
        for metric, n, unit in (("cpu.yields", words[0], ONE), ("cpu.schedules", words[2], ONE), ("cpu.run", words[6], NSEC),
                                ("cpu.runnable", words[7], NSEC), ("cpu.slices", words[8], ONE)):
            yield metric, name, int(n), unit


def softnet(tree):
    for n, line in enumerate(tree.lines("proc/net/softnet_stat")):
        words = [int(w, 16) for w in line.split()]
        cpu = words[12] if len(words) > 12 else n       # the CPU's number stands there since 5.10
        for metric, at in (("cpu.net_packets", 0), ("cpu.net_drops", 1), ("cpu.net_squeezed", 2)):
            yield metric, f"cpu{cpu}", words[at], ONE


def pressure(tree):
    for resource, name in (("cpu", "cpu"), ("io", "io"), ("memory", "memory")):
        for line in tree.lines(f"proc/pressure/{resource}"):
            kind, *words = line.split()
            total = dict(w.split("=") for w in words).get("total")
            if total is not None and (resource, kind) != ("cpu", "full"):    # full is 0 for CPUs by definition
                yield f"psi.{name}.{kind}", "", int(total), USEC


def loadavg(tree):
    words = (tree.text("proc/loadavg") or "").split()
    for metric, word in zip(("sys.load1", "sys.load5", "sys.load15"), words):
        yield metric, "", int(word.replace(".", "")), Fraction(1, 100)


# ---- memory ----

MEMINFO = {
    "mem.total": "MemTotal", "mem.free": "MemFree", "mem.available": "MemAvailable", "mem.buffers": "Buffers", "mem.cached": "Cached",
    "mem.shmem": "Shmem", "mem.anon": "AnonPages", "mem.anon_huge": "AnonHugePages", "mem.mapped": "Mapped",
    "mem.active_anon": "Active(anon)", "mem.inactive_anon": "Inactive(anon)", "mem.active_file": "Active(file)",
    "mem.inactive_file": "Inactive(file)", "mem.unevictable": "Unevictable", "mem.mlocked": "Mlocked", "mem.slab": "Slab",
    "mem.slab_reclaimable": "SReclaimable", "mem.slab_unreclaimable": "SUnreclaim", "mem.kernel_stack": "KernelStack",
    "mem.page_tables": "PageTables", "mem.percpu": "Percpu", "mem.vmalloc": "VmallocUsed", "mem.committed": "Committed_AS",
    "mem.commit_limit": "CommitLimit", "mem.hardware_corrupted": "HardwareCorrupted", "swap.total": "SwapTotal", "swap.free": "SwapFree",
    "swap.cached": "SwapCached", "mem.hugetlb": "Hugetlb", "mem.dirty": "Dirty", "mem.writeback": "Writeback",
}
VMSTAT_PAGES = {
    "mem.swap_in": "pswpin", "mem.swap_out": "pswpout", "mem.freed": "pgfree", "mem.scan_kswapd": "pgscan_kswapd",
    "mem.scan_direct": "pgscan_direct", "mem.steal_kswapd": "pgsteal_kswapd", "mem.steal_direct": "pgsteal_direct",
    "mem.refault_file": "workingset_refault_file", "mem.refault_anon": "workingset_refault_anon",
    "mem.activate_file": "workingset_activate_file", "mem.activate_anon": "workingset_activate_anon", "mem.migrated": "pgmigrate_success",
}
VMSTAT_COUNT = {
    "mem.faults": "pgfault", "mem.major_faults": "pgmajfault", "mem.oom_kill": "oom_kill", "mem.compact_stall": "compact_stall",
    "mem.compact_fail": "compact_fail", "mem.compact_success": "compact_success", "mem.thp_fault_alloc": "thp_fault_alloc",
    "mem.thp_fault_fallback": "thp_fault_fallback", "mem.allocstall_normal": "allocstall_normal",
    "mem.allocstall_movable": "allocstall_movable", "mem.allocstall_dma32": "allocstall_dma32", "mem.drop_pagecache": "drop_pagecache",
    "mem.numa_hint_faults": "numa_hint_faults", "mem.slabs_scanned": "slabs_scanned",
}


def keyed(tree, path):
    found = {}
    for line in tree.lines(path):
        key, _, rest = line.replace(":", " ").partition(" ")
        if rest.split():
            found[key] = int(rest.split()[0])
    return found


def meminfo(tree):
    have = keyed(tree, "proc/meminfo")
    for metric, key in MEMINFO.items():
        if key in have:
            yield metric, "", have[key], KIB


def vmstat(tree):
    have = keyed(tree, "proc/vmstat")
    for table, unit in ((VMSTAT_PAGES, tree.page), (VMSTAT_COUNT, ONE), ({"mem.paged_in": "pgpgin", "mem.paged_out": "pgpgout"}, KIB)):
        for metric, key in table.items():
            if key in have:
                yield metric, "", have[key], unit


def zones(tree):
    zone, pages = None, True
    for line in tree.lines("proc/zoneinfo"):
        head = re.match(r"Node (\d+), zone\s+(\S+)", line)
        words = line.split()
        if head:
            zone, pages = f"node{head[1]}/{head[2]}", True
        elif zone and words[:2] == ["pages", "free"]:
            yield "zone.free", zone, int(words[2]), tree.page
        elif zone and words and words[0] in ("min", "low", "high", "managed") and pages:
            yield f"zone.{words[0]}", zone, int(words[1]), tree.page
        elif words and words[0] in ("cpu:", "pagesets"):
            pages = False                       # per-CPU lists have a "high" of their own
    for line in tree.lines("proc/buddyinfo"):
        node, name, *counts = re.match(r"Node (\d+), zone\s+(\S+)\s+(.*)", line).groups()
        for order, n in enumerate(counts[0].split()):
            yield f"zone.free_order{order}", f"node{node}/{name}", int(n), ONE


def slabs(tree):
    for line in tree.lines("proc/slabinfo"):
        words = line.split()
        if line.startswith(("slabinfo", "#")) or len(words) < 16:
            continue
        name, objects, size, pages, slabs_held = words[0], int(words[1]), int(words[3]), int(words[5]), int(words[14])
        if slabs_held:                          # a cache that holds nothing may be left out
            yield "slab.objects", name, objects, ONE
            yield "slab.object_size", name, size, ONE
            yield "slab.bytes", name, slabs_held * pages, tree.page


def nodes(tree):
    for node in sorted(os.listdir(os.path.join(tree.top, "sys/devices/system/node"))) if os.path.isdir(
            os.path.join(tree.top, "sys/devices/system/node")) else []:
        if not re.fullmatch(r"node\d+", node):
            continue
        have = dict(re.findall(r"Node \d+ ([^:]+):\s+(\d+)", tree.text(f"sys/devices/system/node/{node}/meminfo") or ""))
        for metric, key in (("total", "MemTotal"), ("free", "MemFree"), ("anon", "AnonPages"), ("file", "FilePages"),
                            ("inactive_file", "Inactive(file)"), ("active_file", "Active(file)"), ("slab_reclaimable", "SReclaimable")):
            if key in have:
                yield f"node.{metric}", node, int(have[key]), KIB
        for line in tree.lines(f"sys/devices/system/node/{node}/numastat"):
            key, n = line.split()
            metric = {"numa_hit": "hit", "numa_miss": "miss", "numa_foreign": "foreign", "local_node": "local_node",
                      "other_node": "other_node"}.get(key)
            if metric:
                yield f"node.{metric}", node, int(n), tree.page


# ---- disks ----

def diskstats(tree):
    columns = (("reads", ONE), ("read_merges", ONE), ("read_bytes", SECTOR), ("read_time", MSEC), ("writes", ONE), ("write_merges", ONE),
               ("write_bytes", SECTOR), ("write_time", MSEC), ("in_flight", ONE), ("io_time", MSEC), ("queue_time", MSEC), ("discards", ONE),
               ("discard_merges", ONE), ("discard_bytes", SECTOR), ("discard_time", MSEC), ("flushes", ONE), ("flush_time", MSEC))
    for line in tree.lines("proc/diskstats"):
        _, _, name, *words = line.split()
        if not any(int(w) for w in words):
            continue                            # never used: sixty may leave it out
        for (metric, unit), word in zip(columns, words):
            yield f"disk.{metric}", name, int(word), unit


# ---- network ----

def netdev(tree):
    columns = ("rx_bytes", "rx_packets", "rx_errors", "rx_drops", "rx_fifo_errors", "rx_frame_errors", "rx_compressed", "rx_multicast",
               "tx_bytes", "tx_packets", "tx_errors", "tx_drops", "tx_fifo_errors", "collisions", "tx_carrier_errors", "tx_compressed")
    for line in tree.lines("proc/net/dev")[2:]:
        name, _, rest = line.partition(":")
        for metric, word in zip(columns, rest.split()):
            yield f"net.{metric}", name.strip(), int(word), ONE


SNMP = {
    "tcp.active_opens": "Tcp.ActiveOpens", "tcp.passive_opens": "Tcp.PassiveOpens", "tcp.attempt_fails": "Tcp.AttemptFails",
    "tcp.established_resets": "Tcp.EstabResets", "tcp.in_segments": "Tcp.InSegs", "tcp.out_segments": "Tcp.OutSegs",
    "tcp.retransmits": "Tcp.RetransSegs", "tcp.in_errors": "Tcp.InErrs", "tcp.out_resets": "Tcp.OutRsts", "tcp.current": "Tcp.CurrEstab",
    "udp.in_datagrams": "Udp.InDatagrams", "udp.out_datagrams": "Udp.OutDatagrams", "udp.no_ports": "Udp.NoPorts",
    "udp.in_errors": "Udp.InErrors", "udp.receive_buffer_errors": "Udp.RcvbufErrors", "udp.send_buffer_errors": "Udp.SndbufErrors",
    "ip.in_packets": "Ip.InReceives", "ip.out_packets": "Ip.OutRequests", "ip.forwarded": "Ip.ForwDatagrams", "ip.in_discards": "Ip.InDiscards",
    "ip.out_discards": "Ip.OutDiscards", "ip.out_no_routes": "Ip.OutNoRoutes", "icmp.in_unreachables": "Icmp.InDestUnreachs",
    "tcp.listen_overflows": "TcpExt.ListenOverflows", "tcp.listen_drops": "TcpExt.ListenDrops", "tcp.timeouts": "TcpExt.TCPTimeouts",
    "tcp.fast_retransmits": "TcpExt.TCPFastRetrans", "tcp.lost_retransmits": "TcpExt.TCPLostRetransmit", "tcp.time_waits": "TcpExt.TW",
    "tcp.delayed_acks": "TcpExt.DelayedACKs", "tcp.syncookies_sent": "TcpExt.SyncookiesSent", "tcp.backlog_drops": "TcpExt.TCPBacklogDrop",
    "tcp.syn_retransmits": "TcpExt.TCPSynRetrans", "tcp.zero_windows": "TcpExt.TCPToZeroWindowAdv", "tcp.aborts_on_data": "TcpExt.TCPAbortOnData",
    "tcp.aborts_on_timeout": "TcpExt.TCPAbortOnTimeout", "tcp.spurious_timeouts": "TcpExt.TCPSpuriousRTOs", "tcp.loss_probes": "TcpExt.TCPLossProbes",
    "ip.in_no_routes": "IpExt.InNoRoutes",
}
SNMP6 = {"udp6.in_datagrams": "Udp6InDatagrams", "udp6.out_datagrams": "Udp6OutDatagrams", "udp6.no_ports": "Udp6NoPorts",
         "udp6.receive_buffer_errors": "Udp6RcvbufErrors"}


def snmp(tree):
    have = {}
    for path in ("proc/net/snmp", "proc/net/netstat"):
        lines = tree.lines(path)
        for names, values in zip(lines[::2], lines[1::2]):
            group, *keys = names.split()
            for key, value in zip(keys, values.split()[1:]):
                have[f"{group.rstrip(':')}.{key}"] = int(value)
    have6 = keyed(tree, "proc/net/snmp6")
    for table, source in ((SNMP, have), (SNMP6, have6)):
        for metric, key in table.items():
            if key in source:
                yield metric, "", source[key], ONE


def sockstat(tree):
    have = {}
    for path in ("proc/net/sockstat", "proc/net/sockstat6"):
        for line in tree.lines(path):
            label, *words = line.split()
            have.update({label + key: int(n) for key, n in zip(words[::2], words[1::2])})
    for metric, key, unit in (("sockets.used", "sockets:used", ONE), ("tcp.sockets", "TCP:inuse", ONE), ("tcp.orphans", "TCP:orphan", ONE),
                              ("tcp.time_wait", "TCP:tw", ONE), ("tcp.allocated", "TCP:alloc", ONE), ("tcp.memory", "TCP:mem", tree.page),
                              ("udp.sockets", "UDP:inuse", ONE), ("udp.memory", "UDP:mem", tree.page), ("tcp6.sockets", "TCP6:inuse", ONE)):
        if key in have:
            yield metric, "", have[key], unit


# ---- limits ----

def settings(tree):
    for metric, path, word in (("sys.pid_max", "kernel/pid_max", 0), ("sys.threads_max", "kernel/threads-max", 0), ("sys.files_open", "fs/file-nr", 0),
                               ("sys.files_max", "fs/file-nr", 2), ("sys.inotify_instances_max", "fs/inotify/max_user_instances", 0),
                               ("sys.inotify_watches_max", "fs/inotify/max_user_watches", 0), ("tcp.somaxconn", "net/core/somaxconn", 0),
                               ("tcp.local_port_first", "net/ipv4/ip_local_port_range", 0), ("tcp.local_port_last", "net/ipv4/ip_local_port_range", 1),
                               ("conntrack.limit", "net/netfilter/nf_conntrack_max", 0), ("conntrack.entries", "net/netfilter/nf_conntrack_count", 0),
                               ("mem.dentries", "fs/dentry-state", 0), ("mem.dentries_unused", "fs/dentry-state", 1)):
        words = (tree.text(f"proc/sys/{path}") or "").split()
        if len(words) > word:
            yield metric, "", int(words[word]), ONE
    for metric, path, word, unit in (("tcp.memory_low", "tcp_mem", 0, tree.page), ("tcp.memory_pressure", "tcp_mem", 1, tree.page),
                                     ("tcp.memory_limit", "tcp_mem", 2, tree.page), ("udp.memory_limit", "udp_mem", 2, tree.page)):
        words = (tree.text(f"proc/sys/net/ipv4/{path}") or "").split()
        if len(words) > word:
            yield metric, "", int(words[word]), unit


# Where each reader's numbers come from: a capture has only some of these as files.
READERS = (
    (stat, "proc/stat"), (softirqs, "proc/softirqs"), (interrupts, "proc/interrupts"), (schedstat, "proc/schedstat"),
    (softnet, "proc/net/softnet_stat"), (pressure, "proc/pressure"), (loadavg, "proc/loadavg"), (meminfo, "proc/meminfo"), (vmstat, "proc/vmstat"),
    (zones, "proc/zoneinfo"), (slabs, "proc/slabinfo"), (nodes, "sys/devices/system/node"), (diskstats, "proc/diskstats"),
    (netdev, "proc/net/dev"), (snmp, "proc/net/snmp"), (sockstat, "proc/net/sockstat"), (settings, "proc/sys"),
)


def read(tree):
    """{(metric, instance): (number, unit)} of everything that is there."""
    found = {}
    for reader, _ in READERS:
        for metric, instance, number, unit in reader(tree):
            found[metric, instance] = (number, unit)
    return found
