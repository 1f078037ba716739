/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/probing.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#include "collectors/bpf_engine.h"
#include "collectors/perf_events.h"
#include "engine/naming.h"
#include "engine/session.h"

#define CALIBRATE_FROM 2 /* ticks: when everything has settled */
#define CALIBRATE_FOR  2

/* How long names of programs may take in all: what is not read by then is named by file and place. */
#define NAMES_MS 250

/* Waits for locks from here on are worth the price of looking at every wake-up. */
#define LOCKS_LEAST 0.02 /* thread-seconds per second */

/* Of a watch without an end: in which a program must stay within its share. */
#define LIVE_BUDGET 60.0 /* seconds */

/* ---- opening and closing ---- */

static void name_program(void *namer, int pid, const uint64_t *addresses, size_t n,
			 char (*names)[PROGRAM_NAME])
{
	struct probing *p = namer;
	struct err e;

	if (!p->names_open && names_open(&p->names, NAMES_MS, &e)) {
		for (size_t i = 0; i < n; i++)
			snprintf(names[i], PROGRAM_NAME, "[no process to look it up]");
		return;
	}
	p->names_open = true;
	names_of(&p->names, pid, addresses, n, names);
}

static void tell_fates(const struct probing *p)
{
	for (size_t i = 0; bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(p->env->bpf, i);

		if ((bpf_probes[i].group & p->groups) && !f->spare)
			collector_status(p->env, bpf_probes[i].program, f->attached ? 0 : -ENOSYS,
					 "%s%s%s", f->why, f->attached ? "" : ": ",
					 f->attached ? "" : bpf_probes[i].without);
	}
}

static void open_red(struct probing *p)
{
	struct err e = { 0 };

	if (!bpf_engine_has(p->env->bpf, BPF_RED))
		return; /* tell_fates() has the reason */
	if (bpf_red_open(&p->red, p->env->bpf, &p->red_plan, p->env->root, &e))
		collector_status(p->env, "requests", e.code, "%s", e.msg);
}

/* Where everything is tried: a tracepoint that is hit seldom. NULL: there is none. */
static const struct perf_event_attr *some_event(const struct root *root, struct perf_event_attr *a)
{
	struct perf_event ev;

	if (perf_event_find(root, "sched:sched_process_exit", &ev, NULL))
		return NULL;
	memset(a, 0, sizeof(*a));
	perf_event_fill(&ev, a);
	perf_event_rate(a, 0, 1);
	return a;
}

void probing_open(struct probing *p, struct collector_env *env, const struct session_args *args,
		  const struct hist_wish *group)
{
	struct hist_wish w = { .kinds = args->hists,
			       .key = args->hists_by_key ? HIST_KEYS : HIST_BY_NOTHING };
	struct bpf_options o = { .suspect = args->bpf_all,
				 .group = group->group,
				 .group_in = group->group_in,
				 .group_level = group->group_level };
	struct perf_event_attr event;
	struct err e = { 0 };

	*p = (struct probing){ .env = env,
			       .groups = args->bpf,
			       .live = args->live,
			       .calibrate_from = CALIBRATE_FROM };
	budget_init(&p->budget, args->budget, args->live ? LIVE_BUDGET : args->seconds);
	if (!p->groups || args->replay || !env->root->live)
		return;
	if (!args->bpf_all && !args->live && tasks_processes(env->root) < TABLE_LEAST)
		p->groups &= ~(uint64_t)BPF_TABLE;
	if (w.kinds) {
		bpf_hists_plan(&p->plan, &w);
		o.hist = &p->plan.config;
		o.hist_cells = p->plan.cells;
		p->groups |= p->plan.groups;
	}
	if (p->groups & BPF_RED) {
		bpf_red_plan(&p->red_plan, &(struct red_wish){ .clients = true }, env->root);
		o.red = &p->red_plan;
	}
	if (!p->groups)
		return;
	if (p->groups & BPF_EVENT)
		o.event = some_event(env->root, &event);
	if (bpf_engine_open_with(&env->bpf, p->groups, &o, &e)) {
		collector_status(env, "eBPF", e.code, "%s", e.msg);
		return;
	}
	if (w.kinds)
		bpf_hists_open(&p->hists, env->bpf, &p->plan, env->root);
	open_red(p);
	env->name_kernel = naming_kernel;
	env->name_program = name_program;
	env->namer = p;
	env->time_measured = bpf_engine_has(env->bpf, BPF_TIME);
	tell_fates(p);
}

void probing_close(struct probing *p)
{
	if (!p->env)
		return;
	if (p->names_open)
		names_close(&p->names);
	bpf_hists_close(p->hists);
	bpf_red_close(p->red);
	reds_done(&p->red_first);
	reds_done(&p->reds);
	bpf_engine_close(p->env->bpf);
	hists_done(&p->first);
	*p = (struct probing){ 0 };
}

/* ---- distributions ---- */

void probing_hists(struct probing *p, struct hists *out)
{
	struct err e = { 0 };
	int err = p->hists ? bpf_hists_read(p->hists, out, &e) : 0;

	if (!err)
		return;
	hists_clear(out);
	collector_status(p->env, "distributions", err, "%s", e.msg);
}

static void read_red(struct probing *p, struct reds *out)
{
	struct err e = { 0 };

	if (p->red && bpf_red_read(p->red, out, &e)) {
		reds_clear(out);
		collector_status(p->env, "requests", e.code, "%s", e.msg);
	}
}

void probing_begin(struct probing *p)
{
	probing_hists(p, &p->first);
	read_red(p, &p->red_first);
}

void probing_end(struct probing *p, struct hists *window)
{
	probing_hists(p, window);
	hists_subtract(window, &p->first);
	hists_tidy(window);
	read_red(p, &p->reds);
	reds_subtract(&p->reds, &p->red_first);
	reds_tidy(&p->reds);
}

/* ---- while they run ---- */

void probing_tick(struct probing *p, uint64_t passed)
{
	if (!p->env->bpf)
		return;
	p->ticks += passed;
	if (p->calibrated)
		return;
	if (!p->calibrating && p->ticks >= p->calibrate_from) {
		bpf_engine_calibrate_begin(p->env->bpf);
		p->calibrating = true;
	} else if (p->calibrating && p->ticks >= p->calibrate_from + CALIBRATE_FOR) {
		bpf_engine_calibrate_end(p->env->bpf);
		p->calibrating = false;
		p->calibrated = true;
	}
}

bool probing_needs_ticks(const struct probing *p)
{
	return p->env->bpf && !p->calibrated;
}

static void calibrate_again(struct probing *p)
{
	if (p->calibrating)
		bpf_engine_calibrate_end(p->env->bpf);
	p->calibrating = p->calibrated = false;
	p->calibrate_from = p->ticks + 1;
}

static void suspect_locks(struct probing *p, const struct wire_counts *counts)
{
	if (!(p->groups & BPF_WAKE) || bpf_engine_has(p->env->bpf, BPF_WAKE) ||
	    (double)counts->lock_ns * 1e-9 < LOCKS_LEAST * (double)p->ticks / TICKS_A_SECOND)
		return;
	bpf_engine_start(p->env->bpf, BPF_WAKE);
	if (bpf_engine_has(p->env->bpf, BPF_WAKE))
		calibrate_again(p); /* for the newcomer */
}

uint64_t probing_second(struct probing *p)
{
	struct wire_counts counts;
	bool over;

	if (!p->env->bpf || bpf_engine_second(p->env->bpf, &counts))
		return 0;
	for (size_t i = 0; bpf_probes[i].program; i++)
		budget_spend(&p->budget, i, bpf_engine_load(p->env->bpf, i), 1);
	over = budget_exceeded(&p->budget, 1, &p->dearest);
	suspect_locks(p, &counts);
	if (!over) {
		if (p->live && p->budget.elapsed >= LIVE_BUDGET)
			budget_init(&p->budget, p->budget.each, LIVE_BUDGET);
		return 0;
	}
	/* of what interrupts take from threads nobody asks any more when nobody measures threads */
	return bpf_probes[p->dearest].group |
	       (bpf_probes[p->dearest].group & BPF_TIME ? BPF_IRQ : 0);
}

void probing_stop(struct probing *p, uint64_t groups)
{
	bpf_engine_stop(p->env->bpf, groups);
	collector_status(
		p->env, bpf_probes[p->dearest].program, -EDQUOT,
		"stopped after %.1f s, with what belongs to it: it cost %.1f %% of a CPU (--budget); what it says is of that time",
		bpf_engine_fate(p->env->bpf, p->dearest)->stopped,
		100 * p->budget.rate[p->dearest]);
}
