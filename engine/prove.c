/* SPDX-License-Identifier: Apache-2.0 */
/* Known work, measured by all programs at once, and by the kernel's own counters beside them.
 *
 *   place, players  ─▶  programs attached  ─▶  reading  ─▶  they play  ─▶  reading  ─▶  prove_judge()
 *
 * Players sleep at both readings, so that every account stands still; what the kernel counts itself is read twice at each,
 * around and within what the programs have counted: theirs must lie between. */
#include "engine/prove.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/loop.h"
#include "engine/prove_judge.h"

#define DEADLINE_NS 15000000000u /* on a machine that is busy all is slow */
#define TURN_MS     50
#define TICK_NS     500000000u /* readings of round trips: of what was in use within a second */

const char *const prove_plan[] = {
	"makes two processes and lets them do known work: sleep, compute on one CPU, wait for locks, fork, read, sync, fail, signal, connect",
	"makes a file of 4 MiB without a name in /var/tmp (or /tmp, /var/lib, /root), and a loop device over it",
	"makes a control group with a CPU quota, and one for memory, for one of the two processes",
	"makes a network namespace with nothing but its own loopback",
	"attaches every eBPF program, those that slow each syscall by 100 to 300 ns included, for about three seconds",
	"changes no setting, mounts nothing, loads no module; all of it is gone when it ends, however it ends",
	NULL
};

struct proving {
	struct root root;
	struct prove_place place;
	struct prove_troupe troupe;
	struct prove_findings f;
	struct bpf_hists *hists;
	struct bpf_hists_plan plan;
	struct hists hists_before;
	struct {
		uint64_t ran, waited;
	} before[ROLES + 2];
	struct prove_thread first[ROLES + 2]; /* at the first sweep */
	uint64_t samples_before, throttled_before, began_ns;
	uint64_t dead_threads, dead_ns;
	struct {
		uint64_t outer, inner;
		bool known;
	} hard, soft;
	struct loop loop;
};

/* ---- what the kernel counts itself ---- */

static bool read_text(const struct proving *p, const char *path, struct buf *b)
{
	return !root_read(&p->root, path, b, ROOT_FILE_CAP);
}

/* All columns of all lines of /proc/softirqs. */
static bool count_soft(const struct proving *p, uint64_t *n)
{
	struct text all, line, word;
	struct buf b = { 0 };
	uint64_t v;

	*n = 0;
	if (!read_text(p, "proc/softirqs", &b)) {
		buf_done(&b);
		return false;
	}
	all = text_n(b.data, b.len);
	while (text_line(&all, &line))
		while (text_word(&line, &word))
			if (text_is_u64(word, &v))
				*n += v;
	buf_done(&b);
	return *n > 0;
}

/* A line that is shared runs several handlers for one interrupt. */
static bool has_shared_lines(const struct proving *p)
{
	struct text all, line, word;
	struct buf b = { 0 };
	bool shared = !read_text(p, "proc/interrupts", &b);

	all = text_n(b.data ? b.data : "", b.len);
	while (!shared && text_line(&all, &line)) {
		struct text rest = line;
		uint64_t number;

		shared = text_word(&rest, &word) && text_len(word) > 1 &&
			 text_is_u64(text_n(word.p, text_len(word) - 1), &number) &&
			 text_has(line, ", ");
	}
	buf_done(&b);
	return shared;
}

/* The line "intr" of /proc/stat has the sum of all, and then those of numbered lines. */
static bool count_hard(const struct proving *p, uint64_t *n)
{
	struct text all, line, word;
	struct buf b = { 0 };
	uint64_t v;
	bool found = false;

	*n = 0;
	if (read_text(p, "proc/stat", &b)) {
		all = text_n(b.data, b.len);
		while (!found && text_line(&all, &line))
			found = text_skip(&line, "intr ");
		if (found && text_word(&line, &word))
			while (text_word(&line, &word))
				if (text_is_u64(word, &v))
					*n += v;
	}
	buf_done(&b);
	return found;
}

/* Nanoseconds that the members of our group were kept off CPUs. */
static bool read_throttled(const struct proving *p, uint64_t *ns)
{
	struct text all, line, word;
	struct buf b = { 0 };
	char path[300];
	bool found = false;

	if (!p->place.cpu[0])
		return false;
	snprintf(path, sizeof(path), "%s/cpu.stat", p->place.cpu + 1);
	if (read_text(p, path, &b)) {
		all = text_n(b.data, b.len);
		while (!found && text_line(&all, &line)) {
			bool us = text_skip(&line, "throttled_usec ");

			found = (us || text_skip(&line, "throttled_time ")) &&
				text_word(&line, &word) && text_is_u64(word, ns);
			if (found && us)
				*ns *= 1000;
		}
	}
	buf_done(&b);
	return found;
}

static bool read_schedstat(const struct proving *p, uint32_t tgid, uint32_t tid, uint64_t *ran,
			   uint64_t *waited)
{
	struct text all, a, w;
	struct buf b = { 0 };
	char path[64];
	bool ok;

	snprintf(path, sizeof(path), "proc/%u/task/%u/schedstat", tgid, tid);
	ok = read_text(p, path, &b);
	all = text_n(b.data ? b.data : "", b.len);
	ok = ok && text_word(&all, &a) && text_word(&all, &w) && text_is_u64(a, ran) &&
	     text_is_u64(w, waited);
	buf_done(&b);
	return ok;
}

/* The number behind "KEY:" in a file of the players' process. */
static uint64_t read_key(const struct proving *p, const char *file, const char *key)
{
	struct text all, line, word;
	struct buf b = { 0 };
	char path[64];
	uint64_t v = 0;

	snprintf(path, sizeof(path), "proc/%d/%s", (int)p->troupe.pid, file);
	if (read_text(p, path, &b)) {
		all = text_n(b.data, b.len);
		while (text_line(&all, &line))
			if (text_skip(&line, key) && text_word(&line, &word) &&
			    text_is_u64(word, &v))
				break;
	}
	buf_done(&b);
	return v;
}

struct journals {
	const char *disk;
	bool found;
};

/* "sda1-8" */
static int look_at_journal(void *ctx, const char *name)
{
	struct journals *j = ctx;
	size_t n = strlen(j->disk);

	j->found = j->found || (!strncmp(name, j->disk, n) && name[n] == '-');
	return 0;
}

static bool has_journal(const struct proving *p)
{
	char path[64], target[256];
	struct journals j = { 0 };
	struct stat st;
	const char *slash;

	if (p->place.file < 0 || fstat(p->place.file, &st))
		return false;
	snprintf(path, sizeof(path), "sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (root_readlink(&p->root, path, target, sizeof(target)) < 0)
		return false;
	slash = strrchr(target, '/');
	j.disk = slash ? slash + 1 : target;
	root_list(&p->root, "proc/fs/jbd2", look_at_journal, &j);
	return j.found;
}

/* ---- what the programs have measured ---- */

static struct prove_thread *thread_of(struct proving *p, uint32_t tgid, uint32_t tid)
{
	if (p->troupe.throttled && tid == (uint32_t)p->troupe.throttled)
		return &p->f.threads[PROVE_THROTTLED];
	if (tgid != (uint32_t)p->troupe.pid)
		return NULL;
	if (tid == tgid)
		return &p->f.threads[PROVE_FIRST];
	for (unsigned r = 0; r < ROLES; r++)
		if (p->troupe.facts->tids[r] == tid)
			return &p->f.threads[r];
	return NULL;
}

static void take_thread(void *ctx, const void *record)
{
	const struct wire_task *w = record;
	struct prove_thread *t = thread_of(ctx, w->tgid, w->pid);

	if (!t)
		return;
	t->there = true;
	t->tid = w->pid;
	t->tgid = w->tgid;
	t->seen_ns = w->seen_ns;
	memcpy(t->parts, w->parts, sizeof(t->parts));
	memcpy(t->roots, w->roots, sizeof(t->roots));
}

static int sweep(struct proving *p, struct err *e)
{
	for (unsigned i = 0; i < ROLES + 2; i++)
		p->f.threads[i].there = false;
	return bpf_engine_iterate(p->f.time, "tasks_sweep", sizeof(struct wire_task), take_thread,
				  p, e);
}

static void take_sampled(void *ctx, const void *key, const void *value)
{
	const struct wire_sampled *s = value;
	struct proving *p = ctx;
	uint32_t pid;

	memcpy(&pid, key, sizeof(pid));
	if ((int)pid == p->troupe.pid || (p->troupe.throttled && (int)pid == p->troupe.throttled))
		p->f.samples += s->user + s->kernel;
}

static void read_samples(struct proving *p)
{
	p->f.samples = 0;
	bpf_engine_walk(p->f.time, "samples_tasks", sizeof(uint32_t), sizeof(struct wire_sampled),
			take_sampled, p);
}

static void take_dead(void *ctx, const void *key, const void *value)
{
	const struct wire_dead_key *k = key;
	const struct wire_dead *d = value;
	struct proving *p = ctx;

	if ((int)k->tgid != p->troupe.pid || (k->kind & WIRE_SHORT))
		return;
	p->f.dead_threads += d->threads;
	p->f.dead_seen_ns += d->seen_ns;
}

static void take_row(void *ctx, const void *record)
{
	const struct wire_row *w = record;
	struct proving *p = ctx;

	if ((int)w->pid != p->troupe.pid)
		return;
	p->f.row = *w;
	p->f.row_there = true;
}

/* ---- events ---- */

static bool is_our_address(const struct proving *p, const uint8_t *a)
{
	return ((uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3]) ==
	       p->troupe.facts->address;
}

static bool is_our_flow(const struct proving *p, const struct wire_flow *f)
{
	return is_our_address(p, f->laddr) || is_our_address(p, f->raddr);
}

static void take_tcp(const struct proving *p, struct prove_events *n, const struct wire_tcp *r)
{
	uint64_t *const of[] = { [TCP_CONNECT] = &n->connects,
				 [TCP_ACCEPT] = &n->accepts,
				 [TCP_CLOSE] = &n->closes,
				 [TCP_FAILED] = &n->failed };

	if (is_our_flow(p, &r->flow) && r->what < sizeof(of) / sizeof(*of))
		++*of[r->what];
}

static void take_drop(const struct proving *p, struct prove_events *n, const struct wire_drop *r)
{
	const char *reason = bpf_trace_drop_reason(p->f.trace, r->reason);

	if (!is_our_flow(p, &r->flow) || !reason)
		return;
	n->nobody += !strcmp(reason, "NO_SOCKET") && r->flow.protocol == 17 /* UDP */;
	n->filtered += !strcmp(reason, "SOCKET_FILTER");
}

/* A record whose size is that of its event. */
#define AS(type) (size >= sizeof(struct type) ? (const struct type *)record : NULL)

static bool take_event(void *ctx, const void *record, size_t size)
{
	const struct wire_event *e = record;
	struct proving *p = ctx;
	struct prove_events *n = &p->f.events;
	uint32_t pid = (uint32_t)p->troupe.pid;

	if (size < sizeof(*e))
		return true;
	switch (e->tag) {
	case TRACE_EXEC:
		n->execs += e->ppid == pid;
		break;
	case TRACE_EXIT:
		n->exits += e->ppid == pid;
		if (AS(wire_exit))
			n->statuses += e->ppid == pid && AS(wire_exit)->status == PROVE_STATUS << 8;
		break;
	case TRACE_OPEN:
		if (AS(wire_open))
			n->opens += e->pid == pid && !strncmp(AS(wire_open)->path, PROVE_ABSENT,
							      strlen(PROVE_ABSENT));
		break;
	case TRACE_SIGNAL:
		if (AS(wire_signal) && e->pid == pid && AS(wire_signal)->number == SIGUSR1)
			++*(AS(wire_signal)->delivered ? &n->delivered : &n->sent);
		break;
	case TRACE_BIO:
		if (AS(wire_bio))
			n->bios += e->pid == pid && AS(wire_bio)->major == p->place.loop_major &&
				   AS(wire_bio)->minor == p->place.loop_minor;
		break;
	case TRACE_FSYNC:
		n->fsyncs += e->pid == pid;
		break;
	case TRACE_TCP:
		if (AS(wire_tcp))
			take_tcp(p, n, AS(wire_tcp));
		break;
	case TRACE_RETRANSMIT:
		if (AS(wire_retransmit) && is_our_flow(p, &AS(wire_retransmit)->flow))
			++*(AS(wire_retransmit)->synack ? &n->synacks : &n->resends);
		break;
	case TRACE_RESET:
		if (AS(wire_reset) && is_our_flow(p, &AS(wire_reset)->flow))
			++*(AS(wire_reset)->sent ? &n->resets_out : &n->resets_in);
		break;
	case TRACE_DROP:
		if (AS(wire_drop))
			take_drop(p, n, AS(wire_drop));
		break;
	default:
		break;
	}
	return true;
}

/* ---- the programs ---- */

static int open_time(struct proving *p, struct err *e)
{
	struct hist_wish w = { .kinds = ((1u << HIST_KINDS) - 1) & ~(1u << HIST_BITESIZE),
			       .key = HIST_BY_NOTHING,
			       .pid = (uint32_t)p->troupe.pid };
	struct bpf_options o = { .suspect = true, .hist = &p->plan.config };
	int err;

	if (p->place.loop >= 0)
		w.disk = p->place.loop_major << 20 | p->place.loop_minor;
	bpf_hists_plan(&p->plan, &w);
	o.hist_cells = p->plan.cells;
	err = bpf_engine_open_with(
		&p->f.time,
		BPF_TIME | BPF_IRQ | BPF_SAMPLES | BPF_TABLE | BPF_WAKE | p->plan.groups, &o, e);
	if (!err)
		bpf_hists_open(&p->hists, p->f.time, &p->plan, &p->root);
	return err;
}

static void open_trace(struct proving *p)
{
	unsigned all = ((1u << TRACE_MAX) - 1) &
		       ~(1u << TRACE_RUNQ | 1u << TRACE_MOUNT | 1u << TRACE_BPF);
	struct bpf_trace_args a = { .events = all, .slow_ns = 1 };
	struct err e = { 0 };

	if (bpf_trace_open(&p->f.trace, &a, &e))
		snprintf(p->f.why_trace, sizeof(p->f.why_trace), "%s", e.msg);
}

/* ---- both readings ---- */

static void keep_first(struct proving *p)
{
	memcpy(p->first, p->f.threads, sizeof(p->first));
	for (unsigned i = 0; i < ROLES + 2; i++) {
		struct prove_thread *t = &p->f.threads[i];

		t->schedstat = t->there && read_schedstat(p, t->tgid, t->tid, &p->before[i].ran,
							  &p->before[i].waited);
	}
}

static int read_before(struct proving *p, struct err *e)
{
	int err;

	p->hard.known = count_hard(p, &p->hard.outer);
	p->soft.known = count_soft(p, &p->soft.outer);
	err = bpf_hists_read(p->hists, &p->hists_before, e);
	count_hard(p, &p->hard.inner);
	count_soft(p, &p->soft.inner);
	read_throttled(p, &p->throttled_before);
	read_samples(p);
	p->samples_before = p->f.samples;
	if (!err)
		err = sweep(p, e);
	p->began_ns = prove_now();
	keep_first(p);
	bpf_engine_calibrate_begin(p->f.time);
	if (p->f.trace) {
		bpf_engine_calibrate_begin(bpf_trace_engine(p->f.trace));
		bpf_trace_read(p->f.trace, take_event, p);
	}
	memset(&p->f.events, 0, sizeof(p->f.events));
	return err;
}

/* What was between the sweeps; of times that were read beside them as well. */
static void subtract_first(struct proving *p)
{
	p->f.cpu_seconds = 0;
	for (unsigned i = 0; i < ROLES + 2; i++) {
		struct prove_thread *t = &p->f.threads[i];
		const struct prove_thread *b = &p->first[i];
		uint64_t ran, waited;

		if (!t->there || !b->there) {
			t->there = false;
			continue;
		}
		for (unsigned k = 0; k < PART_MAX; k++)
			t->parts[k] -= b->parts[k];
		for (unsigned k = 0; k < ROOT_MAX; k++)
			t->roots[k] -= b->roots[k];
		t->schedstat = t->schedstat && read_schedstat(p, t->tgid, t->tid, &ran, &waited);
		if (!t->schedstat)
			continue;
		t->ran_ns = ran - p->before[i].ran;
		t->waited_ns = waited - p->before[i].waited;
		p->f.cpu_seconds += (double)t->ran_ns * 1e-9;
	}
}

static void bracket(struct prove_irqs *out, bool known, uint64_t outer, uint64_t inner,
		    uint64_t inner_end, uint64_t outer_end)
{
	out->known = known;
	out->least = inner_end - inner;
	out->most = outer_end - outer;
}

static int read_after(struct proving *p, struct err *e)
{
	uint64_t hard[2] = { 0 }, soft[2] = { 0 }, throttled = 0;
	int err = sweep(p, e);

	if (err)
		return err;
	p->f.seconds = (double)(prove_now() - p->began_ns) * 1e-9;
	subtract_first(p);
	read_samples(p);
	p->f.samples -= p->samples_before;
	bpf_engine_walk(p->f.time, "sched_dead", sizeof(struct wire_dead_key),
			sizeof(struct wire_dead), take_dead, p);
	if (bpf_engine_has(p->f.time, BPF_TABLE))
		bpf_engine_iterate(p->f.time, "table_sweep", sizeof(struct wire_row), take_row, p,
				   NULL);
	p->f.row_threads = read_key(p, "status", "Threads:");
	p->f.row_bytes = read_key(p, "smaps_rollup", "Rss:") * 1024;
	p->f.throttled_known = read_throttled(p, &throttled);
	p->f.throttled_ns = throttled - p->throttled_before;
	p->f.journal = has_journal(p);
	count_hard(p, &hard[0]);
	count_soft(p, &soft[0]);
	err = bpf_hists_read(p->hists, &p->f.hists, e);
	count_hard(p, &hard[1]);
	count_soft(p, &soft[1]);
	hists_subtract(&p->f.hists, &p->hists_before);
	bracket(&p->f.hard, p->hard.known, p->hard.outer, p->hard.inner, hard[0], hard[1]);
	if (has_shared_lines(p))
		p->f.hard.most = UINT64_MAX;
	bracket(&p->f.soft, p->soft.known, p->soft.outer, p->soft.inner, soft[0], soft[1]);
	if (p->f.trace) {
		bpf_trace_read(p->f.trace, take_event, p);
		bpf_trace_lost(p->f.trace, p->f.events.lost);
	}
	return err;
}

/* ---- the run ---- */

static int watch(struct proving *p, struct err *e)
{
	struct pollfd fds[2] = { { .fd = p->troupe.answers, .events = POLLIN },
				 { .fd = p->loop.signals, .events = POLLIN } };
	uint64_t end = prove_now() + DEADLINE_NS, tick = 0;
	char byte;

	prove_troupe_begin(&p->troupe);
	for (;;) {
		int n = poll(fds, 2, TURN_MS);

		if (n < 0 && errno != EINTR)
			return err_errno(e, -errno,
					 "cannot wait for the processes that are measured");
		if (p->f.trace)
			bpf_trace_read(p->f.trace, take_event, p);
		if (prove_now() >= tick) {
			bpf_hists_tick(p->hists);
			tick = prove_now() + TICK_NS;
		}
		if (fds[1].revents)
			return err_set(e, -ECANCELED, "interrupted: nothing is proved");
		if (fds[0].revents)
			return read(p->troupe.answers, &byte, 1) == 1
				       ? 0
				       : err_set(e, -ECHILD,
						 "the processes that are measured have ended early");
		if (prove_now() > end)
			return err_set(
				e, -ETIMEDOUT,
				"two seconds of work have not ended after %u s: the machine is too busy; nothing is proved",
				(unsigned)(DEADLINE_NS / 1000000000u));
	}
}

static void close_all(struct proving *p)
{
	bpf_hists_close(p->hists);
	bpf_engine_close(p->f.time);
	bpf_trace_close(p->f.trace);
	prove_troupe_close(&p->troupe);
	prove_place_close(&p->place);
	root_close(&p->root);
	hists_done(&p->f.hists);
	hists_done(&p->hists_before);
	loop_close(&p->loop);
	mem_free(p);
}

int prove(struct proofs *out, struct err *e)
{
	struct proving *p = mem_alloc(sizeof(*p));
	int err = 0;

	p->loop = LOOP_CLOSED;
	p->root.fd = p->troupe.orders = p->troupe.quota = p->troupe.answers = -1;
	p->place.loop = p->place.file = p->place.janitor_pipe = -1;
	if (geteuid())
		err = err_set(e, -EPERM,
			      "cannot prove anything: it takes root (sudo sixty doctor --prove)");
	if (!err)
		err = root_open(&p->root, "/", e);
	if (!err)
		err = loop_open(&p->loop, e);
	if (!err) {
		prove_place_open(&p->place, &p->root);
		err = prove_troupe_open(&p->troupe, &p->place, e);
	}
	p->f.place = &p->place;
	p->f.facts = p->troupe.facts;
	p->f.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	p->f.cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (!err)
		err = open_time(p, e);
	if (!err) {
		open_trace(p);
		err = read_before(p, e);
	}
	if (!err)
		err = watch(p, e);
	if (!err)
		err = read_after(p, e);
	if (!err) {
		prove_judge(out, &p->f);
		out->seconds = p->f.seconds;
	}
	close_all(p);
	return err;
}

void proofs_done(struct proofs *p)
{
	mem_free(p->list);
	*p = (struct proofs){ 0 };
}

const char *proof_word(enum proof_verdict v)
{
	static const char *const words[] = { "pass", "wrong", "cannot" };

	return v < PROOF_VERDICTS ? words[v] : "";
}
