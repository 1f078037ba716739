/* SPDX-License-Identifier: Apache-2.0 */
/* What comes of a profile: a set of stacks with names, what it lacks, and what it cost. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/ledger.h"
#include "engine/profiling_parts.h"

#define NAMING_MS 10000

static void lose(struct profiling *p, struct stackset *ss)
{
	const struct programs_loss *l = &p->programs.loss;

	if (p->result.lost)
		stackset_lose(ss, "samples lost: the ring was full", (double)p->result.lost);
	if (p->result.unborn)
		stackset_lose(ss, "children that found no place among those that are sampled",
			      (double)p->result.unborn);
	if (kind_of(p)->waits)
		waiting_lose(&p->waiting, &p->result.waits, ss);
	if (p->full)
		stackset_lose(ss, "ended early: 20 million samples are kept", 1);
	if (l->gone)
		stackset_lose(ss, "processes that ended before they could be looked at",
			      (double)l->gone);
	if (l->unread)
		stackset_lose(ss, "processes whose mappings could not be read", (double)l->unread);
	if (programs_unread(&p->programs))
		stackset_lose(ss, "binaries that could not be read",
			      (double)programs_unread(&p->programs));
	if (l->refused)
		stackset_lose(ss, "binaries whose unwind rules found no room", (double)l->refused);
	if (l->unlisted)
		stackset_lose(ss, "processes whose mappings found no room", (double)l->unlisted);
	if (p->unnamed.files)
		stackset_lose(ss, "binaries whose symbols could not be read",
			      (double)p->unnamed.files);
	if (p->unnamed.undetailed)
		stackset_lose(ss, "binaries whose debug information could not be read in time",
			      (double)p->unnamed.undetailed);
	if (p->unnamed.kernel)
		stackset_lose(ss, "the kernel shows no names (kernel.kptr_restrict)", 1);
}

static uint32_t keep(struct stackset *ss, const char *text)
{
	uint32_t id = 0;

	stackset_string(ss, text_of(text), &id, NULL);
	return id;
}

/* "redis-server[4242] and 3 more" */
static void target_name(const struct profiling *p, char *out, size_t size)
{
	const struct profiling_args *a = &p->args;
	const char *comm = "";

	if (a->cgroup) {
		snprintf(out, size, "cgroup %s", a->cgroup);
		return;
	}
	if (a->command) {
		snprintf(out, size, "%s", a->command[0]);
		return;
	}
	if (!a->npids) {
		snprintf(out, size, "all processes");
		return;
	}
	for (size_t i = 0; i < p->raw.nthreads && !*comm; i++)
		if (p->raw.threads[i].tid == (uint32_t)a->pids[0])
			comm = p->raw.threads[i].comm;
	if (a->npids == 1)
		snprintf(out, size, "%s[%d]", comm, a->pids[0]);
	else
		snprintf(out, size, "%s[%d] and %zu more", comm, a->pids[0], a->npids - 1);
}

static void describe(struct profiling *p, struct stackset *ss)
{
	char target[200], title[240];

	target_name(p, target, sizeof(target));
	snprintf(title, sizeof(title), "%s of %s",
		 p->args.event ? p->args.event : kind_of(p)->title, target);
	ss->about.title = keep(ss, title);
	ss->about.target = keep(ss, target);
	ss->about.host = keep(ss, p->host.hostname);
	ss->about.kernel = keep(ss, p->host.kernel);
	ss->about.command = keep(ss, p->args.said ? p->args.said : "");
	ss->about.event = keep(ss, p->args.event ? p->args.event : kind_of(p)->event);
	ss->about.mode = keep(ss, p->args.event ? "event" : kind_of(p)->name);
}

/* What samples are weighed in; the first is what pictures are drawn by. */
static int name_values(const struct profiling *p, struct stackset *ss, struct err *e)
{
	bool clock = !strcmp(p->event.unit, "s");
	int err;

	if (!p->args.event) {
		const struct profile_kind *k = kind_of(p);

		err = stackset_value(ss, k->value, k->unit, e);
		return err < 0                                              ? err
		       : stackset_value(ss, k->other, k->other_unit, e) < 0 ? -EINVAL
									    : 0;
	}
	err = stackset_value(ss, p->event.name, clock ? "nanoseconds" : "count", e);
	return err < 0 ? err : stackset_value(ss, "samples", "count", e) < 0 ? -EINVAL : 0;
}

int profiling_stacks(struct profiling *p, struct stackset **out, struct err *e)
{
	struct naming_args a = { .root = &p->root,
				 .programs = &p->programs,
				 .raw = &p->raw,
				 .pythons = &p->pythons,
				 .per_thread = p->args.per_thread,
				 .inlines = !p->args.no_inline,
				 .lines = p->args.lines,
				 .weight = 1e9 / p->args.hz,
				 .events = p->args.event != NULL,
				 .deadline_ms = NAMING_MS,
				 .kind = kind_of(p),
				 .waits = kind_of(p)->waits ? &p->waiting.waits : NULL };
	struct stackset *ss = stackset_new();
	int err = name_values(p, ss, e);

	*out = NULL;
	if (!err)
		err = profile_name(&a, ss, &p->unnamed, e);
	if (err) {
		stackset_free(ss);
		return err;
	}
	lose(p, ss);
	describe(p, ss);
	ss->about.seconds = p->report.seconds;
	ss->about.hertz = !kind_of(p)->samples || p->args.period ||
					  (p->args.event && perf_event_is_tracepoint(&p->event))
				  ? 0
				  : p->args.hz;
	ss->about.start_ns = (uint64_t)p->report.start_wall_ns;
	p->result.naming_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - p->stopped_ns) * 1e-9;
	*out = ss;
	return 0;
}

const struct profiling_result *profiling_result(const struct profiling *p)
{
	return &p->result;
}

const struct report *profiling_report(struct profiling *p)
{
	struct ledger *l = &p->report.ledger;

	*l = (struct ledger){ .wall_seconds = p->report.seconds,
			      .attach_seconds = p->open_seconds };
	ledger_self(l);
	l->cpu_seconds_self -= p->command.cpu_seconds; /* it is no part of what looking costs */
	ledger_bpf(l, bpf_profile_engine(p->bpf), &p->counts);
	return &p->report;
}
