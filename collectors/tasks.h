/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_COLLECTORS_TASKS_H
#define SIXTY_COLLECTORS_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/text.h"
#include "collectors/collector.h"
#include "model/cause.h"

/* The insides of the task collector, shared by tasks*.c only.
 *
 *   every process ── sweep: a BPF iterator, else one pread of stat and one stat() of fd ──▶ PROCESS rows
 *        │ ran, faulted, blocked, stopped, waits for a lock
 *        ▼
 *   followed (some hundreds) ── io, status, limits, threads: stat, schedstat, status ──▶ THREAD rows
 *        │ every 100 ms
 *        ▼
 *   samples of state and wait channel ──▶ THREAD_* wait times, PROC_LOCK_* */

#define STAT_COLUMNS   52     /* of /proc/PID/stat in 6.x; later ones are not ours */
#define TABLE_COLUMNS  59     /* and behind them what status has, when eBPF has read it */
#define TASK_TEXT      16384u /* more than any file of one task that is parsed here */
#define FOLLOWED_MAX   320u   /* processes whose threads are looked at */
#define THREADS_MAX    1536u  /* threads in all that are followed */
#define THREADS_OF_ONE 384u   /* of one process: the rest is counted as unseen */
#define LOCK_WORDS     12u    /* of one process, remembered at a time */

struct task_stat {
	struct text comm; /* raw: blanks, brackets, control bytes as they are */
	unsigned n;       /* columns that are there; f[1] is the pid */
	unsigned tick; /* of the times in f[14..17] and f[42]: 1 for ticks, else nanoseconds in one */
	uint64_t f[TABLE_COLUMNS +
		   1]; /* f[3] letter, f[9] 1 for a kernel thread, negative ones as int64_t */
};

/* Columns of a struct task_stat that no stat file has. */
enum {
	COLUMN_UID = STAT_COLUMNS + 1,
	COLUMN_ANON,
	COLUMN_FILE,
	COLUMN_SHMEM,
	COLUMN_SWAP,
	COLUMN_VCSW,
	COLUMN_NVCSW,
};

struct task_sched {
	uint64_t run_ns, wait_ns, slices;
};

/* What is taken from status; a bit in `has` per field that was there. */
enum status_field {
	STATUS_TGID,
	STATUS_PPID,
	STATUS_UID,
	STATUS_ANON,
	STATUS_FILE,
	STATUS_SHMEM,
	STATUS_SWAP,
	STATUS_VCSW,
	STATUS_NVCSW,
	STATUS_FIELDS
};

struct task_status {
	struct text name, cpus;
	unsigned has;
	uint64_t f[STATUS_FIELDS];
};

struct task_limits {
	bool has_files, has_tasks;
	uint64_t files, tasks; /* soft limits, VALUE_UNLIMITED when there is none */
};

/* tasks_parse.c: text to numbers; false when the text is not what it should be. */
bool task_parse_stat(struct text in, struct task_stat *out);
bool task_parse_sched(struct text in, struct task_sched *out);
void task_parse_status(struct text in, struct task_status *out);
void task_parse_limits(struct text in, struct task_limits *out);
/* The line of /proc/TID/syscall: a wait for a user-space lock, by operation and expected value? */
enum lock_wait { LOCK_UNKNOWN, LOCK_NO, LOCK_LIKELY, LOCK_YES };
enum lock_wait task_parse_lock_wait(struct text in, uint64_t *word);

/* Names that come again and again (control groups, wait channels), kept once. Id 0 is "". */
struct names {
	struct buf text;
	uint32_t *slots;
	size_t nslots, n;
};

uint32_t names_id(struct names *ns, struct text t); /* 0 when the table is full */
const char *names_text(const struct names *ns, uint32_t id);
void names_done(struct names *ns);

/* The name that was seen most, kept in three slots: what is seen half of the time cannot be missed. */
struct votes {
	uint32_t id[3], n[3];
};

void votes_add(struct votes *v, uint32_t id, uint32_t weight);
uint32_t votes_winner(const struct votes *v);

struct thread {
	int tid;
	uint64_t start;
	int fd_sched, fd_wchan, fd_stat, fd_syscall; /* -1: not kept open */
	bool sampled, gone, born, takes_part, accepts;
	bool in_lock; /* at the last sample, in a lock that others want too */
	uint8_t lock; /* enum lock_wait */
	uint8_t wait; /* enum wait of the last sample */
	uint64_t last_ns;
	uint64_t wait_ns[WAIT_MAX];
	uint64_t samples, slices;
	uint64_t lock_word, pending_ns; /* time in a lock that nobody else was seen to want yet */
	uint64_t stuck_since;           /* 0: not in a lock, or it ran since */
	uint64_t vcsw, nvcsw, status_slices;
	uint32_t cpus, wchan_now;
	bool has_status;
	struct votes wchan;
};

struct lock_word {
	uint64_t word, seen_ns;
	int tid;
	bool shared; /* two threads have waited for it */
};

struct followed {
	int pid;
	uint64_t start;
	int fd_io;     /* -1: not kept open */
	uint32_t cpus; /* allowed ones, of its first thread */
	bool kthread;
	struct thread *threads; /* by tid */
	size_t n, cap;
	uint64_t unseen; /* threads beyond the bound */
	uint64_t vcsw, nvcsw;
	bool has_switches;
	uint64_t last_ns, sampled_ns;
	unsigned idle;        /* sweeps in which it did nothing */
	unsigned pause, wait; /* ticks between samples; ticks until the next */
	struct lock_word words[LOCK_WORDS];
	uint64_t lock_queue_ns, lock_wait_ns, lock_running_ns, lock_asleep_ns, lock_turns;
	int outside; /* thread that was outside the lock at the last sample */
	struct votes holder_wchan;
};

struct proc {
	int32_t pid, ppid;
	uint64_t start;
	int fd; /* of stat; -1: not kept open */
	char state;
	bool kthread, old, limits_read, has_fds, has_owner;
	bool from_table, fds_from_table; /* eBPF has read it last; and counted its open files */
	bool fds_fresh;                  /* by the last look at the table */
	uint8_t cgroup_reads;
	uint64_t cpu0, faults0; /* when it was first seen */
	uint64_t cpu, faults;
	uint64_t shown_utime, shown_stime; /* ns: the next look at the table shows no less */
	size_t row;                        /* of the last sweep's snapshot */
	uint32_t threads, fds, cgroup, children, zombies, owner, inotify;
	uint64_t fd_limit, task_limit;
	struct followed *followed;
	struct told *told; /* by the iterator; NULL: nothing, or nobody will ask again */
};

/* Births caught in their first 100 ms, by parent. */
struct brood {
	int32_t parent;
	uint64_t n;
	struct votes names;
};

/* Who holds file locks that others wait for. */
struct flock_wait {
	int32_t waiter, holder;
};
struct flock_hold {
	int32_t holder;
	uint64_t ns;
};

/* ---- the process table through eBPF: tasks_table.c ---- */

/* What decides how processes are read. */
struct table_facts {
	bool live;     /* not a tree of files */
	bool attached; /* the iterator */
	bool own_proc; /* /proc shows our own PID namespace, which is what the iterator shows */
	bool endless; /* a watch without an end: loading the iterator pays with few processes as well */
	size_t processes;
	unsigned files;      /* that may be kept open */
	const char *why_not; /* attached */
};

enum table_way { TABLE_FILES, TABLE_KEPT, TABLE_ITERATOR };

/* How many threads there were, to see whether some are missing. */
struct table_count {
	bool whole;                      /* we see the whole machine: else its count is not ours */
	uint64_t before, after;          /* threads of the machine around the sweep */
	int32_t last_before, last_after; /* number that was given last */
	uint64_t shown;                  /* threads of the processes that were read */
};

struct tasks;
struct task_table {
	enum table_way way;
	/* hands out every record by number, of struct wire_row or wire_idle; tests have their own. 0 or -errno */
	int (*read)(struct tasks *t, void (*each)(void *ctx, const void *row), void *ctx,
		    struct err *e);
	bool whole;
	int64_t gap;       /* threads that neither the iterator nor /proc shows */
	int64_t shift_ns;  /* what /proc adds to start times: a time namespace */
	uint64_t began_ns; /* the last sweep, by the kernel's clock */
	int32_t *hidden;   /* processes that are in /proc only, by number */
	size_t nhidden, hidden_cap;
};

#define BROODS 64u
#define FLOCKS 128u

struct tasks {
	const struct collector_env *env;
	char *text;            /* TASK_TEXT bytes: the file that was read last */
	unsigned fds, fds_max; /* files kept open */
	struct proc *procs;    /* by pid */
	size_t nprocs, procs_cap;
	int32_t *pids;
	size_t npids, pids_cap;
	struct followed *list[FOLLOWED_MAX];
	size_t nfollowed, nthreads;
	size_t turn; /* whose sample is next */
	size_t probe_at, blocked_at;
	struct names names;
	uint64_t first_ns, sweep_ns, sweep_cost_ns, sampled_ns;
	int64_t credit_ns; /* CPU time that sampling may still use */
	bool threads_due;  /* this reading is about threads, too */
	unsigned sweeps, probes;
	uint64_t samples, skipped, unseen;
	uint64_t wchan_zero, wchan_seen, syscall_denied, syscall_seen;
	int fds_by_stat; /* 1: st_size of the fd directory counts (6.2), 0: it does not, -1: not known yet */
	int fd_loadavg;
	size_t looked_at, to_look_at; /* processes whose open files were looked at, of how many */
	int32_t last_pid;
	struct brood broods[BROODS];
	size_t nbroods;
	struct flock_wait flock_waits[FLOCKS];
	struct flock_hold flock_holds[FLOCKS];
	size_t nflock_waits, nflock_holds;
	bool flock_wanted;
	uint64_t flock_ns, flock_turns;
	uint64_t flock_cost_ns; /* of the last look at /proc/locks */
	struct buf locks;
	struct child locks_child;
	bool locks_child_open, locks_given_up;
	struct stat_column {
		enum metric_id id;
		unsigned col, source, column; /* of the file; of the snapshot's table */
	} proc_columns[32], thread_columns[32], table_columns[32];
	unsigned nproc_columns, nthread_columns, ntable_columns;
	struct task_table table;
};

/* tasks.c: reading one file of a task. The bytes stand in t->text until the next call. Length or -errno.
 * keep may be NULL; *keep >= 0 is an open file, -1 none; it is left open when the bound allows. */
ssize_t task_read(struct tasks *t, int *keep, const char *path);
void task_close(struct tasks *t, int *keep);
struct text task_text(const struct tasks *t, ssize_t n);
uint64_t task_cpu_ns(void); /* CPU time of this thread */
struct proc *task_proc(struct tasks *t, int32_t pid);
int proc_by_pid(const void *x, const void *y); /* for qsort() */

bool task_loadavg(struct tasks *t, uint64_t *threads, int32_t *last_pid); /* of /proc/loadavg */

/* tasks_table.c */
struct wire_row;
enum table_way table_choose(const struct table_facts *f, char *why, size_t size);
bool table_must_list(const struct table_count *c, int64_t gap); /* gap: that is known already */
int64_t table_gap(const struct table_count *c);        /* the smallest that explains the numbers */
char table_state(uint32_t state, uint32_t exit_state); /* letter, as /proc has it */
/* User and system time as /proc shows them, ns: ticks scaled to what the scheduler has measured. Not less than *utime and
 * *stime were, nor than what the kernel has shown to anybody. */
void table_times(const struct wire_row *w, uint64_t *utime, uint64_t *stime);
void table_stat(const struct wire_row *w, const struct host *h, int64_t shift_ns,
		struct task_stat *out); /* all but f[14] and f[15] */
/* Processes that began at this time (kernel's clock) or later have to be told in full. */
uint64_t table_since(const struct tasks *t);
void table_open(struct tasks *t);
void table_put(const struct tasks *t, struct snapshot *out);
/* Read all through the iterator, each by number: -errno when it fails, and what came was handed out. */
int table_sweep(struct tasks *t, void (*each)(void *ctx, const void *row), void *ctx);

/* tasks_sweep.c */
int tasks_sweep(struct tasks *t, struct snapshot *out);
void tasks_forget(struct tasks *t, struct proc *p); /* all that is known of it */
void tasks_sweep_put(struct tasks *t, struct snapshot *out);

/* tasks_follow.c */
void tasks_follow(struct tasks *t, uint64_t now); /* choose who is followed */
struct followed *tasks_follow_one(struct tasks *t, struct proc *p, uint64_t now);
void tasks_unfollow(struct tasks *t, struct followed *f);
void tasks_follow_threads(struct tasks *t, struct followed *f, uint64_t now);
void tasks_follow_put(struct tasks *t, struct snapshot *out, uint64_t now);

/* tasks_sample.c */
void tasks_sample(struct tasks *t, uint64_t now, bool all);
/* tasks_lock.c */
enum lock_wait lock_wait_of(struct tasks *t, struct followed *f,
			    struct thread *th); /* th sleeps on a futex */
void lock_account(struct followed *f, uint64_t now, uint64_t dt);
void lock_put(struct tasks *t, const struct followed *f, struct snapshot *out, size_t row,
	      uint64_t now);
void lock_probe(struct tasks *t, uint64_t now);
void flock_tick(struct tasks *t, uint64_t now);
void flock_put(struct tasks *t, struct snapshot *out);
/* tasks_files.c */
void files_look(struct tasks *t);
void files_put(struct tasks *t, struct snapshot *out);
/* tasks_birth.c */
void birth_tick(struct tasks *t);
void birth_put(struct tasks *t, struct snapshot *out);

/* tasks_blocked.c: follow processes of which a thread other than the first sits in D. */
void blocked_probe(struct tasks *t, uint64_t now);

#endif
