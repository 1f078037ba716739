/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to processes, one row each. */
#include "tui/deeds.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Each makes ui->number or ui->cpus of a text, and ui->answer, as it is shown. False: it makes no sense. */
typedef bool take_fn(struct ui *ui, struct text in);

static bool number_in(struct text in, int64_t least, int64_t most, int *out)
{
	int64_t v;

	if (!text_s64(&in, &v) || text_len(text_trim(in)) || v < least || v > most)
		return false;
	*out = (int)v;
	return true;
}

static bool take_signal(struct ui *ui, struct text in)
{
	snprintf(ui->answer, sizeof(ui->answer), "%.*s", (int)text_len(in), in.p);
	return number_in(in, 1, 64, &ui->number);
}

static bool take_nice(struct ui *ui, struct text in)
{
	snprintf(ui->answer, sizeof(ui->answer), "%.*s", (int)text_len(in), in.p);
	return number_in(in, -20, 19, &ui->number);
}

/* ---- CPUs ---- */

static unsigned cpus_known(const struct ui *ui)
{
	unsigned n = ui->now.host ? ui->now.host->possible_cpus : 0;

	return !n || n > UI_CPUS ? UI_CPUS : n;
}

/* "3" or "0-3" */
static bool take_range(struct ui *ui, struct text in)
{
	unsigned known = cpus_known(ui);
	uint64_t first, last;

	if (!text_u64(&in, &first))
		return false;
	last = first;
	if (text_len(in) && *in.p == '-') {
		in.p++;
		if (!text_u64(&in, &last))
			return false;
	}
	if (text_len(in) || last < first || last >= known)
		return false;
	for (uint64_t i = first; i <= last; i++)
		ui->cpus[i / 64] |= 1ull << i % 64;
	return true;
}

static bool take_cpus(struct ui *ui, struct text in)
{
	char all[32];
	struct text one;

	memset(ui->cpus, 0, sizeof(ui->cpus));
	if (text_eq(in, "all")) {
		snprintf(all, sizeof(all), "0-%u", cpus_known(ui) - 1);
		in = text_of(all);
	}
	snprintf(ui->answer, sizeof(ui->answer), "%.*s", (int)text_len(in), in.p);
	if (!text_len(in))
		return false;
	while (text_until(&in, ',', &one))
		if (!take_range(ui, one))
			return false;
	return true;
}

/* ---- I/O priority ---- */

#define IO_CLASS_SHIFT 13

/* clang-format off */
static const struct {
	char letter;
	int class; /* of the kernel: linux/ioprio.h */
	bool levels;
	const char *name;
} io_classes[] = {
	{ 'n', 0, false, "by nice value" },
	{ 'r', 1, true, "real time" },
	{ 'b', 2, true, "best effort" },
	{ 'i', 3, false, "idle" },
};
/* clang-format on */

static bool take_io(struct ui *ui, struct text in)
{
	int level = 0;

	for (size_t i = 0; text_len(in) && i < sizeof(io_classes) / sizeof(*io_classes); i++) {
		struct text rest = { in.p + 1, in.end };

		if (*in.p != io_classes[i].letter)
			continue;
		if (io_classes[i].levels != (text_len(rest) > 0) ||
		    (io_classes[i].levels && !number_in(rest, 0, 7, &level)))
			return false;
		ui->number = io_classes[i].class << IO_CLASS_SHIFT | level;
		if (io_classes[i].levels)
			snprintf(ui->answer, sizeof(ui->answer), "%s %d", io_classes[i].name,
				 level);
		else
			snprintf(ui->answer, sizeof(ui->answer), "%s", io_classes[i].name);
		return true;
	}
	return false;
}

/* ---- the table ---- */

struct deed {
	enum prompt prompt;
	enum ui_want want;
	const char *ask, *may_be; /* the first question; what may be answered */
	const char *again, *to;   /* the second one */
	take_fn *take;
};

/* clang-format off */
static const struct deed deeds[] = {
	{ PROMPT_SIGNAL, WANT_SIGNAL, "signal", "15 TERM, 9 KILL, 1 HUP, 19 STOP, 18 CONT",
	  "send signal", "to", take_signal },
	{ PROMPT_NICE, WANT_NICE, "nice value", "-20 to 19", "set nice", "for", take_nice },
	{ PROMPT_AFFINITY, WANT_AFFINITY, "CPUs", "a list like 0-2,5, or all", "allow CPUs", "for",
	  take_cpus },
	{ PROMPT_IO, WANT_IO, "I/O priority", "b0-b7 normal, i idle, r0-r7 first, n none",
	  "set I/O priority", "for", take_io },
	{ .ask = NULL }
};
/* clang-format on */

static const struct deed *deed_of(enum prompt p)
{
	for (const struct deed *d = deeds; d->ask; d++)
		if (d->prompt == p)
			return d;
	return NULL;
}

const char *deed_question(const struct ui *ui, char *out, size_t size)
{
	const struct deed *d = deed_of(ui->prompt);
	size_t n = ui->ntargets;
	const char *more = n == 1 ? "" : "es";

	if (!d)
		return NULL;
	if (ui->confirm)
		snprintf(out, size, "%s %.60s %s %zu process%s (first: %lld)? y/n ", d->again,
			 ui->answer, d->to, n, more, (long long)ui->targets[0].pid);
	else
		snprintf(out, size, "%s for %zu process%s (%s): ", d->ask, n, more, d->may_be);
	return out;
}

bool deed_answer(struct ui *ui)
{
	const struct deed *d = deed_of(ui->prompt);

	if (!d)
		return false;
	ui->confirm = d->take(ui, text_trim(text_of(ui->line)));
	if (!ui->confirm) {
		ui_say(ui, true, "'%.40s' is not one of %s", ui->line, d->may_be);
		ui->prompt = PROMPT_NONE;
	}
	ui->line[0] = '\0';
	return true;
}

enum ui_want deed_want(enum prompt p)
{
	const struct deed *d = deed_of(p);

	return d ? d->want : WANT_DRAW;
}
