/* SPDX-License-Identifier: Apache-2.0 */
/* Whose numbers of processes /proc shows: those of our own PID namespace, or of one around it (unshare --pid without a /proc
 * of its own). */
#include "collectors/pid_space.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

/* The outermost PID namespace has a fixed inode number. */
#define FIRST "pid:[4026531836]"

void pid_space_read(struct pid_space *s, const struct root *root)
{
	struct text all, line, word;
	struct buf b = { 0 };
	unsigned numbers = 0;
	char ns[64];
	uint64_t v;

	*s = (struct pid_space){ .self = (uint32_t)getpid() };
	if (!root_read(root, "proc/self/status", &b, 65536)) {
		all = text_n(b.data, b.len);
		while (text_line(&all, &line)) {
			if (!text_skip(&line, "NSpid:"))
				continue;
			while (text_word(&line, &word))
				if (text_is_u64(word, &v) && !numbers++)
					s->self = (uint32_t)v;
		}
	}
	buf_done(&b);
	s->below = numbers ? numbers - 1 : 0;
	/* the first process of that namespace is in it; it may be hidden from us, we are not */
	if (root_readlink(root, "proc/1/ns/pid", ns, sizeof(ns)) <= 0 &&
	    (s->below || root_readlink(root, "proc/self/ns/pid", ns, sizeof(ns)) <= 0))
		return;
	s->nested = strcmp(ns, FIRST) != 0;
}
