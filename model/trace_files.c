/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of what happens to files, disks and mounts. */
#include "model/trace_value.h"

#include <stdio.h>
#include <string.h>

/* ---- open ---- */

GETTER(open_error, wire_open)
{
	value_errno(v, -r->error);
}

GETTER(open_path, wire_open)
{
	value_field(v, r->path, sizeof(r->path));
}

GETTER(open_cut, wire_open)
{
	if (r->path_size >= WIRE_PATH)
		value_string(v, "path");
}

/* ---- bio ---- */

GETTER(bio_disk, wire_bio)
{
	value_disk(v, n, r->major, r->minor);
}

/* enum req_op; odd numbers carry data out. */
GETTER(bio_op, wire_bio)
{
	unsigned op = r->op & 255;

	switch (op) {
	case 0:
		value_string(v, "read");
		return;
	case 1:
		value_string(v, "write");
		return;
	case 2:
		value_string(v, "flush");
		return;
	case 3:
		value_string(v, "discard");
		return;
	case 9:
		value_string(v, "write zeroes");
		return;
	}
	value_reason(v, NULL, op);
}

GETTER(bio_bytes, wire_bio)
{
	value_number(v, VALUE_BYTES, r->bytes);
}

GETTER(bio_sector, wire_bio)
{
	if (r->sector != UINT64_MAX) /* a flush has none */
		value_number(v, VALUE_NUMBER, (double)r->sector);
}

GETTER(bio_total, wire_bio)
{
	value_ns(v, r->total_ns);
}

GETTER(bio_device, wire_bio)
{
	if (r->device_ns)
		value_ns(v, r->device_ns);
}

GETTER(bio_error, wire_bio)
{
	if (r->status)
		value_reason(v, NULL, r->status);
}

/* ---- fsync ---- */

GETTER(fsync_disk, wire_fsync)
{
	value_disk(v, n, r->major, r->minor);
}

/* Names come from the file upwards. */
GETTER(fsync_path, wire_fsync)
{
	size_t len = 0;
	int i = WIRE_NAMES - 1;

	while (i > 0 && !r->names[i][0])
		i--;
	if (r->more)
		len = (size_t)snprintf(v->scratch, sizeof(v->scratch), "..");
	for (; i >= 0; i--) {
		size_t part = strnlen(r->names[i], WIRE_NAME);

		if (len + 1 + part >= sizeof(v->scratch))
			break;
		v->scratch[len++] = '/';
		memcpy(v->scratch + len, r->names[i], part);
		len += part;
	}
	value_text(v, v->scratch, len);
}

GETTER(fsync_inode, wire_fsync)
{
	value_number(v, VALUE_NUMBER, (double)r->inode);
}

GETTER(fsync_ns, wire_fsync)
{
	value_ns(v, r->ns);
}

GETTER(fsync_call, wire_fsync)
{
	value_string(v, r->datasync ? "fdatasync" : "fsync");
}

GETTER(fsync_error, wire_fsync)
{
	if (r->result < 0)
		value_errno(v, -r->result);
}

/* ---- mount ---- */

GETTER(mount_what, trace_mount)
{
	static const char *const names[] = { "mount", "umount", "remount" };

	if (r->what < sizeof(names) / sizeof(*names))
		value_string(v, names[r->what]);
}

GETTER(mount_source, trace_mount)
{
	value_field(v, r->source, sizeof(r->source));
}

GETTER(mount_point, trace_mount)
{
	value_field(v, r->point, sizeof(r->point));
}

GETTER(mount_type, trace_mount)
{
	value_field(v, r->type, sizeof(r->type));
}

GETTER(mount_options, trace_mount)
{
	value_field(v, r->options, sizeof(r->options));
}

/* ---- columns ---- */

/* clang-format off */
const struct trace_column trace_open_columns[] = {
	{ "error",          "",           open_error,      "why it failed" },
	{ "path",           "",           open_path,       "as it was given, the first 511 bytes" },
	{ "cut",            "cut",        open_cut,        "what did not fit" },
	{ 0 }
};
const struct trace_column trace_bio_columns[] = {
	{ "disk",           "",           bio_disk,        "device" },
	{ "operation",      "",           bio_op,          "read, write, flush, discard …" },
	{ "bytes",          "",           bio_bytes,       "length of the request" },
	{ "sector",         "sector",     bio_sector,      "where, in units of 512 bytes" },
	{ "seconds",        "took",       bio_total,       "since the request was allocated" },
	{ "device_seconds", "device",     bio_device,      "since the driver got it" },
	{ "error",          "error",      bio_error,       "block status, when it is not 0" },
	{ 0 }
};
const struct trace_column trace_fsync_columns[] = {
	{ "call",           "",           fsync_call,      "fsync or fdatasync" },
	{ "seconds",        "took",       fsync_ns,        "how long" },
	{ "disk",           " on",        fsync_disk,      "device" },
	{ "path",           "",           fsync_path,      "within the file system, the last six names" },
	{ "inode",          "inode",      fsync_inode,     "of the file" },
	{ "error",          "error",      fsync_error,     "when it failed" },
	{ 0 }
};
const struct trace_column trace_mount_columns[] = {
	{ "action",         "",           mount_what,      "mount, umount, remount" },
	{ "point",          "",           mount_point,     "where" },
	{ "source",         " from",      mount_source,    "what" },
	{ "type",           "type",       mount_type,      "of the file system" },
	{ "options",        "options",    mount_options,   "of the mount" },
	{ 0 }
};
/* clang-format on */
