#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py SIXTY DIR: the same program in guests with other kernels: what it says there against what the guest read by hand."""
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "accuracy"))
import bracket                                  # pylint: disable=wrong-import-position
import guest                                    # pylint: disable=wrong-import-position
import proc                                     # pylint: disable=wrong-import-position
from sixty import Sixty                         # pylint: disable=wrong-import-position

FILES = [path for _, path in proc.READERS if path not in ("proc/pressure", "sys/devices/system/node", "proc/sys")] + [
    "proc/pressure/cpu", "proc/pressure/io", "proc/pressure/memory", "proc/buddyinfo", "proc/net/netstat", "proc/net/snmp6", "proc/net/sockstat6",
    "proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max", "proc/sys/fs/file-nr", "proc/sys/net/core/somaxconn"] + [
    f"sys/devices/system/node/node{n}/{f}" for n in range(2) for f in ("meminfo", "numastat", "cpulist")]


def say(name, why):
    print(f"not ok {name}: {' '.join(str(why).split())[:500]}" if why else f"ok {name}", flush=True)


def text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def keyed(path):
    return {line.split()[0]: int(line.split()[1]) for line in text(path).splitlines() if len(line.split()) == 2 and line.split()[1].isdigit()}


def check_group(name, out, levels):
    """The group with a quota: counters between the readings around, limits as they were set."""
    before, after, wrong = keyed(f"{out}/before/cgroup/cpu.stat"), keyed(f"{out}/after/cgroup/cpu.stat"), []
    for metric, key, unit in (("cpu_usage", "usage_usec", 1e-6), ("cpu_periods", "nr_periods", 1), ("cpu_throttled", "nr_throttled", 1),
                              ("cpu_throttled_time", "throttled_usec", 1e-6)):
        value = levels.get((f"cgroup.{metric}", "/busy"))
        if key not in before or value is None or not before[key] * unit * (1 - 1e-9) <= value <= after[key] * unit * (1 + 1e-9):
            wrong.append(f"{metric} {value} is not in {before.get(key)}..{after.get(key)}")
    if not after.get("nr_throttled"):
        wrong.append("the quota was never met")
    for metric, want in (("mem_limit", 67108864), ("pids_max", 50), ("cpu_quota", 0.01), ("cpu_period", 0.05)):
        value = levels.get((f"cgroup.{metric}", "/busy"))
        if value is None or abs(value - want) > 1e-9:
            wrong.append(f"{metric} {value} instead of {want}")
    say(f"{name}_control_groups", "; ".join(wrong))


def check_sources(name, out, cpus, nodes, levels, found):
    """Every kind of source that this kernel has was read."""
    wrong = []
    version = text(f"{out}/before/proc/schedstat").split()[:2]
    for metric, instances in (("cpu.run", [f"cpu{n}" for n in range(cpus)]), ("cpu.user", [f"cpu{n}" for n in range(cpus)]),
                              ("node.free", [f"node{n}" for n in range(nodes)]), ("psi.cpu.some", [""]), ("psi.io.full", [""]),
                              ("psi.memory.some", [""]), ("disk.reads", ["vda"]), ("net.rx_bytes", ["lo"]), ("cgroup.psi_cpu_some", ["/busy"])):
        wrong += [f"{metric} of {i or 'the machine'} was not read" for i in instances if (metric, i) not in levels]
    if found["host"]["cpus"] != cpus or found["host"]["kernel"] != text(f"{out}/release").strip() or found["host"]["hostname"] != "guest":
        wrong.append(f"host is {found['host']}")
    say(f"{name}_sources_{'_'.join(version)}", "; ".join(wrong))


def check_doctor(name, out):
    said = text(f"{out}/doctor.txt")
    missing = [word for word in ("BTF", "perf_event_paranoid", "version 2", "pressure", text(f"{out}/release").strip()) if word.lower() not in said.lower()]
    say(f"{name}_doctor", f"no {missing} in: {said[:300]}" if missing else "")


def check_bpf(name, out, found):
    """Every program is loaded and attached, and says of the busy group what its own counters say."""
    try:
        programs = json.loads(text(f"{out}/doctor.json"))["programs"]
    except (ValueError, KeyError) as e:
        say(f"{name}_bpf_programs", f"{type(e).__name__} {e}")
        return
    release = tuple(int(n) for n in re.findall(r"\d+", text(f"{out}/release"))[:2])
    absent = {"bytes_sent", "bytes_received", "red_received", "red_sent", "red_state_changes", "red_ready", "red_sweep"} if release < (6, 3) else set()    # trace points that came later
    wrong = [f"{p['name']}: {p['why']}" for p in programs if (p["status"] != "ok") != (p["name"] in absent)]
    wrong += [f"{p['name']}: no reason but {p['lost']}" for p in programs if p["name"] in absent and "before 6.3" not in p["lost"]]
    say(f"{name}_bpf_programs", "; ".join(wrong) or ("" if programs else "none"))
    bytes_known = {k for t in found["time"] for k, v in t["bytes"].items() if v is not None}
    want = {"disk_read", "disk_written"} | (set() if absent else {"sent", "received"})
    say(f"{name}_bytes_are_known_where_the_kernel_counts_them", "" if bytes_known == want else f"{sorted(bytes_known)} instead of {sorted(want)}")
    busy = [t for t in found["time"] if (t["cgroup"] or "").rsplit(":", 1)[-1] == "/busy"]
    if len(busy) != 1:
        say(f"{name}_bpf_time", f"{len(busy)} rows of the busy group among {[t['comm'] for t in found['time']]}")
        return
    t = busy[0]
    parts = sum(t["blocked"].values()) + sum(t[k] for k in ("running_user", "running_system", "stolen", "runnable", "throttled", "awaiting_reply",
                                                              "awaiting_work", "residual"))
    wrong = []
    # half a percent is asked for where nobody stops a CPU in the middle of a switch, as an emulator may (tests/suites/bpf.sh)
    if abs(parts - t["threads"]) > 0.02 * t["threads"]:
        wrong.append(f"the parts add up to {parts}, not to {t['threads']}: {t}")
    # it never sleeps, and may use a fifth of a CPU
    awake = sum(t[k] for k in ("running_user", "running_system", "stolen", "runnable", "throttled"))
    if awake < 0.9 * t["threads"] or not t["throttled"] + t["runnable"] > 0.1:
        wrong.append(f"{t}")
    say(f"{name}_bpf_time", "; ".join(wrong))


def check_proofs(name, out):
    """What every program measures of known work is true on this kernel as well. CPUs of an emulator stop when its threads have to wait: lengths
    of time are judged on a machine (tests/suites/prove.sh), here only what is counted."""
    try:
        proved = json.loads(text(f"{out}/prove.json"))
    except ValueError as e:
        say(f"{name}_proofs", f"{e} {text(f'{out}/prove.err')[-200:]}")
        return
    wrong = [f"{p['program']}: {p['did']}: {p['measured']} instead of {p['known']}" for p in proved["proofs"]
             if p["verdict"] == "wrong" and not str(p["measured"]).endswith(" ms")]
    if proved["pass"] < 30:
        wrong.append(f"only {proved['pass']} could be proved")
    print(f"# {name}: {proved['pass']} proved, not " + "; ".join(f"{p['program']} ({p['why']})" for p in proved["proofs"] if p["verdict"] == "cannot"))
    say(f"{name}_proofs", "; ".join(wrong))


def check_table(name, out):
    """The process table through the iterator: as /proc has it, and as processes were made."""
    said = text(f"{out}/table.txt")
    say(f"{name}_table", said if text(f"{out}/table.status").strip() != "0" else "")
    print(f"# {name}: {said.strip()[-120:]}")
    ended = subprocess.run([sys.executable, f"{HERE}/../accuracy/rest.py", f"{out}/rest", f"{out}/table.rest", "guest"], check=False,
                           stdout=subprocess.PIPE)
    say(f"{name}_table_of_known_processes", ended.stdout.decode() if ended.returncode else "")


def check_replay(name, sixty, out):
    """The guest's capture is judged on this machine; its numbers are those of its files."""
    ended = subprocess.run([sixty.path, "--replay", f"{out}/capture", "--json"], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ended.returncode:
        say(f"{name}_replay", ended.stderr)
        return
    found = json.loads(ended.stdout)
    say(f"{name}_replay", "" if found["host"]["kernel"] == text(f"{out}/release").strip() else f"host is {found['host']}")
    exact = subprocess.run([sys.executable, f"{HERE}/../accuracy/exact.py", sixty.path, f"{out}/capture"], check=False, stdout=subprocess.PIPE)
    for line in exact.stdout.decode().splitlines():
        print(line.replace(" replay_of_", f" {name}_replay_of_", 1))


def check_kernel(sixty, meta, name, work):
    begin = time.monotonic()
    vmlinuz, modules = guest.kernel(meta)
    fetched = time.monotonic()
    guest.boot(work, vmlinuz, modules, sixty.path, f"{HERE}/job.sh", FILES, cpus=4, nodes=2, disk=64,
               programs=[os.path.join(os.path.dirname(sixty.path), "tests", kind) for kind in ("tools/table", "workloads/rest")])
    out = f"{work}/out"
    print(f"# {name}: {text(f'{out}/release').strip()}, {fetched - begin:.0f} s to get it, {time.monotonic() - fetched:.0f} s in the guest")
    log = [line for line in text(f"{out}/log").splitlines() if "exit status" in line or line.startswith("sixty")]
    say(f"{name}_runs", "; ".join(log))
    levels = sixty.openmetrics(text(f"{out}/openmetrics"))
    before, after = proc.read(proc.Tree(f"{out}/before", 100, 4096)), proc.read(proc.Tree(f"{out}/after", 100, 4096))
    bracket.compare(sixty, before, after, levels, f"{name}_")
    try:
        found = json.loads(text(f"{out}/report.json"))
    except ValueError as e:
        say(f"{name}_report", e)
        return
    check_sources(name, out, 4, 2, levels, found)
    check_group(name, out, levels)
    check_doctor(name, out)
    check_bpf(name, out, found)
    check_proofs(name, out)
    check_table(name, out)
    check_replay(name, sixty, out)


def check_bare(sixty, meta, work):
    """No /sys, no pressure, no control groups, no disk, one CPU: a report all the same, with what it could not see."""
    vmlinuz, modules = guest.kernel(meta)
    guest.boot(work, vmlinuz, modules, sixty.path, f"{HERE}/bare.sh", FILES, cpus=1, memory=256,
               arguments="bare psi=0 cgroup_disable=memory,cpu,io,pids")
    out = f"{work}/out"
    log = [line for line in text(f"{out}/log").splitlines() if "exit status" in line or line.startswith("sixty")]
    say("bare_guest_runs", "; ".join(log))
    try:
        found = json.loads(text(f"{out}/report.json"))
        say("bare_guest_says_what_is_missing", "" if found["unknown"] else "nothing is unknown")
    except ValueError as e:
        say("bare_guest_says_what_is_missing", e)


def main():
    sixty, work = Sixty(sys.argv[1]), sys.argv[2]
    tests = [("linux_6_1", lambda w: check_kernel(sixty, "linux-image-cloud-amd64", "linux_6_1", w)),
             ("linux_6_12", lambda w: check_kernel(sixty, "linux-image-6.12-cloud-amd64", "linux_6_12", w)),
             ("bare_guest", lambda w: check_bare(sixty, "linux-image-cloud-amd64", w))]
    for name, test in tests:
        try:
            test(f"{work}/{name}")
        except guest.Unavailable as e:
            print(f"skip {name}: {' '.join(str(e).split())[:300]}", flush=True)
        except RuntimeError as e:
            say(name, e)


main()
