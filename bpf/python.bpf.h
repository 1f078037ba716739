/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Frames of programs that CPython interprets, beside those of the interpreter itself.
 *
 *   _PyRuntime ─▶ main interpreter ─▶ its threads ─▶ this one ─▶ innermost frame ─▶ its caller ─▶ …
 *
 * A frame names a code object. What that is called is sent once; from then on its address is enough. Everything is read from memory
 * that the program may change: whatever comes of it is bounded, and believed by nobody. Which frame of the interpreter belongs to
 * which of C is found in user space. */
#ifndef SIXTY_BPF_PYTHON_H
#define SIXTY_BPF_PYTHON_H

#include "bpf/numbers.bpf.h"
#include "bpf/walk.bpf.h"

#define PYTHON_THREADS 512 /* that are looked at for the one that runs */

/* Of a process that runs CPython: where things are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wire_program_key);
	__type(value, struct wire_python);
} profile_pythons SEC(".maps");

/* Code objects whose names were sent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct wire_python_key);
	__type(value, __u8);
} profile_codes SEC(".maps");

struct python_record {
	struct wire_profile p;
	struct wire_python_code c;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct python_record);
} profile_code SEC(".maps");

struct python_walk {
	struct wire_python v;
	struct wire_program_key key;
	__u64 thread, id, at; /* at: the frame that is looked at */
	__u32 n, first;
};

hidden bool read_at(__u64 base, __u16 offset, __u64 *out)
{
	return base && read_word(base + offset, out);
}

/* The text of a string object. Returns bytes; *wide: of one character, 0: ASCII. */
hidden __u8 python_text(const struct wire_python *v, __u64 string, char *out, __u32 most,
			__u8 *wide)
{
	__u64 length = 0, size;
	__u32 state = 0, kind;

	*wide = 0;
	/* two words of every object, then the length, the hash, and what kind it is: bits 2 to 4, compact, ASCII */
	if (!string || bpf_probe_read_user(&length, 8, (void *)(string + 16)) ||
	    bpf_probe_read_user(&state, 4, (void *)(string + 32)))
		return 0;
	kind = state >> 2 & 7;
	if (!(state & 1u << 6))
		*wide = kind;
	if (length > most)
		length = most;
	size = length * (*wide > 1 ? *wide : 1);
	if (size > most)
		size = most;
	barrier_var(size); /* the verifier of 6.1 wants to see its bound right before it is used */
	if (size > most)
		return 0;
	if (bpf_probe_read_user(out, (__u32)size, (void *)(string + (*wide ? v->wide : v->ascii))))
		return 0;
	return (__u8)size;
}

/* Say what it is called, if that was not said. */
__noinline int python_name(struct python_walk *w, __u64 code)
{
	struct wire_python_key key = {};
	struct python_record *r;
	__u8 sent = 1, wide;
	__u32 zero = 0;

	if (!w)
		return 0;
	key.code = code;
	key.tgid = w->key.tgid;
	if (!read_at(code, w->v.name, &key.name) || !read_at(code, w->v.file, &key.file) ||
	    bpf_probe_read_user(&key.line, 4, (void *)(code + w->v.line)))
		return 0;
	if (bpf_map_lookup_elem(&profile_codes, &key))
		return 0;
	r = bpf_map_lookup_elem(&profile_code, &zero);
	if (!r)
		return 0;
	__builtin_memset(&r->p, 0, sizeof(r->p));
	r->p.key = w->key;
	r->p.python = WIRE_PYTHON_CODE;
	r->c.code = code;
	r->c.line = key.line;
	r->c.name_bytes = python_text(&w->v, key.name, r->c.name, WIRE_PYTHON_NAME, &wide);
	r->c.name_wide = wide;
	r->c.file_bytes = python_text(&w->v, key.file, r->c.file, WIRE_PYTHON_FILE, &wide);
	r->c.file_wide = wide;
	if (!bpf_ringbuf_output(&profile_ring, r, sizeof(*r), BPF_RB_NO_WAKEUP))
		bpf_map_update_elem(&profile_codes, &key, &sent, BPF_ANY);
	return 0;
}

/* Add an entry, or marks to the last one. */
hidden long python_put(struct python_walk *w, __u64 entry)
{
	__u64 at = (__u32)(w->first + w->n);
	__u32 zero = 0;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &zero);

	barrier_var(at); /* what is compared is what is added: see walk_frame() */
	if (!s || at >= WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES + WIRE_PYTHON)
		return 1;
	s->ip[at] = entry;
	w->n++;
	return 0;
}

hidden void python_mark(struct python_walk *w, __u64 mark)
{
	__u64 at = (__u32)(w->first + w->n - 1);
	__u32 zero = 0;
	struct profile_scratch *s = bpf_map_lookup_elem(&profile_scratch, &zero);

	barrier_var(at);
	if (w->n && s && at < WIRE_KERNEL_FRAMES + WIRE_USER_FRAMES + WIRE_PYTHON)
		s->ip[at] |= mark;
}

static long python_frame(__u32 i, struct python_walk *w)
{
	__u64 code = 0, previous = 0;
	bool ends;
	__u8 entry = 0;

	if (!w->at)
		return 1;
	if (w->n >= WIRE_PYTHON) {
		python_mark(w, WIRE_PYTHON_CUT);
		return 1;
	}
	if (!read_at(w->at, w->v.code, &code) || !read_at(w->at, w->v.previous, &previous) ||
	    (w->v.how != PYTHON_EACH &&
	     bpf_probe_read_user(&entry, 1, (void *)(w->at + w->v.entry)))) {
		python_mark(w, WIRE_PYTHON_CUT);
		return 1;
	}
	w->at = previous;
	if (w->v.how == PYTHON_SHIM && entry == PYTHON_OF_C) {
		if (!w->n)
			return python_put(w, WIRE_PYTHON_END);
		python_mark(w, WIRE_PYTHON_END);
		return 0;
	}
	ends = w->v.how == PYTHON_EACH || (w->v.how == PYTHON_FIRST && entry);
	code &= ~(WIRE_PYTHON_END | WIRE_PYTHON_CUT);
	if (code)
		python_name(w, code);
	return python_put(w, code | (ends ? WIRE_PYTHON_END : 0));
}

static long python_thread(__u32 i, struct python_walk *w)
{
	__u64 id = 0;

	if (!w->at || !read_at(w->at, w->v.id, &id))
		return 1;
	if (id == w->id) {
		w->thread = w->at;
		return 1;
	}
	if (!read_at(w->at, w->v.next, &w->at))
		w->at = 0;
	return 0;
}

/* What the program calls the thread that runs: its number in its own PID namespace, or pthread_self(). */
hidden __u64 python_id(struct task_struct *t, const struct wire_python *v)
{
	struct pid *pid = BPF_CORE_READ(t, thread_pid);
	struct upid up = {};

#if defined(__TARGET_ARCH_x86)
	if (v->by_pthread)
		return BPF_CORE_READ(t, thread.fsbase);
#endif
	if (!pid || v->by_pthread)
		return 0;
	read_number(pid, BPF_CORE_READ(pid, level), &up);
	return (__u32)up.nr;
}

/* Behind the user frames of the sample. */
hidden void python_frames(struct task_struct *t, struct profile_scratch *s)
{
	struct python_walk w = { .key = s->p.key };
	struct wire_python *v = bpf_map_lookup_elem(&profile_pythons, &w.key);
	__u64 interpreter = 0;

	if (!v || t->flags & PF_KTHREAD)
		return;
	w.v = *v;
	w.id = python_id(t, &w.v);
	if (!w.id || !read_word(w.v.runtime + w.v.interpreter, &interpreter) ||
	    !read_at(interpreter, w.v.threads, &w.at))
		return;
	bpf_loop(PYTHON_THREADS, python_thread, &w, 0);
	if (!w.thread || !read_at(w.thread, w.v.frame, &w.at))
		return;
	if (w.v.indirect != WIRE_PYTHON_DIRECT && !read_at(w.at, w.v.indirect, &w.at))
		return;
	w.first = (__u32)s->p.kernel + s->p.user;
	bpf_loop(2 * WIRE_PYTHON, python_frame, &w, 0);
	s->p.python = w.n;
}

#endif
