/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Latencies and sizes of requests to disks.
 *
 *   allocated ──▶ inserted ──▶ issued ──▶ completed
 *      start_time_ns             io_start_time_ns
 *
 * The kernel keeps both times in the request, as long as the queue's iostats is 1: then one program at the end tells all. Where
 * it does not, and where it matters who made a request, a request is noted when it begins; those programs are not loaded
 * otherwise. */
#include "bpf/hist.bpf.h"
#include "bpf/request.bpf.h"

struct hist_request {
	__u64 since, issued; /* 0: not known */
	__u32 block;
	__u32 spare;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WIRE_HIST_REQUESTS);
	__type(key, __u64); /* request */
	__type(value, struct hist_request);
} hist_requests SEC(".maps");

hidden enum wire_hist_kind disk_kind(void)
{
	return hist_on(HIST_BITESIZE) ? HIST_BITESIZE : HIST_BIOLAT;
}

hidden void note_request(struct request *rq, bool issued)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct hist_request r = { .since = bpf_ktime_get_ns() };
	__u64 key = (__u64)rq;

	count_event(PROG_HIST_OWNER);
	if (config.hist.owner ? !hist_wants(t) : request_is_timed(rq))
		return;
	if (issued)
		r.issued = r.since;
	r.block = hist_block_of(disk_kind(), t);
	if (bpf_map_update_elem(&hist_requests, &key, &r, BPF_ANY))
		hist_lose(LOSS_HIST_STARTS);
}

SEC("tp_btf/block_io_start")
int BPF_PROG(hist_disk_start, struct request *rq)
{
	note_request(rq, false);
	return 0;
}

/* Before 6.5 there is no block_io_start; see trace_files.bpf.c. */
typedef void (*btf_trace_block_io_start)(void *, struct request *);

SEC("tp_btf/block_rq_insert")
int BPF_PROG(hist_disk_insert, struct request *rq)
{
	__u64 key = (__u64)rq;

	if (!bpf_map_lookup_elem(&hist_requests, &key))
		note_request(rq, false);
	return 0;
}

/* Again where the driver was busy: the last time counts, as it does in the kernel. */
SEC("tp_btf/block_rq_issue")
int BPF_PROG(hist_disk_issue, struct request *rq)
{
	__u64 key = (__u64)rq;
	struct hist_request *r = bpf_map_lookup_elem(&hist_requests, &key);

	if (r)
		r->issued = bpf_ktime_get_ns();
	else if (!bpf_core_type_exists(btf_trace_block_io_start))
		note_request(rq,
			     true); /* by the thread that makes it, unless it was inserted before */
	return 0;
}

hidden __u64 since(__u64 then, __u64 now)
{
	if (now >= then)
		return now - then;
	hist_lose(LOSS_CLOCK);
	return 0;
}

hidden __u32 disk_block(struct request *rq, __u32 dev, const struct hist_request *r)
{
	enum wire_hist_kind k = disk_kind();

	if (hist_by(k, HIST_BY_DISK))
		return hist_block(config.hist.first[k], dev, 0);
	if (hist_by(k, HIST_BY_OPERATION))
		return hist_block(config.hist.first[k], rq->cmd_flags & 0xff, 0);
	return hist_by(k, HIST_BY_PROCESS) ? r->block : config.hist.first[k];
}

hidden void put_request(struct request *rq, const struct hist_request *r, __u32 bytes)
{
	struct gendisk *disk = rq->q->disk;
	__u32 dev = disk ? disk->major << 20 | disk->first_minor : 0, block;
	__u64 now, begun, issued;

	if (config.hist.disk && dev != config.hist.disk)
		return;
	if (hist_on(HIST_BITESIZE)) {
		if (bytes) /* a flush has none */
			hist_put(disk_block(rq, dev, r), bytes);
		return;
	}
	now = bpf_ktime_get_ns();
	begun = request_begun(rq);
	issued = begun ? rq->io_start_time_ns : r->issued;
	if (!begun)
		begun = r->since;
	if (!begun) {
		hist_lose(LOSS_HIST_UNTIMED);
		return;
	}
	block = disk_block(rq, dev, r);
	hist_put(block + BIOLAT_TOTAL, since(begun, now));
	if (issued)
		hist_put(block + BIOLAT_DEVICE, since(issued, now));
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(hist_disk_done, struct request *rq, __u64 error, unsigned int bytes)
{
	struct hist_request note = {}, *r;
	__u64 key = (__u64)rq;

	if (bytes < rq->__data_len)
		return 0; /* a part of it */
	count_event(PROG_HIST_DISK);
	if (config.hist.noted) {
		r = bpf_map_lookup_elem(&hist_requests, &key);
		if (r) {
			note = *r;
			bpf_map_delete_elem(&hist_requests, &key);
		} else if (config.hist.owner) {
			return 0;
		}
	}
	put_request(rq, &note, bytes);
	return 0;
}
