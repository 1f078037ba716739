/* SPDX-License-Identifier: Apache-2.0 */
/* Screens that are tables of one kind of thing: disks, network, control groups. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "tui/grid.h"
#include "tui/screens.h"

/* clang-format off */
static const struct metric_column disk_columns[] = {
	{ "DISK",     -12, HOW_NAME,  M_NONE, M_NONE },
	{ "BUSY",       6, HOW_VALUE, M_DISK_BUSY, M_NONE },
	{ "READ",      10, HOW_VALUE, M_DISK_READ_BYTES, M_NONE },
	{ "WRITE",     10, HOW_VALUE, M_DISK_WRITE_BYTES, M_NONE },
	{ "EACH READ", 10, HOW_VALUE, M_DISK_READ_AWAIT, M_NONE },
	{ "EACH WRITE",10, HOW_VALUE, M_DISK_WRITE_AWAIT, M_NONE },
	{ "QUEUE",      6, HOW_VALUE, M_DISK_QUEUE, M_NONE },
	{ "READS/s",    9, HOW_VALUE, M_DISK_READS, M_NONE },
	{ "WRITES/s",   9, HOW_VALUE, M_DISK_WRITES, M_NONE },
	{ "FLUSHES/s",  9, HOW_VALUE, M_DISK_FLUSHES, M_NONE },
	{ "READ SIZE",  9, HOW_VALUE, M_DISK_READ_SIZE, M_NONE },
	{ "WRITE SIZE",10, HOW_VALUE, M_DISK_WRITE_SIZE, M_NONE },
	{ "ERRORS",     7, HOW_VALUE, M_DISK_IO_ERRORS, M_NONE },
	{ "SIZE",       9, HOW_VALUE, M_DISK_SIZE, M_NONE },
	{ "KIND",      -8, HOW_TEXT,  M_DISK_KIND, M_NONE },
	{ "USED BY",  -24, HOW_TEXT,  M_DISK_USERS, M_NONE },
	{ .title = NULL }
};

static const struct metric_column fs_columns[] = {
	{ "FILE SYSTEM", -28, HOW_NAME,  M_NONE, M_NONE },
	{ "USED",          6, HOW_VALUE, M_FS_USED, M_NONE },
	{ "LEFT",          9, HOW_VALUE, M_FS_AVAILABLE, M_NONE },
	{ "SIZE",          9, HOW_VALUE, M_FS_SIZE, M_NONE },
	{ "INODES",        6, HOW_VALUE, M_FS_INODES_USED, M_NONE },
	{ "TYPE",         -8, HOW_TEXT,  M_FS_TYPE, M_NONE },
	{ "FROM",        -20, HOW_TEXT,  M_FS_SOURCE, M_NONE },
	{ .title = NULL }
};

static const struct metric_column netif_columns[] = {
	{ "INTERFACE", -14, HOW_NAME,  M_NONE, M_NONE },
	{ "IN",         11, HOW_VALUE, M_NETIF_RX_BYTES, M_NONE },
	{ "OUT",        11, HOW_VALUE, M_NETIF_TX_BYTES, M_NONE },
	{ "PACKETS IN", 10, HOW_VALUE, M_NETIF_RX_PACKETS, M_NONE },
	{ "OUT",         9, HOW_VALUE, M_NETIF_TX_PACKETS, M_NONE },
	{ "DROPS IN",    8, HOW_VALUE, M_NETIF_RX_DROPS, M_NONE },
	{ "OUT",         7, HOW_VALUE, M_NETIF_TX_DROPS, M_NONE },
	{ "ERRORS IN",   9, HOW_VALUE, M_NETIF_RX_ERRORS, M_NONE },
	{ "OUT",         7, HOW_VALUE, M_NETIF_TX_ERRORS, M_NONE },
	{ "SPEED",      10, HOW_VALUE, M_NETIF_SPEED, M_NONE },
	{ "KIND",      -10, HOW_TEXT,  M_NETIF_KIND, M_NONE },
	{ .title = NULL }
};

static const struct metric_column cgroup_columns[] = {
	{ "GROUP",    -26, HOW_TEXT,  M_CG_PATH, M_NONE },
	{ "CPU",        7, HOW_VALUE, M_CG_CPU_USAGE, M_NONE },
	{ "THROTTLED",  9, HOW_VALUE, M_CG_CPU_THROTTLED_TIME, M_NONE },
	{ "MEMORY",     9, HOW_VALUE, M_CG_MEM_CURRENT, M_NONE },
	{ "LIMIT",      9, HOW_VALUE, M_CG_MEM_LIMIT, M_NONE },
	{ "FULL",       6, HOW_SHARE_OF, M_CG_MEM_CURRENT, M_CG_MEM_LIMIT },
	{ "OOM",        4, HOW_VALUE, M_CG_MEM_OOM_KILLS, M_NONE },
	{ "READ",      10, HOW_VALUE, M_CG_IO_READ_BYTES, M_NONE },
	{ "WRITE",     10, HOW_VALUE, M_CG_IO_WRITE_BYTES, M_NONE },
	{ "TASKS",      6, HOW_VALUE, M_CG_PIDS_CURRENT, M_NONE },
	{ "STALL CPU",  9, HOW_VALUE, M_CG_PSI_CPU_SOME, M_NONE },
	{ "IO",         6, HOW_VALUE, M_CG_PSI_IO_SOME, M_NONE },
	{ "MEM",        6, HOW_VALUE, M_CG_PSI_MEM_SOME, M_NONE },
	{ "CONTROLLERS",-12, HOW_TEXT, M_CG_CONTROLLERS, M_NONE },
	{ .title = NULL }
};
/* clang-format on */

static bool is_real_fs(const struct ui *ui, struct row_id id, const char *name)
{
	(void)name;
	return ui_value(ui, M_FS_SIZE, id) > 0;
}

static bool table_key(struct ui *ui, const struct key *k, enum ui_want *want, int ncolumns)
{
	struct list *l = &ui->lists[ui->screen];

	*want = WANT_DRAW;
	return list_sort_key(l, k, ncolumns) || list_key(l, k);
}

void disks_draw(struct ui *ui, struct canvas *c, struct area a)
{
	struct list fs = { .sort = 1 }; /* has no cursor: it is looked at, not gone through */
	int below = a.rows >= 14 ? a.rows / 2 : 0;
	struct list *l = &ui->lists[ui->screen];

	metric_table(ui, c, (struct area){ a.x, a.y, a.columns, a.rows - below }, l, SCOPE_DISK,
		     disk_columns, "No block device is seen here.", NULL);
	if (!below)
		return;
	metric_table(ui, c, (struct area){ a.x, a.y + a.rows - below, a.columns, below }, &fs,
		     SCOPE_FS, fs_columns, "No file system with a size is mounted.", is_real_fs);
}

bool disks_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	return table_key(ui, k, want, metric_columns_count(disk_columns));
}

/* ---- network ---- */

static void rate(const struct ui *ui, char *out, size_t size, const char *word, enum metric_id id)
{
	double v = now_system(&ui->now, id);
	char number[32];

	if (!isnan(v))
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s", out[0] ? "  " : "", word,
			 unit_format(number, sizeof(number), UNIT_COUNT,
				     metric_get(id)->kind == KIND_COUNTER, v));
}

static int draw_tcp(struct ui *ui, struct canvas *c, struct area a)
{
	double out = now_system(&ui->now, M_TCP_OUT_SEGS),
	       again = now_system(&ui->now, M_TCP_RETRANS);
	char text[300] = "";

	rate(ui, text, sizeof(text), "established", M_TCP_CURRENT);
	rate(ui, text, sizeof(text), "opened", M_TCP_ACTIVE);
	rate(ui, text, sizeof(text), "accepted", M_TCP_PASSIVE);
	rate(ui, text, sizeof(text), "time-wait", M_TCP_TIME_WAIT);
	canvas_text(c, a.x, a.y, 5, PAINT_STRONG, "tcp");
	canvas_text(c, a.x + 6, a.y, a.columns - 6, PAINT_PLAIN, text[0] ? text : "not known here");
	text[0] = '\0';
	rate(ui, text, sizeof(text), "segments out", M_TCP_OUT_SEGS);
	rate(ui, text, sizeof(text), "sent again", M_TCP_RETRANS);
	if (out > 0 && !isnan(again))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " (%.2f %%)",
			 100 * again / out);
	rate(ui, text, sizeof(text), "accept queues full", M_TCP_LISTEN_OVERFLOWS);
	rate(ui, text, sizeof(text), "resets", M_TCP_OUT_RSTS);
	canvas_text(c, a.x + 6, a.y + 1, a.columns - 6, PAINT_PLAIN, text);
	return 2;
}

void network_draw(struct ui *ui, struct canvas *c, struct area a)
{
	if (a.rows >= 8) {
		int n = draw_tcp(ui, c, a);

		a.y += n + 1;
		a.rows -= n + 1;
	}
	metric_table(ui, c, a, &ui->lists[ui->screen], SCOPE_NETIF, netif_columns,
		     "No interface was read.", NULL);
}

bool network_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	return table_key(ui, k, want, metric_columns_count(netif_columns));
}

/* ---- control groups ---- */

void cgroups_draw(struct ui *ui, struct canvas *c, struct area a)
{
	metric_table(ui, c, a, &ui->lists[ui->screen], SCOPE_CGROUP, cgroup_columns,
		     ui->report ? "No control group was read." : "Read with the first judgement.",
		     NULL);
}

bool cgroups_key(struct ui *ui, const struct key *k, enum ui_want *want)
{
	return table_key(ui, k, want, metric_columns_count(cgroup_columns));
}
