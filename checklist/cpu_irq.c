/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what takes CPU time away from all tasks: interrupts, kernel threads, the hypervisor, heat, a low clock. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checklist/cpu.h"

#define IRQ_SHARE 0.3 /* of one CPU: tasks there run a third slower */
#define IRQ_ALONE 0.5 /* of one CPU: worth naming even if nobody is known to wait */
#define LINE_LEAST \
	1000.0 /* interrupts per second of a device: below it the line is not what fills the CPU */
#define CPU_FULL    0.9
#define IMBALANCE   3.0 /* times the mean of the others */
#define STEAL_LEAST 0.1 /* CPUs */
#define STEAL_SHARE 0.1 /* of what the guest wanted: at 10 % everything takes 11 % longer */
#define HEAT_SHARE  0.1 /* of the window */

static double or_zero(double x)
{
	return isnan(x) ? 0 : x;
}

static double irq_of(const struct view *v, size_t cpu)
{
	return or_zero(interval_rate(v->window, M_CPU_IRQ, cpu)) +
	       or_zero(interval_rate(v->window, M_CPU_SOFTIRQ, cpu));
}

/* Which kind of soft interrupt the CPU did most, as a name for people; and how often. */
static const char *top_vector(const struct view *v, size_t cpu, double *rate)
{
	static const struct {
		enum metric_id id;
		const char *name;
	} vectors[] = {
		{ M_CPU_SI_NET_RX, "network receive" },
		{ M_CPU_SI_NET_TX, "network transmit" },
		{ M_CPU_SI_BLOCK, "block I/O completion" },
		{ M_CPU_SI_TIMER, "timers" },
		{ M_CPU_SI_HRTIMER, "timers" },
		{ M_CPU_SI_TASKLET, "tasklets" },
		{ M_CPU_SI_HI, "tasklets" },
		{ M_CPU_SI_RCU, "RCU" },
		{ M_CPU_SI_SCHED, "scheduler balancing" },
		{ M_CPU_SI_POLL, "interrupt polling" },
	};
	const char *name = NULL;

	*rate = 0;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		double x = interval_rate(v->window, vectors[i].id, cpu);

		if (x > *rate) {
			*rate = x;
			name = vectors[i].name;
		}
	}
	return name;
}

/* The busiest line of a device; its row in SCOPE_IRQ, or SIZE_MAX. */
static size_t top_line(const struct view *v, double *rate)
{
	size_t best = SIZE_MAX;

	*rate = 0;
	for (size_t i = 0; i < interval_rows(v->window, SCOPE_IRQ); i++) {
		const char *name = interval_name(v->window, SCOPE_IRQ, i);
		double x = interval_rate(v->window, M_IRQ_COUNT, i);

		if (*name < '0' || *name > '9' || !(x > *rate))
			continue;
		*rate = x;
		best = i;
	}
	return best;
}

struct irq_load {
	size_t cpu;                     /* the one with most interrupt time */
	double irq, busy;               /* there */
	double others_irq, others_busy; /* mean */
	double total;                   /* all CPUs */
	size_t n;
};

static struct irq_load irq_load(const struct view *v)
{
	struct irq_load l = { .cpu = SIZE_MAX };
	double busy = 0;

	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double b = interval_value(v->window, M_CPU_BUSY, c);

		if (isnan(b))
			continue;
		l.n++;
		busy += b;
		l.total += irq_of(v, c);
		if (l.cpu != SIZE_MAX && irq_of(v, c) <= l.irq)
			continue;
		l.cpu = c;
		l.irq = irq_of(v, c);
		l.busy = b;
	}
	if (l.n > 1) {
		l.others_irq = (l.total - l.irq) / (double)(l.n - 1);
		l.others_busy = (busy - l.busy) / (double)(l.n - 1);
	}
	return l;
}

static bool is_imbalance(const struct irq_load *l)
{
	return l->n > 1 && l->irq >= IRQ_SHARE && l->busy >= CPU_FULL &&
	       l->irq >= IMBALANCE * l->others_irq && l->others_busy <= 0.5;
}

static void irq_evidence(struct finding *f, const struct view *v, const struct irq_load *l)
{
	char metric[64], name[128];
	double rate;
	const char *vector = top_vector(v, l->cpu, &rate), *what;
	size_t line;

	snprintf(metric, sizeof(metric), "%.16s irq + softirq",
		 interval_name(v->window, SCOPE_CPU, l->cpu));
	finding_evidence(f, metric, l->irq, "ratio", IRQ_SHARE, "/proc/stat");
	snprintf(metric, sizeof(metric), "%.16s busy", interval_name(v->window, SCOPE_CPU, l->cpu));
	finding_evidence(f, metric, l->busy, "ratio", CPU_FULL, "/proc/stat");
	finding_evidence(f, "other CPUs' irq + softirq", l->others_irq, "ratio", NAN, "/proc/stat");
	if (vector) {
		snprintf(metric, sizeof(metric), "softirq: %s", vector);
		finding_evidence(f, metric, rate, "1/s", NAN, "/proc/softirqs");
	}
	line = top_line(v, &rate);
	if (line == SIZE_MAX || rate < LINE_LEAST)
		return;
	what = view_label(v, M_IRQ_WHAT, interval_row(v->window, SCOPE_IRQ, line)->id);
	snprintf(name, sizeof(name), "interrupt %.12s %.100s",
		 interval_name(v->window, SCOPE_IRQ, line), what ? what : "");
	finding_offender(f, PARTY_KERNEL, name, 0, NAN);
	finding_evidence(f, "irq.count", rate, "1/s", NAN, "/proc/interrupts");
}

/* Packets that a process sends to its own machine are received in its own time: who lives in the kernel beside the
 * interrupts is the likely source. */
static void likely_source(struct finding *f, const struct view *v)
{
	struct ranking users;

	rank_metric(v, M_PROC_SYSTEM, &users);
	if (users.n && users.top[0].amount >= 0.3 && users.top[0].share >= 0.5)
		finding_offenders(f, v, &users, 1, 0);
}

void check_softirq(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct irq_load l = irq_load(v);
	struct ranking victims;
	struct queue_picture q;
	struct finding *f;
	const char *vector;
	bool waits;
	double rate;

	if (l.cpu == SIZE_MAX || l.irq < r->floor || is_imbalance(&l))
		return;
	queue_classify(v, &q);
	queue_victims(v, &q, 1u << QUEUE_SOFTIRQ, &victims);
	waits = q.waits[QUEUE_SOFTIRQ] >= 0.05 && queue_hurts(v, &victims, 0.05, 1.25);
	if (l.busy >= CPU_FULL && (waits || l.irq >= IRQ_ALONE)) {
		f = rule_fire(r, fs);
		f->impact.wasted = l.total;
		f->confidence = 0.85;
		vector = top_vector(v, l.cpu, &rate);
		finding_offender(f, PARTY_KERNEL, vector ? vector : "interrupts", 0,
				 l.irq / l.busy);
		if (waits) {
			f->impact.lost = q.waits[QUEUE_SOFTIRQ];
			finding_victims(f, v, &victims, FINDING_PARTIES, 0.02);
		}
		finding_summary(
			f,
			"Interrupt work takes %.0f %% of %s (%s, %.0f thousand a second) and leaves it no idle time%s",
			100 * l.irq, interval_name(v->window, SCOPE_CPU, l.cpu),
			vector ? vector : "of devices", rate / 1e3,
			waits ? "; tasks wait behind it" : "");
		irq_evidence(f, v, &l);
		likely_source(f, v);
		finding_next(f, "mpstat -P ALL -I SCPU 1 5");
		finding_next(f, "watch -d -n 1 cat /proc/softirqs");
	}
	queue_done(&q);
}

void check_irq_imbalance(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct irq_load l = irq_load(v);
	struct finding *f;
	const char *vector;
	double rate;

	if (l.cpu == SIZE_MAX || l.irq < r->floor || !is_imbalance(&l))
		return;
	f = rule_fire(r, fs);
	f->impact.wasted = l.irq;
	f->impact.serial = l.busy;
	f->confidence = 0.85;
	vector = top_vector(v, l.cpu, &rate);
	finding_offender(f, PARTY_KERNEL, vector ? vector : "interrupts", 0, l.irq / l.busy);
	snprintf(f->instance, sizeof(f->instance), "%s",
		 interval_name(v->window, SCOPE_CPU, l.cpu));
	finding_summary(
		f,
		"%s does nearly all interrupt work (%.0f %% of its time, %s) and has no idle time, while the other CPUs are %.0f %% busy",
		interval_name(v->window, SCOPE_CPU, l.cpu), 100 * l.irq,
		vector ? vector : "interrupts", 100 * l.others_busy);
	irq_evidence(f, v, &l);
	finding_next(f, "mpstat -P ALL -I CPU 1 5");
	finding_next(f, "grep . /proc/irq/*/smp_affinity_list");
	finding_next(f, "cat /sys/class/net/*/queues/rx-*/rps_cpus");
}

/* ---- the hypervisor ---- */

void check_steal(const struct rule *r, const struct view *v, struct findings *fs)
{
	double steal = system_rate(v->window, M_SYS_STEAL),
	       used = system_value(v->window, M_SYS_BUSY) * interval_last(v->window, M_SYS_CPUS, 0);
	double ever = view_last(v, M_SYS_STEAL, (struct row_id){ 0 });
	struct ranking users;
	struct finding *f;

	if (isnan(steal)) {
		rule_unknown(r, fs, "no steal column in /proc/stat");
		return;
	}
	if (!(ever > 0) && *v->host->virtualization && strcmp(v->host->virtualization, "none")) {
		rule_unknown(
			r, fs,
			"the hypervisor has reported no stolen time since boot: it may not report any");
		return;
	}
	if (steal < r->floor || steal < STEAL_SHARE * (used + steal))
		return;
	f = rule_fire(r, fs);
	f->impact.lost = steal;
	f->confidence = 0.9;
	finding_offender(f, PARTY_KERNEL, "hypervisor", 0, 1);
	rank_cpu(v, &users);
	/* everybody who wanted to run was hit in proportion; how much each lost only a trace of the host tells */
	for (size_t i = 0; i < users.n; i++)
		users.top[i].amount = NAN;
	finding_victims(f, v, &users, 3, 0.1);
	finding_summary(
		f,
		"The hypervisor took %.2g CPUs away from this guest, %.0f %% of what it wanted to use: other guests or a CPU limit on the host",
		steal, 100 * steal / (used + steal));
	finding_evidence(f, "sys.cpu.steal", steal, "CPUs", r->floor, "/proc/stat");
	finding_evidence(f, "steal / wanted", steal / (used + steal), "ratio", STEAL_SHARE,
			 "/proc/stat");
	finding_evidence(f, "worst second", view_worst(v, M_SYS_STEAL, (struct row_id){ 0 }),
			 "CPUs", NAN, "/proc/stat");
	finding_next(f, "mpstat -P ALL 1 5");
	finding_next(f, "vmstat 1 5");
}

/* ---- heat and frequency ---- */

/* Share of the window in which the CPU was slowed for heat; counts alone, on kernels without times, say "at least". */
static double heat_share(const struct view *v, size_t cpu)
{
	double core = or_zero(interval_rate(v->window, M_CPU_CORE_THROTTLED, cpu));
	double package = or_zero(interval_rate(v->window, M_CPU_PACKAGE_THROTTLED, cpu));
	double counts = or_zero(interval_rate(v->window, M_CPU_CORE_THROTTLES, cpu)) +
			or_zero(interval_rate(v->window, M_CPU_PACKAGE_THROTTLES, cpu));

	if (!isnan(interval_rate(v->window, M_CPU_CORE_THROTTLED, cpu)))
		return fmin(1, fmax(core, package));
	return counts >= 1 ? HEAT_SHARE : 0;
}

static bool has_heat_counters(const struct view *v)
{
	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++)
		if (!isnan(interval_delta(v->window, M_CPU_CORE_THROTTLES, c)))
			return true;
	return false;
}

void check_throttled_frequency(const struct rule *r, const struct view *v, struct findings *fs)
{
	double lost = 0, worst = 0, slowest = NAN;
	struct finding *f;
	size_t hot = SIZE_MAX, n = 0;

	if (!has_heat_counters(v)) {
		rule_unknown(
			r, fs, "%s",
			"this machine reports no thermal throttling (usual in guests and on AMD)");
		return;
	}
	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double share = heat_share(v, c), busy = interval_value(v->window, M_CPU_BUSY, c);
		double speed = interval_mean(v->window, M_CPU_FREQ, c) /
			       interval_last(v->window, M_CPU_FREQ_MAX, c);

		if (!(share >= HEAT_SHARE) || !(busy >= 0.2))
			continue;
		n++;
		/* without a frequency: the lowest that throttling means, an eighth off the clock */
		lost += busy * share * (speed < 1 ? 1 - speed : 0.125);
		if (share > worst) {
			worst = share;
			hot = c;
		}
		if (!(speed >= slowest))
			slowest = speed;
	}
	if (hot == SIZE_MAX || lost < r->floor)
		return;
	f = rule_fire(r, fs);
	f->impact.wasted = lost;
	f->estimated = true;
	f->confidence = isnan(slowest) ? 0.7 : 0.85;
	finding_offender(f, PARTY_KERNEL, "thermal throttling", 0, NAN);
	snprintf(f->instance, sizeof(f->instance), "%s", interval_name(v->window, SCOPE_CPU, hot));
	if (isnan(slowest))
		finding_summary(
			f, "%zu CPUs are slowed down for their temperature, %s %.0f %% of the time",
			n, interval_name(v->window, SCOPE_CPU, hot), 100 * worst);
	else
		finding_summary(
			f,
			"%zu CPUs are slowed down for their temperature, %s %.0f %% of the time: the slowest runs at %.0f %% of its clock",
			n, interval_name(v->window, SCOPE_CPU, hot), 100 * worst, 100 * slowest);
	finding_evidence(f, "throttled share", worst, "ratio", HEAT_SHARE,
			 "/sys/devices/system/cpu/cpu*/thermal_throttle");
	finding_evidence(f, "cpu.frequency / cpu.frequency_max", slowest, "ratio", NAN,
			 "/sys/devices/system/cpu/cpu*/cpufreq");
	finding_next(f, "turbostat --quiet --interval 1 --num_iterations 5");
	finding_next(f, "grep . /sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count");
}

void check_low_frequency(const struct rule *r, const struct view *v, struct findings *fs)
{
	double lost = 0, slowest = NAN;
	struct finding *f;
	size_t n = 0, which = SIZE_MAX;
	const char *governor;
	bool known = false;

	for (size_t c = 0; c < interval_rows(v->window, SCOPE_CPU); c++) {
		double max = interval_last(v->window, M_CPU_FREQ_MAX, c),
		       busy = interval_value(v->window, M_CPU_BUSY, c);
		/* two readings: the better one of them, so that one unlucky moment proves nothing */
		double speed = interval_peak(v->window, M_CPU_FREQ, c) / max;

		known |= !isnan(speed);
		if (!(speed < r->floor) || !(busy >= 0.8) || heat_share(v, c) >= HEAT_SHARE)
			continue;
		n++;
		lost += busy * (1 - speed);
		if (!(speed >= slowest)) {
			slowest = speed;
			which = c;
		}
	}
	if (!known) {
		rule_unknown(r, fs, "no frequency driver (usual in guests)");
		return;
	}
	if (which == SIZE_MAX || lost < r->warn)
		return;
	governor = view_label(v, M_CPU_GOVERNOR, interval_row(v->window, SCOPE_CPU, which)->id);
	f = rule_fire(r, fs);
	f->impact.wasted = lost;
	f->estimated = true;
	f->confidence = 0.7;
	finding_offender(f, PARTY_KERNEL, governor ? governor : "frequency policy", 0, NAN);
	finding_summary(
		f,
		"%zu busy CPUs run at a low clock, %s at %.0f %% of its highest: governor %.32s, limit %.2g GHz of %.2g",
		n, interval_name(v->window, SCOPE_CPU, which), 100 * slowest,
		governor ? governor : "unknown",
		interval_last(v->window, M_CPU_FREQ_LIMIT, which) / 1e9,
		interval_last(v->window, M_CPU_FREQ_MAX, which) / 1e9);
	finding_evidence(f, "cpu.frequency / cpu.frequency_max", slowest, "ratio", r->floor,
			 "/sys/devices/system/cpu/cpu*/cpufreq");
	finding_next(f, "cpupower frequency-info");
	finding_next(
		f,
		"grep . /sys/devices/system/cpu/cpu*/cpufreq/scaling_{governor,cur_freq,max_freq}");
}

/* ---- kernel threads ---- */

static double kthread_cpu(const struct view *v, size_t row, const void *arg)
{
	(void)arg;
	if (!(interval_last(v->window, M_PROC_KTHREAD, row) > 0))
		return 0;
	return or_zero(interval_rate(v->window, M_PROC_USER, row)) +
	       or_zero(interval_rate(v->window, M_PROC_SYSTEM, row));
}

void check_kthread_hog(const struct rule *r, const struct view *v, struct findings *fs)
{
	struct ranking users;
	struct queue_picture q;
	struct finding *f;
	char label[96];
	double waits;

	rank_by(v, kthread_cpu, NULL, &users);
	if (!users.n || users.top[0].amount < r->floor)
		return;
	queue_classify(v, &q);
	waits = q.waits[QUEUE_SATURATED] + q.waits[QUEUE_BURSTS];
	f = rule_fire(r, fs);
	f->severity = waits >= 0.05 && users.top[0].amount >= q.busy / 2 ? SEV_WARN : SEV_INFO;
	f->impact.wasted = users.top[0].amount;
	f->confidence = 0.6;
	finding_offender(f, PARTY_KERNEL, users.top[0].name, users.top[0].pid,
			 users.top[0].amount / fmax(q.busy, users.top[0].amount));
	finding_summary(f, "The kernel's own %s takes %.2g CPUs",
			member_label(label, sizeof(label), &users.top[0]), users.top[0].amount);
	finding_evidence(f, "proc.system", users.top[0].amount, "s/s", r->floor, "/proc/PID/stat");
	finding_next(f, "perf top -g -p %lld", (long long)users.top[0].pid);
	finding_next(f, "cat /proc/%lld/stack", (long long)users.top[0].pid);
	queue_done(&q);
}
