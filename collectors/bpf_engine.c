/* SPDX-License-Identifier: Apache-2.0 */
/* The BPF object: opened, asked, closed. How it is loaded is in bpf_load.c, how programs are attached in bpf_attach.c, what
 * they cost in bpf_cost.c. */
#include "collectors/bpf_engine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bpf/wire.h"
#include "collectors/bpf_parts.h"

#define RECORD_BYTES 65536u

static double cpu_seconds(void)
{
	return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

static void count_map_bytes(struct bpf_engine *b)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, b->object)
	{
		uint64_t size = bpf_map__value_size(m), n = bpf_map__max_entries(m);

		if (bpf_map__fd(m) < 0)
			continue;
		switch (bpf_map__type(m)) {
		case BPF_MAP_TYPE_RINGBUF:
			size = 1; /* max_entries are bytes */
			break;
		case BPF_MAP_TYPE_PERCPU_ARRAY:
		case BPF_MAP_TYPE_PERCPU_HASH:
			n *= (uint64_t)b->cpus;
			break;
		case BPF_MAP_TYPE_TASK_STORAGE:
		case BPF_MAP_TYPE_SK_STORAGE:
			n = 0; /* grows with the tasks: counted when they are read */
			break;
		default:
			break;
		}
		b->map_bytes += n * (size + bpf_map__key_size(m));
	}
}

int bpf_engine_open(struct bpf_engine **out, uint64_t groups, struct err *e)
{
	return bpf_engine_open_with(out, groups, &(struct bpf_options){ 0 }, e);
}

int bpf_engine_open_with(struct bpf_engine **out, uint64_t groups, const struct bpf_options *o,
			 struct err *e)
{
	struct bpf_engine *b = mem_alloc(sizeof(*b));
	double began = cpu_seconds();
	int rc = -EINVAL, err;

	*out = NULL;
	b->groups = groups;
	b->options = *o;
	b->switch_state = true;
	b->stats_fd = -1;
	b->cpus = bpf_possible_cpus();
	if (b->cpus <= 0) {
		rc = err_set(e, -EINVAL, "cannot tell the number of possible CPUs");
		goto out;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		rc = err_errno(
			e, -errno,
			"no types of this kernel (/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF)");
		goto out;
	}
	bpf_read_space(b);
	err = bpf_try_least(e);
	if (!err)
		err = bpf_load(b, e);
	if (!err)
		err = bpf_find_numbers(b, e);
	if (err) {
		rc = err;
		goto out;
	}
	bpf_attach(b);
	b->attached_ns = clock_ns(CLOCK_MONOTONIC);
	bpf_find_spares(b);
	count_map_bytes(b);
	b->bytes = mem_alloc(RECORD_BYTES);
	b->seconds = cpu_seconds() - began;
	rc = 0;
out:
	if (rc) {
		bpf_engine_close(b);
		b = NULL;
	}
	*out = b;
	return rc;
}

void bpf_engine_close(struct bpf_engine *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < PROBES_MAX; i++)
		bpf_link__destroy(b->links[i]);
	bpf_stop_samples(b);
	mem_free(b->sample_links);
	if (b->object)
		bpf_object__close(b->object);
	if (b->stats_fd >= 0)
		close(b->stats_fd);
	mem_free(b->bytes);
	mem_free(b->seen);
	mem_free(b->grown);
	mem_free(b);
}

/* ---- what it is asked ---- */

bool bpf_engine_has(const struct bpf_engine *b, uint64_t group)
{
	if (!b || !(b->groups & group))
		return false;
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && bpf_probes[i].needed && !b->fates[i].attached)
			return false;
	return true;
}

const char *bpf_engine_why(const struct bpf_engine *b, uint64_t group)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && bpf_probes[i].needed && !b->fates[i].attached)
			return b->fates[i].why;
	return "";
}

const struct bpf_fate *bpf_engine_fate(const struct bpf_engine *b, size_t probe)
{
	return &b->fates[probe];
}

double bpf_engine_seconds(const struct bpf_engine *b)
{
	return b->seconds;
}

double bpf_engine_age(const struct bpf_engine *b)
{
	return (double)(clock_ns(CLOCK_MONOTONIC) - b->attached_ns) * 1e-9;
}

double bpf_engine_stopped(const struct bpf_engine *b, uint64_t group)
{
	for (size_t i = 0; bpf_probes[i].program; i++)
		if ((bpf_probes[i].group & group) && b->fates[i].stopped > 0)
			return b->fates[i].stopped;
	return 0;
}

uint64_t bpf_engine_map_bytes(const struct bpf_engine *b)
{
	return b->map_bytes;
}

int bpf_engine_cpus(const struct bpf_engine *b)
{
	return b->cpus;
}

int bpf_engine_fd(const struct bpf_engine *b, const char *map)
{
	return bpf_object__find_map_fd_by_name(b->object, map);
}

int bpf_engine_put(struct bpf_engine *b, const char *map, const void *value)
{
	int fd = bpf_engine_fd(b, map);
	__u32 zero = 0;

	return fd < 0 ? -ENOENT : bpf_map_update_elem(fd, &zero, value, BPF_ANY);
}

/* Of the record that begins here; 0: it is not all there. Of several kinds each says its own in its second word, and a record
 * that would be larger than what is read at once is none of ours. */
static size_t record_size(const char *at, size_t have, size_t size)
{
	uint32_t words[2];

	if (size != BPF_SIZE_TOLD)
		return have >= size ? size : 0;
	if (have < sizeof(words))
		return 0;
	memcpy(words, at, sizeof(words));
	return words[1] >= sizeof(words) && words[1] <= have ? words[1] : 0;
}

int bpf_engine_iterator(struct bpf_engine *b, const char *program, struct err *e)
{
	size_t i = bpf_probe_of(program);
	int fd;

	if (!bpf_probes[i].program || !b->links[i])
		return err_set(e, -ENOENT, "the iterator %s is not attached", program);
	fd = bpf_iter_create(bpf_link__fd(b->links[i]));
	return fd < 0 ? err_errno(e, fd, "cannot start the iterator %s", program) : fd;
}

int bpf_engine_iterate(struct bpf_engine *b, const char *program, size_t size,
		       void (*each)(void *ctx, const void *record), void *ctx, struct err *e)
{
	size_t have = 0;
	int rc = -EINVAL, fd = bpf_engine_iterator(b, program, e);
	ssize_t n;

	if (fd < 0) {
		rc = fd;
		goto out;
	}
	while ((n = read(fd, b->bytes + have, RECORD_BYTES - have)) != 0) {
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			rc = err_errno(e, -errno, "cannot read the iterator %s", program);
			goto out;
		}
		have += (size_t)n;
		for (size_t next; (next = record_size(b->bytes + at, have - at, size)); at += next)
			each(ctx, b->bytes + at);
		memmove(b->bytes, b->bytes + at, have - at);
		have -= at;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Many at a time: a system call for each is what a walk costs. -ENOTSUP when nothing was handed out. */
#define WALK_BATCH 512

static int walk_batches(int fd, size_t key_size, size_t value_size,
			void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	char *keys = mem_array(WALK_BATCH, key_size), *values = mem_array(WALK_BATCH, value_size);
	char places[2][128];
	void *from = NULL, *to = places[0];
	int err;

	do {
		__u32 n = WALK_BATCH;

		err = bpf_map_lookup_batch(fd, from, to, keys, values, &n, NULL);
		if (err && err != -ENOENT)
			break;
		for (__u32 i = 0; i < n; i++)
			each(ctx, keys + i * key_size, values + i * value_size);
		from = to;
		to = from == places[0] ? places[1] : places[0];
	} while (!err);
	mem_free(keys);
	mem_free(values);
	return err == -ENOENT ? 0 : from ? err : -ENOTSUP;
}

static int walk_keys(int fd, size_t value_size,
		     void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	char keys[2][128], *key = NULL, *next = keys[0];
	void *value = mem_alloc(value_size);
	int err;

	while (!(err = bpf_map_get_next_key(fd, key, next))) {
		if (!bpf_map_lookup_elem(fd, next, value))
			each(ctx, next, value);
		key = next;
		next = next == keys[0] ? keys[1] : keys[0];
	}
	mem_free(value);
	return err == -ENOENT ? 0 : err;
}

int bpf_engine_walk(struct bpf_engine *b, const char *map, size_t key_size, size_t value_size,
		    void (*each)(void *ctx, const void *key, const void *value), void *ctx)
{
	int fd = bpf_engine_fd(b, map), err;

	if (fd < 0 || key_size > 128)
		return -ENOENT;
	err = walk_batches(fd, key_size, value_size, each, ctx);
	return err == -ENOTSUP ? walk_keys(fd, value_size, each, ctx) : err;
}

/* ---- names of kernel addresses ---- */

/* "ext4_sync_fs [ext4]", or the address again. */
static void copy_name(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%.*s", (int)strcspn(name, " "), strncmp(name, "0x", 2) ? name : "");
}

static int ask_names(struct bpf_engine *b, struct wire_symbols *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct bpf_program *p = bpf_object__find_program_by_name(b->object, NAMES);
	int fd = bpf_engine_fd(b, "names_asked"), err;
	__u32 zero = 0;

	if (!p || b->nameless || fd < 0)
		return -ENOSYS;
	err = bpf_map_update_elem(fd, &zero, s, BPF_ANY);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(p), &opts);
	return err ? err : bpf_map_lookup_elem(fd, &zero, s);
}

int bpf_engine_names(struct bpf_engine *b, const uint64_t *addresses, size_t n, size_t size,
		     char *names)
{
	struct wire_symbols *s = mem_alloc(sizeof(*s));
	int err = 0;

	for (size_t done = 0; done < n && !err; done += WIRE_SYMBOLS) {
		size_t some = n - done < WIRE_SYMBOLS ? n - done : WIRE_SYMBOLS;

		memset(s, 0, sizeof(*s));
		for (size_t i = 0; i < some; i++)
			s->ip[i] = addresses[done + i] ? addresses[done + i] : 1;
		err = ask_names(b, s);
		for (size_t i = 0; i < some && !err; i++)
			copy_name(names + (done + i) * size, size, s->name[i]);
	}
	mem_free(s);
	return err;
}
