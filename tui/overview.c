/* SPDX-License-Identifier: Apache-2.0 */
/* The first screen: what is wrong, how full everything is, who loses time, what has happened. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "tui/grid.h"
#include "tui/parts.h"
#include "tui/screens.h"

/* ---- the verdict ---- */

static enum paint verdict_paint(const struct report *r)
{
	if (r->verdict == VERDICT_HEALTHY)
		return PAINT_GOOD;
	if (r->verdict == VERDICT_INCONCLUSIVE)
		return PAINT_INFO;
	return r->findings.n && r->findings.list[0].severity == SEV_CRIT ? PAINT_CRIT : PAINT_WARN;
}

static const char *verdict_word(enum verdict v)
{
	static const char *const words[] = { "HEALTHY", "ACTIONABLE", "INCONCLUSIVE" };

	return words[v];
}

static int draw_verdict(struct ui *ui, struct canvas *c, struct area a)
{
	const struct report *r = ui->report;
	char held[32], text[200], explained[40] = "";
	struct area sentence = a;
	int lines;

	if (!r) {
		canvas_text(c, a.x, a.y, a.columns, PAINT_DIM,
			    "The first judgement comes after two seconds.");
		return 1;
	}
	canvas_print(c, a.x, a.y, a.columns, verdict_paint(r), " %s ", verdict_word(r->verdict));
	if (r->verdict != VERDICT_HEALTHY && r->lost_total >= 0.01 && !isnan(r->explained))
		snprintf(explained, sizeof(explained), " \xc2\xb7 %.0f %% of it explained",
			 100 * r->explained);
	snprintf(text, sizeof(text),
		 "for %s \xc2\xb7 over the last %.0f s \xc2\xb7 lost to waiting %.2f s/s%s",
		 unit_duration(held, sizeof(held),
			       fmax(0, (double)(ui->judged_ns - ui->since_ns) * 1e-9)),
		 r->seconds, r->lost_total, explained);
	canvas_text(c, a.x + 15, a.y, a.columns - 15, PAINT_DIM, text);
	sentence.x += 1;
	sentence.columns -= 2;
	sentence.y += 1;
	sentence.rows = a.rows - 1 > 3 ? 3 : a.rows - 1;
	lines = canvas_flow(c, sentence, PAINT_STRONG, r->summary);
	return 1 + lines;
}

/* ---- meters ---- */

static void rate_text(char *out, size_t size, const char *word, enum unit u, double v)
{
	char number[32];

	if (!isnan(v))
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s", out[0] ? "  " : "", word,
			 unit_format(number, sizeof(number), u, u == UNIT_BYTES, v));
}

static void share_text(char *out, size_t size, const char *word, double v)
{
	if (!isnan(v))
		snprintf(out + strlen(out), size - strlen(out), "%s%s %.0f %%", out[0] ? "  " : "",
			 word, 100 * v);
}

static void cpu_line(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	double cpus = now_system(&ui->now, M_SYS_CPUS);
	char text[160] = "";

	if (!(cpus > 0))
		cpus = ui->now.host->cpus ? ui->now.host->cpus : 1;
	share_text(text, sizeof(text), "user",
		   (now_system(&ui->now, M_SYS_USER) + now_system(&ui->now, M_SYS_NICE)) / cpus);
	share_text(text, sizeof(text), "sys", now_system(&ui->now, M_SYS_SYSTEM) / cpus);
	share_text(text, sizeof(text), "irq",
		   (now_system(&ui->now, M_SYS_IRQ) + now_system(&ui->now, M_SYS_SOFTIRQ)) / cpus);
	share_text(text, sizeof(text), "steal", now_system(&ui->now, M_SYS_STEAL) / cpus);
	meter(c, a, "cpu", now_system(&ui->now, M_SYS_BUSY), PAINT_USER, text, h->points[TRACK_CPU],
	      h->n, 1);
}

static void memory_line(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	double all = now_system(&ui->now, M_MEM_TOTAL),
	       left = now_system(&ui->now, M_MEM_AVAILABLE),
	       swap = now_system(&ui->now, M_SWAP_TOTAL);
	char text[160], x[32], y[32];

	snprintf(text, sizeof(text), "%s of %s",
		 unit_format(x, sizeof(x), UNIT_BYTES, 0, all - left),
		 unit_format(y, sizeof(y), UNIT_BYTES, 0, all));
	if (swap > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  swap %s",
			 unit_format(x, sizeof(x), UNIT_BYTES, 0,
				     swap - now_system(&ui->now, M_SWAP_FREE)));

	meter(c, a, "memory", all > 0 ? 1 - left / all : NAN, PAINT_MEMORY, text,
	      h->points[TRACK_MEMORY], h->n, 1);
}

/* The row with the largest value; false when none is known. */
static bool largest(const struct ui *ui, enum metric_id id, enum metric_id then, const char *but,
		    struct row_id *row, const char **name)
{
	enum scope sc = metric_get(id)->scope;
	struct snapshot *s = now_rows(&ui->now, sc);
	double most = -1;

	for (size_t r = 0; s && r < snapshot_rows(s, sc); r++) {
		double v = now_value(&ui->now, id, snapshot_id(s, sc, r));
		/* of several that are idle now, the one that does anything at all */
		double more = ui_value(ui, then, snapshot_id(s, sc, r));

		v += more > 0 ? fmin(1e-3, more * 1e-12) : 0;
		if (v > most && strcmp(snapshot_name(s, sc, r), but) != 0) {
			most = v;
			*row = snapshot_id(s, sc, r);
			*name = snapshot_name(s, sc, r);
		}
	}
	return most >= 0;
}

static void disk_line(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	const char *name = "";
	char text[160] = "", title[40];
	struct row_id row;
	double await;

	if (!largest(ui, M_DISK_BUSY, M_DISK_SIZE, "", &row, &name)) {
		meter(c, a, "disk", NAN, PAINT_DISK, "no block device is seen here", h->points[0],
		      0, 1);
		return;
	}
	snprintf(title, sizeof(title), "%s", name);
	rate_text(text, sizeof(text), "read", UNIT_BYTES,
		  now_value(&ui->now, M_DISK_READ_BYTES, row));
	rate_text(text, sizeof(text), "write", UNIT_BYTES,
		  now_value(&ui->now, M_DISK_WRITE_BYTES, row));
	await = now_value(&ui->now, M_DISK_AWAIT, row);
	if (!isnan(await))
		rate_text(text, sizeof(text), "each", UNIT_SECONDS, await);
	meter(c, a, title, now_value(&ui->now, M_DISK_BUSY, row), PAINT_DISK, text,
	      h->points[TRACK_DISK], h->n, 1);
}

static void net_line(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	const char *name = "net";
	char text[160] = "";
	struct row_id row;
	double speed, in, out;

	if (!largest(ui, M_NETIF_RX_BYTES, M_NETIF_TX_BYTES, "lo", &row, &name)) {
		meter(c, a, "net", NAN, PAINT_NET, "no interface but lo", h->points[0], 0, 0);
		return;
	}
	in = now_value(&ui->now, M_NETIF_RX_BYTES, row);
	out = now_value(&ui->now, M_NETIF_TX_BYTES, row);
	speed = ui_value(ui, M_NETIF_SPEED, row); /* bits */
	rate_text(text, sizeof(text), "in", UNIT_BYTES, in);
	rate_text(text, sizeof(text), "out", UNIT_BYTES, out);
	if (!(speed > 0))
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  speed unknown");
	meter(c, a, name, speed > 0 ? 8 * fmax(in, out) / speed : NAN, PAINT_NET, text,
	      h->points[TRACK_NET_IN], h->n, 0);
}

static void pressure_line(struct ui *ui, struct canvas *c, struct area a)
{
	const struct history *h = &ui->history;
	double cpu = now_system(&ui->now, M_PSI_CPU_SOME), io = now_system(&ui->now, M_PSI_IO_SOME),
	       memory = now_system(&ui->now, M_PSI_MEM_SOME);
	char text[160] = "";
	enum track t = io > cpu && io > memory ? TRACK_PSI_IO
		       : memory > cpu          ? TRACK_PSI_MEMORY
					       : TRACK_PSI_CPU;

	share_text(text, sizeof(text), "of the time somebody waited for a CPU", cpu);
	if (text[0])
		snprintf(text, sizeof(text),
			 "waits: cpu %.0f %%  io %.0f %%  memory %.0f %% of the time", 100 * cpu,
			 100 * io, 100 * memory);
	else
		snprintf(text, sizeof(text), "this kernel has no /proc/pressure");
	meter(c, a, "stall", fmax(cpu, fmax(io, memory)), PAINT_RUNNABLE, text, h->points[t], h->n,
	      1);
}

static int draw_meters(struct ui *ui, struct canvas *c, struct area a)
{
	static void (*const lines[])(struct ui *, struct canvas *,
				     struct area) = { cpu_line, memory_line, disk_line, net_line,
						      pressure_line };
	int n = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines) && n < a.rows; i++, n++)
		lines[i](ui, c, (struct area){ a.x, a.y + n, a.columns, 1 });
	return n;
}

/* ---- who loses time ---- */

static int draw_lost(const struct ui *ui, struct canvas *c, struct area a, size_t most)
{
	const struct report *r = ui->report;
	const struct view *v = r ? r->view : NULL;
	double seconds = v ? interval_seconds(v->window) : 0;
	int y = 1, bar = a.columns - 42;
	char title[64];

	snprintf(title, sizeof(title), "over %.0f s, %s", seconds,
		 v && v->nlost && v->lost[0].exact ? "measured" : "estimated from samples");
	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "Time lost to waiting",
		v && v->nlost ? title : "");
	for (size_t i = 0; v && i < v->nlost && i < most && y < a.rows; i++, y++) {
		const struct lost_row *l = &v->lost[i];
		enum cause worst = worst_cause(l);

		if (!(l->lost >= 0.005 * seconds)) /* or it would read 0.00 */
			break;
		canvas_print(c, a.x, a.y + y, 8, PAINT_DIM, "%7lld", (long long)l->pid);
		canvas_text(c, a.x + 8, a.y + y, 15, PAINT_PLAIN, l->name);
		canvas_print(c, a.x + 24, a.y + y, 10, PAINT_STRONG, "%6.2f s/s",
			     l->lost / seconds);
		canvas_print(c, a.x + 35, a.y + y, a.columns - 35, PAINT_PLAIN, "%s",
			     cause_title(worst));
		if (bar > 12)
			time_bar(c, a.x + 52, a.y + y, a.columns - 52, l);
	}
	if (y == 1 && a.rows > 1) {
		canvas_text(c, a.x + 1, a.y + 1, a.columns - 1, PAINT_DIM,
			    v ? "Nobody waits for anything that could be had."
			      : "Known after the first judgement.");
		y++;
	}
	return y;
}

static void draw_events(const struct ui *ui, struct canvas *c, struct area a)
{
	struct event_line *list;
	size_t n = events_latest(ui, &list, (size_t)(a.rows > 1 ? a.rows - 1 : 0));

	heading(c, (struct area){ a.x, a.y, a.columns, 1 }, "Latest events", "of the kernel log");
	for (size_t i = 0; i < n; i++)
		draw_event(ui, c, (struct area){ a.x, a.y + 1 + (int)i, a.columns, 1 }, &list[i]);
	if (!n && a.rows > 1)
		canvas_text(c, a.x + 1, a.y + 1, a.columns - 1, PAINT_DIM, "None that matter.");
	mem_free(list);
}

void overview_draw(struct ui *ui, struct canvas *c, struct area a)
{
	int end = a.y + a.rows;

	a.y += draw_verdict(ui, c, a);
	a.y += a.rows > 14;
	a.rows = end - a.y;
	a.y += draw_meters(ui, c, a);
	a.y += a.rows > 10;
	a.rows = end - a.y;
	if (a.rows < 2)
		return;
	a.y += draw_lost(ui, c, a, a.rows > 22 ? 10 : 5);
	a.y += end - a.y > 6;
	a.rows = end - a.y;
	if (a.rows >= 2)
		draw_events(ui, c, a);
}
