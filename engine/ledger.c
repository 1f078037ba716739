/* SPDX-License-Identifier: Apache-2.0 */
/* What a look has cost and what it has lost, as far as it is the same for all commands. */
#include "engine/ledger.h"

#include <stdio.h>
#include <sys/resource.h>

#include "collectors/bpf_engine.h"

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

void ledger_self(struct ledger *l)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	l->cpu_seconds_self = seconds(self.ru_utime) + seconds(self.ru_stime) +
			      seconds(children.ru_utime) + seconds(children.ru_stime);
	l->rss_bytes = (uint64_t)self.ru_maxrss * 1024;
}

static void take_losses(struct ledger *l, const __u64 *loss)
{
	l->unseen_switches = loss[LOSS_UNSEEN];
	l->missed_switches = loss[LOSS_MISSED];
	l->clock_anomalies = loss[LOSS_CLOCK];
	l->storage_refused = loss[LOSS_NO_STORAGE];
	l->dead_full = loss[LOSS_DEAD_FULL];
	l->stacks_full = loss[LOSS_DEEP_FULL];
	l->pairs_full = loss[LOSS_PAIRS_FULL];
	l->samples_full = loss[LOSS_SAMPLES_FULL];
	l->hist_keys = loss[LOSS_HIST_KEYS];
	l->hist_untimed = loss[LOSS_HIST_UNTIMED];
	l->hist_starts = loss[LOSS_HIST_STARTS];
	l->hist_errors = loss[LOSS_HIST_ERRORS];
	l->red_services = loss[LOSS_RED_SERVICES];
	l->red_sockets = loss[LOSS_RED_SOCKETS];
	l->red_names = loss[LOSS_RED_NAMES];
}

static void take_programs(struct ledger *l, const struct bpf_engine *b,
			  const struct wire_counts *before)
{
	l->nprograms = 0;
	l->cpu_seconds_bpf = 0;
	for (size_t i = 0; bpf_probes[i].program && l->nprograms < LEDGER_PROGRAMS; i++) {
		const struct bpf_fate *f = bpf_engine_fate(b, i);
		struct program_cost *p = &l->programs[l->nprograms];
		int counter = bpf_probes[i].counter;

		if (!f->attached)
			continue;
		*p = (struct program_cost){ .name = bpf_probes[i].program,
					    .what = bpf_probes[i].what,
					    .events = f->events,
					    .ns_per_event = f->ns_per_event,
					    .stopped = f->stopped };
		if (before && counter >= 0)
			p->events -= before->events[counter];
		snprintf(p->how, sizeof(p->how), "%s", f->how);
		if (p->ns_per_event > 0)
			l->cpu_seconds_bpf += (double)p->events * p->ns_per_event * 1e-9;
		l->nprograms++;
	}
}

void ledger_bpf(struct ledger *l, struct bpf_engine *b, const struct wire_counts *before)
{
	struct wire_counts counts;

	if (!b || bpf_engine_counts(b, &counts))
		return;
	l->bpf = true;
	l->load_cpu_seconds = bpf_engine_seconds(b);
	l->map_bytes = bpf_engine_map_bytes(b);
	for (unsigned i = 0; before && i < LOSS_MAX; i++)
		counts.loss[i] -= before->loss[i];
	take_losses(l, counts.loss);
	l->recursion = bpf_engine_recursion(b);
	take_programs(l, b, before);
}
