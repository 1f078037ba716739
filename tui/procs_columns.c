/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of processes: those that people know by name, and every metric of a process beside them. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "tui/parts.h"
#include "tui/procs.h"

/* The same as now_value(), for rows whose places are known. */
double pvalue(const struct psource *s, const struct prow *r, enum metric_id id)
{
	const struct metric *m = metric_get(id);
	uint64_t raw;

	if (r->thread || m->scope != SCOPE_PROCESS)
		return NAN;
	if (m->kind == KIND_GAUGE || m->kind == KIND_LABEL)
		return snapshot_value(s->s, id, r->at);
	if (!s->iv)
		return NAN;
	if (r->moved != SIZE_MAX)
		return interval_value(s->iv, id, r->moved);
	return snapshot_raw(s->s, id, r->at, &raw) ? 0 : NAN;
}

/* Of a thread's row in the window. */
static double tvalue(const struct psource *s, const struct prow *r, enum metric_id id)
{
	return s->v ? interval_rate(s->v->window, id, r->at) : NAN;
}

static double lost_share(const struct psource *s, const struct prow *r, enum cause a, enum cause b)
{
	if (!r->lost || !(s->seconds > 0))
		return s->v && !r->thread ? 0 : NAN; /* who has no row did not wait at all */
	return (r->lost->time[a] + (a == b ? 0 : r->lost->time[b])) / s->seconds;
}

static double number_pid(const struct psource *s, const struct prow *r)
{
	(void)s;
	return (double)r->id.key;
}

static void text_pid(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	(void)s;
	snprintf(out, size, "%llu", (unsigned long long)r->id.key);
}

static double number_ppid(const struct psource *s, const struct prow *r)
{
	(void)s;
	return (double)r->ppid;
}

static void text_ppid(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	(void)s;
	snprintf(out, size, "%lld", (long long)r->ppid);
}

char prow_state(const struct psource *s, const struct prow *r)
{
	double v = pvalue(s, r, M_PROC_STATE);

	return v >= 'A' && v <= 'z' ? (char)v : '-';
}

static double number_state(const struct psource *s, const struct prow *r)
{
	static const char order[] = "DRTtZSI";
	const char *at = strchr(order, prow_state(s, r));

	return at ? (double)(at - order) : 99;
}

static void text_state(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	snprintf(out, size, "%c", r->thread ? ' ' : prow_state(s, r));
}

static double number_cpu(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return tvalue(s, r, M_THREAD_RUN);
	return pvalue(s, r, M_PROC_USER) + pvalue(s, r, M_PROC_SYSTEM);
}

static double number_wait(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return tvalue(s, r, M_THREAD_RUNNABLE);
	return lost_share(s, r, CAUSE_RUNNABLE, CAUSE_THROTTLED);
}

static double number_disk(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return tvalue(s, r, M_THREAD_DISK);
	return lost_share(s, r, CAUSE_DISK, CAUSE_WRITEBACK);
}

static double number_lock(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return tvalue(s, r, M_THREAD_MUTEX);
	return lost_share(s, r, CAUSE_LOCK, CAUSE_LOCK);
}

static double number_memory(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return tvalue(s, r, M_THREAD_FAULT);
	return lost_share(s, r, CAUSE_RECLAIM, CAUSE_FAULT);
}

static double number_lost(const struct psource *s, const struct prow *r)
{
	if (r->thread)
		return NAN;
	return r->lost && s->seconds > 0 ? r->lost->lost / s->seconds : s->v ? 0 : NAN;
}

static void text_why(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	enum cause worst;

	if (!r->lost || !(r->lost->lost > 0.01 * s->seconds))
		return;
	worst = worst_cause(r->lost);
	snprintf(out, size, "%s", cause_title(worst));
}

static double number_mem_share(const struct psource *s, const struct prow *r)
{
	double all = (double)s->ui->now.host->memory_bytes;

	return all > 0 ? pvalue(s, r, M_PROC_RSS) / all : NAN;
}

static double number_time(const struct psource *s, const struct prow *r)
{
	return r->thread ? NAN
			 : snapshot_value(s->s, M_PROC_USER, r->at) +
				   snapshot_value(s->s, M_PROC_SYSTEM, r->at);
}

static void text_time(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	double v = number_time(s, r);

	if (isnan(v))
		snprintf(out, size, "-");
	else if (v < 3600)
		snprintf(out, size, "%d:%05.2f", (int)(v / 60), fmod(v, 60));
	else if (v < 1e8)
		snprintf(out, size, "%dh%02d", (int)(v / 3600), (int)(fmod(v, 3600) / 60));
}

double prow_age(const struct psource *s, const struct prow *r)
{
	double hz = s->ui->now.host->ticks_per_second;

	if (r->thread || !(hz > 0))
		return NAN;
	return fmax(0,
		    (double)s->s->tables[SCOPE_PROCESS].time_ns * 1e-9 - (double)r->id.birth / hz);
}

static void text_age(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	unit_duration(out, size, prow_age(s, r));
}

/* Lines are "12:cpu,cpuacct:/path" (v1) and "0::/path" (v2): the group that has the CPU, else the deepest. */
void prow_cgroup(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	const char *all = r->thread ? NULL : snapshot_text(s->s, M_PROC_CGROUP, r->at);
	struct text rest = text_of(all ? all : ""), line, number, names;
	size_t deepest = 1;

	snprintf(out, size, "%s", all ? "/" : "-");
	while (text_line(&rest, &line)) {
		bool cpu;

		if (!text_until(&line, ':', &number) || !text_until(&line, ':', &names))
			continue;
		cpu = text_starts(names, "cpu,") || text_eq(names, "cpu") ||
		      text_has(names, ",cpu,");
		if (text_len(line) > deepest || (cpu && text_len(line) > 1)) {
			deepest = cpu ? SIZE_MAX : text_len(line);
			text_copy(out, size, line);
		}
	}
}

static void text_cgroup(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	prow_cgroup(s, r, out, size);
}

void prow_user(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	double uid = pvalue(s, r, M_PROC_UID);
	const struct ui_owner *o = s->ui->owner;
	const char *name = NULL;

	if (isnan(uid))
		uid = pvalue(s, r, M_PROC_OWNER);
	if (isnan(uid)) {
		snprintf(out, size, "-");
		return;
	}
	if (o && o->user)
		name = o->user(o->ctx, (int64_t)uid);
	if (name)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%.0f", uid);
}

static void text_user(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	if (!r->thread)
		prow_user(s, r, out, size);
}

const char *prow_command(const struct psource *s, const struct prow *r)
{
	const struct ui_owner *o = s->ui->owner;
	const char *command = NULL;

	if (r->thread)
		return interval_name(s->v->window, SCOPE_THREAD, r->at);
	if (o && o->command && !(pvalue(s, r, M_PROC_KTHREAD) > 0))
		command = o->command(o->ctx, r->pid, r->id.birth);
	return command && *command ? command : snapshot_name(s->s, SCOPE_PROCESS, r->at);
}

static void text_command(const struct psource *s, const struct prow *r, char *out, size_t size)
{
	const char *lead = s->ui->ascii ? "`-" : "\xe2\x94\x94\xe2\x94\x80";
	int indent = r->depth > 20 ? 40 : 2 * (int)r->depth;

	snprintf(out, size, "%*s%s%s", indent > 1 ? indent - 2 : 0, "", r->depth ? lead : "",
		 prow_command(s, r));
}

/* clang-format off */
const struct pcolumn procs_known[] = {
	{ "pid",     "PID",       7, "number of the process", number_pid, text_pid, UNIT_NONE, false, true, M_NONE },
	{ "ppid",    "PPID",      7, "its parent", number_ppid, text_ppid, UNIT_NONE, false, true, M_NONE },
	{ "user",    "USER",     -8, "effective user; of processes that were never active it may be unknown", NULL, text_user, UNIT_TEXT, false, true, M_NONE },
	{ "state",   "S",        -1, "state: R runs or could, D blocked, S asleep, T stopped, Z ended, I idle", number_state, text_state, UNIT_NONE, false, true, M_NONE },
	{ "cpu",     "CPU%",      6, "time on CPUs in the last interval; 100 % is one CPU", number_cpu, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "wait",    "WAIT%",     6, "time its threads waited for a CPU or a quota, over the judged window", number_wait, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "disk",    "DISK%",     6, "time its threads were blocked on disks and writeback, over the judged window", number_disk, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "lock",    "LOCK%",     6, "time its threads waited for locks, over the judged window", number_lock, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "reclaim", "MEM-W%",    6, "time its threads were stalled in reclaim and page faults, over the judged window", number_memory, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "lost",    "LOST",      8, "all time lost to waiting, thread-seconds per second, over the judged window", number_lost, NULL, UNIT_SECONDS, true, false, M_NONE },
	{ "why",     "WAITS FOR",-14, "what most of that time was lost to", NULL, text_why, UNIT_TEXT, false, true, M_NONE },
	{ "rss",     "RSS",       9, "resident memory, shared pages included", NULL, NULL, UNIT_BYTES, false, false, M_PROC_RSS },
	{ "mem",     "MEM%",      6, "the same, of the machine's memory", number_mem_share, NULL, UNIT_RATIO, false, false, M_NONE },
	{ "swap",    "SWAP",      9, "memory in swap", NULL, NULL, UNIT_BYTES, false, false, M_PROC_SWAP },
	{ "threads", "THR",       4, "threads", NULL, NULL, UNIT_COUNT, false, false, M_PROC_THREADS },
	{ "nice",    "NI",        3, "nice value", NULL, NULL, UNIT_NONE, false, true, M_PROC_NICE },
	{ "read",    "READ/s",   10, "bytes fetched from storage per second (active processes)", NULL, NULL, UNIT_BYTES, true, false, M_PROC_READ_BYTES },
	{ "write",   "WRITE/s",  10, "bytes made dirty or written per second (active processes)", NULL, NULL, UNIT_BYTES, true, false, M_PROC_WRITE_BYTES },
	{ "majflt",  "MAJF/s",    7, "page faults that needed I/O, per second", NULL, NULL, UNIT_COUNT, true, false, M_PROC_MAJFLT },
	{ "switches", "CSW/s",    7, "times a thread gave up the CPU itself, per second (active processes)", NULL, NULL, UNIT_COUNT, true, false, M_PROC_VCSW },
	{ "files",   "FILES",     6, "open files", NULL, NULL, UNIT_COUNT, false, false, M_PROC_FDS },
	{ "time",    "TIME",      8, "CPU time since it began", number_time, text_time, UNIT_SECONDS, false, false, M_NONE },
	{ "age",     "AGE",       7, "time since it began", prow_age, text_age, UNIT_SECONDS, false, false, M_NONE },
	{ "cgroup",  "CGROUP",  -20, "control group", NULL, text_cgroup, UNIT_TEXT, false, true, M_NONE },
	{ "command", "COMMAND", -24, "command line; of what cannot be asked the name", NULL, text_command, UNIT_TEXT, false, true, M_NONE },
	{ .key = NULL }
};
/* clang-format on */

const char procs_default[] = "pid user state cpu wait disk lock rss threads read write why command";
const char procs_medium[] = "pid user state cpu wait disk lock rss threads why command";
const char procs_narrow[] = "pid user state cpu wait disk rss command";

/* "proc.rss_anon" as a title: what is behind the dot. */
static void title_of(const struct metric *m, char *out, size_t size)
{
	const char *dot = strchr(m->name, '.');
	size_t i = 0;

	for (const char *p = dot ? dot + 1 : m->name; *p && i + 1 < size; p++)
		out[i++] = *p == '_' ? ' ' : (char)toupper((unsigned char)*p);
	out[i] = '\0';
}

/* Titles of metrics live as long as the program: there are as many as there are metrics. */
static const char *kept_title(enum metric_id id)
{
	static char titles[M_MAX][12];

	if (!titles[id][0])
		title_of(metric_get(id), titles[id], sizeof(titles[id]));
	return titles[id];
}

bool procs_column(const char *key, struct pcolumn *out)
{
	enum metric_id id = metric_by_name(key);
	const struct metric *m;

	for (const struct pcolumn *c = procs_known; c->key; c++)
		if (!strcmp(c->key, key)) {
			*out = *c;
			return true;
		}
	if (id == M_NONE || metric_get(id)->scope != SCOPE_PROCESS)
		return false;
	m = metric_get(id);
	*out = (struct pcolumn){ .key = m->name,
				 .title = kept_title(id),
				 .width = m->unit == UNIT_TEXT ? -16 : 10,
				 .help = m->help,
				 .unit = m->unit,
				 .per_second = m->kind == KIND_COUNTER,
				 .metric = id };
	return true;
}

void procs_choose(struct procs *p, const char *keys)
{
	struct text rest = text_of(keys), word;
	char key[64];

	p->ncolumns = 0;
	snprintf(p->chosen, sizeof(p->chosen), "%s", keys);
	while (p->ncolumns < PROCS_COLUMNS && text_word(&rest, &word)) {
		text_copy(key, sizeof(key), word);
		p->ncolumns += procs_column(key, &p->columns[p->ncolumns]);
	}
	p->columns_made = true;
	if (p->ncolumns)
		return;
	procs_choose(p, procs_narrow);
	snprintf(p->chosen, sizeof(p->chosen), "%s", keys);
}

void pcell(const struct psource *s, const struct prow *r, const struct pcolumn *c, char *out,
	   size_t size)
{
	const char *text;

	out[0] = '\0';
	if (c->text) {
		c->text(s, r, out, size);
	} else if (c->unit == UNIT_TEXT) {
		text = r->thread ? NULL : snapshot_text(s->s, c->metric, r->at);
		snprintf(out, size, "%s", text ? text : "-");
	} else {
		double v = c->number ? c->number(s, r) : pvalue(s, r, c->metric);

		if (c->unit == UNIT_RATIO && v > 0 && v < PROCS_LEAST)
			snprintf(out, size, "<0.5");
		else if (c->unit == UNIT_RATIO && !isnan(v)) /* one column, one unit */
			snprintf(out, size, v < 9.995 ? "%.1f" : "%.0f", 100 * v);
		else if (c->unit == UNIT_COUNT && c->per_second && !isnan(v) && v < 1e5)
			snprintf(out, size, "%.0f", v);
		else
			unit_format(out, size, c->unit, c->per_second, v);
	}
}
