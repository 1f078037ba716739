/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/softirqs and /proc/interrupts: a line per kind, a column per CPU.
 *
 *             CPU0       CPU1          the columns: online CPUs (softirqs: all possible ones)
 *   36:          0      46832   PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
 *  LOC:      29468      25713   Local timer interrupts
 *  ERR:          0                     one number for the machine
 *
 * Kinds that have no number of their own are told by their label on x86 and POWER and by their text on ARM and RISC-V
 * ("IPI0: … Rescheduling interrupts"). Interrupts are read at the window's two ends only: on a machine with 512 CPUs
 * the kernel needs milliseconds to print the file. */
#include "collectors/collector.h"

#include <string.h>

#include "base/mem.h"
#include "collectors/held.h"
#include "collectors/table.h"

#define COLUMNS  16384 /* CPUs in the head line */
#define IRQ_ROWS 8192

struct matrix_state {
	struct collector_env env;
	struct held file;
	struct buf text;
	int code;
	struct text *names; /* of the columns: "CPU3"; point into text */
	uint64_t *sums;     /* per column: interrupts of devices */
	size_t n, names_cap, sums_cap;
};

static int open_file(struct matrix_state *s, const struct collector_env *env, const char *path)
{
	s->env = *env;
	s->file.path = path;
	s->code = 1;
	return 0;
}

static bool is_cpu(struct text word)
{
	uint64_t id;

	return text_skip(&word, "CPU") && text_len(word) <= 6 && text_is_u64(word, &id);
}

/* Read the file and its head line. */
static int read_head(struct matrix_state *s, struct text *in, struct err *e)
{
	struct text line, word;
	int err = held_read(&s->file, s->env.root, &s->text, in);

	if (err != s->code)
		collector_status(&s->env, s->file.path, err, "%s", err ? strerror(-err) : "");
	s->code = err;
	if (err)
		return err_errno(e, err, "cannot read /%s", s->file.path);
	*in = whole_lines(*in);
	s->n = 0;
	if (!text_line(in, &line))
		return 0;
	while (s->n < COLUMNS && text_word(&line, &word) && is_cpu(word)) {
		s->names = mem_grow(s->names, &s->names_cap, s->n + 1, sizeof(*s->names));
		s->names[s->n++] = word;
	}
	return 0;
}

static void matrix_close(void *state)
{
	struct matrix_state *s = state;

	held_close(&s->file);
	buf_done(&s->text);
	mem_free(s->names);
	mem_free(s->sums);
}

/* The CPU row of a column: "CPU12" is "cpu12". */
static size_t cpu_row(const struct matrix_state *s, size_t column, struct snapshot *out)
{
	char name[24];

	text_copy(name, sizeof(name), s->names[column]);
	memcpy(name, "cpu", 3);
	return snapshot_named_row(out, SCOPE_CPU, name, strlen(name));
}

/* ---- softirqs ---- */

/* clang-format off */
static const struct { const char *label; enum metric_id id; } vectors[] = {
	{ "HI", M_CPU_SI_HI },         { "TIMER", M_CPU_SI_TIMER }, { "NET_TX", M_CPU_SI_NET_TX },
	{ "NET_RX", M_CPU_SI_NET_RX }, { "BLOCK", M_CPU_SI_BLOCK }, { "IRQ_POLL", M_CPU_SI_POLL },
	{ "BLOCK_IOPOLL", M_CPU_SI_POLL }, { "TASKLET", M_CPU_SI_TASKLET }, { "SCHED", M_CPU_SI_SCHED },
	{ "HRTIMER", M_CPU_SI_HRTIMER }, { "RCU", M_CPU_SI_RCU },
};
/* clang-format on */

/* CPUs that could be plugged in have columns of zeros: without a row they stay what they are, not there. Their first
 * line (HI) may well be zero for a CPU that runs, so a row is made by the first count that is not. */
static void read_vector(struct matrix_state *s, enum metric_id id, struct text line,
			struct snapshot *out)
{
	unsigned source = metric_source(id, F_SOFTIRQS);
	uint64_t v;

	for (size_t i = 0; i < s->n && text_u64(&line, &v); i++)
		if (v || s->sums[i])
			snapshot_set(out, id, cpu_row(s, i, out), v, source);
}

/* Which columns have any count at all; sums[] says so for read_vector(). */
static void find_used(struct matrix_state *s, struct text in)
{
	struct text line, label;
	uint64_t v;

	s->sums = mem_grow(s->sums, &s->sums_cap, s->n, sizeof(*s->sums));
	memset(s->sums, 0, s->n * sizeof(*s->sums));
	while (text_line(&in, &line)) {
		if (!text_until(&line, ':', &label))
			continue;
		for (size_t i = 0; i < s->n && text_u64(&line, &v); i++)
			s->sums[i] |= v;
	}
}

static int softirqs_open(void *state, const struct collector_env *env, struct err *e)
{
	(void)e;
	return open_file(state, env, "proc/softirqs");
}

static int softirqs_read(void *state, struct snapshot *out, struct err *e)
{
	struct matrix_state *s = state;
	struct text in, line, label;
	int err = read_head(s, &in, e);

	if (err || !s->n)
		return err;
	snapshot_begin(out, SCOPE_CPU, clock_boot_ns());
	find_used(s, in);
	while (text_line(&in, &line)) {
		if (!text_until(&line, ':', &label))
			continue;
		label = text_trim(label);
		for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
			if (text_eq(label, vectors[i].label))
				read_vector(s, vectors[i].id, line, out);
	}
	return 0;
}

/* ---- interrupts ---- */

struct kind {
	const char *label, *text; /* either; text: a part of the description */
	enum metric_id id;
};

/* clang-format off */
static const struct kind kinds[] = {
	{ "LOC", NULL, M_CPU_IRQ_LOC },     { "RES", NULL, M_CPU_IRQ_RES }, { "CAL", NULL, M_CPU_IRQ_CAL },
	{ "TLB", NULL, M_CPU_IRQ_TLB },     { "MCE", NULL, M_CPU_IRQ_MCE }, { "TRM", NULL, M_CPU_IRQ_THERMAL },
	{ NULL, "arch_timer", M_CPU_IRQ_LOC }, { NULL, "riscv-timer", M_CPU_IRQ_LOC },
	{ NULL, "Rescheduling interrupts", M_CPU_IRQ_RES },
	{ NULL, "Function call interrupts", M_CPU_IRQ_CAL },
};
/* clang-format on */

static enum metric_id kind_of(struct text label, struct text what)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].label ? text_eq(label, kinds[i].label) : text_has(what, kinds[i].text))
			return kinds[i].id;
	return M_NONE;
}

/* Chip, pin and device stand in columns padded with blanks: one blank is enough. */
static void squeeze(char *out, size_t size, struct text what)
{
	size_t n = 0;
	struct text word;

	while (text_word(&what, &word) && n + 1 < size) {
		if (n)
			out[n++] = ' ';
		text_copy(out + n, size - n, word);
		n += strlen(out + n);
	}
	out[n] = '\0';
}

/* The numbers of a line; what follows them describes it. */
static uint64_t sum_line(struct matrix_state *s, struct text *line)
{
	uint64_t v, sum = 0;

	for (size_t i = 0; i < s->n && text_u64(line, &v); i++)
		sum += v;
	return sum;
}

static void add_line(struct matrix_state *s, enum metric_id id, bool device, struct text numbers,
		     struct snapshot *out)
{
	uint64_t v;

	for (size_t i = 0; i < s->n && text_u64(&numbers, &v); i++) {
		if (id != M_NONE)
			snapshot_add(out, id, cpu_row(s, i, out), v,
				     metric_source(id, F_INTERRUPTS));
		else if (device)
			s->sums[i] += v;
	}
}

static void read_line(struct matrix_state *s, struct text label, struct text line,
		      struct snapshot *out)
{
	struct text numbers = line;
	uint64_t number, sum = sum_line(s, &line);
	enum metric_id id = kind_of(label, line);
	char what[128];
	size_t row;

	row = snapshot_named_row(out, SCOPE_IRQ, label.p, text_len(label));
	snapshot_add(out, M_IRQ_COUNT, row, sum, metric_source(M_IRQ_COUNT, F_INTERRUPTS));
	squeeze(what, sizeof(what), line);
	snapshot_set_text(out, M_IRQ_WHAT, row, what, strlen(what),
			  metric_source(M_IRQ_WHAT, F_INTERRUPTS));
	add_line(s, id, text_is_u64(label, &number), numbers, out);
}

static int interrupts_open(void *state, const struct collector_env *env, struct err *e)
{
	(void)e;
	return open_file(state, env, "proc/interrupts");
}

static int interrupts_read(void *state, struct snapshot *out, struct err *e)
{
	struct matrix_state *s = state;
	struct text in, line, label;
	uint64_t now;
	int err = read_head(s, &in, e);

	if (err || !s->n)
		return err;
	now = clock_boot_ns();
	snapshot_begin(out, SCOPE_CPU, now);
	snapshot_begin(out, SCOPE_IRQ, now);
	s->sums = mem_grow(s->sums, &s->sums_cap, s->n, sizeof(*s->sums));
	memset(s->sums, 0, s->n * sizeof(*s->sums));
	for (size_t lines = 0; lines < IRQ_ROWS && text_line(&in, &line); lines++) {
		if (!text_until(&line, ':', &label))
			continue;
		label = text_trim(label);
		if (text_len(label))
			read_line(s, label, line, out);
	}
	for (size_t i = 0; i < s->n; i++)
		snapshot_set(out, M_CPU_IRQ_DEVICE, cpu_row(s, i, out), s->sums[i],
			     metric_source(M_CPU_IRQ_DEVICE, F_INTERRUPTS));
	return 0;
}

static const char *const softirq_files[] = { "proc/softirqs", NULL };
static const char *const interrupt_files[] = { "proc/interrupts", NULL };

const struct collector collector_softirqs = {
	.name = "softirqs",
	.what = "soft interrupts per CPU and kind",
	.needs = "",
	.pace = PACE_SECOND,
	.seldom = true,
	.scopes = 1u << SCOPE_CPU,
	.files = softirq_files,
	.state_size = sizeof(struct matrix_state),
	.open = softirqs_open,
	.read = softirqs_read,
	.close = matrix_close,
};

const struct collector collector_interrupts = {
	.name = "interrupts",
	.what = "interrupts per line, and per CPU by kind",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_CPU | 1u << SCOPE_IRQ,
	.files = interrupt_files,
	.state_size = sizeof(struct matrix_state),
	.open = interrupts_open,
	.read = interrupts_read,
	.close = matrix_close,
};
