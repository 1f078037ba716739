/* SPDX-License-Identifier: Apache-2.0 */
/* sys/block: what a disk is, what it is made of, how its queue is set, and what state it is in.
 *
 * Read at both ends of the window. Attributes differ by driver and kernel: what is not there stays absent. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/root.h"
#include "base/text.h"
#include "collectors/sysfs.h"
#include "collectors/collector.h"
#include "collectors/disks.h"
#include "collectors/table.h"

struct block_state {
	struct collector_env env;
	struct snapshot *out;
	struct buf lower; /* names of a list in the making */
	size_t seen;
	int code;
};

struct disk {
	struct block_state *s;
	const char *sys; /* name below sys/block */
	size_t row;
};

/* The kernel names disks after their drivers; the longest prefix wins. */
static const struct {
	const char *prefix, *kind;
} kinds[] = {
	{ "nvme", "nvme" },  { "sd", "scsi" },      { "sr", "scsi" },       { "vd", "virtio" },
	{ "xvd", "xen" },    { "mmcblk", "mmc" },   { "loop", "loop" },     { "dm-", "dm" },
	{ "md", "md" },      { "zram", "zram" },    { "ram", "ram" },       { "nbd", "nbd" },
	{ "rbd", "rbd" },    { "drbd", "drbd" },    { "bcache", "bcache" }, { "dasd", "dasd" },
	{ "pmem", "pmem" },  { "zd", "zvol" },      { "ublkb", "ublk" },    { "fd", "floppy" },
	{ "cciss", "scsi" }, { "mtdblock", "mtd" },
};

static const char *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)))
			return kinds[i].kind;
	return "other";
}

static void set(const struct disk *d, enum metric_id id, uint64_t v)
{
	snapshot_set(d->s->out, id, d->row, v, metric_source(id, F_BLOCK));
}

static void set_text(const struct disk *d, enum metric_id id, const char *text)
{
	snapshot_set_text(d->s->out, id, d->row, text, strlen(text), metric_source(id, F_BLOCK));
}

/* ---- attributes that are one number or one word ---- */

static const struct {
	enum metric_id id;
	const char *path;
} attributes[] = {
	{ M_DISK_ROTATIONAL, "queue/rotational" },
	{ M_DISK_READONLY, "ro" },
	{ M_DISK_REQUESTS, "queue/nr_requests" },
	{ M_DISK_DEPTH, "device/queue_depth" },
	{ M_DISK_WBT, "queue/wbt_lat_usec" },
	{ M_DISK_BDI_RATIO, "bdi/max_ratio" },
	{ M_DISK_BDI_STRICT, "bdi/strict_limit" },
	{ M_DISK_SUSPENDED, "dm/suspended" },
	{ M_DISK_IO_ERRORS, "device/ioerr_cnt" },
	{ M_MD_DISKS, "md/raid_disks" },
	{ M_MD_DEGRADED, "md/degraded" },
	{ M_DISK_STATE, "device/state" },
	{ M_DISK_STATE, "md/array_state" },
	{ M_MD_ACTION, "md/sync_action" },
	{ M_DISK_ALIAS, "dm/name" },
	{ M_DISK_ALIAS, "loop/backing_file" },
};

static void read_attribute(const struct disk *d, enum metric_id id, const char *path)
{
	char text[1024];
	uint64_t v;

	if (metric_get(id)->unit != UNIT_TEXT) {
		if (sysfs_u64(d->s->env.root, &v, "sys/block/%s/%s", d->sys, path))
			set(d, id, v);
	} else if (sysfs_text(d->s->env.root, text, sizeof(text), "sys/block/%s/%s", d->sys,
			      path) &&
		   *text) {
		set_text(d, id, text);
	}
}

/* "none [mq-deadline] kyber": the one in brackets. A single name stands alone. */
static void read_scheduler(const struct disk *d)
{
	char line[256], *open, *close;

	if (!sysfs_text(d->s->env.root, line, sizeof(line), "sys/block/%s/queue/scheduler",
			d->sys) ||
	    !*line)
		return;
	open = strchr(line, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close)
		*close = '\0';
	set_text(d, M_DISK_SCHEDULER, open ? open + 1 : line);
}

/* ---- what it is made of ---- */

static int add_slave(void *ctx, const char *name)
{
	struct block_state *s = ctx;
	char disk[DISK_NAME];

	if (s->lower.len > 4096)
		return 1;
	if (!disk_of_name(s->env.root, name, disk))
		snprintf(disk, sizeof(disk), "%.*s", DISK_NAME - 1, name);
	buf_printf(&s->lower, "%s%s", s->lower.len ? "\n" : "", disk);
	return 0;
}

static void read_slaves(const struct disk *d)
{
	char path[64];

	buf_clear(&d->s->lower);
	snprintf(path, sizeof(path), "sys/block/%s/slaves", d->sys);
	root_list(d->s->env.root, path, add_slave, d->s);
	if (d->s->lower.len)
		set_text(d, M_DISK_LOWER, d->s->lower.data);
}

/* With multipath the namespace hangs off a subsystem that has a directory per controller: nvme0, nvme1 … */
static int add_path(void *ctx, const char *name)
{
	const struct disk *d = ctx;
	char state[32];

	if (strncmp(name, "nvme", 4) || name[4] < '0' || name[4] > '9' ||
	    name[strspn(name + 4, "0123456789") + 4] || d->s->lower.len > 4096)
		return 0;
	if (sysfs_text(d->s->env.root, state, sizeof(state), "sys/block/%s/device/%s/state", d->sys,
		       name))
		buf_printf(&d->s->lower, "%s%s %s", d->s->lower.len ? "\n" : "", name, state);
	return 0;
}

static void read_paths(struct disk *d)
{
	char path[64];

	if (strncmp(d->sys, "nvme", 4))
		return;
	buf_clear(&d->s->lower);
	snprintf(path, sizeof(path), "sys/block/%s/device", d->sys);
	root_list(d->s->env.root, path, add_path, d);
	if (d->s->lower.len)
		set_text(d, M_DISK_PATHS, d->s->lower.data);
}

/* ---- the collector ---- */

static int read_disk(void *ctx, const char *sys)
{
	struct block_state *s = ctx;
	struct disk d = { .s = s, .sys = sys };
	char name[DISK_NAME];
	uint64_t size;

	if (strlen(sys) >= DISK_NAME || ++s->seen > DISK_CAP)
		return 0;
	/* a loop device without a file, a zram that is not set up */
	if (!sysfs_u64(s->env.root, &size, "sys/block/%s/size", sys) || !size)
		return 0;
	snprintf(name, sizeof(name), "%s", sys);
	for (char *p = name; *p; p++)
		if (*p == '!')
			*p = '/';
	d.row = disk_row(s->out, s->env.root, name);
	set(&d, M_DISK_SIZE, size);
	set_text(&d, M_DISK_KIND, kind_of(name));
	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		read_attribute(&d, attributes[i].id, attributes[i].path);
	read_scheduler(&d);
	read_slaves(&d);
	read_paths(&d);
	return 0;
}

static int block_read(void *state, struct snapshot *out, struct err *e)
{
	struct block_state *s = state;
	int err;

	s->out = out;
	s->seen = 0;
	snapshot_begin(out, SCOPE_DISK, clock_boot_ns());
	err = root_list(s->env.root, "sys/block", read_disk, s);
	if (err != s->code) {
		s->code = err;
		collector_status(&s->env, files[F_BLOCK].path, err, "%s",
				 err ? strerror(-err) : "");
	}
	return err ? err_errno(e, err, "cannot list %s", files[F_BLOCK].path) : 0;
}

static int block_open(void *state, const struct collector_env *env, struct err *e)
{
	struct block_state *s = state;

	(void)e;
	s->env = *env;
	s->code = 1;
	return 0;
}

static void block_close(void *state)
{
	struct block_state *s = state;

	buf_done(&s->lower);
}

const struct collector collector_block = {
	.name = "block",
	.what = "queues, stacking, state and errors of block devices",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_DISK,
	.state_size = sizeof(struct block_state),
	.open = block_open,
	.read = block_read,
	.close = block_close,
};
