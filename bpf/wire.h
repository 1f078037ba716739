/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that crosses the border between kernel and user space, and nothing else. Both sides include this file.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC; start times nanoseconds of CLOCK_BOOTTIME, as the kernel keeps them. */
#ifndef SIXTY_BPF_WIRE_H
#define SIXTY_BPF_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define WIRE_COMM 16

/* What a thread's time can be: measured at context switches, told apart where it stops (bpf/ladder.bpf.h). The parts of a
 * thread add up to its wall time. Sleeps are kept by mechanism: which of them are lost is judged in user space. */
enum wire_part {
	PART_RUN,       /* on a CPU, interrupts not included */
	PART_STOLEN,    /* on a CPU, but interrupts ran instead */
	PART_RUNNABLE,  /* waiting for a CPU */
	PART_THROTTLED, /* waiting for its group's CPU quota */
	PART_DISK,      /* block I/O */
	PART_WRITEBACK, /* paused in balance_dirty_pages */
	PART_RECLAIM,   /* memory: reclaim, refaults, swap (task_struct::in_memstall) */
	PART_FAULT,     /* blocked in a page fault */
	PART_KLOCK,     /* mutex, rwsem and the like in the kernel */
	PART_FROZEN,    /* stopped, traced, frozen */
	PART_FS,        /* a file system server: never set by programs, told by kernel stack */
	PART_UNINTERRUPTIBLE, /* D for none of these reasons; wire_task::deep tells by kernel stack */
	PART_MUTEX,           /* futex that is a lock by operation and value */
	PART_FUTEX,           /* any other futex: mostly a queue without work */
	PART_FLOCK,           /* file lock */
	PART_SOCKET,
	PART_PIPE,
	PART_POLL,
	PART_TIMER,
	PART_CHILD,    /* wait4 and the like */
	PART_SLEEP,    /* interruptible, anything else */
	PART_REPLY,    /* for the answer to what this thread sent last */
	PART_RESIDUAL, /* what is left */
	PART_MAX
};

#define PART_SLOTS 32 /* of an array of parts: a power of two, so that an index can be masked */

/* What kept those from going on who had a lock that others waited for (bpf/wake.bpf.h). */
enum wire_root {
	ROOT_UNKNOWN, /* or nobody asked: see wake_chain */
	ROOT_CPU,     /* they ran */
	ROOT_RUNNABLE,
	ROOT_THROTTLED,
	ROOT_DISK,
	ROOT_MEMORY,
	ROOT_SLEEP, /* by their own choice: a timer, a queue, a pipe */
	ROOT_REPLY,
	ROOT_MAX /* a power of two */
};

/* Why a thread waited for a CPU (bpf/queue.bpf.h). Each wait has one reason; short ones, and those that have not ended, have none:
 * they are what is left of PART_RUNNABLE. */
enum wire_queued {
	QUEUED_BEHIND,   /* other threads ran, and there was no better place */
	QUEUED_CONFINED, /* another CPU was idle, which it may not use */
	QUEUED_PASSED,   /* another CPU was idle, which it may use */
	QUEUED_WOKEN,    /* its own CPU was idle, and had to wake up */
	QUEUED_DROWSY,   /* the same, and it took long */
	QUEUED_REALTIME, /* real-time threads ran */
	QUEUED_IRQ,      /* interrupts ran */
	QUEUED_STEAL,    /* the hypervisor had taken the CPU */
	QUEUED_MAX       /* a power of two */
};

/* What the syscall of a sleeper says; user space fills sched_syscalls[] with these by number (they differ by architecture). */
enum wire_call {
	CALL_OTHER = 0,
	CALL_READ,    /* the file in the first argument decides */
	CALL_RECEIVE, /* accept, connect, recv …: the same */
	CALL_WRITE,   /* the same */
	CALL_POLL, /* poll: of one file, it is as if it were read; the last that a file decides */
	CALL_FUTEX,
	CALL_FLOCK,
	CALL_SEND,
	CALL_SELECT, /* select, epoll …: of which files is not looked at */
	CALL_TIMER,
	CALL_CHILD,
	CALL_OPEN,   /* a sleeper in it waits for nothing special; the path is its first argument */
	CALL_OPENAT, /* the same, second argument */
	CALL_MAX
};

#define WIRE_SYSCALLS 512 /* numbers at and above are CALL_OTHER */

/* Every program has a row in each of these counters, per CPU. */
enum wire_program {
	PROG_SWITCH,
	PROG_NEWTASK,
	PROG_DIRTY,
	PROG_CONTENTION,
	PROG_CONTENDED,
	PROG_IRQ,
	PROG_SOFTIRQ,
	PROG_SAMPLE,
	PROG_WAKE,
	PROG_SENT,
	PROG_RECEIVED,
	PROG_TRACE, /* and the others of enum wire_trace */
	PROG_HIST_DISK = PROG_TRACE + 16,
	PROG_HIST_OWNER, /* of requests */
	PROG_HIST_CALL,
	PROG_HIST_RECLAIM,
	PROG_HIST_SYNC,
	PROG_HIST_TIMER,
	PROG_HIST_WORK,
	PROG_HIST_CONN,
	PROG_HIST_RTT,
	PROG_HIST_TICK,
	PROG_PROFILE,
	PROG_PROFILE_FORK,
	PROG_PROFILE_EVENT,
	PROG_RED_RECEIVED,
	PROG_RED_SENT,
	PROG_RED_STATE,
	PROG_RED_READY,
	PROG_PROFILE_SWITCH,
	PROG_PROFILE_WAKING,
	PROG_MAX
};

enum wire_loss {
	LOSS_UNSEEN, /* switches of tasks that have no storage */
	LOSS_MISSED, /* switches that were not seen: told from the scheduler's own account as far as that goes */
	LOSS_CLOCK,      /* intervals that would have been negative */
	LOSS_NO_STORAGE, /* storage that the kernel refused */
	LOSS_DEAD_FULL,  /* dead threads that found sched_dead full: they are in its overflow row */
	LOSS_DEEP_FULL,  /* kernel stacks of D state that found no place */
	LOSS_SAMPLES_FULL, /* stack samples whose process or stack found no place */
	LOSS_PAIRS_FULL,   /* pairs of offender and victim that found no place */
	LOSS_HIST_KEYS, /* values whose key found no distribution of its own: they are in the rest */
	LOSS_HIST_UNTIMED, /* requests whose beginning nobody has noted */
	LOSS_HIST_STARTS,  /* beginnings that found no place: they have no value */
	LOSS_HIST_ERRORS,  /* errors that found no place */
	LOSS_PROFILE_RING, /* samples that found the ring full */
	LOSS_PROFILE_FORK, /* children that found no place among those that are sampled */
	LOSS_RED_SERVICES, /* connections whose service found no place: they are not followed */
	LOSS_RED_SOCKETS,  /* connections that found no place themselves */
	LOSS_RED_NAMES,    /* requests whose operation found no place: they count under no name */
	LOSS_WAIT_STACKS,  /* stacks of waits that found no place */
	LOSS_WAITS,        /* waits that found no place */
	LOSS_MAX
};

struct wire_counts {
	__u64 events[PROG_MAX];
	__u64 loss[LOSS_MAX];
	__u64 loss_ns[LOSS_MAX]; /* the time concerned, where there is one */
	__u64 lock_ns;           /* waits for locks that have ended */
};

/* ---- time of tasks ---- */

#define WIRE_DEEP   4  /* different kernel stacks of D state that are kept per thread */
#define WIRE_FRAMES 12 /* of one */

struct wire_deep {
	__u64 stack; /* key of sched_stacks; 0: free */
	__u64 ns;
};

struct wire_stack {
	__u64 ip[WIRE_FRAMES];
};

/* Network: since the account was opened. Block I/O: since the thread was born. */
struct wire_bytes {
	__u64 sent, received;
	__u64 io_read, io_written; /* written: dirtied, or written around the page cache */
};

/* One per thread from the task iterator. Cumulative since the thread was first seen (or born after that), the open
 * interval included. */
struct wire_task {
	__u32 pid, tgid, ppid, uid;
	__u64 start;       /* of the thread */
	__u64 group_start; /* of its process: identity is tgid + group_start */
	__u32 state;       /* task_struct::__state: a mask */
	__u32 flags;       /* PF_*; WIRE_KTHREAD is what user space needs */
	__u32 policy;
	__s32 nice;
	__u32 rt_priority;
	__u32 cpu;
	__u32 part;     /* enum wire_part of the open interval */
	__u32 nthreads; /* of the process */
	__u32 in_group; /* the control group that is asked for, or one below it */
	__u32 has_io;   /* the kernel accounts for io_read and io_written */
	__u64 open_ns;  /* length of the open interval */
	__u64 wait_ns;  /* waiting for a CPU that has not ended */
	__u64 seen_ns;  /* wall time that the parts add up to */
	__u64 slices;
	__u64 utime, stime, exec; /* utime and stime are sampled by ticks, exec is exact */
	__u64 run_delay;
	struct wire_bytes bytes;
	__u64 minflt, majflt, nvcsw, nivcsw;
	__u64 parts[PART_SLOTS];
	__u64 roots[ROOT_MAX]; /* of the waits for locks */
	__u64 queued[QUEUED_MAX];
	struct wire_deep deep[WIRE_DEEP];
	char comm[WIRE_COMM];
};

#define WIRE_KTHREAD 0x00200000u /* PF_KTHREAD */

/* ---- the process table ---- */

#define WIRE_CPUS     4096 /* whose parts of a page count are added up */
#define WIRE_NAME_MAX 64   /* of a kernel thread, as /proc cuts it */
#define WIRE_DESC     32   /* of what a worker does */

/* What a record could not hold, and /proc must be asked for. */
#define WIRE_CUT_THREADS 1u /* threads came and went, or were too many: the sums */
#define WIRE_CUT_PAGES   2u /* more CPUs than WIRE_CPUS, or counts of an unknown shape: the pages */

/* What they tell besides, since it lies in places of memory that nothing else there looks at. */
struct wire_ask {
	__u64 since; /* owner and open files, of processes that began at this time (start_boottime) or later */
	__u32 io;   /* 1: mount namespace, and what was read and written */
	__u32 turn; /* enum wire_turn */
};

/* Whoever looks again and again is told in full of those only that have been on a CPU since he was told of all. */
enum wire_turn {
	WIRE_TURN_NONE, /* everything, and it is not remembered */
	WIRE_TURN_ALL,
	WIRE_TURN_MOVED
};

/* Of a process that has not moved since it was told of. */
struct wire_idle {
	__u32 pid, size;
	__u64 start;
};

/* One per process, from the table iterator. Numbers of processes are those of our own PID namespace; 0: has none there. */
struct wire_row {
	__u32 pid, size; /* of the record: that of another struct says that it is one */
	__u32 ppid, pgrp, session;
	__u32 tty; /* as /proc/PID/stat has it */
	__u32 uid; /* effective */
	__u32 state,
		exit_state; /* task_struct's masks: of the first thread, as all that is not a sum */
	__u32 flags, policy;
	__s32 prio, static_prio;
	__u32 rt_priority, cpu;
	__u32 threads;
	__u32 blocked; /* of them, besides the first, in uninterruptible sleep */
	__u32 full;    /* uid and fds are told */
	__u32 fds, has_fds;
	__u32 cut;
	__u32 mnt_ns; /* inode number of its mount namespace, if asked for; 0: it has left it */
	__u64 start;
	__u64 utime, stime, exec; /* of all threads, also dead ones; utime and stime by ticks */
	__u64 shown_utime, shown_stime; /* what /proc has shown last */
	__u64 child_utime, child_stime;
	__u64 minflt, majflt, child_minflt, child_majflt;
	__u64 vcsw, nvcsw; /* switches, of all threads, also dead ones */
	__u64 blkio_ns;
	__u64 io; /* if asked for: the lines of /proc/PID/io, all added up */
	__u64 address_pages;
	__u64 pages[4]; /* of files, anonymous, swapped out, shared memory */
	char comm[WIRE_NAME_MAX];
};

/* Threads that died: of a process that was there before, under its own key; processes that were born while we look
 * are charged to the parent that made them, by name. */
struct wire_dead_key {
	__u64 start; /* of the process, or of the parent */
	__u32 tgid;
	__u32 kind; /* WIRE_SHORT: tgid and start are the parent's; WIRE_GROUP: of the control group that is asked for */
	char comm[WIRE_COMM];
};

#define WIRE_SHORT 1u
#define WIRE_GROUP 2u

struct wire_dead {
	__u64 threads; /* that died */
	__u64 processes;
	__u64 seen_ns, slices, utime, stime, exec;
	struct wire_bytes bytes;
	__u64 parts[PART_MAX];
	__u64 roots[ROOT_MAX];
	__u64 queued[QUEUED_MAX];
	char comm[WIRE_COMM]; /* of its process, when the first of its threads died */
};

#define WIRE_DEAD 4096 /* different keys; the rest goes to a row whose key is all zero */

/* ---- who took it ---- */

/* Waiting for a CPU: whose slices lay in the wait. Keys are process ids; 0 as offender is idle time, WIRE_ELSEWHERE time
 * queued on another CPU before a migration, WIRE_TOO_OLD what the ring of slices does not have (any more). */
#define WIRE_ELSEWHERE \
	0xfffffffcu /* as a signed number not -1, which a snapshot keeps for "unlimited" */
#define WIRE_TOO_OLD 0xfffffffeu
#define WIRE_QUOTA   0xfffffffdu
#define WIRE_OUTSIDE 0xfffffffbu /* a process that has no number in the PID namespace of /proc */
#define WIRE_PAIRS   16384
#define WIRE_SLICES  128 /* a power of two */
#define WIRE_MARKS   64  /* of a CPU's idle time: a power of two */

struct wire_pair_key {
	__u32 victim, offender;
};

struct wire_pair {
	__u64 ns;
	__u64 rt_ns; /* part of it in which the offender was a real-time thread */
	__u64 waits;
};

/* ---- names of kernel addresses ---- */

#define WIRE_SYMBOLS 16 /* asked at once */
#define WIRE_SYMBOL  64 /* bytes of a name */

struct wire_symbols {
	__u64 ip[WIRE_SYMBOLS]; /* up to the first that is 0 */
	char name[WIRE_SYMBOLS][WIRE_SYMBOL];
};

/* ---- what runs: samples of every CPU ---- */

#define WIRE_STACKS        8192 /* different ones */
#define WIRE_SAMPLED       4096 /* processes */
#define WIRE_SAMPLE_FRAMES 24

struct wire_sample_key {
	__u32 tgid;
	__u32 user; /* 1: a user stack, sampled in the program; 0: a kernel stack */
	__u64 hash;
};

struct wire_sample {
	__u64 count;
	__u64 ip[WIRE_SAMPLE_FRAMES]; /* innermost first, then zeros */
};

struct wire_sampled {
	__u64 user, kernel; /* samples */
	__u64 spinning; /* of those in the program: in code that pauses (x86 pause, arm64 yield, wfe) */
};

/* ---- profiles: samples with whole stacks ---- */

/* How to get from a frame to its caller. A rule holds for the addresses from its own to that of the next one.
 *
 *   CFA: the stack pointer of the caller, when it calls. fp, ra: where the caller's frame pointer and the return address lie,
 *   in units of 8 bytes from the CFA; 0: the register still has it. */
enum wire_how {
	UNWIND_GAP,     /* no function that is described */
	UNWIND_SP,      /* CFA = stack pointer + cfa */
	UNWIND_FP,      /* CFA = frame pointer + cfa */
	UNWIND_PLT,     /* CFA = stack pointer + 8, and 8 more from the cfa-th byte of each 16 on */
	UNWIND_FP_LOAD, /* CFA is in memory, at frame pointer + cfa; fp counts from the frame pointer */
	UNWIND_SIGNAL, /* all is in memory: CFA at stack pointer + cfa; fp and ra count from the stack pointer */
	UNWIND_END,  /* nobody has called this one */
	UNWIND_HARD, /* described, by more than a rule can hold */
};

struct wire_rule {
	__s32 cfa;
	__u8 how; /* enum wire_how */
	__s8 fp, ra;
	__u8 spare;
};

#define WIRE_RULES 32 /* of a block: a power of two */

/* Rules of a binary lie in blocks, by address: 32 bits from the first that it loads. What is left of the last block has the
 * highest address. */
struct wire_rules {
	__u32 pc[WIRE_RULES];
	struct wire_rule rule[WIRE_RULES];
};

/* Where a walk along a stack ended. */
enum wire_walk {
	WALK_WHOLE,      /* at the outermost frame */
	WALK_NONE,       /* there is nothing to walk: a thread of the kernel */
	WALK_UNKNOWN,    /* nobody has told what the process has mapped, yet */
	WALK_UNMAPPED,   /* at an address where the process has no code */
	WALK_GAP,        /* at code that nothing describes and that keeps no frame pointer */
	WALK_HARD,       /* at code whose description is more than a rule can hold */
	WALK_UNREADABLE, /* at a part of the stack that is not in memory */
	WALK_BACKWARDS,  /* the next frame would not be further out: a broken stack */
	WALK_DEEP,       /* there are more than WIRE_USER_FRAMES */
	WALK_COMPAT,     /* a 32-bit program */
	WALK_SHORT,      /* the copy of the stack ends before it does */
	WALK_UNCHOSEN,   /* a wait whose stack was not taken: one in so many is */
	WALK_ASLEEP,     /* it slept when the profile began, and its stack was not read then */
	WALK_CROWDED,    /* there were more different stacks than have room */
	WALK_BETWEEN,    /* no stack: time on a CPU between two samples */
	WALK_MAX
};

#define WIRE_USER_FRAMES   256   /* a power of two */
#define WIRE_KERNEL_FRAMES 127   /* kernel.perf_event_max_stack */
#define WIRE_COPY          16384 /* bytes of a stack that are copied: a multiple of WIRE_COPY_STEP */
#define WIRE_COPY_STEP     1024
#define WIRE_PROFILED      16384 /* processes that can be chosen, or have a list of mappings */

/* A process while it runs one program: numbers are used again, and exec changes everything. */
struct wire_program_key {
	__u32 tgid, exec; /* exec: lower half of task_struct::self_exec_id */
	__u64 start;      /* of the process */
};

/* Code that a process has mapped, by address. The first of a list is none: its start is how many follow. */
struct wire_mapping {
	__u64 start, end;
	__u64 bias;   /* address − bias: as the rules number it */
	__u32 table;  /* of profile_tables; 0: there are no rules */
	__u32 blocks; /* that it has */
};

/* The list is all that there is: who finds no code in it need not say so at once. In the first of a list. */
#define WIRE_MAPPING_SETTLED 1u

#define WIRE_TABLES          8192 /* binaries with rules; the first is none */

struct wire_registers {
	__u64 ip, sp, fp, lr; /* lr: arm64 */
};

/* A sample: this head, then kernel and user frames, innermost first. With copied > 0 it is this head, WIRE_KERNEL_FRAMES of
 * which `kernel` are used, and that much of the user stack, from regs.sp on. */
struct wire_profile {
	__u64 time;
	__u64 weight; /* off the CPU: ns; of events: how many it stands for; on the CPU: 0, each is one sample */
	struct wire_program_key key;
	__u32 tid, cpu;
	__u16 kernel, user; /* frames */
	__u8 walk;          /* enum wire_walk: of the user stack */
	__u8 guessed;       /* by frame pointers where no rule was: the stack may lack a frame */
	__u8 part;          /* enum wire_part: what the time was spent in */
	__u8 python; /* entries of an interpreter's frames, behind those of user; WIRE_PYTHON_CODE: see wire_python_code */
	__u32 copied;
	__u32 scale; /* this one stands for so many */
	struct wire_registers regs;
	__u64 id;   /* of a stack of a wait, which is sent once; else 0 */
	__u64 next; /* of the stack of a waker: of who woke the waker; 0: not known. Of one that was read in its sleep: since when */
	char comm[WIRE_COMM];
};

/* ---- profiles: time off the CPU ---- */

#define WIRE_WAIT_STACKS 65536 /* different stacks, those of wakers too */
#define WIRE_WAITS       65536 /* different keys */

/* Numbers of stacks that are none. */
#define WIRE_STACK_NONE    0 /* it slept when the profile began: its stack was read then */
#define WIRE_STACK_CROWDED 1 /* it found no room */
#define WIRE_STACK_FIRST   16

/* Waits that have the same of all of this are added up. */
struct wire_wait_key {
	__u64 stack, waker; /* wire_profile::id; waker: 0: not known */
	__u32 tgid, tid;
	__u32 part; /* enum wire_part; PART_RUN: on a CPU, as the scheduler has it */
	__u32 spare;
};

struct wire_wait {
	__u64 ns, count; /* of this many waits, those that were not chosen included */
	char comm[WIRE_COMM];
};

/* How many waits are chosen: one in 1 << shift. */
struct wire_pace {
	__u64 began, spent; /* taking stacks */
	__u32 shift, most;  /* most: so far */
};

/* What was chosen, per CPU. */
struct wire_choice {
	__u64 ns[PART_SLOTS]; /* all time off the CPU that has ended, chosen or not */
	__u64 waits, chosen;
	__u64 filtered;           /* shorter or longer than is wanted */
	struct wire_pace pace[2]; /* of threads whose last wait was short, or long */
};

/* What counts. Until the end is set nothing is done, and no stacks are taken before they are wanted. */
#define WIRE_NOT_YET 0xffffffffffffffffull /* from: accounts are opened */
#define WIRE_NEARLY  0xfffffffffffffffeull /* from: and stacks are taken */

struct wire_window {
	__u64 from, until;
};

/* A thread as the sweep finds it. */
struct wire_asleep {
	struct wire_program_key key;
	__u64 since, now;      /* of its open interval */
	__u64 wait, throttled; /* of it: for a CPU, for quota */
	__u64 ran;             /* in the window, without the open interval */
	__u64 stack, waker;
	__u32 tid, part;
	__u32 scale; /* 0: was not chosen */
	__u32 spare;
	char comm[WIRE_COMM];
};

/* ---- profiles: frames of CPython ---- */

/* Where things lie in the structures of one version, see symbols/python.c. */
struct wire_python {
	__u64 runtime;     /* address of _PyRuntime */
	__u16 interpreter; /* in it: the main interpreter */
	__u16 threads;     /* in that: the first of its threads */
	__u16 next, id;    /* in a thread: the next one; its number */
	__u16 frame;       /* in a thread: its innermost frame, or a structure that leads to it */
	__u16 indirect;    /* in that: the frame; WIRE_PYTHON_DIRECT: there is none between */
	__u16 code, previous;   /* in a frame */
	__u16 entry;            /* in a frame: a byte, see wire_python_how */
	__u8 how;               /* enum wire_python_how */
	__u8 by_pthread;        /* the number is that of pthread_self(), not the kernel's */
	__u16 name, file, line; /* in a code object */
	__u16 ascii, wide;      /* in a string: where the text begins, if it is ASCII, and else */
	__u16 spare[3];
};

#define WIRE_PYTHON_DIRECT 0xffff

/* Frames of the interpreter that one call of its C function runs end with one that is marked. */
enum wire_python_how {
	PYTHON_EACH,  /* 3.8 to 3.10: every one */
	PYTHON_FIRST, /* 3.11: one whose byte `entry` is not 0 */
	PYTHON_SHIM, /* 3.12 on: there is one below that is no function; its byte `entry` is PYTHON_OF_C */
};

#define PYTHON_OF_C      3

#define WIRE_PYTHON      120 /* frames of a sample */
#define WIRE_PYTHON_CODE 255

/* An entry of a sample: the address of a code object, 0 for none, and what ends with it. */
#define WIRE_PYTHON_END (1ull << 63) /* what one call of the C function runs */
#define WIRE_PYTHON_CUT (1ull << 62) /* the list, before it should */

/* What a code object is called: behind a struct wire_profile, once before the first sample that it is in. Texts are as the
 * interpreter has them: `wide` bytes for each character (0: ASCII). */
#define WIRE_PYTHON_NAME 96
#define WIRE_PYTHON_FILE 192
struct wire_python_code {
	__u64 code;
	__u32 line;
	__u8 name_wide, file_wide;
	__u8 name_bytes, file_bytes;
	char name[WIRE_PYTHON_NAME];
	char file[WIRE_PYTHON_FILE];
};

/* The first that was seen at an address: code objects come and go. */
struct wire_python_key {
	__u64 code, name, file; /* addresses */
	__u32 tgid, line;
};

/* ---- events ---- */

/* What `sixty trace` prints: one record per event through a ring buffer. The number is that of the event everywhere: in
 * the tag of a record, in trace_lost, behind PROG_TRACE in the counters of programs. The last three come from user
 * space. */
enum wire_trace {
	TRACE_EXEC,
	TRACE_EXIT,
	TRACE_OPEN,
	TRACE_OOM,
	TRACE_SIGNAL,
	TRACE_BIO,
	TRACE_FSYNC,
	TRACE_RUNQ,
	TRACE_TCP,
	TRACE_RETRANSMIT,
	TRACE_RESET,
	TRACE_DROP,
	TRACE_MODULE,
	TRACE_MOUNT,
	TRACE_BPF,
	TRACE_MAX
};

#define WIRE_PATH 512
#define WIRE_ARGS 512
#define WIRE_RAN  8

/* In front of every record. Who: the thread that did it, or that it happened to; pid 0 with an empty comm when nobody is
 * known (what the network does in interrupts is nobody's). */
struct wire_event {
	__u32 tag; /* enum wire_trace */
	__u32 cpu;
	__u64 time;
	__u64 start;      /* of the process: identity is pid + start */
	__u64 cgroups[3]; /* kernfs ids: of the unified hierarchy, of memory, of cpu; 0: none */
	__u32 pid, tid, ppid, uid;
	char comm[WIRE_COMM];
};

struct wire_exec {
	struct wire_event e;
	__u32 args_size; /* bytes of args, each ended by a NUL */
	__u32 args_cut;  /* there were more */
	__u32 path_size; /* with the NUL; WIRE_PATH: it may have been cut */
	__u32 spare;
	char path[WIRE_PATH]; /* as it was given */
	char args[WIRE_ARGS];
};

struct wire_exit {
	struct wire_event e;
	__u32 status;         /* as wait(2) has it */
	__u32 threads_missed; /* more threads than were looked at: their CPU time is not in cpu_ns */
	__u64 ran_ns;         /* since the process began */
	__u64 cpu_ns;         /* as far as the scheduler has accounted for it */
	__u64 peak_pages;
};

struct wire_open {
	struct wire_event e;
	__s32 error; /* negative errno */
	__u32 path_size;
	char path[WIRE_PATH];
};

struct wire_oom {
	struct wire_event e; /* the victim */
	__u32 by_pid;        /* who was allocating */
	__s32 score_adj;
	char by_comm[WIRE_COMM];
};

struct wire_signal {
	struct wire_event e;
	__u32 delivered; /* 0: e has sent it to the other; 1: e has got it from the other */
	__s32 number, code;
	__u32 result; /* sent: 0 queued, 1 ignored, 2 pending already, 3 queue full, 4 information lost */
	__u32 handler;              /* delivered: 0 the default action, 1 ignored, 2 a function */
	__u32 other_pid, other_tid; /* 0: the kernel */
	char other_comm[WIRE_COMM]; /* sent only */
	__u32 spare;
};

struct wire_bio {
	struct wire_event e; /* who submitted it */
	__u32 major, minor;
	__u32 op; /* REQ_OP_* in the lowest 8 bits, flags above */
	__u32 bytes;
	__u64 sector;
	__u64 total_ns;  /* since it was allocated */
	__u64 device_ns; /* since the driver got it; 0: not known */
	__u32 status;
	__u32 spare;
};

#define WIRE_NAMES 6
#define WIRE_NAME  56

struct wire_fsync {
	struct wire_event e;
	__u32 major, minor;
	__u64 inode;
	__u64 ns;
	__s32 result;
	__u32 datasync;
	__u32 more; /* directories above the last name */
	__u32 spare;
	char names[WIRE_NAMES][WIRE_NAME]; /* from the file upwards */
};

struct wire_ran {
	__u64 ns;
	__u32 tgid; /* as in struct wire_pair_key */
	__u32 rt;
};

struct wire_runq {
	struct wire_event e;
	__u64 wait_ns;
	__u64 throttled_ns; /* part of it */
	__u64 others_ns;    /* of those that found no place in ran */
	__u64 unseen_ns;    /* no slice is known for: before a migration, or too long ago */
	struct wire_ran ran[WIRE_RAN];
};

/* Ports in host order, addresses as they are sent. family 0: not known. */
struct wire_flow {
	__u16 family, protocol, lport, rport;
	__u8 laddr[16], raddr[16];
};

enum wire_tcp_what { TCP_CONNECT, TCP_ACCEPT, TCP_CLOSE, TCP_FAILED };

struct wire_tcp {
	struct wire_event e;
	struct wire_flow flow;
	__u32 what;
	__s32 error; /* positive errno of the socket; 0: none */
	__u64 ns; /* connect: until the answer; close: of the connection. 0: its beginning was not seen */
	__u64 sent, received; /* close: payload; sent is what was acknowledged */
	__u32 retransmits;
	__u32 rtt_us; /* smoothed; 0: not known */
};

struct wire_retransmit {
	struct wire_event e;
	struct wire_flow flow;
	__u32 state;
	__u32 total; /* of this connection */
	__u32 rtt_us;
	__u32 synack;
};

struct wire_reset {
	struct wire_event e;
	struct wire_flow flow;
	__u32 state;  /* 0: there is no socket */
	__u32 sent;   /* by this host */
	__u32 reason; /* enum sk_rst_reason; 0: not told */
	__u32 spare;
};

struct wire_drop {
	struct wire_event e;
	struct wire_flow flow; /* l: source, r: destination */
	__u64 where;           /* address of the code */
	__u32 reason;
	__u32 bytes;
	__u32 ethertype;
	__u32 spare;
	char device[16];
};

struct wire_module {
	struct wire_event e;
	char name[64];
};

/* ---- distributions ---- */

/* Log-linear: 0 to 15 have a slot each, and every further power of two has eight. A slot's middle is off by 1/16 of a value in it
 * at most. Slots from 496 on stay empty. */
#define HIST_SUB   8
#define HIST_SLOTS 512

struct wire_hist {
	__u64 sum, max;
	__u64 slots[HIST_SLOTS];
};

/* Without branches: the verifier would follow each of them in each program. */
#define WIRE_HALVE(x, log, k)                                \
	do {                                                 \
		__u64 high = (x) >> (1 << (k)), more;        \
                                                             \
		__asm__ volatile("" : "+r"(high));           \
		more = ((0 - high) >> 63) << (k); /* or 0 */ \
		(x) >>= more;                                \
		(log) += more;                               \
	} while (0)

static inline __attribute__((always_inline)) __u32 hist_slot(__u64 v)
{
	__u64 x = v | HIST_SUB, log = 0;

	WIRE_HALVE(x, log, 5);
	WIRE_HALVE(x, log, 4);
	WIRE_HALVE(x, log, 3);
	WIRE_HALVE(x, log, 2);
	WIRE_HALVE(x, log, 1);
	WIRE_HALVE(x, log, 0);
	log -= 3; /* of HIST_SUB: what is below it has slots of its own */
	return (__u32)((log << 3) + (v >> log));
}

/* Kinds of distributions; `sixty list hists` says what each is. */
enum wire_hist_kind {
	HIST_RUNQLAT,
	HIST_RUNQLEN,
	HIST_CPUDIST,
	HIST_OFFCPU,
	HIST_WAKEUP,
	HIST_BIOLAT,
	HIST_BITESIZE,
	HIST_FSYNC,
	HIST_SYSCALL,
	HIST_SOFTIRQ,
	HIST_HARDIRQ,
	HIST_MAJFAULT,
	HIST_RECLAIM,
	HIST_LOCK,
	HIST_TCPRTT,
	HIST_TCPCONN,
	HIST_TIMER,
	HIST_WORKQUEUE,
	HIST_KINDS
};

/* What the values of a kind are told apart by. */
enum wire_hist_key {
	HIST_BY_NOTHING,
	HIST_BY_CPU, /* every map is: user space does not add them up */
	HIST_BY_PROCESS,
	HIST_BY_CAUSE, /* enum wire_part */
	HIST_BY_DISK,  /* major << 20 | minor */
	HIST_BY_OPERATION,
	HIST_BY_CALL, /* number of a syscall; WIRE_SYSCALLS: one of a 32-bit program */
	HIST_BY_VECTOR,
	HIST_BY_LINE,
	HIST_BY_FUNCTION, /* address in the kernel */
	HIST_KEYS
};

/* A kind may have several measures: they lie side by side. */
enum { RUNQLAT_WAIT, RUNQLAT_THROTTLED };
enum { BIOLAT_TOTAL, BIOLAT_DEVICE };
enum { LOCK_FUTEX, LOCK_FLOCK, LOCK_SLEEPING, LOCK_SPINNING };
enum { FAULT_DISK, FAULT_OTHER };
enum { RECLAIM_DIRECT, RECLAIM_GROUP, RECLAIM_COMPACTION };
enum { FSYNC_CALL, FSYNC_JOURNAL };
enum { TCP_CONNECTED, TCP_REFUSED };
enum { WORK_DELAY, WORK_RUN };

#define WIRE_HIST_MEASURES 4
#define WIRE_HIST_INDEX    4096 /* a power of two */
#define WIRE_HIST_PROBES   8
#define WIRE_HIST_NAME     32
#define WIRE_HIST_FUNCTION \
	0x7fffffffffffull /* of an address in the kernel, what is kept: the rest is ones */

/* Which block of cells a key has: an open hash table without locks and without deletion. A word is (key + 1) << 16 | block; keys
 * have 47 bits. Blocks are given out in turn; one is wasted when two CPUs meet the same key at once. */
struct wire_hist_index {
	__u64 next;
	__u64 words[WIRE_HIST_INDEX];
};

/* How a syscall ended that failed. */
struct wire_hist_error {
	__u32 call, code; /* code: errno, positive */
};

#define WIRE_HIST_ERRORS   2048
#define WIRE_HIST_REQUESTS 16384

/* Which cells of the map belong to what. A kind has `width` of its measures; its first block is for everything, or for what has no
 * block of its own. */
struct wire_hist_config {
	__u32 kinds;             /* 1u << enum wire_hist_kind */
	__u32 first[HIST_KINDS]; /* cell */
	__u32 key[HIST_KINDS]; /* enum wire_hist_key; one kind at most has one that needs an index */
	__u32 shared;          /* first cell of the blocks that keys are given */
	__u32 width, blocks;   /* of those */
	__u32 pid;             /* of this process only; 0: of all */
	__u32 disk;            /* of this disk only; 0: of all */
	__u32 noted;           /* requests are noted where they begin, */
	__u32 owner;    /* since it matters who made them: what is not noted is not counted */
	__u32 group_in; /* hierarchy of group: 0 unified, 1 memory, 2 cpu */
	__u32 group_level;
	__u64 group; /* kernfs id: of this control group and those below it only; 0: of all */
};

/* ---- requests of services ---- */

/* What is spoken on a connection, told from its first bytes. Whatever is no protocol that is known is RED_PLAIN: what comes in
 * until something goes out is one request. */
enum wire_red_protocol {
	RED_UNKNOWN, /* nothing was seen yet */
	RED_PLAIN,
	RED_HTTP,
	RED_HTTP2, /* many requests at a time on one connection: exchanges are counted */
	RED_TLS,   /* encrypted: exchanges are counted */
	RED_REDIS,
	RED_POSTGRES,
	RED_MYSQL,
	RED_MEMCACHED,
	RED_PROTOCOLS
};

enum wire_red_role { RED_NOBODY, RED_SERVER, RED_CLIENT };

/* How the system call that moved the bytes names its buffer. */
enum wire_red_call { RED_CALL_NONE, RED_CALL_BUFFER, RED_CALL_VECTOR, RED_CALL_MESSAGE };

/* A service, or a dependency of a process. */
struct wire_red_key {
	__u32 netns; /* inode number */
	__u32 tgid;  /* client: whose dependency it is; server: 0 */
	__u16 port;
	__u8 role, family; /* server: family 0, addr is zero */
	__u8 addr[16];
};

struct wire_red_service {
	struct wire_red_key key;
	__u32 tgid;  /* of whoever listens: the first that was met */
	__u64 start; /* of that process */
	char comm[WIRE_COMM];
	/* told by the last sweep over open files */
	__u32 sweep;
	__u32 open;     /* connections */
	__u32 inflight; /* of those, requests without an answer */
	__u32 backlog, backlog_most;
	__u64 oldest; /* since when the oldest of those waits; 0: none */
};

/* What one CPU has counted of a service. */
struct wire_red {
	__u64 requests; /* that were answered */
	__u64 errors;   /* whose answer was an error of the server */
	__u64 refusals; /* whose answer was an error of the client (HTTP 4xx) */
	__u64 silent;   /* whose connection was closed without an answer */
	__u64 bytes_in, bytes_out;
	__u64 batched;  /* of the requests: came together with others, and were told apart */
	__u64 unparted; /* batches that could not be told apart: each counts as one request */
	__u64 unread;   /* requests whose bytes were out of reach (io_uring, 32-bit programs) */
	__u64 waiting;  /* requests that wait by design (BLPOP): they have no duration */
	__u64 protocols[RED_PROTOCOLS];
	struct wire_hist total; /* from when a request came to the first byte of its answer */
	struct wire_hist wait;  /* part of it: until it was read */
};

/* What a name is of: an operation that was asked for, or a kind of error. */
enum wire_red_kind { RED_OPERATION, RED_ERROR };

#define WIRE_RED_NAME 48
#define WIRE_RED_NAMES \
	1024 /* of all services together; the first is for those that found no place */
#define WIRE_RED_INDEX 4096 /* a power of two */

struct wire_red_name {
	__u32 slot; /* of the service */
	__u32 kind;
	char name[WIRE_RED_NAME];
};

struct wire_red_operation {
	__u64 count, errors;
	__u64 timed;   /* of them: came alone, so that it is known which answer was theirs */
	__u64 ns, max; /* their durations: the sum, and the longest */
};

/* See struct wire_hist_index. */
struct wire_red_index {
	__u64 next;
	__u64 words[WIRE_RED_INDEX];
};

struct wire_red_state {
	__u64 services; /* slots that were given out */
	__u64 sockets;  /* connections that are followed */
	__u32 sweep;    /* of open files: how many there were */
	__u32 spare;
};

struct wire_red_config {
	__u32 services;  /* that there is room for; the first slot is nobody's */
	__u32 sockets;   /* connections that are followed at a time, about */
	__u32 content;   /* look at the bytes */
	__u32 clients;   /* follow dependencies too */
	__u32 port, pid; /* of this service only; 0: all */
	__u32 ephemeral; /* lowest port that clients are given */
	__u32 spare;
	__u8 calls[WIRE_SYSCALLS]; /* enum wire_red_call */
};

/* ---- what user space tells the programs before they are loaded ---- */

struct wire_profile_config {
	__u32 chosen;                  /* only processes in profile_chosen, and their children */
	__u32 no_kernel;               /* frames of the kernel are not wanted */
	__u32 event;                   /* another event than time on CPUs */
	__u32 waits;                   /* time off the CPU is wanted */
	__u32 running;                 /* and time on it is added up as well */
	__u32 wakers;                  /* enum wire_wakers */
	__u64 period;                  /* of a tracepoint: every so many on each CPU */
	__u64 shortest_ns, longest_ns; /* of waits that are wanted */
	__u64 irq_from,
		irq_size; /* where interrupts enter the kernel: what was interrupted has not woken anybody */
};

enum wire_wakers {
	WAKERS_NONE,
	WAKERS_NAMED, /* who it was, or which interrupt */
	WAKERS_WHOLE, /* its stack, and who woke it meanwhile */
};

struct wire_config {
	__u32 self;   /* process id of sixty, as all numbers here: in the PID namespace of /proc */
	__u32 nested; /* that is not the outermost one: numbers are to be translated */
	__u32 below;  /* levels that our own namespace is below it */
	__u32 spare;
	__u32 switch_state; /* sched_switch has the state as its fourth argument (fa2c3254d7cf, 5.18) */
	__u32 cpus;         /* possible ones */
	__u32 time;         /* the time of threads is accounted for: not only distributions */
	__u64 long_wait_ns; /* run-queue waits from here on are always charged to offenders */
	__u64 charge_ns; /* shorter ones are added up per CPU to this much, and charged to those of the last one */
	/* events, see "events" above; all 0 unless sixty traces */
	__u64 trace_slow_ns;      /* block I/O and fsync from here on are events */
	__u64 trace_runq_ns;      /* and so are waits for a CPU; 0: none */
	__u32 trace_pid;          /* events of this process only; 0: of all */
	__u32 trace_group_dead;   /* sched_process_exit tells whether it is the last thread */
	__u32 trace_victim_task;  /* mark_victim has the task, not its number (72ba14deb40a, 6.9) */
	__u32 trace_reset_reason; /* tcp_send_reset has a reason (b533fb9cf4f7, 6.10) */
	__u64 online[WIRE_CPUS / 64]; /* CPUs, a bit each */
	__u8 syscalls[WIRE_SYSCALLS]; /* enum wire_call */
	struct wire_hist_config hist;
	struct wire_profile_config profile;
	struct wire_red_config red;
};

_Static_assert(PART_MAX <= PART_SLOTS, "room for every part");
_Static_assert((ROOT_MAX & (ROOT_MAX - 1)) == 0, "a mask");
_Static_assert((QUEUED_MAX & (QUEUED_MAX - 1)) == 0, "a mask");
_Static_assert((WIRE_MARKS & (WIRE_MARKS - 1)) == 0, "a mask");
_Static_assert(sizeof(struct wire_row) == 22 * 4 + 21 * 8 + WIRE_NAME_MAX, "no padding in records");
_Static_assert(sizeof(struct wire_event) == 80, "no padding in records");
_Static_assert(sizeof(struct wire_exec) == 80 + 16 + WIRE_PATH + WIRE_ARGS,
	       "no padding in records");
_Static_assert(sizeof(struct wire_exit) == 112, "no padding in records");
_Static_assert(sizeof(struct wire_open) == 88 + WIRE_PATH, "no padding in records");
_Static_assert(sizeof(struct wire_oom) == 104, "no padding in records");
_Static_assert(sizeof(struct wire_signal) == 128, "no padding in records");
_Static_assert(sizeof(struct wire_bio) == 128, "no padding in records");
_Static_assert(sizeof(struct wire_fsync) == 120 + WIRE_NAMES * WIRE_NAME, "no padding in records");
_Static_assert(sizeof(struct wire_runq) == 112 + WIRE_RAN * 16, "no padding in records");
_Static_assert(sizeof(struct wire_flow) == 40, "no padding in records");
_Static_assert(sizeof(struct wire_tcp) == 160, "no padding in records");
_Static_assert(sizeof(struct wire_retransmit) == 136, "no padding in records");
_Static_assert(sizeof(struct wire_reset) == 136, "no padding in records");
_Static_assert(sizeof(struct wire_drop) == 160, "no padding in records");
_Static_assert(sizeof(struct wire_module) == 144, "no padding in records");
_Static_assert(TRACE_MAX <= 16, "the counters behind PROG_TRACE");
_Static_assert(sizeof(struct wire_pair_key) == 8, "no padding in keys");
_Static_assert(sizeof(struct wire_sample_key) == 16, "no padding in keys");
_Static_assert(sizeof(struct wire_program_key) == 16, "no padding in keys");
_Static_assert(sizeof(struct wire_mapping) == 32, "no padding in records");
_Static_assert(sizeof(struct wire_profile) == 120, "no padding in records");
_Static_assert(sizeof(struct wire_wait_key) == 32, "no padding in keys");
_Static_assert(sizeof(struct wire_asleep) == 104, "no padding in records");
_Static_assert(sizeof(struct wire_rule) == 8, "no padding in rules");
_Static_assert(sizeof(struct wire_python) == 48, "no padding in values");
_Static_assert(sizeof(struct wire_python_code) == 304, "no padding in records");
_Static_assert(sizeof(struct wire_python_key) == 32, "no padding in keys");
_Static_assert(sizeof(struct wire_dead_key) == 32, "no padding in keys");
_Static_assert((HIST_SLOTS & (HIST_SLOTS - 1)) == 0, "a mask");
_Static_assert(HIST_KINDS <= 31, "bits of a mask, and of enum bpf_group");
_Static_assert((WIRE_HIST_INDEX & (WIRE_HIST_INDEX - 1)) == 0, "a mask");
_Static_assert(sizeof(struct wire_hist_error) == 8, "no padding in keys");
_Static_assert(sizeof(struct wire_hist_config) % 8 == 0, "no padding in the configuration");
_Static_assert((WIRE_SLICES & (WIRE_SLICES - 1)) == 0, "a mask");
_Static_assert(sizeof(struct wire_red_key) == 28, "no padding in keys");
_Static_assert(sizeof(struct wire_red_name) == 56, "no padding in names");
_Static_assert((WIRE_RED_INDEX & (WIRE_RED_INDEX - 1)) == 0, "a mask");
_Static_assert(sizeof(struct wire_red) <= 32768, "an element of a per-CPU map");

#endif
