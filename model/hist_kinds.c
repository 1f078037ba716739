/* SPDX-License-Identifier: Apache-2.0 */
/* The table of distributions: help, lists, options and all formats are made from it. */
#include <string.h>

#include "model/hist.h"

/* clang-format off */
static const struct hist_measure runqlat_measures[] = {
	{ "wait", "waits for a CPU" },
	{ "throttled", "waits for the CPU quota of the control group" },
	{ 0 }
};
static const struct hist_measure runqlen_measures[] = { { "threads", "samples of a CPU's run queue" }, { 0 } };
static const struct hist_measure reclaim_measures[] = {
	{ "direct", "times that a thread had to free memory of the machine itself" },
	{ "group", "times that a thread had to free memory of its control group itself" },
	{ "compaction", "times that a thread had to move pages of a zone itself" },
	{ 0 }
};
static const struct hist_measure fsync_measures[] = {
	{ "call", "calls of fsync() and its likes" },
	{ "journal", "commits of a journal" },
	{ 0 }
};
static const struct hist_measure tcpconn_measures[] = {
	{ "connected", "connections that were made" },
	{ "failed", "connections that were refused, or given up" },
	{ 0 }
};
static const struct hist_measure tcprtt_measures[] = { { "smoothed", "readings of a connection in use" }, { 0 } };
static const struct hist_measure timer_measures[] = { { "late", "timers" }, { 0 } };
static const struct hist_measure workqueue_measures[] = {
	{ "delay", "waits of work in a queue" },
	{ "run", "runs of work" },
	{ 0 }
};
static const struct hist_measure cpudist_measures[] = { { "slice", "stretches on a CPU" }, { 0 } };
static const struct hist_measure offcpu_measures[] = { { "blocked", "stretches off the CPU" }, { 0 } };
static const struct hist_measure wakeup_measures[] = { { "wait", "waits for a CPU after a sleep" }, { 0 } };
static const struct hist_measure biolat_measures[] = {
	{ "total", "requests, from allocation to completion" },
	{ "device", "requests, in the driver and the device" },
	{ 0 }
};
static const struct hist_measure bitesize_measures[] = { { "size", "requests" }, { 0 } };
static const struct hist_measure syscall_measures[] = { { "time", "calls" }, { 0 } };
static const struct hist_measure lock_measures[] = {
	{ "futex", "sleeps for a lock of the program (futex)" },
	{ "file", "sleeps for a lock on a file (flock)" },
	{ "kernel", "waits for a lock of the kernel that sleeps" },
	{ "spinning", "waits for a spin lock of the kernel" },
	{ 0 }
};
static const struct hist_measure softirq_measures[] = { { "time", "runs of a vector" }, { 0 } };
static const struct hist_measure hardirq_measures[] = { { "time", "runs of a handler" }, { 0 } };
static const struct hist_measure majfault_measures[] = {
	{ "disk", "sleeps in page faults, for a disk" },
	{ "other", "sleeps in page faults, for anything else" },
	{ 0 }
};

#define BY(key) (1u << HIST_BY_##key)

const struct hist_kind hist_kinds[HIST_KINDS] = {
	[HIST_RUNQLAT] = { .name = "runqlat", .what = "from being ready to run until running: waits for a CPU", .unit = UNIT_SECONDS,
		.measures = runqlat_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "exact to about 1 us: that far is it from reading the run queue's clock to the switch" },
	[HIST_RUNQLEN] = { .name = "runqlen", .what = "threads that run or are ready to, of each CPU, 49 times a second", .unit = UNIT_NONE,
		.measures = runqlen_measures, .keys = BY(CPU),
		.limits = "sampled: what lasts less than 20 ms may be missed; CPUs that come online later are not sampled" },
	[HIST_CPUDIST] = { .name = "cpudist", .what = "from getting a CPU until leaving it, interrupts included", .unit = UNIT_SECONDS,
		.measures = cpudist_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "" },
	[HIST_OFFCPU] = { .name = "offcpu", .what = "from leaving a CPU by its own choice until ready to run again, by cause", .unit = UNIT_SECONDS,
		.measures = offcpu_measures, .keys = BY(CPU) | BY(PROCESS) | BY(CAUSE), .key = HIST_BY_CAUSE, .process = true,
		.limits = "a sleep that has not ended is not in it; one that had begun before counts from the beginning of the look" },
	[HIST_WAKEUP] = { .name = "wakeup", .what = "from being woken until running; runqlat without those that were preempted", .unit = UNIT_SECONDS,
		.measures = wakeup_measures, .keys = BY(CPU) | BY(PROCESS), .key = HIST_BY_PROCESS, .process = true,
		.limits = "exact to about 1 us: that far is it from reading the run queue's clock to the switch" },
	[HIST_BIOLAT] = { .name = "biolat", .what = "requests to disks: how long in all, and how long in the device", .unit = UNIT_SECONDS,
		.measures = biolat_measures, .keys = BY(CPU) | BY(PROCESS) | BY(DISK) | BY(OPERATION), .key = HIST_BY_DISK, .process = true,
		.limits = "a disk whose queue keeps no times (queue/iostats is 0) when it begins, and -p, -C, --per process, cost a note per request; "
			"what writeback writes is made by kernel threads" },
	[HIST_BITESIZE] = { .name = "bitesize", .what = "sizes of requests to disks", .unit = UNIT_BYTES,
		.measures = bitesize_measures, .keys = BY(CPU) | BY(PROCESS) | BY(DISK) | BY(OPERATION), .key = HIST_BY_DISK, .process = true,
		.limits = "requests without data (flushes) are left out; of one that a driver completes in parts, the last part" },
	[HIST_SYSCALL] = { .name = "syscall", .what = "system calls: how long each takes, and how those end that fail", .unit = UNIT_SECONDS,
		.measures = syscall_measures, .keys = BY(CPU) | BY(PROCESS) | BY(CALL), .key = HIST_BY_CALL, .process = true,
		.limits = "calls that have not ended are not in it; calls of 32-bit programs are one row",
		.price = "slows every syscall of every process by 100 to 300 ns while it runs" },
	[HIST_LOCK] = { .name = "lock", .what = "waits for locks: of programs, on files, in the kernel", .unit = UNIT_SECONDS,
		.measures = lock_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "of futexes, waits for the value 2 and for those that inherit priority: what glibc, Rust and most others lock with; "
			"fcntl() locks are not told from other sleeps; who gets a semaphore of the kernel while it still spins has no event; what an interrupt spins for is charged to whom it interrupts; "
			"a wait that has not ended is not in it" },
	[HIST_SOFTIRQ] = { .name = "softirq", .what = "soft interrupts, without the device interrupts on top of them", .unit = UNIT_SECONDS,
		.measures = softirq_measures, .keys = BY(CPU) | BY(VECTOR), .key = HIST_BY_VECTOR,
		.limits = "" },
	[HIST_HARDIRQ] = { .name = "hardirq", .what = "handlers of device interrupts", .unit = UNIT_SECONDS,
		.measures = hardirq_measures, .keys = BY(CPU) | BY(LINE), .key = HIST_BY_LINE,
		.limits = "the CPU's own interrupts (timer, IPI) have no such events" },
	[HIST_MAJFAULT] = { .name = "majfault", .what = "sleeps in page faults: until a disk has brought the page, or for another reason", .unit = UNIT_SECONDS,
		.measures = majfault_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "faults that do not sleep are not seen: the end of a fault has no event" },
	[HIST_RECLAIM] = { .name = "reclaim", .what = "how long threads free memory themselves, because there is none", .unit = UNIT_SECONDS,
		.measures = reclaim_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "what kswapd and kcompactd do is not in it" },
	[HIST_FSYNC] = { .name = "fsync", .what = "syncs of files, and commits of journals, on ext4", .unit = UNIT_SECONDS,
		.measures = fsync_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "other file systems have no such events; commits are made by kernel threads" },
	[HIST_TCPRTT] = { .name = "tcprtt", .what = "round trips of TCP connections that were used within a second, each once a second", .unit = UNIT_SECONDS,
		.measures = tcprtt_measures, .keys = 0,
		.limits = "the kernel's smoothed value; connections of sixty's own network namespace only" },
	[HIST_TCPCONN] = { .name = "tcpconn", .what = "from asking for a connection until it is there, or has failed", .unit = UNIT_SECONDS,
		.measures = tcpconn_measures, .keys = BY(CPU) | BY(PROCESS), .process = true,
		.limits = "how long a connection waits for accept() has no event" },
	[HIST_TIMER] = { .name = "timer", .what = "how late high-resolution timers are, by the function that they call", .unit = UNIT_SECONDS,
		.measures = timer_measures, .keys = BY(CPU) | BY(FUNCTION), .key = HIST_BY_FUNCTION,
		.limits = "slack that a sleeper allows (50 us by default) counts as late; timers of the wheel (time-outs in jiffies) are not in it" },
	[HIST_WORKQUEUE] = { .name = "workqueue", .what = "how long work of the kernel waits in its queues, and runs, by function", .unit = UNIT_SECONDS,
		.measures = workqueue_measures, .keys = BY(CPU) | BY(FUNCTION), .key = HIST_BY_FUNCTION,
		.limits = "work that has not ended is not in it" },
};

static const char *const key_names[HIST_KEYS] = {
	[HIST_BY_NOTHING] = "all", [HIST_BY_CPU] = "cpu", [HIST_BY_PROCESS] = "process", [HIST_BY_CAUSE] = "cause",
	[HIST_BY_DISK] = "disk", [HIST_BY_OPERATION] = "operation", [HIST_BY_CALL] = "call", [HIST_BY_VECTOR] = "vector",
	[HIST_BY_LINE] = "line", [HIST_BY_FUNCTION] = "function",
};
/* clang-format on */

enum wire_hist_kind hist_kind_by_name(const char *name)
{
	unsigned i = 0;

	while (i < HIST_KINDS && (!hist_kinds[i].name || strcmp(hist_kinds[i].name, name) != 0))
		i++;
	return (enum wire_hist_kind)i;
}

unsigned hist_measures(enum wire_hist_kind k)
{
	unsigned n = 0;

	while (hist_kinds[k].measures[n].name)
		n++;
	return n;
}

const char *hist_key_name(enum wire_hist_key key)
{
	return key < HIST_KEYS ? key_names[key] : "";
}

enum wire_hist_key hist_key_by_name(const char *name)
{
	unsigned i = 0;

	while (i < HIST_KEYS && strcmp(key_names[i], name) != 0)
		i++;
	return (enum wire_hist_key)i;
}

double hist_value(enum wire_hist_kind k, double raw)
{
	return hist_kinds[k].unit == UNIT_SECONDS ? raw * 1e-9 : raw;
}
