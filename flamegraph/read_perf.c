/* SPDX-License-Identifier: Apache-2.0 */
/* What `perf script` prints: a line that begins a sample, the functions from the innermost outwards, an empty line.
 *
 *     java 24636/25607 [000] 4794564.109216:    101010 cycles:
 *         7f722d142778 Ljava/io/PrintStream;::print (/tmp/perf-19982.map)
 *         ffffffff8103ce3b native_safe_halt+0x6 ([kernel.kallsyms])
 *
 * Folded as stackcollapse-perf.pl --all does it: the command is the outermost frame, names are tidied, only samples of the
 * first event count. Beyond that, times, threads, modules and what perf calls inlined are kept. */
#include "flamegraph/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct perf {
	struct stackset *ss;
	struct stack_sample sample;
	double period;
	bool open;    /* between the first line of a sample that counts and the empty one */
	bool skipped; /* of another event */
	bool java;
	bool timed;
	uint64_t first_ns, last_ns; /* of the samples */
	uint32_t comm;              /* frame */
	uint32_t frames[STACKSET_DEPTH];
	size_t depth; /* innermost first */
	size_t cut;   /* frames beyond STACKSET_DEPTH */
	struct text event;
	struct buf name;
	size_t others, strange, truncated;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t digits(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && *q >= '0' && *q <= '9')
		q++;
	return (size_t)(q - p);
}

/* ---- the line that begins a sample ---- */

struct header {
	struct text comm, event;
	int32_t pid, tid;
	double period;
	bool weighed;     /* the period is told */
	uint64_t time_ns; /* STACK_NO_TIME */
};

static int32_t small(const char *p, size_t n)
{
	struct text t = text_n(p, n);
	uint64_t v;

	return text_is_u64(t, &v) && v <= INT32_MAX ? (int32_t)v : 0;
}

/* The command may hold blanks: it ends before the first blanks behind which "PID " or "PID/TID " stands. */
static bool header_ids(struct text *line, struct header *h)
{
	for (const char *p = line->p + 1; p < line->end; p++) {
		const char *end = p, *number, *slash = NULL;
		size_t n, m = 0;

		if (!is_blank(*p))
			continue;
		while (p < line->end && is_blank(*p))
			p++;
		number = p;
		n = digits(p, line->end);
		if (n && number + n < line->end && number[n] == '/') {
			slash = number + n;
			m = digits(slash + 1, line->end);
		}
		p = slash ? slash + 1 + m : number + n;
		if (!n || (slash && !m) || p >= line->end || !is_blank(*p)) {
			p = number - 1;
			continue;
		}
		h->comm = (struct text){ line->p, end };
		h->pid = slash ? small(number, n) : 0;
		h->tid = slash ? small(slash + 1, m) : small(number, n);
		line->p = p;
		return true;
	}
	return false;
}

/* "4794564.109216:" somewhere behind the numbers. */
static void header_time(struct text line, struct header *h)
{
	struct text word;

	h->time_ns = STACK_NO_TIME;
	while (text_word(&line, &word)) {
		uint64_t ns;

		if (*word.p < '0' || *word.p > '9' || word.end[-1] != ':' ||
		    !memchr(word.p, '.', text_len(word)))
			continue;
		word.end--;
		if (text_fixed(&word, 9, &ns) && !text_len(word))
			h->time_ns = ns;
		return;
	}
}

/* ": 101010 cycles:" or ": cycles:" at the end. */
static void header_event(struct text line, struct header *h)
{
	const char *p, *colon;
	struct text period;
	uint64_t v;

	line = text_trim(line);
	h->event = text_of("");
	h->period = 1;
	h->weighed = false;
	if (!text_len(line) || line.end[-1] != ':')
		return;
	p = line.end - 1;
	while (p > line.p && !is_blank(p[-1]))
		p--;
	period = (struct text){ line.p, p };
	period = text_trim(period);
	colon = text_last(period, ':');
	if (p == line.p || !colon)
		return;
	period.p = colon + 1;
	period = text_trim(period);
	if (text_len(period) && !text_is_u64(period, &v))
		return;
	h->event = (struct text){ p, line.end - 1 };
	h->weighed = text_len(period) && v;
	if (h->weighed)
		h->period = (double)v;
}

static bool parse_header(struct text line, struct header *h)
{
	if (!text_len(line) || is_blank(*line.p) || !header_ids(&line, h))
		return false;
	header_time(line, h);
	header_event(line, h);
	return true;
}

static int comm_frame(struct perf *p, struct text comm, struct err *e)
{
	struct frame_text f = { 0 };

	buf_clear(&p->name);
	buf_add(&p->name, comm.p, text_len(comm));
	for (size_t i = 0; i < p->name.len; i++)
		if (p->name.data[i] == ' ' || p->name.data[i] == ';')
			p->name.data[i] = '_';
	f.name = text_n(p->name.data, p->name.len);
	return stackset_frame(p->ss, &f, &p->comm, e);
}

/* Samples of one CPU after those of another are not in order: the window begins with the first that is seen, and what is
 * earlier is moved to its beginning when all is read. */
static void keep_time(struct perf *p, uint64_t ns)
{
	p->sample.time_ns = ns;
	if (ns == STACK_NO_TIME)
		return;
	if (!p->timed || ns < p->first_ns)
		p->first_ns = ns;
	if (!p->timed || ns > p->last_ns)
		p->last_ns = ns;
	p->timed = true;
}

/* Weights are periods: nanoseconds of a clock, else events. Where no period is told, each sample counts as one. */
static int take_value(struct perf *p, const struct header *h, struct err *e)
{
	bool clock = text_starts(h->event, "cpu-clock") || text_starts(h->event, "task-clock");
	struct text rest = h->event, event;
	char name[64] = "samples";
	int err;

	if (p->ss->nvalues)
		return 0;
	if (h->weighed && text_until(&rest, ':', &event) && text_len(event))
		text_copy(name, sizeof(name), event);
	err = stackset_value(p->ss, name, h->weighed && clock ? "nanoseconds" : "count", e);
	return err < 0 ? err : 0;
}

static int begin(struct perf *p, const struct header *h, struct err *e)
{
	int err = take_value(p, h, e);

	if (err)
		return err;

	p->depth = p->cut = 0;
	p->skipped = false;
	if (text_len(h->event) && !text_len(p->event)) {
		p->event = h->event;
	} else if (text_len(h->event) &&
		   (text_len(h->event) != text_len(p->event) ||
		    memcmp(h->event.p, p->event.p, text_len(p->event)) != 0)) {
		p->others++;
		p->open = false;
		p->skipped = true;
		return 0;
	}
	p->open = true;
	p->period = h->period;
	p->java = text_starts(h->comm, "java");
	p->sample = (struct stack_sample){ 0 };
	keep_time(p, h->time_ns);
	err = comm_frame(p, h->comm, e);
	return err ? err : stackset_thread(p->ss, h->pid, h->tid, h->comm, &p->sample.thread, e);
}

/* ---- a function ---- */

/* "7f722d142778 name+0x6 (module)" */
static bool parse_function(struct text line, struct text *name, struct text *module)
{
	const char *close, *open;

	line = text_trim(line);
	close = text_last(line, ')');
	if (!close)
		return false;
	module->end = close;
	for (open = close; open > line.p; open--)
		if (open[0] == '(' && is_blank(open[-1]))
			break;
	if (open == line.p)
		return false;
	module->p = open + 1;
	line.end = open;
	while (line.p < line.end && (isalnum((unsigned char)*line.p) || *line.p == '_'))
		line.p++;
	*name = text_trim(line);
	if (!text_len(*name)) /* a symbol without a name */
		*name = text_of("[unknown]");
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void cut_offset(struct text *name)
{
	const char *p = name->end;

	while (p > name->p && is_hex(p[-1]))
		p--;
	if (p < name->end && p - name->p > 3 && !memcmp(p - 3, "+0x", 3))
		name->end = p - 3;
}

/* "net/http.(*Client).Do": what Go writes has parentheses in the middle. */
static bool is_go_method(struct text name)
{
	bool open = false;

	for (const char *p = name.p; p + 1 < name.end; p++) {
		open |= p[0] == '.' && p[1] == '(';
		if (open && p[0] == ')' && p[1] == '.')
			return true;
	}
	return false;
}

/* Arguments are noise, but "(anonymous namespace)" is part of a name. */
static void cut_arguments(struct text *name)
{
	static const char keep[] = "(anonymous namespace)";

	for (const char *p = name->p; p < name->end; p++) {
		struct text rest = { p, name->end };

		if (*p == '(' && !text_starts(rest, keep)) {
			name->end = p;
			return;
		}
	}
}

static struct text base_name(struct text path)
{
	const char *slash = text_last(path, '/');

	return slash ? (struct text){ slash + 1, path.end } : path;
}

static void tidy(struct perf *p, struct text name, struct text module)
{
	buf_clear(&p->name);
	if (text_eq(name, "[unknown]")) {
		struct text known = text_eq(module, "[unknown]") ? text_of("unknown")
								 : base_name(module);

		buf_char(&p->name, '[');
		buf_add(&p->name, known.p, text_len(known));
		buf_char(&p->name, ']');
	} else {
		buf_add(&p->name, name.p, text_len(name));
	}
	for (size_t i = 0; i < p->name.len; i++)
		if (p->name.data[i] == ';')
			p->name.data[i] = ':';
	name = text_n(p->name.data, p->name.len);
	if (!is_go_method(name))
		cut_arguments(&name);
	/* quotes are taken out in place */
	p->name.len = text_len(name);
	size_t to = 0;

	for (size_t i = 0; i < p->name.len; i++)
		if (p->name.data[i] != '"' && p->name.data[i] != '\'')
			p->name.data[to++] = p->name.data[i];
	p->name.len = to;
}

static enum frame_kind kind_of(struct text module)
{
	struct text base = base_name(module);
	uint64_t pid;

	if (text_eq(module, "inlined"))
		return FRAME_INLINED;
	if (text_has(module, "unknown"))
		return FRAME_USER;
	if (text_starts(module, "[") ||
	    (text_len(module) >= 7 && !memcmp(module.end - 7, "vmlinux", 7)))
		return FRAME_KERNEL;
	if (text_starts(module, "/tmp/perf-") && text_skip(&base, "perf-") &&
	    text_u64(&base, &pid) && text_starts(base, ".map"))
		return FRAME_JIT;
	return FRAME_USER;
}

static int add_function(struct perf *p, struct text name, struct text module, bool inlined,
			struct err *e)
{
	struct frame_text f = { .module = module };
	int err;

	tidy(p, name, module);
	f.name = text_n(p->name.data, p->name.len);
	if (p->java && text_has(f.name, "/"))
		text_skip(&f.name, "L");
	f.kind = frame_kind_cut(&f.name);
	if (f.kind == FRAME_USER)
		f.kind = inlined ? FRAME_INLINED : kind_of(module);
	if (text_eq(module, "inlined") || text_eq(module, "[unknown]"))
		f.module = text_of("");
	if (p->depth + 1 >= STACKSET_DEPTH) {
		p->cut++;
		return 0;
	}
	err = stackset_frame(p->ss, &f, &p->frames[p->depth], e);
	if (!err)
		p->depth++;
	return err;
}

/* "outer->inner": what perf found to be inlined; the innermost comes first here. */
static int add_functions(struct perf *p, struct text name, struct text module, struct err *e)
{
	int err = 0;

	cut_offset(&name);
	if (text_starts(name, "("))
		return 0;
	while (text_len(name) && !err) {
		struct text part = name;
		const char *q;

		for (q = name.end - 1; q > name.p; q--)
			if (q[0] == '>' && q[-1] == '-')
				break;
		if (q > name.p) {
			part.p = q + 1;
			name.end = q - 1;
		} else {
			name.end = name.p;
		}
		if (text_len(part))
			err = add_function(p, part, module, text_len(name) > 0, e);
	}
	return err;
}

static int finish(struct perf *p, struct err *e)
{
	int err = 0;

	if (!p->open)
		return 0;
	p->open = false;
	err = stackset_push(p->ss, 0, p->comm, &p->sample.stack, e);
	if (!err && p->cut) {
		struct frame_text f = { .name = text_of("[frames beyond 4096]"),
					.kind = FRAME_LOST };
		uint32_t id;

		p->truncated++;
		p->depth--;
		err = stackset_frame(p->ss, &f, &id, e);
		if (!err)
			err = stackset_push(p->ss, p->sample.stack, id, &p->sample.stack, e);
	}
	for (size_t i = p->depth; i > 0 && !err; i--)
		err = stackset_push(p->ss, p->sample.stack, p->frames[i - 1], &p->sample.stack, e);
	return err ? err : stackset_add(p->ss, &p->sample, &p->period, e);
}

/* ---- all of it ---- */

static void comment(struct perf *p, struct text line)
{
	struct stack_about *a = &p->ss->about;
	struct text key;

	text_skip(&line, "#");
	if (!text_until(&line, ':', &key))
		return;
	key = text_trim(key);
	if (text_eq(key, "hostname"))
		stackset_string(p->ss, text_trim(line), &a->host, NULL);
	else if (text_eq(key, "os release"))
		stackset_string(p->ss, text_trim(line), &a->kernel, NULL);
	else if (text_eq(key, "cmdline"))
		stackset_string(p->ss, text_trim(line), &a->command, NULL);
}

static int add_line(struct perf *p, struct text line, struct err *e)
{
	struct text name, module;
	struct header h;
	int err;

	if (text_len(line) && line.end[-1] == '\r')
		line.end--;
	if (text_starts(line, "#")) {
		comment(p, line);
		return 0;
	}
	if (!text_len(text_trim(line)))
		return finish(p, e);
	if (parse_header(line, &h)) {
		err = finish(p, e);
		return err ? err : begin(p, &h, e);
	}
	if (p->skipped)
		return 0;
	if (p->open && parse_function(line, &name, &module))
		return add_functions(p, name, module, e);
	p->strange++;
	return 0;
}

static void tell(struct perf *p)
{
	struct stackset *ss = p->ss;
	char what[160], event[64];

	text_copy(event, sizeof(event), p->event);
	snprintf(what, sizeof(what), "samples of other events than %s", event);
	stackset_lose(ss, what, (double)p->others);
	stackset_lose(ss, "lines that belong to no sample", (double)p->strange);
	stackset_lose(ss, "stacks cut at 4096 frames", (double)p->truncated);
	if (text_len(p->event))
		stackset_string(ss, p->event, &ss->about.event, NULL);
	if (!p->timed)
		return;
	for (size_t i = 0; i < ss->nsamples; i++)
		if (ss->sample[i].time_ns != STACK_NO_TIME)
			ss->sample[i].time_ns -= p->first_ns;
	ss->about.seconds = (double)(p->last_ns - p->first_ns) / 1e9;
}

int read_perf(struct stackset *ss, struct text in, struct err *e)
{
	struct perf p = { .ss = ss, .event = text_of("") };
	size_t number = 0;
	struct text line;
	int err = 0;

	while (!err && text_line(&in, &line)) {
		number++;
		err = add_line(&p, line, e);
	}
	if (!err)
		err = finish(&p, e);
	if (err)
		err_wrap(e, err, "line %zu", number);
	else
		tell(&p);
	buf_done(&p.name);
	return err;
}

/* A line that begins a sample and ends in a colon, and a function with its address right below it, among the first lines. */
bool read_is_perf(struct text in)
{
	struct text line, name, module;
	bool begun = false;
	struct header h;

	for (unsigned n = 0; n < 500 && text_line(&in, &line); n++) {
		struct text trimmed = text_trim(line);

		if (text_starts(line, "#"))
			continue;
		if (begun && text_len(trimmed) && is_hex(*trimmed.p) &&
		    parse_function(line, &name, &module))
			return true;
		begun = text_len(trimmed) && trimmed.end[-1] == ':' && parse_header(line, &h);
	}
	return false;
}
