/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What interrupts take from the threads that they interrupt: the kernel bills them to whoever was interrupted (unless it is
 * built with IRQ_TIME_ACCOUNTING). Device interrupts and soft interrupts, the outermost only; the timer's own vector has
 * no irq_handler events and stays with the interrupted. */
#include "bpf/common.bpf.h"
#include "bpf/hist.bpf.h"

/* ksoftirqd and the threads of threaded interrupts do that work as themselves: nobody is interrupted. */
hidden bool as_itself(void)
{
	struct task_struct *t = bpf_get_current_task_btf();

	/* "ksoftirqd/N" */
	return (t->flags & PF_KTHREAD) && t->comm[0] == 'k' && t->comm[1] == 's' &&
	       t->comm[2] == 'o' && t->comm[3] == 'f' && t->comm[8] == 'd';
}

hidden void enter(struct cpu *c)
{
	if (!c->irq_depth++)
		c->irq_since = bpf_ktime_get_ns();
}

hidden void leave_irq(struct cpu *c)
{
	__s64 ns;

	if (!c->irq_depth || --c->irq_depth)
		return; /* attached in the middle of one */
	ns = bpf_ktime_get_ns() - c->irq_since;
	if (ns > 0)
		c->irq_total += ns;
}

/* ---- their distributions: one at a time on a CPU, each for itself ---- */

/* Device interrupts lie on top of soft ones: their time is not that of the soft interrupt. */
hidden bool hists_hard(void)
{
	return hist_on(HIST_HARDIRQ) || hist_on(HIST_SOFTIRQ);
}

hidden void hist_hard_end(struct cpu *c, int line, struct irqaction *action)
{
	__s64 ns = bpf_ktime_get_ns() - c->hard_since;

	if (!c->hard_since)
		return; /* attached in the middle of one */
	c->hard_since = 0;
	if (ns < 0)
		ns = 0;
	c->hard_total += ns;
	if (hist_on(HIST_HARDIRQ))
		hist_put(hist_by(HIST_HARDIRQ, HIST_BY_LINE)
				 ? hist_block(config.hist.first[HIST_HARDIRQ], (__u32)line,
					      action->name)
				 : config.hist.first[HIST_HARDIRQ],
			 ns);
}

hidden void hist_soft_begin(struct cpu *c)
{
	c->soft_since = bpf_ktime_get_ns();
	c->soft_hard = c->hard_total;
}

hidden void hist_soft_end(struct cpu *c, __u32 vector)
{
	__s64 ns = bpf_ktime_get_ns() - c->soft_since - (c->hard_total - c->soft_hard);

	if (!c->soft_since)
		return;
	c->soft_since = 0;
	hist_put(hist_by(HIST_SOFTIRQ, HIST_BY_VECTOR)
			 ? hist_block(config.hist.first[HIST_SOFTIRQ], vector, 0)
			 : config.hist.first[HIST_SOFTIRQ],
		 ns > 0 ? ns : 0);
}

SEC("tp_btf/irq_handler_entry")
int irq_hard_entry(void *ctx)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	c->counts.events[PROG_IRQ]++;
	if (config.time)
		enter(c);
	if (hists_hard())
		c->hard_since = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(irq_hard_exit, int line, struct irqaction *action)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	if (config.time)
		leave_irq(c);
	if (hists_hard())
		hist_hard_end(c, line, action);
	return 0;
}

SEC("tp_btf/softirq_entry")
int irq_soft_entry(void *ctx)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	c->counts.events[PROG_SOFTIRQ]++;
	if (config.time && !as_itself())
		enter(c);
	if (hist_on(HIST_SOFTIRQ))
		hist_soft_begin(c);
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(irq_soft_exit, unsigned int vector)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	if (config.time && !as_itself())
		leave_irq(c);
	if (hist_on(HIST_SOFTIRQ))
		hist_soft_end(c, vector);
	return 0;
}
