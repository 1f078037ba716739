/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for a lock, from what the kernel says about sleepers.
 *
 * A futex sleep is a lock's by its operation and expected value (see task_parse_lock_wait). That alone is not enough:
 * programs park idle threads on mutexes and semaphores of their own. A word counts as a lock in demand once two
 * threads have waited for it; until then the time is pending, and becomes an ordinary futex sleep if nobody comes. */
#include "collectors/tasks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/root.h"

#define PROBE_THREADS 512 /* in all, per probe */
#define PROBE_OF_ONE  16u
#define STUCK_NS      2000000000u /* long for a lock */
#define LOCKS_BYTES   (1u << 20)  /* of /proc/locks */
/* Before the kernel prints it, it waits until every CPU has seen that somebody does (RCU), and file locks are slower until
 * it is done: 25 ms were seen on two CPUs, and minutes behind a storm of context switches that starves RCU. Of the window it
 * may take one part in so many, and a child reads it, which is left behind when it does not come back. */
#define LOCKS_SHARE       20
#define ENDLESS_SHARE     100         /* … where there is no end */
#define QUIET_NS          1900000000u /* nobody waits: a little less than 20 ticks */
#define ENDLESS_QUIET_NS  4900000000u
#define LOCKS_DEADLINE_MS 150

/* ---- user-space locks ---- */

static enum lock_wait ask(struct tasks *t, int pid, int tid, int *keep, uint64_t *word)
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/%d/task/%d/syscall", pid, tid);
	n = task_read(t, keep, path);
	if (n == -EPERM || n == -EACCES)
		t->syscall_denied++;
	if (n <= 0)
		return LOCK_NO;
	t->syscall_seen++;
	return task_parse_lock_wait(task_text(t, n), word);
}

enum lock_wait lock_wait_of(struct tasks *t, struct followed *f, struct thread *th)
{
	uint64_t word = 0;
	enum lock_wait w = ask(t, f->pid, th->tid, &th->fd_syscall, &word);

	if (w == LOCK_NO)
		return w;
	if (word != th->lock_word) {
		th->wait_ns[WAIT_FUTEX] += th->pending_ns; /* nobody else wanted that one */
		th->pending_ns = 0;
	}
	th->lock_word = word;
	return w;
}

/* The process's entry for a word: found, or in place of the one that was not seen for longest. */
static struct lock_word *word_of(struct followed *f, uint64_t word, int tid)
{
	struct lock_word *oldest = &f->words[0];

	for (unsigned i = 0; i < LOCK_WORDS; i++) {
		if (f->words[i].word == word)
			return &f->words[i];
		if (f->words[i].seen_ns < oldest->seen_ns)
			oldest = &f->words[i];
	}
	*oldest = (struct lock_word){ .word = word, .tid = tid };
	return oldest;
}

static bool on_shared_word(struct followed *f, const struct thread *th)
{
	return th->lock > LOCK_NO && word_of(f, th->lock_word, th->tid)->shared;
}

/* Who is in a lock that others want, too? Returns how many. */
static uint64_t see_words(struct followed *f, uint64_t now)
{
	uint64_t waiters = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct thread *th = &f->threads[i];
		struct lock_word *w;

		if (th->lock <= LOCK_NO)
			continue;
		w = word_of(f, th->lock_word, th->tid);
		w->seen_ns = now;
		w->shared |= w->tid != th->tid;
	}
	for (size_t i = 0; i < f->n; i++) {
		struct thread *th = &f->threads[i];

		th->in_lock = on_shared_word(f, th);
		th->takes_part |= th->in_lock;
		waiters += th->in_lock;
	}
	return waiters;
}

/* ---- who has it ----
 *
 * Of those that take part and are outside, somebody on a CPU is the holder more likely than somebody asleep. Except for
 * leader and followers: one waits for a connection or a packet with the lock held, the others wait for its place. Then
 * nobody loses anything. There is exactly one leader; workers that poll each for himself are seldom exactly one. */
struct outside {
	const struct thread *runs, *sleeps;
	unsigned leaders, others_await;
};

static bool awaits_work(const struct thread *th)
{
	return th->wait == WAIT_POLL || th->accepts;
}

static struct outside look_outside(const struct followed *f)
{
	struct outside o = { 0 };

	for (size_t i = 0; i < f->n; i++) {
		const struct thread *th = &f->threads[i];

		if (th->in_lock)
			continue;
		if (awaits_work(th))
			th->takes_part ? o.leaders++ : o.others_await++;
		else if (!th->takes_part || th->wait == WAIT_FUTEX || th->wait == WAIT_CHILD ||
			 th->wait == WAIT_ZOMBIE)
			continue; /* in a queue: the lock was given back */
		else if (th->wait == WAIT_RUN)
			o.runs = th;
		else
			o.sleeps = th;
	}
	return o;
}

static void account_holder(struct followed *f, const struct thread *holder, uint64_t dt)
{
	f->lock_turns += f->outside && f->outside != holder->tid;
	f->outside = holder->tid;
	if (holder->wait == WAIT_RUN) {
		f->lock_running_ns += dt;
		return;
	}
	f->lock_asleep_ns += dt;
	votes_add(&f->holder_wchan, holder->wchan_now, 1);
}

/* What the time since the last sample was spent on. WAIT_MAX: not known yet, a lock that nobody else was seen to want. */
static void credit(struct thread *th, enum wait w, uint64_t now)
{
	uint64_t dt = now - th->last_ns;

	th->last_ns = now;
	if (w == WAIT_MAX) {
		th->pending_ns += dt;
		return;
	}
	th->wait_ns[w] += dt;
	th->wait_ns[w == WAIT_MUTEX ? WAIT_MUTEX : WAIT_FUTEX] += th->pending_ns;
	th->pending_ns = 0;
}

/* All threads were looked at just now: who waits, and what does the one do that they wait for? */
void lock_account(struct followed *f, uint64_t now, uint64_t dt)
{
	uint64_t waiters = see_words(f, now);
	struct outside o = look_outside(f);
	bool led = o.leaders == 1 || (!o.leaders && !o.runs && !o.sleeps && o.others_await);

	for (size_t i = 0; i < f->n; i++) {
		struct thread *th = &f->threads[i];

		credit(th,
		       th->in_lock          ? led ? WAIT_FUTEX : WAIT_MUTEX
		       : th->lock > LOCK_NO ? WAIT_MAX
					    : (enum wait)th->wait,
		       now);
	}
	if (!waiters || led)
		return;
	f->lock_queue_ns += dt;
	f->lock_wait_ns += dt * waiters;
	if (o.runs || o.sleeps)
		account_holder(f, o.runs ? o.runs : o.sleeps, dt);
}

/* Waits that have not moved since they were first seen, on words that at least two of them want. */
static void put_stuck(const struct followed *f, struct snapshot *out, size_t row, uint64_t now)
{
	uint64_t words[LOCK_WORDS], waiters[LOCK_WORDS], stuck = 0, shared = 0, age = UINT64_MAX;
	unsigned n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct thread *th = &f->threads[i];
		unsigned w = 0;

		if (th->lock != LOCK_YES || !th->stuck_since || now - th->stuck_since < STUCK_NS)
			continue;
		while (w < n && words[w] != th->lock_word)
			w++;
		if (w == LOCK_WORDS)
			continue;
		if (w == n) {
			words[n] = th->lock_word;
			waiters[n++] = 0;
		}
		waiters[w]++;
		stuck++;
		if (now - th->stuck_since < age)
			age = now - th->stuck_since;
	}
	for (unsigned w = 0; w < n; w++)
		shared += waiters[w] > 1;
	if (!shared)
		return;
	snapshot_set(out, M_PROC_LOCK_STUCK, row, stuck,
		     metric_source(M_PROC_LOCK_STUCK, F_PID_SAMPLES));
	snapshot_set(out, M_PROC_LOCK_STUCK_WORDS, row, n,
		     metric_source(M_PROC_LOCK_STUCK_WORDS, F_PID_SAMPLES));
	snapshot_set(out, M_PROC_LOCK_STUCK_AGE, row, age,
		     metric_source(M_PROC_LOCK_STUCK_AGE, F_PID_SAMPLES));
}

void lock_put(struct tasks *t, const struct followed *f, struct snapshot *out, size_t row,
	      uint64_t now)
{
	const struct {
		enum metric_id id;
		uint64_t v;
	} cells[] = {
		{ M_PROC_SAMPLED, f->sampled_ns },
		{ M_PROC_LOCK_QUEUE, f->lock_queue_ns },
		{ M_PROC_LOCK_WAIT, f->lock_wait_ns },
		{ M_PROC_LOCK_RUNNING, f->lock_running_ns },
		{ M_PROC_LOCK_ASLEEP, f->lock_asleep_ns },
		{ M_PROC_LOCK_TURNS, f->lock_turns },
	};
	const char *wchan = names_text(&t->names, votes_winner(&f->holder_wchan));

	for (size_t i = 0; i < sizeof(cells) / sizeof(*cells); i++)
		snapshot_set(out, cells[i].id, row, cells[i].v,
			     metric_source(cells[i].id, F_PID_SAMPLES));
	if (*wchan)
		snapshot_set_text(out, M_PROC_LOCK_WCHAN, row, wchan, strlen(wchan),
				  metric_source(M_PROC_LOCK_WCHAN, F_PID_SAMPLES));
	put_stuck(f, out, row, now);
}

/* ---- processes that do not even run ---- */

struct probe {
	int32_t tids[PROBE_OF_ONE];
	size_t n, seen, stride;
};

static int add_probe(void *ctx, const char *name)
{
	struct probe *p = ctx;
	uint64_t tid;

	if (p->seen++ % p->stride || p->n == PROBE_OF_ONE || !text_is_u64(text_of(name), &tid) ||
	    tid > INT32_MAX)
		return 0;
	p->tids[p->n++] = (int32_t)tid;
	return 0;
}

static size_t probe_process(struct tasks *t, struct proc *p, uint64_t now)
{
	struct probe pr = { .stride = p->threads / PROBE_OF_ONE + 1 };
	unsigned waiting = 0;
	char path[40];
	uint64_t word;

	snprintf(path, sizeof(path), "proc/%d/task", p->pid);
	root_list(t->env->root, path, add_probe, &pr);
	for (size_t i = 0; i < pr.n && waiting < 2; i++)
		waiting += ask(t, p->pid, pr.tids[i], NULL, &word) != LOCK_NO;
	if (waiting >= 2)
		tasks_follow_one(t, p, now);
	return pr.n;
}

/* A deadlock uses no CPU, and neither does a convoy behind somebody who sleeps: ask a part of the threads of everybody
 * who has several and does nothing. The second probe begins where the first had to stop. */
void lock_probe(struct tasks *t, uint64_t now)
{
	size_t threads = 0, i = 0;

	t->probes++;
	for (; i < t->nprocs && threads < PROBE_THREADS; i++) {
		struct proc *p = &t->procs[(t->probe_at + i) % t->nprocs];

		if (p->kthread || p->followed || p->threads < 2 || p->state != 'S')
			continue;
		threads += probe_process(t, p, now);
	}
	t->probe_at += i;
}

/* ---- file locks ----
 *
 *   1: FLOCK  ADVISORY  WRITE 1234 fe:00:131 0 EOF         holds
 *   1: -> FLOCK  ADVISORY  WRITE 1235 fe:00:131 0 EOF      waits for it */

static void flock_pair(struct tasks *t, int32_t waiter, int32_t holder)
{
	size_t h = 0;

	if (t->nflock_waits < FLOCKS)
		t->flock_waits[t->nflock_waits++] = (struct flock_wait){ waiter, holder };
	while (h < t->nflock_holds && t->flock_holds[h].holder != holder)
		h++;
	if (h == t->nflock_holds && h < FLOCKS)
		t->flock_holds[t->nflock_holds++] = (struct flock_hold){ .holder = holder };
}

static void flock_lines(struct tasks *t, struct text in)
{
	struct text line, word;
	int32_t holder = 0;

	t->nflock_waits = 0;
	while (text_line(&in, &line)) {
		bool waits = false;
		int64_t pid;

		if (!text_word(&line, &word) || !text_word(&line, &word))
			continue;
		while (text_eq(word, "->") && text_word(&line, &word))
			waits = true;
		if (!text_word(&line, &word) || !text_word(&line, &word) ||
		    !text_s64(&line, &pid) || pid > INT32_MAX)
			continue;
		if (!waits)
			holder = (int32_t)
				pid; /* -1: an open file description's, 0: in another PID namespace */
		else if (pid > 0)
			flock_pair(t, (int32_t)pid, holder);
	}
}

/* How many of those who waited before wait no longer. */
static uint64_t flock_served(const struct tasks *t, const struct flock_wait *before, size_t n)
{
	uint64_t served = n;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < t->nflock_waits; k++)
			if (t->flock_waits[k].waiter == before[i].waiter) {
				served--;
				break;
			}
	return served;
}

static void flock_charge(struct tasks *t, uint64_t dt)
{
	for (size_t i = 0; i < t->nflock_waits; i++)
		for (size_t h = 0; h < t->nflock_holds; h++)
			if (t->flock_holds[h].holder == t->flock_waits[i].holder)
				t->flock_holds[h].ns += dt;
}

/* In the child. */
static int read_locks(void *ctx, const void *request, size_t n, struct buf *answer, int *fd)
{
	struct root root;
	int err = root_open(&root, "/", NULL);

	(void)ctx;
	(void)request;
	(void)n;
	(void)fd;
	if (err)
		return err;
	err = root_read(&root, "proc/locks", answer, LOCKS_BYTES);
	root_close(&root);
	return err;
}

static int ask_locks(struct tasks *t)
{
	struct err e = { 0 };
	int err;

	if (t->locks_given_up)
		return -ETIMEDOUT;
	if (!t->locks_child_open) {
		err = child_open(&t->locks_child, "sixty-locks", read_locks, NULL, &e);
		t->locks_child_open = !err;
		if (err)
			return err;
	}
	err = child_ask(&t->locks_child, "?", 1, LOCKS_DEADLINE_MS, &t->locks, NULL, &e);
	if (err == -ETIMEDOUT) {
		t->locks_given_up = true;
		collector_status(t->env, "proc/locks", err,
				 "the kernel did not list file locks within %d ms: not asked again",
				 LOCKS_DEADLINE_MS);
	}
	return err;
}

/* Each tick while somebody waits, else every other second. Each look stands for the time since the one before. */
void flock_tick(struct tasks *t, uint64_t now)
{
	struct flock_wait before[FLOCKS];
	size_t nbefore = t->nflock_waits;
	bool waited = nbefore > 0;
	uint64_t dt = t->flock_ns ? now - t->flock_ns : 0;
	uint64_t began = clock_boot_ns();
	int err;

	if (dt && (dt < t->flock_cost_ns * (t->env->live ? ENDLESS_SHARE : LOCKS_SHARE) ||
		   (!waited && dt < (t->env->live ? ENDLESS_QUIET_NS : QUIET_NS))))
		return;
	err = t->env->root->live ? ask_locks(t)
				 : root_read(t->env->root, "proc/locks", &t->locks, LOCKS_BYTES);
	t->flock_cost_ns = clock_boot_ns() - began;
	if (err)
		return;
	memcpy(before, t->flock_waits, nbefore * sizeof(*before));
	flock_lines(t, text_n(t->locks.data, t->locks.len));
	t->flock_turns += flock_served(t, before, nbefore);
	t->flock_ns = now;
	if (dt < 300000000u || waited)
		flock_charge(t, dt);
	for (size_t i = 0; i < t->nflock_waits; i++) {
		struct proc *p = task_proc(t, t->flock_waits[i].waiter);

		if (p)
			tasks_follow_one(t, p, now);
	}
}

void flock_put(struct tasks *t, struct snapshot *out)
{
	for (size_t i = 0; i < t->nflock_waits; i++) {
		const struct proc *p = task_proc(t, t->flock_waits[i].waiter);
		size_t row = p ? snapshot_find(out, SCOPE_PROCESS,
					       (struct row_id){ (uint64_t)p->pid, p->start })
			       : SIZE_MAX;

		if (row != SIZE_MAX && t->flock_waits[i].holder > 0)
			snapshot_set(out, M_PROC_FLOCK_HOLDER, row,
				     (uint64_t)t->flock_waits[i].holder,
				     metric_source(M_PROC_FLOCK_HOLDER, F_LOCKS));
	}
	for (size_t i = 0; i < t->nflock_holds; i++) {
		const struct proc *p = task_proc(t, t->flock_holds[i].holder);
		size_t row = p ? snapshot_find(out, SCOPE_PROCESS,
					       (struct row_id){ (uint64_t)p->pid, p->start })
			       : SIZE_MAX;

		if (row != SIZE_MAX)
			snapshot_set(out, M_PROC_FLOCK_INFLICTED, row, t->flock_holds[i].ns,
				     metric_source(M_PROC_FLOCK_INFLICTED, F_LOCKS));
	}
}
