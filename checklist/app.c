/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of applications: the table. What they compute is in app_limit.c, app_process.c, lock.c; what sockets and requests
 * tell has a table of its own. */
#include "checklist/app.h"

/* clang-format off */
const struct rule rules_app[] = {
	{ .id = "app.emfile", .question = "Does a process fail because it has all descriptors open that it may?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_PROC_FDS, .floor = 1, .check = check_emfile,
	  .fires = "open descriptors equal the soft limit of open files (ratio 1), and the process ran in the window; or the machine has 98 % "
		   "of fs.file-max open",
	  .needs = "/proc/PID/fd and /proc/PID/limits (root for other users' processes), /proc/sys/fs/file-nr",
	  .meaning = "open(), socket() and accept() fail with EMFILE at the soft limit RLIMIT_NOFILE. A server that cannot accept "
		     "leaves its clients in the backlog, and often spins on the error.",
	  .lookalikes = "A process that sizes its pool to the limit on purpose; it would not fail. The failed calls themselves are only "
			"seen with eBPF.",
	  .action = "Find what is not closed: ls -l /proc/PID/fd. Raise LimitNOFILE only if the number is really needed.",
	  .symptoms = "app.fd_near_limit app.close_wait_leak net.listen_overflow net.accept_queue_slow" },
	{ .id = "app.close_wait_leak", .question = "Does a program forget to close connections that its peers have closed?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_TCP_N_CLOSE_WAIT, .floor = 20, .check = check_close_wait,
	  .fires = "at least 20 sockets of one process are in CLOSE-WAIT at both ends of the window; a warning while they grow",
	  .needs = "sock_diag; root to find the owner of a socket",
	  .meaning = "CLOSE-WAIT lasts until the program calls close(). A socket that is in it for a whole window has been forgotten, and "
		     "keeps a descriptor, its buffers, and in the end the limit of open files.",
	  .lookalikes = "A pool of idle connections whose servers went away, which the program closes when it next uses them.",
	  .action = "Find the code that reads 0 bytes and goes on; ss -tnp state close-wait shows which peers.",
	  .symptoms = "app.fd_near_limit" },
	{ .id = "app.fd_near_limit", .question = "Will a process soon run out of descriptors?",
	  .resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_PROC_FDS, .floor = 0.9, .check = check_fd_near_limit,
	  .fires = "open descriptors are at least 0.9 of the soft limit; a warning while they grow, and for a process that works with "
		   "less than 5 % and fewer than 128 left",
	  .needs = "/proc/PID/fd and /proc/PID/limits (root for other users' processes)",
	  .meaning = "The number of open descriptors at both ends of the window against RLIMIT_NOFILE; growth gives the time to the limit.",
	  .lookalikes = "A connection pool that is full by design, grows no more and sleeps: only an information.",
	  .action = "Look at what the descriptors are (ls -l /proc/PID/fd); sockets in CLOSE_WAIT are never closed by the program." },
	{ .id = "app.pids_limit", .question = "Do forks fail at a limit of tasks?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_PID_MAX, .floor = 0, .check = check_pids_limit,
	  .fires = "pids.events of a control group counted rejected forks in the window (more than 0 a second), or the machine has 98 % of "
		   "kernel.pid_max or kernel.threads-max",
	  .needs = "the pids controller of cgroup v1 or v2; /proc/sys/kernel/pid_max",
	  .meaning = "fork() and thread creation fail with EAGAIN when the group has pids.max tasks; the counter `max` of pids.events grows.",
	  .lookalikes = "The limit of the user (RLIMIT_NPROC) gives the same error and leaves the counter alone.",
	  .action = "Find who multiplies in the group (ps -eo pid,ppid,comm,cgroup); raise TasksMax or pids.max if the number is right." },
	{ .id = "app.inotify_limit", .question = "Has a user all inotify instances that are allowed?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_INOTIFY_INSTANCES_MAX, .floor = 1, .check = check_inotify,
	  .fires = "the processes of one user have as many inotify instances as fs.inotify.max_user_instances allows (ratio 1)",
	  .needs = "/proc/PID/fd (root); watches (max_user_watches) are counted nowhere and would need eBPF",
	  .meaning = "inotify_init fails with EMFILE although the process is far below its own limit: file watchers, kubelet, journald, "
		     "tail -F then poll, or do not start at all.",
	  .lookalikes = "None known: to be exactly at the limit and not to want one more is unlikely.",
	  .action = "sysctl fs.inotify.max_user_instances=1024, after a look at who has them all." },
	{ .id = "app.zombies", .question = "Does a parent leave its ended children unreaped?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_ZOMBIES, .floor = 50, .check = check_zombies,
	  .fires = "at least 50 zombies of one parent; a warning while they grow",
	  .needs = "/proc/PID/stat",
	  .meaning = "A zombie has ended and keeps its PID until its parent waits for it. They take no memory to speak of, but PIDs, and the "
		     "pids limit of the control group.",
	  .lookalikes = "A burst of children that end together: the number falls again within a second.",
	  .action = "The parent has to call wait(), or set SIGCHLD to SIG_IGN. Ending the parent removes its zombies.",
	  .symptoms = "app.pids_limit cpu.short_lived_processes" },
	{ .id = "app.crash_loop", .question = "Does a program crash and get started again, over and over?",
	  .resource = RES_APP, .aspect = ASPECT_ERRORS, .metric = M_PROCESSES, .floor = 3, .check = check_crash_loop,
	  .fires = "the kernel logged at least 3 crashes (segfault, trap, unhandled signal) of one program in the window",
	  .needs = "/dev/kmsg with kernel.print-fatal-signals or the architecture's own line (debug.exception-trace on x86)",
	  .meaning = "Crashes are read from the kernel log and counted by program; who starts it again is told by births that were caught.",
	  .lookalikes = "A fuzzer or a test run that crashes on purpose. A program that exits with an error again and again writes nothing to "
			"the kernel log and is not seen here (cpu.short_lived_processes sees its cost).",
	  .action = "Look at the core dump, and stop whoever restarts it without a pause.",
	  .symptoms = "cpu.short_lived_processes kernel.log_errors" },
	{ .id = "app.process_stopped", .question = "Does somebody wait for a process that is stopped?",
	  .resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_PROC_STATE, .floor = 0.05, .check = check_stopped,
	  .fires = "a process in state T or t leaves connections unaccepted, unread or unanswered, or holds a file lock: at least 0.05 s/s",
	  .needs = "/proc/PID/stat; sock_diag to see who waits",
	  .meaning = "A process that was sent SIGSTOP, or is held by a debugger, keeps its sockets: clients connect, and wait.",
	  .lookalikes = "A job that was put aside with Ctrl-Z: nobody waits for it, and nothing is said.",
	  .action = "kill -CONT PID, or end the debugger; find out who stopped it.",
	  .symptoms = "net.accept_queue_slow net.listen_overflow app.worker_pool_exhausted app.slow_server app.slow_dependency "
		      "net.tcp_zero_window lock.flock_contention" },
	{ .id = "app.cgroup_frozen", .question = "Are processes stopped by the freezer of their control group?",
	  .resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_CG_FROZEN, .floor = 1, .check = check_frozen,
	  .fires = "a control group with processes is frozen (1) at the end of the window; a warning when others wait for them",
	  .needs = "the freezer of cgroup v1 or v2; sock_diag to see who waits",
	  .meaning = "Frozen processes sleep in __refrigerator or in the freezer trap: state D on v1, S on v2, with no I/O at all. "
		     "`docker pause` and suspend-like managers do this.",
	  .lookalikes = "A container that was paused on purpose: nobody but you can know.",
	  .action = "Thaw it: docker unpause, or write THAWED to freezer.state (v1), 0 to cgroup.freeze (v2).",
	  .symptoms = "disk.hung_io_dstate app.process_stopped net.accept_queue_slow net.listen_overflow app.worker_pool_exhausted "
		      "app.slow_server app.slow_dependency" },
	{ .id = "app.server_global_lock", .question = "Do the threads of a server wait for one lock most of the time?",
	  .resource = RES_APP, .aspect = ASPECT_SATURATION, .metric = M_PROC_LOCK_WAIT, .floor = 0.2, .check = check_server_lock,
	  .fires = "threads of a listening process wait at least 0.2 s/s for a contended lock, at least half of their working time, while "
		   "connections wait for it",
	  .needs = "/proc/TID/syscall (root), sock_diag",
	  .meaning = "Requests are served one at a time whatever the number of threads. Measured as lock.futex_contention and "
		     "lock.convoy_idle_cpu are.",
	  .lookalikes = "Locks inside a runtime (Python's GIL, Java monitors) look like queues to the kernel and are not seen.",
	  .action = "Find what is done with the lock held (gdb, perf), and make it shorter or split it.",
	  .symptoms = "lock.futex_contention lock.convoy_idle_cpu app.slow_server app.worker_pool_exhausted net.accept_queue_slow" },
	{ .id = "app.stop_the_world_pauses", .question = "Do all threads of a program stand still at once, again and again?",
	  .resource = RES_APP, .aspect = ASPECT_DURATION, .metric = M_NONE, .floor = 0.01,
	  .fires = "all application threads of a process off the CPU together for at least 10 ms, again and again, while requests are open",
	  .needs = "eBPF: switches of every thread with their time; ten samples a second do not see pauses of milliseconds",
	  .meaning = "Garbage collectors, safepoints and fork() of a large process stop all threads of it.",
	  .lookalikes = "An idle server.",
	  .action = "Look at the log of the garbage collector; at how often the program forks." },
	{ .id = "app.log_spam", .question = "Does a program write far too much log?",
	  .resource = RES_APP, .aspect = ASPECT_RATE, .metric = M_PROC_SYSCW, .floor = 1000, .check = check_log_spam,
	  .fires = "at least 1000 write calls a second of at most 8 KiB whose bytes become dirty file pages, more written than read, all "
		   "through the window (an information)",
	  .needs = "/proc/PID/io (root for other users' processes)",
	  .meaning = "Calls and bytes of write() against the bytes that became dirty pages of files: sockets and pipes have none of these.",
	  .lookalikes = "A database's write-ahead log, an unpacking archive.",
	  .action = "Look at which file grows (ls -l /proc/PID/fd) and at the program's log level." },
	{ .id = NULL }
};
/* clang-format on */
