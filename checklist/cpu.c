/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the CPU: the table. How they judge stands in cpu_queue.c (waiting), cpu_storm.c (mechanisms that burn
 * time) and cpu_irq.c (what takes time away from tasks); what they share in cpu_wait.c. */
#include "checklist/cpu.h"

#define TRACE "eBPF: "

/* clang-format off */
const struct rule rules_cpu[] = {
	{
		.id = "cpu.saturated", .question = "Do threads wait because all CPUs are busy?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_SYS_IDLE, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "at least 90 % of all CPU time used in at least 80 % of the seconds, and threads of normal priority waiting "
			 "at least 0.05 s/s, of which one party gets 1.25 times slower by it",
		.needs = "/proc/stat, /proc/PID/task/TID/schedstat; /proc/pressure/cpu as a cross-check",
		.meaning = "More threads want to run than there are CPUs. Waiting is the kernel's own count of nanoseconds in the run "
			   "queue, not the load average; the offenders are those who used the CPU time meanwhile.",
		.lookalikes = "100 % use without waiting (one busy thread per CPU) is full use, not saturation. Niced and batch jobs wait "
			      "by design. Waiting behind a quota, a cpuset, an affinity mask, real-time tasks, interrupts or the hypervisor "
			      "has findings of its own, and so has a storm that fills the CPUs.",
		.action = "Find out whether the offender's work is wanted (profile it). If it is: more CPUs, or fewer threads, or a lower "
			  "priority (nice, cpu.weight) so that the victims go first.",
		.symptoms = "cpu.runqueue_latency_bursts cpu.single_thread_bound", .check = check_saturated,
	}, {
		.id = "cpu.single_thread_bound", .question = "Is one thread limited by the speed of one CPU?",
		.resource = RES_CPU, .aspect = ASPECT_UTILIZATION, .metric = M_THREAD_PID, .floor = 0.9, .warn = 0.9, .crit = 10,
		.fires = "one thread of normal priority on a CPU for at least 90 % of the window while at least 0.3 CPUs are idle; it is "
			 "information only, for nothing shows that anybody waits for its work",
		.needs = "/proc/PID/task/TID/{stat,schedstat}",
		.meaning = "The thread cannot go faster by adding CPUs. Whether that hurts depends on who waits for it: a server with a full "
			   "socket queue is app.single_threaded_server_saturated.",
		.lookalikes = "A batch job that is meant to use one CPU. A spinning thread (lock.spin_busywait).",
		.action = "Profile the thread; split its work over several threads or processes; a CPU with a higher clock.",
		.symptoms = "", .check = check_single_thread,
	}, {
		.id = "cpu.cpuset_confined", .question = "Do threads wait while CPUs outside their cpuset are idle?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_THREAD_RUNNABLE, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "threads waiting at least 0.05 s/s (1.25 times slower) whose cpuset's CPUs are at least 85 % busy while at least 0.3 "
			 "other CPUs are idle",
		.needs = "/proc/PID/task/TID/{schedstat,status}, the cpuset of the cgroup",
		.meaning = "The cgroup may use only some CPUs, those are full, and others have nothing to do.",
		.lookalikes = "An affinity mask that the process set itself (cpu.affinity_imbalance). A CPU quota (cpu.cgroup_throttled).",
		.action = "Widen cpuset.cpus of the cgroup, or move other work off these CPUs.",
		.symptoms = "cpu.runqueue_latency_bursts", .check = check_cpuset,
	}, {
		.id = "cpu.affinity_imbalance", .question = "Do threads wait while CPUs outside their affinity mask are idle?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_THREAD_RUNNABLE, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "threads waiting at least 0.05 s/s (1.25 times slower) whose allowed CPUs are at least 85 % busy while at least 0.3 "
			 "other CPUs are idle",
		.needs = "/proc/PID/task/TID/{schedstat,status}",
		.meaning = "taskset, sched_setaffinity, CPUAffinity= or isolcpus keep the threads on CPUs that are full.",
		.lookalikes = "A cpuset (cpu.cpuset_confined). A single thread on one full CPU waits for nobody.",
		.action = "Widen the mask (taskset -acp 0-N PID), or spread the pinned processes over the CPUs.",
		.symptoms = "cpu.runqueue_latency_bursts", .check = check_affinity,
	}, {
		.id = "cpu.noisy_neighbour_shares", .question = "Does one cgroup take CPU time that others are due?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_THREAD_RUNNABLE, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "all CPUs busy; a cgroup waits at least 0.05 s/s, at least 3 times as long per second of running as the cgroup that "
			 "takes most (at least half), and gets less than 0.7 of an equal thread's part",
		.needs = "/proc/PID/task/TID/schedstat, /proc/PID/cgroup",
		.meaning = "CPU time is divided between cgroups by weight, then inside each. Many threads or a high weight in one group leave "
			   "little for the others.",
		.lookalikes = "Threads of one group that compete with each other (cpu.saturated).",
		.action = "Raise cpu.weight (v2) or cpu.shares (v1) of the victim, or give the offender a quota.",
		.symptoms = "cpu.saturated cpu.runqueue_latency_bursts", .check = check_neighbour,
	}, {
		.id = "cpu.rt_hog", .question = "Do real-time tasks keep others off the CPU?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_THREAD_RUNNABLE, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "threads wait at least 0.05 s/s (1.25 times slower) in waits during half of which FIFO, RR and deadline tasks ran; where that "
			 "was not measured, while those take at least 0.3 CPUs and 30 % of the time used",
		.needs = "/proc/PID/task/TID/{stat,schedstat}",
		.meaning = "A real-time task runs before every normal one, for as long as it likes (95 % of each second by default).",
		.lookalikes = "Threaded interrupt handlers are real-time tasks of the kernel: then the device is the cause.",
		.action = "chrt the task back to SCHED_OTHER, or give it a CPU of its own.",
		.symptoms = "cpu.saturated cpu.runqueue_latency_bursts", .check = check_rt_hog,
	}, {
		.id = "cpu.runqueue_latency_bursts", .question = "Do threads wait in bursts though there is idle time?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_THREAD_RUNNABLE, .floor = 0.2, .warn = 0.2, .crit = 1,
		.fires = "threads waiting at least 0.2 s/s and at least 2 ms per turn, at least as long as they run, while the CPUs are not "
			 "full in most seconds",
		.needs = "/proc/PID/task/TID/schedstat",
		.meaning = "Many threads become runnable at the same moment (a common timer, a broadcast, a batch of requests) and stand in "
			   "line, then all CPUs are idle again. The mean use looks harmless.",
		.lookalikes = "At 60 % use a random queue waits half as long as it runs: normal. Throttling by a quota looks the same in "
			      "run delay (cpu.cgroup_throttled).",
		.action = "Spread the timers (jitter), wake fewer threads, or use a smaller pool.",
		.symptoms = "", .check = check_bursts,
	}, {
		.id = "cpu.short_lived_processes", .question = "Do processes too short-lived for top burn the CPU?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_FORKS, .floor = 0.4, .warn = 0.4, .crit = 10,
		.fires = "at least 100 new processes a second, in at least 70 % of the seconds, with at most 20 ms of CPU time each, that "
			 "take at least 0.4 CPUs together",
		.needs = "/proc/stat, /proc/PID/stat of all processes",
		.meaning = "CPU time that no living process accounts for, and children that their parents waited for. Starting and ending a "
			   "process costs more than most of them do.",
		.lookalikes = "A parallel build makes many processes, but each works for long. A service that crashes and restarts is "
			      "app.crash_loop.",
		.action = "Let the parent do the work itself, or once for many items (xargs, one long-lived helper).",
		.symptoms = "cpu.context_switch_storm cpu.single_thread_bound memory.minor_fault_storm", .check = check_short_lived,
	}, {
		.id = "cpu.syscall_storm", .question = "Does a process enter the kernel for next to nothing?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_PROC_SYSTEM, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 50,000 reads and writes a second of at most 512 bytes each by one party that spends at least 0.2 CPUs and "
			 "30 % of its CPU time in the kernel",
		.needs = "/proc/PID/io (root for other users' processes); for other system calls " TRACE "raw_syscalls",
		.meaning = "Entering the kernel costs more than what is done there. From /proc only calls of the read and write kind are seen; "
			   "a process that burns system time by other calls is named under unknown.",
		.lookalikes = "Page faults, context switches, forks, large copies: each has its own rule and is taken out first.",
		.action = "Buffer: read and write kilobytes at a time; strace -c shows which calls.",
		.symptoms = "cpu.single_thread_bound", .check = check_syscall_storm,
	}, {
		.id = "cpu.context_switch_storm", .question = "Is CPU time spent on switching between threads?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_CTXT, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "one party makes at least 20,000 switches a second, has at most 20 us of CPU time per switch, and spends at least "
			 "0.2 CPUs and 30 % of its CPU time in the kernel",
		.needs = "/proc/stat, /proc/PID/task/TID/status",
		.meaning = "Threads hand work to each other in pieces so small that the hand-over costs more than the work.",
		.lookalikes = "Threads that fight for a lock (lock.futex_contention); many woken for one event (cpu.thundering_herd); timers "
			      "(cpu.timer_interrupt_storm).",
		.action = "Hand over more at a time, or do both steps in one thread.",
		.symptoms = "cpu.syscall_storm cpu.single_thread_bound", .check = check_switch_storm,
	}, {
		.id = "cpu.sched_yield_storm", .question = "Do threads spin by giving up the CPU?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_CTXT, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "one party makes at least 10,000 involuntary switches a second, three times its voluntary ones and half of all switches, "
			 "and spends at least 0.2 CPUs in the kernel",
		.needs = "/proc/stat, /proc/PID/task/TID/status; a single thread that yields to nobody needs " TRACE "sys_sched_yield",
		.meaning = "sched_yield in a loop (a home-made spin lock) switches to another runnable thread each time without sleeping.",
		.lookalikes = "Preemption by threads that wake up: those have voluntary switches.",
		.action = "Replace the loop by a mutex or futex.",
		.symptoms = "cpu.context_switch_storm cpu.single_thread_bound", .check = check_yield_storm,
	}, {
		.id = "cpu.thundering_herd", .question = "Are many threads woken for an event that one can serve?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_THREAD_SLICES, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 8 threads of one party run at the same rate (within 4 %), at least 2,000 times a second together, for at most 300 us, and wait "
			 "in line four times as long as they run; the party takes at least 0.2 CPUs, at least half of it in the kernel",
		.needs = "/proc/PID/task/TID/{schedstat,status}",
		.meaning = "A broadcast, or an event that all listen to, wakes everybody; one does the work, the others look and sleep again.",
		.lookalikes = "A pool in which each wake-up has work runs longer per turn. Threads on a common timer: "
			      "cpu.runqueue_latency_bursts.",
		.action = "Signal one waiter instead of all; EPOLLEXCLUSIVE or SO_REUSEPORT for sockets; a smaller pool.",
		.symptoms = "cpu.context_switch_storm cpu.runqueue_latency_bursts lock.futex_contention lock.convoy_idle_cpu", .check = check_herd,
	}, {
		.id = "cpu.timer_interrupt_storm", .question = "Do timers interrupt the CPUs too often?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_CPU_IRQ_LOC, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 10,000 local timer interrupts a second beyond 1,000 per CPU (the highest tick rate), and a party that wakes up "
			 "with them and takes at least 0.2 CPUs in the kernel",
		.needs = "/proc/interrupts, /proc/PID/task/TID/status",
		.meaning = "Each expiry costs an interrupt, a wake-up and a switch, some microseconds in all.",
		.lookalikes = "The tick itself (100 to 1,000 per CPU and second).",
		.action = "Use longer periods, coalesce timers (timer slack), or wait for events instead of polling.",
		.symptoms = "cpu.context_switch_storm cpu.syscall_storm cpu.single_thread_bound", .check = check_timer_storm,
	}, {
		.id = "cpu.signal_storm", .question = "Do signals burn the CPU?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_NONE, .floor = 10000, .warn = 0.2, .crit = 10,
		.fires = "10,000 signals a second that take at least 0.2 CPUs",
		.needs = TRACE "signal_generate (no file of /proc counts signals)",
		.meaning = "Each signal interrupts the receiver and enters and leaves the kernel twice.",
		.lookalikes = "Timers (cpu.timer_interrupt_storm), faults (memory.minor_fault_storm).",
		.action = "Use eventfd, signalfd or a pipe; find the sender with trace -e signal_generate.",
		.symptoms = "", .check = NULL,
	}, {
		.id = "cpu.tlb_shootdown_ipi", .question = "Do CPUs interrupt each other to forget address translations?",
		.resource = RES_CPU, .aspect = ASPECT_RATE, .metric = M_CPU_IRQ_TLB, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 5,000 TLB shootdowns a second and a multi-threaded party with at least 0.2 CPUs in the kernel that page faults "
			 "do not explain",
		.needs = "/proc/interrupts, /proc/PID/stat",
		.meaning = "Every munmap, mprotect or madvise in a process that runs on several CPUs makes the other CPUs stop and answer.",
		.lookalikes = "Memory that is mapped, touched and unmapped in a loop faults more than it shoots (memory.minor_fault_storm).",
		.action = "Keep memory mapped (allocator settings: M_TRIM_THRESHOLD, decay times), use fewer threads or processes instead.",
		.symptoms = "", .check = check_tlb_storm,
	}, {
		.id = "cpu.softirq_saturated", .question = "Does interrupt work fill a CPU?",
		.resource = RES_CPU, .aspect = ASPECT_UTILIZATION, .metric = M_CPU_SOFTIRQ, .floor = 0.3, .warn = 0.3, .crit = 10,
		.fires = "a CPU at least 90 % busy with at least 50 % of its time in interrupts, or at least 30 % with tasks that wait behind them",
		.needs = "/proc/stat, /proc/softirqs",
		.meaning = "Soft interrupts run before tasks: packets, block completions, timers, RCU. Without CONFIG_IRQ_TIME_ACCOUNTING their "
			   "time is sampled by the tick.",
		.lookalikes = "A flood of packets has its own finding (net.packet_storm_softirq). One CPU doing all while others idle is "
			      "cpu.irq_imbalance.",
		.action = "See which vector and device; spread it (RSS, RPS, irqbalance), coalesce (ethtool -C), or stop the source.",
		.symptoms = "net.softnet_drops cpu.runqueue_latency_bursts", .check = check_softirq,
	}, {
		.id = "cpu.irq_imbalance", .question = "Does one CPU do the interrupt work of all?",
		.resource = RES_CPU, .aspect = ASPECT_UTILIZATION, .metric = M_CPU_SOFTIRQ, .floor = 0.3, .warn = 0.3, .crit = 10,
		.fires = "one CPU at least 90 % busy with at least 30 % interrupt time, three times that of the others, which are at most half busy",
		.needs = "/proc/stat, /proc/interrupts, /proc/softirqs",
		.meaning = "A device with one queue, or an affinity setting, sends all its interrupts to one CPU, which is full.",
		.lookalikes = "A single flow goes to one CPU by design.",
		.action = "irqbalance, /proc/irq/N/smp_affinity_list, more queues (ethtool -L), RPS.",
		.symptoms = "cpu.softirq_saturated net.softnet_drops", .check = check_irq_imbalance,
	}, {
		.id = "cpu.steal", .question = "Does the hypervisor take CPU time away?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_SYS_STEAL, .floor = 0.1, .warn = 0.1, .crit = 1,
		.fires = "at least 0.1 CPUs stolen and at least 10 % of what the guest wanted to use",
		.needs = "/proc/stat; a hypervisor that reports stolen time",
		.meaning = "The guest had work and the host ran something else: other guests, or a limit (CPU credits, a quota).",
		.lookalikes = "A hypervisor that does not report it: everything is slow and no counter says why.",
		.action = "Ask for a less crowded host, a larger or dedicated instance; look at CPU credits.",
		.symptoms = "cpu.saturated cpu.runqueue_latency_bursts", .check = check_steal,
	}, {
		.id = "cpu.frequency_throttled", .question = "Are CPUs slowed down for their temperature?",
		.resource = RES_CPU, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 0.05, .warn = 0.05, .crit = 10,
		.fires = "a CPU that is at least 20 % busy throttled for at least 10 % of the window, and at least 0.05 CPUs of speed lost",
		.needs = "/sys/devices/system/cpu/cpu*/thermal_throttle (Intel); /sys/devices/system/cpu/cpu*/cpufreq for the speed",
		.meaning = "The hardware lowers the clock when it is too hot; everything on it runs slower.",
		.lookalikes = "A low clock because nothing is to be done, or because a governor saves power (cpu.frequency_low).",
		.action = "Cooling: fans, dust, thermal paste, rack inlet temperature; power limits in the firmware.",
		.symptoms = "cpu.frequency_low", .check = check_throttled_frequency,
	}, {
		.id = "cpu.frequency_low", .question = "Do busy CPUs run at a low clock?",
		.resource = RES_CPU, .aspect = ASPECT_UTILIZATION, .metric = M_NONE, .floor = 0.6, .warn = 0.2, .crit = 10,
		.fires = "CPUs at least 80 % busy that run below 60 % of their highest clock at both ends of the window, at least 0.2 CPUs of "
			 "speed lost",
		.needs = "/sys/devices/system/cpu/cpu*/cpufreq",
		.meaning = "A power policy, a limit or the firmware keeps the clock low although there is work.",
		.lookalikes = "Heat (cpu.frequency_throttled). Turbo clocks that only one core can reach.",
		.action = "cpupower frequency-set -g performance; scaling_max_freq; power profile of the firmware.",
		.symptoms = "", .check = check_low_frequency,
	}, {
		.id = "cpu.kthread_hog", .question = "Does a thread of the kernel burn a CPU?",
		.resource = RES_CPU, .aspect = ASPECT_UTILIZATION, .metric = M_PROC_KTHREAD, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "kernel threads of one name take at least half a CPU; it is a warning when that is half of all CPU time "
			 "used and threads wait for a CPU at least 0.05 s/s, else information",
		.needs = "/proc/PID/stat of all processes",
		.meaning = "Work that the kernel does on somebody's behalf: reclaim (kswapd), checksums and encryption (kworker), RAID resync, "
			   "network polling (ksoftirqd).",
		.lookalikes = "Where a rule knows the work (memory, disk, network) that rule names who asked for it.",
		.action = "perf top -g or /proc/PID/stack shows what it does.",
		.symptoms = "", .check = check_kthread_hog,
	}, {
		.id = "cpu.scheduler_imbalance", .question = "Do threads wait while a CPU they may use is idle?",
		.resource = RES_CPU, .aspect = ASPECT_SATURATION, .metric = M_TIME_QUEUED_PASSED, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "threads waiting at least 0.05 s/s (1.25 times slower) in waits of 2 ms and more during which another CPU of their "
			 "mask was idle for half of the wait, and for 4 ms",
		.needs = TRACE "tp_btf/sched_switch",
		.meaning = "Load balancing is late or switched off: scheduling domains (cpuset.sched_load_balance, isolated partitions, isolcpus), "
			   "NUMA distance, large cache domains. Each CPU keeps how long it has been idle; when a wait of 2 ms and more ends, that "
			   "is compared over all CPUs for the time of the wait.",
		.lookalikes = "Affinity masks and cpusets: there the idle CPUs are outside of what the thread may use.",
		.action = "perf sched timehist; look at scheduling domains, isolcpus= on the kernel's command line, and NUMA balancing.",
		.symptoms = "cpu.runqueue_latency_bursts", .check = check_imbalance,
	}, {
		.id = "cpu.wakeup_latency", .question = "Does it take long until an idle CPU runs what was woken?",
		.resource = RES_CPU, .aspect = ASPECT_DURATION, .metric = M_TIME_QUEUED_DROWSY, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "waits of 0.5 ms and more that end by a switch from idle on the CPU where the thread was woken, of which interrupts and the "
			 "hypervisor are known to have taken less than 30 %: at least 0.05 s/s, and 1.25 times slower for it",
		.needs = TRACE "tp_btf/sched_switch",
		.meaning = "Deep sleep states, a hypervisor that is slow to wake a virtual CPU, or interrupts switched off for long.",
		.lookalikes = "Run queues: there the CPU ran another thread. Waking up takes some 10 µs on hardware and 100 µs in a guest: shorter "
			      "waits are not counted here.",
		.action = "cpupower idle-set, tuned-adm profile latency-performance, halt_poll_ns on the host.",
		.symptoms = "cpu.runqueue_latency_bursts", .check = check_wakeup,
	},
	{ .id = NULL }
};
/* clang-format on */
