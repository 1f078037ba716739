/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a thread begins and ends itself, without anything of the same kind in between: reclaim of memory, fsync, the commits of
 * a journal, the functions of a work queue. */
#include "bpf/hist.bpf.h"

struct hist_span {
	__u64 since; /* 0: none is seen */
	__u32 cell;
	__u32 measure;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hist_span);
} hist_spans SEC(".maps");

hidden void span_begin(struct task_struct *t, __u32 block, __u32 measure)
{
	struct hist_span *s =
		bpf_task_storage_get(&hist_spans, t, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!s) {
		hist_lose(LOSS_HIST_STARTS);
		return;
	}
	s->cell = block + measure;
	s->measure = measure;
	s->since = bpf_ktime_get_ns();
}

hidden void span_end(__u32 measure)
{
	struct hist_span *s = bpf_task_storage_get(&hist_spans, bpf_get_current_task_btf(), 0, 0);

	if (!s || !s->since || s->measure != measure)
		return; /* it began before we came, or is not wanted */
	hist_put(s->cell, bpf_ktime_get_ns() - s->since);
	s->since = 0;
}

hidden void own_begin(enum wire_program p, enum wire_hist_kind k, __u32 measure)
{
	struct task_struct *t = bpf_get_current_task_btf();

	count_event(p);
	if (hist_wants(t))
		span_begin(t, hist_block_of(k, t), measure);
}

/* ---- reclaim ---- */

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int hist_reclaim_begin(void *ctx)
{
	own_begin(PROG_HIST_RECLAIM, HIST_RECLAIM, RECLAIM_DIRECT);
	return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int hist_reclaim_end(void *ctx)
{
	span_end(RECLAIM_DIRECT);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int hist_group_begin(void *ctx)
{
	own_begin(PROG_HIST_RECLAIM, HIST_RECLAIM, RECLAIM_GROUP);
	return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int hist_group_end(void *ctx)
{
	span_end(RECLAIM_GROUP);
	return 0;
}

/* Of a zone. What kcompactd does nobody waits for. */
SEC("tp_btf/mm_compaction_begin")
int hist_compact_begin(void *ctx)
{
	struct task_struct *t = bpf_get_current_task_btf();

	if (!(t->flags & PF_KTHREAD))
		own_begin(PROG_HIST_RECLAIM, HIST_RECLAIM, RECLAIM_COMPACTION);
	return 0;
}

SEC("tp_btf/mm_compaction_end")
int hist_compact_end(void *ctx)
{
	span_end(RECLAIM_COMPACTION);
	return 0;
}

/* ---- fsync ---- */

SEC("tp_btf/ext4_sync_file_enter")
int hist_sync_enter(void *ctx)
{
	own_begin(PROG_HIST_SYNC, HIST_FSYNC, FSYNC_CALL);
	return 0;
}

SEC("tp_btf/ext4_sync_file_exit")
int hist_sync_exit(void *ctx)
{
	span_end(FSYNC_CALL);
	return 0;
}

/* By the journal's own thread: of no process that is asked for. */
SEC("tp_btf/jbd2_start_commit")
int hist_commit_begin(void *ctx)
{
	own_begin(PROG_HIST_SYNC, HIST_FSYNC, FSYNC_JOURNAL);
	return 0;
}

SEC("tp_btf/jbd2_end_commit")
int hist_commit_end(void *ctx)
{
	span_end(FSYNC_JOURNAL);
	return 0;
}
