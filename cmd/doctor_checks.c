/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and our rights allow. Every probe tries the thing itself: a version or an option says what should
 * work, an open and a read say what does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/units.h"
#include "cmd/doctor.h"

#define SMALL_FILE 65536

void diagnosis_set(struct diagnosis *d, enum health h, const char *fmt, ...)
{
	va_list ap;

	d->health = h;
	va_start(ap, fmt);
	vsnprintf(d->found, sizeof(d->found), fmt, ap);
	va_end(ap);
}

static void consequence(struct diagnosis *d, const char *lost, const char *remedy)
{
	snprintf(d->lost, sizeof(d->lost), "%s", lost);
	snprintf(d->remedy, sizeof(d->remedy), "%s", remedy);
}

/* A number in a file; false when it is not there. */
static bool read_number(const struct root *root, const char *path, int64_t *v)
{
	struct buf b = { 0 };
	struct text t;
	bool ok = false;

	if (!root_read(root, path, &b, SMALL_FILE)) {
		t = text_trim(text_n(b.data, b.len));
		ok = text_s64(&t, v);
	}
	buf_done(&b);
	return ok;
}

static int try_read(const struct root *root, const char *path)
{
	struct buf b = { 0 };
	int err = root_read(root, path, &b, ROOT_FILE_CAP);

	buf_done(&b);
	return err;
}

/* ---- rights ---- */

/* Capabilities that sixty can use, and what is not seen without them. */
/* clang-format off */
static const struct { unsigned bit; const char *name, *lost; } capabilities[] = {
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "I/O, open files and wait channels of other users' processes" },
	{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "files that only root may read" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "taskstats, details of sockets" },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "other network and mount namespaces" },
	{ CAP_SYSLOG, "CAP_SYSLOG", "the kernel log, where dmesg_restrict is 1" },
};
/* clang-format on */

static void probe_rights(const struct root *root, struct diagnosis *d)
{
	struct buf b = { 0 };
	struct text rest, line;
	uint64_t effective = 0;
	size_t used;

	if (!root_read(root, "proc/self/status", &b, SMALL_FILE)) {
		rest = text_n(b.data, b.len);
		while (text_line(&rest, &line))
			if (text_skip(&line, "CapEff:") && text_hex(&line, &effective))
				break;
	}
	buf_done(&b);
	diagnosis_set(d, HEALTH_OK, "user %d, with", (int)geteuid());
	used = strlen(d->found);
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
		if (effective >> capabilities[i].bit & 1) {
			used += (size_t)snprintf(d->found + used, sizeof(d->found) - used, " %s",
						 capabilities[i].name);
			continue;
		}
		d->health = HEALTH_LIMITED;
		snprintf(d->lost + strlen(d->lost), sizeof(d->lost) - strlen(d->lost), "%s%s (%s)",
			 *d->lost ? "; " : "", capabilities[i].lost, capabilities[i].name);
	}
	if (strlen(d->found) < 20 && d->health == HEALTH_LIMITED)
		diagnosis_set(d, HEALTH_LIMITED, "user %d, without any useful capability",
			      (int)geteuid());
	if (d->health == HEALTH_LIMITED)
		snprintf(d->remedy, sizeof(d->remedy), "run as root: sudo sixty");
}

static void probe_processes(const struct root *root, struct diagnosis *d)
{
	struct buf b = { 0 };
	bool restricted = !root_read(root, "proc/self/mounts", &b, ROOT_FILE_CAP) &&
			  (text_has(text_n(b.data, b.len), "hidepid=") ||
			   text_has(text_n(b.data, b.len), "subset=pid"));

	buf_done(&b);
	if (!try_read(root, "proc/1/stat"))
		diagnosis_set(d, HEALTH_OK, "processes of other users are visible");
	else
		diagnosis_set(d, HEALTH_MISSING, "processes of other users are hidden%s",
			      restricted ? " (/proc is mounted with hidepid or subset)" : "");
	if (d->health)
		consequence(d, "who does it and who suffers, for all other users",
			    "run as root, or mount -o remount,hidepid=0 /proc");
}

static void probe_files_limit(const struct root *root, struct diagnosis *d)
{
	struct rlimit l;

	(void)root;
	if (getrlimit(RLIMIT_NOFILE, &l)) {
		diagnosis_set(d, HEALTH_MISSING, "cannot be read: %s", strerror(errno));
		return;
	}
	if (l.rlim_cur >= 1024) {
		diagnosis_set(d, HEALTH_OK, "%llu", (unsigned long long)l.rlim_cur);
		return;
	}
	diagnosis_set(d, HEALTH_LIMITED, "%llu", (unsigned long long)l.rlim_cur);
	consequence(d, "files of active threads cannot all be kept open: looking costs more",
		    "ulimit -n 1024");
}

/* ---- accounting ---- */

static void probe_psi(const struct root *root, struct diagnosis *d)
{
	int err = try_read(root, "proc/pressure/cpu");

	if (!err) {
		diagnosis_set(d, HEALTH_OK, "/proc/pressure answers");
		return;
	}
	/* With psi=0 the files are there, and open or read fails. */
	diagnosis_set(d, HEALTH_MISSING,
		      err == -EOPNOTSUPP ? "switched off (booted with psi=0, or off by default)"
		      : err == -ENOENT   ? "this kernel was built without it (CONFIG_PSI)"
					 : "/proc/pressure: %s",
		      strerror(-err));
	consequence(
		d,
		"the cross-check of waiting for CPU, memory and I/O, and its trend over five minutes",
		err == -EOPNOTSUPP ? "boot with psi=1" : "");
}

static void probe_schedstat(const struct root *root, struct diagnosis *d)
{
	int err = try_read(root, "proc/self/schedstat");

	if (!err) {
		diagnosis_set(d, HEALTH_OK, "time waiting for a CPU is counted per thread");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "/proc/PID/schedstat: %s", strerror(-err));
	consequence(d, "how long threads waited for a CPU", "a kernel with CONFIG_SCHED_INFO");
}

static void probe_delayacct(const struct root *root, struct diagnosis *d)
{
	int64_t on;

	if (!read_number(root, "proc/sys/kernel/task_delayacct", &on)) {
		diagnosis_set(d, HEALTH_LIMITED, "not offered by this kernel");
	} else if (on) {
		diagnosis_set(d, HEALTH_OK, "on (kernel.task_delayacct = 1)");
		return;
	} else {
		diagnosis_set(d, HEALTH_LIMITED, "off (kernel.task_delayacct = 0)");
		snprintf(d->remedy, sizeof(d->remedy),
			 "sysctl kernel.task_delayacct=1 (for tasks that start afterwards)");
	}
	snprintf(d->lost, sizeof(d->lost),
		 "exact times blocked on disks; they are estimated from state samples");
}

/* Whose wait channel to try: our parent waits for us, and kthreadd for work. init may be out of reach even for root. */
static void probe_wchan(const struct root *root, struct diagnosis *d)
{
	pid_t candidates[] = { getppid(), 2, 1 };
	bool named = false;
	int err = 0;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(*candidates) && !named; i++) {
		struct buf b = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "proc/%d/wchan", (int)candidates[i]);
		err = root_read(root, path, &b, SMALL_FILE);
		named = !err && b.len && strcmp(b.data, "0") != 0;
		buf_done(&b);
	}
	if (named) {
		diagnosis_set(d, HEALTH_OK, "tell what a sleeping thread waits for");
		return;
	}
	diagnosis_set(d, HEALTH_LIMITED,
		      err ? "/proc/PID/wchan: %s"
			  : "/proc/PID/wchan does not tell what a thread waits for",
		      strerror(-err));
	consequence(
		d,
		"why a thread is blocked: disk, memory, lock or file system are told apart less well",
		err == -EACCES || err == -EPERM ? "run as root"
						: "a kernel with CONFIG_KALLSYMS, and root");
}

static void probe_kmsg(const struct root *root, struct diagnosis *d)
{
	char line[8192];
	int fd = root_openat(root, "dev/kmsg"), err = fd < 0 ? -fd : 0;

	if (fd >= 0) {
		if (read(fd, line, sizeof(line)) < 0 && errno != EAGAIN && errno != EPIPE)
			err = errno;
		close(fd);
	}
	if (!err) {
		diagnosis_set(d, HEALTH_OK, "/dev/kmsg can be read");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "/dev/kmsg: %s", strerror(err));
	consequence(d, "OOM kills, I/O errors, hung tasks and link flaps that the kernel reported",
		    "run as root, or sysctl kernel.dmesg_restrict=0");
}

/* ---- control groups and namespaces ---- */

static void probe_cgroups(const struct root *root, struct diagnosis *d)
{
	struct buf b = { 0 };
	struct text rest, line, device, at, type;
	unsigned v1 = 0, v2 = 0;

	if (!root_read(root, "proc/self/mounts", &b, ROOT_FILE_CAP)) {
		rest = text_n(b.data, b.len);
		while (text_line(&rest, &line)) {
			if (!text_word(&line, &device) || !text_word(&line, &at) ||
			    !text_word(&line, &type))
				continue;
			v1 += text_eq(type, "cgroup");
			v2 += text_eq(type, "cgroup2");
		}
	}
	buf_done(&b);
	if (v1 && v2)
		diagnosis_set(d, HEALTH_OK, "hybrid: %u version 1 hierarchies beside version 2",
			      v1);
	else if (v2)
		diagnosis_set(d, HEALTH_OK, "version 2");
	else if (v1)
		diagnosis_set(d, HEALTH_OK, "version 1, %u hierarchies", v1);
	else
		diagnosis_set(d, HEALTH_MISSING, "none is mounted here");
	if (d->health)
		consequence(
			d, "limits and throttling of services and containers",
			"mount -t cgroup2 none /sys/fs/cgroup, or run outside of the container");
}

/* The initial PID namespace has a fixed inode number; of the others, those of init or kthreadd are the host's. */
#define PID_NS_INIT "pid:[4026531836]"

static bool hosts_namespace(const struct root *root, const char *kind, char *out, size_t size)
{
	char path[64];

	if (!strcmp(kind, "pid")) {
		snprintf(out, size, "%s", PID_NS_INIT);
		return true;
	}
	for (int pid = 1; pid <= 2; pid++) {
		snprintf(path, sizeof(path), "proc/%d/ns/%s", pid, kind);
		if (root_readlink(root, path, out, size) > 0)
			return true;
	}
	return false;
}

static void probe_namespaces(const struct root *root, struct diagnosis *d)
{
	static const char *const kinds[] = { "pid", "net", "mnt" };
	char own[64], hosts[64], path[64], apart[64] = "", unsure[64] = "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), "proc/self/ns/%s", kinds[i]);
		if (root_readlink(root, path, own, sizeof(own)) < 0 ||
		    !hosts_namespace(root, kinds[i], hosts, sizeof(hosts)))
			snprintf(unsure + strlen(unsure), sizeof(unsure) - strlen(unsure), " %s",
				 kinds[i]);
		else if (strcmp(own, hosts) != 0)
			snprintf(apart + strlen(apart), sizeof(apart) - strlen(apart), " %s",
				 kinds[i]);
	}
	if (*apart) {
		diagnosis_set(d, HEALTH_LIMITED, "namespaces of its own:%s", apart);
		consequence(d, "what happens outside of this container",
			    "run on the host, or with --pid=host --net=host --privileged");
		return;
	}
	if (*unsure)
		diagnosis_set(d, HEALTH_OK, "of the host, as far as can be seen (not known:%s)",
			      unsure);
	else
		diagnosis_set(d, HEALTH_OK, "of the host: pid, net, mnt");
}

/* ---- what eBPF and profiling need ---- */

static void probe_btf(const struct root *root, struct diagnosis *d)
{
	int fd = root_openat(root, "sys/kernel/btf/vmlinux");
	char size[32];

	if (fd >= 0) {
		off_t end = lseek(fd, 0, SEEK_END);

		close(fd);
		diagnosis_set(d, HEALTH_OK, "/sys/kernel/btf/vmlinux, %s",
			      unit_format(size, sizeof(size), UNIT_BYTES, 0, (double)end));
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "/sys/kernel/btf/vmlinux: %s", strerror(-fd));
	consequence(d, "eBPF probes that adapt to the kernel",
		    "a kernel with CONFIG_DEBUG_INFO_BTF");
}

static void probe_tracefs(const struct root *root, struct diagnosis *d)
{
	int err = try_read(root, "sys/kernel/tracing/current_tracer");

	if (!err) {
		diagnosis_set(d, HEALTH_OK, "/sys/kernel/tracing");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "/sys/kernel/tracing: %s", strerror(-err));
	consequence(d, "the list of trace points",
		    err == -ENOENT ? "mount -t tracefs none /sys/kernel/tracing" : "run as root");
}

static void probe_paranoid(const struct root *root, struct diagnosis *d)
{
	static const char *const meanings[] = { "everything is allowed", "no raw trace points",
						"no CPU-wide events", "no kernel profiling" };
	int64_t v;

	if (!read_number(root, "proc/sys/kernel/perf_event_paranoid", &v)) {
		diagnosis_set(d, HEALTH_MISSING, "no perf events in this kernel");
		consequence(d, "profiles", "a kernel with CONFIG_PERF_EVENTS");
		return;
	}
	diagnosis_set(d, v <= 1 || !geteuid() ? HEALTH_OK : HEALTH_LIMITED,
		      "%lld (without privileges: %s)", (long long)v,
		      meanings[v < 0    ? 0
			       : v >= 2 ? 3
					: v + 1]);
	if (d->health)
		consequence(d, "profiles of the kernel and of other users",
			    "run as root, or sysctl kernel.perf_event_paranoid=1");
}

static void probe_kptr(const struct root *root, struct diagnosis *d)
{
	int64_t v;

	if (!read_number(root, "proc/sys/kernel/kptr_restrict", &v)) {
		diagnosis_set(d, HEALTH_MISSING, "cannot be read");
		return;
	}
	diagnosis_set(d, v == 2 || (v == 1 && geteuid()) ? HEALTH_LIMITED : HEALTH_OK, "%lld",
		      (long long)v);
	if (d->health)
		consequence(d, "names of kernel functions in profiles",
			    "sysctl kernel.kptr_restrict=1, and root");
}

static void probe_lockdown(const struct root *root, struct diagnosis *d)
{
	struct buf b = { 0 };
	int err = root_read(root, "sys/kernel/security/lockdown", &b, SMALL_FILE);
	struct text t = text_n(b.data, b.len), before, mode = text_of("");

	if (!err && text_until(&t, '[', &before))
		text_until(&t, ']', &mode);
	if (err)
		diagnosis_set(d, HEALTH_OK,
			      err == -ENOENT ? "not in this kernel" : "cannot be read: %s",
			      strerror(-err));
	else
		diagnosis_set(d, text_eq(mode, "confidentiality") ? HEALTH_MISSING : HEALTH_OK,
			      "%.*s", (int)text_len(mode), mode.p);
	if (d->health)
		consequence(d, "eBPF reads of kernel memory", "boot with lockdown=integrity");
	buf_done(&b);
}

static void probe_pmu(const struct root *root, struct diagnosis *d)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(a),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.disabled = 1,
		.exclude_kernel = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC),
	    err = errno;

	(void)root;
	if (fd >= 0) {
		close(fd);
		diagnosis_set(d, HEALTH_OK, "counts cycles");
		return;
	}
	if (err == ENOENT || err == EOPNOTSUPP || err == ENODEV) {
		diagnosis_set(d, HEALTH_MISSING,
			      "no hardware counters here (usual in virtual machines)");
		consequence(d, "cycles, instructions, cache misses; profiles fall back to a timer",
			    "a machine or instance type with a vPMU");
		return;
	}
	diagnosis_set(d, HEALTH_MISSING, "perf_event_open: %s", strerror(err));
	consequence(d, "cycles, instructions, cache misses",
		    "run as root, or sysctl kernel.perf_event_paranoid=1");
}

/* clang-format off */
const struct doctor_check doctor_checks[] = {
	{ "rights", "privileges", true, probe_rights },
	{ "processes", "/proc/PID", true, probe_processes },
	{ "files", "open-file limit", true, probe_files_limit },
	{ "psi", "pressure (PSI)", true, probe_psi },
	{ "schedstat", "run-queue waits", true, probe_schedstat },
	{ "wchan", "wait channels", true, probe_wchan },
	{ "delayacct", "delay accounting", true, probe_delayacct },
	{ "cgroups", "control groups", true, probe_cgroups },
	{ "namespaces", "namespaces", true, probe_namespaces },
	{ "sock_diag", "socket diagnosis", true, probe_sock_diag },
	{ "kmsg", "kernel log", true, probe_kmsg },
	{ "taskstats", "taskstats", false, probe_taskstats },
	{ "btf", "BTF", true, probe_btf },
	{ "tracefs", "tracefs", false, probe_tracefs },
	{ "paranoid", "perf_event_paranoid", true, probe_paranoid },
	{ "kptr", "kptr_restrict", true, probe_kptr },
	{ "lockdown", "lockdown", true, probe_lockdown },
	{ "pmu", "hardware counters", false, probe_pmu },
	{ .id = NULL }
};
/* clang-format on */
