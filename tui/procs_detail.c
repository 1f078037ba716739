/* SPDX-License-Identifier: Apache-2.0 */
/* One process: where its time goes, what it uses, what its control group allows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/grid.h"
#include "tui/parts.h"
#include "tui/procs.h"

struct pen {
	struct canvas *c;
	struct area a; /* what is left */
};

static struct area next_line(struct pen *p)
{
	struct area line = { p->a.x, p->a.y, p->a.columns, p->a.rows > 0 };

	p->a.y++;
	p->a.rows--;
	return line;
}

static void put_line(struct pen *p, const char *name, const char *text)
{
	struct area l = next_line(p);

	if (l.rows <= 0)
		return;
	canvas_text(p->c, l.x + 1, l.y, 12, PAINT_DIM, name);
	canvas_text(p->c, l.x + 14, l.y, l.columns - 14, PAINT_PLAIN, text);
}

/* ---- time ---- */

static void put_time(struct pen *p, const struct psource *s, const struct prow *r)
{
	double all = r->lost ? time_total(r->lost) : 0;
	char title[120], text[80];
	struct area l = next_line(p);
	int column = 0;

	if (l.rows <= 0)
		return;
	snprintf(title, sizeof(title), "over %.0f s, %s", s->seconds,
		 r->lost && r->lost->exact ? "measured at every context switch"
					   : "estimated from samples of its active threads");
	heading(p->c, l, "Time of all its threads", r->lost ? title : "");
	if (!(all > 0)) {
		put_line(p, "",
			 s->v ? "no thread of it was active in the window"
			      : "known after the first judgement");
		return;
	}
	l = next_line(p);
	if (l.rows > 0)
		time_bar(p->c, l.x + 1, l.y, l.columns - 2, r->lost);
	l = next_line(p);
	for (enum cause c = 0; c < CAUSE_MAX && l.rows > 0; c++) {
		double v = r->lost->time[c];

		if (!(v > 0.0005 * all))
			continue;
		if (column && column + 36 > l.columns) {
			l = next_line(p);
			column = 0;
			if (l.rows <= 0)
				return;
		}
		snprintf(text, sizeof(text), "%s %.1f %%", cause_title(c), 100 * v / all);
		canvas_text(p->c, l.x + 1 + column, l.y, 34, cause_paint(c), text);
		column += 36;
	}
}

/* ---- numbers ---- */

static const char *number(const struct psource *s, const struct prow *r, enum metric_id id,
			  char *out, size_t size)
{
	const struct metric *m = metric_get(id);

	return unit_format(out, size, m->unit, m->kind == KIND_COUNTER, pvalue(s, r, id));
}

static void put_numbers(struct pen *p, const struct psource *s, const struct prow *r)
{
	char text[300], a[32], b[32], c[32], d[32], e[32];
	struct area l = next_line(p);

	if (l.rows > 0)
		heading(p->c, l, "What it uses", "");
	snprintf(text, sizeof(text),
		 "%.1f %% of one CPU: user %.1f %%, kernel %.1f %%; nice %s, last on CPU %s",
		 100 * (pvalue(s, r, M_PROC_USER) + pvalue(s, r, M_PROC_SYSTEM)),
		 100 * pvalue(s, r, M_PROC_USER), 100 * pvalue(s, r, M_PROC_SYSTEM),
		 number(s, r, M_PROC_NICE, a, sizeof(a)), number(s, r, M_PROC_CPU, b, sizeof(b)));
	put_line(p, "CPU", s->iv ? text : "-");
	snprintf(text, sizeof(text), "resident %s (anonymous %s, files %s, shared %s), swap %s",
		 number(s, r, M_PROC_RSS, a, sizeof(a)),
		 number(s, r, M_PROC_RSS_ANON, b, sizeof(b)),
		 number(s, r, M_PROC_RSS_FILE, c, sizeof(c)),
		 number(s, r, M_PROC_RSS_SHMEM, d, sizeof(d)),
		 number(s, r, M_PROC_SWAP, e, sizeof(e)));
	put_line(p, "memory", text);
	snprintf(text, sizeof(text), "%s without I/O, %s with",
		 number(s, r, M_PROC_MINFLT, a, sizeof(a)),
		 number(s, r, M_PROC_MAJFLT, b, sizeof(b)));
	put_line(p, "page faults", text);
	snprintf(text, sizeof(text), "read %s, written %s; calls: read %s, write %s",
		 number(s, r, M_PROC_READ_BYTES, a, sizeof(a)),
		 number(s, r, M_PROC_WRITE_BYTES, b, sizeof(b)),
		 number(s, r, M_PROC_SYSCR, c, sizeof(c)),
		 number(s, r, M_PROC_SYSCW, d, sizeof(d)));
	put_line(p, "storage", text);
	snprintf(text, sizeof(text), "%s given up, %s taken",
		 number(s, r, M_PROC_VCSW, a, sizeof(a)), number(s, r, M_PROC_NVCSW, b, sizeof(b)));
	put_line(p, "switches", text);
	snprintf(text, sizeof(text), "%s threads, %s open files of %s allowed, %s children",
		 number(s, r, M_PROC_THREADS, a, sizeof(a)), number(s, r, M_PROC_FDS, b, sizeof(b)),
		 number(s, r, M_PROC_FD_LIMIT, c, sizeof(c)),
		 number(s, r, M_PROC_CHILDREN, d, sizeof(d)));
	put_line(p, "limits", text);
}

/* ---- the control group ---- */

static void put_cgroup(struct pen *p, const struct psource *s, const struct prow *r)
{
	char path[300], text[300], a[32], b[32], c[32], d[32];
	struct snapshot *g = now_rows(&s->ui->now, SCOPE_CGROUP);
	struct area l = next_line(p);
	size_t rows = g ? snapshot_rows(g, SCOPE_CGROUP) : 0;
	bool any = false;

	prow_cgroup(s, r, path, sizeof(path));
	if (l.rows > 0)
		heading(p->c, l, "Control group", path);
	for (size_t i = 0; i < rows && p->a.rows > 0; i++) {
		const char *its = snapshot_text(g, M_CG_PATH, i);
		struct row_id id = snapshot_id(g, SCOPE_CGROUP, i);
		const char *controllers = snapshot_text(g, M_CG_CONTROLLERS, i);
		double quota = ui_value(s->ui, M_CG_CPU_QUOTA, id),
		       period = ui_value(s->ui, M_CG_CPU_PERIOD, id);

		if (!its || strcmp(its, path) != 0)
			continue;
		any = true;
		if (quota > 0 && period > 0 && !isinf(quota)) {
			snprintf(text, sizeof(text),
				 "uses %s of %.2f CPUs allowed, throttled %s of the time",
				 ui_cell(s->ui, M_CG_CPU_USAGE, id, a, sizeof(a)), quota / period,
				 ui_cell(s->ui, M_CG_CPU_THROTTLED_TIME, id, b, sizeof(b)));
			put_line(p, "cpu", text);
		}
		if (!isnan(ui_value(s->ui, M_CG_MEM_CURRENT, id))) {
			snprintf(text, sizeof(text), "%s of %s, peak %s; killed for memory %s",
				 ui_cell(s->ui, M_CG_MEM_CURRENT, id, a, sizeof(a)),
				 ui_cell(s->ui, M_CG_MEM_LIMIT, id, b, sizeof(b)),
				 ui_cell(s->ui, M_CG_MEM_PEAK, id, c, sizeof(c)),
				 ui_cell(s->ui, M_CG_MEM_OOM_KILLS, id, d, sizeof(d)));
			put_line(p, "memory", text);
		}
		if (!isnan(ui_value(s->ui, M_CG_PIDS_CURRENT, id))) {
			snprintf(text, sizeof(text), "%s of %s tasks",
				 ui_cell(s->ui, M_CG_PIDS_CURRENT, id, a, sizeof(a)),
				 ui_cell(s->ui, M_CG_PIDS_MAX, id, b, sizeof(b)));
			put_line(p, "tasks", text);
		}
		if (controllers && *controllers)
			put_line(p, "controllers", controllers);
	}
	if (!any)
		put_line(p, "", "no limits of it were read");
}

static void put_head(struct pen *p, const struct psource *s, const struct prow *r)
{
	char text[500], user[64], age[32];
	struct area l = next_line(p);

	if (l.rows <= 0)
		return;
	snprintf(text, sizeof(text), "%lld %s", (long long)r->pid,
		 snapshot_name(s->s, SCOPE_PROCESS, r->at));
	prow_user(s, r, user, sizeof(user));
	heading(p->c, l, text, "Esc back, k signal, y nice");
	put_line(p, "command", prow_command(s, r));
	snprintf(text, sizeof(text), "user %s, parent %lld, state %c, began %s ago", user,
		 (long long)r->ppid, prow_state(s, r),
		 unit_duration(age, sizeof(age), prow_age(s, r)));
	put_line(p, "", text);
}

void procs_detail(struct ui *ui, struct canvas *c, struct area a, const struct psource *s)
{
	struct pen p = { c, a };
	struct prow r;

	if (!prow_of(s, ui->procs->of, &r)) {
		canvas_print(c, a.x + 1, a.y, a.columns - 1, PAINT_WARN,
			     "Process %llu has ended. Esc goes back.",
			     (unsigned long long)ui->procs->of.key);
		return;
	}
	put_head(&p, s, &r);
	put_time(&p, s, &r);
	put_numbers(&p, s, &r);
	put_cgroup(&p, s, &r);
}
