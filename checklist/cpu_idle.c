/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that wait although a CPU is idle: one that nobody gives them, and one that does not wake up. Both are measured wait by
 * wait (bpf/queue.bpf.h): which CPU was idle at which moment, no counter of /proc tells. */
#include <math.h>
#include <stdio.h>

#include "checklist/cpu.h"

#define STRETCH 1.25 /* (useful + lost) / useful that a victim notices */

/* Waits in such a class hurt somebody: a finding with its victims. NULL: they do not. */
static struct finding *waits_beside_idle(const struct rule *r, const struct view *v,
					 struct findings *fs, const struct queue_picture *q,
					 enum queue_class class, struct ranking *victims)
{
	struct finding *f;

	queue_victims(v, q, 1u << class, victims);
	if (!(q->waits[class] >= r->floor) || !queue_hurts(v, victims, r->floor, STRETCH))
		return NULL;
	f = rule_fire(r, fs);
	f->impact.lost = q->waits[class];
	f->confidence = 0.9;
	finding_victims(f, v, victims, FINDING_PARTIES, 0.02);
	return f;
}

static void idle_evidence(struct finding *f, const struct view *v, const struct queue_picture *q,
			  const struct rule *r, const struct ranking *victims)
{
	finding_evidence(f, metric_get(r->metric)->name, f->impact.lost, "s/s", r->floor,
			 queue_source(v));
	finding_evidence(f, "stretch", queue_stretch(v, &victims->top[0]), "ratio", STRETCH,
			 queue_source(v));
	finding_evidence(f, "idle CPUs", q->idle, "CPUs", NAN, "/proc/stat");
}

void check_imbalance(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking victims, takers;
	struct queue_picture q;
	struct finding *f;
	char label[96];

	queue_classify(v, &q);
	f = waits_beside_idle(r, v, fs, &q, QUEUE_IMBALANCE, &victims);
	if (!f)
		goto out;
	finding_offender(f, PARTY_KERNEL, "scheduler", 0, NAN);
	if (queue_takers(v, &q, 1u << QUEUE_IMBALANCE, &takers))
		finding_offenders(f, v, &takers, 2, 0.2);
	finding_summary(
		f,
		"The scheduler leaves threads waiting beside idle CPUs that they may use: %s wait%s %.2g s/s in that way, while %.2g of %.0f CPUs are idle",
		member_label(label, sizeof(label), &victims.top[0]), member_s(&victims.top[0]),
		victims.top[0].amount, q.idle, q.cpus);
	idle_evidence(f, v, &q, r, &victims);
	finding_next(f, "perf sched record -- sleep 5 && perf sched timehist");
	finding_next(f, "grep . /proc/cmdline /sys/devices/system/cpu/isolated");
	finding_next(f, "mpstat -P ALL 1 5");
out:
	queue_done(&q);
}

void check_wakeup(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct queue_picture q;
	struct ranking victims;
	struct finding *f;
	char label[96];

	queue_classify(v, &q);
	f = waits_beside_idle(r, v, fs, &q, QUEUE_WAKEUP, &victims);
	if (!f)
		goto out;
	finding_offender(f, PARTY_KERNEL, "idle CPUs", 0, NAN);
	finding_summary(
		f,
		"Idle CPUs take half a millisecond and more to run what was woken on them: %s wait%s %.2g s/s for that alone",
		member_label(label, sizeof(label), &victims.top[0]), member_s(&victims.top[0]),
		victims.top[0].amount);
	idle_evidence(f, v, &q, r, &victims);
	if (v->host->virtualization[0])
		finding_symptom(f, "this is a virtual machine: its host may be what is slow");
	finding_next(f, "sixty hist wakeup");
	finding_next(f, "grep . /sys/devices/system/cpu/cpu0/cpuidle/state*/latency");
	finding_next(f, "cpupower idle-info");
out:
	queue_done(&q);
}
