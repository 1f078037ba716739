/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz what is read of processes and mounts: names may hold anything, and every text points into the file it came from. */
#include "tests/fuzz/fuzz.h"

#include "collectors/hexstat.h"
#include "collectors/logline.h"
#include "collectors/mountinfo.h"
#include "collectors/tasks.h"

static void inside(struct text part, struct text whole)
{
	require(!text_len(part) || (part.p >= whole.p && part.end <= whole.end));
}

static void task_files(struct text in)
{
	struct task_stat stat = { 0 };
	struct task_sched sched;
	struct task_status status = { 0 };
	struct task_limits limits = { 0 };
	uint64_t word;

	if (task_parse_stat(in, &stat)) {
		require(stat.n <= STAT_COLUMNS);
		inside(stat.comm, in);
	}
	task_parse_sched(in, &sched);
	task_parse_status(in, &status);
	inside(status.name, in);
	inside(status.cpus, in);
	task_parse_limits(in, &limits);
	require(task_parse_lock_wait(in, &word) <= LOCK_YES);
}

static void mounts(struct text in)
{
	struct text rest = in, line;
	struct mount m;
	char out[64];

	while (text_line(&rest, &line)) {
		if (!mountinfo_line(line, &m))
			continue;
		inside(m.root, line);
		inside(m.point, line);
		inside(m.options, line);
		inside(m.type, line);
		inside(m.source, line);
		inside(m.super, line);
		require(mountinfo_unescape(out, sizeof(out), m.point) < sizeof(out));
		require(strnlen(out, sizeof(out)) < sizeof(out));
		mountinfo_has(m.options, "ro");
		fs_kind(m.type);
	}
}

static void kernel_log(struct text in)
{
	struct logline l;

	for (unsigned level = 0; level < 8; level += 3) {
		logline_read(in, level, &l);
		require(strnlen(l.device, sizeof(l.device)) < sizeof(l.device));
		require(strnlen(l.comm, sizeof(l.comm)) < sizeof(l.comm));
		require(strnlen(l.cgroup, sizeof(l.cgroup)) < sizeof(l.cgroup));
		require(l.pid >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text in = fuzz_copy(data, size);
	uint64_t v;

	task_files(in);
	mounts(in);
	kernel_log(in);
	hexstat_sum(in, "drop", &v);
	hexstat_first(in, "entries", &v);
	free((char *)in.p);
	return 0;
}
