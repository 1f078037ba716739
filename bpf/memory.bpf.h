/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Resident pages, exactly. Since 6.2 a count is a percpu_counter: each CPU holds up to some dozens of pages of every
 * process, and what /proc/PID/stat shows leaves them out. Before, threads held them. */
#ifndef SIXTY_BPF_MEMORY_H
#define SIXTY_BPF_MEMORY_H

#include "bpf/common.bpf.h"

/* What a CPU's offset is added to, with the value that is there: the difference is the offset. No variable of the kernel
 * says it that a program could read everywhere. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} table_here SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WIRE_CPUS);
	__type(key, __u32);
	__type(value, __u64);
} table_offsets SEC(".maps");

/* A pointer goes in, a number comes out: with pointers to maps a program may not calculate. */
hidden __u64 as_number(void *p)
{
	static volatile __u64 through SEC(".bss.table");

	through = (__u64)p;
	return through;
}

static long find_offset(__u32 cpu, __u64 *base)
{
	__u32 zero = 0;
	void *here = bpf_map_lookup_percpu_elem(&table_here, &zero, cpu);
	__u64 offset;

	if (!here)
		return 1;
	offset = as_number(here) - *base;
	bpf_map_update_elem(&table_offsets, &cpu, &offset, BPF_ANY);
	return 0;
}

hidden __u64 offset_of(__u32 cpu)
{
	__u64 *known = bpf_map_lookup_elem(&table_offsets, &cpu);

	return known ? *known : 0;
}

hidden void find_offsets(void)
{
	__u64 array, base = 0;

	if (offset_of(0))
		return;
	array = as_number(&table_here);
	bpf_probe_read_kernel(&base, sizeof(base),
			      (void *)(array + bpf_core_field_offset(struct bpf_array, pptrs)));
	bpf_loop(WIRE_CPUS, find_offset, &base, 0);
}

struct cpu_parts {
	__u64 at[MM_KINDS]; /* what a CPU's offset is added to */
	__s64 pages[MM_KINDS];
};

/* Since 14ef95be6f55 (6.6) the four counts of a process lie side by side. */
static long add_cpu(__u32 cpu, struct cpu_parts *s)
{
	__s32 part[MM_KINDS] = {};
	__u64 offset;

	if (cpu >= config.cpus)
		return 1;
	offset = offset_of(cpu);
	if (s->at[3] - s->at[0] == 3 * sizeof(part[0])) {
		bpf_probe_read_kernel(part, sizeof(part), (void *)(s->at[0] + offset));
	} else {
		for (int i = 0; i < MM_KINDS; i++)
			bpf_probe_read_kernel(&part[i], sizeof(part[i]),
					      (void *)(s->at[i] + offset));
	}
	for (int i = 0; i < MM_KINDS; i++)
		s->pages[i] += part[i];
	return 0;
}

/* What a thread holds of its process's counts. */
hidden void add_thread_pages(struct task_struct *t, __s64 *pages)
{
	int part[MM_KINDS] = {};

	if (!bpf_core_field_exists(t->rss_stat.count))
		return;
	barrier_var(t); /* or clang computes an address that 6.2 has not before it asks */
	BPF_CORE_READ_INTO(&part, t, rss_stat.count);
	for (int i = 0; i < MM_KINDS; i++)
		pages[i] += part[i];
}

/* One read for all: each is a call, and this is done for every process. With a lock that is debugged it does not fit. */
#define COUNT_BYTES 48

/* Not on the stack, where it would not have room. */
struct mm_counts {
	char bytes[MM_KINDS * COUNT_BYTES] __attribute__((aligned(8)));
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mm_counts);
} table_counts SEC(".maps");

hidden void take_count(const char *bytes, struct cpu_parts *s, int i)
{
	const char *one = bytes + i * bpf_core_type_size(struct percpu_counter);

	s->pages[i] = *(__s64 *)(one + bpf_core_field_offset(struct percpu_counter, count));
	if (bpf_core_field_exists(((struct percpu_counter *)0)->counters))
		s->at[i] = *(__u64 *)(one + bpf_core_field_offset(struct percpu_counter, counters));
}

/* False: this kernel's counts cannot be read here. */
hidden bool sum_pages(struct mm_struct *mm, const __s64 *threads, __s64 (*pages)[MM_KINDS])
{
	struct cpu_parts s = {};
	struct mm_counts *c;
	__u32 zero = 0;

	if (!bpf_core_field_exists(mm->rss_stat[0].count)) {
		barrier_var(mm);
		BPF_CORE_READ_INTO(pages, (struct mm_struct___parts *)mm, rss_stat.count);
		for (int i = 0; i < MM_KINDS; i++)
			(*pages)[i] += threads[i];
		return true;
	}
	c = bpf_map_lookup_elem(&table_counts, &zero);
	if (!c || bpf_core_type_size(struct percpu_counter) > COUNT_BYTES)
		return false;
	bpf_probe_read_kernel(c->bytes, MM_KINDS * bpf_core_type_size(struct percpu_counter),
			      (char *)mm + bpf_core_field_offset(struct mm_struct, rss_stat));
	take_count(c->bytes, &s, 0);
	take_count(c->bytes, &s, 1);
	take_count(c->bytes, &s, 2);
	take_count(c->bytes, &s, 3);
	if (bpf_core_field_exists(mm->rss_stat[0].counters)) {
		find_offsets();
		bpf_loop(WIRE_CPUS, add_cpu, &s, 0);
	}
	for (int i = 0; i < MM_KINDS; i++)
		(*pages)[i] = s.pages[i];
	return true;
}

/* threads: what add_thread_pages() found. A process that gives its memory back meanwhile has none. */
apart void count_pages(struct task_struct *t, const __s64 *threads, struct wire_row *w)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	__s64(*pages)[MM_KINDS] = (void *)w->pages; /* zero so far */

	if (!mm)
		return;
	w->address_pages = BPF_CORE_READ(mm, total_vm);
	if (config.cpus > WIRE_CPUS || !sum_pages(mm, threads, pages))
		w->cut |= WIRE_CUT_PAGES;
	if (BPF_CORE_READ(t, mm) != mm) {
		w->address_pages = 0;
		__builtin_memset(w->pages, 0, sizeof(w->pages));
		return;
	}
	for (int i = 0; i < MM_KINDS; i++)
		if ((*pages)[i] < 0)
			(*pages)[i] = 0;
}

#endif
