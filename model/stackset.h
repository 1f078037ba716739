/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_STACKSET_H
#define SIXTY_MODEL_STACKSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "model/prefix.h"

/* Call stacks with weights: what a profiler has seen, before anybody adds it up.
 *
 *   strings ◀── frames {name, module, file, line, kind} ◀── stacks {frame ids} ◀── samples {time, thread, cause, stack, weights}
 *
 * Everything is kept once and named by a number: strings, frames and threads from 1 (0 is "none"), stacks from 0 (the empty
 * one). A stack is a node of a tree of callers (model/prefix.h), so that stacks share what they have in common. Names are
 * bytes from outside: whoever prints them escapes them.
 *
 * Whatever may be too large (a count from a file) is answered with -E2BIG and a sentence, and nothing is added; -ENOMEM
 * likewise. */
enum frame_kind {
	FRAME_USER,
	FRAME_KERNEL,
	FRAME_INLINED, /* has no frame of its own: its caller is the function it was inlined into */
	FRAME_JIT,     /* made at run time, named by perf-PID.map or jitdump */
	FRAME_INTERPRETED, /* of an interpreter's program: Python */
	FRAME_BLOCKED,     /* not a function: why the thread was off the CPU */
	FRAME_WAKER,       /* of the thread that woke this one */
	FRAME_LOST,        /* not a function: why the rest of the stack is missing */
	FRAME_KINDS
};

/* A kind is written behind a name in folded text: "_[k]", "" for FRAME_USER. */
const char *frame_kind_suffix(enum frame_kind k);
const char *frame_kind_name(enum frame_kind k);       /* "kernel": the JSON names */
enum frame_kind frame_kind_by_name(struct text name); /* FRAME_KINDS: there is none */
/* The kind that a name ends in; the suffix is cut off. */
enum frame_kind frame_kind_cut(struct text *name);

#define STACKSET_VALUES  4          /* what a sample may be weighed in, at once */
#define STACKSET_LOSSES  64         /* kinds of loss; more are added up in the last */
#define STACKSET_NAME    65535      /* bytes of one string */
#define STACKSET_STRINGS (1u << 30) /* bytes of all */
#define STACKSET_FRAMES  (1u << 24)
#define STACKSET_THREADS (1u << 22)
#define STACKSET_SAMPLES (1u << 27)
#define STACKSET_WEIGHT  1e18 /* the most that one sample may weigh */
#define STACKSET_DEPTH   PREFIX_DEPTH_MAX

#define STACK_NO_TIME    UINT64_MAX

struct stack_frame {
	uint32_t name, module, file; /* strings; 0: not known */
	uint32_t line;               /* 0: not known */
	enum frame_kind kind;
};

struct stack_thread {
	int32_t pid, tid; /* 0: not known */
	uint32_t name;    /* string */
};

struct stack_sample {
	uint64_t time_ns; /* since the start of the window; STACK_NO_TIME */
	uint32_t thread;  /* 0: not known */
	uint32_t cause; /* string: why it was off the CPU (cause_name()), 0: it was not, or not known */
	uint32_t stack;
};

/* What a weight is: {"samples", "count"}, {"cpu", "nanoseconds"}, {"growth", "bytes"}. */
struct stack_value {
	uint32_t name, unit; /* strings */
};

struct stack_loss {
	uint32_t what; /* string: "samples lost: the ring was full" */
	double count;
};

/* What the set is of. Strings by number, 0 where it is not known or does not apply. */
struct stack_about {
	uint32_t title, host, kernel;
	uint32_t target;   /* "redis-server[4242]", "all CPUs", "cgroup /svc" */
	uint32_t command;  /* that made it: "sixty profile -p 4242" */
	uint32_t event;    /* "cpu-clock" */
	uint32_t mode;     /* "cpu", "off-cpu", "wall" */
	uint64_t start_ns; /* CLOCK_REALTIME; 0: not known */
	double seconds;    /* length of the window, 0: not known */
	double hertz;      /* samples per second that were asked for, 0: does not apply */
};

struct stackset {
	struct stack_about about;
	struct stack_value value[STACKSET_VALUES];
	size_t nvalues;
	struct stack_loss loss[STACKSET_LOSSES];
	size_t nlosses;

	char *text; /* strings one behind the other, each with a NUL */
	size_t text_len, text_cap;
	uint32_t *string, *string_hash; /* [1..nstrings]: where it begins */
	uint32_t *string_frame;         /* the frame that was made of this name last */
	size_t nstrings, strings_cap;
	uint32_t *string_slot;
	size_t string_slots;

	struct stack_frame *frame; /* [1..nframes] */
	size_t nframes, frames_cap;
	uint32_t *frame_slot;
	size_t frame_slots;

	struct prefix stacks; /* keys are frames */

	struct stack_thread *thread; /* [1..nthreads] */
	size_t nthreads, threads_cap;
	uint32_t *thread_slot;
	size_t thread_slots;

	struct stack_sample *sample;
	double *weight; /* nvalues for each sample */
	size_t nsamples, samples_cap;
};

struct stackset *stackset_new(void);
void stackset_free(struct stackset *ss);

/* The number of a string: of the one that is there, or a new one. An empty text is 0; it ends at a NUL byte. */
int stackset_string(struct stackset *ss, struct text t, uint32_t *id, struct err *e);
/* "" for 0 and what is not there. Valid until the next string is added. */
const char *stackset_text(const struct stackset *ss, uint32_t id);

/* A name without a text is "[unknown]". */
struct frame_text {
	struct text name, module, file;
	uint32_t line;
	enum frame_kind kind;
};
int stackset_frame(struct stackset *ss, const struct frame_text *f, uint32_t *id, struct err *e);

/* The stack of n frames, the outermost caller first. */
int stackset_stack(struct stackset *ss, const uint32_t *frames, size_t n, uint32_t *id,
		   struct err *e);
/* The stack `stack` and one more frame that it calls. */
int stackset_push(struct stackset *ss, uint32_t stack, uint32_t frame, uint32_t *id, struct err *e);
/* Frames of a stack, the innermost first, at most max. Returns how many it has. */
size_t stackset_frames(const struct stackset *ss, uint32_t stack, uint32_t *out, size_t max);

int stackset_thread(struct stackset *ss, int32_t pid, int32_t tid, struct text name, uint32_t *id,
		    struct err *e);

/* Before the first sample. -EBUSY afterwards. The index of the value is returned, which is below STACKSET_VALUES. */
int stackset_value(struct stackset *ss, const char *name, const char *unit, struct err *e);

/* weights: one per value, each 0 … STACKSET_WEIGHT. -EINVAL for what is not that, or a stack or thread that is not there. */
int stackset_add(struct stackset *ss, const struct stack_sample *s, const double *weights,
		 struct err *e);

/* What is missing; counts of the same kind are added. Never fails: what has no room is counted in the last kind. */
void stackset_lose(struct stackset *ss, const char *what, double count);
double stackset_lost(const struct stackset *ss); /* all kinds */

/* Add the samples and losses of another set, with times moved by shift_ns. -EINVAL if they are weighed in something else. On
 * failure some of them may be there. */
int stackset_merge(struct stackset *into, const struct stackset *from, int64_t shift_ns,
		   struct err *e);

/* Add the first value of another set as this value of ours, by names and kinds of functions alone: without modules, files,
 * lines, threads and times. */
int stackset_add_plain(struct stackset *into, size_t value, const struct stackset *from,
		       struct err *e);

/* Weights of one value by stack, stacks.n of them; only samples from from_ns up to (not with) to_ns, and all of them,
 * those without time too, if from_ns >= to_ns. To be freed with mem_free(); NULL without memory. */
double *stackset_weights(const struct stackset *ss, size_t value, uint64_t from_ns, uint64_t to_ns);
double stackset_total(const struct stackset *ss, size_t value);

#endif
