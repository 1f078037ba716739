/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of disks. */
#include "checklist/disk.h"

/* clang-format off */
const struct rule rules_disk[] = {
	{ .id = "disk.cgroup_io_throttled",
	  .question = "Do threads wait because the I/O limit of their control group is used up?",
	  .resource = RES_DISK, .aspect = ASPECT_SATURATION, .metric = M_CG_GROUPS, .floor = 0.9, .warn = 0.1, .crit = 1,
	  .fires = "a group does at least 90 % of a limit set for it on a device (blkio.throttle.* or io.max), and its threads are blocked on "
		   "disks for 0.1 s/s or more, at least half of which the requests of the device itself do not account for",
	  .needs = "limits and I/O of control groups, proc/diskstats, state samples of threads",
	  .meaning = "The kernel holds the requests of the group back before the device sees them. Tools that look at the device (iostat) "
		     "show an idle disk with short waits, while the application waits long. The rate in the group's own counters is "
		     "compared with its limit; blocked time comes from samples of thread states.",
	  .lookalikes = "A disk that is slow or saturated has requests in flight all the time. A group that merely uses 90 % of its limit "
			"without anybody waiting is at its limit by chance.",
	  .action = "Raise or remove the limit, or move the work. On v1 write a larger number to the file named under next; on v2 to io.max.",
	  .symptoms = "disk.slow_device disk.saturated disk.fsync_storm disk.writeback_throttling app.slow_server app.worker_pool_exhausted",
	  .check = check_io_throttled },
	{ .id = "disk.hung_io_dstate",
	  .question = "Does a device hold requests and complete none?",
	  .resource = RES_DISK, .aspect = ASPECT_DURATION, .metric = M_DISK_IN_FLIGHT, .floor = 2, .warn = 0.5, .crit = 1,
	  .fires = "requests are in flight for the last 2 s of the window or longer and not one was completed meanwhile, and threads are "
		   "blocked for 0.5 s/s or more (or, if no thread could be seen, the kernel's own I/O stall time is that high)",
	  .needs = "proc/diskstats ten times a second, state samples of threads",
	  .meaning = "The device, its controller, the path to it or the server behind it does not answer. Threads that wait for it sit in state "
		     "D and cannot be killed. Mean waits stay at 0, since they count completed requests only.",
	  .lookalikes = "A very long discard or format command holds one request for seconds, too: then one thread waits, the one that asked "
			"for it. A counter of requests that a driver never took back has nobody who waits.",
	  .action = "Find out what is below the device (lsblk -s, losetup -l, multipath -ll) and whether that answers; look for resets in the "
		    "kernel log. A suspended device-mapper device is resumed with dmsetup resume.",
	  .symptoms = "disk.slow_device disk.saturated disk.path_down fs.hung_mount fs.fuse_slow kernel.hung_task disk.writeback_throttling "
		      "app.slow_server app.worker_pool_exhausted",
	  .check = check_hung_io },
	{ .id = "disk.slow_device",
	  .question = "Is a device itself far slower than its kind?",
	  .resource = RES_DISK, .aspect = ASPECT_DURATION, .metric = M_DISK_READS, .floor = 0.005, .warn = 0.3, .crit = 1,
	  .fires = "a request takes the device by itself at least 5 ms and at least 5 times what its class needs (12 ms for a spinning disk, 2 ms for "
		   "SSDs and disks of guests, 0.5 ms for NVMe, plus the bytes at a modest pace), and threads lose 0.3 s/s waiting for it",
	  .needs = "proc/diskstats, sys/block, state samples of threads",
	  .meaning = "The device's own time is the shortest mean wait of a second with at most two requests in flight; where the queue was deep "
		     "all the time it is the time between completions. So a long wait in a long queue is not taken for a slow device.",
	  .lookalikes = "Saturation: each request is fast, there are too many. A limit of a control group: the device is idle. Parallel storage "
			"far away (tens of ms, hundreds of requests at once) under load cannot be told from a queue here.",
	  .action = "Check the device's health (smartctl), its cabling and firmware, the array or cloud volume behind it, throttling by the "
		    "provider; for a loop device the file system that its file lies on.",
	  .symptoms = "disk.saturated disk.noisy_neighbour_io disk.fsync_storm disk.writeback_throttling fs.metadata_storm fs.fuse_slow app.slow_server "
		      "memory.major_faults",
	  .check = check_slow_device },
	{ .id = "disk.noisy_neighbour_io",
	  .question = "Does one process fill a disk's queue so that others wait?",
	  .resource = RES_DISK, .aspect = ASPECT_SATURATION, .metric = M_DISK_READS, .floor = 0.5, .warn = 0.2, .crit = 1,
	  .fires = "a disk that is not slow by itself has two or more requests in flight on average in at least half of the seconds, one party "
		   "sends half of the bytes or more, and others that send less than 30 % lose 0.2 s/s or more, a fifth of what the sender waits itself",
	  .needs = "proc/diskstats, proc/PID/io, state samples of threads",
	  .meaning = "The victims' few requests stand behind those of the neighbour. Who uses which disk is told by open files; where that is not "
		     "known, waiting is divided by the queues, and confidence falls.",
	  .lookalikes = "disk.saturated, when those who wait are those who send.",
	  .action = "Slow the neighbour down (ionice, io.max, io.weight, a later hour) or give one of them another disk.",
	  .symptoms = "disk.saturated app.slow_server app.worker_pool_exhausted memory.major_faults",
	  .check = check_noisy_neighbour },
	{ .id = "disk.fsync_storm",
	  .question = "Do threads wait because data is forced to the disk again and again?",
	  .resource = RES_DISK, .aspect = ASPECT_RATE, .metric = M_DISK_FLUSHES, .floor = 50, .warn = 0.5, .crit = 1,
	  .fires = "at least 50 cache flushes a second and one for every 20 writes, and processes that write lose 0.5 s/s or more in functions "
		   "that fsync and the journal wait in",
	  .needs = "flush columns of proc/diskstats (kernel 5.5), wait channels of threads, proc/PID/io",
	  .meaning = "Each fsync or fdatasync writes what little there is and makes the disk empty its cache before the program goes on. "
		     "Throughput is bounded by the latency of a flush, however fast the disk is.",
	  .lookalikes = "Saturation by large writes has few flushes. A slow device has slow reads and writes, too.",
	  .action = "Commit in groups (one fsync for many records), use the database's group commit or asynchronous commit, or storage "
		    "with a power-safe write cache.",
	  .symptoms = "disk.saturated app.slow_server lock.convoy_idle_cpu app.log_spam",
	  .check = check_fsync_storm },
	{ .id = "disk.writeback_throttling",
	  .question = "Are writers paused because too many pages wait to be written?",
	  .resource = RES_DISK, .aspect = ASPECT_SATURATION, .metric = M_THREAD_WRITEBACK, .floor = 0.05, .warn = 0.25, .crit = 1,
	  .fires = "threads are paused in balance_dirty_pages for 0.25 s/s or more",
	  .needs = "wait channels of threads",
	  .meaning = "A program that writes to files fills memory faster than the disk empties it. When the limit of dirty pages is reached "
		     "(of the machine, of the device or of a memory group), the kernel makes the writer wait.",
	  .lookalikes = "Writers that wait in fsync or for their own direct writes: see disk.fsync_storm, disk.saturated.",
	  .action = "Write less or to a faster disk. A larger vm.dirty_bytes only moves the moment. If the device has its own small share "
		    "(strict_limit, max_ratio in sys/block/DISK/bdi), that may be the limit.",
	  .symptoms = "disk.saturated disk.slow_device app.slow_server app.log_spam",
	  .check = check_writeback },
	{ .id = "disk.thin_provision_full",
	  .question = "Has a thin pool or snapshot run out of space?",
	  .resource = RES_DISK, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "the kernel log says so in the window or the minute before it",
	  .needs = "kernel log",
	  .meaning = "The file systems on the pool believe that they have space; their writes wait or fail. The pool's own counters need an "
		     "ioctl of the device mapper, which is not asked.",
	  .lookalikes = "A file system that is full says so itself (fs.no_space).",
	  .action = "Extend the pool, or free blocks with fstrim on what is mounted from it.",
	  .symptoms = "disk.io_errors disk.hung_io_dstate fs.remounted_readonly kernel.log_errors",
	  .check = check_thin_full },
	{ .id = "disk.io_errors",
	  .question = "Do operations on a disk fail?",
	  .resource = RES_DISK, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 0.05,
	  .fires = "the kernel itself logs an I/O error, reset or timeout of a disk in the window; crit when 5 % of its operations fail. Errors in "
		   "the minute before the window only are worth an info",
	  .needs = "kernel log",
	  .meaning = "The kernel has given up on a request, and the program that asked got EIO. The log is limited in rate: what is counted is "
		     "the least that happened.",
	  .lookalikes = "Commands that a device does not know (discard, write zeroes) are logged as \"operation not supported\" and are harmless. "
			"Lines that a program wrote into the log are judged by kernel.log_errors.",
	  .action = "Save the data, then check device, cable, controller and the storage below it.",
	  .symptoms = "kernel.log_errors disk.slow_device",
	  .check = check_io_errors },
	{ .id = "disk.raid_degraded",
	  .question = "Does an array lack members?",
	  .resource = RES_DISK, .aspect = ASPECT_ERRORS, .metric = M_DISK_SIZE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "md says that members are missing; warn when that began in the window, else info",
	  .needs = "sys/block/md*",
	  .meaning = "The array works, with less redundancy, and slower while it is rebuilt.",
	  .lookalikes = "An array that was created with a missing member on purpose.",
	  .action = "Replace the disk and add it: mdadm --add.",
	  .symptoms = "kernel.log_errors",
	  .check = check_raid_degraded },
	{ .id = "disk.path_down",
	  .question = "Is a path to storage down?",
	  .resource = RES_DISK, .aspect = ASPECT_ERRORS, .metric = M_DISK_SIZE, .floor = 1, .warn = 1, .crit = 1,
	  .fires = "a controller of an NVMe multipath device is not live, or a SCSI device is off line; crit when no path is left, warn when it began in "
		   "the window, else info",
	  .needs = "sys/block",
	  .meaning = "I/O goes over the remaining paths, or waits until one comes back.",
	  .lookalikes = "A device that was taken out on purpose.",
	  .action = "Check the link, switch and target: multipath -ll, nvme list-subsys.",
	  .symptoms = "kernel.log_errors",
	  .check = check_path_down },
	{ .id = "disk.discard_storm",
	  .question = "Do discards (TRIM) keep a disk busy while others wait?",
	  .resource = RES_DISK, .aspect = ASPECT_RATE, .metric = M_DISK_DISCARDS, .floor = 10, .warn = 0.3, .crit = 1,
	  .fires = "at least 10 discards a second that take 30 % or more of the device's time, and threads lose 0.3 s/s waiting for the disk",
	  .needs = "discard columns of proc/diskstats (kernel 4.18), state samples of threads",
	  .meaning = "Some devices do nothing else while they discard. With the mount option discard each deleted file is discarded at once.",
	  .lookalikes = "Discards that nobody waits for.",
	  .action = "Use a weekly fstrim instead of the mount option discard.",
	  .symptoms = "disk.saturated",
	  .check = check_discard_storm },
	{ .id = "disk.provider_throttled",
	  .question = "Does the provider of a virtual disk cap its operations or bytes?",
	  .resource = RES_DISK, .aspect = ASPECT_SATURATION, .metric = M_NONE,
	  .fires = "not judged: a steady plateau is shown as evidence of disk.saturated (spread of operations per second)",
	  .needs = "eBPF: latency of single requests against the queue depth at their issue",
	  .meaning = "A cap shows as a constant rate with a wait that grows with the queue; so does a device at its own limit.",
	  .lookalikes = "disk.saturated, disk.slow_device",
	  .action = "Compare the plateau with the limits of the volume type." },
	{ .id = "disk.saturated",
	  .question = "Do more requests reach a disk than it serves?",
	  .resource = RES_DISK, .aspect = ASPECT_SATURATION, .metric = M_DISK_READS, .floor = 0.5, .warn = 1, .crit = 2,
	  .fires = "a disk that is not slow by itself has two or more requests in flight on average in at least half of the seconds, and "
		   "processes at normal priority lose 1 s/s or more waiting for it, a quarter or more of their useful time",
	  .needs = "proc/diskstats, proc/PID/io, state samples of threads",
	  .meaning = "The queue stands most of the time, so that requests wait for each other. Evidence says what kind of load it is (size, "
		     "direction, operations or bytes per second, how steady) and what a request takes without the queue.",
	  .lookalikes = "A disk that serves many requests at once is 100 % busy with one: busy time decides nothing. One thread that waits for the "
			"one request it has sent is how I/O works.",
	  .action = "Send less (cache, larger blocks, fewer random reads), spread over more devices, or accept it for a batch and ionice it.",
	  .symptoms = "app.slow_server app.worker_pool_exhausted memory.major_faults disk.writeback_throttling cpu.thundering_herd app.log_spam",
	  .check = check_disk_saturated },
	{ .id = NULL }
};
/* clang-format on */
