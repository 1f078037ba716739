/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why a thread waited for a CPU: each wait that was long has one reason, the first that holds.
 *
 *   it came from idle on the CPU where it was queued      that CPU was asleep (unless interrupts or the hypervisor had it)
 *   another CPU was idle for at least half of the wait    one that it may use, for 4 ms: passed over; else confined
 *   real-time threads ran for half of it, interrupts or the hypervisor took 30 %
 *   behind other threads
 *
 * Each CPU keeps how long it has been idle so far, and marks of that from the moments when it stopped being so: whoever has
 * waited on another CPU looks how much that grew meanwhile. */
#ifndef SIXTY_BPF_QUEUE_H
#define SIXTY_BPF_QUEUE_H

#include "bpf/off.bpf.h"

#define MARK_NS 1000000u /* marks are at least so far apart */
#define PASSED_NS \
	4000000u /* of an idle CPU that it may use: less is the time that balancing takes */
#define PASSED_WAIT_NS 2000000u /* two threads in turns wait a tick or less each time */
#define DROWSY_NS      500000u /* waking up: deep sleep takes 200 µs, a halted virtual CPU as much */
#define LOOK_EACH \
	4000u /* ns for each CPU of the machine between two looks around: 1 % of the time */

/* What a CPU did during a wait. */
struct ran {
	__u64 rt, irq, steal;
};

hidden void add_ran(struct ran *r, const struct slice *s, __u64 part)
{
	__u64 length = s->end - s->start;

	if (s->rt)
		r->rt += part;
	if (!(s->irq | s->steal) || !length)
		return;
	r->irq += part >= length ? s->irq : s->irq * part / length;
	r->steal += part >= length ? s->steal : s->steal * part / length;
}

/* At each switch: from idle, or to it. */
hidden void note_idle(struct cpu *c, bool was, bool is, __u64 now)
{
	struct idle_mark *m;

	if (was && c->idle_since && now > c->idle_since) {
		c->idle_total += now - c->idle_since;
		m = &c->marks[(c->mark_head - 1) & (WIRE_MARKS - 1)];
		if (now - m->at >= MARK_NS) {
			m = &c->marks[c->mark_head & (WIRE_MARKS - 1)];
			m->at = now;
			m->total = c->idle_total;
			c->mark_head++;
		}
	}
	c->idle_since = is ? now : 0;
}

/* A look back over the marks of a CPU. */
struct past {
	__u64 begin;
	__u64 at, total; /* the oldest mark since then, and its total */
	__u64 before;    /* the total of the one before it */
	__u32 cpu, found;
};

hidden struct cpu *cpu_state(__u32 cpu)
{
	__u32 zero = 0;

	/* 07343110b293 (5.18) */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_map_lookup_percpu_elem))
		return 0;
	return bpf_map_lookup_percpu_elem(&ledger_cpus, &zero, cpu);
}

static long look_back(__u32 i, struct past *p)
{
	struct cpu *c = cpu_state(p->cpu);
	struct idle_mark *m;

	if (!c || i >= c->mark_head)
		return 1;
	m = &c->marks[(c->mark_head - 1 - i) & (WIRE_MARKS - 1)];
	p->before = m->total;
	if (m->at <= p->begin)
		return 1;
	p->at = m->at;
	p->total = m->total;
	p->found = 1;
	return 0;
}

/* How long a CPU was idle between the two moments; the second is now. It changes under our hands: what is impossible is cut.
 * Not static: the verifier looks at it once, and not in each place where it is called. */
__noinline __u64 queue_idle(__u32 cpu, __u64 begin, __u64 now)
{
	struct past p = { .begin = begin, .cpu = cpu };
	struct cpu *c = cpu_state(cpu);
	__u64 since, total, idle = 0, first;

	if (!c)
		return 0;
	since = *(volatile __u64 *)&c->idle_since;
	total = *(volatile __u64 *)&c->idle_total;
	if (since && since <= begin)
		return now - begin;
	if (since && since < now)
		idle = now - since;
	bpf_loop(WIRE_MARKS, look_back, &p, 0);
	if (p.found) {
		first = p.total - p.before;
		if (first > p.at - begin)
			first = p.at - begin;
		idle += total - p.total + first;
	} else {
		idle += total - p.before; /* pieces that were too short for a mark */
	}
	return (__s64)idle < 0 ? 0 : idle > now - begin ? now - begin : idle;
}

struct around {
	__u64 begin, now;
	__u64 mask; /* address of its bits */
	__u32 own;  /* is not looked at; as large as no CPU is: none */
	__u32 confined, passed;
	__u32 spare;
};

static long look_at(__u32 cpu, struct around *a)
{
	__u64 waited = a->now - a->begin, idle, allowed = 0;

	if (cpu >= config.cpus || cpu >= WIRE_CPUS)
		return 1;
	if (cpu == a->own || !(config.online[cpu / 64 & (WIRE_CPUS / 64 - 1)] >> (cpu & 63) & 1))
		return 0;
	idle = queue_idle(cpu, a->begin, a->now);
	if (2 * idle < waited)
		return 0;
	bpf_probe_read_kernel(&allowed, sizeof(allowed), (const void *)(a->mask + cpu / 64 * 8));
	if (!(allowed >> (cpu & 63) & 1)) {
		a->confined = 1;
		return 0;
	}
	if (waited < PASSED_NS)
		idle = queue_idle(cpu, a->now - PASSED_NS, a->now);
	if (idle >= PASSED_NS && waited >= PASSED_WAIT_NS)
		a->passed = 1;
	return a->passed != 0;
}

__noinline int queue_look(struct around *around)
{
	struct around a;

	if (!around)
		return 0;
	a = *around;
	bpf_loop(WIRE_CPUS, look_at, &a, 0);
	*around = a;
	return 0;
}

/* Were others idle while t waited for so long? False: nobody has looked. */
hidden bool look_around(struct cpu *c, struct task_struct *t, __u64 now, const struct split *w,
			struct around *a)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_map_lookup_percpu_elem))
		return false;
	if (now - c->looked_at < (__u64)config.cpus * LOOK_EACH)
		return false;
	c->looked_at = now;
	a->now = now;
	a->begin = now - (w->wait - w->throttled);
	/* by a helper: a pointer that a program follows by itself costs the verifier a millisecond on each way to it */
	a->mask = (__u64)BPF_CORE_READ(t, cpus_ptr);
	/* it has come here from where it waited: then this CPU is one that was idle, or not */
	a->own = w->elsewhere ? WIRE_CPUS : bpf_get_smp_processor_id();
	queue_look(a);
	return true;
}

/* unseen: the part of the wait of which nobody knows what ran. QUEUED_MAX: not told. */
hidden __u32 why_queued(struct cpu *c, struct task_struct *t, __u64 now, const struct split *w,
			const struct ran *r, __u64 unseen, bool from_idle)
{
	__u64 waited = w->wait - w->throttled, here = waited - w->elsewhere;
	bool woken = from_idle && !w->elsewhere;
	struct around a = {};

	if (woken && 10 * r->irq < 3 * here && 10 * r->steal < 3 * here)
		return here < DROWSY_NS ? QUEUED_WOKEN : QUEUED_DROWSY;
	if (!woken && (waited >= PASSED_WAIT_NS || t->nr_cpus_allowed < (int)config.cpus)) {
		if (!look_around(c, t, now, w, &a))
			return QUEUED_MAX;
		if (a.passed)
			return QUEUED_PASSED;
		if (a.confined && !(t->flags & PF_KTHREAD)) /* those are made for a CPU */
			return QUEUED_CONFINED;
	}
	if (2 * unseen > waited)
		return QUEUED_MAX;
	if (2 * r->rt >= waited)
		return QUEUED_REALTIME;
	if (10 * r->irq >= 3 * waited)
		return QUEUED_IRQ;
	if (10 * r->steal >= 3 * waited)
		return QUEUED_STEAL;
	return QUEUED_BEHIND;
}

#endif
