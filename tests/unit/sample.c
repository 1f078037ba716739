/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct host host = {
	.hostname = "web1",
	.kernel = "6.1.0-18-amd64",
	.arch = "x86_64",
	.virtualization = "kvm",
	.cpus = 2,
	.possible_cpus = 2,
	.memory_bytes = 8ull << 30,
	.ticks_per_second = 100,
	.page_size = 4096,
	.root = true,
};

static void begin(struct report *r)
{
	metrics_init();
	report_init(r, "sixty.triage/1", &host);
	r->start_wall_ns = 1700000000123456789;
	r->seconds = 10;
	r->replayed = true;
	r->ledger = (struct ledger){ .cpu_seconds_self = 0.048,
				     .wall_seconds = 10,
				     .attach_seconds = 0.004,
				     .rss_bytes = 9u << 20 };
}

/* ---- findings ---- */

static void add_cpu(struct findings *fs)
{
	struct finding *f = finding_add(fs, "cpu.saturated", RES_CPU, ASPECT_SATURATION);

	f->severity = SEV_CRIT;
	f->confidence = 0.97;
	f->impact.lost = 3.2;
	finding_summary(
		f,
		"transcoded[4242] keeps both CPUs busy (92 %% of the CPU time used); webwork[4711] and 2 others wait "
		"3.20 s/s for a CPU.");
	finding_offender(f, PARTY_PROCESS, "transcoded", 4242, 0.92);
	finding_offender(f, PARTY_PROCESS, "indexd", 4300, 0.05);
	snprintf(finding_victim(f, PARTY_PROCESS, "webwork", 4711, 1.9)->cgroup, 192, "/svc/web");
	finding_victim(f, PARTY_PROCESS, "sshd", 812, 0.3);
	finding_evidence(f, "sched.runq_wait", 3.2, "s/s", 0.2, "/proc/PID/task/TID/schedstat");
	finding_evidence(f, "cpu.busy", 0.991, "ratio", 0.9, "/proc/stat");
	finding_evidence(f, "sys.context_switches", 41234, "count/s", NAN, "/proc/stat");
	finding_symptom(f, "load average 12.1, rising");
	finding_next(f, "pidstat -t -p 4242 1");
	finding_next(f, "perf record -F 99 -g -p 4242 -- sleep 10");
}

static void add_disk(struct findings *fs)
{
	struct finding *f = finding_add(fs, "disk.slow_device", RES_DISK, ASPECT_DURATION);

	snprintf(f->instance, sizeof(f->instance), "vdb");
	f->confidence = 0.74;
	f->estimated = true;
	f->impact.lost = 0.41;
	finding_summary(f, "vdb answers in 48 ms at depth 1; postgres[900] waits 0.41 s/s for it.");
	finding_offender(f, PARTY_DEVICE, "vdb", 0, NAN);
	finding_victim(f, PARTY_PROCESS, "postgres", 900, 0.41);
	finding_evidence(f, "disk.await", 0.048, "s", 0.01, "/proc/diskstats");
	finding_next(f, "iostat -xz 1 vdb");
}

static void add_fs(struct findings *fs)
{
	struct finding *f = finding_add(fs, "fs.filling_up", RES_FS, ASPECT_UTILIZATION);

	f->severity = SEV_INFO;
	snprintf(f->instance, sizeof(f->instance), "/var");
	f->impact.to_limit = 7200;
	finding_summary(f, "/var is 91 %% full and grows 2.1 MiB/s: full in 2 h.");
	finding_offender(f, PARTY_FILESYSTEM, "/var", 0, NAN);
}

static void add_unknown(struct findings *fs)
{
	findings_unknown(fs, "cpu.steal", "no steal time on this hypervisor");
	findings_unknown(fs, "lock.futex_contention", "eBPF: owners of futexes");
	findings_unknown(fs, "net.bufferbloat", "eBPF: delay per packet");
	findings_unknown(fs, "kernel.hung_task", "dev/kmsg: Operation not permitted");
	findings_unknown(fs, "kernel.soft_lockup", "dev/kmsg: Operation not permitted");
}

/* ---- tables ---- */

static void add_use(struct report *r)
{
	struct use_row *u;

	u = report_use(r, RES_CPU, "all");
	u->utilization = 0.991;
	u->worst_second = 1;
	u->saturation = 3.2;
	u->saturation_unit = "s/s waiting";
	u->errors = 0;
	u->matters = true;
	for (int i = 0; i < 2; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu%d", i);
		u = report_use(r, RES_CPU, name);
		u->utilization = u->worst_second = 0.99;
		snprintf(u->why_saturation, sizeof(u->why_saturation), "schedstats are off");
		snprintf(u->why_errors, sizeof(u->why_errors), "no machine check counters here");
	}
	u = report_use(r, RES_DISK, "vdb");
	u->utilization = 0.42;
	u->worst_second = 0.6;
	u->saturation = 1.02;
	u->saturation_unit = "requests";
	u->errors = 3;
	u->matters = true;
	u = report_use(r, RES_KERNEL, "descriptors of a very long kind");
	u->utilization = 0.00008;
	snprintf(u->why_saturation, sizeof(u->why_saturation), "nobody waits for an entry");
	u->errors = 123456;
	u = report_use(r, RES_DISK, "vda");
	u->utilization = u->worst_second = u->saturation = u->errors = 0;
	u->saturation_unit = "requests";
}

/* clang-format off */
static const struct sheet_column vmstat_columns[] = {
	{ "r", "r", 0, 3 },          { "b", "b", 0, 3 },         { "swpd", "swpd", 0, 7 },    { "free", "free", 0, 8 },
	{ "buff", "buff", 0, 7 },    { "cache", "cache", 0, 8 }, { "si", "si", 0, 5 },        { "so", "so", 0, 5 },
	{ "bi", "bi", 0, 6 },        { "bo", "bo", 0, 6 },       { "in", "in", 0, 6 },        { "cs", "cs", 0, 6 },
	{ "us", "us", 0, 3 },        { "sy", "sy", 0, 3 },       { "id", "id", 0, 3 },        { "wa", "wa", 0, 3 },
	{ "st", "st", 0, 3 },
};
/* clang-format on */

/* clang-format off */
static const struct sheet_column pidstat_columns[] = {
	{ "PID", "pid", 0, 7 },      { "%usr", "usr", 1, 6 },    { "%system", "system", 1, 7 }, { "%wait", "wait", 1, 6 },
	{ "Command", "command", -1, -16 },
};
/* clang-format on */

static void add_sheets(struct report *r, const char *comm)
{
	struct sheet *s = report_sheet(r, "vmstat", "run queue, memory, CPU", vmstat_columns, 17);
	size_t row = sheet_row(s, true);

	for (unsigned c = 0; c < 17; c++)
		sheet_number(s, row, c, c < 2 ? 12 - c : c < 6 ? 123456 * c : c < 8 ? 0 : c * 7);
	s = report_sheet(r, "pidstat", "which processes used the CPUs", pidstat_columns, 5);
	for (int i = 0; i < 2; i++) {
		row = sheet_row(s, !i);
		sheet_number(s, row, 0, 4242 + i);
		sheet_number(s, row, 1, i ? 0.1 : 184.31);
		sheet_number(s, row, 2, i ? NAN : 2.2);
		sheet_number(s, row, 3, 0);
		sheet_text(r, s, row, 4, i ? "indexd" : comm);
	}
	s = report_sheet(r, "dmesg", "what the kernel said", pidstat_columns, 5);
	snprintf(s->note, sizeof(s->note), "nothing in the window");
}

/* ---- reports ---- */

static void add_everything(struct report *r, const char *comm)
{
	add_cpu(&r->findings);
	add_disk(&r->findings);
	add_fs(&r->findings);
	add_unknown(&r->findings);
	findings_clear(
		&r->findings, RES_MEMORY, "",
		"0.00 s/s stalled in reclaim and page faults; 9 conditions looked for, none found");
	findings_clear(&r->findings, RES_NET, "eth0", "no drops, 0.2 %% of 1 Gbit/s");
	add_use(r);
	add_sheets(r, comm);
	r->verdict = VERDICT_ACTIONABLE;
	r->lost_total = 3.9;
	r->explained = 0.926;
	snprintf(r->summary, sizeof(r->summary), "%s", r->findings.list[0].summary);
	r->ledger.short_lived = 7;
	r->ledger.counters_reset = 1;
}

void sample_sick(struct report *r)
{
	begin(r);
	add_everything(r, "transcoded");
}

void sample_healthy(struct report *r)
{
	begin(r);
	findings_clear(&r->findings, RES_CPU, "",
		       "0.02 s/s waiting for a CPU; 18 conditions looked for, none found");
	findings_clear(&r->findings, RES_DISK, "",
		       "0.00 s/s blocked on disks; 8 conditions looked for, none found");
	r->verdict = VERDICT_HEALTHY;
	r->lost_total = 0.02;
	snprintf(r->summary, sizeof(r->summary),
		 "No limiting factor in 10 s: cleared are cpu, disk.");
	add_use(r);
	for (size_t i = 0; i < r->nuse; i++)
		r->use[i].matters = false;
}

/* Escape sequences, a line break, a quote, a backslash, a formula, broken UTF-8, a bidirectional override. */
#define NASTY "\033[2Jx\n\"\\,=1+1\xff\xe2\x80\xae"

void sample_hostile(struct report *r)
{
	begin(r);
	add_everything(r, NASTY);
	for (size_t i = 0; i < r->findings.n; i++) {
		struct finding *f = &r->findings.list[i];

		snprintf(f->summary, sizeof(f->summary), "bad " NASTY " summary");
		snprintf(f->instance, sizeof(f->instance), NASTY);
		for (unsigned k = 0; k < f->noffenders; k++)
			snprintf(f->offenders[k].name, sizeof(f->offenders[k].name), NASTY);
		for (unsigned k = 0; k < f->nvictims; k++)
			snprintf(f->victims[k].cgroup, sizeof(f->victims[k].cgroup), "/" NASTY);
		for (unsigned k = 0; k < f->nevidence; k++)
			snprintf(f->evidence[k].source, sizeof(f->evidence[k].source), NASTY);
		finding_symptom(f, "%s", NASTY);
		finding_next(f, "kill %s", NASTY);
	}
	snprintf(r->summary, sizeof(r->summary), NASTY);
	snprintf(r->use[0].instance, sizeof(r->use[0].instance), NASTY);
	snprintf(r->use[1].why_errors, sizeof(r->use[1].why_errors), NASTY);
	snprintf(r->findings.cleared[0].why, sizeof(r->findings.cleared[0].why), NASTY);
	snprintf(r->findings.unknown[0].why, sizeof(r->findings.unknown[0].why), NASTY);
	snprintf(r->sheets[0].note, sizeof(r->sheets[0].note), NASTY);
}

const char *sample_print(const struct report *r, const char *format, const struct style *s)
{
	static struct buf out;

	buf_clear(&out);
	exporter_by_name(format)->write(&out, r, s);
	return out.data;
}
