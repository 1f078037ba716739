/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel structures that our programs read: only the fields that are read. CO-RE finds the real offsets at load
 * time, so order and neighbours do not matter; widths do. Names that changed have a flavour (___old) with the commit. */
#ifndef SIXTY_BPF_KERNEL_H
#define SIXTY_BPF_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;

enum { false, true };

/* include/uapi/linux/bpf.h, as far as it is used */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_INNER_MAP = 4096 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_F_USER_STACK = 256 };

enum bpf_func_id { BPF_FUNC_loop = 181, BPF_FUNC_map_lookup_percpu_elem = 195 };

/* include/linux/sched.h */
#define TASK_INTERRUPTIBLE   0x0001
#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_STOPPED         0x0004
#define TASK_TRACED          0x0008
#define TASK_DEAD            0x0080
#define TASK_NOLOAD          0x0400
#define TASK_FROZEN          0x8000 /* f5d39b020809 (6.1) */
#define PF_KTHREAD           0x00200000
#define PF_EXITING           0x00000004
#define PF_WQ_WORKER         0x00000020
#define TS_COMPAT            0x0002 /* thread_info::status, x86: in a 32-bit syscall */

/* include/linux/lockdep.h and trace/events/lock.h: how a lock is waited for */
#define LCB_F_SPIN  0x01
#define LCB_F_MUTEX 0x20

#define S_IFMT      0170000
#define S_IFSOCK    0140000
#define S_IFIFO     0010000

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cfs_rq {
	struct rq *rq;
	__u64 throttled_clock_self_time; /* 677ea015f231 (6.6) */
	unsigned int h_nr_queued, h_nr_runnable;
};

struct rq {
	__u64 clock;
	__u64 clock_task;    /* clock without the time that the hypervisor, or interrupts, took */
	__u64 prev_irq_time; /* CONFIG_IRQ_TIME_ACCOUNTING only */
	unsigned int nr_running;
	struct cfs_rq cfs;
};

/* Between 6.12 and 6.14; see hist_tick.bpf.c. */
struct cfs_rq___delayed {
	unsigned int h_nr_delayed;
};

struct rq___delayed {
	struct cfs_rq___delayed cfs;
};

/* 64eaf50731ac (5.19) renamed throttled_clock_task_time. */
struct cfs_rq___pelt {
	__u64 throttled_clock_pelt_time;
};

struct sched_entity {
	__u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq;
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay, last_arrival, last_queued;
};

struct kuid {
	unsigned int val;
};

struct gendisk {
	int major, first_minor;
};

struct super_block {
	__u32 s_dev;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	void *private_data; /* of a socket: its struct socket */
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct cred {
	struct kuid uid, euid;
};

struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

/* One number in each namespace, from the outermost inwards. */
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

#define PIDTYPE_PGID 2
#define PIDTYPE_SID  3

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

/* What was shown last: the next look shows no less. */
struct prev_cputime {
	__u64 utime, stime;
};

struct seqcount {
	unsigned int sequence;
};

/* 267580db047e (5.10) put the counter one level deeper. */
struct seqcount_spinlock {
	struct seqcount seqcount;
};

typedef struct {
	struct seqcount_spinlock seqcount;
} seqlock_t;

/* Bytes and calls; empty without CONFIG_TASK_XACCT and CONFIG_TASK_IO_ACCOUNTING. */
struct task_io_accounting {
	__u64 read_bytes, write_bytes;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	int group_exit_code;
	unsigned int flags;
	unsigned long long sum_sched_runtime;
	unsigned long maxrss;
	short oom_score_adj;
	/* for the process table */
	struct pid *pids[4];
	struct tty_struct *tty;
	seqlock_t stats_lock;
	__u64 utime, stime, cutime, cstime;
	struct prev_cputime prev_cputime;
	unsigned long min_flt, maj_flt, cmin_flt, cmaj_flt, nvcsw, nivcsw;
	struct task_io_accounting ioac; /* of threads that died */
};

#define SIGNAL_GROUP_EXIT 0x00000004

struct kernfs_node {
	__u64 id; /* 67c0496e87d1 (5.5) made it a number */
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[];
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

/* Numbers depend on the configuration: CO-RE fills them in. */
enum cgroup_subsys_id {
	cpu_cgrp_id = 1,
	memory_cgrp_id = 4,
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	__u32 status;
	__u32 cpu; /* bcf9033e5449 (5.16) moved it here from task_struct */
};

/* The true value is count and the parts of all CPUs together. */
struct percpu_counter {
	__s64 count;
	__s32 *counters;
};

/* Kinds of pages: of files, anonymous, swapped out, shared memory. */
#define MM_KINDS 4

struct mm_struct {
	int map_count;
	unsigned long arg_start, arg_end, total_vm;
	struct percpu_counter rss_stat[MM_KINDS];
};

/* Before f1a7941243c1 (6.2) threads kept a part of the counts of their process. */
struct mm_rss_stat {
	struct mm_count {
		__s64 counter;
	} count[MM_KINDS];
};

struct mm_struct___parts {
	struct mm_rss_stat rss_stat;
};

struct task_rss_stat {
	int count[MM_KINDS];
};

struct task_delay_info {
	__u64 blkio_delay;
};

/* Of kernel threads: d6986ce24fc0 (5.17) keeps names that do not fit into comm. */
struct kthread {
	void *data;
	char *full_name;
};

struct worker {
	struct worker_pool *pool;
	void *current_work;
	char desc[32];
};

/* An array of per-CPU values: pptrs is what the kernel adds a CPU's offset to. */
struct bpf_array {
	void *pptrs[1];
};

struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

/* One bit for each CPU. */
struct cpumask {
	unsigned long bits[1];
};

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long fsbase;
};
#endif

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int
		__state; /* 2f064a59a11f (5.14) renamed state: 5.13 and before are not supported */
	unsigned int flags;
	int pid, tgid;
	int prio, static_prio;
	unsigned int rt_priority, policy;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr; /* 3bd3706251ee (5.3) */
	unsigned in_iowait : 1;
	unsigned in_memstall : 1;
	int exit_state, exit_code;
	struct task_struct *real_parent, *group_leader;
	struct sched_entity se;
	struct sched_info sched_info;
	__u64 utime, stime, start_boottime;
	unsigned long min_flt, maj_flt, nvcsw, nivcsw;
	__u64 self_exec_id; /* d1e7fd6462ca (5.7) made it 64 bits */
	int recent_used_cpu;
	struct signal_struct *signal;
	const struct cred *cred;
	struct files_struct *files;
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
	struct task_io_accounting ioac;
	struct css_set *cgroups;
	struct list_head thread_node;
	struct pid *thread_pid;
#if defined(__TARGET_ARCH_x86)
	struct thread_struct thread;
#endif
	unsigned int cpu;               /* before 5.16 */
	struct task_rss_stat rss_stat;  /* before 6.2 */
	struct task_delay_info *delays; /* CONFIG_TASK_DELAY_ACCT */
	void *sighand;
	void *worker_private;
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long orig_ax, di, si, dx, r10, ip, sp, bp, cs;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	unsigned long long regs[31];
	unsigned long long sp, pc, pstate;
};
struct pt_regs {
	union {
		struct user_pt_regs user_regs;
	};
	unsigned long long orig_x0;
	__s32 syscallno;
};
#endif

#if defined(__TARGET_ARCH_x86)
struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period;
};
#elif defined(__TARGET_ARCH_arm64)
struct bpf_perf_event_data {
	struct user_pt_regs regs;
	__u64 sample_period;
};
#endif

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* ---- for events: see trace_*.bpf.c ---- */

struct kernel_siginfo {
	int si_signo, si_errno, si_code;
	union {
		struct {
			int _pid;
		} _kill;
	} _sifields;
};

struct sigaction {
	void *sa_handler;
};

struct k_sigaction {
	struct sigaction sa;
};

struct request_queue {
	struct gendisk *disk; /* d152c682f03c (5.15) */
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags, rq_flags;
	unsigned int __data_len;
	__u64 __sector;
	__u64 start_time_ns, io_start_time_ns;
};

struct in6_addr {
	__u8 in6_u[16];
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	possible_net_t skc_net;
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	unsigned long skc_flags;
};

enum sock_flags { SOCK_DONE = 1 };

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	__u16 sk_protocol; /* bf9765145b85 (5.6) made it a field of its own */
	__u32 sk_ack_backlog, sk_max_ack_backlog; /* of a listener: connections not accepted yet */
};

struct inet_sock {
	__be16 inet_sport;
};

struct tcp_sock {
	__u64 bytes_sent, bytes_received, bytes_acked, bytes_retrans;
	__u64 tcp_mstamp; /* of the last segment, in microseconds */
	__u32 srtt_us, total_retrans, snd_una, snd_nxt, lsndtime;
};

struct inet_connection_sock {
	struct {
		__u32 lrcvtime;
	} icsk_ack;
};

struct socket {
	struct sock *sk;
};

struct request_sock {
	struct sock_common __req_common;
};

struct net_device {
	char name[16];
};

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
	__be16 protocol;
	__u16 transport_header, network_header;
	unsigned char *head;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct module {
	char name[56];
};

struct irqaction {
	const char *name;
};
struct bdi_writeback;

struct hrtimer {
	__s64 _softexpires;
	int (*function)(struct hrtimer *);
};

struct work_struct {
	void (*func)(struct work_struct *);
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

#pragma clang attribute pop

#endif
