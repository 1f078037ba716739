/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a control group say.
 *
 * v1 and v2 tell the same things in different files; which file and key is which metric is in model/metrics.def, and
 * this file only knows shapes. A file that is not there is normal: controllers are switched on per group, and kernels
 * differ. */
#include "collectors/cgroup_files.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* clang-format off */
const struct cgroup_file cgroup_files[] = {
	/* v2: controller "", limits first */
	{ "", "cpu.max",                   NULL, F_CG2_CPU_MAX,      CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "", "cpu.max.burst",             NULL, F_CG2_CPU_BURST,    CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "", "cpu.weight",                NULL, F_CG2_CPU_WEIGHT,   CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "", "cpu.idle",                  NULL, F_CG2_CPU_IDLE,     CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "", "cpuset.cpus.effective",     NULL, F_CG2_CPUSET,       CGROUP_LABEL,   CGROUP_LIMIT,   false },
	{ "", "cpuset.mems.effective",     NULL, F_CG2_CPUSET_MEMS,  CGROUP_LABEL,   CGROUP_LIMIT,   false },
	{ "", "memory.max",                NULL, F_CG2_MEM_MAX,      CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "", "memory.high",               NULL, F_CG2_MEM_HIGH,     CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "", "memory.swap.max",           NULL, F_CG2_SWAP_MAX,     CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "", "io.max",                    NULL, F_CG2_IO_MAX,       CGROUP_IO_MAX,  CGROUP_LIMIT,   true },
	{ "", "pids.max",                  NULL, F_CG2_PIDS_MAX,     CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "", "cgroup.freeze",             NULL, F_CG2_FREEZE,       CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "", "cpu.stat",                  NULL, F_CG2_CPU_STAT,     CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "", "memory.current",            NULL, F_CG2_MEM_CURRENT,  CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "", "memory.peak",               NULL, F_CG2_MEM_PEAK,     CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "", "memory.stat",               NULL, F_CG2_MEM_STAT,     CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "", "memory.events",             NULL, F_CG2_MEM_EVENTS,   CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "", "memory.swap.current",       NULL, F_CG2_SWAP_CURRENT, CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "", "io.stat",                   NULL, F_CG2_IO_STAT,      CGROUP_IO_STAT, CGROUP_COUNTER, false },
	{ "", "pids.current",              NULL, F_CG2_PIDS_CURRENT, CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "", "pids.events",               NULL, F_CG2_PIDS_EVENTS,  CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "", "cpu.pressure",              NULL, F_CG2_PSI_CPU,      CGROUP_NESTED,  CGROUP_COUNTER, false },
	{ "", "io.pressure",               NULL, F_CG2_PSI_IO,       CGROUP_NESTED,  CGROUP_COUNTER, false },
	{ "", "memory.pressure",           NULL, F_CG2_PSI_MEM,      CGROUP_NESTED,  CGROUP_COUNTER, false },

	{ "cpu", "cpu.cfs_quota_us",       NULL, F_CG1_CPU_QUOTA,    CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "cpu", "cpu.cfs_period_us",      NULL, F_CG1_CPU_PERIOD,   CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "cpu", "cpu.cfs_burst_us",       NULL, F_CG1_CPU_BURST,    CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "cpu", "cpu.shares",             NULL, F_CG1_CPU_SHARES,   CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "cpu", "cpu.idle",               NULL, F_CG1_CPU_IDLE,     CGROUP_WORDS,   CGROUP_LIMIT,   false },
	{ "cpuset", "cpuset.effective_cpus", "cpuset.cpus", F_CG1_CPUSET, CGROUP_LABEL, CGROUP_LIMIT, false },
	{ "cpuset", "cpuset.effective_mems", "cpuset.mems", F_CG1_CPUSET_MEMS, CGROUP_LABEL, CGROUP_LIMIT, false },
	{ "memory", "memory.limit_in_bytes", NULL, F_CG1_MEM_LIMIT,  CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "memory", "memory.memsw.limit_in_bytes", NULL, F_CG1_MEMSW_LIMIT, CGROUP_WORDS, CGROUP_LIMIT, true },
	{ "blkio", "blkio.throttle.read_bps_device",   NULL, F_CG1_IO_RBPS,  CGROUP_BLKIO_MAX, CGROUP_LIMIT, true },
	{ "blkio", "blkio.throttle.write_bps_device",  NULL, F_CG1_IO_WBPS,  CGROUP_BLKIO_MAX, CGROUP_LIMIT, true },
	{ "blkio", "blkio.throttle.read_iops_device",  NULL, F_CG1_IO_RIOPS, CGROUP_BLKIO_MAX, CGROUP_LIMIT, true },
	{ "blkio", "blkio.throttle.write_iops_device", NULL, F_CG1_IO_WIOPS, CGROUP_BLKIO_MAX, CGROUP_LIMIT, true },
	{ "pids", "pids.max",              NULL, F_CG1_PIDS_MAX,     CGROUP_WORDS,   CGROUP_LIMIT,   true },
	{ "cpu", "cpu.stat",               NULL, F_CG1_CPU_STAT,     CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "cpuacct", "cpuacct.usage",      NULL, F_CG1_CPUACCT_USAGE, CGROUP_WORDS,  CGROUP_COUNTER, false },
	{ "cpuacct", "cpuacct.stat",       NULL, F_CG1_CPUACCT_STAT, CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "memory", "memory.usage_in_bytes", NULL, F_CG1_MEM_USAGE,  CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "memory", "memory.max_usage_in_bytes", NULL, F_CG1_MEM_PEAK, CGROUP_WORDS, CGROUP_COUNTER, false },
	{ "memory", "memory.failcnt",      NULL, F_CG1_MEM_FAILCNT,  CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "memory", "memory.oom_control",  NULL, F_CG1_MEM_OOM,      CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "memory", "memory.stat",         NULL, F_CG1_MEM_STAT,     CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "memory", "memory.kmem.usage_in_bytes", NULL, F_CG1_MEM_KMEM, CGROUP_WORDS, CGROUP_COUNTER, false },
	{ "blkio", "blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes",
						 F_CG1_IO_BYTES,     CGROUP_BLKIO,   CGROUP_COUNTER, false },
	{ "blkio", "blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced",
						 F_CG1_IO_OPS,       CGROUP_BLKIO,   CGROUP_COUNTER, false },
	{ "pids", "pids.current",          NULL, F_CG1_PIDS_CURRENT, CGROUP_WORDS,   CGROUP_COUNTER, false },
	{ "pids", "pids.events",           NULL, F_CG1_PIDS_EVENTS,  CGROUP_KEYED,   CGROUP_COUNTER, false },
	{ "freezer", "freezer.state",      NULL, F_CG1_FREEZER,      CGROUP_FREEZER, CGROUP_COUNTER, false },
	{ "freezer", "freezer.self_freezing", NULL, F_CG1_FREEZER_SELF, CGROUP_WORDS, CGROUP_COUNTER, false },
};
/* clang-format on */
const size_t cgroup_nfiles = sizeof(cgroup_files) / sizeof(*cgroup_files);

/* ---- which metric wants which key ---- */

struct want {
	enum metric_id id;
	unsigned source;
	const char *key;
	size_t key_len;
	int col;
};

/* Few per file: found once, then walked. memory.stat has some sixty keys of which a dozen are wanted. */
#define WANTS 24

struct wants {
	struct want list[WANTS];
	size_t n;
	bool known;
};

static const struct wants *wants_of(enum file_id file)
{
	static struct wants all[F_MAX];
	struct wants *w = &all[file];

	if (w->known)
		return w;
	w->known = true;
	for (enum metric_id id = M_NONE + 1; id < M_MAX && w->n < WANTS; id++) {
		unsigned source = metric_source(id, file);
		const struct metric *m = metric_get(id);

		/* two keys of one file may be sources of one metric: a renamed key */
		for (; source && source <= m->nsources && m->sources[source - 1].file == file &&
		       w->n < WANTS;
		     source++) {
			const struct source *s = &m->sources[source - 1];

			w->list[w->n++] = (struct want){
				.id = id,
				.source = source,
				.key = s->key,
				.key_len = s->key ? strlen(s->key) : 0,
				.col = s->col,
			};
		}
	}
	return w;
}

bool cgroup_number(struct text in, uint64_t *v)
{
	/* v1 writes "no limit" as the largest number of pages in bytes: 2^63 less one page of any size up to 64 KiB */
	const uint64_t none = (1ull << 63) - (64 << 10);

	if (text_eq(in, "max") || text_eq(in, "-1")) {
		*v = VALUE_UNLIMITED;
		return true;
	}
	if (!text_u64(&in, v))
		return false;
	if (*v >= none)
		*v = VALUE_UNLIMITED;
	return true;
}

static void put(const struct want *w, struct text value, struct cgroup_row *r)
{
	uint64_t v;

	if (cgroup_number(value, &v))
		snapshot_set(r->out, w->id, r->row, v, w->source);
}

static void put_key(const struct wants *w, struct text prefix, struct text key, struct text value,
		    struct cgroup_row *r)
{
	size_t n = text_len(prefix), k = text_len(key);

	for (size_t i = 0; i < w->n; i++) {
		const struct want *x = &w->list[i];

		if (!x->key || x->key_len != (n ? n + 1 + k : k))
			continue;
		if (n && (memcmp(x->key, prefix.p, n) || x->key[n] != '.'))
			continue;
		if (!memcmp(x->key + x->key_len - k, key.p, k))
			put(x, value, r);
	}
}

/* ---- shapes ---- */

static const struct text nothing = { "", "" };

static void parse_words(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text word;

	for (int col = 1; text_word(&in, &word); col++)
		for (size_t i = 0; i < w->n; i++)
			if (w->list[i].col == col)
				put(&w->list[i], word, r);
}

static void parse_keyed(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text line, key, value;

	while (text_line(&in, &line))
		if (text_word(&line, &key) && text_word(&line, &value))
			put_key(w, nothing, key, value, r);
}

static void parse_nested(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text line, label, word, key;

	while (text_line(&in, &line)) {
		if (!text_word(&line, &label))
			continue;
		while (text_word(&line, &word))
			if (text_until(&word, '=', &key))
				put_key(w, label, key, word, r);
	}
}

static void parse_label(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text label = text_trim(in);

	for (size_t i = 0; i < w->n; i++)
		snapshot_set_text(r->out, w->list[i].id, r->row, label.p, text_len(label),
				  w->list[i].source);
}

static void parse_freezer(const struct wants *w, struct text in, struct cgroup_row *r)
{
	/* FREEZING: asked for, and a task has not reached a place where it can stop */
	bool frozen = text_starts(in, "FR"), thawed = text_starts(in, "THAWED");

	for (size_t i = 0; i < w->n && (frozen || thawed); i++)
		snapshot_set(r->out, w->list[i].id, r->row, frozen, w->list[i].source);
}

/* ---- devices ---- */

static bool device_number(struct text *line, unsigned *major, unsigned *minor)
{
	struct text word, part;
	uint64_t a, b;

	if (!text_word(line, &word) || !text_until(&word, ':', &part) || !text_is_u64(part, &a) ||
	    !text_is_u64(word, &b) || a > UINT32_MAX || b > UINT32_MAX)
		return false;
	*major = (unsigned)a;
	*minor = (unsigned)b;
	return true;
}

static const char *device_name(struct cgroup_row *r, unsigned major, unsigned minor)
{
	struct cgroup_devices *d = r->devices;
	char link[64], target[256];
	const char *slash;
	ssize_t n;

	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].major == major && d->list[i].minor == minor)
			return d->list[i].name;
	if (d->n == CGROUP_DEVICES)
		d->n = 0; /* forget and learn again rather than grow */
	d->list[d->n].major = major;
	d->list[d->n].minor = minor;
	snprintf(d->list[d->n].name, sizeof(d->list[0].name), "%u:%u", major, minor);
	snprintf(link, sizeof(link), "sys/dev/block/%u:%u", major, minor);
	n = root_readlink(r->root, link, target, sizeof(target));
	slash = n > 0 ? strrchr(target, '/') : NULL;
	if (slash && slash[1])
		snprintf(d->list[d->n].name, sizeof(d->list[0].name), "%.31s", slash + 1);
	return d->list[d->n++].name;
}

static void put_label(struct snapshot *out, enum metric_id id, size_t row, const char *text)
{
	snapshot_set_text(out, id, row, text, strlen(text), metric_source(id, F_CGROUP_TREE));
}

static void put_labels(struct cgroup_row *r, size_t row)
{
	put_label(r->out, M_CG_PATH, row, r->path);
	put_label(r->out, M_CG_CONTROLLERS, row, r->controllers);
	put_label(r->out, M_CG_DIR, row, r->dir);
}

/* The row of a group's limits on one device; SIZE_MAX if there is none and none is to be made. */
static size_t limited_row(struct cgroup_row *r, unsigned major, unsigned minor, bool make,
			  unsigned source)
{
	char name[sizeof(r->name) + 40];
	const char *device;
	size_t row;

	for (size_t i = 0; i < r->nlimited; i++)
		if (r->limited[i].major == major && r->limited[i].minor == minor)
			return r->limited[i].row;
	if (!make || r->nlimited == CGROUP_LIMITED_DEVICES)
		return SIZE_MAX;
	device = device_name(r, major, minor);
	snprintf(name, sizeof(name), "%s [%s]", r->name, device);
	row = snapshot_named_row(r->out, SCOPE_CGROUP, name, strlen(name));
	put_labels(r, row);
	snapshot_set_text(r->out, M_CG_IO_DEVICE, row, device, strlen(device), source);
	r->limited[r->nlimited].major = major;
	r->limited[r->nlimited].minor = minor;
	r->limited[r->nlimited].row = row;
	r->nlimited++;
	return row;
}

/* Everything that a cgroup did goes to its row; what went to a device with limits goes to that row too. */
static void add_io(struct cgroup_row *r, enum metric_id id, unsigned major, unsigned minor,
		   struct text value, unsigned source)
{
	size_t limited = limited_row(r, major, minor, false, source);
	uint64_t v;

	if (!text_u64(&value, &v))
		return;
	snapshot_add(r->out, id, r->row, v, source);
	if (limited != SIZE_MAX)
		snapshot_add(r->out, id, limited, v, source);
}

static void parse_io_stat(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text line, word, key;
	unsigned major, minor;

	while (text_line(&in, &line)) {
		if (!device_number(&line, &major, &minor))
			continue;
		while (text_word(&line, &word)) {
			if (!text_until(&word, '=', &key))
				continue;
			for (size_t i = 0; i < w->n; i++)
				if (w->list[i].key && text_eq(key, w->list[i].key))
					add_io(r, w->list[i].id, major, minor, word,
					       w->list[i].source);
		}
	}
}

static void parse_io_max(const struct wants *w, struct text in, struct cgroup_row *r)
{
	struct text line, word, key;
	unsigned major, minor;

	while (text_line(&in, &line)) {
		size_t row;

		if (!device_number(&line, &major, &minor))
			continue;
		row = limited_row(r, major, minor, true,
				  metric_source(M_CG_IO_DEVICE, F_CG2_IO_MAX));
		while (row != SIZE_MAX && text_word(&line, &word)) {
			uint64_t v;

			if (!text_until(&word, '=', &key) || !cgroup_number(word, &v))
				continue;
			for (size_t i = 0; i < w->n; i++)
				if (w->list[i].key && text_eq(key, w->list[i].key))
					snapshot_set(r->out, w->list[i].id, row, v,
						     w->list[i].source);
		}
	}
}

/* "8:0 Read 123"; the line "Total 456" at the end has no device and is left out. */
static void parse_blkio(const struct cgroup_file *f, struct text in, struct cgroup_row *r)
{
	bool bytes = f->file == F_CG1_IO_BYTES;
	enum metric_id reads = bytes ? M_CG_IO_READ_BYTES : M_CG_IO_READS,
		       writes = bytes ? M_CG_IO_WRITE_BYTES : M_CG_IO_WRITES;
	struct text line, what;
	unsigned major, minor;

	while (text_line(&in, &line)) {
		if (!device_number(&line, &major, &minor) || !text_word(&line, &what))
			continue;
		if (text_eq(what, "Read"))
			add_io(r, reads, major, minor, line, metric_source(reads, f->file));
		else if (text_eq(what, "Write"))
			add_io(r, writes, major, minor, line, metric_source(writes, f->file));
	}
}

static void parse_blkio_max(const struct cgroup_file *f, struct text in, struct cgroup_row *r)
{
	static const struct {
		enum file_id file;
		enum metric_id id;
	} limits[] = {
		{ F_CG1_IO_RBPS, M_CG_IO_MAX_RBPS },
		{ F_CG1_IO_WBPS, M_CG_IO_MAX_WBPS },
		{ F_CG1_IO_RIOPS, M_CG_IO_MAX_RIOPS },
		{ F_CG1_IO_WIOPS, M_CG_IO_MAX_WIOPS },
	};
	struct text line;
	unsigned major, minor;
	uint64_t v;

	while (text_line(&in, &line)) {
		size_t row;

		if (!device_number(&line, &major, &minor) || !text_u64(&line, &v))
			continue;
		row = limited_row(r, major, minor, true,
				  metric_source(M_CG_IO_DEVICE, F_CG1_IO_RBPS));
		for (size_t i = 0; row != SIZE_MAX && i < sizeof(limits) / sizeof(*limits); i++)
			if (limits[i].file == f->file)
				snapshot_set(r->out, limits[i].id, row, v,
					     metric_source(limits[i].id, f->file));
	}
}

/* ---- public ---- */

void cgroup_row_open(struct cgroup_row *r, struct snapshot *out, const struct cgroup_mount *m,
		     const char *path)
{
	r->out = out;
	snprintf(r->path, sizeof(r->path), "%s%s%s", m->above, path, *m->above || *path ? "" : "/");
	snprintf(r->dir, sizeof(r->dir), "%s%s", m->at, path);
	snprintf(r->name, sizeof(r->name), "%s%s%s", m->controllers, m->v2 ? "" : ":", r->path);
	r->controllers = m->controllers;
	r->nlimited = 0;
	r->row = snapshot_named_row(out, SCOPE_CGROUP, r->name, strlen(r->name));
	put_labels(r, r->row);
}

void cgroup_file_parse(const struct cgroup_file *f, struct text in, struct cgroup_row *r)
{
	const struct wants *w = wants_of(f->file);

	switch (f->shape) {
	case CGROUP_WORDS:
		parse_words(w, in, r);
		break;
	case CGROUP_KEYED:
		parse_keyed(w, in, r);
		break;
	case CGROUP_NESTED:
		parse_nested(w, in, r);
		break;
	case CGROUP_LABEL:
		parse_label(w, in, r);
		break;
	case CGROUP_IO_STAT:
		parse_io_stat(w, in, r);
		break;
	case CGROUP_IO_MAX:
		parse_io_max(w, in, r);
		break;
	case CGROUP_BLKIO:
		parse_blkio(f, in, r);
		break;
	case CGROUP_BLKIO_MAX:
		parse_blkio_max(f, in, r);
		break;
	case CGROUP_FREEZER:
		parse_freezer(w, in, r);
		break;
	}
}

bool cgroup_file_limits(const struct cgroup_file *f, struct text in)
{
	struct text word;
	uint64_t v;

	if (f->shape != CGROUP_WORDS)
		return text_len(text_trim(in)) > 0;
	return text_word(&in, &word) && cgroup_number(word, &v) && v != VALUE_UNLIMITED;
}
