/* SPDX-License-Identifier: Apache-2.0 */
/* What the network stack counts per CPU, in hexadecimal: packets taken, dropped, cut short (softnet_stat), the neighbour
 * table, connection tracking. */
#include "collectors/collector.h"
#include "collectors/hexstat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "collectors/held.h"

enum { SOFTNET, ARP, NDISC, CONNTRACK, FILES };

struct softnet_state {
	struct collector_env env;
	struct held files[FILES];
	struct buf text;
};

static const char *const paths[FILES + 1] = {
	[SOFTNET] = "proc/net/softnet_stat",
	[ARP] = "proc/net/stat/arp_cache",
	[NDISC] = "proc/net/stat/ndisc_cache",
	[CONNTRACK] = "proc/net/stat/nf_conntrack",
};

/* ---- softnet_stat ---- */

/* Columns without names; only those that every kernel has, and two that came later. */
enum { PROCESSED = 0, DROPPED = 1, SQUEEZED = 2, BACKLOG = 11, CPU_NUMBER = 12, SOFTNET_COLUMNS };

static void read_softnet_line(struct text line, unsigned nth, struct snapshot *out)
{
	uint64_t v[SOFTNET_COLUMNS];
	unsigned n = 0;
	char name[24];
	size_t row;

	while (n < SOFTNET_COLUMNS && text_hex(&line, &v[n]))
		n++;
	if (n <= SQUEEZED)
		return;
	/* offline CPUs have no line; since 5.10 the line says whose it is */
	snprintf(name, sizeof(name), "cpu%u", n > CPU_NUMBER ? (unsigned)v[CPU_NUMBER] : nth);
	row = snapshot_named_row(out, SCOPE_CPU, name, strlen(name));
	snapshot_set(out, M_CPU_NET_PACKETS, row, v[PROCESSED],
		     metric_source(M_CPU_NET_PACKETS, F_SOFTNET));
	snapshot_set(out, M_CPU_NET_DROPS, row, v[DROPPED],
		     metric_source(M_CPU_NET_DROPS, F_SOFTNET));
	snapshot_set(out, M_CPU_NET_SQUEEZED, row, v[SQUEEZED],
		     metric_source(M_CPU_NET_SQUEEZED, F_SOFTNET));
	if (n > BACKLOG)
		snapshot_set(out, M_CPU_NET_BACKLOG, row, v[BACKLOG],
			     metric_source(M_CPU_NET_BACKLOG, F_SOFTNET));
}

static void read_softnet(struct text in, struct snapshot *out)
{
	struct text line;

	in = whole_lines(in);
	snapshot_begin(out, SCOPE_CPU, clock_boot_ns());
	for (unsigned nth = 0; nth < 65536 && text_line(&in, &line); nth++)
		read_softnet_line(line, nth, out);
}

/* ---- the collector ---- */

static void put_sum(struct snapshot *out, enum metric_id id, enum file_id file, struct text in,
		    const char *column)
{
	uint64_t v;

	if (hexstat_sum(in, column, &v))
		snapshot_add(out, id, snapshot_system_row(out), v, metric_source(id, file));
}

static void read_neighbours(struct text in, struct snapshot *out)
{
	uint64_t entries;

	if (hexstat_first(in, "entries", &entries))
		snapshot_add(out, M_NEIGH_ENTRIES, snapshot_system_row(out), entries,
			     metric_source(M_NEIGH_ENTRIES, F_STAT_ARP));
	put_sum(out, M_NEIGH_FULL, F_STAT_ARP, in, "table_fulls");
	put_sum(out, M_NEIGH_UNRESOLVED, F_STAT_ARP, in, "unresolved_discards");
}

static void read_conntrack(struct text in, struct snapshot *out)
{
	put_sum(out, M_CONNTRACK_DROPS, F_STAT_CONNTRACK, in, "drop");
	put_sum(out, M_CONNTRACK_EARLY_DROPS, F_STAT_CONNTRACK, in, "early_drop");
	put_sum(out, M_CONNTRACK_INSERT_FAILED, F_STAT_CONNTRACK, in, "insert_failed");
}

static int softnet_open(void *state, const struct collector_env *env, struct err *e)
{
	struct softnet_state *s = state;

	(void)e;
	s->env = *env;
	for (int i = 0; i < FILES; i++)
		s->files[i].path = paths[i];
	return 0;
}

static int softnet_read(void *state, struct snapshot *out, struct err *e)
{
	struct softnet_state *s = state;

	(void)e;
	snapshot_begin(out, SCOPE_SYSTEM, clock_boot_ns());
	for (int i = 0; i < FILES; i++) {
		struct text in;
		int err = held_read(&s->files[i], s->env.root, &s->text, &in);

		/* without connection tracking there is nothing to count: not a fault */
		if (err != -ENOENT)
			collector_status(&s->env, paths[i], err, "%s", err ? strerror(-err) : "");
		if (err)
			continue;
		if (i == SOFTNET)
			read_softnet(in, out);
		else if (i == CONNTRACK)
			read_conntrack(in, out);
		else
			read_neighbours(in, out);
	}
	return 0;
}

static void softnet_close(void *state)
{
	struct softnet_state *s = state;

	for (int i = 0; i < FILES; i++)
		held_close(&s->files[i]);
	buf_done(&s->text);
}

const struct collector collector_softnet = {
	.name = "softnet",
	.what = "packets per CPU, the neighbour table, connection tracking",
	.needs = "",
	.pace = PACE_SECOND,
	.seldom = true,
	.scopes = 1u << SCOPE_CPU | 1u << SCOPE_SYSTEM,
	.files = paths,
	.state_size = sizeof(struct softnet_state),
	.open = softnet_open,
	.read = softnet_read,
	.close = softnet_close,
};
