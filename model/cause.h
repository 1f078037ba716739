/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_CAUSE_H
#define SIXTY_MODEL_CAUSE_H

#include <stdbool.h>

/* The one list of what a thread's time can be (JSON, screens, docs have the same). */
enum cause {
	CAUSE_USER,
	CAUSE_SYSTEM,
	CAUSE_STOLEN,
	CAUSE_RUNNABLE,
	CAUSE_THROTTLED,
	CAUSE_DISK,
	CAUSE_WRITEBACK,
	CAUSE_RECLAIM,
	CAUSE_FAULT,
	CAUSE_LOCK,
	CAUSE_STOPPED,
	CAUSE_OTHER,
	CAUSE_REPLY,
	CAUSE_WORK,
	CAUSE_RESIDUAL,
	CAUSE_MAX
};

/* What a state sample (state letter of /proc/PID/stat, wait channel) says. Sleeps that only eBPF or demand can tell
 * apart are kept by mechanism: none of them is lost time by itself. */
enum wait {
	WAIT_RUN,       /* R: running or runnable, the scheduler's counters tell which */
	WAIT_DISK,      /* D in block I/O, page lock, journal, fsync */
	WAIT_WRITEBACK, /* D in balance_dirty_pages */
	WAIT_RECLAIM,   /* D in reclaim, memcg limits, compaction */
	WAIT_FAULT,     /* D in a page fault waiting for data */
	WAIT_KLOCK,     /* D on a kernel mutex, rwsem, mmap_lock, inode lock */
	WAIT_FROZEN,    /* D in the freezer, T, t */
	WAIT_FS,        /* D in fuse, nfs, other remote file systems */
	WAIT_D_OTHER,   /* D, none of the above */
	WAIT_MUTEX,     /* S on a futex that is a lock by operation and value, and changes hands */
	WAIT_FUTEX,     /* S on any other futex: mostly a queue without work */
	WAIT_FLOCK,     /* S on a file lock */
	WAIT_SOCKET,    /* S reading, writing, accepting, connecting on a socket */
	WAIT_PIPE,
	WAIT_POLL,  /* epoll, poll, select */
	WAIT_TIMER, /* nanosleep, timerfd */
	WAIT_CHILD, /* wait4 */
	WAIT_SLEEP, /* S, anything else */
	WAIT_ZOMBIE,
	WAIT_MAX
};

/* state: letter; wchan: symbol, "" or "0" when unreadable. kernel_thread: PF_KTHREAD; idle kthreads are never blocked. */
enum wait wait_of(char state, const char *wchan, bool kernel_thread);
enum cause wait_cause(enum wait w);
bool cause_is_lost(enum cause c);
const char *cause_name(enum cause c); /* "running_user", "disk", … : the JSON names */
const char *wait_name(enum wait w);

#endif
