/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups, v1, v2 and both: limits, usage, what the limits did to the group.
 *
 * The trees are walked at the ends of the window only. Limits are read when a group is first seen and kept for half a
 * minute; counters of at most CGROUPS_COUNTED groups are read at both ends (groups with a limit always are). In between
 * only groups with a CPU quota are looked at, once a second, through kept descriptors: in how many seconds did it run out?
 *
 * A group may go away at any moment: its files then say ENODEV, and it simply is not there at the end. */
#include "collectors/collector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/cgroup_files.h"
#include "collectors/cgroup_tree.h"
#include "collectors/table.h"

#define CGROUPS_MAX     5000 /* walked */
#define CGROUPS_COUNTED 512  /* without a limit, whose counters are read */
#define CGROUPS_SAMPLED 64   /* looked at each second */
#define LIMITS_KEPT_NS  30000000000ull
#define SAMPLE_NS       1000000000ull
#define FILE_BYTES \
	(256u << 10)      /* io.stat of a machine with a thousand disks; memory.stat is 2 KiB */
#define LIMIT_BYTES 4096u /* of a limit file that is kept */

/* cpu.stat of a group with a quota, looked at each second. */
struct probe {
	int fd; /* -1: none */
	bool known;
	uint64_t throttled; /* what it said last */
	uint64_t sampled_ns,
		moved_ns; /* time watched, and the part of it in which throttling rose */
};

struct group {
	char *path;
	unsigned mount;
	bool limited;      /* anything */
	bool counted;      /* counters are read */
	struct buf limits; /* texts of the limit files: index, length, bytes */
	uint64_t limits_ns;
	struct probe probe;
};

struct cgroups_state {
	struct collector_env env;
	struct cgroup_mount mounts[CGROUP_MOUNTS];
	size_t nmounts;
	struct group *groups, *old; /* in the order of the walk */
	size_t n, cap, nold, old_at;
	size_t ncounted, nsampled;
	struct cgroup_devices devices;
	struct buf text;
	struct snapshot *out;
	uint64_t now_ns, sample_due_ns, sampled_ns;
	unsigned mount; /* that is being walked */
};

/* ---- one group ---- */

static void probe_close(struct probe *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->known = false;
}

static void group_done(struct group *g)
{
	probe_close(&g->probe);
	buf_done(&g->limits);
	mem_free(g->path);
}

static int read_at(struct cgroups_state *s, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
	    err;

	if (fd < 0)
		return -errno;
	err = root_reread(fd, &s->text, FILE_BYTES);
	close(fd);
	return err;
}

static int read_file(struct cgroups_state *s, int dirfd, const struct cgroup_file *f)
{
	int err = read_at(s, dirfd, f->name);

	return err == -ENOENT && f->otherwise ? read_at(s, dirfd, f->otherwise) : err;
}

struct kept { /* in front of each text in group.limits */
	uint16_t file;
	uint16_t len;
};

static void read_limits(struct cgroups_state *s, struct group *g, int dirfd)
{
	const struct cgroup_mount *m = &s->mounts[g->mount];

	buf_clear(&g->limits);
	g->limited = false;
	g->limits_ns = s->now_ns;
	for (size_t i = 0; i < cgroup_nfiles; i++) {
		const struct cgroup_file *f = &cgroup_files[i];
		struct kept k = { .file = (uint16_t)i };

		if (f->pace != CGROUP_LIMIT || !cgroup_file_of(f, m) || read_file(s, dirfd, f) ||
		    s->text.len > LIMIT_BYTES)
			continue;
		k.len = (uint16_t)s->text.len;
		buf_add(&g->limits, &k, sizeof(k));
		buf_add(&g->limits, s->text.data, s->text.len);
		if (f->limits && cgroup_file_limits(f, text_n(s->text.data, s->text.len)))
			g->limited = true;
	}
}

static void put_limits(const struct group *g, struct cgroup_row *r)
{
	struct kept k;

	for (size_t at = 0; at + sizeof(k) <= g->limits.len; at += sizeof(k) + k.len) {
		memcpy(&k, g->limits.data + at, sizeof(k));
		cgroup_file_parse(&cgroup_files[k.file],
				  text_n(g->limits.data + at + sizeof(k), k.len), r);
	}
}

static void put_counters(struct cgroups_state *s, int dirfd, const struct cgroup_mount *m,
			 struct cgroup_row *r)
{
	for (size_t i = 0; i < cgroup_nfiles; i++) {
		const struct cgroup_file *f = &cgroup_files[i];

		if (f->pace == CGROUP_COUNTER && cgroup_file_of(f, m) && !read_file(s, dirfd, f))
			cgroup_file_parse(f, text_n(s->text.data, s->text.len), r);
	}
}

/* v2 says in one place whether anybody lives in the group or below. */
static bool put_events(struct cgroups_state *s, int dirfd, struct cgroup_row *r)
{
	static const struct cgroup_file events = {
		.controller = "",
		.name = "cgroup.events",
		.file = F_CG2_EVENTS,
		.shape = CGROUP_KEYED,
	};
	struct text in;

	if (read_at(s, dirfd, events.name))
		return true;
	in = text_n(s->text.data, s->text.len);
	cgroup_file_parse(&events, in, r);
	return !text_has(in, "populated 0");
}

/* ---- sampling ---- */

static bool read_throttled(struct cgroups_state *s, int fd, uint64_t *v)
{
	struct text rest, line, word;

	if (root_reread(fd, &s->text, FILE_BYTES))
		return false;
	rest = text_n(s->text.data, s->text.len);
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_eq(word, "nr_throttled"))
			return text_u64(&line, v);
	return false;
}

static void sample(struct cgroups_state *s, struct probe *p, uint64_t elapsed_ns)
{
	uint64_t v;

	if (p->fd < 0)
		return;
	if (!read_throttled(s, p->fd, &v)) {
		probe_close(p);
		return;
	}
	if (p->known) {
		p->sampled_ns += elapsed_ns;
		p->moved_ns += v > p->throttled ? elapsed_ns : 0;
	}
	p->known = true;
	p->throttled = v;
}

static bool is_finite_limit(const struct cgroup_row *r, enum metric_id id)
{
	uint64_t v;

	return snapshot_raw(r->out, id, r->row, &v) && v != VALUE_UNLIMITED;
}

static void follow(struct cgroups_state *s, struct group *g, int dirfd, const struct cgroup_row *r)
{
	if (!is_finite_limit(r, M_CG_CPU_QUOTA))
		probe_close(&g->probe);
	else if (g->probe.fd < 0 && s->nsampled < CGROUPS_SAMPLED)
		g->probe.fd = openat(dirfd, "cpu.stat",
				     O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	s->nsampled += g->probe.fd >= 0;
}

static void put_samples(const struct group *g, struct cgroup_row *r)
{
	if (g->probe.fd < 0)
		return;
	snapshot_set(r->out, M_CG_SAMPLED, r->row, g->probe.sampled_ns,
		     metric_source(M_CG_SAMPLED, F_CGROUP_SAMPLES));
	snapshot_set(r->out, M_CG_CPU_THROTTLED_SAMPLED, r->row, g->probe.moved_ns,
		     metric_source(M_CG_CPU_THROTTLED_SAMPLED, F_CGROUP_SAMPLES));
}

/* ---- the walk ---- */

/* The group as it was at the last walk, taken over; or a new one. */
static struct group *take_group(struct cgroups_state *s, const char *path)
{
	struct group *g;

	s->groups = mem_grow(s->groups, &s->cap, s->n + 1, sizeof(*s->groups));
	g = &s->groups[s->n++];
	for (; s->old_at < s->nold; s->old_at++) {
		struct group *o = &s->old[s->old_at];
		int order = o->mount != s->mount ? (o->mount < s->mount ? -1 : 1)
						 : cgroup_path_order(o->path, path);

		if (order > 0)
			break;
		if (order < 0) {
			group_done(o);
			continue;
		}
		*g = *o;
		s->old_at++;
		return g;
	}
	*g = (struct group){ .path = mem_dup(path), .mount = s->mount, .probe.fd = -1 };
	return g;
}

/* The machine's own root has no limits and counts what /proc counts; the root that a container sees may have both. */
static bool is_the_machine(const struct group *g)
{
	return !*g->path && !g->limited;
}

static void visit(void *ctx, const struct cgroup_mount *m, const char *path, int dirfd)
{
	struct cgroups_state *s = ctx;
	struct group *g = take_group(s, path);
	struct cgroup_row r;
	bool populated;

	if (!g->limits_ns || s->now_ns - g->limits_ns > LIMITS_KEPT_NS)
		read_limits(s, g, dirfd);
	if (is_the_machine(g))
		return;
	r.root = s->env.root;
	r.devices = &s->devices;
	cgroup_row_open(&r, s->out, m, path);
	put_limits(g, &r);
	populated = !m->v2 || put_events(s, dirfd, &r);
	/* an empty group has nothing to count, unless it was emptied since it was last seen */
	if (populated && (g->limited || s->ncounted < CGROUPS_COUNTED))
		g->counted = true;
	if (!g->counted)
		return;
	s->ncounted++;
	put_counters(s, dirfd, m, &r);
	follow(s, g, dirfd, &r);
	put_samples(g, &r);
}

static void forget_old(struct cgroups_state *s)
{
	for (; s->old_at < s->nold; s->old_at++)
		group_done(&s->old[s->old_at]);
	mem_free(s->old);
	s->old = NULL;
	s->nold = s->old_at = 0;
}

static void put_system(struct cgroups_state *s, size_t left_out)
{
	size_t row = snapshot_system_row(s->out);
	const char *mode = cgroup_mode(s->mounts, s->nmounts);

	snapshot_begin(s->out, SCOPE_SYSTEM, s->now_ns);
	if (!s->nmounts)
		return;
	snapshot_set_text(s->out, M_CG_MODE, row, mode, strlen(mode),
			  metric_source(M_CG_MODE, F_CGROUP_TREE));
	snapshot_set(s->out, M_CG_GROUPS, row, s->n, metric_source(M_CG_GROUPS, F_CGROUP_TREE));
	snapshot_set(s->out, M_CG_LEFT_OUT, row, left_out,
		     metric_source(M_CG_LEFT_OUT, F_CGROUP_TREE));
}

static void tell(struct cgroups_state *s, size_t left_out, size_t failed)
{
	const char *name = files[F_CGROUP_TREE].path;

	if (!s->nmounts)
		collector_status(&s->env, name, -ENOENT,
				 "no hierarchy with resource controllers is mounted");
	else if (failed)
		collector_status(&s->env, name, -EACCES, "%zu of %zu hierarchies cannot be read",
				 failed, s->nmounts);
	else if (left_out)
		collector_status(
			&s->env, name, -E2BIG,
			"%zu groups beyond the first %d were left out, and what is below them",
			left_out, CGROUPS_MAX);
	else
		collector_status(&s->env, name, 0, "%s", "");
}

/* ---- the collector ---- */

static int cgroups_open(void *state, const struct collector_env *env, struct err *e)
{
	struct cgroups_state *s = state;

	(void)e;
	s->env = *env;
	s->nmounts = cgroup_mounts(env->root, s->mounts, CGROUP_MOUNTS, &s->text);
	tell(s, 0, 0);
	return 0;
}

static void sample_all(struct cgroups_state *s, uint64_t now_ns)
{
	uint64_t elapsed = s->sampled_ns ? now_ns - s->sampled_ns : 0;

	for (size_t i = 0; i < s->n; i++)
		sample(s, &s->groups[i].probe, elapsed);
	s->sampled_ns = now_ns;
}

static int cgroups_read(void *state, struct snapshot *out, struct err *e)
{
	struct cgroups_state *s = state;
	size_t budget = CGROUPS_MAX, left_out = 0, failed = 0;

	(void)e;
	s->out = out;
	s->now_ns = clock_boot_ns();
	s->old = s->groups;
	s->nold = s->n;
	s->old_at = 0;
	s->groups = NULL;
	s->n = s->cap = 0;
	s->ncounted = s->nsampled = 0;
	if (s->nmounts)
		snapshot_begin(out, SCOPE_CGROUP, s->now_ns);
	for (s->mount = 0; s->mount < s->nmounts; s->mount++) {
		long rc = cgroup_walk(s->env.root, &s->mounts[s->mount], &budget, visit, s);

		if (rc < 0)
			failed++;
		else
			left_out += (size_t)rc;
	}
	forget_old(s);
	put_system(s, left_out);
	tell(s, left_out, failed);
	s->sample_due_ns = 0;
	return 0;
}

static void cgroups_tick(void *state, uint64_t now_ns)
{
	struct cgroups_state *s = state;

	if (now_ns < s->sample_due_ns)
		return;
	sample_all(s, now_ns);
	s->sample_due_ns = now_ns + SAMPLE_NS;
}

static void cgroups_close(void *state)
{
	struct cgroups_state *s = state;

	for (size_t i = 0; i < s->n; i++)
		group_done(&s->groups[i]);
	mem_free(s->groups);
	buf_done(&s->text);
}

const struct collector collector_cgroups = {
	.name = "cgroups",
	.what = "limits, usage, throttling, memory, I/O, tasks and pressure of control groups (v1, v2, hybrid)",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_CGROUP | 1u << SCOPE_SYSTEM,
	.state_size = sizeof(struct cgroups_state),
	.open = cgroups_open,
	.read = cgroups_read,
	.tick = cgroups_tick,
	.close = cgroups_close,
};
