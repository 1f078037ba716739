/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_BASE_CHILD_H
#define SIXTY_BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

/* A forked helper that is asked what may hang: statvfs on a dead NFS server, setns into a namespace that goes away.
 *
 *   parent                                   child
 *   child_open()  ─── fork ───────────────▶  waits for a request
 *   child_ask()   ─── request ────────────▶  answer(ctx, request, …)      (may hang)
 *                 ◀── bytes, maybe an fd ──
 *                     or the deadline: SIGKILL, and the next question goes to a new child
 *
 * The child has no descriptor of the parent but the socket (0, 1 and 2 are /dev/null), ignores SIGINT, and is killed
 * by the kernel when the parent dies. One that is stuck in the kernel cannot be reaped: it is left behind with
 * SIGKILL pending, and after CHILD_STUCK of those nothing is asked any more. */
#define CHILD_STUCK       8
#define CHILD_REQUEST_CAP (1u << 20)
#define CHILD_ANSWER_CAP  (16u << 20)

/* Runs in the child. Returns 0 or -errno, which child_ask() returns; fills `answer`; may set *fd (-1 before) to a
 * descriptor that is sent to the parent and closed in the child. ctx is what it was when the child was forked. */
typedef int child_answer_fn(void *ctx, const void *request, size_t n, struct buf *answer, int *fd);

struct child {
	const char *name; /* seen in ps as the thread's name */
	child_answer_fn *answer;
	void *ctx;
	pid_t pid; /* 0: none runs */
	int socket;
	volatile uint64_t *progress; /* shared with the child: see child_progress() */
	pid_t stuck[CHILD_STUCK];
	unsigned nstuck;
	unsigned killed; /* children that met their deadline */
};

/* Forks at once: call it before anything heavy is opened or allocated. On failure the child is closed. */
int child_open(struct child *c, const char *name, child_answer_fn *answer, void *ctx,
	       struct err *e);

/* Replaces what `answer` holds; fd may be NULL (a descriptor that comes is closed then), and is -1 when none came.
 * -ETIMEDOUT: no answer in time, the child was killed. -EPIPE: it died. -EAGAIN: too many are stuck already. */
int child_ask(struct child *c, const void *request, size_t n, unsigned deadline_ms,
	      struct buf *answer, int *fd, struct err *e);

/* A number that answer() may set while it works, to be read after a timeout: which item of a list hangs. */
void child_set_progress(uint64_t at);           /* in the child */
uint64_t child_progress(const struct child *c); /* in the parent */

/* Accepts a zeroed one, and one that is closed already. Never waits for a stuck child. */
void child_close(struct child *c);

#endif
