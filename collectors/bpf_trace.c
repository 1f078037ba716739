/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of events, and what the kernel's own types tell about them. */
#include "collectors/bpf_trace.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define RING_PER_CPU (512u << 10)
#define RING_LEAST   (1u << 20)
#define RING_MOST    (16u << 20)
#define REASONS_MAX  512

struct reasons {
	char *names[REASONS_MAX]; /* without the prefix */
};

struct bpf_trace {
	struct bpf_engine *engine;
	struct ring_buffer *ring;
	unsigned events;
	struct reasons drops, resets;
	bool (*each)(void *ctx, const void *record, size_t size);
	void *ctx;
};

/* ---- types of the kernel ---- */

static void read_reasons(const struct btf *btf, const char *type, const char *prefix,
			 struct reasons *out)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	const struct btf_enum *e = t ? btf_enum(t) : NULL;
	size_t skip = strlen(prefix);

	for (unsigned i = 0; e && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, e[i].name_off);

		if (!name || e[i].val < 0 || e[i].val >= REASONS_MAX || out->names[e[i].val])
			continue;
		out->names[e[i].val] =
			mem_dup(strncmp(name, prefix, skip) != 0 ? name : name + skip);
	}
}

static const struct btf_type *prototype(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t;
	char name[64];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Arguments of a tracepoint, without the one that is the tracepoint's own. */
static unsigned arguments(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t = prototype(btf, tracepoint);

	return t && btf_vlen(t) ? btf_vlen(t) - 1u : 0;
}

static bool first_is_pointer(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *t = prototype(btf, tracepoint);

	return t && btf_vlen(t) > 1 && btf_is_ptr(btf__type_by_id(btf, btf_params(t)[1].type));
}

#define NEED_TYPES (1u << TRACE_EXIT | 1u << TRACE_OOM | 1u << TRACE_RESET | 1u << TRACE_DROP)

static void ask_types(struct bpf_trace *t, struct bpf_options *o)
{
	struct btf *btf;

	if (!(t->events & NEED_TYPES))
		return;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return; /* the engine will say so */
	o->group_dead = arguments(btf, "sched_process_exit") >= 2;
	o->victim_task = first_is_pointer(btf, "mark_victim");
	o->reset_reason = arguments(btf, "tcp_send_reset") >= 3;
	read_reasons(btf, "skb_drop_reason", "SKB_DROP_REASON_", &t->drops);
	read_reasons(btf, "sk_rst_reason", "SK_RST_REASON_", &t->resets);
	btf__free(btf);
}

static const char *reason_name(const struct reasons *r, unsigned reason)
{
	return reason < REASONS_MAX ? r->names[reason] : NULL;
}

const char *bpf_trace_drop_reason(const struct bpf_trace *t, unsigned reason)
{
	return reason_name(&t->drops, reason);
}

const char *bpf_trace_reset_reason(const struct bpf_trace *t, unsigned reason)
{
	return reason_name(&t->resets, reason);
}

/* ---- opening and closing ---- */

static size_t ring_bytes(void)
{
	int cpus = bpf_possible_cpus();
	size_t want = (size_t)(cpus > 0 ? cpus : 1) * RING_PER_CPU, size = RING_LEAST;

	while (size < want && size < RING_MOST)
		size *= 2;
	return size;
}

static uint64_t groups_of(unsigned events)
{
	uint64_t groups = 0;

	for (unsigned i = 0; i < TRACE_MAX; i++)
		if (events & 1u << i)
			groups |= i == TRACE_RUNQ ? BPF_TIME : BPF_TRACE(i);
	return groups;
}

static int take(void *ctx, void *data, size_t size)
{
	struct bpf_trace *t = ctx;

	return t->each(t->ctx, data, size) ? 0 : -EAGAIN;
}

/* The records are not needed, the storage that the sweep gives every thread is. */
static void ignore(void *ctx, const void *record)
{
	(void)ctx;
	(void)record;
}

static int open_ring(struct bpf_trace *t, struct err *e)
{
	int fd = bpf_engine_fd(t->engine, "trace_ring");

	if (fd < 0)
		return err_errno(e, fd, "there is no ring for events");
	t->ring = ring_buffer__new(fd, take, t, NULL);
	return t->ring ? 0 : err_errno(e, -errno, "cannot read the ring of events");
}

int bpf_trace_open(struct bpf_trace **out, const struct bpf_trace_args *a, struct err *e)
{
	struct bpf_trace *t = mem_alloc(sizeof(*t));
	struct bpf_options o = { .pid = a->pid, .slow_ns = a->slow_ns, .ring_bytes = ring_bytes() };
	int rc = -EINVAL, err;

	*out = NULL;
	t->events = a->events & ~(1u << TRACE_MOUNT | 1u << TRACE_BPF);
	if (t->events & 1u << TRACE_RUNQ)
		o.runq_ns = a->slow_ns ? a->slow_ns : 1;
	ask_types(t, &o);
	err = bpf_engine_open_with(&t->engine, groups_of(t->events), &o, e);
	if (!err)
		err = open_ring(t, e);
	if (!err && o.runq_ns && bpf_engine_has(t->engine, BPF_TIME))
		err = bpf_engine_iterate(t->engine, "tasks_sweep", sizeof(struct wire_task), ignore,
					 NULL, e);
	if (err) {
		rc = err;
		goto out;
	}
	rc = 0;
out:
	if (rc) {
		bpf_trace_close(t);
		t = NULL;
	}
	*out = t;
	return rc;
}

void bpf_trace_close(struct bpf_trace *t)
{
	if (!t)
		return;
	ring_buffer__free(t->ring);
	bpf_engine_close(t->engine);
	for (size_t i = 0; i < REASONS_MAX; i++) {
		mem_free(t->drops.names[i]);
		mem_free(t->resets.names[i]);
	}
	mem_free(t);
}

struct bpf_engine *bpf_trace_engine(struct bpf_trace *t)
{
	return t->engine;
}

/* ---- how the events fare ---- */

static bool serves(size_t probe, enum wire_trace event)
{
	return bpf_probes[probe].group & (event == TRACE_RUNQ ? BPF_TIME : BPF_TRACE(event));
}

bool bpf_trace_has(const struct bpf_trace *t, enum wire_trace event)
{
	if (!t || !(t->events & 1u << event))
		return false;
	for (size_t i = 0; bpf_probes[i].program; i++)
		if (serves(i, event) && bpf_probes[i].needed &&
		    !bpf_engine_fate(t->engine, i)->attached)
			return false;
	return true;
}

void bpf_trace_why(const struct bpf_trace *t, enum wire_trace event, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; bpf_probes[i].program; i++) {
		const struct bpf_fate *f = bpf_engine_fate(t->engine, i);

		if (!serves(i, event) || f->attached || f->spare)
			continue;
		if (event == TRACE_RUNQ && !bpf_probes[i].needed)
			continue; /* what these lose is nothing that is told here */
		snprintf(out, size, "%s: %s: %s", bpf_probes[i].program, f->why,
			 bpf_probes[i].without);
		return;
	}
}

/* ---- reading ---- */

int bpf_trace_read(struct bpf_trace *t, bool (*each)(void *ctx, const void *record, size_t size),
		   void *ctx)
{
	int err;

	t->each = each;
	t->ctx = ctx;
	err = ring_buffer__consume(t->ring);
	return err < 0 && err != -EAGAIN && err != -EINTR ? err : 0;
}

int bpf_trace_lost(struct bpf_trace *t, uint64_t lost[TRACE_MAX])
{
	int fd = bpf_engine_fd(t->engine, "trace_lost"), cpus = bpf_engine_cpus(t->engine), err = 0;
	uint64_t *each = mem_array((size_t)cpus, sizeof(*each));

	memset(lost, 0, TRACE_MAX * sizeof(*lost));
	for (__u32 i = 0; i < TRACE_MAX && !err; i++) {
		err = bpf_map_lookup_elem(fd, &i, each);
		for (int cpu = 0; cpu < cpus && !err; cpu++)
			lost[i] += each[cpu];
	}
	mem_free(each);
	return err;
}

/* ---- programs of others ---- */

static void describe(uint32_t id, const struct bpf_prog_info *info, struct trace_bpf *p)
{
	const char *type = libbpf_bpf_prog_type_str(info->type);

	memset(p, 0, sizeof(*p));
	p->e.tag = TRACE_BPF;
	p->e.uid = info->created_by_uid;
	p->id = id;
	snprintf(p->name, sizeof(p->name), "%.*s", (int)sizeof(info->name), info->name);
	snprintf(p->type, sizeof(p->type), "%s", type ? type : "unknown");
}

int bpf_programs_poll(uint32_t *last, void (*each)(void *ctx, const struct trace_bpf *p), void *ctx)
{
	uint32_t id = *last, next;
	int err;

	/* numbers only grow until they wrap after 2^31 */
	while (!(err = bpf_prog_get_next_id(id, &next))) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);
		struct trace_bpf p;
		int fd = bpf_prog_get_fd_by_id(next);

		id = next;
		if (fd < 0)
			continue; /* gone meanwhile */
		if (each && !bpf_obj_get_info_by_fd(fd, &info, &size)) {
			describe(id, &info, &p);
			each(ctx, &p);
		}
		close(fd);
	}
	*last = id;
	return err == -ENOENT ? 0 : err;
}
