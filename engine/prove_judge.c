/* SPDX-License-Identifier: Apache-2.0 */
/* Each program against what is known: what was done, what it has measured, between which bounds that must lie.
 *
 * Bounds are what the players' own clocks and the kernel's own counters leave open. A count that nobody else adds to must be
 * exact; where others on the machine are counted as well there is only a least. */
#include "engine/prove_judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define CLOCKS  0.01 /* readings of two clocks, and the way from a call to the switch */
#define EDGE_NS 1000000.0
#define MISSED \
	0.05 /* switches that the kernel hides from programs: the account of time makes up for them, distributions cannot */

struct judge {
	struct proofs *out;
	const struct prove_findings *f;
	const char *program; /* that is being judged */
	char did[128];
};

static struct proof *add(struct judge *j, enum proof_verdict v)
{
	struct proofs *o = j->out;
	struct proof *p;

	o->list = mem_grow(o->list, &o->cap, o->n + 1, sizeof(*o->list));
	p = &o->list[o->n++];
	*p = (struct proof){ .program = j->program, .verdict = v };
	o->count[v]++;
	return p;
}

__attribute__((format(printf, 2, 3))) static void did(struct judge *j, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->did, sizeof(j->did), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void cannot(struct judge *j, const char *fmt, ...)
{
	struct proof *p = add(j, PROOF_CANNOT);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
}

/* A value between bounds; most is INFINITY where there is none. unit: "" for times. */
static void within(struct judge *j, double v, double least, double most, const char *unit)
{
	struct proof *p = add(j, v >= least && v <= most ? PROOF_PASS : PROOF_WRONG);
	int digits = *unit ? 1 : 0;

	memcpy(p->did, j->did, sizeof(p->did));
	snprintf(p->measured, sizeof(p->measured), "%.*f%s%s", digits, v, *unit ? " " : "", unit);
	if (isinf(most))
		snprintf(p->bound, sizeof(p->bound), "%.*f%s%s or more", digits, least,
			 *unit ? " " : "", unit);
	else if (least == most)
		snprintf(p->bound, sizeof(p->bound), "%.*f%s%s", digits, least, *unit ? " " : "",
			 unit);
	else
		snprintf(p->bound, sizeof(p->bound), "%.*f to %.*f%s%s", digits, least, digits,
			 most, *unit ? " " : "", unit);
}

static void times(struct judge *j, uint64_t n, double least, double most)
{
	within(j, (double)n, least, most, "");
}

static void exactly(struct judge *j, uint64_t n, uint64_t known)
{
	times(j, n, (double)known, (double)known);
}

static void lasts(struct judge *j, double ns, double least, double most)
{
	within(j, ns * 1e-6, fmax(0, least * 1e-6), most * 1e-6, "ms");
}

/* Runs of the program, as the kernel counts them. */
static void ran(struct judge *j, const struct bpf_engine *b, uint64_t least)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if (!strcmp(bpf_probes[i].program, j->program)) {
			strncat(j->did, " (the program ran)", sizeof(j->did) - strlen(j->did) - 1);
			times(j, bpf_engine_runs(b, i), (double)least, INFINITY);
		}
}

/* ---- what was measured ---- */

static const struct hist_row *hist_of(const struct judge *j, enum wire_hist_kind k,
				      unsigned measure)
{
	const struct hists *h = &j->f->hists;

	for (size_t i = 0; i < h->n; i++)
		if (h->rows[i].kind == k && h->rows[i].measure == measure &&
		    h->rows[i].by == HIST_BY_NOTHING)
			return &h->rows[i];
	return NULL;
}

static uint64_t counted(const struct judge *j, enum wire_hist_kind k, unsigned measure)
{
	const struct hist_row *r = hist_of(j, k, measure);

	return r ? hist_count(&r->h) : 0;
}

static double summed(const struct judge *j, enum wire_hist_kind k, unsigned measure)
{
	const struct hist_row *r = hist_of(j, k, measure);

	return r ? (double)r->h.sum : 0;
}

static double part(const struct judge *j, unsigned role, enum wire_part p)
{
	return (double)j->f->threads[role].parts[p];
}

/* ---- the time of threads ---- */

static const char *const names[] = {
	[ROLE_HEAVY] = "computed 400 ms beside another on one CPU (nice 0)",
	[ROLE_LIGHT] = "computed 400 ms beside another on one CPU (nice 5)",
};

/* Each thread that is to be judged by, as the sweeps have seen it. */
static bool seen(struct judge *j, unsigned role)
{
	if (j->f->threads[role].there)
		return true;
	cannot(j, "the kernel does not show this thread to eBPF programs");
	return false;
}

static void judge_hogs(struct judge *j)
{
	for (unsigned r = ROLE_HEAVY; r <= ROLE_LIGHT; r++) {
		const struct prove_thread *t = &j->f->threads[r];
		double cpu = (double)t->ran_ns, waited = (double)t->waited_ns;

		if (!seen(j, r))
			continue;
		if (!t->schedstat) {
			cannot(j,
			       "/proc/PID/task/TID/schedstat cannot be read: nothing to compare with");
			return;
		}
		did(j, "%s: on the CPU by schedstat %.1f ms", names[r], cpu * 1e-6);
		lasts(j, part(j, r, PART_RUN) + part(j, r, PART_STOLEN),
		      cpu * (1 - CLOCKS) - EDGE_NS, cpu * (1 + CLOCKS) + EDGE_NS);
		did(j, "the same one: waited for the CPU by schedstat %.1f ms", waited * 1e-6);
		lasts(j, part(j, r, PART_RUNNABLE) + part(j, r, PART_THROTTLED),
		      waited * (1 - CLOCKS) - EDGE_NS, waited * (1 + CLOCKS) + EDGE_NS);
	}
}

/* Those of threads that were born meanwhile are in it as well: they are not longer than their lives. */
static void judge_waits(struct judge *j)
{
	double waited = 0;

	for (unsigned r = 0; r <= PROVE_FIRST; r++) {
		if (!j->f->threads[r].there || !j->f->threads[r].schedstat)
			return; /* said already */
		waited += (double)j->f->threads[r].waited_ns;
	}
	did(j,
	    "waits for a CPU of all its threads (hist runqlat): by schedstat %.1f ms, without the newborn",
	    waited * 1e-6);
	lasts(j, summed(j, HIST_RUNQLAT, RUNQLAT_WAIT) + summed(j, HIST_RUNQLAT, RUNQLAT_THROTTLED),
	      waited * (1 - MISSED) - EDGE_NS,
	      waited * (1 + CLOCKS) + EDGE_NS + (double)j->f->dead_seen_ns);
}

static void judge_switch(struct judge *j)
{
	const struct prove_facts *x = j->f->facts;
	double wall = (double)x->wall[ROLE_SLEEPER], locked = (double)x->wall[ROLE_WAITER];

	if (seen(j, ROLE_SLEEPER)) {
		did(j, "slept %d times for 5 ms", PROVE_SLEEPS);
		lasts(j, part(j, ROLE_SLEEPER, PART_TIMER),
		      PROVE_SLEEPS * (double)PROVE_SLEEP_NS * (1 - CLOCKS), wall * (1 + CLOCKS));
	}
	judge_hogs(j);
	judge_waits(j);
	if (seen(j, ROLE_WAITER)) {
		did(j, "waited %d times for a mutex: %.1f ms by its own clock", PROVE_LOCKS,
		    locked * 1e-6);
		lasts(j, part(j, ROLE_WAITER, PART_MUTEX),
		      0.95 * locked - (double)j->f->threads[ROLE_WAITER].waited_ns - EDGE_NS,
		      locked * (1 + CLOCKS));
	}
	if (!j->f->place->cpu[0]) {
		cannot(j, "a CPU quota: %.160s", j->f->place->why_cpu);
	} else if (!j->f->throttled_known) {
		cannot(j,
		       "a CPU quota: the control group's cpu.stat does not tell how long it was throttled");
	} else if (seen(j, PROVE_THROTTLED)) {
		double told = (double)j->f->throttled_ns;

		did(j,
		    "computed 400 ms under a quota of 10 in 50 ms: throttled by cpu.stat %.1f ms",
		    told * 1e-6);
		/* the group is kept from a CPU a little longer than its thread waits for it */
		lasts(j, part(j, PROVE_THROTTLED, PART_THROTTLED),
		      told * 0.75 - 1000.0 * (PROVE_PERIOD_US - PROVE_QUOTA_US),
		      told * 1.1 + 5 * EDGE_NS);
	}
}

static void judge_sweep(struct judge *j)
{
	double wall = j->f->seconds * 1e9;

	for (unsigned r = ROLE_SLEEPER; r <= ROLE_HEAVY; r++) {
		const struct prove_thread *t = &j->f->threads[r];
		double sum = 0;

		if (!seen(j, r))
			continue;
		for (unsigned p = 0; p < PART_MAX; p++)
			sum += (double)t->parts[p];
		did(j, "%s: all parts of its time, between two sweeps",
		    r == ROLE_SLEEPER ? "one that slept" : "one that computed");
		lasts(j, sum, wall * 0.99 - EDGE_NS, wall * 1.01 + EDGE_NS);
	}
}

static void judge_newtask(struct judge *j)
{
	const struct prove_facts *x = j->f->facts;

	if (!x->born) {
		cannot(j, "no thread could be made");
		return;
	}
	did(j, "made %u threads that lived for some 5 ms each", x->born);
	exactly(j, j->f->dead_threads, x->born);
	did(j, "the same ones: how long they lived in all");
	lasts(j, (double)j->f->dead_seen_ns, (double)x->born_least * (1 - CLOCKS),
	      x->born * j->f->seconds * 1e9); /* the kernel may let go of them late */
}

static void judge_contention(struct judge *j)
{
	double wall = (double)(j->f->facts->wall[ROLE_WRITER] + j->f->facts->wall[ROLE_WRITER2]);

	did(j, "two wrote to one file on one CPU: waits for its lock in the kernel");
	times(j, counted(j, HIST_LOCK, LOCK_SLEEPING), 1, INFINITY);
	did(j, "the same two: time in those waits, within %.1f ms of writing", wall * 1e-6);
	lasts(j, part(j, ROLE_WRITER, PART_KLOCK) + part(j, ROLE_WRITER2, PART_KLOCK), 0.001e6,
	      wall * (1 + CLOCKS));
}

static void judge_contended(struct judge *j)
{
	did(j, "ends of those waits (hist lock), no longer than the writing");
	lasts(j, summed(j, HIST_LOCK, LOCK_SLEEPING), 0.001e6,
	      (double)(j->f->facts->wall[ROLE_WRITER] + j->f->facts->wall[ROLE_WRITER2]) *
		      (1 + CLOCKS));
}

static void judge_wake(struct judge *j)
{
	double waited = part(j, ROLE_WAITER, PART_MUTEX);

	if (!seen(j, ROLE_WAITER))
		return;
	did(j, "those who held the mutex slept: waits for it that are put down to that");
	/* a wait is put down to what covers more than half of it: where the holder itself waited for a CPU for longer than it slept,
	 * that; such waits are no longer than twice what all of them exceed the sleeps by */
	lasts(j, (double)j->f->threads[ROLE_WAITER].roots[ROOT_SLEEP],
	      0.5 * (2 * PROVE_LOCKS * (double)PROVE_LOCK_NS - waited), waited * (1 + CLOCKS));
}

static void judge_samples(struct judge *j)
{
	double expect = j->f->cpu_seconds * SAMPLE_HZ, slack = 3 * sqrt(expect) + 3;

	did(j, "used %.2f s of CPU by schedstat, sampled %d times a second", j->f->cpu_seconds,
	    SAMPLE_HZ);
	times(j, j->f->samples, fmax(1, floor(expect - slack)), ceil(expect + slack));
}

static void judge_table(struct judge *j)
{
	const struct wire_row *w = &j->f->row;
	double pages = (double)(w->pages[0] + w->pages[1] + w->pages[3]),
	       page = (double)j->f->page_bytes;

	if (!j->f->row_there) {
		cannot(j, "the kernel does not show this process to eBPF programs");
		return;
	}
	did(j, "had %llu threads by /proc/PID/status", (unsigned long long)j->f->row_threads);
	exactly(j, w->threads, j->f->row_threads);
	if (!j->f->row_bytes) {
		cannot(j, "resident memory: /proc/PID/smaps_rollup cannot be read");
		return;
	}
	did(j, "had %.1f MiB resident by /proc/PID/smaps_rollup",
	    (double)j->f->row_bytes / 1048576);
	within(j, pages * page / 1048576, (double)j->f->row_bytes / 1048576 * 0.98 - 0.1,
	       (double)j->f->row_bytes / 1048576 * 1.02 + 0.1, "MiB");
}

/* ---- interrupts ---- */

/* An interrupt that hits a process which the kernel hides from programs is hidden as well. */
#define HIDDEN     0.95
#define HIDDEN_FEW 3

static void judge_irqs(struct judge *j, const struct prove_irqs *k, enum wire_hist_kind h,
		       const char *what)
{
	if (!k->known) {
		cannot(j, "the kernel's own count of %s cannot be read", what);
		return;
	}
	if (!k->least) {
		cannot(j, "the machine had no %s meanwhile", what);
		return;
	}
	did(j, "all %s of the machine, as the kernel counts them", what);
	times(j, counted(j, h, 0), fmax(0, floor((double)k->least * HIDDEN - HIDDEN_FEW)),
	      k->most == UINT64_MAX ? INFINITY : (double)k->most);
}

static void judge_hard(struct judge *j)
{
	judge_irqs(j, &j->f->hard, HIST_HARDIRQ, "device interrupts");
}

static void judge_hard_entry(struct judge *j)
{
	if (!j->f->hard.known || !j->f->hard.least) {
		cannot(j, "the machine had no device interrupts meanwhile, or does not tell");
		return;
	}
	did(j, "all device interrupts of the machine");
	ran(j, j->f->time,
	    (uint64_t)fmax(0, floor((double)j->f->hard.least * HIDDEN - HIDDEN_FEW)));
}

static void judge_soft(struct judge *j)
{
	judge_irqs(j, &j->f->soft, HIST_SOFTIRQ, "soft interrupts");
}

static void judge_soft_entry(struct judge *j)
{
	if (!j->f->soft.known) {
		cannot(j, "the kernel's own count of soft interrupts cannot be read");
		return;
	}
	did(j, "all soft interrupts of the machine");
	ran(j, j->f->time,
	    (uint64_t)fmax(0, floor((double)j->f->soft.least * HIDDEN - HIDDEN_FEW)));
}

/* ---- events ---- */

static bool tells(struct judge *j, enum wire_trace event)
{
	if (!j->f->events.lost[event])
		return true;
	cannot(j,
	       "%llu events of this kind found no room in the ring: too many came from elsewhere",
	       (unsigned long long)j->f->events.lost[event]);
	return false;
}

static bool bore(struct judge *j)
{
	if (!*j->f->facts->why_children)
		return true;
	cannot(j, "%.160s", j->f->facts->why_children);
	return false;
}

static void judge_exec(struct judge *j)
{
	if (!bore(j) || !tells(j, TRACE_EXEC))
		return;
	did(j, "ran a program %d times", PROVE_CHILDREN);
	exactly(j, j->f->events.execs, PROVE_CHILDREN);
}

static void judge_exit(struct judge *j)
{
	if (!bore(j) || !tells(j, TRACE_EXIT))
		return;
	did(j, "let %d children end", 2 * PROVE_CHILDREN);
	exactly(j, j->f->events.exits, 2 * PROVE_CHILDREN);
	did(j, "%d of them with status %d", PROVE_CHILDREN, PROVE_STATUS);
	exactly(j, j->f->events.statuses, PROVE_CHILDREN);
}

static void judge_open(struct judge *j)
{
	if (!tells(j, TRACE_OPEN))
		return;
	did(j, "opened %u files that are not there", j->f->facts->opens);
	exactly(j, j->f->events.opens, j->f->facts->opens);
}

static void judge_signal(struct judge *j)
{
	if (!tells(j, TRACE_SIGNAL))
		return;
	did(j, "sent itself a signal %u times", j->f->facts->signals);
	exactly(j, j->f->events.sent, j->f->facts->signals);
}

static void judge_deliver(struct judge *j)
{
	if (!tells(j, TRACE_SIGNAL))
		return;
	did(j, "got it %u times", j->f->facts->signals);
	exactly(j, j->f->events.delivered, j->f->facts->signals);
}

static bool read_a_disk(struct judge *j)
{
	if (j->f->place->loop < 0)
		cannot(j, "%.160s", j->f->place->why_loop);
	else if (*j->f->facts->why_reads)
		cannot(j, "%.160s", j->f->facts->why_reads);
	else
		return true;
	return false;
}

static void judge_bio(struct judge *j)
{
	if (!read_a_disk(j) || !tells(j, TRACE_BIO))
		return;
	did(j, "read %u times 4 KiB from %s", j->f->facts->reads, j->f->place->loop_name);
	exactly(j, j->f->events.bios, j->f->facts->reads);
}

static void judge_bio_start(struct judge *j)
{
	if (!read_a_disk(j) || !tells(j, TRACE_BIO))
		return;
	did(j, "those requests, with who made them");
	exactly(j, j->f->events.bios, j->f->facts->reads);
}

static void judge_bio_runs(struct judge *j)
{
	if (!read_a_disk(j))
		return;
	did(j, "those requests");
	ran(j, bpf_trace_engine(j->f->trace), j->f->facts->reads);
}

static bool synced(struct judge *j)
{
	if (j->f->place->file < 0)
		cannot(j, "%.160s", j->f->place->why_file);
	else if (!j->f->place->ext4)
		cannot(j,
		       "neither /var/tmp, /tmp, /var/lib nor /root is on ext4, which alone tells of its syncs");
	else if (*j->f->facts->why_syncs)
		cannot(j, "%.160s", j->f->facts->why_syncs);
	else
		return true;
	return false;
}

static void judge_fsync(struct judge *j)
{
	if (!synced(j) || !tells(j, TRACE_FSYNC))
		return;
	did(j, "synced a file in %s %u times", j->f->place->dir, j->f->facts->syncs);
	exactly(j, j->f->events.fsyncs, j->f->facts->syncs);
}

static bool networked(struct judge *j, enum wire_trace event)
{
	if (!j->f->place->net)
		cannot(j, "%.160s", j->f->place->why_net);
	else if (*j->f->facts->why_net)
		cannot(j, "%.160s", j->f->facts->why_net);
	else
		return event == TRACE_MAX || tells(j, event);
	return false;
}

static void judge_tcp(struct judge *j)
{
	const struct prove_facts *x = j->f->facts;

	if (!networked(j, TRACE_TCP))
		return;
	/* one more whose data gets lost */
	did(j, "made %u TCP connections", x->connects + 1);
	exactly(j, j->f->events.connects, x->connects + 1);
	did(j, "accepted them");
	exactly(j, j->f->events.accepts, x->connects + 1);
	did(j, "was refused %u times", x->refused);
	/* and one gives up */
	times(j, j->f->events.failed, x->refused, x->refused + 1.0);
}

static void judge_retransmit(struct judge *j)
{
	if (!networked(j, TRACE_RETRANSMIT))
		return;
	did(j, "let segments get lost: all that were sent again, by the namespace's own count");
	if (!j->f->facts->retransmits)
		cannot(j,
		       "nothing had to be sent again: the filter that lets segments get lost was refused");
	else
		/* one may hit a process that the kernel hides from programs */
		times(j, j->f->events.resends + j->f->events.synacks,
		      (double)j->f->facts->retransmits - 1, (double)j->f->facts->retransmits);
}

static void judge_synack(struct judge *j)
{
	if (!networked(j, TRACE_RETRANSMIT))
		return;
	did(j, "did not hear the answer to a SYN: it comes again after a second");
	times(j, j->f->events.synacks, 1, (double)j->f->facts->retransmits);
}

static void judge_reset(struct judge *j)
{
	if (!networked(j, TRACE_RESET))
		return;
	did(j, "was refused %u times: a reset each", j->f->facts->refused);
	/* connections that are dropped have one more, unless it is not heard */
	times(j, j->f->events.resets_in, j->f->facts->refused, j->f->facts->refused + 2.0);
}

static void judge_reset_sent(struct judge *j)
{
	if (!networked(j, TRACE_RESET))
		return;
	/* 19822a980e19 (6.10): before that, those that no socket sends have no event */
	did(j,
	    "resets that were sent (before 6.10 only those of sockets), by the namespace's own count");
	times(j, j->f->events.resets_out, 1, (double)j->f->facts->resets);
}

static void judge_drop(struct judge *j)
{
	if (!networked(j, TRACE_DROP))
		return;
	did(j, "sent %u datagrams to a port of nobody's (NoPorts %llu)", j->f->facts->datagrams,
	    (unsigned long long)j->f->facts->no_ports);
	exactly(j, j->f->events.nobody, j->f->facts->no_ports);
	did(j, "let a socket's filter drop what came, for that reason");
	times(j, j->f->events.filtered, 1, INFINITY);
}

/* ---- distributions ---- */

static void judge_disk_done(struct judge *j)
{
	if (!read_a_disk(j))
		return;
	did(j, "read %u times 4 KiB from %s (hist biolat)", j->f->facts->reads,
	    j->f->place->loop_name);
	exactly(j, counted(j, HIST_BIOLAT, BIOLAT_TOTAL), j->f->facts->reads);
	did(j, "the same requests: how long they took, of %.2f ms by its own clock",
	    (double)j->f->facts->reads_wall * 1e-6);
	lasts(j, summed(j, HIST_BIOLAT, BIOLAT_TOTAL), 0.001e6,
	      (double)j->f->facts->reads_wall * (1 + CLOCKS));
}

static void judge_disk_start(struct judge *j)
{
	if (!read_a_disk(j))
		return;
	did(j, "those requests, noted with who made them");
	ran(j, j->f->time, j->f->facts->reads);
}

static void judge_call(struct judge *j)
{
	const struct hists *h = &j->f->hists;
	uint64_t n = 0;

	for (size_t i = 0; i < h->nfailures; i++)
		if (!strcmp(h->failures[i].call, "close") && h->failures[i].code == 9 /* EBADF */)
			n += h->failures[i].count;
	did(j, "closed %u times what was not open", j->f->facts->calls);
	exactly(j, n, j->f->facts->calls);
}

static void judge_call_time(struct judge *j)
{
	did(j, "those calls and the others it has made");
	times(j, counted(j, HIST_SYSCALL, 0), j->f->facts->calls, INFINITY);
}

static void judge_group_reclaim(struct judge *j)
{
	if (!j->f->place->memory[0]) {
		cannot(j, "%.160s", j->f->place->why_memory);
		return;
	}
	if (!j->f->facts->reclaims) {
		cannot(j, "%.160s", j->f->facts->why_reclaim);
		return;
	}
	did(j, "had memory of a control group freed (%s)",
	    j->f->place->v2_memory ? "memory.reclaim" : "memory.force_empty");
	times(j, counted(j, HIST_RECLAIM, RECLAIM_GROUP), 1, INFINITY);
	did(j, "the same: how long it took, of %.2f ms by its own clock",
	    (double)j->f->facts->reclaim_wall * 1e-6);
	lasts(j, summed(j, HIST_RECLAIM, RECLAIM_GROUP), 0,
	      (double)j->f->facts->reclaim_wall * (1 + CLOCKS));
}

static void judge_sync(struct judge *j)
{
	if (!synced(j))
		return;
	did(j, "synced a file in %s %u times (hist fsync)", j->f->place->dir, j->f->facts->syncs);
	exactly(j, counted(j, HIST_FSYNC, FSYNC_CALL), j->f->facts->syncs);
}

static void judge_commit(struct judge *j)
{
	if (!synced(j))
		return;
	if (!j->f->journal) {
		cannot(j,
		       "the file system of %s has no journal, or /proc/fs/jbd2 does not tell of it",
		       j->f->place->dir);
		return;
	}
	did(j, "synced a file, which a journal has to commit");
	ran(j, j->f->time, 1);
}

static void judge_timer(struct judge *j)
{
	did(j, "slept %d times: a timer each, and those of others", PROVE_SLEEPS);
	times(j, counted(j, HIST_TIMER, 0), PROVE_SLEEPS, INFINITY);
}

static void judge_work(struct judge *j, unsigned measure)
{
	if (!read_a_disk(j))
		return;
	did(j, "read from %s, which a work queue serves", j->f->place->loop_name);
	times(j, counted(j, HIST_WORKQUEUE, measure), 1, INFINITY);
}

static void judge_work_run(struct judge *j)
{
	judge_work(j, WORK_RUN);
}

static void judge_work_delay(struct judge *j)
{
	judge_work(j, WORK_DELAY);
}

static void judge_conn(struct judge *j)
{
	const struct prove_facts *x = j->f->facts;

	if (!networked(j, TRACE_MAX))
		return;
	did(j, "made %u TCP connections (hist tcpconn)", x->connects + 1);
	exactly(j, counted(j, HIST_TCPCONN, TCP_CONNECTED), x->connects + 1);
	did(j, "was refused %u times", x->refused);
	times(j, counted(j, HIST_TCPCONN, TCP_REFUSED), x->refused, x->refused + 1.0);
}

static void judge_rtt(struct judge *j)
{
	if (!networked(j, TRACE_MAX))
		return;
	did(j, "kept a connection open: readings of both its ends");
	times(j, counted(j, HIST_TCPRTT, 0), 1, INFINITY);
}

static void judge_tick(struct judge *j)
{
	double expect = j->f->seconds * SAMPLE_HZ * j->f->cpus;
	const struct hist_row *r = hist_of(j, HIST_RUNQLEN, 0);

	did(j, "readings of %u run queues, %d times a second each", j->f->cpus, SAMPLE_HZ);
	times(j, counted(j, HIST_RUNQLEN, 0), floor(expect * 0.5),
	      ceil(expect * 1.2 + 2 * j->f->cpus));
	did(j, "two that compute on one CPU: the longest run queue");
	times(j, r ? hist_max(&r->h) : 0, 2, INFINITY);
}

/* ---- all ---- */

/* clang-format off */
#define NO_REQUESTS \
	"the players serve nobody: tests compare it with what servers and clients count themselves"

static const struct {
	const char *program;
	bool trace;                     /* it is one of the events' */
	void (*judge)(struct judge *j); /* NULL: it cannot be proved, because … */
	const char *why;
} rows[] = {
	{ "sched_switch", false, judge_switch, NULL },
	{ "tasks_sweep", false, judge_sweep, NULL },
	{ "sched_newtask", false, judge_newtask, NULL },
	{ "bytes_sent", false, NULL, "what the players send they do not count themselves: tests compare it with known loads" },
	{ "bytes_received", false, NULL, "what the players receive they do not count themselves: tests compare it with known loads" },
	{ "sched_dirty", false, NULL, "a pause needs more dirty pages than the machine allows, or limits that outlive us" },
	{ "sched_contention", false, judge_contention, NULL },
	{ "sched_contended", false, judge_contended, NULL },
	{ "irq_hard_exit", false, judge_hard, NULL },
	{ "irq_hard_entry", false, judge_hard_entry, NULL },
	{ "irq_soft_exit", false, judge_soft, NULL },
	{ "irq_soft_entry", false, judge_soft_entry, NULL },
	{ "wake_chain", false, judge_wake, NULL },
	{ "red_received", false, NULL, NO_REQUESTS },
	{ "red_sent", false, NULL, NO_REQUESTS },
	{ "red_state_changes", false, NULL, NO_REQUESTS },
	{ "red_ready", false, NULL, NO_REQUESTS },
	{ "red_sweep", false, NULL, NO_REQUESTS },
	{ "samples_tick", false, judge_samples, NULL },
	{ "profile_tick", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "profile_event", false, NULL, "a profile is taken of an event that is named: tests compare it with known numbers of them" },
	{ "profile_fork", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "profile_switch", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "profile_sweep", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "profile_sleepers", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "profile_waking", false, NULL, "a profile is taken of a program that is named: tests compare it with known loads" },
	{ "table_sweep", false, judge_table, NULL },
	{ "trace_exec", true, judge_exec, NULL },
	{ "trace_exit", true, judge_exit, NULL },
	{ "trace_open", true, judge_open, NULL },
	{ "trace_oom", true, NULL, "a kill for want of memory would stand in the kernel's log, where others look for trouble" },
	{ "trace_signal", true, judge_signal, NULL },
	{ "trace_signal_deliver", true, judge_deliver, NULL },
	{ "trace_bio", true, judge_bio, NULL },
	{ "trace_bio_start", true, judge_bio_start, NULL },
	{ "trace_bio_insert", true, judge_bio_runs, NULL },
	{ "trace_bio_issue", true, judge_bio_runs, NULL },
	{ "trace_fsync_enter", true, judge_fsync, NULL },
	{ "trace_fsync_exit", true, judge_fsync, NULL },
	{ "trace_tcp", true, judge_tcp, NULL },
	{ "trace_retransmit", true, judge_retransmit, NULL },
	{ "trace_retransmit_synack", true, judge_synack, NULL },
	{ "trace_reset", true, judge_reset, NULL },
	{ "trace_reset_sent", true, judge_reset_sent, NULL },
	{ "trace_drop", true, judge_drop, NULL },
	{ "trace_module", true, NULL, "a module would have to be loaded" },
	{ "hist_disk_done", false, judge_disk_done, NULL },
	{ "hist_disk_start", false, judge_disk_start, NULL },
	{ "hist_disk_insert", false, judge_disk_start, NULL },
	{ "hist_disk_issue", false, judge_disk_start, NULL },
	{ "hist_call_enter", false, judge_call_time, NULL },
	{ "hist_call_exit", false, judge_call, NULL },
	{ "hist_reclaim_end", false, NULL, "the whole machine would have to be short of memory" },
	{ "hist_reclaim_begin", false, NULL, "the whole machine would have to be short of memory" },
	{ "hist_group_end", false, judge_group_reclaim, NULL },
	{ "hist_group_begin", false, judge_group_reclaim, NULL },
	{ "hist_compact_end", false, NULL, "memory of the whole machine would have to be moved" },
	{ "hist_compact_begin", false, NULL, "memory of the whole machine would have to be moved" },
	{ "hist_sync_exit", false, judge_sync, NULL },
	{ "hist_sync_enter", false, judge_sync, NULL },
	{ "hist_commit_end", false, judge_commit, NULL },
	{ "hist_commit_begin", false, judge_commit, NULL },
	{ "hist_timer", false, judge_timer, NULL },
	{ "hist_work_end", false, judge_work_run, NULL },
	{ "hist_work_start", false, judge_work_delay, NULL },
	{ "hist_work_queue", false, judge_work_delay, NULL },
	{ "hist_conn", false, judge_conn, NULL },
	{ "hist_rtt", false, judge_rtt, NULL },
	{ "hist_tick", false, judge_tick, NULL },
};
/* clang-format on */

static void judge_one(struct judge *j, size_t probe, size_t row)
{
	const struct prove_findings *f = j->f;
	const struct bpf_engine *b = f->time;
	const struct bpf_fate *fate;

	j->program = bpf_probes[probe].program;
	if (rows[row].trace && !f->trace) {
		cannot(j, "%.180s", f->why_trace);
		return;
	}
	if (rows[row].trace)
		b = bpf_trace_engine(f->trace);
	fate = bpf_engine_fate(b, probe);
	if (!rows[row].judge)
		cannot(j, "%s", rows[row].why);
	else if (fate->spare)
		cannot(j, "it is not attached: on this kernel another program does its work");
	else if (!fate->attached)
		cannot(j, "it is not attached: %.160s", fate->why);
	else
		rows[row].judge(j);
}

void prove_judge(struct proofs *out, const struct prove_findings *f)
{
	struct judge j = { .out = out, .f = f };

	for (size_t i = 0; bpf_probes[i].program; i++) {
		size_t r = 0;

		while (r < sizeof(rows) / sizeof(*rows) &&
		       strcmp(rows[r].program, bpf_probes[i].program) != 0)
			r++;
		j.program = bpf_probes[i].program;
		if (r < sizeof(rows) / sizeof(*rows))
			judge_one(&j, i, r);
		else
			cannot(&j, "nobody has said how");
	}
}
