/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of samples, and maps in maps: each binary has one for its rules, each process one for its mappings, as large as they
 * are. Those that nobody points to any more are freed by the kernel. */
#include "collectors/bpf_profile.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "collectors/bpf_engine.h"
#include "collectors/bpf_hists.h"
#include "collectors/bpf_waits.h"
#include "collectors/perf_events.h"

#define RING_PER_CPU (1u << 20) /* half a second at 4,999 Hz with stacks of 50 frames */
#define RING_LEAST   (4u << 20)
#define RING_MOST    (64u << 20)

struct bpf_profile {
	struct bpf_engine *engine;
	struct ring_buffer *ring;
	int programs_fd, tables_fd, chosen_fd;
	bool children;
	void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
		     const uint8_t *copy);
	void *ctx;
};

static size_t ring_bytes(void)
{
	int cpus = bpf_possible_cpus();
	size_t want = RING_LEAST;

	while (want < RING_MOST && want < (size_t)(cpus > 0 ? cpus : 1) * RING_PER_CPU)
		want <<= 1;
	return want;
}

bool bpf_profile_record(const void *data, size_t size, const struct wire_profile **s,
			const uint64_t **ip, const uint8_t **copy)
{
	const struct wire_profile *p = data;
	size_t frames;

	if (size < sizeof(*p))
		return false;
	*s = p;
	*ip = (const void *)(p + 1);
	frames = p->copied ? WIRE_KERNEL_FRAMES : (size_t)p->kernel + p->user + p->python;
	*copy = p->copied ? (const uint8_t *)(*ip + WIRE_KERNEL_FRAMES) : NULL;
	return p->python <= WIRE_PYTHON && p->kernel <= WIRE_KERNEL_FRAMES &&
	       p->user <= WIRE_USER_FRAMES &&
	       size >= sizeof(*p) + frames * sizeof(**ip) + p->copied;
}

static int take(void *ctx, void *data, size_t size)
{
	struct bpf_profile *p = ctx;
	const struct wire_profile *s = data;
	const uint64_t *ip;
	const uint8_t *copy;

	if (size >= sizeof(*s) && s->python == WIRE_PYTHON_CODE) {
		if (size >= sizeof(*s) + sizeof(struct wire_python_code))
			p->each(p->ctx, s, NULL, (const uint8_t *)(s + 1));
		return 0;
	}
	if (bpf_profile_record(data, size, &s, &ip, &copy))
		p->each(p->ctx, s, ip, copy);
	return 0;
}

static void configure_waits(struct wire_profile_config *c, const struct bpf_waits_args *w)
{
	c->waits = true;
	c->running = w->running;
	c->wakers = w->wakers;
	c->shortest_ns = w->shortest_ns;
	c->longest_ns = w->longest_ns ? w->longest_ns : UINT64_MAX;
	c->irq_from = w->irq_from;
	c->irq_size = w->irq_size;
}

/* What takes samples; none where only waits are wanted. */
static uint64_t samplers_of(const struct bpf_profile_args *a)
{
	if (a->event && perf_event_is_tracepoint(a->event))
		return BPF_EVENT;
	return a->hz ? BPF_PROFILE : 0;
}

static uint64_t groups_of(const struct bpf_profile_args *a)
{
	return samplers_of(a) | (a->chosen || a->waits ? BPF_CHILDREN : 0) |
	       (a->waits ? BPF_WAITS : 0) | (a->waits && a->waits->wakers ? BPF_WAKERS : 0);
}

int bpf_profile_open(struct bpf_profile **out, const struct bpf_profile_args *a, struct err *e)
{
	struct bpf_profile *p = mem_alloc(sizeof(*p));
	struct wire_profile_config c = { .chosen = a->chosen,
					 .no_kernel = a->no_kernel,
					 .event = a->event != NULL,
					 .period = a->period ? a->period : 1 };
	struct perf_event_attr event;
	uint64_t takes = samplers_of(a);
	struct wire_hist_config group = { 0 };
	struct bpf_options o = {
		.hz = a->hz, .ring_bytes = ring_bytes(), .profile = &c, .hist = &group
	};
	int rc = -EINVAL, err;

	*out = NULL;
	if (a->group) {
		group.group = a->group->group;
		group.group_in = a->group->group_in;
		group.group_level = a->group->group_level;
	}
	if (a->event) {
		perf_event_fill(a->event, &event);
		perf_event_rate(&event, a->hz, a->period);
		o.event = &event;
	}
	if (a->waits)
		configure_waits(&c, a->waits);
	err = bpf_engine_open_with(&p->engine, groups_of(a), &o, e);
	if (err) {
		rc = err;
		goto out;
	}
	if (a->waits && !bpf_engine_has(p->engine, BPF_WAITS)) {
		rc = err_set(e, -ENOSYS, "cannot see waits: profile_switch: %s",
			     bpf_engine_why(p->engine, BPF_WAITS));
		goto out;
	}
	if (takes && !bpf_engine_has(p->engine, takes)) {
		rc = err_set(e, -ENOSYS, "cannot sample stacks: %s: %s",
			     takes == BPF_EVENT ? "profile_event" : "profile_tick",
			     bpf_engine_why(p->engine, takes));
		goto out;
	}
	p->children = bpf_engine_has(p->engine, BPF_CHILDREN);
	p->programs_fd = bpf_engine_fd(p->engine, "profile_programs");
	p->tables_fd = bpf_engine_fd(p->engine, "profile_tables");
	p->chosen_fd = bpf_engine_fd(p->engine, "profile_chosen");
	p->ring = ring_buffer__new(bpf_engine_fd(p->engine, "profile_ring"), take, p, NULL);
	if (!p->ring) {
		rc = err_errno(e, -errno, "cannot read the ring of samples");
		goto out;
	}
	rc = 0;
out:
	if (rc) {
		bpf_profile_close(p);
		p = NULL;
	}
	*out = p;
	return rc;
}

void bpf_profile_close(struct bpf_profile *p)
{
	if (!p)
		return;
	ring_buffer__free(p->ring);
	bpf_engine_close(p->engine);
	mem_free(p);
}

struct bpf_engine *bpf_profile_engine(struct bpf_profile *p)
{
	return p->engine;
}

int bpf_profile_fd(const struct bpf_profile *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

int bpf_profile_choose(struct bpf_profile *p, uint32_t tgid)
{
	uint32_t one = 1;
	int err = bpf_map_update_elem(p->chosen_fd, &tgid, &one, BPF_ANY);

	return err == -E2BIG ? -ENOSPC : err;
}

void bpf_profile_stop(struct bpf_profile *p)
{
	bpf_engine_stop(p->engine, BPF_PROFILE | BPF_EVENT | BPF_CHILDREN | BPF_WAITS | BPF_WAKERS);
}

int bpf_profile_read(struct bpf_profile *p,
		     void (*each)(void *ctx, const struct wire_profile *s, const uint64_t *ip,
				  const uint8_t *copy),
		     void *ctx)
{
	int err;

	p->each = each;
	p->ctx = ctx;
	/* poll() besides consuming takes back what makes the descriptor readable */
	err = ring_buffer__poll(p->ring, 0);
	if (err >= 0 || err == -EINTR)
		err = ring_buffer__consume(p->ring);
	return err < 0 && err != -EAGAIN && err != -EINTR ? err : 0;
}

/* An array map with these values, or -errno. */
static int make_array(const char *name, const void *values, uint32_t n, uint32_t size)
{
	LIBBPF_OPTS(bpf_map_create_opts, create, .map_flags = BPF_F_INNER_MAP);
	LIBBPF_OPTS(bpf_map_batch_opts, batch, .elem_flags = BPF_ANY);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), size, n, &create), err;
	uint32_t *keys, count = n;

	if (fd < 0)
		return fd;
	keys = mem_array(n, sizeof(*keys));
	for (uint32_t i = 0; i < n; i++)
		keys[i] = i;
	err = bpf_map_update_batch(fd, keys, values, &count, &batch);
	mem_free(keys);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int bpf_profile_rules(struct bpf_profile *p, uint32_t table, const struct wire_rules *blocks,
		      uint32_t n)
{
	int fd = n ? make_array("profile_rules", blocks, n, sizeof(*blocks)) : -ENOENT, err;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(p->tables_fd, &table, &fd, BPF_ANY);
	close(fd);
	return err;
}

int bpf_profile_mappings(struct bpf_profile *p, const struct wire_program_key *key,
			 struct wire_mapping *list, uint32_t n, bool settled)
{
	int fd, err;

	list[0] = (struct wire_mapping){ .start = n, .table = settled ? WIRE_MAPPING_SETTLED : 0 };
	fd = make_array("profile_maps", list, n + 1, sizeof(*list));
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(p->programs_fd, key, &fd, BPF_ANY);
	close(fd);
	return err;
}

int bpf_profile_python(struct bpf_profile *p, const struct wire_program_key *key,
		       const struct wire_python *python)
{
	int fd = bpf_engine_fd(p->engine, "profile_pythons");

	return fd < 0 ? -ENOENT : bpf_map_update_elem(fd, key, python, BPF_ANY);
}
