/* SPDX-License-Identifier: Apache-2.0 */
/* Distributions, interval by interval. */
#include "engine/histing.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/root.h"
#include "collectors/bpf_hists.h"
#include "collectors/hist_target.h"
#include "collectors/host.h"
#include "engine/naming.h"

struct histing {
	struct histing_args args;
	struct root root;
	struct host host;
	struct bpf_hists *bpf;
	struct bpf_hists_plan plan;
	struct hists before, now;
	struct report report;
	struct intervals intervals;
};

/* ---- opening and closing ---- */

static int find_target(struct histing *h, struct hist_wish *w, struct err *e)
{
	const struct histing_args *a = &h->args;
	int err = 0;

	if (a->cgroup)
		err = hist_find_group(&h->root, a->cgroup, w, e);
	return err ? err : hist_find_disk(&h->root, a->disk, w, e);
}

static int open_programs(struct histing *h, const struct hist_wish *w, struct err *e)
{
	struct bpf_options o = { .hist = &h->plan.config };
	char why[300];
	int err;

	bpf_hists_plan(&h->plan, w);
	o.hist_cells = h->plan.cells;
	err = bpf_engine_open_with(&h->intervals.engine, h->plan.groups, &o, e);
	if (err)
		return err;
	if (!bpf_hists_has(h->intervals.engine, h->args.kind)) {
		bpf_hists_why(h->intervals.engine, h->args.kind, why, sizeof(why));
		return err_set(e, -ENOSYS, "cannot measure %s: %s", hist_kinds[h->args.kind].name,
			       why[0] ? why : "its programs could not be attached");
	}
	bpf_hists_open(&h->bpf, h->intervals.engine, &h->plan, &h->root);
	bpf_hists_namer(h->bpf, naming_kernel);
	return 0;
}

int histing_open(struct histing **out, const struct histing_args *a, struct err *e)
{
	struct histing *h = mem_alloc(sizeof(*h));
	struct hist_wish w = { .kinds = 1u << a->kind, .key = a->key, .pid = (uint32_t)a->run.pid };
	uint64_t began = clock_ns(CLOCK_MONOTONIC);
	int rc = -EINVAL, err;

	*out = NULL;
	h->args = *a;
	h->root.fd = -1;
	report_init(&h->report, "sixty.hist/1", &h->host);
	err = loop_open(&h->intervals.loop, e);
	if (!err)
		err = root_open(&h->root, "/", e);
	if (!err)
		err = find_target(h, &w, e);
	if (!err)
		err = open_programs(h, &w, e);
	if (err) {
		rc = err;
		goto out;
	}
	host_read(&h->host, &h->root);
	h->intervals.open_seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) * 1e-9;
	rc = 0;
out:
	if (rc) {
		histing_close(h);
		h = NULL;
	}
	*out = h;
	return rc;
}

void histing_close(struct histing *h)
{
	if (!h)
		return;
	bpf_hists_close(h->bpf);
	bpf_engine_close(h->intervals.engine);
	root_close(&h->root);
	hists_done(&h->before);
	hists_done(&h->now);
	report_done(&h->report);
	loop_close(&h->intervals.loop);
	mem_free(h);
}

bool histing_process_ended(const struct histing *h)
{
	return h->intervals.ended;
}

const struct budget_excess *histing_excess(const struct histing *h)
{
	return h->intervals.excess.program ? &h->intervals.excess : NULL;
}

/* ---- intervals ---- */

static int begin(void *of, struct err *e)
{
	struct histing *h = of;

	return bpf_hists_read(h->bpf, &h->before, e);
}

static int read_now(void *of, struct err *e)
{
	struct histing *h = of;

	hists_clear(&h->now);
	return bpf_hists_read(h->bpf, &h->now, e);
}

static void show(void *of, struct report *r)
{
	struct histing *h = of;
	struct hists all = { 0 };

	hists_copy(&all, &h->now); /* what has come so far: the next interval begins with it */
	hists_subtract(&h->now, &h->before);
	hists_tidy(&h->now);
	r->parts = REPORT_HISTS;
	r->hists = &h->now;
	r->pid = h->args.run.pid;
	hists_done(&h->before);
	h->before = all;
}

static void second(void *of)
{
	struct histing *h = of;

	bpf_hists_tick(h->bpf);
}

static const struct interval_source source = { begin, read_now, show, second };

int histing_run(struct histing *h, struct err *e)
{
	h->intervals.source = &source;
	h->intervals.of = h;
	h->intervals.args = h->args.run;
	h->intervals.groups = h->plan.groups;
	return intervals_run(&h->intervals, &h->report, e);
}
