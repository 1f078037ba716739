/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread waits for, told from its state letter and wait channel.
 *
 * /proc/PID/wchan names the first function outside the scheduler. Names differ between kernels (futex_wait_queue_me
 * became futex_wait_queue in 5.16, folio_* replaced page_* from 5.16 on), so rows are prefixes; the first row that
 * matches wins, and the more particular stand first. */
#include "model/cause.h"

#include <stddef.h>
#include <string.h>

struct wchan_row {
	const char *prefix;
	enum wait d, s; /* meaning in state D / in state S */
};

/* clang-format off */
static const struct wchan_row wchans[] = {
	{ "__refrigerator",              WAIT_FROZEN,    WAIT_FROZEN },
	{ "do_freezer_trap",             WAIT_FROZEN,    WAIT_FROZEN },
	{ "balance_dirty_pages",         WAIT_WRITEBACK, WAIT_WRITEBACK },
	{ "wb_wait_for_completion",      WAIT_DISK,      WAIT_SLEEP },
	{ "mem_cgroup_handle_over_high", WAIT_RECLAIM,   WAIT_RECLAIM },
	{ "mem_cgroup_oom",              WAIT_RECLAIM,   WAIT_RECLAIM },
	{ "shrink_",                     WAIT_RECLAIM,   WAIT_SLEEP },
	{ "reclaim_throttle",            WAIT_RECLAIM,   WAIT_SLEEP },
	{ "throttle_direct_reclaim",     WAIT_RECLAIM,   WAIT_RECLAIM },
	{ "congestion_wait",             WAIT_RECLAIM,   WAIT_SLEEP },
	{ "compact",                     WAIT_RECLAIM,   WAIT_SLEEP },
	{ "migrate_pages",               WAIT_RECLAIM,   WAIT_SLEEP },
	{ "swap_readpage",               WAIT_FAULT,     WAIT_FAULT },
	{ "swap_read_folio",             WAIT_FAULT,     WAIT_FAULT },
	{ "do_swap_page",                WAIT_FAULT,     WAIT_FAULT },
	{ "__folio_lock_or_retry",       WAIT_FAULT,     WAIT_FAULT },
	{ "__lock_page_or_retry",        WAIT_FAULT,     WAIT_FAULT },
	{ "filemap_fault",               WAIT_FAULT,     WAIT_FAULT },
	{ "fuse_dev_do_read",            WAIT_SLEEP,     WAIT_SLEEP },     /* the server, waiting for requests */
	{ "fuse_",                       WAIT_FS,        WAIT_FS },
	{ "request_wait_answer",         WAIT_FS,        WAIT_FS },
	{ "nfs",                         WAIT_FS,        WAIT_FS },
	{ "rpc_wait",                    WAIT_FS,        WAIT_FS },
	{ "cifs_",                       WAIT_FS,        WAIT_FS },
	{ "wait_for_response",           WAIT_FS,        WAIT_FS },
	{ "ceph_",                       WAIT_FS,        WAIT_FS },
	{ "autofs_wait",                 WAIT_FS,        WAIT_FS },
	{ "fanotify_",                   WAIT_FS,        WAIT_FS },
	{ "rwsem_down_",                 WAIT_KLOCK,     WAIT_KLOCK },
	{ "__mutex_lock",                WAIT_KLOCK,     WAIT_KLOCK },
	{ "mutex_lock",                  WAIT_KLOCK,     WAIT_KLOCK },
	{ "schedule_preempt_disabled",   WAIT_KLOCK,     WAIT_KLOCK },
	{ "percpu_rwsem_wait",           WAIT_KLOCK,     WAIT_KLOCK },
	{ "__down",                      WAIT_KLOCK,     WAIT_KLOCK },
	{ "rt_mutex",                    WAIT_KLOCK,     WAIT_KLOCK },
	{ "rwbase_",                     WAIT_KLOCK,     WAIT_KLOCK },
	/* the kernel skips the functions of a sleeping lock, so that whoever wants an inode's lock is seen */
	{ "do_unlinkat",                 WAIT_KLOCK,     WAIT_SLEEP },
	{ "do_rmdir",                    WAIT_KLOCK,     WAIT_SLEEP },
	{ "do_renameat",                 WAIT_KLOCK,     WAIT_SLEEP },
	{ "lock_rename",                 WAIT_KLOCK,     WAIT_SLEEP },
	{ "filename_",                   WAIT_KLOCK,     WAIT_SLEEP },
	{ "open_last_lookups",           WAIT_KLOCK,     WAIT_SLEEP },
	{ "path_openat",                 WAIT_KLOCK,     WAIT_SLEEP },
	{ "lookup_",                     WAIT_KLOCK,     WAIT_SLEEP },
	{ "walk_component",              WAIT_KLOCK,     WAIT_SLEEP },
	{ "iterate_dir",                 WAIT_KLOCK,     WAIT_SLEEP },
	{ "vfs_",                        WAIT_KLOCK,     WAIT_SLEEP },
	{ "ext4_buffered_write_iter",    WAIT_KLOCK,     WAIT_SLEEP },
	{ "ext4_dio_write",              WAIT_KLOCK,     WAIT_SLEEP },
	{ "ext4_file_",                  WAIT_KLOCK,     WAIT_SLEEP },
	{ "xfs_ilock",                   WAIT_KLOCK,     WAIT_SLEEP },
	{ "btrfs_inode_lock",            WAIT_KLOCK,     WAIT_SLEEP },
	{ "generic_file_write_iter",     WAIT_KLOCK,     WAIT_SLEEP },
	{ "jbd2_",                       WAIT_DISK,      WAIT_SLEEP },
	{ "add_transaction_credits",     WAIT_DISK,      WAIT_SLEEP },
	{ "start_this_handle",           WAIT_DISK,      WAIT_SLEEP },
	{ "wait_transaction_locked",     WAIT_DISK,      WAIT_SLEEP },
	{ "do_get_write_access",         WAIT_DISK,      WAIT_SLEEP },
	{ "ext4_",                       WAIT_DISK,      WAIT_SLEEP },
	{ "xfs",                         WAIT_DISK,      WAIT_SLEEP },
	{ "xlog_",                       WAIT_DISK,      WAIT_SLEEP },
	{ "btrfs",                       WAIT_DISK,      WAIT_SLEEP },
	{ "io_schedule",                 WAIT_DISK,      WAIT_SLEEP },
	{ "bit_wait",                    WAIT_DISK,      WAIT_SLEEP },
	{ "wait_on_page",                WAIT_DISK,      WAIT_SLEEP },
	{ "folio_wait",                  WAIT_DISK,      WAIT_SLEEP },
	{ "folio_lock",                  WAIT_DISK,      WAIT_SLEEP },
	{ "__folio_lock",                WAIT_DISK,      WAIT_SLEEP },
	{ "wait_on_buffer",              WAIT_DISK,      WAIT_SLEEP },
	{ "__wait_on_buffer",            WAIT_DISK,      WAIT_SLEEP },
	{ "iomap_dio",                   WAIT_DISK,      WAIT_DISK },
	{ "__iomap_dio",                 WAIT_DISK,      WAIT_DISK },
	{ "blkdev_",                     WAIT_DISK,      WAIT_DISK },
	{ "__blkdev_",                   WAIT_DISK,      WAIT_DISK },
	{ "submit_bio_wait",             WAIT_DISK,      WAIT_DISK },
	{ "blk_",                        WAIT_DISK,      WAIT_SLEEP },
	{ "rq_qos_wait",                 WAIT_DISK,      WAIT_SLEEP },
	{ "wbt_wait",                    WAIT_DISK,      WAIT_SLEEP },
	{ "dio_",                        WAIT_DISK,      WAIT_DISK },
	{ "writeback_",                  WAIT_DISK,      WAIT_SLEEP },
	{ "sync_inodes",                 WAIT_DISK,      WAIT_SLEEP },
	{ "futex_",                      WAIT_FUTEX,     WAIT_FUTEX },
	{ "flock_",                      WAIT_FLOCK,     WAIT_FLOCK },
	{ "locks_lock",                  WAIT_FLOCK,     WAIT_FLOCK },
	{ "posix_lock",                  WAIT_FLOCK,     WAIT_FLOCK },
	{ "fcntl_setlk",                 WAIT_FLOCK,     WAIT_FLOCK },
	{ "inet_csk_",                   WAIT_SOCKET,    WAIT_SOCKET },
	{ "sk_wait",                     WAIT_SOCKET,    WAIT_SOCKET },
	{ "sk_stream",                   WAIT_SOCKET,    WAIT_SOCKET },
	{ "wait_for_connect",            WAIT_SOCKET,    WAIT_SOCKET },
	{ "inet_wait",                   WAIT_SOCKET,    WAIT_SOCKET },
	{ "__inet_stream_connect",       WAIT_SOCKET,    WAIT_SOCKET },
	{ "tcp_",                        WAIT_SOCKET,    WAIT_SOCKET },
	{ "udp_",                        WAIT_SOCKET,    WAIT_SOCKET },
	{ "unix_",                       WAIT_SOCKET,    WAIT_SOCKET },
	{ "__skb_wait",                  WAIT_SOCKET,    WAIT_SOCKET },
	{ "__skb_recv",                  WAIT_SOCKET,    WAIT_SOCKET },
	{ "skb_recv",                    WAIT_SOCKET,    WAIT_SOCKET },
	{ "sock_",                       WAIT_SOCKET,    WAIT_SOCKET },
	{ "pipe_",                       WAIT_PIPE,      WAIT_PIPE },
	{ "anon_pipe_",                  WAIT_PIPE,      WAIT_PIPE },
	{ "wait_for_partner",            WAIT_PIPE,      WAIT_PIPE },
	{ "ep_poll",                     WAIT_POLL,      WAIT_POLL },
	{ "do_epoll",                    WAIT_POLL,      WAIT_POLL },
	{ "poll_",                       WAIT_POLL,      WAIT_POLL },
	{ "do_poll",                     WAIT_POLL,      WAIT_POLL },
	{ "do_sys_poll",                 WAIT_POLL,      WAIT_POLL },
	{ "do_select",                   WAIT_POLL,      WAIT_POLL },
	{ "io_cqring_wait",              WAIT_POLL,      WAIT_POLL },
	{ "eventfd_",                    WAIT_POLL,      WAIT_POLL },
	{ "hrtimer_nanosleep",           WAIT_TIMER,     WAIT_TIMER },
	{ "do_nanosleep",                WAIT_TIMER,     WAIT_TIMER },
	{ "common_nsleep",               WAIT_TIMER,     WAIT_TIMER },
	{ "timerfd_",                    WAIT_TIMER,     WAIT_TIMER },
	{ "do_wait_intr",                WAIT_TIMER,     WAIT_TIMER },     /* timerfd and eventfd: not do_wait() */
	{ "do_wait",                     WAIT_CHILD,     WAIT_CHILD },
	{ "kernel_wait4",                WAIT_CHILD,     WAIT_CHILD },
	{ "kernel_clone",                WAIT_CHILD,     WAIT_CHILD },
};
/* clang-format on */

static enum wait by_wchan(const char *wchan, bool uninterruptible)
{
	for (size_t i = 0; i < sizeof(wchans) / sizeof(*wchans); i++)
		if (!strncmp(wchan, wchans[i].prefix, strlen(wchans[i].prefix)))
			return uninterruptible ? wchans[i].d : wchans[i].s;
	return uninterruptible ? WAIT_D_OTHER : WAIT_SLEEP;
}

enum wait wait_of(char state, const char *wchan, bool kernel_thread)
{
	switch (state) {
	case 'R':
		return WAIT_RUN;
	case 'D':
		return by_wchan(wchan, true);
	case 'T':
	case 't':
		return WAIT_FROZEN;
	case 'Z':
	case 'X':
		return WAIT_ZOMBIE;
	case 'I':
		return WAIT_SLEEP;
	default:
		return kernel_thread ? WAIT_SLEEP : by_wchan(wchan, false);
	}
}

enum cause wait_cause(enum wait w)
{
	static const enum cause causes[WAIT_MAX] = {
		[WAIT_RUN] = CAUSE_SYSTEM,          [WAIT_DISK] = CAUSE_DISK,
		[WAIT_WRITEBACK] = CAUSE_WRITEBACK, [WAIT_RECLAIM] = CAUSE_RECLAIM,
		[WAIT_FAULT] = CAUSE_FAULT,         [WAIT_KLOCK] = CAUSE_LOCK,
		[WAIT_FROZEN] = CAUSE_STOPPED,      [WAIT_FS] = CAUSE_OTHER,
		[WAIT_D_OTHER] = CAUSE_OTHER,       [WAIT_MUTEX] = CAUSE_LOCK,
		[WAIT_FUTEX] = CAUSE_WORK,          [WAIT_FLOCK] = CAUSE_LOCK,
		[WAIT_SOCKET] = CAUSE_WORK,         [WAIT_PIPE] = CAUSE_WORK,
		[WAIT_POLL] = CAUSE_WORK,           [WAIT_TIMER] = CAUSE_WORK,
		[WAIT_CHILD] = CAUSE_WORK,          [WAIT_SLEEP] = CAUSE_WORK,
		[WAIT_ZOMBIE] = CAUSE_RESIDUAL,
	};

	return causes[w];
}

bool cause_is_lost(enum cause c)
{
	/* a stopped job may be what its owner wanted: the rule about stopped processes looks for somebody who waits */
	return c >= CAUSE_RUNNABLE && c <= CAUSE_OTHER && c != CAUSE_STOPPED;
}

const char *cause_name(enum cause c)
{
	static const char *const names[CAUSE_MAX] = {
		[CAUSE_USER] = "running_user",    [CAUSE_SYSTEM] = "running_system",
		[CAUSE_STOLEN] = "stolen",        [CAUSE_RUNNABLE] = "runnable",
		[CAUSE_THROTTLED] = "throttled",  [CAUSE_DISK] = "disk",
		[CAUSE_WRITEBACK] = "writeback",  [CAUSE_RECLAIM] = "reclaim",
		[CAUSE_FAULT] = "fault",          [CAUSE_LOCK] = "lock",
		[CAUSE_STOPPED] = "stopped",      [CAUSE_OTHER] = "other",
		[CAUSE_REPLY] = "awaiting_reply", [CAUSE_WORK] = "awaiting_work",
		[CAUSE_RESIDUAL] = "residual",
	};

	return names[c];
}

const char *wait_name(enum wait w)
{
	static const char *const names[WAIT_MAX] = {
		[WAIT_RUN] = "run",
		[WAIT_DISK] = "disk",
		[WAIT_WRITEBACK] = "writeback",
		[WAIT_RECLAIM] = "reclaim",
		[WAIT_FAULT] = "fault",
		[WAIT_KLOCK] = "kernel lock",
		[WAIT_FROZEN] = "stopped",
		[WAIT_FS] = "file system",
		[WAIT_D_OTHER] = "uninterruptible",
		[WAIT_MUTEX] = "lock",
		[WAIT_FUTEX] = "futex",
		[WAIT_FLOCK] = "file lock",
		[WAIT_SOCKET] = "socket",
		[WAIT_PIPE] = "pipe",
		[WAIT_POLL] = "poll",
		[WAIT_TIMER] = "timer",
		[WAIT_CHILD] = "child",
		[WAIT_SLEEP] = "sleep",
		[WAIT_ZOMBIE] = "zombie",
	};

	return names[w];
}
