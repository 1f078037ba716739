/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Walking along a user stack, frame by frame, by rules that user space has made of .eh_frame.
 *
 *   process ─▶ list of its mappings ─▶ the one of the address ─▶ rules of that binary, shared by all that have mapped it
 *
 * Where there are no rules the frame pointer is tried: code made at run time and that of Go keep one. Only the thread that runs
 * can be walked: its memory is that of this CPU. */
#ifndef SIXTY_BPF_WALK_H
#define SIXTY_BPF_WALK_H

#include "bpf/common.bpf.h"

struct profile_mappings {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_mapping);
};

/* Of a process: its mappings. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, WIRE_PROFILED);
	__type(key, struct wire_program_key);
	__array(values, struct profile_mappings);
} profile_programs SEC(".maps");

struct profile_rules {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct wire_rules)); /* its type is nowhere but behind pointers */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, WIRE_TABLES);
	__type(key, __u32);
	__array(values, struct profile_rules);
} profile_tables SEC(".maps");

/* The record that is being made: larger than the stack of a program. A program may be interrupted by another one: each kind has
 * its own. */
enum walk_slot { SLOT_TICK, SLOT_SWITCH, SLOT_WAKING, SLOT_SLEEPER, SLOTS };

struct profile_scratch {
	struct wire_profile p;
	__u64 ip[WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES + WIRE_PYTHON + 1];
	__u8 copy[WIRE_COPY];
	__u64 passed; /* hits of a tracepoint since the last one that was taken */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct profile_scratch);
} profile_scratch SEC(".maps");

struct stack_walk {
	struct wire_registers r;
	struct wire_program_key key;
	struct wire_mapping m; /* where the frame before was */
	__u64 inside; /* 1: r.ip is an instruction that was interrupted; 0: the one behind a call */
	__u32 end;    /* enum wire_walk */
	__u32 guessed;
	__u32 frames, first; /* first: place of the innermost in ip[] */
	__u32 slot, spare;
};

/* The searches are functions of their own, which the verifier looks at once and not for each way that leads to them. */

/* The mapping of an address, into w->m. 0, or -1: there is none. */
__noinline int walk_find_mapping(struct stack_walk *w, __u64 ip)
{
	__u32 lo = 1, hi, zero = 0;
	struct wire_program_key key;
	struct wire_mapping *m;
	void *list;

	if (!w)
		return -1;
	key = w->key; /* on our own stack: the verifier of 6.1 takes no other memory for a key */
	list = bpf_map_lookup_elem(&profile_programs, &key);
	if (!list)
		return -1;
	m = bpf_map_lookup_elem(list, &zero);
	if (!m)
		return -1;
	hi = m->start + 1;
	for (int i = 0; i < 17 && lo < hi; i++) {
		__u32 mid = (lo + hi) >> 1;

		m = bpf_map_lookup_elem(list, &mid);
		if (!m)
			return -1;
		if (ip >= m->start && ip < m->end) {
			w->m = *m;
			return 0;
		}
		if (ip < m->start)
			hi = mid;
		else
			lo = mid + 1;
	}
	return -1;
}

/* step where a is not above b, else 0. Without a branch: the verifier would follow both, at each of five steps. */
hidden __u64 step_if(__u64 a, __u64 b, __u64 step)
{
	__u64 below = a - b - 1;

	barrier_var(below);
	return (__u64)((__s64)below >> 63) & step;
}

/* The rule for an address: the last block that begins at or below it, and the last in there. 0, or -1: there is none. */
__noinline int walk_find_rule(struct wire_rule *out, __u32 table, __u32 blocks, __u32 pc)
{
	__u32 lo = 0, hi = blocks;
	struct wire_rules *b;
	void *rules;
	__u64 i = 0;

	if (!out)
		return -1;
	rules = bpf_map_lookup_elem(&profile_tables, &table);
	if (!rules)
		return -1;
	for (int k = 0; k < 17 && lo < hi; k++) {
		__u32 mid = (lo + hi) >> 1;

		b = bpf_map_lookup_elem(rules, &mid);
		if (!b)
			return -1;
		if (b->pc[0] <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return -1;
	lo--;
	b = bpf_map_lookup_elem(rules, &lo);
	if (!b)
		return -1;
	/* the barriers: the verifier of 6.1 does not know how large a sum of bits may be, and must see the mask */
	i |= step_if(b->pc[16], pc, 16);
	barrier_var(i);
	i |= step_if(b->pc[(i | 8) & (WIRE_RULES - 1)], pc, 8);
	barrier_var(i);
	i |= step_if(b->pc[(i | 4) & (WIRE_RULES - 1)], pc, 4);
	barrier_var(i);
	i |= step_if(b->pc[(i | 2) & (WIRE_RULES - 1)], pc, 2);
	barrier_var(i);
	i |= step_if(b->pc[(i | 1) & (WIRE_RULES - 1)], pc, 1);
	barrier_var(i);
	*out = b->rule[i & (WIRE_RULES - 1)];
	return 0;
}

hidden bool read_word(__u64 at, __u64 *out)
{
	return !bpf_probe_read_user(out, sizeof(*out), (void *)at);
}

hidden long walk_stop(struct stack_walk *w, enum wire_walk why)
{
	w->end = why;
	return 1;
}

/* The caller is there; the outermost one has none. */
hidden long step_to(struct stack_walk *w, __u64 ip, __u64 sp, __u64 fp)
{
#if defined(__TARGET_ARCH_arm64)
	ip &= (1ull << 48) - 1; /* a signature may stand in the upper bits */
#endif
	if (!ip)
		return walk_stop(w, WALK_WHOLE);
	if (sp <= w->r.sp && !w->inside)
		return walk_stop(w, WALK_BACKWARDS);
	w->r.ip = ip;
	w->r.sp = sp;
	w->r.fp = fp;
	w->inside = 0;
	return 0;
}

/* No rule: the frame pointer leads on if it leads further out. */
hidden long step_by_pointer(struct stack_walk *w)
{
	__u64 fp = w->r.fp, next[2];

	if (!fp)
		return walk_stop(w, WALK_WHOLE);
	if (fp < w->r.sp || fp & 7)
		return walk_stop(w, WALK_GAP);
	if (bpf_probe_read_user(next, sizeof(next), (void *)fp))
		return walk_stop(w, WALK_GAP);
	w->guessed = 1;
	return step_to(w, next[1], fp + 16, next[0]);
}

/* A signal interrupted what is further out: nothing was called, and it may have had another stack. */
hidden long step_signal(struct stack_walk *w, const struct wire_rule *r)
{
	__u64 base = w->r.sp, ip, sp, fp;

	if (!read_word(base + r->ra * 8, &ip) || !read_word(base + r->cfa, &sp) ||
	    !read_word(base + r->fp * 8, &fp))
		return walk_stop(w, WALK_UNREADABLE);
	w->inside = 1;
	if (step_to(w, ip, sp, fp))
		return 1;
	w->inside = 1;
	return 0;
}

hidden long step_by_rule(struct stack_walk *w, const struct wire_rule *r)
{
	__u64 cfa = 0, ip, fp = w->r.fp, saved_fp;
	__s64 offset = r->cfa;

	switch (r->how) {
	case UNWIND_SP:
		cfa = w->r.sp + offset;
		break;
	case UNWIND_FP:
		cfa = fp + offset;
		break;
	case UNWIND_PLT:
		cfa = w->r.sp + 8 + ((w->r.ip & 15) >= (__u64)offset ? 8 : 0);
		break;
	case UNWIND_FP_LOAD:
		if (!read_word(fp + offset, &cfa))
			return walk_stop(w, WALK_UNREADABLE);
		break;
	case UNWIND_SIGNAL:
		return step_signal(w, r);
	case UNWIND_END:
		return walk_stop(w, WALK_WHOLE);
	case UNWIND_GAP:
		return step_by_pointer(w);
	default:
		return walk_stop(w, WALK_HARD);
	}
	saved_fp = (r->how == UNWIND_FP_LOAD ? fp : cfa) + r->fp * 8;
	/* compilers do not say when a function has taken its caller's back: then it lay where the stack has ended since */
	if ((r->fp || r->how == UNWIND_FP_LOAD) && saved_fp >= w->r.sp && !read_word(saved_fp, &fp))
		return walk_stop(w, WALK_UNREADABLE);
	if (r->ra) {
		if (!read_word(cfa + r->ra * 8, &ip))
			return walk_stop(w, WALK_UNREADABLE);
	} else {
		/* only a function that has called nobody has it in the register still */
		if (!w->inside)
			return walk_stop(w, WALK_BACKWARDS);
		ip = w->r.lr;
	}
	return step_to(w, ip, cfa, fp);
}

/* A rule for the address, or none. */
hidden bool find_rule(const struct stack_walk *w, __u64 ip, struct wire_rule *r)
{
	__u64 pc = ip - w->m.bias;

	return w->m.table && pc < 0xffffffff && !walk_find_rule(r, w->m.table, w->m.blocks, pc);
}

static long walk_frame(__u32 i, struct stack_walk *w)
{
	__u64 at = (__u32)(w->first + i);
	__u32 slot = w->slot;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &slot);
	struct wire_rule r = {};
	__u64 ip;

	barrier_var(
		at); /* what is compared is what is added: the verifier of 6.1 wants to see it */
	if (!s || at >= WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES)
		return walk_stop(w, WALK_DEEP);
	s->ip[at] = w->r.ip;
	w->frames = i + 1;
	ip = w->r.ip - !w->inside;
	if ((ip < w->m.start || ip >= w->m.end) && walk_find_mapping(w, ip))
		return walk_stop(w, WALK_UNMAPPED);
	return find_rule(w, ip, &r) ? step_by_rule(w, &r) : step_by_pointer(w);
}

/* Where the thread was in its program. False: it has none, or one of another kind. */
hidden bool user_registers(struct task_struct *t, struct wire_registers *r, enum wire_walk *why)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(t);

	*why = WALK_NONE;
	if (t->flags & PF_KTHREAD || !t->mm)
		return false;
#if defined(__TARGET_ARCH_x86)
	*why = WALK_COMPAT;
	if (BPF_CORE_READ(regs, cs) != 0x33) /* __USER_CS */
		return false;
	r->ip = BPF_CORE_READ(regs, ip);
	r->sp = BPF_CORE_READ(regs, sp);
	r->fp = BPF_CORE_READ(regs, bp);
	r->lr = 0;
#elif defined(__TARGET_ARCH_arm64)
	*why = WALK_COMPAT;
	if (BPF_CORE_READ(regs, user_regs.pstate) & 0x10) /* PSR_MODE32_BIT */
		return false;
	r->ip = BPF_CORE_READ(regs, user_regs.pc);
	r->sp = BPF_CORE_READ(regs, user_regs.sp);
	r->fp = BPF_CORE_READ(regs, user_regs.regs[29]);
	r->lr = BPF_CORE_READ(regs, user_regs.regs[30]);
#endif
	return true;
}

/* As much of the stack as can be had, from the stack pointer on. Returns bytes. */
hidden __u32 copy_stack(struct profile_scratch *s, __u64 sp)
{
	__u8 *to = (__u8 *)&s->ip[WIRE_KERNEL_FRAMES];
	__u32 n = 0;

	for (int i = 0; i < WIRE_COPY / WIRE_COPY_STEP; i++) {
		if (bpf_probe_read_user(to + i * WIRE_COPY_STEP, WIRE_COPY_STEP,
					(void *)(sp + i * WIRE_COPY_STEP)))
			break;
		n += WIRE_COPY_STEP;
	}
	return n;
}

/* Where the thread was, and no more. */
hidden void first_frame(struct profile_scratch *s)
{
	__u64 at = s->p.kernel;

	barrier_var(at);
	if (at < WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES)
		s->ip[at] = s->p.regs.ip;
	s->p.user = 1;
}

/* Fill in what is known of the user stack of the thread that runs. copy: where that does not suffice, the stack itself as well; if not
 * wanted, of a process that is not known the innermost frame stands alone. True: a copy would have helped, or was made. */
hidden bool walk_user(struct task_struct *t, struct profile_scratch *s, enum walk_slot slot,
		      bool copy)
{
	struct stack_walk w = { .key = s->p.key, .inside = 1, .end = WALK_DEEP, .slot = slot };
	struct wire_mapping *head;
	enum wire_walk why;
	void *mappings;
	__u32 zero = 0;
	bool settled = false;

	if (!user_registers(t, &w.r, &why)) {
		s->p.walk = why;
		return false;
	}
	s->p.regs = w.r;
	w.first = s->p.kernel;
	mappings = bpf_map_lookup_elem(&profile_programs, &w.key);
	head = mappings ? bpf_map_lookup_elem(mappings, &zero) : 0;
	if (head) {
		settled = head->table & WIRE_MAPPING_SETTLED;
		bpf_loop(WIRE_USER_FRAMES, walk_frame, &w, 0);
		s->p.user = w.frames;
		s->p.walk = w.end;
		s->p.guessed = w.guessed;
	} else {
		s->p.walk = WALK_UNKNOWN;
	}
	if (s->p.walk != WALK_UNKNOWN && (s->p.walk != WALK_UNMAPPED || settled))
		return false;
	if (copy) {
		s->p.copied = copy_stack(s, w.r.sp);
	} else if (s->p.walk == WALK_UNKNOWN) {
		first_frame(s);
	}
	return true;
}

#endif
