/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the kernel itself: what it complains about. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "checklist/events.h"
#include "checklist/parties.h"
#include "checklist/rule.h"

#define SOURCES_MAX 6 /* devices named in one finding */

static bool need_log(const struct rule *r, const struct view *v, struct findings *fs)
{
	const char *why;

	if (events_known(v, &why))
		return true;
	rule_unknown(r, fs, "the kernel log cannot be read (%s)", why);
	return false;
}

/* ---- errors that no other rule explains ---- */

struct complainer {
	char device[64];
	double lines;
	enum event_kind kind;
};

struct complaints {
	double lines, kernel, worst; /* worst: lowest level */
	struct complainer sources[SOURCES_MAX];
	size_t n;
	const char *text;
	enum event_kind kind;
	bool grave; /* one line is enough */
};

/* What has a rule of its own is judged there. */
static bool is_elsewhere(enum event_kind k, bool kernel)
{
	switch (k) {
	case EVENT_OOM_KILL:
	case EVENT_HUNG_TASK:
	case EVENT_SOFT_LOCKUP:
	case EVENT_HARD_LOCKUP:
	case EVENT_RCU_STALL:
	case EVENT_SEGFAULT:
	case EVENT_CONNTRACK_FULL:
	case EVENT_SYN_FLOOD:
	case EVENT_FORK_REJECTED:
	case EVENT_FS_READONLY:
	case EVENT_FS_ERROR:
	case EVENT_THIN_FULL:
	case EVENT_LINK_UP:
	case EVENT_SUPPRESSED:
	case EVENT_NONE:
		return true;
	case EVENT_IO_ERROR:
	case EVENT_ATA_RESET:
	case EVENT_SCSI_RESET:
	case EVENT_NVME_RESET:
		return kernel; /* disk.io_errors */
	default:
		return false;
	}
}

static bool is_grave(const struct event_row *e)
{
	return e->level <= 2 || e->kind == EVENT_MCE || e->kind == EVENT_OOPS;
}

static void add_source(struct complaints *c, const struct event_row *e)
{
	const char *device = *e->device ? e->device : event_kind_title(e->kind);

	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->sources[i].device, device)) {
			c->sources[i].lines++;
			return;
		}
	if (c->n == SOURCES_MAX)
		return;
	snprintf(c->sources[c->n].device, sizeof(c->sources[0].device), "%s", device);
	c->sources[c->n].kind = e->kind;
	c->sources[c->n++].lines = 1;
}

static void collect(const struct view *v, struct complaints *c)
{
	*c = (struct complaints){ .worst = 7, .text = "" };
	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;

		if (!event_at(v, row, &e) || !e.live || is_elsewhere(e.kind, e.kernel) ||
		    (e.level > 3 && !event_is_hardware(e.kind)))
			continue;
		c->lines++;
		c->kernel += e.kernel;
		c->worst = fmin(c->worst, e.level);
		c->grave |= is_grave(&e);
		add_source(c, &e);
		if (!*c->text || e.kind != EVENT_OTHER_ERROR) {
			c->text = e.text;
			c->kind = e.kind;
		}
	}
}

static void check_log_errors(const struct rule *r, const struct view *v, struct findings *fs)
{
	double seconds = interval_seconds(v->window);
	struct complaints c;
	struct finding *f;
	char list[160] = "";
	size_t used = 0;

	if (!need_log(r, v, fs))
		return;
	collect(v, &c);
	if (c.lines < 1)
		return;
	f = rule_fire(r, fs);
	f->severity = c.lines >= r->floor || c.grave ? SEV_WARN : SEV_INFO;
	f->confidence = c.kernel > 0 ? 0.9 : 0.65;
	f->impact.failed = event_is_hardware(c.kind) ? c.lines / seconds : NAN;
	for (size_t i = 0; i < c.n; i++) {
		finding_offender(f, PARTY_DEVICE, c.sources[i].device, 0,
				 c.sources[i].lines / c.lines);
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%.40s (%.0f)",
						 i ? ", " : "", c.sources[i].device,
						 c.sources[i].lines);
	}
	finding_offender(f, PARTY_KERNEL, "/dev/kmsg", 0, NAN);
	finding_summary(f, "The kernel log got %.0f errors in %.0f s%s: %s; the last: \"%.140s\".",
			c.lines, seconds,
			c.kernel == 0        ? ", all written by a program and not by the kernel"
			: c.kernel < c.lines ? ", some of them written by a program"
					     : "",
			list, c.text);
	finding_evidence(f, "lines of level error or about hardware", c.lines, "lines", r->floor,
			 "dev/kmsg");
	finding_evidence(f, "of these by the kernel itself", c.kernel, "lines", NAN, "dev/kmsg");
	finding_evidence(f, "worst level", c.worst, "", 3, "dev/kmsg");
	finding_next(f, "dmesg -T --level=emerg,alert,crit,err | tail -30");
	if (event_is_hardware(c.kind))
		finding_next(f, "ras-mc-ctl --summary; journalctl -k -p err --since -1h");
}

/* ---- hung tasks ---- */

static void check_hung_task(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct finding *f = NULL;
	double lines = 0;
	const char *text = "";

	if (!need_log(r, v, fs))
		return;
	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;

		if (!event_at(v, row, &e) || e.kind != EVENT_HUNG_TASK)
			continue;
		if (!f)
			f = rule_fire(r, fs);
		lines++;
		text = e.text;
		f->confidence = e.kernel ? 0.92 : 0.6;
		finding_victim(f, PARTY_PROCESS, e.comm, e.pid, NAN);
	}
	if (!f)
		return;
	finding_offender(f, PARTY_KERNEL, "hung task", 0, NAN);
	f->impact.lost = fmin(lines, f->nvictims);
	finding_summary(f, "The kernel reports %.0f hung task%s: \"%.200s\".", lines,
			lines > 1 ? "s" : "", text);
	finding_evidence(f, "lines about hung tasks", lines, "lines", r->floor, "dev/kmsg");
	finding_next(f, "dmesg -T | grep -A 25 'blocked for more than'   # its kernel stack");
	if (f->nvictims && f->victims[0].pid)
		finding_next(f, "cat /proc/%lld/stack", (long long)f->victims[0].pid);
}

/* ---- lockups and stalls: counters where the kernel has them, else the log ---- */

struct stall {
	double lines, counted;
	const char *text, *comm;
	int64_t pid;
	bool kernel;
};

static bool find_stall(const struct view *v, enum event_kind a, enum event_kind b,
		       enum metric_id ca, enum metric_id cb, struct stall *s)
{
	double x = system_delta(v->window, ca),
	       y = cb == M_NONE ? NAN : system_delta(v->window, cb);

	*s = (struct stall){ .text = "", .comm = "" };
	s->counted = (x > 0 ? x : 0) + (y > 0 ? y : 0);
	for (size_t row = 0; row < event_count(v); row++) {
		struct event_row e;

		if (!event_at(v, row, &e) || (e.kind != a && e.kind != b))
			continue;
		s->lines++;
		s->kernel |= e.kernel;
		s->text = e.text;
		if (e.pid) {
			s->pid = e.pid;
			s->comm = e.comm;
		}
	}
	return s->lines > 0 || s->counted > 0;
}

static bool stall_known(const struct rule *r, const struct view *v, struct findings *fs,
			enum metric_id counter)
{
	const char *why;

	if (events_known(v, &why) || !isnan(system_delta(v->window, counter)))
		return true;
	rule_unknown(r, fs, "the kernel log cannot be read (%s), and this kernel has no counter",
		     why);
	return false;
}

static void report_stall(const struct rule *r, const struct view *v, struct findings *fs,
			 const struct stall *s, const char *what)
{
	struct finding *f = rule_fire(r, fs);

	f->severity = SEV_CRIT;
	f->confidence = s->counted > 0 || s->kernel ? 0.95 : 0.6;
	if (s->pid)
		finding_offender(f, PARTY_PROCESS, s->comm, s->pid, NAN);
	finding_offender(f, PARTY_KERNEL, what, 0, NAN);
	finding_summary(f, "The kernel reports %s%s%.180s%s.", what, *s->text ? ": \"" : "",
			s->text, *s->text ? "\"" : "");
	finding_evidence(f, "lines in the log", s->lines, "lines", r->floor, "dev/kmsg");
	finding_evidence(f, "counted in the window", s->counted, "", NAN, "sys/kernel");
	finding_evidence(f, "stolen by the hypervisor", system_value(v->window, M_SYS_STEAL), "",
			 NAN, "proc/stat");
	finding_next(
		f,
		"dmesg -T | grep -B 2 -A 30 -E 'lockup|stall'   # the stack of the CPU that did not schedule");
}

static void check_soft_lockup(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct stall s;

	if (stall_known(r, v, fs, M_SOFT_LOCKUPS) &&
	    find_stall(v, EVENT_SOFT_LOCKUP, EVENT_HARD_LOCKUP, M_SOFT_LOCKUPS, M_HARD_LOCKUPS, &s))
		report_stall(r, v, fs, &s, "a CPU that did not schedule for 20 s or more");
}

static void check_rcu_stall(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct stall s;

	if (stall_known(r, v, fs, M_RCU_STALLS) &&
	    find_stall(v, EVENT_RCU_STALL, EVENT_RCU_STALL, M_RCU_STALLS, M_NONE, &s))
		report_stall(r, v, fs, &s, "an RCU stall");
}

/* ---- taint ---- */

/* Documentation/admin-guide/tainted-kernels.rst */
static const struct {
	char letter;
	const char *what;
	bool bad; /* something broke; others say what was loaded */
} taints[] = {
	{ 'P', "a proprietary module was loaded", false },
	{ 'F', "a module was forced in", false },
	{ 'S', "the CPU is not fit for SMP", false },
	{ 'R', "a module was forced out", false },
	{ 'M', "a machine check happened", true },
	{ 'B', "a bad page was found", true },
	{ 'U', "user space asked for it", false },
	{ 'D', "the kernel died (oops or BUG)", true },
	{ 'A', "ACPI tables were replaced", false },
	{ 'W', "the kernel warned", true },
	{ 'C', "a staging driver was loaded", false },
	{ 'I', "a firmware bug is worked around", false },
	{ 'O', "an out-of-tree module was loaded", false },
	{ 'E', "an unsigned module was loaded", false },
	{ 'L', "a soft lockup happened", true },
	{ 'K', "the kernel was live-patched", false },
	{ 'X', "taint of the distribution", false },
	{ 'T', "the kernel was built with struct randomization", false },
	{ 'N', "a test ran in the kernel", false },
	{ 'J', "a mutating debug command was used", false },
};

static void check_tainted(const struct rule *r, const struct view *v, struct findings *fs)
{
	double before = snapshot_value(v->first, M_TAINTED, 0),
	       now = snapshot_value(v->last, M_TAINTED, 0);
	double oopses = system_delta(v->window, M_OOPS_COUNT),
	       warnings = system_delta(v->window, M_WARN_COUNT);
	uint64_t fresh;
	bool bad = oopses > 0 || warnings > 0;
	struct finding *f;
	char list[200] = "";
	size_t used = 0;

	if (isnan(before) || isnan(now))
		return;
	fresh = (uint64_t)whole(now) & ~(uint64_t)whole(before);
	if (!fresh && !bad)
		return;
	for (size_t i = 0; i < sizeof(taints) / sizeof(*taints); i++) {
		if (!(fresh >> i & 1))
			continue;
		bad |= taints[i].bad;
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s (%c)",
						 used ? ", " : "", taints[i].what,
						 taints[i].letter);
	}
	if (!*list)
		snprintf(list, sizeof(list), "%.0f oopses and %.0f warnings",
			 oopses > 0 ? oopses : 0, warnings > 0 ? warnings : 0);
	f = rule_fire(r, fs);
	f->severity = oopses > 0 ? SEV_CRIT : bad ? SEV_WARN : SEV_INFO;
	f->confidence = 0.97;
	finding_offender(f, PARTY_KERNEL, "kernel", 0, NAN);
	finding_summary(f, "In the window of the kernel: %s.", list);
	finding_evidence(f, "kernel.tainted", now, "", before, "proc/sys/kernel/tainted");
	finding_evidence(f, "kernel.oopses", oopses, "", 0, "sys/kernel/oops_count");
	finding_evidence(f, "kernel.warnings", warnings, "", 0, "sys/kernel/warn_count");
	finding_next(f, "dmesg -T | grep -A 40 -E 'Oops|BUG|WARNING:'");
}

/* clang-format off */
const struct rule rules_kernel[] = {
	{ .id = "kernel.soft_lockup",
	  .question = "Did a CPU not schedule for seconds?",
	  .resource = RES_KERNEL, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "the watchdog reports a soft or hard lockup in the window or the minute before it",
	  .needs = "kernel log, or sys/kernel/softlockup_count (6.16)",
	  .meaning = "Kernel code ran for 20 s without letting anybody else on the CPU. On a guest the hypervisor may have taken the CPU away.",
	  .lookalikes = "A guest that was paused or migrated reports lockups for the time it did not exist: look at steal.",
	  .action = "Read the stack in the log: it names the code that did not yield.",
	  .symptoms = "kernel.rcu_stall kernel.hung_task kernel.tainted_new kernel.log_errors",
	  .check = check_soft_lockup },
	{ .id = "kernel.rcu_stall",
	  .question = "Does a CPU hold up RCU?",
	  .resource = RES_KERNEL, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "the kernel reports an RCU stall in the window or the minute before it",
	  .needs = "kernel log, or sys/kernel/rcu_stall_count (6.16)",
	  .meaning = "A CPU or task has not passed a quiescent state for 21 s or more; freed memory piles up and grace periods wait.",
	  .lookalikes = "Stolen CPUs of a guest; a console that prints slowly over a serial line.",
	  .action = "Read the stack in the log; check steal and real-time tasks.",
	  .symptoms = "kernel.hung_task kernel.log_errors",
	  .check = check_rcu_stall },
	{ .id = "kernel.hung_task",
	  .question = "Does the kernel report tasks that are blocked for minutes?",
	  .resource = RES_KERNEL, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "a line \"blocked for more than N seconds\" in the window or the minute before it",
	  .needs = "kernel log; kernel.hung_task_timeout_secs is 120 s on most machines, so a hang of ten seconds is not reported",
	  .meaning = "A task sits in state D. Its kernel stack follows in the log and says what for.",
	  .lookalikes = "Tasks that wait for a very slow but working disk.",
	  .action = "Find what they wait for: a disk (disk.hung_io_dstate), a server (fs.hung_mount), a lock.",
	  .symptoms = "",
	  .check = check_hung_task },
	{ .id = "kernel.tainted_new",
	  .question = "Did the kernel oops, warn or get tainted in the window?",
	  .resource = RES_KERNEL, .aspect = ASPECT_ERRORS, .metric = M_TAINTED, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "a taint flag appeared, or the counters of oopses and warnings moved: crit for an oops, warn for what says that something broke, "
		   "info for what was loaded",
	  .needs = "proc/sys/kernel/tainted, sys/kernel/oops_count and warn_count (6.2)",
	  .meaning = "The kernel found itself in a state that should not be. After an oops it may go on with locks held for ever.",
	  .lookalikes = "Flags that were there before the window say what happened since boot and are not judged.",
	  .action = "Save the log; plan a restart after an oops.",
	  .symptoms = "kernel.log_errors",
	  .check = check_tainted },
	{ .id = "kernel.log_errors",
	  .question = "Does the kernel log fill with errors?",
	  .resource = RES_KERNEL, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 2, .warn = 1, .crit = 10,
	  .fires = "two lines or more of level error, or about failing hardware, in the window; one is enough for a machine check, an oops or level critical; "
		   "one other line is an info. Lines that have a rule of their own (OOM kills, disk errors, hung tasks …) count there",
	  .needs = "kernel log",
	  .meaning = "Drivers and hardware complain here first. Lines of a facility other than kern were written by a program through /dev/kmsg: "
		     "they count with less confidence.",
	  .lookalikes = "Errors at boot are not judged: only what comes while sixty looks.",
	  .action = "Read the lines; search for driver and device.",
	  .symptoms = "",
	  .check = check_log_errors },
	{ .id = NULL }
};
/* clang-format on */
