/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of services, interval by interval. */
#include "engine/serving.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/bpf_red.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"

struct serving {
	struct serving_args args;
	struct root root;
	struct host host;
	struct bpf_red *red;
	struct wire_red_config plan;
	struct reds before, now;
	struct report report;
	struct intervals intervals;
};

/* ---- opening and closing ---- */

static int open_programs(struct serving *s, struct err *e)
{
	const struct serving_args *a = &s->args;
	struct red_wish w = { .port = (uint32_t)a->port,
			      .pid = (uint32_t)a->run.pid,
			      .clients = !a->no_clients,
			      .no_content = a->no_content };
	struct bpf_options o = { .red = &s->plan };
	struct hist_wish group = { 0 };
	int err;

	if (a->cgroup) {
		err = hist_find_group(&s->root, a->cgroup, &group, e);
		if (err)
			return err;
		o.group = group.group;
		o.group_in = group.group_in;
		o.group_level = group.group_level;
	}
	bpf_red_plan(&s->plan, &w, &s->root);
	err = bpf_engine_open_with(&s->intervals.engine, BPF_RED | BPF_RED_QUEUE, &o, e);
	if (err)
		return err;
	if (!bpf_engine_has(s->intervals.engine, BPF_RED))
		return err_set(
			e, -ENOSYS,
			"cannot follow requests (kernels before 6.3 have no trace point for it): %s",
			bpf_engine_why(s->intervals.engine, BPF_RED));
	return bpf_red_open(&s->red, s->intervals.engine, &s->plan, &s->root, e);
}

int serving_open(struct serving **out, const struct serving_args *a, struct err *e)
{
	struct serving *s = mem_alloc(sizeof(*s));
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	s->args = *a;
	s->root.fd = -1;
	report_init(&s->report, "sixty.red/1", &s->host);
	err = loop_open(&s->intervals.loop, e);
	if (!err)
		err = root_open(&s->root, "/", e);
	if (!err)
		err = open_programs(s, e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&s->host, &s->root);
	s->intervals.open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		serving_close(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

void serving_close(struct serving *s)
{
	if (!s)
		return;
	bpf_red_close(s->red);
	bpf_engine_close(s->intervals.engine);
	root_close(&s->root);
	reds_done(&s->before);
	reds_done(&s->now);
	report_done(&s->report);
	loop_close(&s->intervals.loop);
	mem_free(s);
}

const struct budget_excess *serving_excess(const struct serving *s)
{
	return s->intervals.excess.program ? &s->intervals.excess : NULL;
}

/* ---- intervals ---- */

static int begin(void *of, struct err *e)
{
	struct serving *s = of;

	return bpf_red_read(s->red, &s->before, e);
}

static int read_now(void *of, struct err *e)
{
	struct serving *s = of;

	reds_clear(&s->now);
	return bpf_red_read(s->red, &s->now, e);
}

static void show(void *of, struct report *r)
{
	struct serving *s = of;
	struct reds all = { 0 };

	reds_copy(&all, &s->now);
	reds_subtract(&s->now, &s->before);
	reds_tidy(&s->now);
	r->parts = REPORT_RED;
	r->reds = &s->now;
	reds_done(&s->before);
	s->before = all;
}

static const struct interval_source source = { begin, read_now, show, NULL };

int serving_run(struct serving *s, struct err *e)
{
	s->intervals.source = &source;
	s->intervals.of = s;
	s->intervals.args = s->args.run;
	s->intervals.groups = BPF_RED;
	return intervals_run(&s->intervals, &s->report, e);
}
