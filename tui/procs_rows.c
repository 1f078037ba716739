/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes are shown, and in what order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tui/procs.h"

/* ---- where rows come from ---- */

static int by_pid(const void *x, const void *y)
{
	const struct lost_row *a = *(const struct lost_row *const *)x,
			      *b = *(const struct lost_row *const *)y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

void psource_open(struct psource *s, const struct ui *ui)
{
	const struct view *v = ui->report ? ui->report->view : NULL;

	*s = (struct psource){ .ui = ui,
			       .s = now_rows(&ui->now, SCOPE_PROCESS),
			       .iv = now_interval(&ui->now, SCOPE_PROCESS),
			       .v = v };
	if (!v)
		return;
	s->seconds = interval_seconds(v->window);
	s->by_pid = mem_array(v->nlost + 1, sizeof(*s->by_pid));
	for (size_t i = 0; i < v->nlost; i++)
		if (!v->lost[i].short_lived && !v->lost[i].tid)
			s->by_pid[s->nlost++] = &v->lost[i];
	if (s->nlost)
		qsort(s->by_pid, s->nlost, sizeof(*s->by_pid), by_pid);
}

void psource_close(struct psource *s)
{
	mem_free(s->by_pid);
}

static const struct lost_row *lost_of(const struct psource *s, struct row_id id)
{
	struct lost_row key = { .pid = (int64_t)id.key };
	const struct lost_row *k = &key, *const * found;

	found = s->nlost ? bsearch(&k, s->by_pid, s->nlost, sizeof(k), by_pid) : NULL;
	/* a number that was given again is somebody else */
	return found && ((*found)->id.birth == id.birth || !(*found)->id.birth) ? *found : NULL;
}

static struct prow row_at(const struct psource *s, size_t at)
{
	struct row_id id = snapshot_id(s->s, SCOPE_PROCESS, at);
	struct prow r = { .id = id, .at = at, .pid = (int64_t)id.key };

	r.moved = s->iv ? interval_find(s->iv, SCOPE_PROCESS, id) : SIZE_MAX;
	r.lost = lost_of(s, id);
	r.ppid = whole(pvalue(s, &r, M_PROC_PPID));
	return r;
}

bool prow_of(const struct psource *s, struct row_id id, struct prow *out)
{
	size_t at = s->s ? snapshot_find(s->s, SCOPE_PROCESS, id) : SIZE_MAX;

	if (at != SIZE_MAX)
		*out = row_at(s, at);
	return at != SIZE_MAX;
}

/* ---- the filter ---- */

static bool has_fold(const char *text, struct text word)
{
	size_t n = text_len(word);

	for (; *text; text++)
		if (!strncasecmp(text, word.p, n))
			return true;
	return !n;
}

static bool term_fits(const struct psource *s, const struct prow *r, struct text term)
{
	char text[300];

	if (text_skip(&term, "user:")) {
		prow_user(s, r, text, sizeof(text));
		return text_eq(term, text);
	}
	if (text_skip(&term, "cgroup:")) {
		prow_cgroup(s, r, text, sizeof(text));
		return has_fold(text, term);
	}
	if (text_skip(&term, "state:")) {
		char letter = prow_state(s, r);

		return !text_len(term) || memchr(term.p, letter, text_len(term));
	}
	if (text_starts(term, "re:"))
		return true; /* procs.re */
	snprintf(text, sizeof(text), "%lld", (long long)r->pid);
	return has_fold(prow_command(s, r), term) || text_eq(term, text) ||
	       has_fold(snapshot_name(s->s, SCOPE_PROCESS, r->at), term);
}

static bool fits(const struct ui *ui, const struct psource *s, const struct prow *r)
{
	const struct procs *p = ui->procs;
	struct text rest = text_of(p->filter), term;

	if (!ui->settings.kernel && pvalue(s, r, M_PROC_KTHREAD) > 0)
		return false;
	while (text_word(&rest, &term))
		if (!term_fits(s, r, term))
			return false;
	return !p->has_re || !regexec(&p->re, prow_command(s, r), 0, NULL, 0);
}

/* ---- order ---- */

static int largest_first(const void *x, const void *y)
{
	const struct prow *a = x, *b = y;
	bool na = isnan(a->number), nb = isnan(b->number);
	int order;

	if (na != nb)
		return na - nb;
	if (!na && a->number != b->number)
		return a->number < b->number ? 1 : -1;
	order = a->text && b->text ? strcmp(a->text, b->text) : 0;
	return order ? order : a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int smallest_first(const void *x, const void *y)
{
	const struct prow *a = x, *b = y;

	if (isnan(a->number) || isnan(b->number) || a->number == b->number)
		return largest_first(x, y);
	return a->number < b->number ? -1 : 1;
}

static void order_rows(struct ui *ui, const struct psource *s)
{
	struct procs *p = ui->procs;
	const struct pcolumn *c = &p->columns[ui->lists[SCREEN_PROCESSES].sort];
	bool texts = !c->number && (c->text || c->unit == UNIT_TEXT);
	char(*kept)[64] = texts ? mem_array(p->nrows + 1, sizeof(*kept)) : NULL;
	bool small = c->ascending != ui->lists[SCREEN_PROCESSES].reverse;

	for (size_t i = 0; i < p->nrows; i++) {
		struct prow *r = &p->rows[i];

		r->number = texts ? 0 : c->number ? c->number(s, r) : pvalue(s, r, c->metric);
		if (c->unit == UNIT_RATIO && r->number < PROCS_LEAST)
			r->number = 0;
		if (!texts)
			continue;
		pcell(s, r, c, kept[i], sizeof(kept[i]));
		r->text = kept[i];
		r->number = kept[i][0] ? 0 : NAN; /* nothing comes last */
	}
	if (p->nrows)
		qsort(p->rows, p->nrows, sizeof(*p->rows),
		      small || texts ? smallest_first : largest_first);
	if (texts && ui->lists[SCREEN_PROCESSES].reverse)
		for (size_t i = 0; i < p->nrows / 2; i++) {
			struct prow t = p->rows[i];

			p->rows[i] = p->rows[p->nrows - 1 - i];
			p->rows[p->nrows - 1 - i] = t;
		}
	mem_free(kept);
	for (size_t i = 0; i < p->nrows; i++)
		p->rows[i].text = NULL;
}

/* ---- the tree ---- */

struct place {
	int64_t pid;
	size_t row, child, next; /* rows + 1; 0: none */
};

static int place_by_pid(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static struct place *place_of(struct place *list, size_t n, int64_t pid)
{
	struct place key = { .pid = pid };

	return n ? bsearch(&key, list, n, sizeof(key), place_by_pid) : NULL;
}

/* Children under their parents, siblings in the order that they have. Whose parent is not shown is a root; a circle (a
 * capture may say anything) is cut where it closes. */
static void grow_tree(struct procs *p)
{
	size_t n = p->nrows, *first = mem_array(n + 1, sizeof(*first)),
	       *next = mem_array(n + 1, sizeof(*next)), *stack = mem_array(n + 1, sizeof(*stack)),
	       depth = 0, done = 0;
	struct place *places = mem_array(n + 1, sizeof(*places));
	struct prow *rows = mem_array(n + 1, sizeof(*rows));
	bool *seen = mem_array(n + 1, sizeof(*seen));
	size_t roots = 0;

	for (size_t i = 0; i < n; i++)
		places[i] = (struct place){ .pid = p->rows[i].pid, .row = i };
	if (n)
		qsort(places, n, sizeof(*places), place_by_pid);
	for (size_t i = n; i-- > 0;) { /* from behind, so that lists come out in order */
		struct place *up = place_of(places, n, p->rows[i].ppid);
		size_t *head = up && up->row != i ? &first[up->row] : &roots;

		next[i] = *head;
		*head = i + 1;
	}
	for (size_t start = 0; start <= n; start++) {
		size_t at = start == 0 ? roots : seen[start - 1] ? 0 : start;

		while (at || depth) {
			if (!at) {
				at = next[stack[--depth]];
				continue;
			}
			if (seen[at - 1]) {
				at = next[at - 1];
				continue;
			}
			seen[at - 1] = true;
			rows[done] = p->rows[at - 1];
			rows[done++].depth = (unsigned)depth;
			stack[depth++] = at - 1;
			at = first[at - 1];
		}
	}
	memcpy(p->rows, rows, done * sizeof(*rows));
	p->nrows = done;
	mem_free(first);
	mem_free(next);
	mem_free(stack);
	mem_free(places);
	mem_free(rows);
	mem_free(seen);
}

/* ---- threads ---- */

/* Those that were active in the window, below their processes. */
static void add_threads(struct procs *p, const struct psource *s)
{
	size_t threads = s->v ? interval_rows(s->v->window, SCOPE_THREAD) : 0, n = 0;
	struct place *list = mem_array(threads + 1, sizeof(*list));
	struct prow *rows;

	for (size_t t = 0; t < threads; t++)
		list[t] = (struct place){ .pid = interval_whole(
						  interval_last(s->v->window, M_THREAD_PID, t)),
					  .row = t };
	if (threads)
		qsort(list, threads, sizeof(*list), place_by_pid);
	rows = mem_array(p->nrows + threads + 1, sizeof(*rows));
	for (size_t i = 0; i < p->nrows; i++) {
		struct place *at = place_of(list, threads, p->rows[i].pid);

		rows[n++] = p->rows[i];
		while (at && at > list && at[-1].pid == at->pid)
			at--;
		for (; at && at < list + threads && at->pid == p->rows[i].pid; at++) {
			struct row_id id = interval_row(s->v->window, SCOPE_THREAD, at->row)->id;

			if ((int64_t)id.key == at->pid)
				continue; /* the first thread stands for its process */
			rows[n++] = (struct prow){ .id = id,
						   .at = at->row,
						   .moved = SIZE_MAX,
						   .thread = true,
						   .pid = at->pid,
						   .depth = p->rows[i].depth + 1 };
		}
	}
	mem_free(list);
	mem_free(p->rows);
	p->rows = rows;
	p->cap = p->nrows + threads + 1;
	p->nrows = n;
}

void procs_collect(struct ui *ui, const struct psource *s)
{
	struct procs *p = ui->procs;
	size_t n = s->s ? snapshot_rows(s->s, SCOPE_PROCESS) : 0;

	p->nrows = 0;
	p->rows = mem_grow(p->rows, &p->cap, n + 1, sizeof(*p->rows));
	for (size_t at = 0; at < n; at++) {
		struct prow r = row_at(s, at);

		if (fits(ui, s, &r))
			p->rows[p->nrows++] = r;
	}
	order_rows(ui, s);
	if (ui->settings.tree)
		grow_tree(p);
	if (ui->settings.threads)
		add_threads(p, s);
}
