/* SPDX-License-Identifier: Apache-2.0 */
/* Swap devices and files, and compressed memory (zram).
 *
 *   Filename      Type       Size     Used  Priority
 *   /dev/zram0    partition  1535996  0     100
 *
 * Blanks in names are written as \040. A device gets columns in its row of DISK; a swap file is only named. */
#include "collectors/collector.h"
#include "collectors/disks.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "collectors/table.h"

#define ZRAMS_MAX 64

struct swap_state {
	struct collector_env env;
	struct buf text, names;
	struct snapshot *out;
	unsigned zrams;
};

/* The kernel's name of /dev/PATH: /dev/mapper/x is a link to ../dm-0. Links of /dev live in memory and never block. */
static void kernel_name(struct swap_state *s, struct text path, char *out, size_t size)
{
	char full[256], target[256];
	const char *base;
	ssize_t n;

	text_copy(full, sizeof(full), path);
	n = root_readlink(s->env.root, full + 1, target, sizeof(target));
	base = strrchr(n > 0 ? target : full, '/');
	snprintf(out, size, "%s", base ? base + 1 : "");
}

static void read_swap(struct swap_state *s, struct text line)
{
	struct text path, type;
	uint64_t size, used;
	char name[64];
	size_t row;

	if (!text_word(&line, &path) || !text_word(&line, &type) || !text_u64(&line, &size) ||
	    !text_u64(&line, &used))
		return;
	if (s->names.len)
		buf_str(&s->names, ", ");
	buf_add(&s->names, path.p, text_len(path));
	if (!text_starts(path, "/dev/") || text_len(path) > 200)
		return;
	kernel_name(s, path, name, sizeof(name));
	if (!*name)
		return;
	row = disk_row(s->out, s->env.root, name);
	snapshot_set(s->out, M_DISK_SWAP_SIZE, row, size, metric_source(M_DISK_SWAP_SIZE, F_SWAPS));
	snapshot_set(s->out, M_DISK_SWAP_USED, row, used, metric_source(M_DISK_SWAP_USED, F_SWAPS));
}

static void read_swaps(struct swap_state *s)
{
	int err = root_read(s->env.root, "proc/swaps", &s->text, ROOT_FILE_CAP);
	struct text rest = text_n(s->text.data, s->text.len), line;
	size_t row;

	collector_status(&s->env, "proc/swaps", err, "%s", err ? strerror(-err) : "");
	if (err)
		return;
	buf_clear(&s->names);
	text_line(&rest, &line); /* titles */
	while (text_line(&rest, &line) && s->names.len < 4096)
		read_swap(s, line);
	snapshot_begin(s->out, SCOPE_SYSTEM, clock_boot_ns());
	row = snapshot_system_row(s->out);
	snapshot_set_text(s->out, M_SWAP_DEVICES, row, s->names.len ? s->names.data : "",
			  s->names.len, metric_source(M_SWAP_DEVICES, F_SWAPS));
}

static int read_zram(void *ctx, const char *name)
{
	static const enum metric_id columns[] = { M_ZRAM_STORED, M_ZRAM_COMPRESSED, M_ZRAM_MEMORY,
						  M_ZRAM_LIMIT };
	struct swap_state *s = ctx;
	struct text rest;
	char path[128];
	uint64_t v;
	size_t row;

	if (strncmp(name, "zram", 4) || !isdigit((unsigned char)name[4]) || strlen(name) > 32)
		return 0;
	if (s->zrams++ == ZRAMS_MAX)
		return 1;
	snprintf(path, sizeof(path), "sys/block/%s/mm_stat", name);
	if (root_read(s->env.root, path, &s->text, 4096))
		return 0;
	row = disk_row(s->out, s->env.root, name);
	rest = text_n(s->text.data, s->text.len);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns) && text_u64(&rest, &v); i++)
		snapshot_set(s->out, columns[i], row, v, metric_source(columns[i], F_ZRAM));
	return 0;
}

static int swap_open(void *state, const struct collector_env *env, struct err *e)
{
	struct swap_state *s = state;

	(void)e;
	s->env = *env;
	return 0;
}

static int swap_read(void *state, struct snapshot *out, struct err *e)
{
	struct swap_state *s = state;

	(void)e;
	s->out = out;
	s->zrams = 0;
	snapshot_begin(out, SCOPE_DISK, clock_boot_ns());
	read_swaps(s);
	root_list(s->env.root, "sys/block", read_zram, s);
	return 0;
}

static void swap_close(void *state)
{
	struct swap_state *s = state;

	buf_done(&s->text);
	buf_done(&s->names);
}

const struct collector collector_swap = {
	.name = "swap",
	.what = "swap devices and compressed memory",
	.needs = "",
	.pace = PACE_EDGE,
	.scopes = 1u << SCOPE_DISK | 1u << SCOPE_SYSTEM,
	.state_size = sizeof(struct swap_state),
	.open = swap_open,
	.read = swap_read,
	.close = swap_close,
};
