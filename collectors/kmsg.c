/* SPDX-License-Identifier: Apache-2.0 */
/* /dev/kmsg: the kernel log since boot, and what comes while we watch.
 *
 *   6,339,5140900,-;NET: Registered PF_INET6 protocol family
 *    SUBSYSTEM=net
 *   level + 8 x facility, sequence number, microseconds, flags; text; then lines of properties behind a blank
 *
 * One read() is one record. A record that was overwritten before it was read gives EPIPE; the gap in the sequence
 * numbers says how many are lost. The time stamps are those of the scheduler's clock, which neither counts suspended
 * time nor is kept in step with the real clock: lines that arrive while we watch carry the time at which they arrived,
 * and tell how far the stamps of earlier ones are off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/collector.h"
#include "collectors/disks.h"
#include "collectors/logline.h"
#include "collectors/table.h"

#define EVENTS        512  /* newest kept */
#define RECORD        8193 /* the kernel gives 8 KiB at most */
#define TEXT_KEPT     300
#define TICK_RECORDS  200       /* read in one tick: a flood costs us 2000 lines a second at most */
#define OPEN_NS       20000000u /* time for what is there since boot */
#define WARNING_LEVEL 4
#define OLD_US        300000000u /* before we came */
#define FILE_CAP      (4u << 20)

struct event {
	uint64_t seq, usec;
	uint64_t arrived_ns; /* CLOCK_BOOTTIME; 0: it was there before */
	unsigned level, facility;
	struct logline line;
	char *text;
};

struct kmsg_state {
	struct collector_env env;
	int fd;
	struct event events[EVENTS]; /* ring: the newest is at (next - 1) % EVENTS */
	size_t next, n;
	uint64_t seen_seq; /* of the record read last */
	bool any;
	uint64_t lost;
	int64_t offset_us; /* to add to a time stamp for CLOCK_BOOTTIME */
	bool offset_seen;
	uint64_t opened_us; /* by the clock of the stamps, roughly; 0 in a captured log */
	char memcg[160];    /* of the "oom-kill:" line before the kill */
	int64_t memcg_pid;
	bool closed;     /* it cannot be read */
	bool live;       /* past what was there since boot */
	struct buf text; /* of a captured log */
};

/* ---- one record ---- */

/* "oom-kill:constraint=…,oom_memcg=/svc,task_memcg=/svc/a,task=comm,pid=12,uid=0" stands before the line of the kill. */
static void note_oom(struct kmsg_state *s, struct text line)
{
	const char *memcg = memmem(line.p, text_len(line), "oom_memcg=", 10);
	const char *pid = memmem(line.p, text_len(line), ",pid=", 5);
	struct text t;
	uint64_t v;

	if (!text_starts(line, "oom-kill:") || !pid)
		return;
	t = text_n(pid + 5, (size_t)(line.end - pid - 5));
	s->memcg_pid = text_u64(&t, &v) ? (int64_t)v : 0;
	s->memcg[0] = '\0';
	if (!memcg)
		return;
	t = text_n(memcg + 10, (size_t)(line.end - memcg - 10));
	memcg = memmem(t.p, text_len(t), ",task_memcg=", 12);
	if (memcg)
		t.end = memcg;
	text_copy(s->memcg, sizeof(s->memcg), t);
}

/* DEVICE=b8:0 (a disk), +pci:0000:00:1c.0; c4:64 and n2 say little to people. */
static void read_property(struct kmsg_state *s, struct text line, struct event *ev)
{
	char disk[DISK_NAME];
	uint64_t devno;

	text_skip_blanks(&line);
	if (ev->line.device[0] || !text_skip(&line, "DEVICE=") || text_len(line) < 2)
		return;
	if (*line.p == '+') {
		line.p++;
		text_copy(ev->line.device, sizeof(ev->line.device), line);
	} else if (*line.p == 'b') {
		line.p++;
		if (devno_parse(line, &devno) && disk_of_devno(s->env.root, devno, disk))
			snprintf(ev->line.device, sizeof(ev->line.device), "%s", disk);
	}
}

/* The device mapper writes numbers: "253:4". */
static void name_number(struct kmsg_state *s, struct event *ev)
{
	char disk[DISK_NAME];
	uint64_t devno;

	if (devno_parse(text_of(ev->line.device), &devno) &&
	    disk_of_devno(s->env.root, devno, disk))
		snprintf(ev->line.device, sizeof(ev->line.device), "%s", disk);
}

static struct event *newest(struct kmsg_state *s)
{
	return s->n ? &s->events[(s->next + EVENTS - 1) % EVENTS] : NULL;
}

static void keep(struct kmsg_state *s, const struct event *ev, struct text text)
{
	struct event *to = &s->events[s->next];

	mem_free(to->text);
	*to = *ev;
	if (text_len(text) > TEXT_KEPT)
		text.end = text.p + TEXT_KEPT;
	to->text = mem_dup_n(text.p, text_len(text));
	s->next = (s->next + 1) % EVENTS;
	if (s->n < EVENTS)
		s->n++;
}

/* "+" continues the line before (kernels up to 4.9). */
static void continue_line(struct kmsg_state *s, struct text text)
{
	struct event *ev = newest(s);
	size_t have;
	char *joined;

	if (!ev)
		return;
	have = strlen(ev->text);
	if (have >= TEXT_KEPT)
		return;
	if (text_len(text) > TEXT_KEPT - have)
		text.end = text.p + (TEXT_KEPT - have);
	joined = mem_alloc(have + text_len(text) + 1);
	memcpy(joined, ev->text, have);
	memcpy(joined + have, text.p, text_len(text));
	mem_free(ev->text);
	ev->text = joined;
	logline_read(text_of(ev->text), ev->level, &ev->line);
}

static void count_gap(struct kmsg_state *s, uint64_t seq)
{
	if (s->any && seq > s->seen_seq + 1)
		s->lost += seq - s->seen_seq - 1;
	s->seen_seq = seq;
	s->any = true;
}

/* Stamps lag behind arrival by the time between two ticks at most: the smallest difference is the best. */
static void learn_offset(struct kmsg_state *s, const struct event *ev)
{
	int64_t off = (int64_t)(ev->arrived_ns / 1000) - (int64_t)ev->usec;

	if (!s->offset_seen || off < s->offset_us)
		s->offset_us = off;
	s->offset_seen = true;
}

static bool read_head(struct text *head, struct event *ev, struct text *flags)
{
	uint64_t prio;
	struct text f;

	if (!text_until(head, ',', &f) || !text_is_u64(f, &prio) || !text_until(head, ',', &f) ||
	    !text_is_u64(f, &ev->seq) || !text_until(head, ',', &f) || !text_is_u64(f, &ev->usec))
		return false;
	*flags = *head;
	ev->level = prio & 7;
	ev->facility = (unsigned)(prio >> 3);
	return true;
}

static void take_record(struct kmsg_state *s, struct text record, uint64_t arrived_ns)
{
	struct event ev = { .arrived_ns = arrived_ns };
	struct text head, flags, text, line;

	if (!text_until(&record, ';', &head) || !read_head(&head, &ev, &flags))
		return;
	count_gap(s, ev.seq);
	if (!text_line(&record, &text))
		text = record;
	if (text_starts(flags, "+")) {
		continue_line(s, text);
		return;
	}
	/* what was logged long ago at a low level is neither judged nor shown */
	if (!arrived_ns && ev.level > WARNING_LEVEL && ev.usec + OLD_US < s->opened_us)
		return;
	note_oom(s, text);
	logline_read(text, ev.level, &ev.line);
	if (arrived_ns)
		learn_offset(s, &ev);
	if (ev.line.kind == EVENT_NONE && ev.level > WARNING_LEVEL)
		return;
	while (text_line(&record, &line))
		read_property(s, line, &ev);
	name_number(s, &ev);
	if (ev.line.kind == EVENT_OOM_KILL && s->memcg[0] && s->memcg_pid == ev.line.pid)
		snprintf(ev.line.cgroup, sizeof(ev.line.cgroup), "%s", s->memcg);
	keep(s, &ev, text);
}

/* ---- reading ---- */

/* Read records until there is none left, `max` were read or the time is over. True when the end was reached. */
static bool drain(struct kmsg_state *s, size_t max, uint64_t until_ns)
{
	char record[RECORD];

	for (size_t i = 0; i < max; i++) {
		ssize_t n = read(s->fd, record, sizeof(record) - 1);

		if (n < 0 && (errno == EPIPE || errno == EINTR || errno == EINVAL))
			continue;
		if (n <= 0)
			return true;
		take_record(s, text_n(record, (size_t)n), s->live ? clock_boot_ns() : 0);
		if (until_ns && i % 64 == 63 && clock_boot_ns() > until_ns)
			return false;
	}
	return false;
}

/* A captured log is a regular file: records one below the other, properties behind a blank. */
static int read_captured(struct kmsg_state *s)
{
	int err = root_read(s->env.root, files[F_KMSG].path, &s->text, FILE_CAP);
	struct text in, line, record;
	bool inside = false;

	if (err)
		return err;
	in = text_n(s->text.data, s->text.len);
	while (text_line(&in, &line)) {
		bool property = text_len(line) && *line.p == ' ';

		if (inside && property) {
			record.end = line.end;
			continue;
		}
		if (inside)
			take_record(s, record, 0);
		record = line;
		inside = !property;
	}
	if (inside)
		take_record(s, record, 0);
	return 0;
}

static int64_t suspended_us(void)
{
	struct timespec boot, mono;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (boot.tv_sec - mono.tv_sec) * 1000000ll + (boot.tv_nsec - mono.tv_nsec) / 1000;
}

static int open_live(struct kmsg_state *s)
{
	s->fd = root_openat(s->env.root, files[F_KMSG].path);
	if (s->fd < 0)
		return s->fd;
	s->offset_us = suspended_us();
	s->opened_us = clock_boot_ns() / 1000 - (uint64_t)s->offset_us;
	/* a log of many megabytes: what is newest matters, and it is at the end */
	if (!drain(s, SIZE_MAX, clock_boot_ns() + OPEN_NS))
		lseek(s->fd, 0, SEEK_END);
	s->lost = 0;
	s->any = false;
	s->live = true;
	return 0;
}

static int kmsg_open(void *state, const struct collector_env *env, struct err *e)
{
	struct kmsg_state *s = state;
	int err;

	(void)e;
	s->env = *env;
	s->fd = -1;
	err = env->root->live ? open_live(s) : read_captured(s);
	if (err == -EPERM || err == -EACCES)
		collector_status(env, files[F_KMSG].path, err,
				 "only root may read the kernel log (kernel.dmesg_restrict)");
	else
		collector_status(env, files[F_KMSG].path, err, "%s", err ? strerror(-err) : "");
	s->closed = err != 0;
	return 0; /* the status says it; without a log there is no table of events */
}

static void kmsg_tick(void *state, uint64_t now_ns)
{
	struct kmsg_state *s = state;

	(void)now_ns;
	if (s->fd >= 0)
		drain(s, TICK_RECORDS, 0);
}

static void set(struct snapshot *out, enum metric_id id, size_t row, uint64_t v)
{
	snapshot_set(out, id, row, v, metric_source(id, F_KMSG));
}

static void set_text(struct snapshot *out, enum metric_id id, size_t row, const char *text)
{
	if (*text)
		snapshot_set_text(out, id, row, text, strlen(text), metric_source(id, F_KMSG));
}

static void put_event(const struct kmsg_state *s, const struct event *ev, struct snapshot *out)
{
	size_t row = snapshot_row(out, SCOPE_EVENT, (struct row_id){ .key = ev->seq }, "", 0);
	int64_t usec = ev->arrived_ns ? (int64_t)(ev->arrived_ns / 1000)
				      : (int64_t)ev->usec + s->offset_us;

	set(out, M_EVENT_TIME, row, usec > 0 ? (uint64_t)usec : 0);
	set(out, M_EVENT_LIVE, row, ev->arrived_ns != 0);
	set(out, M_EVENT_LEVEL, row, ev->level);
	set(out, M_EVENT_FACILITY, row, ev->facility);
	set(out, M_EVENT_KIND, row, ev->line.kind);
	if (ev->line.pid)
		set(out, M_EVENT_PID, row, (uint64_t)ev->line.pid);
	set_text(out, M_EVENT_DEVICE, row, ev->line.device);
	set_text(out, M_EVENT_COMM, row, ev->line.comm);
	set_text(out, M_EVENT_CGROUP, row, ev->line.cgroup);
	set_text(out, M_EVENT_TEXT, row, ev->text);
}

static int kmsg_read(void *state, struct snapshot *out, struct err *e)
{
	struct kmsg_state *s = state;

	(void)e;
	if (s->closed)
		return 0;
	if (s->fd >= 0)
		drain(s, 4 * TICK_RECORDS, 0);
	snapshot_begin(out, SCOPE_EVENT, clock_boot_ns());
	for (size_t i = 0; i < s->n; i++)
		put_event(s, &s->events[(s->next + EVENTS - s->n + i) % EVENTS], out);
	set(out, M_KMSG_LOST, snapshot_system_row(out), s->lost);
	return 0;
}

static void kmsg_close(void *state)
{
	struct kmsg_state *s = state;

	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < EVENTS; i++)
		mem_free(s->events[i].text);
	buf_done(&s->text);
}

const struct collector collector_kmsg = {
	.name = "kmsg",
	.what = "kernel log: errors, resets, kills, hangs",
	.needs = "root where kernel.dmesg_restrict is 1",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_EVENT,
	.state_size = sizeof(struct kmsg_state),
	.open = kmsg_open,
	.read = kmsg_read,
	.tick = kmsg_tick,
	.close = kmsg_close,
};
