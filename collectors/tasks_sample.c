/* SPDX-License-Identifier: Apache-2.0 */
/* State samples: what each followed thread does, ten times a second.
 *
 * A sample stands for the time since the thread's last one. One read tells most: the wait channel of who slept last
 * time, the state letter of who ran. Only where a channel means different things in S and D, or is "0", both are read;
 * and who sleeps on a futex is asked what for, unless it has not been on a CPU since it was asked last.
 *
 * CPU time is a budget: what does not fit into it is sampled in a later tick, with the longer time that it then stands
 * for, and counted as skipped. Processes that only sleep are looked at less and less often. */
#include "collectors/tasks.h"

#include <stdio.h>
#include <string.h>

#define CREDIT_PER_TICK_NS 500000 /* 0.5 % of one CPU, used only where much is going on */
#define CREDIT_MAX_NS      2000000
#define PAUSE_MAX          8u /* ticks between two looks at a process of which no thread ran */

/* Sleeps that are nobody's loss. */
static bool is_harmless(enum wait w)
{
	return w == WAIT_FUTEX || w == WAIT_SOCKET || w == WAIT_PIPE || w == WAIT_POLL ||
	       w == WAIT_TIMER || w == WAIT_CHILD || w == WAIT_SLEEP;
}

static char read_state(struct tasks *t, struct followed *f, struct thread *th)
{
	struct task_stat st;
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/stat", f->pid, th->tid);
	if (!task_parse_stat(task_text(t, task_read(t, &th->fd_stat, path)), &st))
		return 'X';
	return (char)st.f[3];
}

/* Waiting for the next connection or datagram: work, not an answer. */
static bool is_accept(const char *wchan)
{
	static const char *const prefixes[] = { "inet_csk_accept", "inet_csk_wait_for_connect",
						"__skb_wait", "skb_wait", "unix_accept" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(wchan, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static enum wait look(struct tasks *t, struct followed *f, struct thread *th)
{
	char path[64], wchan[64], state = 0;
	struct text in;
	enum wait w;

	if (th->sampled && th->wait == WAIT_RUN) {
		state = read_state(t, f, th); /* who ran is likely to run still */
		if (state == 'R')
			return WAIT_RUN;
	}
	snprintf(path, sizeof(path), "proc/%d/task/%d/wchan", f->pid, th->tid);
	in = text_trim(task_text(t, task_read(t, &th->fd_wchan, path)));
	text_copy(wchan, sizeof(wchan), in);
	th->wchan_now = 0;
	th->accepts = false;
	t->wchan_seen++;
	if (!*wchan || !strcmp(wchan, "0")) {
		if (!state)
			state = read_state(t, f, th);
		t->wchan_zero += state == 'S' || state == 'D';
		return wait_of(state, "", f->kthread);
	}
	w = wait_of('S', wchan, f->kthread);
	if (f->kthread || w != wait_of('D', wchan, false))
		w = wait_of(state ? state : read_state(t, f, th), wchan, f->kthread);
	if (w == WAIT_RUN)
		return w;
	th->accepts = is_accept(wchan);
	th->wchan_now = names_id(&t->names, text_of(wchan));
	votes_add(&th->wchan, th->wchan_now, 1);
	return w;
}

/* Times put on a CPU; 0 when the kernel does not say. */
static uint64_t read_slices(struct tasks *t, struct followed *f, struct thread *th)
{
	struct task_sched sc;
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/task/%d/schedstat", f->pid, th->tid);
	if (!task_parse_sched(task_text(t, task_read(t, &th->fd_sched, path)), &sc))
		return 0;
	return sc.slices;
}

/* A thread on a futex has not moved since its last sample if it was not on a CPU in between: what it was found to wait
 * for then, it waits for still. */
static void sample_futex(struct tasks *t, struct followed *f, struct thread *th, uint64_t now)
{
	uint64_t slices = read_slices(t, f, th);

	if (!slices || slices != th->slices || th->lock == LOCK_UNKNOWN) {
		th->lock = (uint8_t)lock_wait_of(t, f, th);
		th->stuck_since = 0;
	}
	th->slices = slices;
	if (th->lock != LOCK_NO && !th->stuck_since)
		th->stuck_since = now;
}

/* True if the thread does nothing worth a look at every tick: the same harmless sleep again. */
static bool sample_thread(struct tasks *t, struct followed *f, struct thread *th, uint64_t now)
{
	enum wait before = th->sampled ? (enum wait)th->wait : WAIT_RUN;

	th->wait = (uint8_t)look(t, f, th);
	if (th->wait == WAIT_FUTEX) {
		sample_futex(t, f, th, now);
	} else {
		th->lock = LOCK_UNKNOWN;
		th->stuck_since = 0;
	}
	th->sampled = true;
	th->samples++;
	t->samples++;
	return before == th->wait && is_harmless(before) && th->lock <= LOCK_NO;
}

static void sample_process(struct tasks *t, struct followed *f, uint64_t now)
{
	uint64_t dt = now - f->last_ns;
	bool quiet = true;

	if (now <= f->last_ns)
		return;
	for (size_t i = 0; i < f->n; i++)
		quiet &= sample_thread(t, f, &f->threads[i], now);
	lock_account(f, now, dt);
	f->last_ns = now;
	f->sampled_ns += dt;
	f->pause = !quiet ? 1 : f->pause < PAUSE_MAX ? f->pause * 2 : PAUSE_MAX;
	f->wait = f->pause;
}

void tasks_sample(struct tasks *t, uint64_t now, bool all)
{
	uint64_t began = task_cpu_ns(), used = 0;
	size_t done = 0;

	if (!all && t->credit_ns < CREDIT_MAX_NS)
		t->credit_ns += CREDIT_PER_TICK_NS;
	for (; done < t->nfollowed; done++) {
		struct followed *f;

		if (!all && (int64_t)used >= t->credit_ns)
			break;
		if (t->turn >= t->nfollowed)
			t->turn = 0;
		f = t->list[t->turn++];
		if (!all && f->wait > 1) {
			f->wait--;
			continue;
		}
		sample_process(t, f, now);
		if (!all && done % 4 == 3)
			used = task_cpu_ns() - began;
	}
	for (size_t left = done; left < t->nfollowed; left++)
		t->skipped += t->list[(t->turn + left - done) % t->nfollowed]->n;
	if (!all)
		t->credit_ns -= (int64_t)(task_cpu_ns() - began);
}
