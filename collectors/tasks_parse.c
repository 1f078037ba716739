/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/PID/stat, status, schedstat, limits, syscall.
 *
 * The name in stat stands in brackets and may hold anything, ") 1 (" included, so numbers begin behind the *last*
 * bracket. The kernel writes names raw there and escaped in status; columns that an older kernel lacks stay absent. */
#include "collectors/tasks.h"

#include <string.h>
#include <sys/syscall.h>

#include "model/snapshot.h"

#define PF_KTHREAD 0x00200000u

/* A column: digits with an optional '-', which is kept as two's complement. Faster than the general reader, because a
 * sweep of all processes does it forty times per process. */
static bool column(const char **p, const char *end, uint64_t *out)
{
	const char *q = *p;
	uint64_t v = 0;
	bool minus;

	while (q < end && *q == ' ')
		q++;
	minus = q < end && *q == '-';
	q += minus;
	if (q >= end || *q < '0' || *q > '9')
		return false;
	for (; q < end && *q >= '0' && *q <= '9'; q++)
		v = v * 10 +
		    (uint64_t)(*q - '0'); /* the kernel prints 64 bits at most; nonsense may wrap */
	if (q < end && *q != ' ' && *q != '\n')
		return false;
	*out = minus ? -v : v;
	*p = q;
	return true;
}

bool task_parse_stat(struct text in, struct task_stat *out)
{
	const char *open = memchr(in.p, '(', text_len(in)), *close = text_last(in, ')'), *p = in.p;

	out->n = 0;
	out->tick = 1;
	if (!open || !close || close < open || !column(&p, open, &out->f[1]))
		return false;
	out->comm = (struct text){ open + 1, close };
	p = close + 1;
	if (in.end - p < 2 || *p != ' ' || p[1] <= ' ' || p[1] > '~')
		return false;
	out->f[2] = 0;
	out->f[3] = (unsigned char)p[1];
	p += 2;
	out->n = 3;
	while (out->n < STAT_COLUMNS && column(&p, in.end, &out->f[out->n + 1]))
		out->n++;
	if (out->n < 22) /* without a start time there is no identity */
		return false;
	out->f[9] = (out->f[9] & PF_KTHREAD) != 0;
	return true;
}

bool task_parse_sched(struct text in, struct task_sched *out)
{
	return text_u64(&in, &out->run_ns) && text_u64(&in, &out->wait_ns) &&
	       text_u64(&in, &out->slices);
}

struct status_key {
	const char *key;
	enum status_field field;
	int word; /* which word of the value */
};

static const struct status_key status_keys[] = {
	{ "Tgid", STATUS_TGID, 1 },
	{ "PPid", STATUS_PPID, 1 },
	{ "Uid", STATUS_UID, 2 },
	{ "RssAnon", STATUS_ANON, 1 },
	{ "RssFile", STATUS_FILE, 1 },
	{ "RssShmem", STATUS_SHMEM, 1 },
	{ "VmSwap", STATUS_SWAP, 1 },
	{ "voluntary_ctxt_switches", STATUS_VCSW, 1 },
	{ "nonvoluntary_ctxt_switches", STATUS_NVCSW, 1 },
};

static void status_value(struct task_status *out, const struct status_key *k, struct text value)
{
	struct text word = value;

	for (int i = 0; i < k->word; i++)
		if (!text_word(&value, &word))
			return;
	if (text_is_u64(word, &out->f[k->field]))
		out->has |= 1u << k->field;
}

void task_parse_status(struct text in, struct task_status *out)
{
	struct text line, key;

	memset(out, 0, sizeof(*out));
	out->name = out->cpus = text_n("", 0);
	while (text_line(&in, &line)) {
		if (!text_until(&line, ':', &key) || key.p == key.end)
			continue;
		if (text_eq(key, "Name"))
			out->name = text_trim(line);
		else if (text_eq(key, "Cpus_allowed_list"))
			out->cpus = text_trim(line);
		else if (!strchr("TPURVvn", *key.p))
			continue;
		for (size_t i = 0; i < sizeof(status_keys) / sizeof(*status_keys); i++)
			if (text_eq(key, status_keys[i].key))
				status_value(out, &status_keys[i], line);
	}
}

static bool soft_limit(struct text line, const char *label, uint64_t *v)
{
	struct text word;

	if (!text_skip(&line, label) || !text_word(&line, &word))
		return false;
	if (text_eq(word, "unlimited")) {
		*v = VALUE_UNLIMITED;
		return true;
	}
	return text_is_u64(word, v);
}

void task_parse_limits(struct text in, struct task_limits *out)
{
	struct text line;

	*out = (struct task_limits){ 0 };
	while (text_line(&in, &line)) {
		out->has_files |= soft_limit(line, "Max open files", &out->files);
		out->has_tasks |= soft_limit(line, "Max processes", &out->tasks);
	}
}

/* ---- futex waits ----
 *
 *   202 0x55d478587060 0x80 0x2 0x0 …      number, word, operation, expected value, timeout
 *
 * A contended lock is waited for with the value that says "locked, and somebody waits": 2 in glibc, Go and Rust, the
 * waiters bit in musl and in priority-inheritance mutexes, which also have operations of their own. Condition
 * variables, semaphores, barriers and parking use FUTEX_WAIT_BITSET or values that count something. */
#define OP_WAIT        0u
#define OP_LOCK_PI     6u
#define OP_WAIT_BITSET 9u
#define OP_LOCK_PI2    13u
#define OP_MASK        0x7fu /* without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME */
#define LOCKED_WAITED  2u
#define WAITERS_BIT    0x80000000u
#define REALTIME_BIT   0x100u

enum lock_wait task_parse_lock_wait(struct text in, uint64_t *word)
{
	uint64_t nr, op, value, timeout;

	if (!text_u64(&in, &nr) || nr != SYS_futex)
		return LOCK_NO;
	if (!text_hex(&in, word) || !text_hex(&in, &op) || !text_hex(&in, &value) ||
	    !text_hex(&in, &timeout))
		return LOCK_NO;
	value &= 0xffffffffu;
	switch (op & OP_MASK) {
	case OP_LOCK_PI:
	case OP_LOCK_PI2:
		return LOCK_YES;
	case OP_WAIT:
		return value == LOCKED_WAITED || (value & WAITERS_BIT && value != 0xffffffffu)
			       ? LOCK_YES
			       : LOCK_NO;
	case OP_WAIT_BITSET:
		/* Rust's mutex; its condition variable looks the same after exactly two notifications */
		return value == LOCKED_WAITED && !timeout && !(op & REALTIME_BIT) ? LOCK_LIKELY
										  : LOCK_NO;
	default:
		return LOCK_NO;
	}
}
