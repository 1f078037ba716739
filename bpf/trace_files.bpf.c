/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events of files and disks: opens that failed, slow fsync, slow block I/O. */
#include "bpf/trace.bpf.h"
#include "bpf/request.bpf.h"

/* ---- open ---- */

/* The registers hold the arguments still when a syscall ends. Numbers of 32-bit programs mean something else: those
 * are not looked at. */
hidden enum wire_call open_call(struct pt_regs *regs, __u64 *path)
{
	__u32 nr;
	enum wire_call call;

#if defined(__TARGET_ARCH_x86)
	nr = (__u32)BPF_CORE_READ(regs, orig_ax);
#elif defined(__TARGET_ARCH_arm64)
	nr = (__u32)BPF_CORE_READ(regs, syscallno);
#endif
	if (nr >= WIRE_SYSCALLS)
		return CALL_OTHER;
	call = config.syscalls[nr & (WIRE_SYSCALLS - 1)];
	if (call != CALL_OPEN && call != CALL_OPENAT)
		return CALL_OTHER;
#if defined(__TARGET_ARCH_x86)
	if (((struct task_struct *)bpf_get_current_task_btf())->thread_info.status & TS_COMPAT)
		return CALL_OTHER;
	*path = call == CALL_OPEN ? BPF_CORE_READ(regs, di) : BPF_CORE_READ(regs, si);
#elif defined(__TARGET_ARCH_arm64)
	*path = BPF_CORE_READ(regs, user_regs.regs[1]);
#endif
	return call;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(trace_open, struct pt_regs *regs, long ret)
{
	struct task_struct *t;
	struct wire_open *r;
	__u64 path = 0;
	long n;

	trace_count(TRACE_OPEN);
	/* below -512 the kernel speaks to itself: the call is made again */
	if (ret >= 0 || ret <= -512 || open_call(regs, &path) == CALL_OTHER)
		return 0;
	t = bpf_get_current_task_btf();
	if (!trace_wants(tgid_of(t)))
		return 0;
	r = bpf_ringbuf_reserve(&trace_ring, sizeof(*r), 0);
	if (!r) {
		trace_lose(TRACE_OPEN);
		return 0;
	}
	trace_head(&r->e, TRACE_OPEN, t);
	r->error = ret;
	n = bpf_probe_read_user_str(r->path, sizeof(r->path), (void *)path);
	r->path_size = n > 0 ? n : 0;
	TRACE_PUT(r);
	return 0;
}

/* ---- fsync ---- */

struct fsync {
	__u64 since;
	__u64 dentry; /* the caller holds the file open until it has returned */
	__u64 datasync;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32); /* thread */
	__type(value, struct fsync);
} trace_fsyncs SEC(".maps");

SEC("tp_btf/ext4_sync_file_enter")
int BPF_PROG(trace_fsync_enter, struct file *file, int datasync)
{
	struct task_struct *t = bpf_get_current_task_btf();
	struct fsync f = { .since = bpf_ktime_get_ns(), .datasync = datasync != 0 };
	__u32 tid = t->pid;

	trace_count(TRACE_FSYNC);
	if (!trace_wants(tgid_of(t)))
		return 0;
	f.dentry = (__u64)file->f_path.dentry;
	if (bpf_map_update_elem(&trace_fsyncs, &tid, &f, BPF_ANY))
		trace_lose(TRACE_FSYNC);
	return 0;
}

hidden void copy_names(struct wire_fsync *r, __u64 dentry)
{
	struct dentry *d = (void *)dentry;

	for (int i = 0; i < WIRE_NAMES; i++) {
		struct dentry *up = BPF_CORE_READ(d, d_parent);

		if (!up || up == d)
			return;
		bpf_probe_read_kernel_str(r->names[i], WIRE_NAME, BPF_CORE_READ(d, d_name.name));
		d = up;
	}
	r->more = BPF_CORE_READ(d, d_parent) != d;
}

SEC("tp_btf/ext4_sync_file_exit")
int BPF_PROG(trace_fsync_exit, struct inode *inode, int ret)
{
	struct task_struct *t = bpf_get_current_task_btf();
	__u32 tid = t->pid, dev;
	struct wire_fsync *r;
	struct fsync *f = bpf_map_lookup_elem(&trace_fsyncs, &tid);
	struct fsync was;

	if (!f)
		return 0; /* began before we came, or is not wanted */
	was = *f;
	bpf_map_delete_elem(&trace_fsyncs, &tid);
	was.since = bpf_ktime_get_ns() - was.since;
	if (was.since < config.trace_slow_ns || !TRACE_NEW(r, TRACE_FSYNC, t))
		return 0;
	dev = inode->i_sb->s_dev;
	r->major = dev >> 20;
	r->minor = dev & 0xfffff;
	r->inode = inode->i_ino;
	r->ns = was.since;
	r->result = ret;
	r->datasync = was.datasync;
	copy_names(r, was.dentry);
	TRACE_PUT(r);
	return 0;
}

/* ---- block I/O ---- */

/* Who made a request, until it is done: it ends in an interrupt, under whoever happens to run. */
struct bio_owner {
	__u64 since;
	struct wire_event e;
	__u32 bytes, spare;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64); /* request */
	__type(value, struct bio_owner);
} trace_requests SEC(".maps");

/* flags: BPF_NOEXIST where a request may come by twice; the first time counts. */
hidden void own_request(struct request *rq, __u64 flags)
{
	struct bio_owner o = { .since = bpf_ktime_get_ns(), .bytes = rq->__data_len };
	__u64 key = (__u64)rq;

	trace_count(TRACE_BIO);
	trace_who(&o.e, bpf_get_current_task_btf());
	bpf_map_update_elem(&trace_requests, &key, &o, flags);
}

SEC("tp_btf/block_io_start")
int BPF_PROG(trace_bio_start, struct request *rq)
{
	own_request(rq, BPF_ANY);
	return 0;
}

/* Before 6.5 there is no block_io_start. A request is given to a scheduler, or at once to the driver, by the thread that
 * makes it; only what a scheduler held back is issued by another, and was inserted before. */
SEC("tp_btf/block_rq_insert")
int BPF_PROG(trace_bio_insert, struct request *rq)
{
	own_request(rq, BPF_NOEXIST);
	return 0;
}

SEC("tp_btf/block_rq_issue")
int BPF_PROG(trace_bio_issue, struct request *rq)
{
	own_request(rq, BPF_NOEXIST);
	return 0;
}

hidden void copy_disk(struct wire_bio *r, struct request *rq)
{
	struct gendisk *disk = rq->q->disk;

	if (!disk)
		return;
	r->major = disk->major;
	r->minor = disk->first_minor;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(trace_bio, struct request *rq, __u64 error, unsigned int bytes)
{
	__u64 key = (__u64)rq, now = bpf_ktime_get_ns(), since = request_begun(rq);
	struct bio_owner *o;
	struct wire_bio *r = 0;

	if (bytes < rq->__data_len)
		return 0; /* a part of it */
	o = bpf_map_lookup_elem(&trace_requests, &key);
	if (!since && o)
		since = o->since; /* queue/iostats is 0 */
	if (!since || now - since < config.trace_slow_ns ||
	    (config.trace_pid && (!o || o->e.pid != config.trace_pid)))
		goto out;
	if (!TRACE_NEW(r, TRACE_BIO, 0))
		goto out;
	if (o) {
		__u64 time = r->e.time;
		__u32 cpu = r->e.cpu;

		r->e = o->e;
		r->e.tag = TRACE_BIO;
		r->e.time = time;
		r->e.cpu = cpu;
	}
	copy_disk(r, rq);
	r->op = rq->cmd_flags;
	r->bytes = o && o->bytes ? o->bytes : bytes;
	r->sector = rq->__sector;
	r->total_ns = now - since;
	r->device_ns = request_is_timed(rq) && rq->io_start_time_ns ? now - rq->io_start_time_ns
								    : 0;
	r->status = error & 0xff;
	TRACE_PUT(r);
out:
	if (o)
		bpf_map_delete_elem(&trace_requests, &key);
	return 0;
}
