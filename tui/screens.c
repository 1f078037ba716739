/* SPDX-License-Identifier: Apache-2.0 */
/* The screens, in the order of the line at the bottom. A new one is a file with a function that draws, and a row here. */
#include "tui/screens.h"

/* clang-format off */
const struct screen screens[] = {
	{ '1', "Overview", "Over",
	  "The verdict is that of `sixty triage`, by the same rules, over a window that slides: it is judged every five seconds over the last ten or so, and beside it stands for how long it has held.\n"
	  "Meters are of the last interval; what is drawn at the right is their history, newest at the right. A dot is where nothing was known.\n"
	  "Time lost is what threads waited for what they could have had: CPUs, disks, memory, locks. Letters of the bars: u running in the program, s in the kernel, i stolen by interrupts, R waiting for a CPU, Q throttled, D disk, W writeback, M reclaim, F page faults, L locks, O other blocking, T stopped, A awaiting a reply, . awaiting work.",
	  overview_draw, NULL },
	{ '2', "Processes", "Proc",
	  "CPU% is of the last interval; WAIT%, DISK%, LOCK% are of the judged window, where 100 % is one thread that waits all the time.\n"
	  "P M T N w D  sort by CPU, memory, time, number, waiting, disks;  < >  by the next column;  r  turns round\n"
	  "t or F5  tree    H  active threads    K  kernel threads    c  choose columns (every metric of a process is one)\n"
	  "/ or F3  search, n next    \\ or F4  filter: words, user:NAME cgroup:PATH state:DR re:EXPRESSION    u  by user\n"
	  "F  follow the process of the cursor    x  tag, X untag all    Enter  all about one process\n"
	  "k or F9  send a signal    y or F8  nice    a  allowed CPUs    I  I/O priority; all ask before they do it",
	  procs_draw, procs_key },
	{ '3', "Findings", "Find",
	  "Every finding with who does it, who suffers, the evidence and the next command; then what is ruled out, and what could not be checked and why.\nUp and down scroll.",
	  findings_draw, scroll_key },
	{ '4', "Cost", "Cost",
	  "What sixty itself costs: its own CPU time, and the time of its eBPF programs, which the kernel charges to whoever runs: counted events times nanoseconds measured at the start.\nBelow: what was not seen. Nothing is lost silently.",
	  cost_draw, scroll_key },
	{ '5', "CPUs", "CPU",
	  "One line per CPU: how busy it was over time, newest at the right, and its shares of the last interval in percent. WAITS is the time that tasks waited in its queue, in seconds per second, over the judged window.\nUp and down scroll.",
	  cpus_draw, scroll_key },
	{ '6', "Disks", "Disk",
	  "Block devices, and below them file systems. BUSY is the share of time with I/O in flight: a device that works on many requests at once is not full at 100 %. EACH READ is the time of one request, its wait in the queue included.",
	  disks_draw, disks_key },
	{ '7', "Network", "Net",
	  "TCP of this network namespace, and its interfaces. Rates are of the last interval.",
	  network_draw, network_key },
	{ '8', "Memory", "Mem",
	  "What memory is used for, as one bar; what moves; who has most of it.",
	  memory_draw, NULL },
	{ '9', "Cgroups", "Grp",
	  "Control groups with what they use, what they may use, and how long their tasks stood still. Rates are of the judged window. \"max\" is a limit that is not set.",
	  cgroups_draw, cgroups_key },
	{ '0', "Latency", "Lat",
	  "Distributions of the judged window: how long threads waited for a CPU, how long requests took. A percentile is shown where enough values lie above it. OPEN is what had not ended.\nThe cursor chooses whose shape is drawn.",
	  latency_draw, latency_key },
	{ 'L', "Locks", "Lock",
	  "Time that threads waited for locks, in the program and in the kernel, over the judged window; and what those who held them were doing, where wake-ups were followed.",
	  locks_draw, scroll_key },
	{ 'E', "Events", "Evt",
	  "Lines of the kernel log that tell of something: out of memory, errors of devices and file systems, tasks that hang. The newest first.",
	  events_draw, scroll_key },
	{ .name = NULL }
};
/* clang-format on */
