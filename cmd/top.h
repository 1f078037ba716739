/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_CMD_TOP_H
#define SIXTY_CMD_TOP_H

#include "cmd/output.h"
#include "tui/ui.h"

/* sixty top: options and plain frames (top.c), the dashboard on a terminal (top_live.c), and what only the owner of a
 * machine can tell or do: command lines, users, the file of settings (top_owner.c), signals and priorities (top_deeds.c). */
struct top_args {
	double seconds; /* 0: as set, or 1 */
	double budget;
	bool batch, readonly;
	int count, rows;
	const char *replay, *screen, *theme;
	struct output_args output;
};

/* One judged window: the report that screens show. */
struct judged {
	struct report report;
	bool filled;
};

void judge(struct judged *j, struct session *s);
void judged_done(struct judged *j);
/* The programs and the pace of a dashboard. */
void top_session_args(struct session_args *sa, const struct top_args *a);

int top_live(const struct top_args *a); /* exit status */

/* top_owner.c */
struct owner;
struct owner *owner_new(void); /* before anything heavy is opened: it may fork */
void owner_free(struct owner *o);
const struct ui_owner *owner_ui(struct owner *o);
/* Ask for the command lines that were missed while drawing. True when there is something new to draw. */
bool owner_fetch(struct owner *o);
/* Start time as /proc/PID/stat has it, in ticks; 0: there is no such process. */
uint64_t owner_birth_of(int64_t pid);
/* Settings: defaults when there is no file; a file that is broken is told by `e`, and not written over. */
int owner_load(struct settings *s, struct err *e);
int owner_save(const struct settings *s, char *path, size_t size, struct err *e);

/* top_deeds.c: do what was asked for to the processes of ui->targets, and say how it went. */
void owner_signal(struct ui *ui);
void owner_renice(struct ui *ui);
void owner_allow_cpus(struct ui *ui);
void owner_io_priority(struct ui *ui);

#endif
